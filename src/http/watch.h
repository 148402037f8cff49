/* SPDX-License-Identifier: MIT */
#ifndef PATINA_HTTP_WATCH_H
#define PATINA_HTTP_WATCH_H

#include "base/clock.h"
#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * Watches over connections with one thread of its own: closes those that miss a deadline, limits
 * how many one address may have, and closes sockets gently when their sender is still talking.
 *
 * libmicrohttpd's own time-out is one of inactivity: a byte now and then keeps a connection for
 * ever. Here each connection has one absolute deadline, an atomic number that its own thread moves
 * without a lock; the watch looks at all of them several times a second.
 */
struct watch;

struct watched {
    _Atomic int64_t deadline_ns; /* monotonic; 0: none */
    int fd;
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d; of IPv6 the /64 */
    bool unread;         /* its sender was refused while it may still be sending */
    _Atomic bool cut;    /* closed by the watch */
    _Atomic bool idle;   /* between two requests: closed when its peer has said that it is done */
    bool hung_up;        /* private */
    struct watched *prev, *next;
};

/* Deadlines are checked this often. */
enum { WATCH_TICK_MS = 200 };

MUST_USE enum err watch_new(const struct clock *clock, struct watch **out, struct err_note *note);
void watch_free(struct watch *w); /* nothing may be watched any more */

/* From now on `c` is watched (the caller keeps it alive until watch_remove). False when its address
 * already has per_address connections (loopback excepted): the caller closes it. */
bool watch_add(struct watch *w, struct watched *c, int fd, const struct sockaddr *peer,
               int64_t deadline_ns, int per_address);

/* The descriptor is about to be closed by its owner. When its peer may still be sending, a
 * duplicate is kept, drained and closed by the watch: closing with unread bytes would reset the
 * connection, and the peer might lose the answer (RFC 9112 section 9.6). */
void watch_remove(struct watch *w, struct watched *c);

int watch_count(struct watch *w);

/* Calls `each` for every connection, under the watch's lock. */
void watch_each(struct watch *w, void (*each)(struct watched *c));

#endif
