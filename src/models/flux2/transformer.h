/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_TRANSFORMER_H
#define PATINA_MODELS_FLUX2_TRANSFORMER_H

#include "models/flux2/flux2.h"

/*
 * The diffusion transformer: double-stream blocks (text and picture have weights of their own and
 * attend to each other), then single-stream blocks over everything, from noised tokens to their
 * velocity.
 *
 * The sequence is text, references, picture: attention does not mind the order, because positions
 * are in the rotary angles. Up to FLUX2_BATCH_MAX pictures of one job are run together: they share
 * text, references and every read of the weights, not activations.
 */
struct transformer;
struct packed; /* nn/pack.h */

/* The part "transformer" of an open packed model, which must outlive it. */
MUST_USE enum err transformer_open(const struct packed *p, struct transformer **out,
                                   struct err_note *note);
void transformer_close(struct transformer *t); /* NULL is fine */

int transformer_channels(const struct transformer *t); /* of a token */

struct transformer_shape {
    int batch;              /* pictures, 1..FLUX2_BATCH_MAX */
    int text;               /* rows of text */
    struct flux2_grid grid; /* of each picture */
    struct flux2_grid reference[FLUX2_REFERENCES_MAX];
    int references;
    float reference_bias[FLUX2_REFERENCES_MAX]; /* added to the attention's scores of each one's
                                                   keys; 0: none */
};

/* Bytes of workspace, allocated by transformer_plan(); of any pool. */
int64_t transformer_bytes(const struct transformer *t, const struct transformer_shape *s);

/* Multiplications and additions, two apart, of one run: of matrices and attention. */
double transformer_flops(const struct transformer *t, const struct transformer_shape *s);

/* The same of a transformer that there need not be. */
struct flux2_transformer_config; /* config.h */
double transformer_flops_of(const struct flux2_transformer_config *c,
                            const struct transformer_shape *s);

/* What all steps of a job share: workspace, rotary tables, projected text and references. */
struct transformer_plan;

/* text[text][text width], references[i][tokens][channels] are read during the call alone.
 * ERR_NOMEM, ERR_CANCELLED, ERR_INVALID for a width of text that the model does not take. */
MUST_USE enum err transformer_plan(const struct transformer *t, const struct nn_run *how,
                                   const struct transformer_shape *s, const float *text,
                                   int text_width, const float *const *references,
                                   struct transformer_plan **out, struct err_note *note);
void transformer_plan_free(struct transformer_plan *p); /* NULL is fine */

/* One evaluation at noise level sigma: z and velocity are [tokens][channels] of one picture each
 * and may be the same. `done` (may be NULL) hears of the share 0..1 from the calling thread, block
 * by block. No allocation. ERR_CANCELLED. */
typedef void transformer_progress_fn(void *ctx, float done);

MUST_USE enum err transformer_run(struct transformer_plan *p, const struct nn_run *how,
                                  double sigma, const float *const *z, float *const *velocity,
                                  transformer_progress_fn *done, void *done_ctx);

#endif
