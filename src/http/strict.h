/* SPDX-License-Identifier: MIT */
#ifndef PATINA_HTTP_STRICT_H
#define PATINA_HTTP_STRICT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What libmicrohttpd 0.9.75 lets through and a server must not: NUL bytes (its parser cuts strings
 * at them), bare LF, folded lines, control characters, two Host or Content-Length headers, a length
 * beside chunked coding. Whoever reads such a request otherwise than a proxy in front of us lets
 * requests be smuggled.
 *
 * The library parses in place: it overwrites separators with NUL and hands out pointers into the
 * bytes as they came in. So instead of looking for each trick, strict_check() proves that the parts
 * tile the whole head:
 *
 *     method 0 target 0 HTTP/1.1 0 0  { name 0 blanks value 0 0 }*  0 0
 *
 * from the first byte to the last. A NUL, a lone LF or a folded line leaves a gap, and a gap is
 * 400. Pure functions over that memory.
 */
struct strict_field {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
};

/* More fields than this are 431: nobody needs them, and each costs a look-up. */
enum { STRICT_FIELDS_MAX = 100 };

struct strict_head {
    const char *method;
    const char *target; /* where it was; its bytes may have been overwritten since */
    size_t target_len;
    const char *version; /* "HTTP/1.1" */
    const struct strict_field *field;
    int field_count;
    size_t bytes; /* of the whole head, from `method` */
};

struct strict_body {
    bool any;       /* a body was announced, if only an empty one */
    int64_t length; /* -1: chunked */
};

/* 0, or the status to refuse with; *why is then a sentence. */
int strict_check(const struct strict_head *h, struct strict_body *body, const char **why);

#endif
