/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_ATTENTION_KERNELS_H
#define PATINA_NN_ATTENTION_KERNELS_H

#include "nn/attention.h"

/*
 * For this folder alone: the two halves of attention, once for each path.
 *
 * DESIGN: keys and values of a key head are packed block by block into what the multiplications
 * read without shuffling; how is the path's own affair. Of the vectors' paths:
 *     keys   [head / g][ATTENTION_KEYS][g]   lanes are keys: one query's scores side by side
 *     values [ATTENTION_KEYS / g][head][g]   lanes are the head's numbers
 * where g numbers are four bytes along the sum (1 of f32, 2 of bf16), of which a query (a weight)
 * gives its own to all lanes. The last block of a part is filled up with zeros, so that what lies
 * behind it, NaN or not, cannot reach a sum.
 *
 * A turn takes ATTENTION_QUERIES queries of one head past all blocks, tile by tile of
 * ATTENTION_TILE queries: a tile's scores stay in the first cache, its sums in registers.
 */
enum {
    ATTENTION_KEYS = 128,   /* 64 KB with their values: the second cache */
    ATTENTION_TILE = 6,     /* by four registers of 16 lanes: 24 of 32 are sums */
    ATTENTION_QUERIES = 96, /* enough that a block's way from the last cache does not count */
    ATTENTION_STEP_MAX = 32
};

/* Numbers of a head, padded to whole steps. */
static inline int attention_width(int head, int step)
{
    return (head + step - 1) / step * step;
}

struct attention_keys {
    const void *rows; /* of this head, the block's first */
    enum dtype dtype;
    int64_t stride; /* elements */
    int count;      /* at most ATTENTION_KEYS */
    int head;
};

struct attention_turn {
    const struct attention *a;
    int seen[ATTENTION_PARTS_MAX]; /* keys of each part that are not masked */
    const void *keys, *values;     /* packed, of this key head */
    const void *q;                 /* of this head, the turn's first */
    void *out;
    enum dtype in, to;             /* of q and of out */
    int64_t in_stride, out_stride; /* elements */
    int count;                     /* at most ATTENTION_QUERIES */
    int first;                     /* the first query's place in the sequence, for `causal` */
    float *scratch;                /* attention_scratch() bytes */
};

struct attention_kernels {
    enum dtype packed;
    int step; /* a head is packed as a multiple of this many numbers, the last of them zeros: 16, or
                 ATTENTION_STEP_MAX of bf16 */
    void (*pack_keys)(const struct attention_keys *k, void *out);
    void (*pack_values)(const struct attention_keys *v, void *out);
    void (*attend)(const struct attention_turn *t);
};

/* Queries as packed, and their sums. */
static inline int64_t attention_scratch(int head)
{
    int width = attention_width(head, ATTENTION_STEP_MAX);

    return (int64_t)2 * ATTENTION_QUERIES * width * (int64_t)sizeof(float);
}

#endif
