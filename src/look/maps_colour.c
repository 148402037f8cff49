/* SPDX-License-Identifier: MIT */
#include "look/maps_internal.h"

/*
 * The photo without its noise, and in two degrees of abstraction.
 */

// Fast guided filter (He & Sun 2015) with L as guide: the coefficients are made at half size and
// applied at full size, so fine edges of L stay as sharp as they are.
struct guided {
    struct look_maps *m;
    struct plane mean[LAB];  /* of L, a, b */
    struct plane cross[LAB]; /* of L*L, L*a, L*b; then the slope */
    float eps;
};

static void guided_products(void *ctx, int y, int worker)
{
    struct guided *g = ctx;
    const float *L = plane_row(&g->m->half[0], y);

    (void)worker;
    for (int k = 0; k < LAB; k++) {
        const float *c = plane_row(&g->m->half[k], y);
        float *out = plane_row(&g->cross[k], y);
        for (int x = 0; x < g->m->half[0].width; x++)
            out[x] = L[x] * c[x];
    }
}

static void guided_coefficients(void *ctx, int y, int worker)
{
    struct guided *g = ctx;
    float *mean[LAB], *cross[LAB];

    (void)worker;
    for (int k = 0; k < LAB; k++) {
        mean[k] = plane_row(&g->mean[k], y);
        cross[k] = plane_row(&g->cross[k], y);
    }
    for (int x = 0; x < g->mean[0].width; x++) {
        float L = mean[0][x], var = cross[0][x] - L * L;
        float share = 1.0f / ((var > 0.0f ? var : 0.0f) + g->eps);
        for (int k = LAB - 1; k >= 0; k--) {
            float slope = (cross[k][x] - L * mean[k][x]) * share;
            cross[k][x] = slope;
            mean[k][x] -= slope * L;
        }
    }
}

static void guided_apply(void *ctx, int y, int worker)
{
    struct guided *g = ctx;
    const float *L = plane_row(&g->m->full[0], y);
    float half_y = 0.5f * ((float)y + 0.5f);

    (void)worker;
    for (int k = 0; k < LAB; k++) {
        float *out = plane_row(&g->m->fine[k], y);
        for (int x = 0; x < g->m->full[0].width; x++) {
            struct plane_place w = plane_place(&g->mean[k], 0.5f * ((float)x + 0.5f), half_y);
            out[x] = plane_mix(&g->cross[k], &w) * L[x] + plane_mix(&g->mean[k], &w);
        }
    }
}

enum err maps_fine(struct map_maker *k)
{
    static const float WINDOW = 2.4f; /* units */
    struct look_maps *m = k->m;
    struct guided g = {.m = m, .eps = 3e-4f + 4.0f * m->noise * m->noise};
    struct plane tmp[2 * LAB];
    int rows = m->half[0].height;
    enum err e = half_planes(k, tmp, 2 * LAB);

    for (int i = 0; i < LAB && e == ERR_OK; i++) {
        g.mean[i] = tmp[i];
        g.cross[i] = tmp[LAB + i];
    }
    for (int i = 0; i < LAB && e == ERR_OK; i++)
        e = plane_new(&m->fine[i], m->full[0].width, m->full[0].height);
    if (e != ERR_OK)
        goto out;
    e = ERR_CANCELLED;
    if (!rows_run(k, rows, guided_products, &g))
        goto out;
    for (int i = 0; i < LAB; i++)
        if (!half_blur(k, &m->half[i], &g.mean[i], WINDOW) ||
            !half_blur(k, &g.cross[i], &g.cross[i], WINDOW))
            goto out;
    if (!rows_run(k, rows, guided_coefficients, &g))
        goto out;
    for (int i = 0; i < LAB; i++)
        if (!half_blur(k, &g.mean[i], &g.mean[i], WINDOW) ||
            !half_blur(k, &g.cross[i], &g.cross[i], WINDOW))
            goto out;
    if (rows_run(k, m->full[0].height, guided_apply, &g))
        e = ERR_OK;
out:
    planes_release(tmp, 2 * LAB);
    return e;
}

/*
 * Anisotropic Kuwahara filter (after Kyprianidis et al. 2009) with Gaussian windows: the sectors of
 * an ellipse along the flow are replaced by eight Gaussian windows around its rim, whose means and
 * variances are two blurred planes, so the cost does not grow with the radius.
 */
enum { WINDOWS = 8 };

struct kuwahara {
    struct look_maps *m;
    struct plane mean[LAB], square;
    struct plane *out;
    float radius; /* half-size pixels */
};

static void square_row(void *ctx, int y, int worker)
{
    struct kuwahara *q = ctx;
    float *out = plane_row(&q->square, y);

    (void)worker;
    for (int x = 0; x < q->square.width; x++) {
        float sum = 0.0f;
        for (int k = 0; k < LAB; k++) {
            float v = plane_row(&q->m->half[k], y)[x];
            sum += v * v;
        }
        out[x] = sum;
    }
}

static void kuwahara_pixel(const struct kuwahara *q, int x, int y, const float dir[WINDOWS][2])
{
    const struct look_maps *m = q->m;
    float fx, fy, sum[LAB] = {0}, total = 0.0f;
    float A = plane_row(&m->coherence, y)[x];
    float along = q->radius * (1.0f + 0.6f * A), across = q->radius / (1.0f + 0.6f * A);

    half_angle(plane_row(&m->flow_c, y)[x], plane_row(&m->flow_s, y)[x], &fx, &fy);
    for (int i = 0; i < WINDOWS; i++) {
        float u = dir[i][0] * along, v = dir[i][1] * across;
        float px = (float)x + 0.5f + fx * u - fy * v, py = (float)y + 0.5f + fy * u + fx * v;
        float c[LAB], var = plane_near(&q->square, px, py);
        for (int k = 0; k < LAB; k++) {
            c[k] = plane_near(&q->mean[k], px, py);
            var -= c[k] * c[k];
        }
        // Weight 1 / (1 + (var/v0)^4): windows that hold an edge hardly count.
        float r = (var > 0.0f ? var : 0.0f) * (1.0f / 6e-4f), r2 = r * r;
        float w = 1.0f / (1e-6f + r2 * r2 + 0.05f);
        for (int k = 0; k < LAB; k++)
            sum[k] += w * c[k];
        total += w;
    }
    for (int k = 0; k < LAB; k++)
        plane_row(&q->out[k], y)[x] = sum[k] / total;
}

static void kuwahara_row(void *ctx, int y, int worker)
{
    const struct kuwahara *q = ctx;
    float dir[WINDOWS][2];

    (void)worker;
    for (int i = 0; i < WINDOWS; i++)
        turn_approx((float)i / WINDOWS, &dir[i][0], &dir[i][1]);
    for (int x = 0; x < q->square.width; x++)
        kuwahara_pixel(q, x, y, dir);
}

static enum err abstract_to(struct map_maker *k, struct plane out[LAB], float units)
{
    struct plane tmp[LAB + 1];
    struct kuwahara q = {.m = k->m, .out = out, .radius = 0.8f * units * k->m->half_per_unit};
    enum err e = half_planes(k, out, LAB);

    if (e == ERR_OK)
        e = half_planes(k, tmp, LAB + 1);
    if (e != ERR_OK)
        return e;
    for (int i = 0; i < LAB; i++)
        q.mean[i] = tmp[i];
    q.square = tmp[LAB];
    bool go = rows_run(k, q.square.height, square_row, &q) &&
              half_blur(k, &q.square, &q.square, 0.5f * units);
    for (int i = 0; i < LAB && go; i++)
        go = half_blur(k, &k->m->half[i], &q.mean[i], 0.5f * units);
    if (!go || !rows_run(k, q.square.height, kuwahara_row, &q))
        e = ERR_CANCELLED;
    planes_release(tmp, LAB + 1);
    return e;
}

enum err maps_abstract(struct map_maker *k)
{
    enum err e = abstract_to(k, k->m->mid, 4.0f);

    return e == ERR_OK ? abstract_to(k, k->m->coarse, 10.0f) : e;
}
