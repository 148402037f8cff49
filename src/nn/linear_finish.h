/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_LINEAR_FINISH_H
#define PATINA_NN_LINEAR_FINISH_H

/* For nn/linear_*.c alone: the end of a product in portable C, which each path compiles for its own
 * processor. The same bits on all of them. */

#include "nn/linear_internal.h"

/* As bf16_of(), but without a branch. */
static inline uint16_t linear_bf16(float v)
{
    union {
        float f;
        uint32_t u;
    } x = {v};
    uint32_t rounded = x.u + 0x7FFF + (x.u >> 16 & 1);
    uint32_t nan = x.u | 0x400000;

    return (uint16_t)(((x.u & 0x7FFFFFFF) > 0x7F800000 ? nan : rounded) >> 16);
}

static inline void linear_finish(const struct product *p, const void *sum, int row, int out,
                                 int count)
{
    const float *f = sum, *bias = p->end.bias, *gate = p->end.gate;
    char *y = p->y + row / p->line * p->y_line + row % p->line * p->y_row;
    float v[LINEAR_OUTS];

    if (p->dtype == DTYPE_I8) {
        const int32_t *i = sum;
        float scale = p->x_scale[row];
        for (int o = 0; o < count; o++)
            v[o] = (float)i[o] * scale * p->w_scale[out + o];
    } else {
        for (int o = 0; o < count; o++)
            v[o] = f[o];
    }
    if (bias)
        for (int o = 0; o < count; o++)
            v[o] += bias[out + o];
    if (gate)
        for (int o = 0; o < count; o++)
            v[o] *= gate[out + o];
    if (p->y_dtype == DTYPE_BF16) {
        uint16_t *to = (uint16_t *)y + out;
        for (int o = 0; o < count; o++)
            to[o] = linear_bf16(v[o]);
    } else if (p->end.add) {
        float *to = (float *)y + out;
        for (int o = 0; o < count; o++)
            to[o] += v[o];
    } else {
        float *to = (float *)y + out;
        for (int o = 0; o < count; o++)
            to[o] = v[o];
    }
}

#endif
