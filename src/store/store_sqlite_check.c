/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <string.h>

// Rows that go in one transaction: some milliseconds of work, so that accepts need not wait longer.
enum { SWEEP_ROWS = 500 };

// ---- sweeping ----

struct sweep_args {
    int64_t now_ms;
    int64_t gone;
};

static enum err run_sweep(struct writer *w, void *args)
{
    struct sweep_args *in = args;
    struct query q;

    in->gone = 0;
    query_begin(&q, &w->db,
                "DELETE FROM idempotency WHERE id IN (SELECT id FROM idempotency "
                "WHERE created_ms <= ? ORDER BY created_ms LIMIT ?)");
    query_i64(&q, in->now_ms - STORE_IDEMPOTENCY_MS);
    query_i64(&q, SWEEP_ROWS);
    enum err e = query_run(&q);
    if (e)
        return e;
    in->gone += db_changes(&w->db);
    query_begin(&q, &w->db,
                "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery "
                "WHERE state <> 0 AND ended_ms <= ? ORDER BY ended_ms LIMIT ?)");
    query_i64(&q, in->now_ms - w->s->options.retention_ms);
    query_i64(&q, SWEEP_ROWS);
    e = query_run(&q);
    if (e)
        return e;
    in->gone += db_changes(&w->db);
    return writer_erase_step(w, in->now_ms, &in->gone);
}

// Asked of the indexes by a reader, so that a sweep with nothing to do neither wakes the writer nor
// waits for the lock that a command holds.
static enum err sweep_due(struct store_sqlite *s, int64_t now_ms, bool *due)
{
    struct query q;
    int64_t any = 0;

    query_begin(&q, reader_take(s),
                "SELECT EXISTS (SELECT 1 FROM idempotency WHERE created_ms <= ?1) OR "
                "EXISTS (SELECT 1 FROM delivery WHERE state <> 0 AND ended_ms <= ?2) OR "
                "EXISTS (SELECT 1 FROM account INDEXED BY account_erasing "
                "WHERE deleted_ms >= 0 AND erased_to >= 0)");
    query_i64(&q, now_ms - STORE_IDEMPOTENCY_MS);
    query_i64(&q, now_ms - s->options.retention_ms);
    enum err e = query_only_i64(&q, &any);
    reader_give(s, q.db);
    *due = any;
    return e;
}

enum err sqlite_sweep(struct store *s, int64_t now_ms)
{
    struct sweep_args args = {.now_ms = now_ms};
    bool due = false;
    enum err e = keys_note_used(self(s), now_ms);

    if (!e)
        e = sweep_due(self(s), now_ms, &due);
    while (!e && due) {
        e = writer_do(&self(s)->writer, NORMAL, run_sweep, &args);
        if (args.gone == 0)
            break;
    }
    return e;
}

// ---- counting ----

static enum err read_counts(struct db *db, struct store_counts *out)
{
    struct query q;

    // Of the accounts with waiting jobs, which are never disabled, and of each the oldest job.
    query_begin(&q, db,
                "SELECT coalesce(sum(waiting), 0) FROM account INDEXED BY account_turn "
                "WHERE waiting > 0 AND disabled = 0");
    enum err e = query_only_i64(&q, &out->waiting);
    if (e)
        return e;
    query_begin(&q, db, "SELECT count(*) FROM job INDEXED BY job_leased WHERE lease <> 0");
    e = query_only_i64(&q, &out->leased);
    if (e)
        return e;
    query_begin(&q, db,
                "SELECT coalesce(min((SELECT created_ms FROM job WHERE account = a.id "
                "AND state = 0 AND lease = 0 ORDER BY id LIMIT 1)), -1) "
                "FROM account AS a INDEXED BY account_turn WHERE waiting > 0 AND disabled = 0");
    e = query_only_i64(&q, &out->oldest_waiting_ms);
    if (e)
        return e;
    query_begin(&q, db, "SELECT count(*) FROM delivery WHERE state = 0");
    return query_only_i64(&q, &out->deliveries_waiting);
}

enum err sqlite_counts(struct store *store, struct store_counts *out)
{
    struct store_sqlite *s = self(store);
    struct db *db = reader_take(s);
    struct store_counts c = {0};
    enum err e = read_counts(db, &c);

    reader_give(s, db);
    if (!e)
        *out = c;
    return e;
}

// ---- proving ----

/* One query for each thing that must hold: it selects the accounts (or jobs) for which it does not.
 * These scan everything; they are for tests and `patina doctor`. */
static const struct {
    const char *what, *sql;
} proofs[] = {
    {"its points do not equal the sum of its ledger",
     "SELECT a.id, a.name FROM account AS a LEFT JOIN ("
     "  SELECT account, sum(iif(kind = 1, points, 0)) AS granted, "
     "  sum(iif(kind = 2, points, 0)) AS froze, sum(iif(kind = 3, points, 0)) AS consumed, "
     "  sum(iif(kind = 4, points, 0)) AS released FROM ledger GROUP BY account"
     ") AS l ON l.account = a.id WHERE a.granted <> coalesce(l.granted, 0) "
     "OR a.consumed <> coalesce(l.consumed, 0) "
     "OR a.frozen <> coalesce(l.froze - l.consumed - l.released, 0) "
     "OR a.available <> coalesce(l.granted - l.froze + l.released, 0)"},
    {"granted is not available + frozen + consumed",
     "SELECT id, name FROM account WHERE granted <> available + frozen + consumed"},
    {"its counters do not match its jobs",
     "SELECT a.id, a.name FROM account AS a LEFT JOIN ("
     "  SELECT account, sum(state = 0 AND lease = 0) AS waiting, sum(lease <> 0) AS running, "
     "  sum(iif(state < 3, cost, 0)) AS frozen, sum(iif(state = 3, cost, 0)) AS consumed "
     "  FROM job GROUP BY account"
     ") AS j ON j.account = a.id WHERE a.waiting <> coalesce(j.waiting, 0) "
     "OR a.running <> coalesce(j.running, 0) OR a.frozen <> coalesce(j.frozen, 0) "
     "OR a.consumed <> coalesce(j.consumed, 0)"},
    {"a job of it was not frozen once, or not settled once as it ended",
     "SELECT a.id, a.name FROM job AS j JOIN account AS a ON a.id = j.account LEFT JOIN ("
     "  SELECT job, sum(kind = 2) AS froze, sum(kind = 3) AS consumed, sum(kind = 4) AS released, "
     "  min(points) AS least, max(points) AS most FROM ledger WHERE job IS NOT NULL GROUP BY job"
     ") AS l ON l.job = j.id WHERE l.froze IS NOT 1 OR l.consumed IS NOT (j.state = 3) "
     "OR l.released IS NOT (j.state = 4) OR l.least <> j.cost OR l.most <> j.cost"},
    {"a job of it has a delivery before its end, or more than one",
     "SELECT a.id, a.name FROM (SELECT job, count(*) AS n FROM delivery GROUP BY job) AS d "
     "JOIN job AS j ON j.id = d.job JOIN account AS a ON a.id = j.account "
     "WHERE d.n > 1 OR j.state < 3 OR j.callback = ''"},
    {"a delivery of its job is another account's",
     "SELECT a.id, a.name FROM delivery AS d JOIN job AS j ON j.id = d.job "
     "JOIN account AS a ON a.id = j.account WHERE d.account <> j.account"},
    {"an upload of it does not know how many jobs use it",
     "SELECT a.id, a.name FROM upload AS u JOIN account AS a ON a.id = u.account "
     "WHERE u.jobs <> (SELECT count(*) FROM job AS j WHERE j.upload = u.id) "
     "+ (SELECT count(*) FROM job AS j WHERE j.style_upload = u.id)"},
};

static enum err prove(struct db *db, const char *what, const char *sql, struct err_note *note)
{
    struct query q;
    char name[64];

    query_begin(&q, db, sql);
    enum err e = query_next(&q);
    if (e == ERR_OK) {
        column_chars(&q, 1, name, sizeof(name));
        e = err_set(note, ERR_BUG, "account %lld (%s): %s", (long long)column_i64(&q, 0), name,
                    what);
    }
    query_end(&q);
    return e == ERR_NONE ? ERR_OK : e;
}

enum err sqlite_check_ledger(struct store *store, struct err_note *note)
{
    struct store_sqlite *s = self(store);
    struct db *db = reader_take(s);
    enum err e = db_exec(db, "BEGIN"); // one snapshot for all of them

    for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]) && !e; i++)
        e = prove(db, proofs[i].what, proofs[i].sql, note);
    if (!sqlite3_get_autocommit(db->handle) && db_exec(db, "COMMIT") != ERR_OK && !e)
        e = ERR_IO;
    reader_give(s, db);
    return e;
}

enum err sqlite_verify(struct store *store, struct err_note *note)
{
    struct store_sqlite *s = self(store);
    char said[160] = "";
    struct query q;

    query_begin(&q, reader_take(s), "PRAGMA quick_check(1)");
    enum err e = query_next(&q);
    if (e == ERR_OK)
        column_chars(&q, 0, said, sizeof(said));
    reader_end(s, &q);
    if (e)
        return err_set(note, e < 0 ? e : ERR_BUG, "the database cannot be read");
    if (strcmp(said, "ok") == 0)
        return ERR_OK;
    const char *what = strchr(said, '\n'); // behind a line that names the database
    return err_set(note, ERR_CORRUPT, "the database is damaged: %s", what ? what + 1 : said);
}

// ---- readyz ----

static enum err run_ping(struct writer *w, void *args)
{
    struct query q;

    (void)args;
    query_begin(&q, &w->db, "UPDATE meta SET pinged_ms = ?");
    query_i64(&q, writer_now_ms(w));
    return query_run(&q);
}

enum err sqlite_ping(struct store *s)
{
    return writer_do(&self(s)->writer, NORMAL, run_ping, NULL);
}
