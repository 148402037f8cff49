/* SPDX-License-Identifier: MIT */
/* From decoded pictures to the end of the job: render, encode, store, finish. */
#include "worker/worker_internal.h"

#include "base/json.h"
#include "base/rand.h"
#include "worker/render_request.h"
#include "worker/results.h"

#include <string.h>

enum { TIMEOUT_REMAINDER_MS = 1 }; // the least that a renderer is given: its time is over

static void on_progress(void *ctx, float done)
{
    struct run *r = ctx;

    done = done < 0 ? 0 : done > 1 ? 1 : done;
    run_show(r, STAGE_RENDERING,
             PROGRESS_RENDER + (int)(done * (float)(PROGRESS_ENCODE - PROGRESS_RENDER)),
             board_left_ms(run_render_eta_ms(r), run_ms_since(r, r->render_ns), (double)done));
}

static enum err call_renderer(struct run *r, const char *request, struct render_answer *answer,
                              struct err_note *note)
{
    int64_t left_ms = (atomic_load(&r->deadline_ns) - clock_mono_ns(r->o->clock)) / 1000000;

    return render_run(r->o->renderers,
                      &(struct render_call){
                          .source = &r->decoded[RUN_SOURCE].image,
                          .source_fd = r->decoded[RUN_SOURCE].fd,
                          .style = r->url[RUN_STYLE] ? &r->decoded[RUN_STYLE].image : NULL,
                          .style_fd = r->decoded[RUN_STYLE].fd,
                          .request_json = request,
                          .limit_ms = left_ms > 0 ? left_ms : TIMEOUT_REMAINDER_MS,
                          .progress = on_progress,
                          .progress_ctx = r,
                          .cancel = r->cancel,
                      },
                      answer, note);
}

static enum err render(struct run *r, struct render_answer *answer, struct err_note *note)
{
    struct buf request = BUF_INIT;
    enum err e = ERR_NOMEM;
    uint32_t seed;

    rand_bytes(&seed, sizeof seed);
    render_request_write(
        &(struct render_request){
            .prompt = r->job.prompt,
            .seed = seed,
            .pixels = r->o->pixels,
            .threads = r->o->render_threads,
        },
        &request);
    if (!request.failed)
        e = call_renderer(r, request.data, answer, note);
    // Once more with the same seed when the engine itself failed: memory may have been short.
    if (!request.failed && (e == ERR_BUG || e == ERR_NOMEM)) {
        run_log(r, LOG_WARN, "job.again", err_name(e), note->text);
        e = call_renderer(r, request.data, answer, note);
        if (e == ERR_NOMEM)
            e = ERR_BUG; // twice: not the machine's mood
    }
    buf_release(&request);
    return e;
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
    run_write_timings(r, &timings);
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
    run_show(r, STAGE_ENCODING, PROGRESS_ENCODE, r->board.eta_ms);
    enum err e = results_encode(answer->picture, r->job.uuid, r->job.prompt, report.engine,
                                report.seed, &files, note);
    r->ms.encode_ms = run_ms_since(r, began);
    if (!e && atomic_load(r->cancel))
        e = ERR_CANCELLED;
    if (!e) {
        began = clock_mono_ns(r->o->clock);
        run_show(r, STAGE_STORING, PROGRESS_STORE, r->board.eta_ms);
        e = results_store(&files, r->o->blobs, note);
        r->ms.store_ms = run_ms_since(r, began);
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
    r->ms.wait_ms = run_ms_since(r, r->staged_ns);
    enum err e = store_advance(r->o->store, &r->lease, JOB_PROCESSING);
    if (!e) {
        run_log(r, LOG_INFO, "job.processing", job_state_name(JOB_PROCESSING), NULL);
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
        run_give_up(r, e, step, &note);
        return;
    }
    board_measured(r->o->board, r->estimate.ms, run_ms_since(r, r->render_ns));
    run_show(r, STAGE_DONE, 100, 0);
    run_log_finish(r, job_state_name(JOB_COMPLETED), 0, r->stored_bytes, NULL);
}
