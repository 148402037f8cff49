/* SPDX-License-Identifier: MIT */
#include "image/codec.h"

/* libFuzzer: the reader of our own PNG's metadata, behind the signature. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf png = BUF_INIT, store = BUF_INIT;
    struct codec_meta meta;

    buf_add(&png, "\x89PNG\r\n\x1A\n", 8);
    buf_add(&png, data, len);
    enum err e = codec_png_meta(png.data, png.len, &store, &meta);
    (void)e;
    buf_release(&png);
    buf_release(&store);
    return 0;
}
