/* SPDX-License-Identifier: MIT */
#ifndef PATINA_IMAGE_COLOUR_H
#define PATINA_IMAGE_COLOUR_H

#include <stdint.h>

/*
 * sRGB (IEC 61966-2-1) as tables: 8-bit code to linear light in 0..1 and back, correctly rounded
 * in the encoded domain, without libm and therefore the same on every machine. Any thread.
 */

/* Linear light of an 8-bit code. */
extern const float srgb_linear[256];

/* The linear light at which rounding goes from code i-1 to code i; [0] is 0, [256] out of reach. */
extern const float srgb_threshold[257];

/* The nearest 8-bit code; values outside 0..1 clamp, NaN gives 0. */
uint8_t srgb_from_linear(float v);

/* The same function for inner loops: a table of first guesses, filled once per call of whoever
 * needs it. */
enum { SRGB_GUESSES = 4096 };

struct srgb_encoder {
    uint8_t guess[SRGB_GUESSES + 1];
};

void srgb_encoder_init(struct srgb_encoder *e);

/* v must lie in 0..1. The steepest part of the curve moves less than one code per guess
 * (12.92 * 255 < 4096), so the guess is right or one too low. */
static inline uint8_t srgb_encode(const struct srgb_encoder *e, float v)
{
    unsigned g = e->guess[(int)(v * (float)SRGB_GUESSES)];

    return (uint8_t)(g + (v >= srgb_threshold[g + 1]));
}

#endif
