/* SPDX-License-Identifier: MIT */
#include "models/flux2/pretoken.h"

#include "base/utf8.h"
#include "models/flux2/unicode.h"

enum kind { END, LETTER, NUMBER, SPACE, NEWLINE, OTHER };

// \s of regular expressions: Unicode's White_Space.
static bool is_space(uint32_t c)
{
    return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

static enum kind kind_of(uint32_t c)
{
    if (c == '\n' || c == '\r')
        return NEWLINE;
    if (is_space(c))
        return SPACE;
    if (unicode_is_letter(c))
        return LETTER;
    return unicode_is_number(c) ? NUMBER : OTHER;
}

/* The kind of what stands at `at`; *next is what comes behind it. */
static enum kind kind_at(const char *s, size_t len, size_t at, size_t *next)
{
    uint32_t c;

    *next = at;
    if (at >= len)
        return END;
    *next = at + utf8_decode(s + at, len - at, &c);
    return kind_of(c);
}

static size_t end_of_run(const char *s, size_t len, size_t at, enum kind kind)
{
    size_t next;

    while (kind_at(s, len, at, &next) == kind)
        at = next;
    return at;
}

/* Behind an apostrophe: the bytes of s, t, re, ve, m, ll or d in either case, or 0. The long s is
 * an s whose case is folded. */
static size_t contraction(const char *s, size_t len)
{
    char a = len > 0 ? (char)(s[0] | 0x20) : '\0', b = len > 1 ? (char)(s[1] | 0x20) : '\0';

    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 1;
    if (((a == 'r' || a == 'v') && b == 'e') || (a == 'l' && b == 'l'))
        return 2;
    return len > 1 && s[0] == '\xC5' && s[1] == '\xBF' ? 2 : 0;
}

/* White space at the front: up to its last line end; else all of it, but for the last one when
 * something follows, which that may take along. */
static size_t space_len(const char *s, size_t len)
{
    size_t at = 0, next, last = 0, newline = 0;
    enum kind k;

    while ((k = kind_at(s, len, at, &next)) == SPACE || k == NEWLINE) {
        last = at;
        at = next;
        if (k == NEWLINE)
            newline = at;
    }
    if (newline > 0)
        return newline;
    return k == END || last == 0 ? at : last;
}

size_t pretoken_len(const char *s, size_t len)
{
    size_t first, next, end;
    enum kind k = kind_at(s, len, 0, &first);

    if (s[0] == '\'' && (end = contraction(s + 1, len - 1)) > 0)
        return 1 + end;
    if (k == LETTER)
        return end_of_run(s, len, 0, LETTER);
    if (k == NUMBER)
        return first;
    // Any one sign or space goes with the letters behind it.
    if (k != NEWLINE && kind_at(s, len, first, &next) == LETTER)
        return end_of_run(s, len, first, LETTER);
    size_t signs = s[0] == ' ' ? first : 0;
    if (kind_at(s, len, signs, &next) == OTHER)
        return end_of_run(s, len, end_of_run(s, len, signs, OTHER), NEWLINE);
    return space_len(s, len);
}
