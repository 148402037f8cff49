/* SPDX-License-Identifier: MIT */
#include "prompt/prompt_internal.h"

#include "prompt/dictionary.h"

#include <string.h>

enum {
    PHRASE_BYTES_MAX = 80,     // the lexicon's longest has 63
    DICTIONARY_PHRASE_MAX = 3, // words, as in dictionary.py
    PART_LETTERS_MIN = 3,      // of a compound
    RESPELLED_MAX = 64         // a text with more words that are none is not misspelled English
};

static bool phrase_add(char phrase[PHRASE_BYTES_MAX], const char *word)
{
    size_t n = strlen(phrase), k = strlen(word);

    if (n + k + 2 > PHRASE_BYTES_MAX)
        return false;
    if (n > 0)
        phrase[n++] = ' ';
    memcpy(phrase + n, word, k + 1);
    return true;
}

// The longest phrase that begins at w[0], its last word perhaps a plural of what is listed; *used
// is how many words it has.
static const struct lexicon_entry *longest_phrase(const struct word *w, size_t count, size_t *used)
{
    const struct lexicon_entry *best = NULL;
    char phrase[PHRASE_BYTES_MAX] = "", singular[PHRASE_BYTES_MAX];
    bool longer = true;

    *used = 1;
    for (size_t n = 0;
         n < count && longer && (w[n].listed || w[n].singular) && (n == 0 || !w[n].breaks); n++) {
        memcpy(singular, phrase, sizeof(phrase));
        if (!phrase_add(phrase, w[n].normal))
            break;
        const struct lexicon_entry *found = lexicon_find_first(phrase, &longer);
        if (!found && w[n].singular && phrase_add(singular, w[n].singular->word))
            found = lexicon_find(singular);
        if (found) {
            best = found;
            *used = n + 1;
        }
    }
    return best;
}

// "Brass band": phrases of the dictionary in which a word does not mean what it means alone.
static enum word_class dictionary_phrase(const struct word *w, size_t count, size_t longer_than,
                                         size_t *used, const char **alias)
{
    size_t longest = 1;

    while (longest < count && longest < DICTIONARY_PHRASE_MAX && !w[longest].breaks)
        longest++;
    for (size_t n = longest; n > longer_than; n--) {
        char phrase[PHRASE_BYTES_MAX] = "";
        bool fits = true, telling = false;
        for (size_t i = 0; i < n && fits; i++) {
            fits = phrase_add(phrase, w[i].normal);
            telling |= (w[i].listed && w[i].listed->telling) ||
                       (w[i].singular && w[i].singular->telling);
        }
        enum word_class found = fits && telling ? dictionary_find_phrase(phrase, alias)
                                                : WORD_UNKNOWN;
        if (found != WORD_UNKNOWN) {
            *used = n;
            return found;
        }
    }
    return WORD_UNKNOWN;
}

static bool is_filler_word(const char *word)
{
    const struct lexicon_entry *e = lexicon_find(word);

    return e && e->kind == LEXICON_FILLER && strlen(word) > PART_LETTERS_MIN;
}

// Whether a word is two others in one: "worktop", or a picture of something: "Hochzeitsfoto".
static bool is_compound(const char *word)
{
    size_t n = strlen(word);
    char first[PHRASE_BYTES_MAX];
    const char *alias;

    if (n >= sizeof(first))
        return false;
    for (size_t k = PART_LETTERS_MIN; k + PART_LETTERS_MIN <= n; k++) {
        memcpy(first, word, k);
        first[k] = '\0';
        if (is_filler_word(word + k) ||
            ((lexicon_word(first) || dictionary_find(first, &alias) != WORD_UNKNOWN) &&
             (lexicon_word(word + k) || dictionary_find(word + k, &alias) != WORD_UNKNOWN)))
            return true;
    }
    return false;
}

// "Stainedglass": a phrase of the lexicon without its space.
static bool split_phrase(struct reader *r, struct word *w)
{
    size_t n = strlen(w->normal);
    char phrase[PHRASE_BYTES_MAX];

    if (n + 2 > sizeof(phrase))
        return false;
    for (size_t k = PART_LETTERS_MIN; k + PART_LETTERS_MIN <= n; k++) {
        memcpy(phrase, w->normal, k);
        phrase[k] = '\0';
        const struct lexicon_word *first = lexicon_word(phrase);
        phrase[k] = ' ';
        memcpy(phrase + k + 1, w->normal + k, n - k + 1);
        if (!first || !lexicon_find(phrase))
            continue;
        w->listed = first;
        w->normal = keep(r, phrase, n + 1);
        return true;
    }
    return false;
}

// "Rembrandtesque" means what "Rembrandt" does.
static bool stem(struct word *w)
{
    w->listed = lexicon_stem(w->normal);
    if (w->listed)
        w->normal = w->listed->word;
    return w->listed != NULL;
}

// "Bolder" and "boldly" mean what "bold" does. But a "polisher" is a thing, and to "glower" no
// glow.
static bool is_form(struct word *w)
{
    const char *alias;
    enum word_class itself = dictionary_find_phrase(w->normal, &alias);
    size_t n = strlen(w->normal);
    bool other = n > 0 && w->normal[n - 1] == 'r' &&
                 (itself == WORD_THING || itself == WORD_ORDINARY);

    w->listed = other ? NULL : lexicon_positive(w->normal);
    if (w->listed)
        w->normal = w->listed->word;
    return w->listed != NULL;
}

// Looks every word up. What is no word is replaced by what was meant, with a warning.
static void look_up(struct reader *r, struct word *w, size_t count)
{
    int tried = 0;

    for (size_t i = 0; i < count; i++, w++) {
        const char *alias;
        w->listed = lexicon_word(w->normal);
        w->singular = lexicon_singular(w->normal);
        if (w->listed || w->singular || is_form(w) || tried == RESPELLED_MAX ||
            dictionary_find(w->normal, &alias) != WORD_UNKNOWN)
            continue;
        // Slips and compounds are told by the byte.
        if ((w->normal[0] & 0x80) || split_phrase(r, w) || stem(w))
            continue;
        tried++;
        w->listed = lexicon_respell(w->normal);
        const struct lexicon_entry *meant = w->listed ? lexicon_find(w->listed->word) : NULL;
        if (meant && meant->kind == LEXICON_NEGATION)
            w->listed = NULL; // a guess must not turn a wish round
        w->compound = !w->listed && is_compound(w->normal);
        if (!w->listed)
            continue;
        w->guessed = true;
        w->normal = w->listed->word;
        warn_at(r, "spelling", w->start, w->end, "'%s' was read as '%s'", w->shown, w->normal);
    }
}

// Numbers, what begins with one ("85mm") and single letters say nothing and are not worth a
// warning.
static bool says_nothing(const char *word)
{
    return (word[0] >= '0' && word[0] <= '9') || (word[1] == '\0' && word[0] > 0);
}

// What the dictionary says of a term that the lexicon does not have.
static void classify(struct term *t, enum word_class class, const char *alias)
{
    t->known = class != WORD_UNKNOWN;
    t->kind = class == WORD_ORDINARY || class == WORD_ADJECTIVE ? LEXICON_FILLER : LEXICON_SUBJECT;
    t->adjective = class == WORD_ADJECTIVE;
    if (class != WORD_ALIAS && class != WORD_SECOND_ALIAS)
        return;
    t->entry = lexicon_find(alias);
    t->kind = t->entry->kind;
    t->stand_in = true;
    t->unlikely = class == WORD_SECOND_ALIAS;
}

// The whole of a phrase, for messages.
static const char *shown_phrase(struct reader *r, const struct word *w, size_t count)
{
    const char *all = w[0].shown;

    for (size_t i = 1; i < count && all; i++)
        all = arena_printf(r->arena, "%s %s", all, w[i].shown);
    r->failed |= !all;
    return all ? all : "";
}

// "Red oak" is a tree to the dictionary and "Edouard Manet" a person, but they end in what is
// surely a material or a manner of painting.
static const struct lexicon_entry *ending_name(const struct word *w, size_t count)
{
    const struct word *last = &w[count - 1];
    const struct lexicon_entry *e = count > 1 && last->listed ? lexicon_find(last->normal) : NULL;
    bool manner = e && e->kind == LEXICON_MODIFIER && e->implies;

    return e && (e->kind == LEXICON_MATERIAL || manner) && e->other_kind != LEXICON_SUBJECT ? e
                                                                                            : NULL;
}

static struct term term_at(struct reader *r, const struct word *w, size_t count, size_t *used)
{
    const struct lexicon_entry *found = longest_phrase(w, count, used);
    struct term t = {
        .shown = w[0].shown, .start = w[0].start, .breaks = w[0].breaks, .guessed = w[0].guessed};
    const char *alias = NULL;
    enum word_class class = dictionary_phrase(w, count, *used, used, &alias);

    if (class == WORD_UNKNOWN && found) {
        t.entry = found;
        t.kind = found->kind;
        t.known = true;
    } else {
        if (class == WORD_UNKNOWN)
            class = w[0].compound ? WORD_THING : dictionary_find(w[0].normal, &alias);
        classify(&t, class, alias);
        const struct lexicon_entry *name = ending_name(w, *used);
        // A painter's own manner tells more than that he painted.
        if (name && (!t.entry || name->kind == LEXICON_MODIFIER)) {
            t.entry = name;
            t.kind = name->kind;
            t.stand_in = name->kind == LEXICON_MATERIAL; // of the same kind; an artist is himself
        }
        if (t.stand_in)
            t.shown = shown_phrase(r, w, *used);
    }
    t.end = w[*used - 1].end;
    return t;
}

// "Albrecht Dürer": an unknown word in front of an artist's name is part of it.
static void join_names(struct term *t, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        const struct term *next = &t[i + 1];
        bool artist = next->stand_in && next->kind != LEXICON_MATERIAL &&
                      next->kind != LEXICON_PALETTE && !next->breaks;
        if (!t[i].known && artist)
            t[i].known = true;
    }
}

size_t terms_read(struct reader *r, struct word *w, size_t words, struct term **out)
{
    struct term *term = arena_alloc(r->arena, (words + 1) * sizeof(*term));
    size_t count = 0, used;

    if (!term) {
        r->failed = true;
        return 0;
    }
    look_up(r, w, words);
    for (size_t i = 0; i < words; i += used) {
        struct term t = term_at(r, w + i, words - i, &used);
        if (t.entry || t.known || !says_nothing(w[i].normal))
            term[count++] = t;
    }
    join_names(term, count);
    *out = term;
    return count;
}
