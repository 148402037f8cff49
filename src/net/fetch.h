/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NET_FETCH_H
#define PATINA_NET_FETCH_H

#include "base/buf.h"
#include "base/clock.h"
#include "net/addr_policy.h"

#include <netdb.h>
#include <stdatomic.h>

/*
 * The only outbound HTTP client: pictures in (fetch_get) and webhooks out (fetch_post), both under
 * one address policy. Every name is resolved once; if any of its addresses is refused the name is;
 * the connection goes to an address that was checked (so a second DNS answer cannot redirect it).
 * No proxy, cookies, credentials or content decoding. Blocking; any number of threads at once.
 */
enum {
    FETCH_REDIRECTS_MAX = 3,
    FETCH_CONNECT_MS = 10000,
    FETCH_TOTAL_MS = 30000,
    FETCH_RATE_MIN = 10000, /* bytes a second, over any 5 s of the body */
    FETCH_POST_MS = 15000
};

struct fetcher;

struct fetch_options {
    struct addr_policy policy;
    const char *ca_file; /* adds a CA to the system's (PATINA_FETCH_CA), or NULL */
    /* For tests; NULL: getaddrinfo. Same contract as getaddrinfo, freed with freeaddrinfo. */
    int (*resolve)(void *ctx, const char *host, const char *port, struct addrinfo **out);
    void *resolve_ctx; /* must outlive calls under way, also those that nobody waits for */
    int hurry;         /* for tests: divides every time limit; 0 is 1 */
};

/* Copies what it is given. ERR_INVALID when ca_file is not a PEM file of certificates. */
MUST_USE enum err fetcher_open(const struct fetch_options *o, struct fetcher **out,
                               struct err_note *note);

/* No call may be under way. Does not wait for name servers that have not answered yet. */
void fetcher_close(struct fetcher *f);

/*
 * GETs `url` into `out` (appended; at most bytes_max, counted while streaming; unchanged on
 * failure). Up to FETCH_REDIRECTS_MAX redirects are followed, each judged anew. dns, refused,
 * timeout, incomplete and 5xx are tried once more within FETCH_TOTAL_MS. ERR_FETCH with note.reason
 * one of dns, refused, timeout, too_slow, incomplete, tls, http_status (note.status set),
 * bad_response, blocked_address, blocked_port, too_many_redirects, not_https; ERR_TOO_LARGE (reason
 * "bytes"); ERR_NOMEM; ERR_CANCELLED within 200 ms of *cancel, which may be NULL.
 */
MUST_USE enum err fetch_get(struct fetcher *f, const char *url, size_t bytes_max,
                            const atomic_bool *cancel, struct buf *out, struct err_note *note);

struct fetch_post {
    const char *url;
    const char *const *headers; /* "Name: value" lines */
    int header_count;
    const void *body;
    size_t body_len;
};

struct fetch_reply {
    int status;        /* HTTP status; 0: no answer */
    int retry_after_s; /* from 429/503, seconds or HTTP date; -1: none */
};

/* One attempt, redirects not followed, FETCH_POST_MS in all; the answer's body is read and dropped
 * (64 KiB at most). ERR_OK whenever there was an answer, whatever its status; else ERR_FETCH as
 * above, or ERR_CANCELLED. */
MUST_USE enum err fetch_post(struct fetcher *f, const struct fetch_post *p,
                             const atomic_bool *cancel, struct fetch_reply *out,
                             struct err_note *note);

#endif
