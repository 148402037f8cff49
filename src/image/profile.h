/* SPDX-License-Identifier: MIT */
#ifndef PATINA_IMAGE_PROFILE_H
#define PATINA_IMAGE_PROFILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * For this folder: from a picture's own colour space to sRGB (perceptual intent), by lcms2.
 * One thread at a time per object.
 */
struct profile;

/* What a pixel holds. Every layout has four samples; grey is R of RGBA. */
enum profile_pixel {
    PROFILE_GREY,         /* grey, two unused, alpha */
    PROFILE_RGB,          /* red, green, blue, alpha */
    PROFILE_CMYK,         /* 0: no ink */
    PROFILE_CMYK_INVERTED /* 0: full ink, as Adobe writes it */
};

/* A conversion from an ICC profile. `sample_bytes` is 1 or 2 (native order). NULL when nothing is
 * to be done: the profile is sRGB to within rounding, does not fit the pixels, or is broken (a
 * picture with a broken profile is better shown than refused). Free with profile_free(). */
struct profile *profile_from_icc(const void *icc, size_t len, enum profile_pixel pixel,
                                 int sample_bytes);

/* CIE xy of white, red, green and blue. */
struct chromaticities {
    double xy[8];
};

/* A conversion of RGBA from a display with the given gamma (the exponent that decodes) and
 * primaries (NULL: those of sRGB). NULL as above. */
struct profile *profile_from_gamma(double gamma, const struct chromaticities *primaries,
                                   int sample_bytes);

void profile_free(struct profile *p); /* NULL is fine */

/* Converts n pixels to RGBA8. Alpha of GREY and RGB is kept (16 bits are rounded to 8), of CMYK
 * set to 255. `out` may be `in` when samples have one byte. */
void profile_row(const struct profile *p, const void *in, uint8_t *out, size_t n);

#endif
