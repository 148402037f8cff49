/* SPDX-License-Identifier: MIT */
#include "net/fetch_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { RETRY_PAUSE_MS = 500 }; // a restart of what answers at the other side may need a moment

static enum err check_ca_file(const char *path, struct err_note *note)
{
    FILE *file = fopen(path, "re");
    X509 *first = NULL;

    if (!file)
        return err_set(note, ERR_INVALID, "cannot read the certificates in %s: %s", path,
                       strerror(errno));
    first = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    if (!first)
        return err_set(note, ERR_INVALID, "%s contains no certificate in PEM form", path);
    X509_free(first);
    return ERR_OK;
}

enum err fetcher_open(const struct fetch_options *o, struct fetcher **out, struct err_note *note)
{
    struct fetcher *f = NULL;
    enum err e = o->ca_file ? check_ca_file(o->ca_file, note) : ERR_OK;

    if (e != ERR_OK)
        return e;
    f = calloc(1, sizeof(*f));
    if (f && o->ca_file)
        f->ca_file = strdup(o->ca_file);
    if (!f || (o->ca_file && !f->ca_file) || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(f ? f->ca_file : NULL);
        free(f);
        return err_set(note, ERR_NOMEM, "out of memory");
    }
    f->policy = o->policy;
    f->resolve = o->resolve;
    f->resolve_ctx = o->resolve_ctx;
    f->hurry = o->hurry > 0 ? o->hurry : 1;
    atomic_init(&f->refs, 1);
    *out = f;
    return ERR_OK;
}

void fetcher_unref(struct fetcher *f)
{
    if (atomic_fetch_sub(&f->refs, 1) != 1)
        return;
    free(f->ca_file);
    free(f);
}

void fetcher_close(struct fetcher *f)
{
    if (f)
        fetcher_unref(f);
}

static bool cancelled(const struct limits *l)
{
    return l->cancel && atomic_load(l->cancel);
}

enum err limits_check(const struct limits *l, struct err_note *note)
{
    if (cancelled(l))
        return err_set(note, ERR_CANCELLED, "cancelled");
    if (clock_mono_ns(&clock_system) >= l->deadline_ns)
        return err_set_reason(note, ERR_FETCH, "timeout",
                              "the server did not deliver in time; use a faster one");
    return ERR_OK;
}

// Reads, judges and resolves the text of a URL. What the parser or the policy refuse is an
// ERR_FETCH with the policy's reason; a text that is no URL at all came from a redirect or an
// unchecked field.
static enum err find_target(struct fetcher *f, struct arena *a, const char *text,
                            const struct limits *l, struct url *url, struct addresses *to,
                            struct err_note *note)
{
    struct err_note why = {0};
    enum err e = url_parse(url, a, text, &why);

    if (e == ERR_OK)
        e = url_check(url, &f->policy, &why);
    if (e == ERR_INVALID)
        return err_set_reason(note, ERR_FETCH, why.reason[0] ? why.reason : "bad_response", "%s",
                              why.text);
    if (e != ERR_OK)
        return err_set(note, e, "%s", why.text);
    return resolve(f, url, l, to, note);
}

static enum err refuse_status(const struct exchange *x, struct err_note *note)
{
    const char *advice = x->status >= 500 ? "try again later"
                                          : "check that the URL works without signing in";
    enum err e = err_set_reason(note, ERR_FETCH, "http_status", "%s answers with status %d; %s",
                                x->url->host, x->status, advice);

    if (note)
        note->status = x->status;
    return e;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// One walk from `text` along its redirects.
static enum err get_once(struct fetcher *f, const char *text, size_t bytes_max,
                         const struct limits *l, struct buf *out, struct err_note *note)
{
    struct arena arena = ARENA_INIT;
    enum err e = ERR_OK;

    for (int redirects = 0;; redirects++) {
        struct url url;
        struct addresses to;
        struct exchange x = {.f = f,
                             .url = &url,
                             .to = &to,
                             .limits = l,
                             .arena = &arena,
                             .bytes_max = bytes_max,
                             .out = out};
        e = find_target(f, &arena, text, l, &url, &to, note);
        if (e != ERR_OK && redirects > 0)
            err_note_prefix(note, "after a redirect");
        if (e == ERR_OK)
            e = exchange(&x, note);
        if (e != ERR_OK || x.status == 200 || x.status == 203)
            break;
        if (!is_redirect(x.status)) {
            e = refuse_status(&x, note);
            break;
        }
        if (!x.location) {
            e = err_set_reason(note, ERR_FETCH, "bad_response",
                               "%s redirects without saying where to", url.host);
            break;
        }
        if (redirects == FETCH_REDIRECTS_MAX) {
            e = err_set_reason(note, ERR_FETCH, "too_many_redirects",
                               "the URL redirects more than %d times; use the last one's target",
                               FETCH_REDIRECTS_MAX);
            break;
        }
        text = x.location;
    }
    arena_release(&arena);
    return e;
}

static bool worth_another_try(const struct err_note *why)
{
    static const char *const reasons[] = {"dns", "refused", "timeout", "incomplete"};

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (strcmp(why->reason, reasons[i]) == 0)
            return true;
    return why->status >= 500;
}

// False: there is no time left for another try, or nobody wants one.
static bool pause_before_retry(const struct fetcher *f, const struct limits *l)
{
    int64_t until = clock_mono_ns(&clock_system) + hurried_ns(f, RETRY_PAUSE_MS);

    if (until >= l->deadline_ns)
        return false;
    while (!cancelled(l)) {
        int64_t left_ms = (until - clock_mono_ns(&clock_system)) / 1000000;
        if (left_ms <= 0)
            return true;
        poll(NULL, 0, left_ms < CANCEL_POLL_MS ? (int)left_ms : CANCEL_POLL_MS);
    }
    return true;
}

enum err fetch_get(struct fetcher *f, const char *url, size_t bytes_max, const atomic_bool *cancel,
                   struct buf *out, struct err_note *note)
{
    const struct limits l = {clock_mono_ns(&clock_system) + hurried_ns(f, FETCH_TOTAL_MS), cancel};
    size_t before = out->len;
    struct err_note why = {0};
    enum err e = ERR_OK;

    for (int tries = 0; tries < 2; tries++) {
        err_note_clear(&why);
        e = limits_check(&l, &why);
        if (e == ERR_OK)
            e = get_once(f, url, bytes_max, &l, out, &why);
        if (e == ERR_OK)
            return ERR_OK;
        // What came until it broke is of no use.
        out->len = before;
        if (out->data)
            out->data[before] = '\0';
        if (e != ERR_FETCH || !worth_another_try(&why) || !pause_before_retry(f, &l))
            break;
    }
    if (note)
        *note = why;
    return e;
}

enum err fetch_post(struct fetcher *f, const struct fetch_post *p, const atomic_bool *cancel,
                    struct fetch_reply *out, struct err_note *note)
{
    const struct limits l = {clock_mono_ns(&clock_system) + hurried_ns(f, FETCH_POST_MS), cancel};
    struct arena arena = ARENA_INIT;
    struct url url;
    struct addresses to;
    struct exchange x = {.f = f, .url = &url, .to = &to, .limits = &l, .arena = &arena, .post = p};
    enum err e = limits_check(&l, note);

    if (e == ERR_OK)
        e = find_target(f, &arena, p->url, &l, &url, &to, note);
    if (e == ERR_OK)
        e = exchange(&x, note);
    if (e == ERR_OK)
        *out = (struct fetch_reply){x.status, x.retry_after_s};
    arena_release(&arena);
    return e;
}
