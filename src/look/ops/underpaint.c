/* SPDX-License-Identifier: MIT */
#include "look/op.h"

#include "look/noise.h"

/* Covers the canvas with the thin first paint: the photo's coarse abstraction on a toned ground. */
enum { GROUND, THICKNESS };

static const struct look_param PARAM[] = {
    {"ground", 0.0f, 1.0f, 0.25f, "share of the warm ground that shows through"},
    {"thickness", 0.0f, 2.0f, 0.15f, "height of the paint, units"},
    {0}};

struct underpaint {
    struct look_picture *p;
    const float *value;
};

static void underpaint_row(void *ctx, int y, int worker)
{
    static const float GROUND_LAB[LAB] = {0.52f, 0.035f, 0.065f}; /* burnt umber, thinned */
    const struct underpaint *u = ctx;
    struct look_picture *p = u->p;
    float share = u->value[GROUND];

    (void)worker;
    for (int x = 0; x < p->width; x++) {
        float ux = ((float)x + 0.5f) / p->px_per_unit, uy = ((float)y + 0.5f) / p->px_per_unit;
        float c[LAB];
        lab_at(p->maps->coarse, p->maps->half_per_unit, ux, uy, c);
        float cloud = share * (0.6f + 0.8f * noise_at(ux * 0.02f, uy * 0.02f, p->variation.seed));
        for (int k = 0; k < LAB; k++)
            c[k] = mixf(c[k], GROUND_LAB[k], cloud);
        picture_row(p, y)[x] = (lane4){c[0], c[1], c[2], u->value[THICKNESS]};
    }
}

static enum err underpaint_run(struct look_picture *p, const float *value)
{
    struct underpaint u = {.p = p, .value = value};

    return pool_run(p->pool, p->height, underpaint_row, &u, p->cancel) ? ERR_OK : ERR_CANCELLED;
}

const struct look_op look_op_underpaint = {
    .name = "underpaint",
    .help = "the thin first paint: coarse colours on a toned ground",
    .param = PARAM,
    .needs = NEED_ABSTRACT,
    .cost_ms = 15,
    .run = underpaint_run,
};
