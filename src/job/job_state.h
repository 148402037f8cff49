/* SPDX-License-Identifier: MIT */
#ifndef PATINA_JOB_JOB_STATE_H
#define PATINA_JOB_JOB_STATE_H

#include "base/err.h"

#include <stdbool.h>

/*
 * The life of a job. Values are stored: never renumber, only append.
 *
 *              claim+fetch+decode        render begins          all bytes stored
 *   PENDING ------------------> STAGED ---------------> PROCESSING -----------> COMPLETED
 *     ^  |                        |  |                     |   |
 *     |  |                        |  +-----+     +---------+   |
 *     |  +----- cancel, ----------|--------+--+--+-- error, ---+--> FAILED
 *     |         disable, error    |           |     cancel, time limit
 *     +---------------------------+-----------+
 *           hand back: drain, crash, lease ran out
 *
 * What is true in each state:
 *
 * - PENDING: no results; points frozen. It may be leased: a worker that has claimed it is fetching
 *   and decoding its source (clients still see "pending").
 * - STAGED: leased; the source's bytes are at hand and it decoded well.
 * - PROCESSING: leased; an engine is rendering, or its pictures are encoded and stored.
 * - COMPLETED: all five pictures are stored and fsynced; points consumed; the delivery row exists
 *   if the job has a callback. Final.
 * - FAILED: error_code is set; points released; delivery row as above; no results. Final.
 */
enum job_state {
    JOB_PENDING = 0,
    JOB_STAGED = 1,
    JOB_PROCESSING = 2,
    JOB_COMPLETED = 3,
    JOB_FAILED = 4
};
enum { JOB_STATES = 5 };

/* "pending", "staged", ...: the words of the protocol. Static. */
const char *job_state_name(enum job_state s);

/* ERR_INVALID when the word is none of them. */
MUST_USE enum err job_state_parse(const char *word, enum job_state *out);

/* Completed or failed. */
bool job_state_final(enum job_state s);

/* The ONE place that knows which moves exist. ERR_OK, or ERR_WRONG_STATE. The store calls it inside
 * the transaction that makes the move, with the state it has just read there. */
MUST_USE enum err job_state_move(enum job_state *state, enum job_state to);

#endif
