/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SANDBOX_DECODE_WIRE_H
#define PATINA_SANDBOX_DECODE_WIRE_H

/*
 * For sandbox/ alone. What the decoder process and its parent say to each other, one message each:
 *
 *     parent                               child
 *     TASK                          ->     maps the source (descriptor 4), raises its walls
 *                                   <-     READY
 *                                   <-     HEADER   the size is known
 *     PIXELS + memfd                ->     maps it, decodes into it
 *                                   <-     END      instead of any of the above when it fails
 *
 * Both ends are built together (DECODE_WIRE_VERSION guards a half-done upgrade), so structs go as
 * they lie in memory. What the child says is not believed: fields are integers, never bool or enum,
 * and the parent checks each.
 */

#include <stdint.h>

enum { DECODE_WIRE_VERSION = 1 };

struct decode_task {
    uint32_t version;
    int32_t cpu_s;
    int64_t memory_bytes;
    int64_t want_pixels;
    uint64_t source_len;
};

enum decode_reply_type { DECODE_READY = 1, DECODE_HEADER, DECODE_END };

struct decode_wire_header {
    int32_t format, stored_width, stored_height, orientation, has_alpha, animated;
    int32_t width, height;
};

struct decode_reply {
    uint32_t version;
    uint32_t type;
    int32_t err;                      /* of an END */
    struct decode_wire_header header; /* of a HEADER and a successful END */
    char reason[32];
    char text[480];
};

#endif
