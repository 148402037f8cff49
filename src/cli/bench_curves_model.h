/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_CURVES_MODEL_H
#define PATINA_CLI_BENCH_CURVES_MODEL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* The part of `patina bench curves` that is about the neural engine. */

enum { BENCH_CURVES_PHOTOS_MAX = 16 };

struct bench_curves_model {
    const char *model, *isa;  /* isa NULL: the best */
    const char *only;         /* "all", or a parameter: "s" */
    const char *const *photo; /* paths */
    int photos;               /* 0: the made-up scene */
    int64_t pixels;
    int threads;
    bool json;
};

/* Measures and prints. Errors of opening photos and the engine, ERR_NOMEM, ERR_INVALID for a
 * parameter that a model has not. */
MUST_USE enum err bench_curves_of_model(const struct bench_curves_model *m, struct err_note *note);

#endif
