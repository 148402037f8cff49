/* SPDX-License-Identifier: MIT */
#include "job/job_state.h"

#include <assert.h>
#include <string.h>

static const char *const names[JOB_STATES] = {
    [JOB_PENDING] = "pending",     [JOB_STAGED] = "staged", [JOB_PROCESSING] = "processing",
    [JOB_COMPLETED] = "completed", [JOB_FAILED] = "failed",
};

// The arrows of the diagram in job_state.h: allowed[from][to]. Final states have none.
static const bool allowed[JOB_STATES][JOB_STATES] = {
    [JOB_PENDING] = {[JOB_STAGED] = true, [JOB_FAILED] = true},
    [JOB_STAGED] = {[JOB_PROCESSING] = true, [JOB_PENDING] = true, [JOB_FAILED] = true},
    [JOB_PROCESSING] = {[JOB_COMPLETED] = true, [JOB_PENDING] = true, [JOB_FAILED] = true},
};

static bool is_state(enum job_state s)
{
    return (int)s >= 0 && (int)s < JOB_STATES;
}

const char *job_state_name(enum job_state s)
{
    assert(is_state(s));
    return names[s];
}

enum err job_state_parse(const char *word, enum job_state *out)
{
    for (int i = 0; i < JOB_STATES; i++) {
        if (strcmp(word, names[i]) == 0) {
            *out = (enum job_state)i;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

bool job_state_final(enum job_state s)
{
    return s == JOB_COMPLETED || s == JOB_FAILED;
}

enum err job_state_move(enum job_state *state, enum job_state to)
{
    assert(is_state(*state) && is_state(to));
    if (!allowed[*state][to])
        return ERR_WRONG_STATE;
    *state = to;
    return ERR_OK;
}
