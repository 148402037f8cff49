/* SPDX-License-Identifier: MIT */
#include "api/view.h"

#include "base/clock.h"
#include "base/hash.h"
#include "job/job_error.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void write_config(struct json_writer *w, const struct job *j)
{
    jw_key(w, "config");
    jw_open(w, '{');
    jw_kstr(w, "service_mode", j->is_private ? "private" : "public");
    jw_key(w, "webhook_config");
    jw_open(w, '{');
    jw_kstr(w, "endpoint", j->callback);
    jw_kstr(w, "secret", "");
    jw_close(w, '}');
    jw_close(w, '}');
}

static void write_input(struct json_writer *w, const struct job *j, bool fresh)
{
    jw_key(w, "input");
    if (fresh) {
        jw_null(w);
        return;
    }
    jw_open(w, '{');
    jw_kstr(w, "imgUrl", j->img_url);
    jw_kstr(w, "remixPrompt", j->prompt);
    jw_kstr(w, "callback", j->callback);
    jw_close(w, '}');
}

// ---- files ----

void view_file_signature(const struct view *v, const char *path, int64_t expires_unix_s,
                         char out[VIEW_SIGNATURE_TEXT])
{
    uint8_t mac[SHA256_BYTES];
    char text[256];

    int n = snprintf(text, sizeof(text), "%s?expires=%" PRId64, path, expires_unix_s);
    if (n < 0 || n >= (int)sizeof(text))
        n = 0; // no file's path is that long; the signature of nothing fits none
    hmac_sha256(v->site_secret, sizeof(v->site_secret), text, (size_t)n, mac);
    hex_encode(mac, sizeof(mac), out);
}

void view_file_url(struct buf *out, const struct view *v, const struct job *j, const char *name,
                   const char *ext)
{
    char path[128], signature[VIEW_SIGNATURE_TEXT];
    int64_t expires = j->expires_ms / 1000;

    snprintf(path, sizeof(path), "/files/%s/%s.%s", j->uuid, name, ext);
    buf_adds(out, v->public_url);
    buf_adds(out, path);
    if (j->is_private) {
        view_file_signature(v, path, expires, signature);
        buf_addf(out, "?expires=%" PRId64 "&signature=%s", expires, signature);
    }
}

static void write_file_url(struct json_writer *w, const struct view *v, const struct job *j,
                           const char *name)
{
    struct buf url = BUF_INIT;

    view_file_url(&url, v, j, name, "png");
    jw_strn(w, url.data ? url.data : "", url.len);
    w->out->failed |= url.failed;
    buf_release(&url);
}

static void write_output(struct json_writer *w, const struct view *v, const struct job *j)
{
    static const char *const picture[] = {"0", "1", "2", "3"};
    char seed[12] = "";
    bool done = j->state == JOB_COMPLETED;

    if (done && j->has_seed)
        snprintf(seed, sizeof(seed), "%" PRIu32, j->seed);
    jw_key(w, "output");
    jw_open(w, '{');
    jw_key(w, "image_url");
    if (done)
        write_file_url(w, v, j, "grid");
    else
        jw_str(w, "");
    jw_key(w, "image_urls");
    if (done) {
        jw_open(w, '[');
        for (size_t i = 0; i < sizeof(picture) / sizeof(picture[0]); i++)
            write_file_url(w, v, j, picture[i]);
        jw_close(w, ']');
    } else {
        jw_null(w);
    }
    jw_kstr(w, "seed", seed);
    jw_close(w, '}');
}

static void write_meta(struct json_writer *w, const struct job *j)
{
    jw_key(w, "meta");
    jw_open(w, '{');
    jw_ktime(w, "created_at", j->created_ms);
    jw_ktime(w, "started_at", j->started_ms);
    jw_ktime(w, "ended_at", j->ended_ms);
    jw_key(w, "usage");
    jw_open(w, '{');
    jw_kstr(w, "type", "point");
    jw_kint(w, "frozen", j->state == JOB_FAILED ? 0 : j->cost);
    jw_kint(w, "consume", j->state == JOB_COMPLETED ? j->cost : 0);
    jw_close(w, '}');
    jw_close(w, '}');
}

// ---- detail ----

static void write_progress(struct json_writer *w, const struct job *j, const struct view_extra *x)
{
    const struct board_entry *b = x->board;

    if (j->state == JOB_FAILED)
        return;
    if (j->state == JOB_COMPLETED) {
        jw_kint(w, "progress", 100);
        jw_kstr(w, "stage", job_stage_name(STAGE_DONE));
        return;
    }
    jw_kint(w, "progress", b ? b->progress : 0);
    jw_kstr(w, "stage", job_stage_name(b ? b->stage : STAGE_QUEUED));
    if (x->queue_position > 0)
        jw_kint(w, "queue_position", x->queue_position);
    if (b && b->eta_ms >= 0)
        jw_kint(w, "eta_seconds", (b->eta_ms + 999) / 1000);
}

static void write_rendering(struct json_writer *w, const struct job *j, const struct board_entry *b)
{
    bool stored = j->engine[0] != '\0';
    const char *engine = stored ? j->engine : b ? b->engine : "";
    int width = stored || !b ? j->width : b->width;
    int height = stored || !b ? j->height : b->height;

    if (j->claims > 0)
        jw_kint(w, "attempt", j->claims);
    if (engine[0])
        jw_kstr(w, "engine", engine);
    if (width > 0 && height > 0) {
        jw_kint(w, "width", width);
        jw_kint(w, "height", height);
    }
}

static bool has_detail(const struct job *j)
{
    return j->state != JOB_FAILED || j->claims > 0 || j->cancelled || j->interpretation ||
           j->warnings || j->timings;
}

static void write_detail(struct json_writer *w, const struct job *j, const struct view_extra *x)
{
    bool final = job_state_final(j->state);

    jw_key(w, "detail");
    if (x->fresh || !has_detail(j)) {
        jw_null(w);
        return;
    }
    jw_open(w, '{');
    write_progress(w, j, x);
    write_rendering(w, j, final ? NULL : x->board);
    if (j->interpretation)
        jw_kraw(w, "interpretation", j->interpretation);
    if (j->warnings)
        jw_kraw(w, "warnings", j->warnings);
    if (j->timings)
        jw_kraw(w, "timings_ms", j->timings);
    if (j->state == JOB_COMPLETED && j->expires_ms >= 0) {
        jw_ktime(w, "expires_at", j->expires_ms);
        if (x->now_ms >= j->expires_ms) {
            jw_key(w, "expired");
            jw_bool(w, true);
        }
    }
    if (j->cancelled) {
        jw_key(w, "cancelled");
        jw_bool(w, true);
    }
    jw_close(w, '}');
}

static void write_error(struct json_writer *w, const struct job *j)
{
    const char *phrase = job_error_phrase(j->error_code);

    jw_key(w, "error");
    jw_open(w, '{');
    jw_kint(w, "code", j->error_code);
    jw_kstr(w, "raw_message", phrase);
    jw_kstr(w, "message", j->error_message);
    jw_kraw(w, "detail", j->error_detail);
    jw_close(w, '}');
}

void view_task_members(struct json_writer *w, const struct view *v, const struct job *j,
                       const struct view_extra *x)
{
    jw_kstr(w, "job_id", j->uuid);
    jw_kstr(w, "model", "midjourney");
    jw_kstr(w, "task_type", "retexture");
    jw_kstr(w, "status", job_state_name(j->state));
    write_config(w, j);
    write_input(w, j, x->fresh);
    write_output(w, v, j);
    write_meta(w, j);
    write_detail(w, j, x);
    jw_key(w, "logs");
    jw_open(w, '[');
    jw_close(w, ']');
    write_error(w, j);
}

void view_task(struct json_writer *w, const struct view *v, const struct job *j,
               const struct view_extra *x)
{
    jw_open(w, '{');
    view_task_members(w, v, j, x);
    jw_close(w, '}');
}

void view_webhook(struct buf *out, const struct view *v, const struct job *j,
                  const struct view_extra *x, int64_t at_unix_s)
{
    struct json_writer w = JSON_WRITER(out);

    jw_open(&w, '{');
    view_task_members(&w, v, j, x);
    jw_kint(&w, "timestamp", at_unix_s);
    jw_key(&w, "data");
    view_task(&w, v, j, x);
    jw_close(&w, '}');
}
