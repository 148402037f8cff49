/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_DELIVER_H
#define PATINA_WORKER_DELIVER_H

#include "api/view.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/fetch.h"
#include "store/store.h"

/*
 * Sends what the outbox holds. The rows were written with the end of their jobs, so nothing that
 * happens here loses one; a crash between an answer and its record sends one twice, under the same
 * webhook-id.
 *
 * A receiver never waits for another one: threads are many and mostly asleep, one receiver (host
 * and port) gets at most DELIVER_PER_HOST of them, and those that have not been quick lately, or
 * never were asked, share one half of all. Nor does it matter how much is due to another: only
 * the STORE_DUE_PER_RECEIVER that are longest due to each are in memory, as long as no more than
 * 512 receivers have so many.
 */
struct deliver;

enum { DELIVER_THREADS = 16, DELIVER_PER_HOST = 2 };

struct deliver_options {
    /* Borrowed; all of them outlive it. */
    struct store *store;
    struct fetcher *fetcher;
    const struct view *view;
    const struct clock *clock; /* due times are wall time */
    const struct log *log;     /* may be NULL */
};

MUST_USE enum err deliver_start(const struct deliver_options *o, struct deliver **out,
                                struct err_note *note);

/* There may be something to send: a store_wake_fn. Any thread. */
void deliver_wake(void *deliver);

/* Breaks off what is under way (its attempt does not count) and frees it. */
void deliver_stop(struct deliver *d);

/* What an attempt's outcome means: the delivery's next state and, when it goes on waiting, when it
 * is due. `status` 0: no answer. `attempts` with this one. Pure. */
enum delivery_state deliver_judge(int status, int retry_after_s, int attempts, int64_t now_ms,
                                  uint32_t random, int64_t *next_ms);

#endif
