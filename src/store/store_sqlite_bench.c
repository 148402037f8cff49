/* SPDX-License-Identifier: MIT */
#include "store/store_bench.h"

#include "store/store_sqlite_internal.h"

#include <assert.h>

// Must insert what run_accept() inserts for a job without idempotency key and upload.
static enum err insert_accept(struct db *db, const char *prompt)
{
    struct query q;
    uint8_t uuid[16];

    rand_bytes(uuid, sizeof(uuid));
    query_begin(&q, db,
                "INSERT INTO job (uuid, account, is_private, cost, created_ms, upload, img_url, "
                "prompt, callback) VALUES (?, 1, 0, 120, 1770000000000, NULL, "
                "'https://example.com/pictures/a.jpg', ?, '')");
    query_uuid(&q, uuid);
    query_text(&q, prompt);
    enum err e = query_run(&q);
    if (e)
        return e;
    query_begin(&q, db,
                "INSERT INTO ledger (account, kind, points, job, at_ms) "
                "VALUES (1, 2, 120, ?, 1770000000000)");
    query_i64(&q, sqlite3_last_insert_rowid(db->handle));
    return query_run(&q);
}

static enum err insert_batch(struct db *db, int count)
{
    struct query q;
    enum err e = db_exec(db, "BEGIN IMMEDIATE");

    for (int i = 0; i < count && !e; i++)
        e = insert_accept(db, "Convert to oil painting style");
    if (e)
        return e;
    query_begin(&q, db,
                "UPDATE account SET available = available - 120 * ?1, frozen = frozen + 120 * ?1, "
                "waiting = waiting + ?1 WHERE id = 1");
    query_i64(&q, count);
    e = query_run(&q);
    return e ? e : db_exec(db, "COMMIT");
}

static enum err make_account(struct db *db)
{
    return db_exec(db, "INSERT INTO account (uuid, name, is_private, granted, available, "
                       "created_ms, updated_ms, webhook_secret) "
                       "VALUES (zeroblob(16), 'bench', 0, 1 << 50, 1 << 50, 0, 0, 'whsec_')");
}

enum err store_bench_raw(const char *path, int count, int batch, int64_t *elapsed_ns,
                         struct err_note *note)
{
    struct db db = {0};
    enum err e = schema_create_file(path, note);

    assert(count > 0 && batch > 0);
    if (!e)
        e = db_open(&db, path, true, NULL, note);
    if (!e)
        e = schema_migrate(&db, note);
    if (!e)
        e = make_account(&db);
    int64_t start_ns = clock_mono_ns(&clock_system);
    for (int done = 0; done < count && !e; done += batch) {
        e = insert_batch(&db, count - done < batch ? count - done : batch);
        if (!e && db_log_pages(&db) >= CHECKPOINT_PAGES)
            db_checkpoint(&db);
    }
    if (!e)
        *elapsed_ns = clock_mono_ns(&clock_system) - start_ns;
    db_close(&db);
    return e;
}
