/* SPDX-License-Identifier: MIT */
#include "models/flux2/unicode.h"

#include "base/utf8.h"
#include "models/flux2/unicode_tables.h"

#include <stdlib.h>
#include <utf8proc.h>

/* `range` holds `count` numbers, pairs of first and last. */
static bool is_in(uint32_t c, const uint32_t *range, size_t count)
{
    size_t low = 0, high = count / 2;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (c > range[2 * mid + 1])
            low = mid + 1;
        else
            high = mid;
    }
    return low < count / 2 && c >= range[2 * low];
}

bool unicode_is_letter(uint32_t c)
{
    return is_in(c, LETTERS, sizeof(LETTERS) / sizeof(LETTERS[0]));
}

bool unicode_is_number(uint32_t c)
{
    return is_in(c, NUMBERS, sizeof(NUMBERS) / sizeof(NUMBERS[0]));
}

/* The bytes at the front whose characters take part in normalisation, or do not. */
static size_t stretch(const char *s, size_t len, bool normalised)
{
    size_t at = 0, n;
    uint32_t c;

    for (; at < len; at += n) {
        n = utf8_decode(s + at, len - at, &c);
        if (is_in(c, NORMALISED, sizeof(NORMALISED) / sizeof(NORMALISED[0])) != normalised)
            break;
    }
    return at;
}

void unicode_nfc(const char *s, size_t len, struct buf *out)
{
    // A character that version 9.0 leaves alone parts what stands on its two sides, and of the
    // others every later version makes the same: so is the library's version of no matter.
    for (size_t at = 0, n; at < len; at += n) {
        utf8proc_uint8_t *made = NULL;
        n = stretch(s + at, len - at, false);
        buf_add(out, s + at, n);
        at += n;
        n = stretch(s + at, len - at, true);
        utf8proc_ssize_t got = utf8proc_map((const utf8proc_uint8_t *)s + at, (utf8proc_ssize_t)n,
                                            &made, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        if (got < 0)
            out->failed = true; // of well-formed text only when memory runs out
        else
            buf_add(out, made, (size_t)got);
        free(made);
    }
}
