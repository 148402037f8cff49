/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_ATTENTION_SOFTMAX_H
#define PATINA_NN_ATTENTION_SOFTMAX_H

/* For the kernels of attention alone: what a query's softmax has come to, and its end. */

#include "nn/attention_kernels.h"
#include "nn/lanes.h"

/* Weights are relative to a maximum that may lag behind by this many powers of two: most blocks
 * then leave it, and with it the sums, as they are. */
#define LAG 8.0f

struct softmax {
    lanes sum; /* of weights 2^(score - max) */
    float max;
};

/* The turn's sums of weight . value, rows of them `width` apart, as its results. */
static inline void softmax_store(const struct attention_turn *t, const float *sums, int width,
                                 const struct softmax *softmax)
{
    for (int row = 0; row < t->count; row++) {
        float sum = lanes_sum_of(softmax[row].sum), factor = sum > 0.0f ? 1.0f / sum : 0.0f;
        for (int i = 0; i < t->a->head; i += LANES) {
            lanes v = lanes_load(sums + row * width + i) * factor;
            if (t->to == DTYPE_F32)
                lanes_store((float *)t->out + row * t->out_stride + i, v);
            else
                lanes_store_bf16((uint16_t *)t->out + row * t->out_stride + i, v);
        }
    }
}

#endif
