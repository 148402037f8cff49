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
    LEXICON_NEGATION
};

struct lexicon_entry {
    const char *phrase;                 /* words in normal form, single spaces between */
    const char *name;                   /* what it is called in a reading */
    const char *implies;                /* medium when the prompt names none, or NULL */
    enum lexicon_kind kind, other_kind; /* differ when the words around decide */
};

extern const struct lexicon_entry lexicon_entries[]; /* sorted by phrase */
extern const size_t lexicon_entry_count;
extern const char *const lexicon_words[]; /* every word of the phrases, sorted */
extern const size_t lexicon_word_count;
extern const int lexicon_phrase_words; /* in the longest phrase */

/* The entry of exactly this phrase, or NULL. */
const struct lexicon_entry *lexicon_find(const char *phrase);

/* The word itself if a phrase contains it, or NULL. */
const char *lexicon_word(const char *word);

/* The singular of a plural if a phrase contains it, or NULL. */
const char *lexicon_singular(const char *word);

/* The word that was meant if one slip of the pen explains this one (neither is short), or NULL. */
const char *lexicon_respell(const char *word);

#endif
