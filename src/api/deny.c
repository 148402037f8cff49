/* SPDX-License-Identifier: MIT */
#include "api/deny.h"

#include <stddef.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Bytes of other scripts count as letters: they have no word boundary that a byte shows.
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// Whether the word begins at `text` and ends at a boundary.
static bool begins(const char *text, const char *word, size_t len)
{
    for (size_t i = 0; i < len;) {
        if (is_blank(word[i])) {
            if (!is_blank(*text))
                return false;
            while (i < len && is_blank(word[i]))
                i++;
            while (is_blank(*text))
                text++;
        } else if (!*text || lower(*text++) != lower(word[i++])) {
            return false;
        }
    }
    return !is_letter(*text);
}

static bool contains(const char *text, const char *word, size_t len)
{
    for (const char *p = text; *p; p++)
        if ((p == text || !is_letter(p[-1])) && begins(p, word, len))
            return true;
    return false;
}

bool deny_matches(const char *words, const char *text)
{
    for (const char *p = words ? words : ""; *p;) {
        size_t len = strcspn(p, ","), end = len;
        size_t skip = 0;
        while (skip < len && is_blank(p[skip]))
            skip++;
        while (end > skip && is_blank(p[end - 1]))
            end--;
        if (end > skip && contains(text, p + skip, end - skip))
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}
