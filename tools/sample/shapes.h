/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_SHAPES_H
#define PATINA_SAMPLE_SHAPES_H

#include "mesh.h"

/* Shapes as functions of u and v, for mesh_add(). Lengths are metres before the pose, normals point
 * outwards. */

/* Turned on a lathe: a smooth curve through (radius, height) pairs, from the bottom's centre up the
 * outside; a point given twice is a corner. */
struct lathe {
    const float (*points)[2];
    int n;
    float lobes;     /* radius varies by this part of itself, five times around */
    float irregular; /* and by this part, at random */
    float seed;
};
surface_fn lathe_point;

/* A tube along a smooth curve. Radius goes from `thick` to `thin`. */
struct tube {
    const struct vec *points;
    int n;
    float thick, thin;
};
surface_fn tube_point;

/* A flat rectangle: corner + u * along + v * across, normal along x across. */
struct sheet {
    struct vec corner, along, across;
};
surface_fn sheet_point;

/* A round, flat disc in the plane y = 0, looking up, of radius 1. */
surface_fn disc_point;

/* A leaf of length 1 along x, arched and creased along its middle, looking up. */
surface_fn leaf_point;

/* A cloth on a table whose top is y = 0 and whose edge is z = edge: it lies in folds, flat where
 * something stands on it, and hangs over the edge. */
struct cloth {
    float x0, x1, z0, edge, hang;
    struct vec pressed[6]; /* x, radius in y, z */
    int n_pressed;
};
surface_fn cloth_point;

#endif
