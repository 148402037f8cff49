/* SPDX-License-Identifier: MIT */
#include "worker/budget.h"

#include "base/wait.h"

#include <stdlib.h>

// How soon a waiting job notices that it was cancelled: well under the second that is promised.
enum { CANCEL_LOOK_MS = 200 };

struct taker {
    struct taker *next;
};

struct budget {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t total_bytes, bytes;
    int places;
    struct taker *first; // who is served next; entries live on their threads' stacks
};

enum err budget_new(int64_t bytes, int places, struct budget **out)
{
    struct budget *b = calloc(1, sizeof *b);

    if (!b)
        return ERR_NOMEM;
    pthread_mutex_init(&b->lock, NULL);
    wait_cond_init(&b->changed);
    b->total_bytes = b->bytes = bytes;
    b->places = places;
    *out = b;
    return ERR_OK;
}

void budget_free(struct budget *b)
{
    if (!b)
        return;
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

enum err budget_take(struct budget *b, int64_t bytes, const atomic_bool *cancel,
                     struct err_note *note)
{
    struct taker me = {NULL}, **at;
    enum err e = ERR_OK;

    if (bytes > b->total_bytes)
        return err_set_reason(note, ERR_TOO_LARGE, "memory",
                              "it needs %lld MB of memory, %lld MB may be used; send a smaller one",
                              (long long)(bytes >> 20), (long long)(b->total_bytes >> 20));
    pthread_mutex_lock(&b->lock);
    for (at = &b->first; *at; at = &(*at)->next)
        ;
    *at = &me;
    while (!e && (b->first != &me || b->places == 0 || b->bytes < bytes)) {
        wait_for(&b->changed, &b->lock, CANCEL_LOOK_MS);
        if (atomic_load(cancel))
            e = ERR_CANCELLED;
    }
    for (at = &b->first; *at != &me; at = &(*at)->next)
        ;
    *at = me.next;
    if (!e) {
        b->places--;
        b->bytes -= bytes;
    }
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    return e;
}

int budget_waiting(struct budget *b)
{
    int n = 0;

    pthread_mutex_lock(&b->lock);
    for (const struct taker *t = b->first; t; t = t->next)
        n++;
    pthread_mutex_unlock(&b->lock);
    return n;
}

static void give(struct budget *b, int places, int64_t bytes)
{
    pthread_mutex_lock(&b->lock);
    b->places += places;
    b->bytes += bytes;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

void budget_give_place(struct budget *b)
{
    give(b, 1, 0);
}

void budget_give_bytes(struct budget *b, int64_t bytes)
{
    give(b, 0, bytes);
}
