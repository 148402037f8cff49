/* SPDX-License-Identifier: MIT */
#include "image/colour.h"
#include "image/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Where a picture's importance lies, by frequency-tuned saliency (Achanta, Hemami, Estrada and
 * Suesstrunk, "Frequency-tuned Salient Region Detection", CVPR 2009): how far the colour of a
 * place, slightly blurred, is from the picture's mean colour. Here on a thumbnail and in OKLab
 * (Ottosson 2020) in place of CIELAB. Only + - * / and sqrt, so that a crop is the same on every
 * machine.
 */

enum {
    THUMB_SIDE_MAX = 96,
    SAMPLES_PER_CELL = 6 /* a side: a cell of a large source is sampled, not summed */
};

struct lab {
    float L, a, b;
    float alpha;
};

struct thumb {
    int width, height;
    struct lab *cell, *blurred;
};

// The cube root of 0..1: a line as first guess, then Newton.
static float cube_root(float v)
{
    float x = 0.3f + 0.7f * v;

    for (int i = 0; i < 6; i++)
        x = (2 * x + v / (x * x)) / 3;
    return x;
}

static struct lab oklab(const float rgb[3], float alpha)
{
    float l = cube_root(0.4122214708f * rgb[0] + 0.5363325363f * rgb[1] + 0.0514459929f * rgb[2]);
    float m = cube_root(0.2119034982f * rgb[0] + 0.6806995451f * rgb[1] + 0.1073969566f * rgb[2]);
    float s = cube_root(0.0883024619f * rgb[0] + 0.2817188376f * rgb[1] + 0.6299787005f * rgb[2]);

    return (struct lab){0.2104542553f * l + 0.7936177850f * m - 0.0040720468f * s,
                        1.9779984951f * l - 2.4285922050f * m + 0.4505937099f * s,
                        0.0259040371f * l + 0.7827717662f * m - 0.8086757660f * s, alpha};
}

static struct lab cell_of(const struct image *src, int x0, int x1, int y0, int y1)
{
    int step_x = (x1 - x0 + SAMPLES_PER_CELL - 1) / SAMPLES_PER_CELL;
    int step_y = (y1 - y0 + SAMPLES_PER_CELL - 1) / SAMPLES_PER_CELL;
    float sum[3] = {0}, alpha = 0;
    int n = 0;

    for (int y = y0; y < y1; y += step_y)
        for (int x = x0; x < x1; x += step_x, n++) {
            const uint8_t *px = src->px + src->stride * (size_t)y + 4 * (size_t)x;
            float a = (float)px[3] / 255.0f;
            for (int c = 0; c < 3; c++)
                sum[c] += a * srgb_linear[px[c]];
            alpha += a;
        }
    for (int c = 0; c < 3; c++)
        sum[c] = alpha > 0 ? sum[c] / alpha : 0;
    return oklab(sum, alpha / (float)n);
}

static bool thumb_init(struct thumb *t, const struct image *src)
{
    int high = src->width > src->height ? src->width : src->height;
    int side = high < THUMB_SIDE_MAX ? high : THUMB_SIDE_MAX;

    t->width = (int)((int64_t)src->width * side / high);
    t->height = (int)((int64_t)src->height * side / high);
    t->width += t->width == 0;
    t->height += t->height == 0;
    size_t n = (size_t)t->width * (size_t)t->height;
    t->cell = calloc(2 * n, sizeof(*t->cell));
    if (!t->cell)
        return false;
    t->blurred = t->cell + n;
    for (int y = 0; y < t->height; y++)
        for (int x = 0; x < t->width; x++)
            t->cell[y * t->width + x] = cell_of(src, (int)((int64_t)x * src->width / t->width),
                                                (int)((int64_t)(x + 1) * src->width / t->width),
                                                (int)((int64_t)y * src->height / t->height),
                                                (int)((int64_t)(y + 1) * src->height / t->height));
    return true;
}

// The paper's binomial filter [1 2 1; 2 4 2; 1 2 1] / 16, edges repeated.
static void blur(struct thumb *t)
{
    for (int y = 0; y < t->height; y++)
        for (int x = 0; x < t->width; x++) {
            struct lab sum = {0};
            for (int j = -1; j <= 1; j++)
                for (int i = -1; i <= 1; i++) {
                    int v = y + j < 0 ? 0 : y + j >= t->height ? t->height - 1 : y + j;
                    int u = x + i < 0 ? 0 : x + i >= t->width ? t->width - 1 : x + i;
                    const struct lab *c = &t->cell[v * t->width + u];
                    float w = (float)((2 - abs(i)) * (2 - abs(j))) / 16;
                    sum.L += w * c->L;
                    sum.a += w * c->a;
                    sum.b += w * c->b;
                }
            sum.alpha = t->cell[y * t->width + x].alpha;
            t->blurred[y * t->width + x] = sum;
        }
}

static struct lab mean_of(const struct thumb *t)
{
    double L = 0, a = 0, b = 0, weight = 0;

    for (int i = 0; i < t->width * t->height; i++) {
        const struct lab *c = &t->cell[i];
        L += (double)(c->alpha * c->L);
        a += (double)(c->alpha * c->a);
        b += (double)(c->alpha * c->b);
        weight += (double)c->alpha;
    }
    if (!(weight > 0))
        return (struct lab){0};
    return (struct lab){(float)(L / weight), (float)(a / weight), (float)(b / weight), 1};
}

// The centroid of saliency in 0..1; the middle when nothing stands out.
static void centroid(const struct thumb *t, double *cx, double *cy)
{
    struct lab mean = mean_of(t);
    double sum = 0, sx = 0, sy = 0;

    for (int y = 0; y < t->height; y++)
        for (int x = 0; x < t->width; x++) {
            const struct lab *c = &t->blurred[y * t->width + x];
            float dL = c->L - mean.L, da = c->a - mean.a, db = c->b - mean.b;
            double w = (double)(c->alpha * (dL * dL + da * da + db * db));
            sum += w;
            sx += w * (x + 0.5);
            sy += w * (y + 0.5);
        }
    bool flat = sum < 1e-9;
    *cx = flat ? 0.5 : sx / sum / t->width;
    *cy = flat ? 0.5 : sy / sum / t->height;
}

// Whole pixels, so that a crop alone keeps pixels as they are.
static double place(double centre, double crop, double side)
{
    double at = floor(centre * side - crop / 2 + 0.5);

    return fmin(fmax(at, 0), side - crop);
}

void fit_centre(const struct image *src, struct fit_plan *plan)
{
    struct thumb t = {0};
    double x, y;

    if (!thumb_init(&t, src))
        return; // the centred crop is a good one too
    blur(&t);
    centroid(&t, &x, &y);
    plan->crop_x = place(x, plan->crop_w, src->width);
    plan->crop_y = place(y, plan->crop_h, src->height);
    free(t.cell);
}
