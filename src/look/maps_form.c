/* SPDX-License-Identifier: MIT */
#include "look/maps_internal.h"

/*
 * The photo as a relief that a hand could have carved: dark is deep (Khan et al. 2006), but
 * lightness is taken against its surroundings, and slopes, not heights, are brought to a standard,
 * so that a face, a van and a dog stand out equally. Three bands of the form make it round; detail
 * is added where edges run on or the picture is important, so skin and sky stay polished.
 */
enum { ROUND = 3, STAND = ROUND, BANDS };

static const float BAND_UNITS[ROUND] = {2.2f, 7.0f, 22.0f};
static const float BAND_SLOPE[BANDS] = {0.17f, 0.15f, 0.12f, 0.30f}; /* of the steepest tenth */

// Less variance than this has no outline to follow.
static const float OUTLINE_EPS = 0.001f;

// How far the subject stands before its ground, units: rounded at its rim, and swelling inwards.
static const float STAND_HEIGHT = 16.0f, STAND_RIM = 4.0f, STAND_SWELL = 24.0f;
static const float DETAIL_SLOPE = 0.20f;

// Share of its form that the ground keeps: a relief's ground is plain, or nothing stands out of it.
static const float GROUND = 0.5f;

// Less than this is no form but what is left of noise: a calm picture stays calm.
static const float SLOPE_LEAST = 0.004f;
static const float DETAIL_LEAST = 0.0020f;

// Differences of lightness below this are texture rather than carving.
static const float DETAIL_CORE = 0.035f;

struct form {
    struct look_maps *m;
    struct plane T;                 /* L without texture */
    struct plane mean, cross;       /* work */
    struct plane own;               /* m->subject, its outline that of T */
    struct plane bulk;              /* L against its surroundings, -1..1 */
    struct plane band[BANDS], gate; /* gate: share of detail that stays */
    struct plane deep;              /* what cavities are found in */
    struct plane detail;            /* full size */
    float eps, scale[BANDS], detail_scale;
    float low, high; /* of lightness, for `shade` */
};

static float signed_unit(float x)
{
    return x / sqrtf(1.0f + x * x);
}

static void square_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    const float *T = plane_row(&f->T, y);
    float *out = plane_row(&f->cross, y);

    (void)worker;
    for (int x = 0; x < f->T.width; x++)
        out[x] = T[x] * T[x];
}

static void slope_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    float *mean = plane_row(&f->mean, y), *cross = plane_row(&f->cross, y);

    (void)worker;
    for (int x = 0; x < f->T.width; x++) {
        float var = cross[x] - mean[x] * mean[x];
        float a = (var > 0.0f ? var : 0.0f) / ((var > 0.0f ? var : 0.0f) + f->eps);
        cross[x] = a;
        mean[x] -= a * mean[x];
    }
}

static void smooth_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    const float *mean = plane_row(&f->mean, y), *cross = plane_row(&f->cross, y);
    float *T = plane_row(&f->T, y);

    (void)worker;
    for (int x = 0; x < f->T.width; x++)
        T[x] = cross[x] * T[x] + mean[x];
}

// Guided filter (He et al. 2013) of T by itself.
static bool smooth(struct map_maker *k, struct form *f, float eps)
{
    static const float WINDOW = 7.0f; /* units */
    int rows = f->T.height;

    f->eps = eps;
    return rows_run(k, rows, square_row, f) && half_blur(k, &f->T, &f->mean, WINDOW) &&
           half_blur(k, &f->cross, &f->cross, WINDOW) && rows_run(k, rows, slope_row, f) &&
           half_blur(k, &f->mean, &f->mean, WINDOW) && half_blur(k, &f->cross, &f->cross, WINDOW) &&
           rows_run(k, rows, smooth_row, f);
}

static void copy_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    const float *L = plane_row(&f->m->half[0], y);
    float *T = plane_row(&f->T, y);

    (void)worker;
    for (int x = 0; x < f->T.width; x++)
        T[x] = L[x];
}

static void split_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    const float *T = plane_row(&f->T, y), *own = plane_row(&f->own, y);
    float *out = plane_row(&f->deep, y);

    (void)worker;
    for (int x = 0; x < f->T.width; x++)
        out[x] = T[x] * own[x];
}

static void outline_slope_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    const float *T = plane_row(&f->mean, y), *own = plane_row(&f->bulk, y);
    float *square = plane_row(&f->cross, y), *both = plane_row(&f->deep, y);

    (void)worker;
    for (int x = 0; x < f->T.width; x++) {
        float var = square[x] - T[x] * T[x];
        square[x] = (both[x] - T[x] * own[x]) / ((var > 0.0f ? var : 0.0f) + OUTLINE_EPS);
        both[x] = own[x] - square[x] * T[x];
    }
}

static void outline_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    const float *T = plane_row(&f->T, y);
    const float *slope = plane_row(&f->cross, y), *rest = plane_row(&f->deep, y);
    float *own = plane_row(&f->own, y);

    (void)worker;
    for (int x = 0; x < f->T.width; x++)
        own[x] = clampf(slope[x] * T[x] + rest[x], 0.0f, 1.0f);
}

// The subject is known in coarse pixels; its outline is that of the photo (guided filter).
static bool outline(struct map_maker *k, struct form *f)
{
    static const float WINDOW = 8.0f; /* units */
    int rows = f->T.height;

    return rows_run(k, rows, square_row, f) && rows_run(k, rows, split_row, f) &&
           half_blur(k, &f->T, &f->mean, WINDOW) && half_blur(k, &f->cross, &f->cross, WINDOW) &&
           half_blur(k, &f->own, &f->bulk, WINDOW) && half_blur(k, &f->deep, &f->deep, WINDOW) &&
           rows_run(k, rows, outline_slope_row, f) && half_blur(k, &f->cross, &f->cross, WINDOW) &&
           half_blur(k, &f->deep, &f->deep, WINDOW) && rows_run(k, rows, outline_row, f);
}

// Surroundings are those of the same side: the subject's outline is made by where it stands, and
// must not be a cliff of lightness as well.
static void against_row(void *ctx, int y, int worker)
{
    static const float FEW = 0.04f;
    const struct form *f = ctx;
    const float *T = plane_row(&f->T, y), *all = plane_row(&f->mean, y);
    const float *own = plane_row(&f->own, y), *mine = plane_row(&f->deep, y);
    float *bulk = plane_row(&f->bulk, y), *cross = plane_row(&f->cross, y);

    (void)worker;
    for (int x = 0; x < f->T.width; x++) {
        float subject = (mine[x] + FEW * all[x]) / (cross[x] + FEW);
        float ground = (all[x] - mine[x] + FEW * all[x]) / (1.0f - cross[x] + FEW);
        bulk[x] = T[x] - mixf(ground, subject, own[x]);
        cross[x] = bulk[x] * bulk[x];
    }
}

static void stand_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    const float *swell = plane_row(&f->mean, y);
    float *out = plane_row(&f->band[STAND], y);

    (void)worker;
    for (int x = 0; x < f->T.width; x++)
        out[x] = 0.5f * (out[x] + swell[x]);
}

static void bulk_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    const float *T = plane_row(&f->T, y), *var = plane_row(&f->cross, y);
    const float *L = plane_row(&f->m->half[0], y), *own = plane_row(&f->own, y);
    float *bulk = plane_row(&f->bulk, y), *deep = plane_row(&f->deep, y);

    (void)worker;
    for (int x = 0; x < f->T.width; x++) {
        bulk[x] = signed_unit(bulk[x] / sqrtf((var[x] > 0.0f ? var[x] : 0.0f) + 0.015f));
        deep[x] = 0.3f * bulk[x] + 0.8f * (L[x] - T[x]) + 0.25f * own[x];
        bulk[x] *= mixf(GROUND, 1.0f, own[x]);
    }
}

static void gate_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    const float *clear = plane_row(&f->m->coherence, y);
    const float *care = plane_row(&f->m->importance, y), *own = plane_row(&f->own, y);
    float *gate = plane_row(&f->gate, y);

    (void)worker;
    for (int x = 0; x < f->gate.width; x++)
        gate[x] = (0.15f + 0.85f * smoothf(0.25f, 0.7f, clear[x])) *
                  (0.25f + 0.75f * smoothf(0.08f, 0.45f, care[x])) * mixf(GROUND, 1.0f, own[x]);
}

static void detail_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    const float *fine = plane_row(&f->m->fine[0], y);
    float *out = plane_row(&f->detail, y), *shade = plane_row(&f->m->shade, y);
    float range = 1.0f / (f->high - f->low);

    (void)worker;
    for (int x = 0; x < f->detail.width; x++) {
        float T = plane_at(&f->T, 0.5f * ((float)x + 0.5f), 0.5f * ((float)y + 0.5f));
        float d = fine[x] - T;
        // Pores and grain are cored out: they would make sandpaper of every surface.
        out[x] = d * (d * d / (d * d + DETAIL_CORE * DETAIL_CORE));
        shade[x] = clampf((0.35f * T + 0.65f * fine[x] - f->low) * range, 0.0f, 1.0f);
    }
}

static void gradient(const struct plane *p, int x, int y, float *gx, float *gy)
{
    const float *row = plane_row(p, y);
    int left = x > 0 ? x - 1 : 0, right = x + 1 < p->width ? x + 1 : x;
    int up = y > 0 ? y - 1 : 0, down = y + 1 < p->height ? y + 1 : y;

    *gx = 0.5f * (row[right] - row[left]);
    *gy = 0.5f * (plane_row(p, down)[x] - plane_row(p, up)[x]);
}

enum { BINS = 4096 };

// The value under which `share` of the samples lie; they are taken on a grid of about 65 thousand.
static float share_below(const int *bin, int total, float share, float top)
{
    int sum = 0, i = 0;

    while (i < BINS - 1 && (float)(sum + bin[i]) < share * (float)total)
        sum += bin[i++];
    return top * ((float)i + 0.5f) / BINS;
}

static int grid_step(const struct plane *p)
{
    int step = 1;

    while ((p->width / step) * (p->height / step) > 65536)
        step++;
    return step;
}

static float steep_of(const struct plane *p, float per_unit, const struct plane *gate)
{
    static const float TOP = 0.5f;
    int bin[BINS] = {0}, total = 0, step = grid_step(p);

    for (int y = 0; y < p->height; y += step)
        for (int x = 0; x < p->width; x += step, total++) {
            float gx, gy, g = gate ? plane_near(gate, 0.5f * (float)x, 0.5f * (float)y) : 1.0f;
            gradient(p, x, y, &gx, &gy);
            float m = g * per_unit * sqrtf(gx * gx + gy * gy);
            bin[clampi((int)(m * (BINS / TOP)), 0, BINS - 1)]++;
        }
    return share_below(bin, total, 0.9f, TOP);
}

static void find_range(struct form *f)
{
    const struct plane *p = &f->m->half[0];
    int bin[BINS] = {0}, total = 0, step = grid_step(p);

    for (int y = 0; y < p->height; y += step)
        for (int x = 0; x < p->width; x += step, total++)
            bin[clampi((int)(plane_row(p, y)[x] * BINS), 0, BINS - 1)]++;
    f->low = share_below(bin, total, 0.02f, 1.0f);
    f->high = share_below(bin, total, 0.98f, 1.0f);
    // A grey day is not made a stage.
    float lack = 0.35f - (f->high - f->low);
    if (lack > 0.0f) {
        f->low -= 0.5f * lack;
        f->high += 0.5f * lack;
    }
}

static void height_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    float *h = plane_row(&f->m->form, y);

    (void)worker;
    for (int x = 0; x < f->m->form.width; x++) {
        h[x] = 0.0f;
        for (int i = 0; i < BANDS; i++)
            h[x] += f->scale[i] * plane_row(&f->band[i], y)[x];
    }
}

// Steep places bend over: a cliff would only show as a line.
static void bend(float *gx, float *gy, float limit)
{
    float share = 1.0f / sqrtf(1.0f + (*gx * *gx + *gy * *gy) / (limit * limit));

    *gx *= share;
    *gy *= share;
}

static void bulk_slope_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    float per_unit = f->m->half_per_unit;
    float *ox = plane_row(&f->mean, y), *oy = plane_row(&f->cross, y);

    (void)worker;
    for (int x = 0; x < f->T.width; x++) {
        ox[x] = oy[x] = 0.0f;
        for (int i = 0; i < BANDS; i++) {
            float gx, gy;
            gradient(&f->band[i], x, y, &gx, &gy);
            gx *= f->scale[i] * per_unit;
            gy *= f->scale[i] * per_unit;
            bend(&gx, &gy, 2.2f * BAND_SLOPE[i]);
            ox[x] += gx;
            oy[x] += gy;
        }
    }
}

static void full_slope_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    float *ox = plane_row(&f->m->slope_x, y), *oy = plane_row(&f->m->slope_y, y);

    (void)worker;
    for (int x = 0; x < f->detail.width; x++) {
        struct plane_place w =
            plane_place(&f->mean, 0.5f * ((float)x + 0.5f), 0.5f * ((float)y + 0.5f));
        float gx, gy, k = f->detail_scale * f->m->full_per_unit * plane_mix(&f->gate, &w);
        gradient(&f->detail, x, y, &gx, &gy);
        gx *= k;
        gy *= k;
        bend(&gx, &gy, 2.2f * DETAIL_SLOPE);
        ox[x] = gx + plane_mix(&f->mean, &w);
        oy[x] = gy + plane_mix(&f->cross, &w);
    }
}

static void cavity_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    const float *deep = plane_row(&f->deep, y), *around = plane_row(&f->mean, y);
    float *sum = plane_row(&f->m->cavity, y);

    (void)worker;
    for (int x = 0; x < f->deep.width; x++) {
        float below = deep[x] - around[x];
        sum[x] += below < 0.0f ? below : 0.0f;
    }
}

static void cavity_end_row(void *ctx, int y, int worker)
{
    const struct form *f = ctx;
    float *c = plane_row(&f->m->cavity, y);

    (void)worker;
    for (int x = 0; x < f->deep.width; x++)
        c[x] = exp_approx(3.5f * c[x]);
}

static bool make_bulk(struct map_maker *k, struct form *f)
{
    int rows = f->T.height;

    return rows_run(k, rows, copy_row, f) && smooth(k, f, 0.02f) && smooth(k, f, 0.01f) &&
           half_blur(k, &f->m->subject, &f->own, 1.5f) && outline(k, f) &&
           rows_run(k, rows, split_row, f) && half_blur(k, &f->T, &f->mean, 80.0f) &&
           half_blur(k, &f->deep, &f->deep, 80.0f) && half_blur(k, &f->own, &f->cross, 80.0f) &&
           rows_run(k, rows, against_row, f) && half_blur(k, &f->cross, &f->cross, 80.0f) &&
           rows_run(k, rows, bulk_row, f);
}

static bool make_height(struct map_maker *k, struct form *f)
{
    for (int i = 0; i < ROUND; i++) {
        if (!half_blur(k, &f->bulk, &f->band[i], BAND_UNITS[i]))
            return false;
        float steep = steep_of(&f->band[i], f->m->half_per_unit, NULL);
        f->scale[i] = BAND_SLOPE[i] / (steep > SLOPE_LEAST ? steep : SLOPE_LEAST);
    }
    f->scale[STAND] = STAND_HEIGHT;
    return half_blur(k, &f->own, &f->band[STAND], STAND_RIM) &&
           half_blur(k, &f->own, &f->mean, STAND_SWELL) && rows_run(k, f->T.height, stand_row, f) &&
           rows_run(k, f->T.height, height_row, f);
}

static bool make_cavity(struct map_maker *k, struct form *f)
{
    static const float REACH[] = {4.0f, 12.0f, 32.0f}; /* units */

    for (size_t i = 0; i < sizeof(REACH) / sizeof(REACH[0]); i++)
        if (!half_blur(k, &f->deep, &f->mean, REACH[i]) || !rows_run(k, f->T.height, cavity_row, f))
            return false;
    return rows_run(k, f->T.height, cavity_end_row, f);
}

static bool make_slopes(struct map_maker *k, struct form *f)
{
    int rows = f->detail.height;

    find_range(f);
    if (!rows_run(k, f->T.height, gate_row, f) || !half_blur(k, &f->gate, &f->gate, 2.5f) ||
        !rows_run(k, rows, detail_row, f) ||
        !plane_blur(&f->detail, &f->detail, 1.1f * f->m->full_per_unit, &k->scratch))
        return false;
    float steep = steep_of(&f->detail, f->m->full_per_unit, &f->gate);
    f->detail_scale = DETAIL_SLOPE / (steep > DETAIL_LEAST ? steep : DETAIL_LEAST);
    return rows_run(k, f->T.height, bulk_slope_row, f) && rows_run(k, rows, full_slope_row, f);
}

enum { WORK = 7 + BANDS };

enum err maps_form(struct map_maker *k)
{
    struct look_maps *m = k->m;
    struct form f = {.m = m};
    struct plane tmp[WORK], kept[2];
    int w = m->full[0].width, h = m->full[0].height;
    enum err e = half_planes(k, tmp, WORK);

    if (e != ERR_OK)
        return e;
    f.T = tmp[0], f.mean = tmp[1], f.cross = tmp[2];
    f.bulk = tmp[3], f.gate = tmp[4], f.deep = tmp[5];
    f.own = tmp[6];
    for (int i = 0; i < BANDS; i++)
        f.band[i] = tmp[7 + i];
    e = half_planes(k, kept, 2);
    if (e != ERR_OK)
        goto out;
    m->form = kept[0];
    m->cavity = kept[1];
    e = plane_new(&f.detail, w, h);
    if (e == ERR_OK)
        e = plane_new(&m->slope_x, w, h);
    if (e == ERR_OK)
        e = plane_new(&m->slope_y, w, h);
    if (e == ERR_OK)
        e = plane_new(&m->shade, w, h);
    if (e == ERR_OK &&
        (!make_bulk(k, &f) || !make_height(k, &f) || !make_cavity(k, &f) || !make_slopes(k, &f)))
        e = ERR_CANCELLED;
out:
    plane_release(&f.detail);
    planes_release(tmp, WORK);
    return e;
}
