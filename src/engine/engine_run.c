/* SPDX-License-Identifier: MIT */
#include "engine/engine_run.h"

#include "base/clock.h"
#include "image/fit.h"

#include <string.h>

// A crop below this share of the source goes unmentioned: it is what rounding to 16 takes.
static const double CUT_TOLD = 0.02;

void engine_result_release(struct engine_result *r)
{
    for (int i = 0; i < ENGINE_PICTURES_MAX; i++)
        image_release(&r->picture[i]);
    buf_release(&r->interpretation);
    buf_release(&r->warnings);
    memset(r, 0, sizeof(*r));
}

static struct fit_request size_wanted(const struct prompt *p, int64_t pixels, int width, int height)
{
    struct fit_request want = {.pixels = pixels, .width = width, .height = height};

    if (p->given & PROMPT_AR && width == 0) {
        want.ar_w = p->ar_w;
        want.ar_h = p->ar_h;
    }
    return want;
}

static void warn_fit(struct prompt *p, struct arena *a, const struct image *source,
                     const struct fit_plan *plan)
{
    if (plan->cut > CUT_TOLD)
        prompt_warn(p, a, "cropped", "%d %% of the source is cut off to fit %dx%d",
                    (int)(plan->cut * 100.0 + 0.5), plan->width, plan->height);
    if (plan->enlarged)
        prompt_warn(p, a, "enlarged", "the source, %dx%d, is enlarged to %dx%d", source->width,
                    source->height, plan->width, plan->height);
}

static enum err prepare(const struct engine_job *job, struct prompt *p, struct arena *a,
                        struct image *out, struct err_note *note)
{
    struct fit_plan plan;
    struct fit_request want = size_wanted(p, job->pixels, job->width, job->height);
    enum err e = fit_plan(job->source->width, job->source->height, &want, &plan, note);

    if (e != ERR_OK)
        return e;
    fit_centre(job->source, &plan);
    warn_fit(p, a, job->source, &plan);
    e = fit_resample(job->source, &plan, job->threads, out);
    return e == ERR_OK ? ERR_OK : err_set(note, e, "not enough memory to resize the source");
}

static enum err report(const struct prompt *p, struct engine_result *r, struct err_note *note)
{
    prompt_write_json(p, &r->interpretation);
    prompt_write_warnings(p, &r->warnings);
    if (r->interpretation.failed || r->warnings.failed)
        return err_set(note, ERR_NOMEM, "no memory for the report");
    return ERR_OK;
}

enum err engine_run(struct engine *e, const struct engine_job *job, struct engine_result *out,
                    struct err_note *note)
{
    struct arena arena = ARENA_INIT;
    struct image sized = {0};
    struct engine_result made = {.count = job->count};
    int64_t begun = clock_mono_ns(&clock_system);
    struct prompt *p = arena_alloc(&arena, sizeof(*p));
    enum err code = p ? prompt_read(p, &arena, job->prompt_text, job->prompt_len) : ERR_NOMEM;

    if (code != ERR_OK) {
        err_set(note, code, "no memory to read the prompt");
        goto out;
    }
    code = prepare(job, p, &arena, &sized, note);
    if (code != ERR_OK)
        goto out;
    int64_t prepared = clock_mono_ns(&clock_system);
    made.width = sized.width;
    made.height = sized.height;
    made.seed = p->given & PROMPT_SEED ? p->seed : job->seed;
    struct engine_request request = {.source = &sized,
                                     .prompt = p,
                                     .arena = &arena,
                                     .seed = made.seed,
                                     .first = job->first,
                                     .count = job->count,
                                     .progress = job->progress,
                                     .progress_ctx = job->progress_ctx,
                                     .cancel = job->cancel};
    code = e->ops->render(e, &request, made.picture, note);
    if (code == ERR_OK)
        code = report(p, &made, note);
    made.prepare_ms = (prepared - begun) / 1000000;
    made.render_ms = (clock_mono_ns(&clock_system) - prepared) / 1000000;
out:
    if (code == ERR_OK)
        *out = made;
    else
        engine_result_release(&made);
    image_release(&sized);
    arena_release(&arena);
    return code;
}

void engine_run_plan(const struct engine *e, int width, int height, const struct engine_job *job,
                     struct engine_plan *out)
{
    struct arena arena = ARENA_INIT;
    struct fit_plan plan;
    struct prompt *p = arena_alloc(&arena, sizeof(*p));

    *out = (struct engine_plan){0};
    if (p && prompt_read(p, &arena, job->prompt_text, job->prompt_len) == ERR_OK) {
        struct fit_request want = size_wanted(p, job->pixels, job->width, job->height);
        if (fit_plan(width, height, &want, &plan, NULL) == ERR_OK) {
            double scale = (double)plan.width * plan.height / (plan.crop_w * plan.crop_h);
            out->width = plan.width;
            out->height = plan.height;
            out->source_pixels = (int64_t)(scale * width * height) + 1;
            if (e)
                e->ops->estimate(e, plan.width, plan.height, p, &out->estimate);
        }
    }
    out->estimate.bytes += (int64_t)width * height * 4;
    arena_release(&arena);
}
