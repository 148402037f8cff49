/* SPDX-License-Identifier: MIT */
/*
 * A portrait bust, painted wood and wax as of old, by a window on the left. Its materials and its
 * light; bust_shape.c has its form.
 */
#include "bust_shape.h"
#include "noise.h"
#include "shapes.h"
#include "texture.h"

#include <string.h>

enum material { WALL, SKIN, EYE, HAIR, CLOTH, PEARL };

/* The window: in the plane x = WINDOW_X, looking along x. */
#define WINDOW_X  -1.05f
#define WINDOW_Y0 -.12f
#define WINDOW_Y1 .85f
#define WINDOW_Z0 .12f
#define WINDOW_Z1 1.15f

static const struct pose standing = {.1f, 0, 0, -.38f, {0, 0, 0}};

static void add_eye(struct mesh *m, float side)
{
    static const float ball[][2] = {{0, -1},        {.38f, -.925f}, {.71f, -.71f},
                                    {.925f, -.38f}, {1, 0},         {.925f, .38f},
                                    {.71f, .71f},   {.38f, .925f},  {0, 1}};
    struct lathe l = {.points = ball, .n = sizeof(ball) / sizeof(*ball)};
    struct vec at = bust_from_head(v3(side * EYE_X, 0, .665f));
    struct pose pose = {.1f * EYE_RADIUS, 0, 0, 0, pose_point(&standing, at)};

    mesh_add(m, EYE, &pose, lathe_point, &l, 96, 96, true);
}

static void add_pearl(struct mesh *m, float side)
{
    static const float drop[][2] = {{0, -1},      {.42f, -.93f}, {.78f, -.66f},
                                    {.92f, -.2f}, {.82f, .25f},  {.5f, .72f},
                                    {.2f, 1.1f},  {.05f, 1.35f}, {0, 1.4f}};
    struct lathe l = {.points = drop, .n = sizeof(drop) / sizeof(*drop)};
    struct vec at = bust_from_head(v3(side * .70f, -.66f, .16f));
    struct pose pose = {.0075f, 0, 0, 0, pose_point(&standing, at)};

    mesh_add(m, PEARL, &pose, lathe_point, &l, 64, 64, true);
}

static void build(struct mesh *m)
{
    static const struct pose here = {.size = 1};
    struct sheet back = {v3(-3, -2, -.62f), v3(6, 0, 0), v3(0, 4, 0)};

    mesh_add(m, WALL, &here, sheet_point, &back, 1, 1, false);
    // The face wants finer triangles than the shoulders.
    sdf_mesh(m, SKIN, &standing, bust_skin, v3(-1.0f, -1.25f, -1.1f), v3(1.1f, 1.3f, 1.3f), .009f);
    sdf_mesh(m, SKIN, &standing, bust_skin, v3(-1.3f, -2.9f, -1), v3(1.3f, -1.22f, .7f), .016f);
    sdf_mesh(m, HAIR, &standing, bust_hair, v3(-1.2f, -1, -1.8f), v3(1.3f, 1.5f, 1.3f), .010f);
    sdf_mesh(m, CLOTH, &standing, bust_cloth, v3(-2.3f, -3.4f, -1.2f), v3(2.3f, -1.2f, 1), .014f);
    for (int side = -1; side <= 1; side += 2) {
        add_eye(m, (float)side);
        add_pearl(m, (float)side);
    }
    mesh_index(m);
}

// ---- materials ----

static float spot(struct vec p, struct vec at, float r)
{
    struct vec d = sub(p, at);

    return expf(-dot(d, d) / (r * r));
}

/* How much hair of a brow is there. */
static float brow(struct vec q)
{
    float t = clampf((q.x - .12f) / .43f, 0, 1);
    float y = .150f + .20f * t - .155f * t * t * t, half = .046f - .028f * t;
    float hair = noise(v3(70 * (q.x - .7f * q.y), 16 * (q.y + .6f * q.x), 5));

    if (q.x < .10f || q.x > .58f || q.z < 0)
        return 0;
    return smooth(half, .35f * half, fabsf(q.y - y) - .008f * hair) * smooth(.10f, .17f, q.x) *
           smooth(.58f, .52f, q.x) * (1 + .4f * hair);
}

static void skin(struct surface *s, const struct hit *hit)
{
    struct vec p = bust_in_head(hit->local), q = v3(fabsf(p.x), p.y, p.z);
    float along, gap = bust_lid_gap(p, &along), lips = bust_lips(p);
    float patch = fractal(scale(hit->local, 3), 4), fine = fractal(scale(hit->local, 30), 3);
    float front = smooth(.3f, .6f, p.z);
    float warm =
        .75f * spot(q, v3(.42f, -.36f, .62f), .26f) + .55f * spot(q, v3(0, -.40f, 1.1f), .15f) +
        .30f * spot(q, v3(0, -.98f, .85f), .2f) + .30f * spot(q, v3(.31f, .06f, .75f), .16f);

    s->colour = mix(v3(.60f, .375f, .265f), v3(.55f, .315f, .21f), clampf(.5f + patch, 0, 1));
    s->colour = mix(s->colour, v3(.56f, .235f, .16f), clampf(warm, 0, 1) * .75f * front);
    s->colour = mix(s->colour, v3(.40f, .115f, .095f),
                    .85f * front * smooth(.012f, -.008f, lips + .004f * fine));
    s->colour = mix(s->colour, v3(.065f, .033f, .018f), .95f * clampf(brow(q), 0, 1));
    // Lashes, as a painted line that is stronger on the upper lid and outwards.
    if (fabsf(along) < 1.06f && p.z > .6f) {
        bool upper = p.y - .10f * (q.x - EYE_X) > .004f;
        float line = smooth(upper ? -.036f : -.014f, -.006f, gap);
        s->colour = mix(s->colour, v3(.03f, .016f, .010f),
                        line * (upper ? .97f : .5f) * smooth(-1.1f, -.5f, along));
        s->colour = mix(s->colour, v3(.48f, .18f, .14f),
                        .6f * smooth(-.03f, -.01f, gap) * smooth(-.9f, -1.0f, along));
    }
    s->colour = scale(s->colour, 1 + .05f * fine);
    coat(s, .035f, .38f - .1f * smooth(.012f, -.008f, lips));
    bump(s, hit, 260, .018f, 2);
}

/* Eyes that look past the painter, at the window. */
static void eyeball(struct surface *s, const struct hit *hit)
{
    struct vec gaze = normalize(v3(-.30f, .02f, 1)), p = hit->local;
    float off = length(cross(p, gaze)) / length(p), angle = atan2f(p.y, p.x - .3f);
    float rays = noise(v3(7 * cosf(angle) * 2, 7 * sinf(angle) * 2, 4 * off)),
          iris = smooth(.52f, .50f, off) * (dot(p, gaze) > 0);
    struct vec white =
        mix(v3(.66f, .62f, .57f), v3(.55f, .40f, .34f), smooth(.55f, .95f, fabsf(p.x)));
    struct vec colour = mix(v3(.20f, .115f, .045f), v3(.085f, .065f, .03f), .5f + .5f * rays);

    colour = mix(colour, v3(.022f, .018f, .014f), smooth(.40f, .50f, off));
    colour = mix(v3(.006f, .006f, .006f), colour, smooth(.20f, .225f, off));
    s->colour = mix(white, colour, iris);
    coat(s, .045f, .05f);
}

static void hair(struct surface *s, const struct hit *hit)
{
    float tone = fractal(scale(hit->local, 5), 3);

    s->colour = mix(v3(.115f, .056f, .026f), v3(.050f, .024f, .012f), clampf(.5f + tone, 0, 1));
    coat(s, .05f, .36f);
}

static void cloth(struct surface *s, const struct hit *hit)
{
    s->colour = mix(v3(.035f, .085f, .155f), v3(.05f, .115f, .185f),
                    clampf(.5f + fractal(scale(hit->local, 2), 3), 0, 1));
    bump(s, hit, 260, .06f, 2);
}

static void wall(struct surface *s, const struct hit *hit)
{
    float patch = fractal(scale(hit->pos, 2.3f), 5), fine = fractal(scale(hit->pos, 38), 2);

    s->colour =
        mix(v3(.27f, .235f, .17f), v3(.155f, .15f, .115f), clampf(.5f + 1.3f * patch, 0, 1));
    s->colour = scale(s->colour, 1 + .06f * fine);
    bump(s, hit, 20, .03f, 4);
}

static void surface(const struct hit *hit, struct surface *out)
{
    memset(out, 0, sizeof(*out));
    out->normal = hit->normal;
    switch ((enum material)hit->material) {
    case WALL:
        wall(out, hit);
        break;
    case SKIN:
        skin(out, hit);
        break;
    case EYE:
        eyeball(out, hit);
        break;
    case HAIR:
        hair(out, hit);
        break;
    case CLOTH:
        cloth(out, hit);
        break;
    case PEARL:
        out->colour = v3(.60f, .57f, .52f);
        coat(out, .08f, .12f);
        break;
    }
}

// ---- light ----

static struct vec window_light(float y, float z)
{
    float row = (y - WINDOW_Y0) / (WINDOW_Y1 - WINDOW_Y0),
          column = (z - WINDOW_Z0) / (WINDOW_Z1 - WINDOW_Z0);

    if (fabsf(row - .5f) < .02f || fabsf(column - .5f) < .025f)
        return v3(.02f, .02f, .02f);
    return scale(mix(v3(1, .96f, .88f), v3(.92f, .96f, 1.03f), row), 9);
}

static bool lamp(struct vec at, struct vec normal, float u, float v, struct lamp_point *out)
{
    float y = WINDOW_Y0 + (WINDOW_Y1 - WINDOW_Y0) * u, z = WINDOW_Z0 + (WINDOW_Z1 - WINDOW_Z0) * v;
    struct vec to = sub(v3(WINDOW_X, y, z), at), dir = normalize(to);
    float area = (WINDOW_Y1 - WINDOW_Y0) * (WINDOW_Z1 - WINDOW_Z0);

    if (dot(normal, dir) <= 0 || dir.x >= 0)
        return false;
    out->at = v3(WINDOW_X, y, z);
    out->light = window_light(y, z);
    out->share = dot(normal, dir) * -dir.x * area / (PI * dot(to, to));
    return true;
}

static struct vec beyond(const struct ray *ray, bool lamp_counts)
{
    float t = ray->dir.x < 0 ? (WINDOW_X - ray->from.x) / ray->dir.x : -1;
    float y = ray->from.y + t * ray->dir.y, z = ray->from.z + t * ray->dir.z;

    if (lamp_counts && t > 0 && y > WINDOW_Y0 && y < WINDOW_Y1 && z > WINDOW_Z0 && z < WINDOW_Z1)
        return window_light(y, z);
    return mix(v3(.13f, .105f, .085f), v3(.20f, .185f, .17f), .5f + .5f * ray->dir.y);
}

const struct scene bust = {
    .name = "bust",
    .width = 880,
    .height = 1120,
    .samples = 64,
    .quality = 90,
    .eye = {0, -.03f, 1.75f},
    .target = {0, -.075f, 0},
    .half_height = .128f,
    .focus = 1.68f,
    .lens_radius = .002f,
    .bounces = 3,
    .exposure = 1.25f,
    .build = build,
    .surface = surface,
    .lamp = lamp,
    .beyond = beyond,
};
