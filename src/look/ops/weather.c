/* SPDX-License-Identifier: MIT */
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
    {"cover", 0.0f, 1.0f, 0.35f, "about the share of open places that it covers; 0: none at all"},
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

// Where water runs down, about -1..1: streaks that wander a little, in two widths.
static float runs_at(float x, float y, uint32_t seed)
{
    float sum = noise_at(x * 0.045f, y * 0.004f, seed) +
                0.7f * noise_at(x * 0.12f, y * 0.01f, seed + 1);

    return 1.6f * (sum - 0.85f);
}

static void crust_at(const void *ctx, float x, float y, float height, float *out)
{
    const struct weather *w = ctx;
    const float *value = w->value;
    float f = 1.0f / value[PATCH];
    float wander = noise_sum(x * 0.011f, y * 0.011f, 2, w->seed + 5);
    float run = runs_at(x + 10.0f * wander, y, w->seed + 21);

    (void)height;
    out[MUCH] = noise_sum(x * f + 0.5f * wander, y * f - 0.4f * wander, 4, w->seed) +
                value[RUNS] * run + 1.6f * (value[COVER] - 0.5f);
    out[OLD] = noise_sum(x * 2.1f * f, y * 2.1f * f + 0.3f * wander, 2, w->seed + 81);
    out[WATER] = 0.7f * run + 0.5f * noise_sum(x * 0.02f, y * 0.013f, 2, w->seed + 121);
}

// The crust on a span.
struct crust {
    float share[SPAN]; /* how much of it there is */
    float old[SPAN], fresh[SPAN];
    float light[SPAN], lamp[SPAN], up[SPAN];
};

// False: there is none.
static bool share_span(const struct weather *w, const struct spots *t,
                       const struct grain_spots *grain, struct crust *c)
{
    float edge = w->value[EDGE], hollows = w->value[HOLLOWS], faces = w->value[FACES], most = 0.0f;

    for (int i = 0; i < t->n; i++)
        c->share[i] = smoothf(-edge, edge,
                              t->field[MUCH][i] + hollows * (0.85f - t->cavity[i]) +
                                  faces * t->care[i] + 0.35f * grain->value[i]);
    for (int i = 0; i < t->n; i++)
        most = c->share[i] > most ? c->share[i] : most;
    return most > 0.0f;
}

static void light_span(const struct weather *w, const struct spots *t,
                       const struct grain_spots *grain, struct crust *c)
{
    const float *value = w->value;
    float key[3], keep = value[SHADING], pits = 6.0f * value[PITS], exposure = value[EXPOSURE];
    float dry = 0.9f - 1.6f * value[FRESH], wet = 1.5f - 1.6f * value[FRESH];

    surface_key(&w->surface, key);
    for (int i = 0; i < t->n; i++) {
        float n[3], rough = grain->value[i], share = c->share[i];
        normal_of(t->gx[i] + pits * grain->gx[i], t->gy[i] + pits * grain->gy[i], n);
        float d = clampf(n[0] * key[0] + n[1] * key[1] + n[2] * key[2], 0.0f, 1.0f);
        // The rim of the crust is thick and throws a little shadow.
        c->light[i] = (1.2f * d * mixf(0.3f, 1.0f, t->light[i]) + 0.2f) *
                      mixf(t->cavity[i], 1.0f, 0.25f) *
                      (1.0f - keep + keep * (0.12f + 1.3f * t->shade[i])) * (1.0f + 0.25f * rough) *
                      (1.0f - 1.6f * share * (1.0f - share)) * exposure;
        c->old[i] = smoothf(-0.4f, 0.5f, t->field[OLD][i] + 0.45f * rough);
        c->fresh[i] = smoothf(dry, wet, t->field[WATER][i] + 0.5f * rough);
        c->lamp[i] = 1.2f * d * t->light[i];
        c->up[i] = -n[1];
    }
}

// Light of one colour that the crust sends.
static void colour_span(const struct weather *w, const struct crust *c,
                        const struct mood_lamps *lamps, int k, int n, float *out)
{
    float young = w->value[RED + k], old = w->value[OLD_RED + k], fresh = w->value[FRESH_RED + k];
    const float *gain = lamps->gain[k], *veil = lamps->veil[k];

    for (int i = 0; i < n; i++) {
        float colour = mixf(mixf(young, old, c->old[i]), fresh, c->fresh[i]);
        out[i] = 0.62f * c->light[i] * colour * gain[i] + veil[i];
    }
}

static void weather_row(void *ctx, int y, int worker)
{
    const struct weather *w = ctx;
    int width = w->p->width;

    (void)worker;
    for (int x = 0; x < width; x += SPAN) {
        lane4 *row = picture_row(w->p, y) + x;
        struct spots t;
        struct grain_spots grain;
        struct crust c;
        struct mood_lamps lamps;
        struct span_px px, below;
        surface_span(&w->surface, &w->crust, x, y, span_of(x, width), &t);
        grain_span(&w->grain, GRAIN_PER_UNIT, t.x, t.y, t.n, &grain);
        if (!share_span(w, &t, &grain, &c))
            continue;
        light_span(w, &t, &grain, &c);
        surface_lamps(&w->surface, &t, c.lamp, c.up, &lamps);
        for (int k = 0; k < 3; k++)
            colour_span(w, &c, &lamps, k, t.n, px.lane[k]);
        light_to_film(&px, t.n);
        span_take(row, t.n, &below);
        for (int k = 0; k < LAB; k++)
            for (int i = 0; i < t.n; i++)
                below.lane[k][i] += c.share[i] * (px.lane[k][i] - below.lane[k][i]);
        span_put(row, t.n, &below);
    }
}

static enum err weather_run(struct look_picture *p, const float *value)
{
    // Layers of one recipe must not lie on each other, so their size is part of the seed.
    struct weather w = {
        .p = p, .value = value, .seed = p->variation.seed + 977u * (uint32_t)value[PATCH]};
    enum err e;

    if (value[COVER] <= 0.0f)
        return ERR_OK;
    e = surface_new(&w.surface, p, value[RELIEF]);
    if (e == ERR_OK)
        e = fields_new(&w.crust, &w.surface, crust_at, &w);
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
    .without = WITHOUT_RELIEF,
    .cost_ms = 26,
    .scratch_bytes = 10,
    .run = weather_run,
};
