/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_CLOCK_H
#define PATINA_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Time arrives in a context, so that tests can move it. `_unix_ms` is wall time, which may jump;
 * `_ns` is monotonic time, which may not. Deadlines and leases use monotonic time; what is stored
 * or shown uses wall time. All functions are safe from any thread.
 */
struct clock {
    int64_t (*unix_ms)(const struct clock *c);
    int64_t (*mono_ns)(const struct clock *c);
};

/* The machine's clocks (CLOCK_REALTIME, CLOCK_MONOTONIC). */
extern const struct clock clock_system;

static inline int64_t clock_unix_ms(const struct clock *c)
{
    return c->unix_ms(c);
}

static inline int64_t clock_mono_ns(const struct clock *c)
{
    return c->mono_ns(c);
}

/* Nanoseconds that all threads of this process together have worked: it stands still while they
 * sleep, and while others have the processors. */
int64_t clock_busy_ns(void);

/* A clock that stands still until it is told otherwise, for tests. Fields may be read and set with
 * the functions below from any thread. */
struct clock_sim {
    struct clock clock; /* pass &sim->clock */
    _Atomic int64_t wall_ms;
    _Atomic int64_t steady_ns;
};

void clock_sim_init(struct clock_sim *sim, int64_t unix_ms);
void clock_sim_advance(struct clock_sim *sim, int64_t ms); /* both clocks */
void clock_sim_jump(struct clock_sim *sim, int64_t ms);    /* wall clock alone */

enum { RFC3339_TEXT = 21 };

/* "2026-01-31T12:34:56Z": UTC, whole seconds (rounded down). A negative time, "not yet", gives
 * "0001-01-01T00:00:00Z". */
void rfc3339(int64_t unix_ms, char out[RFC3339_TEXT]);

#endif
