/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_PACK_FIXTURE_H
#define PATINA_TESTS_PACK_FIXTURE_H

/* Random numbers, and weights in the packed layout (nn/pack.h), for tests of operators. Memory is
 * aligned as the kernels' own and freed by the caller. */

#include "unit/unit.h"

#include "nn/matrix.h"
#include "nn/pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static inline void *fixture_memory(int64_t bytes)
{
    size_t whole = ((size_t)bytes + MATRIX_ALIGN) / MATRIX_ALIGN * MATRIX_ALIGN;
    void *p = aligned_alloc(MATRIX_ALIGN, whole);

    assert_non_null(p);
    memset(p, 0, whole);
    return p;
}

/* -1..1, a number of 16 bits. */
static inline float fixture_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return (float)(int32_t)(*state >> 16) / 32768.0F - 1.0F;
}

/* A number as the element type holds it; i8 with this scale. */
static inline float fixture_round(enum dtype t, float v, float scale)
{
    if (t == DTYPE_F32)
        return v;
    if (t == DTYPE_BF16)
        return float_of_bf16(bf16_of(v));
    return scale > 0 ? rintf(v / scale) * scale : 0;
}

static inline void fixture_store(enum dtype t, void *data, int64_t i, float v, float scale)
{
    if (t == DTYPE_F32)
        ((float *)data)[i] = v;
    else if (t == DTYPE_BF16)
        ((uint16_t *)data)[i] = bf16_of(v);
    else
        ((int8_t *)data)[i] = (int8_t)(scale > 0 ? rintf(v / scale) : 0);
}

/* max |v| / 127 */
static inline float fixture_scale(const float *v, int64_t count)
{
    float most = 0;

    for (int64_t i = 0; i < count; i++)
        most = fmaxf(most, fabsf(v[i]));
    return most / 127;
}

/* Weights as published, packed: [out][in][side][side], or [out][in] when side is 0. w is rounded to
 * what was packed. */
static inline struct packed_tensor fixture_pack(enum dtype t, int out, int in, int side, float *w)
{
    int taps = side ? side * side : 1, group = (int)(4 / dtype_bytes(t));
    int64_t padded = matrix_stride(t, in), inputs = taps * padded;
    int64_t panels = (out + PACKED_PANEL - 1) / PACKED_PANEL;
    char *data = fixture_memory(panels * PACKED_PANEL * inputs * (int64_t)dtype_bytes(t));
    float *scale = t == DTYPE_I8 ? fixture_memory(out * (int64_t)sizeof(float)) : NULL;

    for (int64_t o = 0; o < out; o++) {
        float *row = w + o * in * taps;
        float unit = scale ? scale[o] = fixture_scale(row, (int64_t)in * taps) : 0;
        for (int i = 0; i < in; i++)
            for (int tap = 0; tap < taps; tap++) {
                int64_t k = tap * padded + i;
                int64_t at = (o / PACKED_PANEL * (inputs / group) + k / group) * PACKED_PANEL;
                float *v = &row[(int64_t)i * taps + tap];
                fixture_store(t, data, (at + o % PACKED_PANEL) * group + k % group, *v, unit);
                *v = fixture_round(t, *v, unit);
            }
    }
    struct packed_tensor p = {PACKED_MATRIX, t, side ? 4 : 2, {out, in, side, side}, data, scale};
    return p;
}

static inline void fixture_unpack(struct packed_tensor *p)
{
    free((void *)(uintptr_t)p->data);
    free((void *)(uintptr_t)p->scale);
}

#endif
