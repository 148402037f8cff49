/* SPDX-License-Identifier: MIT */
#ifndef PATINA_PROMPT_PROMPT_INTERNAL_H
#define PATINA_PROMPT_PROMPT_INTERNAL_H

/*
 * For prompt/ alone. A prompt is read in steps, each a file:
 *     lexer.c       takes the parameters out of it and leaves the text
 *     parameters.c  what each parameter means
 *     words.c       the text as words in normal form
 *     terms.c       the words as terms: phrases of the lexicon and of the dictionary
 *     clause.c      which of them bear on each other
 *     combine.c     those that mean something together
 *     context.c     what the terms mean where they stand
 *     meaning.c     their meanings as the lists of a prompt
 * and parser.c puts them together.
 */
#include "prompt/lexicon.h"
#include "prompt/prompt.h"

/* Some bytes of the prompt and where they stand in it, in scalars. */
struct span {
    const char *s;
    size_t len;
    uint32_t start, end;
};

enum { PROMPT_PARAMS = 12 }; /* bits of enum prompt_param */

/* One reading under way. */
struct reader {
    struct prompt *out;
    struct arena *arena;
    bool parts_joined; /* there are more weighted parts than are told apart */
    bool failed;       /* memory ran out; set once, looked at in the end */

    char *text; /* the prompt without parameters; text_at[i] is where byte i came from */
    uint32_t *text_at;
    size_t text_len;

    struct span given_at[PROMPT_PARAMS]; /* by bit: the parameter that counts so far */
    struct span no;                      /* the list of the `--no` that counts so far */

    float medium_weight;      /* of the part that named the medium */
    struct span unknown_at;   /* the first word that was not understood; `s` is unused */
    struct prompt_terms idle; /* words that are understood and say nothing of how it is made */
};

/* prompt_warn() with a place. */
void warn_at(struct reader *r, const char *code, uint32_t start, uint32_t end, const char *fmt, ...)
    PRINTF_LIKE(5, 6);

/* A copy of the span for messages: at most 60 bytes, cut between characters, "..." behind a cut. */
const char *span_quote(struct reader *r, struct span s);

/* Copies into the arena; "" and `failed` when memory ran out. */
const char *keep(struct reader *r, const char *s, size_t len);

/* Adds a name unless it is there or the list is full. NULL: no term says so, it is implied. */
struct term;
void terms_add(struct prompt_terms *t, const char *name, const struct term *by);

/* lexer.c: fills text, text_at and text_len, and applies every parameter. */
void lexer_read(struct reader *r, const char *s, size_t len);

/* The next scalar of a well-formed string, and how many bytes it takes. */
uint32_t scalar_at(const char *s, size_t len, size_t *bytes);
bool is_space(uint32_t c);

/* Reads [+-]digits[.digits] at the beginning of s: the bytes it takes, 0 for none. Not strtod(),
 * which reads "inf" and hex and goes by the locale. Endless digits give an infinity. */
size_t number_read(const char *s, size_t len, double *out);

/* parameters.c */
enum arity {
    ARITY_NONE,
    ARITY_ONE,   /* the next word, whatever it is */
    ARITY_CODES, /* the next words as long as they look like numbers, codes or URLs */
    ARITY_REST   /* all up to the next parameter */
};

struct parameter;

/* By its name in lower-case letters; NULL: none. */
const struct parameter *parameter_find(const char *name);
enum arity parameter_arity(const struct parameter *p);

/* The parameter's name nearest to a mistyped one, or NULL. */
const char *parameter_nearest(const char *name);

/* `whole` from the dashes to the value's end; the value may be empty. */
void parameter_apply(struct reader *r, const struct parameter *p, struct span whole,
                     struct span value);

/* words.c */
struct word {
    const char *normal; /* what is compared: lower case, no accents, "color" */
    const char *shown;  /* what is shown: lower case */
    uint32_t start, end;
    bool breaks; /* a comma, full stop or the like stands in front */

    /* From the lexicon; NULL: not there. */
    const struct lexicon_word *listed, *singular;
    bool guessed;  /* misspelled, and put right */
    bool compound; /* of words of the dictionary, without being in it */
};

/* The words of a text; at[i] is the place of its byte i, or NULL when nobody asks. *out lives in
 * the arena. Returns how many. */
size_t words_read(struct reader *r, const char *s, size_t len, const uint32_t *at,
                  struct word **out);

/* terms.c */
struct term {
    const struct lexicon_entry *entry; /* NULL: not in the lexicon */
    const char *shown;                 /* its first word */
    enum lexicon_kind kind;            /* what it is here; settled by context.c */
    uint32_t start, end;
    bool breaks;    /* punctuation in front */
    bool known;     /* to the lexicon or as English */
    bool adjective; /* not in the lexicon */
    bool stand_in;  /* the entry is only a relative: "basalt" as stone */
    bool guessed;   /* its first word was misspelled */
    bool unlikely;  /* and usually is not meant: "ash" as wood */
    bool general;   /* a material of which a kind is named, too: "wood" beside "oak" */
    bool excluded;  /* negated */
    bool goes_on;   /* with the term before it: "speech bubbles" */
};

/* The terms of some words, misspelled ones put right with a warning. *out lives in the arena.
 * Returns how many. */
size_t terms_read(struct reader *r, struct word *w, size_t words, struct term **out);

/* clause.c */
struct context {
    struct term *t;
    size_t count;
    int media;  /* that are named or implied, here and in what was read before */
    bool named; /* one is named for certain */
};

/* Nothing but grammar: "the", "very". */
bool term_is_filler(const struct term *t);

/* Asks for a medium, a material or a palette without naming it: "painting", "statue", "vintage". */
bool term_implies(const struct term *t, enum lexicon_kind kind);

/* The words around decide between two kinds. */
bool term_is_ambiguous(const struct term *t);

/* Without the words around it, it is as likely part of what the photo shows. */
bool term_may_be_subject(const struct term *t);

bool term_is(const struct term *t, const char *phrase);
bool term_is_of(const struct term *t);
bool term_is_kind(const struct term *t, enum lexicon_kind kind); /* NULL is of none */
bool term_is_material(const struct term *t); /* to the lexicon, whatever it is here; nor is NULL */

/* Names a medium for certain. */
bool term_names_medium(const struct term *t);

/* Put together from pieces of some material: "mosaic". */
bool term_is_built(const struct term *t);

/* Stands in front of a noun: "old", "golden". */
bool term_is_adjective(const struct term *t);

/* How far the clause of t[i], what stands between punctuation, goes: *from is in it, *to behind. */
void clause_of(const struct context *c, size_t i, size_t *from, size_t *to);

/* The term in front of t[i], fillers skipped; NULL: there is none, or punctuation parts them. */
const struct term *clause_before(const struct context *c, size_t i);

/* The term that governs t[i]: in front of it and of the adjectives and fillers before it; or
 * NULL. */
const struct term *clause_governor(const struct context *c, size_t i);

/* The noun that t[i] describes: behind it and the adjectives after it. NULL: it stands alone, or
 * describes a material: "weathered barn wood". */
const struct term *clause_head(const struct context *c, size_t i);

/* combine.c: terms that are one thing together. */
void combine_terms(struct context *c); /* phrases and media; first of all */
void combine_leftovers(
    struct context *c); /* "black and white", "wood, oak"; subjects are settled */

/* context.c: decides kinds and what is excluded. A medium named already says that materials may be
 * part of what the photo shows. */
void context_settle(struct term *t, size_t count, bool medium_named);

/* meaning.c: reads words that weigh `weight` into the prompt's lists and into their part. */
void meaning_read(struct reader *r, const char *s, size_t len, const uint32_t *at, float weight,
                  struct prompt_part *part);

/* Adds the things of a list that must not be there (`--no`). */
void meaning_exclude(struct reader *r, struct span list);

/* After the last part: settles the medium and warns about what was not understood. */
void meaning_finish(struct reader *r);

#endif
