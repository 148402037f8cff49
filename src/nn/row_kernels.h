/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_ROW_KERNELS_H
#define PATINA_NN_ROW_KERNELS_H

#include "nn/isa.h"
#include "nn/norm.h"

/*
 * For this folder alone: what norm.h and conv.h do to one row or pixel, once for each path. A row
 * is `n` numbers that begin at `data`; what is behind them is neither read nor written.
 */
struct row {
    enum dtype dtype;
    int n;
    void *data;
    float *scale; /* of I8: where the row's scale goes */
};

struct row_kernels {
    void (*layernorm)(const struct row *x, const float *scale, const float *shift, float eps,
                      const struct row *y);
    void (*rmsnorm)(const struct row *x, const float *weight, float eps, const struct row *y);
    void (*swiglu)(const struct row *gate, const struct row *up, const struct row *y);
    void (*convert)(const struct row *x, const struct row *y);

    /* One head in place; cosine and sine [n / 2]. */
    void (*head_norm_rotary)(const struct row *x, const float *weight, float eps,
                             enum rotary_pairs pairs, const float *cosine, const float *sine);

    /* y = (x - mean) * scale + shift, then SiLU when asked: GroupNorm once its statistics are
     * known. */
    void (*affine)(const struct row *x, const float *mean, const float *scale, const float *shift,
                   bool silu, const struct row *y);

    /* sum[n] and squares[n] += x and its squares. */
    void (*moments)(const float *x, int n, double *sum, double *squares);
};

const struct row_kernels *row_kernels(enum isa i);

#endif
