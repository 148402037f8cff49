/* SPDX-License-Identifier: MIT */
#include "models/flux2/noise.h"

#include "base/rand.h"

#include <math.h>

void noise_fill(uint32_t seed, int64_t count, float *out)
{
    static const double TURN = 6.283185307179586, UNIT = 1.0 / 4294967296.0;
    struct pcg p;

    pcg_seed(&p, seed, NOISE_STREAM);
    for (int64_t i = 0; i < count; i += 2) {
        double radius = sqrt(-2.0 * log((pcg_u32(&p) + 1.0) * UNIT));
        double angle = TURN * (pcg_u32(&p) * UNIT);
        out[i] = (float)(radius * cos(angle));
        if (i + 1 < count)
            out[i + 1] = (float)(radius * sin(angle));
    }
}
