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

// The style picture keeps its shape and is not enlarged, and is as large as a result at most, where
// the least side allows that.
static enum err plan_style(const struct engine_job *job, int width, int height,
                           struct fit_plan *out, struct err_note *note)
{
    const int64_t own = (int64_t)width * height;
    const int64_t most = job->width > 0 ? (int64_t)job->width * job->height : job->pixels;
    struct fit_request want = {.pixels = own < most ? own : most};
    enum err e;

    if (width > height * ENGINE_STYLE_RATIO_MAX)
        want.ar_w = ENGINE_STYLE_RATIO_MAX, want.ar_h = 1;
    else if (height > width * ENGINE_STYLE_RATIO_MAX)
        want.ar_w = 1, want.ar_h = ENGINE_STYLE_RATIO_MAX;
    do {
        e = fit_plan(width, height, &want, out, note);
        want.pixels -= want.pixels / 16;
    } while (e == ERR_OK && (int64_t)out->width * out->height > most &&
             want.pixels > (int64_t)IMAGE_RESULT_SIDE_MIN * IMAGE_RESULT_SIDE_MIN);
    return e;
}

static enum err prepare_style(const struct engine *e, const struct engine_job *job,
                              struct prompt *p, struct arena *a, struct image *out,
                              struct err_note *note)
{
    struct fit_plan plan;

    if (!job->style)
        return ERR_OK;
    if (!e->ops->styled) {
        if (!(p->given & PROMPT_SREF))
            prompt_warn(p, a, "no_effect", "a style picture has no effect: this engine takes none");
        return ERR_OK;
    }
    enum err code = plan_style(job, job->style->width, job->style->height, &plan, note);
    if (code != ERR_OK)
        return code;
    fit_centre(job->style, &plan);
    code = fit_resample(job->style, &plan, job->threads, out);
    return code == ERR_OK ? ERR_OK : err_set(note, code, "not enough memory to resize the style");
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
    struct image sized = {0}, style = {0};
    struct engine_result made = {.count = job->count};
    int64_t begun = clock_mono_ns(&clock_system);
    struct prompt *p = arena_alloc(&arena, sizeof(*p));
    enum err code = p ? prompt_read(p, &arena, job->prompt_text, job->prompt_len) : ERR_NOMEM;

    if (code != ERR_OK) {
        err_set(note, code, "no memory to read the prompt");
        goto out;
    }
    code = prepare(job, p, &arena, &sized, note);
    if (code == ERR_OK)
        code = prepare_style(e, job, p, &arena, &style, note);
    if (code != ERR_OK)
        goto out;
    int64_t prepared = clock_mono_ns(&clock_system);
    made.width = sized.width;
    made.height = sized.height;
    made.seed = p->given & PROMPT_SEED ? p->seed : job->seed;
    struct engine_request request = {.source = &sized,
                                     .style = style.px ? &style : NULL,
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
    image_release(&style);
    arena_release(&arena);
    return code;
}

// Pixels of a picture of which this plan crops and resamples a part.
static int64_t pixels_of(const struct fit_plan *plan, int width, int height)
{
    double scale = (double)plan->width * plan->height / (plan->crop_w * plan->crop_h);

    return (int64_t)(scale * width * height) + 1;
}

void engine_run_plan(const struct engine *e, const struct engine_sizes *sizes,
                     const struct engine_job *job, struct engine_plan *out)
{
    struct arena arena = ARENA_INIT;
    struct fit_plan plan, style = {0};
    struct prompt *p = arena_alloc(&arena, sizeof(*p));

    *out = (struct engine_plan){0};
    if (sizes->style_width > 0 &&
        plan_style(job, sizes->style_width, sizes->style_height, &style, NULL) == ERR_OK)
        out->style_pixels = pixels_of(&style, sizes->style_width, sizes->style_height);
    if (p && prompt_read(p, &arena, job->prompt_text, job->prompt_len) == ERR_OK) {
        struct fit_request want = size_wanted(p, job->pixels, job->width, job->height);
        if (fit_plan(sizes->width, sizes->height, &want, &plan, NULL) == ERR_OK) {
            const struct engine_sizes made = {plan.width, plan.height, style.width, style.height};
            out->width = plan.width;
            out->height = plan.height;
            out->source_pixels = pixels_of(&plan, sizes->width, sizes->height);
            if (e)
                e->ops->estimate(e, &made, p, &out->estimate);
        }
    }
    out->estimate.bytes += ((int64_t)sizes->width * sizes->height +
                            (int64_t)sizes->style_width * sizes->style_height) *
                           4;
    arena_release(&arena);
}

enum err engine_run_style(const struct engine *e, const struct engine_job *job, struct arena *a,
                          const char **url)
{
    struct prompt *p = NULL;
    enum err code = ERR_OK;

    *url = NULL;
    if (!e->ops->styled)
        return ERR_OK;
    p = arena_alloc(a, sizeof(*p));
    code = p ? prompt_read(p, a, job->prompt_text, job->prompt_len) : ERR_NOMEM;
    if (code == ERR_OK && p->sw > 0)
        *url = p->sref;
    return code;
}
