/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_MESH_H
#define PATINA_SAMPLE_MESH_H

#include "vec.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Triangles, and the tree that finds the one a ray hits. Every shape of the scene is a function of
 * two numbers, sampled on a grid. Memory that runs out ends the program: this is a tool.
 */
struct vertex {
    struct vec pos, normal;
    struct vec local; /* the point before it was posed: textures stick to it */
};

struct triangle {
    uint32_t v[3];
    uint32_t material;
};

struct mesh {
    struct vertex *vertices;
    struct triangle *triangles;
    int n_vertices, n_triangles, vertices_cap, triangles_cap;
    struct bvh_node *nodes; /* after mesh_index() */
};

/* Where a shape stands: scaled, turned about x, then z, then y (radians), moved. */
struct pose {
    float size;
    float turn_x, turn_z, turn_y;
    struct vec at;
};

/* A point of the shape for u and v in 0..1. */
typedef struct vec surface_fn(const void *ctx, float u, float v);

/* Samples the shape on nu x nv cells. `closed`: u = 1 meets u = 0, the seam is smooth. Normals
 * point to dp/du x dp/dv. */
void mesh_add(struct mesh *m, uint32_t material, const struct pose *pose, surface_fn *fn,
              const void *ctx, int nu, int nv, bool closed);

/* For shapes that bring their own triangles: the vertex's number; a triangle of three of them,
 * counterclockwise seen from outside. */
int mesh_add_vertex(struct mesh *m, struct vertex v);
void mesh_add_triangle(struct mesh *m, uint32_t material, int a, int b, int c);

struct vec pose_point(const struct pose *pose, struct vec p);

/* Builds the tree; nothing is added after it. */
void mesh_index(struct mesh *m);

struct ray {
    struct vec from, dir; /* dir has length 1 */
    float far;
};

struct hit {
    float distance;
    struct vec pos, normal; /* normal: interpolated, length 1, to the side the ray came from */
    struct vec local;
    uint32_t material;
    bool inside; /* the ray came from behind the surface */
};

/* The nearest hit closer than ray->far. Any thread. */
bool mesh_hit(const struct mesh *m, const struct ray *ray, struct hit *out);

void mesh_free(struct mesh *m);

#endif
