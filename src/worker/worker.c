/* SPDX-License-Identifier: MIT */
/* The threads of a worker: who claims, who renders, who keeps leases and limits, how all of them
 * stop. */
#include "base/wait.h"
#include "worker/worker_internal.h"

#include <stdlib.h>

enum {
    /* More sources are fetched at once than may be decoded: a slow server must not keep a renderer
     * waiting. A fetch that takes longer than FETCH_SLOW_MS is one of those. */
    FETCHES_BESIDE = 4,
    FETCH_SLOW_MS = 2000,

    TICK_MS = 1000,   // how exactly time limits are kept
    POLL_MS = 5000,   // claims are tried this often without being woken, should a wake be lost
    BREATH_MS = 5000, // after the machine gave out (disk, memory, store), before the next claim
    STACK_BYTES = 512 * 1024
};

struct worker {
    struct worker_options o;
    struct budget *budget;

    pthread_mutex_t lock;
    pthread_cond_t changed; // anything below
    struct run *runs;
    struct run *ready, **ready_end; // decoded, oldest first
    int64_t not_before_ns;          // no claims until then
    bool wake;                      // there may be something to claim
    bool claiming;                  // a thread is asking the store
    bool paused, draining, stopping;

    pthread_t *thread;
    int thread_count;
};

// ---- runs: the list and its ends; all with the lock held unless said otherwise ----

static struct run **find(struct worker *w, int64_t job)
{
    struct run **at = &w->runs;

    while (*at && (*at)->job.id != job)
        at = &(*at)->next;
    return at;
}

// Takes an ended run off the list and frees it. Without the lock.
static void drop(struct worker *w, struct run *r)
{
    pthread_mutex_lock(&w->lock);
    *find(w, r->job.id) = r->next;
    if (r->trouble)
        w->not_before_ns = clock_mono_ns(w->o.clock) + BREATH_MS * 1000000LL;
    w->wake = true; // its account may have another one
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    run_free(r);
}

static bool may_claim(const struct worker *w)
{
    int64_t now_ns = clock_mono_ns(w->o.clock);
    int ahead = 0;

    if (!w->wake || w->claiming || w->paused || now_ns < w->not_before_ns)
        return false;
    for (const struct run *r = w->runs; r; r = r->next) {
        bool slow = now_ns - r->claimed_ns > FETCH_SLOW_MS * 1000000LL;
        if (!r->rendering && (atomic_load(&r->fetched) || !slow))
            ahead++;
    }
    return ahead < 2 * w->o.workers;
}

// Lists a job that was just claimed. NULL: it was handed back. Without the lock.
static struct run *begin(struct worker *w, struct arena *arena, const struct job *job,
                         const struct lease *lease)
{
    struct run *r = NULL;

    pthread_mutex_lock(&w->lock);
    // A job whose lease we lost can come back before its first run has noticed.
    if (!w->draining && !*find(w, job->id))
        r = run_new(&w->o, w->budget, arena, job, lease);
    if (r) {
        r->next = w->runs;
        w->runs = r;
    }
    w->claiming = false;
    w->wake = true;
    if (!r)
        w->not_before_ns = clock_mono_ns(w->o.clock) + TICK_MS * 1000000LL;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    if (!r && store_hand_back(w->o.store, lease, false, "the service was stopped"))
        log_event(w->o.log, LOG_WARN, "job.hand_back", LOG_S("job", job->uuid),
                  LOG_S("state", "left to its lease"));
    return r;
}

// The next job to work on, or NULL when the worker stops.
static struct run *claim(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->draining) {
        struct arena arena = ARENA_INIT;
        struct job job;
        struct lease lease;
        struct run *r = NULL;
        if (!may_claim(w)) {
            wait_for(&w->changed, &w->lock, POLL_MS);
            continue;
        }
        w->claiming = true;
        w->wake = false;
        pthread_mutex_unlock(&w->lock);
        enum err e = store_claim(w->o.store, &arena, &job, &lease);
        if (!e)
            r = begin(w, &arena, &job, &lease);
        arena_release(&arena);
        if (r)
            return r;
        pthread_mutex_lock(&w->lock);
        if (!e)
            continue;
        w->claiming = false;
        if (e != ERR_NONE) {
            w->not_before_ns = clock_mono_ns(w->o.clock) + BREATH_MS * 1000000LL;
            log_event(w->o.log, LOG_ERROR, "worker.claim", LOG_S("why", err_name(e)));
        }
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void *staging(void *arg)
{
    struct worker *w = arg;
    struct run *r;

    while ((r = claim(w))) {
        bool goes_on = run_stage(r), queued = false;
        pthread_mutex_lock(&w->lock);
        if (goes_on && !w->draining) {
            r->next_ready = NULL;
            *w->ready_end = r;
            w->ready_end = &r->next_ready;
            queued = true;
            pthread_cond_broadcast(&w->changed);
        }
        pthread_mutex_unlock(&w->lock);
        if (goes_on && !queued)
            run_hand_back(r, false, "the service was stopped");
        if (!queued)
            drop(w, r);
    }
    return NULL;
}

// With the lock.
static struct run *pop_ready(struct worker *w)
{
    struct run *r = w->ready;

    w->ready = r->next_ready;
    if (!w->ready)
        w->ready_end = &w->ready;
    return r;
}

static void *rendering(void *arg)
{
    struct worker *w = arg;

    pthread_mutex_lock(&w->lock);
    while (!w->stopping) {
        if (!w->ready) {
            wait_for(&w->changed, &w->lock, POLL_MS);
            continue;
        }
        struct run *r = pop_ready(w);
        r->rendering = true;
        pthread_cond_broadcast(&w->changed);
        pthread_mutex_unlock(&w->lock);
        run_give_place(r);
        run_render(r);
        drop(w, r);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

// ---- leases and limits ----

struct beat {
    struct lease lease;
    enum err err;
};

// The leases of all runs; stops those that are late. With the lock; NULL when there is none.
static struct beat *look_at_runs(struct worker *w, int *count)
{
    int64_t now_ns = clock_mono_ns(w->o.clock);
    struct beat *beat;

    *count = 0;
    for (struct run *r = w->runs; r; r = r->next)
        (*count)++;
    beat = *count ? calloc((size_t)*count, sizeof *beat) : NULL;
    *count = 0;
    for (struct run *r = w->runs; r; r = r->next) {
        if (now_ns > atomic_load(&r->deadline_ns))
            run_stop(r, RUN_LATE);
        if (beat)
            beat[(*count)++].lease = r->lease;
    }
    return beat;
}

// One thread: heartbeats for every run, the time limit of each, and the slow poll for claims.
static void *keeping(void *arg)
{
    struct worker *w = arg;
    int64_t next_beat_ns = 0, next_poll_ns = 0;

    pthread_mutex_lock(&w->lock);
    while (!w->stopping) {
        int64_t now_ns = clock_mono_ns(w->o.clock);
        int count;
        struct beat *beat = look_at_runs(w, &count);
        if (now_ns >= next_poll_ns) {
            w->wake = true;
            next_poll_ns = now_ns + POLL_MS * 1000000LL;
        }
        pthread_cond_broadcast(&w->changed); // slow fetches, and breaths that are over
        pthread_mutex_unlock(&w->lock);
        if (now_ns >= next_beat_ns) {
            next_beat_ns = now_ns + w->o.heartbeat_ms * 1000000;
            for (int i = 0; i < count; i++)
                beat[i].err = store_heartbeat(w->o.store, &beat[i].lease);
        }
        pthread_mutex_lock(&w->lock);
        for (int i = 0; i < count; i++) {
            struct run *r = beat[i].err == ERR_LOST ? *find(w, beat[i].lease.job) : NULL;
            if (r && r->lease.token == beat[i].lease.token)
                run_stop(r, RUN_LOST);
        }
        free(beat);
        int64_t until_ns = clock_mono_ns(w->o.clock) + TICK_MS * 1000000LL;
        while (!w->stopping && clock_mono_ns(w->o.clock) < until_ns)
            wait_for(&w->changed, &w->lock, TICK_MS);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

// ---- life ----

static bool add_thread(struct worker *w, void *(*fn)(void *))
{
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    bool ok = pthread_create(&w->thread[w->thread_count], &attr, fn, w) == 0;
    pthread_attr_destroy(&attr);
    w->thread_count += ok;
    return ok;
}

enum err worker_start(const struct worker_options *o, struct worker **out, struct err_note *note)
{
    int stagers = 2 * o->workers + FETCHES_BESIDE;
    struct worker *w = calloc(1, sizeof *w);
    bool ok;

    if (!w)
        return err_set(note, ERR_NOMEM, "out of memory for the worker");
    w->o = *o;
    w->wake = true;
    w->paused = o->paused;
    w->ready_end = &w->ready;
    pthread_mutex_init(&w->lock, NULL);
    wait_cond_init(&w->changed);
    w->thread = calloc((size_t)(stagers + o->workers + 1), sizeof *w->thread);
    ok = w->thread && !budget_new(o->memory_bytes, 2 * o->workers, &w->budget);
    ok = ok && add_thread(w, keeping);
    for (int i = 0; ok && i < o->workers; i++)
        ok = add_thread(w, rendering);
    for (int i = 0; ok && i < stagers; i++)
        ok = add_thread(w, staging);
    if (!ok) {
        worker_stop(w);
        return err_set(note, ERR_NOMEM, "the worker's threads cannot be started");
    }
    *out = w;
    return ERR_OK;
}

void worker_wake(void *worker)
{
    struct worker *w = worker;

    pthread_mutex_lock(&w->lock);
    w->wake = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

void worker_pause(struct worker *w, bool paused)
{
    pthread_mutex_lock(&w->lock);
    w->paused = paused;
    w->wake = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

// No more claims; what does not render is on its way back to the queue. Returns the decoded runs,
// which no thread holds. With the lock.
static struct run *begin_drain(struct worker *w)
{
    struct run *ready = w->ready;

    w->draining = true;
    w->ready = NULL;
    w->ready_end = &w->ready;
    for (struct run *r = w->runs; r; r = r->next)
        if (!r->rendering)
            run_stop(r, RUN_DRAINED);
    pthread_cond_broadcast(&w->changed);
    return ready;
}

bool worker_drain(struct worker *w, int64_t ms)
{
    int64_t until_ns = clock_mono_ns(w->o.clock) + ms * 1000000;

    pthread_mutex_lock(&w->lock);
    struct run *ready = begin_drain(w);
    pthread_mutex_unlock(&w->lock);
    while (ready) {
        struct run *r = ready;
        ready = r->next_ready;
        run_hand_back(r, false, "the service was stopped");
        drop(w, r);
    }
    pthread_mutex_lock(&w->lock);
    while (w->runs && clock_mono_ns(w->o.clock) < until_ns)
        wait_for(&w->changed, &w->lock, TICK_MS / 10);
    bool idle = !w->runs;
    pthread_mutex_unlock(&w->lock);
    return idle;
}

void worker_stop(struct worker *w)
{
    if (!w)
        return;
    worker_drain(w, 0);
    pthread_mutex_lock(&w->lock);
    for (struct run *r = w->runs; r; r = r->next)
        run_stop(r, RUN_DRAINED);
    while (w->runs)
        wait_for(&w->changed, &w->lock, TICK_MS);
    w->stopping = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->thread_count; i++)
        pthread_join(w->thread[i], NULL);
    budget_free(w->budget);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w->thread);
    free(w);
}
