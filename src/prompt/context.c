/* SPDX-License-Identifier: MIT */
/*
 * What terms mean where they stand. "Golden" is the material of "a golden statue", a palette in
 * "oil painting in blue and gold", and part of the photo in "a watercolour of golden retrievers".
 * The rules look at a term's clause: what stands between punctuation.
 */
#include "prompt/prompt_internal.h"

#include <string.h>

// Names a medium, certainly or by what it implies.
static bool is_medium(const struct term *t)
{
    return term_names_medium(t) || ((t->kind == LEXICON_FILLER || t->kind == LEXICON_MODIFIER) &&
                                    term_implies(t, LEXICON_MEDIUM));
}

// And is wanted: "instead of oil".
static bool is_wanted_medium(const struct context *c, size_t i)
{
    return is_medium(&c->t[i]) && !term_is_kind(clause_before(c, i), LEXICON_NEGATION);
}

static bool other_medium(const struct context *c, size_t i)
{
    return c->media > is_wanted_medium(c, i);
}

// Parts two colours: "emerald and gold", "gold on black".
static bool joins_colours(const struct term *t)
{
    return t && (t->kind == LEXICON_JOINER || term_is(t, "on"));
}

// Whether a palette stands on the other side of an "and".
static bool is_joined_to_palette(const struct context *c, size_t i)
{
    const struct term *joiner = clause_before(c, i);
    size_t from, to;

    if (joins_colours(joiner) &&
        term_is_kind(clause_before(c, (size_t)(joiner - c->t)), LEXICON_PALETTE))
        return true;
    clause_of(c, i, &from, &to);
    return i + 2 < to && joins_colours(&c->t[i + 1]) && c->t[i + 2].kind == LEXICON_PALETTE &&
           (c->t[i + 1].kind == LEXICON_JOINER || !clause_head(c, i + 2)); // "on black marble"
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
    return term_is(t, "a") || term_is(t, "an") || term_is(t, "the");
}

static bool is_comparison(const struct term *t)
{
    return term_is(t, "like") || term_is(t, "like a") || term_is(t, "like an");
}

// "A pastel", "the old glass": one thing, and nothing that other things are made of.
static bool has_article(const struct context *c, size_t i)
{
    while (i > 0 && !c->t[i].breaks && term_is_adjective(&c->t[i - 1]))
        i--;
    return i > 0 && !c->t[i].breaks && is_article(&c->t[i - 1]);
}

// "made of X", "a statue of X".
static bool is_made_of(const struct context *c, size_t i)
{
    const struct term *by = clause_governor(c, i);

    if (!by || by->kind == LEXICON_MAKING)
        return by != NULL;
    if (!term_is_of(by) || term_is_kind(clause_head(c, i), LEXICON_SUBJECT))
        return false;
    const struct term *what = clause_before(c, (size_t)(by - c->t));
    if (term_is_kind(what, LEXICON_CARRIER))
        return true;
    // "Carved from a block of ice".
    if (term_is_kind(what, LEXICON_SUBJECT) &&
        term_is_kind(clause_governor(c, (size_t)(what - c->t)), LEXICON_MAKING))
        return true;
    // "A mosaic of glass", but of "a glass".
    return term_is_kind(what, LEXICON_MEDIUM) &&
           (!term_may_be_subject(&c->t[i]) || (term_is_built(what) && !has_article(c, i)));
}

// "A Degas pastel", "pastel of a dancer": beside somebody's manner of painting.
static bool is_a_work(const struct context *c, size_t i)
{
    const struct term *noun = clause_head(c, i);

    return !c->named && (noun ? term_is_of(noun) : has_article(c, i));
}

// A picture, named by what it shows: "a golden portrait", "a pastel landscape".
static bool is_work(const struct term *noun)
{
    static const char *const work[] = {"portrait", "landscape", "seascape", "still life"};

    for (size_t k = 0; k < sizeof(work) / sizeof(work[0]); k++)
        if (noun && term_is(noun, work[k]))
            return true;
    return false;
}

// "Soft pastels" are what somebody paints with whose manner is all that is named beside them.
static bool is_sticks(const struct context *c, size_t i)
{
    const struct lexicon_entry *e = c->t[i].entry;

    return !c->named && strcmp(e->name, "pastel") == 0 && e->phrase[strlen(e->phrase) - 1] == 's';
}

// "At night", "under the moon".
static bool is_adverbial(const struct term *light)
{
    static const char *const preposition[] = {"at ", "by ", "under "};
    bool found = false;

    for (size_t k = 0; k < sizeof(preposition) / sizeof(preposition[0]); k++)
        found |= strncmp(light->entry->phrase, preposition[k], strlen(preposition[k])) == 0;
    return found;
}

// "Golden sunset": the light is.
static bool is_of_light(const struct context *c, size_t i)
{
    const struct term *t = &c->t[i], *noun = clause_head(c, i);
    size_t n = strlen(t->entry->phrase);
    const char *end = t->entry->phrase + (n > 2 ? n - 2 : 0);
    bool of_thing = term_is_kind(noun, LEXICON_CARRIER) || term_is_kind(noun, LEXICON_SUBJECT);

    return i + 1 < c->count && t[1].kind == LEXICON_LIGHT && !t[1].breaks && !of_thing &&
           !is_adverbial(&t[1]) && (strcmp(end, "en") == 0 || strcmp(end, "ry") == 0);
}

// A thing is made of something: "a gold statue, neon".
static bool has_material(const struct context *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->t[i].kind == LEXICON_MATERIAL && !c->t[i].unlikely)
            return true;
    return false;
}

// Whether a word that is a palette or something else is the palette here.
static bool means_palette(const struct context *c, size_t i)
{
    const struct term *t = &c->t[i], *noun = clause_head(c, i);
    bool followed = i + 1 < c->count && !t[1].breaks && t[1].kind == LEXICON_PALETTE;

    if (term_is_kind(noun, LEXICON_TONE) || is_of_light(c, i))
        return true;
    if (i + 1 < c->count && !t[1].breaks && term_is(&t[1], "cracks"))
        return true; // "gold cracks"
    if (t->entry->kind == LEXICON_MEDIUM)
        return ((other_medium(c, i) || has_material(c)) && !is_a_work(c, i) && !is_sticks(c, i)) ||
               followed ||
               (term_is(t, "pastel") && term_is_kind(noun, LEXICON_SUBJECT) && !is_work(noun));
    if (is_made_of(c, i) || term_is_kind(noun, LEXICON_CARRIER))
        return false;
    return is_joined_to_palette(c, i) || other_medium(c, i);
}

static void settle_palettes(struct context *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (term_is_ambiguous(&c->t[i]) && c->t[i].entry->other_kind == LEXICON_PALETTE &&
            c->t[i].kind != LEXICON_FILLER && means_palette(c, i))
            c->t[i].kind = LEXICON_PALETTE;
}

// In or at something that is part of the photo: "on a marble floor".
static bool is_placed(const struct context *c, size_t i)
{
    const struct term *by = clause_governor(c, i);

    return term_is_kind(by, LEXICON_PLACE) || (term_is_kind(by, LEXICON_PREPOSITION) &&
                                               term_is_kind(clause_head(c, i), LEXICON_SUBJECT));
}

// "A mosaic in glass".
static bool is_built_in(const struct context *c, size_t i)
{
    const struct term *by = clause_governor(c, i);
    const struct term *what = by && term_is(by, "in") ? clause_before(c, (size_t)(by - c->t))
                                                      : NULL;

    return what && term_is_built(what) && !has_article(c, i);
}

static bool material_is_subject(const struct context *c, size_t i)
{
    const struct term *t = &c->t[i], *noun = clause_head(c, i);

    if (term_is_kind(noun, LEXICON_CARRIER) || is_made_of(c, i))
        return false;
    if (t->unlikely || is_placed(c, i) || term_is_kind(noun, LEXICON_TONE))
        return true;
    if (term_is_kind(noun, LEXICON_SUBJECT))
        return other_medium(c, i);
    if ((noun && is_medium(noun)) || is_built_in(c, i))
        return false;
    if (term_may_be_subject(t) && other_medium(c, i))
        return true;
    return (term_may_be_subject(t) || other_medium(c, i)) && clause_has_subject(c, i);
}

// "A rose": an article makes a thing of a colour.
static bool colour_is_thing(const struct context *c, size_t i)
{
    const struct term *t = &c->t[i];
    bool article = i > 0 && !t->breaks && (term_is(t - 1, "a") || term_is(t - 1, "an"));

    return article && term_may_be_subject(t) && !clause_head(c, i) &&
           !term_is_kind(clause_governor(c, i), LEXICON_PREPOSITION);
}

// A medium that is only a thing in the photo: "on a carpet", or "with a pencil" beside another.
static bool medium_is_subject(const struct context *c, size_t i)
{
    const struct term *by = clause_governor(c, i);

    return term_is_kind(by, LEXICON_PLACE) ||
           (other_medium(c, i) && term_is_kind(by, LEXICON_PREPOSITION) &&
            term_is_filler(&c->t[i - 1]));
}

// "A mosaic of broken pottery": the pieces are, the picture is not.
static bool is_of_pieces(const struct context *c, size_t i)
{
    bool built = false;

    for (size_t k = 0; k < c->count; k++)
        built |= term_is_built(&c->t[k]);
    return built && strcmp(c->t[i].entry->name, "cracked") == 0 && i + 1 < c->count &&
           !c->t[i + 1].breaks &&
           (term_is_material(&c->t[i + 1]) || c->t[i + 1].kind == LEXICON_CARRIER);
}

// Whether an adjective says something about a material that counts: "cracked leather boots".
static bool describes_material(const struct context *c, size_t i)
{
    size_t from, to;

    clause_of(c, i, &from, &to);
    for (size_t k = i + 1;
         k < to && (term_is_adjective(&c->t[k]) || c->t[k].kind == LEXICON_JOINER); k++)
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
        if (term_is(&c->t[i + 1], article[k]))
            return true;
    return false;
}

// "Thick outlines" tell how it is drawn.
static bool is_outline(const struct term *noun)
{
    return noun && noun->entry && strcmp(noun->entry->name, "outline") == 0;
}

// Behind what a picture shall be like: "old map feel".
static bool is_likeness(const struct term *t)
{
    static const char *const word[] = {"look", "feel", "vibe", "style", "effect", "aesthetic"};
    bool found = false;

    for (size_t k = 0; k < sizeof(word) / sizeof(word[0]); k++)
        found |= term_is(t, word[k]);
    return found;
}

// "Like an old photograph", "old map feel": what the picture shall be like, though "I'd like".
static bool is_compared(const struct context *c, size_t i)
{
    static const char *const wish[] = {"i", "we", "would", "should", "you", "they"};
    size_t end = i + 1;

    while (end < c->count && !c->t[end].breaks &&
           (term_is_adjective(&c->t[end]) || c->t[end].kind == LEXICON_SUBJECT))
        end++;
    if (end < c->count && !c->t[end].breaks && is_likeness(&c->t[end]))
        return true;
    while (i > 0 && !c->t[i].breaks &&
           (term_is_adjective(&c->t[i - 1]) || is_article(&c->t[i - 1])))
        i--;
    if (i == 0 || c->t[i].breaks || !is_comparison(&c->t[i - 1]))
        return false;
    for (size_t k = 0; i > 1 && k < sizeof(wish) / sizeof(wish[0]); k++)
        if (term_is(&c->t[i - 2], wish[k]))
            return false;
    return true;
}

static bool is_subject(const struct context *c, size_t i)
{
    const struct term *t = &c->t[i];

    if (t->kind > LEXICON_MODIFIER)
        return false;
    const struct term *noun = clause_head(c, i);
    bool of_subject = term_is_kind(noun, LEXICON_SUBJECT) && !is_work(noun) &&
                      !describes_material(c, i);
    if (t->kind == LEXICON_MODIFIER && (is_compared(c, i) || is_outline(noun)))
        of_subject = false;
    // "A rusty robot" is made of rust, as a wooden one is of wood.
    if (t->kind == LEXICON_MODIFIER && term_implies(t, LEXICON_MATERIAL) && !other_medium(c, i))
        of_subject = false;
    switch (t->kind) {
    case LEXICON_MEDIUM:
        return medium_is_subject(c, i);
    case LEXICON_MATERIAL:
        return material_is_subject(c, i);
    case LEXICON_PALETTE:
        return (of_subject && (term_is_ambiguous(t) || t->stand_in)) || colour_is_thing(c, i);
    case LEXICON_MODIFIER:
        if (is_of_pieces(c, i))
            return true;
        if (term_may_be_subject(t) && i + 1 < c->count && !t[1].breaks &&
            t[1].kind == LEXICON_LIGHT)
            return true; // "soft warm light": how the light is, not the paint
        __attribute__((fallthrough));
    default:
        // "On rough paper" is about what the picture is made on.
        return term_may_be_subject(t) && ((of_subject && !term_is_material(noun)) || is_verb(c, i));
    }
}

// From the end: what an adjective is about is settled before it.
static void settle_subjects(struct context *c)
{
    for (size_t i = c->count; i-- > 0;) {
        struct term *t = &c->t[i];
        if (!t->entry || !is_subject(c, i))
            continue;
        c->media -= is_wanted_medium(c, i);
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

// And not what somebody does: "do not crop".
static bool excludes_things(const struct term *negation)
{
    return term_is(negation, "no") || term_is(negation, "without");
}

// Between a negation and what it excludes: "without any", "not too".
static bool is_passed(const struct term *t)
{
    return term_is_filler(t) || t->kind == LEXICON_NEGATION;
}

// "Too dark", "less dark", but not "this too, in oil".
static bool is_of_degree(const struct term *negation)
{
    return strcmp(negation->entry->name, "less") == 0;
}

// "no red or blue, ..." excludes the next thing and what "or" and "and" join to it; "no golden
// frame" excludes the frame.
static void exclude_from(struct context *c, size_t next)
{
    struct term *negation = &c->t[next - 1], *last = NULL;

    if (is_of_degree(negation) && next < c->count && term_is_filler(&c->t[next]))
        return;
    for (; next < c->count && !c->t[next].breaks && is_passed(&c->t[next]); next++)
        last = &c->t[next];
    // "No outlines": a thing here, though usually a verb.
    if (last && !last->entry && (next == c->count || c->t[next].breaks) &&
        excludes_things(negation))
        last->excluded = true;
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
        for (next++; next < c->count && is_article(&c->t[next]); next++)
            continue;
        if (next < c->count && term_is_filler(&c->t[next]))
            break; // "no frame and make it bright"
    }
}

// "Like an old coin", "into a trophy": made as such things are.
static void settle_comparisons(struct context *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct term *t = &c->t[i];
        if (t->kind == LEXICON_SUBJECT && t->entry && t->entry->kind == LEXICON_SUBJECT &&
            t->entry->implies &&
            (is_compared(c, i) || term_is_kind(clause_governor(c, i), LEXICON_MAKING)))
            t->kind = LEXICON_FILLER;
    }
}

// What nothing else competes with is a wish after all: "a leather book cover of my dog".
static void settle_for_subject(struct context *c)
{
    size_t found = c->count;

    for (size_t i = c->count; i-- > 0;) {
        const struct term *t = &c->t[i];
        if (t->kind == LEXICON_MATERIAL || term_implies(t, LEXICON_MATERIAL))
            return;
        bool doubtful = t->unlikely || t->guessed || is_placed(c, i);
        if (t->kind == LEXICON_SUBJECT && term_is_material(t) && !doubtful)
            found = i;
    }
    if (c->media == 0 && found < c->count)
        c->t[found].kind = LEXICON_MATERIAL;
}

void context_settle(struct term *t, size_t count, bool medium_named)
{
    struct context c = {.t = t, .count = count, .media = medium_named, .named = medium_named};

    combine_terms(&c);
    for (size_t i = 0; i < count; i++) {
        bool wanted = is_wanted_medium(&c, i);
        c.media += wanted;
        c.named |= wanted && term_names_medium(&t[i]);
    }
    settle_palettes(&c);
    settle_subjects(&c);
    settle_comparisons(&c);
    settle_for_subject(&c);
    combine_leftovers(&c);
    for (size_t i = 0; i < count; i++)
        if (t[i].kind == LEXICON_NEGATION && t[i].entry)
            exclude_from(&c, i + 1);
}
