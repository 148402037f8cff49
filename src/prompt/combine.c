/* SPDX-License-Identifier: MIT */
/*
 * Terms that mean something together: a "ukiyo-e woodcut" is one thing, "black polished marble" a
 * kind of its own, and a pencil drawing that is "colored" another medium.
 */
#include "prompt/prompt_internal.h"

#include <stdio.h>
#include <string.h>

enum { PHRASE_BYTES = 128 }; // two phrases of the lexicon, of 63 bytes at most

// Whether a look of the first is made as the second, for want of its own.
static bool is_kind_of(const struct lexicon_entry *what, const struct lexicon_entry *other)
{
    const char *name = what->name;

    while (name && strcmp(name, other->name) != 0)
        name = prompt_nearest(name);
    return name != NULL;
}

static const struct lexicon_entry *last_word(const struct lexicon_entry *e)
{
    const char *space = strrchr(e->phrase, ' ');

    return space ? lexicon_find(space + 1) : NULL;
}

// Of two media side by side the second is the thing and the first says of which kind: an "anime
// watercolour" is a watercolour, a "stained glass mosaic" one of glass. But a "ukiyo-e woodcut" is
// ukiyo-e.
static void settle_media(struct term *t, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        if (!term_names_medium(&t[i]) || !term_names_medium(&t[i + 1]) || t[i + 1].breaks)
            continue;
        const struct lexicon_entry *of = last_word(t[i].entry);
        bool of_material = of && of->kind == LEXICON_MATERIAL;
        if (is_kind_of(t[i].entry, t[i + 1].entry))
            t[i + 1].entry = t[i].entry;
        else if (of_material)
            t[i].entry = of;
        t[i].kind = t[i].entry == of ? LEXICON_MATERIAL : LEXICON_FILLER;
    }
}

static bool is_wanted(const struct context *c, size_t i)
{
    return !term_is_kind(clause_before(c, i), LEXICON_NEGATION);
}

struct family {
    const char *name, *phrase; // of any of them
    const char *closer[8];     // names of its kinds
};

static bool is_closer(const struct family *f, const struct term *t)
{
    for (size_t k = 0; k < sizeof(f->closer) / sizeof(f->closer[0]) && f->closer[k]; k++)
        if (t->kind == LEXICON_MATERIAL && strcmp(t->entry->name, f->closer[k]) == 0)
            return true;
    return false;
}

// "A wood carving, walnut": the second says which.
static void settle_closer_materials(struct context *c)
{
    static const struct family family[] = {
        {"wood", "", {"oak", "walnut", "mahogany", "ebony", "bamboo", "driftwood"}},
        {"steel", "metal", {"gold", "silver", "bronze", "copper", "brass", "chrome", "iron"}},
        {"stone", "", {"marble", "black marble", "green marble", "granite", "sandstone", "slate"}},
    };

    for (size_t k = 0; k < sizeof(family) / sizeof(family[0]); k++) {
        const struct family *f = &family[k];
        bool closer = false;
        for (size_t i = 0; i < c->count; i++)
            closer |= is_closer(f, &c->t[i]) && is_wanted(c, i);
        for (size_t i = 0; closer && i < c->count; i++) {
            struct term *t = &c->t[i];
            if (t->kind == LEXICON_MATERIAL && strcmp(t->entry->name, f->name) == 0 &&
                strncmp(t->entry->phrase, f->phrase, strlen(f->phrase)) == 0 && is_wanted(c, i))
                t->general = true;
        }
    }
}

// Tiles, panes and the like are what a mosaic is built of, and things elsewhere.
static void settle_pieces(struct context *c)
{
    bool built = false;

    for (size_t i = 0; i < c->count; i++)
        built |= term_is_built(&c->t[i]);
    for (size_t i = 0; i < c->count && !built; i++)
        if (c->t[i].kind == LEXICON_CARRIER && term_may_be_subject(&c->t[i]))
            c->t[i].kind = LEXICON_SUBJECT;
}

// "Turn her to stone" makes, as "into stone" does.
static void settle_makings(struct context *c)
{
    static const char *const change[] = {"turn", "turned", "turns", "turning", "change", "changed"};
    bool changes = false;

    for (size_t i = 0; i < c->count; i++) {
        changes &= !c->t[i].breaks;
        if (changes && term_is(&c->t[i], "to"))
            c->t[i].kind = LEXICON_MAKING;
        for (size_t k = 0; k < sizeof(change) / sizeof(change[0]); k++)
            changes |= term_is(&c->t[i], change[k]);
    }
}

static bool stands_alone(const struct context *c, size_t i)
{
    return (i == 0 || c->t[i].breaks) && (i + 1 == c->count || c->t[i + 1].breaks);
}

// "Canvas, texture": alone it is a wish, and in "the texture of bark" what bears a material.
static void settle_textures(struct context *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->t[i].kind == LEXICON_MODIFIER && c->t[i].entry->other_kind == LEXICON_CARRIER &&
            !stands_alone(c, i))
            c->t[i].kind = LEXICON_CARRIER;
}

// "A pencil drawing, but colored": a medium that has a kind of its own for that.
static void settle_coloured(struct context *c)
{
    char phrase[PHRASE_BYTES];
    bool coloured = false;

    for (size_t i = 0; i < c->count; i++) {
        const struct term *t = &c->t[i], *what = clause_before(c, i);
        coloured |= t->kind == LEXICON_TONE && strncmp(t->entry->phrase, "color", 5) == 0 &&
                    !term_is_kind(what, LEXICON_PALETTE) && !term_is_kind(what, LEXICON_NEGATION);
    }
    for (size_t i = 0; coloured && i < c->count; i++) {
        if (!term_names_medium(&c->t[i]))
            continue;
        snprintf(phrase, sizeof(phrase), "colored %s", c->t[i].entry->name);
        const struct lexicon_entry *variety = lexicon_find(phrase);
        if (variety)
            c->t[i].entry = variety;
    }
}

// "Black polished marble" is black marble, where that is a thing of its own.
void combine_varieties(struct context *c)
{
    char phrase[PHRASE_BYTES];

    for (size_t i = 1; i < c->count; i++)
        for (size_t k = i; c->t[i].kind == LEXICON_MATERIAL && k-- > 0 && !c->t[k + 1].breaks &&
                           term_is_adjective(&c->t[k]);) {
            if (c->t[k].kind != LEXICON_PALETTE)
                continue;
            const char *colour = c->t[k].entry->name, *shade = strrchr(colour, ' ');
            snprintf(phrase, sizeof(phrase), "%s %s", shade ? shade + 1 : colour,
                     c->t[i].entry->name);
            const struct lexicon_entry *variety = lexicon_find(phrase);
            if (!variety || variety->kind != LEXICON_MATERIAL)
                continue;
            c->t[i].entry = variety;
            if (!shade)
                c->t[k].kind = LEXICON_FILLER;
        }
}

// "Black and white" in the words of any language.
static void settle_black_and_white(struct context *c)
{
    for (size_t i = 0; i + 1 < c->count; i++) {
        size_t k = i + 1 + (c->t[i + 1].kind == LEXICON_JOINER && i + 2 < c->count);
        bool apart = c->t[i + 1].breaks || c->t[k].breaks;
        if (apart || c->t[i].kind != LEXICON_PALETTE || c->t[k].kind != LEXICON_PALETTE ||
            strcmp(c->t[i].entry->name, "black") != 0 || strcmp(c->t[k].entry->name, "white") != 0)
            continue;
        c->t[i].entry = lexicon_find("black and white");
        c->t[k].kind = LEXICON_FILLER;
    }
}

// "Two colours, red and black": those, and not any two.
static void settle_counted_colours(struct context *c)
{
    int colours = 0;

    for (size_t i = 0; i < c->count; i++)
        colours += c->t[i].kind == LEXICON_PALETTE && term_is_ambiguous(&c->t[i]);
    for (size_t i = 0; i < c->count && colours > 1; i++)
        if (c->t[i].kind == LEXICON_PALETTE && strcmp(c->t[i].entry->name, "duotone") == 0)
            c->t[i].kind = LEXICON_FILLER;
}

void combine_terms(struct context *c)
{
    settle_media(c->t, c->count);
    settle_pieces(c);
    settle_textures(c);
    settle_makings(c);
    settle_coloured(c);
}

void combine_leftovers(struct context *c)
{
    settle_closer_materials(c);
    settle_black_and_white(c);
    settle_counted_colours(c);
}
