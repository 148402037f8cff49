/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_WATCH_H
#define PATINA_MODELS_FLUX2_WATCH_H

#include "models/flux2/text_encoder.h"
#include "models/flux2/transformer.h"
#include "nn/matrix.h"

/*
 * For this folder and its tests: what flows between the layers, to hold against what the reference
 * implementation has there.
 *
 * Text encoder: "layer", its index, the stream behind it.
 * Transformer: "time" and "modulation" (0 picture, 1 text, 2 single) of one row; "double" and
 * "single", their index, the stream behind them, whose rows are the text of each picture, the
 * references for each picture, the pictures. Of the last single block only the pictures' rows mean
 * anything.
 */
struct flux2_watch {
    void (*fn)(void *ctx, const char *name, int index, const struct matrix *m); /* NULL: nobody */
    void *ctx;
};

static inline void flux2_seen(const struct flux2_watch *w, const char *name, int index,
                              const struct matrix *m)
{
    if (w->fn)
        w->fn(w->ctx, name, index, m);
}

/* text_encoder_run(), watched. */
enum err text_encoder_run_watched(const struct text_encoder *t, const struct nn_run *how,
                                  const int32_t *ids, int tokens, int used, float *out,
                                  const struct flux2_watch *watch);

/* For the runs that follow; copied. */
void transformer_plan_watch(struct transformer_plan *p, const struct flux2_watch *watch);

#endif
