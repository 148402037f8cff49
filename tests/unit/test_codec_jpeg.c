/* SPDX-License-Identifier: MIT */
#include "support/pictures.h"
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

static void expect(const struct image *im, const struct jpeg_spec *spec, const struct image *want,
                   int tolerance)
{
    struct buf file = picture_jpeg(im, spec);
    struct codec_header header;
    struct image got;
    struct err_note note = {0};

    enum err e = picture_decode(file.data, file.len, 0, &got, &header, &note);
    if (e)
        fail_msg("%s: %s", err_name(e), note.text);
    assert_int_equal(header.width, want->width);
    assert_int_equal(header.height, want->height);
    assert_in_range(picture_distance(&got, want), 0, tolerance);
    image_release(&got);
    buf_release(&file);
}

static struct image mapped(const struct image *im, void (*map)(uint8_t *px))
{
    struct image out = picture_upright(im, 1);

    for (int i = 0; i < out.width * out.height; i++)
        map(out.px + 4 * i);
    return out;
}

static void to_grey(uint8_t *px)
{
    px[1] = px[2] = px[0];
}

static void under_black_ink(uint8_t *px)
{
    for (int c = 0; c < 3; c++)
        px[c] = (uint8_t)((px[c] * 200 + 127) / 255);
}

static void swap_red_and_blue(uint8_t *px)
{
    uint8_t red = px[0];

    px[0] = px[2];
    px[2] = red;
}

// A scene without sharp edges: what JPEG changes is then small, and tolerances mean something.
static struct image smooth(int width, int height)
{
    struct image im = picture_scene(width, height);

    for (int i = 0; i < width * height; i++)
        im.px[4 * i + 2] = (uint8_t)(60 + 100 * (i % width) / width);
    return im;
}

static void every_kind_of_jpeg_becomes_srgb(void **state)
{
    struct image im = smooth(67, 45), grey = mapped(&im, to_grey),
                 inked = mapped(&im, under_black_ink);

    (void)state;
    expect(&im, &(struct jpeg_spec){0}, &im, 6);
    expect(&im, &(struct jpeg_spec){.sampling = 2}, &im, 9);
    expect(&im, &(struct jpeg_spec){.progressive = true}, &im, 6);
    expect(&im, &(struct jpeg_spec){.progressive = true, .sampling = 2}, &im, 9);
    expect(&im, &(struct jpeg_spec){.grey = true}, &grey, 4);
    expect(&im, &(struct jpeg_spec){.cmyk = true}, &inked, 6);
    expect(&im, &(struct jpeg_spec){.cmyk = true, .adobe = true}, &inked, 6);
    expect(&im, &(struct jpeg_spec){.ycck = true, .adobe = true}, &inked, 8);
    expect(&im, &(struct jpeg_spec){.ycck = true, .adobe = true, .progressive = true}, &inked, 8);
    image_release(&im);
    image_release(&grey);
    image_release(&inked);
}

static void all_eight_orientations_come_out_upright(void **state)
{
    struct image im = smooth(67, 45);

    (void)state;
    for (int o = 1; o <= 8; o++) {
        struct image want = picture_upright(&im, o);
        expect(&im, &(struct jpeg_spec){.orientation = o}, &want, 6);
        image_release(&want);
    }
    image_release(&im);
}

static void profiles_are_applied_and_broken_ones_ignored(void **state)
{
    struct image im = smooth(64, 48), swapped = mapped(&im, swap_red_and_blue),
                 grey = mapped(&im, to_grey);
    struct buf icc = picture_swapped_profile();

    (void)state;
    expect(&im, &(struct jpeg_spec){.icc = &icc}, &swapped, 8);
    // A profile of another colour space than the pixels'.
    expect(&im, &(struct jpeg_spec){.icc = &icc, .grey = true}, &grey, 4);
    icc.len /= 2;
    expect(&im, &(struct jpeg_spec){.icc = &icc}, &im, 6);
    icc.len = 3;
    expect(&im, &(struct jpeg_spec){.icc = &icc}, &im, 6);
    buf_release(&icc);

    // A grey profile of gamma 1: stored 0.5 is linear light 0.5, code 188.
    icc = picture_linear_grey_profile();
    memset(im.px, 128, im.stride * (size_t)im.height);
    struct buf file = picture_jpeg(&im, &(struct jpeg_spec){.icc = &icc, .grey = true});
    struct image got;
    assert_int_equal(picture_decode(file.data, file.len, 0, &got, NULL, NULL), ERR_OK);
    for (int c = 0; c < 3; c++)
        assert_in_range(got.px[c], 187, 189);
    assert_int_equal(got.px[3], 255);
    image_release(&got);
    buf_release(&file);
    buf_release(&icc);
    image_release(&im);
    image_release(&swapped);
    image_release(&grey);
}

static void the_smallest_scale_that_still_reaches_is_used(void **state)
{
    static const struct {
        int64_t want;
        int width, height;
    } row[] = {
        {0, 400, 240},          {1, 50, 30},         {50 * 30, 50, 30},
        {50 * 30 + 1, 100, 60}, {100 * 60, 100, 60}, {100 * 60 + 1, 150, 90},
        {400 * 240, 400, 240},  {1 << 30, 400, 240},
    };
    struct image im = smooth(400, 240);
    struct buf file = picture_jpeg(&im, &(struct jpeg_spec){.orientation = 6});

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct codec_header header;
        struct image got;
        assert_int_equal(picture_decode(file.data, file.len, row[i].want, &got, &header, NULL),
                         ERR_OK);
        assert_int_equal(got.width, row[i].height); // turned
        assert_int_equal(got.height, row[i].width);
        assert_int_equal(header.info.width, 400);
        // The scene's corners stay where they are.
        assert_in_range(got.px[4 * (got.width - 1)], 30, 50);
        assert_in_range(got.px[got.stride * (size_t)(got.height - 1)], 230, 245);
        image_release(&got);
    }
    buf_release(&file);
    image_release(&im);
}

static void stray_bytes_between_markers_are_tolerated(void **state)
{
    struct image im = smooth(64, 48), got;
    struct buf file = picture_jpeg(&im, &(struct jpeg_spec){0}), odd = BUF_INIT;

    (void)state;
    buf_add(&odd, file.data, 20); // SOI and JFIF
    buf_add(&odd, "\x01\x02\x03stray", 8);
    buf_add(&odd, file.data + 20, file.len - 20);
    buf_add(&odd, "behind the end", 14);
    assert_int_equal(picture_decode(odd.data, odd.len, 0, &got, NULL, NULL), ERR_OK);
    assert_in_range(picture_distance(&got, &im), 0, 6);
    image_release(&got);
    buf_release(&odd);
    buf_release(&file);
    image_release(&im);
}

static void a_cut_picture_is_a_premature_end(void **state)
{
    struct image im = smooth(64, 48);

    (void)state;
    for (int progressive = 0; progressive < 2; progressive++) {
        struct buf file = picture_jpeg(&im, &(struct jpeg_spec){.progressive = progressive});
        for (size_t n = 3; n < file.len; n++) {
            struct image got;
            struct err_note note = {0};
            assert_int_equal(picture_decode(file.data, n, 0, &got, NULL, &note), ERR_CORRUPT);
            if (!strstr(note.text, "remature end") && !strstr(note.text, "frame header"))
                fail_msg("cut at %zu: %s", n, note.text);
        }
        buf_release(&file);
    }
    image_release(&im);
}

static void scans_without_end_are_refused(void **state)
{
    struct image im = smooth(32, 32), got;
    struct err_note note;

    (void)state;
    for (int scans = 100; scans <= 101; scans++) {
        struct buf file = picture_jpeg(&im, &(struct jpeg_spec){.scans = scans});
        enum err e = picture_decode(file.data, file.len, 0, &got, NULL, &note);
        assert_int_equal(e, scans > 100 ? ERR_CORRUPT : ERR_OK);
        if (e == ERR_OK)
            image_release(&got);
        else
            assert_non_null(strstr(note.text, "100 scans"));
        buf_release(&file);
    }
    image_release(&im);
}

static uint8_t *refuse(void *ctx, const struct codec_header *header)
{
    (void)ctx, (void)header;
    return NULL;
}

static void no_memory_from_the_caller_is_too_large(void **state)
{
    struct image im = smooth(32, 32);
    struct buf file[] = {picture_jpeg(&im, &(struct jpeg_spec){0}),
                         picture_png(&im, &(struct png_spec){0}),
                         picture_webp(&im, &(struct webp_spec){0})};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct codec_decode_options o = {0};
        struct codec_header header;
        struct err_note note;
        assert_int_equal(codec_decode(file[i].data, file[i].len, &o, refuse, NULL, &header, &note),
                         ERR_TOO_LARGE);
        assert_string_equal(note.reason, "memory");
        buf_release(&file[i]);
    }
    image_release(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_jpeg_becomes_srgb),
        cmocka_unit_test(all_eight_orientations_come_out_upright),
        cmocka_unit_test(profiles_are_applied_and_broken_ones_ignored),
        cmocka_unit_test(the_smallest_scale_that_still_reaches_is_used),
        cmocka_unit_test(stray_bytes_between_markers_are_tolerated),
        cmocka_unit_test(a_cut_picture_is_a_premature_end),
        cmocka_unit_test(scans_without_end_are_refused),
        cmocka_unit_test(no_memory_from_the_caller_is_too_large),
    };

    return cmocka_run_group_tests_name("codec_jpeg", tests, NULL, NULL);
}
