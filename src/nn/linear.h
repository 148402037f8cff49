/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_LINEAR_H
#define PATINA_NN_LINEAR_H

#include "nn/matrix.h"
#include "nn/pack.h"
#include "nn/run.h"

/*
 * Matrix products with packed weights: y[r][o] = sum over i of x[r][i] w[o][i]. Nearly all of the
 * neural engine's time.
 *
 * x has the weights' element type. bf16: products and sums in f32 (where the processor's own bf16
 * instruction flushes denormals, so be it); i8: sums in i32, exact, times both scales; f32: f32.
 * The order of a sum depends on the path alone, never on rows, threads or which slice is asked for.
 */
enum { LINEAR_I8_INPUTS_MAX = 1 << 16 }; /* 255 * 127 of them stay in an i32 */

struct linear_end {
    const float *bias; /* [out], added to the product, or NULL */
    const float *gate; /* [out], which the product and its bias are multiplied by, or NULL */
    bool add;          /* added to what y holds instead of stored; y is F32 */
};

/* w is a PACKED_MATRIX of rank 2, x->width its inputs (of I8 at most LINEAR_I8_INPUTS_MAX),
 * y->width its outputs; y is F32 or BF16 and overlaps nothing. False: cancelled. */
bool nn_linear(const struct nn_run *run, const struct matrix *x, const struct packed_tensor *w,
               struct linear_end end, struct matrix *y);

#endif
