/* SPDX-License-Identifier: MIT */
#include "look/mood_internal.h"

#include <string.h>

/*
 * The maps lit anew. Colours are worked out at half size and brought to full size with the photo's
 * own lightness on top: L' = offset + gain L, with offset and gain from half size. Half the
 * resolution is all that colour needs.
 */
struct relit {
    const struct mood_scene *s;
    struct look_maps *m;
    struct plane *half;        /* colours to light, half size */
    struct plane *full, *also; /* two maps of full size that follow; may be NULL */
    struct plane gain, offset;
    struct plane a, b;
};

struct place {
    float u, v; /* shares of width and height */
    float ux, uy;
    float sky, far, side, pool, air;
};

static void hue_by_place(const struct mood_scene *s, const struct place *at, float lab[LAB])
{
    float C = sqrtf(lab[1] * lab[1] + lab[2] * lab[2]), c, sn;
    float room = clampf(5.0f * lab[0] * (1.04f - lab[0]), 0.0f, 1.0f);
    float strength = room * (0.1f + 0.5f * C), share = s->light->spectrum;

    turn_approx(mood_hue_at(at->u, at->v), &c, &sn);
    lab[1] = mixf(lab[1], strength * c, share);
    lab[2] = mixf(lab[2], strength * sn, share);
}

// Ground, grass and leaves under snow; skin and walls are redder.
static void frost(const struct mood_scene *s, float lab[LAB])
{
    float a = lab[1], b = lab[2];
    float share = s->light->frost * smoothf(0.008f, 0.03f, b) *
                  (1.0f - smoothf(0.2f, 0.55f, a / (b > 0.01f ? b : 0.01f)));

    lab[0] = mixf(lab[0], 0.62f + 0.42f * lab[0], share);
    lab[1] *= 1.0f - 0.9f * share;
    lab[2] = mixf(lab[2], -0.012f, 0.95f * share);
}

static float bend(float L)
{
    if (L > 0.9f)
        return 0.9f + 0.1f * (L - 0.9f) / (L - 0.8f);
    return L < 0.1f ? 0.1f * 0.1f / (0.2f - L) : L;
}

// Tone of one place: exposure, the pool of light, contrast. *gain is its slope.
static float tone_at(const struct mood_scene *s, const struct place *at, float L, float *gain)
{
    const struct mood_light *l = s->light;
    float light = at->pool;

    if (l->side > 0.0f)
        light *= 1.0f + 0.28f * l->side * at->side;
    else if (l->side < 0.0f)
        light *= 1.0f + l->side * (0.42f * (1.0f - at->far) - 0.12f * at->side);
    float exposure = s->exposure + (s->exposure_white - s->exposure) * L * L;
    float contrast = 1.0f + l->contrast;
    float x = L * exposure * light;
    float range = 1.0f - l->black - l->white;
    *gain = exposure * light * contrast * range;
    return l->black + range * bend(s->pivot + (x - s->pivot) * contrast);
}

static void veil_over(const float veil[LAB], float share, float lab[LAB], float *gain)
{
    for (int k = 0; k < LAB; k++)
        lab[k] = mixf(lab[k], veil[k], share);
    *gain *= 1.0f - share;
}

static void sky_over(const struct mood_scene *s, const struct place *at, float was, float lab[LAB],
                     float *gain)
{
    float dome[LAB], share = s->light->sky * at->sky;
    float bottom = s->fields.horizon > 0.15f ? s->fields.horizon : 0.15f;
    // The photo's own clouds stay, lit by the key.
    float cloud = was - s->fields.sky_L;

    mood_ramp_at(s->dome, 1.0f - at->v / bottom, dome);
    dome[0] = clampf(dome[0] + 0.6f * cloud, 0.03f, 0.99f);
    if (cloud > 0.0f)
        for (int k = 1; k < LAB; k++)
            dome[k] *= 1.0f - clampf(1.2f * cloud, 0.0f, 0.5f);
    for (int k = 0; k < LAB; k++)
        lab[k] = mixf(lab[k], dome[k], share);
    *gain = mixf(*gain, 0.6f, share);
}

static void tone_colour(const struct mood_scene *s, float lab[LAB], float *gain)
{
    float ramp[LAB], share = s->light->toned;
    float dark = s->tone[0][0], light = s->tone[MOOD_STOPS - 1][0];

    mood_ramp_at(s->tone, lab[0], ramp);
    lab[0] = mixf(lab[0], dark + (light - dark) * lab[0], share);
    *gain *= mixf(1.0f, light - dark, share);
    lab[1] = mixf(lab[1], ramp[1], share);
    lab[2] = mixf(lab[2], ramp[2], share);
}

static float rain_at(float ux, float uy)
{
    float across = (ux + 0.18f * uy) / 7.0f, along = uy / 120.0f;
    float streak = noise_at(across, along + 0.9f * noise_at(0.5f * across, 3.0f, 812u), 811u);

    return smoothf(0.6f, 0.95f, streak);
}

// Lights one colour; returns dL'/dL.
static float relight_pixel(const struct mood_scene *s, const struct place *at, float lab[LAB])
{
    const struct mood_light *l = s->light;
    float was = lab[0], gain;

    if (l->frost > 0.0f)
        frost(s, lab);
    if (s->palette.count > 0)
        mood_palette_move(&s->palette, lab);
    if (l->spectrum > 0.0f)
        hue_by_place(s, at, lab);
    float lit = smoothf(s->lo, s->hi, lab[0]) + 0.35f * l->side * at->side;
    float before = lab[0], chroma = s->chroma * (1.0f - l->grey);
    float L = tone_at(s, at, before, &gain);
    // Chroma goes with the light, but not all of it into the dark.
    float kept = before > 0.02f ? clampf(L / before, 0.0f, 1.2f) : 1.0f;
    chroma *= 0.3f + 0.7f * kept;
    lab[0] = L;
    lab[1] *= chroma;
    lab[2] *= chroma;
    mood_shine(s, clampf(lit, 0.0f, 1.0f), lab);
    if (l->sky > 0.0f)
        sky_over(s, at, was, lab, &gain);
    if (l->haze > 0.0f)
        veil_over(s->veil, at->air, lab, &gain);
    if (l->grey > 0.0f) {
        lab[1] *= 1.0f - l->grey;
        lab[2] *= 1.0f - l->grey;
    }
    if (l->toned > 0.0f)
        tone_colour(s, lab, &gain);
    if (l->rain > 0.0f)
        lab[0] += 0.16f * l->rain * rain_at(at->ux, at->uy);
    lab[0] = clampf(lab[0], 0.0f, 1.0f);
    return gain;
}

static void half_row(void *ctx, int y, int worker)
{
    const struct relit *r = ctx;
    const struct mood_fields *f = &r->s->fields;
    int w = r->gain.width, h = r->gain.height;
    float per = 1.0f / r->s->half_per_unit;
    struct place at = {.v = ((float)y + 0.5f) / (float)h, .uy = ((float)y + 0.5f) * per};

    (void)worker;
    for (int x = 0; x < w; x++) {
        float lab[LAB];
        for (int k = 0; k < LAB; k++)
            lab[k] = plane_row(&r->half[k], y)[x];
        float L = lab[0];
        at.u = ((float)x + 0.5f) / (float)w;
        at.ux = ((float)x + 0.5f) * per;
        at.sky = plane_row(&f->sky, y)[x];
        at.far = plane_row(&f->far, y)[x];
        at.side = plane_row(&f->side, y)[x];
        at.pool = plane_row(&r->s->pool, y)[x];
        at.air = plane_row(&r->s->air, y)[x];
        float gain = clampf(relight_pixel(r->s, &at, lab), 0.0f, 2.2f);
        plane_row(&r->gain, y)[x] = gain;
        plane_row(&r->offset, y)[x] = lab[0] - gain * L;
        plane_row(&r->a, y)[x] = lab[1];
        plane_row(&r->b, y)[x] = lab[2];
        for (int k = 0; k < LAB; k++)
            plane_row(&r->half[k], y)[x] = lab[k];
    }
}

// Tone is spread over all of 0..1 for drawing: what became darker or lighter, by share.
static inline float follow(float tone, float was, float is)
{
    float darker = tone * mixf(1.0f, is / (was + 1e-3f), 0.8f);
    float lighter = 1.0f - (1.0f - tone) * mixf(1.0f, (1.0f - is) / (1.001f - was), 0.6f);

    return clampf(is < was ? darker : lighter, 0.0f, 1.0f);
}

/* What became of the colours of a span. */
struct relit_span {
    float gain[SPAN], offset[SPAN], a[SPAN], b[SPAN];
};

static void follow_span(const struct relit_span *r, struct plane map[LAB], int x0, int y, int n,
                        float *restrict tone)
{
    float *restrict L = plane_row(&map[0], y) + x0;

    for (int i = 0; i < n; i++) {
        float was = L[i];
        L[i] = clampf(r->offset[i] + r->gain[i] * was, 0.0f, 1.0f);
        if (tone)
            tone[i] = follow(tone[i], was, L[i]);
    }
    memcpy(plane_row(&map[1], y) + x0, r->a, (size_t)n * sizeof(float));
    memcpy(plane_row(&map[2], y) + x0, r->b, (size_t)n * sizeof(float));
}

static void full_row(void *ctx, int y, int worker)
{
    const struct relit *r = ctx;
    struct plane *tone = r->full == r->m->full && r->m->tone.px ? &r->m->tone : NULL;
    float at = (float)y + 0.5f, x[SPAN];
    int w = r->full[0].width;

    (void)worker;
    for (int x0 = 0; x0 < w; x0 += SPAN) {
        int n = span_of(x0, w);
        struct relit_span is;
        for (int i = 0; i < n; i++)
            x[i] = (float)(x0 + i) + 0.5f;
        span_plane_row(&r->gain, 0.5f, x, at, n, is.gain);
        span_plane_row(&r->offset, 0.5f, x, at, n, is.offset);
        span_plane_row(&r->a, 0.5f, x, at, n, is.a);
        span_plane_row(&r->b, 0.5f, x, at, n, is.b);
        follow_span(&is, r->full, x0, y, n, tone ? plane_row(tone, y) + x0 : NULL);
        if (r->also)
            follow_span(&is, r->also, x0, y, n, NULL);
    }
}

static bool light(struct relit *r, struct plane *half, struct plane *full, struct plane *also,
                  struct pool *pool, const atomic_bool *cancel)
{
    r->half = half;
    r->full = full;
    r->also = also;
    return pool_run(pool, r->gain.height, half_row, r, cancel) &&
           (!full || pool_run(pool, full[0].height, full_row, r, cancel));
}

enum err mood_relight(const struct mood_scene *s, struct look_maps *m, struct pool *pool,
                      const atomic_bool *cancel)
{
    struct relit r = {.s = s, .m = m};
    struct plane flat[LAB] = {{0}}, *own[] = {&r.gain, &r.offset, &r.a, &r.b};
    enum err e = ERR_OK;

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && e == ERR_OK; i++)
        e = plane_new(own[i], m->half[0].width, m->half[0].height);
    for (int k = 0; k < LAB && m->flat[0].px && e == ERR_OK; k++)
        e = plane_new(&flat[k], m->half[0].width, m->half[0].height);
    if (e != ERR_OK)
        goto out;
    bool solid = m->form.px && !m->mid[0].px && !m->flat[0].px && !m->tone.px && !m->lines.px;
    // Solid materials have colours of their own: nobody looks at these but for the largest forms.
    bool go =
        light(&r, m->half, solid ? NULL : m->full, m->fine[0].px ? m->fine : NULL, pool, cancel);
    if (go && m->mid[0].px)
        go = light(&r, m->mid, NULL, NULL, pool, cancel) &&
             light(&r, m->coarse, NULL, NULL, pool, cancel);
    for (int k = 0; k < LAB && go && flat[0].px; k++)
        go = plane_resample(&m->flat[k], &flat[k], pool, cancel);
    if (go && flat[0].px)
        go = light(&r, flat, m->flat, NULL, pool, cancel);
    e = go ? ERR_OK : ERR_CANCELLED;
out:
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        plane_release(own[i]);
    for (int k = 0; k < LAB; k++)
        plane_release(&flat[k]);
    return e;
}
