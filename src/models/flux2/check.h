/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_CHECK_H
#define PATINA_MODELS_FLUX2_CHECK_H

#include "base/err.h"

#include <stdbool.h>

/*
 * What is wrong with, or missing from, a folder in the published layout: every part's config.json
 * and the name, type and shape of every tensor that it promises, the tokenizer, and that the parts
 * fit together. Contents of tensors are not read, so that it takes no time.
 */

/* One finding: e is ERR_OK and `found` says what is there, or what is wrong. Texts live until the
 * call returns. */
typedef void flux2_check_fn(void *ctx, const char *part, enum err e, const char *found);

/* Reports "index", "transformer", "text_encoder", "vae", "tokenizer" and "together", in this order;
 * the last when all others are right. True when everything is. */
bool flux2_check(const char *dir, flux2_check_fn *say, void *ctx);

/* The same of an open packed model; the element types of its matrices are told as well. Whether its
 * numbers are undamaged is packed_verify()'s to say. */
struct packed; /* nn/pack.h */
bool flux2_check_packed(const struct packed *packed, flux2_check_fn *say, void *ctx);

#endif
