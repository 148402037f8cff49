/* SPDX-License-Identifier: MIT */
#ifndef PATINA_ENGINE_ENGINE_LOOK_PLAN_H
#define PATINA_ENGINE_ENGINE_LOOK_PLAN_H

#include "look/look.h"
#include "prompt/prompt.h"

/*
 * How a read prompt becomes a plan of the look engine. For engine_look.c alone.
 *
 * 1. Each weighted part with a weight over 0 that names a look is a part of the blend; a prompt
 *    without weights is one part.
 * 2. The look of a part is that of its medium; where that is oil or not said, of a manner of
 *    painting ("impressionist"). A material besides comes first: the medium paints a thing made of
 *    it. A material alone is the look. A look of the operator's own is asked for by its name, also
 *    where that is no word that prompts know, and works as a medium.
 * 3. Modifiers and parameters move the recipes' parameters, as the recipes say.
 */
struct look_reading {
    struct look_plan plan; /* of the recipes below */
    struct recipe recipe[LOOK_PARTS_MAX * LOOK_CHAIN_MAX];
    int recipes;
    const struct recipe *own; /* the look of the operator's own that was asked for, in the set... */
    const char *own_name;     /* ...by this name of it, that prompts do not know; or both NULL */
};

/* `set` must outlive *out; so must *out its plan. Any thread. */
void look_reading_make(const struct recipe_set *set, const struct prompt *p,
                       struct look_reading *out);

/* What the plan's looks heed of a modifier: the word itself, or the nearest one to which one of
 * them answers ("impressionist" is "loose" to a watercolour); NULL: nothing. */
const char *look_reading_word(const struct look_reading *r, const char *word);

/* Adds a "no_effect" warning for everything in the prompt that the plan does not heed, but for
 * palette, light and exclusions. A look of the operator's own becomes the prompt's medium. */
void look_reading_warn(const struct look_reading *r, const struct recipe_set *set, struct prompt *p,
                       struct arena *a);

/* What the prompt says of light and palette. Words of these kinds that have no meaning here are
 * told. */
void look_reading_mood(struct prompt *p, struct arena *a, struct look_mood *out);

/* Whether not a word says anything about how the picture should look. */
bool look_reading_empty(const struct look_reading *r, const struct prompt *p);

#endif
