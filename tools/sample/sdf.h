/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_SDF_H
#define PATINA_SAMPLE_SDF_H

#include "mesh.h"

/*
 * Shapes as functions of space: about the distance to the surface, negative inside. Ellipsoids and
 * what is blended are not exact distances, but their zero is where it should be.
 */
typedef float sdf_fn(struct vec p);

/* Triangles of the part of the surface inside lo..hi, cells of `cell`, by surface nets (Gibson
 * 1998): a vertex per cell that the surface passes, drawn onto it along the slope, with the slope
 * as its normal. */
void sdf_mesh(struct mesh *m, uint32_t material, const struct pose *pose, sdf_fn *fn, struct vec lo,
              struct vec hi, float cell);

static inline float sd_sphere(struct vec p, struct vec at, float r)
{
    return length(sub(p, at)) - r;
}

static inline float sd_ellipsoid(struct vec p, struct vec at, struct vec r)
{
    struct vec d = sub(p, at), k = v3(d.x / r.x, d.y / r.y, d.z / r.z);
    float a = length(k), b = length(v3(k.x / r.x, k.y / r.y, k.z / r.z));

    return b > 0 ? a * (a - 1) / b : -fminf(r.x, fminf(r.y, r.z));
}

/* From a to b, radius ra to rb. */
static inline float sd_limb(struct vec p, struct vec a, struct vec b, float ra, float rb)
{
    struct vec along = sub(b, a);
    float t = clampf(dot(sub(p, a), along) / dot(along, along), 0, 1);

    return length(sub(p, add(a, scale(along, t)))) - (ra + (rb - ra) * t);
}

/* Union with a soft seam of about width k (polynomial; Quilez 2008). */
static inline float soft_min(float a, float b, float k)
{
    float h = fmaxf(k - fabsf(a - b), 0) / k;

    return fminf(a, b) - h * h * k / 4;
}

static inline float soft_max(float a, float b, float k)
{
    return -soft_min(-a, -b, k);
}

#endif
