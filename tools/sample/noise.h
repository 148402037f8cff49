/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_NOISE_H
#define PATINA_SAMPLE_NOISE_H

#include "vec.h"

/* Smooth value noise, -1..1, one feature per unit. Pure. */
float noise(struct vec p);

/* Octaves of noise, each half as large and half as strong; about -1..1. */
float fractal(struct vec p, int octaves);

/* The distance to the nearest of one random point per unit cell, 0..about 1. */
float cells(struct vec p);

#endif
