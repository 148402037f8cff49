/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_TEXTURE_H
#define PATINA_SAMPLE_TEXTURE_H

#include "scene.h"

/* Tilts the normal by the slope of a height field over space. */
void bump(struct surface *s, const struct hit *hit, float frequency, float strength, int octaves);

/* A clear coat. */
void coat(struct surface *s, float mirror, float rough);

#endif
