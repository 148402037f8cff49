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

static void tone_row(void *ctx, int y, int worker)
{
    struct glaze *g = ctx;
    const struct look_picture *p = g->p;
    const lane4 *row = picture_row(p, y);
    float map = p->maps->half_per_unit / p->px_per_unit;
    float *tone = plane_row(&g->tone, y);

    (void)worker;
    for (int x = 0; x < p->width; x++) {
        float care =
            plane_at(&p->maps->importance, ((float)x + 0.5f) * map, ((float)y + 0.5f) * map);
        float stray = g->value[WANDER] * (1.0f - smoothf(0.1f, 0.35f, care));
        tone[x] = row[x][0] + stray * clouds_at(&g->wander, (float)x, (float)y);
    }
}

static void step_row(void *ctx, int y, int worker)
{
    struct glaze *g = ctx;
    const struct look_picture *p = g->p;
    const struct look_maps *m = p->maps;
    int w = p->width;
    const lane4 *row = picture_row(p, y);
    const float *at = plane_row(&g->tone, y), *above = plane_row(&g->tone, y > 0 ? y - 1 : 0);
    const float *below = plane_row(&g->tone, y + 1 < p->height ? y + 1 : y);
    float tones = g->value[TONES], per_unit = 0.5f * p->px_per_unit;
    float map = m->half_per_unit / p->px_per_unit;
    float *out = plane_row(&g->stepped, y);

    (void)worker;
    for (int x = 0; x < w; x++) {
        int left = x > 0 ? x - 1 : 0, right = x + 1 < w ? x + 1 : x;
        float gx = at[right] - at[left], gy = below[x] - above[x];
        float slope = tones * per_unit * sqrtf(gx * gx + gy * gy); // steps per unit
        float care = plane_at(&m->importance, ((float)x + 0.5f) * map, ((float)y + 0.5f) * map);
        float cloud = clouds_at(&g->wet, (float)x, (float)y);
        float wet = smoothf(-0.1f, 0.3f, cloud + g->value[WET] - 0.3f * care);
        float b = at[x] * tones, whole = floorf(b), f = b - whole;
        // Half the border in steps. At half a step the borders meet and tone is as in the photo.
        float half = clampf(mixf(g->value[EDGE], 24.0f, wet) * slope + 0.5f * wet, 0.02f, 0.5f);
        float t = clampf((f - 0.5f + half) / (2.0f * half), 0.0f, 1.0f);
        // Lettering and eyes stand on top of the steps; what is weaker is grain.
        float detail = row[x][0] - at[x];
        out[x] = (whole + t) / tones + detail * smoothf(0.02f, 0.06f, fabsf(detail));
    }
}

static void gather_row(void *ctx, int y, int worker)
{
    struct glaze *g = ctx;
    struct look_picture *p = g->p;
    const struct look_maps *m = p->maps;
    const float *value = g->value, *L = plane_row(&g->stepped, y);
    const float *near = plane_row(&g->near, y), *wide = plane_row(&g->wide, y);
    float map = m->half_per_unit / p->px_per_unit;
    lane4 *row = picture_row(p, y);

    (void)worker;
    for (int x = 0; x < p->width; x++) {
        float d = 0.65f * (near[x] - L[x]) + 0.35f * (wide[x] - L[x]);
        float care = plane_at(&m->importance, ((float)x + 0.5f) * map, ((float)y + 0.5f) * map);
        float more = 0.0f;
        if (d > 0.0f)
            more = value[RIM] * d / (d + 0.05f);
        else
            more = -value[GAP] * smoothf(0.03f, 0.07f, -d) * (1.0f - smoothf(0.2f, 0.45f, care)) *
                   smoothf(0.0f, 0.25f, clouds_at(&g->wander, (float)x * 0.7f, (float)y * 0.7f));
        // A step lighter is a thinner layer of the same paint, not a greyer one.
        float thin = clampf((L[x] + 0.1f) / (row[x][0] + 0.1f), 0.8f, 1.35f);
        row[x] = (lane4){L[x], thin * row[x][1], thin * row[x][2], more};
    }
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
    .cost_ms = 62,
    .scratch_bytes = 16,
    .run = glaze_run,
};
