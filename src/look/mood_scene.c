/* SPDX-License-Identifier: MIT */
#include "look/mood_internal.h"

#include "look/colour.h"

#include <stdlib.h>

void mood_ramp_at(const float ramp[MOOD_STOPS][LAB], float t, float lab[LAB])
{
    float at = clampf(t, 0.0f, 1.0f) * (MOOD_STOPS - 1);
    int i = clampi((int)at, 0, MOOD_STOPS - 2);

    for (int k = 0; k < LAB; k++)
        lab[k] = mixf(ramp[i][k], ramp[i + 1][k], at - (float)i);
}

static float pool_at(const struct mood_scene *s, float u, float v)
{
    float dx = (u - s->fields.mid_x) / 0.62f, dy = (v - s->fields.mid_y) / 0.66f;

    return 1.0f - s->light->pool * 0.85f * smoothf(0.25f, 1.25f, sqrtf(dx * dx + dy * dy));
}

// Of the light's colour without its strength; black is a light that is not named.
static void gains_of(uint32_t rgb, float out[3])
{
    float lab[LAB];

    mood_lab(rgb ? rgb : 0xffffff, lab);
    float a = lab[1] / lab[0], b = lab[2] / lab[0];
    out[0] = 1.0f + 0.3963377774f * a + 0.2158037573f * b;
    out[1] = 1.0f - 0.1055613458f * a - 0.0638541728f * b;
    out[2] = 1.0f - 0.0894841775f * a - 1.2914855480f * b;
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
    // What has colour at night shines by itself, and no weather takes that away.
    float night = 1.0f - smoothf(0.2f, 0.4f, at[1]);
    s->chroma = 1.0f + l->chroma * (l->chroma < 0.0f ? 1.0f - 0.7f * night : 1.0f);
}

// Of two colours the darker and the lighter; of more, the first is the light and the second fills
// the shadows, as palettes are written down.
static const float *palette_end(const struct mood_palette *p, bool light)
{
    if (p->count > 2)
        return p->lab[light ? 0 : 1];
    return p->count == 2 && (p->lab[1][0] > p->lab[0][0]) == light ? p->lab[1] : p->lab[0];
}

static const float *darkest(const struct mood_palette *p)
{
    const float *best = p->lab[0];

    for (int i = 1; i < p->count; i++)
        if (p->lab[i][0] < best[0])
            best = p->lab[i];
    return best;
}

// One drawn with pencils of all colours.
static void ink_by_place(const struct mood_scene *s, const float *x, const float *y, int n,
                         float lab[LAB][SPAN])
{
    float share = s->light->spectrum, width = (float)s->air.width, height = (float)s->air.height;

    for (int i = 0; i < n; i++) {
        float c, sn;
        turn_approx(mood_hue_at(x[i] * s->half_per_unit / width, y[i] * s->half_per_unit / height),
                    &c, &sn);
        lab[0][i] = mixf(lab[0][i], 0.45f, 0.8f * share);
        lab[1][i] = mixf(lab[1][i], 0.16f * c, share);
        lab[2][i] = mixf(lab[2][i], 0.16f * sn, share);
    }
}

static void ink_anywhere(const struct mood_scene *s, float lab[LAB])
{
    const struct mood_light *l = s->light;
    float shadow[LAB] = {0.45f, 0.0f, 0.0f};

    mood_shine(s, 0.0f, shadow);
    lab[1] += 0.8f * shadow[1];
    lab[2] += 0.8f * shadow[2];
    if (s->palette.count > 0) {
        const float *dark = darkest(&s->palette);
        lab[0] = clampf(mixf(lab[0], dark[0], 0.35f), lab[0], 0.4f);
        lab[1] += 0.85f * dark[1];
        lab[2] += 0.85f * dark[2];
    }
    lab[0] = mixf(lab[0], s->tone[0][0] > lab[0] ? s->tone[0][0] : lab[0], l->toned);
    for (int k = 1; k < LAB; k++) {
        // The ink is seen in a thin layer, so it is a little lighter than the darkest tone.
        float tone = 0.5f * (s->tone[0][k] + s->tone[1][k]);
        lab[k] = mixf(lab[k], tone, l->toned) * (1.0f - l->grey);
    }
}

void mood_ink(const struct mood_scene *s, float x, float y, float lab[LAB])
{
    float out[LAB][SPAN];

    mood_ink_span(s, &x, &y, 1, lab, out);
    for (int k = 0; k < LAB; k++)
        lab[k] = out[k][0];
}

void mood_ink_span(const struct mood_scene *s, const float *x, const float *y, int n,
                   const float lab[LAB], float out[LAB][SPAN])
{
    float ink[LAB] = {lab[0], lab[1], lab[2]}, air[SPAN];

    if (s)
        ink_anywhere(s, ink);
    for (int k = 0; k < LAB; k++)
        for (int i = 0; i < n; i++)
            out[k][i] = ink[k];
    if (s && s->light->spectrum > 0.0f)
        ink_by_place(s, x, y, n, out);
    // What is far is drawn with a light hand.
    if (s && s->light->haze > 0.0f) {
        span_plane(&s->air, s->half_per_unit, x, y, n, air);
        for (int i = 0; i < n; i++)
            out[0][i] = mixf(out[0][i], 0.85f, 0.9f * air[i]);
    }
}

static bool is_black(const float lab[LAB])
{
    return lab[0] < 0.35f && lab[1] * lab[1] + lab[2] * lab[2] < 0.03f * 0.03f;
}

void mood_sheet_make(const struct mood_scene *s, float a, float b, struct mood_sheet *out)
{
    const struct mood_light *l = s->light;
    float lit[LAB] = {0.9f, 0.0f, 0.0f};

    mood_shine(s, 1.0f, lit);
    *out = (struct mood_sheet){.a = a + 0.45f * lit[1],
                               .b = b + 0.45f * lit[2],
                               .gain = s->exposure < 1.0f ? mixf(1.0f, s->exposure, 0.35f) : 1.0f,
                               .tone = s->tone[MOOD_STOPS - 1][0],
                               .toned = l->toned};
    if (s->palette.count > 1) {
        const float *light = palette_end(&s->palette, true);
        // Paper is never as strong as paint; but what is printed in black and a colour has no other
        // place for it.
        bool ground = s->palette.count == 2 && is_black(darkest(&s->palette));
        float most = ground ? 0.16f : 0.07f;
        out->light = light[0];
        out->share = ground ? 0.7f : 0.2f;
        float C = sqrtf(light[1] * light[1] + light[2] * light[2]);
        float share = C > most ? most / C : 1.0f;
        out->a += share * light[1];
        out->b += share * light[2];
    }
    out->a = mixf(out->a, s->tone[MOOD_STOPS - 1][1], l->toned) * (1.0f - l->grey);
    out->b = mixf(out->b, s->tone[MOOD_STOPS - 1][2], l->toned) * (1.0f - l->grey);
}

void mood_paper(const struct mood_scene *s, float lab[LAB])
{
    struct mood_sheet sheet;

    if (!s)
        return;
    mood_sheet_make(s, lab[1], lab[2], &sheet);
    lab[0] = mood_sheet_at(&sheet, lab[0]);
    lab[1] = sheet.a;
    lab[2] = sheet.b;
}

// Factors of a light, with this share of its colour.
static void linear_gains(const float lab[LAB], float share, float out[3])
{
    float scale = 0.8f * share / (lab[0] > 0.05f ? lab[0] : 0.05f);

    linear_from_oklab(0.8f, scale * lab[1], scale * lab[2], out);
    for (int k = 0; k < 3; k++)
        out[k] = clampf(out[k] / 0.512f, 0.05f, 3.0f);
}

// The lamp without its place: w 0 in the shadow to 1 in the light.
static void lamp_of(const struct mood_scene *s, float w, float up, struct mood_lamp *out)
{
    const struct mood_light *l = s->light;
    float lab[LAB] = {0.8f, 0.0f, 0.0f}, gain[3], sheen[3];
    // What is lit keeps its light, and glints: dark wood would be lost in the moon otherwise.
    float L = mixf(s->exposure, s->exposure_white, w);
    // In a strange light surfaces show the light, not only their own colour.
    float strange = s->palette.count > 0 ? 0.4f : clampf(-0.3f * l->chroma, 0.0f, 0.4f);
    // Where light takes colour away, its own must not do so once more: gold stays gold.
    float own = s->palette.count > 0 ? 1.0f : 1.0f - 0.75f * clampf(-l->chroma, 0.0f, 1.0f);

    mood_shine(s, w, lab);
    if (s->palette.count > 0) {
        // Coloured lamps: the darkest colour fills the shadows.
        const float *dark = palette_end(&s->palette, false);
        const float *light = palette_end(&s->palette, true);
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
    if (l->spectrum > 0.0f) {
        // Colours of thin films, which go with the direction.
        float c, sn;
        turn_approx(0.4f + 0.45f * up + 0.4f * w, &c, &sn);
        lab[1] += 0.15f * l->spectrum * c;
        lab[2] += 0.15f * l->spectrum * sn;
        strange = 0.4f;
    }
    linear_gains(lab, own, gain);
    L *= clampf(1.0f + 0.9f * l->contrast * (w - 0.45f), 0.1f, 2.0f);
    linear_from_oklab(lab[0] * L, lab[1] * L, lab[2] * L, sheen);
    for (int k = 0; k < 3; k++) {
        out->gain[k] = gain[k] * L * L;
        out->veil[k] = strange * (0.05f + 0.9f * w * w * w) * clampf(sheen[k], 0.0f, 1.0f);
    }
}

static void make_lamps(struct mood_scene *s)
{
    for (int j = 0; j < LAMP_UPS; j++)
        for (int i = 0; i < LAMP_LITS; i++) {
            struct mood_lamp l;
            lamp_of(s, (float)i / (LAMP_LITS - 1), 2.0f * (float)j / (LAMP_UPS - 1) - 1.0f, &l);
            s->lamp[j][i] = (struct lamp_lanes){.gain = {l.gain[0], l.gain[1], l.gain[2]},
                                                .veil = {l.veil[0], l.veil[1], l.veil[2]}};
        }
    linear_from_oklab(s->veil[0], s->veil[1], s->veil[2], s->veil_light);
}

// Straight between the table's steps of light; every row of it is much like the next.
static inline struct lamp_lanes lamp_between(const struct mood_scene *s, float lit, float up)
{
    float w = clampf(lit, 0.0f, 1.0f) * (LAMP_LITS - 1);
    int i = clampi((int)w, 0, LAMP_LITS - 2);
    int j = (int)((0.5f + 0.5f * clampf(up, -1.0f, 1.0f)) * (LAMP_UPS - 1) + 0.5f);
    const struct lamp_lanes *a = &s->lamp[j][i], *b = a + 1;
    float t = w - (float)i;

    return (struct lamp_lanes){.gain = a->gain + (b->gain - a->gain) * t,
                               .veil = a->veil + (b->veil - a->veil) * t};
}

void mood_lamp_lit(const struct mood_scene *s, const struct plane_place *half, float lit, float up,
                   struct mood_lamp *out)
{
    struct lamp_lanes lamp = lamp_between(s, lit, up);
    float pool = s->light->pool > 0.0f ? plane_mix(&s->pool, half) : 1.0f;
    float air = s->light->haze > 0.0f ? plane_mix(&s->air, half) : 0.0f;

    pool *= pool;
    for (int k = 0; k < 3; k++) {
        out->gain[k] = lamp.gain[k] * pool * (1.0f - air);
        out->veil[k] = lamp.veil[k] * pool + air * s->veil_light[k];
    }
}

void mood_lamps_span(const struct mood_scene *s, float scale, const float *x, float y, int n,
                     const float *lit, const float *up, struct mood_lamps *out)
{
    float pool[SPAN], air[SPAN];

    for (int i = 0; i < n; i++) {
        struct lamp_lanes lamp = lamp_between(s, lit[i], up[i]);
        for (int k = 0; k < 3; k++) {
            out->gain[k][i] = lamp.gain[k];
            out->veil[k][i] = lamp.veil[k];
        }
    }
    if (s->light->pool > 0.0f) {
        span_plane_row(&s->pool, scale, x, y, n, pool);
        for (int k = 0; k < 3; k++)
            for (int i = 0; i < n; i++) {
                out->gain[k][i] *= pool[i] * pool[i];
                out->veil[k][i] *= pool[i] * pool[i];
            }
    }
    if (s->light->haze > 0.0f) {
        span_plane_row(&s->air, scale, x, y, n, air);
        for (int k = 0; k < 3; k++)
            for (int i = 0; i < n; i++) {
                out->gain[k][i] *= 1.0f - air[i];
                out->veil[k][i] += air[i] * s->veil_light[k];
            }
    }
}

float mood_room(const struct mood_scene *s)
{
    return s ? 1.0f - clampf(3.5f * s->light->black, 0.0f, 1.0f) : 1.0f;
}

float mood_lift(const struct mood_scene *s)
{
    if (!s)
        return 1.0f;
    return mood_room(s) * clampf(2.0f * s->exposure - 1.0f, 0.0f, 1.0f) *
           (1.0f - 0.6f * s->light->toned);
}

float mood_chroma(const struct mood_scene *s)
{
    return s ? clampf((1.0f + s->light->chroma) * (1.0f - s->light->grey), 0.0f, 1.0f) : 1.0f;
}

float mood_toned(const struct mood_scene *s)
{
    if (!s)
        return 0.0f;
    float dyed = s->palette.count > 0 ? 0.5f * s->palette.dye : 0.0f;
    return s->light->toned > dyed ? s->light->toned : dyed;
}

float mood_grey(const struct mood_scene *s, bool material)
{
    if (!s || !material)
        return s ? s->light->grey : 0.0f;
    // A material keeps its colour for the most part, above all where the lamps have one already.
    float share = s->light->key != 0 && s->light->chroma < 0.0f ? 0.15f : 0.45f;
    float grey = 0.75f * s->light->grey, pale = clampf(-share * s->light->chroma, -0.4f, 0.4f);
    return grey > pale ? grey : pale;
}

static void places_row(void *ctx, int y, int worker)
{
    const struct mood_scene *s = ctx;
    const float *far = plane_row(&s->fields.far, y);
    float v = ((float)y + 0.5f) / (float)s->air.height;

    (void)worker;
    for (int x = 0; x < s->air.width; x++) {
        plane_row(&s->air, y)[x] = s->light->haze * (0.08f + 0.9f * far[x] * far[x]);
        plane_row(&s->pool, y)[x] = pool_at(s, ((float)x + 0.5f) / (float)s->air.width, v);
    }
}

// What is asked for place by place.
static enum err make_places(struct mood_scene *s, struct pool *pool, const atomic_bool *cancel)
{
    const struct plane *far = &s->fields.far;
    enum err e = plane_new(&s->air, far->width, far->height);

    if (e == ERR_OK)
        e = plane_new(&s->pool, far->width, far->height);
    if (e == ERR_OK && !pool_run(pool, far->height, places_row, s, cancel))
        e = ERR_CANCELLED;
    return e;
}

enum err mood_light_maps(const struct look_mood *mood, struct look_maps *maps, struct pool *pool,
                         const atomic_bool *cancel)
{
    struct mood_scene *s = calloc(1, sizeof(*s));
    enum err e;

    if (!s)
        return ERR_NOMEM;
    s->light = &mood->light;
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
    make_lamps(s);
    e = mood_fields_make(&s->fields, maps, pool, cancel);
    if (e == ERR_OK)
        e = make_places(s, pool, cancel);
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
    plane_release(&s->air);
    plane_release(&s->pool);
    free(s);
}
