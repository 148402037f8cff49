/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_PROMPTS_H
#define PATINA_MODELS_FLUX2_PROMPTS_H

#include "models/flux2/text_encoder.h"
#include "models/flux2/tokenizer.h"

/*
 * What the text encoder made of recent prompts, told apart by their tokens: the same words are
 * often asked for again, and encoding them takes as long as a quarter of a step.
 */
enum { PROMPTS_KEPT = 4 }; /* 16 MB each of the published model */

struct prompts {
    struct prompt_kept {
        int32_t ids[TOKENIZER_TOKENS];
        float *rows;  /* [TOKENIZER_TOKENS][width], NULL: free */
        int64_t used; /* when, in turns */
    } kept[PROMPTS_KEPT];
    int64_t turn;
};

void prompts_release(struct prompts *p);

bool prompts_has(const struct prompts *p, const int32_t ids[TOKENIZER_TOKENS]);

/* *out lives until PROMPTS_KEPT - 1 other prompts were asked for. Errors of text_encoder_run(). */
MUST_USE enum err prompts_encode(struct prompts *p, const struct text_encoder *t,
                                 const struct nn_run *how, const int32_t ids[TOKENIZER_TOKENS],
                                 int used, const float **out);

#endif
