/* SPDX-License-Identifier: MIT */
#include "nn/ref/linear_ref.h"

#include <math.h>

static double number_at(enum dtype t, const void *data, int64_t i)
{
    switch (t) {
    case DTYPE_F32:
        return ((const float *)data)[i];
    case DTYPE_BF16:
        return float_of_bf16(((const uint16_t *)data)[i]);
    default:
        return ((const int8_t *)data)[i];
    }
}

double ref_matrix_at(const struct matrix *x, int row, int column)
{
    double v = number_at(x->dtype, x->data, row * x->stride + column);

    return x->scale ? v * (double)x->scale[row] : v;
}

static void add_term(struct ref_value *sum, double term)
{
    sum->value += term;
    sum->magnitude += fabs(term);
}

struct ref_value ref_linear(const struct matrix *x, const float *w, struct linear_end end,
                            double before, int row, int out)
{
    struct ref_value sum = {0, 0};

    for (int i = 0; i < x->width; i++)
        add_term(&sum, ref_matrix_at(x, row, i) * (double)w[(int64_t)out * x->width + i]);
    if (end.bias)
        add_term(&sum, end.bias[out]);
    if (end.gate) {
        sum.value *= end.gate[out];
        sum.magnitude *= fabs((double)end.gate[out]);
    }
    if (end.add)
        add_term(&sum, before);
    return sum;
}

/* Zero outside: the border. */
static double map_number(const struct map *m, int y, int x, int channel)
{
    if (y < 0 || x < 0 || y >= m->rows || x >= m->columns)
        return 0;
    int64_t pixel = ((int64_t)y + 1) * (m->columns + 2) + x + 1;
    return number_at(m->dtype, m->data, pixel * m->stride + channel);
}

struct ref_value ref_conv(const struct map *x, const float *w, int side, const float *bias,
                          int stride, double before, int py, int px, int out)
{
    struct ref_value sum = {0, 0};
    int corner = side == 3 && stride == 1 ? -1 : 0;

    for (int dy = 0; dy < side; dy++)
        for (int dx = 0; dx < side; dx++)
            for (int i = 0; i < x->channels; i++) {
                int64_t at = (((int64_t)out * x->channels + i) * side + dy) * side + dx;
                add_term(&sum,
                         map_number(x, py * stride + corner + dy, px * stride + corner + dx, i) *
                             (double)w[at]);
            }
    if (bias)
        add_term(&sum, bias[out]);
    add_term(&sum, before);
    return sum;
}
