/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_SHEET_H
#define PATINA_CLI_SHEET_H

#include "engine/engine.h"
#include "look/look.h"

/*
 * A contact sheet: one photo in many looks or by many prompts, small and labelled, the photo itself
 * first. Each is painted at twice the size it is shown at, so that fine strokes are not lost.
 */
enum {
    SHEET_COLUMNS_MAX = 16,
    SHEET_TILE_PIXELS = 320 * 240, /* area of one picture on the sheet */
    SHEET_PAINT_PIXELS = 4 * SHEET_TILE_PIXELS
};

/* A look, or what a prompt makes. */
struct sheet_item {
    const struct recipe *look; /* NULL: the prompt */
    const char *prompt;        /* UTF-8 */
};

struct sheet_request {
    const struct image *photo;
    const struct sheet_item *item;
    int items;   /* at least 1 */
    int columns; /* 0: as many as make the sheet about as high as wide */
    uint32_t seed;
    struct pool *pool;     /* paints looks */
    struct engine *engine; /* paints prompts */
    look_progress_fn *progress;
    void *progress_ctx;
    const atomic_bool *cancel;
};

/* The caller owns *out. ERR_NOMEM, ERR_CANCELLED, ERR_INVALID for a photo of impossible shape,
 * errors of the engine. */
MUST_USE enum err sheet_draw(const struct sheet_request *r, struct image *out,
                             struct err_note *note);

#endif
