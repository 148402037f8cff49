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

static void wash_row(void *ctx, int y, int worker)
{
    const struct wash *w = ctx;
    struct look_picture *p = w->p;
    const struct look_maps *m = p->maps;
    const float *value = w->value;

    (void)worker;
    for (int x = 0; x < p->width; x++) {
        float fx = (float)x, fy = (float)y;
        float ux = (fx + 0.5f) / p->px_per_unit, uy = (fy + 0.5f) / p->px_per_unit;
        float care = plane_at(&m->importance, ux * m->half_per_unit, uy * m->half_per_unit);
        float loose = 1.0f - smoothf(0.5f * value[DETAIL], value[DETAIL] + 0.1f, care);
        float du = clouds_at(&w->across, fx, fy), dv = clouds_at(&w->down, fx, fy);
        float stray = value[WOBBLE] * (0.12f + 0.88f * loose);
        float fine[LAB], mid[LAB], run[LAB];
        lab_at(m->mid, m->half_per_unit, ux + stray * du, uy + stray * dv, mid);
        lab_at(m->fine, m->full_per_unit, ux + stray * du, uy + stray * dv, fine);
        // Colour runs farther than tone does: it is what betrays wet paper.
        float wet = loose * smoothf(-0.1f, 0.4f, clouds_at(&w->wet, fx, fy));
        float far = stray + wet * value[BLEED];
        lab_at(m->coarse, m->half_per_unit, ux + far * du, uy + far * dv, run);
        float small = 0.85f * smoothf(0.6f * value[DETAIL], value[DETAIL] + 0.2f, care);
        // So are letters and railings in what matters less, by their contrast.
        float sharp = smoothf(0.05f, 0.1f, fabsf(fine[0] - mid[0])) * smoothf(0.05f, 0.2f, care);
        small = small > sharp ? small : sharp;
        // What differs from its surroundings is an object, and is not drowned.
        float apart = smoothf(0.05f, 0.14f, fabsf(mid[0] - run[0]));
        float c[LAB];
        for (int k = 0; k < LAB; k++) {
            c[k] = mixf(mid[k], fine[k], small);
            c[k] = mixf(c[k], run[k],
                        k == 0 ? 0.8f * wet * (1.0f - apart) : 0.35f * loose + 0.5f * wet);
        }
        float L = clampf(c[0], 0.0f, 1.0f);
        // x^key between its neighbours x and sqrt(x): no more is needed of an exponent.
        float root = sqrtf(L), lift = 2.0f * (1.0f - value[KEY]) * mood_lift(p->mood);
        L = value[DARKEST] + (1.0f - value[DARKEST]) * mixf(L, root, lift);
        picture_row(p, y)[x] = (lane4){L, c[1], c[2], 0.0f};
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
    .cost_ms = 84,
    .scratch_bytes = 6,
    .covers = true,
    .run = wash_run,
};
