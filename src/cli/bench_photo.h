/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_PHOTO_H
#define PATINA_CLI_BENCH_PHOTO_H

#include "image/image.h"
#include "look/recipe.h"

#include <stdint.h>

/* What the benches of looks share: a photo of a given size, the looks, and milliseconds. */

/* Reads and scales a photo to about `pixels`, as a job would have it; `path` NULL: a made-up scene
 * with gradients, discs of many sizes and fine patterns, which is work for every brush. */
MUST_USE enum err bench_photo_read(const char *path, int64_t pixels, struct image *out,
                                   struct err_note *note);

/* The part of `path` that names the photo in a table. */
const char *bench_photo_name(const char *path);

/* The i-th of all looks, or, `only` set, that one as the 0th; NULL past the last. */
const struct recipe *bench_look_at(const struct recipe_set *looks, const char *only, int i);

/* ERR_INVALID for a name that no look has; NULL is fine. */
MUST_USE enum err bench_look_check(const struct recipe_set *looks, const char *only,
                                   struct err_note *note);

double bench_now_ms(void);

static inline double bench_megapixels(const struct image *im)
{
    return (double)im->width * im->height / 1e6;
}

#endif
