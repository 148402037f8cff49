/* SPDX-License-Identifier: MIT */
#include "support/pictures.h"
#include "unit/unit.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

static const struct codec_meta meta = {
    .prompt = "Convert to <oil> & \"paint\" \xC3\xA9\xF0\x9F\x8E\xA8",
    .seed = "4294967295",
    .engine = "look",
    .version = "patina 0.1.0",
};

static bool contains(const struct buf *b, const char *text)
{
    return memmem(b->data, b->len, text, strlen(text));
}

// Reads with libpng's simplest interface: someone else's idea of what the file says.
static void must_read_back(const struct image *im, const struct buf *file)
{
    png_image png = {.version = PNG_IMAGE_VERSION};

    assert_true(png_image_begin_read_from_memory(&png, file->data, file->len));
    assert_int_equal(png.width, im->width);
    assert_int_equal(png.height, im->height);
    assert_int_equal(png.format, im->has_alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB);
    png.format = PNG_FORMAT_RGBA;
    uint8_t *px = malloc(PNG_IMAGE_SIZE(png));
    assert_true(png_image_finish_read(&png, NULL, px, 0, NULL));
    assert_int_equal(png.warning_or_error, 0);
    for (int y = 0; y < im->height; y++)
        assert_memory_equal(px + 4 * (size_t)im->width * (size_t)y, im->px + im->stride * (size_t)y,
                            4 * (size_t)im->width);
    free(px);
}

static void must_round_trip(const struct image *im)
{
    struct buf file = BUF_INIT;

    assert_int_equal(codec_encode_png(im, NULL, &file), ERR_OK);
    must_read_back(im, &file);
    buf_release(&file);
}

static void png_is_exact_for_every_shape(void **state)
{
    static const int size[][2] = {{1, 1},  {1, 50},  {50, 1},  {2, 3},    {3, 2},   {85, 7},
                                  {86, 7}, {64, 64}, {127, 5}, {257, 33}, {1023, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++)
        for (int alpha = 0; alpha < 2; alpha++) {
            struct image noise = picture_noise(size[i][0], size[i][1], (uint32_t)i, alpha);
            struct image scene = picture_scene(size[i][0], size[i][1]);
            scene.has_alpha = alpha;
            must_round_trip(&noise);
            must_round_trip(&scene);
            image_release(&noise);
            image_release(&scene);
        }
}

static void png_of_flat_grey_and_a_view_is_exact(void **state)
{
    struct image flat, noise = picture_noise(50, 40, 9, false);

    (void)state;
    assert_int_equal(image_new(&flat, 300, 200), ERR_OK);
    memset(flat.px, 255, flat.stride * 200);
    must_round_trip(&flat);
    struct image part = image_view(&noise, 7, 5, 31, 20);
    must_round_trip(&part);
    image_release(&flat);
    image_release(&noise);
}

static void png_of_the_same_pixels_has_the_same_bytes(void **state)
{
    struct image im = picture_scene(200, 150);
    struct buf a = BUF_INIT, b = BUF_INIT;

    (void)state;
    assert_int_equal(codec_encode_png(&im, &meta, &a), ERR_OK);
    assert_int_equal(codec_encode_png(&im, &meta, &b), ERR_OK);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    buf_release(&a);
    buf_release(&b);
    image_release(&im);
}

static void png_says_what_it_is(void **state)
{
    struct image im = picture_scene(64, 64);
    struct buf file = BUF_INIT, store = BUF_INIT;
    struct codec_meta back;

    (void)state;
    buf_adds(&file, "kept"); // encoders append
    assert_int_equal(codec_encode_png(&im, &meta, &file), ERR_OK);
    assert_memory_equal(file.data, "kept", 4);
    memmove(file.data, file.data + 4, file.len -= 4);
    must_read_back(&im, &file);
    assert_true(contains(&file, "sRGB"));
    assert_true(contains(&file, "digitalsourcetype/algorithmicMedia\""));
    assert_true(contains(&file, "Convert to &lt;oil&gt; &amp; &quot;paint&quot; \xC3\xA9"));
    assert_false(contains(&file, "tIME"));
    assert_int_equal(codec_png_meta(file.data, file.len, &store, &back), ERR_OK);
    assert_string_equal(back.prompt, meta.prompt);
    assert_string_equal(back.seed, meta.seed);
    assert_string_equal(back.engine, meta.engine);
    assert_string_equal(back.version, meta.version);

    // Cut or altered files give an error or fewer fields, and nothing is read behind them.
    for (size_t n = 0; n < file.len; n += n < 2500 ? 1 : 97) {
        char *copy = malloc(n + 1);
        memcpy(copy, file.data, n);
        buf_reset(&store);
        enum err e = codec_png_meta(copy, n, &store, &back);
        assert_true(e == ERR_OK || e == ERR_INVALID);
        free(copy);
    }
    buf_release(&file);
    buf_release(&store);
    image_release(&im);
}

static void missing_fields_stay_missing(void **state)
{
    const struct codec_meta some = {.seed = "7", .engine = "flux2"};
    struct image im = picture_scene(64, 64);
    struct buf file = BUF_INIT, store = BUF_INIT;
    struct codec_meta back;

    (void)state;
    assert_int_equal(codec_encode_png(&im, &some, &file), ERR_OK);
    assert_true(contains(&file, "digitalsourcetype/trainedAlgorithmicMedia\""));
    assert_int_equal(codec_png_meta(file.data, file.len, &store, &back), ERR_OK);
    assert_null(back.prompt);
    assert_null(back.version);
    assert_string_equal(back.seed, "7");
    buf_reset(&file);
    assert_int_equal(codec_encode_png(&im, NULL, &file), ERR_OK);
    assert_false(contains(&file, "iTXt"));
    assert_int_equal(codec_png_meta(file.data, file.len, &store, &back), ERR_OK);
    assert_null(back.seed);
    assert_int_equal(codec_png_meta("\xFF\xD8\xFF", 3, &store, &back), ERR_INVALID);
    buf_release(&file);
    buf_release(&store);
    image_release(&im);
}

static void webp_and_jpeg_carry_picture_and_metadata(void **state)
{
    struct image im = picture_scene(96, 64), got;
    struct buf file = BUF_INIT;

    (void)state;
    for (int i = 0; i < 96 * 64; i++) // without edges, so that lossy stays near
        im.px[4 * i + 2] = 60;
    assert_int_equal(codec_encode_jpeg(&im, &meta, 95, &file), ERR_OK);
    assert_true(contains(&file, "http://ns.adobe.com/xap/1.0/"));
    assert_true(contains(&file, "algorithmicMedia"));
    assert_true(contains(&file, "&lt;oil&gt;"));
    assert_int_equal(picture_decode(file.data, file.len, 0, &got, NULL, NULL), ERR_OK);
    assert_in_range(picture_distance(&im, &got), 0, 6);
    image_release(&got);

    buf_reset(&file);
    im.has_alpha = true;
    im.px[3] = 0;
    assert_int_equal(codec_encode_webp(&im, &meta, 95, &file), ERR_OK);
    assert_true(contains(&file, "XMP "));
    assert_true(contains(&file, "&lt;oil&gt;"));
    assert_int_equal(picture_decode(file.data, file.len, 0, &got, NULL, NULL), ERR_OK);
    assert_true(got.has_alpha);
    assert_int_equal(got.px[3], 0);
    image_release(&got);

    assert_int_equal(codec_encode_jpeg(&im, NULL, 101, &file), ERR_INVALID);
    assert_int_equal(codec_encode_webp(&im, NULL, -1, &file), ERR_INVALID);
    buf_release(&file);
    image_release(&im);
}

static void jpeg_lies_over_white(void **state)
{
    struct image im, got;
    struct buf file = BUF_INIT;

    (void)state;
    assert_int_equal(image_new(&im, 64, 64), ERR_OK); // transparent black
    im.has_alpha = true;
    assert_int_equal(codec_encode_jpeg(&im, NULL, 90, &file), ERR_OK);
    assert_int_equal(picture_decode(file.data, file.len, 0, &got, NULL, NULL), ERR_OK);
    for (int i = 0; i < 4 * 64 * 64; i++)
        assert_int_equal(got.px[i], 255);
    assert_int_equal(im.px[3], 0); // the caller's picture is not touched
    image_release(&got);
    image_release(&im);
    buf_release(&file);
}

static void the_longest_prompt_fits_every_format(void **state)
{
    enum { CHARACTERS = 8192 };
    struct image im = picture_scene(64, 64), got;
    struct buf prompt = BUF_INIT, file = BUF_INIT, store = BUF_INIT;
    struct codec_meta long_meta = meta, back;

    (void)state;
    for (int i = 0; i < CHARACTERS; i++)
        buf_addc(&prompt, i % 2 ? '"' : '\x01'); // 6 bytes when escaped; not allowed in XML
    long_meta.prompt = prompt.data;
    assert_int_equal(codec_encode_png(&im, &long_meta, &file), ERR_OK);
    must_read_back(&im, &file);
    assert_int_equal(codec_png_meta(file.data, file.len, &store, &back), ERR_OK);
    assert_string_equal(back.prompt, prompt.data);

    buf_reset(&prompt);
    for (int i = 0; i < CHARACTERS; i++)
        buf_adds(&prompt, i % 2 ? "&" : "\xF0\x9F\x8E\xA8");
    long_meta.prompt = prompt.data;
    for (int jpeg = 0; jpeg < 2; jpeg++) {
        buf_reset(&file);
        assert_int_equal(jpeg ? codec_encode_jpeg(&im, &long_meta, 90, &file)
                              : codec_encode_webp(&im, &long_meta, 90, &file),
                         ERR_OK);
        assert_true(contains(&file, "</dc:description></rdf:Description>"));
        assert_int_equal(picture_decode(file.data, file.len, 0, &got, NULL, NULL), ERR_OK);
        image_release(&got);
    }
    // 64 kB is less than eight times that.
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < CHARACTERS; k++)
            buf_adds(&prompt, "\xF0\x9F\x8E\xA8");
    long_meta.prompt = prompt.data;
    buf_reset(&file);
    assert_int_equal(codec_encode_jpeg(&im, &long_meta, 90, &file), ERR_OK);
    assert_true(contains(&file, "\xF0\x9F\x8E\xA8</rdf:li></rdf:Alt></dc:description>"));
    assert_int_equal(picture_decode(file.data, file.len, 0, &got, NULL, NULL), ERR_OK);
    image_release(&got);
    buf_release(&prompt);
    buf_release(&file);
    buf_release(&store);
    image_release(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_is_exact_for_every_shape),
        cmocka_unit_test(png_of_flat_grey_and_a_view_is_exact),
        cmocka_unit_test(png_of_the_same_pixels_has_the_same_bytes),
        cmocka_unit_test(png_says_what_it_is),
        cmocka_unit_test(missing_fields_stay_missing),
        cmocka_unit_test(webp_and_jpeg_carry_picture_and_metadata),
        cmocka_unit_test(jpeg_lies_over_white),
        cmocka_unit_test(the_longest_prompt_fits_every_format),
    };

    return cmocka_run_group_tests_name("codec_write", tests, NULL, NULL);
}
