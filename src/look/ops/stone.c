/* SPDX-License-Identifier: MIT */
#include "look/surface.h"

/* Stone that light enters: marble with its veins, jade with its clouds. */
enum {
    RED,
    GREEN,
    BLUE,
    VEIN_RED,
    VEIN_GREEN,
    VEIN_BLUE,
    VEINS,
    FINE,
    WIDTH,
    HAZE,
    PERIOD,
    CLOUDS,
    RELIEF,
    SCATTER,
    SOFT,
    GLOW,
    POLISH,
    SHADING,
    EXPOSURE
};

static const struct look_param PARAM[] = {
    {"red", 0.0f, 1.0f, 0.80f, "ground, linear"},
    {"green", 0.0f, 1.0f, 0.79f, "the same"},
    {"blue", 0.0f, 1.0f, 0.76f, "the same"},
    {"vein_red", 0.0f, 1.0f, 0.22f, "veins, linear"},
    {"vein_green", 0.0f, 1.0f, 0.23f, "the same"},
    {"vein_blue", 0.0f, 1.0f, 0.25f, "the same"},
    {"veins", 0.0f, 1.0f, 0.75f, "strength of the large veins"},
    {"fine", 0.0f, 1.0f, 0.35f, "strength of the fine ones"},
    {"width", 0.1f, 4.0f, 1.0f, "factor on the width of veins"},
    {"haze", 0.0f, 1.0f, 0.35f, "how much a vein stains the ground around it"},
    {"period", 20.0f, 1000.0f, 240.0f, "distance between large veins, units"},
    {"clouds", 0.0f, 1.0f, 0.25f, "how uneven the ground is"},
    {"relief", 0.0f, 4.0f, 1.0f, "factor on the slopes"},
    {"scatter", 0.0f, 1.0f, 0.45f, "how far light creeps around a form"},
    {"soft", 0.0f, 1.0f, 0.4f, "how much light is shaded by the broad form alone"},
    {"glow", 0.0f, 1.0f, 0.1f, "how much light comes through thin parts"},
    {"polish", 0.0f, 1.0f, 0.3f, "how clear the studio is reflected"},
    {"shading", 0.0f, 1.0f, 0.45f, "how much of the photo's shading is kept"},
    {"exposure", 0.1f, 4.0f, 1.0f, "factor on the light"},
    {0}};

// Light of the soft box beside that on a white sheet.
static const float LAMP = 6.0f;

// How far light goes inside, units.
static const float SOFT_UNITS = 6.0f;

struct stone {
    struct look_picture *p;
    const float *value;
    struct surface surface;
    struct fields bed;
};

// The block, as it is cut by the relief: veins bend where the form does.
enum { WARP_U, WARP_V, LARGE_VEIN, FINE_VEIN };

static void bed_at(const void *ctx, float ux, float uy, float height, float *out)
{
    const struct stone *s = ctx;
    uint32_t seed = s->p->variation.seed;
    float f = 1.0f / s->value[PERIOD];
    float x = ux + 1.3f * height, y = uy - 1.1f * height;
    // The bed of the stone lies askew and veins run along it.
    float u = (0.82f * x + 0.57f * y) * f, v = (0.82f * y - 0.57f * x) * f * 0.45f;
    float wu = noise_sum(1.5f * u + 3.0f, 1.5f * v, 3, seed + 101);
    float wv = noise_sum(1.5f * u, 1.5f * v + 9.0f, 3, seed + 151);

    out[WARP_U] = wu;
    out[WARP_V] = wv;
    float steps = noise_sum(6.0f * u, 9.0f * v, 2, seed + 201);
    // Cracks of one time lie side by side; they wander, and break by small steps.
    // More wandering would turn some back on themselves, and a vein is as wide as its bed is flat.
    out[LARGE_VEIN] = 1.1f * u + 0.18f * wv + 0.03f * steps;
    // Those of another time cross them, finer and closer.
    out[FINE_VEIN] = (0.66f * x + 2.1f * y) * f + 0.3f * wu - 0.05f * steps;
}

// What shading needs of a span.
struct cut {
    float vein[SPAN], cloud[SPAN];
    float lit[SPAN];   /* cosine between the surface and the key light */
    float sheen[SPAN]; /* of the studio on the polish */
    float shade[SPAN]; /* by the photo */
    float thin[SPAN];  /* light that comes through */
    float lamp[SPAN], up[SPAN];
};

// Share of vein at each place. Its rim is clear, or veins on dark ground would glow.
static void vein_span(const struct stone *s, const struct spots *t, struct cut *c)
{
    const float *value = s->value;
    float w = value[WIDTH], clouds = value[CLOUDS], veins = value[VEINS], stain = value[HAZE];
    float thread = value[FINE];
    uint32_t seed = s->p->variation.seed;

    for (int i = 0; i < t->n; i++) {
        float wu = t->field[WARP_U][i], wv = t->field[WARP_V][i];
        float bed = t->field[LARGE_VEIN][i], fine = t->field[FINE_VEIN][i];
        float which = floorf(bed + 0.5f), large = bed - which;
        float other = floorf(fine + 0.5f), thin = fabsf(fine - other);
        float own = noise_point((int)which, 7, seed), its = noise_point((int)other, 11, seed);
        // Veins swell and end, and each has its own width; a sculptor turns the block so that none
        // crosses a face.
        float spare = 1.0f - 0.7f * smoothf(0.3f, 0.65f, t->care[i]);
        float strong = smoothf(-0.7f, 0.0f, wu + 0.5f * own - 0.1f);
        float some = smoothf(-0.1f, 0.5f, wv - 0.4f * wu + 0.5f * its - 0.2f);
        // They are not of one brightness from end to end.
        strong *= 0.45f + 0.55f * smoothf(-0.5f, 0.4f, wv - 0.6f * wu);
        float wide = w * (0.35f + 1.1f * own) * (0.5f + 0.8f * smoothf(-0.5f, 0.7f, wv));
        float core = 1.0f - smoothf(0.006f * wide, 0.030f * wide, fabsf(large));
        float haze = bell(large / (0.13f * w));
        c->cloud[i] = clouds * (0.6f * wu + 0.4f * wv);
        c->vein[i] = spare *
                     clampf(veins * strong * (0.85f * core + stain * haze) +
                                0.7f * thread * some *
                                    (1.0f - smoothf(0.008f * w, (0.02f + 0.03f * its) * w, thin)),
                            0.0f, 1.0f);
    }
}

static void shade_span(const struct stone *s, const struct spots *t, struct cut *c)
{
    const float *value = s->value;
    float key[3], within = value[SOFT], keep = value[SHADING], glow = value[GLOW];
    float polish = value[POLISH], rough = 0.34f - 0.22f * polish;
    float lx = s->p->variation.light_x, ly = s->p->variation.light_y;

    surface_key(&s->surface, key);
    for (int i = 0; i < t->n; i++) {
        float n[3], soft[3], polished[3], gx = t->gx[i], gy = t->gy[i];
        // Light that has been inside the stone is shaded by the broad form more than by detail.
        normal_of(gx, gy, n);
        normal_of(t->broad_x[i], t->broad_y[i], soft);
        float hard = n[0] * key[0] + n[1] * key[1] + n[2] * key[2];
        float d = mixf(hard, soft[0] * key[0] + soft[1] * key[1] + soft[2] * key[2], within);
        // Polishing takes pores: most of what is fine is gone from the mirror.
        normal_of(gx + 0.7f * (t->broad_x[i] - gx), gy + 0.7f * (t->broad_y[i] - gy), polished);
        float graze = 1.0f - n[2], graze2 = graze * graze;
        float fresnel = (0.045f + 0.9f * graze2 * graze2 * graze) * polish * t->cavity[i];
        c->lit[i] = d;
        c->sheen[i] = LAMP * fresnel * gloss_at(lx, ly, polished, rough);
        c->shade[i] = 1.0f - keep + keep * (0.18f + 1.25f * t->shade[i]);
        // Thin parts stand out and face away from the light.
        c->thin[i] = glow * smoothf(-6.0f, 14.0f, t->height[i]) * (1.15f - clampf(d, 0.0f, 1.0f));
        c->lamp[i] = 1.2f * d * t->light[i];
        c->up[i] = -n[1];
    }
}

// Light of one colour that the stone sends.
static void colour_span(const struct stone *s, const struct spots *t, const struct cut *c,
                        const struct mood_lamps *lamps, int k, float *out)
{
    // Red light goes farther in stone than blue.
    float wrap = s->value[SCATTER] * (1.0f - 0.14f * (float)k), red = 1.0f - 0.25f * (float)k;
    float stone = s->value[RED + k], vein = s->value[VEIN_RED + k], exposure = s->value[EXPOSURE];
    const float *gain = lamps->gain[k], *veil = lamps->veil[k];

    for (int i = 0; i < t->n; i++) {
        float lit = clampf((c->lit[i] + wrap) / (1.0f + wrap), 0.0f, 1.0f);
        float reach = mixf(t->light[i], 1.0f, 0.3f + 0.5f * wrap);
        float open = mixf(t->cavity[i], 1.0f, 0.35f * wrap);
        float ground = stone * clampf(1.0f + c->cloud[i], 0.3f, 1.7f);
        float albedo = mixf(ground, vein, c->vein[i]);
        float light = (1.55f * lit * lit * reach + 0.10f) * open + c->thin[i] * red;
        float sent = albedo * light * c->shade[i] * exposure + c->sheen[i];
        float v = clampf(sent * gain[i] + veil[i], 0.0f, 8.0f);
        float bent = 0.7f + 0.3f * ((v - 0.7f) / (v - 0.4f));
        out[i] = v > 0.7f ? bent : v;
    }
}

static void stone_row(void *ctx, int y, int worker)
{
    const struct stone *s = ctx;
    int width = s->p->width;

    (void)worker;
    for (int x = 0; x < width; x += SPAN) {
        struct spots t;
        struct cut c;
        struct mood_lamps lamps;
        struct span_px px;
        surface_span(&s->surface, &s->bed, x, y, span_of(x, width), &t);
        vein_span(s, &t, &c);
        shade_span(s, &t, &c);
        surface_lamps(&s->surface, &t, c.lamp, c.up, &lamps);
        for (int k = 0; k < 3; k++)
            colour_span(s, &t, &c, &lamps, k, px.lane[k]);
        light_to_lab(&px, t.n);
        span_put(picture_row(s->p, y) + x, t.n, &px);
    }
}

static enum err stone_run(struct look_picture *p, const float *value)
{
    struct stone s = {.p = p, .value = value};
    enum err e = surface_new(&s.surface, p, value[RELIEF]);

    if (e == ERR_OK)
        e = surface_soften(&s.surface, SOFT_UNITS);
    if (e == ERR_OK)
        e = fields_new(&s.bed, &s.surface, bed_at, &s);
    if (e == ERR_OK && !pool_run(p->pool, p->height, stone_row, &s, p->cancel))
        e = ERR_CANCELLED;
    fields_release(&s.bed);
    surface_release(&s.surface);
    return e;
}

const struct look_op look_op_stone = {
    .name = "stone",
    .help = "marble, jade: veins cut by the photo's relief, light that enters and is scattered",
    .param = PARAM,
    .needs = NEED_FORM,
    .without = WITHOUT_RELIEF,
    .cost_ms = 34,
    .scratch_bytes = 14,
    .covers = true,
    .run = stone_run,
};
