/* SPDX-License-Identifier: MIT */
#include "api/api_internal.h"

/* Anybody may ask, and asking writes to store and blobs: an answer holds for this long. */
enum { READY_HOLDS_MS = 1000 };

void get_healthz(void *ctx, struct http_request *r)
{
    static const char alive[] = "{\"status\":\"ok\"}";
    struct http_response out = HTTP_RESPONSE(200);

    (void)ctx;
    out.fixed = alive;
    out.fixed_len = sizeof(alive) - 1;
    http_answer(r, &out);
}

static void answer_readiness(struct http_request *r, const struct readiness *is)
{
    bool ready = !is->store && !is->blobs && !is->workers && !is->service;
    struct buf body = BUF_INIT;
    struct json_writer w = JSON_WRITER(&body);

    jw_open(&w, '{');
    jw_kstr(&w, "status", ready ? "ok" : "unavailable");
    jw_kstr(&w, "store", is->store ? is->store : "ok");
    jw_kstr(&w, "blobs", is->blobs ? is->blobs : "ok");
    jw_kstr(&w, "workers", is->workers ? is->workers : "ok");
    jw_kstr(&w, "service", is->service ? is->service : "ok");
    jw_close(&w, '}');
    if (!ready)
        http_set_header(r, "Retry-After", "5");
    answer_json(r, ready ? 200 : 503, &body);
}

static void probe(struct api *a, struct http_request *r, void *ctx)
{
    const struct api_deps *d = &a->d;
    struct readiness is = {.at_ns = clock_mono_ns(d->clock)};
    const char *why;

    (void)ctx;
    if (store_ping(d->store))
        is.store = "does not answer";
    if (d->disk_low && d->disk_low(d->ctx)) // a ping fails on a full disk, too
        is.blobs = "disk nearly full";
    else if (blob_ping(d->blobs, NULL))
        is.blobs = "do not answer";
    if (d->ready && !d->ready(d->ctx, &why))
        is.workers = why;
    if (d->draining && d->draining(d->ctx))
        is.service = "stopping";
    pthread_mutex_lock(&a->ready_lock);
    a->readiness = is;
    pthread_mutex_unlock(&a->ready_lock);
    answer_readiness(r, &is);
}

/* Beside the listener: what is asked waits for a disk. */
void get_readyz(void *ctx, struct http_request *r)
{
    struct api *a = ctx;

    pthread_mutex_lock(&a->ready_lock);
    struct readiness is = a->readiness;
    pthread_mutex_unlock(&a->ready_lock);
    int64_t age_ns = clock_mono_ns(a->d.clock) - is.at_ns;
    if (is.at_ns && age_ns < READY_HOLDS_MS * (int64_t)1000000)
        answer_readiness(r, &is);
    else
        answer_beside(a, r, probe, NULL);
}
