/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <stdlib.h>

/* What workers do to jobs, and what stops them. */

static int64_t lease_deadline_ns(const struct store_sqlite *s)
{
    return clock_mono_ns(s->options.clock) + s->options.lease_ms * INT64_C(1000000);
}

// ---- claiming ----

struct claim_args {
    struct arena *arena;
    struct job *job;
    struct lease *lease;
};

// The oldest waiting job of the account whose turn it is. ERR_NONE.
static enum err next_job(struct writer *w, int64_t *job)
{
    struct query q;
    int64_t account;
    enum err e = writer_flush_accounts(w);

    if (e)
        return e;
    query_begin(&q, &w->db,
                "SELECT id FROM account WHERE waiting > 0 AND disabled = 0 AND running < ? "
                "ORDER BY running, served LIMIT 1");
    query_i64(&q, w->s->options.concurrency);
    e = query_only_i64(&q, &account);
    if (e)
        return e;
    // Leased pending jobs, which this passes over, are at most as many as the account's
    // concurrency.
    query_begin(&q, &w->db,
                "SELECT id FROM job WHERE account = ? AND state = 0 AND lease = 0 "
                "ORDER BY id LIMIT 1");
    query_i64(&q, account);
    e = query_only_i64(&q, job);
    return e == ERR_NONE ? ERR_BUG : e; // account.waiting says that there is one
}

// From here on the job is leased, whatever becomes of it in this transaction.
static enum err lease_job(struct writer *w, struct work *j)
{
    struct hot_account *h;
    struct query q;
    enum err e = writer_account(w, j->account, &h);

    if (e)
        return e;
    do {
        rand_bytes(&j->lease, sizeof(j->lease));
    } while (j->lease == 0);
    j->claims++;
    query_begin(&q, &w->db,
                "UPDATE job SET lease = ?, claims = ?, started_ms = iif(started_ms < 0, ?, "
                "started_ms) WHERE id = ?");
    query_i64(&q, (int64_t)j->lease);
    query_i64(&q, j->claims);
    query_i64(&q, writer_now_ms(w));
    query_i64(&q, j->id);
    e = query_run(&q);
    if (e)
        return e;
    h->a.waiting--;
    h->a.running++;
    h->served = ++w->served;
    writer_account_changed(w, h);
    return writer_note_lease(w, j->id, j->lease);
}

static enum err run_claim(struct writer *w, void *args)
{
    const struct claim_args *out = args;
    struct err_note text;
    struct query q;

    for (;;) {
        struct work j;
        int64_t id;
        enum err e = next_job(w, &id);
        if (!e)
            e = work_load(w, id, &j);
        if (!e)
            e = lease_job(w, &j);
        if (e)
            return e;
        const struct job tries = {.claims = j.claims, .strikes = j.strikes};
        if (job_has_claims_left(&tries)) {
            *out->lease = (struct lease){j.id, j.lease};
            query_begin(&q, &w->db, "SELECT " JOB_COLUMNS " FROM job WHERE id = ?");
            query_i64(&q, j.id);
            return job_from_query(&q, out->arena, out->job);
        }
        struct job_end end = store_end_used_up(&tries, "", &text);
        e = work_end(w, &j, &end);
        if (e)
            return e;
    }
}

enum err sqlite_claim(struct store *s, struct arena *a, struct job *out, struct lease *lease)
{
    struct claim_args args = {a, out, lease};

    return writer_do(&self(s)->writer, URGENT, run_claim, &args);
}

// ---- while it is leased ----

enum err sqlite_heartbeat(struct store *store, const struct lease *lease)
{
    struct store_sqlite *s = self(store);

    return leases_beat(&s->leases, lease, lease_deadline_ns(s)) ? ERR_OK : ERR_LOST;
}

struct work_args {
    const struct lease *lease;
    const char *blob_key;
    int64_t bytes;
    enum job_state to;
    const struct job_end *end;
    bool strike;
    const char *reason;
};

// A blob that is needed until the job has ended.
static enum err hold_blob(struct writer *w, const struct work_args *in, int64_t job)
{
    struct query q;
    int64_t owner = 0;

    query_begin(&q, &w->db, "SELECT coalesce(job, 0) FROM blob WHERE key = ?");
    query_text(&q, in->blob_key);
    enum err e = query_only_i64(&q, &owner);
    if (e == ERR_OK && owner != job)
        return ERR_INVALID; // an upload's or another job's: it would go when this job ends
    if (e < 0)
        return e;
    return writer_put_blob(w, in->blob_key, job, in->bytes, BLOB_HELD);
}

static enum err run_set_source(struct writer *w, void *args)
{
    const struct work_args *in = args;
    struct work j;
    struct query q;
    enum err e = work_load_leased(w, in->lease, &j);

    if (!e)
        e = hold_blob(w, in, j.id);
    if (e)
        return e;
    query_begin(&q, &w->db, "UPDATE job SET source_blob = ? WHERE id = ?");
    query_text(&q, in->blob_key);
    query_i64(&q, j.id);
    return query_run(&q);
}

enum err sqlite_set_source(struct store *s, const struct lease *lease, const char *blob_key,
                           int64_t bytes)
{
    struct work_args args = {.lease = lease, .blob_key = blob_key, .bytes = bytes};

    return writer_do(&self(s)->writer, URGENT, run_set_source, &args);
}

static enum err run_set_style(struct writer *w, void *args)
{
    const struct work_args *in = args;
    struct work j;
    enum err e = work_load_leased(w, in->lease, &j);

    return e ? e : hold_blob(w, in, j.id);
}

enum err sqlite_set_style(struct store *s, const struct lease *lease, const char *blob_key,
                          int64_t bytes)
{
    struct work_args args = {.lease = lease, .blob_key = blob_key, .bytes = bytes};

    return writer_do(&self(s)->writer, URGENT, run_set_style, &args);
}

static enum err run_advance(struct writer *w, void *args)
{
    const struct work_args *in = args;
    struct work j;
    struct query q;
    enum err e = work_load_leased(w, in->lease, &j);

    if (!e)
        e = job_state_move(&j.state, in->to);
    if (e)
        return e;
    query_begin(&q, &w->db, "UPDATE job SET state = ? WHERE id = ?");
    query_i64(&q, j.state);
    query_i64(&q, j.id);
    return query_run(&q);
}

enum err sqlite_advance(struct store *s, const struct lease *lease, enum job_state to)
{
    struct work_args args = {.lease = lease, .to = to};

    return writer_do(&self(s)->writer, URGENT, run_advance, &args);
}

static enum err run_finish(struct writer *w, void *args)
{
    const struct work_args *in = args;
    struct work j;
    enum err e = work_load_leased(w, in->lease, &j);

    return e ? e : work_end(w, &j, in->end);
}

enum err sqlite_finish(struct store *s, const struct lease *lease, const struct job_end *end)
{
    struct work_args args = {.lease = lease, .end = end};

    return writer_do(&self(s)->writer, URGENT, run_finish, &args);
}

static enum err run_hand_back(struct writer *w, void *args)
{
    const struct work_args *in = args;
    struct work j;
    enum err e = work_load_leased(w, in->lease, &j);

    return e ? e : work_hand_back(w, &j, in->strike, in->reason);
}

enum err sqlite_hand_back(struct store *s, const struct lease *lease, bool strike,
                          const char *reason)
{
    struct work_args args = {.lease = lease, .strike = strike, .reason = reason};

    return writer_do(&self(s)->writer, URGENT, run_hand_back, &args);
}

// ---- leases that ran out ----

// Those of a process that is gone: all that this one does not know. Handed back one by one.
static enum err reap_orphans(struct writer *w, int *count)
{
    int64_t after = 0;

    for (;;) {
        struct query q;
        struct work j;
        int64_t id;

        query_begin(&q, &w->db,
                    "SELECT id FROM job INDEXED BY job_leased WHERE lease <> 0 AND id > ? "
                    "ORDER BY id LIMIT 1");
        query_i64(&q, after);
        enum err e = query_only_i64(&q, &id);
        if (e)
            return e == ERR_NONE ? ERR_OK : e;
        after = id;
        e = work_load(w, id, &j);
        const struct lease lease = {j.id, j.lease};
        if (!e && leases_beat(&w->s->leases, &lease, lease_deadline_ns(w->s)))
            continue;
        if (!e)
            e = work_hand_back(w, &j, false, "interrupted");
        if (e)
            return e;
        (*count)++;
    }
}

static enum err run_reap(struct writer *w, void *args)
{
    int *count = args;
    struct lease *expired = NULL;
    size_t n = 0;
    enum err e = leases_expired(&w->s->leases, clock_mono_ns(w->s->options.clock), &expired, &n);

    *count = 0;
    for (size_t i = 0; i < n && !e; i++) {
        struct work j;
        e = work_load_leased(w, &expired[i], &j);
        if (!e)
            e = work_hand_back(w, &j, false, "its worker fell silent");
        if (!e)
            (*count)++;
        else if (e == ERR_LOST)
            e = ERR_OK; // earlier in this batch it ended or changed hands
    }
    if (!e && !w->s->leases.adopted) {
        e = reap_orphans(w, count);
        w->batch.adopted = true;
    }
    free(expired);
    return e;
}

enum err sqlite_reap(struct store *s, int *count)
{
    int n = 0;
    enum err e = writer_do(&self(s)->writer, URGENT, run_reap, &n);

    if (!e)
        *count = n;
    return e;
}

// ---- cancelling ----

struct cancel_args {
    int64_t account;
    const char *uuid;
    struct arena *arena;
    struct job *out;
    bool *was_leased;
};

static enum err run_cancel(struct writer *w, void *args)
{
    const struct cancel_args *in = args;
    const struct job_end end = store_end_cancelled();
    enum err result = ERR_OK;
    struct work j;
    struct query q;
    uint8_t uuid[16];
    int64_t id;

    if (!uuid_parse(in->uuid, uuid))
        return ERR_NOT_FOUND;
    query_begin(&q, &w->db, "SELECT id FROM job WHERE uuid = ?");
    query_uuid(&q, uuid);
    enum err e = query_only_i64(&q, &id);
    if (!e)
        e = work_load(w, id, &j);
    if (e == ERR_NONE || (!e && in->account >= 0 && j.account != in->account))
        return ERR_NOT_FOUND;
    if (e)
        return e;
    *in->was_leased = j.lease != 0;
    if (job_state_final(j.state))
        result = j.cancelled ? ERR_REPLAY : ERR_WRONG_STATE;
    else
        e = work_end(w, &j, &end);
    if (e)
        return e;
    query_begin(&q, &w->db, "SELECT " JOB_COLUMNS " FROM job WHERE id = ?");
    query_i64(&q, id);
    e = job_from_query(&q, in->arena, in->out);
    return e ? e : result;
}

enum err sqlite_cancel(struct store *s, int64_t account, const char *uuid, struct arena *a,
                       struct job *out, bool *was_leased)
{
    struct cancel_args args = {account, uuid, a, out, was_leased};

    return writer_do(&self(s)->writer, URGENT, run_cancel, &args);
}
