/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_LINEAR_X86_H
#define PATINA_NN_LINEAR_X86_H

/*
 * For nn/linear_avx*.c alone: how their tiles are written.
 *
 * A path's functions are compiled for its processor one by one (TARGET), not file by file: what
 * they take from headers stays portable code wherever else it is used. A tile's body is written
 * once for any number of rows and inlined with each number as a constant, so that all of its sums
 * are registers.
 */

#include "nn/linear_finish.h"

#include <immintrin.h>
#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { AVX512_ROWS = 12 }; /* by two panels: 24 of 32 registers are sums */

/* A loop over the constant `rows` that leaves no loop. clang unrolls early enough only what ends at
 * a constant already here: MOST_ROWS, which a file says before. */
#define EACH_ROW(r) _Pragma("GCC unroll 12") for (int r = 0; r < MOST_ROWS; r++) if (r < rows)

/* Four bytes of a row: a group of inputs. */
ALWAYS_INLINE int32_t group_at(const struct linear_tile *t, int row, ptrdiff_t at)
{
    int32_t v;

    memcpy(&v, t->data[row] + at, sizeof(v));
    return v;
}

ALWAYS_INLINE float float_at(const struct linear_tile *t, int row, ptrdiff_t at)
{
    float v;

    memcpy(&v, t->data[row] + at, sizeof(v));
    return v;
}

/* Asks for what comes next of one of the two rows and panels, into L2; `at` is 4 bytes a group. */
ALWAYS_INLINE void fetch_side(const struct linear_tile *t, int side, ptrdiff_t at)
{
    if (at % 64 == 0) {
        _mm_prefetch(t->ahead[side] + at, _MM_HINT_T1);
        _mm_prefetch(t->ahead[2 + side] + at, _MM_HINT_T1);
    }
}

ALWAYS_INLINE void fetch_ahead(const struct linear_tile *t, ptrdiff_t at)
{
    fetch_side(t, 0, at);
    fetch_side(t, 1, at);
}

#define TILE_CASE(n, tile, type)            \
    case n:                                 \
        tile(t, n, groups, w, (type *)sum); \
        break;

/* Defines the function `name`, a linear_kernel's `multiply`, that calls tile() with the number of
 * rows as a constant. */
#define MULTIPLY_6_CASES(tile, type) \
    TILE_CASE(1, tile, type)         \
    TILE_CASE(2, tile, type)         \
    TILE_CASE(3, tile, type)         \
    TILE_CASE(4, tile, type)         \
    TILE_CASE(5, tile, type)         \
    TILE_CASE(6, tile, type)

#define MULTIPLY_12_CASES(tile, type) \
    MULTIPLY_6_CASES(tile, type)      \
    TILE_CASE(7, tile, type)          \
    TILE_CASE(8, tile, type)          \
    TILE_CASE(9, tile, type)          \
    TILE_CASE(10, tile, type)         \
    TILE_CASE(11, tile, type)         \
    TILE_CASE(12, tile, type)

#define MULTIPLY(name, cases, tile, type)                                      \
    TARGET static void name(const struct linear_tile *t, int rows, int groups, \
                            const unsigned char *const *w, void *sum)          \
    {                                                                          \
        switch (rows) {                                                        \
            cases(tile, type)                                                  \
        }                                                                      \
    }

#define MULTIPLY_6(name, tile, type)  MULTIPLY(name, MULTIPLY_6_CASES, tile, type)
#define MULTIPLY_12(name, tile, type) MULTIPLY(name, MULTIPLY_12_CASES, tile, type)

#endif
