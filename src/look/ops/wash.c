/* SPDX-License-Identifier: MIT */
#include "look/clouds.h"

#include "look/mood_scene.h"

/*
 * Wet colour: the photo abstracted, its outlines wandering as a loaded brush does, colours running
 * into each other where it is wet and nothing important stands. The light, high key of transparent
 * paint: no pigment is as dark as a shadow in a photo.
 */
enum { DETAIL, WOBBLE, PERIOD, BLEED, KEY, DARKEST };

static const struct look_param PARAM[] = {
    {"detail", 0.0f, 1.0f, 0.25f, "importance from which on the photo's small shapes are painted"},
    {"wobble", 0.0f, 16.0f, 4.5f, "how far outlines stray, units"},
    {"period", 8.0f, 200.0f, 30.0f, "size of the straying, units"},
    {"bleed", 0.0f, 40.0f, 14.0f, "how far colours run where it is wet, units"},
    {"key", 0.5f, 1.0f, 0.8f, "exponent of lightness; less is lighter"},
    {"darkest", 0.0f, 0.6f, 0.22f, "lightness that black becomes"},
    {0}};

struct wash {
    struct look_picture *p;
    const float *value;
    struct clouds across, down, wet;
};

// What the brush finds on a span, and how wet the paper is there.
struct wet {
    int n;
    float care[SPAN], loose[SPAN], wet[SPAN];
    float mid[LAB][SPAN], fine[LAB][SPAN], run[LAB][SPAN];
};

static void find_span(const struct wash *w, int x0, int y, struct wet *t)
{
    const struct look_picture *p = w->p;
    const struct look_maps *m = p->maps;
    float detail = w->value[DETAIL], wobble = w->value[WOBBLE], bleed = w->value[BLEED];
    float ux[SPAN], uy = ((float)y + 0.5f) / p->px_per_unit, du[SPAN], dv[SPAN];
    float near_x[SPAN], near_y[SPAN], far_x[SPAN], far_y[SPAN];

    for (int i = 0; i < t->n; i++)
        ux[i] = ((float)(x0 + i) + 0.5f) / p->px_per_unit;
    span_plane_row(&m->importance, m->half_per_unit, ux, uy, t->n, t->care);
    clouds_span(&w->across, 1.0f, x0, y, t->n, du);
    clouds_span(&w->down, 1.0f, x0, y, t->n, dv);
    clouds_span(&w->wet, 1.0f, x0, y, t->n, t->wet);
    for (int i = 0; i < t->n; i++) {
        float loose = 1.0f - smoothf(0.5f * detail, detail + 0.1f, t->care[i]);
        float stray = wobble * (0.12f + 0.88f * loose);
        // Colour runs farther than tone does: it is what betrays wet paper.
        float wet = loose * smoothf(-0.1f, 0.4f, t->wet[i]), far = stray + wet * bleed;
        near_x[i] = ux[i] + stray * du[i];
        near_y[i] = uy + stray * dv[i];
        far_x[i] = ux[i] + far * du[i];
        far_y[i] = uy + far * dv[i];
        t->loose[i] = loose;
        t->wet[i] = wet;
    }
    span_lab(m->mid, m->half_per_unit, near_x, near_y, t->n, t->mid);
    span_lab(m->fine, m->full_per_unit, near_x, near_y, t->n, t->fine);
    span_lab(m->coarse, m->half_per_unit, far_x, far_y, t->n, t->run);
}

static void paint_span(const struct wash *w, const struct wet *t, struct span_px *px)
{
    float detail = w->value[DETAIL], darkest = w->value[DARKEST];
    float lift = 2.0f * (1.0f - w->value[KEY]) * mood_lift(w->p->mood);

    for (int i = 0; i < t->n; i++) {
        float care = t->care[i], wet = t->wet[i], c[LAB];
        float small = 0.85f * smoothf(0.6f * detail, detail + 0.2f, care);
        // So are letters and railings in what matters less, by their contrast.
        float sharp = smoothf(0.05f, 0.1f, fabsf(t->fine[0][i] - t->mid[0][i])) *
                      smoothf(0.05f, 0.2f, care);
        small = small > sharp ? small : sharp;
        // What differs from its surroundings is an object, and is not drowned.
        float apart = smoothf(0.05f, 0.14f, fabsf(t->mid[0][i] - t->run[0][i]));
        float tone = 0.8f * wet * (1.0f - apart), colour = 0.35f * t->loose[i] + 0.5f * wet;
        for (int k = 0; k < LAB; k++)
            c[k] = mixf(mixf(t->mid[k][i], t->fine[k][i], small), t->run[k][i],
                        k == 0 ? tone : colour);
        float L = clampf(c[0], 0.0f, 1.0f);
        // x^key between its neighbours x and sqrt(x): no more is needed of an exponent.
        px->lane[0][i] = darkest + (1.0f - darkest) * mixf(L, sqrtf(L), lift);
        px->lane[1][i] = c[1];
        px->lane[2][i] = c[2];
        px->lane[3][i] = 0.0f;
    }
}

static void wash_row(void *ctx, int y, int worker)
{
    const struct wash *w = ctx;
    struct span_px px;
    struct wet t;

    (void)worker;
    for (int x = 0; x < w->p->width; x += SPAN) {
        t.n = span_of(x, w->p->width);
        find_span(w, x, y, &t);
        paint_span(w, &t, &px);
        span_put(picture_row(w->p, y) + x, t.n, &px);
    }
}

static enum err wash_run(struct look_picture *p, const float *value)
{
    struct wash w = {.p = p, .value = value};
    uint32_t seed = p->variation.seed;
    enum err e = clouds_new(&w.across, p, value[PERIOD], seed + 11);

    if (e == ERR_OK)
        e = clouds_new(&w.down, p, value[PERIOD], seed + 12);
    if (e == ERR_OK)
        e = clouds_new(&w.wet, p, 190.0f, seed + 13);
    if (e == ERR_OK && !pool_run(p->pool, p->height, wash_row, &w, p->cancel))
        e = ERR_CANCELLED;
    clouds_release(&w.across);
    clouds_release(&w.down);
    clouds_release(&w.wet);
    return e;
}

const struct look_op look_op_wash = {
    .name = "wash",
    .help = "wet colour: the photo abstracted, its outlines straying and its colours running",
    .param = PARAM,
    .needs = NEED_FINE | NEED_ABSTRACT | NEED_IMPORTANCE,
    .cost_ms = 24,
    .scratch_bytes = 6,
    .covers = true,
    .run = wash_run,
};
