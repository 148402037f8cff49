/* SPDX-License-Identifier: MIT */
#include "nn/ref/attention_ref.h"

#include "nn/ref/linear_ref.h"

#include <math.h>

/* One pass over the keys that the query sees: the largest score when out is NULL, otherwise the sum
 * of weights relative to `most`, with their values added to out. */
static double pass(const struct attention *a, int part, int row, int head, double most, double *out)
{
    int key_head = head / (a->heads / a->key_heads), place = 0;
    double result = out ? 0.0 : -INFINITY;

    for (int p = 0; p < a->parts; p++)
        for (int k = 0; k < a->part[p].k.rows; k++, place++) {
            double score = 0.0;
            if ((a->keys > 0 && place >= a->keys) || (a->causal && place > row))
                continue;
            for (int i = 0; i < a->head; i++)
                score += ref_matrix_at(&a->part[part].q, row, head * a->head + i) *
                         ref_matrix_at(&a->part[p].k, k, key_head * a->head + i);
            score = score * (double)a->scale + (double)a->part[p].key_bias;
            if (!out) {
                result = fmax(result, score);
                continue;
            }
            double weight = exp(score - most);
            result += weight;
            for (int i = 0; i < a->head; i++)
                out[i] += weight * ref_matrix_at(&a->part[p].v, k, key_head * a->head + i);
        }
    return result;
}

void ref_attention(const struct attention *a, int part, int row, int head, double *out)
{
    double most = pass(a, part, row, head, 0.0, NULL), sum;

    for (int i = 0; i < a->head; i++)
        out[i] = 0.0;
    if (isinf(most)) // no key at all
        return;
    sum = pass(a, part, row, head, most, out);
    for (int i = 0; i < a->head; i++)
        out[i] /= sum;
}
