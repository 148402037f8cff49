/* SPDX-License-Identifier: MIT */
#include "look/op.h"

#include "base/rand.h"
#include "look/dry.h"
#include "look/phase.h"

/*
 * Tone by a field of lines that swell in the darks and run out in the lights: a burin's or, with
 * wide lines and rough edges, a knife's. A second layer that begins in the darks crosses the first.
 */
enum {
    PERIOD,
    SMOOTH,
    ANGLE,
    FOLLOW,
    TURN,
    FROM,
    TO,
    MOST,
    LEAST,
    ROUGH,
    CARE,
    LEVELS,
    GRAIN,
    DARK,
    COLOUR,
    MARGIN
};

static const struct look_param PARAM[] = {
    {"period", 2.0f, 40.0f, 5.5f, "between lines, units"},
    {"smooth", 1.0f, 60.0f, 9.0f, "forms smaller than this do not turn the lines, units"},
    {"angle", -1.0f, 1.0f, -0.1f, "direction where no form rules, turns clockwise from the right"},
    {"follow", 0.0f, 1.0f, 0.9f, "0: straight lines, 1: lines run as the forms do"},
    {"turn", -0.5f, 0.5f, 0.0f, "turns added everywhere, for lines that cross others"},
    {"from", -0.5f, 1.0f, 0.05f, "darkness of the photo at which lines begin"},
    {"to", 0.0f, 1.5f, 1.0f, "darkness at which they are widest; above `from`"},
    {"most", 0.0f, 1.2f, 0.9f, "widest line, periods; over 1: solid"},
    {"least", 0.0f, 0.5f, 0.1f, "line under which there is none, periods"},
    {"rough", 0.0f, 1.0f, 0.0f, "how uneven the edges of lines are, periods"},
    {"care", 0.0f, 1.0f, 0.4f, "how far lines give way to solid shapes in eyes and lettering"},
    {"levels", 0.0f, 12.0f, 0.0f, "how many widths there are; 0: any"},
    {"grain", 0.0f, 1.0f, 0.0f, "how much of the block's wood grain prints"},
    {"dark", 0.0f, 1.0f, 0.14f, "lightness of the ink"},
    {"colour", 0.0f, 1.0f, 0.0f, "0: grey, 1: the photo's colours"},
    {"margin", 0.0f, 200.0f, 0.0f, "paper left around the print, units"},
    {0}};

struct engrave {
    struct look_picture *p;
    const float *value;
    struct plane line;
    float edge; /* what a pixel is of half a period */
    uint32_t seed;
};

// Few widths with short steps between, like tones that were cut one after the other.
static float in_levels(float v, float levels)
{
    float at = v * levels, whole = floorf(at);

    return levels < 1.0f ? v : (whole + smoothf(0.35f, 0.65f, at - whole)) / levels;
}

static float ink_at(const struct engrave *g, float line, float ux, float uy)
{
    const float *value = g->value;
    const struct look_maps *m = g->p->maps;
    float half = m->half_per_unit, care = plane_at(&m->importance, ux * half, uy * half);
    float from = value[FROM], to = value[TO] > from + 0.01f ? value[TO] : from + 0.01f;
    float dark = 1.0f - plane_at(&m->tone, ux * m->full_per_unit, uy * m->full_per_unit);
    float width = in_levels(clampf((dark - from) / (to - from), 0.0f, 1.0f), value[LEVELS]);

    width *= value[MOST];
    if (value[ROUGH] > 0.0f) {
        float per = 2.2f / value[PERIOD];
        float grain = 0.6f * noise_at(ux * per, uy * per, g->seed) +
                      0.4f * noise_at(ux * per * 2.7f, uy * per * 2.7f, g->seed + 1u);
        width += value[ROUGH] * (grain - 0.5f) * clampf(width * 4.0f, 0.0f, 1.0f);
    }
    if (value[GRAIN] > 0.0f) {
        // Soft wood between the rings of a plank takes less ink: thin streaks along it.
        float bend = 30.0f * noise_at(ux / 300.0f, uy / 140.0f, g->seed + 2u);
        float streak = noise_at(ux / 90.0f, (uy + bend) / 2.3f, g->seed + 3u);
        width -= value[GRAIN] * smoothf(0.66f, 0.95f, streak) * (1.0f - smoothf(0.1f, 0.4f, care));
    }
    float solid = value[CARE] * smoothf(0.4f, 0.8f, care);
    line = mixf(line, 0.55f, solid);
    // A line runs out in a point, not in grey.
    width = value[LEAST] > 0.0f && width < value[LEAST] ? 2.0f * width - value[LEAST] : width;
    return clampf((width - line) / (g->edge * (1.0f - 0.7f * solid)) + 0.5f, 0.0f, 1.0f) *
           (width > 0.0f ? 1.0f : 0.0f);
}

static void engrave_span(const struct engrave *g, int x0, int y, int n)
{
    const float *value = g->value, *line = plane_row(&g->line, y) + x0;
    struct look_picture *p = g->p;
    float uy = ((float)y + 0.5f) / p->px_per_unit, inside[SPAN];
    struct dry_places at = {.n = n};
    struct span_px px;

    for (int i = 0; i < n; i++) {
        at.ux[i] = ((float)(x0 + i) + 0.5f) / p->px_per_unit;
        at.uy[i] = uy;
        at.cover[i] = 1.0f;
        at.take[i] = ink_at(g, line[i], at.ux[i], uy);
    }
    dry_inside_span(p, at.ux, uy, n, value[MARGIN], inside);
    for (int i = 0; i < n; i++)
        at.take[i] *= smoothf(0.45f, 0.55f, inside[i]);
    span_take(picture_row(p, y) + x0, n, &px);
    dry_draw_span(p, &at, value[DARK], value[COLOUR], &px);
    span_put(picture_row(p, y) + x0, n, &px);
}

static void engrave_row(void *ctx, int y, int worker)
{
    const struct engrave *g = ctx;

    (void)worker;
    for (int x = 0; x < g->p->width; x += SPAN)
        engrave_span(g, x, y, span_of(x, g->p->width));
}

static enum err engrave_run(struct look_picture *p, const float *value)
{
    struct engrave g = {.p = p, .value = value};
    enum err e = plane_new(&g.line, p->width, p->height);

    g.seed = hash_u32(p->variation.seed, (uint32_t)(int)(value[TURN] * 512.0f), 0xE6u);
    g.edge = 2.2f / (value[PERIOD] * p->px_per_unit);
    struct phase_kind kind = {.period = value[PERIOD],
                              .cell = 2.0f * value[PERIOD],
                              .smooth = value[SMOOTH],
                              .angle = value[ANGLE],
                              .follow = value[FOLLOW],
                              .turn = value[TURN],
                              .seed = g.seed};
    if (e == ERR_OK)
        e = phase_field(p, &kind, &g.line);
    if (e == ERR_OK && !pool_run(p->pool, p->height, engrave_row, &g, p->cancel))
        e = ERR_CANCELLED;
    plane_release(&g.line);
    return e;
}

const struct look_op look_op_engrave = {
    .name = "engrave",
    .help = "tone by lines that swell in the darks and follow the forms",
    .param = PARAM,
    .needs = NEED_FINE | NEED_FLOW | NEED_TONE | NEED_IMPORTANCE,
    .cost_ms = 53,
    .run = engrave_run,
};
