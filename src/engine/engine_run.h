/* SPDX-License-Identifier: MIT */
#ifndef PATINA_ENGINE_ENGINE_RUN_H
#define PATINA_ENGINE_ENGINE_RUN_H

#include "engine/engine.h"

/* A style picture longer than this is cropped: attention to a ribbon says little of a style. */
enum { ENGINE_STYLE_RATIO_MAX = 8 };

/*
 * One request from decoded source to finished pictures: reads the prompt, plans the size, crops and
 * resamples, renders. The service's render process, `patina render` and libpatina
 * all go through here, which is why the same request gives the same pixels everywhere.
 */
struct engine_job {
    const struct image *source; /* as decoded: any size, upright sRGB */
    const struct image *style;  /* the same of the picture whose style is to be taken, or NULL; an
                                   engine that takes none says so in a warning */
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
    int64_t style_pixels;  /* the same of a style picture */
    struct engine_estimate estimate; /* both pictures at full size included */
};

/*
 * Plans `job`, whose pictures are not looked at but have these sizes, upright. Service and command
 * line both ask here, so that they decode the same pixels. `e` NULL: without the engine's part of
 * the estimate. Any thread.
 */
void engine_run_plan(const struct engine *e, const struct engine_sizes *sizes,
                     const struct engine_job *job, struct engine_plan *out);

/* The URL of the style picture that the job's prompt asks for (`--sref`), in `a`; NULL when it asks
 * for none, lets it weigh nothing (`--sw 0`), or this engine takes none. ERR_NOMEM. Any thread. */
MUST_USE enum err engine_run_style(const struct engine *e, const struct engine_job *job,
                                   struct arena *a, const char **url);

#endif
