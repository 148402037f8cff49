/* SPDX-License-Identifier: MIT */
#ifndef PATINA_IMAGE_FIT_H
#define PATINA_IMAGE_FIT_H

#include "image/image.h"

/*
 * From a source of any size to the size of the result: never stretched, never outpainted; `--ar`,
 * `--size` and rounding crop around the centroid of importance (frequency-tuned saliency, Achanta
 * 2009).
 */
struct fit_request {
    int64_t pixels;    /* area of the result, whatever the source */
    int ar_w, ar_h;    /* wanted aspect ratio; 0, 0: the source's */
    int width, height; /* wanted size (both or neither): overrides pixels and ar */
};

struct fit_plan {
    int width, height;     /* of the result: multiples of 16, short side >= 64, at most 16 MP */
    double crop_x, crop_y; /* of the source, in its pixels, */
    double crop_w, crop_h; /* with the result's ratio */
    double cut;            /* share of the source's area left out, 0..1 */
    bool enlarged;         /* the source is smaller than the result */
};

/* Pure arithmetic with a centred crop. ERR_INVALID when the request cannot be met (a ratio past
 * IMAGE_SOURCE_RATIO_MAX, sizes out of limits). */
MUST_USE enum err fit_plan(int src_w, int src_h, const struct fit_request *want,
                           struct fit_plan *out, struct err_note *note);

/* Moves the crop of a plan so that its centre comes as near to the centroid of importance as it
 * can, by whole pixels. Takes about a millisecond whatever the size; without memory for its
 * thumbnail the crop stays where it is. */
void fit_centre(const struct image *src, struct fit_plan *plan);

/*
 * Crops and resamples `src` by `plan` with a Lanczos-3 kernel (box-prefiltered when reducing a
 * lot), premultiplied and in linear light. Colour is spread under alpha 0 so that hidden pixels
 * never show; where the crop is wholly transparent it counts as opaque. `out` gets a new picture
 * whose has_alpha says whether any pixel is not opaque. `threads` >= 1; the result does not depend
 * on it, nor on compiler and vector width. Memory beside the result: for each thread as many rows
 * of floats as the kernel is high (7, at most 25 where the source is larger), and a third of the
 * result while colour is spread. ERR_NOMEM.
 */
MUST_USE enum err fit_resample(const struct image *src, const struct fit_plan *plan, int threads,
                               struct image *out);

#endif
