/* SPDX-License-Identifier: MIT */
#include "look/mood_scene.h"
#include "look/noise.h"
#include "look/surface.h"

/* Carved wood: a trunk's rings, fibres and pores, cut open by the relief. */
enum {
    RED,
    GREEN,
    BLUE,
    LATE_RED,
    LATE_GREEN,
    LATE_BLUE,
    RINGS,
    RING,
    STREAKS,
    FIBRE,
    PORES,
    PORE,
    RELIEF,
    GLOSS,
    SHADING,
    EXPOSURE
};

static const struct look_param PARAM[] = {
    {"red", 0.0f, 1.0f, 0.45f, "wood grown in spring, linear"},
    {"green", 0.0f, 1.0f, 0.25f, "the same"},
    {"blue", 0.0f, 1.0f, 0.11f, "the same"},
    {"late_red", 0.0f, 1.0f, 0.20f, "wood grown in autumn, linear"},
    {"late_green", 0.0f, 1.0f, 0.09f, "the same"},
    {"late_blue", 0.0f, 1.0f, 0.035f, "the same"},
    {"rings", 0.0f, 1.0f, 0.7f, "how clear rings are"},
    {"ring", 2.0f, 100.0f, 15.0f, "distance between rings, units"},
    {"streaks", 0.0f, 1.0f, 0.3f, "how much broad streaks darken and lighten"},
    {"fibre", 0.0f, 1.0f, 0.3f, "how clear fibres are"},
    {"pores", 0.0f, 1.0f, 0.4f, "how dark pores are"},
    {"pore", 4.0f, 80.0f, 16.0f, "length of pores, units"},
    {"relief", 0.0f, 4.0f, 1.0f, "factor on the slopes"},
    {"gloss", 0.0f, 1.0f, 0.3f, "how much it is waxed"},
    {"shading", 0.0f, 1.0f, 0.55f, "how much of the photo's shading is kept"},
    {"exposure", 0.1f, 4.0f, 1.0f, "factor on the light"},
    {0}};

struct timber {
    struct look_picture *p;
    const float *value;
    struct surface surface;
    struct fields trunk;
    bool lying; /* the trunk lies along the picture's width */
};

struct cut {
    float late;   /* share of late wood */
    float fibre;  /* -1..1 */
    float streak; /* -1..1 */
    float pore;   /* 0..1 */
};

// Dashes along the grain: a lattice of cells as long as a pore, most of them empty.
static float pores_at(float across, float along, float length, uint32_t seed)
{
    float column = floorf(across / 1.7f), shift = noise_point((int)column, 5, seed);
    float v = along / length + 7.0f * shift, cell = floorf(v);
    float kind = noise_point((int)column, (int)cell, seed + 1);
    float u = across / 1.7f - column - 0.5f, w = v - cell - 0.5f;

    return kind < 0.3f ? (1.0f - 4.0f * u * u) * (1.0f - 4.0f * w * w) : 0.0f;
}

enum { YEARS, BOW, STREAK };

// Years from the middle of the trunk, how far fibres bow, and the streaks. The trunk is not
// straight, and deeper cuts open other rings; both change slowly along the grain, or rings would
// read as contours of a map.
static void trunk_at(const void *ctx, const struct spot *t, float *out)
{
    const struct timber *s = ctx;
    uint32_t seed = s->p->variation.seed;
    float across = s->lying ? t->y : t->x, along = s->lying ? t->x : t->y;
    float bend = noise_sum(across * 0.0035f, along * 0.0011f, 3, seed + 301);
    float wave = noise_sum(across * 0.02f, along * 0.004f, 2, seed + 331);

    out[BOW] = 5.0f * wave + 0.12f * t->height;
    out[YEARS] = (0.42f * (across + out[BOW]) + 72.0f * bend + 0.35f * t->height) / s->value[RING];
    out[STREAK] = noise_sum((across + out[BOW]) * 0.03f, along * 0.0022f, 2, seed + 391);
}

static void cut_at(const struct timber *s, const struct spot *t, struct cut *g)
{
    uint32_t seed = s->p->variation.seed;
    float across = s->lying ? t->y : t->x, along = s->lying ? t->x : t->y;
    float bowed = across + field_at(&s->trunk, BOW, t), r = field_at(&s->trunk, YEARS, t);
    float whole = floorf(r), f = r - whole;
    float year = noise_point((int)whole, 3, seed);

    // Spring wood darkens slowly into late wood, which ends at once.
    g->late = (0.45f + 0.55f * year) * smoothf(0.30f, 0.90f, f) * (1.0f - smoothf(0.94f, 1.0f, f));
    g->fibre = noise_sum(bowed * 0.85f, along * 0.045f, 2, seed + 361);
    g->streak = field_at(&s->trunk, STREAK, t);
    g->pore = pores_at(bowed, along, s->value[PORE], seed + 401) *
              (0.45f + 0.55f * (1.0f - g->late));
}

static lane4 timber_pixel(const struct timber *s, const float key[3], int x, int y)
{
    const float *value = s->value;
    struct cut g;
    struct spot t;
    lane4 rgb = {0};

    surface_spot(&s->surface, x, y, &t);
    cut_at(s, &t, &g);
    float rough = 0.05f * value[FIBRE] * g.fibre + 0.10f * value[PORES] * g.pore;
    spot_bump(&t, s->lying ? 0.0f : rough, s->lying ? rough : 0.0f);
    float d = clampf(t.n[0] * key[0] + t.n[1] * key[1] + t.n[2] * key[2], 0.0f, 1.0f);
    float keep = value[SHADING], shade = 1.0f - keep + keep * (0.22f + 1.2f * t.shade);
    float light = (1.30f * d * mixf(0.25f, 1.0f, t.light) + 0.16f) * t.cavity * shade;
    float wax = value[GLOSS] * t.cavity *
                surface_studio(&s->surface, t.n, 0.45f - 0.25f * value[GLOSS]);
    float tone = clampf(value[RINGS] * g.late - 0.35f * value[FIBRE] * g.fibre +
                            value[STREAKS] * g.streak + 0.12f,
                        0.0f, 1.0f);
    float pore = 1.0f - value[PORES] * g.pore;
    struct mood_lamp lamp;
    mood_lamp_at(s->p->mood, &t.half, 1.2f * d * t.light, -t.n[1], &lamp);
    for (int k = 0; k < 3; k++) {
        float c = mixf(value[RED + k], value[LATE_RED + k], tone) * pore * light;
        float sent = 0.62f * value[EXPOSURE] * c + 0.035f * wax * wax;
        rgb[k] = sent * lamp.gain[k] + lamp.veil[k];
    }
    return rgb;
}

static void timber_row(void *ctx, int y, int worker)
{
    const struct timber *s = ctx;
    lane4 *row = picture_row(s->p, y);
    float key[3];

    (void)worker;
    surface_key(&s->surface, key);
    for (int x = 0; x < s->p->width; x++)
        row[x] = timber_pixel(s, key, x, y);
    film_row(row, s->p->width);
}

static enum err timber_run(struct look_picture *p, const float *value)
{
    struct timber s = {.p = p, .value = value, .lying = p->width > p->height};
    enum err e = surface_new(&s.surface, p, value[RELIEF]);

    if (e == ERR_OK)
        e = fields_new(&s.trunk, &s.surface, 3, trunk_at, &s);
    if (e == ERR_OK && !pool_run(p->pool, p->height, timber_row, &s, p->cancel))
        e = ERR_CANCELLED;
    fields_release(&s.trunk);
    surface_release(&s.surface);
    return e;
}

const struct look_op look_op_timber = {
    .name = "timber",
    .help = "carved wood: rings, fibres and pores cut open by the photo's relief",
    .param = PARAM,
    .needs = NEED_FORM,
    .cost_ms = 180,
    .scratch_bytes = 10,
    .covers = true,
    .run = timber_run,
};
