/* SPDX-License-Identifier: MIT */
#include "api/api_internal.h"

#include <stdlib.h>
#include <string.h>

void task_look(struct api *a, struct arena *arena, struct task *t)
{
    struct job now;

    t->on_board = !job_state_final(t->job.state) && board_get(a->d.board, t->job.uuid, &t->doing);
    // Begun, but not on the board any more: it may have ended since its row was read. Without
    // another look it would be running still and yet back at its beginning.
    if (!t->on_board && !job_state_final(t->job.state) && t->job.claims > 0 &&
        !store_job_get(a->d.store, t->job.account, t->job.uuid, arena, &now))
        t->job = now;
}

void write_task(struct json_writer *w, struct api *a, const struct task *t, bool fresh)
{
    struct view_extra x = {.now_ms = clock_unix_ms(a->d.clock), .fresh = fresh};
    const struct job *j = &t->job;

    if (t->on_board)
        x.board = &t->doing;
    else if (!fresh && j->state == JOB_PENDING)
        x.queue_position = places_of(a->places, j->account, j->id);
    view_task(w, &a->view, j, &x);
}

static void answer_task(struct api *a, struct http_request *r, const struct task *t)
{
    struct buf body = BUF_INIT;
    struct json_writer w = JSON_WRITER(&body);

    buf_reserve(&body, 2048); // what most tasks fit into
    write_task(&w, a, t, false);
    answer_json(r, 200, &body);
}

// One and the same answer for unknown, malformed and other accounts' ids.
void answer_no_job(struct api *a, struct http_request *r)
{
    answer_error(a, r, 404, "there is no such job", NULL);
}

void get_job(void *ctx, struct http_request *r)
{
    struct api *a = ctx;
    struct task t;

    enum err e = store_job_get(a->d.store, caller(r)->id, http_param(r, 0), http_arena(r), &t.job);
    if (e == ERR_NOT_FOUND) {
        answer_no_job(a, r);
    } else if (e) {
        answer_err(a, r, e, NULL);
    } else {
        task_look(a, http_arena(r), &t);
        answer_task(a, r, &t);
    }
}

// ---- cancel ----

static void cancel(struct api *a, struct http_request *r, void *ctx)
{
    struct task t = {.on_board = false}; // whatever comes of it, the job has ended
    bool was_leased = false;

    (void)ctx;
    enum err e = store_cancel(a->d.store, caller(r)->id, http_param(r, 0), http_arena(r), &t.job,
                              &was_leased);
    if (e == ERR_OK && was_leased)
        board_cancel(a->d.board, t.job.uuid);
    if (e == ERR_OK || e == ERR_REPLAY) {
        answer_task(a, r, &t);
    } else if (e == ERR_WRONG_STATE) {
        struct buf task = BUF_INIT;
        struct json_writer w = JSON_WRITER(&task);
        write_task(&w, a, &t, false);
        answer_error(a, r, 409, "the job has ended", task.failed ? NULL : task.data);
        buf_release(&task);
    } else if (e == ERR_NOT_FOUND) {
        answer_no_job(a, r);
    } else {
        answer_err(a, r, e, NULL);
    }
}

void post_cancel(void *ctx, struct http_request *r)
{
    answer_beside(ctx, r, cancel, NULL);
}

// ---- list ----

enum { LIST_LIMIT = 20, LIST_LIMIT_MAX = 100 };

static bool read_limit(const char *s, int *out)
{
    size_t len = strlen(s);

    if (len == 0 || len > 3 || strspn(s, "0123456789") != len)
        return false;
    *out = atoi(s);
    return *out >= 1 && *out <= LIST_LIMIT_MAX;
}

// A cursor is the id of the last job shown: it tells nobody how many jobs others have.
static bool read_query(struct api *a, struct http_request *r, struct store_list *q)
{
    const char *status = http_query(r, "status"), *limit = http_query(r, "limit");
    const char *cursor = http_query(r, "cursor");
    struct problems p = {.count = 0};
    enum job_state state;
    struct job last = {.id = 0};
    enum err e = ERR_OK;

    *q = (struct store_list){.account = caller(r)->id, .state = -1, .limit = LIST_LIMIT};
    if (status && *status) {
        if (job_state_parse(status, &state))
            problem_add(&p, "status",
                        "must be one of pending, staged, processing, completed, failed");
        else
            q->state = (int)state;
    }
    if (limit && *limit && !read_limit(limit, &q->limit))
        problem_add(&p, "limit", "must be a number from 1 to %d", LIST_LIMIT_MAX);
    if (cursor && *cursor)
        e = store_job_get(a->d.store, q->account, cursor, http_arena(r), &last);
    q->before = e ? 0 : last.id;
    return query_good(a, r, e, &p);
}

void get_jobs(void *ctx, struct http_request *r)
{
    struct api *a = ctx;
    struct store_list q;
    struct job *list = NULL, *more = NULL;
    int count = 0, left = 0;

    if (!read_query(a, r, &q))
        return;
    enum err e = store_jobs_list(a->d.store, &q, http_arena(r), &list, &count);
    if (!e && count == q.limit) { // is there anything behind this page?
        struct store_list next = q;
        next.before = list[count - 1].id;
        next.limit = 1;
        e = store_jobs_list(a->d.store, &next, http_arena(r), &more, &left);
    }
    if (e) {
        answer_err(a, r, e, NULL);
        return;
    }
    struct buf body = BUF_INIT;
    struct json_writer w = JSON_WRITER(&body);
    jw_open(&w, '{');
    jw_key(&w, "jobs");
    jw_open(&w, '[');
    for (int i = 0; i < count; i++) {
        struct task t = {.job = list[i]};
        task_look(a, http_arena(r), &t);
        write_task(&w, a, &t, false);
    }
    jw_close(&w, ']');
    jw_kstr(&w, "next_cursor", left ? list[count - 1].uuid : "");
    jw_close(&w, '}');
    answer_json(r, 200, &body);
}
