/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

// jansson's own nesting limit is fixed when it is compiled (2048), so depth is counted before
// parsing.
static bool too_deep(const char *s, size_t len)
{
    int depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < len; i++) {
        if (in_string) {
            if (s[i] == '\\')
                i++;
            else if (s[i] == '"')
                in_string = false;
        } else if (s[i] == '"') {
            in_string = true;
        } else if (s[i] == '{' || s[i] == '[') {
            if (++depth > JSON_DEPTH_MAX)
                return true;
        } else if (s[i] == '}' || s[i] == ']') {
            depth--;
        }
    }
    return false;
}

enum err json_read(const char *s, size_t len, json_t **out, struct err_note *note)
{
    json_error_t e;

    if (!utf8_valid(s, len))
        return err_set(note, ERR_INVALID, "the JSON is not valid UTF-8");
    if (too_deep(s, len))
        return err_set(note, ERR_INVALID, "the JSON is nested deeper than %d levels",
                       JSON_DEPTH_MAX);
    json_t *root = json_loadb(s, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    if (!root) {
        if (json_error_code(&e) == json_error_out_of_memory)
            return err_set(note, ERR_NOMEM, "out of memory while reading JSON");
        return err_set(note, ERR_INVALID, "malformed JSON at line %d, column %d: %s", e.line,
                       e.column, e.text);
    }
    *out = root;
    return ERR_OK;
}

static void before_value(struct json_writer *w)
{
    if (w->comma)
        buf_addc(w->out, ',');
    w->comma = true;
}

void jw_open(struct json_writer *w, char bracket)
{
    before_value(w);
    buf_addc(w->out, bracket);
    w->comma = false;
}

void jw_close(struct json_writer *w, char bracket)
{
    buf_addc(w->out, bracket);
    w->comma = true;
}

void jw_strn(struct json_writer *w, const char *s, size_t len)
{
    size_t plain = 0;

    before_value(w);
    buf_addc(w->out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(w->out, s + plain, i - plain);
        plain = i + 1;
        if (c == '"' || c == '\\') {
            buf_addc(w->out, '\\');
            buf_addc(w->out, (char)c);
        } else if (c == '\n') {
            buf_adds(w->out, "\\n");
        } else if (c == '\t') {
            buf_adds(w->out, "\\t");
        } else if (c == '\r') {
            buf_adds(w->out, "\\r");
        } else {
            buf_addf(w->out, "\\u%04x", c);
        }
    }
    if (len > plain)
        buf_add(w->out, s + plain, len - plain);
    buf_addc(w->out, '"');
}

void jw_str(struct json_writer *w, const char *s)
{
    jw_strn(w, s ? s : "", s ? strlen(s) : 0);
}

void jw_key(struct json_writer *w, const char *key)
{
    jw_str(w, key);
    buf_addc(w->out, ':');
    w->comma = false;
}

void jw_int(struct json_writer *w, int64_t v)
{
    before_value(w);
    buf_add_i64(w->out, v);
}

void jw_real(struct json_writer *w, double v, int decimals)
{
    before_value(w);
    if (isfinite(v))
        buf_addf(w->out, "%.*f", decimals, v);
    else
        buf_adds(w->out, "null");
}

void jw_bool(struct json_writer *w, bool v)
{
    before_value(w);
    buf_adds(w->out, v ? "true" : "false");
}

void jw_null(struct json_writer *w)
{
    before_value(w);
    buf_adds(w->out, "null");
}

void jw_raw(struct json_writer *w, const char *json)
{
    before_value(w);
    buf_adds(w->out, json ? json : "null");
}

void jw_kstr(struct json_writer *w, const char *key, const char *s)
{
    jw_key(w, key);
    jw_str(w, s);
}

void jw_kint(struct json_writer *w, const char *key, int64_t v)
{
    jw_key(w, key);
    jw_int(w, v);
}

void jw_kraw(struct json_writer *w, const char *key, const char *json)
{
    jw_key(w, key);
    jw_raw(w, json);
}

void jw_ktime(struct json_writer *w, const char *key, int64_t unix_ms)
{
    char text[RFC3339_TEXT];

    rfc3339(unix_ms, text);
    jw_kstr(w, key, text);
}
