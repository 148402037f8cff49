/* SPDX-License-Identifier: MIT */
#include "nn/linear_x86.h"
#include "nn/tile.h"

/*
 * AMX: 32 rows by two panels in four tiles of sums, for bf16 and i8 alike; f32 it does not know.
 *
 * DESIGN: a product of tiles takes 16 cycles and a load from the first cache 8 (Intel 64 and IA-32
 * Architectures Optimization Reference Manual, chapter "Intel AMX"), so four products and the four
 * loads they want fill 64 cycles of the multiplier and 32 of the loads. What is to be kept from it
 * is waiting for caches:
 *   - the rows (32 of LINEAR_STEP bytes, copied so that they lie in different sets: 35 KB) stay in
 *     the first cache of 48 KB while all panels pass, which are loaded so as not to drive them out;
 *   - panels come from the second cache, 2 KB in 64 cycles. 512 outputs are 512 KB of them in a
 *     step, as much of the next step that is asked for meanwhile, and 528 KB of sums: of 2 MB;
 *   - sums are loaded and stored once in 16 rounds of 64 cycles; copying rows, 1,000 cycles, counts
 *     against 16 pairs of panels;
 *   - 256 rows share what weights come from memory: 2 lines a panel and round.
 *
 * Loads stand between products, each as late as it can, so that the first product of a round does
 * not wait for four. A last tile of fewer rows is one of a smaller configuration: the multiplier
 * takes a cycle a row.
 */
#define TARGET                                                                         \
    __attribute__((target(TILE_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16," \
                                      "avx512vnni")))

enum {
    AMX_ROWS = 2 * TILE_ROWS,
    OUTS = 512,
    SUM_STRIDE = OUTS + 16, /* floats: rows in different sets of the cache */
    SUM_BYTES = SUM_STRIDE * 4,
    AHEAD_LINES = 2
};

_Static_assert((int)AMX_ROWS == (int)LINEAR_TILE_ROWS && (int)OUTS == (int)LINEAR_OUTS &&
                   LINEAR_ROWS * (int)SUM_STRIDE == (int)LINEAR_SUMS,
               "the memory of a block is laid out for these");

/* What add_step() expects to be asked for with 16 groups. */
TARGET ALWAYS_INLINE void fetch_round(const struct linear_tile *t, ptrdiff_t at)
{
    _mm_prefetch(t->ahead[0] + at, _MM_HINT_T1);
    _mm_prefetch(t->ahead[1] + at, _MM_HINT_T1);
    for (int line = 0; line < AHEAD_LINES; line++) {
        _mm_prefetch(t->ahead[2] + at * AHEAD_LINES + line * PACKED_ALIGN, _MM_HINT_T1);
        _mm_prefetch(t->ahead[3] + at * AHEAD_LINES + line * PACKED_ALIGN, _MM_HINT_T1);
    }
}

/* Defines a linear_kernel's `multiply`. Tiles' names are constants of the instructions, so the two
 * types differ in one and cannot share a function. */
#define MULTIPLY_TILES(name, product)                                              \
    TARGET static void name(const struct linear_tile *t, int rows, int groups,     \
                            const unsigned char *const *w, void *sum)              \
    {                                                                              \
        char *upper = sum, *lower = upper + TILE_ROWS * SUM_BYTES;                 \
        const bool both = rows > TILE_ROWS;                                        \
                                                                                   \
        tile_load(TILE_C00, upper, SUM_BYTES);                                     \
        tile_load(TILE_C01, upper + TILE_ROW_BYTES, SUM_BYTES);                    \
        if (both) {                                                                \
            tile_load(TILE_C10, lower, SUM_BYTES);                                 \
            tile_load(TILE_C11, lower + TILE_ROW_BYTES, SUM_BYTES);                \
        }                                                                          \
        for (ptrdiff_t at = 0; at < groups * (ptrdiff_t)4; at += TILE_ROW_BYTES) { \
            fetch_round(t, at);                                                    \
            tile_load(TILE_A0, t->data[0] + at, LINEAR_TILE_STRIDE);               \
            tile_load_once(TILE_B0, w[0] + at * PACKED_PANEL, TILE_ROW_BYTES);     \
            product(TILE_C00, TILE_A0, TILE_B0);                                   \
            tile_load_once(TILE_B1, w[1] + at * PACKED_PANEL, TILE_ROW_BYTES);     \
            product(TILE_C01, TILE_A0, TILE_B1);                                   \
            if (both) {                                                            \
                tile_load(TILE_A1, t->data[TILE_ROWS] + at, LINEAR_TILE_STRIDE);   \
                product(TILE_C10, TILE_A1, TILE_B0);                               \
                product(TILE_C11, TILE_A1, TILE_B1);                               \
            }                                                                      \
        }                                                                          \
        tile_store(TILE_C00, upper, SUM_BYTES);                                    \
        tile_store(TILE_C01, upper + TILE_ROW_BYTES, SUM_BYTES);                   \
        if (both) {                                                                \
            tile_store(TILE_C10, lower, SUM_BYTES);                                \
            tile_store(TILE_C11, lower + TILE_ROW_BYTES, SUM_BYTES);               \
        }                                                                          \
    }

MULTIPLY_TILES(multiply_bf16, tile_bf16)
MULTIPLY_TILES(multiply_i8, tile_i8)

TARGET static void begin(int rows)
{
    const struct tile_config c = tile_config_of(rows);

    tile_configure(&c);
}

TARGET static void end(void)
{
    tile_release();
}

TARGET static void finish(const struct product *p, const void *sum, int row, int out, int count)
{
    linear_finish(p, sum, row, out, count);
}

const struct linear_path linear_amx = {
    .tile_rows = AMX_ROWS,
    .block_rows = LINEAR_ROWS,
    .block_outs = OUTS,
    .sum_stride = SUM_STRIDE,
    .ahead_lines = AHEAD_LINES,
    .bf16 = {LINEAR_STEP, linear_gather_bytes, multiply_bf16},
    .i8 = {LINEAR_STEP, linear_gather_bytes, multiply_i8},
    .begin = begin,
    .end = end,
    .finish = finish,
};
