/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_REF_LINEAR_REF_H
#define PATINA_NN_REF_LINEAR_REF_H

/* Slow and obvious twins of nn/linear.h and nn/conv.h, for tests: sums in f64, in the order of the
 * formula, from weights as they are published. */

#include "nn/conv.h"
#include "nn/linear.h"

/* A result, and the sum of its terms' magnitudes: what rounding errors are measured by. */
struct ref_value {
    double value, magnitude;
};

/* The numbers that x holds at (row, column), with its scale. */
double ref_matrix_at(const struct matrix *x, int row, int column);

/* y[r][o] of nn_linear(); w is [out][inputs] with x->width inputs; before is what y held. */
struct ref_value ref_linear(const struct matrix *x, const float *w, struct linear_end end,
                            double before, int row, int out);

/* y[py][px][o] of nn_conv(); w is [out][in][side][side]. */
struct ref_value ref_conv(const struct map *x, const float *w, int side, const float *bias,
                          int stride, double before, int py, int px, int out);

#endif
