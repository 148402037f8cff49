/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_LABEL_H
#define PATINA_SAMPLE_LABEL_H

/* The bottle's label, as a function of the angle around the bottle (radians, 0 to the front) and
 * the height (metres): 1 where there is paper, and how much ink is on it. */
float label_at(float angle, float height, float *ink);

#endif
