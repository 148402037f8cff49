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
    int block_rows, block_outs; /* of a turn */
    int row_blocks;
};

static int min(int a, int b)
{
    return a < b ? a : b;
}

static bool cancelled(const struct running *u)
{
    return u->cancel && atomic_load_explicit(u->cancel, memory_order_relaxed);
}

/* The inputs first..first+bytes-1, of all taps one after another, of `rows` rows from `row` on. */
static void gather(const struct running *u, struct linear_tile *t, int row, int rows, int first,
                   int bytes)
{
    const struct product *p = u->p;
    const char *from[LINEAR_TILE_ROWS];

    for (int r = 0; r < rows; r++)
        from[r] = p->x + (row + r) / p->line * p->x_line + (row + r) % p->line * p->x_row;
    for (int done = 0; done < bytes;) {
        int tap = (first + done) / p->tap_bytes, within = (first + done) % p->tap_bytes;
        int count = min(p->tap_bytes - within, bytes - done);
        u->kernel->gather(t, done, from, rows, p->tap[tap] + within, count);
        done += count;
    }
}

/* Adds the inputs first..first+bytes-1 to the sums of a block. */
static void add_step(const struct running *u, union linear_sums *sums, int row, int rows, int out,
                     int outs, int first, int bytes)
{
    // Tiles of nearly the same size: a last one of a row or two would wait for each of its sums.
    int tiles = (rows + u->path->tile_rows - 1) / u->path->tile_rows;
    struct linear_tile tile;

    for (int i = 0; i < tiles && !cancelled(u); i++) {
        int begin = rows * i / tiles, count = rows * (i + 1) / tiles - begin;
        gather(u, &tile, row + begin, count, first, bytes);
        for (int o = 0; o < outs; o += 2 * PACKED_PANEL) {
            const unsigned char *w = u->p->w + (out + o) / PACKED_PANEL * u->panel_bytes +
                                     (int64_t)first * PACKED_PANEL;
            // Where there is no second panel the first is multiplied twice, once for nothing.
            const unsigned char *panel[2] = {w, o + PACKED_PANEL < outs ? w + u->panel_bytes : w};
            u->kernel->multiply(&tile, count, bytes / 4, panel, &sums->f[begin][o]);
        }
    }
}

static void block(void *ctx, int index, int worker)
{
    const struct running *u = ctx;
    const struct product *p = u->p;
    int row = index % u->row_blocks * u->block_rows, out = index / u->row_blocks * u->block_outs;
    int rows = min(u->block_rows, p->rows - row), outs = min(u->block_outs, p->outs - out);
    int inputs = p->taps * p->tap_bytes;
    union linear_sums sums;

    (void)worker;
    for (int r = 0; r < rows; r++)
        memset(sums.f[r], 0, sizeof(sums.f[r]));
    for (int first = 0; first < inputs; first += u->kernel->step)
        add_step(u, &sums, row, rows, out, outs, first, min(u->kernel->step, inputs - first));
    for (int r = 0; r < rows && !cancelled(u); r++)
        u->path->finish(p, sums.f[r], row + r, out, outs);
}

static int blocks(int whole, int part)
{
    return (whole + part - 1) / part;
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
    u.panel_bytes = (int64_t)p->taps * p->tap_bytes * PACKED_PANEL;
    cut(&u, pool_width(run->pool));
    int turns = u.row_blocks * blocks(p->outs, u.block_outs);
    return pool_run(run->pool, turns, block, &u, run->cancel);
}
