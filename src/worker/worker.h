/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_WORKER_H
#define PATINA_WORKER_WORKER_H

#include "base/clock.h"
#include "base/log.h"
#include "blob/blob.h"
#include "engine/engine.h"
#include "job/board.h"
#include "net/fetch.h"
#include "sandbox/decode.h"
#include "sandbox/render.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The worker: takes jobs from the store, fetches and decodes their sources ahead of rendering,
 * renders, stores the pictures, ends the jobs.
 *
 *   staging threads                                    rendering threads
 *   claim -> fetch -> wait for memory and a place ->   render (a process of the pool) -> encode ->
 *            decode -> ready queue                     store -> finish
 *
 * INVARIANTS
 * 1. Between claim and end a job is in the list of runs: it gets heartbeats, and whoever stops the
 *    worker finds it there.
 * 2. A run ends in exactly one way: finished, handed back, or dropped because it is not ours any
 *    more; then what it held of the budget is given back.
 * 3. No blob of a result outlives a run that did not complete its job.
 */
struct worker;

struct worker_options {
    /* Borrowed; all of them outlive the worker. */
    struct store *store;
    struct blob_store *blobs;
    struct fetcher *fetcher;
    struct decoder *decoder;
    struct render_pool *renderers;
    struct engine *engine; /* for estimates alone; rendering has its own */
    struct board *board;
    const struct clock *clock;
    const struct log *log;  /* may be NULL */
    const char *public_url; /* what our own URLs begin with */

    int64_t pixels;         /* area of a result */
    int workers;            /* jobs rendering at once, at least 1 */
    int render_threads;     /* of each render process */
    int64_t memory_bytes;   /* of all decoded jobs together */
    int64_t job_timeout_ms; /* 0: five times the engine's estimate, at least WORKER_JOB_MS_MIN */
    int64_t heartbeat_ms;   /* well under the store's lease */
    bool paused;            /* from the first moment on, see worker_pause() */
};

enum { WORKER_JOB_MS_MIN = 300 * 1000 };

MUST_USE enum err worker_start(const struct worker_options *o, struct worker **out,
                               struct err_note *note);

/* There may be something to claim: a store_wake_fn. Never blocks for long. Any thread. */
void worker_wake(void *worker);

/* While paused (the disk is nearly full) nothing is claimed; what runs goes on. */
void worker_pause(struct worker *w, bool paused);

/* Claims nothing more, hands back what does not render yet, and waits up to `ms` for the rest. True
 * when nothing runs any more. May be called again to wait on. */
bool worker_drain(struct worker *w, int64_t ms);

/* Hands back what runs, uncounted, and frees the worker. */
void worker_stop(struct worker *w);

#endif
