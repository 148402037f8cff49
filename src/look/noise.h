/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_NOISE_H
#define PATINA_LOOK_NOISE_H

#include "look/approx.h"

/* Noise in picture space, from hashes of lattice points: no state, so any order of work gives the
 * same. Private to look/. */

/* 0..1 for a lattice point. Two multiplications, because noise is asked for at every pixel; where
 * the quality of the bits counts, use hash_u32(). */
static inline float noise_point(int x, int y, uint32_t seed)
{
    uint32_t h = (uint32_t)x * 0x9E3779B1u + (uint32_t)y * 0x85EBCA77u + seed * 0xC2B2AE3Du;

    h = (h ^ h >> 15) * 0x2C1B3C6Du;
    h = (h ^ h >> 12) * 0x297A2D39u;
    return (float)((h ^ h >> 15) >> 8) * (1.0f / 16777216.0f);
}

/* Value noise, 0..1, smooth over one lattice step. */
static inline float noise_at(float x, float y, uint32_t seed)
{
    float fx = floorf(x), fy = floorf(y), tx = x - fx, ty = y - fy;
    int i = (int)fx, j = (int)fy;

    tx = tx * tx * (3.0f - 2.0f * tx);
    ty = ty * ty * (3.0f - 2.0f * ty);
    return mixf(mixf(noise_point(i, j, seed), noise_point(i + 1, j, seed), tx),
                mixf(noise_point(i, j + 1, seed), noise_point(i + 1, j + 1, seed), tx), ty);
}

enum { NOISE_SPAN = 64 };

/* noise_at() for n <= NOISE_SPAN pixels of a row, from u on, du apart: taken every few pixels and
 * straight between, which is cheaper where a lattice step is many pixels wide. */
static inline void noise_span(float *out, int n, float u, float du, float v, uint32_t seed)
{
    int step = clampi((int)(0.2f / du), 1, 16);
    float a = noise_at(u, v, seed);

    for (int i = 0; i < n; i += step) {
        float b = noise_at(u + du * (float)(i + step), v, seed);
        for (int k = 0; k < step && i + k < n; k++)
            out[i + k] = mixf(a, b, (float)k / (float)step);
        a = b;
    }
}

#endif
