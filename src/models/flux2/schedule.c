/* SPDX-License-Identifier: MIT */
#include "models/flux2/schedule.h"

#include <assert.h>
#include <math.h>

/* Lines through what Black Forest Labs measured at 10 and at 200 steps (FLUX.2's published
 * sampler); above MANY_TOKENS it has one line alone. */
enum { MANY_TOKENS = 4300 };

double schedule_mu(int64_t tokens, int steps)
{
    double n = (double)tokens;
    double at_10 = 8.73809524e-5 * n + 1.89833333, at_200 = 0.00016927 * n + 0.45666666;

    if (tokens > MANY_TOKENS)
        return at_200;
    return at_200 + (at_200 - at_10) / 190.0 * (steps - 200);
}

// The shift towards noise of t in (0..1], and what undoes it.
static double shifted(double t, double mu)
{
    return exp(mu) / (exp(mu) + (1.0 / t - 1.0));
}

static double unshifted(double sigma, double mu)
{
    return 1.0 / (1.0 + exp(mu) * (1.0 / sigma - 1.0));
}

void schedule_sigmas(int64_t tokens, int steps, double start, double *out)
{
    double mu = schedule_mu(tokens, steps);

    assert(tokens > 0 && steps >= 1 && steps <= FLUX2_STEPS_MAX && start > 0.0 && start <= 1.0);
    // Spaced evenly before the shift, so that below `start` large and small pictures keep their
    // different pace.
    double first = unshifted(start, mu);
    for (int i = 0; i < steps; i++)
        out[i] = shifted(first * (1.0 - (double)i / steps), mu);
    out[0] = start;
    out[steps] = 0.0;
}
