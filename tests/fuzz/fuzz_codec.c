/* SPDX-License-Identifier: MIT */
#include "image/codec.h"

#include <stdlib.h>

/* libFuzzer: any bytes through codec_decode(), as the decoder process runs it. Pictures past a
 * megapixel are refused, so that a run spends its time in the codecs and not in memset. */

enum { PIXELS_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t *give_memory(void *ctx, const struct codec_header *header)
{
    struct image *im = ctx;

    if ((int64_t)header->width * header->height > PIXELS_MAX ||
        image_new(im, header->width, header->height))
        return NULL;
    return im->px;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct codec_decode_options o = {.want_pixels = len % 2 ? 0 : 10000};
    struct image im = {0};
    struct codec_header header;
    struct err_note note;

    enum err e = codec_decode(data, len, &o, give_memory, &im, &header, &note);
    if (e != ERR_OK && e != ERR_CORRUPT && e != ERR_UNSUPPORTED && e != ERR_TOO_LARGE &&
        e != ERR_NOMEM)
        abort();
    image_release(&im);
    return 0;
}
