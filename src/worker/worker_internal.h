/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_WORKER_INTERNAL_H
#define PATINA_WORKER_WORKER_INTERNAL_H

/* For files of worker/ only: a claimed job on its way (run*.c), and what the threads of a worker
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

/* ---- for the steps of a run ---- */

/* Where in 0..100 each stage begins; most of the time is rendering. */
enum {
    PROGRESS_FETCH = 1,
    PROGRESS_DECODE = 5,
    PROGRESS_RENDER = 10,
    PROGRESS_ENCODE = 90,
    PROGRESS_STORE = 96
};

int64_t run_ms_since(const struct run *r, int64_t since_ns);

/* What rendering will take, by the engine's estimate and what was measured lately. */
int64_t run_render_eta_ms(const struct run *r);

/* Shows on the board what it is doing. eta_ms -1: not known. */
void run_show(struct run *r, enum job_stage stage, int progress, int64_t eta_ms);

/* One line; `why` may be NULL. */
void run_log(const struct run *r, enum log_level level, const char *event, const char *state,
             const char *why);

/* The line of its end, and how long each step took. `code` 0: it completed. */
void run_log_finish(const struct run *r, const char *state, int code, int64_t bytes,
                    const char *why);

/* Appends a JSON object of what has been done so far. */
void run_write_timings(const struct run *r, struct buf *out);

/* Ends the run after an error. What the note says of our own troubles goes to the log alone. */
void run_give_up(struct run *r, enum err e, enum failure_step step, const struct err_note *note);

#endif
