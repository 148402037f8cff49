/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_PIPELINE_H
#define PATINA_MODELS_FLUX2_PIPELINE_H

#include "models/flux2/flux2.h"

#include <stddef.h>

/*
 * The whole model: words, pictures and noise in, pictures out.
 *
 * Prompt -> tokens -> text encoder, once for a job and not at all for one of the last prompts;
 * reference pictures -> autoencoder, once; then for all pictures together, or as many as the caller
 * says, the steps of the schedule from the noise down; then each latent through the autoencoder.
 */
struct pipeline;
struct packed; /* nn/pack.h */

/* `p` must outlive the result. ERR_INVALID, ERR_UNSUPPORTED and ERR_NOMEM with what is wrong. */
MUST_USE enum err pipeline_open(const struct packed *p, struct pipeline **out,
                                struct err_note *note);
void pipeline_close(struct pipeline *p); /* NULL is fine */

/* The steps it was trained for, and its guidance: 4 and 1 of a distilled model, 50 and 4 of a base
 * one. Guidance over 1 evaluates every step twice, with the prompt and with a negative one. */
int pipeline_steps(const struct pipeline *p);
double pipeline_guidance(const struct pipeline *p);

/* Floats of a token of latents and noise. */
int pipeline_channels(const struct pipeline *p);

/* "f32", "bf16" or "int8": of the blocks' weights. */
const char *pipeline_precision(const struct pipeline *p);

struct pipeline_shape {
    struct flux2_grid grid; /* of each picture */
    struct flux2_grid reference[FLUX2_REFERENCES_MAX];
    int references;
    int count; /* pictures, 1..FLUX2_BATCH_MAX */
    int batch; /* of them run together, 1..count */
    int steps; /* 1..FLUX2_STEPS_MAX */
    double guidance;
};

/* What a job takes, by formulas. */
struct pipeline_cost {
    int64_t bytes;                     /* peak memory beyond the weights and what the caller owns */
    double text, encode, step, decode; /* multiplications and additions: of a prompt; of all
                                          references; of one step and one picture; of a picture */
};

void pipeline_cost(const struct pipeline *p, const struct pipeline_shape *s,
                   struct pipeline_cost *out);

typedef int64_t pipeline_busy_fn(void);

/* Multiplications and additions a second of a block's matrix when nobody else has the processors,
 * measured for some milliseconds (a second on the plain path); 0 when memory is short. `busy_ns`
 * tells how long the pool's threads have worked, all together: clock_busy_ns(), while no others of
 * this process do. */
double pipeline_rate(const struct pipeline *p, const struct nn_run *how, pipeline_busy_fn *busy_ns);

typedef void pipeline_progress_fn(void *ctx, float done);

struct pipeline_request {
    struct pipeline_shape shape;
    const char *prompt; /* UTF-8 */
    size_t prompt_len;
    const char *negative; /* what guidance leads away from: words, or NULL for an empty prompt */
    size_t negative_len;
    const float *reference[FLUX2_REFERENCES_MAX]; /* [3][H][W], -1..1 */
    float reference_bias[FLUX2_REFERENCES_MAX];   /* transformer.h; the natural logarithm of the
                                                     weight of each one's keys */
    double start; /* 1, or the sigma to begin at on the way from reference 0 to the noise: then
                     reference 0 has the pictures' size. 0 < start <= 1 */
    const float *noise[FLUX2_BATCH_MAX]; /* [tokens][channels] each */
    float *pixels[FLUX2_BATCH_MAX];      /* out: [3][H][W], -1..1 but for some overshoot */
    pipeline_progress_fn *progress;      /* share 0..1, from the calling thread; may be NULL */
    void *progress_ctx;
};

/* One job at a time. ERR_CANCELLED, ERR_NOMEM, ERR_INVALID for what is no UTF-8, ERR_BUG where the
 * weights lead to what is no number. Pixels are half written on failure. */
MUST_USE enum err pipeline_run(struct pipeline *p, const struct nn_run *how,
                               const struct pipeline_request *r, struct err_note *note);

#endif
