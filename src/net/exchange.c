/* SPDX-License-Identifier: MIT */
/*
 * One request through libcurl, which is told the addresses instead of asking DNS and opens sockets
 * to no others. The multi interface is used for a single transfer because its loop is ours:
 * cancelling and the minimum rate need a look more often than once a second.
 */
#include "net/fetch_internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/x509.h>

enum {
    HEAD_BYTES_MAX = 64 * 1024,      // of all header lines; real ones have a few hundred bytes
    POST_BODY_BYTES_MAX = 64 * 1024, // read so that the receiver can finish its answer
    RATE_WINDOW_S = 5,
    RETRY_AFTER_S_MAX = 24 * 3600
};

// Why a callback stopped the transfer.
enum stop { STOP_NOT, STOP_ENOUGH, STOP_TOO_LARGE, STOP_NOMEM, STOP_HEAD, STOP_ADDRESS };

struct transfer {
    struct exchange *x;
    CURL *easy;
    CURLM *multi;
    struct curl_slist *resolve, *headers;
    char error[CURL_ERROR_SIZE];

    enum stop stop;
    size_t head_bytes;
    bool head_whole; // up to its empty line
    size_t body_bytes;
    bool failed_option;

    // The minimum rate: body bytes at each of the last seconds of the body.
    int64_t body_since_ns; // 0: it has not begun
    size_t bytes_at[RATE_WINDOW_S];
    int64_t seconds;
};

static int status_of(const struct transfer *t)
{
    long status = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static bool has_picture(int status)
{
    return status == 200 || status == 203;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t n = size * count;

    t->body_bytes += n;
    if (t->x->post) {
        if (t->body_bytes > POST_BODY_BYTES_MAX)
            t->stop = STOP_ENOUGH;
    } else if (!has_picture(status_of(t))) {
        t->stop = STOP_ENOUGH;
    } else if (t->body_bytes > t->x->bytes_max) {
        t->stop = STOP_TOO_LARGE;
    } else {
        buf_add(t->x->out, data, n);
        if (t->x->out->failed)
            t->stop = STOP_NOMEM;
    }
    return t->stop == STOP_NOT ? n : 0;
}

// The last header of that name, or NULL.
static const char *header(const struct transfer *t, const char *name)
{
    struct curl_header *h;

    if (curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return NULL;
    return h->value;
}

// Seconds, or a date (RFC 9110 section 10.2.3); -1 for what is neither.
static int read_retry_after(const char *value)
{
    int64_t s;

    if (!value || !value[0])
        return -1;
    if (strspn(value, "0123456789") == strlen(value)) {
        s = strlen(value) > 6 ? RETRY_AFTER_S_MAX : atoi(value);
    } else {
        time_t at = curl_getdate(value, NULL);
        if (at == -1)
            return -1;
        s = (int64_t)at - clock_unix_ms(&clock_system) / 1000;
    }
    return (int)(s < 0 ? 0 : s > RETRY_AFTER_S_MAX ? RETRY_AFTER_S_MAX : s);
}

static size_t on_head(char *line, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t n = size * count;

    t->head_bytes += n;
    if (t->head_bytes > HEAD_BYTES_MAX) {
        t->stop = STOP_HEAD;
        return 0;
    }
    t->head_whole = (line[0] == '\r' || line[0] == '\n') && status_of(t) >= 200;
    return n;
}

static bool same_address(const struct sockaddr *a, const struct sockaddr_storage *b)
{
    if (a->sa_family != b->ss_family)
        return false;
    if (a->sa_family == AF_INET) {
        const struct sockaddr_in *x = (const void *)a, *y = (const void *)b;
        return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
    }
    const struct sockaddr_in6 *x = (const void *)a, *y = (const void *)b;
    return x->sin6_port == y->sin6_port &&
           memcmp(&x->sin6_addr, &y->sin6_addr, sizeof(x->sin6_addr)) == 0;
}

// The second wall: whatever libcurl thinks it connects to, only checked addresses get a socket.
static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct transfer *t = ctx;

    for (int i = 0; purpose == CURLSOCKTYPE_IPCXN && i < t->x->to->count; i++)
        if (same_address(&to->addr, &t->x->to->at[i]))
            return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    t->stop = STOP_ADDRESS;
    return CURL_SOCKET_BAD;
}

#define SET(t, option, value)                                                           \
    ((t)->failed_option = curl_easy_setopt((t)->easy, (option), (value)) != CURLE_OK || \
                          (t)->failed_option)

// "host:port:address,address", libcurl's form of an answer from DNS.
static struct curl_slist *pinned(const struct exchange *x)
{
    struct buf entry = BUF_INIT;
    struct curl_slist *list = NULL;

    buf_addf(&entry, "%s:%d:", x->url->host, x->url->port);
    for (int i = 0; i < x->to->count; i++) {
        const struct sockaddr_storage *a = &x->to->at[i];
        char text[INET6_ADDRSTRLEN];
        bool v6 = a->ss_family == AF_INET6;
        const void *bytes = v6 ? (const void *)&((const struct sockaddr_in6 *)a)->sin6_addr
                               : (const void *)&((const struct sockaddr_in *)a)->sin_addr;
        inet_ntop(a->ss_family, bytes, text, sizeof(text));
        buf_addf(&entry, v6 ? "%s[%s]" : "%s%s", i ? "," : "", text);
    }
    if (!entry.failed)
        list = curl_slist_append(NULL, entry.data);
    buf_release(&entry);
    return list;
}

static void set_url(struct transfer *t)
{
    const struct url *u = t->x->url;
    struct buf url = BUF_INIT;
    bool v6 = u->has_literal && u->literal.ss_family == AF_INET6;

    buf_addf(&url, v6 ? "%s://[%s]:%d%s" : "%s://%s:%d%s", u->https ? "https" : "http", u->host,
             u->port, u->path);
    if (url.failed)
        t->failed_option = true;
    else
        SET(t, CURLOPT_URL, url.data);
    buf_release(&url);
    // What libcurl might have thought of by itself: nothing of it is wanted.
    SET(t, CURLOPT_PROTOCOLS_STR, u->https ? "https" : "http");
    SET(t, CURLOPT_FOLLOWLOCATION, 0L);
    SET(t, CURLOPT_PROXY, "");
    SET(t, CURLOPT_NOPROXY, "*");
    SET(t, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(t, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    SET(t, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(t, CURLOPT_NOSIGNAL, 1L);
    if (!u->has_literal) {
        t->resolve = pinned(t->x);
        t->failed_option |= !t->resolve;
        SET(t, CURLOPT_RESOLVE, t->resolve);
    }
    SET(t, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    SET(t, CURLOPT_OPENSOCKETDATA, t);
}

static void set_tls(struct transfer *t)
{
    SET(t, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(t, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(t, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    // The system's certificates by folder: those needed are read, not all 140 of the bundle, which
    // takes 15 ms of processor time for each connection.
    SET(t, CURLOPT_CAPATH, X509_get_default_cert_dir());
    SET(t, CURLOPT_CAINFO, t->x->f->ca_file);
}

static void add_header(struct transfer *t, const char *line)
{
    struct curl_slist *longer = curl_slist_append(t->headers, line);

    t->failed_option |= !longer;
    t->headers = longer ? longer : t->headers;
}

static void set_request(struct transfer *t)
{
    const struct fetch_post *post = t->x->post;

    if (post) {
        for (int i = 0; i < post->header_count; i++)
            add_header(t, post->headers[i]);
        add_header(t, "Expect:");
        SET(t, CURLOPT_POST, 1L);
        SET(t, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body_len);
        SET(t, CURLOPT_POSTFIELDS, post->body_len ? post->body : "");
    } else {
        add_header(t, "Accept: image/jpeg, image/png, image/webp, */*;q=0.1");
    }
    SET(t, CURLOPT_HTTPHEADER, t->headers);
    SET(t, CURLOPT_USERAGENT, "patina/" PATINA_VERSION);
    SET(t, CURLOPT_WRITEFUNCTION, on_body);
    SET(t, CURLOPT_WRITEDATA, t);
    SET(t, CURLOPT_HEADERFUNCTION, on_head);
    SET(t, CURLOPT_HEADERDATA, t);
    SET(t, CURLOPT_ERRORBUFFER, t->error);
    SET(t, CURLOPT_CONNECTTIMEOUT_MS, (long)(hurried_ns(t->x->f, FETCH_CONNECT_MS) / 1000000));
}

static enum err too_slow(const struct transfer *t, struct err_note *note)
{
    return err_set_reason(note, ERR_FETCH, "too_slow",
                          "%s sends less than %d bytes a second; use a faster server",
                          t->x->url->host, FETCH_RATE_MIN);
}

// Called at least every CANCEL_POLL_MS: the body must grow by 5 s worth of bytes in any 5 s.
static enum err check_rate(struct transfer *t, struct err_note *note)
{
    int64_t now = clock_mono_ns(&clock_system), second = hurried_ns(t->x->f, 1000);

    if (t->x->post || t->body_bytes == 0)
        return ERR_OK;
    if (t->body_since_ns == 0)
        t->body_since_ns = now;
    while (now - t->body_since_ns >= (t->seconds + 1) * second) {
        size_t *then = &t->bytes_at[t->seconds % RATE_WINDOW_S];
        t->seconds++;
        if (t->seconds >= RATE_WINDOW_S &&
            t->body_bytes - *then < (size_t)RATE_WINDOW_S * FETCH_RATE_MIN)
            return too_slow(t, note);
        *then = t->body_bytes;
    }
    return ERR_OK;
}

// Drives the transfer to its end; *done tells how libcurl sees it.
static enum err drive(struct transfer *t, CURLcode *done, struct err_note *note)
{
    for (;;) {
        int running = 0, left;
        if (curl_multi_perform(t->multi, &running) != CURLM_OK)
            return err_set(note, ERR_NOMEM, "out of memory");
        const CURLMsg *message = curl_multi_info_read(t->multi, &left);
        if (message && message->msg == CURLMSG_DONE) {
            *done = message->data.result;
            return ERR_OK;
        }
        enum err e = limits_check(t->x->limits, note);
        if (e == ERR_OK)
            e = check_rate(t, note);
        if (e != ERR_OK)
            return e;
        if (curl_multi_poll(t->multi, NULL, 0, CANCEL_POLL_MS, NULL) != CURLM_OK)
            return err_set(note, ERR_NOMEM, "out of memory");
    }
}

// libcurl's words, which may quote the peer: visible ASCII of it.
static const char *own_words(struct transfer *t)
{
    for (char *c = t->error; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return t->error[0] ? t->error : "no details";
}

static enum err fail(struct transfer *t, CURLcode code, struct err_note *note)
{
    const char *host = t->x->url->host, *words = own_words(t);

    switch (code) {
    case CURLE_OUT_OF_MEMORY:
        return err_set(note, ERR_NOMEM, "out of memory");
    case CURLE_COULDNT_CONNECT:
        return err_set_reason(note, ERR_FETCH, "refused",
                              "%s does not accept connections on port %d", host, t->x->url->port);
    case CURLE_OPERATION_TIMEDOUT:
        return err_set_reason(note, ERR_FETCH, "timeout", "%s does not answer in time", host);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return err_set_reason(
            note, ERR_FETCH, "tls",
            "no trusted connection to %s is possible (%s); its certificate has to "
            "be valid and issued by a known authority",
            host, words);
    case CURLE_RECV_ERROR:
        // libcurl has one code for a broken connection and for garbage in chunks.
        if (!strstr(words, "chunk"))
            break;
        // fall through
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP2:
        return err_set_reason(note, ERR_FETCH, "bad_response",
                              "%s does not answer in proper HTTP (%s)", host, words);
    default:
        break;
    }
    return err_set_reason(note, ERR_FETCH, "incomplete",
                          "%s closed the connection before the answer was complete (%s)", host,
                          words);
}

// Where a Location leads, seen from the URL that was asked. What libcurl cannot join is given as it
// is: it is judged by url_parse() anyway.
static const char *join_location(const struct transfer *t, const char *location)
{
    char *joined = NULL, *asked = NULL;
    const char *out;
    CURLU *u = curl_url();

    curl_easy_getinfo(t->easy, CURLINFO_EFFECTIVE_URL, &asked);
    if (u && asked && curl_url_set(u, CURLUPART_URL, asked, 0) == CURLUE_OK &&
        curl_url_set(u, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK)
        curl_url_get(u, CURLUPART_URL, &joined, 0);
    out = arena_strdup(t->x->arena, joined ? joined : location);
    curl_free(joined);
    curl_url_cleanup(u);
    return out;
}

static enum err keep_answer(struct transfer *t, struct err_note *note)
{
    struct exchange *x = t->x;
    const char *location = header(t, "Location");

    x->status = status_of(t);
    x->retry_after_s = -1;
    if (x->status == 429 || x->status == 503)
        x->retry_after_s = read_retry_after(header(t, "Retry-After"));
    x->location = location && location[0] ? join_location(t, location) : NULL;
    if (location && location[0] && !x->location)
        return err_set(note, ERR_NOMEM, "out of memory");
    return ERR_OK;
}

static enum err judge_end(struct transfer *t, CURLcode code, struct err_note *note)
{
    switch (t->stop) {
    case STOP_NOT:
        break;
    case STOP_ENOUGH:
        return keep_answer(t, note);
    case STOP_TOO_LARGE:
        return err_set_reason(note, ERR_TOO_LARGE, "bytes",
                              "the file at %s is larger than %zu bytes; send a smaller one",
                              t->x->url->host, t->x->bytes_max);
    case STOP_NOMEM:
        return err_set(note, ERR_NOMEM, "out of memory");
    case STOP_HEAD:
        return err_set_reason(note, ERR_FETCH, "bad_response",
                              "%s answers with more than %d bytes of headers", t->x->url->host,
                              HEAD_BYTES_MAX);
    case STOP_ADDRESS:
        return err_set_reason(note, ERR_FETCH, "blocked_address",
                              "the host %s is not on the public internet", t->x->url->host);
    }
    // A receiver of a webhook that gave its status has answered, whatever became of the rest.
    if (t->head_whole && (code == CURLE_OK || t->x->post))
        return keep_answer(t, note);
    // libcurl takes a head that breaks off for a whole one.
    return fail(t, code == CURLE_OK ? CURLE_PARTIAL_FILE : code, note);
}

enum err exchange(struct exchange *x, struct err_note *note)
{
    struct transfer t = {.x = x};
    CURLcode code = CURLE_OK;
    enum err e;

    t.easy = curl_easy_init();
    t.multi = curl_multi_init();
    if (t.easy && t.multi) {
        set_url(&t);
        set_tls(&t);
        set_request(&t);
    }
    if (!t.easy || !t.multi || t.failed_option ||
        curl_multi_add_handle(t.multi, t.easy) != CURLM_OK) {
        e = err_set(note, ERR_NOMEM, "cannot set up a request: out of memory");
        goto out;
    }
    e = drive(&t, &code, note);
    if (e == ERR_OK)
        e = judge_end(&t, code, note);
    else if (e == ERR_FETCH && x->post && t.head_whole)
        e = keep_answer(&t, note);
    curl_multi_remove_handle(t.multi, t.easy);
out:
    curl_easy_cleanup(t.easy);
    curl_multi_cleanup(t.multi);
    curl_slist_free_all(t.resolve);
    curl_slist_free_all(t.headers);
    return e;
}
