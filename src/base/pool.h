/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_POOL_H
#define PATINA_BASE_POOL_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>

/*
 * A fixed crew of threads for loops whose turns do not depend on each other. The caller works
 * along, so a pool of one starts no thread. Threads live as long as the pool: a renderer starts
 * them before its sandbox closes.
 *
 * Which worker takes which turn is left to chance; a loop's result must not depend on it.
 */
struct pool;

enum {
    POOL_THREADS_MAX = 64,      /* more are not used: rows of a picture, or of a matrix, run out */
    POOL_STACK_BYTES = 8 << 20, /* of each thread: a turn may keep a megabyte of sums there */
};

/* Of at least one and at most POOL_THREADS_MAX threads, whatever is asked for. ERR_NOMEM, or
 * ERR_UNAVAILABLE when no thread can be started. */
MUST_USE enum err pool_open(int threads, struct pool **out, struct err_note *note);
void pool_close(struct pool *p); /* NULL is fine */

/* How many work at once: `worker` below is less than this. */
int pool_width(const struct pool *p);

/* One turn: index 0..count-1; worker tells which scratch memory is its own. */
typedef void pool_fn(void *ctx, int index, int worker);

/* Runs all turns and returns true, or false as soon as *cancel (may be NULL) is seen: turns that
 * have begun end, others never begin. One caller at a time; not from inside a turn. */
bool pool_run(struct pool *p, int count, pool_fn *fn, void *ctx, const atomic_bool *cancel);

#endif
