/* SPDX-License-Identifier: MIT */
#include "look/maps_internal.h"

/*
 * How much of the photo's detail the other maps get to see: below 1 it is mixed with its own base,
 * above 1 what lies over the base is brought out along edges. Looks then find less or more to draw,
 * and draw it their own way.
 *
 * The base is a guided filter with L as guide (He et al. 2013), coefficients at half size. Its
 * slope, near 1 along edges and near 0 in texture and noise, also says where to bring out.
 */
struct detail {
    struct look_maps *m;
    struct plane slope[LAB], rest[LAB]; /* base = slope * L + rest; before that cross and mean */
    struct plane slow;                  /* L, blurred */
    float keep;                         /* 0..3 */
};

static const float WINDOW = 7.0f; /* of the base, units */
static const float EDGE = 0.008f; /* variance of L from which on an edge belongs to the base */

static void products_row(void *ctx, int y, int worker)
{
    struct detail *d = ctx;
    const float *L = plane_row(&d->m->half[0], y);

    (void)worker;
    for (int k = 0; k < LAB; k++) {
        const float *c = plane_row(&d->m->half[k], y);
        float *cross = plane_row(&d->slope[k], y);
        for (int x = 0; x < d->slow.width; x++)
            cross[x] = L[x] * c[x];
    }
}

static void coefficients_row(void *ctx, int y, int worker)
{
    struct detail *d = ctx;
    float *slope[LAB], *rest[LAB];

    (void)worker;
    for (int k = 0; k < LAB; k++) {
        slope[k] = plane_row(&d->slope[k], y);
        rest[k] = plane_row(&d->rest[k], y);
    }
    for (int x = 0; x < d->slow.width; x++) {
        float L = rest[0][x], var = slope[0][x] - L * L;
        float share = 1.0f / ((var > 0.0f ? var : 0.0f) + EDGE);
        for (int k = LAB - 1; k >= 0; k--) {
            slope[k][x] = (slope[k][x] - L * rest[k][x]) * share;
            rest[k][x] -= slope[k][x] * L;
        }
    }
}

static float brought_out(float L, float slow, float slope, float keep)
{
    float over = L - slow;

    return L +
           0.5f * (keep - 1.0f) * clampf(slope, 0.0f, 1.0f) * over / (1.0f + 4.0f * fabsf(over));
}

static void detail_row(void *ctx, int y, int worker)
{
    struct detail *d = ctx;
    float *row[LAB];
    float half_y = 0.5f * ((float)y + 0.5f);

    (void)worker;
    for (int k = 0; k < LAB; k++)
        row[k] = plane_row(&d->m->full[k], y);
    for (int x = 0; x < d->m->full[0].width; x++) {
        struct plane_place w = plane_place(&d->slow, 0.5f * ((float)x + 0.5f), half_y);
        float L = row[0][x];
        if (d->keep >= 1.0f) {
            row[0][x] =
                brought_out(L, plane_mix(&d->slow, &w), plane_mix(&d->slope[0], &w), d->keep);
            continue;
        }
        for (int k = 0; k < LAB; k++) {
            float base = plane_mix(&d->slope[k], &w) * L + plane_mix(&d->rest[k], &w);
            row[k][x] = mixf(base, row[k][x], d->keep);
        }
    }
}

static bool run(struct map_maker *k, struct detail *d)
{
    struct look_maps *m = k->m;
    bool go = rows_run(k, d->slow.height, products_row, d) &&
              half_blur(k, &m->half[0], &d->slow, 0.6f * WINDOW);

    for (int i = 0; i < LAB && go; i++)
        go = half_blur(k, &m->half[i], &d->rest[i], WINDOW) &&
             half_blur(k, &d->slope[i], &d->slope[i], WINDOW);
    go = go && rows_run(k, d->slow.height, coefficients_row, d);
    for (int i = 0; i < LAB && go; i++)
        go = half_blur(k, &d->rest[i], &d->rest[i], WINDOW) &&
             half_blur(k, &d->slope[i], &d->slope[i], WINDOW);
    go = go && rows_run(k, m->full[0].height, detail_row, d);
    for (int i = 0; i < LAB && go; i++)
        go = plane_resample(&m->full[i], &m->half[i], k->pool, k->cancel);
    return go;
}

enum err maps_detail(struct map_maker *k, float keep)
{
    struct plane tmp[2 * LAB + 1];
    struct detail d = {.m = k->m, .keep = keep};
    enum err e = half_planes(k, tmp, 2 * LAB + 1);

    if (e != ERR_OK)
        return e;
    for (int i = 0; i < LAB; i++) {
        d.slope[i] = tmp[i];
        d.rest[i] = tmp[LAB + i];
    }
    d.slow = tmp[2 * LAB];
    if (!run(k, &d))
        e = ERR_CANCELLED;
    planes_release(tmp, 2 * LAB + 1);
    return e;
}
