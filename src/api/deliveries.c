/* SPDX-License-Identifier: MIT */
#include "api/api_internal.h"

#include <stdlib.h>

/* Webhooks as their sender sees them: what was sent to whom, and sending one again. */

enum { PAGE = 50 };

static void write_delivery(struct json_writer *w, const struct delivery *d)
{
    jw_open(w, '{');
    jw_kstr(w, "id", d->msg_id); // what its receiver got as webhook-id
    jw_kstr(w, "job_id", d->job_uuid);
    jw_kstr(w, "endpoint", d->endpoint);
    jw_kstr(w, "state", delivery_state_name(d->state));
    jw_kint(w, "attempts", d->attempts);
    jw_kint(w, "last_status", d->last_status);
    jw_ktime(w, "next_at", d->state == DELIVERY_WAITING ? d->next_ms : -1);
    jw_ktime(w, "created_at", d->created_ms);
    jw_close(w, '}');
}

// False when it has answered.
static bool read_query(struct api *a, struct http_request *r, struct store_delivery_list *q)
{
    const char *job = http_query(r, "job_id"), *cursor = http_query(r, "cursor");
    struct problems p = {.count = 0};
    struct delivery last = {.id = 0};
    enum err e = ERR_OK;

    *q = (struct store_delivery_list){.account = caller(r)->id, .state = -1, .limit = PAGE};
    if (job && *job)
        q->job_uuid = job;
    if (cursor && *cursor)
        e = store_delivery_get(a->d.store, q->account, cursor, http_arena(r), &last);
    q->before = e ? 0 : last.id;
    return query_good(a, r, e, &p);
}

/* GET /api/v1/webhooks/deliveries: newest first. Whether there is another page is known by asking
 * for one row more than are shown. */
void get_deliveries(void *ctx, struct http_request *r)
{
    struct api *a = ctx;
    struct store_delivery_list q;
    struct delivery *list = NULL;
    int count = 0;

    if (!read_query(a, r, &q))
        return;
    q.limit = PAGE + 1;
    enum err e = store_deliveries_list(a->d.store, &q, http_arena(r), &list, &count);
    if (e) {
        answer_err(a, r, e, NULL);
        return;
    }
    bool more = count > PAGE;
    struct buf body = BUF_INIT;
    struct json_writer w = JSON_WRITER(&body);
    jw_open(&w, '{');
    jw_key(&w, "deliveries");
    jw_open(&w, '[');
    for (int i = 0; i < count && i < PAGE; i++)
        write_delivery(&w, &list[i]);
    jw_close(&w, ']');
    jw_kstr(&w, "next_cursor", more ? list[PAGE - 1].msg_id : "");
    jw_close(&w, '}');
    answer_json(r, 200, &body);
}

// ---- again ----

static void redeliver(struct api *a, struct http_request *r, void *ctx)
{
    struct delivery d;

    (void)ctx;
    enum err e =
        store_delivery_redeliver(a->d.store, caller(r)->id, http_param(r, 0), http_arena(r), &d);
    if (e == ERR_NOT_FOUND) {
        answer_error(a, r, 404, "there is no such delivery", NULL);
        return;
    }
    if (e) {
        answer_err(a, r, e, NULL);
        return;
    }
    struct buf body = BUF_INIT;
    struct json_writer w = JSON_WRITER(&body);
    write_delivery(&w, &d);
    answer_json(r, 200, &body);
}

/* POST /api/v1/webhooks/deliveries/{id}/redeliver: it waits for the disk, so not on the listener's
 * threads. */
void post_redeliver(void *ctx, struct http_request *r)
{
    answer_beside(ctx, r, redeliver, NULL);
}
