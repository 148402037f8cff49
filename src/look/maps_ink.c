/* SPDX-License-Identifier: MIT */
#include "look/maps_internal.h"

#include "base/buf.h"

#include <stdlib.h>

/*
 * Ink lines: contours of the flattened picture (flow-based difference of Gaussians, maps_lines.c),
 * of which only those stay that are long and somewhere strong. A line is a connected set of pixels
 * above a low threshold; hysteresis over whole lines is what keeps faint ends on strong lines and
 * drops faint specks.
 */
static const float LOW = 0.2f, HIGH = 0.5f;

struct tracing {
    struct plane *ink;
    uint8_t *seen;
    uint32_t *stack; /* all pixels of the line at hand */
};

/* Collects the line that pixel `at` is on; returns how many pixels it has. */
static size_t trace(struct tracing *t, uint32_t at, int *extent, float *peak)
{
    int w = t->ink->width, h = t->ink->height, x0 = w, x1 = 0, y0 = h, y1 = 0;
    size_t n = 0, done = 0;

    *peak = 0.0f;
    t->seen[at] = 1;
    t->stack[n++] = at;
    while (done < n) {
        uint32_t p = t->stack[done++];
        int x = (int)(p % (uint32_t)w), y = (int)(p / (uint32_t)w);
        x0 = x < x0 ? x : x0, x1 = x > x1 ? x : x1;
        y0 = y < y0 ? y : y0, y1 = y > y1 ? y : y1;
        *peak = t->ink->px[p] > *peak ? t->ink->px[p] : *peak;
        for (int j = y > 0 ? -1 : 0; j <= (y + 1 < h); j++)
            for (int i = x > 0 ? -1 : 0; i <= (x + 1 < w); i++) {
                uint32_t q = (uint32_t)((y + j) * w + x + i);
                if (!t->seen[q] && t->ink->px[q] > LOW) {
                    t->seen[q] = 1;
                    t->stack[n++] = q;
                }
            }
    }
    *extent = x1 - x0 > y1 - y0 ? x1 - x0 + 1 : y1 - y0 + 1;
    return n;
}

// On one thread: lines cross the whole picture, and each pixel is seen once.
static enum err drop_specks(struct plane *ink, const struct look_maps *m)
{
    static const float LEAST = 12.0f; /* units that a line extends over */
    size_t n = (size_t)ink->width * (size_t)ink->height;
    struct tracing t = {.ink = ink, .seen = calloc(n, 1), .stack = malloc(n * sizeof(uint32_t))};

    for (size_t i = 0; t.seen && t.stack && i < n; i++) {
        float peak;
        int extent;
        if (t.seen[i] || ink->px[i] <= LOW)
            continue;
        size_t line = trace(&t, (uint32_t)i, &extent, &peak);
        int x = (int)(i % (size_t)ink->width), y = (int)(i / (size_t)ink->width);
        // Eyes and letters are small lines, too.
        float care = plane_near(&m->importance, 0.5f * (float)x, 0.5f * (float)y);
        float least = LEAST * m->full_per_unit * (1.0f - 0.75f * smoothf(0.2f, 0.5f, care));
        if (peak >= HIGH && (float)extent >= least)
            continue;
        for (size_t k = 0; k < line; k++)
            ink->px[t.stack[k]] = 0.0f;
    }
    enum err e = t.seen && t.stack ? ERR_OK : ERR_NOMEM;
    free(t.seen);
    free(t.stack);
    return e;
}

static void ridge_row(void *ctx, int y, int worker)
{
    const struct look_maps *m = ctx;
    const float *ink = plane_row(&m->ink, y);
    float *ridge = plane_row(&m->ridge, y); // the strongest ink around, so far

    (void)worker;
    for (int x = 0; x < m->ink.width; x++)
        ridge[x] = smoothf(LOW - 0.1f, LOW + 0.1f, ink[x]) * ink[x] / (ridge[x] + 1e-6f);
}

// What is as strong as the strongest nearby is the middle of a line, faint or not.
static enum err find_ridges(struct map_maker *k)
{
    static const float NEAR = 2.5f; /* units: half the width of a line */
    struct look_maps *m = k->m;
    int reach = clampi((int)(NEAR * m->full_per_unit + 0.5f), 1, 3);
    enum err e = plane_new(&m->ridge, m->ink.width, m->ink.height);

    if (e == ERR_OK)
        e = maps_extreme(k, &m->ink, &m->ridge, reach, true);
    if (e == ERR_OK && !rows_run(k, m->ink.height, ridge_row, m))
        e = ERR_CANCELLED;
    return e;
}

/* Letters are strokes, not contours: along a line of small print the contours run together. There
 * the ink is what is darker than its surroundings. Light strokes on a dark ground stay bare. */
struct letters {
    const struct look_maps *m;
    struct plane base; /* L around each pixel */
};

static void letters_row(void *ctx, int y, int worker)
{
    const struct letters *l = ctx;
    const float *L = plane_row(&l->m->full[0], y), *base = plane_row(&l->base, y);
    float *line[] = {plane_row(&l->m->ink, y), plane_row(&l->m->ridge, y)};

    (void)worker;
    for (int x = 0; x < l->base.width; x++) {
        float hx = 0.5f * ((float)x + 0.5f), hy = 0.5f * ((float)y + 0.5f);
        float print = plane_at(&l->m->lettering, hx, hy);
        float care = plane_at(&l->m->importance, hx, hy);
        float fine = plane_at(&l->m->strokes, hx, hy), light = plane_at(&l->m->skew, hx, hy);
        float bare = fine * light * (1.0f - smoothf(0.4f, 0.5f, base[x]));
        float small = print > fine * (1.0f - light) ? print : fine * (1.0f - light);
        float dark = clampf(4.0f * (base[x] - L[x]), 0.0f, 1.0f);
        // Strokes that are far darker than what is around them are ink in the photo already: large
        // letters, brows, nostrils.
        float stroke = clampf(2.25f * (base[x] - L[x]), 0.0f, 1.0f) * smoothf(0.15f, 0.4f, care);
        for (int i = 0; i < 2; i++) {
            float ink = line[i][x] > stroke ? line[i][x] : stroke;
            line[i][x] = mixf(ink, dark, small) * (1.0f - bare);
        }
    }
}

static enum err draw_letters(struct map_maker *k)
{
    static const float AROUND = 7.0f; /* units: more than a stroke, less than a line of print */
    struct letters l = {.m = k->m};
    enum err e = plane_new(&l.base, k->m->full[0].width, k->m->full[0].height);

    if (e == ERR_OK &&
        (!plane_blur(&k->m->full[0], &l.base, AROUND * k->m->full_per_unit, &k->scratch) ||
         !rows_run(k, l.base.height, letters_row, &l)))
        e = ERR_CANCELLED;
    plane_release(&l.base);
    return e;
}

enum err maps_ink(struct map_maker *k)
{
    static const float SIGMA = 1.05f; /* units */
    struct look_maps *m = k->m;
    float pixel = m->full_per_unit > 0.6f ? m->full_per_unit : 0.6f;
    enum err e = maps_contours(k, &m->flat[0], SIGMA * pixel, &m->ink);

    if (e == ERR_OK)
        e = drop_specks(&m->ink, m);
    if (e == ERR_OK)
        e = find_ridges(k);
    return e == ERR_OK ? draw_letters(k) : e;
}
