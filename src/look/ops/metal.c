/* SPDX-License-Identifier: MIT */
#include "look/mood_scene.h"
#include "look/surface.h"

/* Cast and polished metal: a photographer's studio reflected in the relief. */
enum {
    RED,
    GREEN,
    BLUE,
    RELIEF,
    ROUGH,
    SHADING,
    BOUNCE,
    TARNISH,
    SKY,
    SMOOTH,
    SWELL,
    GRAIN,
    EXPOSURE
};

static const struct look_param PARAM[] = {
    {"red", 0.0f, 1.0f, 1.0f, "light reflected head on, linear"},
    {"green", 0.0f, 1.0f, 0.71f, "the same"},
    {"blue", 0.0f, 1.0f, 0.29f, "the same"},
    {"relief", 0.0f, 4.0f, 1.0f, "factor on the slopes"},
    {"roughness", 0.0f, 1.0f, 0.14f, "how blurred the studio is in it"},
    {"shading", 0.0f, 1.0f, 0.6f, "how much of the photo's shading is kept"},
    {"bounce", 0.0f, 2.0f, 1.0f, "how much light goes from metal to metal in the dark parts"},
    {"tarnish", 0.0f, 1.0f, 0.2f, "how black hollows are"},
    {"sky", 0.0f, 1.0f, 0.0f, "how blue the studio is above and how brown below"},
    {"smooth", 0.0f, 1.0f, 0.3f,
     "how much of the fine detail is polished away where it matters little"},
    {"swell", 0.0f, 0.5f, 0.06f,
     "slope of the broad unevenness of plain parts, which bow as a whole by twice that"},
    {"grain", 0.0f, 0.5f, 0.02f, "slope of the grain of the casting"},
    {"exposure", 0.1f, 4.0f, 1.0f, "factor on the light"},
    {0}};

struct metal {
    struct look_picture *p;
    const float *value;
    struct surface surface;
    struct fields swell; /* slope along x, along y */
    struct grain grain;
    float per_width, per_height; /* 2 / size, units */
};

static const float GRAIN_PER_UNIT = 2.0f;

// Forms smaller than this are what polishing takes.
static const float SMOOTH_UNITS = 2.0f;

static void swell_at(const void *ctx, const struct spot *t, float *out)
{
    const struct metal *m = ctx;
    uint32_t seed = m->p->variation.seed;

    // A plate that is not quite flat gathers the studio in broad gleams.
    float bow_x = t->x * m->per_width - 1.0f, bow_y = t->y * m->per_height - 1.0f;

    out[0] = m->value[SWELL] * (noise_sum(t->x * 0.006f, t->y * 0.006f, 2, seed) - 2.0f * bow_x);
    out[1] = m->value[SWELL] *
             (noise_sum(t->x * 0.006f, t->y * 0.006f, 2, seed + 11) - 2.0f * bow_y);
}

// Normal of the surface, and the share of light that is left there.
static lane4 form_pixel(const struct metal *m, int x, int y)
{
    const float *value = m->value;
    struct spot t;

    surface_spot(&m->surface, x, y, &t);
    float gx = field_at(&m->swell, 0, &t), gy = field_at(&m->swell, 1, &t);
    if (value[GRAIN] > 0.0f) {
        struct grain_spot grain;
        grain_at(&m->grain, GRAIN_PER_UNIT * t.x, GRAIN_PER_UNIT * t.y, &grain);
        gx += 6.0f * value[GRAIN] * grain.gx;
        gy += 6.0f * value[GRAIN] * grain.gy;
    }
    float smooth = value[SMOOTH] * (1.0f - 0.6f * smoothf(0.2f, 0.6f, t.care));
    lane4 broad = surface_broad(&m->surface, &t);
    gx += smooth * (broad[0] - t.gx);
    gy += smooth * (broad[1] - t.gy);
    spot_bump(&t, gx, gy);
    // Lettering is cut and filled with black: its strokes are too fine for a relief alone.
    float print = smoothf(0.3f, 0.7f, broad[2]);
    float keep = value[SHADING] + (1.0f - value[SHADING]) * 0.75f * print;
    float lit = (1.0f - keep + keep * (0.10f + 1.45f * t.shade)) * (0.45f + 0.55f * t.light) *
                mixf(1.0f, t.cavity, 0.35f + 0.65f * value[TARNISH]);
    return (lane4){t.n[0], t.n[1], t.n[2], lit * value[EXPOSURE]};
}

// Light that the metal sends from there.
static lane4 metal_pixel(const struct metal *m, lane4 form, int x, int y)
{
    static const float BELOW[3] = {0.6f, 0.1f, -1.0f}; // brown ground; the sky is its contrary
    const float *value = m->value;
    float n[3] = {form[0], form[1], form[2]};
    float e = surface_studio(&m->surface, n, value[ROUGH]) * form[3];
    float ry = 2.0f * n[2] * n[1]; // where the reflected ray goes, down the picture
    // Dark parts see little but other metal, so their light was coloured twice.
    float twice = clampf(value[BOUNCE] * (1.0f - 1.1f * e), 0.0f, 1.5f);
    float graze = 1.0f - n[2], graze2 = graze * graze, fresnel = graze2 * graze2 * graze;
    lane4 rgb = {0};
    struct mood_lamp lamp;
    struct plane_place half = surface_half(&m->surface, x, y);
    mood_lamp_at(m->p->mood, &half, e, -ry, &lamp);
    for (int k = 0; k < 3; k++) {
        float f = value[RED + k];
        f += (1.0f - f) * fresnel;
        float tint = 1.0f + value[SKY] * BELOW[k] * clampf(1.2f * ry - 0.15f, -0.6f, 0.6f);
        rgb[k] = e * tint * f * clampf(1.0f + twice * (f - 1.0f), 0.02f, 1.0f) * lamp.gain[k] +
                 lamp.veil[k];
    }
    return rgb;
}

static void metal_row(void *ctx, int y, int worker)
{
    const struct metal *m = ctx;
    lane4 *row = picture_row(m->p, y);

    (void)worker;
    // Short loops, as film_row() says.
    for (int x = 0; x < m->p->width; x++)
        row[x] = form_pixel(m, x, y);
    for (int x = 0; x < m->p->width; x++)
        row[x] = metal_pixel(m, row[x], x, y);
    film_row(row, m->p->width);
}

static enum err metal_run(struct look_picture *p, const float *value)
{
    struct metal m = {.p = p,
                      .value = value,
                      .per_width = 2.0f * p->px_per_unit / (float)p->width,
                      .per_height = 2.0f * p->px_per_unit / (float)p->height};
    enum err e = surface_new(&m.surface, p, value[RELIEF]);

    if (e == ERR_OK)
        e = surface_soften(&m.surface, SMOOTH_UNITS);
    if (e == ERR_OK)
        e = fields_new(&m.swell, &m.surface, 2, swell_at, &m);
    if (e == ERR_OK)
        e = grain_new(&m.grain, p->variation.seed + 31);
    if (e == ERR_OK && !pool_run(p->pool, p->height, metal_row, &m, p->cancel))
        e = ERR_CANCELLED;
    grain_release(&m.grain);
    fields_release(&m.swell);
    surface_release(&m.surface);
    return e;
}

const struct look_op look_op_metal = {
    .name = "metal",
    .help = "polished or cast metal: a studio reflected in the photo's relief",
    .param = PARAM,
    .needs = NEED_FORM,
    .cost_ms = 100,
    .scratch_bytes = 14,
    .covers = true,
    .run = metal_run,
};
