/* SPDX-License-Identifier: MIT */
#include "look/maps_internal.h"

#include <assert.h>

/*
 * Areas of one colour: a bilateral filter in OKLab, several times over (Winnemoeller et al. 2006),
 * each time along rows and then along columns (Pham & van Vliet 2005), which the repeats make up
 * for. A neighbour's weight is Tukey's biweight of its colour, so what differs clearly counts for
 * nothing and borders stay where they are.
 */
enum { PASSES = 3, REACH_MAX = 6 };

static const float SIGMA = 3.0f;   /* units, in place */
static const float RANGE = 0.055f; /* OKLab distance from which on a colour is another */
static const float CHROMA = 2.0f;  /* weight of a and b in it: hue borders are to last */

struct bilateral {
    const struct plane *from;
    struct plane *to;
    int reach;
    float weight[2 * REACH_MAX + 1];
    bool down; /* along columns */
};

// Pixels x .. x + n - 1 of a row, which all have their taps at the same distances.
static void bilateral_span(const struct bilateral *b, int y, int x, int n)
{
    const float *near[LAB][2 * REACH_MAX + 1];
    int r = b->reach;

    assert(r >= 1 && r <= REACH_MAX);
    for (int k = 0; k < LAB; k++)
        for (int i = 0; i <= 2 * r; i++) {
            int u = b->down ? x : clampi(x + i - r, 0, b->from[0].width - 1);
            int v = b->down ? clampi(y + i - r, 0, b->from[0].height - 1) : y;
            near[k][i] = plane_row(&b->from[k], v) + u;
        }
    for (int j = 0; j < n; j++) {
        float sum[LAB] = {0}, total = 0.0f;
        float L = near[0][r][j], p = near[1][r][j], q = near[2][r][j];
        for (int i = 0; i <= 2 * r; i++) {
            float dL = near[0][i][j] - L, dp = near[1][i][j] - p, dq = near[2][i][j] - q;
            float far = dL * dL + CHROMA * CHROMA * (dp * dp + dq * dq);
            float close = 1.0f - far * (1.0f / (RANGE * RANGE));
            close = close > 0.0f ? close : 0.0f;
            float w = b->weight[i] * close * close;
            for (int k = 0; k < LAB; k++)
                sum[k] += w * near[k][i][j];
            total += w;
        }
        // The pixel itself always counts, so the total is not 0.
        for (int k = 0; k < LAB; k++)
            plane_row(&b->to[k], y)[x + j] = sum[k] / total;
    }
}

static void bilateral_row(void *ctx, int y, int worker)
{
    const struct bilateral *b = ctx;
    int w = b->from[0].width, r = b->reach;

    (void)worker;
    if (b->down) {
        bilateral_span(b, y, 0, w);
        return;
    }
    // At the ends of a row the taps are held inside, pixel by pixel.
    for (int x = 0, n; x < w; x += n) {
        n = x >= r && x + r < w ? w - r - x : 1;
        bilateral_span(b, y, x, n);
    }
}

// The photo without its noise, but with its letters: strokes a few pixels wide are noise to `fine`.
static void source_row(void *ctx, int y, int worker)
{
    struct look_maps *m = ctx;
    float half = m->half_per_unit / m->full_per_unit;

    (void)worker;
    for (int x = 0; x < m->flat[0].width; x++) {
        float care = plane_at(&m->importance, ((float)x + 0.5f) * half, ((float)y + 0.5f) * half);
        float share = smoothf(0.15f, 0.4f, care);
        for (int i = 0; i < LAB; i++)
            plane_row(&m->flat[i], y)[x] =
                mixf(plane_row(&m->fine[i], y)[x], plane_row(&m->full[i], y)[x], share);
    }
}

enum err maps_flat(struct map_maker *k)
{
    struct look_maps *m = k->m;
    struct plane tmp[LAB] = {{0}};
    struct bilateral b = {0};
    float sigma = SIGMA * m->full_per_unit;
    enum err e = ERR_OK;

    b.reach = clampi((int)(1.6f * sigma + 0.5f), 1, REACH_MAX);
    for (int i = -b.reach; i <= b.reach; i++)
        b.weight[i + b.reach] = exp_approx(-0.5f * (float)(i * i) / (sigma * sigma + 0.1f));
    for (int i = 0; i < LAB && e == ERR_OK; i++)
        e = plane_new(&tmp[i], m->full[0].width, m->full[0].height);
    for (int i = 0; i < LAB && e == ERR_OK; i++)
        e = plane_new(&m->flat[i], m->full[0].width, m->full[0].height);
    if (e == ERR_OK && !rows_run(k, m->full[0].height, source_row, m))
        e = ERR_CANCELLED;
    for (int i = 0; i < 2 * PASSES && e == ERR_OK; i++) {
        b.down = i & 1;
        b.from = b.down ? tmp : m->flat;
        b.to = b.down ? m->flat : tmp;
        if (!rows_run(k, m->full[0].height, bilateral_row, &b))
            e = ERR_CANCELLED;
    }
    planes_release(tmp, LAB);
    return e;
}
