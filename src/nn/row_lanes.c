/* SPDX-License-Identifier: MIT */
/* The kernels of row_kernels.h; compiled once for each path (lanes.h). */
#include "nn/lanes.h"
#include "nn/row_kernels.h"

#include <math.h>

extern const struct row_kernels LANES_NAME(row_kernels);

LANES_INLINE int lanes_at(int i, int n)
{
    return n - i < LANES ? n - i : LANES;
}

/* Numbers i..i+n-1 of a row, n at most LANES; the other lanes are 0. */
LANES_INLINE lanes row_load(const struct row *x, int i, int n)
{
    if (x->dtype == DTYPE_F32)
        return lanes_load_n((const float *)x->data + i, n);

    const uint16_t *p = (const uint16_t *)x->data + i;
    if (n == LANES)
        return lanes_load_bf16(p);

    uint16_t part[LANES] = {0};
    memcpy(part, p, (size_t)n * sizeof(*p));
    return lanes_load_bf16(part);
}

LANES_INLINE void row_store(const struct row *y, int i, lanes v, int n)
{
    if (y->dtype == DTYPE_F32) {
        lanes_store_n((float *)y->data + i, v, n);
        return;
    }

    uint16_t *p = (uint16_t *)y->data + i, part[LANES];
    if (n == LANES) {
        lanes_store_bf16(p, v);
    } else {
        lanes_store_bf16(part, v);
        memcpy(p, part, (size_t)n * sizeof(*p));
    }
}

/* Rounds to nearest even, |v| <= 127. */
LANES_INLINE void row_store_i8(const struct row *y, int i, lanes v, int n)
{
    const lanes round = lanes_all(0x1.8p23f);
    lanes_int u = (lanes_int)(v + round);
    int8_t *p = (int8_t *)y->data + i;

#if defined(__AVX512F__)
    if (n == LANES) {
        _mm_storeu_si128((void *)p, _mm512_cvtepi32_epi8((__m512i)u));
        return;
    }
#endif
    for (int k = 0; k < n; k++)
        p[k] = (int8_t)u[k];
}

/*
 * A row of results, from a function of the place: what every operator here ends with. Rows are
 * copied into ctx, or each store might have changed what the loop needs to know of them.
 */
typedef lanes value_fn(const void *ctx, int i, int n);

enum { KEPT = 12 * 1024 }; /* 48 KB of a thread's stack; klein's widest row has 9216 */

/* A row's numbers wait for its maximum in memory; those that find no place are computed twice. */
LANES_INLINE void row_fill_i8(const struct row *y, value_fn *value, const void *ctx)
{
    float kept[KEPT] __attribute__((aligned(64)));
    lanes most = {0};

    for (int i = 0; i < y->n; i += LANES) {
        lanes v = lanes_keep(value(ctx, i, lanes_at(i, y->n)), lanes_at(i, y->n));
        if (i < KEPT)
            lanes_store(kept + i, v);
        most = lanes_max(lanes_abs(v), most);
    }
    float max = lanes_max_of(most), down = max > 0.0f ? 127.0f / max : 0.0f;
    // Of a row so small that this overflows every number is 0.
    down = isinf(down) ? 0.0f : down;
    *y->scale = down > 0.0f ? max / 127.0f : 0.0f;
    for (int i = 0; i < y->n; i += LANES) {
        int n = lanes_at(i, y->n);
        row_store_i8(y, i, (i < KEPT ? lanes_load(kept + i) : value(ctx, i, n)) * down, n);
    }
}

LANES_INLINE void row_fill(const struct row *to, value_fn *value, const void *ctx)
{
    const struct row y = *to;
    int i = 0;

    if (y.dtype == DTYPE_I8) {
        row_fill_i8(&y, value, ctx);
        return;
    }
    for (; i + LANES <= y.n; i += LANES)
        row_store(&y, i, value(ctx, i, LANES), LANES);
    if (i < y.n)
        row_store(&y, i, value(ctx, i, y.n - i), y.n - i);
}

LANES_INLINE lanes silu(lanes v)
{
    return v / (1.0f + lanes_exp2(v * -LOG2_E));
}

/* ---- LayerNorm, RMSNorm ---- */

struct normed {
    struct row x;
    const float *scale, *shift; /* shift NULL: RMSNorm's weight is `scale` */
    float mean, factor;
};

LANES_INLINE lanes layernorm_value(const void *ctx, int i, int n)
{
    const struct normed *o = ctx;
    lanes v = (row_load(&o->x, i, n) - o->mean) * o->factor;

    return v * (1.0f + lanes_load_n(o->scale + i, n)) + lanes_load_n(o->shift + i, n);
}

LANES_INLINE lanes rmsnorm_value(const void *ctx, int i, int n)
{
    const struct normed *o = ctx;

    return row_load(&o->x, i, n) * o->factor * lanes_load_n(o->scale + i, n);
}

/* The mean of (x - from)^power, power 1 or 2: four sums, because one waits for its own addition. */
LANES_INLINE float row_moment(const struct row *x, float from, int power)
{
    lanes sum[4] = {{0}};
    int i = 0;

    for (; i + 4 * LANES <= x->n; i += 4 * LANES)
        for (int k = 0; k < 4; k++) {
            lanes d = row_load(x, i + k * LANES, LANES) - from;
            sum[k] += power == 2 ? d * d : d;
        }
    for (; i < x->n; i += LANES) {
        int n = lanes_at(i, x->n);
        lanes d = lanes_keep(row_load(x, i, n) - from, n);
        sum[0] += power == 2 ? d * d : d;
    }
    return lanes_sum_of((sum[0] + sum[1]) + (sum[2] + sum[3])) / (float)x->n;
}

static void layernorm(const struct row *x, const float *scale, const float *shift, float eps,
                      const struct row *y)
{
    struct normed o = {*x, scale, shift, row_moment(x, 0.0f, 1), 0.0f};

    o.factor = 1.0f / sqrtf(row_moment(x, o.mean, 2) + eps);
    row_fill(y, layernorm_value, &o);
}

static void rmsnorm(const struct row *x, const float *weight, float eps, const struct row *y)
{
    struct normed o = {*x, weight, NULL, 0.0f, 1.0f / sqrtf(row_moment(x, 0.0f, 2) + eps)};

    row_fill(y, rmsnorm_value, &o);
}

/* ---- SwiGLU, conversion, GroupNorm's last part ---- */

struct pair {
    struct row a, b;
};

LANES_INLINE lanes swiglu_value(const void *ctx, int i, int n)
{
    const struct pair *o = ctx;

    return silu(row_load(&o->a, i, n)) * row_load(&o->b, i, n);
}

static void swiglu(const struct row *gate, const struct row *up, const struct row *y)
{
    struct pair o = {*gate, *up};

    row_fill(y, swiglu_value, &o);
}

LANES_INLINE lanes same_value(const void *ctx, int i, int n)
{
    return row_load(ctx, i, n);
}

static void convert(const struct row *x, const struct row *y)
{
    struct row o = *x;

    row_fill(y, same_value, &o);
}

struct affine {
    struct row x;
    const float *mean, *scale, *shift;
};

LANES_INLINE lanes affine_value(const void *ctx, int i, int n)
{
    const struct affine *o = ctx;
    lanes v = row_load(&o->x, i, n) - lanes_load_n(o->mean + i, n);

    return lanes_fma(v, lanes_load_n(o->scale + i, n), lanes_load_n(o->shift + i, n));
}

LANES_INLINE lanes affine_silu_value(const void *ctx, int i, int n)
{
    return silu(affine_value(ctx, i, n));
}

static void affine(const struct row *x, const float *mean, const float *scale, const float *shift,
                   bool with_silu, const struct row *y)
{
    struct affine o = {*x, mean, scale, shift};

    if (with_silu)
        row_fill(y, affine_silu_value, &o);
    else
        row_fill(y, affine_value, &o);
}

static void moments(const float *x, int n, double *sum, double *squares)
{
    for (int i = 0; i < n; i++) {
        double v = (double)x[i];
        sum[i] += v;
        squares[i] += v * v;
    }
}

/* ---- heads ---- */

LANES_INLINE void turn(lanes *a, lanes *b, lanes c, lanes s)
{
    lanes first = *a * c - *b * s;

    *b = *a * s + *b * c;
    *a = first;
}

#if defined(__AVX512F__)
#define EVENS  0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODDS   1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define FIRST  0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define SECOND 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif defined(__AVX2__)
#define EVENS  0, 2, 4, 6, 8, 10, 12, 14
#define ODDS   1, 3, 5, 7, 9, 11, 13, 15
#define FIRST  0, 8, 1, 9, 2, 10, 3, 11
#define SECOND 4, 12, 5, 13, 6, 14, 7, 15
#else
#define EVENS  0, 2, 4, 6
#define ODDS   1, 3, 5, 7
#define FIRST  0, 4, 1, 5
#define SECOND 2, 6, 3, 7
#endif

LANES_INLINE void turn_adjacent(const struct row *x, const float *weight, float factor,
                                const float *c, const float *s)
{
    for (int i = 0; i < x->n; i += 2 * LANES) {
        int n = lanes_at(i, x->n), m = x->n - i - n < LANES ? x->n - i - n : LANES;
        lanes lo = row_load(x, i, n) * factor * lanes_load_n(weight + i, n), hi = {0};
        if (m > 0)
            hi = row_load(x, i + LANES, m) * factor * lanes_load_n(weight + i + LANES, m);
        lanes a = __builtin_shufflevector(lo, hi, EVENS);
        lanes b = __builtin_shufflevector(lo, hi, ODDS);
        turn(&a, &b, lanes_load_n(c + i / 2, (n + m) / 2), lanes_load_n(s + i / 2, (n + m) / 2));
        row_store(x, i, __builtin_shufflevector(a, b, FIRST), n);
        if (m > 0)
            row_store(x, i + LANES, __builtin_shufflevector(a, b, SECOND), m);
    }
}

LANES_INLINE void turn_halves(const struct row *x, const float *weight, float factor,
                              const float *c, const float *s)
{
    int half = x->n / 2;

    for (int i = 0; i < half; i += LANES) {
        int n = lanes_at(i, half);
        lanes a = row_load(x, i, n) * factor * lanes_load_n(weight + i, n);
        lanes b = row_load(x, half + i, n) * factor * lanes_load_n(weight + half + i, n);
        turn(&a, &b, lanes_load_n(c + i, n), lanes_load_n(s + i, n));
        row_store(x, i, a, n);
        row_store(x, half + i, b, n);
    }
}

static void head_norm_rotary(const struct row *row, const float *weight, float eps,
                             enum rotary_pairs pairs, const float *cosine, const float *sine)
{
    const struct row x = *row;
    float factor = 1.0f / sqrtf(row_moment(&x, 0.0f, 2) + eps);

    if (pairs == ROTARY_ADJACENT)
        turn_adjacent(&x, weight, factor, cosine, sine);
    else
        turn_halves(&x, weight, factor, cosine, sine);
}

const struct row_kernels LANES_NAME(row_kernels) = {
    layernorm, rmsnorm, swiglu, convert, head_norm_rotary, affine, moments,
};
