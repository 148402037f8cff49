/* SPDX-License-Identifier: MIT */
#include "look/op.h"

#include "look/dry.h"

/* The contours, drawn more than once with a hand that does not hit the same place twice. */
enum { FROM, TO, PRESSURE, TIMES, WIDTH, WOBBLE, CARE, SOFT, DARK, COLOUR, MARGIN };

static const struct look_param PARAM[] = {
    {"from", 0.0f, 1.0f, 0.15f, "strength of an edge at which its line begins"},
    {"to", 0.0f, 1.5f, 0.6f, "strength at which the line is full; above `from`"},
    {"pressure", 0.0f, 1.0f, 0.9f, "hardest pressure"},
    {"times", 1.0f, 4.0f, 2.0f, "how often the lines are drawn over"},
    {"width", 0.0f, 8.0f, 0.0f, "added to the width of the lines, units"},
    {"wobble", 0.0f, 10.0f, 2.4f, "how far lines stray where nothing is important, units"},
    {"care", 0.0f, 1.0f, 0.5f, "how much fainter lines are where nothing is important"},
    {"soft", 0.0f, 1.0f, 0.5f, "0: on the tooth's peaks alone, 1: rubbed into the paper"},
    {"dark", 0.0f, 1.0f, 0.25f, "lightness of the pigment"},
    {"colour", 0.0f, 1.0f, 0.0f, "0: grey, 1: the photo's colours"},
    {"margin", 0.0f, 200.0f, 0.0f, "paper left around the drawing, units"},
    {0}};

struct contour {
    struct look_picture *p;
    const float *value;
    float to;
};

// The strongest line within about `reach` units.
static float widest(const struct look_maps *m, float x, float y, float reach)
{
    static const float AT[4][2] = {{0.9f, 0.4f}, {-0.4f, 0.9f}, {-0.9f, -0.4f}, {0.4f, -0.9f}};
    float v = plane_at(&m->lines, x * m->full_per_unit, y * m->full_per_unit);

    for (int i = 0; i < 4 && reach > 0.0f; i++) {
        float there = plane_at(&m->lines, (x + reach * AT[i][0]) * m->full_per_unit,
                               (y + reach * AT[i][1]) * m->full_per_unit);
        v = there > v ? there : v;
    }
    return v;
}

static float line_at(const struct contour *c, float ux, float uy, int pass, float loose)
{
    const struct look_maps *m = c->p->maps;
    uint32_t seed = c->p->variation.seed + 31u * (uint32_t)pass;
    float far = c->value[WOBBLE] * loose;
    float x = ux + far * (noise_at(ux * 0.017f, uy * 0.017f, seed + 1u) - 0.5f);
    float y = uy + far * (noise_at(ux * 0.017f, uy * 0.017f, seed + 2u) - 0.5f);
    float v = widest(m, x, y, 0.5f * c->value[WIDTH]);
    // The hand presses and lifts; passes after the first skip parts.
    float hand = noise_at(ux * 0.03f, uy * 0.03f, seed + 3u);

    return smoothf(c->value[FROM], c->to, v) *
           (pass == 0 ? 0.65f + 0.5f * hand : smoothf(0.25f, 0.6f, hand) * 0.8f);
}

static void contour_row(void *ctx, int y, int worker)
{
    const struct contour *c = ctx;
    const float *value = c->value;
    struct look_picture *p = c->p;
    lane4 *row = picture_row(p, y);

    (void)worker;
    for (int x = 0; x < p->width; x++) {
        float ux = ((float)x + 0.5f) / p->px_per_unit, uy = ((float)y + 0.5f) / p->px_per_unit;
        float half = p->maps->half_per_unit;
        float important = plane_at(&p->maps->importance, ux * half, uy * half);
        float loose = 1.0f - 0.8f * smoothf(0.2f, 0.6f, important), pressure = 0.0f;
        for (int i = 0; i < (int)value[TIMES]; i++) {
            float v = line_at(c, ux, uy, i, loose);
            pressure = pressure + v - pressure * v;
        }
        pressure *= value[PRESSURE] *
                    (1.0f - value[CARE] * (1.0f - smoothf(0.05f, 0.4f, important)));
        pressure *= dry_inside(p, ux, uy, value[MARGIN]);
        float take = dry_take(row[x][3], pressure, value[SOFT]), lab[LAB];
        if (take <= 0.0f)
            continue;
        dry_pigment(p, ux, uy, 1.0f, value[DARK], value[COLOUR], lab);
        for (int k = 0; k < LAB; k++)
            row[x][k] = mixf(row[x][k], lab[k], take);
    }
}

static enum err contour_run(struct look_picture *p, const float *value)
{
    struct contour c = {.p = p, .value = value};

    c.to = value[TO] > value[FROM] + 0.01f ? value[TO] : value[FROM] + 0.01f;
    return pool_run(p->pool, p->height, contour_row, &c, p->cancel) ? ERR_OK : ERR_CANCELLED;
}

const struct look_op look_op_contour = {
    .name = "contour",
    .help = "connected lines along the photo's edges, drawn by a hand",
    .param = PARAM,
    .needs = NEED_FINE | NEED_LINES | NEED_IMPORTANCE,
    .cost = 1.0f,
    .run = contour_run,
};
