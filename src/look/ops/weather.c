/* SPDX-License-Identifier: MIT */
#include "look/colour.h"
#include "look/surface.h"

/* What air and rain leave on the picture's material: rust, verdigris. Dull, in patches, mostly in
 * hollows and where water runs. */
enum {
    RED,
    GREEN,
    BLUE,
    OLD_RED,
    OLD_GREEN,
    OLD_BLUE,
    COVER,
    HOLLOWS,
    RUNS,
    PATCH,
    EDGE,
    PITS,
    RELIEF,
    EXPOSURE
};

static const struct look_param PARAM[] = {
    {"red", 0.0f, 1.0f, 0.16f, "the crust, linear"},
    {"green", 0.0f, 1.0f, 0.42f, "the same"},
    {"blue", 0.0f, 1.0f, 0.34f, "the same"},
    {"old_red", 0.0f, 1.0f, 0.30f, "the crust elsewhere, linear"},
    {"old_green", 0.0f, 1.0f, 0.55f, "the same"},
    {"old_blue", 0.0f, 1.0f, 0.46f, "the same"},
    {"cover", 0.0f, 1.0f, 0.35f, "about the share of open places that it covers"},
    {"hollows", 0.0f, 4.0f, 1.5f, "how much it keeps to hollows"},
    {"runs", 0.0f, 2.0f, 0.3f, "how much it runs down"},
    {"patch", 4.0f, 400.0f, 70.0f, "size of its patches, units"},
    {"edge", 0.02f, 1.0f, 0.25f, "how soft their rims are"},
    {"pits", 0.0f, 1.0f, 0.15f, "slope of its grain"},
    {"relief", 0.0f, 4.0f, 1.0f, "factor on the slopes, as of the material below"},
    {"exposure", 0.1f, 4.0f, 1.0f, "factor on the light"},
    {0}};

struct weather {
    struct look_picture *p;
    const float *value;
    struct surface surface;
    struct fields crust;
    uint32_t seed;
};

enum { MUCH, OLD };

static void crust_at(const void *ctx, const struct spot *t, float *out)
{
    const struct weather *w = ctx;
    const float *value = w->value;
    float f = 1.0f / value[PATCH];

    out[MUCH] = noise_sum(t->x * f, t->y * f, 5, w->seed) +
                value[RUNS] * noise_sum(t->x * 0.045f, t->y * 0.005f, 3, w->seed + 21) +
                value[HOLLOWS] * (0.85f - t->cavity) + 1.6f * (value[COVER] - 0.5f);
    out[OLD] = noise_sum(t->x * 2.1f * f, t->y * 2.1f * f, 3, w->seed + 81);
}

static lane4 weather_pixel(const struct weather *w, const float key[3], int x, int y, lane4 below)
{
    const float *value = w->value;
    struct spot t;
    float rgb[3], lab[LAB];

    surface_spot(&w->surface, x, y, &t);
    float share = smoothf(-value[EDGE], value[EDGE], field_at(&w->crust, MUCH, &t));
    if (share <= 0.0f)
        return below;
    float grain = noise_sum(t.x * 0.19f, t.y * 0.19f, 3, w->seed + 41);
    spot_bump(&t, value[PITS] * grain,
              value[PITS] * noise_sum(t.x * 0.19f, t.y * 0.19f, 3, w->seed + 61));
    float d = clampf(t.n[0] * key[0] + t.n[1] * key[1] + t.n[2] * key[2], 0.0f, 1.0f);
    float light = (1.2f * d * mixf(0.3f, 1.0f, t.light) + 0.2f) * mixf(t.cavity, 1.0f, 0.25f) *
                  (0.35f + 0.9f * t.shade) * (1.0f + 0.25f * grain) * value[EXPOSURE];
    float old = smoothf(-0.4f, 0.5f, field_at(&w->crust, OLD, &t) + 0.35f * grain);
    for (int k = 0; k < 3; k++)
        rgb[k] = film(0.62f * light * mixf(value[RED + k], value[OLD_RED + k], old));
    oklab_from_linear(rgb[0], rgb[1], rgb[2], lab);
    return below +
           (lane4){share, share, share, 0.0f} * ((lane4){lab[0], lab[1], lab[2], 0.0f} - below);
}

static void weather_row(void *ctx, int y, int worker)
{
    const struct weather *w = ctx;
    lane4 *row = picture_row(w->p, y);
    float key[3];

    (void)worker;
    surface_key(&w->surface, key);
    for (int x = 0; x < w->p->width; x++)
        row[x] = weather_pixel(w, key, x, y, row[x]);
}

static enum err weather_run(struct look_picture *p, const float *value)
{
    // Layers of one recipe must not lie on each other, so their size is part of the seed.
    struct weather w = {
        .p = p, .value = value, .seed = p->variation.seed + 977u * (uint32_t)value[PATCH]};
    enum err e = surface_new(&w.surface, p, value[RELIEF]);

    if (e == ERR_OK)
        e = fields_new(&w.crust, &w.surface, 2, crust_at, &w);
    if (e == ERR_OK && !pool_run(p->pool, p->height, weather_row, &w, p->cancel))
        e = ERR_CANCELLED;
    fields_release(&w.crust);
    surface_release(&w.surface);
    return e;
}

const struct look_op look_op_weather = {
    .name = "weather",
    .help = "rust or verdigris on the material below",
    .param = PARAM,
    .needs = NEED_FORM,
    .cost = 3.0f,
    .run = weather_run,
};
