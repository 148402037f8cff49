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

struct mood_scene {
    const struct mood_light *light; /* borrowed */
    struct mood_palette palette;
    struct mood_fields fields;
    float width, height; /* units */
    float half_per_unit;
    float key[3], fill[3];          /* factors on the roots of cone responses */
    float lo, hi;                   /* of the photo's lightness, without its outliers */
    float exposure, exposure_white; /* factors on lightness: of the dark, of white */
    float pivot;                    /* of contrast */
    float dome[MOOD_STOPS][LAB], tone[MOOD_STOPS][LAB], veil[LAB];
};

/* Fills s->fields, whose sun is known. ERR_NOMEM, ERR_CANCELLED; release with
 * mood_fields_release(). */
MUST_USE enum err mood_fields_make(struct mood_fields *f, const struct look_maps *m,
                                   struct pool *pool, const atomic_bool *cancel);
void mood_fields_release(struct mood_fields *f);

/* Lights the maps' colours and tones. ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err mood_relight(const struct mood_scene *s, struct look_maps *m, struct pool *pool,
                               const atomic_bool *cancel);

/* How bright the pool of light is at a place, shares of width and height. */
float mood_pool_at(const struct mood_scene *s, float u, float v);

/* The colour of a ramp at t, 0..1. */
void mood_ramp_at(const float ramp[MOOD_STOPS][LAB], float t, float lab[LAB]);

/* Multiplies the light on a colour: w 0 in the shadows, 1 in the light. */
void mood_shine(const struct mood_scene *s, float w, float lab[LAB]);

#endif
