/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_SURFACE_H
#define PATINA_LOOK_SURFACE_H

#include "look/mood_scene.h"
#include "look/span.h"

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

/*
 * Numbers that vary slowly over the surface (nothing finer than 8 units): worked out every 4 units,
 * a sixteenth of the work, and mixed in between, four as one.
 */
enum { FIELDS_MAX = 4 };

struct fields {
    lane4 *px; /* of the size s->slow; owned */
};

/* Fills out[0..FIELDS_MAX), of a place and a height in units; what it leaves is 0. */
typedef void field_fn(const void *ctx, float x, float y, float height, float *out);

/* A span of its pixels. */
struct spots {
    int n, x0, row;           /* pixels */
    float x[SPAN], y;         /* of their middles, units */
    float gx[SPAN], gy[SPAN]; /* slope */
    float height[SPAN];       /* units */
    float shade[SPAN];        /* of the photo, 0..1 */
    float cavity[SPAN];       /* 1: open, towards 0: deep in a hollow */
    float light[SPAN];        /* share of the key light */
    float care[SPAN];         /* importance of the place, 0..1 */
    float broad_x[SPAN];      /* slope of the broad form, if there is one */
    float broad_y[SPAN];
    float lettering[SPAN];         /* with the broad form: how much a place is lettering */
    float field[FIELDS_MAX][SPAN]; /* if there are any */
};

static inline void normal_of(float gx, float gy, float n[3])
{
    float norm = 1.0f / sqrtf(1.0f + gx * gx + gy * gy);

    n[0] = -gx * norm;
    n[1] = -gy * norm;
    n[2] = norm;
}

/* depth: factor on heights and slopes, 0 for a plain sheet. ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err surface_new(struct surface *s, const struct look_picture *p, float depth);
void surface_release(struct surface *s);

/* The pixels from x0 on of a row; f may be NULL. */
void surface_span(const struct surface *s, const struct fields *f, int x0, int row, int n,
                  struct spots *out);

/* Prepares the broad form: blurred by `units`. ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err surface_soften(struct surface *s, float units);

/* Unit vector towards the key light, 42 degrees above the picture. */
void surface_key(const struct surface *s, float l[3]);

/* 1 at 0, falling to both sides, under .07 from 1.75 on. */
static inline float bell(float t)
{
    float r = 1.0f / (1.0f + t * t);

    return r * r;
}

/*
 * Light of a photographer's studio that a mirror sends to the viewer: about .3 from the front, up
 * to 3 from the lamp. u is towards the key light and v across it, -1..1 each: a large soft box with
 * a lamp behind it, a strip light opposite, a dark floor with a horizon. rough: 0 sharp, 1 all
 * blurred.
 */
static inline float studio(float u, float v, float rough)
{
    float w = 0.05f + rough, far = fabsf(v);
    float e = 0.13f + 0.30f * smoothf(-0.6f, 0.7f, u);

    e *= 1.0f - 0.6f * (1.0f - rough) * bell((u + 0.24f) / (0.10f + 0.5f * rough));
    e += (1.15f + 1.7f * bell((u - 0.58f) / (0.07f + 0.8f * rough))) *
         smoothf(0.30f - w, 0.30f + w, u) * (1.0f - smoothf(0.80f - w, 0.80f + w, u)) *
         (1.0f - smoothf(0.5f, 1.0f, far));
    e += 0.75f * bell((u + 0.62f) / (0.10f + rough)) * (1.0f - 0.7f * far);
    return e + 0.35f * bell((v - 0.7f) / (0.12f + rough));
}

/* The same where the surface has this normal; (x, y) is the key light's direction. */
static inline float studio_at(float x, float y, const float n[3], float rough)
{
    float rx = 2.0f * n[2] * n[0], ry = 2.0f * n[2] * n[1];

    return studio(rx * x + ry * y, ry * x - rx * y, rough);
}

/*
 * Light that polish over a dark or translucent body sends to the viewer where it has this normal:
 * the soft box, up to 1.4 in its middle, and a little of the walls. All of studio() would draw the
 * outlines of its lamps along every form: what sends light of its own is no mirror.
 */
static inline float gloss_at(float x, float y, const float n[3], float rough)
{
    float w = 0.06f + rough, rx = 2.0f * n[2] * n[0], ry = 2.0f * n[2] * n[1];
    float u = rx * x + ry * y, v = fabsf(ry * x - rx * y);
    float box = smoothf(0.42f - w, 0.42f + w, u) * (1.0f - 0.6f * smoothf(0.75f, 1.0f, u)) *
                (1.0f - smoothf(0.35f - w, 0.35f + w, v));

    return box * (0.6f + 0.8f * bell((u - 0.58f) / (0.10f + rough)) * bell(v / (0.2f + rough))) +
           0.08f * smoothf(-0.7f, 0.7f, u);
}

/* The mood's lamps at the spots of a span, lit and up as mood_lamp_lit() has them; without a mood
 * they change nothing. */
void surface_lamps(const struct surface *s, const struct spots *at, const float *lit,
                   const float *up, struct mood_lamps *out);

/* ERR_NOMEM, ERR_CANCELLED; then there is nothing to release. */
MUST_USE enum err fields_new(struct fields *f, const struct surface *s, field_fn *fn,
                             const void *ctx);
void fields_release(struct fields *f);

/*
 * Fine grain of a surface: noise of 8, 4 and 2 cells, kept in a tile that repeats, because looking
 * it up costs a tenth of working it out at every pixel.
 */
enum { GRAIN_TILE = 256 };

struct grain {
    float *tile; /* GRAIN_TILE rows of GRAIN_TILE cells; owned */
};

struct grain_spots {
    float value[SPAN];        /* about -1..1 */
    float gx[SPAN], gy[SPAN]; /* its slope per cell, about -.3...3 */
};

MUST_USE enum err grain_new(struct grain *g, uint32_t seed); /* ERR_NOMEM */
void grain_release(struct grain *g);

/* Of n places (x * scale, y * scale), in cells: any that fit an int. */
void grain_span(const struct grain *g, float scale, const float *x, float y, int n,
                struct grain_spots *out);

/* Sum of octaves of noise_at(), each of half the size and weight of the one before; about -1..1. */
static inline float noise_sum(float x, float y, int octaves, uint32_t seed)
{
    float sum = 0.0f, weight = 1.0f, all = 0.0f;

    for (int i = 0; i < octaves; i++) {
        sum += weight * (2.0f * noise_at(x, y, seed + (uint32_t)i) - 1.0f);
        all += weight;
        weight *= 0.5f;
        // Turned and shifted, or the lattices of all octaves would show as one.
        float t = 1.6f * x - 1.2f * y + 7.3f;
        y = 1.2f * x + 1.6f * y - 3.1f;
        x = t;
    }
    return 1.6f * sum / all;
}

/* Cube root of x >= 0, by lanes alone: as cbrt_approx() but for rounding. */
static inline float root_of_light(float x)
{
    int32_t bits;
    float y;

    x = x + 1e-12f; // cubes of less would underflow
    memcpy(&bits, &x, sizeof(bits));
    bits = (int32_t)((float)bits * (1.0f / 3.0f)) + 709921077;
    memcpy(&y, &bits, sizeof(y));
    for (int i = 0; i < 2; i++) {
        float y3 = y * y * y;
        y = y * ((y3 + 2.0f * x) / (2.0f * y3 + x));
    }
    return y;
}

/* OKLab of linear light, R, G, B >= 0; as oklab_from_linear() but for rounding. */
static inline void lab_of_light(const float rgb[3], float lab[LAB])
{
    float r = rgb[0], g = rgb[1], b = rgb[2];
    float l = root_of_light(r * 0.4122214708f + g * 0.5363325363f + b * 0.0514459929f);
    float m = root_of_light(r * 0.2119034982f + g * 0.6806995451f + b * 0.1073969566f);
    float s = root_of_light(r * 0.0883024619f + g * 0.2817188376f + b * 0.6299787005f);

    lab[0] = l * 0.2104542553f + m * 0.7936177850f + s * -0.0040720468f;
    lab[1] = l * 1.9779984951f + m * -2.4285922050f + s * 0.4505937099f;
    lab[2] = l * 0.0259040371f + m * 0.7827717662f + s * -0.8086757660f;
}

/* A spread of light over film (after Narkowicz's fit of ACES 2015): 0..inf to 0..1; in OKLab. */
static inline void lab_on_film(const float rgb[3], float lab[LAB])
{
    float on[3];

    for (int k = 0; k < 3; k++)
        on[k] = rgb[k] * (2.51f * rgb[k] + 0.03f) / (rgb[k] * (2.51f * rgb[k] + 0.56f) + 0.14f);
    lab_of_light(on, lab);
}

/* The same of a span whose first three lanes are light; the fourth becomes 0. */
static inline void light_to_lab(struct span_px *px, int n)
{
    for (int i = 0; i < n; i++) {
        float rgb[3] = {px->lane[0][i], px->lane[1][i], px->lane[2][i]}, lab[LAB];
        lab_of_light(rgb, lab);
        for (int k = 0; k < LAB; k++)
            px->lane[k][i] = lab[k];
        px->lane[3][i] = 0.0f;
    }
}

static inline void light_to_film(struct span_px *px, int n)
{
    for (int i = 0; i < n; i++) {
        float rgb[3] = {px->lane[0][i], px->lane[1][i], px->lane[2][i]}, lab[LAB];
        lab_on_film(rgb, lab);
        for (int k = 0; k < LAB; k++)
            px->lane[k][i] = lab[k];
        px->lane[3][i] = 0.0f;
    }
}

#endif
