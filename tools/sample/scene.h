/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_SCENE_H
#define PATINA_SAMPLE_SCENE_H

#include "mesh.h"

/* A surface where a ray met it: diffuse under a clear coat; metals have no diffuse part. */
struct surface {
    struct vec colour;
    struct vec mirror;  /* reflection straight on: .04 for most coats, 0 for none */
    float rough;        /* of the reflection, 0..1 */
    struct vec through; /* light that passes straight through, 0 for opaque */
    struct vec glow;    /* light of its own */
    struct vec normal;  /* with bumps */
};

/* A point of the lamp, as a surface sees it. */
struct lamp_point {
    struct vec at;
    struct vec light; /* what leaves it */
    float share;      /* of that, what a diffuse surface of colour 1 sends on */
};

/* A picture to be: what stands where, what lights it, and where it is seen from. Metres, y is up.
 * The functions are pure and called from many threads, but for build(). */
struct scene {
    const char *name;
    int width, height, samples, quality;
    struct vec eye, target;
    float half_height; /* of the picture, a metre before the eye */
    float focus, lens_radius;
    int bounces; /* of a path, at most */
    float exposure;

    void (*build)(struct mesh *m); /* everything, indexed and ready */
    void (*surface)(const struct hit *hit, struct surface *out);

    /* The light that is looked for from every surface; (u, v) in 0..1 picks its point. False: it is
     * behind the surface. */
    bool (*lamp)(struct vec at, struct vec normal, float u, float v, struct lamp_point *out);

    /* What a ray that hits nothing sees; without the lamp where that was counted already. */
    struct vec (*beyond)(const struct ray *ray, bool lamp_counts);
};

extern const struct scene still_life, bust, street;

#endif
