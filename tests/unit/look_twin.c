/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

#include "look/maps_internal.h"
#include "look/mood_scene.h"

void *tw_take(struct desk *d, size_t count, size_t bytes)
{
    assert_true(d->n < DESK_MAX);
    d->sheet[d->n] = calloc(count, bytes);
    assert_non_null(d->sheet[d->n]);
    return d->sheet[d->n++];
}

void desk_clear(struct desk *d)
{
    while (d->n > 0)
        free(d->sheet[--d->n]);
}

struct grid tw_grid(struct desk *d, int w, int h)
{
    return (struct grid){.w = w, .h = h, .v = tw_take(d, (size_t)w * (size_t)h, sizeof(double))};
}

struct grid tw_copy(struct desk *d, const struct plane *p)
{
    struct grid g = tw_grid(d, p->width, p->height);

    for (int y = 0; y < g.h; y++)
        for (int x = 0; x < g.w; x++)
            *tw_cell(&g, x, y) = tw_px(p, x, y);
    return g;
}

double grid_px(const struct grid *g, int x, int y)
{
    return *tw_cell(g, clampi(x, 0, g->w - 1), clampi(y, 0, g->h - 1));
}

double grid_at(const struct grid *g, double x, double y)
{
    double i = floor(x - 0.5), j = floor(y - 0.5), tx = x - 0.5 - i, ty = y - 0.5 - j;

    return tw_mix(tw_mix(grid_px(g, (int)i, (int)j), grid_px(g, (int)i + 1, (int)j), tx),
                  tw_mix(grid_px(g, (int)i, (int)j + 1), grid_px(g, (int)i + 1, (int)j + 1), tx),
                  ty);
}

double tw_near(const struct plane *p, double x, double y)
{
    return tw_px(p, (int)floor(x), (int)floor(y));
}

void grid_slope(const struct grid *g, int x, int y, double *gx, double *gy)
{
    *gx = 0.5 * (grid_px(g, x + 1, y) - grid_px(g, x - 1, y));
    *gy = 0.5 * (grid_px(g, x, y + 1) - grid_px(g, x, y - 1));
}

// One box along x or y: whole pixels up to the radius, and a share of the next on either side.
static struct grid box(struct desk *d, const struct grid *g, int radius, double edge, bool down)
{
    struct grid out = tw_grid(d, g->w, g->h);

    for (int y = 0; y < g->h; y++)
        for (int x = 0; x < g->w; x++) {
            double sum = 0.0;
            for (int i = -radius - 1; i <= radius + 1; i++)
                sum += (abs(i) > radius ? edge : 1.0) *
                       grid_px(g, down ? x : x + i, down ? y + i : y);
            *tw_cell(&out, x, y) = sum / (2.0 * radius + 1.0 + 2.0 * edge);
        }
    return out;
}

struct grid tw_blur(struct desk *d, struct grid g, double sigma)
{
    double var = sigma * sigma / 3.0;
    int r = (int)floor(0.5 * (sqrt(12.0 * var + 1.0) - 1.0));
    double edge = (2.0 * r + 1.0) * (r * (r + 1.0) - 3.0 * var) /
                  (6.0 * (var - (r + 1.0) * (r + 1.0)));
    struct desk own = {.n = 0};
    struct grid out = tw_grid(d, g.w, g.h), at = g;

    for (int i = 0; i < 6; i++)
        at = box(&own, &at, r, edge, i >= 3);
    memcpy(out.v, at.v, sizeof(double) * (size_t)g.w * (size_t)g.h);
    desk_clear(&own);
    return out;
}

// How much of pixel i lies between a and b.
static double overlap(double a, double b, int i)
{
    return fmax(0.0, fmin(b, i + 1.0) - fmax(a, i));
}

struct grid tw_shrink(struct desk *d, struct grid g, int w, int h)
{
    struct grid out = tw_grid(d, w, h);
    double sx = (double)g.w / w, sy = (double)g.h / h;

    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double sum = 0.0, weight = 0.0;
            if (sx <= 1.0 && sy <= 1.0) {
                *tw_cell(&out, x, y) = grid_at(&g, (x + 0.5) * sx, (y + 0.5) * sy);
                continue;
            }
            for (int j = (int)(y * sy); j < g.h && j < (y + 1) * sy; j++)
                for (int i = (int)(x * sx); i < g.w && i < (x + 1) * sx; i++) {
                    double share = overlap(x * sx, (x + 1) * sx, i) *
                                   overlap(y * sy, (y + 1) * sy, j);
                    if (share <= 0.0)
                        continue;
                    sum += share * *tw_cell(&g, i, j);
                    weight += share;
                }
            *tw_cell(&out, x, y) = sum / weight;
        }
    return out;
}

static struct grid times(struct desk *d, const struct grid *a, const struct grid *b)
{
    struct grid out = tw_grid(d, a->w, a->h);

    for (int i = 0; i < a->w * a->h; i++)
        out.v[i] = a->v[i] * b->v[i];
    return out;
}

void tw_guided(struct desk *d, const struct grid *L, const struct grid *channel, double sigma,
               double eps, struct grid *slope, struct grid *rest)
{
    struct grid mean_L = tw_blur(d, *L, sigma), mean = tw_blur(d, *channel, sigma);
    struct grid square = tw_blur(d, times(d, L, L), sigma);
    struct grid cross = tw_blur(d, times(d, L, channel), sigma);

    *slope = tw_grid(d, L->w, L->h);
    *rest = tw_grid(d, L->w, L->h);
    for (int i = 0; i < L->w * L->h; i++) {
        double var = fmax(square.v[i] - mean_L.v[i] * mean_L.v[i], 0.0);
        slope->v[i] = (cross.v[i] - mean_L.v[i] * mean.v[i]) / (var + eps);
        rest->v[i] = mean.v[i] - slope->v[i] * mean_L.v[i];
    }
    *slope = tw_blur(d, *slope, sigma);
    *rest = tw_blur(d, *rest, sigma);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double tw_rank(const struct grid *g, double share, double top, int bins)
{
    size_t n = (size_t)g->w * (size_t)g->h, at = (size_t)ceil(share * (double)n - 1e-9);
    double *sorted = malloc(n * sizeof(*sorted));

    assert_non_null(sorted);
    memcpy(sorted, g->v, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_size);
    int bin = clampi((int)(sorted[at > 0 ? at - 1 : 0] * bins / top), 0, bins - 1);
    free(sorted);
    return top * (bin + 0.5) / bins;
}

void tw_oklab(const double rgb[3], double lab[3])
{
    double l = cbrt(0.4122214708 * rgb[0] + 0.5363325363 * rgb[1] + 0.0514459929 * rgb[2]);
    double m = cbrt(0.2119034982 * rgb[0] + 0.6806995451 * rgb[1] + 0.1073969566 * rgb[2]);
    double s = cbrt(0.0883024619 * rgb[0] + 0.2817188376 * rgb[1] + 0.6299787005 * rgb[2]);

    lab[0] = 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
    lab[1] = 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s;
    lab[2] = 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s;
}

void tw_halve(double c, double s, double *x, double *y)
{
    double half = 0.5 * atan2(s, c);

    *x = cos(half);
    *y = sin(half);
}

// Sharp things on a plain sky: a bright disc, a dark slanted bar, rows of print below.
static void sharp(int x, int y, int w, int h, uint8_t px[4])
{
    double u = (x + 0.5) / w, v = (y + 0.5) / h;
    bool disc = hypot(u - 0.3, (v - 0.45) * h / w) < 0.16, bar = fabs(u - 0.75 + 0.3 * v) < 0.06;
    bool print = v > 0.75 && y % 7 < 4 && x % 5 < 2 && noise_point(x / 5, y / 7, 9) < 0.7f;
    static const uint8_t SKY[3] = {96, 140, 205}, DISC[3] = {228, 176, 150}, BAR[3] = {60, 36, 22},
                         PRINT[3] = {20, 22, 30}, GROUND[3] = {216, 208, 190};
    const uint8_t *at = print ? PRINT : disc ? DISC : bar ? BAR : v > 0.7 ? GROUND : SKY;

    for (int k = 0; k < 3; k++)
        px[k] = (uint8_t)(at[k] + (int)(8.0f * noise_point(x, 3 * y + k, 4)));
    px[3] = 255;
}

void tw_source(struct image *im, int w, int h, int scene)
{
    assert_int_equal(image_new(im, w, h), ERR_OK);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            if (scene == 2) {
                sharp(x, y, w, h, px);
                continue;
            }
            for (int k = 0; k < 4; k++) {
                float soft = noise_at(0.09f * (float)x, 0.09f * (float)y, 40u + (uint32_t)k);
                float hard = noise_point(x, 5 * y + k, 3) < 0.5f ? 0.0f : 1.0f;
                px[k] = k == 3 ? 255 : (uint8_t)(255.0f * (scene == 1 ? hard : soft));
            }
        }
}

void tw_maps(const struct fixture *f, const struct image *source, uint32_t needs, float px_per_unit,
             float detail, struct look_maps **out)
{
    struct map_maker k = {.pool = f->pool};

    k.m = calloc(1, sizeof(*k.m));
    assert_non_null(k.m);
    k.m->width = source->width;
    k.m->height = source->height;
    k.m->px_per_unit = px_per_unit;
    assert_int_equal(maps_make(&k, source, needs, detail), ERR_OK);
    blur_scratch_release(&k.scratch);
    *out = k.m;
}

static const char *const SCENE[TWIN_SCENES] = {"a soft scene", "static", "sharp shapes"};

struct off {
    size_t n, of;
    double worst;
    int x, y;
};

static void note(struct off *o, double far, double near, int x, int y)
{
    o->of++;
    o->n += !(far <= near); // what is no number is off
    if (far > o->worst || far != far) {
        o->worst = far;
        o->x = x;
        o->y = y;
    }
}

static void judge(const struct off *o, const struct twin *t, const char *name, const char *scene,
                  int w, int h, double scale)
{
    if (getenv("TWIN_SHOW"))
        print_message("%-12s %-12s %3dx%-3d at %.1f: worst %.3g, %.4f beyond %g\n", name, scene, w,
                      h, scale, o->worst, (double)o->n / (double)o->of, t->near);
    if ((double)o->n > t->rare * (double)o->of)
        fail_msg("%s on %s of %d x %d at %g: %zu of %zu are off, that at %d, %d by %.5g", name,
                 scene, w, h, scale, o->n, o->of, o->x, o->y, o->worst);
}

static void random_paint(struct bench *b, lane4 *before)
{
    int w = b->p.width;

    for (int i = 0; i < w * b->p.height; i++) {
        float x = 0.11f * (float)(i % w), y = 0.11f * (float)(i / w);
        b->p.px[i] = before[i] = (lane4){noise_at(x, y, 11), 0.3f * noise_at(x, y, 12) - 0.15f,
                                         0.3f * noise_at(x, y, 13) - 0.15f, noise_at(x, y, 14)};
    }
}

static void pixel_by_pixel(const struct bench *b, twin_pixel_fn *pixel, const lane4 *before,
                           struct grid out[4])
{
    double unit = (double)b->p.px_per_unit, at[4];

    for (int y = 0; y < b->p.height; y++)
        for (int x = 0; x < b->p.width; x++) {
            pixel(b, before, x, y, (x + 0.5) / unit, (y + 0.5) / unit, at);
            for (int k = 0; k < 4; k++)
                *tw_cell(&out[k], x, y) = at[k];
        }
}

void tw_bench(struct bench *b, const struct fixture *f, const char *op, int scene, int w, int h,
              float scale)
{
    *b = (struct bench){.op = NULL};
    tw_source(&b->source, w, h, scene);
    bench_open(b, f, op, w, h);
    look_maps_free(b->maps);
    tw_maps(f, &b->source, b->op->needs, scale, 1.0f, &b->maps);
    b->p.maps = b->maps;
    b->p.px_per_unit = scale;
}

static void compare_op(const struct fixture *f, const struct twin *t, int scene, int w, int h,
                       float scale)
{
    struct bench b;
    struct look_mood sunset = {.words = 0};
    struct desk desk = {.n = 0};
    struct grid want[4];
    struct off off = {.n = 0};

    tw_bench(&b, f, t->name, scene, w, h, scale);
    if (t->mood) {
        assert_true(mood_add(&sunset, "sunset"));
        assert_int_equal(mood_light_maps(&sunset, b.maps, f->pool, NULL), ERR_OK);
        b.p.mood = b.maps->mood;
    }
    for (const struct twin_set *s = t->set; s && s->name; s++)
        bench_set(&b, s->name, s->value);
    if (t->seed)
        b.p.variation.seed = t->seed;
    lane4 *before = aligned_alloc(sizeof(lane4), (size_t)(w * h) * sizeof(lane4));
    assert_non_null(before);
    random_paint(&b, before);
    for (int k = 0; k < 4; k++)
        want[k] = tw_grid(&desk, w, h);
    if (t->pixel)
        pixel_by_pixel(&b, t->pixel, before, want);
    else
        t->whole(&b, &desk, before, want);
    assert_int_equal(b.op->run(&b.p, b.value), ERR_OK);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double far = 0.0;
            for (int k = 0; k < 4; k++) {
                double by = fabs(*tw_cell(&want[k], x, y) - (double)picture_row(&b.p, y)[x][k]);
                far = by <= far ? far : by;
            }
            note(&off, far, t->near, x, y);
        }
    free(before);
    desk_clear(&desk);
    bench_close(&b);
    judge(&off, t, t->name, SCENE[scene], w, h, (double)scale);
}

bool tw_named(const struct twin *t, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = t->name; (at = strstr(at, name)); at++)
        if ((at == t->name || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' '))
            return true;
    return false;
}

static void compare_planes(const struct look_map *map, const struct plane *got,
                           const struct grid *want, double near, struct off *off)
{
    for (int i = 0; i < map->planes; i++) {
        assert_int_equal(want[i].w, got[i].width);
        assert_int_equal(want[i].h, got[i].height);
        for (int y = 0; y < got[i].height; y++)
            for (int x = 0; x < got[i].width; x++)
                note(off, fabs(*tw_cell(&want[i], x, y) - tw_px(&got[i], x, y)), near, x, y);
    }
}

static void compare_map(const struct fixture *f, const struct twin *t, int scene, int w, int h,
                        float scale)
{
    struct grid want[TWIN_PLANES] = {{0}}, *at = want;
    struct image source;
    struct desk desk = {.n = 0};
    struct look_maps *m;

    tw_source(&source, w, h, scene);
    tw_maps(f, &source, UINT32_MAX, scale, 1.0f, &m);
    t->map(m, &source, &desk, want);
    for (const struct look_map *map = look_map_table; map->name; map++) {
        struct off off = {.n = 0};
        if (!tw_named(t, map->name))
            continue;
        compare_planes(map, look_map_planes(m, map), at, t->near, &off);
        judge(&off, t, map->name, SCENE[scene], w, h, (double)scale);
        at += map->planes;
    }
    assert_true(at > want);
    desk_clear(&desk);
    look_maps_free(m);
    image_release(&source);
}

void twin_compare(const struct fixture *f, const struct twin *t)
{
    static const struct {
        int w, h;
        float scale; /* pixels per unit */
    } SIZE[] = {{96, 64, 1.0f}, {50, 80, 2.0f}},
      MAP_SIZE[] = {{140, 90, 1.0f}, {61, 97, 0.5f}, {90, 64, 1.7f}};

    if (t->part)
        t->part(f);
    for (int scene = 0; scene < TWIN_SCENES; scene++) {
        for (int i = 0; i < 2 && (t->pixel || t->whole); i++)
            compare_op(f, t, scene, SIZE[i].w, SIZE[i].h, SIZE[i].scale);
        for (int i = 0; i < 3 && t->map; i++)
            compare_map(f, t, scene, MAP_SIZE[i].w, MAP_SIZE[i].h, MAP_SIZE[i].scale);
    }
}
