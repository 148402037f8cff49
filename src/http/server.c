/* SPDX-License-Identifier: MIT */
#include "http/http_internal.h"

#include "base/address.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/wait.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    POOL_BYTES = 32 * 1024, /* of the library, per connection: HTTP_HEADERS_MAX, its own notes
                               about them, and the answer's head */
    BACKLOG = 1024,
    SENDING_AFTER_STOP_MS = 2000 /* for the 503s of a stop to reach their clients */
};

static const int64_t ns_per_ms = 1000000;

static const char *method_name(enum http_method m)
{
    static const char *const name[] = {"GET", "HEAD", "POST", "OPTIONS", "other"};

    return name[m];
}

static void set_deadline(struct http_request *r, int64_t ms)
{
    int64_t at = ms ? clock_mono_ns(r->server->o.clock) + ms * ns_per_ms : 0;

    atomic_store_explicit(&conn_of(r)->watched.deadline_ns, at, memory_order_relaxed);
}

// ---- callbacks of the library, in the order of a request's life ----

static void on_connection(void *ctx, struct MHD_Connection *mhd, void **slot,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_server *s = ctx;
    struct conn *c = *slot;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *fd =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        int sock = fd->connect_fd;
        const union MHD_ConnectionInfo *peer =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        *slot = c = calloc(1, sizeof(*c));
        if (!c) { // every other callback does without
            shutdown(sock, SHUT_RDWR);
            return;
        }
        c->request = (struct http_request){.server = s, .response = HTTP_RESPONSE(0)};
        c->thread = pthread_self();
        int64_t until = clock_mono_ns(s->o.clock) + HTTP_FIRST_HEADERS_MS * ns_per_ms;
        if (!watch_add(s->watch, &c->watched, sock, peer->client_addr, until,
                       HTTP_CONNECTIONS_PER_ADDRESS) ||
            atomic_load(&s->stopping))
            shutdown(sock, SHUT_RDWR);
    } else if (c) {
        int parked = REQUEST_ABANDONED;
        watch_remove(s->watch, &c->watched);
        if (c->counted_apart)
            atomic_fetch_sub(&s->streams, 1);
        if (atomic_compare_exchange_strong(&c->request.state, &parked, REQUEST_ORPHANED))
            return; // the late answerer frees it
        request_release(&c->request);
        free(c);
    }
}

static struct conn *conn_on(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static void *on_request_line(void *ctx, const char *target, struct MHD_Connection *mhd)
{
    struct conn *c = conn_on(mhd);

    (void)ctx;
    if (!c || !target)
        return NULL;
    atomic_store_explicit(&c->watched.idle, false, memory_order_relaxed);
    c->request.mhd = mhd;
    request_begin(&c->request, target);
    return &c->request;
}

static size_t keep_escapes(void *ctx, struct MHD_Connection *mhd, char *s)
{
    (void)ctx, (void)mhd;
    return strlen(s); // target.c decodes
}

// The handler has returned without an answer: wait for it, unless it has just come.
static enum MHD_Result park(struct http_request *r)
{
    int open = REQUEST_OPEN, parked = REQUEST_PARKED;

    if (atomic_load(&r->state) == REQUEST_ANSWERED)
        return respond(r);
    MHD_suspend_connection(r->mhd);
    if (!atomic_compare_exchange_strong(&r->state, &open, REQUEST_PARKED))
        MHD_resume_connection(r->mhd); // it came meanwhile; the library will call again
    else if (atomic_load(&r->server->stopping) > 1 &&
             atomic_compare_exchange_strong(&r->state, &parked, REQUEST_ABANDONED))
        MHD_resume_connection(r->mhd);
    return MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **slot)
{
    struct http_server *s = ctx;
    struct http_request *r = *slot;

    (void)mhd, (void)url;
    if (!r)
        return MHD_NO;
    if (r->phase == PHASE_LINE) {
        set_deadline(r, HTTP_BODY_MS);
        request_headers(r, method, version);
        // With a body still to come the refusal goes out at once and ends the connection; without
        // one it waits for the library's next call, which keeps the connection.
        if (atomic_load(&r->state) == REQUEST_ANSWERED && r->has_body) {
            r->phase = PHASE_HANDLER;
            r->close = true;
            conn_of(r)->watched.unread = true;
            return respond(r);
        }
        return MHD_YES;
    }
    if (*len > 0) {
        int bad = request_body(r, data, *len);
        *len = 0;
        // The library takes no answer in the middle of a body.
        if (bad)
            respond_raw(r, bad,
                        bad == 413 ? "the body is over this path's limit"
                                   : "too many bodies are being received; retry");
        return bad ? MHD_NO : MHD_YES;
    }
    if (r->phase == PHASE_BODY) {
        r->phase = PHASE_HANDLER;
        set_deadline(r, 0);
        if (atomic_load(&r->state) != REQUEST_ANSWERED)
            r->match.route->handle(s->o.ctx, r);
        return park(r);
    }
    return respond(r);
}

static void log_request(const struct http_request *r, enum MHD_RequestTerminationCode code)
{
    const struct http_options *o = &r->server->o;
    const struct http_route *route = r->match.route;
    int64_t us = (clock_mono_ns(o->clock) - r->start_ns) / 1000;

    if (!log_wanted(o->log, LOG_INFO))
        return;
    log_event(o->log, LOG_INFO, "http.request", LOG_S("method", method_name(r->method)),
              LOG_S("path", r->path), LOG_S("route", route ? route->name : "-"),
              LOG_N("status", r->sent_status), LOG_N("us", us), LOG_N("bytes", r->sent_bytes),
              LOG_S("request", r->id), LOG_N("account", r->account),
              LOG_S("end", code == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "sent" : "cut"));
}

static void on_completed(void *ctx, struct MHD_Connection *mhd, void **slot,
                         enum MHD_RequestTerminationCode code)
{
    struct http_server *s = ctx;
    struct http_request *r = *slot;

    (void)mhd;
    *slot = NULL;
    if (!r)
        return;
    log_request(r, code);
    stream_close(r);
    set_deadline(r, HTTP_NEXT_HEADERS_MS);
    atomic_store_explicit(&conn_of(r)->watched.idle, true, memory_order_relaxed);
    request_unbudget(r);
    // An abandoned request still belongs to its answerer, too.
    if (atomic_load(&r->state) != REQUEST_ABANDONED)
        request_release(r);
    if (atomic_fetch_sub(&s->under_way, 1) == 1 && atomic_load(&s->stopping)) {
        pthread_mutex_lock(&s->idle_lock);
        pthread_cond_signal(&s->idle);
        pthread_mutex_unlock(&s->idle_lock);
    }
}

/*
 * The library refuses a Content-Length that is no number by itself, before the handler sees the
 * request, and 0.9.75 then sends two heads, one after the other. Its log is the only place that is
 * told in time: there the request is looked for, the one of this thread whose headers are complete
 * but have not been handed over, and answered properly; what the library writes after that goes
 * nowhere.
 */
static void refuse_bad_length(struct watched *w)
{
    struct conn *c = (struct conn *)w;
    struct http_request *r = &c->request;

    if (!pthread_equal(c->thread, pthread_self()) || r->phase != PHASE_LINE ||
        !MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE))
        return;
    request_choose_id(r);
    respond_raw(r, 400, "Content-Length is not a number of bytes");
    shutdown(w->fd, SHUT_WR);
}

static void on_library_log(void *ctx, const char *format, va_list ap)
{
    struct http_server *s = ctx;

    (void)ap;
    if (strstr(format, "Content-Length"))
        watch_each(s->watch, refuse_bad_length);
}

// ---- start ----

static int bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = {.v6 = {0}};
    socklen_t len = sizeof(a);

    if (getsockname(fd, &a.any, &len))
        return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

enum err http_listen(const char *address, int *out, int *port, struct err_note *note)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    char host[ADDRESS_HOST], service[8];
    int on = 1, wanted;

    if (!address_split(address, host, &wanted))
        return err_set(note, ERR_INVALID, "%s is not an address to listen on; write HOST:PORT",
                       address);
    snprintf(service, sizeof(service), "%d", wanted);
    int failed = getaddrinfo(host, service, &hints, &found);
    if (failed)
        return err_set(note, ERR_IO, "cannot listen on %s: %s", address, gai_strerror(failed));
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    enum err e = ERR_OK;
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, BACKLOG))
        e = err_errno(note, "cannot listen on %s", address);
    freeaddrinfo(found);
    if (e) {
        if (fd >= 0)
            close(fd);
        return e;
    }
    *out = fd;
    *port = bound_port(fd);
    return ERR_OK;
}

/*
 * The limit of connections is kept here and not by the library, whose threads stop listening at
 * theirs. libmicrohttpd 0.9.75 sleeps on what it has not handled when a round of events is a
 * multiple of 128; a new connection wakes it, and at its own limit nothing would until the next
 * deadline.
 */
static enum MHD_Result has_room(void *ctx, const struct sockaddr *peer, socklen_t len)
{
    struct http_server *s = ctx;

    (void)peer;
    (void)len;
    return watch_count(s->watch) - atomic_load(&s->streams) < HTTP_CONNECTIONS_MAX ? MHD_YES
                                                                                   : MHD_NO;
}

static struct MHD_Daemon *start_daemon(struct http_server *s, int fd)
{
    int threads = s->o.threads > 1 ? s->o.threads : 0; // the library counts from 2
    struct MHD_OptionItem item[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_library_log, s},
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, 2 * (HTTP_CONNECTIONS_MAX + HTTP_STREAMS_MAX), NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_request_line, s},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL},
        {threads ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, NULL},
        {MHD_OPTION_END, 0, NULL}};

    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                                MHD_USE_ERROR_LOG,
                            0, has_room, s, on_request, s, MHD_OPTION_ARRAY, item, MHD_OPTION_END);
}

static bool own(struct http_server *s, int i, const char **text)
{
    if (!*text)
        return true;
    *text = s->owned[i] = strdup(*text);
    return *text != NULL;
}

static void server_free(struct http_server *s)
{
    if (!s)
        return;
    watch_free(s->watch);
    for (size_t i = 0; i < sizeof(s->owned) / sizeof(s->owned[0]); i++)
        free(s->owned[i]);
    pthread_cond_destroy(&s->idle);
    pthread_mutex_destroy(&s->idle_lock);
    free(s);
}

enum err http_server_start(const struct http_options *o, struct http_server **out,
                           struct err_note *note)
{
    struct http_server *s = calloc(1, sizeof(*s));
    uint8_t prefix[4];
    int fd = o->listen_fd;

    if (!s)
        return err_set(note, ERR_NOMEM, "out of memory");
    s->o = *o;
    pthread_mutex_init(&s->idle_lock, NULL);
    wait_cond_init(&s->idle);
    rand_bytes(prefix, sizeof(prefix));
    hex_encode(prefix, sizeof(prefix), s->id_prefix);
    enum err e = ERR_OK;
    if (!own(s, 0, &s->o.alias_from) || !own(s, 1, &s->o.alias_to) || !own(s, 2, &s->o.cors_origin))
        e = err_set(note, ERR_NOMEM, "out of memory");
    if (!e && !fd)
        e = http_listen(o->address, &fd, &s->port, note);
    else
        s->port = bound_port(fd);
    if (!e)
        e = watch_new(o->clock, &s->watch, note);
    if (!e && !(s->daemon = start_daemon(s, fd)))
        e = err_set(note, ERR_IO, "cannot start the HTTP listener's threads");
    if (e) {
        if (fd && fd != o->listen_fd)
            close(fd);
        server_free(s);
        return e;
    }
    *out = s;
    return ERR_OK;
}

int http_server_port(const struct http_server *s)
{
    return s->port;
}

int http_server_connections(const struct http_server *s)
{
    return watch_count(s->watch);
}

int http_server_streams(const struct http_server *s)
{
    return atomic_load(&s->streams);
}

// ---- stop ----

static void wait_idle(struct http_server *s, int ms)
{
    int64_t until_ns = clock_mono_ns(&clock_system) + ms * ns_per_ms;

    pthread_mutex_lock(&s->idle_lock);
    while (atomic_load(&s->under_way) > 0 && wait_until(&s->idle, &s->idle_lock, until_ns))
        ;
    pthread_mutex_unlock(&s->idle_lock);
}

static void abandon(struct watched *c)
{
    struct http_request *r = &((struct conn *)c)->request;
    int parked = REQUEST_PARKED;

    if (atomic_compare_exchange_strong(&r->state, &parked, REQUEST_ABANDONED))
        MHD_resume_connection(r->mhd);
}

// Asleep or not: a stream that looks finds that the server stops, and ends.
static void wake_stream(struct watched *c)
{
    struct conn *conn = (struct conn *)c;

    if (atomic_load(&conn->stream) != STREAM_NONE)
        http_stream_wake(&conn->request);
}

void http_server_stop(struct http_server *s, int grace_ms)
{
    if (!s)
        return;
    atomic_store(&s->stopping, 1);
    watch_each(s->watch, wake_stream);
    wait_idle(s, grace_ms);
    // From here on nobody parks (see park()), and the library may not be stopped while anybody is.
    atomic_store(&s->stopping, 2);
    watch_each(s->watch, abandon);
    wait_idle(s, SENDING_AFTER_STOP_MS);
    MHD_stop_daemon(s->daemon);
    server_free(s);
}
