/* SPDX-License-Identifier: MIT */
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

static void swell_at(const void *ctx, float ux, float uy, float height, float *out)
{
    const struct metal *m = ctx;
    uint32_t seed = m->p->variation.seed;
    // A plate that is not quite flat gathers the studio in broad gleams.
    float bow_x = ux * m->per_width - 1.0f, bow_y = uy * m->per_height - 1.0f;

    (void)height;
    out[0] = m->value[SWELL] * (noise_sum(ux * 0.006f, uy * 0.006f, 2, seed) - 2.0f * bow_x);
    out[1] = m->value[SWELL] * (noise_sum(ux * 0.006f, uy * 0.006f, 2, seed + 11) - 2.0f * bow_y);
}

// What the studio sends back of a span, and where from.
struct gleam {
    float light[SPAN];
    float fresnel[SPAN]; /* share of light that is reflected whatever the metal */
    float up[SPAN];      /* where the reflected ray goes, up the picture */
};

// The swell of plain parts and the grain of the casting, as slopes.
static void uneven_span(const struct metal *m, struct spots *t)
{
    float *gx = t->field[0], *gy = t->field[1], rough = 6.0f * m->value[GRAIN];
    struct grain_spots grain;

    if (rough <= 0.0f)
        return;
    grain_span(&m->grain, GRAIN_PER_UNIT, t->x, t->y, t->n, &grain);
    for (int i = 0; i < t->n; i++) {
        gx[i] += rough * grain.gx[i];
        gy[i] += rough * grain.gy[i];
    }
}

static void gleam_span(const struct metal *m, const struct spots *t, struct gleam *g)
{
    const float *value = m->value;
    float most = value[SMOOTH], kept = value[SHADING], tarnish = 0.35f + 0.65f * value[TARNISH];
    float exposure = value[EXPOSURE], rough = value[ROUGH];
    float lx = m->p->variation.light_x, ly = m->p->variation.light_y;

    for (int i = 0; i < t->n; i++) {
        float smooth = most * (1.0f - 0.6f * smoothf(0.2f, 0.6f, t->care[i])), n[3];
        float gx = t->field[0][i] + smooth * (t->broad_x[i] - t->gx[i]);
        float gy = t->field[1][i] + smooth * (t->broad_y[i] - t->gy[i]);
        normal_of(t->gx[i] + gx, t->gy[i] + gy, n);
        // Lettering is cut and filled with black: its strokes are too fine for a relief alone.
        float print = smoothf(0.3f, 0.7f, t->lettering[i]);
        float keep = kept + (1.0f - kept) * 0.75f * print;
        float lit = (1.0f - keep + keep * (0.10f + 1.45f * t->shade[i])) *
                    (0.45f + 0.55f * t->light[i]) * mixf(1.0f, t->cavity[i], tarnish);
        float graze = 1.0f - n[2], graze2 = graze * graze;
        g->light[i] = studio_at(lx, ly, n, rough) * (lit * exposure);
        g->fresnel[i] = graze2 * graze2 * graze;
        g->up[i] = -(2.0f * n[2] * n[1]);
    }
}

// Light of one colour that the metal sends.
static void colour_span(const struct metal *m, const struct gleam *g,
                        const struct mood_lamps *lamps, int k, int n, float *out)
{
    // Brown ground; the sky is its contrary, and stronger, or dark forms would be khaki.
    static const float BELOW[3] = {0.6f, 0.1f, -1.0f};
    float bounce = m->value[BOUNCE], sky = m->value[SKY] * BELOW[k], own = m->value[RED + k];
    const float *gain = lamps->gain[k], *veil = lamps->veil[k];

    for (int i = 0; i < n; i++) {
        float e = g->light[i], f = own + (1.0f - own) * g->fresnel[i];
        // Dark parts see little but other metal, so their light was coloured twice.
        float twice = clampf(bounce * (1.0f - 1.1f * e), 0.0f, 1.5f);
        float tint = 1.0f + sky * clampf(1.2f * -g->up[i] - 0.15f, -0.6f, 0.25f);
        out[i] = e * tint * f * clampf(1.0f + twice * (f - 1.0f), 0.02f, 1.0f) * gain[i] + veil[i];
    }
}

static void metal_row(void *ctx, int y, int worker)
{
    const struct metal *m = ctx;
    int width = m->p->width;

    (void)worker;
    for (int x = 0; x < width; x += SPAN) {
        struct spots t;
        struct gleam g;
        struct mood_lamps lamps;
        struct span_px px;
        surface_span(&m->surface, &m->swell, x, y, span_of(x, width), &t);
        uneven_span(m, &t);
        gleam_span(m, &t, &g);
        surface_lamps(&m->surface, &t, g.light, g.up, &lamps);
        for (int k = 0; k < 3; k++)
            colour_span(m, &g, &lamps, k, t.n, px.lane[k]);
        light_to_film(&px, t.n);
        span_put(picture_row(m->p, y) + x, t.n, &px);
    }
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
        e = fields_new(&m.swell, &m.surface, swell_at, &m);
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
    .without = WITHOUT_RELIEF,
    .cost_ms = 29,
    .scratch_bytes = 14,
    .covers = true,
    .run = metal_run,
};
