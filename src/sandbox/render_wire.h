/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SANDBOX_RENDER_WIRE_H
#define PATINA_SANDBOX_RENDER_WIRE_H

/*
 * For sandbox/ alone. What a renderer and the pool say to each other, one message each:
 *
 *     pool                                  renderer
 *                                    <-     READY       behind its walls
 *     STYLE, its memfd               ->                 where a request has a second picture
 *     REQUEST, JSON + source memfd   ->
 *                                    <-     PROGRESS    now and then
 *     CANCEL                         ->                 at any time, obeyed or not
 *                                    <-     ANSWER, report JSON + frozen memfd with the pictures
 *
 * One request at a time; `call` numbers them, so that a late CANCEL hits nothing. Both ends are
 * the same executable. What the renderer says is not believed: fields are integers, never bool or
 * enum, and the pool checks each.
 */

#include "sandbox/channel.h"
#include "sandbox/render.h"

#include <stdint.h>

enum render_message_type {
    RENDER_READY = 1,
    RENDER_REQUEST,
    RENDER_CANCEL,
    RENDER_PROGRESS,
    RENDER_ANSWER,
    RENDER_STYLE
};

struct render_command {
    uint32_t type;
    int32_t width, height, has_alpha; /* of source or style; stride 4*width */
    uint64_t call;
};

struct render_wire_picture {
    int32_t width, height, has_alpha;
};

struct render_reply {
    uint32_t type;
    int32_t err;
    uint64_t call;
    float done;
    int32_t count; /* pictures, one behind the other in the memfd, stride 4*width */
    struct render_wire_picture picture[RENDER_PICTURES_MAX];
    int32_t status;
    char reason[32];
    char field[24];
    char text[480];
};

#endif
