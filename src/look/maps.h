/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_MAPS_H
#define PATINA_LOOK_MAPS_H

#include "image/image.h"
#include "look/plane.h"

#include <stdint.h>

/*
 * Structure maps: what a look knows of the photo. Made once per photo and shared, read-only, by
 * its pictures. Private to look/.
 *
 * UNITS. Every length of a look is in units: pixels at a long side of 1024, so that a photo gives
 * the same picture at every size. (Of a picture longer than 8:3 the short side counts as 384
 * units, or brushes would be as large as the picture.)
 *
 * Two resolutions: `full`, at most one pixel per unit, for colours that marks are sampled from, and
 * `half` of that for everything that varies slowly. Fields not asked for by `needs` (and not needed
 * by those asked for) are empty.
 */
enum look_need {
    NEED_FINE = 1 << 0,       /* fine: the photo without sensor noise */
    NEED_ABSTRACT = 1 << 1,   /* mid, coarse: edge-preserving abstraction */
    NEED_FLOW = 1 << 2,       /* flow_c, flow_s, coherence */
    NEED_IMPORTANCE = 1 << 3, /* importance */
    NEED_LINES = 1 << 8,      /* lines */
    NEED_TONE = 1 << 9,       /* tone */
    NEED_FLAT = 1 << 10,      /* flat */
    NEED_INK = 1 << 11,       /* ink */
    NEED_SUBJECT = 1 << 15,   /* subject */
    NEED_FORM = 1 << 16,      /* form, slope, cavity, shade: the photo as a relief */
};

enum { LAB = 3 }; /* planes of a colour: OKLab's L, a, b */

struct look_maps {
    int width, height;   /* of the result, pixels */
    float px_per_unit;   /* of the result */
    float full_per_unit; /* pixels of the full-size maps per unit, at most 1 */
    float half_per_unit;

    struct plane full[LAB]; /* the photo */
    struct plane half[LAB];
    float noise; /* standard deviation of sensor noise in L, estimated at full size */

    struct plane fine[LAB];             /* full size */
    struct plane mid[LAB], coarse[LAB]; /* half size: shapes of 4 and of 10 units and more */

    /* Direction along which the picture does not change, as (cos, sin) of TWICE its angle, strong
     * edges ruling the weak areas around them; half size. */
    struct plane flow_c, flow_s;
    struct plane coherence;  /* 0: no direction of its own, 1: a clear edge or line */
    struct plane importance; /* 0: background, 1: eyes, faces, lettering; half size */
    struct plane lettering;  /* 1: lines of print; made with importance; half size */
    struct plane skew; /* 0: what stands out is darker than its ground, 1: lighter; as lettering */

    struct plane lines;     /* 0: none, 1: a strong contour, dark side of the edge; full size */
    struct plane tone;      /* 0: black, 1: paper; lightness spread for drawing; full size */
    struct plane flat[LAB]; /* areas of one colour with sharp borders; full size */
    struct plane strokes;   /* 1: near thin light strokes; made with flat; half size */
    struct plane ink;       /* clean lines, 1 in their middle; .2 and less is no line; full size */
    struct plane ridge;     /* the same of one strength along all of a line; full size */

    struct plane subject; /* 0: the ground, 1: what stands before it; half size */

    struct plane form;             /* height of the relief without detail, units; half size */
    struct plane slope_x, slope_y; /* of the relief with detail, most below 1; full size */
    struct plane cavity;           /* 1: open, towards 0: deep in a hollow; half size */
    struct plane shade;            /* lightness of the photo, its range as 0..1; full size */

    struct mood_scene *mood; /* how colours and tones above were lit; NULL: as in the photo */
};

/* Every map: what look_maps owns but for its mood. */
struct look_map {
    const char *name; /* of the field */
    uint32_t need;    /* that asks for it, 0: always there; others may need it as well */
    int planes;
    size_t at; /* offset of the field */
};

extern const struct look_map look_map_table[]; /* ends with a name of NULL */

static inline struct plane *look_map_planes(struct look_maps *m, const struct look_map *map)
{
    return (struct plane *)((char *)m + map->at);
}

/* ERR_NOMEM, ERR_CANCELLED; then *out is empty. */
MUST_USE enum err look_maps_new(const struct image *source, uint32_t needs, struct pool *pool,
                                const atomic_bool *cancel, struct look_maps **out);

/* The same of a photo with less or more of its fine structure: `detail` 0..3, 1 leaves it alone. */
MUST_USE enum err look_maps_detailed(const struct image *source, uint32_t needs, float detail,
                                     struct pool *pool, const atomic_bool *cancel,
                                     struct look_maps **out);
void look_maps_free(struct look_maps *m); /* NULL is fine */

/* Bytes that maps with these needs take for a picture of this size, and milliseconds of one usual
 * processor to make them. */
int64_t look_maps_bytes(int width, int height, uint32_t needs);
double look_maps_ms(int width, int height, uint32_t needs);

/* Pixels per unit of a picture. */
float look_px_per_unit(int width, int height);

/* Colour at (x, y) in units. */
static inline void lab_at(const struct plane lab[LAB], float per_unit, float x, float y,
                          float out[LAB])
{
    struct plane_place w = plane_place(&lab[0], x * per_unit, y * per_unit);

    for (int k = 0; k < LAB; k++)
        out[k] = plane_mix(&lab[k], &w);
}

#endif
