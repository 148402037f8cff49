/* SPDX-License-Identifier: MIT */
#ifndef PATINA_IMAGE_SNIFF_H
#define PATINA_IMAGE_SNIFF_H

#include "base/err.h"
#include "image/image.h"

/* What a file is by its content; its name and declared type do not count. */
enum image_format { IMAGE_UNKNOWN, IMAGE_JPEG, IMAGE_PNG, IMAGE_WEBP };

/* The media type: "image/jpeg"... */
const char *image_format_mime(enum image_format f);

/* From the first bytes (32 are enough). For anything else *other (may be NULL) is set to its name
 * when it is a known one ("HEIC", "GIF", "AVIF", "TIFF", "BMP", "PDF", "SVG", "HTML", "text", ...)
 * or NULL. */
enum image_format image_sniff(const void *data, size_t len, const char **other);

/* A file's header, as far as it can be had without decoding. */
struct image_info {
    enum image_format format;
    int width, height; /* as stored, before orientation */
    int orientation;   /* EXIF 1..8, 1 when absent or nonsense */
    bool has_alpha;
    bool animated; /* only the first full frame will be used */
};

/*
 * Reads the header by walking the container (JPEG markers, PNG chunks, RIFF chunks) with every
 * length checked; allocates nothing, calls no codec. ERR_UNSUPPORTED for other formats ("HEIC; send
 * JPEG, PNG or WebP"), ERR_CORRUPT when the header is cut or nonsense, ERR_TOO_LARGE past image.h's
 * limits with note.reason one of "pixels", "side", "ratio".
 */
MUST_USE enum err image_read_info(const void *data, size_t len, struct image_info *out,
                                  struct err_note *note);

/* The limits of image.h on a size; as above. */
MUST_USE enum err image_check_size(int64_t width, int64_t height, struct err_note *note);

#endif
