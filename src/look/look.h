/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_LOOK_H
#define PATINA_LOOK_LOOK_H

#include "image/image.h"
#include "look/mood.h"
#include "look/op.h"
#include "look/recipe.h"

/*
 * Rendering: the photo's maps once, then one picture after the other. The picture's bits depend on
 * source, plan, seed and options alone, not on threads, compiler or vector width.
 */

enum { LOOK_CHAIN_MAX = 2, LOOK_PARTS_MAX = 4 };

/* Recipes one after the other: the second works on the picture that the first made of the photo. */
struct look_part {
    const struct recipe *recipe[LOOK_CHAIN_MAX];
    int recipes;  /* at least 1 */
    float weight; /* over 0 */
};

/* What pictures are made of: the blend of several parts, or one alone. */
struct look_plan {
    struct look_part part[LOOK_PARTS_MAX];
    int parts;    /* at least 1 */
    float detail; /* 0..3: how much of the photo's fine structure the first recipes find; 1: all
                     that is there, less: abstracted, more: brought out where edges are */
    float effort; /* .25..4: what was asked of the recipes, for look_ms() alone; 1: usual */
};

struct look_options {
    float chaos;    /* 0..1: how far the four differ */
    uint32_t style; /* drawn from the prompt when nothing in it was understood; 0: the recipe's
                       own palette and stroke */
    struct look_exclusion exclude[LOOK_EXCLUSIONS_MAX];
    int excluded;
    bool flat, bare;       /* without relief, without canvas */
    struct look_mood mood; /* light and palette; all zero: the photo's */
    bool plain;            /* the four have the recipe's own colours: another look works on them */
    bool raw;              /* the four differ less: nobody's taste but the photo's */
};

typedef void look_progress_fn(void *ctx, float done);

struct look_request {
    const struct image *source;
    const struct look_plan *plan;
    const struct recipe *recipe; /* without a plan: this one alone */
    const struct look_options *options;
    uint32_t seed; /* picture i is made with seed + i */
    int first, count;
    struct pool *pool;
    look_progress_fn *progress; /* may be NULL; from the calling thread */
    void *progress_ctx;
    const atomic_bool *cancel; /* may be NULL */
    bool plain;                /* without the instructions that not every processor has: slower */
};

/* Fills out[0..count-1]; the caller owns them. On error none is left. ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err look_render(const struct look_request *r, struct image *out,
                              struct err_note *note);

/* Whether renders that are not plain use AVX2 here. */
bool look_has_avx2(void);

/* Peak bytes of a render, and its time on `threads` processors of a usual machine. */
int64_t look_bytes(const struct look_plan *p, int width, int height, int count);
int64_t look_ms(const struct look_plan *p, int width, int height, int count, int threads);

/* The plan that is one recipe alone. */
static inline struct look_plan look_plan_of(const struct recipe *r)
{
    return (struct look_plan){.part[0] = {.recipe[0] = r, .recipes = 1, .weight = 1.0f},
                              .parts = 1,
                              .detail = 1.0f,
                              .effort = 1.0f};
}

/* What makes the picture of this seed differ from its three neighbours. */
void look_variation_of(uint32_t seed, const struct look_options *o, struct look_variation *out);

/* Reads one entry of `--no`, as readings call it: a colour, or what can be taken away from the look
 * ("canvas", "carved" for relief), enum look_without. False: it has nothing of that name. */
bool look_exclude(struct look_options *o, uint32_t without, const char *word);

#endif
