/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <stdlib.h>

/* A plain array: as many entries as jobs are being worked on in this process, tens to hundreds. */

void leases_init(struct leases *l)
{
    *l = (struct leases){0};
    pthread_mutex_init(&l->lock, NULL);
}

void leases_release(struct leases *l)
{
    free(l->slot);
    pthread_mutex_destroy(&l->lock);
}

// The lock is held.
static struct lease_slot *find(struct leases *l, int64_t job)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->slot[i].lease.job == job)
            return &l->slot[i];
    }
    return NULL;
}

bool leases_reserve(struct leases *l, size_t more)
{
    bool ok = true;

    pthread_mutex_lock(&l->lock);
    if (l->cap - l->count < more) {
        size_t cap = 2 * l->cap + more;
        struct lease_slot *grown = realloc(l->slot, cap * sizeof(*grown));
        ok = grown != NULL;
        if (ok) {
            l->slot = grown;
            l->cap = cap;
        }
    }
    pthread_mutex_unlock(&l->lock);
    return ok;
}

void leases_add(struct leases *l, const struct lease *lease, int64_t deadline_ns)
{
    pthread_mutex_lock(&l->lock);
    l->slot[l->count++] = (struct lease_slot){*lease, deadline_ns};
    pthread_mutex_unlock(&l->lock);
}

void leases_drop(struct leases *l, int64_t job)
{
    pthread_mutex_lock(&l->lock);
    struct lease_slot *there = find(l, job);
    if (there)
        *there = l->slot[--l->count];
    pthread_mutex_unlock(&l->lock);
}

bool leases_beat(struct leases *l, const struct lease *lease, int64_t deadline_ns)
{
    pthread_mutex_lock(&l->lock);
    struct lease_slot *there = find(l, lease->job);
    bool ours = there && there->lease.token == lease->token;
    if (ours)
        there->deadline_ns = deadline_ns;
    pthread_mutex_unlock(&l->lock);
    return ours;
}

enum err leases_expired(struct leases *l, int64_t now_ns, struct lease **out, size_t *count)
{
    enum err e = ERR_OK;
    size_t n = 0;

    *out = NULL;
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->count; i++) {
        if (l->slot[i].deadline_ns > now_ns)
            continue;
        if (!*out)
            *out = malloc(l->count * sizeof(**out));
        if (!*out) {
            e = ERR_NOMEM;
            break;
        }
        (*out)[n++] = l->slot[i].lease;
    }
    pthread_mutex_unlock(&l->lock);
    *count = n;
    return e;
}
