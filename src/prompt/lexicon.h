/* SPDX-License-Identifier: MIT */
#ifndef PATINA_PROMPT_LEXICON_H
#define PATINA_PROMPT_LEXICON_H

#include <stdbool.h>
#include <stddef.h>

/*
 * For prompt/ alone: the words that are understood, from lexicon.tsv. Everything here is constant
 * and may be used from any thread.
 */
enum lexicon_kind {
    LEXICON_MEDIUM,
    LEXICON_MATERIAL,
    LEXICON_PALETTE,
    LEXICON_LIGHT,
    LEXICON_MODIFIER,
    LEXICON_SUBJECT, /* what pictures show: recognised, without effect */
    LEXICON_FILLER,
    LEXICON_JOINER,      /* "and" */
    LEXICON_PREPOSITION, /* "in", "with" */
    LEXICON_MAKING,      /* "carved from": a material follows */
    LEXICON_TONE,        /* "tones": a palette precedes */
    LEXICON_NEGATION,
    LEXICON_CARRIER, /* "statue": what stands in front of it is a material, whatever else is named
                      */
    LEXICON_PLACE    /* "on", "wearing": what stands behind it is part of what the photo shows */
};

struct lexicon_entry {
    const char *phrase;  /* words in normal form, single spaces between */
    const char *name;    /* what it is called in a reading */
    const char *implies; /* medium, material or palette when the prompt names none, or NULL */
    enum lexicon_kind kind, other_kind; /* differ when the words around decide */
};

struct lexicon_word {
    const char *word;
    int phrases;  /* that it is part of: how likely it is meant */
    bool telling; /* alone it says something about a look */
    bool wrong;   /* a misspelling, in all of them */
};

struct lexicon_nearest {
    const char *name, *nearest;
};

extern const struct lexicon_entry lexicon_entries[]; /* sorted by phrase */
extern const size_t lexicon_entry_count;
extern const struct lexicon_word lexicon_words[]; /* every word of the phrases, sorted */
extern const size_t lexicon_word_count;
extern const struct lexicon_nearest lexicon_nearests[]; /* sorted by name */
extern const size_t lexicon_nearest_count;

/* The entry of exactly this phrase, or NULL. */
const struct lexicon_entry *lexicon_find(const char *phrase);

/* The same; *longer is whether there are phrases of which this one is the first words. */
const struct lexicon_entry *lexicon_find_first(const char *phrase, bool *longer);

/* NULL: no phrase contains it. */
const struct lexicon_word *lexicon_word(const char *word);

/* The singular of a plural; NULL: no phrase contains it. */
const struct lexicon_word *lexicon_singular(const char *word);

/* What a comparative or superlative is formed of: "bolder", "wettest"; NULL: no phrase contains it,
 * or it is no quality. */
const struct lexicon_word *lexicon_positive(const char *word);

/* What an adjective ending was added to: "Rembrandtesque", "marblelike"; NULL: no phrase contains
 * it. */
const struct lexicon_word *lexicon_stem(const char *word);

/* The word that was meant if one slip of the pen explains this one, or two in a long one; the
 * likeliest of several. NULL: none. For words that are none: it reads "planer" as "plane". */
const struct lexicon_word *lexicon_respell(const char *word);

#endif
