/* SPDX-License-Identifier: MIT */
#include "worker/render_request.h"

#include <string.h>

void render_request_write(const struct render_request *r, struct buf *out)
{
    struct json_writer w = JSON_WRITER(out);

    jw_open(&w, '{');
    jw_kstr(&w, "prompt", r->prompt);
    jw_kint(&w, "seed", r->seed);
    jw_kint(&w, "pixels", r->pixels);
    jw_kint(&w, "threads", r->threads);
    jw_close(&w, '}');
}

enum err render_request_read(const char *json, json_t **root, struct render_request *out)
{
    json_int_t seed, pixels;

    if (json_read(json, strlen(json), root, NULL))
        return ERR_BUG;
    if (json_unpack(*root, "{s:s, s:I, s:I, s:i}", "prompt", &out->prompt, "seed", &seed, "pixels",
                    &pixels, "threads", &out->threads)) {
        json_decref(*root);
        return ERR_BUG;
    }
    out->seed = (uint32_t)seed;
    out->pixels = pixels;
    return ERR_OK;
}

void render_report_write(const struct render_report *r, struct buf *out)
{
    struct json_writer w = JSON_WRITER(out);

    jw_open(&w, '{');
    jw_kstr(&w, "engine", r->engine);
    jw_kint(&w, "width", r->width);
    jw_kint(&w, "height", r->height);
    jw_kint(&w, "seed", r->seed);
    // As strings, so that what the engine wrote comes out byte for byte.
    jw_kstr(&w, "interpretation", r->interpretation);
    jw_kstr(&w, "warnings", r->warnings);
    jw_kint(&w, "prepare_ms", r->prepare_ms);
    jw_kint(&w, "render_ms", r->render_ms);
    jw_close(&w, '}');
}

enum err render_report_read(const char *json, json_t **root, struct render_report *out)
{
    json_int_t seed, prepare_ms, render_ms;

    if (json_read(json, strlen(json), root, NULL))
        return ERR_BUG;
    if (json_unpack(*root, "{s:s, s:i, s:i, s:I, s:s, s:s, s:I, s:I}", "engine", &out->engine,
                    "width", &out->width, "height", &out->height, "seed", &seed, "interpretation",
                    &out->interpretation, "warnings", &out->warnings, "prepare_ms", &prepare_ms,
                    "render_ms", &render_ms)) {
        json_decref(*root);
        return ERR_BUG;
    }
    out->seed = (uint32_t)seed;
    out->prepare_ms = prepare_ms;
    out->render_ms = render_ms;
    return ERR_OK;
}
