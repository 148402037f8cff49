/* SPDX-License-Identifier: MIT */
#include "nn/linear_x86.h"

/*
 * AVX2 with FMA: as AVX-512 without BF16, with half as many registers of half the width. So a tile
 * has half the rows and goes through one panel after the other.
 */
#define TARGET __attribute__((target("avx2,fma")))

enum { MOST_ROWS = 6, ODD = LINEAR_STEP / 2 };

TARGET ALWAYS_INLINE void load_f32(const int rows, const float *sum, __m256 s[][2])
{
    EACH_ROW(r)
    {
        s[r][0] = _mm256_load_ps(sum + r * LINEAR_VECTOR_OUTS);
        s[r][1] = _mm256_load_ps(sum + r * LINEAR_VECTOR_OUTS + 8);
    }
}

TARGET ALWAYS_INLINE void store_f32(const int rows, float *sum, __m256 s[][2])
{
    EACH_ROW(r)
    {
        _mm256_store_ps(sum + r * LINEAR_VECTOR_OUTS, s[r][0]);
        _mm256_store_ps(sum + r * LINEAR_VECTOR_OUTS + 8, s[r][1]);
    }
}

/* sum += w a in the register of sum. Left to choose, gcc lets sums wander from one register to
 * another until there are none left, and some go through memory. */
TARGET ALWAYS_INLINE void add_product(__m256 *sum, __m256 w, __m256 a)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(*sum) : "x"(w), "x"(a));
}

TARGET ALWAYS_INLINE void add_f32(const struct linear_tile *t, const int rows, ptrdiff_t at,
                                  __m256 w0, __m256 w1, __m256 s[][2])
{
    EACH_ROW(r)
    {
        __m256 a = _mm256_set1_ps(float_at(t, r, at));
        add_product(&s[r][0], w0, a);
        add_product(&s[r][1], w1, a);
    }
}

TARGET ALWAYS_INLINE void panel_f32(const struct linear_tile *t, const int rows, int groups,
                                    const unsigned char *panel, int side, float *sum)
{
    const float *w = (const float *)panel;
    __m256 s[MOST_ROWS][2];

    load_f32(rows, sum, s);
    for (ptrdiff_t at = 0; at < groups * (ptrdiff_t)4; at += 4, w += PACKED_PANEL) {
        fetch_side(t, side, at);
        add_f32(t, rows, at, _mm256_load_ps(w), _mm256_load_ps(w + 8), s);
    }
    store_f32(rows, sum, s);
}

TARGET static void gather_bf16(struct linear_tile *t, int at, const char *const *row, int rows,
                               int64_t offset, int bytes)
{
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < bytes; i += 16) {
            __m128i a = _mm_loadu_si128((const __m128i *)(row[r] + offset + i));
            _mm256_store_si256((__m256i *)(t->data[r] + 2 * (at + i)),
                               _mm256_slli_epi32(_mm256_cvtepu16_epi32(a), 16));
        }
}

TARGET ALWAYS_INLINE void panel_bf16(const struct linear_tile *t, const int rows, int groups,
                                     const unsigned char *panel, int side, float *sum)
{
    const __m256i *w = (const __m256i *)panel, upper = _mm256_set1_epi32((int)0xFFFF0000);
    __m256 s[MOST_ROWS][2];

    load_f32(rows, sum, s);
    for (ptrdiff_t at = 0; at < groups * (ptrdiff_t)8; at += 8, w += 2) {
        fetch_side(t, side, at / 2);
        __m256i w0 = _mm256_load_si256(w), w1 = _mm256_load_si256(w + 1);
        add_f32(t, rows, at, _mm256_castsi256_ps(_mm256_slli_epi32(w0, 16)),
                _mm256_castsi256_ps(_mm256_slli_epi32(w1, 16)), s);
        add_f32(t, rows, at + 4, _mm256_castsi256_ps(_mm256_and_si256(w0, upper)),
                _mm256_castsi256_ps(_mm256_and_si256(w1, upper)), s);
    }
    store_f32(rows, sum, s);
}

TARGET ALWAYS_INLINE __m256i even_of(__m256i v)
{
    return _mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8);
}

TARGET ALWAYS_INLINE __m256i odd_of(__m256i v)
{
    return _mm256_srai_epi16(v, 8);
}

TARGET static void gather_i8(struct linear_tile *t, int at, const char *const *row, int rows,
                             int64_t offset, int bytes)
{
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < bytes; i += 32) {
            __m256i a = _mm256_loadu_si256((const __m256i *)(row[r] + offset + i));
            _mm256_store_si256((__m256i *)(t->data[r] + at + i), even_of(a));
            _mm256_store_si256((__m256i *)(t->data[r] + ODD + at + i), odd_of(a));
        }
}

/* The same of pairs of i16. */
TARGET ALWAYS_INLINE void add_pairs(__m256i *sum, __m256i w, __m256i a)
{
    __m256i product = _mm256_madd_epi16(w, a);

    __asm__("vpaddd %1, %0, %0" : "+x"(*sum) : "x"(product));
}

TARGET ALWAYS_INLINE void add_i8(const struct linear_tile *t, const int rows, ptrdiff_t at,
                                 __m256i w0, __m256i w1, __m256i s[][2])
{
    EACH_ROW(r)
    {
        __m256i a = _mm256_set1_epi32(group_at(t, r, at));
        add_pairs(&s[r][0], w0, a);
        add_pairs(&s[r][1], w1, a);
    }
}

TARGET ALWAYS_INLINE void panel_i8(const struct linear_tile *t, const int rows, int groups,
                                   const unsigned char *panel, int side, int32_t *sum)
{
    const __m256i *w = (const __m256i *)panel;
    __m256i s[MOST_ROWS][2];

    EACH_ROW(r)
    {
        s[r][0] = _mm256_load_si256((const __m256i *)(sum + r * LINEAR_VECTOR_OUTS));
        s[r][1] = _mm256_load_si256((const __m256i *)(sum + r * LINEAR_VECTOR_OUTS + 8));
    }
    for (ptrdiff_t at = 0; at < groups * (ptrdiff_t)4; at += 4, w += 2) {
        fetch_side(t, side, at);
        __m256i w0 = _mm256_load_si256(w), w1 = _mm256_load_si256(w + 1);
        add_i8(t, rows, at, even_of(w0), even_of(w1), s);
        add_i8(t, rows, ODD + at, odd_of(w0), odd_of(w1), s);
    }
    EACH_ROW(r)
    {
        _mm256_store_si256((__m256i *)(sum + r * LINEAR_VECTOR_OUTS), s[r][0]);
        _mm256_store_si256((__m256i *)(sum + r * LINEAR_VECTOR_OUTS + 8), s[r][1]);
    }
}

#define BOTH_PANELS(name, panel, type)                                                      \
    TARGET ALWAYS_INLINE void name(const struct linear_tile *t, const int rows, int groups, \
                                   const unsigned char *const *w, type *sum)                \
    {                                                                                       \
        panel(t, rows, groups, w[0], 0, sum);                                               \
        panel(t, rows, groups, w[1], 1, sum + PACKED_PANEL);                                \
    }

BOTH_PANELS(tile_f32, panel_f32, float)
BOTH_PANELS(tile_bf16, panel_bf16, float)
BOTH_PANELS(tile_i8, panel_i8, int32_t)

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
