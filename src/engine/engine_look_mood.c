/* SPDX-License-Identifier: MIT */
#include "engine/engine_look_plan.h"

static void add_terms(struct prompt *p, struct arena *a, const struct prompt_terms *t,
                      struct look_mood *out)
{
    for (int i = 0; i < t->count; i++)
        if (!mood_add(out, t->name[i]))
            prompt_warn_term(p, a, &t->place[i], "no_effect",
                             "\"%s\" says nothing of light or palette here", t->place[i].said);
}

void look_reading_mood(struct prompt *p, struct arena *a, struct look_mood *out)
{
    add_terms(p, a, &p->palette, out);
    add_terms(p, a, &p->light, out);
    // Some ways of painting are about light: "vivid", "dreamy".
    for (int i = 0; i < p->modifiers.count; i++)
        (void)mood_add(out, p->modifiers.name[i]);
}
