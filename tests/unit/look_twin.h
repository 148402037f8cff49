/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TEST_LOOK_TWIN_H
#define PATINA_TEST_LOOK_TWIN_H

/*
 * Slow twins of operators and maps: each pixel for itself, from what the operator's head says, in
 * doubles and with libm, without spans, blocks, tiles, tables, coarse planes or anything else that
 * is there for speed. What a twin shares with its operator has a twin of its own (maps are made of
 * maps), but for the hash.
 */
#include "look/noise.h"
#include "look_fixture.h"

#include <math.h>

static inline double tw_clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static inline double tw_mix(double a, double b, double t)
{
    return a * (1.0 - t) + b * t;
}

static inline double tw_smooth(double lo, double hi, double x)
{
    double t = tw_clamp((x - lo) / (hi - lo), 0.0, 1.0);

    return t * t * (3.0 - 2.0 * t);
}

/* Share of human skin in an OKLab colour. */
static inline double tw_skin(const double c[3])
{
    double warm = c[1] > 0.0 && c[2] > 0.0 ? c[2] / (c[1] + c[2]) : 0.0, chroma = hypot(c[1], c[2]);

    return tw_smooth(0.02, 0.045, chroma) * (1.0 - tw_smooth(0.13, 0.17, chroma)) *
           tw_smooth(0.28, 0.42, warm) * (1.0 - tw_smooth(0.66, 0.78, warm)) *
           tw_smooth(0.18, 0.32, c[0]);
}

/* Pixel, or the nearest there is. */
static inline double tw_px(const struct plane *p, int x, int y)
{
    return (double)p->px[(size_t)clampi(y, 0, p->height - 1) * (size_t)p->width +
                         (size_t)clampi(x, 0, p->width - 1)];
}

/* Bilinear, pixel (i, j) in the middle of its square. */
static inline double tw_at(const struct plane *p, double x, double y)
{
    double i = floor(x - 0.5), j = floor(y - 0.5), tx = x - 0.5 - i, ty = y - 0.5 - j;

    return tw_mix(tw_mix(tw_px(p, (int)i, (int)j), tw_px(p, (int)i + 1, (int)j), tx),
                  tw_mix(tw_px(p, (int)i, (int)j + 1), tw_px(p, (int)i + 1, (int)j + 1), tx), ty);
}

/* Value noise, smooth over one lattice step. */
static inline double tw_noise(double x, double y, uint32_t seed)
{
    int i = (int)floor(x), j = (int)floor(y);
    double tx = tw_smooth(0.0, 1.0, x - i), ty = tw_smooth(0.0, 1.0, y - j);
    double a = (double)noise_point(i, j, seed), b = (double)noise_point(i + 1, j, seed);
    double c = (double)noise_point(i, j + 1, seed), d = (double)noise_point(i + 1, j + 1, seed);

    return tw_mix(tw_mix(a, b, tx), tw_mix(c, d, tx), ty);
}

/* Slow noise at a place in units, octave by octave: what look/clouds.h keeps in a coarse plane. */
static inline double tw_clouds(double ux, double uy, double period, uint32_t seed)
{
    double u = ux / period, v = uy / period, sum = 0.0, strength = 1.2;

    for (uint32_t i = 0; i < 3; i++, strength *= 0.5) {
        double w = 1.6 * u - 1.2 * v;
        sum += strength * (tw_noise(u, v, seed + i * 101u) - 0.5);
        v = 1.2 * u + 1.6 * v;
        u = w;
    }
    return sum;
}

/* Linear sRGB of OKLab (Ottosson 2020). */
static inline void tw_linear(const double lab[3], double rgb[3])
{
    double l = pow(lab[0] + 0.3963377774 * lab[1] + 0.2158037573 * lab[2], 3.0);
    double m = pow(lab[0] - 0.1055613458 * lab[1] - 0.0638541728 * lab[2], 3.0);
    double s = pow(lab[0] - 0.0894841775 * lab[1] - 1.2914855480 * lab[2], 3.0);

    rgb[0] = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
    rgb[1] = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
    rgb[2] = -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s;
}

static inline double tw_value(const struct bench *b, const char *name)
{
    for (int i = 0; b->op->param[i].name; i++)
        if (strcmp(b->op->param[i].name, name) == 0)
            return (double)b->value[i];
    fail_msg("%s has no %s", b->op->name, name);
    return 0.0;
}

/* A map of full or of half size at a place in units. */
static inline double tw_full(const struct look_picture *p, const struct plane *map, double ux,
                             double uy)
{
    return tw_at(map, ux * (double)p->maps->full_per_unit, uy * (double)p->maps->full_per_unit);
}

static inline double tw_half(const struct look_picture *p, const struct plane *map, double ux,
                             double uy)
{
    return tw_at(map, ux * (double)p->maps->half_per_unit, uy * (double)p->maps->half_per_unit);
}

/*
 * A whole picture or map of doubles: what a twin keeps between its steps. It lives until the desk
 * it was taken from is cleared, so twins need not give anything back.
 */
struct grid {
    int w, h;
    double *v;
};

enum { DESK_MAX = 128 };

struct desk {
    void *sheet[DESK_MAX];
    int n;
};

void *tw_take(struct desk *d, size_t count, size_t bytes); /* zeroed */
void desk_clear(struct desk *d);

struct grid tw_grid(struct desk *d, int w, int h);
struct grid tw_copy(struct desk *d, const struct plane *p);

static inline double *tw_cell(const struct grid *g, int x, int y)
{
    return &g->v[(size_t)y * (size_t)g->w + (size_t)x];
}

/* As tw_px(), tw_at(). */
double grid_px(const struct grid *g, int x, int y);
double grid_at(const struct grid *g, double x, double y);

/* The pixel that holds (x, y). */
double tw_near(const struct plane *p, double x, double y);

/* Half the difference of the neighbours on both sides. */
void grid_slope(const struct grid *g, int x, int y, double *gx, double *gy);

/* Gaussian blur of sigma pixels by three extended boxes (Gwosdek et al. 2011), each box summed anew
 * for every pixel; outside the border the nearest pixel counts. */
struct grid tw_blur(struct desk *d, struct grid g, double sigma);

/* As plane_resample(): means of what each of w x h pixels covers. */
struct grid tw_shrink(struct desk *d, struct grid g, int w, int h);

/* A guided filter (He et al. 2013) of a channel by L, of one size: what comes out is slope * L +
 * rest, both gathered over a window of sigma. */
void tw_guided(struct desk *d, const struct grid *L, const struct grid *channel, double sigma,
               double eps, struct grid *slope, struct grid *rest);

/* The value under which `share` of all values lie, to the middle of one of `bins` steps of 0..top.
 */
double tw_rank(const struct grid *g, double share, double top, int bins);

/* OKLab of linear sRGB (Ottosson 2020). */
void tw_oklab(const double rgb[3], double lab[3]);

/* A direction's cosine and sine from those of twice its angle; the cosine is not negative. */
void tw_halve(double c, double s, double *x, double *y);

/* A parameter that differs from its default; lists end with NULL. */
struct twin_set {
    const char *name;
    float value;
};

/* The four lanes of pixel (x, y), which was *before, and is at (ux, uy) units. */
typedef void twin_pixel_fn(const struct bench *b, const lane4 *before, int x, int y, double ux,
                           double uy, double out[4]);

/* The picture's lanes, where marks depend on the marks before them. */
typedef void twin_whole_fn(const struct bench *b, struct desk *d, const lane4 *before,
                           struct grid out[4]);

/* The planes of maps that are made together, from the photo and the maps that those are made of, in
 * the order of look_map_table. */
enum { TWIN_PLANES = 5 };
typedef void twin_map_fn(const struct look_maps *m, const struct image *source, struct desk *d,
                         struct grid *out);

/* What is neither of both: compares by itself. */
typedef void twin_part_fn(const struct fixture *f);

/*
 * One comparison. An operator runs on soft, static and sharp photos and pictures of random paint,
 * at one, and at two pixels per unit; a map is made of the same photos at two pixels per unit and
 * less. At most `rare` of the pixels may be off by more than `near`: where a step or a coarse plane
 * turns sharply. What is exact says 0.
 */
struct twin {
    const char *name; /* of the operator, or of the maps, with spaces between */
    twin_pixel_fn *pixel;
    twin_whole_fn *whole;
    twin_map_fn *map;
    twin_part_fn *part;
    double near, rare;
    const struct twin_set *set;
    bool mood;     /* under a sunset */
    uint32_t seed; /* if not 0, to stand elsewhere in clouds that are wider than the picture */
};

/* All twins by subject; lists end with a name of NULL. */
extern const struct twin look_twins_painted[], look_twins_plan[], look_twins_strokes[],
    look_twins_printed[], look_twins_lines[], look_twins_solid[], look_twins_maps[],
    look_twins_outline[], look_twins_form[], look_twins_mood[], look_twins_cells[],
    look_twins_panes[], look_twins_tiles[];

/* A list of twin_set. */
#define TWIN_SET(...) ((const struct twin_set[]){__VA_ARGS__, {NULL, 0}})

/* What operators begin with that change the pixel they find. */
static inline void as_before(const struct bench *b, const lane4 *before, int x, int y,
                             double out[4])
{
    for (int k = 0; k < 4; k++)
        out[k] = (double)before[y * b->p.width + x][k];
}

/* As look_maps_detailed(), of a picture that is part of a large one. */
void tw_maps(const struct fixture *f, const struct image *source, uint32_t needs, float px_per_unit,
             float detail, struct look_maps **out);

/* An operator's bench with one of the photos; close with bench_close(). */
void tw_bench(struct bench *b, const struct fixture *f, const char *op, int scene, int w, int h,
              float scale);

/* Whether it is the twin of the operator or map of that name. */
bool tw_named(const struct twin *t, const char *name);

void twin_compare(const struct fixture *f, const struct twin *t);

/* The same of two lists of numbers by a part itself; *off counts what is farther than near. */
static inline void tw_differ(double want, double got, double near, size_t *off, double *worst)
{
    double far = fabs(want - got);

    *off += !(far <= near);
    *worst = far > *worst ? far : *worst;
}

/* A photo of a test: soft, static, or sharp shapes with letters and a plain sky. */
enum { TWIN_SCENES = 3 };
void tw_source(struct image *im, int w, int h, int scene);

#endif
