/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_REF_NORM_REF_H
#define PATINA_NN_REF_NORM_REF_H

#include "nn/conv.h"
#include "nn/norm.h"

/*
 * Slow and obvious twins of nn/norm.h and of what nn/conv.h has beside convolutions, for tests: the
 * formulas in f64. Rows are in `out`, before they are rounded to the output's element type.
 */
void ref_layernorm(const struct matrix *x, int row, const float *scale, const float *shift,
                   double eps, double *out);
void ref_rmsnorm(const struct matrix *x, int row, const float *weight, double eps, double *out);
void ref_swiglu(const struct matrix *gate, const struct matrix *up, int row, double *out);
void ref_convert(const struct matrix *x, int row, double *out);
void ref_head_norm_rotary(const struct matrix *x, int row, int head, const float *weight,
                          double eps, const struct rotary *r, double *out);

/* Pixel (y, x), all channels. */
void ref_groupnorm(const struct map *m, int y, int x, int groups, const float *weight,
                   const float *bias, double eps, bool silu, double *out);

#endif
