/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_SURFACE_H
#define PATINA_LOOK_SURFACE_H

#include "look/op.h"

/*
 * The photo's relief in the light of the picture at hand: what operators of solid materials shade.
 * Private to look/. Operators that use it need NEED_FORM.
 */
struct surface {
    const struct look_picture *p;
    struct plane light;  /* share of the key light that the relief lets through; half size */
    lane4 *about;        /* form, cavity, light, importance: mixed as one; half size; owned */
    lane4 *broad;        /* slopes of the broad form along x and y, lettering; half size; owned;
                            NULL until asked for */
    float depth;         /* factor on slopes */
    struct plane slow;   /* size of fields; no pixels */
    float slow_per_unit; /* of their pixels */
    bool exact;          /* the picture's pixels are those of the full-size maps */
};

/* One place of it. */
struct spot {
    float gx, gy;            /* slope */
    float n[3];              /* normal, unit length, z towards the viewer */
    float height;            /* units */
    float shade;             /* of the photo, 0..1 */
    float cavity;            /* 1: open, towards 0: deep in a hollow */
    float light;             /* share of the key light */
    float care;              /* importance of the place, 0..1 */
    float x, y;              /* units */
    struct plane_place half; /* of it in maps of half size */
    struct plane_place slow; /* of it in fields */
};

/* plane_mix() of four planes. */
static inline lane4 lanes_mix(const lane4 *px, const struct plane_place *w)
{
    const lane4 *a = px + w->at, *b = a + w->down;
    lane4 up = a[0] + (a[w->right] - a[0]) * w->tx, down = b[0] + (b[w->right] - b[0]) * w->tx;

    return up + (down - up) * w->ty;
}

static inline void normal_of(float gx, float gy, float n[3])
{
    float norm = 1.0f / sqrtf(1.0f + gx * gx + gy * gy);

    n[0] = -gx * norm;
    n[1] = -gy * norm;
    n[2] = norm;
}

/* Tilts the normal by a further slope: grain, dents. */
static inline void spot_bump(struct spot *t, float gx, float gy)
{
    t->gx += gx;
    t->gy += gy;
    normal_of(t->gx, t->gy, t->n);
}

/* depth: factor on heights and slopes, 0 for a plain sheet. ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err surface_new(struct surface *s, const struct look_picture *p, float depth);
void surface_release(struct surface *s);

/* Where a pixel of the picture lies in maps of half size. */
static inline struct plane_place surface_half(const struct surface *s, int x, int y)
{
    const struct look_maps *m = s->p->maps;
    float per_px = 1.0f / s->p->px_per_unit;

    return plane_place(&m->form, ((float)x + 0.5f) * per_px * m->half_per_unit,
                       ((float)y + 0.5f) * per_px * m->half_per_unit);
}

/* At a pixel of the picture. Inline, so that a caller pays only for what it reads. */
static inline void surface_spot(const struct surface *s, int x, int y, struct spot *out)
{
    const struct look_maps *m = s->p->maps;
    float per_px = 1.0f / s->p->px_per_unit;

    out->x = ((float)x + 0.5f) * per_px;
    out->y = ((float)y + 0.5f) * per_px;
    struct plane_place half = surface_half(s, x, y);
    if (s->exact) {
        out->gx = s->depth * plane_row(&m->slope_x, y)[x];
        out->gy = s->depth * plane_row(&m->slope_y, y)[x];
        out->shade = plane_row(&m->shade, y)[x];
    } else {
        struct plane_place full =
            plane_place(&m->slope_x, out->x * m->full_per_unit, out->y * m->full_per_unit);
        out->gx = s->depth * plane_mix(&m->slope_x, &full);
        out->gy = s->depth * plane_mix(&m->slope_y, &full);
        out->shade = plane_mix(&m->shade, &full);
    }
    out->half = half;
    out->slow = plane_place(&s->slow, out->x * s->slow_per_unit, out->y * s->slow_per_unit);
    lane4 about = lanes_mix(s->about, &half);
    out->height = s->depth * about[0];
    out->cavity = about[1];
    out->light = about[2];
    out->care = about[3];
    spot_bump(out, 0.0f, 0.0f);
}

/* Prepares surface_broad(): the form blurred by `units`. ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err surface_soften(struct surface *s, float units);

/* Slope of the broad form along x and y, and how much a place is lettering. */
static inline lane4 surface_broad(const struct surface *s, const struct spot *t)
{
    return lanes_mix(s->broad, &t->half);
}

/* Unit vector towards the key light, 42 degrees above the picture. */
void surface_key(const struct surface *s, float l[3]);

/* Light that a mirror with this normal sends to the viewer from a photographer's studio: about .3
 * from the front, up to 3 from the lamp. rough: 0 sharp, 1 all blurred. */
float surface_studio(const struct surface *s, const float n[3], float rough);

/*
 * Numbers that vary slowly over the surface (nothing finer than 8 units): worked out every 4 units,
 * a sixteenth of the work, and mixed in between.
 */
enum { FIELDS_MAX = 4 };

struct fields {
    struct plane plane[FIELDS_MAX];
    int count;
};

/* Fills out[0..count-1]. Of the spot, x, y and height are valid. */
typedef void field_fn(const void *ctx, const struct spot *t, float *out);

/* ERR_NOMEM, ERR_CANCELLED; then there is nothing to release. */
MUST_USE enum err fields_new(struct fields *f, const struct surface *s, int count, field_fn *fn,
                             const void *ctx);
void fields_release(struct fields *f);

static inline float field_at(const struct fields *f, int i, const struct spot *t)
{
    return plane_mix(&f->plane[i], &t->slow);
}

/*
 * Fine grain of a surface: noise of 8, 4 and 2 cells, kept in a tile that repeats, because looking
 * it up costs a tenth of working it out at every pixel.
 */
enum { GRAIN_TILE = 256 };

struct grain {
    float *tile; /* GRAIN_TILE rows of GRAIN_TILE cells; owned */
};

struct grain_spot {
    float value;  /* about -1..1 */
    float gx, gy; /* its slope per cell, about -.3...3 */
};

MUST_USE enum err grain_new(struct grain *g, uint32_t seed); /* ERR_NOMEM */
void grain_release(struct grain *g);

/* x, y in cells, any that fit an int. */
static inline void grain_at(const struct grain *g, float x, float y, struct grain_spot *out)
{
    float fx = floorf(x), fy = floorf(y), tx = x - fx, ty = y - fy;
    unsigned i = (unsigned)(int)fx % GRAIN_TILE, j = (unsigned)(int)fy % GRAIN_TILE;
    unsigned right = (i + 1) % GRAIN_TILE, below = (j + 1) % GRAIN_TILE;
    float a = g->tile[j * GRAIN_TILE + i], b = g->tile[j * GRAIN_TILE + right];
    float c = g->tile[below * GRAIN_TILE + i], d = g->tile[below * GRAIN_TILE + right];

    out->gx = mixf(b - a, d - c, ty);
    out->gy = mixf(c - a, d - b, tx);
    out->value = mixf(mixf(a, b, tx), mixf(c, d, tx), ty);
}

/* Sum of octaves of noise_at(), each of half the size and weight of the one before; about -1..1. */
float noise_sum(float x, float y, int octaves, uint32_t seed);

/* OKLab of linear light, R, G, B >= 0 in the first three lanes; as oklab_from_linear() but for
 * rounding, at a third of its time. */
static inline lane4 lab_of_light(lane4 rgb)
{
    typedef int32_t int4 __attribute__((vector_size(16)));
    const lane4 from_r = {0.4122214708f, 0.2119034982f, 0.0883024619f, 0.0f};
    const lane4 from_g = {0.5363325363f, 0.6806995451f, 0.2817188376f, 0.0f};
    const lane4 from_b = {0.0514459929f, 0.1073969566f, 0.6299787005f, 0.0f};
    const lane4 from_l = {0.2104542553f, 1.9779984951f, 0.0259040371f, 0.0f};
    const lane4 from_m = {0.7936177850f, -2.4285922050f, 0.7827717662f, 0.0f};
    const lane4 from_s = {-0.0040720468f, 0.4505937099f, -0.8086757660f, 0.0f};
    // Cubes of less would underflow.
    lane4 x = rgb[0] * from_r + rgb[1] * from_g + rgb[2] * from_b + 1e-12f, y;
    int4 bits;

    memcpy(&bits, &x, sizeof(bits));
    bits = __builtin_convertvector(__builtin_convertvector(bits, lane4) * (1.0f / 3.0f), int4) +
           709921077;
    memcpy(&y, &bits, sizeof(y));
    for (int i = 0; i < 2; i++) {
        lane4 y3 = y * y * y;
        y = y * ((y3 + 2.0f * x) / (2.0f * y3 + x));
    }
    return y[0] * from_l + y[1] * from_m + y[2] * from_s;
}

/* A spread of light over film (after Narkowicz's fit of ACES 2015): 0..inf to 0..1; in OKLab. */
static inline lane4 lab_on_film(lane4 x)
{
    return lab_of_light(x * (2.51f * x + 0.03f) / (x * (2.51f * x + 0.56f) + 0.14f));
}

/* lab_on_film() of a row of n. A pass of its own: its divisions wait for each other, and those of
 * the next pixels must be near for a processor to fill the time with. */
static inline void film_row(lane4 *row, int n)
{
    for (int x = 0; x < n; x++)
        row[x] = lab_on_film(row[x]);
}

/* 1 at 0, falling to both sides, under .07 from 1.75 on. */
static inline float bell(float t)
{
    float r = 1.0f / (1.0f + t * t);

    return r * r;
}

#endif
