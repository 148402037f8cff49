/* SPDX-License-Identifier: MIT */
#ifndef PATINA_JOB_BOARD_H
#define PATINA_JOB_BOARD_H

#include "base/err.h"
#include "base/rand.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What running jobs are doing right now: in memory, written by workers, read by the API. Also
 * carries the wish to cancel from the API to the worker. A job has an entry from its claim to its
 * end. Every function is safe from any thread; reads take a lock for a few nanoseconds.
 */
enum job_stage {
    STAGE_QUEUED,
    STAGE_FETCHING,
    STAGE_DECODING,
    STAGE_RENDERING,
    STAGE_ENCODING,
    STAGE_STORING,
    STAGE_DONE
};

/* "queued", "fetching", ... Static. */
const char *job_stage_name(enum job_stage s);

struct board_entry {
    enum job_stage stage;
    int progress;      /* 0..100 over the whole job, never falls within one attempt */
    int64_t eta_ms;    /* for what is left, corrected by measured runs; -1 unknown */
    char engine[32];   /* "" before it is known */
    int width, height; /* of the result; 0 before it is known */
};

struct board;

MUST_USE enum err board_new(struct board **out);
void board_free(struct board *b);

/* Adds or replaces the entry of a job. Returns its cancel flag, which stays valid until
 * board_remove(): the worker passes it on to fetcher and engine. NULL when memory ran out. */
const atomic_bool *board_add(struct board *b, const char *uuid);
void board_set(struct board *b, const char *uuid,
               const struct board_entry *e); /* no entry: ignored */
void board_remove(struct board *b, const char *uuid);

/* A copy of the entry; false when the job has none. */
bool board_get(struct board *b, const char *uuid, struct board_entry *out);

/* Raises the cancel flag of a running job, if it has an entry. */
void board_cancel(struct board *b, const char *uuid);

/* Running estimate: factor to multiply an engine's estimated milliseconds with, from measured runs
 * (exponential mean of measured/estimated, starts at 1, clamped to [.05, 20]). */
void board_measured(struct board *b, int64_t estimated_ms, int64_t measured_ms);
double board_correction(struct board *b);

/* What is left of a run of which the share `done`, 0..1, took `passed_ms`, when all of it was
 * reckoned to take `reckoned_ms`: the further it is, the more its own pace counts, and from a tenth
 * on that alone. */
int64_t board_left_ms(int64_t reckoned_ms, int64_t passed_ms, double done);

#endif
