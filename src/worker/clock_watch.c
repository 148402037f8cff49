/* SPDX-License-Identifier: MIT */
#include "worker/clock_watch.h"

void clock_watch_init(struct clock_watch *w, const struct clock *clock)
{
    *w = (struct clock_watch){clock_unix_ms(clock), clock_mono_ns(clock), 0};
    w->distrust_until_ns = w->mono_ns;
}

bool clock_watch_look(struct clock_watch *w, const struct clock *clock, int64_t *jumped_ms)
{
    int64_t wall_ms = clock_unix_ms(clock), mono_ns = clock_mono_ns(clock);
    int64_t drift_ms = (wall_ms - w->wall_ms) - (mono_ns - w->mono_ns) / 1000000;

    *jumped_ms = 0;
    if (drift_ms > CLOCK_JUMP_MS || drift_ms < -CLOCK_JUMP_MS) {
        *jumped_ms = drift_ms;
        w->distrust_until_ns = mono_ns + CLOCK_DISTRUST_MS * 1000000LL;
    }
    w->wall_ms = wall_ms;
    w->mono_ns = mono_ns;
    return mono_ns >= w->distrust_until_ns;
}
