/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NET_FETCH_INTERNAL_H
#define PATINA_NET_FETCH_INTERNAL_H

/*
 * For net/ alone. A fetch is a row of hops; a hop is three steps:
 *     url.c      what host the text means
 *     resolve.c  its addresses, all of them checked
 *     exchange.c one request and its answer, over a connection to one of these
 * and fetch.c follows redirects, tries again, and keeps the time.
 */
#include "net/fetch.h"
#include "net/url.h"

enum {
    ADDRESSES_MAX = 16, /* connected to; more are checked but not tried */
    CANCEL_POLL_MS = 50 /* how often *cancel is looked at: a quarter of what is promised */
};

/* Shared with threads that still wait for a name server; freed with the last of them. */
struct fetcher {
    struct addr_policy policy;
    char *ca_file;
    int (*resolve)(void *ctx, const char *host, const char *port, struct addrinfo **out);
    void *resolve_ctx;
    int hurry;
    atomic_int refs;
    atomic_int resolving; /* threads that wait for a name server */
};

void fetcher_unref(struct fetcher *f);

/* A time limit of the header as the fetcher is in a hurry. */
static inline int64_t hurried_ns(const struct fetcher *f, int64_t ms)
{
    return ms * 1000000 / f->hurry;
}

/* What a call must mind all along. */
struct limits {
    int64_t deadline_ns; /* monotonic */
    const atomic_bool *cancel;
};

/* ERR_OK, ERR_CANCELLED, or ERR_FETCH "timeout" once the deadline has passed. */
enum err limits_check(const struct limits *l, struct err_note *note);

struct addresses {
    struct sockaddr_storage at[ADDRESSES_MAX]; /* with port */
    int count;
};

/* The addresses of u, every one of them allowed by the policy. ERR_FETCH dns, timeout,
 * blocked_address, blocked_port; ERR_CANCELLED; ERR_NOMEM. */
MUST_USE enum err resolve(struct fetcher *f, const struct url *u, const struct limits *l,
                          struct addresses *out, struct err_note *note);

struct exchange {
    struct fetcher *f;
    const struct url *url;
    const struct addresses *to; /* nothing else is connected to */
    const struct limits *limits;
    struct arena *arena;           /* for `location` */
    const struct fetch_post *post; /* NULL: a GET */
    size_t bytes_max;              /* of a GET's body */
    struct buf *out;               /* a GET's body, when the status is 200 or 203 */

    int status;           /* set on ERR_OK */
    const char *location; /* where a redirect leads; NULL: it does not say */
    int retry_after_s;    /* -1: none */
};

/* One request and its answer. A GET reads the body of a 200 or 203 and stops at the head of every
 * other answer. Errors as fetch_get(), of one hop. */
MUST_USE enum err exchange(struct exchange *x, struct err_note *note);

#endif
