/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_CELLS_H
#define PATINA_LOOK_CELLS_H

#include "look/op.h"

/*
 * The picture cut into pieces that follow its shapes, as glass or stone is cut: of one colour each
 * where the photo allows it, none too small to cut, their outlines smooth. Every picture of a job
 * has its own cut. Private to look/. Operators that use it need NEED_ABSTRACT and NEED_IMPORTANCE.
 *
 * Superpixels (SLIC, Achanta et al. 2012) are joined, cheapest pair first, until as many are left
 * as are wanted; then outlines move by their curvature (diffusion and threshold: Merriman, Bence
 * and Osher 1992), which rounds corners and drops slivers.
 *
 * Importance makes borders dear (no lead cuts through a face), and so does a border's strength and
 * the size of what it parts; slivers and crumbs are cheap. Outlines move to the label with the
 * greatest Gaussian share around a pixel, sigma 4.2 units; shares are of sigma 3, and at least .6
 * pixels.
 */
enum { CELL_SHARES = 3 };

/* Blurred membership of a half-size pixel in the pieces around it, greatest first. From one pixel
 * to the next it changes smoothly, so outlines are sharp at any size. */
struct cell_shares {
    uint16_t label[CELL_SHARES];
    float share[CELL_SHARES];
};

struct cells {
    int width, height; /* of the half size */
    int count;         /* labels are 0..count-1; smoothing may have left some without a pixel */
    float per_unit;
    float sigma;            /* of the membership's blur, units */
    struct cell_shares *at; /* owned */
};

/* About `pieces` of them, 1 to 1000; `passes` of moving outlines; large calm ones cut into panes
 * with sides of about `quarry` units (0: not). ERR_NOMEM, ERR_CANCELLED; release with
 * cells_release(). */
MUST_USE enum err cells_new(struct cells *c, const struct look_picture *p, float pieces, int passes,
                            float quarry);
void cells_release(struct cells *c);

struct cell_spot {
    int label, other; /* other: across the nearest border; -1: far from any */
    float border;     /* distance to it, units; at most 1.89 sigma, which stands for "far" */
};

/* x, y in units. */
void cells_at(const struct cells *c, float x, float y, struct cell_spot *out);

/* The steps of cells_new(), for its tests. `label` has one entry per half-size pixel. */
MUST_USE enum err cells_superpixels(const struct look_picture *p, float step, uint16_t *label,
                                    int *count);
/* Each connected part of one label, and of one `second` label if there are such, gets a label of
 * its own; parts under `least` pixels go to a neighbour. */
MUST_USE enum err cells_parts(uint16_t *label, const uint16_t *second, int w, int h, int least,
                              int *count);
MUST_USE enum err cells_quarry(const struct look_picture *p, float side, uint16_t *label,
                               int *count);
MUST_USE enum err cells_join(const struct look_maps *m, int target, bool grounds, uint16_t *label,
                             int *count);
MUST_USE enum err cells_smooth(struct cells *c, const struct look_picture *p, uint16_t *label,
                               int passes);

#endif
