/* SPDX-License-Identifier: MIT */
/*
 * Grids of triangles and a bounding volume hierarchy over them, built top down by binned surface
 * area (Wald 2007), with the intersection test of Moeller and Trumbore (1997).
 */
#include "mesh.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 16, LEAF_MAX = 4, DEPTH_MAX = 64 };

struct box {
    struct vec lo, hi;
};

/* An inner node has two children at `first` and first+1; a leaf has `count` triangles at `first`.
 */
struct bvh_node {
    struct box box;
    int first, count;
};

static void *grow(void *p, size_t count, size_t size)
{
    p = realloc(p, count * size);
    assert(p);
    return p;
}

int mesh_add_vertex(struct mesh *m, struct vertex v)
{
    if (m->n_vertices == m->vertices_cap) {
        m->vertices_cap = 2 * m->vertices_cap + 1024;
        m->vertices = grow(m->vertices, (size_t)m->vertices_cap, sizeof(*m->vertices));
    }
    m->vertices[m->n_vertices] = v;
    return m->n_vertices++;
}

void mesh_add_triangle(struct mesh *m, uint32_t material, int a, int b, int c)
{
    if (m->n_triangles == m->triangles_cap) {
        m->triangles_cap = 2 * m->triangles_cap + 1024;
        m->triangles = grow(m->triangles, (size_t)m->triangles_cap, sizeof(*m->triangles));
    }
    m->triangles[m->n_triangles++] =
        (struct triangle){{(uint32_t)a, (uint32_t)b, (uint32_t)c}, material};
}

struct vec pose_point(const struct pose *pose, struct vec p)
{
    float c, s;

    p = scale(p, pose->size);
    c = cosf(pose->turn_x), s = sinf(pose->turn_x);
    p = v3(p.x, c * p.y - s * p.z, s * p.y + c * p.z);
    c = cosf(pose->turn_z), s = sinf(pose->turn_z);
    p = v3(c * p.x - s * p.y, s * p.x + c * p.y, p.z);
    c = cosf(pose->turn_y), s = sinf(pose->turn_y);
    p = v3(c * p.x + s * p.z, p.y, -s * p.x + c * p.z);
    return add(p, pose->at);
}

/* A triangle whose vertices' normals are worked out from their triangles. */
static void add_triangle(struct mesh *m, uint32_t material, int a, int b, int c)
{
    struct vertex *v = m->vertices;
    struct vec area = cross(sub(v[b].pos, v[a].pos), sub(v[c].pos, v[a].pos));

    if (dot(area, area) < 1e-18f)
        return; // at a pole, where a side of the cell is a point
    v[a].normal = add(v[a].normal, area);
    v[b].normal = add(v[b].normal, area);
    v[c].normal = add(v[c].normal, area);
    mesh_add_triangle(m, material, a, b, c);
}

void mesh_add(struct mesh *m, uint32_t material, const struct pose *pose, surface_fn *fn,
              const void *ctx, int nu, int nv, bool closed)
{
    int columns = closed ? nu : nu + 1;
    int base = m->n_vertices;

    for (int j = 0; j <= nv; j++) {
        for (int i = 0; i < columns; i++) {
            struct vec p = fn(ctx, (float)i / (float)nu, (float)j / (float)nv);
            mesh_add_vertex(m, (struct vertex){.pos = pose_point(pose, p), .local = p});
        }
    }
    for (int j = 0; j < nv; j++) {
        for (int i = 0; i < nu; i++) {
            int row = base + j * columns, up = row + columns, next = (i + 1) % columns;
            add_triangle(m, material, row + i, row + next, up + i);
            add_triangle(m, material, row + next, up + next, up + i);
        }
    }
    for (int i = base; i < m->n_vertices; i++)
        m->vertices[i].normal = normalize(m->vertices[i].normal);
}

void mesh_free(struct mesh *m)
{
    free(m->vertices);
    free(m->triangles);
    free(m->nodes);
    memset(m, 0, sizeof(*m));
}

// The tree

static struct box box_none(void)
{
    return (struct box){v3(1e30f, 1e30f, 1e30f), v3(-1e30f, -1e30f, -1e30f)};
}

static void box_point(struct box *b, struct vec p)
{
    b->lo = v3(fminf(b->lo.x, p.x), fminf(b->lo.y, p.y), fminf(b->lo.z, p.z));
    b->hi = v3(fmaxf(b->hi.x, p.x), fmaxf(b->hi.y, p.y), fmaxf(b->hi.z, p.z));
}

static float box_area(const struct box *b)
{
    struct vec d = sub(b->hi, b->lo);

    return d.x < 0 ? 0 : d.x * d.y + d.y * d.z + d.z * d.x;
}

static void box_triangle(struct box *b, const struct mesh *m, const struct triangle *t)
{
    for (int i = 0; i < 3; i++)
        box_point(b, m->vertices[t->v[i]].pos);
}

static float along(struct vec v, int axis)
{
    return axis == 0 ? v.x : axis == 1 ? v.y : v.z;
}

static float middle(const struct mesh *m, const struct triangle *t, int axis)
{
    float sum = 0;

    for (int i = 0; i < 3; i++)
        sum += along(m->vertices[t->v[i]].pos, axis);
    return sum / 3;
}

struct split {
    int axis;
    float at, lo, width; /* triangles whose bin is below `at` go left */
    float cost;
};

static int bin_of(const struct mesh *m, const struct triangle *t, const struct split *s)
{
    return (int)clampf((middle(m, t, s->axis) - s->lo) / s->width * BINS, 0, BINS - 1);
}

/* The cheapest of the BINS-1 cuts along one axis. */
static void try_axis(const struct mesh *m, int first, int count, int axis, struct split *best)
{
    struct box bins[BINS];
    int counts[BINS] = {0};
    struct split s = {.axis = axis};
    float lo = 1e30f, hi = -1e30f;

    for (int i = first; i < first + count; i++) {
        float c = middle(m, &m->triangles[i], axis);
        lo = fminf(lo, c);
        hi = fmaxf(hi, c);
    }
    if (hi - lo < 1e-6f)
        return;
    s.lo = lo;
    s.width = hi - lo;
    for (int b = 0; b < BINS; b++)
        bins[b] = box_none();
    for (int i = first; i < first + count; i++) {
        int b = bin_of(m, &m->triangles[i], &s);
        counts[b]++;
        box_triangle(&bins[b], m, &m->triangles[i]);
    }
    for (int cut = 1; cut < BINS; cut++) {
        struct box side[2] = {box_none(), box_none()};
        int n[2] = {0, 0};
        for (int b = 0; b < BINS; b++) {
            if (!counts[b])
                continue;
            n[b >= cut] += counts[b];
            box_point(&side[b >= cut], bins[b].lo);
            box_point(&side[b >= cut], bins[b].hi);
        }
        s.at = (float)cut;
        s.cost = box_area(&side[0]) * (float)n[0] + box_area(&side[1]) * (float)n[1];
        if (n[0] && n[1] && s.cost < best->cost)
            *best = s;
    }
}

static void build(struct mesh *m, int *n_nodes, int node, int first, int count, int depth)
{
    struct bvh_node *n = &m->nodes[node];
    struct split best = {.axis = -1, .cost = 1e30f};
    int left = first, right = first + count - 1;

    n->box = box_none();
    n->first = first;
    n->count = count;
    for (int i = first; i < first + count; i++)
        box_triangle(&n->box, m, &m->triangles[i]);
    if (count <= LEAF_MAX || depth == DEPTH_MAX - 1)
        return;
    for (int axis = 0; axis < 3; axis++)
        try_axis(m, first, count, axis, &best);
    if (best.axis < 0)
        return;
    while (left <= right) {
        struct triangle t = m->triangles[left];
        if ((float)bin_of(m, &t, &best) < best.at) {
            left++;
        } else {
            m->triangles[left] = m->triangles[right];
            m->triangles[right--] = t;
        }
    }
    n->first = *n_nodes;
    n->count = 0;
    *n_nodes += 2;
    build(m, n_nodes, n->first, first, left - first, depth + 1);
    build(m, n_nodes, n->first + 1, left, first + count - left, depth + 1);
}

void mesh_index(struct mesh *m)
{
    int n_nodes = 1;

    m->nodes = grow(NULL, (size_t)(2 * m->n_triangles), sizeof(*m->nodes));
    build(m, &n_nodes, 0, 0, m->n_triangles, 0);
}

// Rays

/* Where the ray enters the box, or 1e30 when it misses or the box is farther than `far`. */
static float box_enter(const struct box *b, struct vec from, struct vec inverse, float far)
{
    float x0 = (b->lo.x - from.x) * inverse.x, x1 = (b->hi.x - from.x) * inverse.x;
    float y0 = (b->lo.y - from.y) * inverse.y, y1 = (b->hi.y - from.y) * inverse.y;
    float z0 = (b->lo.z - from.z) * inverse.z, z1 = (b->hi.z - from.z) * inverse.z;
    float near = fmaxf(fmaxf(fminf(x0, x1), fminf(y0, y1)), fmaxf(fminf(z0, z1), 0));
    float leave = fminf(fminf(fmaxf(x0, x1), fmaxf(y0, y1)), fminf(fmaxf(z0, z1), far));

    return near <= leave ? near : 1e30f;
}

static bool triangle_hit(const struct mesh *m, int i, const struct ray *ray, struct hit *best)
{
    const struct triangle *t = &m->triangles[i];
    const struct vertex *a = &m->vertices[t->v[0]], *b = &m->vertices[t->v[1]],
                        *c = &m->vertices[t->v[2]];
    struct vec e1 = sub(b->pos, a->pos), e2 = sub(c->pos, a->pos), p = cross(ray->dir, e2);
    float det = dot(e1, p), inverse = 1 / det;
    struct vec s = sub(ray->from, a->pos), q = cross(s, e1);
    float u = dot(s, p) * inverse, v = dot(ray->dir, q) * inverse, d = dot(e2, q) * inverse;

    if (det == 0 || u < 0 || v < 0 || u + v > 1 || d < 1e-5f || d >= best->distance)
        return false;
    best->distance = d;
    best->normal = add(add(scale(a->normal, 1 - u - v), scale(b->normal, u)), scale(c->normal, v));
    best->local = add(add(scale(a->local, 1 - u - v), scale(b->local, u)), scale(c->local, v));
    best->material = t->material;
    best->inside = det < 0;
    return true;
}

bool mesh_hit(const struct mesh *m, const struct ray *ray, struct hit *out)
{
    struct vec inverse = v3(1 / ray->dir.x, 1 / ray->dir.y, 1 / ray->dir.z);
    int stack[DEPTH_MAX], depth = 0, node = 0;
    bool found = false;

    out->distance = ray->far;
    for (;;) {
        const struct bvh_node *n = &m->nodes[node];
        for (int i = n->first; i < n->first + n->count; i++)
            found |= triangle_hit(m, i, ray, out);
        if (!n->count) {
            int near = n->first, far = near + 1;
            float dn = box_enter(&m->nodes[near].box, ray->from, inverse, out->distance);
            float df = box_enter(&m->nodes[far].box, ray->from, inverse, out->distance);
            if (df < dn) {
                int swap = near;
                near = far;
                far = swap;
                float d = dn;
                dn = df;
                df = d;
            }
            if (df < 1e30f)
                stack[depth++] = far;
            if (dn < 1e30f) {
                node = near;
                continue;
            }
        }
        if (!depth)
            break;
        node = stack[--depth];
    }
    if (found) {
        out->pos = add(ray->from, scale(ray->dir, out->distance));
        out->normal = normalize(out->normal);
        if (out->inside)
            out->normal = scale(out->normal, -1);
    }
    return found;
}
