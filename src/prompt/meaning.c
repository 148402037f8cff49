/* SPDX-License-Identifier: MIT */
/*
 * What the words of a prompt mean. Each part is read in two steps: words become terms (the longest
 * phrase of the lexicon first, then single words, then words that are not understood), and terms go
 * to the prompt's lists, looking at their neighbours where one word has two meanings or is negated.
 */
#include "prompt/prompt_internal.h"

#include "base/utf8.h"
#include "prompt/lexicon.h"

#include <stdio.h>
#include <string.h>

enum { PHRASE_BYTES_MAX = 80 }; // the lexicon's longest has 63

struct term {
    const struct lexicon_entry *entry; // NULL: not understood
    const char *shown;                 // when it is not
    enum lexicon_kind kind;            // after looking at the neighbours
    uint32_t start, end;
    bool breaks;   // punctuation in front
    bool excluded; // negated
};

static bool phrase_add(char phrase[PHRASE_BYTES_MAX], const char *word)
{
    size_t n = strlen(phrase);
    int added = snprintf(phrase + n, PHRASE_BYTES_MAX - n, "%s%s", n ? " " : "", word);

    return added >= 0 && (size_t)added < PHRASE_BYTES_MAX - n;
}

// The entry of `count` words, also when the last is a plural that only the singular is listed of.
static const struct lexicon_entry *find_phrase(const struct word *w, size_t count)
{
    char phrase[PHRASE_BYTES_MAX] = "", singular[PHRASE_BYTES_MAX];

    for (size_t i = 0; i + 1 < count; i++)
        if (!phrase_add(phrase, w[i].normal))
            return NULL;
    memcpy(singular, phrase, sizeof(phrase));
    if (phrase_add(phrase, w[count - 1].normal)) {
        const struct lexicon_entry *found = lexicon_find(phrase);
        if (found)
            return found;
    }
    const char *one = lexicon_singular(w[count - 1].normal);
    return one && phrase_add(singular, one) ? lexicon_find(singular) : NULL;
}

// The longest phrase that begins at w[0]; *used is how many words it has.
static const struct lexicon_entry *longest_phrase(const struct word *w, size_t count, size_t *used)
{
    size_t longest = 1;

    while (longest < count && longest < (size_t)lexicon_phrase_words && !w[longest].breaks)
        longest++;
    for (size_t n = longest; n > 0; n--) {
        const struct lexicon_entry *found = find_phrase(w, n);
        if (found) {
            *used = n;
            return found;
        }
    }
    return NULL;
}

// Replaces words that are no words by what was meant, with a warning.
static void respell(struct reader *r, struct word *w, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (lexicon_word(w[i].normal) || lexicon_singular(w[i].normal))
            continue;
        const char *meant = lexicon_respell(w[i].normal);
        if (!meant)
            continue;
        warn_at(r, "spelling", w[i].start, w[i].end, "'%s' was read as '%s'", w[i].shown, meant);
        w[i].normal = meant;
    }
}

// Numbers and single letters say nothing and are not worth a warning.
static bool says_nothing(const char *word)
{
    return strspn(word, "0123456789") == strlen(word) || (word[1] == '\0' && word[0] > 0);
}

static size_t terms_read(struct reader *r, struct word *w, size_t words, struct term **out)
{
    struct term *term = arena_alloc(r->arena, (words + 1) * sizeof(*term));
    size_t count = 0, used;

    if (!term) {
        r->failed = true;
        return 0;
    }
    respell(r, w, words);
    for (size_t i = 0; i < words; i += used) {
        const struct lexicon_entry *found = longest_phrase(w + i, words - i, &used);
        if (!found)
            used = 1;
        if (!found && says_nothing(w[i].normal))
            continue;
        term[count++] = (struct term){.entry = found,
                                      .shown = w[i].shown,
                                      .kind = found ? found->kind : LEXICON_SUBJECT,
                                      .start = w[i].start,
                                      .end = w[i + used - 1].end,
                                      .breaks = w[i].breaks};
    }
    *out = term;
    return count;
}

static bool ambiguous(const struct term *t)
{
    return t->entry && t->entry->kind != t->entry->other_kind;
}

static bool is_filler(const struct term *t)
{
    return t->entry && t->kind == LEXICON_FILLER && !t->entry->implies;
}

// The term in front of t[i], fillers skipped; NULL: there is none, or punctuation parts them.
static const struct term *before(const struct term *t, size_t i)
{
    while (i > 0 && !t[i].breaks) {
        i--;
        if (!is_filler(&t[i]))
            return &t[i];
    }
    return NULL;
}

// "emerald and gold": what stands on the other side of an "and" in front of t[i].
static const struct term *joined_before(const struct term *t, size_t i)
{
    const struct term *joiner = before(t, i);

    return joiner && joiner->kind == LEXICON_JOINER ? before(t, (size_t)(joiner - t)) : NULL;
}

static const struct term *joined_after(const struct term *t, size_t count, size_t i)
{
    return i + 2 < count && t[i + 1].kind == LEXICON_JOINER && !t[i + 1].breaks && !t[i + 2].breaks
               ? &t[i + 2]
               : NULL;
}

static bool is_palette(const struct term *t)
{
    return t && t->kind == LEXICON_PALETTE;
}

static bool has_medium(const struct term *t, size_t count, const struct term *but)
{
    for (size_t i = 0; i < count; i++)
        if (&t[i] != but && t[i].kind == LEXICON_MEDIUM && !ambiguous(&t[i]))
            return true;
    return false;
}

// Whether a word that is a palette or something else is the palette here.
static bool means_palette(const struct reader *r, const struct term *t, size_t count, size_t i)
{
    bool other_medium = r->out->medium != NULL || has_medium(t, count, &t[i]);
    const struct term *front = before(t, i), *joined = joined_before(t, i);
    const struct term *next = i + 1 < count && !t[i + 1].breaks ? &t[i + 1] : NULL;

    if (next && next->kind == LEXICON_TONE)
        return true;
    if (t[i].entry->kind == LEXICON_MEDIUM)
        return other_medium || is_palette(next);
    if (front && front->kind == LEXICON_MAKING)
        return false;
    if (is_palette(joined) || is_palette(joined_after(t, count, i)))
        return true;
    return other_medium && front && front->kind == LEXICON_PREPOSITION;
}

static void settle_ambiguous(const struct reader *r, struct term *t, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ambiguous(&t[i]) && means_palette(r, t, count, i))
            t[i].kind = t[i].entry->other_kind;
}

// "no red or blue, ..." excludes the next thing and what "or" and "and" join to it.
static void settle_negations(struct term *t, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (t[i].kind != LEXICON_NEGATION || !t[i].entry)
            continue;
        size_t next = i + 1;
        while (next < count && !t[next].breaks && is_filler(&t[next]))
            next++;
        while (next < count && !t[next].breaks && t[next].kind != LEXICON_JOINER) {
            t[next].excluded = true;
            if (next + 1 < count && !t[next + 1].breaks && t[next + 1].kind == LEXICON_TONE)
                next++; // "no red tones and ..."
            next++;
            if (next < count && !t[next].breaks && t[next].kind == LEXICON_JOINER)
                next++;
            else
                break;
        }
    }
}

static void exclude(struct reader *r, const struct term *t)
{
    const char *name = t->shown;

    if (t->entry && t->kind <= LEXICON_MODIFIER) {
        name = t->entry->name;
    } else if (t->entry) {
        const char *singular = lexicon_singular(t->entry->phrase);
        name = singular ? singular : t->entry->phrase;
    }
    terms_add(&r->out->excluded, name);
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

static void include(struct reader *r, const struct term *t, float weight, struct prompt_part *part)
{
    struct prompt *p = r->out;

    if (!t->entry) {
        if (p->unknown.count == 0)
            r->unknown_at = (struct span){.start = t->start, .end = t->end};
        terms_add(&p->unknown, t->shown);
        return;
    }
    if (t->entry->implies && !r->implied)
        r->implied = t->entry->implies;
    switch (t->kind) {
    case LEXICON_MEDIUM:
        name_medium(r, t, weight, part);
        break;
    case LEXICON_MATERIAL:
        name_first(&part->material, t);
        terms_add(&p->materials, t->entry->name);
        break;
    case LEXICON_PALETTE:
        terms_add(&p->palette, t->entry->name);
        break;
    case LEXICON_LIGHT:
        terms_add(&p->light, t->entry->name);
        break;
    case LEXICON_MODIFIER:
        if (t->entry->implies)
            name_first(&part->manner, t);
        terms_add(&p->modifiers, t->entry->name);
        break;
    default:
        break;
    }
}

// The medium that a part's words only imply, where they name none.
static void imply_medium(struct prompt_part *part, const struct term *t, size_t count)
{
    for (size_t i = 0; i < count && !part->medium; i++)
        if (t[i].entry && !t[i].excluded)
            part->medium = t[i].entry->implies;
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
    settle_ambiguous(r, t, count);
    settle_negations(t, count);
    for (size_t i = 0; i < count; i++) {
        bool thing = !t[i].entry || t[i].kind <= LEXICON_SUBJECT;
        if (t[i].excluded || (weight < 0 && thing))
            exclude(r, &t[i]);
        else if (weight > 0)
            include(r, &t[i], weight, part);
    }
    if (weight > 0)
        imply_medium(part, t, count);
}

static void exclude_item(struct reader *r, const char *s, size_t len)
{
    struct buf phrase = BUF_INIT;
    struct word *w;
    struct term *t;
    size_t words = words_read(r, s, len, NULL, &w);
    size_t count = r->failed ? 0 : terms_read(r, w, words, &t);
    const struct term *only = NULL;
    size_t things = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_filler(&t[i]) || t[i].kind == LEXICON_TONE)
            continue;
        only = &t[i];
        things++;
    }
    if (things == 1) {
        exclude(r, only);
    } else if (!r->failed && words > 0) {
        for (size_t i = 0; i < words; i++)
            buf_addf(&phrase, "%s%s", i ? " " : "", w[i].shown);
        r->failed |= phrase.failed;
        terms_add(&r->out->excluded, phrase.failed ? "" : keep(r, phrase.data, phrase.len));
    }
    buf_release(&phrase);
}

void meaning_exclude(struct reader *r, struct span list)
{
    size_t from = 0;

    for (size_t i = 0; i <= list.len; i++) {
        if (i < list.len && list.s[i] != ',' && list.s[i] != ';')
            continue;
        exclude_item(r, list.s + from, i - from);
        from = i + 1;
    }
}

// `"a", "b" and 3 more`: as many names as a message has room for.
static void name_unknown(struct reader *r)
{
    enum { SHOWN_MAX = 8 };
    const struct prompt_terms *u = &r->out->unknown;
    const char *names = "";

    for (int i = 0; i < u->count && i < SHOWN_MAX && names; i++) {
        struct span word = {.s = u->name[i], .len = strlen(u->name[i])};
        names = arena_printf(r->arena, "%s%s'%s'", names, i ? ", " : "", span_quote(r, word));
    }
    if (names && u->count > SHOWN_MAX)
        names = arena_printf(r->arena, "%s and %d more", names, u->count - SHOWN_MAX);
    if (!names) {
        r->failed = true;
        return;
    }
    warn_at(r, "unknown_words", r->unknown_at.start, r->unknown_at.end, "not understood: %s",
            names);
}

void meaning_finish(struct reader *r)
{
    struct prompt *p = r->out;

    if (!p->medium)
        p->medium = r->implied;
    if (p->unknown.count > 0)
        name_unknown(r);
    if (!p->medium && p->materials.count == 0)
        warn_at(r, "nothing_understood", 0, 0,
                "the text names no medium (\"oil painting\") and no material (\"marble\") that is "
                "known here");
}
