/* SPDX-License-Identifier: MIT */
#include "engine/engine_look_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const FALLBACK = "oil painting";

enum { CUES_MAX = 2 * PROMPT_TERMS_MAX + 4 }; // modifiers, materials, --s, --iw, --q, --style

/* What one weighted part asks for; NULL: nothing of the kind. */
struct wish {
    const char *text; /* its words */
    const char *medium, *manner, *material;
    float weight;
};

bool look_reading_empty(const struct look_reading *r, const struct prompt *p)
{
    return !r->own && !p->medium && p->materials.count == 0 && p->palette.count == 0 &&
           p->light.count == 0 && p->modifiers.count == 0;
}

// The first that there is a look of, by its own name if there is one: "patinated copper" is copper,
// though patina alone is bronze. Or else the first.
static const char *first_look(const struct recipe_set *set, const struct prompt_terms *t)
{
    for (int i = 0; i < t->count; i++) {
        const struct recipe *r = recipe_find(set, t->name[i]);
        if (r && strcmp(r->name[0], t->name[i]) == 0)
            return t->name[i];
    }
    for (int i = 0; i < t->count; i++)
        if (recipe_find(set, t->name[i]))
            return t->name[i];
    return t->count > 0 ? t->name[0] : NULL;
}

static struct wish wish_of_all(const struct recipe_set *set, const struct prompt *p)
{
    return (struct wish){.text = p->text,
                         .medium = p->medium,
                         .manner = first_look(set, &p->modifiers),
                         .material = first_look(set, &p->materials),
                         .weight = 1.0f};
}

static struct wish wish_of_part(const struct prompt_part *part)
{
    return (struct wish){.text = part->text,
                         .medium = part->medium,
                         .manner = part->manner,
                         .material = part->material,
                         .weight = part->weight};
}

// The look of this name, or else the nearest that there is.
static const struct recipe *find(const struct recipe_set *set, const char *name)
{
    const struct recipe *found = NULL;

    for (; name && !found; name = prompt_nearest(name))
        found = recipe_find(set, name);
    return found;
}

static bool is_one_of(const char *name, const struct wish *w)
{
    const char *const known[] = {w->medium, w->manner, w->material};

    for (int i = 0; i < 3; i++)
        if (known[i] && strcmp(known[i], name) == 0)
            return true;
    return false;
}

// A look of the operator's own whose name is no word of ours works as the medium does.
static const struct recipe *own_look(const struct recipe_set *set, const struct wish *w,
                                     const char **name)
{
    const struct recipe *own = recipe_named_in(set, w->text, name);

    return own && !is_one_of(*name, w) ? own : NULL;
}

// How many recipes the wish comes to, in the order in which they work.
static int choose(const struct recipe_set *set, const struct wish *w,
                  const struct recipe *out[LOOK_CHAIN_MAX])
{
    bool painted = !w->medium || strcmp(w->medium, FALLBACK) == 0;
    const struct recipe *manner = painted ? find(set, w->manner) : NULL;
    const struct recipe *medium = manner ? manner : find(set, w->medium);
    const char *name;
    const struct recipe *material = find(set, w->material), *own = own_look(set, w, &name);
    int n = 0;

    if (own)
        medium = own;
    if (material)
        out[n++] = material;
    if (medium && medium != material)
        out[n++] = medium;
    return n;
}

static bool same_look(const struct look_part *part, const struct recipe *const chosen[], int n)
{
    if (part->recipes != n)
        return false;
    for (int i = 0; i < n; i++)
        if (strcmp(part->recipe[i]->name[0], chosen[i]->name[0]) != 0)
            return false;
    return true;
}

// Two parts of one look count as one.
static void add_part(struct look_reading *r, const struct recipe *const chosen[], int n,
                     float weight)
{
    for (int i = 0; i < r->plan.parts; i++)
        if (same_look(&r->plan.part[i], chosen, n)) {
            r->plan.part[i].weight += weight;
            return;
        }
    if (r->plan.parts == LOOK_PARTS_MAX)
        return;
    struct look_part *part = &r->plan.part[r->plan.parts++];
    *part = (struct look_part){.recipes = n, .weight = weight};
    for (int i = 0; i < n; i++) {
        r->recipe[r->recipes] = *chosen[i];
        part->recipe[i] = &r->recipe[r->recipes++];
    }
}

static void add_parts(const struct recipe_set *set, const struct prompt *p, struct look_reading *r)
{
    const struct recipe *chosen[LOOK_CHAIN_MAX];

    for (int i = 0; i < p->part_count; i++) {
        struct wish w = wish_of_part(&p->part[i]);
        int n = w.weight > 0.0f ? choose(set, &w, chosen) : 0;
        if (n > 0)
            add_part(r, chosen, n, w.weight);
    }
    if (r->plan.parts > 1)
        return;
    // One look: of all words together, wherever they stand.
    struct wish w = wish_of_all(set, p);
    int n = choose(set, &w, chosen);
    *r = (struct look_reading){.recipes = 0};
    if (n == 0)
        chosen[n++] = recipe_find(set, FALLBACK);
    add_part(r, chosen, n, 1.0f);
}

static bool is_heeded(const struct look_reading *r, const char *word)
{
    for (int i = 0; i < r->recipes; i++) {
        if (recipe_responds(&r->recipe[i], word))
            return true;
        for (int k = 0; k < r->recipe[i].names; k++)
            if (strcmp(r->recipe[i].name[k], word) == 0)
                return true;
    }
    return false;
}

const char *look_reading_word(const struct look_reading *r, const char *word)
{
    while (word && !is_heeded(r, word))
        word = prompt_nearest(word);
    return word;
}

// Usual values move nothing; sqrt, because a style of 250 is meant to be seen.
static int cues_of(const struct look_reading *r, const struct prompt *p,
                   struct recipe_cue cue[CUES_MAX])
{
    int n = 0;

    for (int i = 0; i < p->modifiers.count; i++) {
        const char *word = look_reading_word(r, p->modifiers.name[i]);
        if (word)
            cue[n++] = (struct recipe_cue){word, 1.0f};
    }
    // What one material can have on it: "copper with verdigris".
    for (int i = 0; i < p->materials.count; i++)
        cue[n++] = (struct recipe_cue){p->materials.name[i], 1.0f};
    if (p->s != 100)
        cue[n++] = p->s < 100
                       ? (struct recipe_cue){"--s 0", (float)(100 - p->s) / 100.0f}
                       : (struct recipe_cue){"--s 1000", sqrtf((float)(p->s - 100) / 900.0f)};
    if (p->iw != 1.0f)
        cue[n++] = p->iw < 1.0f ? (struct recipe_cue){"--iw 0", 1.0f - p->iw}
                                : (struct recipe_cue){"--iw 3", (p->iw - 1.0f) / 2.0f};
    if (p->q < 1.0f)
        cue[n++] = (struct recipe_cue){"--q 0.25", p->q < 0.5f ? 1.0f : 0.5f};
    if (p->q > 1.0f)
        cue[n++] = (struct recipe_cue){"--q 4", p->q > 2.0f ? 1.0f : 0.5f};
    if (p->style_raw)
        cue[n++] = (struct recipe_cue){"--style raw", 1.0f};
    return n;
}

void look_reading_make(const struct recipe_set *set, const struct prompt *p,
                       struct look_reading *out)
{
    struct recipe_cue cue[CUES_MAX];

    struct wish all = wish_of_all(set, p);
    out->plan.parts = 0;
    out->recipes = 0;
    add_parts(set, p, out);
    out->own_name = NULL;
    out->own = own_look(set, &all, &out->own_name);
    int cues = cues_of(out, p, cue);
    out->plan.detail = p->iw;
    out->plan.effort = p->q;
    for (int i = 0; i < out->recipes; i++) {
        recipe_respond(&out->recipe[i], cue, cues);
        if (out->plan.parts > 1)
            recipe_unframe(&out->recipe[i]);
    }
}
