/* SPDX-License-Identifier: MIT */
#include "nn/linear_finish.h"

#include <string.h>

/*
 * The portable path. bf16 is widened to f32 before it is multiplied; loops over the outputs of a
 * panel are left to the compiler's vectors.
 */
enum { PLAIN_ROWS = 4 };

void linear_gather_bytes(struct linear_tile *t, int at, const char *const *row, int rows,
                         int64_t offset, int bytes)
{
    for (int r = 0; r < rows; r++)
        memcpy(t->data[r] + at, row[r] + offset, (size_t)bytes);
}

static void gather_bf16(struct linear_tile *t, int at, const char *const *row, int rows,
                        int64_t offset, int bytes)
{
    for (int r = 0; r < rows; r++) {
        const uint16_t *from = (const uint16_t *)(row[r] + offset);
        float *to = (float *)(t->data[r] + 2 * at);
        for (int i = 0; i < bytes / 2; i++)
            to[i] = float_of_bf16(from[i]);
    }
}

/* Four outputs of a panel: what any processor's vectors hold. */
typedef float lanes __attribute__((vector_size(16), may_alias));
typedef uint32_t bits __attribute__((vector_size(16), may_alias));

enum { QUADS = PACKED_PANEL / 4 };

static void row_f32(const float *a, const lanes *w, int groups, float *sum)
{
    lanes s[QUADS];

    memcpy(s, sum, sizeof(s));
    for (int g = 0; g < groups; g++, w += QUADS)
        for (int q = 0; q < QUADS; q++)
            s[q] += a[g] * w[q];
    memcpy(sum, s, sizeof(s));
}

/* Of a pair of bf16 the first lies in the lower half. */
static void row_bf16(const float *a, const bits *w, int groups, float *sum)
{
    lanes s[QUADS];

    memcpy(s, sum, sizeof(s));
    for (int g = 0; g < groups; g++, a += 2, w += QUADS)
        for (int q = 0; q < QUADS; q++) {
            s[q] += a[0] * (lanes)(w[q] << 16);
            s[q] += a[1] * (lanes)(w[q] & 0xFFFF0000);
        }
    memcpy(sum, s, sizeof(s));
}

static void row_i8(const int8_t *a, const int8_t *w, int groups, int32_t *sum)
{
    int32_t s[PACKED_PANEL];

    memcpy(s, sum, sizeof(s));
    for (int g = 0; g < groups; g++, a += 4, w += 4 * PACKED_PANEL)
        for (int o = 0; o < PACKED_PANEL; o++)
            s[o] += a[0] * w[4 * o] + a[1] * w[4 * o + 1] + a[2] * w[4 * o + 2] +
                    a[3] * w[4 * o + 3];
    memcpy(sum, s, sizeof(s));
}

static void multiply_f32(const struct linear_tile *t, int rows, int groups,
                         const unsigned char *const *w, void *sum)
{
    for (int panel = 0; panel < 2; panel++)
        for (int r = 0; r < rows; r++)
            row_f32((const float *)t->data[r], (const lanes *)w[panel], groups,
                    (float *)sum + (ptrdiff_t)r * LINEAR_VECTOR_OUTS + panel * PACKED_PANEL);
}

static void multiply_bf16(const struct linear_tile *t, int rows, int groups,
                          const unsigned char *const *w, void *sum)
{
    for (int panel = 0; panel < 2; panel++)
        for (int r = 0; r < rows; r++)
            row_bf16((const float *)t->data[r], (const bits *)w[panel], groups,
                     (float *)sum + (ptrdiff_t)r * LINEAR_VECTOR_OUTS + panel * PACKED_PANEL);
}

static void multiply_i8(const struct linear_tile *t, int rows, int groups,
                        const unsigned char *const *w, void *sum)
{
    for (int panel = 0; panel < 2; panel++)
        for (int r = 0; r < rows; r++)
            row_i8((const int8_t *)t->data[r], (const int8_t *)w[panel], groups,
                   (int32_t *)sum + (ptrdiff_t)r * LINEAR_VECTOR_OUTS + panel * PACKED_PANEL);
}

static void finish(const struct product *p, const void *sum, int row, int out, int count)
{
    linear_finish(p, sum, row, out, count);
}

const struct linear_path linear_plain = {
    .tile_rows = PLAIN_ROWS,
    LINEAR_VECTOR_BLOCK,
    .f32 = {LINEAR_STEP, linear_gather_bytes, multiply_f32},
    .bf16 = {LINEAR_STEP / 2, gather_bf16, multiply_bf16},
    .i8 = {LINEAR_STEP, linear_gather_bytes, multiply_i8},
    .finish = finish,
};
