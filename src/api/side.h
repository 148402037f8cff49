/* SPDX-License-Identifier: MIT */
#ifndef PATINA_API_SIDE_H
#define PATINA_API_SIDE_H

#include "base/err.h"

#include <stdbool.h>

/*
 * A few threads beside the listener's, for what takes long or waits for a disk: storing uploads,
 * cancelling, encoding. The queue is bounded, so a burst is refused instead of growing.
 */
struct side;

/* Tasks that may wait. */
enum { SIDE_WAITING_MAX = 256 };

struct side_task {
    void (*run)(void *ctx);
    void *ctx;
    struct side_task *next; /* private */
};

MUST_USE enum err side_new(int threads, struct side **out, struct err_note *note);

/* Runs what waits, then ends. */
void side_free(struct side *s);

/* Runs the task on one of the threads; the caller keeps it alive until then. False: too many wait.
 */
bool side_run(struct side *s, struct side_task *task);

#endif
