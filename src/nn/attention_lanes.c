/* SPDX-License-Identifier: MIT */
/* The kernels of attention_kernels.h; compiled once for each path (lanes.h). */
#include "nn/attention_softmax.h"

#include <float.h>
#include <math.h>

enum {
    KEYS = ATTENTION_KEYS,
    TILE = ATTENTION_TILE,
    WIDE = LANES == 16 ? 4 : 2, // registers of sums beside each other, TILE of them
    STEP = WIDE * LANES,        // keys whose scores those are; blocks are cut to whole steps
#ifdef __AVX512BF16__
    UNIT = 2
#else
    UNIT = 1
#endif
};

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

/* One row as it is multiplied; zeros from the last on. */
LANES_INLINE void take_row(const struct attention_keys *k, int row, element *out)
{
    const uint16_t *bf16 = (const uint16_t *)k->rows + row * k->stride;

    if (row >= k->count)
        memset(out, 0, (size_t)k->head * sizeof(*out));
#ifdef __AVX512BF16__
    else
        memcpy(out, bf16, (size_t)k->head * sizeof(*out));
#else
    else if (k->dtype == DTYPE_F32)
        memcpy(out, (const float *)k->rows + row * k->stride, (size_t)k->head * sizeof(*out));
    else
        for (int i = 0; i < k->head; i += LANES)
            lanes_store(out + i, lanes_load_bf16(bf16 + i));
#endif
}

static void pack_keys(const struct attention_keys *k, void *out)
{
    element line[ATTENTION_HEAD_MAX], *p = out;

    for (int row = 0; row < KEYS; row++) {
        take_row(k, row, line);
        for (int i = 0; i < k->head; i += UNIT)
            memcpy(p + i * KEYS + row * UNIT, line + i, UNIT * sizeof(*p));
    }
}

static void pack_values(const struct attention_keys *v, void *out)
{
    element *p = out;

#ifdef __AVX512BF16__
    element line[2][ATTENTION_HEAD_MAX];

    for (int row = 0; row < KEYS; row += 2) {
        take_row(v, row, line[0]);
        take_row(v, row + 1, line[1]);
        for (int i = 0; i < v->head; i += LANES, p += 2 * LANES) {
            __m512i even = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(line[0] + i)));
            __m512i odd = (__m512i)lanes_load_bf16(line[1] + i);
            _mm512_storeu_si512(p, _mm512_or_si512(even, odd));
        }
    }
#else
    for (int row = 0; row < KEYS; row++, p += v->head)
        take_row(v, row, p);
#endif
}

/* ---- a tile of queries and a block of keys ---- */

/* score = q . k * scale + bias of n keys, in powers of two. */
LANES_INLINE void tile_scores(const element *q, int head, const element *keys, int n, float scale,
                              float bias, float score[TILE][KEYS])
{
    for (int from = 0; from < n; from += STEP) {
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

/* sum[TILE][head] += weight . value over n keys, `wide` registers of the head from i on. (clang
 * unrolls only loops that end at a constant.) */
LANES_INLINE void tile_values_at(const element weight[TILE][KEYS], const element *values, int n,
                                 int head, int i, int wide, float *sums)
{
    lanes sum[TILE][WIDE];

#pragma GCC unroll 6
    for (int t = 0; t < TILE; t++)
#pragma GCC unroll 4
        for (int w = 0; w < WIDE && w < wide; w++)
            sum[t][w] = lanes_load(sums + t * head + i + w * LANES);
    for (int k = 0; k < n; k += UNIT)
#pragma GCC unroll 6
        for (int t = 0; t < TILE; t++)
#pragma GCC unroll 4
            for (int w = 0; w < WIDE && w < wide; w++)
                sum[t][w] =
                    unit_mac(sum[t][w], &weight[t][k], values + k * head + (i + w * LANES) * UNIT);
#pragma GCC unroll 6
    for (int t = 0; t < TILE; t++)
#pragma GCC unroll 4
        for (int w = 0; w < WIDE && w < wide; w++)
            lanes_store(sums + t * head + i + w * LANES, sum[t][w]);
}

static void tile_values(const element weight[TILE][KEYS], const element *values, int n, int head,
                        float *sums)
{
    int i = 0;

    for (; i + STEP <= head; i += STEP)
        tile_values_at(weight, values, n, head, i, WIDE, sums);
    for (; i < head; i += LANES)
        tile_values_at(weight, values, n, head, i, 1, sums);
}

/* Raises the maximum to the largest of `most`; the query's sums go down with it. */
static __attribute__((noinline)) void softmax_raise(struct softmax *s, const lanes *most,
                                                    float *sums, int head)
{
    float max = lanes_max_of(*most);
    lanes down = lanes_exp2(lanes_all(s->max - max));

    s->max = max;
    s->sum *= down;
    for (int i = 0; i < head; i += LANES)
        lanes_store(sums + i, lanes_load(sums + i) * down);
}

LANES_INLINE void tile_weights(float score[TILE][KEYS], int n, struct softmax *s, float *sums,
                               int head, element weight[TILE][KEYS])
{
    for (int t = 0; t < TILE; t++) {
        lanes most = lanes_load(score[t]);
        for (int i = LANES; i < n; i += LANES)
            most = lanes_max(lanes_load(score[t] + i), most);
        if (lanes_any_above(most, s[t].max + LAG))
            softmax_raise(&s[t], &most, sums + t * head, head);

        lanes sum = s[t].sum, max = lanes_all(s[t].max);
        for (int i = 0; i < n; i += 2 * LANES) {
            lanes a = lanes_exp2(lanes_load(score[t] + i) - max);
            lanes b = lanes_exp2(lanes_load(score[t] + i + LANES) - max);
            sum += a + b;
            weights_store(&weight[t][i], a, b);
        }
        s[t].sum = sum;
    }
}

/* Keys from `seen` on are not there. */
static void mask(float score[KEYS], int seen, int n)
{
    for (int i = seen < 0 ? 0 : seen; i < n; i++)
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
        // How many of the block's keys the tile's first query sees, and its last.
        int first = b->count, last = b->count;
        if (t->a->causal) {
            first = t->first + i + 1 - b->first < first ? t->first + i + 1 - b->first : first;
            last = first + TILE - 1 < last ? first + TILE - 1 : last;
        }
        if (last <= 0)
            continue;

        int n = (last + STEP - 1) / STEP * STEP;
        tile_scores(q + i * head, head, b->keys, n, t->a->scale * LOG2_E, b->bias, score);
        for (int k = 0; k < TILE && first < n; k++)
            mask(score[k], first + k < last ? first + k : last, n);
        tile_weights(score, n, softmax + i, sums + i * head, head, weight);
        tile_values((const element(*)[KEYS])weight, b->values, n, head, sums + i * head);
    }
}

static void load_queries(const struct attention_turn *t, element *q)
{
    struct attention_keys rows = {t->q, t->in, t->in_stride, t->count, t->a->head};
    int tiles = (t->count + TILE - 1) / TILE;

    for (int row = 0; row < tiles * TILE; row++, q += rows.head)
        take_row(&rows, row, q);
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
    softmax_store(t, sums, head, softmax);
}

const struct attention_kernels LANES_NAME(attention_kernels) = {
    UNIT == 2 ? DTYPE_BF16 : DTYPE_F32,
    16, // heads are multiples of it
    pack_keys,
    pack_values,
    attend,
};
