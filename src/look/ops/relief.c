/* SPDX-License-Identifier: MIT */
#include "look/colour.h"
#include "look/span.h"

#include <string.h>

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
    const float *px = (const float *)picture_row(p, y);
    float *out = plane_row(&r->height, y), high = p->flat ? 0.0f : r->value[HEIGHT];
    float per_px = 1.0f / p->px_per_unit, canvas = p->bare || p->flat ? 0.0f : r->value[CANVAS];
    // Threads finer than two pixels would only shimmer.
    canvas *= smoothf(1.2f, 3.0f, r->value[THREAD] * p->px_per_unit);

    (void)worker;
    for (int x = 0; x < p->width; x++)
        out[x] = px[4 * x + 3] * high;
    for (int x = 0; x < p->width && canvas > 0.0f; x++) {
        float thin = 1.0f - smoothf(0.1f, 0.75f, px[4 * x + 3]);
        if (thin > 0.0f)
            out[x] +=
                canvas * thin *
                weave_at(((float)x + 0.5f) * per_px, ((float)y + 0.5f) * per_px, r->value[THREAD]);
    }
}

// A row's heights from x0 - 1 to x0 + n, the border's going on.
static void with_sides(const float *row, int x0, int n, int width, float *out)
{
    out[0] = row[x0 > 0 ? x0 - 1 : 0];
    memcpy(out + 1, row + x0, (size_t)n * sizeof(*out));
    out[n + 1] = row[x0 + n < width ? x0 + n : width - 1];
}

static void light_span(const struct relief *r, int x0, int y, int n)
{
    struct look_picture *p = r->p;
    const float *above = plane_row(&r->height, y > 0 ? y - 1 : 0) + x0;
    const float *below = plane_row(&r->height, y + 1 < p->height ? y + 1 : y) + x0;
    float slope = 0.5f * p->px_per_unit, diffuse = r->value[DIFFUSE], gloss = r->value[GLOSS];
    // Light from 45 degrees above the picture; half-way vector to a viewer straight in front.
    float lx = 0.70710678f * p->variation.light_x, ly = 0.70710678f * p->variation.light_y;
    float lz = 0.70710678f, hx = lx / 1.84775907f, hy = ly / 1.84775907f;
    float hz = (lz + 1.0f) / 1.84775907f, h[SPAN + 2];
    struct span_px px;

    with_sides(plane_row(&r->height, y), x0, n, p->width, h);
    span_take(picture_row(p, y) + x0, n, &px);
    for (int i = 0; i < n; i++) {
        float gx = (h[i + 2] - h[i]) * slope, gy = (below[i] - above[i]) * slope;
        float norm = 1.0f / sqrtf(1.0f + gx * gx + gy * gy);
        float lit = (-gx * lx - gy * ly + lz) * norm - lz;
        float s = clampf((-gx * hx - gy * hy + hz) * norm, 0.0f, 1.0f);
        float s2 = s * s, s4 = s2 * s2, s8 = s4 * s4, s16 = s8 * s8;
        // hz^40 = .0421 is what a flat spot gives: only what exceeds it is a highlight.
        float spec = s16 * s16 * s8 - 0.0421f, L = px.lane[0][i];
        float shade = clampf(1.0f + diffuse * lit, 0.25f, 2.0f);
        // Sparkles on dark paint would read as dirt.
        float shine = gloss * (spec > 0.0f ? spec : 0.0f) * clampf(L, 0.2f, 1.0f);
        float rgb[3];
        linear_from_oklab(L, px.lane[1][i], px.lane[2][i], rgb);
        for (int k = 0; k < 3; k++)
            px.lane[k][i] = rgb[k] * shade + shine;
    }
    span_put(picture_row(p, y) + x0, n, &px);
}

static void light_row(void *ctx, int y, int worker)
{
    const struct relief *r = ctx;

    (void)worker;
    for (int x = 0; x < r->p->width; x += SPAN)
        light_span(r, x, y, span_of(x, r->p->width));
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
    .without = WITHOUT_RELIEF,
    .cost_ms = 4,
    .scratch_bytes = 4,
    .finishes = true,
    .run = relief_run,
};
