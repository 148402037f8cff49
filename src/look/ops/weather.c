/* SPDX-License-Identifier: MIT */
#include "look/mood_scene.h"
#include "look/noise.h"
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
    FRESH_RED,
    FRESH_GREEN,
    FRESH_BLUE,
    FRESH,
    COVER,
    HOLLOWS,
    RUNS,
    FACES,
    PATCH,
    EDGE,
    PITS,
    RELIEF,
    SHADING,
    EXPOSURE
};

static const struct look_param PARAM[] = {
    {"red", 0.0f, 1.0f, 0.16f, "the crust, linear"},
    {"green", 0.0f, 1.0f, 0.42f, "the same"},
    {"blue", 0.0f, 1.0f, 0.34f, "the same"},
    {"old_red", 0.0f, 1.0f, 0.30f, "the crust elsewhere, linear"},
    {"old_green", 0.0f, 1.0f, 0.55f, "the same"},
    {"old_blue", 0.0f, 1.0f, 0.46f, "the same"},
    {"fresh_red", 0.0f, 1.0f, 0.40f, "where water ran last, linear"},
    {"fresh_green", 0.0f, 1.0f, 0.60f, "the same"},
    {"fresh_blue", 0.0f, 1.0f, 0.52f, "the same"},
    {"fresh", 0.0f, 1.0f, 0.2f, "how much of the crust is fresh"},
    {"cover", 0.0f, 1.0f, 0.35f, "about the share of open places that it covers"},
    {"hollows", 0.0f, 4.0f, 1.5f, "how much it keeps to hollows"},
    {"runs", 0.0f, 2.0f, 0.3f, "how much it runs down"},
    {"faces", -2.0f, 2.0f, 0.0f, "how much it seeks important places, or spares them"},
    {"patch", 4.0f, 400.0f, 70.0f, "size of its patches, units"},
    {"edge", 0.02f, 1.0f, 0.25f, "how soft their rims are"},
    {"pits", 0.0f, 1.0f, 0.15f, "slope of its grain"},
    {"relief", 0.0f, 4.0f, 1.0f, "factor on the slopes, as of the material below"},
    {"shading", 0.0f, 1.0f, 0.7f, "how much of the photo's shading is kept"},
    {"exposure", 0.1f, 4.0f, 1.0f, "factor on the light"},
    {0}};

struct weather {
    struct look_picture *p;
    const float *value;
    struct surface surface;
    struct fields crust;
    struct grain grain;
    uint32_t seed;
};

static const float GRAIN_PER_UNIT = 1.6f;

enum { MUCH, OLD, WATER };

enum { SPAN = 64 }; // pixels that are worked on together

// Where water runs down, about -1..1: streaks that wander a little, in two widths.
static float runs_at(float x, float y, uint32_t seed)
{
    float sum = noise_at(x * 0.045f, y * 0.004f, seed) +
                0.7f * noise_at(x * 0.12f, y * 0.01f, seed + 1);

    return 1.6f * (sum - 0.85f);
}

static void crust_at(const void *ctx, const struct spot *t, float *out)
{
    const struct weather *w = ctx;
    const float *value = w->value;
    float f = 1.0f / value[PATCH];
    float wander = noise_sum(t->x * 0.011f, t->y * 0.011f, 2, w->seed + 5);
    float run = runs_at(t->x + 10.0f * wander, t->y, w->seed + 21);

    out[MUCH] = noise_sum(t->x * f + 0.5f * wander, t->y * f - 0.4f * wander, 4, w->seed) +
                value[RUNS] * run + 1.6f * (value[COVER] - 0.5f);
    out[OLD] = noise_sum(t->x * 2.1f * f, t->y * 2.1f * f + 0.3f * wander, 2, w->seed + 81);
    out[WATER] = 0.7f * run + 0.5f * noise_sum(t->x * 0.02f, t->y * 0.013f, 2, w->seed + 121);
}

// Light that the crust sends, and in the fourth lane how much of it there is; 0: none.
static lane4 crust_pixel(const struct weather *w, const float key[3], int x, int y)
{
    const float *value = w->value;
    struct grain_spot grain;
    struct spot t;
    lane4 rgb = {0};

    surface_spot(&w->surface, x, y, &t);
    grain_at(&w->grain, GRAIN_PER_UNIT * t.x, GRAIN_PER_UNIT * t.y, &grain);
    float share = smoothf(-value[EDGE], value[EDGE],
                          field_at(&w->crust, MUCH, &t) + value[HOLLOWS] * (0.85f - t.cavity) +
                              value[FACES] * t.care + 0.35f * grain.value);
    if (share <= 0.0f)
        return (lane4){0};
    spot_bump(&t, 6.0f * value[PITS] * grain.gx, 6.0f * value[PITS] * grain.gy);
    float d = clampf(t.n[0] * key[0] + t.n[1] * key[1] + t.n[2] * key[2], 0.0f, 1.0f);
    float keep = value[SHADING];
    // The rim of the crust is thick and throws a little shadow.
    float light = (1.2f * d * mixf(0.3f, 1.0f, t.light) + 0.2f) * mixf(t.cavity, 1.0f, 0.25f) *
                  (1.0f - keep + keep * (0.12f + 1.3f * t.shade)) * (1.0f + 0.25f * grain.value) *
                  (1.0f - 1.6f * share * (1.0f - share)) * value[EXPOSURE];
    float old = smoothf(-0.4f, 0.5f, field_at(&w->crust, OLD, &t) + 0.45f * grain.value);
    float fresh = smoothf(0.9f - 1.6f * value[FRESH], 1.5f - 1.6f * value[FRESH],
                          field_at(&w->crust, WATER, &t) + 0.5f * grain.value);
    struct mood_lamp lamp;
    mood_lamp_at(w->p->mood, &t.half, 1.2f * d * t.light, -t.n[1], &lamp);
    for (int k = 0; k < 3; k++) {
        float c = mixf(value[RED + k], value[OLD_RED + k], old);
        c = 0.62f * light * mixf(c, value[FRESH_RED + k], fresh);
        rgb[k] = c * lamp.gain[k] + lamp.veil[k];
    }
    rgb[3] = share;
    return rgb;
}

static void weather_row(void *ctx, int y, int worker)
{
    const struct weather *w = ctx;
    lane4 *row = picture_row(w->p, y);
    float key[3];

    (void)worker;
    surface_key(&w->surface, key);
    for (int x = 0; x < w->p->width; x += SPAN) {
        lane4 crust[SPAN];
        int at[SPAN], n = 0;
        for (int i = x; i < x + SPAN && i < w->p->width; i++) {
            crust[n] = crust_pixel(w, key, i, y);
            at[n] = i;
            n += crust[n][3] > 0.0f;
        }
        // A loop of its own, as film_row() says.
        for (int i = 0; i < n; i++) {
            lane4 *to = &row[at[i]];
            float share = crust[i][3];
            *to += (lane4){share, share, share, 0.0f} * (lab_on_film(crust[i]) - *to);
        }
    }
}

static enum err weather_run(struct look_picture *p, const float *value)
{
    // Layers of one recipe must not lie on each other, so their size is part of the seed.
    struct weather w = {
        .p = p, .value = value, .seed = p->variation.seed + 977u * (uint32_t)value[PATCH]};
    enum err e = surface_new(&w.surface, p, value[RELIEF]);

    if (e == ERR_OK)
        e = fields_new(&w.crust, &w.surface, 3, crust_at, &w);
    if (e == ERR_OK)
        e = grain_new(&w.grain, w.seed + 41);
    if (e == ERR_OK && !pool_run(p->pool, p->height, weather_row, &w, p->cancel))
        e = ERR_CANCELLED;
    grain_release(&w.grain);
    fields_release(&w.crust);
    surface_release(&w.surface);
    return e;
}

const struct look_op look_op_weather = {
    .name = "weather",
    .help = "rust or verdigris on the material below",
    .param = PARAM,
    .needs = NEED_FORM,
    .cost_ms = 120,
    .scratch_bytes = 10,
    .run = weather_run,
};
