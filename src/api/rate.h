/* SPDX-License-Identifier: MIT */
#ifndef PATINA_API_RATE_H
#define PATINA_API_RATE_H

#include "base/err.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A token bucket per key, in memory: `per_minute` requests at once, refilled evenly. What is not in
 * the table counts as full, so a table of fixed size loses nothing but the memory of who was last
 * seen longest ago. Any thread.
 */
struct rate;

struct rate_state {
    bool allowed;
    int remaining;     /* whole requests that may follow at once */
    int reset_s;       /* until the bucket is full again */
    int retry_after_s; /* when not allowed: until the next request may come, at least 1 */
};

/* per_minute 1..1000000. */
MUST_USE enum err rate_new(int per_minute, struct rate **out);
void rate_free(struct rate *r);

/* Takes one request out of the key's bucket at monotonic time now_ns. */
struct rate_state rate_take(struct rate *r, const uint8_t key[SHA256_BYTES], int64_t now_ns);

#endif
