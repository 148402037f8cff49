/* SPDX-License-Identifier: MIT */
/*
 * What stands where. Metres; y is up, z towards the camera, the table top is y = 0. Shapes that are
 * given here in units of themselves (apples: the radius is about 1) get their size from the pose.
 */
#include "still_life.h"

#include "noise.h"
#include "shapes.h"

#include "base/rand.h"

/* A window in the wall at x = WINDOW_X lights the table from the left. */
#define WINDOW_X  -1.45f
#define WINDOW_Y0 .22f
#define WINDOW_Y1 1.35f
#define WINDOW_Z0 -.30f
#define WINDOW_Z1 .80f

#define COUNT(a) ((int)(sizeof(a) / sizeof(*(a))))

static const float apple_outline[][2] = {{0, -.62f},   {.2f, -.76f}, {.45f, -.78f}, {.78f, -.5f},
                                         {1, -.02f},   {.93f, .42f}, {.64f, .72f},  {.34f, .74f},
                                         {.12f, .62f}, {0, .46f}};
static const float pear_outline[][2] = {{0, -.84f},   {.25f, -.92f}, {.6f, -.78f}, {.88f, -.35f},
                                        {.84f, .1f},  {.6f, .5f},    {.44f, .82f}, {.36f, 1.08f},
                                        {.2f, 1.26f}, {.06f, 1.27f}, {0, 1.22f}};
static const float ball_outline[][2] = {{0, -1},        {.38f, -.925f}, {.71f, -.71f},
                                        {.925f, -.38f}, {1, 0},         {.925f, .38f},
                                        {.71f, .71f},   {.38f, .925f},  {0, 1}};
static const float lemon_outline[][2] = {
    {0, -1.36f},  {.11f, -1.32f}, {.22f, -1.13f}, {.55f, -.86f}, {.88f, -.42f}, {1, 0},
    {.88f, .42f}, {.55f, .88f},   {.24f, 1.15f},  {.16f, 1.3f},  {0, 1.34f}};
static const float half_lemon_outline[][2] = {
    {0, -1.34f}, {.13f, -1.28f}, {.25f, -1.11f}, {.55f, -.86f}, {.88f, -.42f}, {1, -.02f}, {1, 0}};
static const float bowl_outline[][2] = {
    {0, .004f},       {.05f, .004f},  {.055f, 0},     {.058f, 0},     {.06f, .004f},
    {.059f, .012f},   {.085f, .023f}, {.115f, .046f}, {.134f, .078f}, {.139f, .083f},
    {.1385f, .0855f}, {.134f, .084f}, {.128f, .075f}, {.108f, .048f}, {.078f, .028f},
    {.04f, .02f},     {0, .019f}};
static const float jug_outline[][2] = {
    {0, .002f},     {.04f, .002f},   {.046f, 0},     {.047f, .004f}, {.053f, .02f},
    {.066f, .055f}, {.069f, .085f},  {.058f, .122f}, {.044f, .146f}, {.041f, .16f},
    {.046f, .178f}, {.0485f, .183f}, {.046f, .184f}, {.043f, .178f}, {.037f, .16f},
    {.04f, .146f},  {.054f, .12f},   {.06f, .08f},   {.03f, .02f},   {0, .018f}};
static const float bottle_outline[][2] = {
    {0, .004f},      {.03f, .003f},   {.0355f, 0},     {.0385f, .004f}, {.0385f, .02f},
    {.0385f, .09f},  {.0385f, .165f}, {.0382f, .182f}, {.034f, .205f},  {.022f, .228f},
    {.0152f, .244f}, {.0140f, .262f}, {.0138f, .30f}};
static const float foil_outline[][2] = {
    {.0144f, .246f}, {.0146f, .25f},  {.0145f, .284f}, {.0145f, .285f},  {.0160f, .287f},
    {.0161f, .295f}, {.0149f, .297f}, {.0147f, .303f}, {.0135f, .3045f}, {0, .305f}};
static const float wine_outline[][2] = {
    {0, .008f},     {.03f, .008f},  {.036f, .012f},  {.0365f, .03f},  {.0365f, .10f},
    {.0365f, .16f}, {.0362f, .18f}, {.0345f, .194f}, {.0345f, .194f}, {0, .194f}};
static const float brass_outline[][2] = {
    {0, .002f},     {.046f, .002f},  {.05f, 0},       {.05f, .005f},  {.044f, .01f},
    {.02f, .016f},  {.009f, .03f},   {.011f, .05f},   {.015f, .058f}, {.009f, .068f},
    {.0085f, .1f},  {.013f, .11f},   {.026f, .117f},  {.027f, .121f}, {.015f, .123f},
    {.0145f, .15f}, {.0165f, .152f}, {.0165f, .155f}, {.012f, .155f}, {.0115f, .14f},
    {0, .139f}};

static const float candle_outline[][2] = {{0, -.02f},       {.0115f, -.02f}, {.0115f, 0},
                                          {.0113f, .04f},   {.0118f, .062f}, {.0125f, .07f},
                                          {.0105f, .0755f}, {.008f, .0745f}, {0, .0735f}};

enum { TURNS = 96 };

static void turned(struct mesh *m, enum material mat, const float (*outline)[2], int n,
                   float irregular, float seed, struct pose pose)
{
    struct lathe l = {.points = outline, .n = n, .irregular = irregular, .seed = seed};

    if (outline == apple_outline)
        l.lobes = .035f;
    mesh_add(m, mat, &pose, lathe_point, &l, TURNS, n > 12 ? 160 : 72, true);
}

static void stem(struct mesh *m, const struct pose *pose, struct vec from, struct vec by,
                 float thick)
{
    struct vec points[] = {from, add(from, v3(.1f * by.x, .4f * by.y, .1f * by.z)),
                           add(from, v3(.45f * by.x, .8f * by.y, .45f * by.z)), add(from, by)};
    struct tube t = {points, COUNT(points), thick, thick * .8f};

    mesh_add(m, MAT_STEM, pose, tube_point, &t, 12, 24, true);
}

static void apple(struct mesh *m, enum material mat, float seed, struct pose pose)
{
    turned(m, mat, apple_outline, COUNT(apple_outline), .05f, seed, pose);
    stem(m, &pose, v3(0, .44f, 0), v3(.22f, .52f, .1f), .045f);
}

static void pear(struct mesh *m, float seed, struct pose pose)
{
    turned(m, MAT_PEAR, pear_outline, COUNT(pear_outline), .06f, seed, pose);
    stem(m, &pose, v3(0, 1.2f, 0), v3(.25f, .5f, -.1f), .05f);
}

/* Grapes around a curve, none inside another, fewer and tighter towards its end. */
static void grapes(struct mesh *m, const struct vec *points, int n_points, int wanted)
{
    enum { GRAPES_MAX = 80, TRIES = 20000 };
    struct vec at[GRAPES_MAX];
    float radius[GRAPES_MAX];
    struct pcg rng;
    int n = 0;

    pcg_seed(&rng, 1976, 3);
    for (int i = 0; i < TRIES && n < wanted; i++) {
        float t = pcg_float(&rng), spread = .034f * sqrtf(1 - .86f * t),
              x = t * (float)(n_points - 1);
        int k = (int)x;
        struct vec middle = mix(points[k], points[k + 1], x - (float)k);
        struct vec off =
            v3(2 * pcg_float(&rng) - 1, 2 * pcg_float(&rng) - 1, 2 * pcg_float(&rng) - 1);
        float r = .0098f + .0022f * pcg_float(&rng);
        struct vec p = add(middle, scale(off, spread));
        bool free = dot(off, off) <= 1 && p.y > r + .001f;
        for (int j = 0; j < n && free; j++)
            free = length(sub(p, at[j])) > .93f * (r + radius[j]);
        if (!free)
            continue;
        at[n] = p;
        radius[n++] = r;
    }
    for (int i = 0; i < n; i++) {
        struct lathe l = {
            .points = ball_outline, .n = COUNT(ball_outline), .irregular = .03f, .seed = (float)i};
        struct pose pose = {radius[i], .6f * (float)(i % 5), .5f * (float)(i % 3), (float)i, at[i]};
        mesh_add(m, MAT_GRAPE, &pose, lathe_point, &l, 40, 24, true);
    }
}

static void room(struct mesh *m)
{
    static const struct pose here = {.size = 1};
    struct sheet back = {v3(-2.2f, -1, -.52f), v3(4.4f, 0, 0), v3(0, 3.2f, 0)};
    struct sheet top = {v3(-1.4f, 0, .345f), v3(2.8f, 0, 0), v3(0, 0, -.865f)};
    struct sheet front = {v3(-1.4f, -.045f, .345f), v3(2.8f, 0, 0), v3(0, .045f, 0)};
    struct cloth c = {
        .x0 = -.075f,
        .x1 = .40f,
        .z0 = -.13f,
        .edge = .349f,
        .hang = .16f,
        .pressed = {{.075f, .062f, -.01f}, {.225f, .03f, .155f}, {.053f, .045f, .250f}},
        .n_pressed = 3};

    mesh_add(m, MAT_WALL, &here, sheet_point, &back, 1, 1, false);
    mesh_add(m, MAT_TABLE, &here, sheet_point, &top, 1, 1, false);
    mesh_add(m, MAT_TABLE, &here, sheet_point, &front, 1, 1, false);
    mesh_add(m, MAT_CLOTH, &here, cloth_point, &c, 420, 520, false);
}

static void vessels(struct mesh *m)
{
    static const struct vec handle[] = {{.040f, .166f, 0}, {.062f, .172f, 0}, {.094f, .150f, 0},
                                        {.101f, .112f, 0}, {.088f, .072f, 0}, {.064f, .058f, 0}};
    struct tube t = {handle, COUNT(handle), .0085f, .0075f};
    struct pose bottle = {.size = 1, .turn_y = .18f, .at = {-.165f, 0, -.125f}};
    struct pose jug = {.size = 1.06f, .turn_y = -.35f, .at = {.300f, 0, -.14f}};

    struct pose candlestick = {.size = 1.08f, .at = {-.315f, 0, -.02f}};
    struct lathe candle = {.points = candle_outline, .n = COUNT(candle_outline), .irregular = .02f};
    struct pose in_stick = {.size = 1, .at = {-.315f, .152f, -.02f}};

    mesh_add(m, MAT_CANDLE, &in_stick, lathe_point, &candle, 64, 80, true);
    stem(m, &in_stick, v3(0, .074f, 0), v3(.002f, .010f, 0), .0009f);
    turned(m, MAT_BOTTLE, bottle_outline, COUNT(bottle_outline), 0, 0, bottle);
    turned(m, MAT_WINE, wine_outline, COUNT(wine_outline), 0, 0, bottle);
    turned(m, MAT_FOIL, foil_outline, COUNT(foil_outline), 0, 0, bottle);
    turned(m, MAT_JUG, jug_outline, COUNT(jug_outline), .006f, 2, jug);
    mesh_add(m, MAT_JUG, &jug, tube_point, &t, 32, 64, true);
    turned(m, MAT_BOWL, bowl_outline, COUNT(bowl_outline), .003f, 5,
           (struct pose){.size = 1, .at = {.075f, .0015f, -.01f}});
    turned(m, MAT_BRASS, brass_outline, COUNT(brass_outline), 0, 0, candlestick);
}

static void fruit(struct mesh *m)
{
    static const struct vec bunch[] = {{.135f, .128f, -.005f},
                                       {.172f, .116f, .060f},
                                       {.195f, .068f, .125f},
                                       {.222f, .028f, .150f},
                                       {.240f, .014f, .170f}};
    struct lathe half = {
        .points = half_lemon_outline, .n = COUNT(half_lemon_outline), .irregular = .02f, .seed = 4};
    static const struct vec vine_points[] = {
        {.060f, .190f, .005f}, {.085f, .170f, .012f}, {.115f, .150f, .018f}, {.165f, .120f, .055f}};
    static const struct pose here = {.size = 1};
    struct tube vine = {vine_points, COUNT(vine_points), .0032f, .002f};
    struct pose cut = {.031f, 1.22f, -.12f, -.28f, {-.085f, .0315f, .225f}};
    struct pose leaf = {.085f, .5f, -.15f, 3.7f, {.095f, .150f, .035f}},
                other = {.07f, .55f, .35f, -.6f, {.130f, .155f, .02f}};

    apple(m, MAT_APPLE_RED, 1, (struct pose){.041f, .25f, .22f, .6f, {.018f, .079f, .052f}});
    apple(m, MAT_APPLE_GREEN, 5, (struct pose){.040f, -.2f, -.25f, 2.2f, {.112f, .082f, .030f}});
    turned(m, MAT_ORANGE, ball_outline, COUNT(ball_outline), .02f, 3,
           (struct pose){.039f, .4f, .2f, 0, {.010f, .078f, -.062f}});
    turned(m, MAT_ORANGE, ball_outline, COUNT(ball_outline), .02f, 8,
           (struct pose){.0375f, 1.1f, .4f, 0, {.078f, .119f, -.010f}});
    pear(m, 2, (struct pose){.036f, -.28f, .32f, .9f, {-.048f, .094f, -.012f}});
    grapes(m, bunch, COUNT(bunch), 66);
    mesh_add(m, MAT_STEM, &here, tube_point, &vine, 16, 60, true);
    mesh_add(m, MAT_LEAF, &leaf, leaf_point, NULL, 60, 40, false);
    mesh_add(m, MAT_LEAF, &other, leaf_point, NULL, 60, 40, false);

    turned(m, MAT_LEMON, lemon_outline, COUNT(lemon_outline), .03f, 6,
           (struct pose){.030f, .1f, 1.5f, .55f, {-.160f, .030f, .105f}});
    mesh_add(m, MAT_LEMON, &cut, lathe_point, &half, 96, 64, true);
    mesh_add(m, MAT_LEMON_CUT, &cut, disc_point, NULL, 96, 16, true);
    apple(m, MAT_APPLE_RED, 9, (struct pose){.038f, -.15f, .2f, 3.6f, {-.262f, .0295f, .185f}});
}

static void small_things(struct mesh *m)
{
    static const struct {
        float x, z, lean_x, lean_z;
    } cherries[] = {
        {.055f, .235f, .9f, -.9f}, {.082f, .252f, -.3f, -1.2f}, {.021f, .262f, 1.6f, -.2f}};

    for (int i = 0; i < COUNT(cherries); i++) {
        struct pose pose = {
            .0105f, .2f, .3f * (float)i, (float)i, {cherries[i].x, .0125f, cherries[i].z}};
        struct pose upright = {.0105f, 0, 0, 0, pose.at};
        turned(m, MAT_CHERRY, apple_outline, COUNT(apple_outline), .03f, (float)i, pose);
        stem(m, &upright, v3(0, .4f, 0),
             v3(2.2f * cherries[i].lean_x, 2.1f, 2.2f * cherries[i].lean_z), .07f);
    }
    turned(m, MAT_WALNUT, ball_outline, COUNT(ball_outline), .10f, 2,
           (struct pose){.0165f, .3f, .2f, .4f, {-.200f, .0155f, .262f}});
    turned(m, MAT_WALNUT, ball_outline, COUNT(ball_outline), .10f, 7,
           (struct pose){.0155f, 1.2f, .5f, 1.4f, {-.155f, .0145f, .240f}});
}

static void build(struct mesh *m)
{
    room(m);
    vessels(m);
    fruit(m);
    small_things(m);
    mesh_index(m);
}

/* Light that leaves the window at a height and depth inside it: sky, seen through four panes. */
static struct vec window_light(float y, float z)
{
    float row = (y - WINDOW_Y0) / (WINDOW_Y1 - WINDOW_Y0),
          column = (z - WINDOW_Z0) / (WINDOW_Z1 - WINDOW_Z0);
    struct vec sky = mix(v3(1.04f, .93f, .78f), v3(.90f, .94f, 1.02f), row);

    // The bars between the panes are dark.
    if (fabsf(row - .5f) < .025f || fabsf(column - .5f) < .03f)
        return v3(.02f, .02f, .02f);
    return scale(sky, 13.5f);
}

static bool lamp(struct vec at, struct vec normal, float u, float v, struct lamp_point *out)
{
    float y = WINDOW_Y0 + (WINDOW_Y1 - WINDOW_Y0) * u, z = WINDOW_Z0 + (WINDOW_Z1 - WINDOW_Z0) * v;
    struct vec to = sub(v3(WINDOW_X, y, z), at), dir = normalize(to);
    float area = (WINDOW_Y1 - WINDOW_Y0) * (WINDOW_Z1 - WINDOW_Z0);
    float facing = dot(normal, dir) * -dir.x; // the window looks along x

    if (dot(normal, dir) <= 0 || dir.x >= 0)
        return false;
    out->at = v3(WINDOW_X, y, z);
    out->light = window_light(y, z);
    out->share = facing * area / (PI * dot(to, to));
    return true;
}

static struct vec beyond(const struct ray *ray, bool lamp_counts)
{
    float t = ray->dir.x < 0 ? (WINDOW_X - ray->from.x) / ray->dir.x : -1;
    float y = ray->from.y + t * ray->dir.y, z = ray->from.z + t * ray->dir.z;

    if (lamp_counts && t > 0 && y > WINDOW_Y0 && y < WINDOW_Y1 && z > WINDOW_Z0 && z < WINDOW_Z1)
        return window_light(y, z);
    // The room gives a little back.
    return scale(mix(v3(.055f, .042f, .032f), v3(.12f, .11f, .10f), .5f + .5f * ray->dir.y), 1.25f);
}

const struct scene still_life = {
    .name = "still-life",
    .width = 1200,
    .height = 900,
    .samples = 128,
    .quality = 90,
    .eye = {.03f, .43f, 1.36f},
    .target = {.012f, .1f, 0},
    .half_height = .208f,
    .focus = 1.34f,
    .lens_radius = .0028f,
    .bounces = 5,
    .exposure = 1.2f,
    .build = build,
    .surface = still_life_surface,
    .lamp = lamp,
    .beyond = beyond,
};
