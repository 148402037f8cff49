/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_NOISE_H
#define PATINA_MODELS_FLUX2_NOISE_H

#include <stdint.h>

/*
 * Normally distributed numbers of mean 0 and variance 1 from a seed: base/rand.h's generator
 * (stream NOISE_STREAM), whose numbers are taken in pairs through Box and Muller's transform (1958)
 * in double: u in (0, 1], v in [0, 1), each of 32 bits; sqrt(-2 ln u) cos(2 pi v), then the sine.
 * Largest: 6.7.
 *
 * Tokens are filled one after another, so that a picture is the same with or without neighbours;
 * the reference's generator has other numbers for the same seed.
 */
enum { NOISE_STREAM = 0x464C5558 };

void noise_fill(uint32_t seed, int64_t count, float *out);

#endif
