/* SPDX-License-Identifier: MIT */
#include "look/plane.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

/*
 * Lines are filtered LANES at a time, side by side in a buffer, rows and columns by the same loop:
 * every step is one operation on LANES neighbours, which compilers turn into vectors of whatever
 * width there is, with the same result.
 */
enum { LANES = 16, PASSES = 3 };

enum err blur_scratch_new(struct blur_scratch *s, int width, int height, struct pool *pool,
                          const atomic_bool *cancel)
{
    size_t longest = (size_t)(width > height ? width : height), bytes;

    *s = (struct blur_scratch){.pool = pool, .cancel = cancel};
    if (!size_mul(longest, 2 * LANES * sizeof(float), &s->lanes_bytes) ||
        !size_mul(s->lanes_bytes, (size_t)pool_width(pool), &bytes))
        return ERR_NOMEM;
    s->lanes = malloc(bytes);
    return s->lanes ? ERR_OK : ERR_NOMEM;
}

void blur_scratch_release(struct blur_scratch *s)
{
    free(s->lanes);
    s->lanes = NULL;
}

struct box {
    int radius;
    float edge;  /* weight of the pixel beyond the radius, either side */
    float scale; /* 1 / sum of weights */
};

// PASSES boxes of this kind have the variance sigma^2 (Gwosdek et al. 2011, equations 4 and 5).
static struct box box_of_sigma(float sigma)
{
    float var = sigma * sigma / (float)PASSES;
    int r = (int)(0.5f * (sqrtf(12.0f * var + 1.0f) - 1.0f));
    float rf = (float)r, w = 2.0f * rf + 1.0f;
    float edge = w * (rf * (rf + 1.0f) - 3.0f * var) / (6.0f * (var - (rf + 1.0f) * (rf + 1.0f)));

    edge = clampf(edge, 0.0f, 1.0f);
    return (struct box){.radius = r, .edge = edge, .scale = 1.0f / (w + 2.0f * edge)};
}

static void box_lanes(const float *in, float *out, int n, const struct box *b)
{
    float sum[LANES] = {0};
    int r = b->radius;

#define LINE(i) (in + (size_t)clampi((i), 0, n - 1) * LANES)
    for (int i = -r; i <= r; i++) {
        const float *at = LINE(i);
        for (int k = 0; k < LANES; k++)
            sum[k] += at[k];
    }
    for (int i = 0; i < n; i++) {
        const float *before = LINE(i - r - 1), *after = LINE(i + r + 1), *first = LINE(i - r);
        float *to = out + (size_t)i * LANES;
        for (int k = 0; k < LANES; k++) {
            to[k] = (sum[k] + b->edge * (before[k] + after[k])) * b->scale;
            sum[k] += after[k] - first[k];
        }
    }
#undef LINE
}

struct blur {
    const struct plane *from;
    struct plane *to;
    struct box box;
    const struct blur_scratch *scratch;
};

static float *blur_lines(const struct blur *b, float *x, float *y, int n)
{
    box_lanes(x, y, n, &b->box);
    box_lanes(y, x, n, &b->box);
    box_lanes(x, y, n, &b->box);
    return y;
}

static float *lines_of(const struct blur *b, int worker)
{
    return b->scratch->lanes + b->scratch->lanes_bytes / sizeof(float) * (size_t)worker;
}

static void blur_rows(void *ctx, int index, int worker)
{
    const struct blur *b = ctx;
    int w = b->from->width, y0 = index * LANES;
    int rows = b->from->height - y0 < LANES ? b->from->height - y0 : LANES;
    float *x = lines_of(b, worker), *y = x + (size_t)w * LANES;

    for (int k = 0; k < LANES; k++) {
        const float *row = plane_row(b->from, y0 + (k < rows ? k : 0));
        for (int i = 0; i < w; i++)
            x[(size_t)i * LANES + (size_t)k] = row[i];
    }
    y = blur_lines(b, x, y, w);
    for (int k = 0; k < rows; k++) {
        float *row = plane_row(b->to, y0 + k);
        for (int i = 0; i < w; i++)
            row[i] = y[(size_t)i * LANES + (size_t)k];
    }
}

static void blur_columns(void *ctx, int index, int worker)
{
    const struct blur *b = ctx;
    int h = b->to->height, x0 = index * LANES;
    int columns = b->to->width - x0 < LANES ? b->to->width - x0 : LANES;
    size_t bytes = (size_t)columns * sizeof(float);
    float *x = lines_of(b, worker), *y = x + (size_t)h * LANES;

    for (int j = 0; j < h; j++) {
        float *line = x + (size_t)j * LANES;
        memset(line, 0, LANES * sizeof(float));
        memcpy(line, plane_row(b->to, j) + x0, bytes);
    }
    y = blur_lines(b, x, y, h);
    for (int j = 0; j < h; j++)
        memcpy(plane_row(b->to, j) + x0, y + (size_t)j * LANES, bytes);
}

bool plane_blur(const struct plane *from, struct plane *to, float sigma, struct blur_scratch *s)
{
    struct blur b = {.from = from, .to = to, .box = box_of_sigma(sigma), .scratch = s};

    return pool_run(s->pool, (from->height + LANES - 1) / LANES, blur_rows, &b, s->cancel) &&
           pool_run(s->pool, (from->width + LANES - 1) / LANES, blur_columns, &b, s->cancel);
}
