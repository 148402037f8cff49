/* SPDX-License-Identifier: MIT */
#include "nn/linear_x86.h"

/*
 * AVX-512 without BF16 and VNNI: numbers are widened, those of x once for a tile when it is
 * gathered, weights on the way. bf16 becomes f32; i8 becomes pairs of i16, whose products and sum
 * one instruction makes.
 */
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")))

enum {
    MOST_ROWS = AVX512_ROWS,
    ODD = LINEAR_STEP / 2 /* where a tile's row of i8 keeps the odd numbers of each group */
};

TARGET ALWAYS_INLINE void load_f32(const int rows, const float *sum, __m512 s[][2])
{
    EACH_ROW(r)
    {
        s[r][0] = _mm512_load_ps(sum + r * LINEAR_VECTOR_OUTS);
        s[r][1] = _mm512_load_ps(sum + r * LINEAR_VECTOR_OUTS + 16);
    }
}

TARGET ALWAYS_INLINE void store_f32(const int rows, float *sum, __m512 s[][2])
{
    EACH_ROW(r)
    {
        _mm512_store_ps(sum + r * LINEAR_VECTOR_OUTS, s[r][0]);
        _mm512_store_ps(sum + r * LINEAR_VECTOR_OUTS + 16, s[r][1]);
    }
}

/* s += the numbers at `at` of each row times w0 and w1. */
TARGET ALWAYS_INLINE void add_f32(const struct linear_tile *t, const int rows, ptrdiff_t at,
                                  __m512 w0, __m512 w1, __m512 s[][2])
{
    EACH_ROW(r)
    {
        __m512 a = _mm512_set1_ps(float_at(t, r, at));
        s[r][0] = _mm512_fmadd_ps(w0, a, s[r][0]);
        s[r][1] = _mm512_fmadd_ps(w1, a, s[r][1]);
    }
}

TARGET ALWAYS_INLINE void tile_f32(const struct linear_tile *t, const int rows, int groups,
                                   const unsigned char *const *w, float *sum)
{
    __m512 s[AVX512_ROWS][2];

    load_f32(rows, sum, s);
    for (ptrdiff_t at = 0; at < groups * (ptrdiff_t)4; at += 4) {
        fetch_ahead(t, at);
        add_f32(t, rows, at, _mm512_load_ps(w[0] + at * 16), _mm512_load_ps(w[1] + at * 16), s);
    }
    store_f32(rows, sum, s);
}

TARGET static void gather_bf16(struct linear_tile *t, int at, const char *const *row, int rows,
                               int64_t offset, int bytes)
{
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < bytes; i += 32) {
            __m256i a = _mm256_loadu_si256((const __m256i *)(row[r] + offset + i));
            _mm512_store_si512(t->data[r] + 2 * (at + i),
                               _mm512_slli_epi32(_mm512_cvtepu16_epi32(a), 16));
        }
}

TARGET ALWAYS_INLINE void tile_bf16(const struct linear_tile *t, const int rows, int groups,
                                    const unsigned char *const *w, float *sum)
{
    const __m512i upper = _mm512_set1_epi32((int)0xFFFF0000);
    __m512 s[AVX512_ROWS][2];

    load_f32(rows, sum, s);
    for (ptrdiff_t at = 0; at < groups * (ptrdiff_t)4; at += 4) {
        fetch_ahead(t, at);
        __m512i w0 = _mm512_load_si512(w[0] + at * 16), w1 = _mm512_load_si512(w[1] + at * 16);
        add_f32(t, rows, 2 * at, _mm512_castsi512_ps(_mm512_slli_epi32(w0, 16)),
                _mm512_castsi512_ps(_mm512_slli_epi32(w1, 16)), s);
        add_f32(t, rows, 2 * at + 4, _mm512_castsi512_ps(_mm512_and_si512(w0, upper)),
                _mm512_castsi512_ps(_mm512_and_si512(w1, upper)), s);
    }
    store_f32(rows, sum, s);
}

/* The bytes 0 and 2 of each four as i16, and 1 and 3. */
TARGET ALWAYS_INLINE __m512i even_of(__m512i v)
{
    return _mm512_srai_epi16(_mm512_slli_epi16(v, 8), 8);
}

TARGET ALWAYS_INLINE __m512i odd_of(__m512i v)
{
    return _mm512_srai_epi16(v, 8);
}

TARGET static void gather_i8(struct linear_tile *t, int at, const char *const *row, int rows,
                             int64_t offset, int bytes)
{
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < bytes; i += 64) {
            __m512i a = _mm512_loadu_si512(row[r] + offset + i);
            _mm512_store_si512(t->data[r] + at + i, even_of(a));
            _mm512_store_si512(t->data[r] + ODD + at + i, odd_of(a));
        }
}

/* sum += w a of pairs of i16, in the register of sum: left to choose, gcc makes more products at
 * once than it has registers for. */
TARGET ALWAYS_INLINE void add_pairs(__m512i *sum, __m512i w, __m512i a)
{
    __m512i product = _mm512_madd_epi16(w, a);

    __asm__("vpaddd %1, %0, %0" : "+v"(*sum) : "v"(product));
}

TARGET ALWAYS_INLINE void add_i8(const struct linear_tile *t, const int rows, ptrdiff_t at,
                                 __m512i w0, __m512i w1, __m512i s[][2])
{
    EACH_ROW(r)
    {
        __m512i a = _mm512_set1_epi32(group_at(t, r, at));
        add_pairs(&s[r][0], w0, a);
        add_pairs(&s[r][1], w1, a);
    }
}

TARGET ALWAYS_INLINE void tile_i8(const struct linear_tile *t, const int rows, int groups,
                                  const unsigned char *const *w, int32_t *sum)
{
    __m512i s[AVX512_ROWS][2];

    EACH_ROW(r)
    {
        s[r][0] = _mm512_load_si512(sum + r * LINEAR_VECTOR_OUTS);
        s[r][1] = _mm512_load_si512(sum + r * LINEAR_VECTOR_OUTS + 16);
    }
    for (ptrdiff_t at = 0; at < groups * (ptrdiff_t)4; at += 4) {
        fetch_ahead(t, at);
        __m512i w0 = _mm512_load_si512(w[0] + at * 16), w1 = _mm512_load_si512(w[1] + at * 16);
        add_i8(t, rows, at, even_of(w0), even_of(w1), s);
        add_i8(t, rows, ODD + at, odd_of(w0), odd_of(w1), s);
    }
    EACH_ROW(r)
    {
        _mm512_store_si512(sum + r * LINEAR_VECTOR_OUTS, s[r][0]);
        _mm512_store_si512(sum + r * LINEAR_VECTOR_OUTS + 16, s[r][1]);
    }
}

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
