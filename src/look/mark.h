/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_MARK_H
#define PATINA_LOOK_MARK_H

#include "look/op.h"

/*
 * Marks of a dry point: thin chains of straight pieces whose pressure changes along them, drawn on
 * the paper's tooth (dry.h). Private to look/.
 */
enum { MARK_POINTS_MAX = 9 };

struct mark {
    int points;                                   /* under 2: nothing is drawn */
    float x[MARK_POINTS_MAX], y[MARK_POINTS_MAX]; /* pixels */
    float pressure[MARK_POINTS_MAX];              /* 0..1 */
    float radius;                                 /* pixels, at full pressure */
    float dark; /* the photo's darkness at its middle: strokes spare what is lighter, 0: do not */
    float lab[LAB];
};

/* Draws marks in their order; soft as in dry_take(). Needs NEED_TONE. ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err mark_draw(struct look_picture *p, const struct mark *mark, int count, float soft);

#endif
