/* SPDX-License-Identifier: MIT */
/*
 * Terms that mean something together: a "ukiyo-e woodcut" is one thing, "black polished marble" a
 * kind of its own, and a pencil drawing that is "colored" another medium.
 */
#include "prompt/prompt_internal.h"

#include <stdio.h>
#include <string.h>

enum {
    PHRASE_BYTES = 128, // two phrases of the lexicon, of 63 bytes at most
    FORMS_MAX = 3,
    APART_MAX = 6 // words of one phrase, in terms
};

// Whether a look of the first is made as the second, for want of its own.
static bool is_kind_of(const struct lexicon_entry *what, const struct lexicon_entry *other)
{
    const char *name = what->name;

    while (name && strcmp(name, other->name) != 0)
        name = prompt_nearest(name);
    return name != NULL;
}

static bool is_same(const struct lexicon_entry *e, const struct term *t)
{
    return e && t->entry && strcmp(e->name, t->entry->name) == 0;
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
        if (t[i].kind == LEXICON_MEDIUM && is_same(t[i].entry, &t[i + 1]) && !t[i + 1].breaks)
            t[i].kind = LEXICON_FILLER; // "pastel chalk drawing"
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

// "Etched glass", "brass, engraved": what is done to a material, and no print.
static void settle_worked(struct context *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct term *t = &c->t[i];
        bool last = i + 1 == c->count || t[1].breaks;
        const struct term *what = !last ? t + 1 : i > 0 && t->breaks ? t - 1 : NULL;
        if ((term_is(t, "engraved") || term_is(t, "etched")) && term_is_material(what)) {
            t->entry = lexicon_find("carved");
            t->kind = LEXICON_MODIFIER;
        }
    }
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

// Nothing else may stand between the words of a phrase.
static bool is_quality(const struct term *t)
{
    return t->kind == LEXICON_PALETTE || t->kind == LEXICON_MODIFIER || t->kind == LEXICON_LIGHT ||
           t->adjective || (t->entry && strcmp(t->entry->name, "beautiful") == 0);
}

// What a term may be in a phrase: as it is written, as readings call it, and of a colour its shade.
static int forms_of(const struct term *t, const char *form[FORMS_MAX])
{
    int n = 0;

    form[n++] = t->entry && !t->stand_in ? t->entry->phrase : t->shown;
    if (t->entry && t->entry->kind <= LEXICON_MODIFIER)
        form[n++] = t->entry->name;
    const char *shade = t->kind == LEXICON_PALETTE ? strrchr(t->entry->name, ' ') : NULL;
    if (shade)
        form[n++] = shade + 1;
    return n;
}

// Alone it says something of how a picture is made.
static bool is_telling(const struct term *t)
{
    return t->entry && (t->kind <= LEXICON_MODIFIER || t->entry->implies);
}

// What two terms are together; NULL: nothing else than they say alone. Colours stay apart: "ice,
// bright blue".
static const struct lexicon_entry *together(const struct term *first, const struct term *last)
{
    const char *one[FORMS_MAX], *other[FORMS_MAX];
    char phrase[PHRASE_BYTES];

    bool shown = last->kind == LEXICON_SUBJECT && !is_telling(last); // "neon noir city"
    if (shown || (!is_telling(first) && !is_telling(last)))
        return NULL;
    for (int i = 0, ones = forms_of(first, one); i < ones; i++)
        for (int k = 0, others = forms_of(last, other); k < others; k++) {
            snprintf(phrase, sizeof(phrase), "%s %s", one[i], other[k]);
            const struct lexicon_entry *found = lexicon_find(phrase);
            bool adds = found && !(first->kind == LEXICON_MODIFIER && is_same(found, last));
            if (adds && found->kind <= LEXICON_MODIFIER && found->kind != LEXICON_PALETTE)
                return found;
        }
    return NULL;
}

static bool is_thing(const struct lexicon_entry *e)
{
    return e->kind == LEXICON_MEDIUM || e->kind == LEXICON_MATERIAL;
}

// A modifier goes on to say how the thing is: "rusty old iron" is rusty rust.
static void put_together(struct term *first, struct term *last, const struct lexicon_entry *as)
{
    bool shaded = first->kind == LEXICON_PALETTE && strchr(first->entry->name, ' ');

    last->entry = as;
    last->kind = as->kind;
    if (!shaded && !(first->kind == LEXICON_MODIFIER && is_thing(as)))
        first->kind = LEXICON_FILLER;
}

// "Gold, white": colours that stand apart are two.
static bool may_be_apart(const struct term *first, const struct term *last)
{
    return first->kind == LEXICON_MODIFIER || first->kind == LEXICON_TONE || first->adjective ||
           (first->kind == LEXICON_PALETTE &&
            !(last->entry && last->entry->other_kind == LEXICON_PALETTE));
}

// "Rusty old iron", "black, polished marble".
static bool combine_with_earlier(struct context *c, size_t i)
{
    const struct lexicon_entry *as = NULL;
    size_t first = i;
    bool apart = false, passed = true;

    for (size_t k = i; passed && k-- > 0 && i - k <= APART_MAX && !c->t[i].breaks;) {
        const struct lexicon_entry *found = together(&c->t[k], &c->t[i]);
        bool other = !as || !is_same(found, &c->t[i]);
        if (found && other && (!apart || may_be_apart(&c->t[k], &c->t[i]))) {
            as = found;
            first = k;
        }
        bool joiner = c->t[k].kind == LEXICON_JOINER && k + 1 < i;
        passed = joiner || is_quality(&c->t[k]);
        apart = apart || joiner || c->t[k].breaks;
    }
    if (as)
        put_together(&c->t[first], &c->t[i], as);
    return as != NULL;
}

// Whether a quality that stands behind a thing belongs to something behind itself.
static bool describes_next(const struct context *c, size_t i)
{
    do
        i++;
    while (i < c->count && !c->t[i].breaks &&
           (is_quality(&c->t[i]) || c->t[i].kind == LEXICON_JOINER));
    return i < c->count && !c->t[i].breaks && !term_is_filler(&c->t[i]) &&
           c->t[i].kind != LEXICON_PREPOSITION && c->t[i].kind != LEXICON_PLACE;
}

// "An iron gate, old and rusty", "glass that is stained".
static void combine_with_later(struct context *c, size_t i)
{
    int breaks = 0;

    for (size_t k = i + 1; k < c->count && k - i <= APART_MAX; k++) {
        const struct term *t = &c->t[k];
        breaks += t->breaks;
        bool passed = is_quality(t) || t->kind == LEXICON_JOINER || t->kind == LEXICON_TONE ||
                      t->kind == LEXICON_CARRIER || t->kind == LEXICON_SUBJECT ||
                      (term_is_filler(t) && !term_is_of(t));
        if (breaks > 1 || !passed)
            return;
        const struct lexicon_entry *found = together(t, &c->t[i]);
        if (!found || is_same(found, &c->t[i]) || !is_thing(found) || !may_be_apart(t, &c->t[i]) ||
            describes_next(c, k))
            continue;
        put_together(&c->t[k], &c->t[i], found);
        return;
    }
}

// The words of a phrase mean the same with others between them and in another order.
static void settle_phrases(struct context *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (!combine_with_earlier(c, i))
            combine_with_later(c, i);
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
    settle_phrases(c);
    settle_media(c->t, c->count);
    settle_worked(c);
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
