/* SPDX-License-Identifier: MIT */
#include "api/api_internal.h"

/* GET /api/account/balance. Points are this service's only currency, so there are no credits; an
 * alert is due when the next job could not be paid. */
void get_balance(void *ctx, struct http_request *r)
{
    struct api *a = ctx;
    const struct account *who = caller(r);
    struct buf body = BUF_INIT;
    struct json_writer w = JSON_WRITER(&body);

    jw_open(&w, '{');
    jw_kint(&w, "code", 200);
    jw_kstr(&w, "message", "success");
    jw_key(&w, "data");
    jw_open(&w, '{');
    jw_kint(&w, "account_id", who->id);
    jw_key(&w, "balance_usd");
    jw_real(&w, (double)who->available / 1000, 3);
    jw_kint(&w, "available_credits", 0);
    jw_kint(&w, "available_points", who->available);
    jw_kint(&w, "alert_threshold", a->d.cost_points);
    jw_key(&w, "low_balance_alert");
    jw_bool(&w, who->available < a->d.cost_points);
    jw_ktime(&w, "updated_at", who->updated_ms);
    jw_close(&w, '}');
    jw_close(&w, '}');
    answer_json(r, 200, &body);
}

/* GET /api/account/info. There are no plans and no mail addresses here: the largest plan's name
 * keeps clients from hiding features, and the quota is what was granted. */
void get_info(void *ctx, struct http_request *r)
{
    const struct account *who = caller(r);
    struct buf body = BUF_INIT;
    struct json_writer w = JSON_WRITER(&body);

    (void)ctx;
    jw_open(&w, '{');
    jw_kstr(&w, "account_id", who->uuid);
    jw_kstr(&w, "email", "");
    jw_kstr(&w, "plan", "premium");
    jw_kint(&w, "balance", who->available);
    jw_kint(&w, "used", who->consumed);
    jw_key(&w, "quota");
    jw_open(&w, '{');
    jw_kint(&w, "monthly_limit", who->granted);
    jw_kint(&w, "remaining", who->available);
    jw_ktime(&w, "reset_at", -1);
    jw_close(&w, '}');
    jw_kstr(&w, "status", "active");
    jw_ktime(&w, "created_at", who->created_ms);
    jw_ktime(&w, "updated_at", who->updated_ms);
    jw_close(&w, '}');
    answer_json(r, 200, &body);
}

static void write_active(struct json_writer *w, struct api *a, const struct job *j)
{
    struct board_entry b;
    bool known = board_get(a->d.board, j->uuid, &b);

    jw_open(w, '{');
    jw_kstr(w, "job_id", j->uuid);
    jw_kstr(w, "task_type", "retexture");
    jw_kstr(w, "status", job_state_name(j->state));
    jw_ktime(w, "created_at", j->created_ms);
    jw_kint(w, "progress", known ? b.progress : 0);
    jw_key(w, "estimated_time");
    if (known && b.eta_ms >= 0)
        jw_int(w, (b.eta_ms + 999) / 1000);
    else
        jw_null(w);
    jw_close(w, '}');
}

/* GET /api/account/active_tasks: the newest hundred, and how many there are. */
void get_active_tasks(void *ctx, struct http_request *r)
{
    struct api *a = ctx;
    const struct account *who = caller(r);
    struct store_list q = {.account = who->id, .active = true, .limit = 100};
    struct job *list = NULL;
    int count = 0;

    enum err e = store_jobs_list(a->d.store, &q, http_arena(r), &list, &count);
    if (e) {
        answer_err(a, r, e, NULL);
        return;
    }
    struct buf body = BUF_INIT;
    struct json_writer w = JSON_WRITER(&body);
    jw_open(&w, '{');
    jw_kstr(&w, "account_id", who->uuid);
    jw_kint(&w, "total_active", who->waiting + who->running);
    jw_kint(&w, "concurrent_limit", a->d.concurrency);
    jw_key(&w, "tasks");
    jw_open(&w, '[');
    for (int i = 0; i < count; i++)
        write_active(&w, a, &list[i]);
    jw_close(&w, ']');
    jw_ktime(&w, "updated_at", clock_unix_ms(a->d.clock));
    jw_close(&w, '}');
    answer_json(r, 200, &body);
}
