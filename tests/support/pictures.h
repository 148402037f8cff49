/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_SUPPORT_PICTURES_H
#define PATINA_TESTS_SUPPORT_PICTURES_H

#include "base/buf.h"
#include "image/codec.h"

/*
 * Pictures for tests, made by the formats' own libraries rather than by what is tested. All of it
 * is repeatable. Failing to make one ends the test.
 */

/* A smooth picture with edges, whose every corner looks different. */
struct image picture_scene(int width, int height);

/* Noise from a seed; alpha is noise too where `alpha` is set. */
struct image picture_noise(int width, int height, uint32_t seed, bool alpha);

/* What a JPEG holds. Zeros: YCbCr 4:4:4 baseline, quality 95, nothing else. */
struct jpeg_spec {
    bool progressive, grey;
    bool cmyk, ycck; /* four channels, the scene's ink; ycck implies Adobe's marker */
    bool adobe;      /* inverted ink and Adobe's marker */
    int sampling;    /* 2: 4:2:0 */
    int orientation; /* EXIF, 0: none */
    int scans;       /* progressive: that many scans of one coefficient (a bomb) */
    const struct buf *icc;
};
struct buf picture_jpeg(const struct image *im, const struct jpeg_spec *spec);

/* What a PNG holds. Zeros are 8-bit RGBA. */
struct png_spec {
    int depth;          /* 1, 2, 4, 8 (0), 16 */
    bool opaque;        /* no alpha channel */
    bool grey, palette; /* from the red channel; a palette has 256 >> (8 - depth) greys */
    bool interlaced;
    bool transparent_key; /* tRNS: the top left pixel's colour, or palette entry 0, is clear */
    int orientation;      /* eXIf, 0: none */
    bool animated;        /* an acTL chunk and a second frame */
    double gamma;         /* gAMA, 0: none */
    const double *chromaticities; /* cHRM: eight numbers, or NULL */
    bool srgb;
    const struct buf *icc;
};
struct buf picture_png(const struct image *im, const struct png_spec *spec);

/* What a WebP holds. Zeros: lossy, quality 90, alpha where the picture has some. */
struct webp_spec {
    bool lossless;
    int orientation;
    const struct buf *icc;
    bool animated; /* two frames; the first at 2, 4 on a canvas 6 wider and 8 higher */
};
struct buf picture_webp(const struct image *im, const struct webp_spec *spec);

/* A TIFF block with the orientation as its second tag. */
struct buf picture_exif(int orientation, bool little_endian);

/* sRGB with the red and blue primaries exchanged: whether it was applied is plain to see. */
struct buf picture_swapped_profile(void);

/* A grey profile of gamma 1. */
struct buf picture_linear_grey_profile(void);

/* Decodes at full size, or as want_pixels says. On success *out is an owned picture. */
enum err picture_decode(const void *data, size_t len, int64_t want_pixels, struct image *out,
                        struct codec_header *header, struct err_note *note);

/* The greatest difference of a sample; sizes must be equal. */
int picture_distance(const struct image *a, const struct image *b);

/* The upright picture of a stored one, by the definition of EXIF orientation, pixel by pixel. */
struct image picture_upright(const struct image *stored, int orientation);

#endif
