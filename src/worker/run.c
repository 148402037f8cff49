/* SPDX-License-Identifier: MIT */
/* One claimed job on its way through a worker: how it begins, what is shown and logged of it, and
 * its failures. Its steps are in run_stage.c and run_render.c. */
#include "worker/worker_internal.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

int64_t run_ms_since(const struct run *r, int64_t since_ns)
{
    return (clock_mono_ns(r->o->clock) - since_ns) / 1000000;
}

struct timing {
    const char *stage;
    int64_t ms; // -1: not come to
};

enum { TIMINGS = 9 };

static void timings_of(const struct run *r, struct timing out[TIMINGS])
{
    const struct timing t[TIMINGS] = {
        {"queue", r->ms.queue_ms},
        {"fetch", r->ms.fetch_ms},
        {"decode", r->ms.decode_ms},
        {"wait", r->ms.wait_ms},
        {"prepare", r->ms.prepare_ms},
        {"render", r->ms.render_ms},
        {"encode", r->ms.encode_ms},
        {"store", r->ms.store_ms},
        {"total", run_ms_since(r, r->claimed_ns)},
    };

    memcpy(out, t, sizeof t);
}

static void log_stages(const struct run *r)
{
    struct timing t[TIMINGS];

    timings_of(r, t);
    for (int i = 0; i < TIMINGS && log_wanted(r->o->log, LOG_DEBUG); i++)
        if (t[i].ms >= 0)
            log_event(r->o->log, LOG_DEBUG, "job.stage", LOG_S("job", r->job.uuid),
                      LOG_S("stage", t[i].stage), LOG_N("ms", t[i].ms));
}

void run_write_timings(const struct run *r, struct buf *out)
{
    struct json_writer w = JSON_WRITER(out);
    struct timing t[TIMINGS];

    timings_of(r, t);
    jw_open(&w, '{');
    for (int i = 0; i < TIMINGS; i++)
        if (t[i].ms >= 0)
            jw_kint(&w, t[i].stage, t[i].ms);
    jw_close(&w, '}');
}

void run_log(const struct run *r, enum log_level level, const char *event, const char *state,
             const char *why)
{
    log_event(r->o->log, level, event, LOG_S("job", r->job.uuid), LOG_N("attempt", r->job.claims),
              LOG_S("state", state), LOG_N("ms", run_ms_since(r, r->claimed_ns)),
              LOG_S("why", why));
}

void run_log_finish(const struct run *r, const char *state, int code, int64_t bytes,
                    const char *why)
{
    log_event(r->o->log, LOG_INFO, "job.finish", LOG_S("job", r->job.uuid),
              LOG_N("attempt", r->job.claims), LOG_S("state", state), LOG_N("code", code),
              LOG_S("engine", r->board.engine), LOG_N("bytes", bytes),
              LOG_N("ms", run_ms_since(r, r->claimed_ns)), LOG_S("why", why));
    log_stages(r);
}

void run_show(struct run *r, enum job_stage stage, int progress, int64_t eta_ms)
{
    r->board.stage = stage;
    r->board.progress = progress;
    r->board.eta_ms = eta_ms;
    board_set(r->o->board, r->job.uuid, &r->board);
}

int64_t run_render_eta_ms(const struct run *r)
{
    return (int64_t)((double)r->estimate.ms * board_correction(r->o->board));
}

struct run *run_new(const struct worker_options *o, struct budget *budget, struct arena *arena,
                    const struct job *job, const struct lease *lease)
{
    struct run *r = calloc(1, sizeof *r);
    const atomic_bool *cancel = r ? board_add(o->board, job->uuid) : NULL;

    if (!cancel) {
        free(r);
        return NULL;
    }
    r->o = o;
    r->budget = budget;
    r->arena = *arena;
    *arena = (struct arena)ARENA_INIT;
    r->job = *job;
    r->lease = *lease;
    r->cancel = cancel;
    r->url[RUN_SOURCE] = r->job.img_url;
    r->decoded[RUN_SOURCE].fd = r->decoded[RUN_STYLE].fd = -1;
    r->claimed_ns = clock_mono_ns(o->clock);
    int64_t limit_ms = o->job_timeout_ms ? o->job_timeout_ms : WORKER_JOB_MS_MIN;
    atomic_store(&r->deadline_ns, r->claimed_ns + limit_ms * 1000000);
    r->ms = (struct run_times){-1, -1, -1, -1, -1, -1, -1, -1};
    r->ms.queue_ms = clock_unix_ms(o->clock) - job->created_ms;
    if (r->ms.queue_ms < 0)
        r->ms.queue_ms = 0; // the wall clock was set back
    run_log(r, LOG_INFO, "job.claim", job_state_name(JOB_PENDING), NULL);
    return r;
}

void run_stop(struct run *r, enum run_stop why)
{
    int expected = RUN_GOES_ON;

    atomic_compare_exchange_strong(&r->stop, &expected, (int)why);
    board_cancel(r->o->board, r->job.uuid);
}

void run_give_place(struct run *r)
{
    if (r->has_place)
        budget_give_place(r->budget);
    r->has_place = false;
}

void run_free(struct run *r)
{
    board_remove(r->o->board, r->job.uuid);
    for (int i = 0; i < RUN_PICTURES; i++)
        decoded_release(&r->decoded[i]);
    run_give_place(r);
    if (r->budget_bytes)
        budget_give_bytes(r->budget, r->budget_bytes);
    arena_release(&r->arena);
    free(r);
}

void run_hand_back(struct run *r, bool strike, const char *why)
{
    enum err e = store_hand_back(r->o->store, &r->lease, strike, why);

    run_log(r, strike ? LOG_WARN : LOG_INFO, "job.hand_back",
            e ? err_name(e) : job_state_name(JOB_PENDING), why);
}

// The job's end as `failed`.
static void end_failed(struct run *r, const struct failure *f, const char *why)
{
    struct job_end end = {
        .error_code = f->code,
        .error_message = f->message,
        .error_detail = f->detail[0] ? f->detail : NULL,
    };
    enum err e = store_finish(r->o->store, &r->lease, &end);

    run_log_finish(r, e ? err_name(e) : job_state_name(JOB_FAILED), f->code, 0, why);
}
// Ends the run after an error. What the note says of our own troubles goes to the log alone.
void run_give_up(struct run *r, enum err e, enum failure_step step, const struct err_note *note)
{
    struct failure f;
    int stop = atomic_load(&r->stop);

    if (e == ERR_CANCELLED && stop == RUN_LATE)
        e = ERR_TIMEOUT;
    failure_of(e, e == ERR_TIMEOUT && stop == RUN_LATE ? STEP_RENDER : step, note, &f);
    if (e == ERR_CANCELLED && stop == RUN_DRAINED)
        f.move = FAILURE_HAND_BACK;
    switch (f.move) {
    case FAILURE_END:
        end_failed(r, &f, note->text[0] ? note->text : err_name(e));
        break;
    case FAILURE_STRIKE:
    case FAILURE_HAND_BACK:
        run_hand_back(r, f.move == FAILURE_STRIKE,
                      stop == RUN_DRAINED ? "the service was stopped" : f.message);
        r->trouble = f.move == FAILURE_HAND_BACK;
        if (stop != RUN_DRAINED)
            run_log(r, LOG_WARN, "job.trouble", err_name(e), note->text);
        break;
    case FAILURE_QUIET:
        run_log(r, LOG_INFO, "job.drop", err_name(e), note->text);
        break;
    }
}
