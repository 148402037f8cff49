/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_DRY_H
#define PATINA_LOOK_DRY_H

#include "look/op.h"

#include "look/span.h"

/*
 * Dry media: pigment that is rubbed off on the paper's tooth. While one is drawn, the fourth value
 * of a pixel is the height of the tooth there, 0..1 with every height equally frequent, so that
 * pressure p covers a share p of the paper. Private to look/.
 */

/* Share of a pixel that takes pigment. soft 0: the tooth's peaks alone, hard against its valleys;
 * 1: rubbed in, peaks hardly more than valleys. */
static inline float dry_take(float tooth, float pressure, float soft)
{
    float hard = clampf((tooth - 1.0f + pressure) * 4.0f + 0.5f, 0.0f, 1.0f);
    float rubbed = pressure + 1.2f * pressure * (1.0f - pressure) * (tooth - 0.5f);

    return mixf(hard * clampf(pressure * 8.0f, 0.0f, 1.0f), rubbed, soft);
}

/* Margins from the border at which all is inside. */
static const float DRY_RAGGED = 2.4f;

/* Places that pigment is put down at, units. */
struct dry_places {
    int n;
    float ux[SPAN], uy[SPAN], cover[SPAN], take[SPAN];
};

/* 1 inside the drawing, 0 on the paper left around it, ragged between; margin in units, 0: none. */
static inline float dry_inside(const struct look_picture *p, float ux, float uy, float margin)
{
    float w = (float)p->width / p->px_per_unit, h = (float)p->height / p->px_per_unit;
    float dx = ux < w - ux ? ux : w - ux, dy = uy < h - uy ? uy : h - uy;
    float d = dx < dy ? dx : dy;

    // Noise is at most 1.6.
    if (margin <= 0.0f || d >= DRY_RAGGED * margin)
        return 1.0f;
    float ragged = noise_at(ux * 0.03f, uy * 0.03f, p->variation.seed + 5u) +
                   0.6f * noise_at(ux * 0.1f, uy * 0.1f, p->variation.seed + 6u);
    return smoothf(0.0f, 1.0f, d / margin + 0.2f - ragged);
}

/* The same of n <= SPAN places of a row, ux rising. */
void dry_inside_span(const struct look_picture *p, const float *ux, float uy, int n, float margin,
                     float *out);

/* The pigment for a place: grey of lightness `dark`, or by the share `colour` the one that makes
 * the photo's colour when it covers a share `cover` of white paper. */
void dry_pigment(const struct look_picture *p, float ux, float uy, float cover, float dark,
                 float colour, float out[LAB]);

/* Mixes the pigment of each of n places into pixels: `take` is the share of a pixel that takes it,
 * `cover` as above. */
void dry_draw_span(const struct look_picture *p, const struct dry_places *at, float dark,
                   float colour, struct span_px *px);

/* How much a place asks for, 0..1: its darkness, and by `colour` its chroma. */
float dry_demand(const struct look_picture *p, float ux, float uy, float colour);
void dry_demand_span(const struct look_picture *p, const float *ux, const float *uy, int n,
                     float colour, float *out);

#endif
