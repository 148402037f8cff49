/* SPDX-License-Identifier: MIT */
#include "store/store_bench.h"

#include "store/store_sqlite_internal.h"

#include "base/hash.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

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

// ---- a store with a past ----

void store_bench_key(int account, int key, char out[STORE_BENCH_KEY_TEXT])
{
    snprintf(out, STORE_BENCH_KEY_TEXT, "bench-key-of-account-%d-number-%d", account, key);
}

static enum err fill_keys(struct db *db, const struct store_past *past)
{
    char key[STORE_BENCH_KEY_TEXT];
    uint8_t hash[SHA256_BYTES];
    struct query q;
    enum err e = ERR_OK;

    for (int i = 0; i < past->accounts * past->keys && !e; i++) {
        store_bench_key(i / past->keys, i % past->keys, key);
        sha256(key, strlen(key), hash);
        query_begin(&q, db,
                    "INSERT INTO api_key (sha256, account, prefix, created_ms) "
                    "VALUES (?, ?, 'bench-ke', 1770000000000)");
        query_blob(&q, hash, sizeof(hash));
        query_i64(&q, 1 + i / past->keys);
        e = query_run(&q);
    }
    return e;
}

// Each statement has ?1 accounts and ?2 jobs; jobs are numbered from 1 and dealt out in turn.
static const char *const past_sql[] = {
    "INSERT INTO account (uuid, name, is_private, granted, available, created_ms, updated_ms, "
    "webhook_secret) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
    "SELECT randomblob(16), 'bench ' || i, 0, 1 << 50, 1 << 50, 0, 0, 'whsec_' FROM n WHERE ?2 >= "
    "0",

    "INSERT INTO job (uuid, account, state, is_private, cost, claims, created_ms, started_ms, "
    "ended_ms, expires_ms, seed, width, height, error_code, engine, img_url, prompt, callback, "
    "interpretation, warnings, timings) "
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) "
    "SELECT job_uuid(), 1 + i % ?1, iif(i / ?1 % 10, 3, 4), 0, 120, 1, 1770000000000 + i, "
    "1770000000500 + i, 1770000001500 + i, 4102444800000, i, 1024, 1024, iif(i / ?1 % 10, 0, 424), "
    "'look 0.1.0', 'https://example.com/pictures/' || i || '.jpg', "
    "'Convert to oil painting style', iif(i / ?1 % 5, '', 'https://example.com/webhook'), "
    "'{\"medium\":\"oil painting\",\"materials\":[],\"palette\":[],\"light\":[],\"modifiers\":"
    "[],\"excluded\":[],\"unknown\":[],\"parameters\":{},\"warnings\":[]}', '[]', "
    "'{\"queue\":5,\"fetch\":80,\"decode\":12,\"wait\":0,\"render\":620,\"encode\":200,"
    "\"store\":20,\"total\":930}' FROM n",

    "INSERT INTO ledger (account, kind, points, job, at_ms) "
    "SELECT account, 2, cost, id, created_ms FROM job WHERE ?1 * ?2 > 0 UNION ALL "
    "SELECT account, iif(state = 3, 3, 4), cost, id, ended_ms FROM job",

    "UPDATE account SET consumed = (SELECT count(*) * 120 FROM job WHERE job.account = account.id "
    "AND state = 3), available = granted - (SELECT count(*) * 120 FROM job WHERE job.account = "
    "account.id AND state = 3) WHERE ?1 * ?2 > 0",

    "INSERT INTO ledger (account, kind, points, job, at_ms) "
    "SELECT id, 1, granted, NULL, 0 FROM account WHERE ?1 * ?2 > 0",

    "INSERT INTO delivery (msg_uuid, job, account, receiver, state, attempts, last_status, "
    "next_ms, created_ms, ended_ms) "
    "SELECT randomblob(16), id, account, receiver, 1, 1, 200, -1, ended_ms, ended_ms "
    "FROM job WHERE callback <> '' AND ?1 * ?2 > 0",

    "INSERT INTO blob (key, job, bytes, due_ms) "
    "WITH f (name) AS (VALUES ('0'), ('1'), ('2'), ('3'), ('grid')) "
    "SELECT 'job/' || lower(hex(uuid)) || '/' || name || '.png', id, 1500000, 4102444800000 "
    "FROM job, f WHERE state = 3 AND id > ?2 - ?2 / 10 AND ?1 > 0",
};

static void job_uuid(sqlite3_context *call, int count, sqlite3_value **args)
{
    uint8_t uuid[16];

    (void)count, (void)args;
    job_ids_make(sqlite3_user_data(call), uuid);
    sqlite3_result_blob(call, uuid, sizeof(uuid), SQLITE_TRANSIENT);
}

static enum err add_job_uuid(struct db *db, struct job_ids *ids)
{
    int rc =
        sqlite3_create_function(db->handle, "job_uuid", 0, SQLITE_UTF8, ids, job_uuid, NULL, NULL);

    return rc == SQLITE_OK ? job_ids_init(ids, db) : db_error(db, rc);
}

enum err store_bench_fill(const char *path, const struct store_past *past, struct err_note *note)
{
    struct db db = {0};
    struct job_ids ids;
    struct query q;
    enum err e = schema_create_file(path, note);

    assert(past->accounts > 0 && past->keys > 0 && past->jobs >= 0);
    if (!e)
        e = db_open(&db, path, true, NULL, note);
    if (!e)
        e = schema_migrate(&db, note);
    if (!e)
        e = add_job_uuid(&db, &ids);
    if (!e)
        e = db_exec(&db, "BEGIN IMMEDIATE");
    for (size_t i = 0; i < sizeof(past_sql) / sizeof(past_sql[0]) && !e; i++) {
        query_begin(&q, &db, past_sql[i]);
        query_i64(&q, past->accounts);
        query_i64(&q, past->jobs);
        e = query_run(&q);
    }
    if (!e)
        e = fill_keys(&db, past);
    if (!e)
        e = db_exec(&db, "COMMIT");
    if (!e)
        db_checkpoint(&db);
    if (e && note && !note->text[0])
        err_set(note, e, "the store cannot be filled (%s)", err_name(e));
    db_close(&db);
    return e;
}
