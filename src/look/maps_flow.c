/* SPDX-License-Identifier: MIT */
#include "look/maps_internal.h"

/*
 * Flow: the colour structure tensor (Di Zenzo 1986), gathered over a brush's width; where an area
 * has no edge of its own, the strong edges around it decide (Hays & Essa 2004), by adding the same
 * tensor gathered over wider and wider windows with less and less weight.
 */
enum { XX, XY, YY, TENSOR };

struct flow {
    struct look_maps *m;
    struct plane soft[LAB];
    struct plane local[TENSOR], wide[TENSOR], widest[TENSOR];
};

static void gradient_row(void *ctx, int y, int worker)
{
    struct flow *f = ctx;
    int w = f->soft[0].width, h = f->soft[0].height;
    int up = y > 0 ? y - 1 : 0, down = y + 1 < h ? y + 1 : y;
    float per_unit = 0.5f * f->m->half_per_unit;
    float *xx = plane_row(&f->local[XX], y), *xy = plane_row(&f->local[XY], y);
    float *yy = plane_row(&f->local[YY], y);

    (void)worker;
    for (int x = 0; x < w; x++)
        xx[x] = xy[x] = yy[x] = 0.0f;
    for (int k = 0; k < LAB; k++) {
        const float *at = plane_row(&f->soft[k], y);
        const float *above = plane_row(&f->soft[k], up), *below = plane_row(&f->soft[k], down);
        for (int x = 0; x < w; x++) {
            int left = x > 0 ? x - 1 : 0, right = x + 1 < w ? x + 1 : x;
            float gx = (at[right] - at[left]) * per_unit, gy = (below[x] - above[x]) * per_unit;
            xx[x] += gx * gx;
            xy[x] += gx * gy;
            yy[x] += gy * gy;
        }
    }
}

// The direction across the gradient, as twice its angle, and how clear it is.
static void direction_row(void *ctx, int y, int worker)
{
    struct flow *f = ctx;
    float *c = plane_row(&f->m->flow_c, y), *s = plane_row(&f->m->flow_s, y);
    float *coherence = plane_row(&f->m->coherence, y);
    const float *t[3][TENSOR];

    (void)worker;
    for (int i = 0; i < TENSOR; i++) {
        t[0][i] = plane_row(&f->local[i], y);
        t[1][i] = plane_row(&f->wide[i], y);
        t[2][i] = plane_row(&f->widest[i], y);
    }
    for (int x = 0; x < f->local[0].width; x++) {
        static const float WEIGHT[3] = {1.0f, 0.25f, 0.04f};
        float dx = 0.0f, dy = 0.0f;
        for (int i = 0; i < 3; i++) {
            dx -= WEIGHT[i] * (t[i][XX][x] - t[i][YY][x]);
            dy -= WEIGHT[i] * 2.0f * t[i][XY][x];
        }
        // A picture of one colour is painted at 35 degrees, as a right-handed painter would.
        dx += 1e-9f * 0.342f;
        dy -= 1e-9f * 0.940f;
        float length = sqrtf(dx * dx + dy * dy);
        c[x] = length > 0.0f ? dx / length : 0.342f;
        s[x] = length > 0.0f ? dy / length : -0.940f;
        float trace = t[0][XX][x] + t[0][YY][x], d = t[0][XX][x] - t[0][YY][x];
        float own = sqrtf(d * d + 4.0f * t[0][XY][x] * t[0][XY][x]);
        coherence[x] = own / (trace + 1.5e-6f);
    }
}

enum err maps_flow(struct map_maker *k)
{
    struct look_maps *m = k->m;
    struct flow f = {.m = m};
    struct plane tmp[LAB + 3 * TENSOR], made[3];
    enum err e = half_planes(k, tmp, LAB + 3 * TENSOR);

    if (e != ERR_OK)
        return e;
    for (int i = 0; i < LAB; i++)
        f.soft[i] = tmp[i];
    for (int i = 0; i < TENSOR; i++) {
        f.local[i] = tmp[LAB + i];
        f.wide[i] = tmp[LAB + TENSOR + i];
        f.widest[i] = tmp[LAB + 2 * TENSOR + i];
    }
    e = half_planes(k, made, 3);
    if (e != ERR_OK)
        goto out;
    m->flow_c = made[0];
    m->flow_s = made[1];
    m->coherence = made[2];
    e = ERR_CANCELLED;
    for (int i = 0; i < LAB; i++)
        if (!half_blur(k, &m->half[i], &f.soft[i], 1.8f))
            goto out;
    if (!rows_run(k, f.soft[0].height, gradient_row, &f))
        goto out;
    for (int i = 0; i < TENSOR; i++)
        if (!half_blur(k, &f.local[i], &f.local[i], 4.0f) ||
            !half_blur(k, &f.local[i], &f.wide[i], 16.0f) ||
            !half_blur(k, &f.wide[i], &f.widest[i], 56.0f))
            goto out;
    if (rows_run(k, f.soft[0].height, direction_row, &f))
        e = ERR_OK;
out:
    planes_release(tmp, LAB + 3 * TENSOR);
    return e;
}
