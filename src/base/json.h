/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_JSON_H
#define PATINA_BASE_JSON_H

#include "base/buf.h"

#include <jansson.h>

/*
 * Reading is jansson in its strictest mode; writing is a small writer over struct buf, because
 * answers have a documented key order and are the server's hottest path.
 */

/* Nesting beyond this is refused: no body of the protocol is deeper than 3, and our own stored
 * values stay under 8. */
enum { JSON_DEPTH_MAX = 32 };

/* Parses exactly one value: duplicate keys, bad UTF-8, NUL (raw or \u0000), lone surrogates,
 * numbers out of range, depth over JSON_DEPTH_MAX and anything behind the value are ERR_INVALID
 * with a note that names line and column. The caller owns *out (json_decref). */
MUST_USE enum err json_read(const char *s, size_t len, json_t **out, struct err_note *note);

/*
 * The writer: appends to a buf, putting commas where they belong. Keys and strings must be valid
 * UTF-8.
 *
 *     struct json_writer w = JSON_WRITER(&out);
 *     jw_open(&w, '{');
 *     jw_kint(&w, "n", 3);
 *     jw_close(&w, '}');
 */
struct json_writer {
    struct buf *out;
    bool comma;
};

#define JSON_WRITER(buf_) \
    {                     \
        (buf_), false     \
    }

void jw_open(struct json_writer *w, char bracket);  /* '{' or '[' */
void jw_close(struct json_writer *w, char bracket); /* '}' or ']' */
void jw_key(struct json_writer *w, const char *key);
void jw_str(struct json_writer *w, const char *s); /* NULL writes "" */
void jw_strn(struct json_writer *w, const char *s, size_t len);
void jw_int(struct json_writer *w, int64_t v);
void jw_real(struct json_writer *w, double v, int decimals);
void jw_bool(struct json_writer *w, bool v);
void jw_null(struct json_writer *w);
void jw_raw(struct json_writer *w,
            const char *json); /* a value that is JSON already; NULL writes null */

/* Shorthands for a key and its value. */
void jw_kstr(struct json_writer *w, const char *key, const char *s);
void jw_kint(struct json_writer *w, const char *key, int64_t v);
void jw_kraw(struct json_writer *w, const char *key, const char *json);
void jw_ktime(struct json_writer *w, const char *key, int64_t unix_ms); /* as rfc3339() has it */

#endif
