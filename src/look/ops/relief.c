/* SPDX-License-Identifier: MIT */
#include "look/op.h"

#include "look/colour.h"
#include "look/noise.h"
#include "look/plane.h"

/* Lights the paint's relief (Hertzmann 2002) and leaves linear light: the last step. */
enum { HEIGHT, DIFFUSE, GLOSS, CANVAS, THREAD };

static const struct look_param PARAM[] = {
    {"height", 0.0f, 8.0f, 1.0f, "factor on the height of the paint"},
    {"diffuse", 0.0f, 2.0f, 0.7f, "how much slopes darken and lighten"},
    {"gloss", 0.0f, 1.0f, 0.12f, "strength of highlights (exponent 40)"},
    {"canvas", 0.0f, 2.0f, 0.35f, "height of the canvas threads where paint is thin, units"},
    {"thread", 2.0f, 16.0f, 4.4f, "distance between canvas threads, units"},
    {0}};

struct relief {
    struct look_picture *p;
    const float *value;
    struct plane height;
};

// Plain weave: threads go over and under in turn; each has its own thickness.
static float weave_at(float x, float y, float pitch)
{
    float i = floorf(x / pitch), j = floorf(y / pitch);
    float fx = x / pitch - i - 0.5f, fy = y / pitch - j - 0.5f;
    bool over = ((int)i + (int)j) & 1;
    float across = over ? fx : fy, along = over ? fy : fx;
    float thread = noise_point(over ? (int)i : (int)j, over ? 1 : 2, 77u);

    return (1.0f - 4.0f * across * across) * (1.0f - 2.0f * along * along) *
           (0.75f + 0.5f * thread);
}

static void height_row(void *ctx, int y, int worker)
{
    const struct relief *r = ctx;
    const struct look_picture *p = r->p;
    const lane4 *row = picture_row(p, y);
    float *out = plane_row(&r->height, y);
    float per_px = 1.0f / p->px_per_unit, canvas = p->bare ? 0.0f : r->value[CANVAS];
    // Threads finer than two pixels would only shimmer.
    canvas *= smoothf(1.2f, 3.0f, r->value[THREAD] * p->px_per_unit);

    (void)worker;
    for (int x = 0; x < p->width; x++) {
        float paint = row[x][3], thin = 1.0f - smoothf(0.1f, 0.75f, paint);
        float h = paint * r->value[HEIGHT];
        if (canvas > 0.0f && thin > 0.0f)
            h += canvas * thin *
                 weave_at(((float)x + 0.5f) * per_px, ((float)y + 0.5f) * per_px, r->value[THREAD]);
        out[x] = p->flat ? 0.0f : h;
    }
}

static void light_row(void *ctx, int y, int worker)
{
    const struct relief *r = ctx;
    struct look_picture *p = r->p;
    int w = p->width;
    const float *h = plane_row(&r->height, y);
    const float *above = plane_row(&r->height, y > 0 ? y - 1 : 0);
    const float *below = plane_row(&r->height, y + 1 < p->height ? y + 1 : y);
    float slope = 0.5f * p->px_per_unit;
    // Light from 45 degrees above the picture; half-way vector to a viewer straight in front.
    float lx = 0.70710678f * p->variation.light_x, ly = 0.70710678f * p->variation.light_y;
    float lz = 0.70710678f, hx = lx / 1.84775907f, hy = ly / 1.84775907f;
    float hz = (lz + 1.0f) / 1.84775907f;
    lane4 *row = picture_row(p, y);

    (void)worker;
    for (int x = 0; x < w; x++) {
        int left = x > 0 ? x - 1 : 0, right = x + 1 < w ? x + 1 : x;
        float gx = (h[right] - h[left]) * slope, gy = (below[x] - above[x]) * slope;
        float norm = 1.0f / sqrtf(1.0f + gx * gx + gy * gy);
        float lit = (-gx * lx - gy * ly + lz) * norm - lz;
        float s = clampf((-gx * hx - gy * hy + hz) * norm, 0.0f, 1.0f);
        float s2 = s * s, s4 = s2 * s2, s8 = s4 * s4, s16 = s8 * s8;
        // hz^40 = .0421 is what a flat spot gives: only what exceeds it is a highlight.
        float spec = s16 * s16 * s8 - 0.0421f;
        float shade = clampf(1.0f + r->value[DIFFUSE] * lit, 0.25f, 2.0f);
        // Sparkles on dark paint would read as dirt.
        float shine = r->value[GLOSS] * (spec > 0.0f ? spec : 0.0f) * clampf(row[x][0], 0.2f, 1.0f);
        float rgb[3];
        linear_from_oklab(row[x][0], row[x][1], row[x][2], rgb);
        row[x] = (lane4){rgb[0] * shade + shine, rgb[1] * shade + shine, rgb[2] * shade + shine,
                         row[x][3]};
    }
}

static enum err relief_run(struct look_picture *p, const float *value)
{
    struct relief r = {.p = p, .value = value};
    enum err e = plane_new(&r.height, p->width, p->height);

    if (e == ERR_OK && (!pool_run(p->pool, p->height, height_row, &r, p->cancel) ||
                        !pool_run(p->pool, p->height, light_row, &r, p->cancel)))
        e = ERR_CANCELLED;
    plane_release(&r.height);
    p->linear = true;
    return e;
}

const struct look_op look_op_relief = {
    .name = "relief",
    .help = "light on the height of the paint, and the canvas where paint is thin",
    .param = PARAM,
    .cost_ms = 27,
    .scratch_bytes = 4,
    .finishes = true,
    .run = relief_run,
};
