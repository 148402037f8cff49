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

static void shade_span(const struct shade *s, int x0, int y, int n)
{
    const float *value = s->value;
    struct look_picture *p = s->p;
    float from = value[FROM], to = value[TO] > from + 0.01f ? value[TO] : from + 0.01f;
    float per_px = 1.0f / p->px_per_unit, u0 = ((float)x0 + 0.5f) * per_px;
    float uy = ((float)y + 0.5f) * per_px, du = 0.04f * per_px, wobble = value[WOBBLE];
    float most = value[PRESSURE], soft = value[SOFT], ux[SPAN], demand[SPAN], inside[SPAN];
    struct dry_places at = {.n = n};
    struct span_px px;

    noise_span(at.ux, n, u0 * 0.04f, du, uy * 0.04f, p->variation.seed + 11u);
    noise_span(at.uy, n, u0 * 0.04f, du, uy * 0.04f, p->variation.seed + 12u);
    for (int i = 0; i < n; i++) {
        ux[i] = u0 + (float)i * per_px;
        at.ux[i] = ux[i] + wobble * (at.ux[i] - 0.5f);
        at.uy[i] = uy + wobble * (at.uy[i] - 0.5f);
    }
    dry_demand_span(p, at.ux, at.uy, n, value[COLOUR], demand);
    dry_inside_span(p, ux, uy, n, value[MARGIN], inside);
    span_take(picture_row(p, y) + x0, n, &px);
    for (int i = 0; i < n; i++) {
        float pressure = most * clampf((demand[i] - from) / (to - from), 0.0f, 1.0f) * inside[i];
        at.cover[i] = 0.5f + 0.5f * pressure;
        at.take[i] = dry_take(px.lane[3][i], pressure, soft);
    }
    dry_draw_span(p, &at, value[DARK], value[COLOUR], &px);
    span_put(picture_row(p, y) + x0, n, &px);
}

static void shade_row(void *ctx, int y, int worker)
{
    const struct shade *s = ctx;
    int w = s->p->width;

    (void)worker;
    for (int x = 0; x < w; x += SPAN)
        shade_span(s, x, y, span_of(x, w));
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
    .cost_ms = 13,
    .run = shade_run,
};
