/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_LOOK_H
#define PATINA_CLI_BENCH_LOOK_H

#include "base/err.h"
#include "image/image.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * `patina bench look`: how long a picture of the look engine takes, per megapixel: (maps + four
 * renders) / 4, the best of some runs, on 1 and 2 threads; beside a copy of the same pixels in
 * memory and, where gmic is installed and `peers` is set, beside its brush filters (whole process,
 * reading and writing a PNG included).
 */
struct bench_look_options {
    const struct image *photo; /* NULL: a scene made up here */
    const char *prompt;        /* NULL: "oil painting" */
    int repeats;               /* of each measurement; at least 1 */
    bool peers;
    bool json; /* one object instead of a table */
};

/* Writes its table to `out`. Errors of engine_run(). */
MUST_USE enum err bench_look(const struct bench_look_options *o, FILE *out, struct err_note *note);

#endif
