/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_LINEAR_INTERNAL_H
#define PATINA_NN_LINEAR_INTERNAL_H

/* For nn/linear*.c and nn/conv.c alone: one matrix product for both, and what each path brings. */

#include "nn/linear.h"

#include <stdalign.h>

/*
 * DESIGN: the outputs are cut into blocks of rows x outputs, each of them one turn of the pool. A
 * block goes through the inputs in steps short enough that the step's weights (LINEAR_STEP bytes
 * times outputs) stay in the second-level cache while all rows of the block pass, and that a tile
 * of a few rows stays in the first-level cache while all outputs pass. So weights come from memory
 * once for a block's rows, and from L2 once for a tile; meanwhile the kernel asks for the next
 * step's.
 *
 * Sums wait in memory from step to step with all their bits, so that how a product is cut changes
 * none: every sum runs over its inputs in one order.
 */
enum {
    LINEAR_ROWS = 256, /* of a block, at most, on any path */
    LINEAR_OUTS = 512,
    LINEAR_SUMS = LINEAR_ROWS * (LINEAR_OUTS + 16), /* 528 KB of the thread's stack */
    LINEAR_TILE_ROWS = 32,
    LINEAR_STEP = 1024, /* bytes of a row in a tile, as kernels read it */
    LINEAR_TILE_STRIDE = LINEAR_STEP + PACKED_ALIGN, /* rows in different sets of the cache */
    LINEAR_AHEAD = 4,
    LINEAR_TAPS_MAX = 9
};

/* A few rows' inputs of one step, as the path's kernel wants to read them. */
struct linear_tile {
    alignas(64) unsigned char data[LINEAR_TILE_ROWS][LINEAR_TILE_STRIDE];
    int32_t offset[LINEAR_TILE_ROWS]; /* added to the row's sums, by kernels that say so */

    /* Memory that comes next, of two rows and of two panels: with every 16 groups of inputs a
     * kernel may ask for 64 bytes more of each row, and its path's `ahead_lines` times 64 of each
     * panel. Any address: nothing is read. */
    const char *ahead[LINEAR_AHEAD];
};

/* y[r][o] = sum over taps t and inputs i of x[r + tap t][i] w[o][t][i]. Row r's numbers begin at x
 * + r / line * x_line + r % line * x_row, and so does what is written. Steps are in bytes. */
struct product {
    enum dtype dtype;
    int rows, outs;
    int line;
    const char *x;
    int64_t x_line, x_row;
    int taps;
    int64_t tap[LINEAR_TAPS_MAX]; /* from a row to the numbers that the tap reads */
    int tap_bytes;                /* of x, padded: a multiple of PACKED_ALIGN */
    const float *x_scale;         /* of i8, [rows] */
    const unsigned char *w;       /* panels */
    const float *w_scale;         /* of i8, [outs] */
    struct linear_end end;
    enum dtype y_dtype;
    char *y;
    int64_t y_line, y_row;
};

/* False: cancelled. */
bool product_run(const struct nn_run *run, const struct product *p);

/* How a path multiplies one element type. */
struct linear_kernel {
    int step; /* bytes of a row of x in a step: LINEAR_STEP, or less where `gather` widens numbers
               */

    /* Puts `bytes` (a multiple of PACKED_ALIGN) from row[r] + offset on, of `rows` rows, into the
     * tile at `at` bytes of x's row from the step's beginning. at 0 comes first. */
    void (*gather)(struct linear_tile *t, int at, const char *const *row, int rows, int64_t offset,
                   int bytes);

    /* sum[r][0..15] += tile row r times the panel w[0], sum[r][16..31] the panel w[1], over
     * `groups` groups of inputs (a multiple of 16). Sums are float, or int32_t of i8; their rows
     * are the path's sum_stride apart. */
    void (*multiply)(const struct linear_tile *t, int rows, int groups,
                     const unsigned char *const *w, void *sum);
};

struct linear_path {
    int tile_rows;              /* at most LINEAR_TILE_ROWS */
    int block_rows, block_outs; /* at most LINEAR_ROWS, LINEAR_OUTS; in whole pairs of panels */
    int sum_stride;             /* at least block_outs; of LINEAR_ROWS rows at most LINEAR_SUMS */
    int ahead_lines;            /* 1, 2, 4: PACKED_PANEL / tiles of a block */
    struct linear_kernel f32, bf16, i8;

    /* Readies the thread to multiply tiles of `rows` rows: before the first, and where their number
     * changes. And what undoes it behind the last. NULL: there is nothing to do. */
    void (*begin)(int rows);
    void (*end)(void);

    /* What becomes of the sums of `count` outputs from `out` on of row `row`; see struct
     * linear_end. */
    void (*finish)(const struct product *p, const void *sum, int row, int out, int count);
};

extern const struct linear_path linear_plain;
#if defined(__x86_64__)
extern const struct linear_path linear_avx2, linear_avx512, linear_avx512bf16;
#endif
#ifdef NN_AMX
extern const struct linear_path linear_amx; /* has no f32 */
#endif

/* A block of the paths whose sums pass through vector registers. */
enum { LINEAR_VECTOR_ROWS = 192, LINEAR_VECTOR_OUTS = 256 };

#define LINEAR_VECTOR_BLOCK                                             \
    .block_rows = LINEAR_VECTOR_ROWS, .block_outs = LINEAR_VECTOR_OUTS, \
    .sum_stride = LINEAR_VECTOR_OUTS, .ahead_lines = 1

/* A `gather` that copies. */
void linear_gather_bytes(struct linear_tile *t, int at, const char *const *row, int rows,
                         int64_t offset, int bytes);

/* The `multiply` of f32 on AVX-512, for the path that adds BF16 too. */
void linear_avx512_f32(const struct linear_tile *t, int rows, int groups,
                       const unsigned char *const *w, void *sum);

#endif
