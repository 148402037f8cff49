/* SPDX-License-Identifier: MIT */
#include "http/http_internal.h"
#include "http/range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void add(struct MHD_Response *m, const char *name, const char *value)
{
    MHD_add_response_header(m, name, value);
}

// Turns a whole file into what the client asked for: nothing new (304), a part (206, 416), or all.
static struct MHD_Response *from_file(struct http_request *r, struct http_response *out)
{
    int64_t first = 0, last = out->fd_bytes - 1;
    enum range_result range = RANGE_NONE;
    char text[64] = "";
    struct MHD_Response *m;

    if (out->etag && out->status == 200) {
        const char *if_range = http_header(r, "If-Range");
        if (etag_listed(http_header(r, "If-None-Match"), out->etag))
            out->status = 304;
        else if (!if_range || !strcmp(if_range, out->etag))
            range = range_parse(http_header(r, "Range"), out->fd_bytes, &first, &last);
    }
    if (range == RANGE_PART) {
        out->status = 206;
        snprintf(text, sizeof(text), "bytes %lld-%lld/%lld", (long long)first, (long long)last,
                 (long long)out->fd_bytes);
    } else if (range == RANGE_UNSATISFIABLE) {
        out->status = 416;
        snprintf(text, sizeof(text), "bytes */%lld", (long long)out->fd_bytes);
    }
    if (out->status == 304 || out->status == 416) {
        m = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    } else {
        r->sent_bytes = last - first + 1;
        m = MHD_create_response_from_fd_at_offset64((uint64_t)r->sent_bytes, out->fd,
                                                    (uint64_t)first);
        if (m)
            out->fd = -1; // it closes the descriptor now
    }
    if (!m)
        return NULL;
    if (text[0])
        add(m, "Content-Range", text);
    if (out->etag) {
        add(m, "ETag", out->etag);
        add(m, "Accept-Ranges", "bytes");
    }
    return m;
}

static struct MHD_Response *from_memory(struct http_request *r, struct http_response *out)
{
    if (out->fixed) {
        r->sent_bytes = (int64_t)out->fixed_len;
        return MHD_create_response_from_buffer(out->fixed_len, (void *)(uintptr_t)out->fixed,
                                               MHD_RESPMEM_PERSISTENT);
    }
    size_t len = 0;
    char *body = buf_take(&out->body, &len);
    struct MHD_Response *m = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);

    r->sent_bytes = (int64_t)len;
    if (!m)
        free(body);
    return m;
}

static void add_headers(struct http_request *r, const struct http_response *out, int header_count,
                        struct MHD_Response *m)
{
    const char *cors = r->server->o.cors_origin;
    bool cache = false, csp = false;

    if (r->sent_bytes > 0 || r->stream)
        add(m, "Content-Type", out->type ? out->type : "application/json");
    for (int i = 0; i < header_count; i++) {
        add(m, r->header[i].name, r->header[i].value);
        cache |= !strcmp(r->header[i].name, "Cache-Control");
        csp |= !strcmp(r->header[i].name, "Content-Security-Policy");
    }
    add(m, "X-Request-Id", r->id);
    add(m, "X-Content-Type-Options", "nosniff");
    if (!cache)
        add(m, "Cache-Control", "no-store");
    if (!csp)
        add(m, "Content-Security-Policy", "default-src 'none'");
    if (cors) {
        add(m, "Access-Control-Allow-Origin", cors);
        add(m, "Access-Control-Expose-Headers",
            "X-Request-Id, RateLimit, RateLimit-Policy, Retry-After");
        add(m, "Vary", "Origin");
    }
    if (r->close)
        add(m, "Connection", "close");
}

enum MHD_Result respond(struct http_request *r)
{
    struct http_response stopped = HTTP_RESPONSE(503);
    bool abandoned = atomic_load(&r->state) != REQUEST_ANSWERED;
    struct http_response *out = abandoned ? &stopped : &r->response;

    // Of an abandoned request the late answerer may write response and headers at any moment.
    if (abandoned || atomic_load(&r->server->stopping))
        r->close = true;
    if (!abandoned && out->body.failed) {
        http_response_release(out);
        out->status = 503;
    }
    struct MHD_Response *m = r->stream      ? stream_body(r)
                             : out->fd >= 0 ? from_file(r, out)
                                            : from_memory(r, out);
    if (!m)
        return MHD_NO;
    add_headers(r, out, abandoned ? 0 : r->header_count, m);
    r->sent_status = out->status;
    int64_t now = clock_mono_ns(r->server->o.clock);
    int64_t allowance = HTTP_SEND_MS * (int64_t)1000000 +
                        r->sent_bytes * ((int64_t)1000000000 / HTTP_SEND_RATE);
    atomic_store_explicit(&conn_of(r)->watched.deadline_ns, now + allowance, memory_order_relaxed);
    enum MHD_Result queued = MHD_queue_response(r->mhd, (unsigned)out->status, m);
    MHD_destroy_response(m);
    return queued;
}

void respond_raw(struct http_request *r, int status, const char *why)
{
    struct http_response out = HTTP_RESPONSE(status);
    struct buf all = BUF_INIT;

    if (r->server->o.refuse)
        r->server->o.refuse(r->server->o.ctx, r, why, &out);
    buf_addf(&all,
             "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nX-Request-Id: %s\r\n"
             "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
             "Connection: close\r\n%sContent-Length: %zu\r\n\r\n",
             status, MHD_get_reason_phrase_for((unsigned)status),
             out.type ? out.type : "application/json", r->id,
             status == 503 ? "Retry-After: 5\r\n" : "", out.body.len);
    buf_add(&all, out.body.data, out.body.len);
    // Nothing was sent on this connection since the last answer, so there is room for it.
    if (!all.failed)
        send(conn_of(r)->watched.fd, all.data, all.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    conn_of(r)->watched.unread = true;
    r->sent_status = status;
    r->sent_bytes = (int64_t)out.body.len;
    buf_release(&all);
    http_response_release(&out);
}
