/* SPDX-License-Identifier: MIT */
#include "support/pictures.h"
#include "unit/unit.h"

#include "base/hash.h"
#include "image/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MP = 1024 * 1024 };

static void sizes_keep_the_ratio_and_the_limits(void **state)
{
    static const struct {
        int src_w, src_h;
        struct fit_request want;
        enum err e;
        int width, height; /* 0: any that fits the rules below */
    } row[] = {
        {1000, 1000, {.pixels = MP}, ERR_OK, 1024, 1024},
        {16, 16, {.pixels = MP}, ERR_OK, 1024, 1024},
        {4000, 3000, {.pixels = MP}, ERR_OK, 1152, 864},
        {3000, 4000, {.pixels = MP}, ERR_OK, 864, 1152},
        {6000, 4000, {.pixels = MP}, ERR_OK, 1248, 832},
        {1920, 1080, {.pixels = MP}, ERR_OK, 1360, 768},
        {1920, 1080, {.pixels = 512 * 512}, ERR_OK, 0, 0},
        {3000, 100, {.pixels = MP}, ERR_OK, 0, 0},
        {30, 1, {.pixels = 4096}, ERR_OK, 1920, 64}, // grows until the short side is 64
        {1, 30, {.pixels = 1}, ERR_OK, 64, 1920},
        {31, 1, {.pixels = MP}, ERR_INVALID, 0, 0},
        {500, 400, {.pixels = 16 * MP}, ERR_OK, 0, 0},
        {500, 500, {.pixels = 16 * MP}, ERR_OK, 4096, 4096},
        {500, 400, {.pixels = 16 * MP + 1}, ERR_INVALID, 0, 0},
        {500, 400, {.pixels = 0}, ERR_INVALID, 0, 0},
        {0, 400, {.pixels = MP}, ERR_INVALID, 0, 0},
        {4000, 3000, {.pixels = MP, .ar_w = 1, .ar_h = 1}, ERR_OK, 1024, 1024},
        {4000, 3000, {.pixels = MP, .ar_w = 30, .ar_h = 1}, ERR_OK, 0, 0},
        {4000, 3000, {.pixels = MP, .ar_w = 31, .ar_h = 1}, ERR_INVALID, 0, 0},
        {4000, 3000, {.pixels = MP, .ar_w = 1, .ar_h = 31}, ERR_INVALID, 0, 0},
        {4000, 3000, {.pixels = MP, .ar_w = 5}, ERR_INVALID, 0, 0},
        {4000, 3000, {.width = 800, .height = 608}, ERR_OK, 800, 608},
        {4000, 3000, {.width = 1000, .height = 503}, ERR_OK, 1008, 496},
        {4000, 3000, {.width = 64, .height = 64}, ERR_OK, 64, 64},
        {4000, 3000, {.width = 55, .height = 64}, ERR_INVALID, 0, 0},
        {4000, 3000, {.width = 4096, .height = 4096}, ERR_OK, 4096, 4096},
        {4000, 3000, {.width = 4112, .height = 4096}, ERR_INVALID, 0, 0},
        {4000, 3000, {.width = 64, .height = 1920}, ERR_OK, 64, 1920},
        {4000, 3000, {.width = 64, .height = 1936}, ERR_INVALID, 0, 0},
        {4000, 3000, {.width = 640}, ERR_INVALID, 0, 0},
        {4000, 3000, {.width = INT32_MAX, .height = INT32_MAX}, ERR_INVALID, 0, 0},
        {4000, 3000, {.width = -64, .height = 64}, ERR_INVALID, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct fit_plan p;
        struct err_note note = {0};
        enum err e = fit_plan(row[i].src_w, row[i].src_h, &row[i].want, &p, &note);
        if (e != row[i].e)
            fail_msg("row %zu: %s %s", i, err_name(e), note.text);
        if (e) {
            assert_true(note.text[0] != '\0');
            continue;
        }
        if (row[i].width) {
            assert_int_equal(p.width, row[i].width);
            assert_int_equal(p.height, row[i].height);
        }
        assert_int_equal(p.width % 16, 0);
        assert_int_equal(p.height % 16, 0);
        assert_true(p.width >= 64 && p.height >= 64 && p.width * p.height <= 16 * MP);
    }
}

static void crops_have_the_results_ratio_inside_the_source(void **state)
{
    (void)state;
    for (int w = 1; w < 3000; w = w * 5 / 4 + 1)
        for (int h = 1; h < 3000; h = h * 4 / 3 + 1) {
            struct fit_plan p;
            const struct fit_request want = {.pixels = 300000};
            if (w > 30 * h || h > 30 * w)
                continue;
            assert_int_equal(fit_plan(w, h, &want, &p, NULL), ERR_OK);
            assert_true(fabs(p.crop_w / p.crop_h - (double)p.width / p.height) < 1e-9 * p.width);
            assert_true(p.crop_x >= 0 && p.crop_x + p.crop_w <= w + 1e-9);
            assert_true(p.crop_y >= 0 && p.crop_y + p.crop_h <= h + 1e-9);
            assert_true(fabs(p.crop_x * 2 + p.crop_w - w) < 1e-9 * w); // centred
            assert_true(p.cut >= 0 && p.cut < 0.08);
            assert_int_equal(p.enlarged, p.crop_w < p.width);
            // Sixteens are coarse steps on a short side.
            if (w < 8 * h && h < 8 * w)
                assert_true(fabs(p.width * p.height / 300000.0 - 1) < 0.1);
        }
}

static void crops_move_to_what_stands_out(void **state)
{
    const struct fit_request square = {.pixels = 64 * 64, .ar_w = 1, .ar_h = 1};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct image im;
        struct fit_plan p;
        assert_int_equal(image_new(&im, 400, 100), ERR_OK);
        memset(im.px, 128, im.stride * 100);
        for (int y = 30; y < 70; y++) // red at 40, 200 or 360
            for (int x = 20 + 160 * i; x < 60 + 160 * i; x++)
                memcpy(im.px + im.stride * (size_t)y + 4 * (size_t)x, "\xFF\0\0\xFF", 4);
        assert_int_equal(fit_plan(400, 100, &square, &p, NULL), ERR_OK);
        fit_centre(&im, &p);
        const double at[] = {0, 150, 300};
        assert_true(fabs(p.crop_x - at[i]) <= 8);
        assert_true(p.crop_y == 0);
        assert_true(p.crop_w == 100 && p.crop_h == 100);
        image_release(&im);
    }
    // Nothing stands out: the middle. Hidden pixels do not count.
    struct image im;
    struct fit_plan p;
    assert_int_equal(image_new(&im, 400, 100), ERR_OK);
    im.has_alpha = true;
    memset(im.px, 255, 4 * 40);
    for (int i = 0; i < 400 * 100; i++)
        im.px[4 * i + 3] = 0;
    assert_int_equal(fit_plan(400, 100, &square, &p, NULL), ERR_OK);
    fit_centre(&im, &p);
    assert_true(p.crop_x == 150);
    image_release(&im);
}

static struct image resample(const struct image *src, struct fit_plan p, int threads)
{
    struct image out;

    assert_int_equal(fit_resample(src, &p, threads, &out), ERR_OK);
    assert_int_equal(out.width, p.width);
    assert_int_equal(out.height, p.height);
    return out;
}

static struct fit_plan whole(const struct image *src, int width, int height)
{
    return (struct fit_plan){
        .width = width, .height = height, .crop_w = src->width, .crop_h = src->height};
}

static void a_constant_stays_constant(void **state)
{
    static const int size[][2] = {{64, 64}, {7, 5}, {1, 1}, {100, 77}, {640, 640}, {1000, 900}};

    (void)state;
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++)
        for (int v = 0; v < 256; v += 15) {
            struct image src, out;
            assert_int_equal(image_new(&src, size[i][0], size[i][1]), ERR_OK);
            for (int k = 0; k < src.width * src.height; k++)
                memcpy(src.px + 4 * k, (uint8_t[]){(uint8_t)v, (uint8_t)(255 - v), 9, 255}, 4);
            out = resample(&src, whole(&src, 64, 64), 1);
            for (int k = 0; k < 64 * 64; k++)
                assert_memory_equal(out.px + 4 * k,
                                    ((uint8_t[]){(uint8_t)v, (uint8_t)(255 - v), 9, 255}), 4);
            assert_false(out.has_alpha);
            image_release(&out);
            image_release(&src);
            v += size[i][0] > 500 ? 60 : 0;
        }
}

static void size_one_to_one_keeps_every_pixel(void **state)
{
    struct image src = picture_noise(100, 90, 3, false);
    struct fit_plan p = {
        .width = 64, .height = 80, .crop_x = 13, .crop_y = 4, .crop_w = 64, .crop_h = 80};
    struct image out = resample(&src, p, 2), want = image_view(&src, 13, 4, 64, 80);

    (void)state;
    assert_int_equal(picture_distance(&out, &want), 0);
    image_release(&out);
    image_release(&src);
}

static void threads_do_not_change_pixels(void **state)
{
    static const int size[][2] = {{30, 20}, {300, 200}, {1500, 1000}};

    (void)state;
    for (int alpha = 0; alpha < 2; alpha++)
        for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
            struct image src = picture_noise(size[i][0], size[i][1], 11, alpha);
            struct image one = resample(&src, whole(&src, 144, 96), 1);
            for (int threads = 2; threads <= 200; threads = threads * 3 + 1) {
                struct image many = resample(&src, whole(&src, 144, 96), threads);
                assert_int_equal(picture_distance(&one, &many), 0);
                image_release(&many);
            }
            image_release(&one);
            image_release(&src);
        }
}

static void light_is_averaged_not_codes(void **state)
{
    struct image src, out;

    (void)state;
    // One black pixel beside one white: half the light is code 188.
    for (int n = 640; n <= 2560; n *= 4) {
        assert_int_equal(image_new(&src, n, n), ERR_OK);
        for (int y = 0; y < n; y++)
            for (int x = 0; x < n; x++)
                memset(src.px + src.stride * (size_t)y + 4 * (size_t)x, (x + y) % 2 ? 255 : 0, 3);
        for (int i = 0; i < n * n; i++)
            src.px[4 * i + 3] = 255;
        out = resample(&src, whole(&src, 64, 64), 2);
        for (int i = 0; i < 64 * 64; i++)
            assert_in_range(out.px[4 * i], 187, 189);
        image_release(&out);
        image_release(&src);
    }
}

static void edges_of_alpha_have_no_halo(void **state)
{
    static const int sizes[] = {40, 300, 1000};
    static const uint8_t red[4] = {220, 20, 40, 255};

    (void)state;
    for (size_t s = 0; s < 3; s++) {
        // Red on hidden black: no darker red may appear at any visible pixel.
        int n = sizes[s];
        struct image src, out;
        assert_int_equal(image_new(&src, n, n), ERR_OK);
        src.has_alpha = true;
        for (int y = 0; y < n; y++)
            for (int x = 0; x < n / 2; x++)
                memcpy(src.px + src.stride * (size_t)y + 4 * (size_t)x, red, 4);
        out = resample(&src, whole(&src, 128, 128), 2);
        assert_true(out.has_alpha);
        assert_int_equal(out.px[3], 255);
        assert_int_equal(out.px[4 * 127 + 3], 0);
        for (int i = 0; i < 128 * 128; i++) // the hidden ones too: colour was spread
            for (int c = 0; c < 3; c++)
                assert_in_range(out.px[4 * i + c], red[c] - 1, red[c] + 1);
        image_release(&out);
        image_release(&src);
    }
}

static void a_wholly_transparent_picture_counts_as_opaque(void **state)
{
    struct image src = picture_scene(200, 100), out, want;

    (void)state;
    want = resample(&src, whole(&src, 128, 64), 1);
    src.has_alpha = true;
    for (int i = 0; i < 200 * 100; i++)
        src.px[4 * i + 3] = 0;
    out = resample(&src, whole(&src, 128, 64), 1);
    assert_false(out.has_alpha);
    assert_int_equal(picture_distance(&out, &want), 0);
    image_release(&out);
    image_release(&want);
    image_release(&src);
}

static double slow_lanczos(double x)
{
    return fabs(x) >= 3      ? 0
           : fabs(x) < 1e-12 ? 1
                             : 3 * sin(M_PI * x) * sin(M_PI * x / 3) / (M_PI * M_PI * x * x);
}

// The definition, pixel by pixel in double.
static double slow_sample(const struct image *im, const struct fit_plan *p, int x, int y, int c)
{
    double scale = p->crop_w / p->width, wide = fmax(scale, 1), sum = 0, weight = 0;
    double cx = p->crop_x + (x + 0.5) * scale - 0.5, cy = p->crop_y + (y + 0.5) * scale - 0.5;

    for (int v = 0; v < im->height; v++)
        for (int u = 0; u < im->width; u++) {
            double w = slow_lanczos((u - cx) / wide) * slow_lanczos((v - cy) / wide);
            double code = im->px[im->stride * (size_t)v + 4 * (size_t)u + (size_t)c] / 255.0;
            sum += w * (code <= 0.04045 ? code / 12.92 : pow((code + 0.055) / 1.055, 2.4));
            weight += w;
        }
    double light = fmin(fmax(sum / weight, 0), 1);
    return 255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055);
}

static void pixels_agree_with_the_definition(void **state)
{
    struct image src = picture_scene(90, 60);
    const struct fit_plan row[] = {
        {.width = 64, .height = 64, .crop_x = 11.25, .crop_y = 3.5, .crop_w = 50, .crop_h = 50},
        {.width = 64, .height = 64, .crop_x = 20, .crop_y = 0, .crop_w = 60, .crop_h = 60},
        {.width = 16, .height = 16, .crop_x = 1.75, .crop_y = 2.25, .crop_w = 50, .crop_h = 50},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct image out = resample(&src, row[i], 1);
        for (int y = 0; y < out.height; y += 5)
            for (int x = 0; x < out.width; x += 3)
                for (int c = 0; c < 3; c++) {
                    double want = slow_sample(&src, &row[i], x, y, c);
                    int got = out.px[out.stride * (size_t)y + 4 * (size_t)x + (size_t)c];
                    assert_true(fabs(want - got) < 0.51);
                }
        image_release(&out);
    }
    image_release(&src);
}

// Enlarged, reduced, boxed; opaque and not: the same bytes from every compiler and machine.
static void pixels_are_the_same_everywhere(void **state)
{
    static const int size[][2] = {{50, 40}, {500, 400}, {1000, 800}};
    uint8_t digest[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    struct sha256 hash;

    (void)state;
    sha256_init(&hash);
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++)
        for (int alpha = 0; alpha < 2; alpha++) {
            struct image src = picture_noise(size[i][0], size[i][1], 21, alpha);
            const struct fit_request want = {.pixels = 10000, .ar_w = 4, .ar_h = 3};
            struct fit_plan p;
            memset(src.px, 0, src.stride * (size_t)src.height / 3); // something to spread into
            assert_int_equal(fit_plan(src.width, src.height, &want, &p, NULL), ERR_OK);
            fit_centre(&src, &p);
            struct image out = resample(&src, p, 2);
            sha256_add(&hash, out.px, out.stride * (size_t)out.height);
            image_release(&out);
            image_release(&src);
        }
    sha256_finish(&hash, digest);
    hex_encode(digest, sizeof(digest), hex);
    assert_string_equal(hex, "f374afb55c275f40174c982a20e0dc09dd2dcb3417f61cb4fc091672895773a4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_keep_the_ratio_and_the_limits),
        cmocka_unit_test(crops_have_the_results_ratio_inside_the_source),
        cmocka_unit_test(crops_move_to_what_stands_out),
        cmocka_unit_test(a_constant_stays_constant),
        cmocka_unit_test(size_one_to_one_keeps_every_pixel),
        cmocka_unit_test(threads_do_not_change_pixels),
        cmocka_unit_test(light_is_averaged_not_codes),
        cmocka_unit_test(edges_of_alpha_have_no_halo),
        cmocka_unit_test(a_wholly_transparent_picture_counts_as_opaque),
        cmocka_unit_test(pixels_agree_with_the_definition),
        cmocka_unit_test(pixels_are_the_same_everywhere),
    };

    return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
