/* SPDX-License-Identifier: MIT */
#include "shapes.h"

#include "noise.h"

/* Catmull-Rom through p1 and p2. */
static float curve(float p0, float p1, float p2, float p3, float t)
{
    return p1 + .5f * t *
                    (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)));
}

/* The four points around parameter t in 0..1 of a curve of n points, and the place between them. */
static float segment(int n, float t, int at[4])
{
    float x = t * (float)(n - 1);
    int i = (int)clampf(x, 0, (float)(n - 2));

    at[0] = i > 0 ? i - 1 : 0;
    at[1] = i;
    at[2] = i + 1;
    at[3] = i + 2 < n ? i + 2 : n - 1;
    return x - (float)i;
}

struct vec lathe_point(const void *ctx, float u, float v)
{
    const struct lathe *l = ctx;
    int at[4];
    float t = segment(l->n, v, at), angle = -2 * PI * u, r, y;

    r = curve(l->points[at[0]][0], l->points[at[1]][0], l->points[at[2]][0], l->points[at[3]][0],
              t);
    y = curve(l->points[at[0]][1], l->points[at[1]][1], l->points[at[2]][1], l->points[at[3]][1],
              t);
    r = fmaxf(r, 0);
    r *= 1 + l->lobes * cosf(5 * angle + l->seed) * smooth(.6f, -.9f, y);
    r *= 1 + l->irregular * noise(v3(2 * cosf(angle) + l->seed, 2 * sinf(angle), y));
    y *= 1 + .5f * l->irregular * noise(v3(cosf(angle), sinf(angle) + l->seed, 3));
    return v3(r * cosf(angle), y, r * sinf(angle));
}

static struct vec tube_middle(const struct tube *c, float t)
{
    int at[4];
    float s = segment(c->n, t, at);
    const struct vec *p = c->points;

    return v3(curve(p[at[0]].x, p[at[1]].x, p[at[2]].x, p[at[3]].x, s),
              curve(p[at[0]].y, p[at[1]].y, p[at[2]].y, p[at[3]].y, s),
              curve(p[at[0]].z, p[at[1]].z, p[at[2]].z, p[at[3]].z, s));
}

struct vec tube_point(const void *ctx, float u, float v)
{
    const struct tube *c = ctx;
    struct vec ahead =
        normalize(sub(tube_middle(c, fminf(v + .01f, 1)), tube_middle(c, fmaxf(v - .01f, 0))));
    struct vec s, t;
    float r = c->thick + (c->thin - c->thick) * v, angle = 2 * PI * u;

    frame(ahead, &s, &t);
    return add(tube_middle(c, v), add(scale(s, r * cosf(angle)), scale(t, r * sinf(angle))));
}

struct vec sheet_point(const void *ctx, float u, float v)
{
    const struct sheet *s = ctx;

    return add(s->corner, add(scale(s->along, u), scale(s->across, v)));
}

struct vec disc_point(const void *ctx, float u, float v)
{
    (void)ctx;
    return v3((1 - v) * cosf(2 * PI * u), 0, -(1 - v) * sinf(2 * PI * u));
}

struct vec leaf_point(const void *ctx, float u, float v)
{
    float side = 2 * v - 1, half = .34f * powf(fmaxf(sinf(PI * powf(u, .8f)), 0), .8f);

    (void)ctx;
    return v3(u, .25f * sinf(PI * u * .9f) + .12f * fabsf(side) * half + .02f * sinf(14 * u) * side,
              -side * half);
}

/* The height of the cloth over the table, before it is pressed flat: a few long ridges that meet at
 * angles, and soft waves. */
static float folds(float x, float z)
{
    float wander = .035f * noise(v3(6 * x, 0, 6 * z)), h = 0;
    static const struct {
        float across_x, across_z, at, height, width;
    } ridges[] = {
        {.80f, .60f, .222f, .017f, .016f},   {.94f, -.34f, .188f, .014f, .018f},
        {.55f, .83f, .232f, .012f, .020f},   {.98f, .20f, .362f, .016f, .020f},
        {.35f, -.94f, -.140f, .011f, .016f}, {.96f, .28f, .060f, .012f, .018f},
    };

    for (int i = 0; i < (int)(sizeof(ridges) / sizeof(*ridges)); i++) {
        float d = (ridges[i].across_x * x + ridges[i].across_z * z + wander - ridges[i].at) /
                  ridges[i].width;
        // A ridge is steeper on one side and fades along its way.
        d *= d > 0 ? 1 : .55f;
        h += ridges[i].height * expf(-d * d) *
             smooth(-.6f, .5f, noise(v3(7 * x, (float)i * 3.7f, 7 * z)));
    }
    return h + .005f * (fractal(v3(7 * x, 3, 7 * z), 3) + .5f);
}

struct vec cloth_point(const void *ctx, float u, float v)
{
    const struct cloth *c = ctx;
    enum { BEND_MM = 12 }; // the radius of the bend over the edge
    float bend = BEND_MM * .001f, on_top = c->edge - c->z0;
    float along = v * (on_top + c->hang), x = c->x0 + (c->x1 - c->x0) * u, h;
    struct vec at, out;

    x += .012f * noise(v3(0, 4 * along, 5 * u)) + .05f * (v - .5f);
    if (along < on_top) {
        at = v3(x, 0, c->z0 + along + .02f * noise(v3(4 * u, 0, 1)) * (1 - along / on_top));
        out = v3(0, 1, 0);
    } else {
        float turned = fminf((along - on_top) / bend, PI / 2),
              rest = along - on_top - turned * bend;
        out = v3(0, cosf(turned), sinf(turned));
        at = v3(x, bend * (cosf(turned) - 1) - rest, c->edge + bend * sinf(turned));
    }
    h = folds(x, c->z0 + along);
    for (int i = 0; i < c->n_pressed; i++) {
        float dx = at.x - c->pressed[i].x, dz = at.z - c->pressed[i].z, r = c->pressed[i].y;
        h *= smooth(r, r + .06f, sqrtf(dx * dx + dz * dz));
    }
    // Hanging folds deepen downwards.
    if (along > on_top)
        h += .11f * (along - on_top) * (1 + sinf(42 * x + 3 * noise(v3(6 * x, 0, 0))));
    return add(at, scale(out, h + .0012f));
}
