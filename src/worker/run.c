/* SPDX-License-Identifier: MIT */
/* One claimed job on its way through a worker: every step of it, and its end. */
#include "worker/worker_internal.h"

#include "base/json.h"
#include "engine/engine_run.h"
#include "image/codec.h"
#include "worker/render_request.h"
#include "worker/results.h"

#include <stdlib.h>
#include <string.h>

enum {
    // Where in 0..100 each stage begins; most of the time is rendering.
    PROGRESS_FETCH = 1,
    PROGRESS_DECODE = 5,
    PROGRESS_RENDER = 10,
    PROGRESS_ENCODE = 90,
    PROGRESS_STORE = 96,

    TIMEOUT_ESTIMATES = 5, // a job may take this many times its estimate
    TIMEOUT_REMAINDER_MS = 1
};

static int64_t ms_since(const struct run *r, int64_t since_ns)
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
        {"total", ms_since(r, r->claimed_ns)},
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

static void log_job(const struct run *r, enum log_level level, const char *event, const char *state,
                    const char *why)
{
    log_event(r->o->log, level, event, LOG_S("job", r->job.uuid), LOG_N("attempt", r->job.claims),
              LOG_S("state", state), LOG_N("ms", ms_since(r, r->claimed_ns)), LOG_S("why", why));
}

static void log_finish(const struct run *r, const char *state, int code, int64_t bytes,
                       const char *why)
{
    log_event(r->o->log, LOG_INFO, "job.finish", LOG_S("job", r->job.uuid),
              LOG_N("attempt", r->job.claims), LOG_S("state", state), LOG_N("code", code),
              LOG_S("engine", r->board.engine), LOG_N("bytes", bytes),
              LOG_N("ms", ms_since(r, r->claimed_ns)), LOG_S("why", why));
    log_stages(r);
}

static void show(struct run *r, enum job_stage stage, int progress, int64_t eta_ms)
{
    r->board.stage = stage;
    r->board.progress = progress;
    r->board.eta_ms = eta_ms;
    board_set(r->o->board, r->job.uuid, &r->board);
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
    log_job(r, LOG_INFO, "job.claim", job_state_name(JOB_PENDING), NULL);
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

    log_job(r, strike ? LOG_WARN : LOG_INFO, "job.hand_back",
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

    log_finish(r, e ? err_name(e) : job_state_name(JOB_FAILED), f->code, 0, why);
}

// Ends the run after an error. What the note says of our own troubles goes to the log alone.
static void give_up(struct run *r, enum err e, enum failure_step step, const struct err_note *note)
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
            log_job(r, LOG_WARN, "job.trouble", err_name(e), note->text);
        break;
    case FAILURE_QUIET:
        log_job(r, LOG_INFO, "job.drop", err_name(e), note->text);
        break;
    }
}

static struct engine_job engine_job_of(const struct run *r)
{
    return (struct engine_job){
        .prompt_text = r->job.prompt,
        .prompt_len = strlen(r->job.prompt),
        .pixels = r->o->pixels,
    };
}

// Says which picture an error is about, when it is not the source.
static enum err blame(enum run_picture which, enum err e, struct err_note *note)
{
    if (e && which == RUN_STYLE) {
        err_note_prefix(note, "--sref");
        snprintf(note->field, sizeof note->field, "sref");
    }
    return e;
}

// The bytes of all pictures.
static enum err fetch(struct run *r, struct source source[RUN_PICTURES], struct err_note *note)
{
    const struct engine_job job = engine_job_of(r);
    enum err e = engine_run_style(r->o->engine, &job, &r->arena, &r->url[RUN_STYLE]);

    for (int i = 0; i < RUN_PICTURES && !e; i++) {
        const struct source_request want = {&r->job, r->url[i], i == RUN_STYLE};
        if (r->url[i])
            e = blame(i, source_read(r->o, &want, &r->lease, r->cancel, &source[i], note), note);
    }
    return e;
}

static enum err read_sizes(struct run *r, const struct source source[RUN_PICTURES],
                           struct engine_sizes *out, struct err_note *note)
{
    int *const side[RUN_PICTURES][2] = {{&out->width, &out->height},
                                        {&out->style_width, &out->style_height}};

    for (int i = 0; i < RUN_PICTURES && r->url[i]; i++) {
        struct image_info info;
        enum err e = image_read_info(source[i].data, source[i].len, &info, note);
        if (e)
            return blame(i, e, note);
        bool turned = info.orientation >= 5;
        *side[i][0] = turned ? info.height : info.width;
        *side[i][1] = turned ? info.width : info.height;
        r->animated[i] = info.animated;
    }
    return ERR_OK;
}

// Looks at the headers alone, to know what decoding and rendering will take.
static enum err admit(struct run *r, const struct source source[RUN_PICTURES],
                      struct codec_decode_options how[RUN_PICTURES], struct err_note *note)
{
    const struct engine_job job = engine_job_of(r);
    struct engine_sizes sizes = {0};
    struct engine_plan plan;

    enum err e = read_sizes(r, source, &sizes, note);
    if (e)
        return e;
    engine_run_plan(r->o->engine, &sizes, &job, &plan);
    how[RUN_SOURCE].want_pixels = plan.source_pixels;
    how[RUN_STYLE].want_pixels = plan.style_pixels;
    r->estimate = plan.estimate;
    snprintf(r->board.engine, sizeof r->board.engine, "%s", r->o->engine->label);
    r->board.width = plan.width;
    r->board.height = plan.height;
    // Behind the engine: four pictures copied out of its process, the grid, and their files, which
    // are at most about as large.
    int64_t bytes = r->estimate.bytes + 4 * 4 * r->o->pixels * 4;
    e = budget_take(r->budget, bytes, r->cancel, note);
    if (e)
        return e;
    r->budget_bytes = bytes;
    r->has_place = true;
    if (!r->o->job_timeout_ms) {
        int64_t ms =
            (int64_t)((double)r->estimate.ms * TIMEOUT_ESTIMATES * board_correction(r->o->board));
        if (ms > WORKER_JOB_MS_MIN)
            atomic_store(&r->deadline_ns, r->claimed_ns + ms * 1000000);
    }
    return ERR_OK;
}

static int64_t render_eta_ms(const struct run *r)
{
    return (int64_t)((double)r->estimate.ms * board_correction(r->o->board));
}

static enum err decode(struct run *r, const struct source source[RUN_PICTURES],
                       const struct codec_decode_options how[RUN_PICTURES], struct err_note *note)
{
    enum err e = ERR_OK;

    for (int i = 0; i < RUN_PICTURES && r->url[i] && !e; i++) {
        e = decoder_decode(r->o->decoder, source[i].data, source[i].len, &how[i], r->cancel,
                           &r->decoded[i], note);
        if (e == ERR_CRASHED || (e == ERR_TOO_LARGE && note->reason[0]))
            log_event(r->o->log, LOG_WARN, "decode.ended", LOG_S("job", r->job.uuid),
                      LOG_S("how", e == ERR_CRASHED ? "killed" : note->reason));
        e = blame(i, e, note);
    }
    return e;
}

bool run_stage(struct run *r)
{
    struct source source[RUN_PICTURES] = {{0}};
    struct codec_decode_options how[RUN_PICTURES] = {{0}};
    struct err_note note = {0};
    enum failure_step step = STEP_SOURCE;
    int64_t began = clock_mono_ns(r->o->clock);

    show(r, STAGE_FETCHING, PROGRESS_FETCH, -1);
    enum err e = fetch(r, source, &note);
    r->ms.fetch_ms = ms_since(r, began);
    atomic_store(&r->fetched, true);
    if (!e) {
        step = STEP_DECODE;
        e = admit(r, source, how, &note);
    }
    if (!e) {
        show(r, STAGE_DECODING, PROGRESS_DECODE, render_eta_ms(r));
        began = clock_mono_ns(r->o->clock);
        e = decode(r, source, how, &note);
        r->ms.decode_ms = ms_since(r, began);
    }
    if (!e) {
        step = STEP_STORE;
        e = store_advance(r->o->store, &r->lease, JOB_STAGED);
    }
    for (int i = 0; i < RUN_PICTURES; i++)
        source_release(&source[i]);
    if (e) {
        give_up(r, e, step, &note);
        return false;
    }
    r->staged_ns = clock_mono_ns(r->o->clock);
    show(r, STAGE_DECODING, PROGRESS_RENDER, render_eta_ms(r));
    log_job(r, LOG_INFO, "job.staged", job_state_name(JOB_STAGED), NULL);
    return true;
}

static void on_progress(void *ctx, float done)
{
    struct run *r = ctx;
    int64_t total = render_eta_ms(r);

    done = done < 0 ? 0 : done > 1 ? 1 : done;
    show(r, STAGE_RENDERING,
         PROGRESS_RENDER + (int)(done * (float)(PROGRESS_ENCODE - PROGRESS_RENDER)),
         (int64_t)((double)total * (1 - (double)done)));
}

static enum err render(struct run *r, struct render_answer *answer, struct err_note *note)
{
    struct buf request = BUF_INIT;
    uint32_t seed;
    enum err e;

    rand_bytes(&seed, sizeof seed);
    render_request_write(
        &(struct render_request){
            .prompt = r->job.prompt,
            .seed = seed,
            .pixels = r->o->pixels,
            .threads = r->o->render_threads,
        },
        &request);
    if (request.failed)
        return err_set(note, ERR_NOMEM, "out of memory for a request");
    for (int attempt = 0;; attempt++) {
        int64_t left_ms = (atomic_load(&r->deadline_ns) - clock_mono_ns(r->o->clock)) / 1000000;
        e = render_run(r->o->renderers,
                       &(struct render_call){
                           .source = &r->decoded[RUN_SOURCE].image,
                           .source_fd = r->decoded[RUN_SOURCE].fd,
                           .style = r->url[RUN_STYLE] ? &r->decoded[RUN_STYLE].image : NULL,
                           .style_fd = r->decoded[RUN_STYLE].fd,
                           .request_json = request.data,
                           .limit_ms = left_ms > 0 ? left_ms : TIMEOUT_REMAINDER_MS,
                           .progress = on_progress,
                           .progress_ctx = r,
                           .cancel = r->cancel,
                       },
                       answer, note);
        // Once more with the same seed when the engine itself failed: memory may have been short.
        if (attempt || (e != ERR_BUG && e != ERR_NOMEM))
            break;
        log_job(r, LOG_WARN, "job.again", err_name(e), note->text);
    }
    if (e == ERR_NOMEM)
        e = ERR_BUG; // twice: not the machine's mood
    buf_release(&request);
    return e;
}

static void write_timings(const struct run *r, struct buf *out)
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

// The engine's warnings, and the decoder's. `out` is empty.
static void write_warnings(const struct run *r, const char *of_engine, struct buf *out)
{
    static const char *const NAME[RUN_PICTURES] = {"source", "style picture"};
    size_t len = strlen(of_engine);

    if (len < 2) {
        of_engine = "[]";
        len = 2;
    }
    buf_add(out, of_engine, len - 1);
    for (int i = 0; i < RUN_PICTURES; i++)
        if (r->animated[i])
            buf_addf(out,
                     "%s{\"code\":\"first_frame\",\"message\":\"the %s is an animation; its "
                     "first full frame was used\"}",
                     out->len > 1 ? "," : "", NAME[i]);
    buf_addc(out, ']');
}

static enum err finish(struct run *r, const struct render_report *report, struct results *files)
{
    struct buf timings = BUF_INIT, warnings = BUF_INIT;
    const char *keys[RESULT_FILES];
    int64_t bytes[RESULT_FILES];
    enum err e = ERR_NOMEM;

    for (int i = 0; i < RESULT_FILES; i++) {
        keys[i] = files->key[i];
        bytes[i] = (int64_t)files->file[i].len;
    }
    write_timings(r, &timings);
    write_warnings(r, report->warnings, &warnings);
    if (!timings.failed && !warnings.failed)
        e = store_finish(
            r->o->store, &r->lease,
            &(struct job_end){
                .completed = true,
                .seed = report->seed,
                .width = report->width,
                .height = report->height,
                .engine = report->engine,
                .interpretation = *report->interpretation ? report->interpretation : NULL,
                .warnings = warnings.data,
                .timings = timings.data,
                .blob_keys = keys,
                .blob_bytes = bytes,
                .blob_count = RESULT_FILES,
            });
    buf_release(&timings);
    buf_release(&warnings);
    return e;
}

// The job did not complete, so nothing is kept; unless somebody else runs it by now, whose files
// have the same names.
static void drop_results(struct run *r, const struct results *files)
{
    struct arena arena = ARENA_INIT;
    struct job now;

    if (!store_job_get(r->o->store, -1, r->job.uuid, &arena, &now) &&
        (now.state == JOB_FAILED || now.claims == r->job.claims))
        results_delete(files, r->o->blobs);
    arena_release(&arena);
}

// From the engine's pictures to the finished job.
static enum err deliver(struct run *r, const struct render_answer *answer, struct err_note *note)
{
    struct results files = {0};
    struct render_report report;
    json_t *root = NULL;
    int64_t began = clock_mono_ns(r->o->clock);

    if (answer->count != ENGINE_PICTURES_MAX ||
        render_report_read(answer->report_json, &root, &report))
        return err_set(note, ERR_BUG, "the renderer's answer makes no sense");
    r->ms.prepare_ms = report.prepare_ms;
    r->ms.render_ms = report.render_ms;
    snprintf(r->board.engine, sizeof r->board.engine, "%s", report.engine);
    r->board.width = report.width;
    r->board.height = report.height;
    show(r, STAGE_ENCODING, PROGRESS_ENCODE, r->board.eta_ms);
    enum err e = results_encode(answer->picture, r->job.uuid, r->job.prompt, report.engine,
                                report.seed, &files, note);
    r->ms.encode_ms = ms_since(r, began);
    if (!e && atomic_load(r->cancel))
        e = ERR_CANCELLED;
    if (!e) {
        began = clock_mono_ns(r->o->clock);
        show(r, STAGE_STORING, PROGRESS_STORE, r->board.eta_ms);
        e = results_store(&files, r->o->blobs, note);
        r->ms.store_ms = ms_since(r, began);
    }
    if (!e) {
        e = finish(r, &report, &files);
        for (int i = 0; !e && i < RESULT_FILES; i++)
            r->stored_bytes += (int64_t)files.file[i].len;
        if (e)
            drop_results(r, &files);
    }
    results_release(&files);
    json_decref(root);
    return e;
}

void run_render(struct run *r)
{
    struct render_answer answer = {0};
    struct err_note note = {0};
    enum failure_step step = STEP_STORE;

    r->render_ns = clock_mono_ns(r->o->clock);
    r->ms.wait_ms = ms_since(r, r->staged_ns);
    enum err e = store_advance(r->o->store, &r->lease, JOB_PROCESSING);
    if (!e) {
        log_job(r, LOG_INFO, "job.processing", job_state_name(JOB_PROCESSING), NULL);
        on_progress(r, 0);
        step = STEP_RENDER;
        e = render(r, &answer, &note);
    }
    if (!e) {
        step = STEP_STORE;
        e = deliver(r, &answer, &note);
    }
    render_answer_release(&answer);
    if (e) {
        give_up(r, e, step, &note);
        return;
    }
    board_measured(r->o->board, r->estimate.ms, ms_since(r, r->render_ns));
    show(r, STAGE_DONE, 100, 0);
    log_finish(r, job_state_name(JOB_COMPLETED), 0, r->stored_bytes, NULL);
}
