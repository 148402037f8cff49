/* SPDX-License-Identifier: MIT */
#ifndef PATINA_JOB_JOB_H
#define PATINA_JOB_JOB_H

#include "base/rand.h"
#include "job/job_state.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A job as it is stored. Plain data: every string is NUL-terminated UTF-8, owned by the arena that
 * the call which filled the struct was given, never NULL unless it says so. Times are Unix
 * milliseconds, -1 for "not yet".
 */
struct job {
    int64_t id;           /* the store's key; grows with the order of acceptance */
    char uuid[UUID_TEXT]; /* what clients see */
    int64_t account;
    enum job_state state;
    bool is_private; /* the account's mode when the job was accepted */

    const char *img_url;
    const char *prompt;
    const char *callback; /* "" for none */
    int64_t cost;         /* points, fixed at acceptance */

    int64_t created_ms, started_ms, ended_ms; /* started: the first claim */
    int64_t expires_ms;                       /* of its results; -1 until the job has ended */

    int claims;              /* times it was claimed; `detail.attempt` */
    int strikes;             /* claims that count as attempts: its own process died or overran */
    const char *source_blob; /* key of the fetched bytes while the job runs, "" before */

    /* Once it is completed. */
    bool has_seed;
    uint32_t seed;
    int width, height;
    const char *engine;         /* "" before it is known */
    const char *interpretation; /* JSON object, or NULL */
    const char *warnings;       /* JSON array, or NULL */
    const char *timings;        /* JSON object of milliseconds per stage, or NULL */

    /* Once it has failed; code 0 otherwise. */
    int error_code;
    const char *error_message;
    const char *error_detail; /* JSON object, or NULL */
    bool cancelled;
};

/* How often a job is tried, and why there are two counts: a job that kills its decoder or its
 * renderer gets three tries; one that is merely interrupted (drain, power cut) gets many, but not
 * for ever. */
enum { JOB_STRIKES_MAX = 3, JOB_CLAIMS_MAX = 10 };

/* What a claim may still do, looked at right after it was counted. */
static inline bool job_has_claims_left(const struct job *j)
{
    return j->claims < JOB_CLAIMS_MAX && j->strikes < JOB_STRIKES_MAX;
}

#endif
