/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_SCHEDULE_H
#define PATINA_MODELS_FLUX2_SCHEDULE_H

#include "models/flux2/flux2.h"

/*
 * Noise levels of a flow-matching sampler with FLUX.2's shift by picture size. sigma 1 is pure
 * noise, 0 the picture; the latent at sigma is (1 - sigma) z + sigma noise, and a step is
 * z += (sigma[i + 1] - sigma[i]) v.
 */

/* The shift for `tokens` target tokens and `steps` steps: linear in tokens, between the lines for
 * 10 and 200 steps; above 4300 tokens the 200-step line alone (a jump down, as in the reference).
 */
double schedule_mu(int64_t tokens, int steps);

/* Fills out[0..steps]: the last is 0. 1 <= steps <= FLUX2_STEPS_MAX. `start` (0..1] is the sigma to
 * begin at: 1 for a picture from noise, less keeps more of a given one, with the steps re-spaced
 * below it. */
void schedule_sigmas(int64_t tokens, int steps, double start, double *out);

#endif
