/* SPDX-License-Identifier: MIT */
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

// Dashes along the grain: a lattice of cells as long as a pore, most of them empty.
static inline float pores_at(float across, float along, float length, uint32_t seed)
{
    float column = floorf(across / 1.7f), shift = noise_point((int)column, 5, seed);
    float v = along / length + 7.0f * shift, cell = floorf(v);
    float kind = noise_point((int)column, (int)cell, seed + 1);
    float u = across / 1.7f - column - 0.5f, w = v - cell - 0.5f;
    float dash = (1.0f - 4.0f * u * u) * (1.0f - 4.0f * w * w);

    return kind < 0.3f ? dash : 0.0f;
}

enum { YEARS, BOW, STREAK };

// Years from the middle of the trunk, how far fibres bow, and the streaks. The trunk is not
// straight, and deeper cuts open other rings; both change slowly along the grain, or rings would
// read as contours of a map.
static void trunk_at(const void *ctx, float x, float y, float height, float *out)
{
    const struct timber *s = ctx;
    uint32_t seed = s->p->variation.seed;
    float across = s->lying ? y : x, along = s->lying ? x : y;
    float bend = noise_sum(across * 0.0035f, along * 0.0011f, 3, seed + 301);
    float wave = noise_sum(across * 0.02f, along * 0.004f, 2, seed + 331);

    out[BOW] = 5.0f * wave + 0.12f * height;
    out[YEARS] = (0.42f * (across + out[BOW]) + 72.0f * bend + 0.35f * height) / s->value[RING];
    out[STREAK] = noise_sum((across + out[BOW]) * 0.03f, along * 0.0022f, 2, seed + 391);
}

// What shading needs of a span.
struct cut {
    float fibre[SPAN]; /* -1..1 */
    float pore[SPAN];  /* 0..1 */
    float tone[SPAN];  /* from spring to autumn wood */
    float light[SPAN], wax[SPAN];
    float lamp[SPAN], up[SPAN];
};

static void cut_span(const struct timber *s, const struct spots *t, struct cut *c)
{
    const float *value = s->value;
    float rings = value[RINGS], fibres = 0.35f * value[FIBRE], streaks = value[STREAKS];
    float length = value[PORE];
    uint32_t seed = s->p->variation.seed;
    // Factors, not a choice, so that the loop becomes vectors.
    float lying = s->lying ? 1.0f : 0.0f, standing = 1.0f - lying;

    for (int i = 0; i < t->n; i++) {
        float across = lying * t->y + standing * t->x[i];
        float along = lying * t->x[i] + standing * t->y;
        float bowed = across + t->field[BOW][i], r = t->field[YEARS][i];
        float whole = floorf(r), f = r - whole, year = noise_point((int)whole, 3, seed);
        // Spring wood darkens slowly into late wood, which ends at once.
        float late = (0.45f + 0.55f * year) * smoothf(0.30f, 0.90f, f) *
                     (1.0f - smoothf(0.94f, 1.0f, f));
        c->fibre[i] = noise_sum(bowed * 0.85f, along * 0.045f, 2, seed + 361);
        c->pore[i] = pores_at(bowed, along, length, seed + 401) * (0.45f + 0.55f * (1.0f - late));
        c->tone[i] =
            clampf(rings * late - fibres * c->fibre[i] + streaks * t->field[STREAK][i] + 0.12f,
                   0.0f, 1.0f);
    }
}

static void light_span(const struct timber *s, const struct spots *t, struct cut *c)
{
    const float *value = s->value;
    float key[3], keep = value[SHADING], gloss = value[GLOSS], rough = 0.45f - 0.25f * gloss;
    float fibre = 0.05f * value[FIBRE], pores = 0.10f * value[PORES];
    float on_x = s->lying ? 0.0f : 1.0f, on_y = 1.0f - on_x;
    float lx = s->p->variation.light_x, ly = s->p->variation.light_y;

    surface_key(&s->surface, key);
    for (int i = 0; i < t->n; i++) {
        float uneven = fibre * c->fibre[i] + pores * c->pore[i], n[3];
        normal_of(t->gx[i] + on_x * uneven, t->gy[i] + on_y * uneven, n);
        float d = clampf(n[0] * key[0] + n[1] * key[1] + n[2] * key[2], 0.0f, 1.0f);
        float shade = 1.0f - keep + keep * (0.22f + 1.2f * t->shade[i]);
        float wax = gloss * t->cavity[i] * gloss_at(lx, ly, n, rough);
        c->light[i] = (1.30f * d * mixf(0.25f, 1.0f, t->light[i]) + 0.16f) * t->cavity[i] * shade;
        c->wax[i] = 0.2f * wax;
        c->lamp[i] = 1.2f * d * t->light[i];
        c->up[i] = -n[1];
    }
}

// Light of one colour that the wood sends.
static void colour_span(const struct timber *s, const struct cut *c, const struct mood_lamps *lamps,
                        int k, int n, float *out)
{
    float spring = s->value[RED + k], late = s->value[LATE_RED + k], pores = s->value[PORES];
    float exposure = 0.62f * s->value[EXPOSURE];
    const float *gain = lamps->gain[k], *veil = lamps->veil[k];

    for (int i = 0; i < n; i++) {
        float colour = mixf(spring, late, c->tone[i]) * (1.0f - pores * c->pore[i]) * c->light[i];
        out[i] = (exposure * colour + c->wax[i]) * gain[i] + veil[i];
    }
}

static void timber_row(void *ctx, int y, int worker)
{
    const struct timber *s = ctx;
    int width = s->p->width;

    (void)worker;
    for (int x = 0; x < width; x += SPAN) {
        struct spots t;
        struct cut c;
        struct mood_lamps lamps;
        struct span_px px;
        surface_span(&s->surface, &s->trunk, x, y, span_of(x, width), &t);
        cut_span(s, &t, &c);
        light_span(s, &t, &c);
        surface_lamps(&s->surface, &t, c.lamp, c.up, &lamps);
        for (int k = 0; k < 3; k++)
            colour_span(s, &c, &lamps, k, t.n, px.lane[k]);
        light_to_film(&px, t.n);
        span_put(picture_row(s->p, y) + x, t.n, &px);
    }
}

static enum err timber_run(struct look_picture *p, const float *value)
{
    struct timber s = {.p = p, .value = value, .lying = p->width > p->height};
    enum err e = surface_new(&s.surface, p, value[RELIEF]);

    if (e == ERR_OK)
        e = fields_new(&s.trunk, &s.surface, trunk_at, &s);
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
    .without = WITHOUT_RELIEF,
    .cost_ms = 29,
    .scratch_bytes = 10,
    .covers = true,
    .run = timber_run,
};
