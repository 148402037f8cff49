/* SPDX-License-Identifier: MIT */
/* The kernels of attention_kernels.h; compiled once for each path (lanes.h). */
#include "nn/attention_kernels.h"
#include "nn/lanes.h"

#include <float.h>
#include <math.h>

enum {
    KEYS = ATTENTION_KEYS,
    TILE = ATTENTION_TILE,
    WIDE = LANES == 16 ? 4 : 2, // registers of sums beside each other, TILE of them
#ifdef __AVX512BF16__
    UNIT = 2
#else
    UNIT = 1
#endif
};

#define LOG2_E 1.44269504f

/* Weights are relative to a maximum that may lag behind by this many powers of two: most blocks
 * then leave it, and with it the sums, as they are. */
#define LAG 8.0f

extern const struct attention_kernels LANES_NAME(attention_kernels);

/* ---- units ---- */

#ifdef __AVX512BF16__
typedef uint16_t element;

LANES_INLINE lanes unit_mac(lanes sum, const element *one, const element *many)
{
    uint32_t pair;
    lanes_int v;

    memcpy(&pair, one, sizeof(pair));
    memcpy(&v, many, sizeof(v));
    return (lanes)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int)pair),
                                   (__m512bh)v);
}

LANES_INLINE void weights_store(element *p, lanes a, lanes b)
{
    __m512i v = (__m512i)_mm512_cvtne2ps_pbh((__m512)b, (__m512)a);

    memcpy(p, &v, sizeof(v));
}
#else
typedef float element;

LANES_INLINE lanes unit_mac(lanes sum, const element *one, const element *many)
{
    return lanes_fma(lanes_all(*one), lanes_load(many), sum);
}

LANES_INLINE void weights_store(element *p, lanes a, lanes b)
{
    lanes_store(p, a);
    lanes_store(p + LANES, b);
}
#endif

/* ---- packing ---- */

LANES_INLINE element element_at(const struct attention_keys *k, int row, int i)
{
    int64_t at = row * k->stride + i;

#ifdef __AVX512BF16__
    return ((const uint16_t *)k->rows)[at];
#else
    return k->dtype == DTYPE_F32 ? ((const float *)k->rows)[at]
                                 : float_of_bf16(((const uint16_t *)k->rows)[at]);
#endif
}

static void pack_keys(const struct attention_keys *k, void *out)
{
    element *p = out;

    for (int i = 0; i < k->head; i += UNIT)
        for (int row = 0; row < KEYS; row++)
            for (int u = 0; u < UNIT; u++)
                *p++ = row < k->count ? element_at(k, row, i + u) : 0;
}

static void pack_values(const struct attention_keys *v, void *out)
{
    element *p = out;

    for (int row = 0; row < KEYS; row += UNIT)
        for (int i = 0; i < v->head; i++)
            for (int u = 0; u < UNIT; u++)
                *p++ = row + u < v->count ? element_at(v, row + u, i) : 0;
}

/* ---- a tile of queries and a block of keys ---- */

/* score = q . k * scale + bias, in powers of two. */
LANES_INLINE void tile_scores(const element *q, int head, const element *keys, float scale,
                              float bias, float score[TILE][KEYS])
{
    for (int from = 0; from < KEYS; from += WIDE * LANES) {
        lanes sum[TILE][WIDE] = {{{0}}};
        for (int i = 0; i < head; i += UNIT)
#pragma GCC unroll 6
            for (int t = 0; t < TILE; t++)
#pragma GCC unroll 4
                for (int w = 0; w < WIDE; w++)
                    sum[t][w] = unit_mac(sum[t][w], q + t * head + i,
                                         keys + (i / UNIT * KEYS + from + w * LANES) * UNIT);
#pragma GCC unroll 6
        for (int t = 0; t < TILE; t++)
#pragma GCC unroll 4
            for (int w = 0; w < WIDE; w++)
                lanes_store(&score[t][from + w * LANES],
                            lanes_fma(sum[t][w], lanes_all(scale), lanes_all(bias)));
    }
}

/* sum[TILE][head] += weight . value, `wide` registers of the head at a time from i on. */
LANES_INLINE void tile_values_at(const element weight[TILE][KEYS], const element *values, int head,
                                 int i, int wide, float *sums)
{
    lanes sum[TILE][WIDE];

#pragma GCC unroll 6
    for (int t = 0; t < TILE; t++)
#pragma GCC unroll 4
        for (int w = 0; w < wide; w++)
            sum[t][w] = lanes_load(sums + t * head + i + w * LANES);
    for (int k = 0; k < KEYS; k += UNIT)
#pragma GCC unroll 6
        for (int t = 0; t < TILE; t++)
#pragma GCC unroll 4
            for (int w = 0; w < wide; w++)
                sum[t][w] =
                    unit_mac(sum[t][w], &weight[t][k], values + k * head + (i + w * LANES) * UNIT);
#pragma GCC unroll 6
    for (int t = 0; t < TILE; t++)
#pragma GCC unroll 4
        for (int w = 0; w < wide; w++)
            lanes_store(sums + t * head + i + w * LANES, sum[t][w]);
}

static void tile_values(const element weight[TILE][KEYS], const element *values, int head,
                        float *sums)
{
    int i = 0;

    for (; i + WIDE * LANES <= head; i += WIDE * LANES)
        tile_values_at(weight, values, head, i, WIDE, sums);
    for (; i < head; i += LANES)
        tile_values_at(weight, values, head, i, 1, sums);
}

/* What a query's softmax has come to. */
struct softmax {
    lanes sum; /* of weights 2^(score - max) */
    float max;
};

/* Raises the maximum where a score is far above it; the query's sums go down with it. */
static void softmax_raise(struct softmax *s, lanes most, float *sums, int head)
{
    float max = lanes_max_of(most);

    if (!(max > s->max + LAG))
        return;
    lanes down = lanes_exp2(lanes_all(s->max - max));
    s->max = max;
    s->sum *= down;
    for (int i = 0; i < head; i += LANES)
        lanes_store(sums + i, lanes_load(sums + i) * down);
}

LANES_INLINE void tile_weights(float score[TILE][KEYS], struct softmax *s, float *sums, int head,
                               element weight[TILE][KEYS])
{
    for (int t = 0; t < TILE; t++) {
        lanes most = lanes_load(score[t]);
        for (int i = LANES; i < KEYS; i += LANES)
            most = lanes_max(lanes_load(score[t] + i), most);
        softmax_raise(&s[t], most, sums + t * head, head);

        lanes sum = s[t].sum, max = lanes_all(s[t].max);
        for (int i = 0; i < KEYS; i += 2 * LANES) {
            lanes a = lanes_exp2(lanes_load(score[t] + i) - max);
            lanes b = lanes_exp2(lanes_load(score[t] + i + LANES) - max);
            sum += a + b;
            weights_store(&weight[t][i], a, b);
        }
        s[t].sum = sum;
    }
}

/* Keys from `seen` on are not there. */
static void mask(float score[KEYS], int seen)
{
    for (int i = seen < 0 ? 0 : seen; i < KEYS; i++)
        score[i] = -INFINITY;
}

/* ---- a turn ---- */

struct block {
    const element *keys, *values;
    int count, first; /* keys in it; its first key's place in the sequence */
    float bias;
};

static void attend_block(const struct attention_turn *t, const struct block *b, const element *q,
                         float *sums, struct softmax *softmax)
{
    int head = t->a->head;
    float score[TILE][KEYS] __attribute__((aligned(64)));
    element weight[TILE][KEYS] __attribute__((aligned(64)));

    for (int i = 0; i < t->count; i += TILE) {
        int past = t->first + i - b->first; // of the tile's first query in this block
        if (t->a->causal && past + TILE <= 0)
            continue;
        tile_scores(q + i * head, head, b->keys, t->a->scale * LOG2_E, b->bias, score);
        if (b->count < KEYS || (t->a->causal && past < KEYS))
            for (int k = 0; k < TILE; k++)
                mask(score[k], t->a->causal && past + k + 1 < b->count ? past + k + 1 : b->count);
        tile_weights(score, softmax + i, sums + i * head, head, weight);
        tile_values((const element(*)[KEYS])weight, b->values, head, sums + i * head);
    }
}

static void load_queries(const struct attention_turn *t, element *q)
{
    struct attention_keys rows = {t->q, t->in, t->in_stride, t->count, t->a->head};
    int tiles = (t->count + TILE - 1) / TILE;

    for (int row = 0; row < tiles * TILE; row++)
        for (int i = 0; i < rows.head; i++)
            *q++ = row < t->count ? element_at(&rows, row, i) : 0;
}

static void store_sums(const struct attention_turn *t, const float *sums,
                       const struct softmax *softmax)
{
    int head = t->a->head;

    for (int row = 0; row < t->count; row++) {
        float sum = lanes_sum_of(softmax[row].sum), factor = sum > 0.0f ? 1.0f / sum : 0.0f;
        for (int i = 0; i < head; i += LANES) {
            lanes v = lanes_load(sums + row * head + i) * factor;
            if (t->to == DTYPE_F32)
                lanes_store((float *)t->out + row * t->out_stride + i, v);
            else
                lanes_store_bf16((uint16_t *)t->out + row * t->out_stride + i, v);
        }
    }
}

static void attend(const struct attention_turn *t)
{
    int head = t->a->head, first = 0;
    float *sums = t->scratch;
    element *q = (element *)(t->scratch + ATTENTION_QUERIES * head);
    struct softmax softmax[ATTENTION_QUERIES];
    struct block b = {t->keys, t->values, 0, 0, 0.0f};

    load_queries(t, q);
    memset(sums, 0, sizeof(*sums) * (size_t)(ATTENTION_QUERIES * head));
    for (int i = 0; i < ATTENTION_QUERIES; i++)
        softmax[i] = (struct softmax){{0}, -FLT_MAX};
    for (int p = 0; p < t->a->parts; first += t->a->part[p++].k.rows) {
        b.bias = t->a->part[p].key_bias * LOG2_E;
        for (int at = 0; at < t->seen[p]; at += KEYS) {
            b.count = t->seen[p] - at < KEYS ? t->seen[p] - at : KEYS;
            b.first = first + at;
            if (t->a->causal && b.first >= t->first + t->count)
                break;
            attend_block(t, &b, q, sums, softmax);
            b.keys += KEYS * head;
            b.values += KEYS * head;
        }
    }
    store_sums(t, sums, softmax);
}

const struct attention_kernels LANES_NAME(attention_kernels) = {
    UNIT == 2 ? DTYPE_BF16 : DTYPE_F32,
    pack_keys,
    pack_values,
    attend,
};
