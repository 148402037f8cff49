/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_PLANE_H
#define PATINA_LOOK_PLANE_H

#include "base/err.h"
#include "base/pool.h"
#include "look/approx.h"

#include <stddef.h>

/*
 * A picture of one float per pixel, rows without gaps. Positions are continuous: pixel (i, j)
 * covers i..i+1, so its middle is at i + .5. Outside the border the nearest pixel counts.
 * Private to look/.
 */
struct plane {
    int width, height;
    float *px; /* owned; NULL: empty */
};

MUST_USE enum err plane_new(struct plane *p, int width, int height); /* zeroed; ERR_NOMEM */
void plane_release(struct plane *p);

static inline float *plane_row(const struct plane *p, int y)
{
    return p->px + (size_t)y * (size_t)p->width;
}

/* Where a position lies between the middles of four pixels; good for all planes of one size. */
struct plane_place {
    size_t at;          /* of the upper left one */
    size_t right, down; /* steps to its neighbours, 0 at the border */
    float tx, ty;
};

static inline struct plane_place plane_place(const struct plane *p, float x, float y)
{
    float fx = clampf(x - 0.5f, 0.0f, (float)(p->width - 1));
    float fy = clampf(y - 0.5f, 0.0f, (float)(p->height - 1));
    int i = (int)fx, j = (int)fy;

    return (struct plane_place){.at = (size_t)j * (size_t)p->width + (size_t)i,
                                .right = i + 1 < p->width,
                                .down = j + 1 < p->height ? (size_t)p->width : 0,
                                .tx = fx - (float)i,
                                .ty = fy - (float)j};
}

/* Bilinear. */
static inline float plane_mix(const struct plane *p, const struct plane_place *w)
{
    const float *a = p->px + w->at, *b = a + w->down;

    return mixf(mixf(a[0], a[w->right], w->tx), mixf(b[0], b[w->right], w->tx), w->ty);
}

static inline float plane_at(const struct plane *p, float x, float y)
{
    struct plane_place w = plane_place(p, x, y);

    return plane_mix(p, &w);
}

/* The pixel that holds (x, y). */
static inline float plane_near(const struct plane *p, float x, float y)
{
    return plane_row(p, clampi((int)y, 0, p->height - 1))[clampi((int)x, 0, p->width - 1)];
}

/* Each pixel of `to` is the mean of the pixels of `from` that it covers, or a bilinear sample where
 * it is larger than `from`. */
bool plane_resample(const struct plane *from, struct plane *to, struct pool *pool,
                    const atomic_bool *cancel);

/*
 * Gaussian blur of sigma pixels (any, 0 copies) by three extended box filters (Gwosdek et al.
 * 2011), so that sigma need not be whole. `from` and `to` have one size and may be the same plane.
 * The time does not depend on sigma. `scratch` is from blur_scratch_new() for planes at least this
 * large.
 */
struct blur_scratch {
    struct pool *pool;
    const atomic_bool *cancel;
    size_t lanes_bytes;
    float *lanes; /* owned; two line buffers for each worker */
};

MUST_USE enum err blur_scratch_new(struct blur_scratch *s, int width, int height, struct pool *pool,
                                   const atomic_bool *cancel);
void blur_scratch_release(struct blur_scratch *s);

/* False: cancelled. */
bool plane_blur(const struct plane *from, struct plane *to, float sigma, struct blur_scratch *s);

#endif
