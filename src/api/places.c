/* SPDX-License-Identifier: MIT */
#include "api/places.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// Accounts whose snapshot is kept at once: 16 x 8 KB. Others take each other's place, which costs
// queries, not correctness.
enum { SNAPSHOTS = 16 };

struct snapshot {
    int64_t account; /* 0: none */
    int64_t taken_ns;
    int count;
    int64_t id[PLACES_MAX]; /* ascending */
};

struct places {
    struct store *store;
    const struct clock *clock;
    pthread_mutex_t lock;
    struct snapshot snapshot[SNAPSHOTS];
};

enum err places_new(struct store *store, const struct clock *clock, struct places **out)
{
    struct places *p = calloc(1, sizeof(*p));

    if (!p)
        return ERR_NOMEM;
    p->store = store;
    p->clock = clock;
    pthread_mutex_init(&p->lock, NULL);
    *out = p;
    return ERR_OK;
}

void places_free(struct places *p)
{
    if (!p)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static int by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int search(const struct snapshot *s, int64_t job)
{
    const int64_t *at = bsearch(&job, s->id, (size_t)s->count, sizeof(s->id[0]), by_id);

    return at ? (int)(at - s->id) + 1 : 0;
}

int places_of(struct places *p, int64_t account, int64_t job)
{
    const int64_t age_ns = PLACES_AGE_MS * (int64_t)1000000;
    struct snapshot *slot = &p->snapshot[(uint64_t)account % SNAPSHOTS];
    int64_t now = clock_mono_ns(p->clock);
    int place = 0;

    pthread_mutex_lock(&p->lock);
    bool fresh = slot->account == account && now - slot->taken_ns < age_ns;
    if (fresh)
        place = search(slot, job);
    pthread_mutex_unlock(&p->lock);
    if (fresh)
        return place;

    struct snapshot *s = malloc(sizeof(*s));
    if (!s || store_waiting_ids(p->store, account, s->id, PLACES_MAX, &s->count)) {
        free(s);
        return 0;
    }
    s->account = account;
    s->taken_ns = now;
    place = search(s, job);
    pthread_mutex_lock(&p->lock);
    memcpy(slot, s, sizeof(*s));
    pthread_mutex_unlock(&p->lock);
    free(s);
    return place;
}
