/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_MOOD_PALETTE_H
#define PATINA_LOOK_MOOD_PALETTE_H

#include "look/maps.h"
#include "look/mood.h"

/*
 * A photo's colours moved to those of a palette: each goes to what it resembles in hue and
 * lightness, softly, and none of the palette stays without its share of the picture (optimal
 * transport with softened assignment, Cuturi 2013, of which the marginals are kept as lower bounds
 * only). Lightness and chroma keep their structure, and what was neutral stays calm. Private to
 * look/.
 */
struct mood_palette {
    int count; /* 0: no palette */
    float lab[MOOD_COLOURS_MAX][LAB];
    float near[MOOD_COLOURS_MAX][LAB]; /* the same, as compared */
    float weight[MOOD_COLOURS_MAX];
    float strict[MOOD_COLOURS_MAX]; /* factor on the distance of hues: greys want greys alone */
    float lift[MOOD_COLOURS_MAX];   /* of the lightness of what goes there */
    float strong;                   /* chroma of the photo's strong colours */
    float dye;
};

void mood_palette_make(const struct look_mood *m, const struct plane half[LAB],
                       struct mood_palette *out);

/* Moves one colour. */
void mood_palette_move(const struct mood_palette *p, float lab[LAB]);

#endif
