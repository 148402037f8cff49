/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

struct accept {
    struct request request;
    const struct store_submit *in;
    store_submit_fn *done;
    void *ctx;
    void *answer; /* of the first time; owned */
    size_t answer_len;
};

// ERR_OK: the key is free. ERR_REPLAY: the answer is kept in `a`. ERR_CONFLICT.
static enum err look_up_key(struct writer *w, struct accept *a)
{
    const struct store_submit *in = a->in;
    struct query q;

    query_begin(&q, &w->db,
                "SELECT body_sha256, answer FROM idempotency "
                "WHERE account = ? AND path = ? AND key = ? AND created_ms > ?");
    query_i64(&q, in->account);
    query_text(&q, in->idem_path);
    query_text(&q, in->idem_key);
    query_i64(&q, writer_now_ms(w) - STORE_IDEMPOTENCY_MS);
    enum err e = query_next(&q);
    if (e == ERR_OK) {
        const void *hash = sqlite3_column_blob(q.st, 0), *answer = sqlite3_column_blob(q.st, 1);
        size_t len = (size_t)sqlite3_column_bytes(q.st, 1);
        if (!hash || memcmp(hash, in->idem_hash, SHA256_BYTES) != 0) {
            e = ERR_CONFLICT;
        } else {
            free(a->answer);
            a->answer = malloc(len + 1);
            e = a->answer ? ERR_REPLAY : ERR_NOMEM;
            if (a->answer && len)
                memcpy(a->answer, answer, len);
            a->answer_len = len;
        }
    }
    query_end(&q);
    return e == ERR_NONE ? ERR_OK : e;
}

static enum err keep_key(struct writer *w, const struct store_submit *in)
{
    struct query q;

    // A record that is older than a day gives way.
    query_begin(&q, &w->db,
                "INSERT OR REPLACE INTO idempotency (account, path, key, body_sha256, created_ms, "
                "answer) VALUES (?, ?, ?, ?, ?, ?)");
    query_i64(&q, in->account);
    query_text(&q, in->idem_path);
    query_text(&q, in->idem_key);
    query_blob(&q, in->idem_hash, SHA256_BYTES);
    query_i64(&q, writer_now_ms(w));
    query_blob(&q, in->answer, in->answer_len);
    return query_run(&q);
}

// The account's upload, when it is live. ERR_NOT_FOUND.
static enum err find_upload(struct writer *w, int64_t account, const char *id, int64_t *upload)
{
    struct query q;

    query_begin(&q, &w->db,
                "SELECT id FROM upload WHERE public_id = ? AND account = ? "
                "AND (expires_ms > ? OR jobs > 0)");
    query_text(&q, id);
    query_i64(&q, account);
    query_i64(&q, writer_now_ms(w));
    enum err e = query_only_i64(&q, upload);
    return e == ERR_NONE ? ERR_NOT_FOUND : e;
}

// From now on its blob is needed until the last job that uses it has ended.
static enum err hold_upload(struct writer *w, int64_t upload)
{
    struct query q;

    query_begin(&q, &w->db, "UPDATE upload SET jobs = jobs + 1 WHERE id = ?");
    query_i64(&q, upload);
    enum err e = query_run(&q);
    if (e)
        return e;
    query_begin(&q, &w->db,
                "UPDATE blob SET due_ms = NULL "
                "WHERE key = (SELECT blob_key FROM upload WHERE id = ?)");
    query_i64(&q, upload);
    return query_run(&q);
}

// In the row that its UUID says, unless that one is another job's.
static enum err insert_job(struct writer *w, const struct store_submit *in, bool is_private,
                           const int64_t upload[2], int64_t *job)
{
    struct query q;
    uint8_t uuid[16];

    if (!uuid_parse(in->uuid, uuid))
        return ERR_BUG;
    query_begin(&q, &w->db,
                "INSERT INTO job (id, uuid, account, is_private, cost, created_ms, upload, "
                "style_upload, img_url, prompt, callback) VALUES ("
                "(SELECT ?1 WHERE ?1 > 0 AND NOT EXISTS (SELECT 1 FROM job WHERE id = ?1)), "
                "?, ?, ?, ?, ?, nullif(?, 0), nullif(?, 0), ?, ?, ?)");
    query_i64(&q, job_ids_row(&w->s->job_ids, uuid));
    query_uuid(&q, uuid);
    query_i64(&q, in->account);
    query_i64(&q, is_private);
    query_i64(&q, in->cost);
    query_i64(&q, in->created_ms);
    query_i64(&q, upload[0]);
    query_i64(&q, upload[1]);
    query_text(&q, in->img_url);
    query_text(&q, in->prompt);
    query_text(&q, in->callback);
    enum err e = query_run(&q);
    if (e)
        return e;
    *job = sqlite3_last_insert_rowid(w->db.handle);
    job_ids_taken(&w->s->job_ids, *job);
    return ERR_OK;
}

static enum err run_accept(struct writer *w, void *args)
{
    struct accept *a = args;
    const struct store_submit *in = a->in;
    struct hot_account *h = NULL;
    int64_t upload[2] = {0}, job = 0; // of source and style
    enum err e = writer_account(w, in->account, &h);

    // Decide...
    if (!e && in->idem_key)
        e = look_up_key(w, a);
    if (!e && h->a.disabled)
        e = ERR_DISABLED;
    if (!e && in->upload_id)
        e = find_upload(w, in->account, in->upload_id, &upload[0]);
    if (!e && in->style_upload_id) {
        e = find_upload(w, in->account, in->style_upload_id, &upload[1]);
        e = e == ERR_NOT_FOUND ? ERR_OK : e;
    }
    if (!e && h->a.available < in->cost)
        e = ERR_NO_POINTS;
    if (!e && h->a.waiting >= w->s->options.queue_limit)
        e = ERR_QUEUE_FULL;
    // ...then write.
    if (!e)
        e = insert_job(w, in, h->a.is_private, upload, &job);
    if (!e && in->idem_key)
        e = keep_key(w, in);
    for (int i = 0; i < 2 && !e; i++)
        if (upload[i])
            e = hold_upload(w, upload[i]);
    if (!e)
        e = writer_ledger(w, in->account, LEDGER_FREEZE, in->cost, job);
    if (e)
        return e;
    h->a.available -= in->cost;
    h->a.frozen += in->cost;
    h->a.waiting++;
    writer_account_changed(w, h);
    w->batch.jobs_wake = true;
    return ERR_OK;
}

static void accept_done(struct request *r)
{
    struct accept *a = (struct accept *)r;
    bool replay = r->result == ERR_REPLAY;

    a->done(a->ctx, r->result, replay ? a->answer : NULL, replay ? a->answer_len : 0);
    free(a->answer);
    free(a);
}

void sqlite_job_uuid(struct store *s, char out[UUID_TEXT])
{
    uint8_t uuid[16];

    job_ids_make(&self(s)->job_ids, uuid);
    uuid_text(uuid, out);
}

void sqlite_submit(struct store *s, const struct store_submit *in, store_submit_fn *done, void *ctx)
{
    struct accept *a = malloc(sizeof(*a));

    if (!a) {
        done(ctx, ERR_NOMEM, NULL, 0);
        return;
    }
    *a = (struct accept){.in = in, .done = done, .ctx = ctx};
    a->request = (struct request){.run = run_accept, .args = a, .done = accept_done};
    if (!writer_post(&self(s)->writer, &a->request, NORMAL)) {
        free(a);
        done(ctx, ERR_UNAVAILABLE, NULL, 0);
    }
}
