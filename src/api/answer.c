/* SPDX-License-Identifier: MIT */
#include "api/api_internal.h"

#include <stdio.h>

void answer_json(struct http_request *r, int status, struct buf *body)
{
    struct http_response out = HTTP_RESPONSE(status);

    out.body = *body;
    *body = (struct buf)BUF_INIT;
    http_answer(r, &out);
}

void answer_error(struct api *a, struct http_request *r, int status, const char *why,
                  const char *detail)
{
    struct buf body = BUF_INIT;
    char seconds[12];

    (void)a;
    if (http_retry_after(status)) {
        snprintf(seconds, sizeof(seconds), "%d", http_retry_after(status));
        http_set_header(r, "Retry-After", seconds);
    }
    write_error_body(&body, status, why, detail);
    answer_json(r, status, &body);
}

void answer_err(struct api *a, struct http_request *r, enum err e, const struct err_note *note)
{
    int status = err_to_http(e);
    const char *why = note ? note->text : "", *detail = NULL;

    if (status >= 500) {
        const struct http_route *route = http_request_route(r);
        log_event(a->d.log, LOG_ERROR, "api.error", LOG_S("request", http_request_id(r)),
                  LOG_S("route", route ? route->name : "-"), LOG_S("error", err_name(e)),
                  LOG_S("why", why));
        why = status == 503 ? "the store cannot take it now; retry" : "";
    } else if (e == ERR_TOO_LARGE && note && note->reason[0]) {
        detail = arena_printf(http_arena(r), "{\"limit\":\"%s\"}", note->reason);
    }
    answer_error(a, r, status, why, detail);
}

void answer_problems(struct api *a, struct http_request *r, const struct problems *p)
{
    struct arena *arena = http_arena(r);

    answer_error(a, r, 400, problems_sentence(p, arena), problems_detail(p, arena));
}

bool query_good(struct api *a, struct http_request *r, enum err cursor, struct problems *p)
{
    if (cursor && cursor != ERR_NOT_FOUND) {
        answer_err(a, r, cursor, NULL);
        return false;
    }
    if (cursor)
        problem_add(p, "cursor", "must be the next_cursor of an earlier answer");
    if (p->count)
        answer_problems(a, r, p);
    return p->count == 0;
}

void answer_refusal(void *ctx, struct http_request *r, const char *why, struct http_response *out)
{
    (void)ctx, (void)r;
    if (out->status == 404) // the listener's only one: no route has this path
        why = "there is nothing at this path; /docs says which there are";
    write_error_body(&out->body, out->status, why, NULL);
}

bool answer_closed(struct api *a, struct http_request *r)
{
    const struct api_deps *d = &a->d;

    if (d->draining && d->draining(d->ctx))
        answer_error(a, r, 503, "the service is stopping; retry", NULL);
    else if (d->disk_low && d->disk_low(d->ctx))
        answer_error(a, r, 503, "the service's disk is nearly full; retry later", NULL);
    else
        return false;
    return true;
}

struct beside {
    struct side_task task;
    struct api *api;
    struct http_request *request;
    beside_fn *run;
    void *ctx;
};

static void run_beside(void *ctx)
{
    const struct beside *b = ctx;

    b->run(b->api, b->request, b->ctx);
}

void answer_beside(struct api *a, struct http_request *r, beside_fn *run, void *ctx)
{
    struct beside *b = arena_alloc(http_arena(r), sizeof(*b));

    if (!b) {
        answer_err(a, r, ERR_NOMEM, NULL);
        return;
    }
    *b = (struct beside){{.run = run_beside, .ctx = b}, a, r, run, ctx};
    if (!side_run(a->side, &b->task))
        answer_error(a, r, 503, "too much is under way; retry", NULL);
}
