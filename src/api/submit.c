/* SPDX-License-Identifier: MIT */
#include "api/api_internal.h"
#include "api/deny.h"
#include "prompt/prompt.h"

#include <string.h>

/*
 * POST /api/v1/retexture. The answer is written before the job is stored, because the store keeps
 * it with the idempotency key; it leaves when the transaction is on disk.
 */
struct submission {
    struct api *api;
    struct http_request *request;
    struct retexture_body body;
    struct store_submit in;
    char uuid[UUID_TEXT];
    struct buf answer;
};

static void refuse_field(struct api *a, struct http_request *r, const char *field,
                         const char *problem)
{
    struct problems p = {.count = 0};

    problem_add(&p, field, "%s", problem);
    answer_problems(a, r, &p);
}

// On the store's thread, after COMMIT.
static void submitted(void *ctx, enum err e, const void *answer, size_t len)
{
    struct submission *s = ctx;
    struct http_request *r = s->request;
    struct buf replay = BUF_INIT;

    if (e == ERR_OK) {
        answer_json(r, 200, &s->answer);
        return;
    }
    buf_release(&s->answer);
    switch (e) {
    case ERR_REPLAY:
        buf_add(&replay, answer, len);
        answer_json(r, 200, &replay);
        break;
    case ERR_CONFLICT:
        answer_error(s->api, r, 422, "this Idempotency-Key was used with another body", NULL);
        break;
    case ERR_NO_POINTS:
        answer_error(s->api, r, 402, "a job costs more points than the account has left", NULL);
        break;
    case ERR_QUEUE_FULL:
        answer_error(s->api, r, 429, "too many of the account's jobs are waiting", NULL);
        break;
    case ERR_DISABLED:
        answer_error(s->api, r, 403, "the account is disabled", NULL);
        break;
    case ERR_NOT_FOUND:
        refuse_field(s->api, r, "imgUrl", "is no upload of this account, or it has expired");
        break;
    default:
        answer_err(s->api, r, e, NULL);
    }
}

// ERR_NOT_FOUND: the result that is to be a source is not there, or not to be read by who asks.
static enum err find_result(struct api *a, struct http_request *r, const struct own_file *f)
{
    struct job j;
    const char *path = arena_printf(http_arena(r), "/files/%s/%s.%s", f->job, f->stem, f->ext);

    if (!path)
        return ERR_NOMEM;
    enum err e = store_job_get(a->d.store, -1, f->job, http_arena(r), &j);
    return !e && !file_readable(a, &j, caller(r)->id, path, f) ? ERR_NOT_FOUND : e;
}

static bool read_idempotency_key(struct submission *s)
{
    struct http_request *r = s->request;
    const char *header = http_header(r, "Idempotency-Key");

    if (!header)
        return true;
    s->in.idem_key = http_header_count(r, "Idempotency-Key") == 1
                         ? idempotency_key_read(header, http_arena(r))
                         : NULL;
    if (!s->in.idem_key)
        refuse_field(s->api, r, "Idempotency-Key",
                     "must be one value of 1 to 255 visible ASCII characters");
    return s->in.idem_key != NULL;
}

// The upload that the prompt's `--sref` names, which is kept as long as the job needs it; whether
// the account has it is the store's to know. False: out of memory.
static bool read_style(struct submission *s)
{
    struct arena *arena = http_arena(s->request);
    struct own_file file;
    char id[OWN_UPLOAD_ID];

    // Reading a prompt takes longer than all else here.
    if (!strcasestr(s->body.prompt, "sref"))
        return true;
    struct prompt *p = arena_alloc(arena, sizeof(*p));
    if (!p || prompt_read(p, arena, s->body.prompt, strlen(s->body.prompt)))
        return false;
    if (!p->sref || own_url_read(s->api->public_url, p->sref, &file, id) != OWN_URL_UPLOAD)
        return true;
    s->in.style_upload_id = arena_strdup(arena, id);
    return s->in.style_upload_id != NULL;
}

static void write_answer(struct submission *s)
{
    struct json_writer w = JSON_WRITER(&s->answer);
    struct task t = {.job = {.state = JOB_PENDING,
                             .account = s->in.account,
                             .is_private = caller(s->request)->is_private,
                             .img_url = s->body.img_url,
                             .prompt = s->body.prompt,
                             .callback = s->body.callback,
                             .cost = s->in.cost,
                             .created_ms = s->in.created_ms,
                             .started_ms = -1,
                             .ended_ms = -1,
                             .expires_ms = -1,
                             .source_blob = "",
                             .engine = "",
                             .error_message = ""}};

    memcpy(t.job.uuid, s->uuid, sizeof(t.job.uuid));
    write_task(&w, s->api, &t, true);
}

static bool read_body(struct submission *s)
{
    struct api *a = s->api;
    struct http_request *r = s->request;
    struct field_rules rules = {.policy = &a->d.policy, .public_url = a->public_url};
    struct problems problems;
    struct err_note note;
    size_t len;
    const char *json = http_body(r, &len);

    enum err e = retexture_read(json, len, &rules, http_arena(r), &s->body, &problems, &note);
    if (e && problems.count) {
        answer_problems(a, r, &problems);
        return false;
    }
    if (e) {
        answer_err(a, r, e, &note);
        return false;
    }
    if (deny_matches(a->d.deny, s->body.prompt)) {
        answer_error(a, r, 403, "the prompt has a word that this service refuses", NULL);
        return false;
    }
    if (s->body.own == OWN_URL_FILE)
        e = find_result(a, r, &s->body.file);
    if (e == ERR_NOT_FOUND)
        refuse_field(a, r, "imgUrl", "is no result that can be read, or it has expired");
    else if (e)
        answer_err(a, r, e, NULL);
    return !e;
}

void post_retexture(void *ctx, struct http_request *r)
{
    struct api *a = ctx;
    struct submission *s = arena_alloc(http_arena(r), sizeof(*s));

    if (!s) {
        answer_err(a, r, ERR_NOMEM, NULL);
        return;
    }
    s->api = a;
    s->request = r;
    if (!read_body(s) || !read_idempotency_key(s))
        return;
    if (!read_style(s)) {
        answer_err(a, r, ERR_NOMEM, NULL);
        return;
    }
    store_job_uuid(a->d.store, s->uuid);
    s->in.uuid = s->uuid;
    s->in.account = caller(r)->id;
    s->in.img_url = s->body.img_url;
    s->in.prompt = s->body.prompt;
    s->in.callback = s->body.callback;
    s->in.upload_id = s->body.own == OWN_URL_UPLOAD ? s->body.upload_id : NULL;
    s->in.cost = a->d.cost_points;
    s->in.created_ms = clock_unix_ms(a->d.clock);
    s->in.idem_path = http_path(r);
    memcpy(s->in.idem_hash, s->body.hash, sizeof(s->in.idem_hash));
    write_answer(s);
    s->in.answer = s->answer.data;
    s->in.answer_len = s->answer.len;
    if (s->answer.failed) {
        buf_release(&s->answer);
        answer_err(a, r, ERR_NOMEM, NULL);
        return;
    }
    store_submit(a->d.store, &s->in, submitted, s);
}
