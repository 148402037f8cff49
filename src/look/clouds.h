/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_CLOUDS_H
#define PATINA_LOOK_CLOUDS_H

#include "look/op.h"

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

/* At the middle of picture pixel (x, y), or anywhere between. */
static inline float clouds_at(const struct clouds *c, float x, float y)
{
    return plane_at(&c->plane, (x + 0.5f) * c->per_px + 0.5f, (y + 0.5f) * c->per_px + 0.5f);
}

#endif
