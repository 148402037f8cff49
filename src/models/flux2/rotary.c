/* SPDX-License-Identifier: MIT */
#include "models/flux2/rotary.h"

#include <math.h>

enum {
    REFERENCE_TIME = 10, /* how far references are apart on the axis t */
    TIME_PERIOD = 10000, /* the slowest of the timestep's sinusoids */
    TIMESTEPS = 1000     /* sigma 1 as the timestep that the model was trained with */
};

void rotary_row(const int axis[FLUX2_AXES], double theta, const double position[FLUX2_AXES],
                float *cosine, float *sine)
{
    for (int a = 0; a < FLUX2_AXES; a++) {
        for (int i = 0; i < axis[a] / 2; i++) {
            double angle = position[a] * pow(theta, -2.0 * i / axis[a]);
            *cosine++ = (float)cos(angle);
            *sine++ = (float)sin(angle);
        }
    }
}

void rotary_text(const struct flux2_transformer_config *c, int rows, float *cosine, float *sine)
{
    for (int i = 0; i < rows; i++) {
        const double position[FLUX2_AXES] = {0, 0, 0, i};
        rotary_row(c->axis, c->theta, position, cosine + (int64_t)i * (c->head / 2),
                   sine + (int64_t)i * (c->head / 2));
    }
}

void rotary_grid(const struct flux2_transformer_config *c, struct flux2_grid g, int reference,
                 float *cosine, float *sine)
{
    for (int y = 0; y < g.rows; y++) {
        for (int x = 0; x < g.columns; x++) {
            const double position[FLUX2_AXES] = {REFERENCE_TIME * reference, y, x, 0};
            rotary_row(c->axis, c->theta, position, cosine, sine);
            cosine += c->head / 2;
            sine += c->head / 2;
        }
    }
}

void rotary_places(int head, double theta, int rows, float *cosine, float *sine)
{
    const int axis[FLUX2_AXES] = {head};

    for (int i = 0; i < rows; i++) {
        const double position[FLUX2_AXES] = {i};
        rotary_row(axis, theta, position, cosine + (int64_t)i * (head / 2),
                   sine + (int64_t)i * (head / 2));
    }
}

void rotary_time(double sigma, int half, float *out)
{
    // The reference has the timestep as a float.
    const double t = (float)sigma * (float)TIMESTEPS;

    for (int i = 0; i < half; i++) {
        double angle = t * pow(TIME_PERIOD, -(double)i / half);
        out[i] = (float)cos(angle);
        out[half + i] = (float)sin(angle);
    }
}
