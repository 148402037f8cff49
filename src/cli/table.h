/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_TABLE_H
#define PATINA_CLI_TABLE_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What a command lists, printed in one of three forms: on a terminal as a table with headings; into
 * a pipe or file as lines of fields between tabs, without headings, which are for other programs
 * and stay as they are; or as JSON, which has every column. Texts of others cannot steer a terminal
 * or break a line: control characters are shown as '?' (JSON escapes them).
 */
enum table_type {
    TABLE_TEXT,
    TABLE_NUMBER,
    TABLE_TIME, /* RFC 3339, UTC */
    TABLE_FLAG  /* "yes" or "no"; true or false */
};

struct table_column {
    const char *key;   /* in JSON */
    const char *title; /* of the column; NULL: in JSON alone */
    enum table_type type;
};

struct table {
    const struct table_column *column;
    int columns;
    struct arena arena;
    const char **cell; /* row by row; NULL: nothing there */
    size_t count, room;
    bool failed; /* out of memory */
};

void table_init(struct table *t, const struct table_column *column, int columns);
void table_release(struct table *t);

/* The next cell, from left to right; the type is the column's. Texts are copied, NULL is nothing.
 */
void table_text(struct table *t, const char *s);
void table_number(struct table *t, int64_t v);
void table_time(struct table *t, int64_t unix_ms); /* negative: nothing */
void table_flag(struct table *t, bool v);

/* Lines for people or programs, whichever reads standard output. Returns an exit code. */
int table_print(const struct table *t);

/* {"KEY":[{..},..]}, or the only row as one object when `key` is NULL. Returns an exit code. */
int table_print_json(const struct table *t, const char *key);

#endif
