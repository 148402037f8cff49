/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <assert.h>

/* Invariant 3 of store.h: the move to a final state and everything that goes with it, in the one
 * transaction that the caller is in. */

#define WORK_SQL                                                                           \
    "SELECT id, account, cost, state, lease, claims, strikes, cancelled, callback <> '', " \
    "upload, style_upload FROM job WHERE id = ?"

enum err work_load(struct writer *w, int64_t job, struct work *out)
{
    struct query q;

    query_begin(&q, &w->db, WORK_SQL);
    query_i64(&q, job);
    enum err e = query_next(&q);
    if (e == ERR_OK) {
        *out = (struct work){
            .id = column_i64(&q, 0),
            .account = column_i64(&q, 1),
            .cost = column_i64(&q, 2),
            .state = (enum job_state)column_int(&q, 3),
            .lease = (uint64_t)column_i64(&q, 4),
            .claims = column_int(&q, 5),
            .strikes = column_int(&q, 6),
            .cancelled = column_int(&q, 7),
            .has_callback = column_int(&q, 8),
            .upload = {column_i64(&q, 9), column_i64(&q, 10)},
        };
    }
    query_end(&q);
    return e == ERR_NONE ? ERR_NOT_FOUND : e;
}

enum err work_load_leased(struct writer *w, const struct lease *lease, struct work *out)
{
    enum err e = work_load(w, lease->job, out);

    if (e == ERR_NOT_FOUND || (!e && out->lease != lease->token))
        return ERR_LOST;
    return e;
}

// ---- what goes with an end ----

static enum err write_end(struct writer *w, const struct work *j, const struct job_end *end,
                          int64_t now_ms)
{
    struct query q;

    query_begin(&q, &w->db,
                "UPDATE job SET state = ?, lease = 0, ended_ms = ?, expires_ms = ?, "
                "seed = iif(?, ?, NULL), width = ?, height = ?, engine = ?, interpretation = ?, "
                "warnings = ?, timings = ?, error_code = ?, error_message = ?, error_detail = ?, "
                "cancelled = ?, upload = NULL, style_upload = NULL, source_blob = '', strikes = ?, "
                "claims = ? "
                "WHERE id = ?");
    query_i64(&q, j->state);
    query_i64(&q, now_ms);
    query_i64(&q, now_ms + w->s->options.retention_ms);
    query_i64(&q, end->completed);
    query_i64(&q, end->seed);
    query_i64(&q, end->completed ? end->width : 0);
    query_i64(&q, end->completed ? end->height : 0);
    query_text(&q, end->engine ? end->engine : "");
    query_text(&q, end->interpretation);
    query_text(&q, end->warnings);
    query_text(&q, end->timings);
    query_i64(&q, end->completed ? 0 : end->error_code);
    query_text(&q, end->completed ? "" : end->error_message);
    query_text(&q, end->completed ? NULL : end->error_detail);
    query_i64(&q, !end->completed && end->cancelled);
    query_i64(&q, j->strikes);
    query_i64(&q, j->claims);
    query_i64(&q, j->id);
    return query_run(&q);
}

static enum err settle_points(struct writer *w, const struct work *j, bool completed)
{
    struct hot_account *h;
    enum err e = writer_account(w, j->account, &h);

    if (e)
        return e;
    h->a.frozen -= j->cost;
    if (completed)
        h->a.consumed += j->cost;
    else
        h->a.available += j->cost;
    if (j->lease)
        h->a.running--;
    else
        h->a.waiting--;
    writer_account_changed(w, h);
    return writer_ledger(w, j->account, completed ? LEDGER_CONSUME : LEDGER_RELEASE, j->cost,
                         j->id);
}

static enum err add_results(struct writer *w, const struct work *j, const struct job_end *end,
                            int64_t due_ms)
{
    enum err e = ERR_OK;

    for (int i = 0; i < end->blob_count && !e; i++)
        e = writer_put_blob(w, end->blob_keys[i], j->id, end->blob_bytes[i], due_ms);
    return e;
}

// What it was made from; its results have their time already.
static enum err release_sources(struct writer *w, const struct work *j, int64_t now_ms)
{
    struct query q;

    query_begin(&q, &w->db, "UPDATE blob SET due_ms = ? WHERE job = ? AND due_ms IS NULL");
    query_i64(&q, now_ms);
    query_i64(&q, j->id);
    return query_run(&q);
}

// Once no unfinished job uses it any more, the upload may go when its time is over.
static enum err release_upload(struct writer *w, int64_t upload)
{
    struct query q;

    if (!upload)
        return ERR_OK;
    query_begin(&q, &w->db, "UPDATE upload SET jobs = jobs - 1 WHERE id = ?");
    query_i64(&q, upload);
    enum err e = query_run(&q);
    if (e)
        return e;
    query_begin(&q, &w->db,
                "UPDATE blob SET due_ms = u.expires_ms FROM upload AS u "
                "WHERE u.id = ? AND u.jobs = 0 AND blob.key = u.blob_key");
    query_i64(&q, upload);
    return query_run(&q);
}

static enum err add_delivery(struct writer *w, const struct work *j, int64_t now_ms)
{
    struct query q;
    uint8_t uuid[16];

    if (!j->has_callback)
        return ERR_OK;
    uuid_v4_bytes(uuid);
    query_begin(&q, &w->db,
                "INSERT INTO delivery (msg_uuid, job, account, receiver, next_ms, created_ms) "
                "SELECT ?1, id, account, receiver, ?2, ?2 FROM job WHERE id = ?3");
    query_uuid(&q, uuid);
    query_i64(&q, now_ms);
    query_i64(&q, j->id);
    w->batch.deliveries_wake = true;
    return query_run(&q);
}

enum err work_end(struct writer *w, struct work *j, const struct job_end *end)
{
    int64_t now_ms = writer_now_ms(w);
    enum err e = job_state_move(&j->state, end->completed ? JOB_COMPLETED : JOB_FAILED);

    if (!e)
        e = write_end(w, j, end, now_ms);
    if (!e)
        e = settle_points(w, j, end->completed);
    if (!e)
        e = add_results(w, j, end, now_ms + w->s->options.retention_ms);
    if (!e)
        e = release_sources(w, j, now_ms);
    for (int i = 0; i < 2 && !e; i++)
        e = release_upload(w, j->upload[i]);
    if (!e)
        e = add_delivery(w, j, now_ms);
    if (!e && j->lease)
        e = writer_note_lease(w, j->id, 0);
    if (!e && j->lease)
        w->batch.jobs_wake = true; // its account may run another one
    return e;
}

// ---- giving up an attempt ----

static enum err write_back(struct writer *w, struct work *j, struct hot_account *h)
{
    struct query q;
    enum err e = ERR_OK;

    if (j->state != JOB_PENDING)
        e = job_state_move(&j->state, JOB_PENDING);
    if (e)
        return e;
    query_begin(&q, &w->db, "UPDATE job SET state = ?, lease = 0, strikes = ? WHERE id = ?");
    query_i64(&q, j->state);
    query_i64(&q, j->strikes);
    query_i64(&q, j->id);
    e = query_run(&q);
    if (!e)
        e = writer_note_lease(w, j->id, 0);
    if (e)
        return e;
    h->a.running--;
    h->a.waiting++;
    writer_account_changed(w, h);
    w->batch.jobs_wake = true;
    return ERR_OK;
}

enum err work_hand_back(struct writer *w, struct work *j, bool strike, const char *reason)
{
    struct hot_account *h;
    struct err_note text;
    struct job_end end;
    enum err e = writer_account(w, j->account, &h);

    assert(j->lease);
    if (e)
        return e;
    j->strikes += strike;
    const struct job tries = {.claims = j->claims, .strikes = j->strikes};
    if (!job_has_claims_left(&tries))
        end = store_end_used_up(&tries, reason, &text);
    else if (h->a.disabled)
        end = store_end_disabled();
    else
        return write_back(w, j, h);
    return work_end(w, j, &end);
}
