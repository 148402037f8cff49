/* SPDX-License-Identifier: MIT */
#include "support/pictures.h"
#include "unit/unit.h"

#include "image/bytes.h"

#include <libdeflate.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void expect(const struct image *im, const struct png_spec *spec, const struct image *want,
                   int tolerance)
{
    struct buf file = picture_png(im, spec);
    struct image got;
    struct err_note note = {0};

    enum err e = picture_decode(file.data, file.len, 0, &got, NULL, &note);
    if (e)
        fail_msg("%s: %s", err_name(e), note.text);
    assert_in_range(picture_distance(&got, want), 0, tolerance);
    image_release(&got);
    buf_release(&file);
}

static uint8_t quantise(uint8_t v, int depth)
{
    unsigned top = (1u << depth) - 1;

    return depth >= 8 ? v : (uint8_t)((unsigned)(v >> (8 - depth)) * 255 / top);
}

// What a spec's loss leaves of the picture, by the format's definition.
static struct image stored(const struct image *im, const struct png_spec *s)
{
    struct image out = picture_upright(im, 1);
    int depth = s->depth ? s->depth : 8;

    for (int i = 0; i < out.width * out.height; i++) {
        uint8_t *px = out.px + 4 * i;
        for (int c = 0; c < 3; c++)
            px[c] = quantise(px[s->grey || s->palette ? 0 : c], depth);
        if (s->opaque || s->palette)
            px[3] = 255;
    }
    return out;
}

static void every_kind_of_png_is_exact(void **state)
{
    static const struct png_spec row[] = {
        {0},
        {.opaque = true},
        {.grey = true},
        {.depth = 16},
        {.depth = 16, .opaque = true},
        {.depth = 16, .grey = true},
        {.depth = 1, .grey = true, .opaque = true},
        {.depth = 2, .grey = true, .opaque = true},
        {.depth = 4, .grey = true, .opaque = true},
        {.grey = true, .opaque = true},
        {.depth = 16, .grey = true, .opaque = true},
        {.depth = 1, .palette = true},
        {.depth = 2, .palette = true},
        {.depth = 4, .palette = true},
        {.palette = true},
        {.animated = true},
        {.srgb = true},
    };
    struct image noise = picture_noise(37, 29, 5, true);

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        for (int interlaced = 0; interlaced < 2; interlaced++) {
            struct png_spec spec = row[i];
            struct image want = stored(&noise, &spec);
            spec.interlaced = interlaced;
            expect(&noise, &spec, &want, 0);
            image_release(&want);
        }
    image_release(&noise);
}

static void a_transparent_colour_becomes_alpha(void **state)
{
    static const struct png_spec row[] = {
        {.opaque = true, .transparent_key = true},
        {.opaque = true, .transparent_key = true, .depth = 16},
        {.grey = true, .opaque = true, .transparent_key = true},
        {.palette = true, .transparent_key = true},
    };
    struct image im = picture_scene(20, 10);

    (void)state;
    memset(im.px, 255, 3); // the key; in the palette, entry 0
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct image want = stored(&im, &row[i]);
        want.px[3] = 0;
        expect(&im, &row[i], &want, 0);
        image_release(&want);
    }
    image_release(&im);
}

static void all_eight_orientations_come_out_upright(void **state)
{
    struct image noise = picture_noise(37, 29, 6, true);

    (void)state;
    for (int o = 1; o <= 8; o++) {
        struct image want = picture_upright(&noise, o);
        expect(&noise, &(struct png_spec){.orientation = o}, &want, 0);
        expect(&noise, &(struct png_spec){.orientation = o, .interlaced = true}, &want, 0);
        image_release(&want);
    }
    image_release(&noise);
}

// A grey ramp through gamma: linear light v, shown in sRGB.
static uint8_t srgb_code(double v)
{
    double code = v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055;

    return (uint8_t)lround(255 * code);
}

static void gamma_and_primaries_are_converted(void **state)
{
    static const double srgb_primaries[8] = {0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06};
    static const double swapped[8] = {0.3127, 0.3290, 0.15, 0.06, 0.30, 0.60, 0.64, 0.33};
    struct image ramp = picture_scene(256, 9), want = picture_scene(256, 9);

    (void)state;
    for (int x = 0; x < 256 * 9; x++)
        for (int c = 0; c < 3; c++) {
            ramp.px[4 * x + c] = (uint8_t)(x % 256);
            want.px[4 * x + c] = srgb_code(x % 256 / 255.0);
        }
    for (int depth = 8; depth <= 16; depth += 8) {
        expect(&ramp, &(struct png_spec){.depth = depth, .gamma = 1}, &want, 1);
        expect(&ramp,
               &(struct png_spec){.depth = depth, .gamma = 1, .chromaticities = srgb_primaries},
               &want, 1);
        expect(&ramp, &(struct png_spec){.depth = depth, .gamma = 1, .grey = true}, &want, 1);
        // The chunk that says sRGB wins over gamma, and 1/2.2 alone means sRGB.
        expect(&ramp, &(struct png_spec){.depth = depth, .gamma = 0.45455}, &ramp, 0);
        expect(&ramp, &(struct png_spec){.depth = depth, .srgb = true}, &ramp, 0);
    }
    image_release(&ramp);
    image_release(&want);

    struct image im = picture_scene(64, 48), got;
    struct buf file =
        picture_png(&im, &(struct png_spec){.gamma = 1 / 2.2, .chromaticities = swapped});
    assert_int_equal(picture_decode(file.data, file.len, 0, &got, NULL, NULL), ERR_OK);
    for (int i = 0; i < 64 * 48; i++) {
        assert_in_range(got.px[4 * i], im.px[4 * i + 2] - 8, im.px[4 * i + 2] + 8);
        assert_in_range(got.px[4 * i + 2], im.px[4 * i] - 8, im.px[4 * i] + 8);
    }
    image_release(&got);
    image_release(&im);
    buf_release(&file);
}

static void profiles_are_applied_to_both_depths(void **state)
{
    struct image im = picture_noise(33, 21, 7, true), want = picture_upright(&im, 1);
    struct buf icc = picture_swapped_profile(), grey_icc = picture_linear_grey_profile();

    (void)state;
    for (int i = 0; i < 33 * 21; i++) {
        want.px[4 * i] = im.px[4 * i + 2];
        want.px[4 * i + 2] = im.px[4 * i];
    }
    expect(&im, &(struct png_spec){.icc = &icc}, &want, 2);
    expect(&im, &(struct png_spec){.icc = &icc, .depth = 16}, &want, 2);
    expect(&im, &(struct png_spec){.icc = &icc, .interlaced = true, .depth = 16}, &want, 2);
    for (int i = 0; i < 33 * 21; i++)
        want.px[4 * i] = want.px[4 * i + 1] = want.px[4 * i + 2] = srgb_code(im.px[4 * i] / 255.0);
    expect(&im, &(struct png_spec){.icc = &grey_icc, .grey = true}, &want, 1);
    expect(&im, &(struct png_spec){.icc = &grey_icc, .grey = true, .depth = 16}, &want, 1);
    buf_release(&icc);
    buf_release(&grey_icc);
    image_release(&im);
    image_release(&want);
}

static void add_chunk(struct buf *b, const char *type, const void *data, size_t len)
{
    uint8_t word[4];

    put_be32(word, (uint32_t)len);
    buf_add(b, word, 4);
    buf_add(b, type, 4);
    buf_add(b, data, len);
    put_be32(word, libdeflate_crc32(libdeflate_crc32(0, type, 4), data, len));
    buf_add(b, word, 4);
}

static struct buf png_start(uint32_t w, uint32_t h)
{
    uint8_t ihdr[13] = {[8] = 8, [9] = 2};
    struct buf b = BUF_INIT;

    put_be32(ihdr, w);
    put_be32(ihdr + 4, h);
    buf_add(&b, "\x89PNG\r\n\x1A\n", 8);
    add_chunk(&b, "IHDR", ihdr, 13);
    return b;
}

static struct buf deflated_zeros(size_t n)
{
    struct libdeflate_compressor *z = libdeflate_alloc_compressor(9);
    struct buf b = BUF_INIT;
    void *zeros = calloc(n, 1);

    assert_true(buf_reserve(&b, libdeflate_zlib_compress_bound(z, n)));
    b.len = libdeflate_zlib_compress(z, zeros, n, b.data, b.cap);
    free(zeros);
    libdeflate_free_compressor(z);
    return b;
}

static uint8_t *must_not_be_asked(void *ctx, const struct codec_header *header)
{
    (void)ctx, (void)header;
    fail_msg("memory was asked for before the limits were checked");
    return NULL;
}

static void bombs_are_refused_by_their_header(void **state)
{
    static const struct {
        uint32_t w, h;
        const char *reason;
    } row[] = {{100000, 100000, "side"}, {16384, 16384, "pixels"}, {16000, 2, "ratio"}};

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const struct codec_decode_options o = {0};
        struct buf b = png_start(row[i].w, row[i].h), idat = deflated_zeros(1000000);
        struct codec_header header;
        struct err_note note;
        add_chunk(&b, "IDAT", idat.data, idat.len);
        assert_int_equal(codec_decode(b.data, b.len, &o, must_not_be_asked, NULL, &header, &note),
                         ERR_TOO_LARGE);
        assert_string_equal(note.reason, row[i].reason);
        buf_release(&b);
        buf_release(&idat);
    }
}

static void chunks_that_inflate_a_lot_are_not_inflated(void **state)
{
    // 40 MB of zeros in 40 kB, as a profile and as a comment, in front of a whole picture.
    static const struct {
        const char *type, *head;
        size_t head_len;
    } row[] = {{"iCCP", "bomb\0", 6}, {"zTXt", "bomb\0", 6}, {"iTXt", "bomb\0\1\0\0", 9}};
    struct buf zeros = deflated_zeros(40000000), pixels = deflated_zeros(4 * (1 + 3 * 4));

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct buf b = png_start(4, 4), chunk = BUF_INIT;
        struct image got;
        buf_add(&chunk, row[i].head, row[i].head_len);
        buf_add(&chunk, zeros.data, zeros.len);
        add_chunk(&b, row[i].type, chunk.data, chunk.len);
        add_chunk(&b, "IDAT", pixels.data, pixels.len);
        add_chunk(&b, "IEND", "", 0);
        enum err e = picture_decode(b.data, b.len, 0, &got, NULL, NULL);
        assert_true(e == ERR_OK || e == ERR_CORRUPT);
        if (e == ERR_OK)
            image_release(&got);
        buf_release(&chunk);
        buf_release(&b);
    }
    buf_release(&zeros);
    buf_release(&pixels);
}

static void pixels_that_do_not_fill_the_picture_are_corrupt(void **state)
{
    struct buf b = png_start(40, 40), few = deflated_zeros(1000);
    struct image got;

    (void)state;
    add_chunk(&b, "IDAT", few.data, few.len);
    add_chunk(&b, "IEND", "", 0);
    assert_int_equal(picture_decode(b.data, b.len, 0, &got, NULL, NULL), ERR_CORRUPT);
    buf_release(&b);
    buf_release(&few);
}

static void a_cut_or_altered_file_is_corrupt(void **state)
{
    struct image im = picture_scene(40, 30);
    struct buf file = picture_png(&im, &(struct png_spec){.gamma = 1, .orientation = 6});
    struct image got;
    struct err_note note;

    (void)state;
    for (size_t n = 8; n < file.len; n++) {
        assert_int_equal(picture_decode(file.data, n, 0, &got, NULL, &note), ERR_CORRUPT);
        assert_non_null(strstr(note.text, "premature end"));
    }
    // Every chunk carries a checksum, so no flipped bit behind the signature goes unseen.
    for (size_t i = 8; i < file.len; i++) {
        file.data[i] ^= (char)(1 << (i % 8));
        enum err e = picture_decode(file.data, file.len, 0, &got, NULL, NULL);
        if (e == ERR_OK)
            fail_msg("flip at %zu was not seen", i);
        assert_true(e == ERR_CORRUPT || e == ERR_TOO_LARGE);
        file.data[i] ^= (char)(1 << (i % 8));
    }
    buf_release(&file);
    image_release(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_png_is_exact),
        cmocka_unit_test(a_transparent_colour_becomes_alpha),
        cmocka_unit_test(all_eight_orientations_come_out_upright),
        cmocka_unit_test(gamma_and_primaries_are_converted),
        cmocka_unit_test(profiles_are_applied_to_both_depths),
        cmocka_unit_test(bombs_are_refused_by_their_header),
        cmocka_unit_test(chunks_that_inflate_a_lot_are_not_inflated),
        cmocka_unit_test(pixels_that_do_not_fill_the_picture_are_corrupt),
        cmocka_unit_test(a_cut_or_altered_file_is_corrupt),
    };

    return cmocka_run_group_tests_name("codec_png", tests, NULL, NULL);
}
