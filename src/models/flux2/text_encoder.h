/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_TEXT_ENCODER_H
#define PATINA_MODELS_FLUX2_TEXT_ENCODER_H

#include "models/flux2/flux2.h"

/*
 * Qwen3 up to the last layer that anybody reads: the residual streams behind layers 9, 18 and 27 of
 * 36 (a quarter, a half, three quarters of any model), side by side, are what the transformer
 * attends to. Causal, and padding is masked as a key; rows of padding are computed all the same,
 * because the transformer reads them.
 */
struct text_encoder;
struct packed; /* nn/pack.h */

/* The part "text_encoder" of an open packed model, which must outlive it. */
MUST_USE enum err text_encoder_open(const struct packed *p, struct text_encoder **out,
                                    struct err_note *note);
void text_encoder_close(struct text_encoder *t); /* NULL is fine */

/* Floats per token: three times the hidden width. */
int text_encoder_width(const struct text_encoder *t);

/* Bytes of workspace for one run. */
int64_t text_encoder_bytes(const struct text_encoder *t, int tokens);

/* ids[tokens], of which the first `used` are no padding; out[tokens][width]. ERR_NOMEM,
 * ERR_CANCELLED, ERR_INVALID for an id that the model does not have. */
MUST_USE enum err text_encoder_run(const struct text_encoder *t, const struct nn_run *how,
                                   const int32_t *ids, int tokens, int used, float *out);

#endif
