/* SPDX-License-Identifier: MIT */
/* The kernels of attention_kernels.h on AMX's tiles, for bf16; softmax in AVX-512. */
#include "nn/attention_softmax.h"
#include "nn/tile.h"

#include <float.h>
#include <math.h>

/*
 * DESIGN: keys and values are packed into panels of 16 outputs as weights are (nn/pack.h), of which
 * every kilobyte is a tile: keys are the outputs of scores, the head's numbers those of values.
 *     keys   [ATTENTION_KEYS / 16][width / 2][16][2]
 *     values [width / 16][ATTENTION_KEYS / 2][16][2]
 * width is the head's, padded to whole tiles with zeros. Queries are padded to tiles of ROWS.
 *
 * The multiplier and the vector units are different ones, and a block's softmax takes either about
 * as long as its products. So a turn is a pipeline of units (a tile of queries at a block of keys):
 * while one unit's scores become weights, the values of the unit before it and the scores of the
 * next are multiplied, a round or two between every two rows, near enough for the processor to do
 * both at once. Each buffer has a twin for that, and what a risen maximum does to a unit's sums
 * waits until the unit before it has left them.
 */
enum {
    KEYS = ATTENTION_KEYS,
    ROWS = 2 * TILE_ROWS,
    TILE_DEPTH = TILE_ROW_BYTES / 2, // numbers of bf16 in a tile's row
    UNITS = 3                        // under way at once
};

_Static_assert(ATTENTION_QUERIES % ROWS == 0 && KEYS % (2 * TILE_ROWS) == 0, "whole tiles");

extern const struct attention_kernels attention_kernels_amx;

static int width_of(int head)
{
    return attention_width(head, TILE_DEPTH);
}

/* ---- packing ---- */

/* Sixteen rows of sixteen numbers of 32 bits each: columns become rows. */
static void transpose(__m512i r[16], __m512i *to)
{
    __m512i t[16];

    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 2; j++) {
            r[i + 2 * j] = _mm512_unpacklo_epi64(t[i + j], t[i + j + 2]);
            r[i + 2 * j + 1] = _mm512_unpackhi_epi64(t[i + j], t[i + j + 2]);
        }
    // Quarter q of r[i + j] is now column 4 q + j of the rows i..i + 3.
    for (int j = 0; j < 4; j++) {
        __m512i even0 = _mm512_shuffle_i32x4(r[j], r[4 + j], 0x88);
        __m512i even1 = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0x88);
        __m512i odd0 = _mm512_shuffle_i32x4(r[j], r[4 + j], 0xDD);
        __m512i odd1 = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0xDD);
        _mm512_storeu_si512(to + j, _mm512_shuffle_i32x4(even0, even1, 0x88));
        _mm512_storeu_si512(to + 4 + j, _mm512_shuffle_i32x4(odd0, odd1, 0x88));
        _mm512_storeu_si512(to + 8 + j, _mm512_shuffle_i32x4(even0, even1, 0xDD));
        _mm512_storeu_si512(to + 12 + j, _mm512_shuffle_i32x4(odd0, odd1, 0xDD));
    }
}

static const uint16_t *row_at(const struct attention_keys *k, int row)
{
    return (const uint16_t *)k->rows + row * k->stride;
}

static void pack_keys(const struct attention_keys *k, void *out)
{
    __m512i *to = out, r[TILE_ROWS];

    for (int key = 0; key < KEYS; key += TILE_ROWS)
        for (int i = 0; i < width_of(k->head); i += TILE_DEPTH, to += TILE_ROWS) {
            __mmask32 there = k->head - i < TILE_DEPTH ? (1U << (k->head - i)) - 1 : ~0U;
            for (int row = 0; row < TILE_ROWS; row++)
                r[row] = key + row < k->count
                             ? _mm512_maskz_loadu_epi16(there, row_at(k, key + row) + i)
                             : _mm512_setzero_si512();
            transpose(r, to);
        }
}

static __m512i values_at(const struct attention_keys *v, int row, int i)
{
    return row < v->count && i < v->head
               ? _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(row_at(v, row) + i)))
               : _mm512_setzero_si512();
}

static void pack_values(const struct attention_keys *v, void *out)
{
    __m512i *to = out;

    for (int i = 0; i < width_of(v->head); i += LANES)
        for (int row = 0; row < KEYS; row += 2, to++) {
            __m512i odd = _mm512_slli_epi32(values_at(v, row + 1, i), 16);
            _mm512_storeu_si512(to, _mm512_or_si512(values_at(v, row, i), odd));
        }
}

/* ---- products ---- */

/* ROWS rows of A times panels, a round (a pair of panels by TILE_DEPTH numbers) at a time. */
struct product {
    const char *a, *b;
    char *c;                       /* f32 */
    ptrdiff_t a_row, c_row, panel; /* bytes from row to row, from panel to panel */
    int depth;                     /* rounds of a pair of panels */
    int rounds;                    /* of all of them */
    int at;                        /* round of this pair */
    bool add;                      /* to what c holds */
};

LANES_INLINE void begin_pair(const struct product *p)
{
    char *lower = p->c + TILE_ROWS * p->c_row;

    if (p->add) {
        tile_load(TILE_C00, p->c, p->c_row);
        tile_load(TILE_C01, p->c + TILE_ROW_BYTES, p->c_row);
        tile_load(TILE_C10, lower, p->c_row);
        tile_load(TILE_C11, lower + TILE_ROW_BYTES, p->c_row);
    } else {
        tile_zero(TILE_C00);
        tile_zero(TILE_C01);
        tile_zero(TILE_C10);
        tile_zero(TILE_C11);
    }
}

LANES_INLINE void end_pair(struct product *p)
{
    char *lower = p->c + TILE_ROWS * p->c_row;

    tile_store(TILE_C00, p->c, p->c_row);
    tile_store(TILE_C01, p->c + TILE_ROW_BYTES, p->c_row);
    tile_store(TILE_C10, lower, p->c_row);
    tile_store(TILE_C11, lower + TILE_ROW_BYTES, p->c_row);
    p->b += 2 * p->panel;
    p->c += 2 * TILE_ROW_BYTES;
    p->at = 0;
}

static void product_round(struct product *p)
{
    const char *a = p->a + p->at * TILE_ROW_BYTES, *b = p->b + p->at * TILE_BYTES;

    if (p->at == 0)
        begin_pair(p);
    tile_load(TILE_A0, a, p->a_row);
    tile_load(TILE_B0, b, TILE_ROW_BYTES);
    tile_bf16(TILE_C00, TILE_A0, TILE_B0);
    tile_load(TILE_B1, b + p->panel, TILE_ROW_BYTES);
    tile_bf16(TILE_C01, TILE_A0, TILE_B1);
    tile_load(TILE_A1, a + TILE_ROWS * p->a_row, p->a_row);
    tile_bf16(TILE_C10, TILE_A1, TILE_B0);
    tile_bf16(TILE_C11, TILE_A1, TILE_B1);
    if (++p->at == p->depth)
        end_pair(p);
}

/* What is multiplied beside a softmax. */
struct rounds {
    struct product values, scores;
    int done;
};

/* Up to the share `part` of ROWS. */
static void advance(struct rounds *r, int part)
{
    int until = (r->values.rounds + r->scores.rounds) * part / ROWS;

    for (; r->done < until; r->done++)
        product_round(r->done < r->values.rounds ? &r->values : &r->scores);
}

/* ---- units ---- */

struct unit {
    const uint16_t *keys, *values;
    int query;       /* the first, in the turn */
    int first, last; /* how many of the block's keys its first query sees, and its last */
    float bias;
};

/* The turn's units, one after another. */
struct walk {
    const struct attention_turn *t;
    int part, at; /* the block's part, and its first key there */
    int before;   /* keys of the parts before */
    int query;
    struct unit block; /* of this block */
};

/* How many keys of the block the unit at w->query sees. */
static void look(const struct walk *w, struct unit *u)
{
    const int left = w->t->seen[w->part] - w->at;

    *u = w->block;
    u->query = w->query;
    u->bias = w->t->a->part[w->part].key_bias * LOG2_E;
    u->first = u->last = left < KEYS ? left : KEYS;
    if (w->t->a->causal) {
        int seen = w->t->first + w->query + 1 - w->before - w->at;
        u->first = seen < u->first ? seen : u->first;
        u->last = seen + ROWS - 1 < u->last ? seen + ROWS - 1 : u->last;
    }
}

static void next_block(struct walk *w)
{
    const int block = KEYS * width_of(w->t->a->head);

    w->at += KEYS;
    w->block.keys += block;
    w->block.values += block;
    w->query = 0;
}

/* False: that was all. */
static bool walk_next(struct walk *w, struct unit *u)
{
    for (;; next_block(w)) {
        for (; w->part < w->t->a->parts && w->at >= w->t->seen[w->part]; w->at = 0)
            w->before += w->t->a->part[w->part++].k.rows;
        if (w->part == w->t->a->parts)
            return false;
        while (w->query < w->t->count) {
            look(w, u);
            w->query += ROWS;
            if (u->last > 0)
                return true;
        }
    }
}

/* A turn while it runs. */
struct attending {
    const struct attention_turn *t;
    int width;
    uint16_t *q; /* [ATTENTION_QUERIES][width] */
    float *sums; /* as q */
    struct softmax softmax[ATTENTION_QUERIES];
    _Alignas(64) float score[2][ROWS][KEYS]; /* of every other unit */
    _Alignas(64) uint16_t weight[2][ROWS][KEYS];
    float down[2][ROWS]; /* what the sums from before are to be multiplied by */
};

/* Rounds of TILE_DEPTH keys that some query of u sees. */
static int depth_of(const struct unit *u)
{
    return (u->last + TILE_DEPTH - 1) / TILE_DEPTH;
}

static struct product scores_of(struct attending *g, const struct unit *u, float score[ROWS][KEYS])
{
    const int depth = g->width / TILE_DEPTH;

    return (struct product){
        .a = (const char *)(g->q + u->query * g->width),
        .a_row = g->width * (ptrdiff_t)sizeof(*g->q),
        .b = (const char *)u->keys,
        .panel = depth * (ptrdiff_t)TILE_BYTES,
        .c = (char *)score,
        .c_row = sizeof(score[0]),
        .depth = depth,
        .rounds = depth * depth_of(u),
    };
}

static struct product values_of(struct attending *g, const struct unit *u,
                                uint16_t weight[ROWS][KEYS])
{
    return (struct product){
        .a = (const char *)weight,
        .a_row = sizeof(weight[0]),
        .b = (const char *)u->values,
        .panel = KEYS / TILE_DEPTH * (ptrdiff_t)TILE_BYTES,
        .c = (char *)(g->sums + u->query * g->width),
        .c_row = g->width * (ptrdiff_t)sizeof(*g->sums),
        .depth = depth_of(u),
        .rounds = g->width / TILE_DEPTH * depth_of(u),
        .add = true,
    };
}

/* Keys from `seen` on are not there, whatever the memory holds. */
LANES_INLINE lanes hide(lanes v, int seen)
{
    __mmask16 there = (__mmask16)(seen >= LANES ? 0xFFFF : seen <= 0 ? 0 : (1 << seen) - 1);

    return (lanes)_mm512_mask_blend_ps(there, _mm512_set1_ps(-INFINITY), (__m512)v);
}

/* A query's scores, of which it sees the first `seen`, as weights. */
static float weigh(const float *score, int seen, float scale, float bias, struct softmax *s,
                   uint16_t *weight)
{
    lanes v[KEYS / LANES], most;
    float down = 1.0f;

#pragma GCC unroll 8
    for (int i = 0; i < KEYS / LANES; i++)
        v[i] = lanes_fma(lanes_load(score + i * LANES), lanes_all(scale), lanes_all(bias));
    if (seen < KEYS)
#pragma GCC unroll 8
        for (int i = 0; i < KEYS / LANES; i++)
            v[i] = hide(v[i], seen - i * LANES);
    most = v[0];
#pragma GCC unroll 8
    for (int i = 1; i < KEYS / LANES; i++)
        most = lanes_max(v[i], most);
    if (lanes_any_above(most, s->max + LAG)) {
        float max = lanes_max_of(most);
        down = lanes_exp2(lanes_all(s->max - max))[0];
        s->max = max;
        s->sum *= down;
    }
#pragma GCC unroll 4
    for (int i = 0; i < KEYS / LANES; i += 2) {
        lanes a = lanes_exp2(v[i] - s->max), b = lanes_exp2(v[i + 1] - s->max);
        __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)b, (__m512)a);
        s->sum += a + b;
        memcpy(weight + i * LANES, &both, sizeof(both));
    }
    return down;
}

static void lower_sums(struct attending *g, const struct unit *u, const float down[ROWS])
{
    for (int row = 0; row < ROWS; row++) {
        float *sums = g->sums + (u->query + row) * g->width;
        for (int i = 0; i < g->width && down[row] != 1.0f; i += LANES)
            lanes_store(sums + i, lanes_load(sums + i) * down[row]);
    }
}

/* One step of the pipeline: the values of `before`, the softmax of `now`, the scores of `next`;
 * each of which may be NULL. `odd` is the buffer of before and next. */
static void step(struct attending *g, const struct unit *before, const struct unit *now,
                 const struct unit *next, int odd)
{
    const float scale = g->t->a->scale * LOG2_E;
    struct rounds r = {.done = 0};

    if (before) {
        lower_sums(g, before, g->down[odd]);
        r.values = values_of(g, before, g->weight[odd]);
    }
    if (next)
        r.scores = scores_of(g, next, g->score[odd]);
    for (int row = 0; row < ROWS && now; row++) {
        int seen = now->first + row < now->last ? now->first + row : now->last;
        g->down[!odd][row] = weigh(g->score[!odd][row], seen, scale, now->bias,
                                   &g->softmax[now->query + row], g->weight[!odd][row]);
        advance(&r, row);
    }
    advance(&r, ROWS);
}

/* Zeros where there are no queries or numbers, and as sums. */
static void load_queries(struct attending *g)
{
    const struct attention_turn *t = g->t;
    const size_t numbers = (size_t)(ATTENTION_QUERIES * g->width);

    memset(g->q, 0, numbers * sizeof(*g->q));
    memset(g->sums, 0, numbers * sizeof(*g->sums));
    for (int row = 0; row < t->count; row++)
        memcpy(g->q + row * g->width, (const uint16_t *)t->q + row * t->in_stride,
               (size_t)t->a->head * sizeof(*g->q));
    for (int i = 0; i < ATTENTION_QUERIES; i++)
        g->softmax[i] = (struct softmax){{0}, -FLT_MAX};
}

static void attend(const struct attention_turn *t)
{
    const struct tile_config config = tile_config_of(ROWS);
    const int width = width_of(t->a->head);
    struct attending g = {.t = t, .width = width, .sums = t->scratch};
    struct walk walk = {.t = t, .block = {.keys = t->keys, .values = t->values}};
    struct unit unit[UNITS];
    const struct unit *before = NULL, *now = NULL, *next;

    g.q = (uint16_t *)(t->scratch + ATTENTION_QUERIES * width);
    load_queries(&g);
    tile_configure(&config);
    for (int i = 0;; i++, before = now, now = next) {
        struct unit *u = &unit[i % UNITS];
        next = walk_next(&walk, u) ? u : NULL;
        if (!before && !now && !next)
            break;
        step(&g, before, now, next, i % 2);
    }
    tile_release();
    softmax_store(t, g.sums, width, g.softmax);
}

const struct attention_kernels attention_kernels_amx = {
    DTYPE_BF16, TILE_DEPTH, pack_keys, pack_values, attend,
};
