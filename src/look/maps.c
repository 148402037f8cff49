/* SPDX-License-Identifier: MIT */
#include "look/maps.h"

#include "image/colour.h"
#include "look/colour.h"
#include "look/maps_internal.h"
#include "look/mood_scene.h"
#include "look/span.h"

#include <stdlib.h>

static const float UNITS_LONG = 1024.0f;
static const float UNITS_SHORT_MIN = 384.0f;

float look_px_per_unit(int width, int height)
{
    float by_long = (float)(width > height ? width : height) / UNITS_LONG;
    float by_short = (float)(width > height ? height : width) / UNITS_SHORT_MIN;

    return by_long < by_short ? by_long : by_short;
}

enum err half_planes(const struct map_maker *k, struct plane *p, int count)
{
    for (int i = 0; i < count; i++)
        p[i] = (struct plane){0};
    for (int i = 0; i < count; i++) {
        enum err e =
            plane_new(&p[i], (k->m->full[0].width + 1) / 2, (k->m->full[0].height + 1) / 2);
        if (e != ERR_OK) {
            planes_release(p, count);
            return e;
        }
    }
    return ERR_OK;
}

void planes_release(struct plane *p, int count)
{
    for (int i = 0; i < count; i++)
        plane_release(&p[i]);
}

bool half_blur(struct map_maker *k, const struct plane *from, struct plane *to, float units)
{
    return plane_blur(from, to, units * k->m->half_per_unit, &k->scratch);
}

bool rows_run(struct map_maker *k, int rows, pool_fn *fn, void *ctx)
{
    return pool_run(k->pool, rows, fn, ctx, k->cancel);
}

/*
 * The photo in OKLab. When the result is larger than one pixel per unit, each pixel of the map is
 * the mean, in linear light, of the pixels it covers.
 */
struct convert {
    const struct image *source;
    struct look_maps *m;
    float step; /* source pixels per map pixel, at least 1 */
};

static void add_pixel(const struct convert *c, int x, int y, float w, float rgb[3])
{
    const uint8_t *px = c->source->px + (size_t)y * c->source->stride + 4 * (size_t)x;

    for (int k = 0; k < 3; k++)
        rgb[k] += w * srgb_linear[px[k]];
}

// The mean of what pixel x of a row covers.
static void mean_of(const struct convert *c, int x, float y0, float out[3])
{
    int w = c->source->width, h = c->source->height;
    float x0 = (float)x * c->step, x1 = x0 + c->step, y1 = y0 + c->step;
    float rgb[3] = {0}, weight = 0.0f;

    for (int j = (int)y0; j < h && (float)j < y1; j++) {
        float wy = clampf(y1 - (float)j, 0.0f, 1.0f) - clampf(y0 - (float)j, 0.0f, 1.0f);
        for (int i = (int)x0; i < w && (float)i < x1; i++) {
            float wx = clampf(x1 - (float)i, 0.0f, 1.0f) - clampf(x0 - (float)i, 0.0f, 1.0f);
            add_pixel(c, i, j, wx * wy, rgb);
            weight += wx * wy;
        }
    }
    for (int k = 0; k < 3; k++)
        out[k] = weight > 0.0f ? rgb[k] / weight : 0.0f;
}

static void convert_row(void *ctx, int y, int worker)
{
    const struct convert *c = ctx;
    int w = c->m->full[0].width;
    float *lab[LAB];

    (void)worker;
    for (int k = 0; k < LAB; k++)
        lab[k] = plane_row(&c->m->full[k], y);
    for (int x0 = 0; x0 < w; x0 += SPAN) {
        int n = span_of(x0, w);
        float light[3][SPAN];
        for (int i = 0; i < n; i++) {
            float rgb[3];
            mean_of(c, x0 + i, (float)y * c->step, rgb);
            for (int k = 0; k < 3; k++)
                light[k][i] = rgb[k];
        }
        for (int i = 0; i < n; i++) {
            float out[LAB];
            oklab_from_linear(light[0][i], light[1][i], light[2][i], out);
            for (int k = 0; k < LAB; k++)
                lab[k][x0 + i] = out[k];
        }
    }
}

// Immerkaer 1996: the mean absolute response of a mask that is blind to edges and ramps. Rows in
// steps, summed in order, so that threads cannot change it.
static float noise_of(const struct plane *p)
{
    double sum = 0.0;
    int64_t n = 0;

    for (int y = 1; y + 1 < p->height; y += 2) {
        const float *a = plane_row(p, y - 1), *b = plane_row(p, y), *c = plane_row(p, y + 1);
        for (int x = 1; x + 1 < p->width; x++) {
            float v = a[x - 1] + a[x + 1] + c[x - 1] + c[x + 1] + 4.0f * b[x] -
                      2.0f * (a[x] + b[x - 1] + b[x + 1] + c[x]);
            float size = fabsf(v);
            // Texture and lettering are no noise: large responses do not count.
            if (size < 0.18f) {
                sum += size;
                n++;
            }
        }
    }
    return n ? (float)(1.2533141 / 6.0 * sum / (double)n) : 0.0f;
}

enum err maps_colour(struct map_maker *k, const struct image *source)
{
    struct look_maps *m = k->m;
    struct convert c = {.source = source, .m = m};
    enum err e = ERR_OK;

    c.step = m->px_per_unit > 1.0f ? m->px_per_unit : 1.0f;
    m->full_per_unit = m->px_per_unit / c.step;
    m->half_per_unit = 0.5f * m->full_per_unit;
    int w = (int)((float)m->width / c.step + 0.999f), h = (int)((float)m->height / c.step + 0.999f);
    for (int i = 0; i < LAB && e == ERR_OK; i++)
        e = plane_new(&m->full[i], w, h);
    if (e == ERR_OK)
        e = blur_scratch_new(&k->scratch, w, h, k->pool, k->cancel);
    if (e == ERR_OK)
        e = half_planes(k, m->half, LAB);
    if (e != ERR_OK)
        return e;
    if (!rows_run(k, h, convert_row, &c))
        return ERR_CANCELLED;
    for (int i = 0; i < LAB; i++)
        if (!plane_resample(&m->full[i], &m->half[i], k->pool, k->cancel))
            return ERR_CANCELLED;
    m->noise = noise_of(&m->full[0]);
    return ERR_OK;
}

enum err look_maps_new(const struct image *source, uint32_t needs, struct pool *pool,
                       const atomic_bool *cancel, struct look_maps **out)
{
    return look_maps_detailed(source, needs, 1.0f, pool, cancel, out);
}

enum err maps_make(struct map_maker *k, const struct image *source, uint32_t needs, float detail)
{
    if (needs & NEED_FORM)
        needs |= NEED_FINE | NEED_IMPORTANCE | NEED_SUBJECT;
    enum err e = maps_colour(k, source);
    if (e == ERR_OK && detail != 1.0f)
        e = maps_detail(k, detail);
    if (e == ERR_OK && needs & (NEED_FINE | NEED_LINES | NEED_TONE | NEED_FLAT | NEED_INK))
        e = maps_fine(k);
    if (e == ERR_OK &&
        needs & (NEED_FLOW | NEED_ABSTRACT | NEED_IMPORTANCE | NEED_LINES | NEED_FLAT | NEED_INK))
        e = maps_flow(k);
    if (e == ERR_OK && needs & NEED_ABSTRACT)
        e = maps_abstract(k);
    if (e == ERR_OK && needs & (NEED_IMPORTANCE | NEED_FLAT | NEED_INK))
        e = maps_importance(k);
    if (e == ERR_OK && needs & (NEED_FLAT | NEED_INK))
        e = maps_flat(k);
    if (e == ERR_OK && needs & (NEED_FLAT | NEED_INK))
        e = maps_strokes(k);
    if (e == ERR_OK && needs & NEED_INK)
        e = maps_ink(k);
    if (e == ERR_OK && needs & NEED_LINES)
        e = maps_lines(k);
    if (e == ERR_OK && needs & NEED_TONE)
        e = maps_tone(k);
    if (e == ERR_OK && needs & NEED_SUBJECT)
        e = maps_subject(k);
    if (e == ERR_OK && needs & NEED_FORM)
        e = maps_form(k);
    return e;
}

enum err look_maps_detailed(const struct image *source, uint32_t needs, float detail,
                            struct pool *pool, const atomic_bool *cancel, struct look_maps **out)
{
    struct map_maker k = {.pool = pool, .cancel = cancel};
    enum err e = ERR_NOMEM;

    k.m = calloc(1, sizeof(*k.m));
    if (!k.m)
        goto out;
    k.m->width = source->width;
    k.m->height = source->height;
    k.m->px_per_unit = look_px_per_unit(source->width, source->height);
    e = maps_make(&k, source, needs, detail);
    if (e == ERR_OK) {
        *out = k.m;
        k.m = NULL;
    }
out:
    blur_scratch_release(&k.scratch);
    look_maps_free(k.m);
    return e;
}

#define MAP(field, need, planes)                                \
    {                                                           \
#field, need, planes, offsetof(struct look_maps, field) \
    }
const struct look_map look_map_table[] = {
    MAP(full, 0, LAB),
    MAP(half, 0, LAB),
    MAP(fine, NEED_FINE, LAB),
    MAP(mid, NEED_ABSTRACT, LAB),
    MAP(coarse, NEED_ABSTRACT, LAB),
    MAP(flow_c, NEED_FLOW, 1),
    MAP(flow_s, NEED_FLOW, 1),
    MAP(coherence, NEED_FLOW, 1),
    MAP(importance, NEED_IMPORTANCE, 1),
    MAP(lettering, NEED_IMPORTANCE, 1),
    MAP(skew, NEED_IMPORTANCE, 1),
    MAP(lines, NEED_LINES, 1),
    MAP(tone, NEED_TONE, 1),
    MAP(flat, NEED_FLAT, LAB),
    MAP(strokes, NEED_FLAT, 1),
    MAP(ink, NEED_INK, 1),
    MAP(ridge, NEED_INK, 1),
    MAP(subject, NEED_SUBJECT, 1),
    MAP(form, NEED_FORM, 1),
    MAP(slope_x, NEED_FORM, 1),
    MAP(slope_y, NEED_FORM, 1),
    MAP(cavity, NEED_FORM, 1),
    MAP(shade, NEED_FORM, 1),
    {0},
};
#undef MAP

void look_maps_free(struct look_maps *m)
{
    if (!m)
        return;
    mood_scene_free(m->mood);
    for (const struct look_map *map = look_map_table; map->name; map++)
        planes_release(look_map_planes(m, map), map->planes);
    free(m);
}

enum { PHOTO = 1 << 30 }; // what every look needs: full and half

/* What each map takes at full size. Those that others are made from count where they are needed. */
static const struct {
    uint32_t need;    /* any of these asks for it */
    float full, half; /* planes that stay */
    int cost_ms;      /* of one usual processor for a megapixel of the maps */
} COST[] = {
    {PHOTO, 3, 3, 30},
    {NEED_FINE | NEED_LINES | NEED_TONE | NEED_FLAT | NEED_INK | NEED_FORM, 3, 0, 24},
    {NEED_FLOW | NEED_ABSTRACT | NEED_IMPORTANCE | NEED_LINES | NEED_INK | NEED_FORM, 0, 3, 11},
    {NEED_ABSTRACT, 0, 6, 35},
    {NEED_IMPORTANCE | NEED_FLAT | NEED_INK | NEED_FORM, 0, 3, 11},
    {NEED_FLAT | NEED_INK, 3, 1, 224},
    {NEED_INK, 2, 0, 72},
    {NEED_LINES, 1, 0, 53},
    {NEED_TONE, 1, 0, 7},
    {NEED_FORM, 3, 4, 53},
};

static double full_pixels(int width, int height)
{
    float unit = look_px_per_unit(width, height), step = unit > 1.0f ? unit : 1.0f;

    return (double)width * height / ((double)step * step);
}

int64_t look_maps_bytes(int width, int height, uint32_t needs)
{
    double planes = 0.0;

    for (size_t i = 0; i < sizeof(COST) / sizeof(COST[0]); i++)
        if (COST[i].need & (needs | PHOTO))
            planes += (double)(COST[i].full + COST[i].half / 4.0f);
    return (int64_t)(full_pixels(width, height) * (double)sizeof(float) * planes);
}

double look_maps_ms(int width, int height, uint32_t needs)
{
    int ms = 0;

    for (size_t i = 0; i < sizeof(COST) / sizeof(COST[0]); i++)
        if (COST[i].need & (needs | PHOTO))
            ms += COST[i].cost_ms;
    return full_pixels(width, height) / 1e6 * ms;
}
