/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_TILES_H
#define PATINA_LOOK_TILES_H

#include "look/cells.h"
#include "look/span.h"

/*
 * Square tiles in rows along the picture's edges, none across the border of two pieces: laid row by
 * row as Di Blasi and Gallo 2005 do, then moved to the middles of their places, which are those of
 * Hausner 2001: his distance is that of a square turned with the picture's flow, in tile sizes.
 * Private to look/. Operators that use it need NEED_FLOW besides what cells do.
 */
struct tile {
    float x, y; /* middle, units */
    float c, s; /* direction of a side */
    float size; /* side with its share of the grout, units */
    float per;  /* 2 / size */
    int label;  /* piece of the cut that it lies in */
    float lab[LAB];
};

struct tiles {
    const struct cells *cells; /* borrowed */
    struct tile *tile;         /* owned */
    int count;
    int *start, *near; /* of each block, the tiles near it: near[start[i]..start[i + 1]); owned */
    int cols, rows, room;
    float block; /* side, units */
};

/* size: of a tile where nothing is important; small: share of it where all is. ERR_NOMEM,
 * ERR_CANCELLED; release with tiles_release(). */
MUST_USE enum err tiles_new(struct tiles *t, const struct look_picture *p, const struct cells *c,
                            float size, float small);
void tiles_release(struct tiles *t);

/* Its steps: where tiles go, with t->cells set; only x, y, c, s, size and per of each are. */
MUST_USE enum err tiles_lay(struct tiles *t, const struct look_picture *p, float size, float small);
float tile_side(const struct look_picture *p, float size, float small, float x, float y);
void tile_turn(const struct look_picture *p, struct tile *k); /* sets c and s */

/* The tiles that 1..SPAN places of a row belong to. A tile is looked for up to
 * its own size away along x and y, to the next block: what lies farther is no place's. */
struct tile_spots {
    int tile[SPAN];       /* -1: none near */
    float middle[SPAN];   /* distance to its middle, 1 at its sides */
    float distance[SPAN]; /* the same, but more across the border of pieces */
    float second[SPAN];   /* the latter of the runner-up */
};

/* x, y in units, x rising; label: the piece at each. */
void tiles_span(const struct tiles *t, const float *x, float y, const int *label, int n,
                struct tile_spots *out);

/* Distance of a place from a tile's middle: 1 at its sides. */
static inline float tile_distance(const struct tile *t, float x, float y)
{
    float dx = x - t->x, dy = y - t->y;
    float along = fabsf(dx * t->c + dy * t->s), across = fabsf(dy * t->c - dx * t->s);

    return (along > across ? along : across) * t->per;
}

#endif
