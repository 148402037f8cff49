/* SPDX-License-Identifier: MIT */
#include "prompt/prompt_internal.h"

#include <stdio.h>
#include <string.h>

// "bubbles" is "bubble" where that is listed.
static const char *singular_of(const struct term *t)
{
    if (!t->entry || t->stand_in)
        return t->shown;
    const struct lexicon_word *one = lexicon_singular(t->entry->phrase);
    return one ? one->word : t->entry->phrase;
}

// Excludes the `count` terms from t on as one thing.
static void exclude(struct reader *r, const struct term *t, size_t count)
{
    const char *name = t->shown;

    for (size_t i = 1; i < count && name; i++)
        name = arena_printf(r->arena, "%s %s", name, t[i].shown);
    if (count == 1)
        name = t->entry && t->kind <= LEXICON_MODIFIER ? t->entry->name : singular_of(t);
    r->failed |= !name;
    if (name)
        terms_add(&r->out->excluded, name, count == 1 ? t : NULL);
}

static void name_first(const char **name, const struct term *t)
{
    if (!*name)
        *name = t->entry->name;
}

// Parts blend, so each may have a medium of its own; within a part the first counts.
static void name_medium(struct reader *r, const struct term *t, float weight,
                        struct prompt_part *part)
{
    struct prompt *p = r->out;

    if (part->medium && strcmp(part->medium, t->entry->name) != 0)
        warn_at(r, "several_media", t->start, t->end,
                "%s counts; a picture has one medium, so %s does not", part->medium,
                t->entry->name);
    if (part->medium)
        return;
    part->medium = t->entry->name;
    if (!p->medium || weight > r->medium_weight) {
        p->medium = t->entry->name;
        r->medium_weight = weight;
    }
}

// "'basalt' was read as stone": the dictionary's word for something that has no look of its own.
static void warn_stand_in(struct reader *r, const struct term *t)
{
    if (t->stand_in)
        warn_at(r, "nearest", t->start, t->end, "'%s' was read as '%s', its nearest relative here",
                t->shown, t->entry->name);
}

static void include(struct reader *r, const struct term *t, float weight, struct prompt_part *part)
{
    struct prompt *p = r->out;

    if (!t->known) {
        if (p->unknown.count == 0)
            r->unknown_at = (struct span){.start = t->start, .end = t->end};
        terms_add(&p->unknown, t->shown, t);
        return;
    }
    if (!t->entry || t->kind == LEXICON_SUBJECT)
        terms_add(&r->idle, t->shown, t);
    if (!t->entry || t->kind > LEXICON_MODIFIER)
        return;
    warn_stand_in(r, t);
    switch (t->kind) {
    case LEXICON_MEDIUM:
        name_medium(r, t, weight, part);
        break;
    case LEXICON_MATERIAL:
        if (!t->general)
            name_first(&part->material, t);
        terms_add(&p->materials, t->entry->name, t);
        break;
    case LEXICON_PALETTE:
        terms_add(&p->palette, t->entry->name, t);
        break;
    case LEXICON_LIGHT:
        terms_add(&p->light, t->entry->name, t);
        break;
    default:
        if (term_implies(t, LEXICON_MEDIUM))
            name_first(&part->manner, t);
        terms_add(&p->modifiers, t->entry->name, t);
        break;
    }
}

static bool may_imply(const struct term *t)
{
    return t->entry && t->entry->implies && !t->excluded && t->kind != LEXICON_SUBJECT;
}

// "A sculpture by Michelangelo": a thing that has a material of its own stands beside it.
static bool beside_carrier(const struct term *t, size_t count, size_t i)
{
    const struct context c = {.t = (struct term *)(uintptr_t)t, .count = count};
    size_t from, to;

    clause_of(&c, i, &from, &to);
    for (size_t k = from; k < to; k++)
        if (t[k].kind == LEXICON_CARRIER && may_imply(&t[k]))
            return true;
    return false;
}

// What a part's words only imply, where they name nothing: "a painting" is in oil, a statue of
// marble, "vintage" sepia. A manner ("by Michelangelo") says less than the material that it goes
// with. What a medium implies are its colours: neon's are not the photo's.
static void imply(struct reader *r, struct prompt_part *part, const struct term *t, size_t count)
{
    for (size_t i = 0; i < count && !part->medium; i++)
        if (may_imply(&t[i]) && term_implies(&t[i], LEXICON_MEDIUM) &&
            t[i].kind != LEXICON_PALETTE &&
            !(t[i].kind == LEXICON_MODIFIER && (part->material || beside_carrier(t, count, i))))
            part->medium = lexicon_find(t[i].entry->implies)->name;
    for (size_t i = 0; i < count && !part->medium && !part->material; i++)
        if (may_imply(&t[i]) && term_implies(&t[i], LEXICON_MATERIAL))
            part->material = lexicon_find(t[i].entry->implies)->name;
    bool plain = r->out->palette.count == 0, bare = plain && !part->medium && !part->material;
    for (size_t i = 0; i < count && plain; i++)
        if (may_imply(&t[i]) &&
            (t[i].kind == LEXICON_MEDIUM || (bare && term_implies(&t[i], LEXICON_PALETTE))))
            terms_add(&r->out->palette, t[i].entry->implies, &t[i]);
}

static bool has_term(const struct prompt_terms *t, const char *name)
{
    bool found = false;

    for (int i = 0; i < t->count; i++)
        found |= strcmp(t->name[i], name) == 0;
    return found;
}

// "A comic, but not Marvel": what is wanted already is not what shall be left out.
static bool is_wanted(const struct prompt *p, const struct term *t)
{
    if (t->kind == LEXICON_MEDIUM)
        return p->medium && strcmp(p->medium, t->entry->name) == 0;
    return (t->kind == LEXICON_MATERIAL && has_term(&p->materials, t->entry->name)) ||
           (t->kind == LEXICON_MODIFIER && has_term(&p->modifiers, t->entry->name));
}

void meaning_read(struct reader *r, const char *s, size_t len, const uint32_t *at, float weight,
                  struct prompt_part *part)
{
    struct word *w;
    struct term *t;
    size_t words = words_read(r, s, len, at, &w);
    size_t count = r->failed ? 0 : terms_read(r, w, words, &t);

    if (r->failed || weight == 0)
        return;
    // Weighted parts are pictures of their own; the rest of a part goes on where it began.
    context_settle(t, count, part->medium != NULL);
    for (size_t i = 0; i < count; i++) {
        bool thing = !t[i].entry || t[i].kind <= LEXICON_SUBJECT;
        if (t[i].excluded || (weight < 0 && thing)) {
            size_t more = 1;
            while (i + more < count && t[i + more].goes_on)
                more++;
            if (!is_wanted(r->out, &t[i]))
                exclude(r, &t[i], more);
            i += more - 1;
        } else if (weight > 0) {
            include(r, &t[i], weight, part);
        }
    }
    if (weight > 0)
        imply(r, part, t, count);
}

// The terms of an item of the list: one thing, or else the words between its ends as they are.
static void exclude_item(struct reader *r, const struct term *t, size_t count, const char *s,
                         size_t len)
{
    struct buf phrase = BUF_INIT;
    struct word *w;
    const struct term *only = NULL;
    size_t things = 0;

    for (size_t i = 0; i < count; i++) {
        if ((t[i].entry && term_is_filler(&t[i])) || t[i].kind == LEXICON_TONE)
            continue;
        only = &t[i];
        things++;
    }
    size_t words = things == 1 ? 0 : words_read(r, s, len, NULL, &w);
    if (things == 1)
        exclude(r, only, 1);
    for (size_t i = 0; i < words && !r->failed; i++)
        buf_addf(&phrase, "%s%s", i ? " " : "", w[i].shown);
    r->failed |= phrase.failed;
    if (words > 0 && !r->failed)
        terms_add(&r->out->excluded, keep(r, phrase.data, phrase.len), NULL);
    buf_release(&phrase);
}

// An item of the list; at[i] is the place of its byte i. "Red and blue" are two things, "black and
// white" is one.
static void exclude_items(struct reader *r, const char *s, size_t len, const uint32_t *at)
{
    struct word *w;
    struct term *t;
    size_t words = words_read(r, s, len, at, &w);
    size_t count = r->failed ? 0 : terms_read(r, w, words, &t);
    size_t first = 0, from = 0;

    for (size_t i = 0; i <= count && !r->failed; i++) {
        if (i < count && t[i].kind != LEXICON_JOINER)
            continue;
        size_t to = from;
        while (to < len && (i == count || at[to] < t[i].start))
            to++;
        exclude_item(r, t + first, i - first, s + from, to - from);
        first = i + 1;
        for (from = to; i < count && from < len && at[from] < t[i].end; from++)
            continue;
    }
}

void meaning_exclude(struct reader *r, struct span list)
{
    uint32_t *at = arena_alloc(r->arena, (list.len + 1) * sizeof(*at)), place = list.start;
    size_t from = 0, n;

    r->failed |= !at;
    for (size_t i = 0; i < list.len && at; i += n, place++) {
        (void)scalar_at(list.s + i, list.len - i, &n);
        for (size_t k = 0; k < n; k++)
            at[i + k] = place;
    }
    for (size_t i = 0; i <= list.len && at; i++) {
        if (i < list.len && list.s[i] != ',' && list.s[i] != ';')
            continue;
        exclude_items(r, list.s + from, i - from, at + from);
        from = i + 1;
    }
}

// `'a', 'b' and 3 more`: as many names as a message has room for.
static const char *quote_all(struct reader *r, const struct prompt_terms *t)
{
    enum { SHOWN_MAX = 8 };
    const char *names = "";

    for (int i = 0; i < t->count && i < SHOWN_MAX && names; i++) {
        struct span word = {.s = t->name[i], .len = strlen(t->name[i])};
        names = arena_printf(r->arena, "%s%s'%s'", names, i ? ", " : "", span_quote(r, word));
    }
    if (names && t->count > SHOWN_MAX)
        names = arena_printf(r->arena, "%s and %d more", names, t->count - SHOWN_MAX);
    r->failed |= !names;
    return names ? names : "";
}

static void name_unknown(struct reader *r, uint32_t start, uint32_t end)
{
    warn_at(r, "unknown_words", start, end, "not understood: %s", quote_all(r, &r->out->unknown));
}

static void name_nothing(struct reader *r)
{
    warn_at(
        r, "nothing_understood", 0, 0,
        "the text names no medium (\"oil painting\") and no material (\"marble\") that is known "
        "here%s%s",
        r->idle.count ? "; without effect: " : "", quote_all(r, &r->idle));
}

static bool has_word(const char *phrase, const char *word)
{
    size_t n = strlen(word);

    for (const char *s = phrase; (s = strstr(s, word)); s++)
        if ((s == phrase || s[-1] == ' ' || s[-1] == '-') && strchr(" -", s[n]))
            return true;
    return false;
}

void prompt_understand(struct prompt *p, struct arena *a, const char *words, const char *medium)
{
    struct reader r = {.out = p, .arena = a};
    int warnings = 0, left = 0;

    for (int i = 0; i < p->unknown.count; i++)
        if (!has_word(words, p->unknown.name[i]))
            p->unknown.name[left++] = p->unknown.name[i];
    bool fewer = left < p->unknown.count;
    p->unknown.count = left;
    for (int i = 0; i < p->warning_count; i++) {
        const char *code = p->warning[i].code;
        if (strcmp(code, "nothing_understood") != 0 &&
            !(fewer && strcmp(code, "unknown_words") == 0))
            p->warning[warnings++] = p->warning[i];
    }
    p->warning_count = warnings;
    if (fewer && left > 0)
        name_unknown(&r, 0, 0);
    p->medium = keep(&r, medium, strlen(medium));
}

void meaning_finish(struct reader *r)
{
    struct prompt *p = r->out;

    for (int i = 0; i < p->part_count; i++) {
        const struct prompt_part *part = &p->part[i];
        if (!p->medium)
            p->medium = part->medium;
        // Named ones are there already.
        if (part->material)
            terms_add(&p->materials, part->material, NULL);
    }
    if (p->unknown.count > 0)
        name_unknown(r, r->unknown_at.start, r->unknown_at.end);
    if (!p->medium && p->materials.count == 0)
        name_nothing(r);
}
