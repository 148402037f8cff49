/* SPDX-License-Identifier: MIT */
/* From a claim to decoded pictures: fetch, admit, decode. */
#include "worker/worker_internal.h"

#include "engine/engine_run.h"
#include "image/codec.h"

#include <string.h>

enum { TIMEOUT_ESTIMATES = 5 }; // a job may take this many times its estimate

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

    run_show(r, STAGE_FETCHING, PROGRESS_FETCH, -1);
    enum err e = fetch(r, source, &note);
    r->ms.fetch_ms = run_ms_since(r, began);
    atomic_store(&r->fetched, true);
    if (!e) {
        step = STEP_DECODE;
        e = admit(r, source, how, &note);
    }
    if (!e) {
        run_show(r, STAGE_DECODING, PROGRESS_DECODE, run_render_eta_ms(r));
        began = clock_mono_ns(r->o->clock);
        e = decode(r, source, how, &note);
        r->ms.decode_ms = run_ms_since(r, began);
    }
    if (!e) {
        step = STEP_STORE;
        e = store_advance(r->o->store, &r->lease, JOB_STAGED);
    }
    for (int i = 0; i < RUN_PICTURES; i++)
        source_release(&source[i]);
    if (e) {
        run_give_up(r, e, step, &note);
        return false;
    }
    r->staged_ns = clock_mono_ns(r->o->clock);
    run_show(r, STAGE_DECODING, PROGRESS_RENDER, run_render_eta_ms(r));
    run_log(r, LOG_INFO, "job.staged", job_state_name(JOB_STAGED), NULL);
    return true;
}
