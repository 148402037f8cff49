/* SPDX-License-Identifier: MIT */
#include "image/codec_internal.h"

#include <assert.h>
#include <string.h>

/*
 * The part of decoding that formats share: limits first, then one decoder, whose rows are turned
 * upright while they are written. A decode never holds a second copy of the picture unless its
 * format gives rows out of order (interlaced PNG; WebP that must be turned).
 */

enum err decode_begin(struct decode *d, int stored_width, int stored_height)
{
    bool turned = d->info.orientation >= 5;

    d->stored_width = stored_width;
    d->stored_height = stored_height;
    d->header.info = d->info;
    d->header.width = turned ? stored_height : stored_width;
    d->header.height = turned ? stored_width : stored_height;
    d->px = d->alloc(d->alloc_ctx, &d->header);
    if (!d->px)
        return err_set_reason(d->note, ERR_TOO_LARGE, "memory",
                              "a picture of %d x %d does not fit into the memory limit",
                              d->header.width, d->header.height);
    return ERR_OK;
}

/* Where stored pixel (x, y) goes: origin + x*dx + y*dy, in pixels (EXIF 2.32, orientation). */
struct placement {
    ptrdiff_t origin, dx, dy;
};

static struct placement placement_of(const struct decode *d)
{
    ptrdiff_t stride = d->header.width, w = d->stored_width, h = d->stored_height;

    switch (d->info.orientation) {
    case 2: // mirrored left to right
        return (struct placement){w - 1, -1, stride};
    case 3: // turned by half
        return (struct placement){(h - 1) * stride + w - 1, -1, -stride};
    case 4: // mirrored top to bottom
        return (struct placement){(h - 1) * stride, 1, -stride};
    case 5: // rows are columns
        return (struct placement){0, stride, 1};
    case 6: // turn clockwise
        return (struct placement){h - 1, stride, -1};
    case 7: // columns and rows from the far corner
        return (struct placement){(w - 1) * stride + h - 1, -stride, -1};
    case 8: // turn anticlockwise
        return (struct placement){(w - 1) * stride, -stride, 1};
    default:
        return (struct placement){0, 1, stride};
    }
}

void decode_put_rows(struct decode *d, int y, int count, const uint8_t *rows)
{
    struct placement at = placement_of(d);
    size_t w = (size_t)d->stored_width;
    uint8_t *first = d->px + 4 * (at.origin + y * at.dy);

    assert(y >= 0 && count <= d->stored_height - y);
    if (at.dx == 1) {
        for (int i = 0; i < count; i++)
            memcpy(first + 4 * i * at.dy, rows + 4 * w * (size_t)i, 4 * w);
        return;
    }
    // The inner loop runs along the upright picture's rows.
    bool turned = d->info.orientation >= 5;
    ptrdiff_t inner_n = turned ? count : (ptrdiff_t)w, outer_n = turned ? (ptrdiff_t)w : count;
    ptrdiff_t inner_to = turned ? at.dy : at.dx, outer_to = turned ? at.dx : at.dy;
    ptrdiff_t inner_from = turned ? (ptrdiff_t)w : 1, outer_from = turned ? 1 : (ptrdiff_t)w;
    for (ptrdiff_t o = 0; o < outer_n; o++)
        for (ptrdiff_t i = 0; i < inner_n; i++)
            memcpy(first + 4 * (o * outer_to + i * inner_to),
                   rows + 4 * (o * outer_from + i * inner_from), 4);
}

enum err codec_decode(const void *data, size_t len, const struct codec_decode_options *o,
                      codec_alloc_fn *alloc, void *ctx, struct codec_header *header,
                      struct err_note *note)
{
    struct decode d = {
        .data = data,
        .len = len,
        .want_pixels = o->want_pixels,
        .alloc = alloc,
        .alloc_ctx = ctx,
        .note = note,
    };

    enum err e = image_read_info(data, len, &d.info, note);
    if (e == ERR_OK) {
        switch (d.info.format) {
        case IMAGE_JPEG:
            e = decode_jpeg(&d);
            break;
        case IMAGE_PNG:
            e = decode_png(&d);
            break;
        default:
            e = decode_webp(&d);
        }
    }
    if (e == ERR_OK)
        *header = d.header;
    else if (e == ERR_NOMEM)
        err_set_reason(note, e, "memory", "out of memory while decoding the picture");
    return e;
}
