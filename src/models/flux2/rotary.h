/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_ROTARY_H
#define PATINA_MODELS_FLUX2_ROTARY_H

#include "models/flux2/config.h"

/*
 * Angles of rotary positions (Su et al. 2021), as cosine and sine, and those of the timestep.
 * Computed in double: a float's angle of position 511 would be off by 3e-5.
 */

/* A head's pairs turn by position * theta^(-2i / dims), axis by axis; one row of a table is the
 * axes side by side. FLUX2_AXES positions (t, y, x, l) to a token, axis[] dimensions each.
 * cosine, sine: [pairs], half of all dimensions. */
void rotary_row(const int axis[FLUX2_AXES], double theta, const double position[FLUX2_AXES],
                float *cosine, float *sine);

/* A row of the text: place i. A row of a grid: reference 0 is the picture itself. */
void rotary_text(const struct flux2_transformer_config *c, int rows, float *cosine, float *sine);
void rotary_grid(const struct flux2_transformer_config *c, struct flux2_grid g, int reference,
                 float *cosine, float *sine);

/* One axis alone: `rows` places of a head of `head` dimensions. [rows][head / 2] */
void rotary_places(int head, double theta, int rows, float *cosine, float *sine);

/* The sinusoids that the time's embedding begins with: out[0..half-1] cosines, then as many sines,
 * of sigma * 1000 * 10000^(-i / half). */
void rotary_time(double sigma, int half, float *out);

#endif
