/* SPDX-License-Identifier: MIT */
#include "sdf.h"

#include <assert.h>
#include <stdlib.h>

enum { BLOCK = 8, STEPS = 3 };

#define FAR 1e9f

struct grid {
    sdf_fn *fn;
    struct vec lo;
    float cell;
    int nx, ny, nz; /* corners */
    float *value;
    int *vertex; /* of the cell whose lowest corner this is, or -1 */
};

static size_t at(const struct grid *g, int x, int y, int z)
{
    return ((size_t)z * (size_t)g->ny + (size_t)y) * (size_t)g->nx + (size_t)x;
}

static struct vec corner(const struct grid *g, int x, int y, int z)
{
    return add(g->lo, scale(v3((float)x, (float)y, (float)z), g->cell));
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Blocks that the surface cannot reach get its sign alone. */
static void sample(struct grid *g)
{
    for (int z = 0; z < g->nz; z += BLOCK)
        for (int y = 0; y < g->ny; y += BLOCK)
            for (int x = 0; x < g->nx; x += BLOCK) {
                struct vec half = scale(v3(1, 1, 1), g->cell * BLOCK / 2);
                float middle = g->fn(add(corner(g, x, y, z), half));
                bool near = fabsf(middle) < 1.6f * (length(half) + g->cell);
                for (int k = z; k < least(z + BLOCK, g->nz); k++)
                    for (int j = y; j < least(y + BLOCK, g->ny); j++)
                        for (int i = x; i < least(x + BLOCK, g->nx); i++)
                            g->value[at(g, i, j, k)] = near         ? g->fn(corner(g, i, j, k))
                                                       : middle > 0 ? FAR
                                                                    : -FAR;
            }
}

static struct vec slope(sdf_fn *fn, struct vec p, float e)
{
    return normalize(v3(fn(add(p, v3(e, 0, 0))) - fn(sub(p, v3(e, 0, 0))),
                        fn(add(p, v3(0, e, 0))) - fn(sub(p, v3(0, e, 0))),
                        fn(add(p, v3(0, 0, e))) - fn(sub(p, v3(0, 0, e)))));
}

/* The mean of the points where the surface cuts the cell's edges; false when it cuts none. */
static bool cell_point(const struct grid *g, int x, int y, int z, struct vec *out)
{
    struct vec sum = v3(0, 0, 0);
    int cuts = 0;

    for (int edge = 0; edge < 12; edge++) {
        int axis = edge / 4, d[3] = {0, 0, 0}, e[3];
        d[(axis + 1) % 3] = edge & 1;
        d[(axis + 2) % 3] = edge >> 1 & 1;
        e[0] = d[0], e[1] = d[1], e[2] = d[2];
        e[axis] = 1;
        float a = g->value[at(g, x + d[0], y + d[1], z + d[2])],
              b = g->value[at(g, x + e[0], y + e[1], z + e[2])];
        if ((a < 0) == (b < 0))
            continue;
        sum = add(sum, mix(corner(g, x + d[0], y + d[1], z + d[2]),
                           corner(g, x + e[0], y + e[1], z + e[2]), a / (a - b)));
        cuts++;
    }
    *out = scale(sum, 1 / (float)(cuts ? cuts : 1));
    return cuts > 0;
}

static struct vec turned(const struct pose *pose, struct vec normal)
{
    struct pose still = {1, pose->turn_x, pose->turn_z, pose->turn_y, {0, 0, 0}};

    return pose_point(&still, normal);
}

static void add_vertices(struct grid *g, struct mesh *m, const struct pose *pose)
{
    for (int z = 0; z + 1 < g->nz; z++)
        for (int y = 0; y + 1 < g->ny; y++)
            for (int x = 0; x + 1 < g->nx; x++) {
                struct vec p, n = v3(0, 0, 0);
                if (!cell_point(g, x, y, z, &p))
                    continue;
                for (int i = 0; i < STEPS; i++) {
                    n = slope(g->fn, p, .25f * g->cell);
                    p = sub(p, scale(n, clampf(g->fn(p), -.5f * g->cell, .5f * g->cell)));
                }
                g->vertex[at(g, x, y, z)] =
                    mesh_add_vertex(m, (struct vertex){pose_point(pose, p), turned(pose, n), p});
            }
}

/* The four cells around each cut edge are the corners of a square. */
static void add_squares(const struct grid *g, struct mesh *m, uint32_t material)
{
    for (int z = 1; z + 1 < g->nz; z++)
        for (int y = 1; y + 1 < g->ny; y++)
            for (int x = 1; x + 1 < g->nx; x++)
                for (int axis = 0; axis < 3; axis++) {
                    int e[3] = {x, y, z}, u[3] = {0, 0, 0}, v[3] = {0, 0, 0};
                    e[axis]++;
                    u[(axis + 1) % 3] = 1;
                    v[(axis + 2) % 3] = 1;
                    float a = g->value[at(g, x, y, z)], b = g->value[at(g, e[0], e[1], e[2])];
                    if ((a < 0) == (b < 0))
                        continue;
                    int q[4] = {g->vertex[at(g, x - u[0] - v[0], y - u[1] - v[1], z - u[2] - v[2])],
                                g->vertex[at(g, x - v[0], y - v[1], z - v[2])],
                                g->vertex[at(g, x, y, z)],
                                g->vertex[at(g, x - u[0], y - u[1], z - u[2])]};
                    int second = a < 0 ? q[1] : q[3], fourth = a < 0 ? q[3] : q[1];
                    mesh_add_triangle(m, material, q[0], second, q[2]);
                    mesh_add_triangle(m, material, q[0], q[2], fourth);
                }
}

void sdf_mesh(struct mesh *m, uint32_t material, const struct pose *pose, sdf_fn *fn, struct vec lo,
              struct vec hi, float cell)
{
    struct grid g = {
        .fn = fn,
        .lo = lo,
        .cell = cell,
        .nx = (int)((hi.x - lo.x) / cell) + 1,
        .ny = (int)((hi.y - lo.y) / cell) + 1,
        .nz = (int)((hi.z - lo.z) / cell) + 1,
    };
    size_t n = (size_t)g.nx * (size_t)g.ny * (size_t)g.nz;

    g.value = malloc(n * sizeof(*g.value));
    g.vertex = malloc(n * sizeof(*g.vertex));
    assert(g.value && g.vertex);
    for (size_t i = 0; i < n; i++)
        g.vertex[i] = -1;
    sample(&g);
    add_vertices(&g, m, pose);
    add_squares(&g, m, material);
    free(g.value);
    free(g.vertex);
}
