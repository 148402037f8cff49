/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_WORKER_INTERNAL_H
#define PATINA_WORKER_WORKER_INTERNAL_H

/* For files of worker/ only: a claimed job on its way (run.c), and what the threads of a worker
 * share (worker.c). */

#include "worker/budget.h"
#include "worker/failure.h"
#include "worker/source.h"
#include "worker/worker.h"

/* Why a run is being stopped although nobody cancelled its job. */
enum run_stop {
    RUN_GOES_ON = 0,
    RUN_LOST,   /* its lease is no longer ours */
    RUN_LATE,   /* past its time limit: 504 */
    RUN_DRAINED /* the worker stops: handed back */
};

/* Milliseconds of a job's steps: `detail.timings_ms`. -1: was not done. */
struct run_times {
    int64_t queue_ms; /* from acceptance to claim */
    int64_t fetch_ms, decode_ms;
    int64_t wait_ms; /* decoded, in front of a renderer */
    int64_t prepare_ms, render_ms, encode_ms, store_ms;
};

/* What a job is made from. A style picture is there when the prompt asks for one that the engine
 * takes. */
enum run_picture { RUN_SOURCE, RUN_STYLE, RUN_PICTURES };

struct run {
    struct run *next;       /* in the worker's list; under its lock */
    struct run *next_ready; /* in the queue of decoded runs; under its lock */
    const struct worker_options *o;
    struct budget *budget;

    struct arena arena; /* of `job` */
    struct job job;
    struct lease lease;
    const atomic_bool *cancel; /* of the board entry */
    atomic_int stop;           /* enum run_stop */
    _Atomic int64_t deadline_ns;
    atomic_bool fetched; /* has its source's bytes */
    bool rendering;      /* under the worker's lock: a renderer has it */
    bool trouble;        /* ended because the machine gave out */

    const char *url[RUN_PICTURES]; /* NULL: there is no such picture */
    struct decoded decoded[RUN_PICTURES];
    bool animated[RUN_PICTURES];
    int64_t stored_bytes; /* of the results */
    int64_t budget_bytes; /* taken, 0: nothing */
    bool has_place;
    struct engine_estimate estimate;

    struct board_entry board;
    int64_t claimed_ns, staged_ns, render_ns;
    struct run_times ms;
};

/* A new run for a job that was just claimed; job and lease are moved in, with the arena the job
 * lives in. NULL when memory ran out (then nothing was taken). */
struct run *run_new(const struct worker_options *o, struct budget *budget, struct arena *arena,
                    const struct job *job, const struct lease *lease);

/* Fetches, admits, decodes: the job is `staged` then. True when it goes on to a renderer; false
 * when it has ended. */
bool run_stage(struct run *r);

/* It has left the queue in front of the renderers. */
void run_give_place(struct run *r);

/* Renders, encodes, stores, ends the job. */
void run_render(struct run *r);

/* Asks the run to end soon; the first reason counts. Any thread, while the run is listed. */
void run_stop(struct run *r, enum run_stop why);

/* Gives back whatever it still holds. The job must have ended one way or the other. */
void run_free(struct run *r);

/* Puts the job back. `why` is what its owner reads should this have been the last try. */
void run_hand_back(struct run *r, bool strike, const char *why);

#endif
