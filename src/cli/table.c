/* SPDX-License-Identifier: MIT */
#include "cli/table.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/command.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_MAX = 16, GAP = 2 };

void table_init(struct table *t, const struct table_column *column, int columns)
{
    assert(columns <= COLUMNS_MAX);
    *t = (struct table){.column = column, .columns = columns, .arena = ARENA_INIT};
}

void table_release(struct table *t)
{
    arena_release(&t->arena);
    free(t->cell);
    *t = (struct table){0};
}

static void add(struct table *t, enum table_type type, const char *text)
{
    assert(t->column[t->count % (size_t)t->columns].type == type);
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 256;
        const char **grown = realloc(t->cell, room * sizeof *grown);
        if (!grown) {
            t->failed = true;
            return;
        }
        t->cell = grown;
        t->room = room;
    }
    t->cell[t->count] = arena_strdup(&t->arena, text);
    t->failed |= text && !t->cell[t->count];
    t->count++;
}

void table_text(struct table *t, const char *s)
{
    add(t, TABLE_TEXT, s);
}

void table_number(struct table *t, int64_t v)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, v);
    add(t, TABLE_NUMBER, text);
}

void table_time(struct table *t, int64_t unix_ms)
{
    char text[RFC3339_TEXT];

    rfc3339(unix_ms, text);
    add(t, TABLE_TIME, unix_ms < 0 ? NULL : text);
}

void table_flag(struct table *t, bool v)
{
    add(t, TABLE_FLAG, v ? "yes" : "no");
}

// ---- printing ----

static int finish(const struct table *t, struct buf *out)
{
    bool ok = !t->failed && !out->failed;

    // A full disk or a closed pipe must not look like success.
    ok = ok && fwrite(out->data ? out->data : "", 1, out->len, stdout) == out->len &&
         fflush(stdout) == 0;
    buf_release(out);
    if (t->failed)
        fprintf(stderr, "patina: out of memory\n");
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static const char *cell(const struct table *t, size_t row, int column)
{
    return t->cell[row * (size_t)t->columns + (size_t)column];
}

static size_t rows(const struct table *t)
{
    return t->count / (size_t)t->columns;
}

// A '?' for each control character, those from U+0080 to U+009F included.
static void add_safe(struct buf *out, const char *text)
{
    size_t len = strlen(text), n;
    uint32_t c;

    for (; len; text += n, len -= n) {
        n = utf8_decode(text, len, &c);
        if (n == 0 || c < 0x20 || (c >= 0x7F && c < 0xA0))
            buf_addc(out, '?');
        else
            buf_add(out, text, n);
        n = n ? n : 1;
    }
}

// Columns of a terminal: two for what Unicode's East Asian Width (UAX #11) calls wide, by its
// blocks, none for accents that join.
static size_t columns_of(uint32_t c)
{
    static const struct {
        uint32_t first, last;
        size_t columns;
    } ranges[] = {{0x300, 0x36F, 0},     {0x1100, 0x115F, 2},   {0x200B, 0x200D, 0},
                  {0x2E80, 0xA4CF, 2},   {0xAC00, 0xD7A3, 2},   {0xF900, 0xFAFF, 2},
                  {0xFE00, 0xFE0F, 0},   {0xFE30, 0xFE6F, 2},   {0xFF01, 0xFF60, 2},
                  {0xFFE0, 0xFFE6, 2},   {0x1F300, 0x1F64F, 2}, {0x1F680, 0x1F6FF, 2},
                  {0x1F900, 0x1F9FF, 2}, {0x20000, 0x3FFFD, 2}};

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return ranges[i].columns;
    return 1;
}

static size_t width_of(const char *text)
{
    size_t len = strlen(text), width = 0, n;
    uint32_t c;

    for (; len; text += n, len -= n) {
        n = utf8_decode(text, len, &c);
        width += n ? columns_of(c) : 1;
        n = n ? n : 1;
    }
    return width;
}

// A heading (row SIZE_MAX) or a row, padded; numbers to the right.
static void add_line(const struct table *t, size_t row, const size_t *width, struct buf *out)
{
    size_t owed = 0; // spaces, which no line ends with

    for (int i = 0; i < t->columns; i++) {
        if (!t->column[i].title)
            continue;
        const char *text = row == SIZE_MAX ? t->column[i].title : cell(t, row, i);
        text = text && *text ? text : "-";
        size_t pad = width[i] - width_of(text);
        bool right = t->column[i].type == TABLE_NUMBER;
        buf_addf(out, "%*s", (int)(owed + (right ? pad : 0)), "");
        add_safe(out, text);
        owed = GAP + (right ? 0 : pad);
    }
    buf_addc(out, '\n');
}

static void add_table(const struct table *t, struct buf *out)
{
    size_t width[COLUMNS_MAX] = {0};

    for (int i = 0; i < t->columns; i++) {
        width[i] = t->column[i].title ? width_of(t->column[i].title) : 0;
        for (size_t row = 0; row < rows(t); row++) {
            const char *text = cell(t, row, i);
            size_t n = text && *text ? width_of(text) : 1;
            width[i] = n > width[i] ? n : width[i];
        }
    }
    add_line(t, SIZE_MAX, width, out);
    for (size_t row = 0; row < rows(t); row++)
        add_line(t, row, width, out);
}

static void add_fields(const struct table *t, struct buf *out)
{
    for (size_t row = 0; row < rows(t); row++) {
        bool first = true;
        for (int i = 0; i < t->columns; i++) {
            const char *text = cell(t, row, i);
            if (!t->column[i].title)
                continue;
            if (!first)
                buf_addc(out, '\t');
            first = false;
            add_safe(out, text ? text : "");
        }
        buf_addc(out, '\n');
    }
}

int table_print(const struct table *t)
{
    struct buf out = BUF_INIT;

    if (t->failed)
        return finish(t, &out);
    if (isatty(STDOUT_FILENO))
        add_table(t, &out);
    else
        add_fields(t, &out);
    return finish(t, &out);
}

static void write_row(const struct table *t, size_t row, struct json_writer *w)
{
    jw_open(w, '{');
    for (int i = 0; i < t->columns; i++) {
        const char *text = cell(t, row, i);
        jw_key(w, t->column[i].key);
        if (!text)
            jw_null(w);
        else if (t->column[i].type == TABLE_NUMBER)
            jw_raw(w, text);
        else if (t->column[i].type == TABLE_FLAG)
            jw_bool(w, strcmp(text, "yes") == 0);
        else
            jw_str(w, text);
    }
    jw_close(w, '}');
}

int table_print_json(const struct table *t, const char *key)
{
    struct buf out = BUF_INIT;
    struct json_writer w = JSON_WRITER(&out);

    if (t->failed)
        return finish(t, &out);
    if (!key) {
        assert(rows(t) == 1);
        write_row(t, 0, &w);
    } else {
        jw_open(&w, '{');
        jw_key(&w, key);
        jw_open(&w, '[');
        for (size_t row = 0; row < rows(t); row++)
            write_row(t, row, &w);
        jw_close(&w, ']');
        jw_close(&w, '}');
    }
    buf_addc(&out, '\n');
    return finish(t, &out);
}
