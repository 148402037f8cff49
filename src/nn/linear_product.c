/* SPDX-License-Identifier: MIT */
#include "nn/linear_internal.h"

#include <assert.h>
#include <string.h>

static const struct linear_path *const PATH[ISA_COUNT] = {
    [ISA_PLAIN] = &linear_plain,
#if defined(__x86_64__)
    [ISA_AVX2] = &linear_avx2,
    [ISA_AVX512] = &linear_avx512,
    [ISA_AVX512BF16] = &linear_avx512bf16,
#endif
#ifdef NN_AMX
    [ISA_AMX] = &linear_amx,
#endif
};

/* A product while it runs. */
struct running {
    const struct product *p;
    const struct linear_path *path;
    const struct linear_kernel *kernel;
    const atomic_bool *cancel;
    int64_t panel_bytes;
    int inputs;                 /* bytes of a row, all taps */
    int step;                   /* how many at a time */
    int block_rows, block_outs; /* of a turn */
    int row_blocks;
};

static int min(int a, int b)
{
    return a < b ? a : b;
}

static int blocks(int whole, int part)
{
    return (whole + part - 1) / part;
}

static bool cancelled(const struct running *u)
{
    return u->cancel && atomic_load_explicit(u->cancel, memory_order_relaxed);
}

/* Bytes from where a row begins to its input `first`, in bytes, of all taps one after another. */
static int64_t input_at(const struct product *p, int first)
{
    return p->tap[first / p->tap_bytes] + first % p->tap_bytes;
}

/* A step of a block: which sums, over which inputs. */
struct step {
    int row, rows, out, outs;
    int first, bytes;
    int tiles;
    int ready; /* rows of a tile that the path is ready for; 0: none */
};

/* Rows of a step that are multiplied together. */
struct rows {
    int begin, count;
    const char *at[LINEAR_TILE_ROWS]; /* where each begins */
};

/* The i-th tile's. Tiles are of nearly the same size: a last one of a row or two would wait for
 * each of its sums. */
static void find_rows(const struct product *p, const struct step *s, int i, struct rows *out)
{
    out->begin = s->rows * i / s->tiles;
    out->count = s->rows * (i + 1) / s->tiles - out->begin;
    int line = (s->row + out->begin) / p->line, column = (s->row + out->begin) % p->line;
    for (int r = 0; r < out->count; r++) {
        out->at[r] = p->x + line * p->x_line + column * p->x_row;
        if (++column == p->line) {
            column = 0;
            line++;
        }
    }
}

static void gather(const struct running *u, const struct step *s, const struct rows *rows,
                   struct linear_tile *t)
{
    const struct product *p = u->p;

    for (int done = 0, count; done < s->bytes; done += count) {
        int first = s->first + done;
        count = min(p->tap_bytes - first % p->tap_bytes, s->bytes - done);
        u->kernel->gather(t, done, rows->at, rows->count, input_at(p, first), count);
    }
}

/* What comes after a tile: the next tile's rows; and a tile's share of the next step's weights, or
 * behind the last step where the results go. */
struct next {
    struct rows rows;
    int64_t row_offset, weight_offset;
    bool last;
};

/* What the kernel may ask for while it multiplies the outputs from o on: of each, as much as a row
 * has in a step. A whole block's outputs ask for all rows of a tile. */
static void point_ahead(const struct product *p, const struct step *s, const struct rows *rows,
                        const struct next *next, int o, const unsigned char *const *panel,
                        const char **ahead)
{
    for (int k = 0; k < 2; k++) {
        int row = min(o / PACKED_PANEL + k, next->rows.count - 1);
        ahead[k] = next->rows.at[row] + next->row_offset;
        if (next->last) {
            int to = s->row + rows->begin + min(row, rows->count - 1);
            ahead[2 + k] = p->y + to / p->line * p->y_line + to % p->line * p->y_row +
                           s->out * (int64_t)dtype_bytes(p->y_dtype);
        } else {
            ahead[2 + k] = (const char *)panel[k] + next->weight_offset;
        }
    }
}

static void look_ahead(const struct running *u, const struct step *s, int i, struct next *out)
{
    int panel = s->bytes * PACKED_PANEL; // of the step
    int share = s->bytes * u->path->ahead_lines;
    bool turn = i + 1 == s->tiles;

    out->last = s->first + s->bytes >= u->inputs;
    find_rows(u->p, s, turn ? 0 : i + 1, &out->rows);
    out->row_offset = input_at(u->p, turn && !out->last ? s->first + s->bytes : s->first);
    out->weight_offset = panel + i * share % panel;
}

static void ready(const struct linear_path *path, struct step *s, int rows)
{
    if (path->begin && rows != s->ready)
        path->begin(rows);
    s->ready = rows;
}

static void add_step(const struct running *u, struct step *s, float *sums)
{
    struct linear_tile tile;
    struct next next;
    struct rows rows;

    find_rows(u->p, s, 0, &rows);
    for (int i = 0; i < s->tiles && !cancelled(u); i++, rows = next.rows) {
        gather(u, s, &rows, &tile);
        ready(u->path, s, rows.count);
        look_ahead(u, s, i, &next);
        for (int o = 0; o < s->outs; o += 2 * PACKED_PANEL) {
            const unsigned char *w = u->p->w + (s->out + o) / PACKED_PANEL * u->panel_bytes +
                                     (int64_t)s->first * PACKED_PANEL;
            // Where there is no second panel the first is multiplied twice, once for nothing.
            const unsigned char *panel[2] = {w,
                                             o + PACKED_PANEL < s->outs ? w + u->panel_bytes : w};
            point_ahead(u->p, s, &rows, &next, o, panel, tile.ahead);
            u->kernel->multiply(&tile, rows.count, s->bytes / 4, panel,
                                sums + rows.begin * u->path->sum_stride + o);
        }
    }
}

static void block(void *ctx, int index, int worker)
{
    const struct running *u = ctx;
    struct step s = {.row = index % u->row_blocks * u->block_rows,
                     .out = index / u->row_blocks * u->block_outs};
    alignas(64) float sums[LINEAR_SUMS]; // int32_t of i8
    const int stride = u->path->sum_stride;

    (void)worker;
    s.rows = min(u->block_rows, u->p->rows - s.row);
    s.outs = min(u->block_outs, u->p->outs - s.out);
    s.tiles = blocks(s.rows, u->path->tile_rows);
    for (int r = 0; r < s.rows; r++)
        memset(sums + r * stride, 0,
               (size_t)blocks(s.outs, 2 * PACKED_PANEL) * 2 * PACKED_PANEL * sizeof(float));
    for (; s.first < u->inputs; s.first += s.bytes) {
        s.bytes = min(u->step, u->inputs - s.first);
        add_step(u, &s, sums);
    }
    if (u->path->end)
        u->path->end();
    for (int r = 0; r < s.rows && !cancelled(u); r++)
        u->path->finish(u->p, sums + r * stride, s.row + r, s.out, s.outs);
}

/* Blocks as large as they may be, but some for each of the pool's threads. */
static void cut(struct running *u, int width)
{
    enum { TURNS = 4 }; // a thread's, so that the last to end is not late by much

    u->block_rows = u->path->block_rows;
    u->block_outs = u->path->block_outs;
    while (blocks(u->p->rows, u->block_rows) * blocks(u->p->outs, u->block_outs) < TURNS * width) {
        if (u->block_rows > 4 * u->path->tile_rows)
            u->block_rows /= 2;
        else if (u->block_outs > 2 * PACKED_PANEL)
            u->block_outs /= 2;
        else
            break;
    }
    u->row_blocks = blocks(u->p->rows, u->block_rows);
}

/* Tiles of AMX hold no f32. */
static const struct linear_path *path_of(enum isa isa, enum dtype t)
{
    return PATH[isa == ISA_AMX && t == DTYPE_F32 ? ISA_AVX512BF16 : isa];
}

static const struct linear_kernel *kernel_of(const struct linear_path *path, enum dtype t)
{
    switch (t) {
    case DTYPE_F32:
        return &path->f32;
    case DTYPE_BF16:
        return &path->bf16;
    default:
        assert(t == DTYPE_I8);
        return &path->i8;
    }
}

bool product_run(const struct nn_run *run, const struct product *p)
{
    struct running u = {.p = p, .path = path_of(run->isa, p->dtype), .cancel = run->cancel};

    assert(u.path && p->tap_bytes % PACKED_ALIGN == 0 && p->taps <= LINEAR_TAPS_MAX);
    u.kernel = kernel_of(u.path, p->dtype);
    u.inputs = p->taps * p->tap_bytes;
    assert(p->dtype != DTYPE_I8 || u.inputs <= LINEAR_I8_INPUTS_MAX);
    // Steps of nearly the same size, as tiles are.
    u.step = blocks(u.inputs / PACKED_ALIGN, blocks(u.inputs, u.kernel->step)) * PACKED_ALIGN;
    u.panel_bytes = (int64_t)u.inputs * PACKED_PANEL;
    cut(&u, pool_width(run->pool));
    int turns = u.row_blocks * blocks(p->outs, u.block_outs);
    return pool_run(run->pool, turns, block, &u, run->cancel);
}
