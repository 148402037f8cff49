/* SPDX-License-Identifier: MIT */
#include "api/rate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// 4096 sets of 4 buckets, 384 KiB: room for far more keys than one machine serves in the minute
// that a bucket takes to fill. Keys are hashes, so they spread evenly and nobody can aim at a set.
enum { SETS = 4096, WAYS = 4 };

static const int64_t minute_ns = (int64_t)60 * 1000 * 1000 * 1000;

struct bucket {
    uint64_t tag; /* 0: empty */
    /* When it would be full. A request moves it on by minute/per_minute: the same as counting
     * tokens, without fractions. */
    int64_t full_ns;
};

struct rate {
    int64_t step_ns; /* what one request costs */
    pthread_mutex_t lock;
    struct bucket bucket[SETS][WAYS];
};

enum err rate_new(int per_minute, struct rate **out)
{
    struct rate *r = calloc(1, sizeof(*r));

    if (!r)
        return ERR_NOMEM;
    r->step_ns = minute_ns / per_minute;
    pthread_mutex_init(&r->lock, NULL);
    *out = r;
    return ERR_OK;
}

void rate_free(struct rate *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static struct bucket *find(struct rate *r, const uint8_t key[SHA256_BYTES])
{
    uint64_t tag;
    uint32_t set;

    memcpy(&tag, key, sizeof(tag));
    memcpy(&set, key + sizeof(tag), sizeof(set));
    tag |= 1;
    struct bucket *row = r->bucket[set % SETS], *fullest = &row[0];
    for (int i = 0; i < WAYS; i++) {
        if (row[i].tag == tag)
            return &row[i];
        if (row[i].full_ns < fullest->full_ns)
            fullest = &row[i];
    }
    *fullest = (struct bucket){tag, 0};
    return fullest;
}

struct rate_state rate_take(struct rate *r, const uint8_t key[SHA256_BYTES], int64_t now_ns)
{
    const int64_t second_ns = 1000 * 1000 * 1000;
    struct rate_state out = {.allowed = false};

    pthread_mutex_lock(&r->lock);
    struct bucket *b = find(r, key);
    if (b->full_ns < now_ns)
        b->full_ns = now_ns;
    if (b->full_ns - now_ns + r->step_ns <= minute_ns) {
        b->full_ns += r->step_ns;
        out.allowed = true;
    }
    int64_t debt = b->full_ns - now_ns;
    pthread_mutex_unlock(&r->lock);
    out.remaining = (int)((minute_ns - debt) / r->step_ns);
    out.reset_s = (int)((debt + second_ns - 1) / second_ns);
    if (!out.allowed)
        out.retry_after_s = (int)((debt + r->step_ns - minute_ns + second_ns - 1) / second_ns);
    return out;
}
