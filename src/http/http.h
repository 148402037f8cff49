/* SPDX-License-Identifier: MIT */
#ifndef PATINA_HTTP_HTTP_H
#define PATINA_HTTP_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The listener: HTTP/1.1 (RFC 9110, 9112) on libmicrohttpd with what that library leaves open
 * closed (strict.h), a table of routes, and answers that may come at once or later from any thread.
 * Knows nothing of jobs, accounts or JSON.
 *
 * A REQUEST'S LIFE
 *   1. Its headers are complete: checked, routed, gate() asked, the body's length looked at. A
 *      refusal here goes out before a byte of the body is read.
 *   2. Its body is collected in memory, up to the route's limit.
 *   3. The route's handler is called on one of the listener's threads. It must not block for long.
 *   4. http_answer() is called exactly once, inside the handler or later from any thread. Until
 *      then the request belongs to the handler's side; afterwards it must not be touched. Or the
 *      handler calls http_answer_stream(): the answer is then made bit by bit, for hours if it
 *      has to be.
 *
 * DEADLINES (none of them can be stretched by dripping bytes): the first request's headers within
 * HTTP_FIRST_HEADERS_MS of connecting, later ones within HTTP_NEXT_HEADERS_MS of the previous
 * answer, a body within HTTP_BODY_MS of its headers, an answer taken by the client within
 * HTTP_SEND_MS plus its length at HTTP_SEND_RATE; of a stream, each piece within HTTP_SEND_MS. A
 * connection that misses one is closed.
 */
enum {
    HTTP_FIRST_HEADERS_MS = 10 * 1000,
    HTTP_NEXT_HEADERS_MS = 60 * 1000,
    HTTP_BODY_MS = 30 * 1000,
    HTTP_SEND_MS = 30 * 1000,
    HTTP_SEND_RATE = 10 * 1000, /* bytes a second: as slow as a source may be fetched */

    HTTP_CONNECTIONS_MAX = 1024,         /* streams are counted apart */
    HTTP_STREAMS_MAX = 4096,             /* over it 503; an idle one takes 28 kB: 115 MB in all */
    HTTP_CONNECTIONS_PER_ADDRESS = 256,  /* of one IPv4 address or IPv6 /64; loopback is
                                            exempt, a proxy in front speaks from there */
    HTTP_TARGET_MAX = 4096,              /* bytes of path and query; over it 414 */
    HTTP_HEADERS_MAX = 16 * 1024,        /* bytes of request line and headers; over it 431 */
    HTTP_BODIES_MAX = 256 * 1024 * 1024, /* bytes of all bodies being received; over it 503:
                                            25 uploads of the largest kind at once */
    HTTP_PARAMS_MAX = 2                  /* {name} segments of a route's pattern */
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OPTIONS, HTTP_OTHER };

struct http_request;
struct http_server;

typedef void http_handler_fn(void *ctx, struct http_request *r);

/* A row of the table of routes. */
struct http_route {
    enum http_method method; /* HTTP_GET rows answer HEAD too */
    const char *pattern; /* "/api/v1/job/{id}/cancel": {x} stands for one segment, never empty */
    const char *name;    /* for logs: "job.cancel" */
    bool auth;           /* for gate(): needs an account */
    bool body;           /* a request without Content-Length or chunked coding is 411 */
    size_t body_max;     /* bytes; over it 413; 0: a body is not looked at but must be empty */
    http_handler_fn *handle;
};

/*
 * An answer. Start from HTTP_RESPONSE(status). The body is one of: `body` (taken over), `fixed`
 * (memory that outlives the server), a descriptor (taken over; answers Range, If-Range and
 * If-None-Match by itself when `etag` is set), or nothing. `type` NULL: application/json when
 * there is a body. `type` and `etag` must live as long as the request's arena.
 */
struct http_response {
    int status;
    const char *type;
    struct buf body;
    const void *fixed;
    size_t fixed_len;
    int fd; /* -1: none */
    int64_t fd_bytes;
    const char *etag; /* with its quotes */
};

#define HTTP_RESPONSE(status_)        \
    {                                 \
        .status = (status_), .fd = -1 \
    }

void http_response_release(struct http_response *out);

struct http_options {
    const char *address; /* "127.0.0.1:8080", "[::1]:0", "localhost:80"; port 0: any free one */
    int listen_fd;       /* from http_listen(), taken over on success; 0: listens by itself */
    int threads;         /* at least 1 */
    const struct http_route *routes; /* outlives the server */
    int route_count;
    const char *alias_from, *alias_to; /* a path at or under the first is read as under the second
                                          ("/v1", "/api/v1"); NULL: none */
    const char *cors_origin;           /* Access-Control-Allow-Origin of every answer; NULL: none */
    const struct clock *clock;
    const struct log *log; /* one line per request; may be NULL */

    void *ctx; /* handed to handlers and to: */

    /* Asked before the body is read. False: it has called http_answer(). May be NULL. */
    bool (*gate)(void *ctx, struct http_request *r, const struct http_route *route);

    /* Fills *out (status set) for a refusal by this layer; `why` is a sentence for the client. May
     * be NULL: no body. */
    void (*refuse)(void *ctx, struct http_request *r, const char *why, struct http_response *out);
};

/* Binds and listens only, for who must know the port before the first request can come. Errors as
 * below. */
MUST_USE enum err http_listen(const char *address, int *fd, int *port, struct err_note *note);

/* Binds, listens, starts its threads. ERR_INVALID (address), ERR_IO (it is taken, no permission),
 * with a note that names the address. */
MUST_USE enum err http_server_start(const struct http_options *o, struct http_server **out,
                                    struct err_note *note);

/* The port it listens on. */
int http_server_port(const struct http_server *s);

/* Connections that are open now, and how many of them are streams. */
int http_server_connections(const struct http_server *s);
int http_server_streams(const struct http_server *s);

/*
 * Stops: new connections are closed, requests under way get up to grace_ms to be answered, the rest
 * are answered 503; then frees it. Whoever still owes an answer must call http_answer() all the
 * same, which then only frees the request.
 */
void http_server_stop(struct http_server *s, int grace_ms);

/* ---- the request ---- */

/* Exactly once per request; see above. Takes over what *out owns, also when it cannot be sent. */
void http_answer(struct http_request *r, struct http_response *out);

/*
 * An answer that goes on. The listener asks for the next piece whenever everything so far is in the
 * kernel's hands, so that a slow client is never sent stale news. All calls come from a thread of
 * the listener.
 */
struct http_stream {
    /* Appends the next piece to *out. Nothing appended: it sleeps until http_stream_wake(). False:
     * it ends after what was appended. */
    bool (*next)(void *ctx, struct buf *out);

    /* It is over: ended, cut, or never begun (HEAD). Once; neither request nor ctx is touched
     * afterwards. */
    void (*closed)(void *ctx);
};

/* Instead of http_answer(), inside the handler alone. `head` gives status and type; its body is not
 * used. A stream's connection is closed at its end; a server that stops ends its streams at once.
 * False when there are too many: then the request is still to be answered. */
bool http_answer_stream(struct http_request *r, const struct http_response *head,
                        const struct http_stream *s, void *ctx);

/* There is news: next() will be called soon. Any thread, until closed() has been called. */
void http_stream_wake(struct http_request *r);

/* Adds a header to the answer; before http_answer(). `value` is copied; a value with control bytes
 * is dropped. `name` is static. At most HTTP_ANSWER_HEADERS of them. */
enum { HTTP_ANSWER_HEADERS = 8 };
void http_set_header(struct http_request *r, const char *name, const char *value);

/* Freed after the answer has been sent. */
struct arena *http_arena(struct http_request *r);

enum http_method http_method(const struct http_request *r);

/* Path, normalised and percent-decoded (valid UTF-8 without control characters); parameters of the
 * pattern; the route. They live as long as the request. */
const char *http_path(const struct http_request *r);
const char *http_param(const struct http_request *r, int i); /* "" past the last */
const struct http_route *http_request_route(const struct http_request *r);

/* A parameter of the query, percent-decoded with '+' as space; NULL when absent. Of several with
 * one name the first. Lives as long as the request. */
const char *http_query(struct http_request *r, const char *name);

/* A request header's value, or NULL; of several with one name the first. Only inside gate() and the
 * handler call itself: copy what is needed later. */
const char *http_header(const struct http_request *r, const char *name);

/* How often the header was sent. As above. */
int http_header_count(const struct http_request *r, const char *name);

/* The whole body; NUL-terminated, len may be 0. Lives as long as the request. */
const char *http_body(const struct http_request *r, size_t *len);

/* The X-Request-Id of request and answer. */
const char *http_request_id(const struct http_request *r);

/* What gate() found out, for the handler and the log. `user` is not touched here. */
void http_set_account(struct http_request *r, int64_t account, void *user);
void *http_user(const struct http_request *r);

#endif
