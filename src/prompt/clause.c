/* SPDX-License-Identifier: MIT */
/* What a term is, and which terms bear on each other: those of a clause. */
#include "prompt/prompt_internal.h"

#include <string.h>

enum { REACH = 16 }; // what stands further from a term, in terms, does not bear on it

bool term_is_filler(const struct term *t)
{
    return t->kind == LEXICON_FILLER && !(t->entry && t->entry->implies);
}

bool term_implies(const struct term *t, enum lexicon_kind kind)
{
    return t->entry && t->entry->implies && lexicon_find(t->entry->implies)->kind == kind;
}

bool term_is_ambiguous(const struct term *t)
{
    return t->entry && t->entry->kind != t->entry->other_kind;
}

bool term_may_be_subject(const struct term *t)
{
    return t->stand_in || (t->entry && t->entry->other_kind == LEXICON_SUBJECT);
}

bool term_is(const struct term *t, const char *phrase)
{
    return t->entry && strcmp(t->entry->phrase, phrase) == 0;
}

bool term_is_of(const struct term *t)
{
    return t->entry && strcmp(t->entry->name, "of") == 0;
}

bool term_is_kind(const struct term *t, enum lexicon_kind kind)
{
    return t && t->kind == kind;
}

bool term_is_material(const struct term *t)
{
    return t && t->entry && t->entry->kind == LEXICON_MATERIAL;
}

bool term_names_medium(const struct term *t)
{
    return t->kind == LEXICON_MEDIUM && t->entry->other_kind != LEXICON_PALETTE;
}

bool term_is_built(const struct term *t)
{
    return t->kind == LEXICON_MEDIUM && t->entry->other_kind == LEXICON_CARRIER;
}

bool term_is_adjective(const struct term *t)
{
    return t->kind == LEXICON_MATERIAL || t->kind == LEXICON_PALETTE || t->adjective ||
           t->kind == LEXICON_MODIFIER || t->kind == LEXICON_LIGHT;
}

void clause_of(const struct context *c, size_t i, size_t *from, size_t *to)
{
    *from = i;
    while (*from > 0 && !c->t[*from].breaks && i - *from < REACH)
        --*from;
    *to = i + 1;
    while (*to < c->count && !c->t[*to].breaks && *to - i <= REACH)
        ++*to;
}

const struct term *clause_before(const struct context *c, size_t i)
{
    size_t from, to;

    clause_of(c, i, &from, &to);
    while (i-- > from)
        if (!term_is_filler(&c->t[i]))
            return &c->t[i];
    return NULL;
}

const struct term *clause_governor(const struct context *c, size_t i)
{
    size_t from, to;

    clause_of(c, i, &from, &to);
    while (i-- > from) {
        const struct term *t = &c->t[i];
        bool passed = term_is_filler(t) || term_is_adjective(t) || t->kind == LEXICON_JOINER;
        if (term_is_of(t) || !passed)
            return t;
    }
    return NULL;
}

const struct term *clause_head(const struct context *c, size_t i)
{
    const struct term *noun = NULL;
    size_t from, to;

    clause_of(c, i, &from, &to);
    for (size_t k = i + 1; k < to; k++) {
        const struct term *t = &c->t[k];
        bool joined = t->kind == LEXICON_JOINER && k + 1 < to && term_is_adjective(t + 1);
        bool compound = t->kind == LEXICON_SUBJECT && k + 1 < to &&
                        term_is_kind(t + 1, LEXICON_MATERIAL);
        if (!joined && !compound && !term_is_adjective(t))
            return !noun || t->kind == LEXICON_SUBJECT || t->kind == LEXICON_TONE ? t : noun;
        if (t->kind == LEXICON_SUBJECT && !compound)
            noun = t; // "black rocks": it might have described another
    }
    return noun;
}
