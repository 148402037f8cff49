/* SPDX-License-Identifier: MIT */
#include "worker/sweep.h"

#include "base/wait.h"

#include <stdlib.h>

enum { BATCH = 256 }; // rows a transaction: other writers get their turn between two

struct sweep {
    struct sweep_options o;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
};

// Returns the first failure, after all that can be deleted has been. What cannot stays due.
static enum err delete_expired(const struct sweep_options *o, int64_t now_ms, int *deleted,
                               struct err_note *note)
{
    enum err failure = ERR_OK;

    for (;;) {
        struct arena arena = ARENA_INIT;
        const char **keys = NULL;
        int count = 0, done = 0;
        enum err e = store_blobs_expired(o->store, now_ms, BATCH, &arena, &keys, &count);
        // First the bytes, then the row: a crash between the two leaves a row, which is found
        // again.
        for (int i = 0; !e && i < count; i++) {
            enum err stuck = blob_delete(o->blobs, keys[i], failure ? NULL : note);
            if (!stuck)
                keys[done++] = keys[i];
            else if (!failure)
                failure = stuck;
        }
        if (!e && done)
            e = store_blobs_forget(o->store, keys, done);
        arena_release(&arena);
        *deleted += done;
        if (e || done == 0 || count < BATCH)
            return failure ? failure : e;
    }
}

struct orphans {
    const struct sweep_options *o;
    int deleted;
};

static bool delete_orphan(void *ctx, const char *key, int64_t bytes)
{
    struct orphans *x = ctx;
    bool known = true;

    (void)bytes;
    if (key && !store_blob_known(x->o->store, key, &known) && !known &&
        !blob_delete(x->o->blobs, key, NULL))
        x->deleted++;
    return true;
}

// What one part cannot do keeps no other from its work: deleting is what mends a full disk.
static void complain(const struct sweep_options *o, enum err e, const char *why)
{
    if (e)
        log_event(o->log, LOG_WARN, "sweep", LOG_S("err", err_name(e)), LOG_S("why", why));
}

int sweep_once(const struct sweep_options *o, struct clock_watch *watch, bool orphans)
{
    int64_t now_ms = clock_unix_ms(o->clock), jumped_ms;
    struct orphans x = {o, 0};
    struct err_note note = {0};
    int reaped = 0, expired = 0;

    if (!store_reap(o->store, &reaped) && reaped)
        log_event(o->log, LOG_WARN, "sweep.leases", LOG_N("handed_back", reaped));
    bool trusted = clock_watch_look(watch, o->clock, &jumped_ms);
    if (jumped_ms)
        log_event(o->log, LOG_WARN, "sweep.clock", LOG_N("jumped_s", jumped_ms / 1000),
                  LOG_S("why", "the clock was set; nothing is deleted for an hour"));
    if (!trusted)
        return 0;
    // First the rows: what deleted accounts left is due then.
    complain(o, store_sweep(o->store, now_ms), "rows that are due cannot be deleted");
    complain(o, delete_expired(o, now_ms, &expired, &note), note.text);
    if (orphans)
        complain(o, blob_each(o->blobs, now_ms - SWEEP_ORPHAN_AGE_MS, delete_orphan, &x, &note),
                 note.text);
    if (expired || x.deleted)
        log_event(o->log, LOG_INFO, "sweep", LOG_N("expired", expired),
                  LOG_N("orphans", x.deleted));
    return expired + x.deleted;
}

static void *sweeping(void *arg)
{
    struct sweep *s = arg;
    struct clock_watch watch;
    int64_t orphans_ns = 0;

    clock_watch_init(&watch, s->o.clock);
    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        int64_t now_ns = clock_mono_ns(s->o.clock);
        bool orphans = now_ns >= orphans_ns;
        pthread_mutex_unlock(&s->lock);
        sweep_once(&s->o, &watch, orphans);
        if (orphans)
            orphans_ns = now_ns + SWEEP_ORPHANS_MS * 1000000LL;
        pthread_mutex_lock(&s->lock);
        if (!s->stopping)
            wait_for(&s->changed, &s->lock, SWEEP_MS);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

enum err sweep_start(const struct sweep_options *o, struct sweep **out)
{
    struct sweep *s = calloc(1, sizeof *s);

    if (!s)
        return ERR_NOMEM;
    s->o = *o;
    pthread_mutex_init(&s->lock, NULL);
    wait_cond_init(&s->changed);
    if (pthread_create(&s->thread, NULL, sweeping, s)) {
        free(s);
        return ERR_NOMEM;
    }
    *out = s;
    return ERR_OK;
}

void sweep_stop(struct sweep *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
