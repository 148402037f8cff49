/* SPDX-License-Identifier: MIT */
#include "image/codec_internal.h"
#include "image/profile.h"

#include <stdlib.h>
#include <webp/decode.h>
#include <webp/demux.h>

/*
 * WebP by libwebp. The demuxer gives still pictures and animations alike as frames on a canvas; the
 * first one lies on transparency, as browsers show it (the file's background colour is only a hint,
 * RFC 9649 section 2.7.1.3), so placing it is all the composing there is.
 */

static enum err err_of(VP8StatusCode status, struct err_note *note)
{
    switch (status) {
    case VP8_STATUS_OK:
        return ERR_OK;
    case VP8_STATUS_OUT_OF_MEMORY:
        return ERR_NOMEM;
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return err_set(note, ERR_UNSUPPORTED, "the WebP uses a feature that is not supported");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return err_set(note, ERR_CORRUPT, "premature end of the WebP data");
    default:
        return err_set(note, ERR_CORRUPT, "corrupt WebP data");
    }
}

static enum err decode_frame(const WebPIterator *frame, uint8_t *canvas, size_t stride,
                             size_t canvas_bytes, struct err_note *note)
{
    WebPDecoderConfig config;
    size_t at = (size_t)frame->y_offset * stride + 4 * (size_t)frame->x_offset;

    if (!WebPInitDecoderConfig(&config))
        return err_set(note, ERR_BUG, "libwebp's headers do not match the library");
    config.output.colorspace = MODE_RGBA;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = canvas + at;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = canvas_bytes - at;
    return err_of(WebPDecode(frame->fragment.bytes, frame->fragment.size, &config), note);
}

static struct profile *find_profile(WebPDemuxer *demux)
{
    WebPChunkIterator chunk;
    struct profile *profile = NULL;

    if (WebPDemuxGetChunk(demux, "ICCP", 1, &chunk))
        profile = profile_from_icc(chunk.chunk.bytes, chunk.chunk.size, PROFILE_RGB, 1);
    WebPDemuxReleaseChunkIterator(&chunk);
    return profile;
}

enum err decode_webp(struct decode *d)
{
    const WebPData file = {d->data, d->len};
    WebPIterator frame = {0};
    struct profile *profile = NULL;
    uint8_t *canvas = NULL;
    size_t width = (size_t)d->info.width, height = (size_t)d->info.height;
    enum err e;

    WebPDemuxer *demux = WebPDemux(&file);
    if (!demux)
        return err_set(d->note, ERR_CORRUPT, "the WebP container is cut off or broken");
    if (!WebPDemuxGetFrame(demux, 1, &frame)) {
        e = err_set(d->note, ERR_CORRUPT, "the WebP has no picture");
        goto out;
    }
    if (WebPDemuxGetI(demux, WEBP_FF_CANVAS_WIDTH) != width ||
        WebPDemuxGetI(demux, WEBP_FF_CANVAS_HEIGHT) != height ||
        frame.x_offset + frame.width > d->info.width ||
        frame.y_offset + frame.height > d->info.height) {
        e = err_set(d->note, ERR_CORRUPT, "the WebP has contradictory headers");
        goto out;
    }
    d->info.has_alpha |= frame.has_alpha || frame.width < d->info.width ||
                         frame.height < d->info.height;
    profile = find_profile(demux);
    e = decode_begin(d, d->info.width, d->info.height);
    if (e)
        goto out;
    bool upright = d->info.orientation == 1;
    canvas = upright ? d->px : calloc(height, 4 * width);
    if (!canvas) {
        e = ERR_NOMEM;
        goto out;
    }
    e = decode_frame(&frame, canvas, 4 * width, 4 * width * height, d->note);
    for (int y = 0; e == ERR_OK && y < d->info.height; y += DECODE_BAND_ROWS) {
        int n = d->info.height - y < DECODE_BAND_ROWS ? d->info.height - y : DECODE_BAND_ROWS;
        uint8_t *rows = canvas + 4 * width * (size_t)y;
        if (profile)
            profile_row(profile, rows, rows, width * (size_t)n);
        if (!upright)
            decode_put_rows(d, y, n, rows);
    }
out:
    if (canvas != d->px)
        free(canvas);
    profile_free(profile);
    WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(demux);
    return e;
}
