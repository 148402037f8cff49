/* SPDX-License-Identifier: MIT */
#include "worker/renderer.h"

#include "engine/engine_run.h"
#include "sandbox/render.h"
#include "worker/render_request.h"

#include <signal.h>
#include <string.h>

_Static_assert((int)ENGINE_PICTURES_MAX <= (int)RENDER_PICTURES_MAX,
               "an answer holds all pictures");

static void report(const struct engine *e, const struct engine_result *r, struct buf *out)
{
    render_report_write(
        &(struct render_report){
            .engine = e->label,
            .width = r->width,
            .height = r->height,
            .seed = r->seed,
            .interpretation = r->interpretation.data,
            .warnings = r->warnings.data,
            .prepare_ms = r->prepare_ms,
            .render_ms = r->render_ms,
        },
        out);
}

static enum err render(void *ctx, const struct image *source, const struct image *style,
                       const char *request_json, render_progress_fn *progress, void *progress_ctx,
                       const atomic_bool *cancel, struct image picture[RENDER_PICTURES_MAX],
                       int *count, struct buf *report_json, struct err_note *note)
{
    struct engine *engine = ctx;
    struct engine_result result = {0};
    struct render_request request;
    json_t *root = NULL;

    enum err e = render_request_read(request_json, &root, &request);
    if (e)
        return err_set(note, e, "the worker's request cannot be read");
    e = engine_run(engine,
                   &(struct engine_job){
                       .source = source,
                       .style = style,
                       .prompt_text = request.prompt,
                       .prompt_len = strlen(request.prompt),
                       .pixels = request.pixels,
                       .seed = request.seed,
                       .count = ENGINE_PICTURES_MAX,
                       .threads = request.threads,
                       .progress = progress,
                       .progress_ctx = progress_ctx,
                       .cancel = cancel,
                   },
                   &result, note);
    if (!e) {
        report(engine, &result, report_json);
        memcpy(picture, result.picture, (size_t)result.count * sizeof *picture);
        memset(result.picture, 0, sizeof result.picture);
        *count = result.count;
        engine_result_release(&result);
    }
    json_decref(root);
    return e;
}

int renderer_main(const struct engine_ops *ops, const struct engine_options *o)
{
    struct engine *engine;
    struct err_note note = {0};

    // Ctrl-C in a terminal reaches the whole process group; when to stop is the worker's to say.
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    if (ops->open(o, &engine, &note)) {
        fprintf(stderr, "patina: the %s engine does not open: %s\n", ops->name, note.text);
        return 1;
    }
    int status = render_main(render, engine, false);
    ops->close(engine);
    return status;
}
