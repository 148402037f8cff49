/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

/*
 * Deleted accounts. Deleting marks the account and ends what waits; what its owner left behind is
 * erased later, by store_sweep(), because it may be a million rows and because running jobs and
 * last webhooks are let go to their ends first. SQLite overwrites what is deleted (secure_delete,
 * which db_open() turns on), so nothing of it stays in free pages.
 */

// Jobs a transaction: some milliseconds of work, so that accepts need not wait longer.
enum { ERASE_JOBS = 100, ERASE_ROWS = 500 };

// ---- deleting ----

static enum err run_delete(struct writer *w, void *args)
{
    const int64_t *account = args;
    struct hot_account *h;
    struct query q;
    enum err e = writer_live_account(w, *account, &h);

    if (e)
        return e;
    h->a.disabled = true;
    h->a.deleted_ms = writer_now_ms(w);
    writer_account_changed(w, h);
    query_begin(&q, &w->db, "UPDATE account SET deleted_ms = ? WHERE id = ?");
    query_i64(&q, writer_now_ms(w));
    query_i64(&q, *account);
    e = query_run(&q);
    return e ? e : writer_fail_waiting(w, *account);
}

enum err sqlite_account_delete(struct store *s, int64_t account)
{
    return writer_do(&self(s)->writer, URGENT, run_delete, &account);
}

// ---- erasing ----

static enum err run_on(struct writer *w, const char *sql, int64_t id)
{
    struct query q;

    query_begin(&q, &w->db, sql);
    query_i64(&q, id);
    return query_run(&q);
}

// As run_on(), with a second number.
static enum err run_on_2(struct writer *w, const char *sql, int64_t id, int64_t number)
{
    struct query q;

    query_begin(&q, &w->db, sql);
    query_i64(&q, id);
    query_i64(&q, number);
    return query_run(&q);
}

static enum err erase_job(struct writer *w, int64_t job, int64_t now_ms)
{
    enum err e = run_on_2(w,
                          "UPDATE job SET img_url = '', prompt = '', callback = '', "
                          "interpretation = NULL, warnings = NULL, error_message = '', "
                          "error_detail = NULL, expires_ms = min(expires_ms, ?2) WHERE id = ?1",
                          job, now_ms);

    if (!e)
        e = run_on_2(w, "UPDATE blob SET due_ms = min(coalesce(due_ms, ?2), ?2) WHERE job = ?1",
                     job, now_ms);
    return e ? e : run_on(w, "DELETE FROM delivery WHERE job = ?", job);
}

// What is not a job's. All its jobs have ended, so none uses an upload. Keys go last: until then
// who asks is told that the account was deleted.
static enum err erase_rest(struct writer *w, int64_t account, int64_t now_ms)
{
    enum err e = run_on_2(w,
                          "DELETE FROM idempotency WHERE id IN (SELECT id FROM idempotency "
                          "WHERE account = ? LIMIT ?)",
                          account, ERASE_ROWS);

    if (e || db_changes(&w->db) == ERASE_ROWS)
        return e; // more of them next time
    e = run_on_2(w,
                 "UPDATE blob SET due_ms = min(coalesce(due_ms, ?2), ?2) WHERE key IN "
                 "(SELECT blob_key FROM upload WHERE account = ?1)",
                 account, now_ms);
    if (!e)
        e = run_on_2(w, "UPDATE upload SET expires_ms = min(expires_ms, ?2) WHERE account = ?1",
                     account, now_ms);
    if (!e)
        e = writer_revoke_keys(w, account);
    return e ? e : run_on(w, "UPDATE account SET erased_to = -1 WHERE id = ?", account);
}

static enum err erase_jobs(struct writer *w, int64_t account, int64_t after, int64_t now_ms,
                           int *count)
{
    int64_t job[ERASE_JOBS];
    struct query q;
    enum err e;
    int n = 0;

    // In order of id by the index, each state of its own.
    query_begin(&q, &w->db,
                "SELECT id FROM job WHERE account = ?1 AND state = 3 AND id > ?2 UNION ALL "
                "SELECT id FROM job WHERE account = ?1 AND state = 4 AND id > ?2 "
                "ORDER BY id LIMIT ?3");
    query_i64(&q, account);
    query_i64(&q, after);
    query_i64(&q, ERASE_JOBS);
    while ((e = query_next(&q)) == ERR_OK)
        job[n++] = column_i64(&q, 0);
    query_end(&q);
    e = e == ERR_NONE ? ERR_OK : e;
    for (int i = 0; i < n && !e; i++)
        e = erase_job(w, job[i], now_ms);
    if (!e && n)
        e = run_on_2(w, "UPDATE account SET erased_to = ?2 WHERE id = ?1", account, job[n - 1]);
    *count = n;
    return e;
}

enum err writer_erase_step(struct writer *w, int64_t now_ms, int64_t *gone)
{
    struct query q;
    int64_t account = 0, after = 0;
    int count = 0;
    enum err e = writer_flush_accounts(w);

    if (e)
        return e;
    query_begin(&q, &w->db,
                "SELECT id, erased_to FROM account INDEXED BY account_erasing "
                "WHERE deleted_ms >= 0 AND erased_to >= 0 AND running = 0 AND (deleted_ms <= ? OR "
                "NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.account = account.id "
                "AND state = 0)) LIMIT 1");
    query_i64(&q, now_ms - STORE_LAST_WEBHOOKS_MS);
    e = query_next(&q);
    if (e == ERR_OK) {
        account = column_i64(&q, 0);
        after = column_i64(&q, 1);
    }
    query_end(&q);
    if (e)
        return e == ERR_NONE ? ERR_OK : e;
    e = erase_jobs(w, account, after, now_ms, &count);
    (*gone)++; // also when this was its last step: another account may wait
    return e || count == ERASE_JOBS ? e : erase_rest(w, account, now_ms);
}
