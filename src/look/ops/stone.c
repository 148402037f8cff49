/* SPDX-License-Identifier: MIT */
#include "look/mood_scene.h"
#include "look/noise.h"
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

static void bed_at(const void *ctx, const struct spot *t, float *out)
{
    const struct stone *s = ctx;
    uint32_t seed = s->p->variation.seed;
    float f = 1.0f / s->value[PERIOD];
    float x = t->x + 1.3f * t->height, y = t->y - 1.1f * t->height;
    // The bed of the stone lies askew and veins run along it.
    float u = (0.82f * x + 0.57f * y) * f, v = (0.82f * y - 0.57f * x) * f * 0.45f;
    float wu = noise_sum(1.5f * u + 3.0f, 1.5f * v, 3, seed + 101);
    float wv = noise_sum(1.5f * u, 1.5f * v + 9.0f, 3, seed + 151);

    out[WARP_U] = wu;
    out[WARP_V] = wv;
    // Cracks of one time lie side by side; they wander, and break by small steps.
    out[LARGE_VEIN] = 1.1f * u + 0.38f * wv + 0.05f * noise_sum(6.0f * u, 9.0f * v, 2, seed + 201);
    out[FINE_VEIN] = noise_sum(2.7f * u + 0.9f * wv, 2.7f * v + 0.9f * wu, 3, seed + 251);
}

// Share of vein at a place. Its rim is clear, or veins on dark ground would glow.
static float veins_at(const struct stone *s, const struct spot *t, float *cloud)
{
    const float *value = s->value;
    float wu = field_at(&s->bed, WARP_U, t), wv = field_at(&s->bed, WARP_V, t);
    float bed = field_at(&s->bed, LARGE_VEIN, t), fine = field_at(&s->bed, FINE_VEIN, t);
    float which = floorf(bed + 0.5f), large = bed - which, w = value[WIDTH];
    float own = noise_point((int)which, 7, s->p->variation.seed);
    // Veins swell and end, and each has its own width; a sculptor turns the block so that none
    // crosses a face.
    float spare = 1.0f - 0.7f * smoothf(0.3f, 0.65f, t->care);
    float strong = smoothf(-0.7f, 0.0f, wu + 0.5f * own - 0.1f);
    float some = smoothf(-0.1f, 0.6f, wu - 0.4f * wv);
    float wide = w * (0.35f + 1.1f * own) * (0.5f + 0.8f * smoothf(-0.5f, 0.7f, wv));
    float core = 1.0f - smoothf(0.006f * wide, 0.030f * wide, fabsf(large));
    float haze = bell(large / (0.13f * w));

    *cloud = value[CLOUDS] * (0.6f * wu + 0.4f * wv);
    return spare *
           clampf(value[VEINS] * strong * (0.85f * core + value[HAZE] * haze) +
                      value[FINE] * some * (1.0f - smoothf(0.01f * w, 0.06f * w, fabsf(fine))),
                  0.0f, 1.0f);
}

static lane4 stone_pixel(const struct stone *s, const float key[3], int x, int y)
{
    const float *value = s->value;
    struct spot t;
    float cloud, rgb[3];

    surface_spot(&s->surface, x, y, &t);
    float vein = veins_at(s, &t, &cloud);
    // Light that has been inside the stone is shaded by the broad form more than by detail.
    float soft[3], within = value[SOFT];
    lane4 broad = surface_broad(&s->surface, &t);
    normal_of(broad[0], broad[1], soft);
    float hard = t.n[0] * key[0] + t.n[1] * key[1] + t.n[2] * key[2];
    float d = mixf(hard, soft[0] * key[0] + soft[1] * key[1] + soft[2] * key[2], within);
    float keep = value[SHADING], shade = 1.0f - keep + keep * (0.18f + 1.25f * t.shade);
    // Polishing takes pores: half of what is fine is gone from the mirror.
    struct spot polished = t;
    spot_bump(&polished, 0.5f * (broad[0] - t.gx), 0.5f * (broad[1] - t.gy));
    float mirror = surface_studio(&s->surface, polished.n, 0.35f - 0.28f * value[POLISH]);
    float graze = 1.0f - t.n[2], graze2 = graze * graze;
    float fresnel = (0.045f + 0.9f * graze2 * graze2 * graze) * value[POLISH] * t.cavity;
    // Thin parts stand out and face away from the light.
    float thin = value[GLOW] * smoothf(-6.0f, 14.0f, t.height) * (1.15f - clampf(d, 0.0f, 1.0f));
    struct mood_lamp lamp;
    mood_lamp_at(s->p->mood, &t.half, 1.2f * d * t.light, -t.n[1], &lamp);
    for (int k = 0; k < 3; k++) {
        // Red light goes farther in stone than blue.
        float wrap = value[SCATTER] * (1.0f - 0.14f * (float)k);
        float lit = clampf((d + wrap) / (1.0f + wrap), 0.0f, 1.0f);
        float reach = mixf(t.light, 1.0f, 0.3f + 0.5f * wrap);
        float open = mixf(t.cavity, 1.0f, 0.35f * wrap);
        float ground = value[RED + k] * clampf(1.0f + cloud, 0.3f, 1.7f);
        float albedo = mixf(ground, value[VEIN_RED + k], vein);
        float light = (1.55f * lit * lit * reach + 0.10f) * open + thin * (1.0f - 0.25f * (float)k);
        float sent = albedo * light * shade * value[EXPOSURE] + fresnel * mirror * mirror;
        rgb[k] = clampf(sent * lamp.gain[k] + lamp.veil[k], 0.0f, 8.0f);
        rgb[k] = rgb[k] > 0.7f ? 0.7f + 0.3f * ((rgb[k] - 0.7f) / (rgb[k] - 0.4f)) : rgb[k];
    }
    return (lane4){rgb[0], rgb[1], rgb[2], 0.0f};
}

static void stone_row(void *ctx, int y, int worker)
{
    const struct stone *s = ctx;
    lane4 *row = picture_row(s->p, y);
    float key[3];

    (void)worker;
    surface_key(&s->surface, key);
    for (int x = 0; x < s->p->width; x++)
        row[x] = stone_pixel(s, key, x, y);
    // A loop of its own, as film_row() says.
    for (int x = 0; x < s->p->width; x++)
        row[x] = lab_of_light(row[x]);
}

static enum err stone_run(struct look_picture *p, const float *value)
{
    struct stone s = {.p = p, .value = value};
    enum err e = surface_new(&s.surface, p, value[RELIEF]);

    if (e == ERR_OK)
        e = surface_soften(&s.surface, SOFT_UNITS);
    if (e == ERR_OK)
        e = fields_new(&s.bed, &s.surface, 4, bed_at, &s);
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
    .cost_ms = 160,
    .scratch_bytes = 14,
    .covers = true,
    .run = stone_run,
};
