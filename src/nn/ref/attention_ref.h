/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_REF_ATTENTION_REF_H
#define PATINA_NN_REF_ATTENTION_REF_H

#include "nn/attention.h"

/* Slow and obvious twin of nn/attention.h, for tests: softmax in f64 over a list of all keys. */

/* What query `row` of a part is given in out[head * a->head + i], i = 0..a->head - 1. */
void ref_attention(const struct attention *a, int part, int row, int head, double *out);

#endif
