/* SPDX-License-Identifier: MIT */
/* Text as words. normal() in lexicon.py brings the lexicon's phrases into the same form. */
#include "prompt/prompt_internal.h"

#include "base/utf8.h"

#include <string.h>

/* The letters of U+00C0..U+017F without accents, lower case; '?' has no one letter and stays. */
static const char folded[] = "aaaaaa?ceeeeiiii?nooooo?ouuuuy??aaaaaa?ceeeeiiii?nooooo?ouuuuy?y"
                             "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii??jjkk?lllllll"
                             "lllnnnnnn???oooooo??rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

enum { FOLDED_FIRST = 0xC0, FOLDED_LAST = 0x17F };

_Static_assert(sizeof(folded) - 1 == FOLDED_LAST - FOLDED_FIRST + 1, "one letter each");

static uint32_t without_accent(uint32_t c)
{
    if (c == 0x451) // Russian, whose writers mostly leave it out themselves
        return 0x435;
    if (c >= FOLDED_FIRST && c <= FOLDED_LAST && folded[c - FOLDED_FIRST] != '?')
        return (unsigned char)folded[c - FOLDED_FIRST];
    return c;
}

// The two letters that a letter is written as without it, or NULL.
static const char *spelled_out(uint32_t c)
{
    return c == 0xDF                  ? "ss"
           : c == 0xC6 || c == 0xE6   ? "ae"
           : c == 0x152 || c == 0x153 ? "oe"
                                      : NULL;
}

static uint32_t lower(uint32_t c)
{
    bool latin1 = c >= 0xC0 && c <= 0xDE && c != 0xD7, cyrillic = c >= 0x410 && c <= 0x42F;

    if (c >= 0x400 && c <= 0x40F)
        return c + 80;
    return (c >= 'A' && c <= 'Z') || latin1 || cyrillic ? c + 32 : c;
}

static bool is_combining(uint32_t c)
{
    return (c >= 0x300 && c <= 0x36F) || (c >= 0xFE00 && c <= 0xFE0F);
}

static bool is_apostrophe(uint32_t c)
{
    return c == '\'' || c == 0x2019 || c == 0x02BC;
}

static bool is_word_char(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    // Signs, punctuation, symbols and emoji.
    return c >= 0xC0 && c != 0xD7 && c != 0xF7 && !(c >= 0x2000 && c <= 0x2BFF) &&
           !(c >= 0x3000 && c <= 0x303F) && c != 0x30FB && !(c >= 0xFE00 && c <= 0xFE6F) &&
           !(c >= 0xFF00 && c <= 0xFF0F) && !(c >= 0xFF1A && c <= 0xFF20) && c < 0x1F000 &&
           !is_space(c);
}

// Chinese, Japanese and Korean: between their words there need not be spaces.
static bool is_unspaced(uint32_t c)
{
    return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) ||
           (c >= 0xAC00 && c <= 0xD7A3);
}

// Between words these leave a phrase whole: "stained-glass".
static bool joins(uint32_t c)
{
    return is_space(c) || c == '-' || c == 0x2010 || c == 0x2011 || is_apostrophe(c) || c == '"' ||
           c == 0x201C || c == 0x201D || c == '_' || c == '*';
}

// Behind one letter these leave a phrase whole, too: "b/w", "M. C. Escher".
static bool joins_letter(const struct word *before, uint32_t c)
{
    return (c == '.' || c == '/') && strlen(before->normal) == 1;
}

// "colour" is "color" and "grey" "gray", also inside words; in place, it only gets shorter.
static void americanize(char *s)
{
    char *at = strstr(s, "colour");

    if (at)
        memmove(at + 4, at + 5, strlen(at + 5) + 1);
    at = strstr(s, "grey");
    if (at)
        at[2] = 'a';
}

// "cat's" is "cat", "we'd" is "we" and "l'huile" is "huile"; in place.
static void drop_elided(char *s)
{
    static const char *const ending[] = {"'s", "'d", "'ll", "'re", "'ve"};
    size_t n = strlen(s);

    if (n > 3 && s[1] == '\'' && strchr("cdjlmnst", s[0])) {
        memmove(s, s + 2, n - 1);
        n -= 2;
    }
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
        size_t k = strlen(ending[i]);
        if (n > k && strcmp(s + n - k, ending[i]) == 0)
            s[n - k] = '\0';
    }
}

// The longest word of the lexicon, of such characters, that s begins with: its bytes, 0 for none.
static size_t listed_bytes(const char *s, size_t len)
{
    enum { WORD_BYTES = 32 }; // none of them is longer
    char word[WORD_BYTES + 1];
    size_t longest = 0, n;

    for (size_t end = 0; end < len && is_unspaced(scalar_at(s + end, len - end, &n));) {
        end += n;
        if (end > WORD_BYTES)
            break;
        memcpy(word, s, end);
        word[end] = '\0';
        if (lexicon_word(word))
            longest = end;
    }
    return longest;
}

// A word of the lexicon, or all up to the next one.
static size_t unspaced_bytes(const char *s, size_t len)
{
    size_t end = 0, n;

    while (end < len && is_unspaced(scalar_at(s + end, len - end, &n))) {
        size_t listed = listed_bytes(s + end, len - end);
        if (listed > 0)
            return end > 0 ? end : listed;
        end += n;
    }
    return end;
}

static size_t word_bytes(const char *s, size_t len)
{
    size_t end = unspaced_bytes(s, len), n, next;

    if (end > 0)
        return end;
    while (end < len) {
        uint32_t c = scalar_at(s + end, len - end, &n);
        bool inside = is_apostrophe(c) && end > 0 && end + n < len &&
                      is_word_char(scalar_at(s + end + n, len - end - n, &next));
        if ((!is_word_char(c) && !is_combining(c) && !inside) || is_unspaced(c))
            break;
        end += n;
    }
    return end;
}

// One word of s, from its first character on; returns the bytes that it takes.
static size_t read_word(struct reader *r, const char *s, size_t len, struct word *out)
{
    size_t end = word_bytes(s, len), n;

    // Neither form is longer than the word: U+0130 and the like only shrink, "ß" has two bytes as
    // "ss" has.
    char *normal = arena_alloc(r->arena, end + 1), *shown = arena_alloc(r->arena, end + 1);
    if (!normal || !shown) {
        r->failed = true;
        return end;
    }
    char *to_normal = normal, *to_shown = shown;
    for (size_t i = 0; i < end; i += n) {
        uint32_t c = lower(scalar_at(s + i, end - i, &n));
        to_shown += utf8_encode(c, to_shown);
        if (is_combining(c))
            continue;
        const char *two = spelled_out(c);
        if (two)
            *to_normal++ = *two++;
        to_normal += utf8_encode(two                ? (unsigned char)*two
                                 : is_apostrophe(c) ? '\''
                                                    : without_accent(c),
                                 to_normal);
    }
    drop_elided(normal);
    americanize(normal);
    out->normal = normal;
    out->shown = shown;
    return end;
}

// The bytes of a URL that begins at s, or 0: its words are nobody's.
static size_t url_bytes(const char *s, size_t len)
{
    size_t n = 0;

    if ((len < 8 || strncmp(s, "https://", 8) != 0) && (len < 7 || strncmp(s, "http://", 7) != 0))
        return 0;
    while (n < len && (unsigned char)s[n] > ' ')
        n++;
    return n;
}

size_t words_read(struct reader *r, const char *s, size_t len, const uint32_t *at,
                  struct word **out)
{
    size_t count = 0, end = 0, n, taken; // `end` of the last word
    bool breaks = false;
    struct word *word = arena_alloc(r->arena, (len + 1) * sizeof(*word)); // each may be an '&'

    if (!word) {
        r->failed = true;
        return 0;
    }
    for (size_t i = 0; i < len && !r->failed; i += taken) {
        uint32_t c = scalar_at(s + i, len - i, &n);
        taken = n;
        size_t url = url_bytes(s + i, len - i);
        if (url > 0) {
            taken = url;
            breaks = true;
            continue;
        }
        if (c == '&' || c == '+') {
            word[count] = (struct word){.normal = "and", .shown = "and"};
        } else if (is_word_char(c)) {
            taken = read_word(r, s + i, len - i, &word[count]);
        } else {
            bool whole = joins(c) || (count > 0 && i == end && joins_letter(&word[count - 1], c));
            breaks = breaks || !whole;
            continue;
        }
        if (at) {
            word[count].start = at[i];
            word[count].end = at[i + taken - 1] + 1;
        }
        word[count++].breaks = breaks;
        end = i + taken;
        breaks = false;
    }
    *out = word;
    return count;
}
