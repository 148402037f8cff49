/* SPDX-License-Identifier: MIT */
#ifndef PATINA_IMAGE_CODEC_INTERNAL_H
#define PATINA_IMAGE_CODEC_INTERNAL_H

/* For this folder: what codec.c and the three decoders share. */
#include "image/codec.h"

/* One decode. The caller's options, and the picture being written. */
struct decode {
    const uint8_t *data;
    size_t len;
    struct image_info info; /* from image_read_info() */
    int64_t want_pixels;
    codec_alloc_fn *alloc;
    void *alloc_ctx;
    struct err_note *note;

    /* Set by decode_begin(). */
    struct codec_header header;
    int stored_width, stored_height; /* as the codec delivers rows */
    uint8_t *px;                     /* the upright picture */
};

/* Decoders hand over this many rows at a time: turning a picture by 90 degrees then writes whole
 * cache lines. */
enum { DECODE_BAND_ROWS = 16 };

/* Asks the caller for memory for a picture of the given size before orientation. */
MUST_USE enum err decode_begin(struct decode *d, int stored_width, int stored_height);

/* Puts `count` rows of RGBA8, 4*stored_width bytes apart, beginning with stored row y, to where
 * they belong in the upright picture. */
void decode_put_rows(struct decode *d, int y, int count, const uint8_t *rows);

/* The decoders: d->info is filled, nothing else of the picture is known. Notes are written. */
MUST_USE enum err decode_jpeg(struct decode *d);
MUST_USE enum err decode_png(struct decode *d);
MUST_USE enum err decode_webp(struct decode *d);

#endif
