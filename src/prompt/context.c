/* SPDX-License-Identifier: MIT */
/*
 * What terms mean where they stand. "Golden" is the material of "a golden statue", a palette in
 * "oil painting in blue and gold", and part of the photo in "a watercolour of golden retrievers".
 * The rules look at a term's clause: what stands between punctuation.
 */
#include "prompt/prompt_internal.h"

#include <stdio.h>
#include <string.h>

enum {
    REACH = 16,        // what stands further from a term, in terms, does not bear on it
    PHRASE_BYTES = 128 // two phrases of the lexicon, of 63 bytes at most
};

struct context {
    struct term *t;
    size_t count;
    int media;  // that are named or implied, here and in what was read before
    bool named; // one is named for certain
};

bool term_is_filler(const struct term *t)
{
    return t->kind == LEXICON_FILLER && !(t->entry && t->entry->implies);
}

bool term_implies(const struct term *t, enum lexicon_kind kind)
{
    return t->entry && t->entry->implies && lexicon_find(t->entry->implies)->kind == kind;
}

static bool ambiguous(const struct term *t)
{
    return t->entry && t->entry->kind != t->entry->other_kind;
}

// Without the words around it, it is as likely part of what the photo shows.
static bool may_be_subject(const struct term *t)
{
    return t->stand_in || (t->entry && t->entry->other_kind == LEXICON_SUBJECT);
}

static bool is_phrase(const struct term *t, const char *phrase)
{
    return t->entry && strcmp(t->entry->phrase, phrase) == 0;
}

static bool is_of(const struct term *t)
{
    return t->entry && strcmp(t->entry->name, "of") == 0;
}

static bool is_kind(const struct term *t, enum lexicon_kind kind)
{
    return t && t->kind == kind;
}

static bool is_material(const struct term *t)
{
    return t && t->entry && t->entry->kind == LEXICON_MATERIAL;
}

// Names a medium for certain.
static bool names_medium(const struct term *t)
{
    return t->kind == LEXICON_MEDIUM && t->entry->other_kind != LEXICON_PALETTE;
}

// Names a medium, certainly or by what it implies.
static bool is_medium(const struct term *t)
{
    return names_medium(t) || ((t->kind == LEXICON_FILLER || t->kind == LEXICON_MODIFIER) &&
                               term_implies(t, LEXICON_MEDIUM));
}

// Put together from pieces of some material: "mosaic".
static bool is_built(const struct term *t)
{
    return t->kind == LEXICON_MEDIUM && t->entry->other_kind == LEXICON_CARRIER;
}

static bool other_medium(const struct context *c, size_t i)
{
    return c->media > is_medium(&c->t[i]);
}

// Stands in front of a noun: "old", "golden".
static bool is_adjective(const struct term *t)
{
    return t->kind == LEXICON_MATERIAL || t->kind == LEXICON_PALETTE || t->adjective ||
           t->kind == LEXICON_MODIFIER || t->kind == LEXICON_LIGHT;
}

// How far the clause of t[i] goes: *from is in it, *to behind it.
static void clause_of(const struct context *c, size_t i, size_t *from, size_t *to)
{
    *from = i;
    while (*from > 0 && !c->t[*from].breaks && i - *from < REACH)
        --*from;
    *to = i + 1;
    while (*to < c->count && !c->t[*to].breaks && *to - i <= REACH)
        ++*to;
}

// The term in front of t[i], fillers skipped; NULL: there is none, or punctuation parts them.
static const struct term *before(const struct context *c, size_t i)
{
    size_t from, to;

    clause_of(c, i, &from, &to);
    while (i-- > from)
        if (!term_is_filler(&c->t[i]))
            return &c->t[i];
    return NULL;
}

// The term that governs t[i]: in front of it and of the adjectives and fillers before it.
static const struct term *governor(const struct context *c, size_t i)
{
    size_t from, to;

    clause_of(c, i, &from, &to);
    while (i-- > from) {
        const struct term *t = &c->t[i];
        bool passed = term_is_filler(t) || is_adjective(t) || t->kind == LEXICON_JOINER;
        if (is_of(t) || !passed)
            return t;
    }
    return NULL;
}

// The noun that t[i] describes: behind it and the adjectives after it. NULL: it stands alone.
static const struct term *head(const struct context *c, size_t i)
{
    const struct term *noun = NULL;
    size_t from, to;

    clause_of(c, i, &from, &to);
    for (size_t k = i + 1; k < to; k++) {
        const struct term *t = &c->t[k];
        bool joined = t->kind == LEXICON_JOINER && k + 1 < to && is_adjective(t + 1);
        if (!joined && !is_adjective(t))
            return !noun || t->kind == LEXICON_SUBJECT || t->kind == LEXICON_TONE ? t : noun;
        if (t->kind == LEXICON_SUBJECT)
            noun = t; // "black rocks": it might have described another
    }
    return noun;
}

// "emerald and gold": whether a palette stands on the other side of an "and".
static bool is_joined_to_palette(const struct context *c, size_t i)
{
    const struct term *joiner = before(c, i);
    size_t from, to;

    if (is_kind(joiner, LEXICON_JOINER) &&
        is_kind(before(c, (size_t)(joiner - c->t)), LEXICON_PALETTE))
        return true;
    clause_of(c, i, &from, &to);
    return i + 2 < to && c->t[i + 1].kind == LEXICON_JOINER && c->t[i + 2].kind == LEXICON_PALETTE;
}

// The clause of t[i] tells what the photo shows.
static bool clause_has_subject(const struct context *c, size_t i)
{
    size_t from, to;

    clause_of(c, i, &from, &to);
    for (size_t k = from; k < to; k++)
        if (k != i && c->t[k].kind == LEXICON_SUBJECT)
            return true;
    return false;
}

static bool is_article(const struct term *t)
{
    return is_phrase(t, "a") || is_phrase(t, "an") || is_phrase(t, "the");
}

// "A pastel", "the old glass": one thing, and nothing that other things are made of.
static bool has_article(const struct context *c, size_t i)
{
    while (i > 0 && !c->t[i].breaks && is_adjective(&c->t[i - 1]))
        i--;
    return i > 0 && !c->t[i].breaks && is_article(&c->t[i - 1]);
}

// "made of X", "a statue of X".
static bool is_made_of(const struct context *c, size_t i)
{
    const struct term *by = governor(c, i);

    if (!by || by->kind == LEXICON_MAKING)
        return by != NULL;
    if (!is_of(by) || is_kind(head(c, i), LEXICON_SUBJECT))
        return false;
    const struct term *what = before(c, (size_t)(by - c->t));
    if (is_kind(what, LEXICON_CARRIER))
        return true;
    // "A mosaic of glass", but of "a glass".
    return is_kind(what, LEXICON_MEDIUM) &&
           (!may_be_subject(&c->t[i]) || (is_built(what) && !has_article(c, i)));
}

// "A Degas pastel", "pastel of a dancer": beside somebody's manner of painting.
static bool is_a_work(const struct context *c, size_t i)
{
    const struct term *noun = head(c, i);

    return !c->named && (noun ? is_of(noun) : has_article(c, i));
}

// Whether a word that is a palette or something else is the palette here.
static bool means_palette(const struct context *c, size_t i)
{
    const struct term *t = &c->t[i], *noun = head(c, i);
    bool followed = i + 1 < c->count && !t[1].breaks && t[1].kind == LEXICON_PALETTE;

    if (is_kind(noun, LEXICON_TONE))
        return true;
    if (t->entry->kind == LEXICON_MEDIUM)
        return (other_medium(c, i) && !is_a_work(c, i)) || followed;
    if (is_made_of(c, i) || is_kind(noun, LEXICON_CARRIER))
        return false;
    return is_joined_to_palette(c, i) || other_medium(c, i);
}

static void settle_palettes(struct context *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (ambiguous(&c->t[i]) && c->t[i].entry->other_kind == LEXICON_PALETTE &&
            means_palette(c, i))
            c->t[i].kind = LEXICON_PALETTE;
}

// In or at something that is part of the photo: "on a marble floor".
static bool is_placed(const struct context *c, size_t i)
{
    const struct term *by = governor(c, i);

    return is_kind(by, LEXICON_PLACE) ||
           (is_kind(by, LEXICON_PREPOSITION) && is_kind(head(c, i), LEXICON_SUBJECT));
}

// "A mosaic in glass".
static bool is_built_in(const struct context *c, size_t i)
{
    const struct term *by = governor(c, i);
    const struct term *what = by && is_phrase(by, "in") ? before(c, (size_t)(by - c->t)) : NULL;

    return what && is_built(what) && !has_article(c, i);
}

static bool material_is_subject(const struct context *c, size_t i)
{
    const struct term *t = &c->t[i], *noun = head(c, i);

    if (is_kind(noun, LEXICON_CARRIER) || is_made_of(c, i))
        return false;
    if (t->unlikely || is_placed(c, i) || is_kind(noun, LEXICON_TONE))
        return true;
    if (is_kind(noun, LEXICON_SUBJECT))
        return other_medium(c, i);
    if (is_kind(noun, LEXICON_MEDIUM) || is_built_in(c, i))
        return false;
    if (may_be_subject(t) && other_medium(c, i))
        return true;
    return (may_be_subject(t) || other_medium(c, i)) && clause_has_subject(c, i);
}

// "A rose": an article makes a thing of a colour.
static bool colour_is_thing(const struct context *c, size_t i)
{
    const struct term *t = &c->t[i];
    bool article = i > 0 && !t->breaks && (is_phrase(t - 1, "a") || is_phrase(t - 1, "an"));

    return article && may_be_subject(t) && !head(c, i) &&
           !is_kind(governor(c, i), LEXICON_PREPOSITION);
}

// A medium that is only a thing in the photo: "on a carpet", or "with a pencil" beside another.
static bool medium_is_subject(const struct context *c, size_t i)
{
    const struct term *by = governor(c, i);

    return is_kind(by, LEXICON_PLACE) ||
           (other_medium(c, i) && is_kind(by, LEXICON_PREPOSITION) && term_is_filler(&c->t[i - 1]));
}

// Whether an adjective says something about a material that counts: "cracked leather boots".
static bool describes_material(const struct context *c, size_t i)
{
    size_t from, to;

    clause_of(c, i, &from, &to);
    for (size_t k = i + 1; k < to && is_adjective(&c->t[k]); k++)
        if (c->t[k].kind == LEXICON_MATERIAL)
            return true;
    return false;
}

// "Shining its light": an -ing with an object is what somebody does.
static bool is_verb(const struct context *c, size_t i)
{
    static const char *const article[] = {"a",   "an",    "the", "its", "his",
                                          "her", "their", "my",  "our"};
    const char *phrase = c->t[i].entry->phrase;
    size_t n = strlen(phrase);

    if (i + 1 >= c->count || c->t[i + 1].breaks || n < 5 || strcmp(phrase + n - 3, "ing") != 0)
        return false;
    for (size_t k = 0; k < sizeof(article) / sizeof(article[0]); k++)
        if (is_phrase(&c->t[i + 1], article[k]))
            return true;
    return false;
}

static bool is_subject(const struct context *c, size_t i)
{
    const struct term *t = &c->t[i];

    if (t->kind > LEXICON_MODIFIER)
        return false;
    const struct term *noun = head(c, i);
    bool of_subject = is_kind(noun, LEXICON_SUBJECT) && !describes_material(c, i);
    // "A rusty robot" is made of rust, as a wooden one is of wood.
    if (t->kind == LEXICON_MODIFIER && term_implies(t, LEXICON_MATERIAL) && !other_medium(c, i))
        of_subject = false;
    switch (t->kind) {
    case LEXICON_MEDIUM:
        return medium_is_subject(c, i);
    case LEXICON_MATERIAL:
        return material_is_subject(c, i);
    case LEXICON_PALETTE:
        return (of_subject && (ambiguous(t) || t->stand_in)) || colour_is_thing(c, i);
    case LEXICON_MODIFIER:
        if (may_be_subject(t) && i + 1 < c->count && !t[1].breaks && t[1].kind == LEXICON_LIGHT)
            return true; // "soft warm light": how the light is, not the paint
        __attribute__((fallthrough));
    default:
        // "On rough paper" is about what the picture is made on.
        return may_be_subject(t) && ((of_subject && !is_material(noun)) || is_verb(c, i));
    }
}

// From the end: what an adjective is about is settled before it.
static void settle_subjects(struct context *c)
{
    for (size_t i = c->count; i-- > 0;) {
        struct term *t = &c->t[i];
        if (!t->entry || !is_subject(c, i))
            continue;
        c->media -= is_medium(t);
        t->kind = LEXICON_SUBJECT;
        t->adjective = true; // it stays in front of its noun
    }
}

// The noun that ends the adjectives from t[i] on, if they are about what the photo shows.
static size_t skip_adjectives(const struct context *c, size_t i)
{
    while (c->t[i].kind == LEXICON_SUBJECT && c->t[i].adjective && i + 1 < c->count &&
           !c->t[i + 1].breaks)
        i++;
    return i;
}

// "no red or blue, ..." excludes the next thing and what "or" and "and" join to it; "no golden
// frame" excludes the frame.
static void exclude_from(struct context *c, size_t next)
{
    while (next < c->count && !c->t[next].breaks && term_is_filler(&c->t[next]))
        next++;
    while (next < c->count && !c->t[next].breaks && c->t[next].kind != LEXICON_JOINER) {
        next = skip_adjectives(c, next);
        c->t[next++].excluded = true;
        for (; next < c->count && !c->t[next].breaks && c->t[next].kind == LEXICON_SUBJECT &&
               c->t[next - 1].kind == LEXICON_SUBJECT;
             next++)
            c->t[next].goes_on = c->t[next].excluded = true; // "speech bubbles"
        if (next < c->count && !c->t[next].breaks && c->t[next].kind == LEXICON_TONE)
            next++; // "no red tones and ..."
        if (next == c->count || c->t[next].breaks || c->t[next].kind != LEXICON_JOINER)
            break;
        next++;
    }
}

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
        if (!names_medium(&t[i]) || !names_medium(&t[i + 1]) || t[i + 1].breaks)
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

// Tiles, panes and the like are what a mosaic is built of, and things elsewhere.
static void settle_pieces(struct context *c)
{
    bool built = false;

    for (size_t i = 0; i < c->count; i++)
        built |= is_built(&c->t[i]);
    for (size_t i = 0; i < c->count && !built; i++)
        if (c->t[i].kind == LEXICON_CARRIER && may_be_subject(&c->t[i]))
            c->t[i].kind = LEXICON_SUBJECT;
}

// "Black polished marble" is black marble, where that is a thing of its own.
static void settle_varieties(struct context *c)
{
    char phrase[PHRASE_BYTES];

    for (size_t i = 1; i < c->count; i++)
        for (size_t k = i; c->t[i].kind == LEXICON_MATERIAL && k-- > 0 && !c->t[k + 1].breaks &&
                           is_adjective(&c->t[k]);) {
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

void context_settle(struct term *t, size_t count, bool medium_named)
{
    struct context c = {.t = t, .count = count, .media = medium_named, .named = medium_named};

    settle_media(t, count);
    for (size_t i = 0; i < count; i++) {
        c.media += is_medium(&t[i]);
        c.named |= names_medium(&t[i]);
    }
    settle_pieces(&c);
    settle_palettes(&c);
    settle_varieties(&c);
    settle_subjects(&c);
    for (size_t i = 0; i < count; i++)
        if (t[i].kind == LEXICON_NEGATION && t[i].entry)
            exclude_from(&c, i + 1);
}
