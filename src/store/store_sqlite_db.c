/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_db.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Admin commands hold the write lock for milliseconds; ten seconds is a stuck disk. */
    BUSY_MS = 10000,
    /* Pages kept by the writer; readers drop theirs at every commit anyway. */
    WRITER_CACHE_KB = 8192,
    READER_CACHE_KB = 1024
};

static enum err meaning(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return ERR_OK;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT:
        return ERR_UNAVAILABLE;
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_IO;
    default: // constraint, misuse, range, schema: our own doing
        return ERR_BUG;
    }
}

enum err db_error(struct db *db, int rc)
{
    int extended = db->handle ? sqlite3_extended_errcode(db->handle) : rc;
    bool fsync_failed = rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC ||
                        extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC;

    log_event(db->log, LOG_ERROR, fsync_failed ? "store.fsync_failed" : "store.sqlite",
              LOG_S("problem", db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc)),
              LOG_N("code", extended));
    if (fsync_failed)
        abort();
    return meaning(rc);
}

enum err db_refused(struct db *db, enum err e, struct err_note *note)
{
    int rc = sqlite3_errcode(db->handle) & 0xff; // SQLITE_NOMEM when there is no handle

    if (rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT)
        return err_set(note, ERR_CORRUPT,
                       "%s: restore a backup, or name another file in PATINA_DATABASE",
                       sqlite3_errmsg(db->handle));
    return err_set(note, e, "%s", sqlite3_errmsg(db->handle));
}

static int log_grew(void *arg, sqlite3 *handle, const char *name, int pages)
{
    (void)handle;
    (void)name;
    ((struct db *)arg)->log_pages = pages;
    return SQLITE_OK;
}

// Counting what is allocated takes a lock around every malloc: a seventh of reading a job.
static void set_up_library(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int set_up(struct db *db, bool writable)
{
    char cache[48];
    const char *const settings[] = {
        "PRAGMA synchronous = FULL",     "PRAGMA foreign_keys = ON",
        "PRAGMA trusted_schema = OFF",
        "PRAGMA secure_delete = ON",     // what is erased is gone; Debian's default, others' not
        "PRAGMA wal_autocheckpoint = 0", // the writer does it itself and sees whether it failed
        "PRAGMA temp_store = MEMORY",    cache};
    int rc = sqlite3_busy_timeout(db->handle, BUSY_MS);

    snprintf(cache, sizeof(cache), "PRAGMA cache_size = -%d",
             writable ? WRITER_CACHE_KB : READER_CACHE_KB);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]) && rc == SQLITE_OK; i++)
        rc = sqlite3_exec(db->handle, settings[i], NULL, NULL, NULL);
    return rc;
}

enum err db_open(struct db *db, const char *path, bool writable, const struct log *log,
                 struct err_note *note)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                (writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);

    pthread_once(&once, set_up_library);
    *db = (struct db){.log = log};
    int rc = sqlite3_open_v2(path, &db->handle, flags, NULL);
    if (rc == SQLITE_OK)
        rc = set_up(db, writable);
    if (rc == SQLITE_OK) {
        sqlite3_wal_hook(db->handle, log_grew, db);
        return ERR_OK;
    }
    enum err e = db_refused(db, meaning(rc), note);
    db_close(db);
    return e;
}

void db_close(struct db *db)
{
    for (int i = 0; i < DB_STATEMENTS; i++)
        sqlite3_finalize(db->statement[i].prepared);
    int rc = sqlite3_close(db->handle);
    assert(rc == SQLITE_OK);
    (void)rc;
    *db = (struct db){0};
}

// Multiplicative hashing of the literal's address; linear probing.
static int prepared(struct db *db, const char *sql, sqlite3_stmt **out)
{
    size_t at = ((uintptr_t)sql * 0x9E3779B97F4A7C15u >> 40) % DB_STATEMENTS;
    int rc = SQLITE_OK;

    while (db->statement[at].sql && db->statement[at].sql != sql)
        at = (at + 1) % DB_STATEMENTS;
    if (!db->statement[at].sql) {
        sqlite3_stmt *st = NULL;
        rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
        if (rc == SQLITE_OK) {
            db->statement[at].sql = sql;
            db->statement[at].prepared = st;
        }
    }
    *out = db->statement[at].prepared;
    return rc;
}

void query_begin(struct query *q, struct db *db, const char *sql)
{
    *q = (struct query){.db = db};
    q->rc = prepared(db, sql, &q->st);
    assert(q->rc != SQLITE_OK || !sqlite3_stmt_busy(q->st));
}

static void note_rc(struct query *q, int rc)
{
    if (q->rc == SQLITE_OK)
        q->rc = rc;
}

void query_i64(struct query *q, int64_t v)
{
    if (q->rc == SQLITE_OK)
        note_rc(q, sqlite3_bind_int64(q->st, ++q->bound, v));
}

void query_text(struct query *q, const char *s)
{
    if (q->rc == SQLITE_OK)
        note_rc(q, sqlite3_bind_text(q->st, ++q->bound, s, -1, SQLITE_STATIC));
}

void query_blob(struct query *q, const void *data, size_t len)
{
    // A NULL pointer would bind NULL, and an empty blob is not NULL.
    if (q->rc == SQLITE_OK)
        note_rc(q, sqlite3_bind_blob64(q->st, ++q->bound, len ? data : "", len, SQLITE_STATIC));
}

void query_uuid(struct query *q, const uint8_t uuid[16])
{
    query_blob(q, uuid, 16);
}

enum err query_next(struct query *q)
{
    if (q->rc == SQLITE_OK) {
        int rc = sqlite3_step(q->st);
        if (rc == SQLITE_ROW)
            return ERR_OK;
        if (rc == SQLITE_DONE)
            return ERR_NONE;
        q->rc = rc;
    }
    return db_error(q->db, q->rc);
}

void query_end(struct query *q)
{
    // The result repeats the failure that query_next() has reported.
    (void)sqlite3_reset(q->st);
    q->st = NULL;
}

enum err query_run(struct query *q)
{
    enum err e = query_next(q);

    query_end(q);
    return e == ERR_NONE ? ERR_OK : e;
}

enum err query_only_i64(struct query *q, int64_t *out)
{
    enum err e = query_next(q);

    if (e == ERR_OK)
        *out = column_i64(q, 0);
    query_end(q);
    return e;
}

enum err db_exec(struct db *db, const char *sql)
{
    struct query q;

    query_begin(&q, db, sql);
    return query_run(&q);
}

int db_log_pages(const struct db *db)
{
    return db->log_pages;
}

void db_checkpoint(struct db *db)
{
    int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    db->log_pages = 0;
    if (rc != SQLITE_OK && rc != SQLITE_BUSY)
        (void)db_error(db, rc);
}

int db_changes(struct db *db)
{
    return sqlite3_changes(db->handle);
}

int64_t column_i64(struct query *q, int col)
{
    return sqlite3_column_int64(q->st, col);
}

int column_int(struct query *q, int col)
{
    return sqlite3_column_int(q->st, col);
}

const char *column_text_or_null(struct query *q, int col, struct arena *a, bool *ok)
{
    const char *text = (const char *)sqlite3_column_text(q->st, col);

    if (!text) {
        if (sqlite3_column_type(q->st, col) != SQLITE_NULL)
            *ok = false;
        return NULL;
    }
    if (!text[0])
        return "";
    const char *copy = arena_memdup(a, text, (size_t)sqlite3_column_bytes(q->st, col));
    if (!copy)
        *ok = false;
    return copy;
}

const char *column_text(struct query *q, int col, struct arena *a, bool *ok)
{
    const char *text = column_text_or_null(q, col, a, ok);

    return text ? text : "";
}

void column_chars(struct query *q, int col, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(q->st, col);

    snprintf(out, size, "%s", text ? text : "");
}

void column_uuid(struct query *q, int col, char out[UUID_TEXT])
{
    const uint8_t *uuid = sqlite3_column_blob(q->st, col);

    out[0] = '\0';
    if (uuid && sqlite3_column_bytes(q->st, col) == 16)
        uuid_text(uuid, out);
}
