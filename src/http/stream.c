/* SPDX-License-Identifier: MIT */
/*
 * Answers that go on. The library asks for bytes on the connection's own thread; when there are
 * none the connection is suspended until somebody wakes it. Two threads meet at conn.stream:
 *
 *     NONE -- http_answer_stream() --> BUSY -- nothing to send: suspend --> ASLEEP
 *                                       ^ |                                   |
 *                 looks again           | +-- wake --> WOKEN <-- wake: resume +
 *                                       +----------------+
 *
 * Every change is one atomic step, so that a wake is either seen before the connection sleeps or
 * resumes it.
 */
#include "http/http_internal.h"

#include <string.h>

enum {
    LIBRARY_BLOCK = 1024 // what the library sets aside per stream; pieces go out in larger blocks
};

static void set_deadline(struct http_request *r, int64_t at_ns)
{
    atomic_store_explicit(&conn_of(r)->watched.deadline_ns, at_ns, memory_order_relaxed);
}

// Hands over some of the piece at hand.
static ssize_t send_piece(struct http_request *r, char *to, size_t room)
{
    size_t left = r->piece.len - r->piece_at, n = left < room ? left : room;

    memcpy(to, r->piece.data + r->piece_at, n);
    r->piece_at += n;
    r->sent_bytes += (int64_t)n;
    if (r->piece_at == r->piece.len) {
        buf_release(&r->piece); // an idle stream holds no memory for its next piece
        r->piece_at = 0;
    }
    set_deadline(r, clock_mono_ns(r->server->o.clock) + HTTP_SEND_MS * (int64_t)1000000);
    return (ssize_t)n;
}

static ssize_t fall_asleep(struct http_request *r)
{
    int busy = STREAM_BUSY;

    set_deadline(r, 0);
    MHD_suspend_connection(r->mhd);
    if (!atomic_compare_exchange_strong(&conn_of(r)->stream, &busy, STREAM_ASLEEP))
        MHD_resume_connection(r->mhd); // woken meanwhile; the library will call again
    return 0;
}

static ssize_t read_stream(void *ctx, uint64_t at, char *to, size_t room)
{
    struct http_request *r = ctx;

    (void)at;
    if (r->piece.len > 0)
        return send_piece(r, to, room);
    atomic_store(&conn_of(r)->stream, STREAM_BUSY);
    if (!r->ending && !atomic_load(&r->server->stopping))
        r->ending = !r->stream->next(r->stream_ctx, &r->piece) || r->piece.failed;
    else
        r->ending = true;
    if (r->piece.len > 0 && !r->piece.failed)
        return send_piece(r, to, room);
    return r->ending ? MHD_CONTENT_READER_END_OF_STREAM : fall_asleep(r);
}

struct MHD_Response *stream_body(struct http_request *r)
{
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, LIBRARY_BLOCK, read_stream, r, NULL);
}

bool http_answer_stream(struct http_request *r, const struct http_response *head,
                        const struct http_stream *s, void *ctx)
{
    struct http_response out = HTTP_RESPONSE(head->status);

    if (atomic_fetch_add(&r->server->streams, 1) >= HTTP_STREAMS_MAX) {
        atomic_fetch_sub(&r->server->streams, 1);
        return false;
    }
    atomic_store(&conn_of(r)->stream, STREAM_BUSY);
    // Its connection is counted apart until it is closed, so it does not go on to other requests:
    // thousands of streams that end together must not become thousands of connections.
    conn_of(r)->counted_apart = true;
    r->close = true;
    r->stream = s;
    r->stream_ctx = ctx;
    out.type = head->type;
    http_answer(r, &out);
    return true;
}

void http_stream_wake(struct http_request *r)
{
    if (atomic_exchange(&conn_of(r)->stream, STREAM_WOKEN) == STREAM_ASLEEP)
        MHD_resume_connection(r->mhd);
}

void stream_close(struct http_request *r)
{
    if (!r->stream)
        return;
    r->stream->closed(r->stream_ctx);
    atomic_store(&conn_of(r)->stream, STREAM_NONE);
    buf_release(&r->piece);
    r->stream = NULL;
}
