/* SPDX-License-Identifier: MIT */
#include "look/clouds.h"

#include "look/colour.h"

/*
 * Transparent pigment on paper; leaves linear light: the last step. How much pigment lies decides
 * the colour, C' = C - (C - C^2)(d - 1) (Bousseau et al. 2006), on the square root of linear light,
 * which is even to the eye. d is what the layers gathered (fourth lane), the turbulence of the
 * wash, and granules that settle in the valleys of the paper. The brush never reached the paper's
 * border.
 */
enum { TURBULENCE, GRANULATION, TOOTH, GRAIN, WHITES, BORDER, RAGGED };

static const struct look_param PARAM[] = {
    {"turbulence", 0.0f, 2.0f, 0.5f, "how uneven a wash is"},
    {"granulation", 0.0f, 2.0f, 0.35f, "pigment that settles in the paper's valleys"},
    {"tooth", 2.0f, 24.0f, 5.0f, "size of the paper's grain, units"},
    {"grain", 0.0f, 1.0f, 0.3f, "how much the light shows the paper's grain"},
    {"whites", 0.5f, 1.2f, 0.9f, "lightness from which on paper is left bare"},
    {"border", 0.0f, 120.0f, 24.0f, "mean width of the bare border, units"},
    {"ragged", 0.0f, 60.0f, 18.0f, "how far the painted edge strays, units"},
    {0}};

struct pigment {
    struct look_picture *p;
    const float *value;
    struct clouds turbulence, bare, edge, dry;
};

// Cold-pressed paper, 0..1: felt marks of two sizes, no threads.
static void paper_span(const float *ux, float uy, int n, float tooth, float *paper)
{
    float v = uy / tooth;

    span_noise_row(1.0f / tooth, ux, uy, n, 301, paper);
    for (int i = 0; i < n; i++) {
        float u = ux[i] / tooth, b = noise_at(1.7f * u - 0.9f * v, 0.9f * u + 1.7f * v, 302);
        paper[i] = 0.55f * paper[i] + 0.45f * b;
    }
}

// How far inside the painted area, units; corners are round.
static float inside_at(const struct pigment *g, float ux, float uy)
{
    static const float ROUND = 30.0f;
    float w = (float)g->p->width / g->p->px_per_unit, h = (float)g->p->height / g->p->px_per_unit;
    float dx = ux < w - ux ? ux : w - ux, dy = uy < h - uy ? uy : h - uy;
    float ox = ROUND - dx, oy = ROUND - dy, d = dx < dy ? dx : dy;

    ox = ox > 0.0f ? ox : 0.0f;
    oy = oy > 0.0f ? oy : 0.0f;
    return ox > 0.0f && oy > 0.0f ? ROUND - sqrtf(ox * ox + oy * oy) : d;
}

// The paper of a span, and how much of it the brush reached.
struct sheet {
    int n;
    float paper[SPAN], lean[SPAN]; /* height, and its slope towards the light */
    float reached[SPAN], rim[SPAN];
};

static void reach_span(const struct pigment *g, const float *ux, float uy, int x0, int y,
                       struct sheet *t)
{
    float border = g->value[BORDER], ragged = g->value[RAGGED], edge[SPAN], dry[SPAN];

    for (int i = 0; i < t->n; i++) {
        t->reached[i] = 1.0f;
        t->rim[i] = 0.0f;
    }
    if (border <= 0.0f)
        return;
    clouds_span(&g->edge, 1.0f, x0, y, t->n, edge);
    clouds_span(&g->dry, 1.0f, x0, y, t->n, dry);
    // The painted edge: here a wash that dried with a rim, there a brush that ran dry on the
    // paper's peaks.
    for (int i = 0; i < t->n; i++) {
        float inside = inside_at(g, ux[i], uy) - border - ragged * edge[i];
        float ran = smoothf(0.0f, 0.3f, dry[i]), paper = t->paper[i];
        t->reached[i] =
            smoothf(-0.8f, 0.8f, inside + ran * 34.0f * (paper - 0.62f) + 3.0f * (paper - 0.5f));
        t->rim[i] = 0.4f * (1.0f - ran) * exp_approx(-0.3f * (inside > 0.0f ? inside : 0.0f));
    }
}

static void sheet_span(const struct pigment *g, int x0, int y, struct sheet *t)
{
    const struct look_picture *p = g->p;
    float per = 1.0f / p->px_per_unit, uy = ((float)y + 0.5f) * per, tooth = g->value[TOOTH];
    float ux[SPAN], beside[SPAN];

    for (int i = 0; i < t->n; i++) {
        ux[i] = ((float)(x0 + i) + 0.5f) * per;
        beside[i] = ux[i] + p->variation.light_x;
    }
    paper_span(ux, uy, t->n, tooth, t->paper);
    paper_span(beside, uy + p->variation.light_y, t->n, tooth, t->lean);
    for (int i = 0; i < t->n; i++)
        t->lean[i] = t->paper[i] - t->lean[i];
    reach_span(g, ux, uy, x0, y, t);
}

static void pigment_span(const struct pigment *g, int x0, int y, const struct sheet *t,
                         struct span_px *px)
{
    static const float PAPER[3] = {0.965f, 0.945f, 0.900f}; /* linear: warm white */
    const struct look_picture *p = g->p;
    const float *value = g->value;
    float seen = p->bare ? 0.0f : smoothf(0.8f, 2.5f, value[TOOTH] * p->px_per_unit);
    float turbulence = value[TURBULENCE], granules = seen * value[GRANULATION];
    float whites = value[WHITES], grain = p->flat ? 0.0f : seen * value[GRAIN];
    float stir[SPAN], spare[SPAN];

    clouds_span(&g->turbulence, 1.0f, x0, y, t->n, stir);
    clouds_span(&g->bare, 1.0f, x0, y, t->n, spare);
    for (int i = 0; i < t->n; i++) {
        float paper = t->paper[i], L = px->lane[0][i], dark = clampf(1.1f - L, 0.0f, 1.0f);
        // Thick darks hardly vary: unevenness there would look like fog.
        float d = 1.0f + px->lane[3][i] + turbulence * (1.0f - 0.75f * dark) * stir[i];
        d += granules * (0.5f - paper) * (0.4f + 1.6f * dark * (1.0f - 0.6f * dark));
        // Bare paper: highlights unless they have a colour, and a border whose edge is a dried wash
        // of its own.
        float a = px->lane[1][i], b = px->lane[2][i], colour = 0.8f * sqrtf(a * a + b * b);
        float bare = smoothf(
            0.0f, 0.08f, L - colour - whites + 0.08f * spare[i] + 0.06f * seen * (paper - 0.5f));
        d = clampf(d + t->rim[i], 0.15f, 3.0f) * (1.0f - 0.9f * bare) * t->reached[i];
        float rgb[3], light = 1.0f + grain * t->lean[i];
        linear_from_oklab(L, a, b, rgb);
        for (int k = 0; k < 3; k++) {
            float c = sqrtf(clampf(rgb[k], 0.0004f, 1.0f));
            // Thinner than one layer, the paper takes over in a straight line.
            float thin = 1.0f - (1.0f - c) * d;
            float thick = clampf(c - (c - c * c) * (d - 1.0f), 0.0f, 1.0f);
            c = d < 1.0f ? thin : thick;
            px->lane[k][i] = c * c * PAPER[k] * light;
        }
    }
}

static void pigment_row(void *ctx, int y, int worker)
{
    const struct pigment *g = ctx;
    struct sheet t;
    struct span_px px;

    (void)worker;
    for (int x = 0; x < g->p->width; x += SPAN) {
        lane4 *row = picture_row(g->p, y) + x;
        t.n = span_of(x, g->p->width);
        span_take(row, t.n, &px);
        sheet_span(g, x, y, &t);
        pigment_span(g, x, y, &t, &px);
        span_put(row, t.n, &px);
    }
}

static enum err pigment_run(struct look_picture *p, const float *value)
{
    struct pigment g = {.p = p, .value = value};
    uint32_t seed = p->variation.seed;
    enum err e = clouds_new(&g.turbulence, p, 150.0f, seed + 31);

    if (e == ERR_OK)
        e = clouds_new(&g.bare, p, 40.0f, seed + 32);
    if (e == ERR_OK)
        e = clouds_new(&g.edge, p, 170.0f, seed + 33);
    if (e == ERR_OK)
        e = clouds_new(&g.dry, p, 130.0f, seed + 34);
    if (e == ERR_OK && !pool_run(p->pool, p->height, pigment_row, &g, p->cancel))
        e = ERR_CANCELLED;
    clouds_release(&g.turbulence);
    clouds_release(&g.bare);
    clouds_release(&g.edge);
    clouds_release(&g.dry);
    p->linear = true;
    return e;
}

const struct look_op look_op_pigment = {
    .name = "pigment",
    .help = "transparent pigment on paper, with a ragged bare border",
    .param = PARAM,
    .without = WITHOUT_RELIEF | WITHOUT_CANVAS,
    .cost_ms = 17,
    .scratch_bytes = 6,
    .run = pigment_run,
};
