/* SPDX-License-Identifier: MIT */
#include "look/mood_internal.h"

#include "look/colour.h"

#include <stdlib.h>

// Roots of cone responses from OKLab, and back.
static void roots_of(const float lab[LAB], float lms[3])
{
    lms[0] = lab[0] + 0.3963377774f * lab[1] + 0.2158037573f * lab[2];
    lms[1] = lab[0] - 0.1055613458f * lab[1] - 0.0638541728f * lab[2];
    lms[2] = lab[0] - 0.0894841775f * lab[1] - 1.2914855480f * lab[2];
}

static void lab_of(const float lms[3], float lab[LAB])
{
    lab[0] = 0.2104542553f * lms[0] + 0.7936177850f * lms[1] - 0.0040720468f * lms[2];
    lab[1] = 1.9779984951f * lms[0] - 2.4285922050f * lms[1] + 0.4505937099f * lms[2];
    lab[2] = 0.0259040371f * lms[0] + 0.7827717662f * lms[1] - 0.8086757660f * lms[2];
}

void mood_shine(const struct mood_scene *s, float w, float lab[LAB])
{
    float lms[3];

    roots_of(lab, lms);
    for (int k = 0; k < 3; k++)
        lms[k] *= mixf(s->fill[k], s->key[k], w);
    lab_of(lms, lab);
}

void mood_ramp_at(const float ramp[MOOD_STOPS][LAB], float t, float lab[LAB])
{
    float at = clampf(t, 0.0f, 1.0f) * (MOOD_STOPS - 1);
    int i = clampi((int)at, 0, MOOD_STOPS - 2);

    for (int k = 0; k < LAB; k++)
        lab[k] = mixf(ramp[i][k], ramp[i + 1][k], at - (float)i);
}

float mood_pool_at(const struct mood_scene *s, float u, float v)
{
    float dx = (u - s->fields.mid_x) / 0.62f, dy = (v - s->fields.mid_y) / 0.66f;

    return 1.0f - s->light->pool * 0.85f * smoothf(0.25f, 1.25f, sqrtf(dx * dx + dy * dy));
}

// Of the light's colour without its strength; black is a light that is not named.
static void gains_of(uint32_t rgb, float out[3])
{
    float lab[LAB];

    mood_lab(rgb ? rgb : 0xffffff, lab);
    roots_of(lab, out);
    for (int k = 0; k < 3; k++)
        out[k] /= lab[0];
}

// Lightness below which the given shares of the picture lie.
static void lightness_ranks(const struct plane *L, const float *share, float *out, int n)
{
    enum { BINS = 128 };
    int64_t count[BINS] = {0}, all = (int64_t)L->width * L->height, below = 0;
    int i = 0;

    for (int64_t k = 0; k < all; k++)
        count[clampi((int)(L->px[k] * BINS), 0, BINS - 1)]++;
    for (int r = 0; r < n; r++) {
        while (i < BINS - 1 && (double)(below + count[i]) < (double)share[r] * (double)all)
            below += count[i++];
        out[r] = ((float)i + 0.5f) / BINS;
    }
}

static void measure(struct mood_scene *s, const struct look_maps *m)
{
    static const float RANKS[] = {0.04f, 0.5f, 0.96f};
    const struct mood_light *l = s->light;
    float at[3];

    lightness_ranks(&m->half[0], RANKS, at, 3);
    s->lo = at[0];
    s->hi = at[2] > at[0] + 0.2f ? at[2] : at[0] + 0.2f;
    s->exposure = 1.0f;
    if (l->level > 0.0f)
        s->exposure = clampf(mixf(1.0f, l->level / (at[1] + 0.02f), 0.85f), 0.4f, 1.45f);
    // Lights lose less than the middle does; nothing gets lighter than white.
    s->exposure_white = s->exposure < 1.0f ? 1.0f - 0.55f * (1.0f - s->exposure) : 1.0f;
    s->pivot = clampf(at[1] * s->exposure, 0.25f, 0.75f);
}

enum err mood_light_maps(const struct look_mood *mood, struct look_maps *maps, struct pool *pool,
                         const atomic_bool *cancel)
{
    struct mood_scene *s = calloc(1, sizeof(*s));
    enum err e;

    if (!s)
        return ERR_NOMEM;
    s->light = &mood->light;
    s->width = (float)maps->width / maps->px_per_unit;
    s->height = (float)maps->height / maps->px_per_unit;
    s->half_per_unit = maps->half_per_unit;
    gains_of(mood->light.key, s->key);
    gains_of(mood->light.fill ? mood->light.fill : mood->light.key, s->fill);
    for (int i = 0; i < MOOD_STOPS; i++) {
        mood_lab(mood->light.dome.stop[i], s->dome[i]);
        mood_lab(mood->light.tone.stop[i], s->tone[i]);
    }
    mood_lab(mood->light.veil, s->veil);
    measure(s, maps);
    mood_palette_make(mood, maps->half, &s->palette);
    e = mood_fields_make(&s->fields, maps, pool, cancel);
    if (e == ERR_OK)
        e = mood_relight(s, maps, pool, cancel);
    maps->mood = s;
    return e;
}

void mood_scene_free(struct mood_scene *s)
{
    if (!s)
        return;
    mood_fields_release(&s->fields);
    free(s);
}

// Share of the veil at a place in units.
static float air_at(const struct mood_scene *s, float x, float y)
{
    if (s->light->haze <= 0.0f)
        return 0.0f;
    float far = plane_at(&s->fields.far, x * s->half_per_unit, y * s->half_per_unit);
    return s->light->haze * (0.1f + 0.8f * far * far);
}

// The palette's darkest or lightest colour.
static const float *palette_end(const struct mood_palette *p, float sign)
{
    const float *best = p->lab[0];

    for (int i = 1; i < p->count; i++)
        if (sign * (p->lab[i][0] - best[0]) > 0.0f)
            best = p->lab[i];
    return best;
}

void mood_ink(const struct mood_scene *s, float x, float y, float lab[LAB])
{
    if (!s)
        return;
    const struct mood_light *l = s->light;
    float shadow[LAB] = {0.45f, 0.0f, 0.0f};

    mood_shine(s, 0.0f, shadow);
    lab[1] += 0.8f * shadow[1];
    lab[2] += 0.8f * shadow[2];
    if (s->palette.count > 0) {
        const float *dark = palette_end(&s->palette, -1.0f);
        lab[0] = clampf(mixf(lab[0], dark[0], 0.5f), lab[0], 0.5f);
        lab[1] += 0.85f * dark[1];
        lab[2] += 0.85f * dark[2];
    }
    lab[0] = mixf(lab[0], s->tone[0][0] > lab[0] ? s->tone[0][0] : lab[0], l->toned);
    for (int k = 1; k < LAB; k++) {
        // The ink is seen in a thin layer, so it is a little lighter than the darkest tone.
        float tone = 0.5f * (s->tone[0][k] + s->tone[1][k]);
        lab[k] = mixf(lab[k], tone, l->toned) * (1.0f - l->grey);
    }
    // What is far is drawn with a light hand.
    lab[0] = mixf(lab[0], 0.85f, 0.9f * air_at(s, x, y));
}

void mood_paper(const struct mood_scene *s, float lab[LAB])
{
    if (!s)
        return;
    const struct mood_light *l = s->light;
    float lit[LAB] = {0.9f, 0.0f, 0.0f};

    mood_shine(s, 1.0f, lit);
    lab[0] *= s->exposure < 1.0f ? mixf(1.0f, s->exposure, 0.35f) : 1.0f;
    lab[1] += 0.45f * lit[1];
    lab[2] += 0.45f * lit[2];
    if (s->palette.count > 1) {
        const float *light = palette_end(&s->palette, 1.0f);
        lab[0] = mixf(lab[0], light[0] < lab[0] ? light[0] : lab[0], 0.4f);
        lab[1] += 0.5f * light[1];
        lab[2] += 0.5f * light[2];
    }
    for (int k = 0; k < LAB; k++)
        lab[k] = mixf(lab[k], s->tone[MOOD_STOPS - 1][k], l->toned);
    for (int k = 1; k < LAB; k++)
        lab[k] *= 1.0f - l->grey;
}

static void linear_gains(const float lab[LAB], float out[3])
{
    float L = lab[0] > 0.05f ? lab[0] : 0.05f;

    linear_from_oklab(0.8f, 0.8f * lab[1] / L, 0.8f * lab[2] / L, out);
    for (int k = 0; k < 3; k++)
        out[k] = clampf(out[k] / 0.512f, 0.05f, 3.0f);
}

void mood_lamp_at(const struct mood_scene *s, float x, float y, float lit, float up,
                  struct mood_lamp *out)
{
    *out = (struct mood_lamp){.gain = {1.0f, 1.0f, 1.0f}};
    if (!s)
        return;
    const struct mood_light *l = s->light;
    float w = clampf(lit, 0.0f, 1.0f), lab[LAB] = {0.8f, 0.0f, 0.0f}, gain[3];
    float L = mixf(s->exposure, s->exposure_white, 0.5f * w);

    mood_shine(s, w, lab);
    if (s->palette.count > 0) {
        // Coloured lamps: the darkest colour fills the shadows.
        const float *dark = palette_end(&s->palette, -1.0f);
        const float *light = palette_end(&s->palette, 1.0f);
        for (int k = 1; k < LAB; k++)
            lab[k] += 0.75f * mixf(dark[k], light[k], w);
    }
    if (l->sky > 0.0f) {
        float sky[LAB], share = 0.6f * l->sky * smoothf(-0.2f, 0.9f, up);
        mood_ramp_at(s->dome, 0.5f + 0.5f * up, sky);
        for (int k = 1; k < LAB; k++)
            lab[k] = mixf(lab[k], 1.2f * sky[k], share);
    }
    if (l->toned > 0.0f) {
        float tone[LAB];
        mood_ramp_at(s->tone, 0.15f + 0.7f * w, tone);
        for (int k = 1; k < LAB; k++)
            lab[k] = mixf(lab[k], tone[k], 0.8f * l->toned);
    }
    linear_gains(lab, gain);
    L *= mood_pool_at(s, x / s->width, y / s->height);
    L *= clampf(1.0f + 0.9f * l->contrast * (w - 0.45f), 0.1f, 2.0f);
    float air = air_at(s, x, y), veil[3], sheen[3];
    // In a strange light surfaces show the light, not only their own colour.
    float strange = s->palette.count > 0 ? 0.4f : clampf(-0.5f * l->chroma, 0.0f, 0.4f);
    linear_from_oklab(lab[0] * L, lab[1] * L, lab[2] * L, sheen);
    linear_from_oklab(s->veil[0], s->veil[1], s->veil[2], veil);
    for (int k = 0; k < 3; k++) {
        out->gain[k] = gain[k] * L * L * (1.0f - air);
        out->veil[k] = air * clampf(veil[k], 0.0f, 1.0f) +
                       strange * (0.06f + 0.5f * w * w) * clampf(sheen[k], 0.0f, 1.0f);
    }
}

float mood_grey(const struct mood_scene *s, bool material)
{
    return !s ? 0.0f : material ? 0.75f * s->light->grey : s->light->grey;
}
