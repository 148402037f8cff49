/* SPDX-License-Identifier: MIT */
/*
 * What a plan takes, from what its operators and maps declare. Memory is meant as an upper bound
 * within 30 %; time as the order of things, which the service corrects by what it measures.
 */
#include "look/look_internal.h"

// Threads, brushes, strokes and what the allocator keeps.
static const int64_t FIXED_BYTES = 18 << 20;
// Making the maps of a chain's second recipe, while those of the photo are kept.
static const int64_t CHAIN_BYTES = 12 << 20;
// A second thread adds this much of itself.
static const double THREAD_GAIN = 0.9;
// A megapixel and picture: beginning with the photo where that is needed, 8-bit samples at the end.
static const double BEGIN_MS = 7.0, END_MS = 5.0;
// Whatever there is to paint.
static const double START_MS = 5.0;
// What four times the effort (--q 4) adds to the time, and what a quarter of it saves.
static const double EFFORT_ADDS = 0.5, EFFORT_SAVES = 0.15;

// Of the picture at work, 16 a pixel, and of the greediest step.
static int64_t bytes_of_recipe(const struct recipe *r)
{
    int most = 0;

    for (int i = 0; i < r->steps; i++)
        most = r->step[i].op->scratch_bytes > most ? r->step[i].op->scratch_bytes : most;
    return (int64_t)sizeof(lane4) + most;
}

static int64_t bytes_of_part(const struct look_part *part, int width, int height)
{
    int64_t pixels = (int64_t)width * height, most = 0;

    for (int i = 0; i < part->recipes; i++) {
        int64_t bytes = pixels * bytes_of_recipe(part->recipe[i]);
        if (i > 0) // on the maps of the picture before
            bytes += CHAIN_BYTES + pixels * 4 +
                     look_maps_bytes(width, height, recipe_needs(part->recipe[i]));
        most = bytes > most ? bytes : most;
    }
    return most;
}

int64_t look_bytes(const struct look_plan *p, int width, int height, int count)
{
    int64_t pixels = (int64_t)width * height, most = 0;

    for (int i = 0; i < p->parts; i++) {
        int64_t bytes = bytes_of_part(&p->part[i], width, height);
        most = bytes > most ? bytes : most;
    }
    if (p->parts > 1) // a picture of each besides, and three planes to blend them
        most += pixels * 4 * p->parts;
    return pixels * 4 * count + look_maps_bytes(width, height, look_plan_needs(p)) + most +
           FIXED_BYTES;
}

static double ms_of_part(const struct look_part *part, int width, int height)
{
    double ms = 0.0, mp = (double)width * height / 1e6;

    for (int i = 0; i < part->recipes; i++) {
        const struct recipe *r = part->recipe[i];
        ms += mp * (END_MS + (r->step[0].op->covers ? 0.0 : BEGIN_MS));
        for (int k = 0; k < r->steps; k++)
            ms += mp * r->step[k].op->cost_ms;
        if (i > 0)
            ms += look_maps_ms(width, height, recipe_needs(r));
    }
    return ms;
}

int64_t look_ms(const struct look_plan *p, int width, int height, int count, int threads)
{
    static const double BLEND_MS = 110.0; // a megapixel and part
    double picture = 0.0, maps = look_maps_ms(width, height, look_plan_needs(p));

    for (int i = 0; i < p->parts; i++)
        picture += ms_of_part(&p->part[i], width, height) +
                   (p->parts > 1 ? BLEND_MS * width * height / 1e6 : 0.0);
    double q = (double)p->effort;
    double effort = 1.0 +
                    (q < 1.0 ? EFFORT_SAVES * (q - 1.0) / 0.75 : EFFORT_ADDS * (q - 1.0) / 3.0);
    double ms = START_MS + maps + effort * count * picture;
    return (int64_t)(ms / (1.0 + THREAD_GAIN * (threads - 1)));
}
