/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_NN_STAGES_H
#define PATINA_CLI_BENCH_NN_STAGES_H

#include "cli/bench_nn_ops.h"

/* For `patina bench nn`: the stages of a picture of 512 x 512 with one reference. */

/* Seconds; 0: not measured. */
struct nn_stages {
    double text_s, vae_in_s, vae_out_s;
    double step_s, step_four_s; /* of one picture, and of four at once */
    double picture_s, four_s;   /* their sums for a job of four steps */
};

/* Only the step of one picture unless `all`. `scaled`: the model is
 * flux2_random()'s shallow one, and what it takes is multiplied by what the whole one has more to
 * do. ERR_INVALID, ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err bench_nn_stages(const struct packed *model, const struct nn_bench *b, bool all,
                                  bool scaled, struct nn_stages *out, struct err_note *note);

#endif
