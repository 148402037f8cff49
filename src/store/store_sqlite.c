/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite.h"

#include "store/store_sqlite_internal.h"

#include <assert.h>
#include <stdlib.h>

static const struct store_ops ops;

static struct store_sqlite *new_store(const struct store_options *o)
{
    struct store_sqlite *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->store.ops = &ops;
    s->options = *o;
    cache_init(&s->cache);
    leases_init(&s->leases);
    pthread_mutex_init(&s->watch_lock, NULL);
    pthread_mutex_init(&s->readers.lock, NULL);
    pthread_cond_init(&s->readers.back, NULL);
    return s;
}

static void free_store(struct store_sqlite *s)
{
    db_close(&s->watch);
    for (int i = 0; i < READERS; i++)
        db_close(&s->readers.all[i].db);
    db_close(&s->writer.db); // the last one out copies the log into the database
    pthread_cond_destroy(&s->readers.back);
    pthread_mutex_destroy(&s->readers.lock);
    pthread_mutex_destroy(&s->watch_lock);
    leases_release(&s->leases);
    cache_release(&s->cache);
    free(s);
}

static void sqlite_close(struct store *store)
{
    struct store_sqlite *s = self(store);

    (void)!keys_note_used(s, clock_unix_ms(s->options.clock)); // nothing hangs on it
    writer_stop(&s->writer);
    free_store(s);
}

static void sqlite_set_wake(struct store *store, store_wake_fn *jobs, store_wake_fn *deliveries,
                            void *ctx)
{
    struct writer *w = &self(store)->writer;

    pthread_mutex_lock(&w->lock);
    w->jobs_wake = jobs;
    w->deliveries_wake = deliveries;
    w->wake_ctx = ctx;
    pthread_mutex_unlock(&w->lock);
}

static enum err sqlite_site_secret(struct store *store, uint8_t out[32])
{
    memcpy(out, self(store)->site_secret, 32); // never changes
    return ERR_OK;
}

static const struct store_ops ops = {
    .account_create = sqlite_account_create,
    .first_account = sqlite_first_account,
    .account_list = sqlite_account_list,
    .account_find = sqlite_account_find,
    .account_delete = sqlite_account_delete,
    .secret_rotate = sqlite_secret_rotate,
    .key_add = sqlite_key_add,
    .key_list = sqlite_key_list,
    .key_revoke = sqlite_key_revoke,
    .account_by_key = sqlite_account_by_key,
    .account_get = sqlite_account_get,
    .account_set_disabled = sqlite_account_set_disabled,
    .points_add = sqlite_points_add,
    .site_secret = sqlite_site_secret,
    .job_uuid = sqlite_job_uuid,
    .submit = sqlite_submit,
    .job_get = sqlite_job_get,
    .jobs_list = sqlite_jobs_list,
    .waiting_ids = sqlite_waiting_ids,
    .claim = sqlite_claim,
    .heartbeat = sqlite_heartbeat,
    .set_source = sqlite_set_source,
    .set_style = sqlite_set_style,
    .advance = sqlite_advance,
    .finish = sqlite_finish,
    .hand_back = sqlite_hand_back,
    .reap = sqlite_reap,
    .cancel = sqlite_cancel,
    .deliveries_due = sqlite_deliveries_due,
    .delivery_list = sqlite_delivery_list,
    .delivery_get = sqlite_delivery_get,
    .delivery_redeliver = sqlite_delivery_redeliver,
    .delivery_record = sqlite_delivery_record,
    .upload_add = sqlite_upload_add,
    .upload_get = sqlite_upload_get,
    .blob_add = sqlite_blob_add,
    .blobs_expired = sqlite_blobs_expired,
    .blobs_forget = sqlite_blobs_forget,
    .blobs_from = sqlite_blobs_from,
    .blob_known = sqlite_blob_known,
    .sweep = sqlite_sweep,
    .counts = sqlite_counts,
    .check_ledger = sqlite_check_ledger,
    .verify = sqlite_verify,
    .ping = sqlite_ping,
    .close = sqlite_close,
    .set_wake = sqlite_set_wake,
};

struct db *reader_take(struct store_sqlite *s)
{
    struct readers *p = &s->readers;

    pthread_mutex_lock(&p->lock);
    while (!p->idle)
        pthread_cond_wait(&p->back, &p->lock);
    struct reader *r = p->idle;
    p->idle = r->next;
    pthread_mutex_unlock(&p->lock);
    return &r->db;
}

void reader_give(struct store_sqlite *s, struct db *db)
{
    struct readers *p = &s->readers;
    struct reader *r = (struct reader *)((char *)db - offsetof(struct reader, db));

    pthread_mutex_lock(&p->lock);
    r->next = p->idle;
    p->idle = r;
    pthread_cond_signal(&p->back);
    pthread_mutex_unlock(&p->lock);
}

void reader_end(struct store_sqlite *s, struct query *q)
{
    query_end(q);
    reader_give(s, q->db);
}

static enum err open_readers(struct store_sqlite *s, const char *path, struct err_note *note)
{
    struct readers *p = &s->readers;
    enum err e = db_open(&s->watch, path, false, s->options.log, note);

    for (int i = 0; i < READERS && !e; i++) {
        e = db_open(&p->all[i].db, path, false, s->options.log, note);
        if (!e) {
            p->all[i].next = p->idle;
            p->idle = &p->all[i];
        }
    }
    return e;
}

// What is in memory from now on.
static enum err read_constants(struct store_sqlite *s, struct err_note *note)
{
    struct db *db = &s->writer.db;
    struct query q;
    enum err e;

    query_begin(&q, db, "SELECT site_secret FROM meta");
    e = query_next(&q);
    if (e == ERR_OK)
        memcpy(s->site_secret, sqlite3_column_blob(q.st, 0), sizeof(s->site_secret));
    query_end(&q);
    if (e == ERR_NONE)
        return err_set(note, ERR_CORRUPT, "its site secret is missing: restore a backup");
    if (!e)
        e = job_ids_init(&s->job_ids, db);
    if (!e) {
        query_begin(&q, db, "SELECT coalesce(max(served), 0) FROM account");
        e = query_only_i64(&q, &s->writer.served);
    }
    return e ? db_refused(db, e, note) : ERR_OK;
}

enum err store_sqlite_open(const char *path, const struct store_options *o, struct store **out,
                           struct err_note *note)
{
    assert(o->clock && o->concurrency > 0 && o->queue_limit > 0 && o->lease_ms > 0);
    err_note_clear(note);
    struct store_sqlite *s = new_store(o);
    if (!s)
        return err_set(note, ERR_NOMEM, "out of memory");
    enum err e = o->existing ? ERR_OK : schema_create_file(path, note);
    if (!e)
        e = db_open(&s->writer.db, path, true, o->log, note);
    if (!e)
        e = o->existing ? schema_check(&s->writer.db, note) : schema_migrate(&s->writer.db, note);
    if (!e)
        e = open_readers(s, path, note);
    if (!e)
        e = read_constants(s, note);
    if (!e && writer_start(&s->writer, s) != ERR_OK)
        e = err_set(note, ERR_NOMEM, "no memory for another thread");
    if (!e) {
        *out = &s->store;
        return ERR_OK;
    }
    err_note_prefix(note, "the database %s", path);
    free_store(s);
    return e;
}
