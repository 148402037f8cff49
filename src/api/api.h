/* SPDX-License-Identifier: MIT */
#ifndef PATINA_API_API_H
#define PATINA_API_API_H

#include "api/view.h"
#include "base/clock.h"
#include "base/log.h"
#include "blob/blob.h"
#include "http/http.h"
#include "net/addr_policy.h"
#include "store/store.h"

/*
 * The HTTP API of docs/openapi.yaml on top of the listener: the table of routes, who may call them,
 * what they answer. The only place that knows both http and jobs.
 *
 *     api_open(&deps, &api, &note);
 *     api_http(api, &options);            fills routes, hooks and context of http_options
 *     http_server_start(&options, ...);
 *     ...
 *     http_server_stop(server, grace_ms); before api_close(): handlers may still be running
 *     api_close(api);
 */
struct api;

struct api_deps {
    /* Borrowed; all of them outlive the api. */
    struct store *store;
    struct blob_store *blobs;
    struct board *board;
    const struct clock *clock;
    const struct log *log; /* may be NULL */

    /* Settings; strings are copied. */
    struct addr_policy policy;
    const char *public_url;  /* PATINA_PUBLIC_URL; "http://127.0.0.1:8080" */
    const char *cors_origin; /* PATINA_CORS_ORIGIN, or NULL */
    const char *deny;        /* PATINA_DENY: words separated by commas, or NULL */
    int64_t cost_points;     /* PATINA_COST_POINTS */
    int rate_limit;          /* PATINA_RATE_LIMIT: requests a minute per key; 0: off */
    int concurrency;         /* PATINA_CONCURRENCY, for account/info and active_tasks */
    int threads;             /* for what must not run on the listener's: uploads, cancels, encoding;
                                0: 2 */

    /* Hooks: called from any thread, must be quick; ctx is theirs. Any of them may be NULL. */
    void *ctx;
    bool (*draining)(void *ctx);                /* POSTs get 503 */
    bool (*disk_low)(void *ctx);                /* below the reserve: POSTs get 503, readyz too */
    bool (*ready)(void *ctx, const char **why); /* own workers are well; else *why, static */
};

/* Reads the site secret from the store. ERR_INVALID for a public_url that is none. */
MUST_USE enum err api_open(const struct api_deps *deps, struct api **out, struct err_note *note);
void api_close(struct api *a);

/* Fills what the API decides in http_options: routes, alias, cors_origin, gate, refuse, ctx, log,
 * clock. Address and threads are the caller's. */
void api_http(struct api *a, struct http_options *o);

/* Public URL and site secret, as the webhook's body needs them too. */
const struct view *api_view(const struct api *a);

#endif
