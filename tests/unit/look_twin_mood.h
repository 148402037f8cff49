/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TEST_LOOK_TWIN_MOOD_H
#define PATINA_TEST_LOOK_TWIN_MOOD_H

#include "look_twin.h"

#include "look/mood_internal.h"

/* Between the twins of what a mood reads from a photo (look_twin_mood.c) and of what it lights
 * (look_twin_relight.c). */
enum { MOOD_WIDE = 112, MOOD_HIGH = 84 };

/* A photo, and the same photo in a mood. */
struct lit {
    struct look_mood mood;
    struct image source;
    struct look_maps *plain, *maps;
    const struct mood_scene *s;
    struct desk desk;
    const char *name;
    const char *what; /* is compared */
    size_t off, of;
    double worst;
};

/* One number of a scene: fails where it is off. */
void lit_expect(const struct lit *l, double want, double got, double near);

/* One of many: a thousandth of them may stand on a threshold and fall to the other side. */
void lit_check(struct lit *l, double want, double got, double near);
void lit_check_all(struct lit *l, const struct grid *want, const struct plane *got, double near);

/* Roots of cone responses of OKLab. */
void tw_cones(const double lab[LAB], double out[3]);

/* Moves a colour to the palette's by its shares in those of these weights. */
void tw_palette_move(const struct mood_palette *p, const double weight[], const double lift[],
                     double lab[LAB]);

/* The maps in the mood, and the lights for materials, inks and paper. */
void lit_maps(struct lit *l);
void lit_lights(struct lit *l);

#endif
