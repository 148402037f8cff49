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
    struct plane light; /* share of the key light that the relief lets through; half size */
    struct plane soft_x, soft_y; /* slopes of the broad form; half size; empty until asked for */
    float depth;                 /* factor on slopes */
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
    struct plane_place half; /* of it in maps and fields of half size */
};

/* depth: factor on heights and slopes, 0 for a plain sheet. ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err surface_new(struct surface *s, const struct look_picture *p, float depth);
void surface_release(struct surface *s);

/* At a pixel of the picture. */
void surface_spot(const struct surface *s, int x, int y, struct spot *out);

/* Prepares surface_soft(): the form blurred by `units`. ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err surface_soften(struct surface *s, float units);

/* Normal of the broad form, unit length. */
void surface_soft(const struct surface *s, const struct spot *t, float n[3]);

/* Tilts the normal by a further slope: grain, dents. */
void spot_bump(struct spot *t, float gx, float gy);

/* Unit vector towards the key light, 42 degrees above the picture. */
void surface_key(const struct surface *s, float l[3]);

/* Light that a mirror at this place sends to the viewer from a photographer's studio: about .3 from
 * the front, up to 3 from the lamp. rough: 0 sharp, 1 all blurred. */
float surface_studio(const struct surface *s, const struct spot *t, float rough);

/*
 * Numbers that vary slowly over the surface (nothing finer than 4 units): worked out at half size,
 * a quarter of the work, and mixed in between.
 */
enum { FIELDS_MAX = 4 };

struct fields {
    struct plane plane[FIELDS_MAX];
    int count;
};

/* Fills out[0..count-1]. Of the spot, x, y, height, cavity and care are valid. */
typedef void field_fn(const void *ctx, const struct spot *t, float *out);

/* ERR_NOMEM, ERR_CANCELLED; then there is nothing to release. */
MUST_USE enum err fields_new(struct fields *f, const struct surface *s, int count, field_fn *fn,
                             const void *ctx);
void fields_release(struct fields *f);

static inline float field_at(const struct fields *f, int i, const struct spot *t)
{
    return plane_mix(&f->plane[i], &t->half);
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
void grain_at(const struct grain *g, float x, float y, struct grain_spot *out);

/* Sum of octaves of noise_at(), each of half the size and weight of the one before; about -1..1. */
float noise_sum(float x, float y, int octaves, uint32_t seed);

/* A spread of light over film (after Narkowicz's fit of ACES 2015): 0..inf to 0..1. */
static inline float film(float x)
{
    return clampf(x * (2.51f * x + 0.03f) / (x * (2.43f * x + 0.59f) + 0.14f), 0.0f, 1.0f);
}

/* 1 at 0, falling to both sides, under .07 from 1.75 on. */
static inline float bell(float t)
{
    float r = 1.0f / (1.0f + t * t);

    return r * r;
}

#endif
