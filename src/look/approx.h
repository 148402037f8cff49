/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_APPROX_H
#define PATINA_LOOK_APPROX_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/*
 * Arithmetic of the pixel paths. Results must be the same bits on every machine, so libm is used
 * for sqrtf, floorf and fabsf alone, which IEEE 754 rounds exactly; the rest is built here from
 * + - * /. Private to look/. All functions are pure and never give NaN for finite arguments within
 * their stated range.
 */

static inline float clampf(float x, float lo, float hi)
{
    float up = x < lo ? lo : x;

    return up > hi ? hi : up;
}

static inline int clampi(int x, int lo, int hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static inline float mixf(float a, float b, float t)
{
    return a + (b - a) * t;
}

/* 0 at lo and below, 1 at hi and above, smooth between; lo < hi. */
static inline float smoothf(float lo, float hi, float x)
{
    float t = clampf((x - lo) / (hi - lo), 0.0f, 1.0f);

    return t * t * (3.0f - 2.0f * t);
}

/* Cube root for x >= 0: a third of the exponent as a first guess, then two steps of Halley's method
 * (relative error under 1e-6; anything under 1e-15 counts as that, or the cubes would underflow).
 */
static inline float cbrt_approx(float x)
{
    uint32_t bits;
    float y;

    x = x > 1e-15f ? x : 1e-15f;
    memcpy(&bits, &x, sizeof(bits));
    bits = bits / 3 + 709921077u;
    memcpy(&y, &bits, sizeof(y));
    for (int i = 0; i < 2; i++) {
        float y3 = y * y * y;
        y = y * ((y3 + 2.0f * x) / (2.0f * y3 + x));
    }
    return y;
}

/* e^x for x <= 0 (smaller than -80 counts as -80); relative error under 1e-5. */
static inline float exp_approx(float x)
{
    float t = clampf(x, -80.0f, 0.0f) * 1.44269504f;
    float whole = floorf(t), f = t - whole;
    uint32_t bits = (uint32_t)((int32_t)whole + 127) << 23;
    float scale;

    memcpy(&scale, &bits, sizeof(scale));
    return scale * (1.0f + f * (0.69314718f +
                                f * (0.24022651f +
                                     f * (0.05550411f + f * (0.00961813f + f * 0.00133336f)))));
}

/* Cosine and sine of a whole turn times t (any finite t below 1e5): Taylor series on an eighth of
 * the turn around the nearest quarter. Error under 1e-6. */
static inline void turn_approx(float t, float *c, float *s)
{
    float q = floorf(t * 4.0f + 0.5f), x = (t * 4.0f - q) * 1.57079633f, x2 = x * x;
    float cs = 1.0f - x2 * (0.5f - x2 * (0.04166667f - x2 * (0.00138889f - x2 * 0.0000248016f)));
    float sn = x * (1.0f - x2 * (0.16666667f - x2 * (0.00833333f - x2 * 0.000198413f)));

    // Selected, not branched on, so that loops over it become vectors.
    int quarter = (int)q;
    float odd_c = quarter & 1 ? sn : cs, odd_s = quarter & 1 ? cs : sn;
    *c = (quarter + 1) & 2 ? -odd_c : odd_c;
    *s = quarter & 2 ? -odd_s : odd_s;
}

/* The unit vector whose angle is half that of the unit vector (c, s), with *x >= 0. */
static inline void half_angle(float c, float s, float *x, float *y)
{
    float hx = sqrtf(clampf(0.5f + 0.5f * c, 0.0f, 1.0f));
    float hy = sqrtf(clampf(0.5f - 0.5f * c, 0.0f, 1.0f));

    *x = hx;
    *y = s < 0.0f ? -hy : hy;
}

#endif
