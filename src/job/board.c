/* SPDX-License-Identifier: MIT */
#include "job/board.h"

#include "base/hash.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * A hash table in shards, each a short list under a lock of its own. Its size is fixed: there are
 * at most a few hundred running jobs, and what the API asks for most, jobs that do not run, finds
 * an empty list.
 */
enum { SHARDS = 256 };

struct entry {
    struct entry *next;
    char uuid[UUID_TEXT];
    atomic_bool cancel;
    struct board_entry now;
};

struct shard {
    pthread_mutex_t lock;
    struct entry *first;
};

struct board {
    _Atomic double correction;
    struct shard shard[SHARDS];
};

const char *job_stage_name(enum job_stage s)
{
    static const char *const names[] = {"queued",   "fetching", "decoding", "rendering",
                                        "encoding", "storing",  "done"};

    assert((size_t)s < sizeof(names) / sizeof(names[0]));
    return names[s];
}

enum err board_new(struct board **out)
{
    struct board *b = calloc(1, sizeof(*b));

    if (!b)
        return ERR_NOMEM;
    atomic_init(&b->correction, 1.0);
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_init(&b->shard[i].lock, NULL);
    *out = b;
    return ERR_OK;
}

void board_free(struct board *b)
{
    if (!b)
        return;
    for (int i = 0; i < SHARDS; i++) {
        struct entry *e = b->shard[i].first;
        while (e) {
            struct entry *next = e->next;
            free(e);
            e = next;
        }
        pthread_mutex_destroy(&b->shard[i].lock);
    }
    free(b);
}

static struct shard *shard_of(struct board *b, const char *uuid)
{
    return &b->shard[fnv1a(uuid, strlen(uuid)) % SHARDS];
}

// The link that points at the entry, or at the NULL where it would be. The shard is locked.
static struct entry **find(struct shard *s, const char *uuid)
{
    struct entry **at = &s->first;

    while (*at && strcmp((*at)->uuid, uuid) != 0)
        at = &(*at)->next;
    return at;
}

const atomic_bool *board_add(struct board *b, const char *uuid)
{
    struct shard *s = shard_of(b, uuid);

    assert(strlen(uuid) < UUID_TEXT);
    pthread_mutex_lock(&s->lock);
    struct entry **at = find(s, uuid), *e = *at;
    if (!e) {
        e = *at = calloc(1, sizeof(*e));
        if (e)
            memcpy(e->uuid, uuid, strlen(uuid) + 1);
    }
    if (e) {
        e->now = (struct board_entry){.stage = STAGE_QUEUED, .eta_ms = -1};
        atomic_store(&e->cancel, false);
    }
    pthread_mutex_unlock(&s->lock);
    return e ? &e->cancel : NULL;
}

void board_set(struct board *b, const char *uuid, const struct board_entry *e)
{
    struct shard *s = shard_of(b, uuid);

    pthread_mutex_lock(&s->lock);
    struct entry *there = *find(s, uuid);
    if (there) {
        int least = there->now.progress;
        there->now = *e;
        if (there->now.progress < least)
            there->now.progress = least;
    }
    pthread_mutex_unlock(&s->lock);
}

void board_remove(struct board *b, const char *uuid)
{
    struct shard *s = shard_of(b, uuid);

    pthread_mutex_lock(&s->lock);
    struct entry **at = find(s, uuid), *e = *at;
    if (e)
        *at = e->next;
    pthread_mutex_unlock(&s->lock);
    free(e);
}

bool board_get(struct board *b, const char *uuid, struct board_entry *out)
{
    struct shard *s = shard_of(b, uuid);

    pthread_mutex_lock(&s->lock);
    struct entry *e = *find(s, uuid);
    if (e)
        *out = e->now;
    pthread_mutex_unlock(&s->lock);
    return e != NULL;
}

void board_cancel(struct board *b, const char *uuid)
{
    struct shard *s = shard_of(b, uuid);

    pthread_mutex_lock(&s->lock);
    struct entry *e = *find(s, uuid);
    if (e)
        atomic_store(&e->cancel, true);
    pthread_mutex_unlock(&s->lock);
}

void board_measured(struct board *b, int64_t estimated_ms, int64_t measured_ms)
{
    // The newest run counts a quarter: a change of load shows after a few jobs, one outlier fades.
    const double weight = .25, least = .05, most = 20;
    double was = atomic_load(&b->correction), now;

    if (estimated_ms <= 0 || measured_ms < 0)
        return;
    double ratio = (double)measured_ms / (double)estimated_ms;
    do {
        now = was + weight * (ratio - was);
        now = now < least ? least : now > most ? most : now;
    } while (!atomic_compare_exchange_weak(&b->correction, &was, now));
}

double board_correction(struct board *b)
{
    return atomic_load(&b->correction);
}

int64_t board_left_ms(int64_t reckoned_ms, int64_t passed_ms, double done)
{
    // A tenth of the way says more than any reckoning. passed / done is the whole by the run's own
    // pace, here weighed by done / SURE: as done -> 0 it knows nothing.
    static const double SURE = 0.1;
    double whole = done < SURE ? (1 - done / SURE) * (double)reckoned_ms + (double)passed_ms / SURE
                               : (double)passed_ms / done;

    return (int64_t)((1 - done) * whole);
}
