/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_NORM_H
#define PATINA_NN_NORM_H

#include "nn/matrix.h"
#include "nn/run.h"

/*
 * What stands between matrix products, row by row. Arithmetic in f32, sums of a row in an order
 * that depends on the path alone. Outputs may be F32, BF16 or I8: an I8 row is given the scale
 * max |x| / 127 (0 for a row of zeros) and rounded to nearest even.
 * All return false when cancelled.
 */

/* (x - mean) / sqrt(var + eps) * (1 + scale) + shift: LayerNorm (Ba et al. 2016) without weights of
 * its own, modulated by [width] vectors as in DiT (Peebles & Xie 2023). x is F32. */
bool nn_layernorm(const struct nn_run *run, const struct matrix *x, const float *scale,
                  const float *shift, float eps, struct matrix *y);

/* x / sqrt(mean(x^2) + eps) * weight: RMSNorm (Zhang & Sennrich 2019). x is F32. */
bool nn_rmsnorm(const struct nn_run *run, const struct matrix *x, const float *weight, float eps,
                struct matrix *y);

/* silu(gate) * up (Shazeer 2020), silu(x) = x / (1 + exp(-x)). gate and up have the same type, F32
 * or BF16; y may not overlap them. */
bool nn_swiglu(const struct nn_run *run, const struct matrix *gate, const struct matrix *up,
               struct matrix *y);

/* The same numbers in y's element type. x is F32 or BF16. */
bool nn_convert(const struct nn_run *run, const struct matrix *x, struct matrix *y);

enum rotary_pairs {
    ROTARY_ADJACENT, /* (0, 1), (2, 3), ..: FLUX.2 */
    ROTARY_HALVES    /* (i, i + head / 2): Qwen */
};

/*
 * Queries or keys, in place: each head's RMSNorm with one weight [head] for all heads, then rotary
 * positions (Su et al. 2021): pair i of row r turned by the angle whose cosine and sine are in
 * cosine[r % period][i], sine[r % period][i], head / 2 to a row. x is F32 or BF16, [rows][heads *
 * head].
 */
struct rotary {
    enum rotary_pairs pairs;
    const float *cosine, *sine;
    int period; /* rows of the tables */
};

bool nn_head_norm_rotary(const struct nn_run *run, struct matrix *x, int head, const float *weight,
                         float eps, const struct rotary *r);

#endif
