/* SPDX-License-Identifier: MIT */
#include "api/multipart.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { BOUNDARY_MAX = 70 /* RFC 2046 section 5.1.1 */, PARTS_MAX = 32 };

struct span {
    const char *p;
    size_t len;
};

static size_t blanks(const char *s)
{
    return strspn(s, " \t");
}

/* The value of `key` among the `; key=value` parameters of a header's value; quotes taken off.
 * False when it is absent or malformed. */
static bool parameter(struct span header, const char *key, struct span *out)
{
    const char *p = header.p, *end = p + header.len;
    size_t want = strlen(key);

    while ((p = memchr(p, ';', (size_t)(end - p)))) {
        for (p++; p < end && (*p == ' ' || *p == '\t'); p++)
            ;
        const char *name = p;
        while (p < end && *p != '=' && *p != ';')
            p++;
        if (p == end || *p == ';')
            continue;
        size_t name_len = (size_t)(p++ - name);
        struct span value = {p, 0};
        if (p < end && *p == '"') {
            value.p = ++p;
            while (p < end && *p != '"')
                p += *p == '\\' && p + 1 < end ? 2 : 1;
            if (p >= end)
                return false;
            value.len = (size_t)(p++ - value.p);
        } else {
            while (p < end && *p != ';' && *p != ' ')
                p++;
            value.len = (size_t)(p - value.p);
        }
        if (name_len == want && !strncasecmp(name, key, want)) {
            *out = value;
            return true;
        }
    }
    return false;
}

// Reads a part's header lines; *body_at is behind the blank line.
static bool read_part_head(struct span part, struct span *disposition, size_t *body_at)
{
    static const char key[] = "Content-Disposition:";
    size_t at = 0;

    *disposition = (struct span){NULL, 0};
    for (;;) {
        const char *line = part.p + at;
        const char *end = memmem(line, part.len - at, "\r\n", 2);
        if (!end)
            return false;
        size_t len = (size_t)(end - line);
        at += len + 2;
        if (len == 0)
            break;
        if (len >= sizeof(key) - 1 && !strncasecmp(line, key, sizeof(key) - 1))
            *disposition = (struct span){line + sizeof(key) - 1, len - (sizeof(key) - 1)};
    }
    *body_at = at;
    return disposition->p != NULL;
}

static bool is_form_data(struct span disposition)
{
    while (disposition.len && (*disposition.p == ' ' || *disposition.p == '\t'))
        disposition.p++, disposition.len--;
    return disposition.len >= 9 && !strncasecmp(disposition.p, "form-data", 9);
}

static enum err read_boundary(const char *type, char mark[BOUNDARY_MAX + 5], struct err_note *note)
{
    static const char media[] = "multipart/form-data";
    struct span boundary;

    type += blanks(type);
    size_t len = sizeof(media) - 1;
    if (strncasecmp(type, media, len) != 0 || (type[len] && !strchr("; \t", type[len])))
        return ERR_UNSUPPORTED;
    if (!parameter((struct span){type, strlen(type)}, "boundary", &boundary) || boundary.len == 0 ||
        boundary.len > BOUNDARY_MAX)
        return err_set(note, ERR_INVALID, "Content-Type has no usable boundary");
    snprintf(mark, BOUNDARY_MAX + 5, "\r\n--%.*s", (int)boundary.len, boundary.p);
    return ERR_OK;
}

// Where the first part begins; NULL when there is none.
static const char *behind_first_mark(const char *body, size_t len, const char *mark)
{
    size_t n = strlen(mark);

    // It may stand at the very beginning, without its CRLF.
    if (len >= n - 2 && !memcmp(body, mark + 2, n - 2))
        return body + n - 2;
    const char *at = memmem(body, len, mark, n);
    return at ? at + n : NULL;
}

// Keeps the part when it is the field.
static enum err take_part(struct span part, const char *name, struct multipart_field *field,
                          struct err_note *note)
{
    struct span disposition, value;
    size_t at;

    if (!read_part_head(part, &disposition, &at) || !is_form_data(disposition) ||
        !parameter(disposition, "name", &value))
        return err_set(note, ERR_INVALID, "a part has no good Content-Disposition");
    if (value.len != strlen(name) || memcmp(value.p, name, value.len) != 0)
        return ERR_OK;
    if (field->data)
        return err_set(note, ERR_INVALID, "there is more than one field \"%s\"", name);
    size_t whole = part.len - at;
    *field = (struct multipart_field){part.p + at, whole >= 2 ? whole - 2 : 0};
    return ERR_OK;
}

enum err multipart_find(const char *type, const char *body, size_t len, const char *name,
                        struct multipart_field *out, struct err_note *note)
{
    char mark[BOUNDARY_MAX + 5];
    struct multipart_field found = {NULL, 0};

    enum err e = read_boundary(type, mark, note);
    if (e)
        return e;
    const char *end = body + len, *p = behind_first_mark(body, len, mark);
    for (int parts = 0; p && parts <= PARTS_MAX; parts++) {
        if (end - p >= 2 && p[0] == '-' && p[1] == '-') {
            if (!found.data)
                return err_set(note, ERR_NOT_FOUND, "there is no field \"%s\"", name);
            *out = found;
            return ERR_OK;
        }
        while (p < end && (*p == ' ' || *p == '\t'))
            p++;
        if (end - p < 2 || p[0] != '\r' || p[1] != '\n')
            break;
        p += 2;
        // A part without content ends with the CRLF that also ends its head.
        const char *next = memmem(p - 2, (size_t)(end - p) + 2, mark, strlen(mark));
        if (!next)
            break;
        // One that begins with the mark has no head, and no bytes.
        e = take_part((struct span){p, next < p ? 0 : (size_t)(next + 2 - p)}, name, &found, note);
        if (e)
            return e;
        p = next + strlen(mark);
    }
    return err_set(note, ERR_INVALID, "the multipart body is cut or malformed");
}
