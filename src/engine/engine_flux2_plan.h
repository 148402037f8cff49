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
 *   --sw  the same of the style picture's, in hundredths
 *   --s   below 100: the sigma to begin at on the way from the source to the noise:
 *         .05 + .95 s / 100
 *   --q   steps: times as many as the model was trained with
 *   --no  what guidance leads away from, where there is guidance
 *   --chaos  how much of each picture's noise is its own, .3 + .7 chaos / 100; the rest all four
 *         share. Not given: all of it
 */
struct flux2_reading {
    const char *text;     /* in the arena */
    const char *negative; /* likewise; "" for nothing */
    int steps;
    bool source;                      /* whether the source is looked at */
    bool style;                       /* and the style picture */
    float bias[FLUX2_REFERENCES_MAX]; /* of their keys' scores */
    double start;
    float own; /* of its noise: own^2 + shared^2 is 1 */
};

/* What there is to read a prompt by. */
struct flux2_given {
    int steps;   /* the model's own */
    bool guided; /* it takes words to lead away from: a base model */
    bool style;  /* there is a style picture */
};

/* False: memory is short. */
bool flux2_reading_make(const struct prompt *p, const struct flux2_given *given, struct arena *a,
                        struct flux2_reading *out);

/* Adds a "no_effect" warning for everything else that was asked for, and takes back what the reader
 * of prompts says of words that it does not know: the model does. */
void flux2_reading_warn(struct prompt *p, const struct flux2_given *given, struct arena *a);

#endif
