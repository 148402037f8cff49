/* SPDX-License-Identifier: MIT */
/*
 * The fetcher against a server that misbehaves (tests/support/hostile_server.py, whose path is the
 * first argument). The server lives on 127.0.0.2 and only that is exempt from the address rules, so
 * 127.0.0.1 stands for everything that must not be reached.
 */
#include "unit/unit.h"

#include "net/fetch_internal.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER_ADDRESS "127.0.0.2"

static const char *server_script;

enum port { HTTP, HTTPS, EXPIRED, WRONGHOST, SELFSIGNED, PORTS };

struct site {
    char folder[40];
    char ca[60];
    int port[PORTS];
    pid_t server;
    int to_server;
    struct fetcher *plain;
    struct fetcher *hurried; // with a tenth of the time, for what is tried twice
    struct fetcher *rushed;  // with 1/25 of it, for what runs out: 1.2 s in all
    atomic_int questions;    // put to the fake name server
    pthread_mutex_t held;    // "slow.test" answers when it is free
};

// The fake name server. "rebind.test" is public at first and then not.
static int answer(void *ctx, const char *host, const char *port, struct addrinfo **out)
{
    static const struct {
        const char *host;
        const char *addr[3];
    } zone[] = {
        {"good.test", {SERVER_ADDRESS}},
        {"other.test", {SERVER_ADDRESS}},
        {"private.test", {"10.0.0.1"}},
        {"loopback.test", {"127.0.0.1"}},
        {"v6.test", {"::1"}},
        {"mixed.test", {SERVER_ADDRESS, "10.0.0.1"}},
        {"mapped.test", {SERVER_ADDRESS, "::ffff:127.0.0.1"}},
        {"public.test", {"93.184.216.34"}},
    };
    const struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct site *site = ctx;
    int asked = atomic_fetch_add(&site->questions, 1);

    if (strcmp(host, "slow.test") == 0) {
        pthread_mutex_lock(&site->held);
        pthread_mutex_unlock(&site->held);
        return EAI_NONAME;
    }
    if (strcmp(host, "rebind.test") == 0)
        return getaddrinfo(asked == 0 ? SERVER_ADDRESS : "127.0.0.1", port, &numeric, out);
    if (strcmp(host, "again.test") == 0)
        return asked == 0 ? EAI_AGAIN : getaddrinfo(SERVER_ADDRESS, port, &numeric, out);
    for (size_t i = 0; i < sizeof(zone) / sizeof(zone[0]); i++) {
        struct addrinfo **end = out;
        if (strcmp(host, zone[i].host) != 0)
            continue;
        for (int k = 0; k < 3 && zone[i].addr[k]; k++) {
            int status = getaddrinfo(zone[i].addr[k], port, &numeric, end);
            if (status != 0)
                return status;
            while (*end)
                end = &(*end)->ai_next;
        }
        return 0;
    }
    return EAI_NONAME;
}

static bool read_ports(struct site *site, FILE *from)
{
    static const char *const names[PORTS] = {"http", "https", "expired", "wronghost", "selfsigned"};
    char line[80], name[20];
    int port;

    while (fgets(line, sizeof(line), from)) {
        if (strcmp(line, "ready\n") == 0)
            return true;
        for (int i = 0; i < PORTS; i++)
            if (sscanf(line, "%19s %d", name, &port) == 2 && strcmp(name, names[i]) == 0)
                site->port[i] = port;
    }
    return false;
}

static int start_server(struct site *site)
{
    int in[2], out[2];

    if (pipe(in) < 0 || pipe(out) < 0)
        return -1;
    site->server = fork();
    if (site->server == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        execl("/usr/bin/python3", "python3", server_script, SERVER_ADDRESS, site->folder, NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    site->to_server = in[1];
    FILE *from = fdopen(out[0], "r");
    bool ready = read_ports(site, from);
    fclose(from);
    return ready ? 0 : -1;
}

static int set_up(void **state)
{
    struct site *site = calloc(1, sizeof(*site));
    struct fetch_options o = {.resolve = answer, .resolve_ctx = site};

    *state = site;
    snprintf(site->folder, sizeof(site->folder), "/tmp/test_fetch.XXXXXX");
    pthread_mutex_init(&site->held, NULL);
    // What a server's environment may hold must not matter.
    setenv("https_proxy", "http://127.0.0.1:9", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:9", 1);
    setenv("http_proxy", "http://127.0.0.1:9", 1);
    if (!mkdtemp(site->folder) || start_server(site) < 0)
        return -1;
    snprintf(site->ca, sizeof(site->ca), "%s/ca.pem", site->folder);
    o.ca_file = site->ca;
    if (addr_policy_parse(&o.policy, SERVER_ADDRESS, true, NULL) != ERR_OK ||
        fetcher_open(&o, &site->plain, NULL) != ERR_OK)
        return -1;
    o.hurry = 10;
    if (fetcher_open(&o, &site->hurried, NULL) != ERR_OK)
        return -1;
    o.hurry = 25;
    return fetcher_open(&o, &site->rushed, NULL) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    struct site *site = *state;
    static const char *const names[] = {"ca", "https", "expired", "wronghost", "selfsigned"};
    static const char *const ends[] = {"pem", "key", "csr", "ext", "srl"};

    fetcher_close(site->plain);
    fetcher_close(site->hurried);
    fetcher_close(site->rushed);
    close(site->to_server);
    waitpid(site->server, NULL, 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++) {
            char path[80];
            snprintf(path, sizeof(path), "%s/%s.%s", site->folder, names[i], ends[k]);
            unlink(path);
        }
    rmdir(site->folder);
    free(site);
    return 0;
}

// A URL on the server: "SCHEME://HOST:PORT/PATH".
static const char *at(const struct site *site, enum port port, const char *host, const char *path)
{
    static char url[8][600]; // enough for one comparison
    static int turn;
    char *out = url[turn++ % 8];

    snprintf(out, sizeof(url[0]), "%s://%s:%d%s", port == HTTP ? "http" : "https", host,
             site->port[port], path);
    return out;
}

struct result {
    enum err e;
    struct err_note note;
    struct buf body;
    int64_t ms;
};

static struct result get(struct fetcher *f, const char *url, size_t bytes_max,
                         const atomic_bool *cancel)
{
    struct result r = {.body = BUF_INIT};
    int64_t start = clock_mono_ns(&clock_system);

    r.e = fetch_get(f, url, bytes_max, cancel, &r.body, &r.note);
    r.ms = (clock_mono_ns(&clock_system) - start) / 1000000;
    return r;
}

static void assert_fails(struct fetcher *f, const char *url, const char *reason, int status)
{
    struct result r = get(f, url, 1000000, NULL);

    if (r.e != ERR_FETCH || strcmp(r.note.reason, reason) != 0 || r.note.status != status)
        fail_msg("%s: %s, '%s' instead of '%s', status %d: %s", url, err_name(r.e), r.note.reason,
                 reason, r.note.status, r.note.text);
    assert_true(r.note.text[0] != '\0');
    assert_int_equal(r.body.len, 0);
    buf_release(&r.body);
}

static void assert_gets(struct fetcher *f, const char *url, size_t bytes)
{
    struct result r = get(f, url, 1000000, NULL);

    if (r.e != ERR_OK)
        fail_msg("%s: %s: %s", url, err_name(r.e), r.note.text);
    assert_int_equal(r.body.len, bytes);
    buf_release(&r.body);
}

static void pictures_come_whole(void **state)
{
    struct site *s = *state;

    assert_gets(s->plain, at(s, HTTPS, "good.test", "/ok/100000"), 100000);
    assert_gets(s->plain, at(s, HTTPS, SERVER_ADDRESS, "/ok/1"), 1);
    assert_gets(s->plain, at(s, HTTPS, "good.test", "/chunked/100000"), 100000);
    assert_gets(s->plain, at(s, HTTP, "good.test", "/ok/100000"), 100000);
    assert_gets(s->plain, at(s, HTTP, "good.test", "/stream/100000"), 100000);
    assert_gets(s->plain, at(s, HTTPS, "good.test", "/ok/0"), 0);
}

static void what_was_there_stays_in_front(void **state)
{
    struct site *s = *state;
    struct buf out = BUF_INIT;

    buf_adds(&out, "before");
    assert_int_equal(fetch_get(s->plain, at(s, HTTP, "good.test", "/ok/3"), 3, NULL, &out, NULL),
                     ERR_OK);
    assert_string_equal(out.data, "beforexxx");
    assert_int_equal(
        fetch_get(s->plain, at(s, HTTP, "good.test", "/short/9/5"), 9, NULL, &out, NULL),
        ERR_FETCH);
    assert_string_equal(out.data, "beforexxx");
    buf_release(&out);
}

static void the_limit_of_bytes_is_exact(void **state)
{
    enum { LIMIT = 10 * 1000 * 1000 };
    struct site *s = *state;

    for (int over = 0; over < 2; over++) {
        static const char *const kind[] = {"ok", "stream"};
        for (int i = 0; i < 2; i++) {
            char path[40];
            snprintf(path, sizeof(path), "/%s/%d", kind[i], LIMIT + over);
            struct result r = get(s->plain, at(s, HTTP, "good.test", path), LIMIT, NULL);
            assert_int_equal(r.e, over ? ERR_TOO_LARGE : ERR_OK);
            assert_string_equal(r.note.reason, over ? "bytes" : "");
            assert_int_equal(r.body.len, over ? 0 : LIMIT);
            buf_release(&r.body);
        }
    }
    // Not by what the server says: a false length is only incomplete, and no length ends somewhere.
    struct result r = get(s->plain, at(s, HTTPS, "good.test", "/endless"), 1000000, NULL);
    assert_int_equal(r.e, ERR_TOO_LARGE);
    buf_release(&r.body);
    assert_fails(s->hurried, at(s, HTTP, "good.test", "/short/99999999999/10"), "incomplete", 0);
}

static void broken_answers_have_their_reasons(void **state)
{
    static const struct {
        const char *path, *reason;
        int status;
    } row[] = {
        {"/status/404", "http_status", 404},    {"/status/500", "http_status", 500},
        {"/status/503", "http_status", 503},    {"/status/401", "http_status", 401},
        {"/status/204", "http_status", 204},    {"/status/206", "http_status", 206},
        {"/status/304", "http_status", 304},    {"/status/300", "http_status", 300},
        {"/short/1000/999", "incomplete", 0},   {"/short/1000/0", "incomplete", 0},
        {"/shortchunked", "incomplete", 0},     {"/close", "incomplete", 0},
        {"/halfhead", "incomplete", 0},         {"/garbage", "bad_response", 0},
        {"/badchunk", "bad_response", 0},       {"/noplace", "bad_response", 0},
        {"/bighead/100000", "bad_response", 0}, {"/endlesshead", "bad_response", 0},
        {"/loop", "too_many_redirects", 0},
    };
    struct site *s = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        assert_fails(s->hurried, at(s, HTTP, "good.test", row[i].path), row[i].reason,
                     row[i].status);
        assert_fails(s->hurried, at(s, HTTPS, "good.test", row[i].path), row[i].reason,
                     row[i].status);
    }
    assert_gets(s->plain, at(s, HTTP, "good.test", "/bighead/20000"), 1);
}

static void slow_servers_are_given_up(void **state)
{
    // 1.2 s in all, which nobody outlasts: they never end. 200 ms for a window of the body, which
    // is looked at first, unless the machine was busy for the rest of the second.
    static const struct {
        const char *path, *reason;
        int tries;
    } row[] = {
        {"/silent", "timeout", 1},
        {"/driphead", "timeout", 1},
        {"/drip", "too_slow", 10},
        {"/stall", "too_slow", 10},
    };
    struct site *s = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct result r = {0};
        for (int k = 0; k < row[i].tries && strcmp(r.note.reason, row[i].reason) != 0; k++) {
            r = get(s->rushed, at(s, HTTPS, "good.test", row[i].path), 1000000, NULL);
            assert_int_equal(r.e, ERR_FETCH);
            buf_release(&r.body);
        }
        assert_string_equal(r.note.reason, row[i].reason);
    }
}

static void redirects_are_followed_three_times(void **state)
{
    struct site *s = *state;

    assert_gets(s->plain, at(s, HTTPS, "good.test", "/redirect/3"), 7);
    assert_fails(s->plain, at(s, HTTPS, "good.test", "/redirect/4"), "too_many_redirects", 0);
}

// Each target is judged as if it had been the first.
static void redirects_are_judged_anew(void **state)
{
    static const struct {
        const char *target, *reason;
    } row[] = {
        {"http://127.0.0.1/", "blocked_address"},
        {"https://127.0.0.1/", "blocked_address"},
        {"https://2130706433/", "blocked_address"},
        {"https://[::1]/", "blocked_address"},
        {"https://[::ffff:127.0.0.1]/", "blocked_address"},
        {"https://169.254.169.254/latest/meta-data", "blocked_address"},
        {"https://private.test/", "blocked_address"},
        {"https://loopback.test/", "blocked_address"},
        {"https://v6.test/", "blocked_address"},
        {"https://mixed.test/", "blocked_address"},
        {"https://mapped.test/", "blocked_address"},
        {"https://public.test:22/", "blocked_port"},
        {"https://93.184.216.34:22/", "blocked_port"},
        {"https://missing.test/", "dns"},
        {"file:///etc/passwd", "not_https"},
        {"gopher://127.0.0.1:25/x", "not_https"},
        {"ftp://good.test/", "not_https"},
        {"data:image/png,x", "not_https"},
        {"https://user:pass@good.test/", "bad_response"},
        {"https://good.test:99999/", "bad_response"},
    };
    struct site *s = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        char path[200];
        snprintf(path, sizeof(path), "/to/%s", row[i].target);
        assert_fails(s->hurried, at(s, HTTPS, "good.test", path), row[i].reason, 0);
        assert_fails(s->hurried, row[i].target, row[i].reason, 0);
    }
}

static void plain_http_needs_permission(void **state)
{
    struct site *s = *state;
    struct fetch_options o = {.resolve = answer, .resolve_ctx = s, .ca_file = s->ca};
    struct fetcher *f;
    char path[100];

    assert_int_equal(addr_policy_parse(&o.policy, SERVER_ADDRESS, false, NULL), ERR_OK);
    assert_int_equal(fetcher_open(&o, &f, NULL), ERR_OK);
    assert_fails(f, at(s, HTTP, "good.test", "/ok/1"), "not_https", 0);
    snprintf(path, sizeof(path), "/to/%s", at(s, HTTP, "good.test", "/ok/1"));
    assert_fails(f, at(s, HTTPS, "good.test", path), "not_https", 0);
    assert_gets(f, at(s, HTTPS, "good.test", "/ok/1"), 1);
    fetcher_close(f);
}

static void without_exemptions_ports_are_fixed(void **state)
{
    struct site *s = *state;
    struct fetch_options o = {.resolve = answer, .resolve_ctx = s};
    struct fetcher *f;

    assert_int_equal(fetcher_open(&o, &f, NULL), ERR_OK);
    assert_fails(f, "https://public.test:444/", "blocked_port", 0);
    assert_fails(f, "https://public.test:22/", "blocked_port", 0);
    assert_fails(f, "https://good.test/", "blocked_address", 0);
    assert_fails(f, "https://localhost/", "blocked_address", 0);
    fetcher_close(f);
}

// DNS rebinding: the answer that was checked is the one that is used; the next is checked again.
static void a_second_answer_from_dns_redirects_nothing(void **state)
{
    struct site *s = *state;
    char path[100];

    atomic_store(&s->questions, 0);
    assert_gets(s->plain, at(s, HTTP, "rebind.test", "/ok/5"), 5);
    assert_int_equal(atomic_load(&s->questions), 1);
    assert_fails(s->plain, at(s, HTTP, "rebind.test", "/ok/5"), "blocked_address", 0);

    atomic_store(&s->questions, 0);
    snprintf(path, sizeof(path), "/to/%s", at(s, HTTP, "rebind.test", "/ok/5"));
    assert_fails(s->plain, at(s, HTTP, "rebind.test", path), "blocked_address", 0);
    assert_int_equal(atomic_load(&s->questions), 2);
}

// The second wall: even asked to, an exchange opens no socket to what was not checked.
static void sockets_go_to_checked_addresses_only(void **state)
{
    struct site *s = *state;
    struct arena arena = ARENA_INIT;
    struct limits limits = {clock_mono_ns(&clock_system) + 5 * INT64_C(1000000000), NULL};
    struct addresses to = {.count = 0};
    struct err_note note = {0};
    struct buf out = BUF_INIT;
    struct url url;
    struct exchange x = {.f = s->plain,
                         .url = &url,
                         .to = &to,
                         .limits = &limits,
                         .arena = &arena,
                         .bytes_max = 10,
                         .out = &out};

    assert_int_equal(url_parse(&url, &arena, at(s, HTTP, SERVER_ADDRESS, "/ok/1"), NULL), ERR_OK);
    assert_int_equal(exchange(&x, &note), ERR_FETCH);
    assert_string_equal(note.reason, "blocked_address");
    to.at[to.count++] = url.literal;
    ((struct sockaddr_in *)&to.at[0])->sin_port ^= 1; // the right address, another port
    assert_int_equal(exchange(&x, &note), ERR_FETCH);
    to.at[0] = url.literal;
    assert_int_equal(exchange(&x, NULL), ERR_OK);
    assert_int_equal(x.status, 200);
    assert_int_equal(out.len, 1);
    buf_release(&out);
    arena_release(&arena);
}

static void certificates_are_verified(void **state)
{
    struct site *s = *state;
    struct fetch_options o = {.resolve = answer, .resolve_ctx = s};
    struct fetcher *f;

    assert_fails(s->plain, at(s, EXPIRED, "good.test", "/ok/1"), "tls", 0);
    assert_fails(s->plain, at(s, WRONGHOST, "good.test", "/ok/1"), "tls", 0);
    assert_gets(s->plain, at(s, WRONGHOST, "other.test", "/ok/1"), 1);
    assert_fails(s->plain, at(s, SELFSIGNED, "good.test", "/ok/1"), "tls", 0);
    assert_fails(s->plain, at(s, HTTPS, "other.test", "/ok/1"), "tls", 0);
    // Plain HTTP where TLS is spoken and the other way round.
    char url[100];
    snprintf(url, sizeof(url), "https://good.test:%d/ok/1", s->port[HTTP]);
    assert_fails(s->hurried, url, "tls", 0);

    // Without the CA file nobody vouches for the server.
    assert_int_equal(addr_policy_parse(&o.policy, SERVER_ADDRESS, false, NULL), ERR_OK);
    assert_int_equal(fetcher_open(&o, &f, NULL), ERR_OK);
    assert_fails(f, at(s, HTTPS, "good.test", "/ok/1"), "tls", 0);
    fetcher_close(f);
}

static void a_bad_ca_file_is_named_when_opening(void **state)
{
    struct site *s = *state;
    struct fetch_options o = {.ca_file = "/nonexistent.pem"};
    struct err_note note = {0};
    struct fetcher *f = NULL;
    char key[80];

    assert_int_equal(fetcher_open(&o, &f, &note), ERR_INVALID);
    assert_non_null(strstr(note.text, "/nonexistent.pem"));
    snprintf(key, sizeof(key), "%s/ca.key", s->folder);
    o.ca_file = key;
    assert_int_equal(fetcher_open(&o, &f, &note), ERR_INVALID);
    assert_null(f);
}

static void nothing_but_the_request_is_sent(void **state)
{
    struct site *s = *state;
    struct result r = get(s->plain, at(s, HTTP, "good.test", "/cookie"), 10000, NULL);

    assert_int_equal(r.e, ERR_OK);
    assert_non_null(strstr(r.body.data, "User-Agent: patina/" PATINA_VERSION "\r\n"));
    assert_null(strcasestr(r.body.data, "cookie"));
    assert_null(strcasestr(r.body.data, "accept-encoding"));
    assert_null(strcasestr(r.body.data, "authorization"));
    assert_null(strcasestr(r.body.data, "referer"));
    assert_non_null(strstr(r.body.data, "HTTP/1.1\r\n"));
    buf_release(&r.body);

    r = get(s->plain, at(s, HTTP, "good.test", "/echo/a/../b?x=1#frag"), 10000, NULL);
    assert_int_equal(r.e, ERR_OK);
    assert_null(strstr(r.body.data, "frag"));
    buf_release(&r.body);
}

static void content_is_not_decoded(void **state)
{
    struct site *s = *state;
    struct result r = get(s->plain, at(s, HTTP, "good.test", "/gzip"), 10000, NULL);

    assert_int_equal(r.e, ERR_OK);
    assert_memory_equal(r.body.data, "\x1f\x8b", 2);
    assert_true(r.body.len < 1000);
    buf_release(&r.body);
}

static int seen(const struct site *s, const char *token)
{
    char path[60];

    snprintf(path, sizeof(path), "/count/%s", token);
    struct result r = get(s->plain, at(s, HTTP, "good.test", path), 100, NULL);
    int n = r.e == ERR_OK ? atoi(r.body.data) : -1;
    buf_release(&r.body);
    return n;
}

static void what_may_pass_is_tried_once_more(void **state)
{
    struct site *s = *state;

    assert_gets(s->hurried, at(s, HTTP, "good.test", "/once500/a"), 1);
    assert_gets(s->hurried, at(s, HTTP, "good.test", "/onceclose/b"), 1);
    atomic_store(&s->questions, 0);
    assert_gets(s->hurried, at(s, HTTP, "again.test", "/ok/1"), 1);

    assert_fails(s->hurried, at(s, HTTP, "good.test", "/always/502/c"), "http_status", 502);
    assert_int_equal(seen(s, "c"), 2);
    assert_fails(s->hurried, at(s, HTTP, "good.test", "/always/404/d"), "http_status", 404);
    assert_int_equal(seen(s, "d"), 1);
    // The time was used up by the first try.
    assert_fails(s->rushed, at(s, HTTP, "good.test", "/silent/e"), "timeout", 0);
    assert_int_equal(seen(s, "e"), 1);
}

static void closed_ports_are_refused(void **state)
{
    struct site *s = *state;
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char url[100];

    // Bound but not listening: nobody else gets the port meanwhile.
    inet_pton(AF_INET, SERVER_ADDRESS, &in.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    snprintf(url, sizeof(url), "http://good.test:%d/", ntohs(in.sin_port));
    assert_fails(s->hurried, url, "refused", 0);
    close(fd);
}

static void connecting_takes_a_third_of_the_time_at_most(void **state)
{
    struct site *s = *state;
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof(in);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), waiting[8];
    char url[100];

    // A listener whose queue is full drops what else wants to connect.
    inet_pton(AF_INET, SERVER_ADDRESS, &in.sin_addr);
    assert_int_equal(bind(listener, (struct sockaddr *)&in, sizeof(in)), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&in, &len), 0);
    for (int i = 0; i < 8; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(waiting[i], (struct sockaddr *)&in, sizeof(in));
    }
    snprintf(url, sizeof(url), "http://good.test:%d/", ntohs(in.sin_port));
    // Two tries of 400 ms and a pause, of 1200 ms in all. A busy machine may add to one of them.
    int64_t best = INT64_MAX;
    for (int i = 0; i < 10 && best >= 1200; i++) {
        struct result r = get(s->rushed, url, 100, NULL);
        assert_int_equal(r.e, ERR_FETCH);
        assert_string_equal(r.note.reason, "timeout");
        assert_true(r.ms >= 800);
        best = r.ms < best ? r.ms : best;
    }
    assert_true(best < 1200);
    for (int i = 0; i < 8; i++)
        close(waiting[i]);
    close(listener);
}

struct canceller {
    struct site *site;
    const char *wait_for; // a token that the server has seen, or NULL: a question to DNS
    atomic_bool cancel;
    int64_t at_ns;
};

static void *cancel_when_under_way(void *arg)
{
    struct canceller *c = arg;

    while (c->wait_for ? seen(c->site, c->wait_for) < 1 : atomic_load(&c->site->questions) == 0)
        sched_yield();
    c->at_ns = clock_mono_ns(&clock_system);
    atomic_store(&c->cancel, true);
    return NULL;
}

static int64_t cancel_latency_ms(struct site *s, const char *url, const char *token)
{
    struct canceller c = {.site = s, .wait_for = token};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, cancel_when_under_way, &c), 0);
    struct result r = get(s->plain, url, 1000000, &c.cancel);
    int64_t end = clock_mono_ns(&clock_system);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(r.e, ERR_CANCELLED);
    assert_int_equal(r.body.len, 0);
    buf_release(&r.body);
    return (end - c.at_ns) / 1000000;
}

static void cancelling_takes_effect_at_once(void **state)
{
    struct site *s = *state;
    int64_t best_answer = INT64_MAX, best_dns = INT64_MAX;

    for (int i = 0; i < 3; i++) {
        char token[20], path[30];
        snprintf(token, sizeof(token), "cancel%d", i);
        snprintf(path, sizeof(path), "/silent/%s", token);
        int64_t ms = cancel_latency_ms(s, at(s, HTTPS, "good.test", path), token);
        best_answer = ms < best_answer ? ms : best_answer;

        pthread_mutex_lock(&s->held);
        atomic_store(&s->questions, 0);
        ms = cancel_latency_ms(s, at(s, HTTP, "slow.test", "/"), NULL);
        best_dns = ms < best_dns ? ms : best_dns;
        pthread_mutex_unlock(&s->held);
    }
    assert_true(best_answer <= 200);
    assert_true(best_dns <= 200);

    atomic_bool already = true;
    struct result r = get(s->plain, at(s, HTTP, "good.test", "/ok/1"), 10, &already);
    assert_int_equal(r.e, ERR_CANCELLED);
    buf_release(&r.body);
}

static void slow_name_servers_are_left_behind(void **state)
{
    struct site *s = *state;

    pthread_mutex_lock(&s->held);
    struct result r = get(s->rushed, at(s, HTTP, "slow.test", "/"), 10, NULL);
    assert_int_equal(r.e, ERR_FETCH);
    assert_string_equal(r.note.reason, "timeout");
    assert_true(r.ms >= 1200);
    pthread_mutex_unlock(&s->held); // not before: the server has not answered yet
    buf_release(&r.body);
}

static void webhooks_are_posted(void **state)
{
    static const char *const headers[] = {"content-type: application/json", "webhook-id: m"};
    static const struct {
        const char *path;
        int status, retry_after_s;
    } row[] = {
        {"/ok/10", 200, -1},
        {"/status/204", 204, -1},
        {"/status/410", 410, -1},
        {"/status/500", 500, -1},
        {"/redirect/3", 302, -1}, // not followed
        {"/ok/1000000", 200, -1}, // the rest is not waited for
        {"/short/1000/5", 200, -1},
        {"/retry/429/7", 429, 7},
        {"/retry/503/0", 503, 0},
        {"/retry/503/999999999999", 503, 86400},
        {"/retry/503/soon", 503, -1},
        {"/retry/503/-5", 503, -1},
        {"/retry/503/Thu,_01_Jan_1970_00:00:00_GMT", 503, 0},
        {"/retry/503/Fri,_31_Dec_2286_23:59:59_GMT", 503, 86400},
        {"/retry/500/7", 500, -1},
    };
    struct site *s = *state;
    struct fetch_post post = {
        .headers = headers, .header_count = 2, .body = "{\"a\":1}", .body_len = 7};

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct fetch_reply reply = {0};
        struct err_note note = {0};
        post.url = at(s, HTTPS, "good.test", row[i].path);
        if (fetch_post(s->plain, &post, NULL, &reply, &note) != ERR_OK)
            fail_msg("%s: %s", row[i].path, note.text);
        assert_int_equal(reply.status, row[i].status);
        assert_int_equal(reply.retry_after_s, row[i].retry_after_s);
    }
}

static void webhooks_fail_with_a_reason(void **state)
{
    static const struct {
        const char *host, *path, *reason;
    } row[] = {
        {"good.test", "/close", "incomplete"},    {"good.test", "/garbage", "bad_response"},
        {"good.test", "/silent", "timeout"},      {"missing.test", "/", "dns"},
        {"private.test", "/", "blocked_address"}, {"127.0.0.1", "/", "blocked_address"},
        {"public.test:22", "/", "bad_response"}, // two ports
    };
    struct site *s = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct fetch_reply reply = {.status = -7};
        struct err_note note = {0};
        struct fetch_post post = {.url = at(s, HTTP, row[i].host, row[i].path), .body = ""};
        assert_int_equal(fetch_post(s->rushed, &post, NULL, &reply, &note), ERR_FETCH);
        assert_string_equal(note.reason, row[i].reason);
        assert_int_equal(reply.status, -7);
    }
    // Not tried a second time: the outbox does that.
    struct fetch_post post = {.url = at(s, HTTP, "good.test", "/always/500/post"), .body = ""};
    struct fetch_reply reply;
    assert_int_equal(fetch_post(s->plain, &post, NULL, &reply, NULL), ERR_OK);
    assert_int_equal(seen(s, "post"), 1);
}

static void *get_again_and_again(void *arg)
{
    struct site *s = arg;

    for (int i = 0; i < 5; i++) {
        char url[100];
        struct buf out = BUF_INIT;
        snprintf(url, sizeof(url), "https://good.test:%d/ok/5000", s->port[HTTPS]);
        if (fetch_get(s->plain, url, 5000, NULL, &out, NULL) != ERR_OK || out.len != 5000)
            return s;
        buf_release(&out);
    }
    return NULL;
}

static void many_threads_fetch_at_once(void **state)
{
    pthread_t thread[8];
    void *failed;

    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, get_again_and_again, *state), 0);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(thread[i], &failed), 0);
        assert_null(failed);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_come_whole),
        cmocka_unit_test(what_was_there_stays_in_front),
        cmocka_unit_test(the_limit_of_bytes_is_exact),
        cmocka_unit_test(broken_answers_have_their_reasons),
        cmocka_unit_test(slow_servers_are_given_up),
        cmocka_unit_test(redirects_are_followed_three_times),
        cmocka_unit_test(redirects_are_judged_anew),
        cmocka_unit_test(plain_http_needs_permission),
        cmocka_unit_test(without_exemptions_ports_are_fixed),
        cmocka_unit_test(a_second_answer_from_dns_redirects_nothing),
        cmocka_unit_test(sockets_go_to_checked_addresses_only),
        cmocka_unit_test(certificates_are_verified),
        cmocka_unit_test(a_bad_ca_file_is_named_when_opening),
        cmocka_unit_test(nothing_but_the_request_is_sent),
        cmocka_unit_test(content_is_not_decoded),
        cmocka_unit_test(what_may_pass_is_tried_once_more),
        cmocka_unit_test(closed_ports_are_refused),
        cmocka_unit_test(connecting_takes_a_third_of_the_time_at_most),
        cmocka_unit_test(cancelling_takes_effect_at_once),
        cmocka_unit_test(slow_name_servers_are_left_behind),
        cmocka_unit_test(webhooks_are_posted),
        cmocka_unit_test(webhooks_fail_with_a_reason),
        cmocka_unit_test(many_threads_fetch_at_once),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: test_fetch tests/support/hostile_server.py\n");
        return 2;
    }
    server_script = argv[1];
    return cmocka_run_group_tests_name("fetch", tests, set_up, tear_down);
}
