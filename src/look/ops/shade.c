/* SPDX-License-Identifier: MIT */
#include "look/op.h"

#include "look/dry.h"

/* Tone with the side of the lead or stick, or rubbed with a finger. */
enum { FROM, TO, PRESSURE, SOFT, WOBBLE, DARK, COLOUR, MARGIN };

static const struct look_param PARAM[] = {
    {"from", 0.0f, 1.0f, 0.1f, "darkness of the photo at which shading begins"},
    {"to", 0.0f, 1.5f, 1.0f, "darkness at which it is pressed hardest; above `from`"},
    {"pressure", 0.0f, 1.0f, 0.5f, "hardest pressure, share of the tooth that is covered"},
    {"soft", 0.0f, 1.0f, 0.5f, "0: on the tooth's peaks alone, 1: rubbed into the paper"},
    {"wobble", 0.0f, 12.0f, 1.5f, "how far tone strays from the photo's shapes, units"},
    {"dark", 0.0f, 1.0f, 0.32f, "lightness of the pigment"},
    {"colour", 0.0f, 1.0f, 0.0f, "0: grey, 1: the photo's colours"},
    {"margin", 0.0f, 200.0f, 0.0f, "paper left around the drawing, units"},
    {0}};

struct shade {
    struct look_picture *p;
    const float *value;
};

static void shade_row(void *ctx, int y, int worker)
{
    const struct shade *s = ctx;
    const float *value = s->value;
    struct look_picture *p = s->p;
    float from = value[FROM], to = value[TO] > from + 0.01f ? value[TO] : from + 0.01f;
    lane4 *row = picture_row(p, y);
    uint32_t seed = p->variation.seed;

    (void)worker;
    for (int x = 0; x < p->width; x++) {
        float ux = ((float)x + 0.5f) / p->px_per_unit, uy = ((float)y + 0.5f) / p->px_per_unit;
        float wx = ux + value[WOBBLE] * (noise_at(ux * 0.04f, uy * 0.04f, seed + 11u) - 0.5f);
        float wy = uy + value[WOBBLE] * (noise_at(ux * 0.04f, uy * 0.04f, seed + 12u) - 0.5f);
        float q = clampf((dry_demand(p, wx, wy, value[COLOUR]) - from) / (to - from), 0.0f, 1.0f);
        float pressure = value[PRESSURE] * q * dry_inside(p, ux, uy, value[MARGIN]);
        float take = dry_take(row[x][3], pressure, value[SOFT]), lab[LAB];
        if (take <= 0.0f)
            continue;
        dry_pigment(p, wx, wy, 0.5f + 0.5f * pressure, value[DARK], value[COLOUR], lab);
        for (int k = 0; k < LAB; k++)
            row[x][k] = mixf(row[x][k], lab[k], take);
    }
}

static enum err shade_run(struct look_picture *p, const float *value)
{
    struct shade s = {.p = p, .value = value};

    return pool_run(p->pool, p->height, shade_row, &s, p->cancel) ? ERR_OK : ERR_CANCELLED;
}

const struct look_op look_op_shade = {
    .name = "shade",
    .help = "tone with the side of the lead or stick, caught by the paper's tooth",
    .param = PARAM,
    .needs = NEED_FINE | NEED_TONE,
    .cost = 1.0f,
    .run = shade_run,
};
