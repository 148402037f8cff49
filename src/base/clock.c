/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t ns_of(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t system_unix_ms(const struct clock *c)
{
    (void)c;
    return ns_of(CLOCK_REALTIME) / 1000000;
}

static int64_t system_mono_ns(const struct clock *c)
{
    (void)c;
    return ns_of(CLOCK_MONOTONIC);
}

const struct clock clock_system = {system_unix_ms, system_mono_ns};

int64_t clock_busy_ns(void)
{
    return ns_of(CLOCK_PROCESS_CPUTIME_ID);
}

static int64_t sim_unix_ms(const struct clock *c)
{
    return atomic_load(&((const struct clock_sim *)c)->wall_ms);
}

static int64_t sim_mono_ns(const struct clock *c)
{
    return atomic_load(&((const struct clock_sim *)c)->steady_ns);
}

void clock_sim_init(struct clock_sim *sim, int64_t unix_ms)
{
    sim->clock = (struct clock){sim_unix_ms, sim_mono_ns};
    atomic_init(&sim->wall_ms, unix_ms);
    atomic_init(&sim->steady_ns, 1000000000);
}

void clock_sim_advance(struct clock_sim *sim, int64_t ms)
{
    atomic_fetch_add(&sim->wall_ms, ms);
    atomic_fetch_add(&sim->steady_ns, ms * 1000000);
}

void clock_sim_jump(struct clock_sim *sim, int64_t ms)
{
    atomic_fetch_add(&sim->wall_ms, ms);
}

void rfc3339(int64_t unix_ms, char out[RFC3339_TEXT])
{
    if (unix_ms < 0) {
        memcpy(out, "0001-01-01T00:00:00Z", RFC3339_TEXT);
        return;
    }
    // Days to date by Howard Hinnant's "days_from_civil" inverse: thread-safe and faster than
    // gmtime_r.
    int64_t s = unix_ms / 1000, days = s / 86400, left = s % 86400;
    int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int64_t d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;
    int64_t y = yoe + era * 400 + (m <= 2);
    const int64_t field[] = {y / 100, y % 100, m, d, left / 3600, left / 60 % 60, left % 60};
    const int at[] = {0, 2, 5, 8, 11, 14, 17};

    memcpy(out, "0000-00-00T00:00:00Z", RFC3339_TEXT);
    if (y > 9999)
        return;
    for (int i = 0; i < 7; i++) {
        out[at[i]] = (char)('0' + field[i] / 10);
        out[at[i] + 1] = (char)('0' + field[i] % 10);
    }
}
