/* SPDX-License-Identifier: MIT */
#include "nn/linear_internal.h"

#include <assert.h>

bool nn_linear(const struct nn_run *run, const struct matrix *x, const struct packed_tensor *w,
               struct linear_end end, struct matrix *y)
{
    int64_t x_size = (int64_t)dtype_bytes(x->dtype), y_size = (int64_t)dtype_bytes(y->dtype);

    assert(w->kind == PACKED_MATRIX && w->rank == 2 && w->dtype == x->dtype);
    assert(w->shape[0] == y->width && w->shape[1] == x->width && x->rows == y->rows);
    assert(y->dtype == DTYPE_F32 || (y->dtype == DTYPE_BF16 && !end.add));
    if (x->rows == 0)
        return true;
    struct product p = {
        .dtype = x->dtype,
        .rows = x->rows,
        .outs = y->width,
        .line = x->rows,
        .x = x->data,
        .x_row = x->stride * x_size,
        .taps = 1,
        .tap_bytes = (int)(matrix_stride(x->dtype, x->width) * x_size),
        .x_scale = x->scale,
        .w = w->data,
        .w_scale = w->scale,
        .end = end,
        .y_dtype = y->dtype,
        .y = y->data,
        .y_row = y->stride * y_size,
    };
    return product_run(run, &p);
}
