/* SPDX-License-Identifier: MIT */
#include "nn/ref/norm_ref.h"

#include "nn/ref/linear_ref.h"

#include <math.h>

static double silu(double v)
{
    return v / (1.0 + exp(-v));
}

void ref_convert(const struct matrix *x, int row, double *out)
{
    for (int i = 0; i < x->width; i++)
        out[i] = ref_matrix_at(x, row, i);
}

void ref_layernorm(const struct matrix *x, int row, const float *scale, const float *shift,
                   double eps, double *out)
{
    double mean = 0.0, var = 0.0;

    ref_convert(x, row, out);
    for (int i = 0; i < x->width; i++)
        mean += out[i] / x->width;
    for (int i = 0; i < x->width; i++)
        var += (out[i] - mean) * (out[i] - mean) / x->width;
    for (int i = 0; i < x->width; i++)
        out[i] = (out[i] - mean) / sqrt(var + eps) * (1.0 + (double)scale[i]) + (double)shift[i];
}

static void normalise(double *v, int n, const float *weight, double eps)
{
    double squares = 0.0;

    for (int i = 0; i < n; i++)
        squares += v[i] * v[i];
    for (int i = 0; i < n; i++)
        v[i] *= (double)weight[i] / sqrt(squares / n + eps);
}

void ref_rmsnorm(const struct matrix *x, int row, const float *weight, double eps, double *out)
{
    ref_convert(x, row, out);
    normalise(out, x->width, weight, eps);
}

void ref_swiglu(const struct matrix *gate, const struct matrix *up, int row, double *out)
{
    ref_convert(gate, row, out);
    for (int i = 0; i < gate->width; i++)
        out[i] = silu(out[i]) * ref_matrix_at(up, row, i);
}

void ref_head_norm_rotary(const struct matrix *x, int row, int head, const float *weight,
                          double eps, const struct rotary *r, double *out)
{
    ref_convert(x, row, out);
    for (int first = 0; first < x->width; first += head) {
        double *v = out + first;
        normalise(v, head, weight, eps);
        for (int i = 0; i < head / 2; i++) {
            int a = r->pairs == ROTARY_ADJACENT ? 2 * i : i;
            int b = r->pairs == ROTARY_ADJACENT ? 2 * i + 1 : i + head / 2;
            int at = row % r->period * (head / 2) + i;
            double c = (double)r->cosine[at], s = (double)r->sine[at], va = v[a], vb = v[b];
            v[a] = va * c - vb * s;
            v[b] = va * s + vb * c;
        }
    }
}

void ref_groupnorm(const struct map *m, int y, int x, int groups, const float *weight,
                   const float *bias, double eps, bool silu_too, double *out)
{
    int each = m->channels / groups;
    double count = (double)m->rows * m->columns * each;

    for (int c = 0; c < m->channels; c++) {
        int first = c / each * each;
        double mean = 0.0, var = 0.0, v = (double)((const float *)map_at(m, y, x))[c];
        for (int k = 0; k < m->rows * m->columns * each; k++)
            mean += (double)((const float *)map_at(m, k / each / m->columns,
                                                   k / each % m->columns))[first + k % each];
        mean /= count;
        for (int k = 0; k < m->rows * m->columns * each; k++) {
            double d = (double)((const float *)map_at(m, k / each / m->columns,
                                                      k / each % m->columns))[first + k % each];
            var += (d - mean) * (d - mean);
        }
        v = (v - mean) / sqrt(var / count + eps) * (double)weight[c] + (double)bias[c];
        out[c] = silu_too ? silu(v) : v;
    }
}
