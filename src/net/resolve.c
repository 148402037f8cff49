/* SPDX-License-Identifier: MIT */
/*
 * getaddrinfo() cannot be interrupted and may take as long as the name servers like. So it runs in
 * a thread of its own, which the caller leaves behind when time is up. Such threads end by
 * themselves (resolv.conf's timeouts); their number is bounded.
 */
#include "net/fetch_internal.h"

#include "base/wait.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    // All fetches of a big machine at once; with more than that unanswered, DNS is broken.
    RESOLVING_MAX = 64,
    RESOLVER_STACK = 512 * 1024 // what getaddrinfo() and its modules need, with room
};

// One question, shared by who asks and the thread that finds out.
struct question {
    struct fetcher *f;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    atomic_int refs;
    bool done;
    int status; // of getaddrinfo
    struct addrinfo *found;
    char port[8];
    char host[]; // NUL-terminated
};

static void question_unref(struct question *q)
{
    if (atomic_fetch_sub(&q->refs, 1) != 1)
        return;
    if (q->found)
        freeaddrinfo(q->found);
    fetcher_unref(q->f);
    pthread_cond_destroy(&q->answered);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

static struct question *question_new(struct fetcher *f, const struct url *u)
{
    size_t n = strlen(u->host);
    struct question *q = calloc(1, sizeof(*q) + n + 1);

    if (!q)
        return NULL;
    q->f = f;
    atomic_fetch_add(&f->refs, 1);
    atomic_init(&q->refs, 1);
    snprintf(q->port, sizeof(q->port), "%d", u->port);
    memcpy(q->host, u->host, n + 1);
    pthread_mutex_init(&q->lock, NULL);
    wait_cond_init(&q->answered);
    return q;
}

static void *find_out(void *arg)
{
    struct question *q = arg;
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int status = q->f->resolve ? q->f->resolve(q->f->resolve_ctx, q->host, q->port, &found)
                               : getaddrinfo(q->host, q->port, &hints, &found);

    pthread_mutex_lock(&q->lock);
    q->status = status;
    q->found = status == 0 ? found : NULL;
    q->done = true;
    pthread_cond_signal(&q->answered);
    pthread_mutex_unlock(&q->lock);
    atomic_fetch_sub(&q->f->resolving, 1);
    question_unref(q);
    return NULL;
}

static enum err start(struct question *q, struct err_note *note)
{
    pthread_attr_t attr;
    pthread_t thread;

    if (atomic_fetch_add(&q->f->resolving, 1) >= RESOLVING_MAX) {
        atomic_fetch_sub(&q->f->resolving, 1);
        return err_set_reason(note, ERR_FETCH, "dns",
                              "the name servers of this machine do not answer; try again later");
    }
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, RESOLVER_STACK);
    atomic_fetch_add(&q->refs, 1);
    int failed = pthread_create(&thread, &attr, find_out, q);
    pthread_attr_destroy(&attr);
    if (!failed)
        return ERR_OK;
    atomic_fetch_sub(&q->f->resolving, 1);
    question_unref(q);
    return err_set(note, ERR_NOMEM, "cannot start a thread to look up a host name");
}

// Waits for the answer, looking up now and then.
static enum err await(struct question *q, const struct limits *l, struct err_note *note)
{
    enum err e = ERR_OK;

    pthread_mutex_lock(&q->lock);
    while (!q->done && e == ERR_OK) {
        wait_for(&q->answered, &q->lock, CANCEL_POLL_MS);
        if (!q->done)
            e = limits_check(l, note);
    }
    pthread_mutex_unlock(&q->lock);
    return e;
}

// Every address is judged, also those that are not kept.
static enum err judge(const struct fetcher *f, const struct url *u, const struct sockaddr *sa,
                      socklen_t len, struct addresses *out, struct err_note *note)
{
    // The address itself is not told: it would show what a private name server knows.
    if (len > sizeof(out->at[0]) || !addr_allowed(&f->policy, sa))
        return err_set_reason(note, ERR_FETCH, "blocked_address",
                              "the host %s is not on the public internet; use a public address",
                              u->host);
    if (!addr_port_allowed(&f->policy, sa, u->port))
        return err_set_reason(note, ERR_FETCH, "blocked_port",
                              "port %d of %s is not allowed; use port 443", u->port, u->host);
    if (out->count < ADDRESSES_MAX)
        memcpy(&out->at[out->count++], sa, len);
    return ERR_OK;
}

enum err resolve(struct fetcher *f, const struct url *u, const struct limits *l,
                 struct addresses *out, struct err_note *note)
{
    struct addresses found = {.count = 0};
    struct question *q = NULL;
    enum err e = ERR_OK;

    if (u->has_literal) {
        e = judge(f, u, (const struct sockaddr *)&u->literal, sizeof(u->literal), &found, note);
        goto out;
    }
    q = question_new(f, u);
    if (!q) {
        e = err_set(note, ERR_NOMEM, "out of memory");
        goto out;
    }
    e = start(q, note);
    if (e == ERR_OK)
        e = await(q, l, note);
    if (e != ERR_OK)
        goto out;
    if (q->status != 0 || !q->found) {
        e = err_set_reason(note, ERR_FETCH, "dns",
                           "the host name %s cannot be resolved; check that it is right", u->host);
        goto out;
    }
    for (const struct addrinfo *a = q->found; a && e == ERR_OK; a = a->ai_next)
        e = judge(f, u, a->ai_addr, a->ai_addrlen, &found, note);
out:
    if (q)
        question_unref(q);
    if (e == ERR_OK)
        *out = found;
    return e;
}
