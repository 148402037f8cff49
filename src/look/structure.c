/* SPDX-License-Identifier: MIT */
#include "look/structure.h"

#include "image/colour.h"
#include "look/colour.h"
#include "look/maps_internal.h"

#include <stdlib.h>
#include <string.h>

static const int SIDE = 512;         // long side of what is compared, pixels
static const float MARGIN = 0.04f;   // of the long side
static const float TONE_BLUR = 6.0f; // pixels, as all below
static const float DETAIL_BLUR = 3.0f;
static const float DETAIL_FLOOR = 0.003f; // L per pixel: less is nothing to see
static const float FINE_BLUR[] = {1.0f, 2.0f, 4.0f};
static const float EDGE_BLUR = 2.0f;
static const int EDGE_REACH = 3;
static const float EDGE_LEAST = 0.002f; // L per pixel: weaker ones are a photo's noise
static const double CALM = 1e-5;        // variance that is none
static const double CALM_BAND = 1e-8;
static const double EDGE_SHARE = 0.01; // of all pixels, at most

struct lightness_rows {
    const struct image *im;
    struct plane *to;
};

static void lightness_row(void *ctx, int y, int worker)
{
    const struct lightness_rows *l = ctx;
    const uint8_t *px = l->im->px + (size_t)y * l->im->stride;
    float *to = plane_row(l->to, y), lab[3];

    (void)worker;
    for (int x = 0; x < l->im->width; x++, px += 4) {
        oklab_from_linear(srgb_linear[px[0]], srgb_linear[px[1]], srgb_linear[px[2]], lab);
        to[x] = lab[0];
    }
}

static enum err lightness_of(const struct image *im, struct pool *pool, struct plane *out)
{
    int side = im->width > im->height ? im->width : im->height;
    double scale = side > SIDE ? (double)SIDE / side : 1.0;
    int w = (int)(im->width * scale + 0.5), h = (int)(im->height * scale + 0.5);
    struct plane full;
    enum err e = plane_new(&full, im->width, im->height);

    if (e == ERR_OK)
        e = plane_new(out, w > 1 ? w : 1, h > 1 ? h : 1);
    if (e == ERR_OK) {
        struct lightness_rows l = {im, &full};
        pool_run(pool, im->height, lightness_row, &l, NULL);
        plane_resample(&full, out, pool, NULL);
    }
    plane_release(&full);
    return e;
}

// The part that counts, of planes of that size.
struct inner {
    int x0, y0, x1, y1;
};

static struct inner inner_of(const struct plane *p)
{
    int m = (int)(MARGIN * (float)(p->width > p->height ? p->width : p->height));
    int mx = 4 * m < p->width ? m : p->width / 4, my = 4 * m < p->height ? m : p->height / 4;

    return (struct inner){mx, my, p->width - mx, p->height - my};
}

// A plane of less variance than `calm` has nothing to tell.
static double correlation(const struct plane *a, const struct plane *b, double calm)
{
    struct inner in = inner_of(a);
    double n = (double)(in.x1 - in.x0) * (in.y1 - in.y0);
    double ma = 0.0, mb = 0.0, aa = 0.0, bb = 0.0, ab = 0.0;

    for (int y = in.y0; y < in.y1; y++)
        for (int x = in.x0; x < in.x1; x++) {
            ma += (double)plane_row(a, y)[x] / n;
            mb += (double)plane_row(b, y)[x] / n;
        }
    for (int y = in.y0; y < in.y1; y++)
        for (int x = in.x0; x < in.x1; x++) {
            double da = (double)plane_row(a, y)[x] - ma, db = (double)plane_row(b, y)[x] - mb;
            aa += da * da;
            bb += db * db;
            ab += da * db;
        }
    if (aa < calm * n)
        return 1.0;
    return bb > 1e-4 * calm * n ? ab / sqrt(aa * bb) : 0.0;
}

static float gradient(const struct plane *p, int x, int y, float *gx, float *gy)
{
    int left = x > 0 ? x - 1 : 0, right = x + 1 < p->width ? x + 1 : x;
    int up = y > 0 ? y - 1 : 0, down = y + 1 < p->height ? y + 1 : y;

    *gx = 0.5f * (plane_row(p, y)[right] - plane_row(p, y)[left]);
    *gy = 0.5f * (plane_row(p, down)[x] - plane_row(p, up)[x]);
    return sqrtf(*gx * *gx + *gy * *gy);
}

// Half the binary logarithm, but for a constant: good to .05, and the same bits everywhere.
static float log_approx(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return (float)bits * (0.5f / 8388608.0f);
}

static void details_of(const struct plane *L, struct plane *out)
{
    float gx, gy;

    for (int y = 0; y < L->height; y++)
        for (int x = 0; x < L->width; x++)
            plane_row(out, y)[x] = log_approx(gradient(L, x, y, &gx, &gy) + DETAIL_FLOOR);
}

// Leaves the slope where it is greatest along its own direction, else 0.
static void thin_edges(const struct plane *L, const struct plane *slope, struct plane *out)
{
    struct inner in = inner_of(L);

    for (int y = in.y0; y < in.y1; y++)
        for (int x = in.x0; x < in.x1; x++) {
            float gx, gy, here = gradient(L, x, y, &gx, &gy), fx = (float)x + 0.5f,
                          fy = (float)y + 0.5f;
            bool kept = here >= EDGE_LEAST;
            if (kept) {
                gx /= here;
                gy /= here;
                kept = here > plane_at(slope, fx + gx, fy + gy) &&
                       here >= plane_at(slope, fx - gx, fy - gy);
            }
            plane_row(out, y)[x] = kept ? here : 0.0f;
        }
}

static int falling(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x < y) - (x > y);
}

// Keeps the `most` strongest; returns how many are left.
static enum err keep_strongest(struct plane *edges, size_t most, size_t *left)
{
    size_t n = (size_t)edges->width * (size_t)edges->height, found = 0;
    float *sorted = malloc(n * sizeof(*sorted));

    if (!sorted)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (edges->px[i] > 0.0f)
            sorted[found++] = edges->px[i];
    qsort(sorted, found, sizeof(*sorted), falling);
    *left = found < most ? found : most;
    for (size_t i = 0; i < n; i++)
        if (found > most && edges->px[i] <= sorted[most])
            edges->px[i] = 0.0f;
    free(sorted);
    return ERR_OK;
}

static enum err edges_of(struct plane *L, size_t most, struct blur_scratch *s, struct plane *out,
                         size_t *left)
{
    struct plane slope;
    enum err e = plane_new(&slope, L->width, L->height);

    if (e == ERR_OK)
        e = plane_new(out, L->width, L->height);
    if (e == ERR_OK) {
        float gx, gy;
        plane_blur(L, L, EDGE_BLUR, s);
        for (int y = 0; y < L->height; y++)
            for (int x = 0; x < L->width; x++)
                plane_row(&slope, y)[x] = gradient(L, x, y, &gx, &gy);
        thin_edges(L, &slope, out);
        e = keep_strongest(out, most, left);
    }
    plane_release(&slope);
    return e;
}

static bool edge_near(const struct plane *edges, int x, int y)
{
    for (int j = -EDGE_REACH; j <= EDGE_REACH; j++)
        for (int i = -EDGE_REACH; i <= EDGE_REACH; i++)
            if (i * i + j * j <= EDGE_REACH * EDGE_REACH && x + i >= 0 && x + i < edges->width &&
                y + j >= 0 && y + j < edges->height && plane_row(edges, y + j)[x + i] > 0.0f)
                return true;
    return false;
}

// Share of the edges of `a` that `b` has, too; `turned`: b turned half round.
static double share_found(const struct plane *a, const struct plane *b, bool turned)
{
    int all = 0, found = 0;

    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++)
            if (plane_row(a, y)[x] > 0.0f) {
                all++;
                found += turned ? edge_near(b, a->width - 1 - x, a->height - 1 - y)
                                : edge_near(b, x, y);
            }
    return all ? (double)found / all : 0.0;
}

static double f1(const struct plane *a, const struct plane *b, bool turned)
{
    double recall = share_found(a, b, turned), precision = share_found(b, a, turned);

    return recall + precision > 0.0 ? 2.0 * recall * precision / (recall + precision) : 0.0;
}

enum { FINE_BANDS = sizeof(FINE_BLUR) / sizeof(FINE_BLUR[0]) - 1 };

// What is compared of one picture.
struct view {
    struct plane L, tone, detail, edges, fine[FINE_BANDS];
};

static void view_release(struct view *v)
{
    plane_release(&v->L);
    plane_release(&v->tone);
    plane_release(&v->detail);
    plane_release(&v->edges);
    planes_release(v->fine, FINE_BANDS);
}

// `upper` and `lower` are free to use.
static void bands_of(const struct plane *L, struct blur_scratch *s, struct plane *upper,
                     struct plane *lower, struct plane band[FINE_BANDS])
{
    plane_blur(L, upper, FINE_BLUR[0], s);
    for (int i = 0; i < FINE_BANDS; i++) {
        plane_blur(L, lower, FINE_BLUR[i + 1], s);
        for (int y = 0; y < L->height; y++)
            for (int x = 0; x < L->width; x++)
                plane_row(&band[i], y)[x] = plane_row(upper, y)[x] - plane_row(lower, y)[x];
        struct plane spare = *upper;
        *upper = *lower;
        *lower = spare;
    }
}

// As many edges as *count at most; *count becomes how many there are.
static enum err view_of(const struct image *im, struct pool *pool, size_t *count, struct view *v)
{
    struct blur_scratch s = {0};
    enum err e = lightness_of(im, pool, &v->L);

    if (e == ERR_OK)
        e = plane_new(&v->tone, v->L.width, v->L.height);
    if (e == ERR_OK)
        e = plane_new(&v->detail, v->L.width, v->L.height);
    for (int i = 0; i < FINE_BANDS && e == ERR_OK; i++)
        e = plane_new(&v->fine[i], v->L.width, v->L.height);
    if (e == ERR_OK)
        e = blur_scratch_new(&s, v->L.width, v->L.height, pool, NULL);
    if (e == ERR_OK) {
        bands_of(&v->L, &s, &v->tone, &v->detail, v->fine);
        size_t most = (size_t)(EDGE_SHARE * v->L.width * v->L.height);
        plane_blur(&v->L, &v->tone, DETAIL_BLUR, &s);
        details_of(&v->tone, &v->detail);
        plane_blur(&v->L, &v->tone, TONE_BLUR, &s);
        e = edges_of(&v->L, most < *count ? most : *count, &s, &v->edges, count);
    }
    blur_scratch_release(&s);
    return e;
}

enum err structure_compare(const struct image *photo, const struct image *made, struct pool *pool,
                           struct structure *out)
{
    struct view was = {0}, is = {0};
    size_t count = SIZE_MAX, there;
    enum err e = view_of(photo, pool, &count, &was);

    there = count;
    if (e == ERR_OK)
        e = view_of(made, pool, &there, &is);
    if (e == ERR_OK) {
        out->tone = correlation(&was.tone, &is.tone, CALM);
        out->detail = correlation(&was.detail, &is.detail, CALM);
        out->fine = 0.0;
        for (int i = 0; i < FINE_BANDS; i++)
            out->fine += correlation(&was.fine[i], &is.fine[i], CALM_BAND) / FINE_BANDS;
        out->edges = count ? f1(&was.edges, &is.edges, false) : 1.0;
        out->chance = count ? f1(&was.edges, &is.edges, true) : 0.0;
    }
    view_release(&was);
    view_release(&is);
    return e;
}
