/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_STRUCTURE_H
#define PATINA_LOOK_STRUCTURE_H

#include "base/pool.h"
#include "image/image.h"

/*
 * How much of a photo's composition a picture made of it keeps; for benches and tests. Both are
 * looked at with a long side of 512 pixels at most, in OKLab's L, without the outer 4 % of that:
 * some looks leave a bare border or draw a frame.
 *
 * Tone: correlation (Pearson's r) of the lightness after a Gaussian blur of 6 pixels. It means
 * little where a material hides the photo's lightness: gold is dark where its studio is.
 *
 * Detail: correlation of the logarithm of the gradient after a blur of 3 pixels: where there is
 * much to see and where little. By chance it is near 0, so that it tells something of the looks
 * that put stronger edges of their own among the photo's, as polished dark stone does with
 * reflections.
 *
 * Fine: correlation of the bands of lightness between Gaussian blurs of 1 and 2 and of 2 and 4
 * pixels, their mean. What a look draws with marks of its own in these bands lowers it: nothing is
 * won by marks that are not the photo's.
 *
 * Edges: gradient maxima along the gradient (Canny 1986) after a blur of 2 pixels, the strongest
 * ones, as many of the picture as of the photo: 1 % of the pixels, less where the photo is calm.
 * Equal numbers make it a measure of places, not of contrast. An edge is found when the other
 * picture has one within 3 pixels; precision and recall are joined to F1, their harmonic mean
 * (Martin, Fowlkes and Malik 2004, who assign edges one to one instead). What chance alone finds is
 * told by the same F1 against the picture turned half round.
 */
struct structure {
    double tone;   /* -1..1 */
    double detail; /* -1..1 */
    double fine;   /* -1..1 */
    double edges;  /* 0..1 */
    double chance; /* 0..1; `edges` of a picture that has nothing to do with the photo */
};

/* Both of one size. A photo without edges has none to lose: `edges` is 1, `chance` 0;
 * the others are 1 of one without any. ERR_NOMEM. */
MUST_USE enum err structure_compare(const struct image *photo, const struct image *made,
                                    struct pool *pool, struct structure *out);

#endif
