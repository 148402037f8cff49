/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>

// DESIGN and INVARIANTS stand in store_sqlite_internal.h.

enum {
    /* With 64 requests waiting a batch holds about that many; more would only make the first of
     * them wait longer. */
    BATCH_MAX = 256,
    BATCH_NS = 5 * 1000 * 1000
};

// ---- accounts of the batch ----

static enum err write_account(struct writer *w, struct hot_account *h)
{
    struct query q;

    query_begin(&q, &w->db,
                "UPDATE account SET granted = ?, available = ?, frozen = ?, consumed = ?, "
                "waiting = ?, running = ?, served = ?, disabled = ?, updated_ms = ? WHERE id = ?");
    query_i64(&q, h->a.granted);
    query_i64(&q, h->a.available);
    query_i64(&q, h->a.frozen);
    query_i64(&q, h->a.consumed);
    query_i64(&q, h->a.waiting);
    query_i64(&q, h->a.running);
    query_i64(&q, h->served);
    query_i64(&q, h->a.disabled);
    query_i64(&q, h->a.updated_ms);
    query_i64(&q, h->a.id);
    enum err e = query_run(&q);
    if (!e) {
        h->dirty = false;
        h->written = true;
        w->batch.flushed++;
    }
    return e;
}

enum err writer_flush_accounts(struct writer *w)
{
    enum err e = ERR_OK;

    for (int i = 0; i < w->batch.hot_count && !e; i++) {
        if (w->batch.hot[i].dirty)
            e = write_account(w, &w->batch.hot[i]);
    }
    return e;
}

// Makes room by forgetting all of them: rare, since few batches touch so many accounts.
static enum err evict_accounts(struct writer *w)
{
    struct batch *b = &w->batch;
    enum err e = writer_flush_accounts(w);

    if (e)
        return e;
    for (int i = 0; i < b->hot_count; i++)
        b->evicted |= b->hot[i].written;
    b->hot_count = 0;
    return ERR_OK;
}

enum err writer_account(struct writer *w, int64_t id, struct hot_account **out)
{
    struct batch *b = &w->batch;
    struct query q;
    enum err e = ERR_OK;

    for (int i = 0; i < b->hot_count; i++) {
        if (b->hot[i].a.id == id) {
            *out = &b->hot[i];
            return ERR_OK;
        }
    }
    if (b->hot_count == HOT_ACCOUNTS)
        e = evict_accounts(w);
    if (e)
        return e;
    query_begin(&q, &w->db, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE id = ?");
    query_i64(&q, id);
    e = query_next(&q);
    if (e == ERR_OK) {
        struct hot_account *h = &b->hot[b->hot_count++];
        *h = (struct hot_account){.served = column_i64(&q, ACCOUNT_SERVED_COLUMN)};
        account_from_row(&q, &h->a);
        *out = h;
    }
    query_end(&q);
    return e == ERR_NONE ? ERR_NOT_FOUND : e;
}

void writer_account_changed(struct writer *w, struct hot_account *h)
{
    h->dirty = true;
    h->a.updated_ms = writer_now_ms(w);
    w->batch.touched++;
}

// ---- what else requests need ----

int64_t writer_now_ms(struct writer *w)
{
    return clock_unix_ms(w->s->options.clock);
}

enum err writer_note_lease(struct writer *w, int64_t job, uint64_t token)
{
    struct batch *b = &w->batch;

    // Everything that could fail fails here, so that nothing is left to fail after COMMIT.
    if (!leases_reserve(&w->s->leases, b->leased_count + 1))
        return ERR_NOMEM;
    if (b->leased_count == b->leased_cap) {
        size_t cap = b->leased_cap ? 2 * b->leased_cap : BATCH_MAX;
        struct lease *grown = realloc(b->leased, cap * sizeof(*grown));
        if (!grown)
            return ERR_NOMEM;
        b->leased = grown;
        b->leased_cap = cap;
    }
    b->leased[b->leased_count++] = (struct lease){job, token};
    return ERR_OK;
}

enum err writer_ledger(struct writer *w, int64_t account, enum ledger_kind kind, int64_t points,
                       int64_t job)
{
    struct query q;

    query_begin(&q, &w->db,
                "INSERT INTO ledger (account, kind, points, job, at_ms) "
                "VALUES (?, ?, ?, nullif(?, 0), ?)");
    query_i64(&q, account);
    query_i64(&q, kind);
    query_i64(&q, points);
    query_i64(&q, job);
    query_i64(&q, writer_now_ms(w));
    return query_run(&q);
}

// ---- transactions ----

static void reset_batch(struct batch *b)
{
    b->hot_count = 0;
    b->leased_count = 0;
    b->evicted = b->forget = b->adopted = b->jobs_wake = b->deliveries_wake = false;
}

static void roll_back(struct writer *w)
{
    reset_batch(&w->batch);
    // Some failures have rolled back already.
    if (!sqlite3_get_autocommit(w->db.handle) && db_exec(&w->db, "ROLLBACK") != ERR_OK)
        assert(sqlite3_get_autocommit(w->db.handle));
}

static enum err begin(struct writer *w)
{
    return db_exec(&w->db, "BEGIN IMMEDIATE");
}

// What the requests of a committed batch noted comes true in memory. Nothing here can fail.
static void come_true(struct writer *w)
{
    struct batch *b = &w->batch;
    struct store_sqlite *s = w->s;
    const struct account *changed[HOT_ACCOUNTS];
    int64_t deadline_ns = clock_mono_ns(s->options.clock) + s->options.lease_ms * INT64_C(1000000);
    int count = 0;

    for (int i = 0; i < b->hot_count; i++) {
        if (b->hot[i].written)
            changed[count++] = &b->hot[i].a;
    }
    if (b->evicted || b->forget)
        cache_drop(&s->cache);
    else if (count)
        cache_publish(&s->cache, changed, count);
    for (size_t i = 0; i < b->leased_count; i++) {
        if (b->leased[i].token)
            leases_add(&s->leases, &b->leased[i], deadline_ns);
        else
            leases_drop(&s->leases, b->leased[i].job);
    }
    if (b->adopted)
        s->leases.adopted = true;
    reset_batch(b);
}

static enum err commit(struct writer *w, int requests)
{
    const struct clock *clock = w->s->options.clock;
    int64_t began_ns = clock_mono_ns(clock);
    enum err e = writer_flush_accounts(w);

    if (!e)
        e = db_exec(&w->db, "COMMIT");
    if (e) {
        roll_back(w);
        return e == ERR_FULL ? ERR_FULL : ERR_UNAVAILABLE;
    }
    come_true(w);
    log_event(w->s->options.log, LOG_DEBUG, "store.commit", LOG_N("requests", requests),
              LOG_N("us", (clock_mono_ns(clock) - began_ns) / 1000));
    return ERR_OK;
}

// Grows with every change that a request makes, to a row or to an account in memory; not when an
// account that an earlier request changed is written.
static int64_t changes_made(struct writer *w)
{
    return sqlite3_total_changes64(w->db.handle) + w->batch.touched - w->batch.flushed;
}

// Runs one request. False: it failed halfway, so the transaction has to go.
static bool run(struct writer *w, struct request *r)
{
    int64_t before = changes_made(w);

    r->result = r->run(w, r->args);
    bool changed = changes_made(w) != before || sqlite3_get_autocommit(w->db.handle);
    return r->result >= 0 || !changed;
}

static void run_alone(struct writer *w, struct request *r)
{
    enum err e = begin(w);

    if (e) {
        r->result = e;
        return;
    }
    if (!run(w, r)) {
        roll_back(w);
        return;
    }
    e = commit(w, 1);
    if (e)
        r->result = e;
}

// ---- the thread ----

// The next request; NULL when there is none.
static struct request *take(struct writer *w)
{
    struct request *r = NULL;

    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < 2 && !r; i++) {
        r = w->queue[i].first;
        if (r) {
            w->queue[i].first = r->next;
            if (!r->next)
                w->queue[i].last = &w->queue[i].first;
        }
    }
    pthread_mutex_unlock(&w->lock);
    return r;
}

static void answer(struct request *batch)
{
    while (batch) {
        struct request *next = batch->next; // `done` gives the request back to its owner
        batch->done(batch);
        batch = next;
    }
}

static void wake(struct writer *w, bool jobs, bool deliveries)
{
    pthread_mutex_lock(&w->lock);
    store_wake_fn *for_jobs = jobs ? w->jobs_wake : NULL;
    store_wake_fn *for_deliveries = deliveries ? w->deliveries_wake : NULL;
    void *ctx = w->wake_ctx;
    pthread_mutex_unlock(&w->lock);
    if (for_jobs)
        for_jobs(ctx);
    if (for_deliveries)
        for_deliveries(ctx);
}

// Runs what is queued, from `first` on, and gives the list of it; when BEGIN has failed, all of it
// has. Stops after a request that failed halfway. *count is of those that did not.
static struct request *run_queued(struct writer *w, struct request *first, enum err begun,
                                  bool *halfway, int *count)
{
    const struct clock *clock = w->s->options.clock;
    int64_t until_ns = clock_mono_ns(clock) + BATCH_NS;
    struct request *batch = NULL, **last = &batch;

    *count = 0;
    for (struct request *r = first; r; r = take(w)) {
        *last = r;
        last = &r->next;
        r->next = NULL;
        if (begun)
            r->result = begun;
        else
            *halfway = !run(w, r);
        if (*halfway || ++*count == BATCH_MAX || clock_mono_ns(clock) > until_ns)
            break;
    }
    return batch;
}

static void run_batch(struct writer *w, struct request *first)
{
    bool halfway = false;
    enum err e = begin(w);
    int count;
    struct request *batch = run_queued(w, first, e, &halfway, &count);
    bool jobs = w->batch.jobs_wake, deliveries = w->batch.deliveries_wake;
    if (!e && !halfway)
        e = commit(w, count);
    if (e == ERR_FULL)
        db_checkpoint(&w->db); // a log that is begun anew needs no more space for a while
    if (halfway)
        roll_back(w);
    if (halfway || e == ERR_FULL) {
        // What ends jobs is small and may still find room; urgent ones are first in the list.
        for (struct request *r = batch; r; r = r->next)
            run_alone(w, r);
        jobs = deliveries = true;
    } else if (e) {
        for (struct request *r = batch; r; r = r->next)
            r->result = e;
    }
    answer(batch);
    wake(w, jobs, deliveries);
}

static void *writer_main(void *arg)
{
    struct writer *w = arg;

    for (;;) {
        pthread_mutex_lock(&w->lock);
        while (!w->queue[URGENT].first && !w->queue[NORMAL].first && !w->closing)
            pthread_cond_wait(&w->more, &w->lock);
        pthread_mutex_unlock(&w->lock);
        struct request *r = take(w);
        if (!r)
            return NULL; // closing, and everything is committed
        run_batch(w, r);
        if (db_log_pages(&w->db) >= CHECKPOINT_PAGES)
            db_checkpoint(&w->db);
    }
}

// ---- from other threads ----

bool writer_post(struct writer *w, struct request *r, enum urgency u)
{
    r->next = NULL;
    pthread_mutex_lock(&w->lock);
    bool open = !w->closing;
    if (open) {
        if (!w->queue[URGENT].first && !w->queue[NORMAL].first)
            pthread_cond_signal(&w->more);
        *w->queue[u].last = r;
        w->queue[u].last = &r->next;
    }
    pthread_mutex_unlock(&w->lock);
    return open;
}

struct waiter {
    struct request request;
    sem_t done;
};

static void waiter_done(struct request *r)
{
    sem_post(&((struct waiter *)r)->done);
}

enum err writer_do(struct writer *w, enum urgency u, enum err (*fn)(struct writer *w, void *args),
                   void *args)
{
    struct waiter me = {.request = {.run = fn, .args = args, .done = waiter_done}};
    enum err e = ERR_UNAVAILABLE;

    sem_init(&me.done, 0, 0);
    if (writer_post(w, &me.request, u)) {
        while (sem_wait(&me.done) != 0)
            assert(errno == EINTR);
        e = me.request.result;
    }
    sem_destroy(&me.done);
    return e;
}

enum err writer_start(struct writer *w, struct store_sqlite *s)
{
    w->s = s;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    for (int i = 0; i < 2; i++)
        w->queue[i].last = &w->queue[i].first;
    if (pthread_create(&w->thread, NULL, writer_main, w) != 0) {
        pthread_cond_destroy(&w->more);
        pthread_mutex_destroy(&w->lock);
        return ERR_NOMEM;
    }
    return ERR_OK;
}

void writer_stop(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    free(w->batch.leased);
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->lock);
}
