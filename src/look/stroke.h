/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_STROKE_H
#define PATINA_LOOK_STROKE_H

#include "look/brush.h"

/*
 * Curved strokes (Hertzmann 1998): planned in units from the photo and from what is painted so far,
 * then laid onto the picture in a fixed order. Private to look/.
 */
enum { STROKE_POINTS_MAX = 14 };

struct stroke {
    float x[STROKE_POINTS_MAX], y[STROKE_POINTS_MAX]; /* units, from set down to lift */
    int points;                                       /* at least 2 */
    float radius;                                     /* units */
    float colour[LAB];
    float height; /* of the paint, units */
    uint8_t print;
    bool mirrored;
    uint32_t order; /* strokes are laid in rising order */
};

struct stroke_list {
    struct stroke *stroke; /* owned */
    int count;
};

void stroke_list_release(struct stroke_list *l);

/* One layer: a brush of one size over the whole picture. Lengths in units, differences in OKLab. */
struct stroke_layer {
    float radius;
    float spacing;        /* of the grid on which strokes start, in radii */
    float length;         /* longest, in radii */
    float curvature;      /* 0: straight, 1: follows the flow at once */
    float threshold;      /* mean difference to the photo that calls for a stroke; 0: everywhere */
    float calm;           /* how much less is painted where nothing is important, 0..1 */
    float edge;           /* difference of colour that a stroke does not cross */
    float stray;          /* largest turn away from the flow, turns */
    float swirl;          /* 1: whirls where the photo has no direction */
    float vary_l, vary_c; /* largest random change of colour */
    float height;
    uint32_t seed;
};

/*
 * One stroke at most for each cell of radius * spacing units, row by row. A cell wants one where
 * the mean difference over it reaches threshold * (1 + calm * (1.6 - 2.2 importance)); it begins
 * between a place of the cell's dice and the centre of the differences squared, nearer to that the
 * larger they are. The photo is seen in `fine` by radii under 5, in `mid` under 12, in `coarse`
 * above.
 *
 * A stroke goes both ways from there in up to six equal steps, each bending towards the flow by
 * `curvature`, as long as the photo stays within `edge` of the stroke's first colour and the stroke
 * would be nearer to the photo than what is painted. Its colour is the mean along it. It is .75 to
 * 1.1 radii wide, .55 to 1 `length` long, thinner beside an edge, and a dab where no step is open.
 *
 * ERR_NOMEM, ERR_CANCELLED. The list is in the order of laying: that of the cells' hashes.
 */
MUST_USE enum err stroke_plan(const struct look_picture *p, const struct stroke_layer *layer,
                              struct stroke_list *out);

struct stroke_paint {
    const struct brush *brush;
    float opacity;
    float streak; /* difference of L between bristles */
    float keep;   /* share of the relief below that shows through */
};

/*
 * Stroke after stroke. Between two points a pixel belongs to the piece if it is past the line
 * across the stroke's direction at the first and before that at the second; the direction turns
 * evenly in between, and the pixel's place along (share of the length) and across (share of the
 * radius) picks the print's texel, bilinear. Paint covers by the print's cover * opacity; its
 * height by what is kept of the height below. ERR_NOMEM, ERR_CANCELLED.
 */
MUST_USE enum err stroke_lay(struct look_picture *p, const struct stroke_list *list,
                             const struct stroke_paint *paint);

#endif
