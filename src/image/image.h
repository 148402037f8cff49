/* SPDX-License-Identifier: MIT */
#ifndef PATINA_IMAGE_IMAGE_H
#define PATINA_IMAGE_IMAGE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A picture in memory: interleaved RGBA, 8 bits a sample, sRGB, alpha not premultiplied, rows from
 * the top, `stride` bytes apart (at least 4*width). What every decoder yields and every engine and
 * encoder takes. An opaque picture has alpha 255 everywhere and `has_alpha` false; then encoders
 * write three channels.
 *
 * Plain data. `owned` says whether image_release() frees `px` (memory from image_new) or only
 * forgets it (a mapping or another image's rows).
 */
struct image {
    int width, height; /* pixels, at least 1 */
    size_t stride;     /* bytes */
    uint8_t *px;
    bool has_alpha;
    bool owned;
};

/* Limits of what is accepted from outside (protocol: 413). A decoded source at the limit takes 256
 * MB. */
enum {
    IMAGE_SOURCE_BYTES_MAX = 10 * 1000 * 1000, /* of the file */
    IMAGE_SOURCE_PIXELS_MAX = 64 * 1000 * 1000,
    IMAGE_SOURCE_SIDE_MAX = 16384,
    IMAGE_SOURCE_RATIO_MAX = 30 /* long side : short side */
};

/* Limits of a result. */
enum {
    IMAGE_RESULT_PIXELS_MAX = 16 * 1024 * 1024,
    IMAGE_RESULT_SIDE_STEP = 16, /* sides are multiples of this */
    IMAGE_RESULT_SIDE_MIN = 64
};

/* Allocates width x height pixels, zeroed (transparent black). ERR_INVALID for sides below 1,
 * ERR_NOMEM. */
MUST_USE enum err image_new(struct image *out, int width, int height);

/* Frees what is owned and empties the struct. */
void image_release(struct image *im);

/* A view of the rectangle x, y, w, h (must lie inside): borrows im's pixels. */
struct image image_view(const struct image *im, int x, int y, int w, int h);

/* Puts four pictures of one size row by row into a new picture of exactly twice its width and
 * height, without gaps. */
MUST_USE enum err image_grid(struct image *out, const struct image four[4]);

/* Whether any pixel has alpha below 255. */
bool image_any_alpha(const struct image *im);

/* Blends over white in linear light and makes the picture opaque, in place. */
void image_over_white(struct image *im);

#endif
