/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_RANDOM_H
#define PATINA_MODELS_FLUX2_RANDOM_H

#include "models/flux2/config.h"
#include "models/flux2/pack.h"

/*
 * A model in memory with the shapes of FLUX.2-klein-4B and random numbers, to measure with: it
 * takes as long as the real one (zeros would not). It has no tokenizer and draws nothing.
 *
 * A shallow one has the real widths, a fifth of the transformer's blocks (1 of 5, 4 of 20), three
 * of the text encoder's 27 layers, the whole autoencoder, and few words: 2 GB instead of 14.
 */
MUST_USE enum err flux2_random(enum flux2_precision precision, bool shallow,
                               packed_progress_fn *done, void *done_ctx, struct packed **out,
                               struct err_note *note);

/* What it takes. */
int64_t flux2_random_bytes(enum flux2_precision precision, bool shallow);

/* The transformer that it has the shapes of. */
struct flux2_transformer_config flux2_random_transformer(bool shallow);

#endif
