/* SPDX-License-Identifier: MIT */
#ifndef PATINA_ENGINE_ENGINE_FLUX2_PLAN_H
#define PATINA_ENGINE_ENGINE_FLUX2_PLAN_H

#include "models/flux2/pipeline.h"
#include "prompt/prompt.h"

/*
 * What a read prompt asks of the model. For engine_flux2.c alone. The model reads the words as they
 * are written, all of them; of the parameters these have a meaning, each with its effect measured
 * in docs/models.md:
 *
 *   --iw  how much the source's tokens weigh in attention: 2 counts each of them twice, 0 none
 *   --s   below 100: the sigma to begin at on the way from the source to the noise, .05 + .95 s /
 * 100
 *   --q   steps: times as many as the model was trained with
 */
struct flux2_reading {
    const char *text; /* in the arena */
    int steps;
    bool source; /* whether the source is looked at */
    float bias;  /* of its keys' scores */
    double start;
};

/* `steps` are the model's own. False: memory is short. */
bool flux2_reading_make(const struct prompt *p, int steps, struct arena *a,
                        struct flux2_reading *out);

/* Adds a "no_effect" warning for everything else that was asked for, and takes back what the reader
 * of prompts says of words that it does not know: the model does. */
void flux2_reading_warn(struct prompt *p, struct arena *a);

#endif
