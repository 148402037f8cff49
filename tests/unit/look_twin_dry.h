/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TEST_LOOK_TWIN_DRY_H
#define PATINA_TEST_LOOK_TWIN_DRY_H

#include "look_twin.h"

/* Pigment on paper, for the twins of what draws and of what prints. */

/* 1 inside the drawing, 0 on the paper left around it. */
static inline double tw_dry_inside(const struct bench *b, double ux, double uy, double margin)
{
    double unit = (double)b->p.px_per_unit;
    double d = fmin(fmin(ux, b->p.width / unit - ux), fmin(uy, b->p.height / unit - uy));
    double ragged = tw_noise(ux * 0.03, uy * 0.03, b->p.variation.seed + 5) +
                    0.6 * tw_noise(ux * 0.1, uy * 0.1, b->p.variation.seed + 6);

    return margin > 0.0 ? tw_smooth(0.0, 1.0, d / margin + 0.2 - ragged) : 1.0;
}

/* Share of a pixel that takes pigment. */
static inline double tw_dry_take(double tooth, double pressure, double soft)
{
    double hard = tw_clamp((tooth - 1.0 + pressure) * 4.0 + 0.5, 0.0, 1.0) *
                  tw_clamp(pressure * 8.0, 0.0, 1.0);

    return tw_mix(hard, pressure + 1.2 * pressure * (1.0 - pressure) * (tooth - 0.5), soft);
}

/* Darkness, or by the share `colour` chroma of .25 and more, which asks for .6 at most. */
static inline double tw_dry_demand(const struct bench *b, double ux, double uy, double colour)
{
    const struct look_maps *m = b->p.maps;
    double chroma = hypot(tw_half(&b->p, &m->half[1], ux, uy), tw_half(&b->p, &m->half[2], ux, uy));

    return fmax(1.0 - tw_full(&b->p, &m->tone, ux, uy), fmin(colour * chroma / 0.25, 0.6));
}

/* Grey, or by the share `colour` what makes the photo's colour where it covers that much paper. */
static inline void tw_dry_pigment(const struct bench *b, double ux, double uy, double cover,
                                  double colour, double out[LAB])
{
    const struct look_maps *m = b->p.maps;
    double dark = tw_value(b, "dark"), share = 1.0 / fmax(cover, 0.25), c[LAB];

    for (int k = 0; k < LAB; k++)
        c[k] = tw_full(&b->p, &m->fine[k], ux, uy) * (k == 0 ? 1.0 : share);
    double L = 0.5 * (c[0] + tw_full(&b->p, &m->tone, ux, uy));
    double keep = fmin(1.0, 0.19 / fmax(hypot(c[1], c[2]), 1e-9));
    out[0] = tw_mix(dark, tw_clamp(0.95 + (L - 0.95) * share, dark, 0.92), colour);
    out[1] = c[1] * keep * colour;
    out[2] = c[2] * keep * colour;
}

#endif
