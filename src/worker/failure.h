/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_FAILURE_H
#define PATINA_WORKER_FAILURE_H

#include "base/err.h"

/*
 * What an error inside a job means for the job: the one place in worker/ that knows. Pure.
 *
 * A job that its own input fails ends at once: trying again would give the same. One that its own
 * process fails (it died, it overran) is handed back with a strike. One that the machine fails (no
 * memory, disk, store) is handed back uncounted, to be tried when things are better.
 */
enum failure_move {
    FAILURE_END,       /* store_finish() with code, message and detail */
    FAILURE_STRIKE,    /* store_hand_back(), counts as an attempt */
    FAILURE_HAND_BACK, /* store_hand_back(), does not count; the worker takes a breath */
    FAILURE_QUIET      /* the job is no longer ours: say nothing */
};

struct failure {
    enum failure_move move;
    int code;          /* enum job_error */
    char message[640]; /* begins with the code's phrase; for FAILURE_STRIKE and _HAND_BACK what to
                          say if that was the last try */
    char detail[192];  /* JSON object, or "" */
};

/* Where the error came from decides about the strike. */
enum failure_step {
    STEP_SOURCE, /* fetching, or reading what was fetched before */
    STEP_DECODE,
    STEP_RENDER,
    STEP_STORE /* encoding, writing, the store */
};

void failure_of(enum err e, enum failure_step step, const struct err_note *note,
                struct failure *out);

#endif
