/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_WAIT_H
#define PATINA_BASE_WAIT_H

#include "base/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

/* Condition variables that wait by the monotonic clock of the machine. */

static inline void wait_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

/* Waits for a signal; may return early without one. False: it is `until_ns`. */
static inline bool wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until_ns)
{
    const struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};

    return pthread_cond_timedwait(c, lock, &until) == 0;
}

/* The same for at most `ms`. */
static inline void wait_for(pthread_cond_t *c, pthread_mutex_t *lock, int64_t ms)
{
    (void)wait_until(c, lock, clock_mono_ns(&clock_system) + ms * 1000000);
}

#endif
