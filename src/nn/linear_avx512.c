/* SPDX-License-Identifier: MIT */
#include "nn/linear_x86.h"

/* AVX-512 without BF16 and VNNI. */
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")))

enum { MOST_ROWS = AVX512_ROWS };

typedef __m512 floats;
typedef __m512i ints;

#define WIDE(op)     _mm512_##op
#define WIDE_SI(op)  _mm512_##op##_si512
#define LOAD_HALF(p) _mm256_loadu_si256((const __m256i *)(p))
#define VECTOR       "v"

TARGET ALWAYS_INLINE void add_product(floats *sum, floats w, floats a)
{
    *sum = _mm512_fmadd_ps(w, a, *sum);
}

TARGET ALWAYS_INLINE void fetch(const struct linear_tile *t, int side, ptrdiff_t at)
{
    (void)side;
    fetch_ahead(t, at);
}

#include "nn/linear_widen.h"

#define BOTH_PANELS(name, sums, type)                                                       \
    TARGET ALWAYS_INLINE void name(const struct linear_tile *t, const int rows, int groups, \
                                   const unsigned char *const *w, type *sum)                \
    {                                                                                       \
        sums(t, rows, groups, w[0], w[1], 0, sum);                                          \
    }

BOTH_PANELS(tile_f32, sums_f32, float)
BOTH_PANELS(tile_bf16, sums_bf16, float)
BOTH_PANELS(tile_i8, sums_i8, int32_t)

MULTIPLY_12(multiply_f32, tile_f32, float)
MULTIPLY_12(multiply_bf16, tile_bf16, float)
MULTIPLY_12(multiply_i8, tile_i8, int32_t)

void linear_avx512_f32(const struct linear_tile *t, int rows, int groups,
                       const unsigned char *const *w, void *sum)
{
    multiply_f32(t, rows, groups, w, sum);
}

TARGET static void finish(const struct product *p, const void *sum, int row, int out, int count)
{
    linear_finish(p, sum, row, out, count);
}

const struct linear_path linear_avx512 = {
    .tile_rows = AVX512_ROWS,
    LINEAR_VECTOR_BLOCK,
    .f32 = {LINEAR_STEP, linear_gather_bytes, multiply_f32},
    .bf16 = {LINEAR_STEP / 2, gather_bf16, multiply_bf16},
    .i8 = {LINEAR_STEP / 2, gather_i8, multiply_i8},
    .finish = finish,
};
