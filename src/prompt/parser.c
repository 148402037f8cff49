/* SPDX-License-Identifier: MIT */
#include "prompt/prompt_internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHT_MAX = 100 }; // far more than makes a difference

PRINTF_LIKE(4, 0)
static void warn_va(struct prompt *p, struct arena *a, struct prompt_warning place, const char *fmt,
                    va_list ap)
{
    struct buf text = BUF_INIT;

    if (p->warning_count == PROMPT_WARNINGS_MAX) {
        p->warning[PROMPT_WARNINGS_MAX - 1] = (struct prompt_warning){
            .code = "too_many_warnings", .message = "there are more warnings than are listed here"};
        return;
    }
    buf_vaddf(&text, fmt, ap);
    place.code = arena_strdup(a, place.code);
    place.message = text.failed ? NULL : arena_memdup(a, text.data, text.len);
    // Out of memory: the reading itself is worth more than a remark on it.
    if (place.code && place.message)
        p->warning[p->warning_count++] = place;
    buf_release(&text);
}

void prompt_warn(struct prompt *p, struct arena *a, const char *code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    warn_va(p, a, (struct prompt_warning){.code = code}, fmt, ap);
    va_end(ap);
}

void prompt_warn_term(struct prompt *p, struct arena *a, const struct prompt_place *at,
                      const char *code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    warn_va(p, a, (struct prompt_warning){.code = code, .start = at->start, .end = at->end}, fmt,
            ap);
    va_end(ap);
}

void warn_at(struct reader *r, const char *code, uint32_t start, uint32_t end, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    warn_va(r->out, r->arena, (struct prompt_warning){.code = code, .start = start, .end = end},
            fmt, ap);
    va_end(ap);
}

const char *keep(struct reader *r, const char *s, size_t len)
{
    const char *copy = arena_memdup(r->arena, s, len);

    if (copy)
        return copy;
    r->failed = true;
    return "";
}

const char *span_quote(struct reader *r, struct span s)
{
    enum { BYTES_MAX = 60 };
    size_t n = s.len;

    if (n > BYTES_MAX)
        for (n = BYTES_MAX; ((unsigned char)s.s[n] & 0xC0) == 0x80;)
            n--;
    const char *quoted = arena_printf(r->arena, "%.*s%s", (int)n, s.s, n < s.len ? "..." : "");
    r->failed |= !quoted;
    return quoted ? quoted : "";
}

void terms_add(struct prompt_terms *t, const char *name, const struct term *by)
{
    for (int i = 0; i < t->count; i++)
        if (strcmp(t->name[i], name) == 0)
            return;
    if (t->count == PROMPT_TERMS_MAX)
        return;
    t->place[t->count].said = name;
    if (by)
        t->place[t->count] = (struct prompt_place){
            .said = by->entry ? by->entry->phrase : by->shown, .start = by->start, .end = by->end};
    t->name[t->count++] = name;
}

// The part of the text from..to without the white space around it.
static void trim(const char *text, size_t *from, size_t *to)
{
    while (*from < *to) {
        size_t n;
        if (!is_space(scalar_at(text + *from, *to - *from, &n)))
            break;
        *from += n;
    }
    for (size_t end = *to; end > *from; *to = end) {
        do
            end--;
        while (end > *from && ((unsigned char)text[end] & 0xC0) == 0x80);
        size_t n;
        if (!is_space(scalar_at(text + end, *to - end, &n)))
            break;
    }
}

// Ends the part from..to: records it and reads its words.
static void end_part(struct reader *r, size_t from, size_t to, float weight)
{
    struct prompt *p = r->out;

    trim(r->text, &from, &to);
    if (from == to)
        return;
    bool full = p->part_count == PROMPT_PARTS_MAX;
    if (!full)
        p->part[p->part_count++] = (struct prompt_part){.text = keep(r, r->text + from, to - from),
                                                        .start = r->text_at[from],
                                                        .weight = weight};
    struct prompt_part *last = &p->part[p->part_count - 1];
    meaning_read(r, r->text + from, to - from, r->text_at + from, weight, last);
    if (!full)
        return;
    if (!r->parts_joined)
        warn_at(r, "too_many_parts", r->text_at[from], r->text_at[to - 1] + 1,
                "only %d weighted parts are told apart; from here on they go to the last",
                PROMPT_PARTS_MAX);
    r->parts_joined = true;
    const char *joined =
        arena_printf(r->arena, "%s %.*s", last->text, (int)(to - from), r->text + from);
    r->failed |= !joined;
    last->text = joined ? joined : "";
}

// A weight behind "::", at text[at]; returns the bytes it takes, 0 when there is none.
static size_t read_weight(struct reader *r, size_t at, float *out)
{
    double v;
    size_t n = number_read(r->text + at, r->text_len - at, &v);

    if (n == 0)
        return 0;
    *out = (float)(v < -WEIGHT_MAX ? -WEIGHT_MAX : v > WEIGHT_MAX ? WEIGHT_MAX : v);
    if (v < -WEIGHT_MAX || v > WEIGHT_MAX)
        warn_at(r, "clamped", r->text_at[at], r->text_at[at + n - 1] + 1,
                "weights go from -%d to %d", WEIGHT_MAX, WEIGHT_MAX);
    return n;
}

// "oil :: 2": a number apart from its "::" is text, and hardly meant so.
static void warn_apart(struct reader *r, size_t at)
{
    size_t from = at, n;
    double unused;

    while (from < r->text_len && is_space(scalar_at(r->text + from, r->text_len - from, &n)))
        from += n;
    n = from > at ? number_read(r->text + from, r->text_len - from, &unused) : 0;
    if (n > 0)
        warn_at(r, "bad_value", r->text_at[from], r->text_at[from + n - 1] + 1,
                "a weight stands right behind its ::, without a space; '%.*s' was read as text",
                (int)(n < 20 ? n : 20), r->text + from);
}

static void read_parts(struct reader *r)
{
    struct prompt *p = r->out;
    size_t from = 0;
    int parts = 0;
    float sum = 0;

    for (size_t i = 0; i + 1 < r->text_len; i++) {
        if (r->text[i] != ':' || r->text[i + 1] != ':')
            continue;
        float weight = 1;
        size_t end = i;
        p->given |= PROMPT_WEIGHTS;
        i += 2;
        size_t taken = read_weight(r, i, &weight);
        if (taken == 0)
            warn_apart(r, i);
        i += taken;
        end_part(r, from, end, weight);
        sum += weight;
        parts++;
        from = i--;
    }
    end_part(r, from, r->text_len, 1);
    if (p->part_count == 0)
        p->part[p->part_count++] = (struct prompt_part){.text = "", .weight = 1};
    if (parts > 0 && from == r->text_len && sum <= 0)
        warn_at(r, "bad_value", 0, 0, "the weights should add up to more than 0");
}

// The text without the spaces that parameters left around it.
static const char *whole_text(struct reader *r)
{
    size_t from = 0, to = r->text_len;

    trim(r->text, &from, &to);
    return keep(r, r->text + from, to - from);
}

enum err prompt_read(struct prompt *out, struct arena *a, const char *text, size_t len)
{
    struct reader r = {.out = out, .arena = a};

    *out = (struct prompt){.s = 100, .iw = 1, .q = 1, .sw = 100, .text = ""};
    lexer_read(&r, text, len);
    if (r.failed)
        return ERR_NOMEM;
    out->text = whole_text(&r);
    read_parts(&r);
    if (out->given & PROMPT_NO) {
        size_t from = 0, to = r.no.len;
        trim(r.no.s, &from, &to);
        out->no = keep(&r, r.no.s + from, to - from);
        meaning_exclude(&r, r.no);
    }
    meaning_finish(&r);
    return r.failed ? ERR_NOMEM : ERR_OK;
}
