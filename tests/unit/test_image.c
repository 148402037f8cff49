/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "image/colour.h"
#include "image/image.h"

#include <math.h>
#include <string.h>

static void new_picture_is_transparent_black_and_sizes_are_checked(void **state)
{
    struct image im;

    (void)state;
    assert_int_equal(image_new(&im, 0, 5), ERR_INVALID);
    assert_int_equal(image_new(&im, 5, -1), ERR_INVALID);
    assert_int_equal(image_new(&im, 3, 2), ERR_OK);
    assert_true(im.stride >= 12);
    for (int y = 0; y < 2; y++)
        for (int i = 0; i < 12; i++)
            assert_int_equal(im.px[im.stride * (size_t)y + (size_t)i], 0);
    image_release(&im);
    assert_null(im.px);
}

static void view_borrows_a_rectangle(void **state)
{
    struct image im;

    (void)state;
    assert_int_equal(image_new(&im, 5, 4), ERR_OK);
    im.px[im.stride * 2 + 4 * 3 + 1] = 77;
    struct image view = image_view(&im, 3, 2, 2, 2);
    assert_int_equal(view.px[1], 77);
    assert_false(view.owned);
    image_release(&view);
    assert_int_equal(im.px[im.stride * 2 + 4 * 3 + 1], 77);
    image_release(&im);
}

static void grid_puts_four_row_by_row_without_gaps(void **state)
{
    struct image four[4], grid;

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(image_new(&four[i], 3, 2), ERR_OK);
        memset(four[i].px, i + 1, four[i].stride * 2);
    }
    four[2].has_alpha = true;
    assert_int_equal(image_grid(&grid, four), ERR_OK);
    assert_int_equal(grid.width, 6);
    assert_int_equal(grid.height, 4);
    assert_true(grid.has_alpha);
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 6; x++)
            assert_int_equal(grid.px[grid.stride * (size_t)y + 4 * (size_t)x],
                             1 + x / 3 + y / 2 * 2);
    image_release(&grid);
    for (int i = 0; i < 4; i++)
        image_release(&four[i]);
}

static void over_white_blends_in_linear_light(void **state)
{
    struct image im;

    (void)state;
    assert_int_equal(image_new(&im, 3, 1), ERR_OK);
    im.has_alpha = true;
    memcpy(im.px, (uint8_t[]){10, 20, 30, 255, 0, 0, 0, 128, 9, 9, 9, 0}, 12);
    assert_true(image_any_alpha(&im));
    image_over_white(&im);
    assert_false(image_any_alpha(&im));
    assert_false(im.has_alpha);
    // Half light is code 188, not 127.
    const uint8_t expected[12] = {10, 20, 30, 255, 187, 187, 187, 255, 255, 255, 255, 255};
    assert_memory_equal(im.px, expected, 12);
    image_release(&im);
}

static double to_linear(double v)
{
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static void srgb_tables_follow_the_standard(void **state)
{
    struct srgb_encoder fast;

    (void)state;
    srgb_encoder_init(&fast);
    for (int i = 0; i < 256; i++) {
        assert_true(fabs((double)srgb_linear[i] - to_linear(i / 255.0)) < 6e-8);
        assert_int_equal(srgb_from_linear(srgb_linear[i]), i);
        if (i > 0) {
            assert_true(fabs((double)srgb_threshold[i] - to_linear((i - 0.5) / 255)) < 6e-8);
            assert_int_equal(srgb_from_linear(srgb_threshold[i]), i);
            assert_int_equal(srgb_from_linear(nextafterf(srgb_threshold[i], 0)), i - 1);
            assert_int_equal(srgb_encode(&fast, srgb_threshold[i]), i);
            assert_int_equal(srgb_encode(&fast, nextafterf(srgb_threshold[i], 0)), i - 1);
        }
    }
    for (int i = 0; i <= 1000000; i++) {
        float v = (float)i / 1000000.0f;
        assert_int_equal(srgb_encode(&fast, v), srgb_from_linear(v));
    }
    assert_int_equal(srgb_from_linear(-1), 0);
    assert_int_equal(srgb_from_linear(2), 255);
    assert_int_equal(srgb_from_linear(NAN), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_picture_is_transparent_black_and_sizes_are_checked),
        cmocka_unit_test(view_borrows_a_rectangle),
        cmocka_unit_test(grid_puts_four_row_by_row_without_gaps),
        cmocka_unit_test(over_white_blends_in_linear_light),
        cmocka_unit_test(srgb_tables_follow_the_standard),
    };

    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
