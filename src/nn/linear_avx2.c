/* SPDX-License-Identifier: MIT */
#include "nn/linear_x86.h"

/*
 * AVX2 with FMA: half as many registers as AVX-512 has, of half the width. So a tile has half the
 * rows and goes through one panel after the other.
 */
#define TARGET __attribute__((target("avx2,fma")))

enum { MOST_ROWS = 6 };

typedef __m256 floats;
typedef __m256i ints;

#define WIDE(op)     _mm256_##op
#define WIDE_SI(op)  _mm256_##op##_si256
#define LOAD_HALF(p) _mm_loadu_si128((const __m128i *)(p))
#define VECTOR       "x"

/* In the register of sum. Left to choose, gcc lets sums wander from one register to another until
 * there are none left, and some go through memory. */
TARGET ALWAYS_INLINE void add_product(floats *sum, floats w, floats a)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(*sum) : "x"(w), "x"(a));
}

TARGET ALWAYS_INLINE void fetch(const struct linear_tile *t, int side, ptrdiff_t at)
{
    fetch_side(t, side, at);
}

#include "nn/linear_widen.h"

#define BOTH_PANELS(name, sums, type)                                                       \
    TARGET ALWAYS_INLINE void name(const struct linear_tile *t, const int rows, int groups, \
                                   const unsigned char *const *w, type *sum)                \
    {                                                                                       \
        sums(t, rows, groups, w[0], w[0] + WIDTH, 0, sum);                                  \
        sums(t, rows, groups, w[1], w[1] + WIDTH, 1, sum + PACKED_PANEL);                   \
    }

BOTH_PANELS(tile_f32, sums_f32, float)
BOTH_PANELS(tile_bf16, sums_bf16, float)
BOTH_PANELS(tile_i8, sums_i8, int32_t)

MULTIPLY_6(multiply_f32, tile_f32, float)
MULTIPLY_6(multiply_bf16, tile_bf16, float)
MULTIPLY_6(multiply_i8, tile_i8, int32_t)

TARGET static void finish(const struct product *p, const void *sum, int row, int out, int count)
{
    linear_finish(p, sum, row, out, count);
}

const struct linear_path linear_avx2 = {
    .tile_rows = MOST_ROWS,
    LINEAR_VECTOR_BLOCK,
    .f32 = {LINEAR_STEP, linear_gather_bytes, multiply_f32},
    .bf16 = {LINEAR_STEP / 2, gather_bf16, multiply_bf16},
    .i8 = {LINEAR_STEP / 2, gather_i8, multiply_i8},
    .finish = finish,
};
