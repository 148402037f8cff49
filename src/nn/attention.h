/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_ATTENTION_H
#define PATINA_NN_ATTENTION_H

#include "nn/matrix.h"
#include "nn/run.h"

/*
 * Softmax attention in one pass (Milakov & Gimelshein 2018; Dao et al. 2022): scores of a block of
 * queries and keys, a running maximum and sum, never the whole score matrix. Sums and softmax in
 * f32.
 *
 * The sequence may lie in several parts, which attend to each other as if they were one: streams
 * with weights of their own (text, picture) stay where they are.
 */
enum { ATTENTION_PARTS_MAX = 4, ATTENTION_HEAD_MAX = 512 };

struct attention_part {
    struct matrix k, v; /* [rows][key_heads * head]; both have the same rows */
    struct matrix q;    /* [rows][heads * head]; no rows: keys alone */
    struct matrix out;  /* as q; F32 or BF16. May be q. */
    float key_bias;     /* added to the scaled scores of this part's keys; 0: none */
};

struct attention {
    int heads, key_heads; /* key_heads divides heads: neighbouring heads share a key head */
    int head;             /* a multiple of 16, at most ATTENTION_HEAD_MAX */
    float scale;          /* of scores; 1 / sqrt(head) usually */
    bool causal;          /* query i sees keys 0..i; of a single part */
    int keys;             /* keys 0..keys - 1 are seen, the rest masked; 0: all */
    int parts;
    struct attention_part part[ATTENTION_PARTS_MAX]; /* q, k, v are all F32 or all BF16 */
};

/* Bytes of memory that nn_attention() wants, on any path and with any pool up to `width`. */
int64_t nn_attention_bytes(const struct attention *a, int width);

/* memory is aligned to MATRIX_ALIGN; its contents do not matter. A query that sees no key is given
 * zeros. Masked keys and their values are never read, NaN or not; those that `causal` alone hides
 * must be finite. False: cancelled. */
bool nn_attention(const struct nn_run *run, const struct attention *a, void *memory);

#endif
