/* SPDX-License-Identifier: MIT */
/* What a prompt says and the plan does not heed is told, word by word. */
#include "engine/engine_look_plan.h"

#include <string.h>

// Names of the plan's looks, for messages: "gold and oil painting".
static const char *looks_of(const struct look_reading *r, struct arena *a)
{
    const char *all = r->recipe[0].name[0];

    for (int i = 1; i < r->recipes && all; i++)
        all = arena_printf(a, "%s%s%s", all, i + 1 < r->recipes ? ", " : " and ",
                           r->recipe[i].name[0]);
    return all ? all : "";
}

static bool in_plan(const struct look_reading *r, const char *name)
{
    for (int i = 0; i < r->recipes; i++)
        for (int k = 0; k < r->recipe[i].names; k++)
            if (strcmp(r->recipe[i].name[k], name) == 0)
                return true;
    return false;
}

// What the plan has for a look that there is none of: the nearest one, or all of it.
static const char *made_as(const struct look_reading *r, const char *name, struct arena *a)
{
    while (name && !in_plan(r, name))
        name = prompt_nearest(name);
    return name ? name : looks_of(r, a);
}

static bool responds(const struct look_reading *r, const char *word)
{
    for (int i = 0; i < r->recipes; i++)
        if (recipe_responds(&r->recipe[i], word))
            return true;
    return false;
}

static void warn_medium(const struct look_reading *r, const struct recipe_set *set,
                        const char *medium, struct prompt *p, struct arena *a)
{
    if (medium && !recipe_find(set, medium))
        prompt_warn(p, a, "no_effect", "there is no look \"%s\" yet; made as %s instead", medium,
                    made_as(r, medium, a));
}

static void warn_media(const struct look_reading *r, const struct recipe_set *set, struct prompt *p,
                       struct arena *a)
{
    if (look_reading_empty(r, p)) {
        prompt_warn(p, a, "no_effect",
                    "the prompt names no medium or material that is known; painted in oil, with a "
                    "palette drawn from its words");
        return;
    }
    if (r->plan.parts == 1)
        warn_medium(r, set, p->medium, p, a);
    for (int i = 0; i < p->part_count && r->plan.parts > 1; i++)
        warn_medium(r, set, p->part[i].medium, p, a);
}

// Whether a part of its own names it: then warn_weights() tells what is one too many.
static bool leads_part(const struct prompt *p, const char *material)
{
    for (int i = 0; i < p->part_count; i++)
        if (p->part[i].material && strcmp(p->part[i].material, material) == 0)
            return true;
    return false;
}

static void warn_materials(const struct look_reading *r, const struct recipe_set *set,
                           struct prompt *p, struct arena *a)
{
    for (int i = 0; i < p->materials.count; i++) {
        const char *name = p->materials.name[i];
        const struct prompt_place *at = &p->materials.place[i];
        if (responds(r, name))
            continue;
        if (!recipe_find(set, name))
            prompt_warn_term(p, a, at, "no_effect",
                             "there is no look \"%s\" yet; made as %s instead", name,
                             made_as(r, name, a));
        else if (!in_plan(r, name) && !(r->plan.parts > 1 && leads_part(p, name)))
            prompt_warn_term(p, a, at, "no_effect",
                             "a thing is made of one material here: %s counts, so %s does not",
                             looks_of(r, a), name);
    }
}

static void warn_modifiers(const struct look_reading *r, struct prompt *p, struct arena *a)
{
    for (int i = 0; i < p->modifiers.count; i++) {
        const char *word = p->modifiers.name[i], *heeded = look_reading_word(r, word);
        const struct prompt_place *at = &p->modifiers.place[i];
        struct look_mood unused = {.words = 0};
        if (heeded && strcmp(heeded, word) != 0)
            prompt_warn_term(p, a, at, "nearest",
                             "the word \"%s\" was taken as \"%s\" in the look %s", at->said, heeded,
                             looks_of(r, a));
        else if (!heeded && !mood_add(&unused, word))
            prompt_warn_term(p, a, at, "no_effect",
                             "the word \"%s\" changes nothing in the look %s", at->said,
                             looks_of(r, a));
    }
}

static void warn_weights(const struct look_reading *r, struct prompt *p, struct arena *a)
{
    int looks = 0, weighted = 0;

    for (int i = 0; i < p->part_count; i++) {
        const struct prompt_part *part = &p->part[i];
        if (part->weight <= 0.0f)
            continue;
        weighted++;
        looks += part->medium || part->manner || part->material;
    }
    if (weighted > 1 && r->plan.parts == 1)
        prompt_warn(p, a, "no_effect",
                    "the weights behind :: blend looks, and the prompt names one alone: %s",
                    looks_of(r, a));
    else if (looks > r->plan.parts && r->plan.parts == LOOK_PARTS_MAX)
        prompt_warn(p, a, "no_effect", "at most %d looks are blended: %s", LOOK_PARTS_MAX,
                    looks_of(r, a));
}

static void warn_parameters(const struct look_reading *r, struct prompt *p, struct arena *a)
{
    static const struct {
        enum prompt_param param;
        const char *message;
    } without[] = {
        {PROMPT_SREF, "--sref has no effect: this engine takes no style from a picture"},
        {PROMPT_SW, "--sw has no effect: this engine takes no style from a picture"},
        {PROMPT_TILE, "--tile has no effect: pictures are not made to repeat"},
    };

    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
        if (p->given & (uint32_t)without[i].param)
            prompt_warn(p, a, "no_effect", "%s", without[i].message);
    if (p->s != 100 && !responds(r, p->s < 100 ? "--s 0" : "--s 1000"))
        prompt_warn(p, a, "no_effect", "--s changes nothing in the look %s", looks_of(r, a));
    if (p->q != 1.0f && !responds(r, p->q < 1.0f ? "--q 0.25" : "--q 4"))
        prompt_warn(p, a, "no_effect", "--q changes nothing in the look %s", looks_of(r, a));
}

void look_reading_warn(const struct look_reading *r, const struct recipe_set *set, struct prompt *p,
                       struct arena *a)
{
    if (r->own)
        prompt_understand(p, a, r->own_name, r->own->name[0]);
    warn_media(r, set, p, a);
    warn_materials(r, set, p, a);
    warn_modifiers(r, p, a);
    warn_weights(r, p, a);
    warn_parameters(r, p, a);
}
