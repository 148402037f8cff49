/* SPDX-License-Identifier: MIT */
#include "http/target.h"

#include "base/hash.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

// The byte that "%XY" at s stands for, or -1.
static int percent(const char *s, size_t len)
{
    if (len < 3 || hex_digit(s[1]) < 0 || hex_digit(s[2]) < 0)
        return -1;
    return hex_digit(s[1]) * 16 + hex_digit(s[2]);
}

static bool is_control(int c)
{
    return c < 0x20 || c == 0x7F;
}

static enum err check_bytes(const char *raw, size_t len, struct err_note *note)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)raw[i];
        if (c <= 0x20 || c >= 0x7F)
            return err_set(note, ERR_INVALID,
                           "the request target contains a byte that must be percent-encoded");
        if (c == '#')
            return err_set(note, ERR_INVALID, "the request target contains a fragment");
        if (c == '%' && percent(raw + i, len - i) < 0)
            return err_set(note, ERR_INVALID, "the request target has bad percent-encoding");
    }
    return ERR_OK;
}

// Drops "http://authority" of the absolute form, which servers must accept.
static void skip_authority(const char **raw, size_t *len)
{
    size_t scheme = 0;

    if (*len >= 7 && !strncasecmp(*raw, "http://", 7))
        scheme = 7;
    else if (*len >= 8 && !strncasecmp(*raw, "https://", 8))
        scheme = 8;
    if (!scheme)
        return;
    size_t host = strcspn(*raw + scheme, "/?");
    *raw += scheme + host;
    *len -= scheme + host;
}

// What stays encoded: a slash would be read as a separator, a control character would end a string
// or a line of the log. No path of ours has either.
static bool stays_encoded(int c)
{
    return c == '/' || is_control(c);
}

// Decodes one segment behind out[at] and returns the new end.
static size_t add_segment(char *out, size_t at, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int c = s[i] == '%' ? percent(s + i, len - i) : -1;
        if (c < 0 || stays_encoded(c)) {
            out[at++] = s[i];
        } else {
            out[at++] = (char)c;
            i += 2;
        }
    }
    return at;
}

static size_t normalise(char *out, const char *raw, size_t len)
{
    size_t at = 0; // out[0..at) is "" or "/seg/seg"

    for (size_t i = 0; i < len;) {
        size_t n = 0;
        while (i + n < len && raw[i + n] != '/')
            n++;
        size_t start = at;
        out[at] = '/';
        size_t end = add_segment(out, at + 1, raw + i, n);
        size_t got = end - start - 1;
        const char *seg = out + start + 1;
        if (got == 2 && seg[0] == '.' && seg[1] == '.') {
            while (at > 0 && out[--at] != '/')
                ;
        } else if (got > 0 && !(got == 1 && seg[0] == '.')) {
            at = end;
        }
        i += n + 1;
    }
    if (at == 0)
        out[at++] = '/';
    out[at] = '\0';
    return at;
}

enum err target_parse(struct target *out, struct arena *a, const char *raw, size_t len,
                      struct err_note *note)
{
    enum err e = check_bytes(raw, len, note);
    struct target t;

    if (e)
        return e;
    skip_authority(&raw, &len);
    const char *mark = memchr(raw, '?', len);
    size_t path_len = mark ? (size_t)(mark - raw) : len;
    if (path_len > 0 && raw[0] != '/')
        return err_set(note, ERR_INVALID, "the request target must begin with a slash");
    // One more than the input: a segment is written behind a slash of its own.
    char *path = arena_alloc(a, path_len + 3);
    t.path = path;
    t.query = mark ? arena_memdup(a, mark + 1, len - path_len - 1) : "";
    if (!path || !t.query)
        return ERR_NOMEM;
    size_t n = normalise(path, raw, path_len);
    if (!utf8_valid(path, n))
        return err_set(note, ERR_INVALID, "the path is not valid UTF-8");
    *out = t;
    return ERR_OK;
}

static const char *decode_value(const char *s, size_t len, struct arena *a)
{
    char *out = arena_alloc(a, len + 1);
    size_t at = 0;

    if (!out)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        int c = s[i] == '%' ? percent(s + i, len - i) : -1;
        if (c >= 0 && !is_control(c)) {
            out[at++] = (char)c;
            i += 2;
        } else {
            out[at++] = s[i] == '+' ? ' ' : s[i];
        }
    }
    return out;
}

const char *target_query(const char *query, const char *name, struct arena *a)
{
    size_t want = strlen(name);

    for (const char *p = query; *p;) {
        size_t pair = strcspn(p, "&");
        const char *eq = memchr(p, '=', pair);
        size_t key = eq ? (size_t)(eq - p) : pair;
        if (key == want && !memcmp(p, name, want))
            return eq ? decode_value(eq + 1, pair - key - 1, a) : "";
        p += pair + (p[pair] == '&');
    }
    return NULL;
}
