/* SPDX-License-Identifier: MIT */
/* A bookshop in a side street, on a morning with sun from the left. Metres; the wall is z = 0. */
#include "street.h"

#include "noise.h"
#include "shapes.h"

#include "base/rand.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof(*(a))))

static const struct pose here = {.size = 1};

static void sheet(struct mesh *m, enum street_material mat, struct vec corner, struct vec along,
                  struct vec across)
{
    struct sheet s = {corner, along, across};

    mesh_add(m, mat, &here, sheet_point, &s, 1, 1, false);
}

/* A rectangle that looks along z. */
static void panel(struct mesh *m, enum street_material mat, float x0, float y0, float x1, float y1,
                  float z)
{
    sheet(m, mat, v3(x0, y0, z), v3(x1 - x0, 0, 0), v3(0, y1 - y0, 0));
}

static void box_posed(struct mesh *m, enum street_material mat, const struct pose *pose,
                      struct vec lo, struct vec hi)
{
    struct vec d = sub(hi, lo), x = v3(d.x, 0, 0), y = v3(0, d.y, 0), z = v3(0, 0, d.z);
    struct sheet sides[] = {
        {v3(lo.x, lo.y, hi.z), x, y},
        {v3(hi.x, lo.y, lo.z), scale(x, -1), y},
        {v3(lo.x, lo.y, lo.z), z, y},
        {v3(hi.x, lo.y, hi.z), scale(z, -1), y},
        {v3(lo.x, hi.y, hi.z), x, scale(z, -1)},
        {v3(lo.x, lo.y, lo.z), x, z},
    };

    for (int i = 0; i < COUNT(sides); i++)
        mesh_add(m, mat, pose, sheet_point, &sides[i], 1, 1, false);
}

static void box(struct mesh *m, enum street_material mat, float x0, float y0, float z0, float x1,
                float y1, float z1)
{
    box_posed(m, mat, &here, v3(x0, y0, z0), v3(x1, y1, z1));
}

static void rod(struct mesh *m, enum street_material mat, const struct pose *pose, struct vec a,
                struct vec b, float r)
{
    struct vec points[] = {a, b};
    struct tube t = {points, 2, r, r};

    mesh_add(m, mat, pose, tube_point, &t, 12, 1, true);
}

static void ring(struct mesh *m, enum street_material mat, const struct pose *pose, struct vec at,
                 float radius, float r)
{
    enum { POINTS = 25 };
    struct vec points[POINTS];
    struct tube t = {points, POINTS, r, r};

    for (int i = 0; i < POINTS; i++) {
        float angle = 2 * PI * (float)i / (POINTS - 1);
        points[i] = add(at, v3(radius * cosf(angle), radius * sinf(angle), 0));
    }
    mesh_add(m, mat, pose, tube_point, &t, 12, 96, true);
}

// ---- the house ----

/* A sash window in a hole of the wall: sill, frame, bars, glass, a room behind. */
static void window(struct mesh *m, float x0, float y0, float x1, float y1, float z, bool shutters)
{
    float middle = (x0 + x1) / 2, bar = .022f;
    struct sheet dark = {v3(x0, y0, z - .35f), v3(x1 - x0, 0, 0), v3(0, y1 - y0, 0)};

    mesh_add(m, ROOM, &here, sheet_point, &dark, 1, 1, false);
    sheet(m, FRAME, v3(x0, y0, z), v3(0, y1 - y0, 0), v3(0, 0, -.35f));
    sheet(m, FRAME, v3(x1, y0, z), v3(0, y1 - y0, 0), v3(0, 0, -.35f));
    sheet(m, FRAME, v3(x0, y1, z), v3(x1 - x0, 0, 0), v3(0, 0, -.35f));
    box(m, STONE, x0 - .1f, y0 - .09f, z - .3f, x1 + .1f, y0, z + .09f);
    box(m, STONE, x0 - .12f, y1, z - .3f, x1 + .12f, y1 + .16f, z + .025f);
    panel(m, GLASS, x0, y0, x1, y1, z - .13f);
    for (int i = 0; i < 3; i++) {
        float x = i == 0 ? x0 + .03f : i == 1 ? middle : x1 - .03f, half = i == 1 ? bar / 2 : .03f;
        box(m, FRAME, x - half, y0, z - .15f, x + half, y1, z - .105f);
    }
    for (int i = 0; i < 5; i++) {
        float y = y0 + (y1 - y0) * (float)i / 4,
              half = i == 2 || i == 0 || i == 4 ? .028f : bar / 2;
        box(m, FRAME, x0, y - half, z - .15f, x1, y + half, z - .10f);
    }
    if (!shutters)
        return;
    box(m, SHUTTER, x0 - .52f, y0 - .02f, z, x0 - .04f, y1 + .02f, z + .04f);
    box(m, SHUTTER, x1 + .04f, y0 - .02f, z, x1 + .52f, y1 + .02f, z + .04f);
}

static void walls(struct mesh *m)
{
    static const float holes[][4] = {{-1.75f, 3.55f, -.75f, 5.1f}, {.65f, 3.55f, 1.65f, 5.1f}};

    panel(m, BRICK, -9, 0, -2.3f, 3.55f, 0);
    panel(m, BRICK, 2.3f, 0, 3.3f, 3.55f, 0);
    panel(m, BRICK, -2.3f, 2.9f, 2.3f, 3.55f, 0);
    panel(m, BRICK, -9, 3.55f, holes[0][0], 5.1f, 0);
    panel(m, BRICK, holes[0][2], 3.55f, holes[1][0], 5.1f, 0);
    panel(m, BRICK, holes[1][2], 3.55f, 3.3f, 5.1f, 0);
    panel(m, BRICK, -9, 5.1f, 3.3f, 7, 0);
    sheet(m, BRICK, v3(3.3f, 0, 0), v3(0, 7, 0), v3(0, 0, -6));
    for (int i = 0; i < COUNT(holes); i++)
        window(m, holes[i][0], holes[i][1], holes[i][2], holes[i][3], 0, false);
    // A rain pipe where the houses meet.
    rod(m, IRON, &here, v3(3.16f, 0, .07f), v3(3.16f, 7, .07f), .045f);
    for (int i = 0; i < 4; i++)
        rod(m, IRON, &here, v3(3.16f, .5f + 1.2f * (float)i, .07f),
            v3(3.16f, .56f + 1.2f * (float)i, .07f), .058f);
}

/* Lower houses along the street, farther back. */
static void neighbours(struct mesh *m)
{
    struct sheet roof = {v3(3.3f, 3.42f, -.35f), v3(5.1f, 0, 0), v3(0, 1.0f, -2.0f)};
    struct sheet far_roof = {v3(8.2f, 3.1f, -.85f), v3(9, 0, 0), v3(0, 2.2f, -2.6f)};

    panel(m, PLASTER, 3.3f, 0, 4.3f, 3.5f, -.6f);
    panel(m, PLASTER, 5.3f, 0, 8.3f, 3.5f, -.6f);
    panel(m, PLASTER, 4.3f, 0, 5.3f, 1.05f, -.6f);
    panel(m, PLASTER, 4.3f, 2.55f, 5.3f, 3.5f, -.6f);
    window(m, 4.3f, 1.05f, 5.3f, 2.55f, -.6f, true);
    box(m, FRAME, 3.3f, 3.34f, -.6f, 8.4f, 3.46f, -.38f);
    mesh_add(m, TILES, &here, sheet_point, &roof, 1, 1, false);
    panel(m, BRICK, 8.3f, 0, 17, 3.15f, -1);
    box(m, BRICK, 4.2f, 3.9f, -2.2f, 4.75f, 4.95f, -1.7f);
    mesh_add(m, TILES, &here, sheet_point, &far_roof, 1, 1, false);
}

static void ground(struct mesh *m)
{
    sheet(m, SLABS, v3(-12, 0, 2.2f), v3(30, 0, 0), v3(0, 0, -4));
    box(m, STONE, -12, -.14f, 2.2f, 18, .004f, 2.36f);
    sheet(m, COBBLES, v3(-12, -.13f, 14), v3(30, 0, 0), v3(0, 0, -11.7f));
}

// ---- the shop ----

static void border(struct mesh *m, float x0, float y0, float x1, float y1, float z, float width)
{
    box(m, PAINT, x0, y0, z - .05f, x0 + width, y1, z + .03f);
    box(m, PAINT, x1 - width, y0, z - .05f, x1, y1, z + .03f);
    box(m, PAINT, x0, y0, z - .05f, x1, y0 + width, z + .03f);
    box(m, PAINT, x0, y1 - width, z - .05f, x1, y1, z + .03f);
}

static void shop_window(struct mesh *m, float x0, float x1, int bars)
{
    float z = .06f, y0 = .62f, y1 = 2.42f;

    box(m, PAINT, x0, 0, -.3f, x1, y0, z);
    border(m, x0 + .1f, .12f, x1 - .1f, .52f, z + .015f, .05f);
    box(m, PAINT, x0 - .02f, y0 - .05f, -.3f, x1 + .02f, y0, z + .09f);
    border(m, x0, y0, x1, y1, z, .06f);
    for (int i = 1; i < bars; i++) {
        float x = x0 + (x1 - x0) * (float)i / (float)bars;
        box(m, PAINT, x - .016f, y0, z - .03f, x + .016f, y1, z + .015f);
    }
    box(m, PAINT, x0, 1.98f, z - .03f, x1, 2.015f, z + .015f);
    panel(m, GLASS, x0, y0, x1, y1, z - .01f);
}

static void door(struct mesh *m, float x0, float x1)
{
    float z = -.28f, middle = (x0 + x1) / 2;

    sheet(m, PAINT, v3(x0, 0, .06f), v3(0, 2.42f, 0), v3(0, 0, -.4f));
    sheet(m, PAINT, v3(x1, 0, .06f), v3(0, 2.42f, 0), v3(0, 0, -.4f));
    box(m, STONE, x0 - .05f, 0, -.4f, x1 + .05f, .09f, .30f);
    box(m, PAINT, x0, .09f, z - .05f, x1, .75f, z);
    border(m, x0 + .12f, .2f, x1 - .12f, .66f, z + .01f, .045f);
    border(m, x0, .75f, x1, 2.1f, z - .01f, .11f);
    box(m, PAINT, middle - .012f, .75f, z - .04f, middle + .012f, 2.1f, z);
    panel(m, GLASS, x0, .75f, x1, 2.42f, z - .03f);
    box(m, PAINT, x0, 2.06f, z - .05f, x1, 2.13f, z + .02f);
    rod(m, FLOWER, &here, v3(x0 + .06f, 1.0f, z + .07f), v3(x0 + .06f, 1.24f, z + .07f), .014f);
}

static void books(struct mesh *m, float x0, float x1, float y, float z, float lean, uint32_t seed)
{
    struct pcg rng;
    float x = x0;

    pcg_seed(&rng, seed, 5);
    while (x < x1) {
        float high = .23f + .10f * pcg_float(&rng), wide = high * (.66f + .1f * pcg_float(&rng));
        // Covers are drawn on (local - 4 n), which tells the books apart.
        float n = floorf(1000 * pcg_float(&rng));
        struct pose pose = {
            high, -lean, 0, .25f * (pcg_float(&rng) - .5f), {x - 4 * n * high, y, z}};
        float c = cosf(pose.turn_y), s = sinf(pose.turn_y);
        pose.at = v3(x - 4 * n * high * c, y, z + 4 * n * high * s);
        box_posed(m, BOOK, &pose, v3(4 * n, 0, -.1f), v3(4 * n + wide / high, 1, 0));
        x += wide + .03f + .09f * pcg_float(&rng);
    }
}

static void interior(struct mesh *m)
{
    panel(m, INSIDE, -2.3f, 0, 2.3f, 2.8f, -2.4f);
    sheet(m, INSIDE, v3(-2.3f, 0, 0), v3(0, 0, -2.4f), v3(0, 2.8f, 0));
    sheet(m, INSIDE, v3(2.3f, 0, 0), v3(0, 0, -2.4f), v3(0, 2.8f, 0));
    sheet(m, INSIDE, v3(-2.3f, .05f, -.3f), v3(4.6f, 0, 0), v3(0, 0, -2.1f));
    box(m, PAINT, -2.2f, .55f, -.55f, -.1f, .64f, -.02f);
    box(m, PAINT, 1.1f, .55f, -.55f, 2.2f, .64f, -.02f);
    box(m, FRAME, -2.1f, .64f, -.50f, -.15f, .95f, -.32f);
    box(m, FRAME, 1.2f, .64f, -.50f, 2.1f, .95f, -.32f);
    books(m, -2.03f, -.35f, .645f, -.13f, .25f, 3);
    books(m, -2.0f, -.4f, .955f, -.38f, .22f, 8);
    books(m, 1.22f, 1.85f, .645f, -.13f, .25f, 21);
    books(m, 1.24f, 1.8f, .955f, -.38f, .22f, 34);
    for (int i = 0; i < 3; i++) {
        static const float ball[][2] = {{0, -1}, {.7f, -.7f}, {1, 0}, {.7f, .7f}, {0, 1}};
        struct lathe l = {.points = ball, .n = COUNT(ball)};
        struct pose pose = {.075f, 0, 0, 0, {-1.6f + 1.5f * (float)i, 2.1f, -1.0f}};
        mesh_add(m, LANTERN, &pose, lathe_point, &l, 32, 16, true);
        rod(m, IRON, &here, add(pose.at, v3(0, .07f, 0)), add(pose.at, v3(0, .7f, 0)), .006f);
    }
}

static void shop(struct mesh *m)
{
    static const float posts[] = {-2.3f, -.16f, .98f, 2.12f};

    shop_window(m, -2.1f, -.12f, 3);
    shop_window(m, 1.14f, 2.14f, 2);
    door(m, .02f, 1.0f);
    for (int i = 0; i < COUNT(posts); i++) {
        box(m, PAINT, posts[i], 0, -.1f, posts[i] + .18f, 2.46f, .13f);
        box(m, PAINT, posts[i] - .02f, 0, -.1f, posts[i] + .20f, .20f, .16f);
        box(m, PAINT, posts[i] - .02f, 2.30f, -.1f, posts[i] + .20f, 2.46f, .17f);
    }
    box(m, SIGN, -2.3f, 2.46f, -.1f, 2.3f, 2.94f, .16f);
    box(m, PAINT, -2.36f, 2.94f, -.1f, 2.36f, 2.985f, .22f);
    box(m, PAINT, -2.40f, 2.985f, -.1f, 2.40f, 3.04f, .28f);
    box(m, PAINT, -2.34f, 2.43f, -.1f, 2.34f, 2.465f, .19f);
    interior(m);
}

/* Canvas on a frame: sags a little, its valance hangs in scallops. */
static struct vec awning_point(const void *ctx, float u, float v)
{
    const float *x = ctx;
    float at = x[0] + (x[1] - x[0]) * u, slope = fminf(v / .82f, 1),
          hang = fmaxf(v - .82f, 0) / .18f;
    float scallop = .13f + .05f * fabsf(sinf(PI * at / .19f));

    return v3(at + .004f * sinf(40 * v),
              2.43f - .42f * slope - .035f * sinf(PI * slope) * (1 + .3f * sinf(7 * at)) -
                  hang * scallop,
              .19f + .80f * slope + .012f * hang * sinf(16 * at));
}

static void awnings(struct mesh *m)
{
    static const float spans[][2] = {{-2.3f, -.02f}, {1.02f, 2.3f}};

    for (int i = 0; i < COUNT(spans); i++) {
        mesh_add(m, AWNING, &here, awning_point, spans[i], 240, 48, false);
        for (int k = 0; k < 2; k++)
            rod(m, IRON, &here, v3(spans[i][k], 2.05f, .12f), v3(spans[i][k], 1.995f, .98f), .011f);
        rod(m, IRON, &here, v3(spans[i][0], 2.0f, .985f), v3(spans[i][1], 2.0f, .985f), .011f);
    }
}

// ---- what stands around ----

static void lantern(struct mesh *m)
{
    static const float glass[][2] = {{.07f, -.16f}, {.115f, .10f}};
    static const float cap[][2] = {{.14f, .10f}, {.14f, .11f},  {.08f, .17f},
                                   {.03f, .2f},  {.015f, .24f}, {0, .25f}};
    static const float foot[][2] = {{0, -.21f}, {.03f, -.2f}, {.075f, -.165f}, {.075f, -.155f}};
    static const struct vec arm[] = {{-2.95f, 2.45f, 0},
                                     {-2.95f, 2.62f, .12f},
                                     {-2.95f, 2.95f, .30f},
                                     {-2.95f, 2.98f, .44f},
                                     {-2.95f, 2.88f, .46f}};
    struct pose pose = {1, 0, 0, PI / 4, {-2.95f, 2.62f, .46f}};
    struct lathe l = {.points = glass, .n = 2}, top = {.points = cap, .n = COUNT(cap)},
                 bottom = {.points = foot, .n = COUNT(foot)};
    struct tube t = {arm, COUNT(arm), .018f, .014f};

    mesh_add(m, LANTERN, &pose, lathe_point, &l, 4, 2, true);
    mesh_add(m, IRON, &pose, lathe_point, &top, 4, 40, true);
    mesh_add(m, IRON, &pose, lathe_point, &bottom, 4, 20, true);
    mesh_add(m, IRON, &here, tube_point, &t, 14, 60, true);
    for (int i = 0; i < 4; i++) {
        float angle = PI / 2 * (float)i;
        rod(m, IRON, &pose, v3(.072f * cosf(angle), -.16f, .072f * sinf(angle)),
            v3(.118f * cosf(angle), .10f, .118f * sinf(angle)), .008f);
    }
    box(m, IRON, -2.99f, 2.38f, 0, -2.91f, 2.56f, .025f);
}

/* Leaves on a ball or along a box, at random. */
static void foliage(struct mesh *m, struct vec at, struct vec half, float size, int n,
                    float flowers, uint32_t seed)
{
    struct pcg rng;

    pcg_seed(&rng, seed, 9);
    for (int i = 0; i < n; i++) {
        float z = 2 * pcg_float(&rng) - 1, angle = 2 * PI * pcg_float(&rng), r = sqrtf(1 - z * z);
        float deep = .72f + .33f * pcg_float(&rng);
        struct vec out = v3(r * cosf(angle), z, r * sinf(angle));
        struct pose pose = {size * (.7f + .6f * pcg_float(&rng)), 1.2f * (pcg_float(&rng) - .5f),
                            .3f + 1.0f * (pcg_float(&rng) - .3f), -atan2f(out.z, out.x),
                            add(at, scale(mul(out, half), deep))};
        bool flower = pcg_float(&rng) < flowers && out.y > -.2f;
        if (flower) {
            static const float head[][2] = {
                {0, -.5f}, {.5f, -.2f}, {.6f, .1f}, {.3f, .4f}, {0, .45f}};
            struct lathe l = {.points = head, .n = COUNT(head), .irregular = .5f, .seed = (float)i};
            pose.at = add(at, scale(mul(out, half), 1.08f));
            mesh_add(m, FLOWER, &pose, lathe_point, &l, 14, 10, true);
        } else {
            mesh_add(m, LEAVES, &pose, leaf_point, NULL, 6, 4, false);
        }
    }
}

static void pots(struct mesh *m)
{
    static const float pot[][2] = {{0, 0},        {.13f, 0},     {.135f, .01f},  {.175f, .26f},
                                   {.175f, .27f}, {.195f, .28f}, {.195f, .335f}, {.17f, .335f},
                                   {.165f, .29f}, {0, .28f}};
    static const struct {
        float x, z, size;
    } at[] = {{-.17f, .36f, 1}, {1.12f, .36f, 1}, {2.62f, .25f, .8f}};

    for (int i = 0; i < COUNT(at); i++) {
        struct lathe l = {.points = pot, .n = COUNT(pot), .irregular = .01f, .seed = (float)i};
        struct pose pose = {at[i].size, 0, 0, 0, {at[i].x, 0, at[i].z}};
        float s = at[i].size;
        mesh_add(m, POT, &pose, lathe_point, &l, 64, 60, true);
        if (i < 2)
            rod(m, LEATHER, &here, v3(at[i].x, .3f, at[i].z), v3(at[i].x, .55f, at[i].z), .018f);
        foliage(m, v3(at[i].x, i < 2 ? .80f : .42f * s + .1f, at[i].z),
                i < 2 ? v3(.26f, .27f, .26f) : v3(.22f, .20f, .22f), .055f, i < 2 ? 1500 : 700,
                i < 2 ? 0 : .16f, (uint32_t)i + 1);
    }
    // Boxes of flowers under the windows above.
    for (int i = 0; i < 2; i++) {
        float x = i ? 1.15f : -1.25f;
        box(m, PAINT, x - .5f, 3.42f, .02f, x + .5f, 3.60f, .24f);
        foliage(m, v3(x, 3.64f, .14f), v3(.54f, .15f, .17f), .07f, 1000, .22f, (uint32_t)i + 40);
    }
}

static void wheel(struct mesh *m, const struct pose *pose, struct vec at)
{
    enum { SPOKES = 24 };

    ring(m, RUBBER, pose, at, .325f, .019f);
    ring(m, IRON, pose, at, .300f, .010f);
    ring(m, IRON, pose, at, .03f, .02f);
    for (int i = 0; i < SPOKES; i++) {
        float a = 2 * PI * (float)i / SPOKES, b = a + (i & 1 ? .5f : -.5f);
        rod(m, IRON, pose, add(at, v3(.03f * cosf(b), .03f * sinf(b), 0)),
            add(at, v3(.30f * cosf(a), .30f * sinf(a), 0)), .0016f);
    }
}

static void bicycle(struct mesh *m)
{
    static const struct pose leaning = {1, -.16f, 0, .06f, {-3.22f, 0, .40f}};
    struct vec rear = v3(-.52f, .345f, 0), front = v3(.55f, .345f, 0), crank = v3(-.08f, .29f, 0);
    struct vec seat = v3(-.23f, .80f, 0), head = v3(.36f, .86f, 0), fork = v3(.41f, .70f, 0);
    struct vec bars[] = {add(head, v3(.02f, .10f, 0)), add(head, v3(.06f, .14f, .12f)),
                         add(head, v3(-.02f, .15f, .25f)), add(head, v3(-.16f, .12f, .27f))};
    struct tube bar = {bars, 4, .012f, .012f}, other;
    struct vec mirrored[4];

    wheel(m, &leaning, rear);
    wheel(m, &leaning, front);
    rod(m, ENAMEL, &leaning, crank, seat, .016f);
    rod(m, ENAMEL, &leaning, crank, fork, .018f);
    rod(m, ENAMEL, &leaning, add(seat, v3(.02f, -.06f, 0)), head, .016f);
    rod(m, ENAMEL, &leaning, crank, rear, .011f);
    rod(m, ENAMEL, &leaning, seat, rear, .010f);
    rod(m, ENAMEL, &leaning, head, fork, .02f);
    rod(m, ENAMEL, &leaning, fork, front, .012f);
    rod(m, IRON, &leaning, seat, add(seat, v3(-.03f, .11f, 0)), .012f);
    rod(m, IRON, &leaning, head, bars[0], .012f);
    rod(m, LEATHER, &leaning, add(seat, v3(-.15f, .135f, 0)), add(seat, v3(.12f, .12f, 0)), .035f);
    rod(m, LEATHER, &leaning, add(seat, v3(-.15f, .13f, -.06f)), add(seat, v3(-.15f, .13f, .06f)),
        .04f);
    mesh_add(m, IRON, &leaning, tube_point, &bar, 12, 24, true);
    for (int i = 0; i < 4; i++)
        mirrored[i] = v3(bars[i].x, bars[i].y, -bars[i].z);
    other = (struct tube){mirrored, 4, .012f, .012f};
    mesh_add(m, IRON, &leaning, tube_point, &other, 12, 24, true);
    rod(m, LEATHER, &leaning, bars[2], bars[3], .018f);
    ring(m, IRON, &leaning, add(crank, v3(0, 0, .03f)), .09f, .006f);
    rod(m, IRON, &leaning, add(crank, v3(0, 0, .04f)), add(crank, v3(.11f, -.13f, .05f)), .01f);
    rod(m, RUBBER, &leaning, add(crank, v3(.11f, -.13f, .05f)), add(crank, v3(.11f, -.13f, .15f)),
        .018f);
    // A basket before the handlebars.
    for (int i = 0; i < 9; i++) {
        float y = .72f + .026f * (float)i, grow = .010f * (float)i;
        struct vec a = v3(.46f, y, -.14f - grow), b = v3(.70f + grow, y, -.14f - grow),
                   c = v3(.70f + grow, y, .14f + grow), d = v3(.46f, y, .14f + grow);
        rod(m, LEATHER, &leaning, a, b, .012f);
        rod(m, LEATHER, &leaning, b, c, .012f);
        rod(m, LEATHER, &leaning, c, d, .012f);
        rod(m, LEATHER, &leaning, d, a, .012f);
    }
}

static void board(struct mesh *m)
{
    struct pose front = {1, -.20f, 0, -.22f, {1.95f, 0, 1.32f}}, back = front;

    back.turn_x = .20f;
    back.at = add(front.at, v3(.07f, 0, -.33f));
    box_posed(m, BOARD, &front, v3(0, 0, -.02f), v3(.5f, .84f, 0));
    box_posed(m, LEATHER, &back, v3(0, 0, -.02f), v3(.5f, .84f, 0));
}

static void build(struct mesh *m)
{
    walls(m);
    neighbours(m);
    ground(m);
    shop(m);
    awnings(m);
    lantern(m);
    pots(m);
    bicycle(m);
    board(m);
    mesh_index(m);
}

// ---- light ----

/* The sun is drawn larger than it is, for softer edges of shadows. */
static bool lamp(struct vec at, struct vec normal, float u, float v, struct lamp_point *out)
{
    const struct vec sun = normalize(v3(-.55f, .80f, .62f));
    float r = .012f * sqrtf(u), angle = 2 * PI * v;
    struct vec s, t, dir;

    frame(sun, &s, &t);
    dir = normalize(add(sun, add(scale(s, r * cosf(angle)), scale(t, r * sinf(angle)))));
    if (dot(normal, dir) <= 0)
        return false;
    out->at = add(at, scale(dir, 60));
    out->light = v3(3.5f, 3.05f, 2.35f);
    out->share = dot(normal, dir);
    return true;
}

static struct vec beyond(const struct ray *ray, bool lamp_counts)
{
    (void)lamp_counts; // nothing here mirrors the sun itself
    return street_sky(ray->dir);
}

const struct scene street = {
    .name = "street",
    .width = 1216,
    .height = 880,
    .samples = 40,
    .quality = 70,
    .eye = {-1.9f, 1.58f, 7.6f},
    .target = {-.10f, 1.80f, 0},
    .half_height = .372f,
    .focus = 7.7f,
    .lens_radius = .006f,
    .bounces = 3,
    .exposure = .95f,
    .build = build,
    .surface = street_surface,
    .lamp = lamp,
    .beyond = beyond,
};
