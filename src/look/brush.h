/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_BRUSH_H
#define PATINA_LOOK_BRUSH_H

#include "look/op.h"

/*
 * What a loaded brush leaves: pictures of single strokes, straightened, u from where the brush is
 * set down (0) to where it is lifted (1), v across. Lanes: cover 0..1, height 0..about 1.4,
 * tone (-1..1, paint that was not mixed through), unused. Private to look/.
 */
enum {
    BRUSH_STROKES = 6, /* prints of strokes, then */
    BRUSH_DABS = 2,    /* of dabs: round, because they are hardly longer than wide */
    BRUSH_PRINTS = BRUSH_STROKES + BRUSH_DABS
};

struct brush {
    int along, across; /* texels of a print */
    lane4 *texel;      /* BRUSH_PRINTS prints; owned */
};

struct brush_kind {
    float bristles; /* clumps of bristles across the brush */
    float dryness;  /* 0: loaded, 1: hardly any paint */
    float knife;    /* 0: a brush, 1: a palette knife */
    uint32_t seed;
};

/* `radius_px` is that of the widest stroke: prints get about a texel per pixel. ERR_NOMEM,
 * ERR_CANCELLED. */
MUST_USE enum err brush_new(struct brush *b, const struct brush_kind *kind, float radius_px,
                            struct pool *pool, const atomic_bool *cancel);
void brush_release(struct brush *b);

#endif
