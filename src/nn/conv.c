/* SPDX-License-Identifier: MIT */
#include "nn/conv.h"
#include "nn/linear_internal.h"

#include <assert.h>

/* Bytes from pixel (0, 0) to pixel (y, x). */
static int64_t offset(const struct map *m, int y, int x)
{
    return (char *)map_at(m, y, x) - (char *)map_at(m, 0, 0);
}

bool nn_conv(const struct nn_run *run, const struct map *x, const struct packed_tensor *w,
             const float *bias, int stride, bool add, struct map *y)
{
    int side = (int)w->shape[3]; // of the kernel
    int corner = side == 3 && stride == 1 ? -1 : 0;
    int64_t size = (int64_t)dtype_bytes(x->dtype);

    assert(w->kind == PACKED_MATRIX && w->rank == 4 && w->dtype == x->dtype);
    assert((side == 1 && stride == 1) || (side == 3 && (stride == 1 || stride == 2)));
    assert(w->shape[2] == side && w->shape[0] == y->channels && w->shape[1] == x->channels);
    assert(y->rows == x->rows / stride && y->columns == x->columns / stride);
    assert(y->dtype == DTYPE_F32 || (y->dtype == DTYPE_BF16 && !add));
    struct product p = {
        .dtype = x->dtype,
        .rows = y->rows * y->columns,
        .outs = y->channels,
        .line = y->columns,
        .x = map_at(x, 0, 0),
        .x_line = offset(x, stride, 0),
        .x_row = offset(x, 0, stride),
        .taps = side * side,
        .tap_bytes = (int)(matrix_stride(x->dtype, x->channels) * size),
        .w = w->data,
        .end = {.bias = bias, .add = add},
        .y_dtype = y->dtype,
        .y = map_at(y, 0, 0),
        .y_line = offset(y, 1, 0),
        .y_row = offset(y, 0, 1),
    };
    for (int t = 0; t < p.taps; t++)
        p.tap[t] = offset(x, corner + t / side, corner + t % side);
    return product_run(run, &p);
}
