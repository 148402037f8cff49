/* SPDX-License-Identifier: MIT */
#ifndef PATINA_HTTP_RANGE_H
#define PATINA_HTTP_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/* Range requests and entity tags (RFC 9110 sections 13 and 14). Pure functions. */

enum range_result {
    RANGE_NONE,         /* send everything: no header, malformed, other unit, several ranges */
    RANGE_PART,         /* *first..*last, both included, inside the size */
    RANGE_UNSATISFIABLE /* 416 */
};

/* `header` may be NULL; size >= 0. */
enum range_result range_parse(const char *header, int64_t size, int64_t *first, int64_t *last);

/* Whether If-None-Match lists the tag (weak comparison; "*" lists all). `header` may be NULL. */
bool etag_listed(const char *header, const char *etag);

#endif
