/* SPDX-License-Identifier: MIT */
#include "look/clouds.h"

#include "look/colour.h"
#include "look/noise.h"

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
static float paper_at(float ux, float uy, float tooth)
{
    float u = ux / tooth, v = uy / tooth;
    float a = noise_at(u, v, 301), b = noise_at(1.7f * u - 0.9f * v, 0.9f * u + 1.7f * v, 302);

    return 0.55f * a + 0.45f * b;
}

// How far inside the painted area, units; corners are round.
static float inside_at(const struct pigment *g, int x, int y)
{
    const struct look_picture *p = g->p;
    float per = 1.0f / p->px_per_unit;
    float dx = ((float)(x < p->width - 1 - x ? x : p->width - 1 - x) + 0.5f) * per;
    float dy = ((float)(y < p->height - 1 - y ? y : p->height - 1 - y) + 0.5f) * per;
    float round = 30.0f, ox = round - dx, oy = round - dy;
    float d = dx < dy ? dx : dy;

    if (ox > 0.0f && oy > 0.0f)
        d = round - sqrtf(ox * ox + oy * oy);
    return d;
}

static void pigment_row(void *ctx, int y, int worker)
{
    static const float PAPER[3] = {0.965f, 0.945f, 0.900f}; /* linear: warm white */
    const struct pigment *g = ctx;
    struct look_picture *p = g->p;
    const float *value = g->value;
    lane4 *row = picture_row(p, y);
    float per = 1.0f / p->px_per_unit, uy = ((float)y + 0.5f) * per;
    float seen = p->bare ? 0.0f : smoothf(0.8f, 2.5f, value[TOOTH] * p->px_per_unit);

    (void)worker;
    for (int x = 0; x < p->width; x++) {
        float ux = ((float)x + 0.5f) * per, fx = (float)x, fy = (float)y;
        float paper = paper_at(ux, uy, value[TOOTH]);
        float lean = paper -
                     paper_at(ux + p->variation.light_x, uy + p->variation.light_y, value[TOOTH]);
        float L = row[x][0], dark = clampf(1.1f - L, 0.0f, 1.0f);
        // Thick darks hardly vary: unevenness there would look like fog.
        float d = 1.0f + row[x][3] +
                  value[TURBULENCE] * (1.0f - 0.75f * dark) * clouds_at(&g->turbulence, fx, fy);
        d += seen * value[GRANULATION] * (0.5f - paper) *
             (0.4f + 1.6f * dark * (1.0f - 0.6f * dark));
        // Bare paper: highlights, and a border whose edge is a dried wash of its own.
        float bare = smoothf(0.0f, 0.08f,
                             L - value[WHITES] + 0.08f * clouds_at(&g->bare, fx, fy) +
                                 0.06f * seen * (paper - 0.5f));
        // The painted edge: here a wash that dried with a rim, there a brush that ran dry on the
        // paper's peaks.
        float inside = inside_at(g, x, y) - value[BORDER] -
                       value[RAGGED] * clouds_at(&g->edge, fx, fy);
        float dry = smoothf(0.0f, 0.3f, clouds_at(&g->dry, fx, fy));
        float reached = 1.0f;
        if (value[BORDER] > 0.0f) {
            float at = inside + dry * 34.0f * (paper - 0.62f) + 3.0f * (paper - 0.5f);
            reached = smoothf(-0.8f, 0.8f, at);
            d += 0.4f * (1.0f - dry) * exp_approx(-0.3f * (inside > 0.0f ? inside : 0.0f));
        }
        d = clampf(d, 0.15f, 3.0f) * (1.0f - 0.9f * bare) * reached;
        float rgb[3], light = 1.0f + (p->flat ? 0.0f : seen * value[GRAIN] * lean);
        linear_from_oklab(L, row[x][1], row[x][2], rgb);
        for (int k = 0; k < 3; k++) {
            float c = sqrtf(clampf(rgb[k], 0.0004f, 1.0f));
            // Thinner than one layer, the paper takes over in a straight line.
            c = d < 1.0f ? 1.0f - (1.0f - c) * d : clampf(c - (c - c * c) * (d - 1.0f), 0.0f, 1.0f);
            row[x][k] = c * c * PAPER[k] * light;
        }
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
    .cost_ms = 106,
    .scratch_bytes = 6,
    .run = pigment_run,
};
