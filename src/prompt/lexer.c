/* SPDX-License-Identifier: MIT */
/*
 * Splits a prompt into text and parameters. A parameter begins with two hyphens, or with one of the
 * dashes that phones make of them, at the beginning of a word, and a letter behind:
 *     --ar 16:9   --ar=16:9   --s250   —tile
 * What looks like one but has no known name stays text.
 */
#include "prompt/prompt_internal.h"

#include "base/utf8.h"

#include <string.h>

enum { NAME_BYTES_MAX = 24 }; // longer than any parameter's name

struct lexer {
    struct reader *r;
    const char *s;
    size_t len;
    size_t at;       // the next byte
    uint32_t scalar; // its place
    uint32_t before; // the character in front of it
};

uint32_t scalar_at(const char *s, size_t len, size_t *bytes)
{
    uint32_t c = 0;

    *bytes = utf8_decode(s, len, &c);
    if (*bytes == 0) // not what callers promised: a stray byte counts as a character
        *bytes = 1;
    return c;
}

bool is_space(uint32_t c)
{
    char s[4];

    return utf8_blank(s, utf8_encode(c, s));
}

static bool is_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

size_t number_read(const char *s, size_t len, double *out)
{
    enum { FRACTION_DIGITS_MAX = 15 }; // more than a double holds
    double v = 0, unit = 1;
    size_t i = 0, digits = 0;
    int fraction = -1; // digits behind the point; -1: before it
    bool negative = false;

    if (i < len && (s[i] == '-' || s[i] == '+'))
        negative = s[i++] == '-';
    for (; i < len; i++) {
        bool point = s[i] == '.' && fraction < 0;
        // A full stop that no digit follows ends a sentence.
        if (point && i + 1 < len && is_digit((unsigned char)s[i + 1])) {
            fraction = 0;
        } else if (is_digit((unsigned char)s[i])) {
            digits++;
            if (fraction >= FRACTION_DIGITS_MAX)
                continue;
            v = v * 10 + (s[i] - '0');
            if (fraction >= 0) {
                fraction++;
                unit *= 10;
            }
        } else {
            break;
        }
    }
    if (digits == 0)
        return 0;
    *out = negative ? -v / unit : v / unit;
    return i;
}

static bool at_end(const struct lexer *l)
{
    return l->at == l->len;
}

static uint32_t peek(const struct lexer *l)
{
    size_t n;

    return at_end(l) ? 0 : scalar_at(l->s + l->at, l->len - l->at, &n);
}

static void step(struct lexer *l)
{
    size_t n;

    l->before = scalar_at(l->s + l->at, l->len - l->at, &n);
    l->at += n;
    l->scalar++;
}

static void step_over_spaces(struct lexer *l)
{
    while (!at_end(l) && is_space(peek(l)))
        step(l);
}

static struct span span_between(const struct lexer *from, const struct lexer *to)
{
    return (struct span){from->s + from->at, to->at - from->at, from->scalar, to->scalar};
}

static bool at_word_start(const struct lexer *l)
{
    uint32_t c = l->before;

    return is_space(c) || (c < 0x80 && !is_letter(c) && !is_digit(c) && c != '-');
}

// Steps over dashes and a name. False: none begins here and *l is unchanged. `hyphens`: no dash of
// other kind is among them.
static bool read_name(struct lexer *l, char name[NAME_BYTES_MAX + 1], bool *hyphens)
{
    struct lexer at = *l;
    int width = 0; // a long dash stands for two hyphens
    size_t n = 0;

    *hyphens = true;
    if (!at_word_start(l))
        return false;
    for (uint32_t c = peek(&at); c == '-' || (c >= 0x2012 && c <= 0x2015); c = peek(&at)) {
        width += c == '-' ? 1 : 2;
        *hyphens = *hyphens && c == '-';
        step(&at);
    }
    if (width < 2 || !is_letter(peek(&at)))
        return false;
    for (; is_letter(peek(&at)); step(&at))
        if (n < NAME_BYTES_MAX)
            name[n++] = (char)(peek(&at) | 0x20);
    name[n] = '\0';
    *l = at;
    return true;
}

// Whether a parameter begins here, known or, with hyphens, unknown.
static bool at_parameter(const struct lexer *l)
{
    struct lexer at = *l;
    char name[NAME_BYTES_MAX + 1];
    bool hyphens;

    return read_name(&at, name, &hyphens) && (hyphens || parameter_find(name));
}

// Steps over one word and returns it without the punctuation of a list or sentence behind it.
static struct span read_word(struct lexer *l)
{
    struct lexer from = *l, to = *l;

    while (!at_end(l) && !is_space(peek(l))) {
        uint32_t c = peek(l);
        step(l);
        if (c != ',' && c != ';' && c != '.')
            to = *l;
    }
    return span_between(&from, &to);
}

static bool looks_like_code(struct span word)
{
    for (size_t i = 0; i < word.len; i++)
        if (is_digit((unsigned char)word.s[i]) || word.s[i] == ':')
            return true;
    return false;
}

static struct span read_value(struct lexer *l, enum arity arity)
{
    struct lexer from, to;
    struct span value;

    if (arity != ARITY_NONE && (peek(l) == '=' || peek(l) == ':'))
        step(l);
    from = *l;
    step_over_spaces(&from);
    to = from;
    value = span_between(&from, &to);
    if (arity == ARITY_NONE)
        return value;
    while (!at_end(&to) && !at_parameter(&to)) {
        if (arity == ARITY_REST) {
            step(&to);
        } else {
            struct lexer next = to;
            struct span word = read_word(&next);
            if (arity == ARITY_CODES && !looks_like_code(word))
                break;
            to = next;
            value.len = (size_t)(word.s + word.len - value.s);
            value.end = word.end;
            if (arity == ARITY_ONE)
                break;
            step_over_spaces(&to);
        }
    }
    if (arity == ARITY_REST)
        value = span_between(&from, &to);
    if (value.len > 0)
        *l = to;
    return value;
}

// Reads the parameter that begins here, if one does.
static bool read_parameter(struct lexer *l)
{
    struct lexer at = *l;
    char name[NAME_BYTES_MAX + 1];
    bool hyphens;

    if (!read_name(&at, name, &hyphens))
        return false;
    const struct parameter *p = parameter_find(name);
    if (!p) {
        const char *meant = parameter_nearest(name);
        if (hyphens)
            warn_at(l->r, "unknown_parameter", l->scalar, at.scalar,
                    "there is no parameter --%s%s%s; it is read as text", name,
                    meant ? "; did you mean --" : "", meant ? meant : "");
        return false;
    }
    struct span value = read_value(&at, parameter_arity(p));
    struct span whole = span_between(l, &at);
    if (value.len > 0) {
        whole.len = (size_t)(value.s + value.len - whole.s);
        whole.end = value.end;
    }
    parameter_apply(l->r, p, whole, value);
    *l = at;
    // What follows begins a word of its own, and a flag leaves its text apart from the one before.
    l->before = ' ';
    return true;
}

static void add_text(struct reader *r, const char *s, size_t len, uint32_t scalar)
{
    for (size_t i = 0; i < len; i++) {
        r->text[r->text_len] = s[i];
        r->text_at[r->text_len++] = scalar;
    }
}

void lexer_read(struct reader *r, const char *s, size_t len)
{
    struct lexer l = {.r = r, .s = s, .len = len, .before = ' '};

    // Each parameter leaves a space, and is longer than one.
    r->text = arena_alloc(r->arena, len + 1);
    r->text_at = arena_alloc(r->arena, (len + 1) * sizeof(r->text_at[0]));
    if (!r->text || !r->text_at) {
        r->failed = true;
        return;
    }
    while (!at_end(&l)) {
        struct lexer from = l;
        if (read_parameter(&l)) {
            add_text(r, " ", 1, from.scalar);
            continue;
        }
        step(&l);
        add_text(r, from.s + from.at, l.at - from.at, from.scalar);
    }
}
