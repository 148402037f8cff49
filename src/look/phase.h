/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_PHASE_H
#define PATINA_LOOK_PHASE_H

#include "look/op.h"

/*
 * Fields of evenly spaced lines that follow the photo's forms. Private to look/.
 *
 * Two lines of an engraving keep their distance while they bend, which no function of the place
 * gives where the direction changes freely. So the phase is put together from pieces of plane waves
 * on a jittered grid, each turned as the flow is at its place, whose phases are then made to agree
 * with those of their neighbours (phasor noise, Tricard et al. 2019). Where they cannot agree, a
 * line ends, as a burin's does.
 *
 * A piece weighs (1 - d^2 / 4)^2 along x and along y, d in cells: two cells far. It takes the mean
 * phase that the lines of the pieces around would have at its place, weighed by that and by the
 * squared cosine between their directions; first row by row, from those before it, then twice from
 * all, every third row at once. A pixel's phase is that of the sum of all pieces' waves, each
 * headed like the piece of the pixel's own cell.
 */
struct phase_kind {
    float period; /* between lines, units */
    float cell;   /* between pieces, units; at least the period */
    float smooth; /* forms smaller than this do not turn the lines, units */
    float angle;  /* direction where no form rules, turns clockwise from the right */
    float follow; /* 0: straight lines; 1: forms rule */
    float turn;   /* added everywhere, for lines that cross others */
    uint32_t seed;
};

/* Fills `out`, of the picture's size: 0 in the middle of a line, 1 in the middle between two.
 * Needs NEED_FLOW. ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err phase_field(const struct look_picture *p, const struct phase_kind *kind,
                              struct plane *out);

#endif
