/* SPDX-License-Identifier: MIT */
#include "look/maps_internal.h"

#include "look/colour.h"

/*
 * Where a painter would take the small brush: mid-scale contrast that is not mere texture, what
 * stands out of the picture (frequency-tuned saliency, Achanta et al. 2009), skin, and lettering.
 *
 * Lettering looks like texture, but is sparse: few pixels of one lightness on much of another. So L
 * around its local mean is skewed there, and over whole lines, while leaves, gravel and fur have as
 * much light as dark but for single spots.
 */
struct importance {
    struct look_maps *m;
    struct plane soft[LAB];   /* at 2 units */
    struct plane base;        /* L at 12 units */
    struct plane form, grain; /* contrast at 2-12 units and below 2 */
    struct plane salient;
    struct plane spread, skew; /* second and third moment of L around `base` */
    float mean[LAB];
    float salient_scale;
};

// How much a place looks like part of a letter replaces `spread`, which way it stands out `skew`.

static void lettering_row(void *ctx, int y, int worker)
{
    struct importance *p = ctx;
    float *spread = plane_row(&p->spread, y), *skew = plane_row(&p->skew, y);

    (void)worker;
    for (int x = 0; x < p->spread.width; x++) {
        float deviation = sqrtf(spread[x] > 0.0f ? spread[x] : 0.0f);
        float to = skew[x] / (spread[x] * deviation + 1e-6f);
        spread[x] = smoothf(0.025f, 0.06f, deviation) * smoothf(0.6f, 1.1f, fabsf(to));
        skew[x] = smoothf(-0.3f, 0.3f, to);
    }
}

static void bands_row(void *ctx, int y, int worker)
{
    struct importance *p = ctx;
    const float *L = plane_row(&p->m->half[0], y), *base = plane_row(&p->base, y);
    const float *soft[LAB];
    float *form = plane_row(&p->form, y), *grain = plane_row(&p->grain, y);
    float *salient = plane_row(&p->salient, y);
    float *spread = plane_row(&p->spread, y), *skew = plane_row(&p->skew, y);

    (void)worker;
    for (int k = 0; k < LAB; k++)
        soft[k] = plane_row(&p->soft[k], y);
    for (int x = 0; x < p->form.width; x++) {
        float d = 0.0f;
        for (int k = 0; k < LAB; k++)
            d += (soft[k][x] - p->mean[k]) * (soft[k][x] - p->mean[k]);
        form[x] = fabsf(soft[0][x] - base[x]);
        grain[x] = fabsf(L[x] - soft[0][x]);
        salient[x] = sqrtf(d);
        float off = L[x] - base[x];
        spread[x] = off * off;
        skew[x] = off * off * off;
    }
}

static void importance_row(void *ctx, int y, int worker)
{
    struct importance *p = ctx;
    const float *form = plane_row(&p->form, y), *grain = plane_row(&p->grain, y);
    const float *salient = plane_row(&p->salient, y), *clear = plane_row(&p->m->coherence, y);
    const float *L = plane_row(&p->soft[0], y), *a = plane_row(&p->soft[1], y);
    const float *b = plane_row(&p->soft[2], y);
    float *letters = plane_row(&p->spread, y);
    float *out = plane_row(&p->m->importance, y);

    (void)worker;
    for (int x = 0; x < p->form.width; x++) {
        float ratio = grain[x] / (0.6f * form[x] + 0.006f);
        float gate = 1.0f / (1.0f + ratio * ratio);
        float contrast = form[x] / (form[x] + 0.035f);
        float sal = clampf(salient[x] * p->salient_scale, 0.0f, 1.0f);
        float skin = skin_of(L[x], a[x], b[x]);
        float care = contrast * gate * (0.5f + 0.7f * clear[x]) *
                     (0.75f + 0.6f * sal + 0.9f * skin);
        letters[x] = smoothf(0.45f, 0.75f, letters[x]);
        out[x] = clampf(care + letters[x], 0.0f, 1.0f);
    }
}

static double mean_of(const struct plane *p)
{
    double sum = 0.0;

    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            sum += plane_row(p, y)[x];
    return sum / ((double)p->width * p->height);
}

enum { EXTRA = 6 };

enum err maps_importance(struct map_maker *k)
{
    struct look_maps *m = k->m;
    struct plane tmp[LAB + EXTRA];
    struct importance p = {.m = m};
    enum err e = half_planes(k, tmp, LAB + EXTRA);

    if (e != ERR_OK)
        return e;
    for (int i = 0; i < LAB; i++)
        p.soft[i] = tmp[i];
    p.base = tmp[LAB];
    p.form = tmp[LAB + 1];
    p.grain = tmp[LAB + 2];
    p.salient = tmp[LAB + 3];
    p.spread = tmp[LAB + 4];
    p.skew = tmp[LAB + 5];
    e = half_planes(k, &m->importance, 1);
    if (e != ERR_OK)
        goto out;
    e = ERR_CANCELLED;
    for (int i = 0; i < LAB; i++) {
        if (!half_blur(k, &m->half[i], &p.soft[i], 2.0f))
            goto out;
        p.mean[i] = (float)mean_of(&p.soft[i]);
    }
    if (!half_blur(k, &p.soft[0], &p.base, 12.0f) || !rows_run(k, p.form.height, bands_row, &p) ||
        !half_blur(k, &p.form, &p.form, 6.0f) || !half_blur(k, &p.grain, &p.grain, 6.0f) ||
        !half_blur(k, &p.salient, &p.salient, 16.0f) || !half_blur(k, &p.spread, &p.spread, 8.0f) ||
        !half_blur(k, &p.skew, &p.skew, 8.0f) || !rows_run(k, p.form.height, lettering_row, &p) ||
        !half_blur(k, &p.spread, &p.spread, 12.0f))
        goto out;
    p.salient_scale = (float)(1.0 / (2.2 * mean_of(&p.salient) + 1e-3));
    if (rows_run(k, p.form.height, importance_row, &p) &&
        half_blur(k, &m->importance, &m->importance, 3.0f)) {
        m->lettering = p.spread;
        m->skew = p.skew;
        tmp[LAB + 4] = tmp[LAB + 5] = (struct plane){0};
        e = ERR_OK;
    }
out:
    planes_release(tmp, LAB + EXTRA);
    return e;
}
