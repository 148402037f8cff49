/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_BUST_SHAPE_H
#define PATINA_SAMPLE_BUST_SHAPE_H

#include "sdf.h"

/* The bust's parts in decimetres: the eyes are at y = 0, the face looks along z. */
sdf_fn bust_skin, bust_hair, bust_cloth;

#define EYE_RADIUS .124f
#define EYE_X      .315f

/* A point of the body as the head sees it, which is turned on the neck. */
struct vec bust_in_head(struct vec p);
struct vec bust_from_head(struct vec p);

/* Of a point in the head: how far inside the gap between the lids it is seen from the front, and
 * where along the lids (-1 inner corner, 1 outer). */
float bust_lid_gap(struct vec head, float *along);

/* About the distance to the lips alone. */
float bust_lips(struct vec head);

#endif
