/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_WAIT_H
#define PATINA_WORKER_WAIT_H

#include <pthread.h>
#include <time.h>

/* Condition variables that wait by the monotonic clock. */

static inline void wait_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

/* Waits for a signal, at most `ms`; may return early without one. */
static inline void wait_for(pthread_cond_t *c, pthread_mutex_t *lock, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(c, lock, &until);
}

#endif
