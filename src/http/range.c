/* SPDX-License-Identifier: MIT */
#include "http/range.h"

#include <string.h>
#include <strings.h>

// Reads digits; false when there are none or they pass what a file can have.
static bool number(const char **s, int64_t *out)
{
    int64_t v = 0;
    int digits = 0;

    for (; **s >= '0' && **s <= '9'; (*s)++, digits++) {
        if (digits == 18)
            return false;
        v = v * 10 + (**s - '0');
    }
    *out = v;
    return digits > 0;
}

enum range_result range_parse(const char *header, int64_t size, int64_t *first, int64_t *last)
{
    int64_t from = 0, to = 0;

    if (!header || strncasecmp(header, "bytes=", 6) != 0)
        return RANGE_NONE;
    const char *s = header + 6;
    bool has_from = *s != '-';
    if (has_from && !number(&s, &from))
        return RANGE_NONE;
    if (*s++ != '-')
        return RANGE_NONE;
    bool has_to = *s != '\0';
    if (has_to && !number(&s, &to))
        return RANGE_NONE;
    if (*s || (!has_from && !has_to) || (has_from && has_to && to < from))
        return RANGE_NONE;
    if (!has_from) { // the last `to` bytes
        from = to < size ? size - to : 0;
        if (to == 0)
            return RANGE_UNSATISFIABLE;
        to = size - 1;
    } else if (!has_to || to >= size) {
        to = size - 1;
    }
    if (from >= size)
        return RANGE_UNSATISFIABLE;
    *first = from;
    *last = to;
    return RANGE_PART;
}

bool etag_listed(const char *header, const char *etag)
{
    size_t len = strlen(etag);

    for (const char *p = header ? header : ""; *p;) {
        p += strspn(p, " \t,");
        if (*p == '*')
            return true;
        if (!strncmp(p, "W/", 2))
            p += 2;
        if (!strncmp(p, etag, len))
            return true;
        p += strcspn(p, ",");
    }
    return false;
}
