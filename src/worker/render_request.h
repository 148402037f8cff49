/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_RENDER_REQUEST_H
#define PATINA_WORKER_RENDER_REQUEST_H

#include "base/json.h"
#include "engine/engine_run.h"

/*
 * What worker and render process say to each other, as JSON: both directions in one file. The two
 * are always the same executable, so there is no version in it.
 */
struct render_request {
    const char *prompt;
    uint32_t seed;
    int64_t pixels;
    int threads;
};

void render_request_write(const struct render_request *r, struct buf *out);

/* `prompt` points into *root, which the caller owns (json_decref). ERR_BUG for what is no request.
 */
MUST_USE enum err render_request_read(const char *json, json_t **root, struct render_request *out);

struct render_report {
    const char *engine;
    int width, height;
    uint32_t seed;                         /* what was used */
    const char *interpretation, *warnings; /* JSON text */
    int64_t prepare_ms, render_ms;
};

void render_report_write(const struct render_report *r, struct buf *out);

/* As above. */
MUST_USE enum err render_report_read(const char *json, json_t **root, struct render_report *out);

#endif
