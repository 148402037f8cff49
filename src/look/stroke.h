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

/* ERR_NOMEM, ERR_CANCELLED. The list is in the order of laying. */
MUST_USE enum err stroke_plan(const struct look_picture *p, const struct stroke_layer *layer,
                              struct stroke_list *out);

struct stroke_paint {
    const struct brush *brush;
    float opacity;
    float streak; /* difference of L between bristles */
    float keep;   /* share of the relief below that shows through */
};

/* ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err stroke_lay(struct look_picture *p, const struct stroke_list *list,
                             const struct stroke_paint *paint);

#endif
