/* SPDX-License-Identifier: MIT */
#include "nn/linear_x86.h"

/*
 * AVX-512 with BF16 and VNNI: two products of bf16 or four of i8 and their sums in one instruction,
 * which reads the panels as they lie.
 *
 * VNNI multiplies unsigned by signed bytes. Weights are made unsigned by adding 128, which adds 128
 * times the row's sum to each of its sums; gather_i8() takes that off again. Exact: a sum is at
 * most 255 * 127 an input (LINEAR_I8_INPUTS_MAX).
 */
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni")))

enum { MOST_ROWS = AVX512_ROWS };

TARGET ALWAYS_INLINE void tile_bf16(const struct linear_tile *t, const int rows, int groups,
                                    const unsigned char *const *w, float *sum)
{
    __m512 s[AVX512_ROWS][2];

    EACH_ROW(r)
    {
        s[r][0] = _mm512_load_ps(sum + r * LINEAR_VECTOR_OUTS);
        s[r][1] = _mm512_load_ps(sum + r * LINEAR_VECTOR_OUTS + 16);
    }
    for (ptrdiff_t at = 0; at < groups * (ptrdiff_t)4; at += 4) {
        fetch_ahead(t, at);
        __m512bh w0 = (__m512bh)_mm512_load_si512(w[0] + at * 16);
        __m512bh w1 = (__m512bh)_mm512_load_si512(w[1] + at * 16);
        EACH_ROW(r)
        {
            __m512bh a = (__m512bh)_mm512_set1_epi32(group_at(t, r, at));
            s[r][0] = _mm512_dpbf16_ps(s[r][0], w0, a);
            s[r][1] = _mm512_dpbf16_ps(s[r][1], w1, a);
        }
    }
    EACH_ROW(r)
    {
        _mm512_store_ps(sum + r * LINEAR_VECTOR_OUTS, s[r][0]);
        _mm512_store_ps(sum + r * LINEAR_VECTOR_OUTS + 16, s[r][1]);
    }
}

TARGET static void gather_i8(struct linear_tile *t, int at, const char *const *row, int rows,
                             int64_t offset, int bytes)
{
    const __m512i ones = _mm512_set1_epi8(1);

    for (int r = 0; r < rows; r++) {
        __m512i sum = _mm512_setzero_si512();
        for (int i = 0; i < bytes; i += 64) {
            __m512i a = _mm512_loadu_si512(row[r] + offset + i);
            _mm512_store_si512(t->data[r] + at + i, a);
            sum = _mm512_dpbusd_epi32(sum, ones, a);
        }
        t->offset[r] = (at == 0 ? 0 : t->offset[r]) - 128 * _mm512_reduce_add_epi32(sum);
    }
}

TARGET ALWAYS_INLINE void tile_i8(const struct linear_tile *t, const int rows, int groups,
                                  const unsigned char *const *w, int32_t *sum)
{
    const __m512i half = _mm512_set1_epi8(-128);
    __m512i s[AVX512_ROWS][2];

    EACH_ROW(r)
    {
        __m512i offset = _mm512_set1_epi32(t->offset[r]);
        s[r][0] = _mm512_add_epi32(_mm512_load_si512(sum + r * LINEAR_VECTOR_OUTS), offset);
        s[r][1] = _mm512_add_epi32(_mm512_load_si512(sum + r * LINEAR_VECTOR_OUTS + 16), offset);
    }
    for (ptrdiff_t at = 0; at < groups * (ptrdiff_t)4; at += 4) {
        fetch_ahead(t, at);
        __m512i w0 = _mm512_xor_si512(_mm512_load_si512(w[0] + at * 16), half);
        __m512i w1 = _mm512_xor_si512(_mm512_load_si512(w[1] + at * 16), half);
        EACH_ROW(r)
        {
            __m512i a = _mm512_set1_epi32(group_at(t, r, at));
            s[r][0] = _mm512_dpbusd_epi32(s[r][0], w0, a);
            s[r][1] = _mm512_dpbusd_epi32(s[r][1], w1, a);
        }
    }
    EACH_ROW(r)
    {
        _mm512_store_si512(sum + r * LINEAR_VECTOR_OUTS, s[r][0]);
        _mm512_store_si512(sum + r * LINEAR_VECTOR_OUTS + 16, s[r][1]);
    }
}

MULTIPLY_12(multiply_bf16, tile_bf16, float)
MULTIPLY_12(multiply_i8, tile_i8, int32_t)

TARGET static void finish(const struct product *p, const void *sum, int row, int out, int count)
{
    linear_finish(p, sum, row, out, count);
}

const struct linear_path linear_avx512bf16 = {
    .tile_rows = AVX512_ROWS,
    LINEAR_VECTOR_BLOCK,
    .f32 = {LINEAR_STEP, linear_gather_bytes, linear_avx512_f32},
    .bf16 = {LINEAR_STEP, linear_gather_bytes, multiply_bf16},
    .i8 = {LINEAR_STEP, gather_i8, multiply_i8},
    .finish = finish,
};
