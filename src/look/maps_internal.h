/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_MAPS_INTERNAL_H
#define PATINA_LOOK_MAPS_INTERNAL_H

/* Between the files that make maps (maps*.c) alone. */

#include "look/maps.h"

/* What making a map needs besides the map. */
struct map_maker {
    struct look_maps *m;
    struct blur_scratch scratch;
    struct pool *pool;
    const atomic_bool *cancel;
};

/* Makes the maps of k->m, whose size and px_per_unit are set, and k->scratch, which is the caller's
 * to release, also on failure. Otherwise as look_maps_detailed(). */
MUST_USE enum err maps_make(struct map_maker *k, const struct image *source, uint32_t needs,
                            float detail);

/* Each fills its fields of m; ERR_NOMEM or ERR_CANCELLED. */
MUST_USE enum err maps_colour(struct map_maker *k, const struct image *source);
MUST_USE enum err maps_detail(struct map_maker *k, float keep); /* changes full and half */
MUST_USE enum err maps_fine(struct map_maker *k);
MUST_USE enum err maps_flow(struct map_maker *k);
MUST_USE enum err maps_abstract(struct map_maker *k);   /* after maps_flow */
MUST_USE enum err maps_importance(struct map_maker *k); /* after maps_flow */
MUST_USE enum err maps_lines(struct map_maker *k);      /* after maps_fine, maps_flow */
MUST_USE enum err maps_tone(struct map_maker *k);       /* after maps_fine */
MUST_USE enum err maps_subject(struct map_maker *k);
MUST_USE enum err
maps_form(struct map_maker *k); /* after maps_fine, maps_importance, maps_subject */

MUST_USE enum err maps_flat(struct map_maker *k);    /* after maps_fine */
MUST_USE enum err maps_strokes(struct map_maker *k); /* after maps_flat */
MUST_USE enum err maps_ink(struct map_maker *k); /* after maps_flat, maps_strokes and maps_flow */

/* Makes *out, full size: contours of the full-size plane L, 0..1, on the dark side of its edges;
 * sigma in pixels is what decides their width. After maps_flow. */
MUST_USE enum err maps_contours(struct map_maker *k, const struct plane *L, float sigma,
                                struct plane *out);

/* The least value (or the most) of the square of `reach` pixels around each one, in place too. */
MUST_USE enum err maps_extreme(struct map_maker *k, const struct plane *from, struct plane *to,
                               int reach, bool most);

/* `count` planes of the half size; on failure those made are released. */
MUST_USE enum err half_planes(const struct map_maker *k, struct plane *p, int count);
void planes_release(struct plane *p, int count);

/* Blurs by `units`; false: cancelled. */
bool half_blur(struct map_maker *k, const struct plane *from, struct plane *to, float units);

/* A loop over rows: ctx is the maker's caller's own. */
bool rows_run(struct map_maker *k, int rows, pool_fn *fn, void *ctx);

#endif
