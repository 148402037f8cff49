/* SPDX-License-Identifier: MIT */
#include "http/strict.h"

#include <string.h>
#include <strings.h>

// tchar of RFC 9110 section 5.6.2.
static bool is_token(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return len > 0;
}

static bool is_text(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

// What host and port can be made of (RFC 3986 section 3.2.2); may be empty.
static bool is_host(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alnum && (c == '\0' || !strchr("-._~%!$&'()*+;=:[]", c)))
            return false;
    }
    return true;
}

// Whether the two bytes at p are the CRLF that the parser has overwritten.
static bool line_end(const char *p, const char *end)
{
    return end - p >= 2 && p[0] == '\0' && p[1] == '\0';
}

static bool tiles(const struct strict_head *h)
{
    const char *end = h->method + h->bytes;
    size_t version_len = 8; // checked by the library

    if (h->target != h->method + strlen(h->method) + 1 ||
        h->version != h->target + h->target_len + 1)
        return false;
    const char *at = h->version + version_len;
    if (!line_end(at, end))
        return false;
    at += 2;
    for (int i = 0; i < h->field_count; i++) {
        const struct strict_field *f = &h->field[i];
        if (f->name != at || f->value <= f->name + f->name_len || f->value > end)
            return false;
        for (const char *p = f->name + f->name_len + 1; p < f->value; p++)
            if (*p != ' ' && *p != '\t')
                return false;
        at = f->value + f->value_len;
        if (!line_end(at, end))
            return false;
        at += 2;
    }
    return line_end(at, end) && at + 2 == end;
}

static bool is(const struct strict_field *f, const char *name)
{
    return f->name_len == strlen(name) && !strncasecmp(f->name, name, f->name_len);
}

static bool read_length(const struct strict_field *f, int64_t *out)
{
    int64_t v = 0;

    if (f->value_len == 0 || f->value_len > 15)
        return false;
    for (size_t i = 0; i < f->value_len; i++) {
        if (f->value[i] < '0' || f->value[i] > '9')
            return false;
        v = v * 10 + (f->value[i] - '0');
    }
    *out = v;
    return true;
}

static int refuse(int status, const char **why, const char *text)
{
    *why = text;
    return status;
}

int strict_check(const struct strict_head *h, struct strict_body *body, const char **why)
{
    bool http10 = h->version[7] == '0';
    int hosts = 0, lengths = 0, codings = 0;

    *body = (struct strict_body){false, 0};
    if (h->field_count > STRICT_FIELDS_MAX)
        return refuse(431, why, "too many header fields");
    if (!tiles(h))
        return refuse(400, why,
                      "the header section has NUL bytes, bare line feeds or folded lines");
    if (!is_token(h->method, strlen(h->method)))
        return refuse(400, why, "the method is not a token");
    for (int i = 0; i < h->field_count; i++) {
        const struct strict_field *f = &h->field[i];
        if (!is_token(f->name, f->name_len))
            return refuse(400, why, "a header field's name is not a token");
        if (!is_text(f->value, f->value_len))
            return refuse(400, why, "a header field's value has control characters");
        if (is(f, "Host")) {
            hosts++;
            if (!is_host(f->value, f->value_len))
                return refuse(400, why, "Host is no host");
        } else if (is(f, "Content-Length")) {
            lengths++;
            if (!read_length(f, &body->length))
                return refuse(400, why, "Content-Length is not a number of bytes");
        } else if (is(f, "Transfer-Encoding")) {
            codings++;
            if (f->value_len != 7 || strncasecmp(f->value, "chunked", 7) != 0)
                return refuse(501, why, "the only transfer coding here is chunked");
        }
    }
    if (hosts > 1 || (hosts == 0 && !http10))
        return refuse(400, why, "a request has exactly one Host header");
    if (lengths > 1 || codings > 1 || (lengths && codings) || (codings && http10))
        return refuse(400, why, "the length of the body is given in contradicting ways");
    body->any = lengths || codings;
    if (codings)
        body->length = -1;
    return 0;
}
