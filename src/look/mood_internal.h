/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_MOOD_INTERNAL_H
#define PATINA_LOOK_MOOD_INTERNAL_H

/* Between the files that light a scene (mood_*.c) alone. */

#include "look/mood_palette.h"
#include "look/mood_scene.h"

/* What a mood needs to know of places; half size. */
struct mood_fields {
    struct plane sky;   /* 0..1 */
    struct plane far;   /* 0: near, 1: far away */
    struct plane side;  /* -1: turned away from the light, 1: towards it */
    float horizon;      /* lower end of the sky, share of the height */
    float sky_L;        /* mean lightness of the sky */
    float mid_x, mid_y; /* where the picture's subject is, shares of width and height */
    float sun;          /* -1: the photo is brighter on its left, 1: on its right */
};

/* Steps of the table of lamps. */
enum { LAMP_LITS = 48, LAMP_UPS = 33 };

/* R, G, B as lanes. */
struct lamp_lanes {
    lane4 gain, veil;
};

struct mood_scene {
    const struct mood_light *light; /* borrowed */
    struct mood_palette palette;
    struct mood_fields fields;
    float half_per_unit;
    float key[3], fill[3];          /* factors on the roots of cone responses */
    float lo, hi;                   /* of the photo's lightness, without its outliers */
    float exposure, exposure_white; /* factors on lightness: of the dark, of white */
    float pivot;                    /* of contrast */
    float chroma;                   /* factor; lamps of a photo in the dark keep theirs */
    float dome[MOOD_STOPS][LAB], tone[MOOD_STOPS][LAB], veil[LAB];
    float veil_light[3];    /* linear */
    struct plane air, pool; /* share of the veil; light of the pool; half size */
    struct lamp_lanes lamp[LAMP_UPS][LAMP_LITS];
};

/* Fills s->fields, whose sun is known. ERR_NOMEM, ERR_CANCELLED; release with
 * mood_fields_release(). */
MUST_USE enum err mood_fields_make(struct mood_fields *f, const struct look_maps *m,
                                   struct pool *pool, const atomic_bool *cancel);
void mood_fields_release(struct mood_fields *f);

/* Lights the maps' colours and tones. ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err mood_relight(const struct mood_scene *s, struct look_maps *m, struct pool *pool,
                               const atomic_bool *cancel);

/* The colour of a ramp at t, 0..1. */
void mood_ramp_at(const float ramp[MOOD_STOPS][LAB], float t, float lab[LAB]);

/* Of a picture in all hues: the hue at a place, turns; u, v: shares of width and height. */
static inline float mood_hue_at(float u, float v)
{
    return 0.06f + 0.6f * u + 0.2f * v;
}

/* Multiplies the light on a colour: w 0 in the shadows, 1 in the light. */
static inline void mood_shine(const struct mood_scene *s, float w, float lab[LAB])
{
    float L = lab[0], a = lab[1], b = lab[2];
    // Roots of cone responses from OKLab, and back.
    float l = L + 0.3963377774f * a + 0.2158037573f * b;
    float m = L - 0.1055613458f * a - 0.0638541728f * b;
    float n = L - 0.0894841775f * a - 1.2914855480f * b;

    l *= mixf(s->fill[0], s->key[0], w);
    m *= mixf(s->fill[1], s->key[1], w);
    n *= mixf(s->fill[2], s->key[2], w);
    lab[0] = 0.2104542553f * l + 0.7936177850f * m - 0.0040720468f * n;
    lab[1] = 1.9779984951f * l - 2.4285922050f * m + 0.4505937099f * n;
    lab[2] = 0.0259040371f * l + 0.7827717662f * m - 0.8086757660f * n;
}

#endif
