/* SPDX-License-Identifier: MIT */
#include "look/op.h"

#include "look/mood_scene.h"

/* Begins a picture with flat colours, as a colourist fills them in. */
enum { SPREAD, LIFT, DARKEST, SIMPLE, EVEN };

static const struct look_param PARAM[] = {
    {"spread", 0.5f, 2.0f, 1.1f, "factor on the distance between light and dark"},
    {"lift", 0.0f, 1.0f, 0.5f, "how far dark tones are raised: 1 is the root of lightness"},
    {"darkest", 0.0f, 0.6f, 0.1f, "lightness that black becomes"},
    {"simple", 0.0f, 1.0f, 0.0f, "how much is left to large shapes where nothing is important"},
    {"even", 0.0f, 2.0f, 0.0f,
     "how much unevenness within a shape is left out, also where it matters; above 1: small "
     "shapes"},
    {0}};

struct flats {
    struct look_picture *p;
    const float *value;
};

// Letters, also light ones on a dark ground.
static float print_at(const struct look_maps *m, float ux, float uy)
{
    struct plane_place at = plane_place(&m->strokes, ux * m->half_per_unit, uy * m->half_per_unit);
    float dark = plane_mix(&m->lettering, &at), light = plane_mix(&m->strokes, &at);

    return dark > light ? dark : light;
}

// What differs little from the shape around it, or from the large one around that, is unevenness;
// eyes, letters and borders are not.
static void even_out(const struct look_maps *m, float ux, float uy, float much, float c[LAB])
{
    const struct plane *const LEVEL[] = {m->mid, m->coarse};
    float little = much > 1.0f ? 1.0f + 3.0f * (much - 1.0f) : 1.0f;

    for (int i = 0; i < 2; i++) {
        float shape[LAB], far = 0.0f;
        lab_at(LEVEL[i], m->half_per_unit, ux, uy, shape);
        for (int k = 0; k < LAB; k++)
            far += (c[k] - shape[k]) * (c[k] - shape[k]);
        float share = (much < 1.0f ? much : 1.0f) *
                      (1.0f - smoothf(0.03f * little, 0.09f * little, sqrtf(far)));
        for (int k = 0; k < LAB; k++)
            c[k] = mixf(c[k], shape[k], share);
    }
}

static void flats_row(void *ctx, int y, int worker)
{
    const struct flats *f = ctx;
    struct look_picture *p = f->p;
    const struct look_maps *m = p->maps;
    lane4 *row = picture_row(p, y);
    float darkest = f->value[DARKEST] * mood_room(p->mood);
    float lift = f->value[LIFT] * mood_lift(p->mood);

    (void)worker;
    for (int x = 0; x < p->width; x++) {
        float ux = ((float)x + 0.5f) / p->px_per_unit, uy = ((float)y + 0.5f) / p->px_per_unit;
        float c[LAB], large[LAB];
        lab_at(m->flat, m->full_per_unit, ux, uy, c);
        if (f->value[EVEN] > 0.0f)
            even_out(m, ux, uy, f->value[EVEN], c);
        if (f->value[SIMPLE] > 0.0f) {
            float care = plane_at(&m->importance, ux * m->half_per_unit, uy * m->half_per_unit);
            float share = f->value[SIMPLE] * (1.0f - smoothf(0.1f, 0.4f, care)) *
                          (1.0f - print_at(m, ux, uy));
            lab_at(m->coarse, m->half_per_unit, ux, uy, large);
            for (int k = 0; k < LAB; k++)
                c[k] = mixf(c[k], large[k], share);
        }
        float L = clampf(0.55f + (c[0] - 0.55f) * f->value[SPREAD], 0.0f, 1.0f);
        float lifted = darkest + (1.0f - darkest) * mixf(L, sqrtf(L), lift);
        // A colour that becomes lighter keeps its saturation, not its chroma. But what is nearly
        // grey is left so, or black fur under a warm lamp would be red.
        float chroma = sqrtf(c[1] * c[1] + c[2] * c[2]);
        float more =
            mixf(1.0f, clampf(lifted / (L + 0.02f), 1.0f, 1.7f), smoothf(0.03f, 0.1f, chroma));
        row[x] = (lane4){lifted, c[1] * more, c[2] * more, 0.0f};
    }
}

static enum err flats_run(struct look_picture *p, const float *value)
{
    struct flats f = {.p = p, .value = value};

    return pool_run(p->pool, p->height, flats_row, &f, p->cancel) ? ERR_OK : ERR_CANCELLED;
}

const struct look_op look_op_flats = {
    .name = "flats",
    .help = "areas of one colour with sharp borders",
    .param = PARAM,
    .needs = NEED_FLAT | NEED_ABSTRACT | NEED_IMPORTANCE,
    .cost_ms = 19,
    .run = flats_run,
};
