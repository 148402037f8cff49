/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_CLOUDS_H
#define PATINA_LOOK_CLOUDS_H

#include "look/span.h"

/*
 * Slow noise over a picture: octaves of value noise, each half as large and strong as the one
 * before, kept in a plane that is coarser than the picture because it is smooth. Private to look/.
 */
struct clouds {
    struct plane plane;
    float per_px; /* plane pixels per picture pixel */
};

enum { CLOUD_OCTAVES = 3 };

/* About -1..1, mean 0; `period` is the largest size in units, at least 4. The values depend on
 * places in units and the seed alone. ERR_NOMEM, ERR_CANCELLED; release with clouds_release(). */
MUST_USE enum err clouds_new(struct clouds *c, const struct look_picture *p, float period,
                             uint32_t seed);
void clouds_release(struct clouds *c);

/* At the middles of n <= SPAN pixels from (x, y) on, places times `scale`: 1, or others for another
 * cut of the same clouds. */
void clouds_span(const struct clouds *c, float scale, int x, int y, int n, float *out);

#endif
