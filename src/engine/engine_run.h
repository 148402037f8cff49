/* SPDX-License-Identifier: MIT */
#ifndef PATINA_ENGINE_ENGINE_RUN_H
#define PATINA_ENGINE_ENGINE_RUN_H

#include "engine/engine.h"

/*
 * One request from decoded source to finished pictures: reads the prompt, plans the size, crops and
 * resamples, renders, builds the grid. The service's render process, `patina render` and libpatina
 * all go through here, which is why the same request gives the same pixels everywhere.
 */
struct engine_job {
    const struct image *source; /* as decoded: any size, upright sRGB */
    const char *prompt_text;    /* UTF-8, at most PROMPT_CHARS_MAX scalars */
    size_t prompt_len;
    int64_t pixels;    /* area of a result (PATINA_PIXELS) */
    int width, height; /* 0, 0, or a size that overrides pixels and --ar (`--size`) */
    uint32_t seed;     /* used unless the prompt names one */
    int first, count;  /* which of the four pictures; 0, 4 for a whole job */
    int threads;       /* for resampling; engines have their own */
    engine_progress_fn *progress;
    void *progress_ctx;
    const atomic_bool *cancel;
};

struct engine_result {
    struct image picture[ENGINE_PICTURES_MAX]; /* count of them */
    int count;
    int width, height;
    uint32_t seed;             /* what was used */
    struct buf interpretation; /* JSON object (prompt_write_json) */
    struct buf warnings; /* JSON array of {code, message}: prompt, engine, cropping, enlarging */
    int64_t prepare_ms, render_ms;
};

/* Frees everything in it. */
void engine_result_release(struct engine_result *r);

/* `out` is set on success alone. Errors of engine_ops.render, and ERR_INVALID for a size that
 * cannot be. */
MUST_USE enum err engine_run(struct engine *e, const struct engine_job *job,
                             struct engine_result *out, struct err_note *note);

/* What a job will take, told by its source's size alone. */
struct engine_plan {
    int width, height;     /* of a result; 0, 0 when the size cannot be (engine_run() says why) */
    int64_t source_pixels; /* how many pixels of the source a decoder has to deliver, for
                              codec_decode_options.want_pixels: those of the result and of what
                              cropping to `--ar` or a size cuts away; 0: all of them */
    struct engine_estimate estimate; /* the source at full size included */
};

/*
 * Plans `job`, whose source is not looked at but is width x height, upright. Service and command
 * line both ask here, so that they decode the same pixels. `e` NULL: without the engine's part of
 * the estimate. Any thread.
 */
void engine_run_plan(const struct engine *e, int width, int height, const struct engine_job *job,
                     struct engine_plan *out);

#endif
