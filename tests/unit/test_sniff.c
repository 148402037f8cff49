/* SPDX-License-Identifier: MIT */
#include "support/pictures.h"
#include "unit/unit.h"

#include "image/bytes.h"
#include "image/exif.h"

#include <stdlib.h>
#include <string.h>

#define BYTES(s) (s), sizeof(s) - 1

static void content_alone_names_the_format(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum image_format format;
        const char *other;
    } row[] = {
        {BYTES("\xFF\xD8\xFF\xE0"), IMAGE_JPEG, NULL},
        {BYTES("\x89PNG\r\n\x1A\n"), IMAGE_PNG, NULL},
        {BYTES("RIFF\x10\0\0\0WEBPVP8 "), IMAGE_WEBP, NULL},
        {BYTES("\xFF\xD8"), IMAGE_UNKNOWN, NULL},
        {BYTES("\x89PNG\n\n\x1A\n"), IMAGE_UNKNOWN, NULL},
        {BYTES("RIFF\x10\0\0\0AVI LIST"), IMAGE_UNKNOWN, "AVI video"},
        {BYTES("RIFF\x10\0\0\0WAVEfmt "), IMAGE_UNKNOWN, NULL},
        {BYTES("\0\0\0\x18"
               "ftypheic\0\0\0\0mif1"),
         IMAGE_UNKNOWN, "HEIC"},
        {BYTES("\0\0\0\x18"
               "ftypmif1\0\0\0\0"),
         IMAGE_UNKNOWN, "HEIC"},
        {BYTES("\0\0\0\x18"
               "ftypavif\0\0\0\0"),
         IMAGE_UNKNOWN, "AVIF"},
        {BYTES("\0\0\0\x18"
               "ftypisom\0\0\0\0"),
         IMAGE_UNKNOWN, "MP4 video"},
        {BYTES("\0\0\0\x18"
               "free"
               "heic\0\0\0\0"),
         IMAGE_UNKNOWN, NULL},
        {BYTES("GIF89a\1\0\1\0"), IMAGE_UNKNOWN, "GIF"},
        {BYTES("II*\0\x08\0\0\0"), IMAGE_UNKNOWN, "TIFF"},
        {BYTES("MM\0*\0\0\0\x08"), IMAGE_UNKNOWN, "TIFF"},
        {BYTES("BM\x46\0\0\0\0\0"), IMAGE_UNKNOWN, "BMP"},
        {BYTES("%PDF-1.7\n"), IMAGE_UNKNOWN, "PDF"},
        {BYTES("8BPS\0\1"), IMAGE_UNKNOWN, "PSD"},
        {BYTES("\0\0\0\x0CJXL \r\n\x87\n"), IMAGE_UNKNOWN, "JPEG XL"},
        {BYTES("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), IMAGE_UNKNOWN, "SVG"},
        {BYTES("<?xml version=\"1.0\"?>\n<!-- a --><svg>"), IMAGE_UNKNOWN, "SVG"},
        {BYTES("<?xml version=\"1.0\"?><rss/>"), IMAGE_UNKNOWN, "XML"},
        {BYTES("\n<!DOCTYPE HTML><p>404"), IMAGE_UNKNOWN, "HTML"},
        {BYTES("{\"error\":1}"), IMAGE_UNKNOWN, "JSON"},
        {BYTES("just words, caf\xC3\xA9\n"), IMAGE_UNKNOWN, "text"},
        {BYTES("words\0and a NUL"), IMAGE_UNKNOWN, NULL},
        {BYTES(" \n"), IMAGE_UNKNOWN, "text"},
        {BYTES(""), IMAGE_UNKNOWN, "an empty file"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const char *other = "unset";
        assert_int_equal(image_sniff(row[i].bytes, row[i].len, &other), row[i].format);
        if (row[i].other)
            assert_string_equal(other, row[i].other);
        else
            assert_null(other);
        assert_int_equal(image_sniff(row[i].bytes, row[i].len, NULL), row[i].format);
    }
    assert_string_equal(image_format_mime(IMAGE_JPEG), "image/jpeg");
}

static void other_formats_are_named_in_the_refusal(void **state)
{
    struct image_info info;
    struct err_note note;

    (void)state;
    assert_int_equal(image_read_info(BYTES("\0\0\0\x18"
                                           "ftypheic\0\0\0\0"),
                                     &info, &note),
                     ERR_UNSUPPORTED);
    assert_string_equal(note.text, "HEIC; send JPEG, PNG or WebP");
    assert_int_equal(image_read_info(BYTES("\1\2\3"), &info, &note), ERR_UNSUPPORTED);
    assert_string_equal(note.text, "not a known picture format; send JPEG, PNG or WebP");
}

static void sizes_are_limited_at_the_limit_and_not_before(void **state)
{
    static const struct {
        int64_t w, h;
        enum err e;
        const char *reason;
    } row[] = {
        {1, 1, ERR_OK, ""},
        {0, 1, ERR_CORRUPT, ""},
        {1, 0, ERR_CORRUPT, ""},
        {8000, 8000, ERR_OK, ""}, // 64 MP exactly
        {8000, 8001, ERR_TOO_LARGE, "pixels"},
        {16384, 3906, ERR_OK, ""},
        {16384, 3907, ERR_TOO_LARGE, "pixels"},
        {3906, 16384, ERR_OK, ""},
        {16385, 3000, ERR_TOO_LARGE, "side"},
        {3000, 16385, ERR_TOO_LARGE, "side"},
        {30, 1, ERR_OK, ""},
        {31, 1, ERR_TOO_LARGE, "ratio"},
        {1, 30, ERR_OK, ""},
        {1, 31, ERR_TOO_LARGE, "ratio"},
        {9000, 300, ERR_OK, ""},
        {9001, 300, ERR_TOO_LARGE, "ratio"},
        {INT32_MAX, INT32_MAX, ERR_TOO_LARGE, "side"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct err_note note = {0};
        assert_int_equal(image_check_size(row[i].w, row[i].h, &note), row[i].e);
        assert_string_equal(note.reason, row[i].reason);
    }
}

// A header alone, with the size written in: no pixel of it exists.
static struct buf jpeg_header(uint32_t w, uint32_t h)
{
    struct buf b = BUF_INIT;
    const uint8_t sof[] = {
        0xFF,       0xD8, 0xFF, 0xC0, 0, 11, 8, (uint8_t)(h >> 8), (uint8_t)h, (uint8_t)(w >> 8),
        (uint8_t)w, 1,    1,    0x11, 0};

    buf_add(&b, sof, sizeof(sof));
    return b;
}

static struct buf png_header(uint32_t w, uint32_t h)
{
    struct buf b = BUF_INIT;
    uint8_t ihdr[] = {0, 0, 0, 13, 'I', 'H', 'D', 'R', 0, 0, 0, 0, 0,
                      0, 0, 0, 8,  2,   0,   0,   0,   0, 0, 0, 0};

    put_be32(ihdr + 8, w);
    put_be32(ihdr + 12, h);
    buf_add(&b, "\x89PNG\r\n\x1A\n", 8);
    buf_add(&b, ihdr, sizeof(ihdr));
    buf_add(&b, "\0\0\0\1IDAT\0\0\0\0\0", 13);
    return b;
}

static struct buf webp_header(uint32_t w, uint32_t h)
{
    struct buf b = BUF_INIT;
    const uint8_t vp8x[] = {10,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            (uint8_t)(w - 1),
                            (uint8_t)((w - 1) >> 8),
                            (uint8_t)((w - 1) >> 16),
                            (uint8_t)(h - 1),
                            (uint8_t)((h - 1) >> 8),
                            (uint8_t)((h - 1) >> 16)};

    buf_add(&b, "RIFF\x16\0\0\0WEBPVP8X", 16);
    buf_add(&b, vp8x, sizeof(vp8x));
    return b;
}

static void limits_hold_by_header_alone(void **state)
{
    static struct buf (*const make[])(uint32_t, uint32_t) = {jpeg_header, png_header, webp_header};
    static const struct {
        uint32_t w, h;
        enum err e;
        const char *reason;
    } row[] = {
        {8000, 8000, ERR_OK, ""},  {8001, 8000, ERR_TOO_LARGE, "pixels"},
        {16384, 3906, ERR_OK, ""}, {16385, 3906, ERR_TOO_LARGE, "side"},
        {3000, 100, ERR_OK, ""},   {3001, 100, ERR_TOO_LARGE, "ratio"},
    };

    (void)state;
    for (size_t f = 0; f < 3; f++)
        for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
            struct buf b = make[f](row[i].w, row[i].h);
            struct image_info info = {0};
            struct err_note note = {0};
            assert_int_equal(image_read_info(b.data, b.len, &info, &note), row[i].e);
            assert_string_equal(note.reason, row[i].reason);
            if (row[i].e == ERR_OK) {
                assert_int_equal(info.width, row[i].w);
                assert_int_equal(info.height, row[i].h);
            }
            buf_release(&b);
        }
    // A PNG side that is no 31-bit number.
    struct buf b = png_header(0x80000000u, 1);
    struct image_info info;
    assert_int_equal(image_read_info(b.data, b.len, &info, NULL), ERR_CORRUPT);
    buf_release(&b);
}

static void headers_are_read_without_decoding(void **state)
{
    struct image im = picture_scene(40, 24), clear = picture_noise(40, 24, 1, true);
    struct {
        struct buf file;
        struct image_info want;
    } row[] = {
        {picture_jpeg(&im, &(struct jpeg_spec){.orientation = 6}),
         {IMAGE_JPEG, 40, 24, 6, false, false}},
        {picture_jpeg(&im, &(struct jpeg_spec){.progressive = true}),
         {IMAGE_JPEG, 40, 24, 1, false, false}},
        {picture_png(&im, &(struct png_spec){.opaque = true, .orientation = 3}),
         {IMAGE_PNG, 40, 24, 3, false, false}},
        {picture_png(&im, &(struct png_spec){0}), {IMAGE_PNG, 40, 24, 1, true, false}},
        {picture_png(&im,
                     &(struct png_spec){.grey = true, .opaque = true, .transparent_key = true}),
         {IMAGE_PNG, 40, 24, 1, true, false}},
        {picture_png(&im, &(struct png_spec){.animated = true}),
         {IMAGE_PNG, 40, 24, 1, true, true}},
        {picture_webp(&im, &(struct webp_spec){0}), {IMAGE_WEBP, 40, 24, 1, false, false}},
        {picture_webp(&clear, &(struct webp_spec){0}), {IMAGE_WEBP, 40, 24, 1, true, false}},
        {picture_webp(&clear, &(struct webp_spec){.lossless = true}),
         {IMAGE_WEBP, 40, 24, 1, true, false}},
        {picture_webp(&im, &(struct webp_spec){.orientation = 8}),
         {IMAGE_WEBP, 40, 24, 8, false, false}},
        {picture_webp(&im, &(struct webp_spec){.animated = true}),
         {IMAGE_WEBP, 46, 32, 1, false, true}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct image_info info = {0};
        assert_int_equal(image_read_info(row[i].file.data, row[i].file.len, &info, NULL), ERR_OK);
        assert_int_equal(info.format, row[i].want.format);
        assert_int_equal(info.width, row[i].want.width);
        assert_int_equal(info.height, row[i].want.height);
        assert_int_equal(info.orientation, row[i].want.orientation);
        assert_int_equal(info.has_alpha, row[i].want.has_alpha);
        assert_int_equal(info.animated, row[i].want.animated);
        buf_release(&row[i].file);
    }
    image_release(&im);
    image_release(&clear);
}

static void a_header_cut_anywhere_is_corrupt_and_never_overread(void **state)
{
    struct image im = picture_scene(40, 24);
    struct buf file[] = {
        picture_jpeg(&im, &(struct jpeg_spec){.orientation = 6}),
        picture_png(&im, &(struct png_spec){.orientation = 6}),
        picture_webp(&im, &(struct webp_spec){.orientation = 6}),
        picture_webp(&im, &(struct webp_spec){.lossless = true}),
    };
    static const size_t shortest[] = {3, 8, 12, 12}; // before that it is not known what it is

    (void)state;
    for (size_t f = 0; f < 4; f++) {
        bool complete = false;
        for (size_t n = shortest[f]; n < file[f].len; n++) {
            struct image_info info;
            struct err_note note = {0};
            char *copy = malloc(n); // exact, so that a sanitizer sees one byte too many
            memcpy(copy, file[f].data, n);
            enum err e = image_read_info(copy, n, &info, &note);
            free(copy);
            assert_true(e == ERR_OK || e == ERR_CORRUPT);
            assert_false(complete && e); // once there is enough, there is enough
            complete = e == ERR_OK;
        }
        buf_release(&file[f]);
    }
    image_release(&im);
}

// In memory of exact size, so that a sanitizer sees one byte too many.
static int exif_of(const struct buf *b)
{
    char *copy = malloc(b->len ? b->len : 1);

    if (b->len)
        memcpy(copy, b->data, b->len);
    int orientation = exif_orientation(copy, b->len);
    free(copy);
    return orientation;
}

static void exif_nonsense_means_upright(void **state)
{
    (void)state;
    for (int little = 0; little < 2; little++) {
        struct buf good = picture_exif(6, little);
        struct {
            size_t at;
            int value;
        } harm[] = {
            {30u + (little ? 0 : 1), 0},  // no orientation
            {30u + (little ? 0 : 1), 9},  // one past the last
            {24u + (little ? 0 : 1), 4},  // LONG in place of SHORT
            {4u + (little ? 0 : 3), 200}, // directory behind the end
            {4u + (little ? 3 : 0), 255}, // far behind the end
            {0, 'X'},
        };
        assert_int_equal(exif_of(&good), 6);
        for (size_t i = 0; i < sizeof(harm) / sizeof(harm[0]); i++) {
            char old = good.data[harm[i].at];
            good.data[harm[i].at] = (char)harm[i].value;
            assert_int_equal(exif_of(&good), 1);
            good.data[harm[i].at] = old;
        }
        for (size_t n = 0; n < good.len; n++) {
            struct buf cut = BUF_INIT;
            buf_add(&cut, good.data, n);
            assert_int_equal(exif_of(&cut), n < 34 ? 1 : 6);
            buf_release(&cut);
        }
        buf_release(&good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_alone_names_the_format),
        cmocka_unit_test(other_formats_are_named_in_the_refusal),
        cmocka_unit_test(sizes_are_limited_at_the_limit_and_not_before),
        cmocka_unit_test(limits_hold_by_header_alone),
        cmocka_unit_test(headers_are_read_without_decoding),
        cmocka_unit_test(a_header_cut_anywhere_is_corrupt_and_never_overread),
        cmocka_unit_test(exif_nonsense_means_upright),
    };

    return cmocka_run_group_tests_name("sniff", tests, NULL, NULL);
}
