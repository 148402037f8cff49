/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_OP_H
#define PATINA_LOOK_OP_H

#include "base/buf.h"
#include "look/maps.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Operators: the steps that recipes are made of. One C file in ops/ each, which declares its
 * parameters in one table: recipes are checked against it, and the help is written from it.
 *
 * An operator changes the picture at hand, which begins as the photo. It may run loops on the pool
 * but not start threads, may be given any size from 1 x 1 up, and yields the same bits however many
 * threads there are.
 */

/* Four floats that are worked on as one: a pixel's L, a, b and height. GCC and clang turn this into
 * whatever vectors the processor has; each lane is computed alone, so results do not differ. */
typedef float lane4 __attribute__((vector_size(16)));

/* Which of the four at hand, drawn from its seed; see variation.c. */
struct look_variation {
    uint32_t seed;
    float shift[LAB];       /* of the whole palette, OKLab */
    float split;            /* lights warmer and shadows cooler by this much of b */
    float chroma;           /* factor */
    float contrast;         /* factor around the middle of L */
    float light_x, light_y; /* unit vector towards the light; y down */
    float brush;            /* factor on every brush */
    float wander;           /* turns that the stroke direction may stray where nothing rules it */
};

/* A hue to keep out (`--no red`): chroma is taken away around it. */
struct look_exclusion {
    float c, s;  /* direction in the a-b plane */
    float width; /* cosine at which it ends */
};

enum { LOOK_EXCLUSIONS_MAX = 8 };

struct look_picture {
    int width, height;
    float px_per_unit;
    lane4 *px;   /* L, a, b, height of the paint in units (of transparent paint: pigment beyond
                    what the colour says); rows without gaps; owned */
    bool linear; /* finished by light: px are linear R, G, B instead; not all looks are */

    const struct look_maps *maps;
    struct look_variation variation;
    struct look_exclusion exclude[LOOK_EXCLUSIONS_MAX];
    int excluded;
    bool flat;                     /* no relief wanted */
    bool bare;                     /* no canvas wanted */
    const struct mood_scene *mood; /* light and palette of the prompt; NULL: none */

    struct pool *pool;
    const atomic_bool *cancel;
};

static inline lane4 *picture_row(const struct look_picture *p, int y)
{
    return p->px + (size_t)y * (size_t)p->width;
}

struct look_param {
    const char *name;
    float least, most, normal; /* range and default */
    const char *help;          /* one line; names the unit */
};

enum { LOOK_PARAMS_MAX = 24 };

/* What a prompt can take away ("--no relief"): bits. */
enum look_without {
    WITHOUT_RELIEF = 1 << 0, /* light on forms or paint */
    WITHOUT_CANVAS = 1 << 1  /* threads, or the tooth of paper */
};

struct look_op {
    const char *name;
    const char *help;
    const struct look_param *param; /* ends with a name of NULL; at most LOOK_PARAMS_MAX */
    uint32_t needs;                 /* maps it reads, enum look_need */
    uint32_t without;               /* what can be taken away from it, enum look_without */
    int cost_ms;                    /* of one usual processor for a megapixel: for progress and for
                                       estimates, which the service corrects by what it measures */
    int scratch_bytes;              /* for a pixel, while it runs */
    bool finishes;                  /* leaves linear light: nothing may follow it */
    bool covers; /* makes every pixel of the maps alone: where it is first, px is not the photo yet
                    but unset */

    /* `value` has one entry per parameter, each inside its range. ERR_NOMEM, ERR_CANCELLED. */
    enum err (*run)(struct look_picture *p, const float *value);
};

/* All operators, NULL-terminated. */
extern const struct look_op *const look_op_table[];

/* Appends the reference of all operators as Markdown: what docs/looks.md holds. */
void look_op_describe(struct buf *out);

/* NULL: there is no such operator. */
const struct look_op *look_op_find(const char *name, size_t len);

extern const struct look_op look_op_underpaint, look_op_strokes, look_op_grade, look_op_relief;
extern const struct look_op look_op_contour, look_op_hatch, look_op_paper, look_op_shade;
extern const struct look_op look_op_engrave;
extern const struct look_op look_op_wash, look_op_glaze, look_op_pigment;
extern const struct look_op look_op_glass, look_op_came, look_op_tesserae;
extern const struct look_op look_op_metal, look_op_stone, look_op_timber, look_op_weather;
extern const struct look_op look_op_flats, look_op_halftone, look_op_ink;

#endif
