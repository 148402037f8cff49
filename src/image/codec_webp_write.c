/* SPDX-License-Identifier: MIT */
#include "image/codec.h"
#include "image/xmp.h"

#include <webp/encode.h>
#include <webp/mux.h>

enum { XMP_BYTES_MAX = 1 << 20 }; // as in PNG: never reached

static enum err err_of(WebPEncodingError code)
{
    switch (code) {
    case VP8_ENC_ERROR_OUT_OF_MEMORY:
    case VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY:
    case VP8_ENC_ERROR_BAD_WRITE:
        return ERR_NOMEM; // our writer fails for nothing else
    default:
        return ERR_BUG;
    }
}

static enum err compress(const struct image *im, int quality, WebPMemoryWriter *out)
{
    WebPConfig config;
    WebPPicture picture;

    if (!WebPConfigPreset(&config, WEBP_PRESET_PICTURE, (float)quality) ||
        !WebPPictureInit(&picture))
        return ERR_BUG;
    picture.width = im->width;
    picture.height = im->height;
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = out;
    bool ok = im->has_alpha ? WebPPictureImportRGBA(&picture, im->px, (int)im->stride)
                            : WebPPictureImportRGBX(&picture, im->px, (int)im->stride);
    ok = ok && WebPEncode(&config, &picture);
    enum err e = ok ? ERR_OK : err_of(picture.error_code);
    WebPPictureFree(&picture);
    return e;
}

static enum err wrap(const WebPMemoryWriter *picture, const struct buf *xmp, struct buf *out)
{
    const WebPData bytes = {picture->mem, picture->size};
    const WebPData packet = {(const uint8_t *)xmp->data, xmp->len};
    WebPData file = {NULL, 0};
    enum err e = ERR_NOMEM;

    WebPMux *mux = WebPMuxCreate(&bytes, 0);
    if (mux && WebPMuxSetChunk(mux, "XMP ", &packet, 0) == WEBP_MUX_OK &&
        WebPMuxAssemble(mux, &file) == WEBP_MUX_OK) {
        buf_add(out, file.bytes, file.size);
        e = out->failed ? ERR_NOMEM : ERR_OK;
    }
    WebPDataClear(&file);
    WebPMuxDelete(mux);
    return e;
}

enum err codec_encode_webp(const struct image *im, const struct codec_meta *meta, int quality,
                           struct buf *out)
{
    struct buf xmp = BUF_INIT;
    WebPMemoryWriter writer;

    if (quality < 0 || quality > 100)
        return ERR_INVALID;
    if (im->width > WEBP_MAX_DIMENSION || im->height > WEBP_MAX_DIMENSION)
        return ERR_UNSUPPORTED;
    WebPMemoryWriterInit(&writer);
    enum err e = compress(im, quality, &writer);
    xmp_write(meta, XMP_BYTES_MAX, &xmp);
    if (e == ERR_OK && xmp.failed)
        e = ERR_NOMEM;
    if (e == ERR_OK && xmp.len) {
        e = wrap(&writer, &xmp, out);
    } else if (e == ERR_OK) {
        buf_add(out, writer.mem, writer.size);
        e = out->failed ? ERR_NOMEM : ERR_OK;
    }
    WebPMemoryWriterClear(&writer);
    buf_release(&xmp);
    return e;
}
