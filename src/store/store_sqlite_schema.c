/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "Ptna": tells our files from other programs' (PRAGMA application_id). The number of the newest
 * migration that has run is PRAGMA user_version: both live in the file's header and change with the
 * transaction. */
enum { APPLICATION_ID = 0x50746e61 };

enum err schema_create_file(const char *path, struct err_note *note)
{
    // SQLite would make it with the umask's mode; its log and index take over the database's mode.
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_errno(note, "cannot open it");
    close(fd);
    return ERR_OK;
}

static enum err run_script(struct db *db, const char *sql, struct err_note *note)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? ERR_OK : db_refused(db, db_error(db, rc), note);
}

static enum err read_number(struct db *db, const char *sql, int64_t *out, struct err_note *note)
{
    struct query q;

    query_begin(&q, db, sql);
    enum err e = query_only_i64(&q, out);
    return e < 0 ? db_refused(db, e, note) : e;
}

static enum err check_identity(struct db *db, int64_t version, struct err_note *note)
{
    int64_t id = 0, tables = 0;
    enum err e = read_number(db, "PRAGMA application_id", &id, note);

    if (!e)
        e = read_number(db, "SELECT count(*) FROM sqlite_schema", &tables, note);
    if (e)
        return e;
    if (id != APPLICATION_ID && (id != 0 || version != 0 || tables != 0))
        return err_set(note, ERR_CORRUPT,
                       "belongs to another program: name another file in PATINA_DATABASE");
    if (version > sqlite_migration_count)
        return err_set(note, ERR_TOO_NEW,
                       "was written by a newer version (its schema is number %lld, this program "
                       "knows up to %d): run that version, or restore a backup from before it",
                       (long long)version, sqlite_migration_count);
    return ERR_OK;
}

static enum err add_site_secret(struct db *db)
{
    uint8_t secret[32];
    struct query q;

    rand_bytes(secret, sizeof(secret));
    query_begin(&q, db, "INSERT INTO meta (one, site_secret) VALUES (1, ?) ON CONFLICT DO NOTHING");
    query_blob(&q, secret, sizeof(secret));
    return query_run(&q);
}

static enum err migrate_from(struct db *db, int64_t version, struct err_note *note)
{
    char step[96];
    enum err e = ERR_OK;

    for (int i = (int)version; i < sqlite_migration_count && !e; i++) {
        e = run_script(db, sqlite_migrations[i].sql, note);
        if (e)
            err_note_prefix(note, "migration %s", sqlite_migrations[i].name);
    }
    if (!e)
        e = add_site_secret(db);
    snprintf(step, sizeof(step), "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, sqlite_migration_count);
    return e ? e : run_script(db, step, note);
}

// Where there is no shared memory (network file systems) SQLite keeps another mode silently.
static enum err check_log(struct db *db, struct err_note *note)
{
    struct query q;
    char mode[16] = "";

    query_begin(&q, db, "PRAGMA journal_mode");
    enum err e = query_next(&q);
    if (e == ERR_OK)
        column_chars(&q, 0, mode, sizeof(mode));
    query_end(&q);
    if (e == ERR_OK && strcmp(mode, "wal") != 0)
        e = err_set(note, ERR_UNSUPPORTED,
                    "lies on a file system that cannot hold it (a network share?): put it on a "
                    "local disk");
    return e;
}

enum err schema_check(struct db *db, struct err_note *note)
{
    int64_t version = 0;
    enum err e = read_number(db, "PRAGMA user_version", &version, note);

    if (!e)
        e = check_identity(db, version, note);
    if (!e && version < sqlite_migration_count)
        e = err_set(note, ERR_UNSUPPORTED,
                    "was written by an older version: start patina serve of this version on it "
                    "once, which brings it up to date");
    return e;
}

enum err schema_migrate(struct db *db, struct err_note *note)
{
    int64_t version = 0;
    enum err e = run_script(db, "PRAGMA journal_mode = WAL", note);

    if (!e)
        e = check_log(db, note);
    if (!e)
        e = run_script(db, "BEGIN IMMEDIATE", note);
    if (!e)
        e = read_number(db, "PRAGMA user_version", &version, note);
    if (!e)
        e = check_identity(db, version, note);
    if (!e && version < sqlite_migration_count)
        e = migrate_from(db, version, note);
    if (!e)
        e = run_script(db, "COMMIT", note);
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    return e;
}
