/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_VAE_H
#define PATINA_MODELS_FLUX2_VAE_H

#include "models/flux2/flux2.h"

/*
 * The autoencoder between pixels and tokens (AutoencoderKLFlux2): mean of the encoder, packed 2 x 2
 * and normalised with the file's batch statistics (x - mean) / sqrt(var + 1e-4); decoding is the
 * reverse. Noise is not normalised.
 *
 * Pixels are [3][H][W] floats in -1..1 (red, green, blue planes), H and W multiples of 16.
 */
struct vae;
struct packed; /* nn/pack.h */

MUST_USE enum err vae_open(const struct packed *p, struct vae **out, struct err_note *note);
void vae_close(struct vae *v); /* NULL is fine */

/* Floats per token (128 in the published model). */
int vae_channels(const struct vae *v);

/* Bytes of workspace. */
int64_t vae_encode_bytes(const struct vae *v, struct flux2_grid g);
int64_t vae_decode_bytes(const struct vae *v, struct flux2_grid g);

/* tokens[rows * columns][channels]. ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err vae_encode(const struct vae *v, const struct nn_run *how, const float *pixels,
                             struct flux2_grid g, float *tokens);

/* What the decoder makes may stray outside -1..1: callers clamp. */
MUST_USE enum err vae_decode(const struct vae *v, const struct nn_run *how, const float *tokens,
                             struct flux2_grid g, float *pixels);

#endif
