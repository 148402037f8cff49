/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* A real listener on a free port of loopback, spoken to byte by byte. */

enum { BODY_MAX = 1000, PATIENCE_MS = 10000 };

struct fixture {
    struct http_server *server;
    struct clock_sim sim;
    pthread_t later;
    sem_t parked, go, done;
    struct http_request *parked_request;
    int calls;

    // The stream's: what it says next, and how it went.
    pthread_mutex_t lock;
    struct http_request *follower; // NULL once it is over; under the lock
    atomic_int news;               // pieces to come
    atomic_bool over;
    sem_t asked, ended;
    int said;
};

static void say(struct http_request *r, int status, const char *text)
{
    struct http_response out = HTTP_RESPONSE(status);

    out.type = "text/plain";
    buf_adds(&out.body, text);
    http_answer(r, &out);
}

static void echo(void *ctx, struct http_request *r)
{
    size_t len;
    const char *body = http_body(r, &len), *q = http_query(r, "q");
    struct http_response out = HTTP_RESPONSE(200);

    (void)ctx;
    out.type = "text/plain";
    buf_addf(&out.body, "%s|%s|%s|", http_path(r), http_param(r, 0), q ? q : "-");
    buf_add(&out.body, body, len);
    http_answer(r, &out);
}

// Answered by the thread below, once it is let go.
static void later(void *ctx, struct http_request *r)
{
    struct fixture *f = ctx;

    f->parked_request = r;
    sem_post(&f->parked);
}

static void *answer_later(void *arg)
{
    struct fixture *f = arg;

    sem_wait(&f->parked);
    sem_wait(&f->go);
    say(f->parked_request, 200, "late");
    sem_post(&f->done);
    return NULL;
}

static void file(void *ctx, struct http_request *r)
{
    struct http_response out = HTTP_RESPONSE(200);
    char path[] = "/tmp/patina-test-XXXXXX";

    (void)ctx;
    out.fd = mkstemp(path);
    assert_true(out.fd >= 0);
    unlink(path);
    assert_int_equal(write(out.fd, "0123456789", 10), 10);
    out.fd_bytes = 10;
    out.etag = "\"tag\"";
    out.type = "image/png";
    http_set_header(r, "Cache-Control", "public, immutable");
    http_answer(r, &out);
}

// Says "0", "1", ... as long as there is news; sleeps when there is none.
static bool say_next(void *ctx, struct buf *out)
{
    struct fixture *f = ctx;

    if (atomic_load(&f->news) > f->said)
        buf_addf(out, "%d\n", f->said++);
    bool more = !atomic_load(&f->over);
    sem_post(&f->asked);
    return more;
}

static void stream_ended(void *ctx)
{
    struct fixture *f = ctx;

    pthread_mutex_lock(&f->lock);
    f->follower = NULL;
    pthread_mutex_unlock(&f->lock);
    sem_post(&f->ended);
}

// As whoever has news has to: never behind stream_ended().
static void wake_follower(struct fixture *f)
{
    pthread_mutex_lock(&f->lock);
    if (f->follower)
        http_stream_wake(f->follower);
    pthread_mutex_unlock(&f->lock);
}

static void follow(void *ctx, struct http_request *r)
{
    static const struct http_stream stream = {say_next, stream_ended};
    struct fixture *f = ctx;
    struct http_response head = HTTP_RESPONSE(200);

    head.type = "text/plain";
    f->follower = r; // before anybody can wake it
    assert_true(http_answer_stream(r, &head, &stream, f));
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .pattern = "/api/echo/{id}", .name = "echo", .handle = echo},
    {.method = HTTP_POST,
     .pattern = "/api/echo",
     .name = "post",
     .body = true,
     .body_max = BODY_MAX,
     .handle = echo},
    {.method = HTTP_POST,
     .pattern = "/api/closed",
     .name = "closed",
     .auth = true,
     .body_max = BODY_MAX,
     .handle = echo},
    {.method = HTTP_GET, .pattern = "/api/later", .name = "later", .handle = later},
    {.method = HTTP_GET, .pattern = "/api/file", .name = "file", .handle = file},
    {.method = HTTP_GET, .pattern = "/api/stream", .name = "stream", .handle = follow},
};

static bool gate(void *ctx, struct http_request *r, const struct http_route *route)
{
    (void)ctx;
    if (!route->auth)
        return true;
    say(r, 401, "no");
    return false;
}

static void refuse(void *ctx, struct http_request *r, const char *why, struct http_response *out)
{
    (void)ctx, (void)r;
    out->type = "text/plain";
    buf_adds(&out->body, why);
}

static int setup_with(void **state, int threads)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct err_note note;

    clock_sim_init(&f->sim, 1700000000000);
    pthread_mutex_init(&f->lock, NULL);
    sem_init(&f->parked, 0, 0);
    sem_init(&f->go, 0, 0);
    sem_init(&f->done, 0, 0);
    sem_init(&f->asked, 0, 0);
    sem_init(&f->ended, 0, 0);
    struct http_options o = {.address = "127.0.0.1:0",
                             .threads = threads,
                             .routes = routes,
                             .route_count = sizeof(routes) / sizeof(routes[0]),
                             .alias_from = "/v",
                             .alias_to = "/api",
                             .cors_origin = "https://app.example",
                             .clock = &f->sim.clock,
                             .ctx = f,
                             .gate = gate,
                             .refuse = refuse};
    if (http_server_start(&o, &f->server, &note)) {
        print_error("%s\n", note.text);
        return -1;
    }
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, 2);
}

static int setup_single(void **state)
{
    return setup_with(state, 1);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    http_server_stop(f->server, 1000);
    free(f);
    return 0;
}

// ---- a client of bytes ----

static int dial(const struct fixture *f)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)http_server_port(f->server)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {PATIENCE_MS / 1000, 0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static void send_bytes(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n <= 0)
            return; // the server has hung up: what it said is read next
        p += n;
        len -= (size_t)n;
    }
}

struct reply {
    int status; // 0: closed without one
    char head[2048];
    char body[16384];
    size_t body_len;
};

static const char *find_header(const char *head, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = strstr(head, "\r\n"); p && p[2]; p = strstr(p + 2, "\r\n"))
        if (!strncasecmp(p + 2, name, len) && p[2 + len] == ':')
            return p + 2 + len + 2;
    return NULL;
}

static bool header_is(const struct reply *r, const char *name, const char *value)
{
    const char *v = find_header(r->head, name);
    size_t len = strlen(value);

    return v && !strncmp(v, value, len) && v[len] == '\r';
}

static struct reply read_reply(int fd, bool has_body)
{
    static struct reply r;
    size_t at = 0;

    memset(&r, 0, sizeof(r));
    while (at < sizeof(r.head) - 1 && !strstr(r.head, "\r\n\r\n")) {
        ssize_t n = recv(fd, r.head + at, 1, 0);
        if (n <= 0)
            return r;
        at++;
    }
    r.status = atoi(r.head + 9);
    const char *length = find_header(r.head, "Content-Length");
    size_t want = has_body && length ? (size_t)atoi(length) : 0;
    assert_true(want < sizeof(r.body));
    while (r.body_len < want) {
        ssize_t n = recv(fd, r.body + r.body_len, want - r.body_len, 0);
        if (n <= 0)
            break;
        r.body_len += (size_t)n;
    }
    assert_int_equal(r.body_len, want);
    return r;
}

static bool closed(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, 0);

    return n == 0 || (n < 0 && errno == ECONNRESET); // not: patience ran out
}

static struct reply ask_n(const struct fixture *f, const void *request, size_t len)
{
    int fd = dial(f);

    send_bytes(fd, request, len);
    struct reply r = read_reply(fd, strncmp(request, "HEAD", 4) != 0);
    close(fd);
    return r;
}

static struct reply ask(const struct fixture *f, const char *request)
{
    return ask_n(f, request, strlen(request));
}

// The next direct allocation of the listener's for a request finds no memory.
static atomic_bool no_memory;

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
void *__real_arena_alloc(struct arena *a, size_t size);
void *__wrap_arena_alloc(struct arena *a, size_t size);

void *__wrap_arena_alloc(struct arena *a, size_t size)
{
    return atomic_exchange(&no_memory, false) ? NULL : __real_arena_alloc(a, size);
}
// NOLINTEND(bugprone-reserved-identifier)

// ---- tests ----

static void without_memory_for_its_target_a_request_may_come_again(void **state)
{
    atomic_store(&no_memory, true);
    struct reply r = ask(*state, "GET /api/echo/x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(r.status, 503);
    assert_string_equal(r.body, "out of memory");
    assert_false(atomic_load(&no_memory));
}

static void requests_are_routed_and_answered(void **state)
{
    struct reply r = ask(*state, "GET /v//x/../echo/a%20b?q=1+2 HTTP/1.1\r\nHost: x\r\n"
                                 "X-Request-Id: my-id_1\r\n\r\n");
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body, "/api/echo/a b|a b|1 2|");
    assert_true(header_is(&r, "X-Request-Id", "my-id_1"));
    assert_true(header_is(&r, "X-Content-Type-Options", "nosniff"));
    assert_true(header_is(&r, "Cache-Control", "no-store"));
    assert_true(header_is(&r, "Access-Control-Allow-Origin", "https://app.example"));

    r = ask(*state, "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    assert_string_equal(r.body, "/api/echo||-|hello");
    r = ask(*state, "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n");
    assert_string_equal(r.body, "/api/echo||-|hello");
    r = ask(*state, "HEAD /api/echo/1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(r.status, 200);
    assert_true(header_is(&r, "Content-Length", "16"));
    r = ask(*state, "GET http://other/api/echo/1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(r.status, 200);
    r = ask(*state, "GET /api/echo/1 HTTP/1.0\r\n\r\n");
    assert_int_equal(r.status, 200);
}

static void ids_that_could_harm_a_log_are_replaced(void **state)
{
    static const char *const bad[] = {
        "a b",
        "a\tb",
        "",
        "\xC3\xA9",
        "a\"b",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", // 65
    };
    char request[200];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(request, sizeof(request),
                 "GET /api/echo/1 HTTP/1.1\r\nHost: x\r\nX-Request-Id: %s\r\n\r\n", bad[i]);
        struct reply r = ask(*state, request);
        assert_int_equal(r.status, 200);
        assert_false(header_is(&r, "X-Request-Id", bad[i]));
        assert_non_null(find_header(r.head, "X-Request-Id"));
    }
}

static void unknown_paths_and_methods_are_refused(void **state)
{
    struct reply r = ask(*state, "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(r.status, 404);
    r = ask(*state, "DELETE /api/echo HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(r.status, 405);
    assert_true(header_is(&r, "Allow", "POST, OPTIONS"));
    r = ask(*state, "POST /api/echo/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(r.status, 405);
    assert_true(header_is(&r, "Allow", "GET, HEAD, OPTIONS"));
    r = ask(*state, "OPTIONS /api/echo HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(r.status, 204);
    assert_true(header_is(&r, "Access-Control-Allow-Methods", "POST, OPTIONS"));
}

static void ambiguous_requests_are_refused(void **state)
{
#define ROW(status_, text_)               \
    {                                     \
        status_, text_, sizeof(text_) - 1 \
    }
    static const struct {
        int status;
        const char *text;
        size_t len;
    } row[] = {
        ROW(400, "GET /api/echo/1 HTTP/1.1\r\n\r\n"),
        ROW(400, "GET /api/echo/1 HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        ROW(400, "GET /api/echo/1 HTTP/1.1\r\nHost: a\0b\r\n\r\n"),
        ROW(400, "GET /api/echo/1 HTTP/1.1\r\nHost: a\r\nX: b\0\r\n\r\n"),
        ROW(400, "GET /api/echo/1 HTTP/1.1\r\nHost: a\r\nX: \0b\r\n\r\n"),
        ROW(400, "GET /api/echo/1 HTTP/1.1\r\nHost: a\r\nX: b\0\0\r\nY: 1\r\n\r\n"),
        ROW(400, "GET /api/echo/1 HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n"),
        ROW(400, "GET /api/echo/\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(400, "GET /api/echo/%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(400, "GET /api/echo/a b HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(400, "GET  /api/echo/a HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(400, "GET /api/echo/1 HTTP/1.1\r\nHost: a\r\nX: b\x01\r\n\r\n"),
        ROW(400, "GET /api/echo/1 HTTP/1.1\r\nHost: a\r\nX: b\r\n folded\r\n\r\n"),
        ROW(400, "GET /api/echo/1 HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
        ROW(400, "GET /api/echo/1 HTTP/1.1\nHost: a\n\n"),
        ROW(400, "GET /api/echo/1 HTTP/1.1\r\nHost : a\r\n\r\n"),
        ROW(400, "GET api HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(400, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                 "Content-Length: 2\r\n\r\nab"),
        ROW(400, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                 "Content-Length: 3\r\n\r\nab"),
        ROW(400, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ROW(400, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
        ROW(400, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\na"),
        ROW(501, "POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"),
        ROW(411, "POST /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"),
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        int fd = dial(*state);
        send_bytes(fd, row[i].text, row[i].len);
        shutdown(fd, SHUT_WR);
        struct reply r = read_reply(fd, true);
        if (r.status != row[i].status)
            fail_msg("row %zu: %d instead of %d: %s", i, r.status, row[i].status, row[i].text);
        assert_true(closed(fd)); // one answer, and no more of it
        close(fd);
    }
}

// A request with `n` more bytes of target and `m` of a header.
static struct reply ask_long(struct fixture *f, size_t n, size_t m)
{
    struct buf b = BUF_INIT;

    buf_adds(&b, "GET /api/echo/");
    for (size_t i = 0; i < n; i++)
        buf_addc(&b, 'a');
    buf_adds(&b, " HTTP/1.1\r\nHost: x\r\nX: ");
    for (size_t i = 0; i < m; i++)
        buf_addc(&b, 'b');
    buf_adds(&b, "\r\n\r\n");
    struct reply r = ask_n(f, b.data, b.len);
    buf_release(&b);
    return r;
}

static void long_heads_are_refused(void **state)
{
    static const char around[] = "GET /api/echo/a HTTP/1.1\r\nHost: x\r\nX: \r\n\r\n";
    size_t prefix = strlen("/api/echo/"), rest = HTTP_HEADERS_MAX - strlen(around);

    assert_int_equal(ask_long(*state, HTTP_TARGET_MAX - prefix, 1).status, 200);
    assert_int_equal(ask_long(*state, HTTP_TARGET_MAX - prefix + 1, 1).status, 414);
    assert_int_equal(ask_long(*state, 1, rest).status, 200);
    assert_int_equal(ask_long(*state, 1, rest + 1).status, 431);
    assert_int_equal(ask_long(*state, 100000, 1).status, 414);
    assert_int_equal(ask_long(*state, 1, 100000).status, 431);
}

static void bodies_have_a_limit(void **state)
{
    char request[BODY_MAX + 200], body[BODY_MAX + 2];

    memset(body, 'x', sizeof(body));
    body[BODY_MAX] = '\0';
    snprintf(request, sizeof(request),
             "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", BODY_MAX, body);
    assert_int_equal(ask(*state, request).status, 200);

    // One more is refused by its announcement alone, and an asked-for 100 does not come.
    snprintf(request, sizeof(request),
             "POST /api/echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
             "Content-Length: %d\r\n\r\n",
             BODY_MAX + 1);
    struct reply r = ask(*state, request);
    assert_int_equal(r.status, 413);
    assert_true(header_is(&r, "Connection", "close"));

    // Chunked, it shows only while it comes.
    snprintf(request, sizeof(request),
             "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
             "%x\r\n%s\r\n0\r\n\r\n",
             BODY_MAX, body);
    assert_int_equal(ask(*state, request).status, 200);
    snprintf(request, sizeof(request),
             "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
             "%x\r\n%s\r\n1\r\ny\r\n0\r\n\r\n",
             BODY_MAX, body);
    assert_int_equal(ask(*state, request).status, 413);

    // Nobody waits for the end of a body that is too long already.
    snprintf(request, sizeof(request),
             "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
             "%x\r\n%s\r\n1\r\ny\r\n",
             BODY_MAX, body);
    assert_int_equal(ask(*state, request).status, 413);

    // A path that takes none.
    assert_int_equal(
        ask(*state, "GET /api/echo/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na").status,
        413);
}

static void a_sender_gets_the_refusal_of_what_it_is_still_sending(void **state)
{
    struct fixture *f = *state;
    size_t len = 8 * 1024 * 1024;
    char *body = calloc(1, len);
    const char *head = "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 8388608\r\n\r\n";

    int fd = dial(f);
    send_bytes(fd, head, strlen(head));
    send_bytes(fd, body, len);
    assert_int_equal(read_reply(fd, true).status, 413);
    close(fd);
    free(body);
}

static void asked_for_continue_comes(void **state)
{
    int fd = dial(*state);
    const char *head = "POST /api/echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                       "Content-Length: 2\r\n\r\n";

    send_bytes(fd, head, strlen(head));
    assert_int_equal(read_reply(fd, false).status, 100);
    send_bytes(fd, "hi", 2);
    assert_string_equal(read_reply(fd, true).body, "/api/echo||-|hi");
    close(fd);
}

static void strangers_are_refused_before_their_body(void **state)
{
    struct reply r =
        ask(*state, "POST /api/closed HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n");
    assert_int_equal(r.status, 401);
}

static void connections_are_kept(void **state)
{
    int fd = dial(*state);

    for (int i = 0; i < 3; i++) {
        const char *request = i == 1 ? "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n"
                                     : "GET /api/echo/1 HTTP/1.1\r\nHost: x\r\n\r\n";
        send_bytes(fd, request, strlen(request));
        assert_int_equal(read_reply(fd, true).status, i == 1 ? 404 : 200);
    }
    // Two at once are answered one after the other.
    const char *two = "GET /api/echo/1 HTTP/1.1\r\nHost: x\r\n\r\n"
                      "GET /api/echo/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    send_bytes(fd, two, strlen(two));
    assert_string_equal(read_reply(fd, true).body, "/api/echo/1|1|-|");
    assert_string_equal(read_reply(fd, true).body, "/api/echo/2|2|-|");
    assert_true(closed(fd));
    close(fd);
}

static void a_client_that_is_done_is_not_kept_waiting(void **state)
{
    const char *request = "GET /api/echo/1 HTTP/1.1\r\nHost: x\r\n\r\n";

    for (int i = 0; i < 5; i++) {
        int fd = dial(*state);
        send_bytes(fd, request, strlen(request));
        shutdown(fd, SHUT_WR);
        assert_int_equal(read_reply(fd, true).status, 200);
        assert_true(closed(fd)); // the clock stands still: by no deadline
        close(fd);
    }
}

static void answers_may_come_from_another_thread(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    const char *request = "GET /api/later HTTP/1.1\r\nHost: x\r\n\r\n";

    for (int i = 0; i < 50; i++) { // before and after the connection is suspended
        pthread_create(&f->later, NULL, answer_later, f);
        if (i % 2)
            sem_post(&f->go);
        send_bytes(fd, request, strlen(request));
        if (i % 2 == 0) {
            poll(NULL, 0, i % 4);
            sem_post(&f->go);
        }
        assert_string_equal(read_reply(fd, true).body, "late");
        pthread_join(f->later, NULL);
    }
    close(fd);
}

static void files_come_in_parts(void **state)
{
    static const struct {
        const char *header;
        int status;
        const char *body, *range;
    } row[] = {
        {"X: y", 200, "0123456789", NULL},
        {"Range: bytes=2-4", 206, "234", "bytes 2-4/10"},
        {"Range: bytes=-3", 206, "789", "bytes 7-9/10"},
        {"Range: bytes=10-", 416, "", "bytes */10"},
        {"Range: bytes=0-1,3-4", 200, "0123456789", NULL},
        {"If-None-Match: \"tag\"", 304, "", NULL},
        {"If-None-Match: \"other\"", 200, "0123456789", NULL},
        {"Range: bytes=2-4\r\nIf-Range: \"tag\"", 206, "234", "bytes 2-4/10"},
        {"Range: bytes=2-4\r\nIf-Range: \"other\"", 200, "0123456789", NULL},
    };
    char request[200];

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        snprintf(request, sizeof(request), "GET /api/file HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n",
                 row[i].header);
        struct reply r = ask(*state, request);
        assert_int_equal(r.status, row[i].status);
        assert_string_equal(r.body, row[i].body);
        assert_true(header_is(&r, "ETag", "\"tag\""));
        assert_true(header_is(&r, "Cache-Control", "public, immutable"));
        if (row[i].range)
            assert_true(header_is(&r, "Content-Range", row[i].range));
    }
}

// Returns when a listener of one thread has dealt with all that was sent so far: it has, at the
// latest, when it comes back for the second of two later requests.
static void settle(struct fixture *f)
{
    const char *request = "GET /api/echo/1 HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = dial(f);

    for (int i = 0; i < 2; i++) {
        send_bytes(fd, request, strlen(request));
        assert_int_equal(read_reply(fd, true).status, 200);
    }
    close(fd);
}

// Nothing happens until `ms` have passed; then the connection is closed.
static void check_deadline(struct fixture *f, int fd, int64_t ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    settle(f);
    clock_sim_advance(&f->sim, ms - 1);
    assert_int_equal(poll(&p, 1, 500), 0); // over two ticks of the watch
    clock_sim_advance(&f->sim, 1);
    assert_true(closed(fd));
    close(fd);
}

static void dripping_does_not_stretch_a_deadline(void **state)
{
    struct fixture *f = *state;
    const char *whole = "GET /api/echo/1 HTTP/1.1\r\nHost: x\r\n\r\n";
    const char *head = "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n";

    // The first headers; what has come so far does not count.
    int fd = dial(f);
    settle(f);
    clock_sim_advance(&f->sim, 1000);
    send_bytes(fd, whole, 10);
    check_deadline(f, fd, HTTP_FIRST_HEADERS_MS - 1000);

    // Later headers, from the previous answer on.
    fd = dial(f);
    send_bytes(fd, whole, strlen(whole));
    assert_int_equal(read_reply(fd, true).status, 200);
    settle(f);
    clock_sim_advance(&f->sim, 1000);
    send_bytes(fd, whole, 3);
    check_deadline(f, fd, HTTP_NEXT_HEADERS_MS - 1000);

    // A body.
    fd = dial(f);
    send_bytes(fd, head, strlen(head));
    settle(f);
    clock_sim_advance(&f->sim, 1000);
    send_bytes(fd, "dripdrip", 8);
    check_deadline(f, fd, HTTP_BODY_MS - 1000);
}

static void a_stop_answers_who_waits(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f), idle = dial(f);
    const char *request = "GET /api/later HTTP/1.1\r\nHost: x\r\n\r\n";

    send_bytes(fd, request, strlen(request));
    sem_wait(&f->parked); // it is with the handler
    sem_post(&f->parked);
    pthread_create(&f->later, NULL, answer_later, f);
    http_server_stop(f->server, 0);
    f->server = NULL;
    struct reply r = read_reply(fd, true);
    assert_int_equal(r.status, 503);
    assert_true(closed(fd));
    assert_true(closed(idle));
    // The handler's side answers all the same, long after; that frees the request.
    sem_post(&f->go);
    pthread_join(f->later, NULL);
    close(fd);
    close(idle);
}

// Reads until `text` has come.
static void expect(int fd, const char *text)
{
    char got[512] = "";
    size_t at = 0, len = strlen(text);

    while (at < len) {
        ssize_t n = recv(fd, got + at, len - at, 0);
        assert_true(n > 0);
        at += (size_t)n;
    }
    assert_string_equal(got, text);
}

static void streams_go_on_as_long_as_there_is_news(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    const char *request = "GET /api/stream HTTP/1.1\r\nHost: x\r\n\r\n";

    f->news = 1;
    send_bytes(fd, request, strlen(request));
    struct reply r = read_reply(fd, false);
    assert_int_equal(r.status, 200);
    assert_true(header_is(&r, "Content-Type", "text/plain"));
    assert_true(header_is(&r, "Transfer-Encoding", "chunked"));
    expect(fd, "2\r\n0\n\r\n");
    // It is asked again behind the piece, has nothing to say, and sleeps; time is no matter.
    sem_wait(&f->asked);
    sem_wait(&f->asked);
    clock_sim_advance(&f->sim, 24 * 3600 * 1000);
    for (int i = 1; i < 100; i++) {
        char chunk[32];
        atomic_store(&f->news, i + 1);
        wake_follower(f);
        snprintf(chunk, sizeof(chunk), "%d\r\n%d\n\r\n", i < 10 ? 2 : 3, i);
        expect(fd, chunk);
    }
    wake_follower(f); // without news: nothing comes of it
    atomic_store(&f->over, true);
    wake_follower(f);
    expect(fd, "0\r\n\r\n");
    sem_wait(&f->ended);
    assert_true(closed(fd));
    close(fd);
}

static void a_stream_without_a_body_is_over_at_once(void **state)
{
    struct fixture *f = *state;
    struct reply r = ask(f, "HEAD /api/stream HTTP/1.1\r\nHost: x\r\n\r\n");

    assert_int_equal(r.status, 200);
    sem_wait(&f->ended);
}

static void a_stop_ends_streams(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    const char *request = "GET /api/stream HTTP/1.1\r\nHost: x\r\n\r\n";

    send_bytes(fd, request, strlen(request));
    assert_int_equal(read_reply(fd, false).status, 200);
    sem_wait(&f->asked); // it sleeps, or is about to
    http_server_stop(f->server, 5000);
    f->server = NULL;
    expect(fd, "0\r\n\r\n");
    assert_true(closed(fd));
    sem_wait(&f->ended);
    close(fd);
}

static void bad_addresses_are_refused(void **state)
{
    static const char *const bad[] = {"",         "8080",        "127.0.0.1",       ":80",
                                      "1.2.3.4:", "127.0.0.1:x", "127.0.0.1:65536", "::1:80",
                                      "[::1]"};
    struct http_options o = {.threads = 1, .clock = &clock_system};
    struct http_server *s;
    struct err_note note;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        o.address = bad[i];
        assert_int_equal(http_server_start(&o, &s, &note), ERR_INVALID);
        assert_true(note.text[0] != '\0');
    }
    // Taken.
    struct fixture *f = *state;
    char taken[32];
    snprintf(taken, sizeof(taken), "127.0.0.1:%d", http_server_port(f->server));
    o.address = taken;
    assert_int_equal(http_server_start(&o, &s, &note), ERR_IO);
    assert_non_null(strstr(note.text, taken));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(requests_are_routed_and_answered),
        T(without_memory_for_its_target_a_request_may_come_again),
        T(ids_that_could_harm_a_log_are_replaced),
        T(unknown_paths_and_methods_are_refused),
        T(ambiguous_requests_are_refused),
        T(long_heads_are_refused),
        T(bodies_have_a_limit),
        T(a_sender_gets_the_refusal_of_what_it_is_still_sending),
        T(asked_for_continue_comes),
        T(strangers_are_refused_before_their_body),
        T(connections_are_kept),
        T(a_client_that_is_done_is_not_kept_waiting),
        T(answers_may_come_from_another_thread),
        T(files_come_in_parts),
        cmocka_unit_test_setup_teardown(dripping_does_not_stretch_a_deadline, setup_single,
                                        teardown),
        T(a_stop_answers_who_waits),
        T(streams_go_on_as_long_as_there_is_news),
        T(a_stream_without_a_body_is_over_at_once),
        T(a_stop_ends_streams),
        T(bad_addresses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
