/* SPDX-License-Identifier: MIT */
#include "look/look.h"

int64_t look_bytes(const struct look_plan *p, int width, int height, int count)
{
    (void)p;
    // Per pixel: the picture at work (16), its relief (4), what is painted so far as the planner
    // sees it (12), the results (4 each); strokes and their cells.
    int64_t pixels = (int64_t)width * height;

    return pixels * (16 + 4 + 12 + 4 * count) + look_maps_bytes(width, height) + 24 * 1024 * 1024;
}

int64_t look_ms(const struct look_plan *p, int width, int height, int count, int threads)
{
    (void)p;
    // Measured (docs/speed.md): 230 to 250 ms of one processor per megapixel and picture with its
    // share of the maps, which take 140; another thread adds .9 of itself. Planning costs something
    // at any size.
    double mp = (double)width * height / 1e6;
    double ms = 60.0 + mp * (140.0 + 240.0 * count);

    return (int64_t)(ms / (1.0 + 0.9 * (threads - 1)));
}
