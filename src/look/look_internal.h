/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_LOOK_INTERNAL_H
#define PATINA_LOOK_LOOK_INTERNAL_H

/* For look.c, which renders one look on maps; look_plan.c, which renders what is made of several;
 * blend.c, look_cost.c and look_isa.c. */
#include "look/look.h"

/* look_render() by the instructions that this file was compiled for. */
MUST_USE enum err look_paint(const struct look_request *r, struct image *out,
                             struct err_note *note);

/* Maps of the photo that a plan needs. */
uint32_t look_plan_needs(const struct look_plan *p);

/* A share of a request's progress. */
struct look_span {
    const struct look_request *r;
    float from, to;
};

void look_tell(const struct look_span *s, float share);
/* The i-th of n equal pieces. */
struct look_span look_span_part(const struct look_span *s, int i, int n);

/* One picture of one recipe; size and alpha are those of r->source. ERR_NOMEM, ERR_CANCELLED. */
enum err look_render_one(const struct look_request *r, const struct recipe *recipe,
                         const struct look_options *o, const struct look_maps *maps, uint32_t seed,
                         const struct look_span *s, struct image *out);

/* Fuses one picture of each part into one. ERR_NOMEM, ERR_CANCELLED. */
enum err look_blend(const struct look_request *r, const struct look_maps *maps,
                    const struct look_part *part, const struct image *picture, int parts,
                    uint32_t seed, struct image *out);

#endif
