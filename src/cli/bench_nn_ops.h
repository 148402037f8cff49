/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_NN_OPS_H
#define PATINA_CLI_BENCH_NN_OPS_H

#include "nn/pack.h"
#include "nn/run.h"

/* For `patina bench nn`: its operators one by one, in the shapes that they have in a step at 512 x
 * 512 with one reference, with a model's own weights and random inputs. */

struct nn_bench {
    const struct nn_run *how;
    int repeats;   /* the best counts */
    bool cpu_time; /* the process's time over its threads, instead of the clock's */
};

struct nn_op {
    const char *name; /* for JSON */
    char shape[48];   /* for people */
    enum dtype dtype; /* of the products */
    double tflops;    /* 10^12 multiplications and additions a second */
};

enum { NN_OPS = 7 };

/* ERR_INVALID for a model that lacks them, ERR_NOMEM,
 * ERR_CANCELLED. */
MUST_USE enum err bench_nn_ops(const struct packed *model, const struct nn_bench *b,
                               struct nn_op out[NN_OPS], struct err_note *note);

/* Seconds since some time in the past. */
double bench_nn_now(const struct nn_bench *b);

/* Numbers of -1..1, the same each time. */
void bench_nn_fill(float *out, int64_t count);

#endif
