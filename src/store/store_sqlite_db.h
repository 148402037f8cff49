/* SPDX-License-Identifier: MIT */
#ifndef PATINA_STORE_STORE_SQLITE_DB_H
#define PATINA_STORE_STORE_SQLITE_DB_H

/* For store_sqlite*.c only: a connection with its prepared statements, and queries on it. */

#include "base/arena.h"
#include "base/log.h"
#include "base/rand.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* Twice the number of different statements the back end has, so that the table stays half empty. */
enum { DB_STATEMENTS = 256 };

/* A connection. One thread at a time. */
struct db {
    sqlite3 *handle;
    const struct log *log;
    int log_pages;
    struct {
        const char *sql;
        sqlite3_stmt *prepared;
    } statement[DB_STATEMENTS];
};

/* Opens an existing file for writing or reading, with the settings that every connection has. On
 * failure nothing is open. */
MUST_USE enum err db_open(struct db *db, const char *path, bool writable, const struct log *log,
                          struct err_note *note);
void db_close(struct db *db);

/* What SQLite's result means to callers; logs it. A failed fsync does not return: the kernel may
 * have dropped the pages that it could not write, so that neither this file nor anything promised
 * from now on can be trusted; a restart reads what is really there. */
enum err db_error(struct db *db, int rc);

/* For opening: writes the note on what SQLite has just refused as `e`, and gives `e`, or
 * ERR_CORRUPT when the file is no database or a damaged one. */
enum err db_refused(struct db *db, enum err e, struct err_note *note);

/*
 * One run of a statement. `sql` must live for ever and be one literal per place: its address finds
 * the prepared statement. Parameters are bound in order; text and blobs are not copied and must
 * live until query_end(). Problems are kept and returned by query_next() or query_run().
 *
 *     query_begin(&q, db, "SELECT a FROM t WHERE b = ?");
 *     query_i64(&q, b);
 *     e = query_next(&q);             // ERR_OK: a row, read it with column_*(); ERR_NONE: no more
 *     query_end(&q);
 */
struct query {
    struct db *db;
    sqlite3_stmt *st;
    int bound;
    int rc;
};

void query_begin(struct query *q, struct db *db, const char *sql);
void query_i64(struct query *q, int64_t v);
void query_text(struct query *q, const char *s); /* NULL binds NULL */
void query_blob(struct query *q, const void *data, size_t len);
void query_uuid(struct query *q, const uint8_t uuid[16]);
MUST_USE enum err query_next(struct query *q);
void query_end(struct query *q);

/* For statements without rows: runs and ends it. */
MUST_USE enum err query_run(struct query *q);

/* Reads one number from the only row of the query and ends it. ERR_NONE when there is no row. */
MUST_USE enum err query_only_i64(struct query *q, int64_t *out);

/* Runs one statement that has no parameters. */
MUST_USE enum err db_exec(struct db *db, const char *sql);

/* Copies the log into the database, so that the next commits write it anew from its beginning. What
 * readers or a full disk prevent is logged and left for the next time. */
void db_checkpoint(struct db *db);

/* When to do so. 16 MB: large enough that pages which change often are copied into the database
 * once for many commits, small enough that nobody waits long while they are copied. */
enum { CHECKPOINT_PAGES = 4096 };

/* Pages that the log holds since it was last begun anew. */
int db_log_pages(const struct db *db);

/* Rows that the last statement changed. */
int db_changes(struct db *db);

/* Columns of the row at hand. Texts are copied into the arena; an empty or NULL one costs nothing.
 * column_text() gives "" for NULL, column_text_or_null() NULL. *ok turns false when memory ran out
 * and is left alone otherwise. */
int64_t column_i64(struct query *q, int col);
int column_int(struct query *q, int col);
const char *column_text(struct query *q, int col, struct arena *a, bool *ok);
const char *column_text_or_null(struct query *q, int col, struct arena *a, bool *ok);
void column_uuid(struct query *q, int col, char out[UUID_TEXT]);

/* Copies a text that fits by construction into an array; cut if it does not. */
void column_chars(struct query *q, int col, char *out, size_t size);

#endif
