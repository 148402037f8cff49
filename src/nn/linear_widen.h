/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_LINEAR_WIDEN_H
#define PATINA_NN_LINEAR_WIDEN_H

/*
 * For linear_avx2.c and linear_avx512.c, each of which says first what its registers are: kernels
 * without instructions for bf16 and int8. Numbers are widened, those of x once for a tile when it
 * is gathered, weights on the way. bf16 becomes f32; i8 becomes pairs of i16, whose products and
 * sum one instruction makes.
 *
 *   floats, ints            a register's types
 *   WIDE(op), WIDE_SI(op)   _mm256_op and _mm256_op_si256, or of as many bits as it has
 *   LOAD_HALF(p)            half a register, from anywhere
 *   VECTOR                  its letter in asm
 *   add_product()           sum += w a of floats
 *   fetch()                 asks for what comes next, of a panel or of both
 *
 * A row has two sums: of the two halves of a panel, or of two panels.
 */

#include "nn/linear_x86.h"

enum {
    WIDTH = sizeof(floats), /* bytes */
    WIDTH_SUMS = WIDTH / 4,
    ODD = LINEAR_STEP / 2 /* where a tile's row of i8 keeps the odd numbers of each group */
};

/* ---- f32 ---- */

TARGET ALWAYS_INLINE void load_f32(const int rows, const float *sum, floats s[][2])
{
    EACH_ROW(r)
    {
        s[r][0] = WIDE(load_ps)(sum + r * LINEAR_VECTOR_OUTS);
        s[r][1] = WIDE(load_ps)(sum + r * LINEAR_VECTOR_OUTS + WIDTH_SUMS);
    }
}

TARGET ALWAYS_INLINE void store_f32(const int rows, float *sum, floats s[][2])
{
    EACH_ROW(r)
    {
        WIDE(store_ps)(sum + r * LINEAR_VECTOR_OUTS, s[r][0]);
        WIDE(store_ps)(sum + r * LINEAR_VECTOR_OUTS + WIDTH_SUMS, s[r][1]);
    }
}

/* s += the numbers at `at` of each row times w0 and w1. */
TARGET ALWAYS_INLINE void add_f32(const struct linear_tile *t, const int rows, ptrdiff_t at,
                                  floats w0, floats w1, floats s[][2])
{
    EACH_ROW(r)
    {
        floats a = WIDE(set1_ps)(float_at(t, r, at));
        add_product(&s[r][0], w0, a);
        add_product(&s[r][1], w1, a);
    }
}

TARGET ALWAYS_INLINE void sums_f32(const struct linear_tile *t, const int rows, int groups,
                                   const unsigned char *w0, const unsigned char *w1, int side,
                                   float *sum)
{
    floats s[MOST_ROWS][2];

    load_f32(rows, sum, s);
    for (ptrdiff_t at = 0; at < groups * (ptrdiff_t)4; at += 4) {
        fetch(t, side, at);
        add_f32(t, rows, at, WIDE(load_ps)((const float *)(w0 + at * PACKED_PANEL)),
                WIDE(load_ps)((const float *)(w1 + at * PACKED_PANEL)), s);
    }
    store_f32(rows, sum, s);
}

/* ---- bf16 ---- */

TARGET static void gather_bf16(struct linear_tile *t, int at, const char *const *row, int rows,
                               int64_t offset, int bytes)
{
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < bytes; i += WIDTH / 2) {
            ints a = WIDE(cvtepu16_epi32)(LOAD_HALF(row[r] + offset + i));
            WIDE_SI(store)((ints *)(t->data[r] + 2 * (at + i)), WIDE(slli_epi32)(a, 16));
        }
}

TARGET ALWAYS_INLINE ints load_weights(const unsigned char *w, ptrdiff_t at)
{
    return WIDE_SI(load)((const ints *)(w + at * PACKED_PANEL));
}

TARGET ALWAYS_INLINE void sums_bf16(const struct linear_tile *t, const int rows, int groups,
                                    const unsigned char *w0, const unsigned char *w1, int side,
                                    float *sum)
{
    const ints upper = WIDE(set1_epi32)((int)0xFFFF0000);
    floats s[MOST_ROWS][2];

    load_f32(rows, sum, s);
    for (ptrdiff_t at = 0; at < groups * (ptrdiff_t)4; at += 4) {
        fetch(t, side, at);
        ints v0 = load_weights(w0, at), v1 = load_weights(w1, at);
        add_f32(t, rows, 2 * at, (floats)WIDE(slli_epi32)(v0, 16), (floats)WIDE(slli_epi32)(v1, 16),
                s);
        add_f32(t, rows, 2 * at + 4, (floats)WIDE_SI(and)(v0, upper),
                (floats)WIDE_SI(and)(v1, upper), s);
    }
    store_f32(rows, sum, s);
}

/* ---- i8 ---- */

/* The bytes 0 and 2 of each four as i16, and 1 and 3. */
TARGET ALWAYS_INLINE ints even_of(ints v)
{
    return WIDE(srai_epi16)(WIDE(slli_epi16)(v, 8), 8);
}

TARGET ALWAYS_INLINE ints odd_of(ints v)
{
    return WIDE(srai_epi16)(v, 8);
}

TARGET static void gather_i8(struct linear_tile *t, int at, const char *const *row, int rows,
                             int64_t offset, int bytes)
{
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < bytes; i += WIDTH) {
            ints a = WIDE_SI(loadu)((const ints *)(row[r] + offset + i));
            WIDE_SI(store)((ints *)(t->data[r] + at + i), even_of(a));
            WIDE_SI(store)((ints *)(t->data[r] + ODD + at + i), odd_of(a));
        }
}

/* sum += w a of pairs of i16, in the register of sum: left to choose, gcc makes more products at
 * once than it has registers for. */
TARGET ALWAYS_INLINE void add_pairs(ints *sum, ints w, ints a)
{
    ints product = WIDE(madd_epi16)(w, a);

    __asm__("vpaddd %1, %0, %0" : "+" VECTOR(*sum) : VECTOR(product));
}

TARGET ALWAYS_INLINE void add_i8(const struct linear_tile *t, const int rows, ptrdiff_t at, ints w0,
                                 ints w1, ints s[][2])
{
    EACH_ROW(r)
    {
        ints a = WIDE(set1_epi32)(group_at(t, r, at));
        add_pairs(&s[r][0], w0, a);
        add_pairs(&s[r][1], w1, a);
    }
}

TARGET ALWAYS_INLINE void sums_i8(const struct linear_tile *t, const int rows, int groups,
                                  const unsigned char *w0, const unsigned char *w1, int side,
                                  int32_t *sum)
{
    ints s[MOST_ROWS][2];

    EACH_ROW(r)
    {
        s[r][0] = WIDE_SI(load)((const ints *)(sum + r * LINEAR_VECTOR_OUTS));
        s[r][1] = WIDE_SI(load)((const ints *)(sum + r * LINEAR_VECTOR_OUTS + WIDTH_SUMS));
    }
    for (ptrdiff_t at = 0; at < groups * (ptrdiff_t)4; at += 4) {
        fetch(t, side, at);
        ints v0 = load_weights(w0, at), v1 = load_weights(w1, at);
        add_i8(t, rows, at, even_of(v0), even_of(v1), s);
        add_i8(t, rows, ODD + at, odd_of(v0), odd_of(v1), s);
    }
    EACH_ROW(r)
    {
        WIDE_SI(store)((ints *)(sum + r * LINEAR_VECTOR_OUTS), s[r][0]);
        WIDE_SI(store)((ints *)(sum + r * LINEAR_VECTOR_OUTS + WIDTH_SUMS), s[r][1]);
    }
}

#endif
