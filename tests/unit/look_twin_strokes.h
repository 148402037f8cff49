/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TEST_LOOK_TWIN_STROKES_H
#define PATINA_TEST_LOOK_TWIN_STROKES_H

#include "look_twin.h"

#include "look/stroke.h"

/* Between the twins of planning (look_twin_plan.c) and of laying strokes (look_twin_strokes.c). */
struct mark_list {
    struct stroke *stroke; /* of the desk */
    int count;
};

/* What the strokes of that layer would be on a picture of those pixels, in order of laying. */
struct mark_list tw_plan(const struct bench *b, struct desk *d, const lane4 *px,
                         const struct stroke_layer *layer);

/* The layer and the brush that the operator makes of its parameters. */
void tw_layer(const struct bench *b, struct stroke_layer *layer, struct brush_kind *kind);

#endif
