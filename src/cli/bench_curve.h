/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_CURVE_H
#define PATINA_CLI_BENCH_CURVE_H

#include "base/json.h"
#include "image/image.h"

/* For `patina bench curves`: some measure at five values of a parameter, from the least to the
 * most, and whether it goes one way. */

enum { CURVE_POINTS = 5 };

enum verdict { CURVE_GOES, CURVE_FLAT, CURVE_WRONG };

struct curve {
    double at[CURVE_POINTS];
    enum verdict verdict;
};

/* Sets the verdict; sense 1: it shall rise, -1: fall. It may lean back by a twentieth of its range,
 * no more: neither eyes nor seeds are that exact. */
void curve_judge(struct curve *c, int sense);

/* Prints " least ▁▃▅▇█ most" and a mark: "-" flat, "!" wrong. */
void curve_plot(const struct curve *c);

/* As the value of a key: {"verdict","at":[..]}, open for more keys. */
void curve_begin_json(const struct curve *c, struct json_writer *w);

/* Mean distance in Oklab over squares of `step` pixels of two pictures of one size: 1 compares
 * pixels, more compares what a blur leaves. */
double picture_distance(const struct image *a, const struct image *b, int step);

#endif
