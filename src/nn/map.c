/* SPDX-License-Identifier: MIT */
#include "nn/conv.h"
#include "nn/row_kernels.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct map workspace_map(struct workspace *w, enum dtype t, int rows, int columns, int channels)
{
    struct map m = {t, rows, columns, channels, matrix_stride(t, channels), NULL};
    int64_t pixels = ((int64_t)rows + 2) * ((int64_t)columns + 2);

    m.data = workspace_take(w, pixels * m.stride * (int64_t)dtype_bytes(t));
    return m;
}

void *map_at(const struct map *m, int y, int x)
{
    int64_t pixel = ((int64_t)y + 1) * ((int64_t)m->columns + 2) + x + 1;

    return (unsigned char *)m->data + pixel * m->stride * (int64_t)dtype_bytes(m->dtype);
}

void map_clear_border(const struct map *m)
{
    size_t pixel = (size_t)m->stride * dtype_bytes(m->dtype);
    size_t row = ((size_t)m->columns + 2) * pixel;

    memset(map_at(m, -1, -1), 0, row);
    memset(map_at(m, m->rows, -1), 0, row);
    for (int y = 0; y < m->rows; y++) {
        memset(map_at(m, y, -1), 0, pixel);
        memset(map_at(m, y, m->columns), 0, pixel);
    }
}

/* ---- GroupNorm ---- */

/*
 * Sums are taken in stripes of rows, as many whatever the pool, and joined in their order: the same
 * bits for any pool.
 */
enum { STRIPES = 16, GROUPS_MAX = 256, RANGE = 512 };

struct group_sums {
    double sum[STRIPES][GROUPS_MAX], squares[STRIPES][GROUPS_MAX];
};

struct map_op {
    const struct row_kernels *kernel;
    const struct map *x;
    struct map *y;
    int groups;
    struct group_sums *sums;
    double mean[GROUPS_MAX], factor[GROUPS_MAX];
    const float *weight, *bias;
    bool silu;
};

/* Pixels' channels at a time, RANGE of them, so that any width of map goes with memory of a fixed
 * size. */
static void sum_stripe(void *ctx, int index, int worker)
{
    const struct map_op *o = ctx;
    const struct map *x = o->x;
    int from = (int)((int64_t)x->rows * index / STRIPES);
    int to = (int)((int64_t)x->rows * (index + 1) / STRIPES), each = x->channels / o->groups;

    (void)worker;
    memset(o->sums->sum[index], 0, sizeof(o->sums->sum[index]));
    memset(o->sums->squares[index], 0, sizeof(o->sums->squares[index]));
    for (int c = 0; c < x->channels; c += RANGE) {
        int n = x->channels - c < RANGE ? x->channels - c : RANGE;
        double sum[RANGE] = {0}, squares[RANGE] = {0};
        for (int row = from; row < to; row++) {
            const float *p = (const float *)map_at(x, row, 0) + c;
            for (int i = 0; i < x->columns; i++)
                o->kernel->moments(p + i * x->stride, n, sum, squares);
        }
        for (int i = 0; i < n; i++) {
            o->sums->sum[index][(c + i) / each] += sum[i];
            o->sums->squares[index][(c + i) / each] += squares[i];
        }
    }
}

static void join_stripes(struct map_op *o, float eps)
{
    double count = (double)o->x->rows * o->x->columns * (o->x->channels / o->groups);

    for (int g = 0; g < o->groups; g++) {
        double sum = 0.0, squares = 0.0;
        for (int i = 0; i < STRIPES; i++) {
            sum += o->sums->sum[i][g];
            squares += o->sums->squares[i][g];
        }
        double mean = sum / count, var = fmax(squares / count - mean * mean, 0.0);
        o->mean[g] = mean;
        o->factor[g] = 1.0 / sqrt(var + (double)eps);
    }
}

static struct row pixel_row(const struct map *m, int y, int x, int c, int n)
{
    unsigned char *p = map_at(m, y, x);

    return (struct row){
        .dtype = m->dtype, .n = n, .data = p + (size_t)c * dtype_bytes(m->dtype), .scale = NULL};
}

static void groupnorm_row(void *ctx, int row, int worker)
{
    const struct map_op *o = ctx;
    int channels = o->x->channels, each = channels / o->groups;

    (void)worker;
    for (int c = 0; c < channels; c += RANGE) {
        int n = channels - c < RANGE ? channels - c : RANGE;
        float mean[RANGE], scale[RANGE];
        for (int i = 0; i < n; i++) {
            mean[i] = (float)o->mean[(c + i) / each];
            scale[i] = (float)(o->factor[(c + i) / each] * (double)o->weight[c + i]);
        }
        for (int i = 0; i < o->x->columns; i++) {
            struct row x = pixel_row(o->x, row, i, c, n), y = pixel_row(o->y, row, i, c, n);
            o->kernel->affine(&x, mean, scale, o->bias + c, o->silu, &y);
        }
    }
}

static bool same_size(const struct map *x, const struct map *y)
{
    return x->rows == y->rows && x->columns == y->columns && x->channels == y->channels;
}

bool nn_groupnorm(const struct nn_run *run, const struct map *x, int groups, const float *weight,
                  const float *bias, float eps, bool silu, struct map *y)
{
    struct group_sums sums;
    struct map_op o = {.kernel = row_kernels(run->isa),
                       .x = x,
                       .y = y,
                       .groups = groups,
                       .sums = &sums,
                       .weight = weight,
                       .bias = bias,
                       .silu = silu};

    assert(x->dtype == DTYPE_F32 && same_size(x, y));
    assert(groups >= 1 && groups <= GROUPS_MAX && x->channels % groups == 0);
    if (!pool_run(run->pool, STRIPES, sum_stripe, &o, run->cancel))
        return false;
    join_stripes(&o, eps);
    return pool_run(run->pool, x->rows, groupnorm_row, &o, run->cancel);
}

/* ---- upsampling, conversion ---- */

static void upsample_row(void *ctx, int row, int worker)
{
    const struct map_op *o = ctx;
    size_t pixel = (size_t)o->y->stride * dtype_bytes(o->y->dtype);

    (void)worker;
    for (int i = 0; i < o->x->columns; i++) {
        struct row x = pixel_row(o->x, row, i, 0, o->x->channels);
        struct row y = pixel_row(o->y, 2 * row, 2 * i, 0, o->x->channels);
        o->kernel->convert(&x, &y);
        memcpy(map_at(o->y, 2 * row, 2 * i + 1), y.data, pixel);
    }
    memcpy(map_at(o->y, 2 * row + 1, 0), map_at(o->y, 2 * row, 0), (size_t)o->y->columns * pixel);
}

bool nn_upsample(const struct nn_run *run, const struct map *x, struct map *y)
{
    struct map_op o = {.kernel = row_kernels(run->isa), .x = x, .y = y};

    assert(x->dtype == DTYPE_F32 && x->channels == y->channels);
    assert(y->rows == 2 * x->rows && y->columns == 2 * x->columns);
    return pool_run(run->pool, x->rows, upsample_row, &o, run->cancel);
}

static void convert_row(void *ctx, int row, int worker)
{
    const struct map_op *o = ctx;

    (void)worker;
    for (int i = 0; i < o->x->columns; i++) {
        struct row x = pixel_row(o->x, row, i, 0, o->x->channels);
        struct row y = pixel_row(o->y, row, i, 0, o->x->channels);
        o->kernel->convert(&x, &y);
    }
}

bool nn_map_convert(const struct nn_run *run, const struct map *x, struct map *y)
{
    struct map_op o = {.kernel = row_kernels(run->isa), .x = x, .y = y};

    assert(x->dtype == DTYPE_F32 && same_size(x, y));
    return pool_run(run->pool, x->rows, convert_row, &o, run->cancel);
}
