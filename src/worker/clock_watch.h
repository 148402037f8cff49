/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_CLOCK_WATCH_H
#define PATINA_WORKER_CLOCK_WATCH_H

#include "base/clock.h"

#include <stdbool.h>

/*
 * Whether wall time can be trusted with deleting. It is compared with monotonic time: when the two
 * drift apart by more than CLOCK_JUMP_MS between two looks, somebody set the clock, and for
 * CLOCK_DISTRUST_MS nothing may be called expired. A day skipped by mistake must not cost a week's
 * pictures.
 */
enum { CLOCK_JUMP_MS = 5 * 60 * 1000, CLOCK_DISTRUST_MS = 60 * 60 * 1000 };

struct clock_watch {
    int64_t wall_ms, mono_ns;  /* at the last look */
    int64_t distrust_until_ns; /* monotonic */
};

void clock_watch_init(struct clock_watch *w, const struct clock *clock);

/* True when wall time may be trusted. *jumped_ms: how far it jumped since the last look, or 0. */
bool clock_watch_look(struct clock_watch *w, const struct clock *clock, int64_t *jumped_ms);

#endif
