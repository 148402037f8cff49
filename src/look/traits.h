/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_TRAITS_H
#define PATINA_LOOK_TRAITS_H

#include "image/image.h"

#include "base/pool.h"

/*
 * A picture in a few numbers that a viewer would notice: for tests and plots of what a parameter
 * does, where a difference of pixels is mostly chance (every stroke lies elsewhere).
 */
enum {
    TRAIT_LIGHTNESS, /* mean L of OKLab, times 2 */
    TRAIT_CHROMA,    /* mean chroma, times 4 */
    TRAIT_CONTRAST,  /* standard deviation of L, times 2 */
    TRAIT_DETAIL,    /* half the binary logarithm of the strength of structure 1, 2, 4, 8 and 16
                        pixels large, from the finest on */
    TRAITS = TRAIT_DETAIL + 5
};

/* ERR_NOMEM. */
MUST_USE enum err traits_of(const struct image *im, struct pool *pool, float out[TRAITS]);

/* How far two pictures are from each other; a difference of 0.05 shows. */
float traits_distance(const float a[TRAITS], const float b[TRAITS]);

/* How fine the work of a picture is: the mean difference of neighbouring pixels' L. Only pictures
 * of one size compare. ERR_NOMEM. */
MUST_USE enum err traits_fineness(const struct image *im, double *out);

#endif
