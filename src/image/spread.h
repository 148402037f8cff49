/* SPDX-License-Identifier: MIT */
#ifndef PATINA_IMAGE_SPREAD_H
#define PATINA_IMAGE_SPREAD_H

#include "image/image.h"

/* For this folder: gives pixels of alpha 0 the colours of their visible surroundings; alpha stays.
 * Takes a third of the picture's size for the time of the call. A picture without any visible pixel
 * is left alone. ERR_NOMEM (then the picture is unchanged). */
MUST_USE enum err spread_colour(struct image *im);

#endif
