/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_FLUX2_H
#define PATINA_MODELS_FLUX2_FLUX2_H

#include "base/err.h"
#include "nn/run.h"

#include <stdint.h>

/*
 * FLUX.2 [klein] (Black Forest Labs, 2025-2026), the distilled image-editing transformer, as
 * published for diffusers: a text encoder, a variational autoencoder and a diffusion transformer,
 * joined by a schedule. Each part is a file here; this header has what they share.
 *
 * Sizes come from the model's files alone (config.json and shapes), so that the 4B and 9B models,
 * the small decoder and the tiny models of the tests are one code.
 *
 * A picture of W x H pixels (multiples of 16) is (H/16) x (W/16) tokens, row by row, of
 * `latent_channels` (128) floats each: channel 4c + 2dy + dx is channel c of the autoencoder's
 * latent pixel (2y + dy, 2x + dx).
 */
enum { FLUX2_PATCH = 16, FLUX2_REFERENCES_MAX = 2, FLUX2_BATCH_MAX = 4, FLUX2_STEPS_MAX = 64 };

/* A grid of tokens. */
struct flux2_grid {
    int rows, columns;
};

static inline int64_t flux2_tokens(struct flux2_grid g)
{
    return (int64_t)g.rows * g.columns;
}

#endif
