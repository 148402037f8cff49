/* SPDX-License-Identifier: MIT */
#ifndef PATINA_IMAGE_CODEC_H
#define PATINA_IMAGE_CODEC_H

#include "base/buf.h"
#include "image/image.h"
#include "image/sniff.h"

/*
 * Codecs. Decoding a stranger's bytes happens only inside the decoder process (sandbox/decode.h),
 * which calls codec_decode(); encoding works on our own pixels and may run anywhere. Every function
 * is safe from any thread on objects of its own.
 */

struct codec_decode_options {
    int64_t want_pixels; /* a JPEG is decoded at the smallest DCT scale whose area still reaches
                            this; 0: full size */
};

struct codec_header {
    struct image_info info;
    int width, height; /* of the pixels that decoding yields: scaled and turned upright */
};

/* Asked once the size is known; gives the memory to decode into (RGBA, stride 4*width, zeroed) or
 * NULL to stop with ERR_TOO_LARGE. */
typedef uint8_t *codec_alloc_fn(void *ctx, const struct codec_header *header);

/*
 * Decodes the first full frame to upright sRGB RGBA8: EXIF orientation applied (JPEG, PNG eXIf,
 * WebP EXIF), embedded ICC profiles and PNG gAMA/cHRM/sRGB converted to sRGB (perceptual intent),
 * CMYK/YCCK without a profile by the fixed formula in codec_jpeg.c, 16-bit samples rounded to 8,
 * palette and grey expanded. Of an animated PNG its default image is taken, of an animated WebP the
 * first frame on its canvas. ERR_CORRUPT for data that is cut or broken (stray bytes between JPEG
 * markers are tolerated), ERR_NOMEM, ERR_TOO_LARGE, ERR_UNSUPPORTED. On success header describes
 * what was written; on failure what `alloc` gave may be half filled.
 *
 * Reads no file, environment or locale, starts no thread, prints nothing, takes all memory from
 * malloc. Memory beside the pictures' own: 16 rows; for progressive JPEG 2 bytes for every stored
 * sample at full size; for interlaced PNG 4 bytes a pixel (8 when it has 16 bits); for WebP up to 4
 * bytes a pixel, and 4 more when it must be turned upright.
 */
MUST_USE enum err codec_decode(const void *data, size_t len, const struct codec_decode_options *o,
                               codec_alloc_fn *alloc, void *ctx, struct codec_header *header,
                               struct err_note *note);

/* What a result says about itself; every field may be NULL. No dates, no ids: same request, same
 * bytes. */
struct codec_meta {
    const char *prompt;  /* UTF-8 */
    const char *seed;    /* digits */
    const char *engine;  /* "look" */
    const char *version; /* "patina 0.1.0" */
};

/*
 * Encoders append a whole file to `out`. ERR_NOMEM; ERR_INVALID for a quality out of range;
 * ERR_UNSUPPORTED for sides over 16383 in WebP. The bytes of *out are unchanged on failure.
 * PNG: own filters + libdeflate, deterministic; sRGB chunk, iTXt for the fields of meta, XMP with
 * Iptc4xmpExt:DigitalSourceType (algorithmicMedia for look, trainedAlgorithmicMedia for neural
 * engines). WebP: lossy, quality 0..100, alpha kept. JPEG: 4:4:4 baseline with optimised tables,
 * quality 0..100, over white. WebP and JPEG carry the same metadata in their XMP chunk (in JPEG,
 * where it has 64 kB, a very long prompt is cut). `meta` NULL: none.
 */
MUST_USE enum err codec_encode_png(const struct image *im, const struct codec_meta *meta,
                                   struct buf *out);
MUST_USE enum err codec_encode_webp(const struct image *im, const struct codec_meta *meta,
                                    int quality, struct buf *out);
MUST_USE enum err codec_encode_jpeg(const struct image *im, const struct codec_meta *meta,
                                    int quality, struct buf *out);

/* The metadata of a PNG that codec_encode_png() wrote, for encoding other formats from it. Strings
 * are appended to `store` and meta points into it. Missing fields are NULL. ERR_INVALID when it is
 * not a whole PNG, ERR_NOMEM. */
MUST_USE enum err codec_png_meta(const void *png, size_t len, struct buf *store,
                                 struct codec_meta *meta);

#endif
