/* SPDX-License-Identifier: MIT */
#include "look/clouds.h"

/*
 * Tone laid in transparent layers, light to dark: lightness becomes steps, whose borders are crisp
 * where the paper was dry and soft where it was wet. Pigment gathers along the dark side of every
 * border as the wash dries there (Bousseau et al. 2006, edge darkening); along the light side a
 * sliver of paper may stay bare (Montesdeoca et al. 2017, gaps). Both go into the fourth lane as
 * pigment beyond what the colour says.
 */
enum { TONES, EDGE, WET, WANDER, RIM, WIDTH, GAP };

static const struct look_param PARAM[] = {
    {"tones", 2.0f, 24.0f, 9.0f, "steps from black to white"},
    {"edge", 0.2f, 20.0f, 1.0f, "half the width of a dry border, units"},
    {"wet", -1.0f, 1.0f, 0.0f, "how much of the paper is wet: -1 none, 1 all"},
    {"wander", 0.0f, 0.3f, 0.04f, "how far borders leave the photo's tone, lightness"},
    {"rim", 0.0f, 4.0f, 1.0f, "pigment gathered along borders"},
    {"width", 0.5f, 16.0f, 2.5f, "width of what gathers, units"},
    {"gap", 0.0f, 1.0f, 0.5f, "bare paper left along borders"},
    {0}};

struct glaze {
    struct look_picture *p;
    const float *value;
    struct plane tone, stepped, near, wide;
    struct clouds wet, wander;
};

// Importance of a span.
static void care_span(const struct glaze *g, int x0, int y, int n, float *care)
{
    const struct look_picture *p = g->p;
    float map = p->maps->half_per_unit / p->px_per_unit, x[SPAN];

    for (int i = 0; i < n; i++)
        x[i] = (float)(x0 + i) + 0.5f;
    span_plane_row(&p->maps->importance, map, x, (float)y + 0.5f, n, care);
}

static void tone_row(void *ctx, int y, int worker)
{
    const struct glaze *g = ctx;
    const float *px = (const float *)picture_row(g->p, y);
    int width = g->p->width;

    (void)worker;
    for (int x0 = 0; x0 < width; x0 += SPAN) {
        float *tone = plane_row(&g->tone, y) + x0, care[SPAN], cloud[SPAN];
        int n = span_of(x0, width);
        care_span(g, x0, y, n, care);
        clouds_span(&g->wander, 1.0f, x0, y, n, cloud);
        for (int i = 0; i < n; i++) {
            float stray = g->value[WANDER] * (1.0f - smoothf(0.1f, 0.35f, care[i]));
            tone[i] = px[4 * (x0 + i)] + stray * cloud[i];
        }
    }
}

static void step_span(const struct glaze *g, int x0, int y, int n)
{
    const struct look_picture *p = g->p;
    int w = p->width;
    const float *px = (const float *)(picture_row(p, y) + x0);
    const float *row = plane_row(&g->tone, y), *at = row + x0;
    const float *above = plane_row(&g->tone, y > 0 ? y - 1 : 0) + x0;
    const float *below = plane_row(&g->tone, y + 1 < p->height ? y + 1 : y) + x0;
    float tones = g->value[TONES], edge = g->value[EDGE], damp = g->value[WET];
    float per_unit = 0.5f * p->px_per_unit;
    float *out = plane_row(&g->stepped, y) + x0, care[SPAN], cloud[SPAN], gx[SPAN];

    care_span(g, x0, y, n, care);
    clouds_span(&g->wet, 1.0f, x0, y, n, cloud);
    for (int i = 0; i < n; i++) {
        int x = x0 + i;
        gx[i] = row[x + 1 < w ? x + 1 : x] - row[x > 0 ? x - 1 : 0];
    }
    for (int i = 0; i < n; i++) {
        float gy = below[i] - above[i];
        float slope = tones * per_unit * sqrtf(gx[i] * gx[i] + gy * gy); // steps per unit
        float wet = smoothf(-0.1f, 0.3f, cloud[i] + damp - 0.3f * care[i]);
        float b = at[i] * tones, whole = floorf(b), f = b - whole;
        // Half the border in steps. At half a step the borders meet and tone is as in the photo.
        // Faces are modelled, unless every border is dry: steps would lie on them as on a map.
        float face = clampf(1.0f + damp, 0.0f, 1.0f) * smoothf(0.12f, 0.4f, care[i]);
        float half =
            clampf(mixf(edge, 24.0f, wet) * slope + 0.5f * wet + 0.45f * face, 0.02f, 0.5f);
        float t = clampf((f - 0.5f + half) / (2.0f * half), 0.0f, 1.0f);
        // Lettering and eyes stand on top of the steps; what is weaker is grain.
        float detail = px[4 * i] - at[i];
        out[i] = (whole + t) / tones + detail * smoothf(0.02f, 0.06f, fabsf(detail));
    }
}

static void step_row(void *ctx, int y, int worker)
{
    const struct glaze *g = ctx;

    (void)worker;
    for (int x = 0; x < g->p->width; x += SPAN)
        step_span(g, x, y, span_of(x, g->p->width));
}

static void gather_span(const struct glaze *g, int x0, int y, int n)
{
    float most = g->value[RIM], gap = g->value[GAP], care[SPAN], cloud[SPAN];
    const float *L = plane_row(&g->stepped, y) + x0;
    const float *near = plane_row(&g->near, y) + x0, *wide = plane_row(&g->wide, y) + x0;
    lane4 *row = picture_row(g->p, y) + x0;
    struct span_px px;

    care_span(g, x0, y, n, care);
    clouds_span(&g->wander, 0.7f, x0, y, n, cloud);
    span_take(row, n, &px);
    for (int i = 0; i < n; i++) {
        float d = 0.65f * (near[i] - L[i]) + 0.35f * (wide[i] - L[i]), dark = d > 0.0f ? d : 0.0f;
        float rim = most * dark / (dark + 0.05f);
        float bare = -gap * smoothf(0.03f, 0.07f, -d) * (1.0f - smoothf(0.2f, 0.45f, care[i])) *
                     smoothf(0.0f, 0.25f, cloud[i]);
        // A step lighter is a thinner layer of the same paint, not a greyer one.
        float thin = clampf((L[i] + 0.1f) / (px.lane[0][i] + 0.1f), 0.8f, 1.35f);
        px.lane[0][i] = L[i];
        px.lane[1][i] *= thin;
        px.lane[2][i] *= thin;
        px.lane[3][i] = d > 0.0f ? rim : bare;
    }
    span_put(row, n, &px);
}

static void gather_row(void *ctx, int y, int worker)
{
    const struct glaze *g = ctx;

    (void)worker;
    for (int x = 0; x < g->p->width; x += SPAN)
        gather_span(g, x, y, span_of(x, g->p->width));
}

static enum err glaze_layers(struct glaze *g, struct blur_scratch *s)
{
    struct look_picture *p = g->p;
    float width = g->value[WIDTH] * p->px_per_unit;
    bool go = pool_run(p->pool, p->height, tone_row, g, p->cancel) &&
              plane_blur(&g->tone, &g->tone, 1.3f * p->px_per_unit, s) &&
              pool_run(p->pool, p->height, step_row, g, p->cancel) &&
              plane_blur(&g->stepped, &g->near, 0.7f * width, s) &&
              plane_blur(&g->stepped, &g->wide, 2.5f * width, s) &&
              pool_run(p->pool, p->height, gather_row, g, p->cancel);

    return go ? ERR_OK : ERR_CANCELLED;
}

static enum err glaze_run(struct look_picture *p, const float *value)
{
    struct glaze g = {.p = p, .value = value};
    struct blur_scratch scratch = {0};
    struct plane *own[] = {&g.tone, &g.stepped, &g.near, &g.wide};
    uint32_t seed = p->variation.seed;
    enum err e = clouds_new(&g.wet, p, 150.0f, seed + 21);

    if (e == ERR_OK)
        e = clouds_new(&g.wander, p, 64.0f, seed + 22);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && e == ERR_OK; i++)
        e = plane_new(own[i], p->width, p->height);
    if (e == ERR_OK)
        e = blur_scratch_new(&scratch, p->width, p->height, p->pool, p->cancel);
    if (e == ERR_OK)
        e = glaze_layers(&g, &scratch);
    blur_scratch_release(&scratch);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        plane_release(own[i]);
    clouds_release(&g.wet);
    clouds_release(&g.wander);
    return e;
}

const struct look_op look_op_glaze = {
    .name = "glaze",
    .help = "tone in transparent layers, with pigment gathered along their borders",
    .param = PARAM,
    .needs = NEED_IMPORTANCE,
    .cost_ms = 25,
    .scratch_bytes = 16,
    .run = glaze_run,
};
