/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TEST_LOOK_TWIN_H
#define PATINA_TEST_LOOK_TWIN_H

/*
 * Slow twins of operators: each pixel for itself, from what the operator's head says, in doubles
 * and with libm, without spans, blocks, coarse planes or anything else that is there for speed.
 * What they share with the operators is the maps, which have twins of their own, and the hash.
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

/* The four lanes of pixel (x, y), which was *before. */
typedef void twin_fn(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                     double out[4]);

/* A soft scene, or pure static with everything else at its worst. */
static inline void tw_source(struct image *im, int w, int h, bool rough)
{
    assert_int_equal(image_new(im, w, h), ERR_OK);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int k = 0; k < 4; k++) {
                float soft = noise_at(0.09f * (float)x, 0.09f * (float)y, 40u + (uint32_t)k);
                float hard = noise_point(x, 5 * y + k, 3) < 0.5f ? 0.0f : 1.0f;
                im->px[(size_t)y * im->stride + 4 * (size_t)x + (size_t)k] =
                    k == 3 ? 255 : (uint8_t)(255.0f * (rough ? hard : soft));
            }
}

/*
 * Runs the operator on two photos (soft, static) and pictures of random paint and compares each
 * lane of each pixel with the twin. `set`: parameters that differ from their defaults, ends with
 * NULL. At most `rare` of the pixels may be off by more than `near`: where a step or a coarse plane
 * turns sharply.
 */
struct twin_set {
    const char *name;
    float value;
};

static inline void compare_twin(const struct fixture *f, const char *op, twin_fn *twin,
                                const struct twin_set *set, double near, double rare)
{
    static const int SIZE[][2] = {{150, 100}, {64, 96}};

    for (int i = 0; i < 4; i++) {
        struct bench b = {.op = NULL};
        int w = SIZE[i / 2][0], h = SIZE[i / 2][1], off = 0;
        size_t n = (size_t)w * (size_t)h;
        double worst = 0.0;
        tw_source(&b.source, w, h, i % 2);
        bench_open(&b, f, op, w, h);
        // A part of a large picture rather than all of a small one: marks of many pixels.
        b.p.px_per_unit = b.maps->px_per_unit = b.maps->full_per_unit = 1.0f;
        b.maps->half_per_unit = 0.5f;
        for (const struct twin_set *s = set; s && s->name; s++)
            bench_set(&b, s->name, s->value);
        lane4 *before = aligned_alloc(sizeof(lane4), n * sizeof(lane4));
        assert_non_null(before);
        for (size_t k = 0; k < n; k++) {
            float x = 0.11f * (float)(k % (size_t)w), y = 0.11f * (float)(k / (size_t)w);
            before[k] = (lane4){noise_at(x, y, 11), 0.3f * noise_at(x, y, 12) - 0.15f,
                                0.3f * noise_at(x, y, 13) - 0.15f, noise_at(x, y, 14)};
            b.p.px[k] = before[k];
        }
        assert_int_equal(b.op->run(&b.p, b.value), ERR_OK);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                double want[4], far = 0.0, unit = (double)b.p.px_per_unit;
                lane4 got = picture_row(&b.p, y)[x];
                twin(&b, before, x, y, (x + 0.5) / unit, (y + 0.5) / unit, want);
                for (int k = 0; k < 4; k++)
                    far = fmax(far, fabs(want[k] - (double)got[k]));
                off += far > near;
                worst = far > worst ? far : worst;
            }
        if ((double)off > rare * (double)n)
            fail_msg("%s on %s of %d x %d: %d pixels are off, one by %.4f", op,
                     i % 2 ? "static" : "a soft scene", w, h, off, worst);
        free(before);
        bench_close(&b);
    }
}

#endif
