/* SPDX-License-Identifier: MIT */
#include "support/pictures.h"
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

static struct image decode(const struct image *im, const struct webp_spec *spec,
                           struct codec_header *header)
{
    struct buf file = picture_webp(im, spec);
    struct image got = {0};
    struct err_note note = {0};

    enum err e = picture_decode(file.data, file.len, 0, &got, header, &note);
    if (e)
        fail_msg("%s: %s", err_name(e), note.text);
    buf_release(&file);
    return got;
}

// The mean difference, in codes: lossy WebP has no bound on the greatest.
static double mean_difference(const struct image *a, const struct image *b)
{
    double sum = 0;

    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (int i = 0; i < 4 * a->width * a->height; i++)
        sum += abs(a->px[i] - b->px[i]);
    return sum / (4 * a->width * a->height);
}

static void lossless_is_exact_with_alpha_and_lossy_is_near(void **state)
{
    struct image im = picture_scene(67, 45), noise = picture_noise(37, 29, 3, true);
    struct image got = decode(&im, &(struct webp_spec){.lossless = true}, NULL);

    (void)state;
    assert_int_equal(picture_distance(&got, &im), 0);
    assert_false(got.has_alpha);
    image_release(&got);
    got = decode(&noise, &(struct webp_spec){.lossless = true}, NULL);
    assert_int_equal(picture_distance(&got, &noise), 0);
    assert_true(got.has_alpha);
    image_release(&got);
    got = decode(&im, &(struct webp_spec){0}, NULL);
    assert_true(mean_difference(&got, &im) < 4);
    image_release(&got);

    im.has_alpha = true;
    for (int i = 0; i < 67 * 45; i++)
        im.px[4 * i + 3] = (uint8_t)(i % 67 * 3);
    got = decode(&im, &(struct webp_spec){0}, NULL);
    for (int i = 0; i < 67 * 45; i++)
        assert_int_equal(got.px[4 * i + 3], im.px[4 * i + 3]);
    image_release(&got);
    image_release(&im);
    image_release(&noise);
}

static void all_eight_orientations_come_out_upright(void **state)
{
    struct image noise = picture_noise(37, 29, 4, true);

    (void)state;
    for (int o = 1; o <= 8; o++) {
        struct image want = picture_upright(&noise, o);
        struct image got =
            decode(&noise, &(struct webp_spec){.lossless = true, .orientation = o}, NULL);
        assert_int_equal(picture_distance(&got, &want), 0);
        image_release(&got);
        image_release(&want);
    }
    image_release(&noise);
}

static void a_profile_is_applied(void **state)
{
    struct image im = picture_noise(33, 21, 7, true);
    struct buf icc = picture_swapped_profile();
    struct image got = decode(&im, &(struct webp_spec){.lossless = true, .icc = &icc}, NULL);

    (void)state;
    for (int i = 0; i < 33 * 21; i++) {
        uint8_t red = im.px[4 * i];
        im.px[4 * i] = im.px[4 * i + 2];
        im.px[4 * i + 2] = red;
    }
    assert_in_range(picture_distance(&got, &im), 0, 2);
    image_release(&got);
    image_release(&im);
    buf_release(&icc);
}

static void the_first_frame_lies_on_its_canvas(void **state)
{
    struct image im = picture_noise(30, 20, 8, false);
    struct codec_header header;
    struct image got =
        decode(&im, &(struct webp_spec){.lossless = true, .animated = true}, &header);

    (void)state;
    assert_true(header.info.animated);
    assert_true(header.info.has_alpha); // around the frame
    assert_int_equal(got.width, 36);
    assert_int_equal(got.height, 28);
    struct image frame = image_view(&got, 2, 4, 30, 20);
    assert_int_equal(picture_distance(&frame, &im), 0);
    for (int y = 0; y < 28; y++)
        for (int x = 0; x < 36; x++)
            if (x < 2 || x >= 32 || y < 4 || y >= 24)
                assert_int_equal(got.px[got.stride * (size_t)y + 4 * (size_t)x + 3], 0);
    image_release(&got);
    image_release(&im);
}

static void a_cut_file_is_corrupt(void **state)
{
    struct image im = picture_scene(64, 48), got;
    struct buf file[] = {
        picture_webp(&im, &(struct webp_spec){0}),
        picture_webp(&im, &(struct webp_spec){.lossless = true}),
        picture_webp(&im, &(struct webp_spec){.animated = true, .orientation = 6}),
    };

    (void)state;
    for (size_t f = 0; f < 3; f++) {
        for (size_t n = 12; n < file[f].len; n++) {
            struct err_note note;
            assert_int_equal(picture_decode(file[f].data, n, 0, &got, NULL, &note), ERR_CORRUPT);
            assert_non_null(strstr(note.text, "premature end"));
        }
        // A container that claims to be whole: the codec must see what is missing.
        for (size_t n = file[f].len / 2; n < file[f].len - 8; n += 2) {
            uint32_t riff = (uint32_t)n - 8;
            struct buf cut = BUF_INIT;
            buf_add(&cut, file[f].data, n);
            memcpy(cut.data + 4, &riff, 4);
            assert_int_equal(picture_decode(cut.data, n, 0, &got, NULL, NULL), ERR_CORRUPT);
            buf_release(&cut);
        }
        buf_release(&file[f]);
    }
    image_release(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lossless_is_exact_with_alpha_and_lossy_is_near),
        cmocka_unit_test(all_eight_orientations_come_out_upright),
        cmocka_unit_test(a_profile_is_applied),
        cmocka_unit_test(the_first_frame_lies_on_its_canvas),
        cmocka_unit_test(a_cut_file_is_corrupt),
    };

    return cmocka_run_group_tests_name("codec_webp", tests, NULL, NULL);
}
