/* SPDX-License-Identifier: MIT */
#include "look/op.h"

/*
 * Dots of one printed screen: their size follows the darkness of the photo, so that a shade between
 * two flat tones is printed with the darker one.
 */
enum { PITCH, ANGLE, FROM, TO, DEPTH };

static const struct look_param PARAM[] = {
    {"pitch", 3.0f, 40.0f, 7.0f, "distance between dots, units"},
    {"angle", 0.0f, 0.25f, 0.125f, "of the screen, turns"},
    {"from", 0.0f, 1.0f, 0.62f, "lightness of the photo where the smallest dots begin"},
    {"to", 0.0f, 1.0f, 0.3f, "lightness where dots meet; below `from`"},
    {"depth", 0.0f, 0.5f, 0.12f, "how much darker a dot is"},
    {0}};

struct halftone {
    struct look_picture *p;
    const float *value;
    float c, s; /* of the screen's angle */
    float to;
};

static void halftone_row(void *ctx, int y, int worker)
{
    const struct halftone *h = ctx;
    const float *value = h->value;
    struct look_picture *p = h->p;
    const struct look_maps *m = p->maps;
    lane4 *row = picture_row(p, y);
    float uy = ((float)y + 0.5f) / p->px_per_unit;
    float soft = 0.6f / (value[PITCH] * p->px_per_unit); // half a border, in pitches

    (void)worker;
    for (int x = 0; x < p->width; x++) {
        float ux = ((float)x + 0.5f) / p->px_per_unit;
        float u = (ux * h->c + uy * h->s) / value[PITCH],
              v = (uy * h->c - ux * h->s) / value[PITCH];
        u -= floorf(u) + 0.5f;
        v -= floorf(v) + 0.5f;
        float tone = plane_at(&m->mid[0], ux * m->half_per_unit, uy * m->half_per_unit);
        float dark = clampf((value[FROM] - tone) / (value[FROM] - h->to), 0.0f, 1.0f);
        // Dots meet along their sides at .5 and cover everything at .71.
        float radius = 0.72f * sqrtf(dark) - 0.02f, far = sqrtf(u * u + v * v);
        float dot = dark > 0.02f ? 1.0f - smoothf(radius - soft, radius + soft, far) : 0.0f;
        row[x][0] -= value[DEPTH] * dot * smoothf(0.1f, 0.4f, row[x][0]);
    }
}

static enum err halftone_run(struct look_picture *p, const float *value)
{
    struct halftone h = {.p = p, .value = value};

    turn_approx(value[ANGLE], &h.c, &h.s);
    h.to = value[TO] < value[FROM] - 0.01f ? value[TO] : value[FROM] - 0.01f;
    return pool_run(p->pool, p->height, halftone_row, &h, p->cancel) ? ERR_OK : ERR_CANCELLED;
}

const struct look_op look_op_halftone = {
    .name = "halftone",
    .help = "printed dots whose size follows the darkness of the photo",
    .param = PARAM,
    .needs = NEED_ABSTRACT,
    .cost_ms = 10,
    .run = halftone_run,
};
