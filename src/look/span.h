/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_SPAN_H
#define PATINA_LOOK_SPAN_H

#include "look/noise.h"
#include "look/op.h"

/*
 * Pixels of a row that are worked on together, each number in an array of its own: compilers turn
 * loops over them into vectors as wide as the processor has, where a loop over whole pixels fills
 * one lane at a time. Every element is computed alone and as its plain function computes it, so the
 * bits are the same. Private to look/.
 */
enum { SPAN = NOISE_SPAN };

/* How many pixels the span that begins at x has, in rows of that width. */
static inline int span_of(int x, int width)
{
    return width - x < SPAN ? width - x : SPAN;
}

/* Colours and heights of n pixels, lane by lane, and back. */
struct span_px {
    float lane[4][SPAN];
};

static inline void span_take(const lane4 *row, int n, struct span_px *s)
{
    const float *px = (const float *)row;

    for (int i = 0; i < n; i++)
        for (int k = 0; k < 4; k++)
            s->lane[k][i] = px[4 * i + k];
}

static inline void span_put(lane4 *row, int n, const struct span_px *s)
{
    float *px = (float *)row;

    for (int i = 0; i < n; i++)
        for (int k = 0; k < 4; k++)
            px[4 * i + k] = s->lane[k][i];
}

/* plane_at() of 1..SPAN places (x * scale, y * scale): of any, and of a row of them. */
void span_plane(const struct plane *p, float scale, const float *x, const float *y, int n,
                float *out);
void span_plane_row(const struct plane *p, float scale, const float *x, float y, int n, float *out);

/* The same of the three planes of a colour. */
void span_lab(const struct plane lab[LAB], float scale, const float *x, const float *y, int n,
              float out[LAB][SPAN]);

/* noise_at() of a row of 1..SPAN places (x * scale, y * scale), x rising. Each lattice point is
 * hashed once, not once for every pixel around it. */
void span_noise_row(float scale, const float *x, float y, int n, uint32_t seed, float *out);

#endif
