/* SPDX-License-Identifier: MIT */
#ifndef PATINA_HTTP_HTTP_INTERNAL_H
#define PATINA_HTTP_HTTP_INTERNAL_H

/* For the files of this folder only. */

#include "http/http.h"
#include "http/router.h"
#include "http/watch.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

/*
 * Who owns a request. The listener's thread and an answering thread meet here, each with one
 * atomic step:
 *
 *     OPEN ---- http_answer() before the handler returned --------> ANSWERED
 *       \                                                             ^   ^
 *        +-- handler returned, connection suspended --> PARKED -------+   |
 *                                                          \  answered: resume
 *                                           server stops: resume, 503     |
 *                                                            v            |
 *                                                        ABANDONED -------+ too late: nothing
 *                                                            \
 *                                             connection closed: v
 *                                                        ORPHANED --> ANSWERED: frees the conn
 */
enum request_state {
    REQUEST_OPEN,
    REQUEST_PARKED,
    REQUEST_ANSWERED,
    REQUEST_ABANDONED,
    REQUEST_ORPHANED
};

/* How far the listener's side is with it. */
enum request_phase {
    PHASE_NONE,   /* no request: between two, or before the first */
    PHASE_LINE,   /* its first line has been read */
    PHASE_BODY,   /* its headers were looked at; the body, if any, is coming */
    PHASE_HANDLER /* the handler was called, or the request is refused */
};

struct header {
    const char *name, *value;
};

struct http_request {
    struct http_server *server;
    struct MHD_Connection *mhd;
    _Atomic int state; /* enum request_state */
    enum request_phase phase;

    const char *target; /* where it lay in the library's memory, for strict_check() */
    size_t target_len;
    const char *target_copy; /* in the arena */
    int64_t start_ns;

    enum http_method method;
    const char *path, *query;
    struct router_match match;
    char id[65];
    int64_t account; /* 0: none */
    void *user;

    bool has_body;
    size_t budgeted; /* bytes taken from the server's budget for bodies */
    struct buf body;

    struct arena arena;
    struct header header[HTTP_ANSWER_HEADERS];
    int header_count;
    struct http_response response;    /* valid in ANSWERED */
    bool close;                       /* no further request on this connection */
    const struct http_stream *stream; /* NULL: the answer is whole */
    void *stream_ctx;
    struct buf piece; /* of a stream, what of it is still to be sent from piece_at on */
    size_t piece_at;
    bool ending;     /* after this piece the stream ends */
    int sent_status; /* for the log; 0: nothing was sent */
    int64_t sent_bytes;
};

/* A stream's answer is made by the listener's thread and woken by any. */
enum stream_state {
    STREAM_NONE,
    STREAM_BUSY,   /* next() may be running, or a piece is being sent */
    STREAM_ASLEEP, /* the connection is suspended */
    STREAM_WOKEN   /* next() is to be called, again if it is running */
};

struct conn {
    struct watched watched; /* first: the watch knows connections by it */
    _Atomic int stream;     /* enum stream_state */
    bool counted_apart;     /* in server.streams */
    pthread_t thread;       /* of the library, that serves it */
    struct http_request request;
};

static inline struct conn *conn_of(struct http_request *r)
{
    return (struct conn *)((char *)r - offsetof(struct conn, request));
}

struct http_server {
    struct http_options o;
    char *owned[3]; /* copies of the strings in `o` */
    struct MHD_Daemon *daemon;
    struct watch *watch;
    int port;
    char id_prefix[9];
    _Atomic uint64_t next_id;
    _Atomic size_t body_bytes; /* of all bodies being received */
    _Atomic int under_way;     /* requests begun and not completed */
    _Atomic int streams;       /* connections that have a stream, or had one and are closing */
    _Atomic int stopping;      /* 1: no new requests; 2: whoever waits is answered 503 */
    pthread_mutex_t idle_lock;
    pthread_cond_t idle; /* under_way fell to 0 while stopping */
};

/* request.c */
void request_begin(struct http_request *r, const char *target);
void request_choose_id(struct http_request *r); /* theirs when it is sane, else a new one */
void request_headers(struct http_request *r, const char *method, const char *version);
/* 0, or the status to refuse the body with. */
int request_body(struct http_request *r, const char *data, size_t len);
void request_refuse(struct http_request *r, int status, const char *why);
void request_unbudget(struct http_request *r);
void request_release(struct http_request *r); /* ready for the next one; not the budget */

/* respond.c: hands the answer to the library. */
enum MHD_Result respond(struct http_request *r);

/* stream.c: the body of a stream, and its end. */
struct MHD_Response *stream_body(struct http_request *r);
void stream_close(struct http_request *r);

/* Writes a whole refusal straight to the socket, where the library cannot or must not answer. The
 * connection has to be closed next. */
void respond_raw(struct http_request *r, int status, const char *why);

#endif
