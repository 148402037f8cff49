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
};

/* A product while it runs. */
struct running {
    const struct product *p;
    const struct linear_path *path;
    const struct linear_kernel *kernel;
    const atomic_bool *cancel;
    int64_t panel_bytes;
    int inputs;                 /* bytes of a row, all taps */
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

/* Where row `row` has its inputs from byte `first` on, all taps one after another. */
static const char *row_at(const struct product *p, int row, int first)
{
    return p->x + row / p->line * p->x_line + row % p->line * p->x_row +
           p->tap[first / p->tap_bytes] + first % p->tap_bytes;
}

static void gather(const struct running *u, struct linear_tile *t, int row, int rows, int first,
                   int bytes)
{
    const struct product *p = u->p;
    const char *from[LINEAR_TILE_ROWS];

    for (int r = 0; r < rows; r++)
        from[r] = row_at(p, row + r, 0) - p->tap[0];
    for (int done = 0; done < bytes;) {
        int tap = (first + done) / p->tap_bytes, within = (first + done) % p->tap_bytes;
        int count = min(p->tap_bytes - within, bytes - done);
        u->kernel->gather(t, done, from, rows, p->tap[tap] + within, count);
        done += count;
    }
}

/* A step of a block: which sums, over which inputs. */
struct step {
    int row, rows, out, outs;
    int first, bytes;
    int tiles;
};

/* Where tile i of the step begins. Tiles are of nearly the same size: a last one of a row or two
 * would wait for each of its sums. */
static int tile_begin(const struct step *s, int i)
{
    return s->rows * i / s->tiles;
}

/*
 * What tile i may ask for while it multiplies outputs o..o+31 by their weights w: two rows of the
 * tile that comes next, and a tile's share of the same outputs' weights in the next step.
 * LINEAR_OUTS outputs are enough for all rows of a tile.
 */
static void look_ahead(const struct running *u, const struct step *s, int i, int o,
                       const unsigned char *const *w, const char **ahead)
{
    int step = u->kernel->step, shares = step * PACKED_PANEL / s->bytes;
    bool last = s->first + step >= u->inputs, next = i + 1 < s->tiles;
    int first = next || last ? s->first : s->first + step;

    for (int k = 0; k < 2; k++) {
        int row = tile_begin(s, next ? i + 1 : 0) + (o / PACKED_PANEL + k) % u->path->tile_rows;
        ahead[k] = row_at(u->p, s->row + min(row, s->rows - 1), first);
        ahead[2 + k] = (const char *)w[k] +
                       (last ? 0 : step * PACKED_PANEL + i % shares * s->bytes);
    }
}

static void add_step(const struct running *u, const struct step *s, union linear_sums *sums)
{
    struct linear_tile tile;

    for (int i = 0; i < s->tiles && !cancelled(u); i++) {
        int begin = tile_begin(s, i), rows = tile_begin(s, i + 1) - begin;
        gather(u, &tile, s->row + begin, rows, s->first, s->bytes);
        for (int o = 0; o < s->outs; o += 2 * PACKED_PANEL) {
            const unsigned char *w = u->p->w + (s->out + o) / PACKED_PANEL * u->panel_bytes +
                                     (int64_t)s->first * PACKED_PANEL;
            // Where there is no second panel the first is multiplied twice, once for nothing.
            const unsigned char *panel[2] = {w,
                                             o + PACKED_PANEL < s->outs ? w + u->panel_bytes : w};
            look_ahead(u, s, i, o, panel, tile.ahead);
            u->kernel->multiply(&tile, rows, s->bytes / 4, panel, &sums->f[begin][o]);
        }
    }
}

static void block(void *ctx, int index, int worker)
{
    const struct running *u = ctx;
    struct step s = {.row = index % u->row_blocks * u->block_rows,
                     .out = index / u->row_blocks * u->block_outs};
    union linear_sums sums;

    (void)worker;
    s.rows = min(u->block_rows, u->p->rows - s.row);
    s.outs = min(u->block_outs, u->p->outs - s.out);
    s.tiles = blocks(s.rows, u->path->tile_rows);
    for (int r = 0; r < s.rows; r++)
        memset(sums.f[r], 0,
               (size_t)blocks(s.outs, 2 * PACKED_PANEL) * 2 * PACKED_PANEL * sizeof(float));
    for (; s.first < u->inputs; s.first += s.bytes) {
        s.bytes = min(u->kernel->step, u->inputs - s.first);
        add_step(u, &s, &sums);
    }
    for (int r = 0; r < s.rows && !cancelled(u); r++)
        u->path->finish(u->p, sums.f[r], s.row + r, s.out, s.outs);
}

/* Blocks as large as they may be, but some for each of the pool's threads. */
static void cut(struct running *u, int width)
{
    enum { TURNS = 4 }; // a thread's, so that the last to end is not late by much

    u->block_rows = LINEAR_ROWS;
    u->block_outs = LINEAR_OUTS;
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
    struct running u = {.p = p, .path = PATH[run->isa], .cancel = run->cancel};

    assert(u.path && p->tap_bytes % PACKED_ALIGN == 0 && p->taps <= LINEAR_TAPS_MAX);
    u.kernel = kernel_of(u.path, p->dtype);
    u.inputs = p->taps * p->tap_bytes;
    u.panel_bytes = (int64_t)u.inputs * PACKED_PANEL;
    cut(&u, pool_width(run->pool));
    int turns = u.row_blocks * blocks(p->outs, u.block_outs);
    return pool_run(run->pool, turns, block, &u, run->cancel);
}
