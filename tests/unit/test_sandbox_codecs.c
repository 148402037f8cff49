/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/clock.h"
#include "sandbox/decode.h"

#include <dirent.h>
#include <lcms2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// TEST_CHILD: the real patina-decode. What the walls forbid must be nothing that a codec needs,
// for whole pictures and for broken ones.

static struct decoder *open_decoder(void)
{
    const struct decoder_options o = {
        .helper = TEST_CHILD, .memory_bytes = INT64_C(1) << 30, .cpu_s = 20, .wall_ms = 60000};
    struct decoder *d = NULL;
    struct err_note note = {0};

    if (decoder_open(&o, &d, &note) != ERR_OK)
        fail_msg("%s", note.text);
    return d;
}

static uint8_t *allocate(void *ctx, const struct codec_header *h)
{
    uint8_t **px = ctx;

    *px = calloc((size_t)h->width * (size_t)h->height, 4);
    return *px;
}

typedef enum err encode_fn(const struct image *im, struct buf *out);

static enum err as_png(const struct image *im, struct buf *out)
{
    return codec_encode_png(im, &(struct codec_meta){.prompt = "p"}, out);
}

static enum err as_webp(const struct image *im, struct buf *out)
{
    return codec_encode_webp(im, &(struct codec_meta){.prompt = "p"}, 80, out);
}

static enum err as_jpeg(const struct image *im, struct buf *out)
{
    return codec_encode_jpeg(im, &(struct codec_meta){.prompt = "p"}, 90, out);
}

static encode_fn *const encoders[] = {as_png, as_webp, as_jpeg};

// Smooth with some noise, so that every codec has work to do.
static void paint(struct image *im, int w, int h)
{
    uint32_t x = 1;

    assert_int_equal(image_new(im, w, h), ERR_OK);
    im->has_alpha = true;
    for (int i = 0; i < w * h; i++) {
        x = x * 1664525 + 1013904223;
        im->px[4 * i] = (uint8_t)(i % w * 255 / w);
        im->px[4 * i + 1] = (uint8_t)(i / w * 255 / h);
        im->px[4 * i + 2] = (uint8_t)(x >> 27);
        im->px[4 * i + 3] = (uint8_t)(255 - (x >> 28));
    }
}

static void assert_same_as_here(struct decoder *d, const void *data, size_t len, int64_t want)
{
    const struct codec_decode_options o = {.want_pixels = want};
    struct codec_header header;
    struct decoded out = {.fd = -1};
    struct err_note note = {0};
    uint8_t *px = NULL;

    assert_int_equal(codec_decode(data, len, &o, allocate, &px, &header, &note), ERR_OK);
    if (decoder_decode(d, data, len, &o, NULL, &out, &note) != ERR_OK)
        fail_msg("%s", note.text);
    assert_int_equal(out.image.width, header.width);
    assert_int_equal(out.image.height, header.height);
    assert_int_equal(out.image.has_alpha, header.info.has_alpha);
    assert_int_equal(out.header.info.format, header.info.format);
    assert_memory_equal(out.image.px, px, (size_t)header.width * (size_t)header.height * 4);
    free(px);
    decoded_release(&out);
}

static void pictures_decode_as_without_walls(void **state)
{
    static const struct {
        int w, h;
    } size[] = {{1, 1}, {1, 17}, {64, 48}, {301, 211}};
    struct decoder *d = open_decoder();

    (void)state;
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++)
        for (size_t k = 0; k < sizeof(encoders) / sizeof(encoders[0]); k++) {
            struct image im;
            struct buf file = BUF_INIT;
            paint(&im, size[i].w, size[i].h);
            assert_int_equal(encoders[k](&im, &file), ERR_OK);
            assert_same_as_here(d, file.data, file.len, 0);
            assert_same_as_here(d, file.data, file.len, 2000);
            buf_release(&file);
            image_release(&im);
        }
    decoder_close(d);
}

// A JPEG with an APP2 segment put behind its first marker.
static void add_profile(struct buf *file, const void *icc, size_t icc_len)
{
    static const unsigned char name[] = "ICC_PROFILE\0\1\1"; // part 1 of 1, counted with the NUL
    const size_t segment = 2 + sizeof(name) - 1 + icc_len;
    struct buf out = BUF_INIT;

    buf_add(&out, file->data, 2);
    buf_add(
        &out,
        (const unsigned char[]){0xFF, 0xE2, (unsigned char)(segment >> 8), (unsigned char)segment},
        4);
    buf_add(&out, name, sizeof(name) - 1);
    buf_add(&out, icc, icc_len);
    buf_add(&out, file->data + 2, file->len - 2);
    assert_false(out.failed);
    buf_release(file);
    *file = out;
}

static void colour_profiles_are_applied_behind_walls(void **state)
{
    const cmsCIExyY white = {0.3127, 0.3290, 1};
    const cmsCIExyYTRIPLE wide = {{0.64, 0.33, 1}, {0.21, 0.71, 1}, {0.15, 0.06, 1}};
    cmsToneCurve *gamma = cmsBuildGamma(NULL, 2.2);
    cmsToneCurve *const curves[3] = {gamma, gamma, gamma};
    cmsHPROFILE profile = cmsCreateRGBProfile(&white, &wide, curves);
    struct decoder *d = open_decoder();
    struct buf file = BUF_INIT;
    struct image im;
    char icc[8192];
    cmsUInt32Number len = sizeof(icc);

    (void)state;
    assert_true(cmsSaveProfileToMem(profile, icc, &len));
    paint(&im, 64, 48);
    assert_int_equal(as_jpeg(&im, &file), ERR_OK);
    add_profile(&file, icc, len);
    assert_same_as_here(d, file.data, file.len, 0);
    buf_release(&file);
    image_release(&im);
    cmsCloseProfile(profile);
    cmsFreeToneCurve(gamma);
    decoder_close(d);
}

// Flips and cuts: whatever happens, no wall is run into and nothing crashes.
static void broken_pictures_are_refused_politely(void **state)
{
    enum { TRIES = 40 };
    struct decoder *d = open_decoder();
    const struct codec_decode_options o = {0};
    uint32_t x = 7;

    (void)state;
    for (size_t k = 0; k < sizeof(encoders) / sizeof(encoders[0]); k++) {
        struct image im;
        struct buf file = BUF_INIT;
        paint(&im, 90, 60);
        assert_int_equal(encoders[k](&im, &file), ERR_OK);
        for (int i = 0; i < TRIES; i++) {
            struct decoded out = {.fd = -1};
            struct err_note note = {0};
            x = x * 1664525 + 1013904223;
            size_t at = (x >> 8) % file.len, len = i % 4 == 0 ? at : file.len;
            file.data[at] ^= (char)(1 << (x & 7));
            enum err e = decoder_decode(d, file.data, len, &o, NULL, &out, &note);
            if (e != ERR_OK && e != ERR_CORRUPT && e != ERR_UNSUPPORTED && e != ERR_TOO_LARGE)
                fail_msg("codec %zu, try %d: %s %s", k, i, err_name(e), note.text);
            if (strcmp(note.reason, "decoder_died") == 0)
                fail_msg("codec %zu, try %d: %s", k, i, note.text);
            decoded_release(&out);
            file.data[at] ^= (char)(1 << (x & 7));
        }
        buf_release(&file);
        image_release(&im);
    }
    decoder_close(d);
}

static void text_is_not_a_picture(void **state)
{
    struct decoder *d = open_decoder();
    const struct codec_decode_options o = {0};
    struct decoded out = {.fd = -1};
    struct err_note note = {0};

    (void)state;
    assert_int_equal(decoder_decode(d, "hello, world\n", 13, &o, NULL, &out, &note),
                     ERR_UNSUPPORTED);
    assert_non_null(strstr(note.text, "JPEG, PNG or WebP"));
    decoder_close(d);
}

static bool read_file(const char *path, struct buf *out)
{
    char part[65536];
    size_t n;
    FILE *f = fopen(path, "rbe");

    if (!f)
        return false;
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        buf_add(out, part, n);
    fclose(f);
    return !out->failed;
}

static void photographs_decode_as_without_walls(void **state)
{
    const char *root = getenv("MESON_SOURCE_ROOT");
    char dir_path[512], path[1024];
    struct dirent *entry;
    int count = 0;

    (void)state;
    snprintf(dir_path, sizeof(dir_path), "%s/../shared/photos", root ? root : ".");
    DIR *dir = opendir(dir_path);
    if (!dir)
        SKIP("the photographs of ../shared/photos are not here");
    struct decoder *d = open_decoder();
    while ((entry = readdir(dir))) {
        struct buf file = BUF_INIT;
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot ||
            (strcmp(dot, ".jpg") != 0 && strcmp(dot, ".png") != 0 && strcmp(dot, ".webp") != 0))
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir_path, entry->d_name);
        if (read_file(path, &file)) {
            assert_same_as_here(d, file.data, file.len, 65536);
            count++;
        }
        buf_release(&file);
    }
    closedir(dir);
    decoder_close(d);
    if (count == 0)
        SKIP("the photographs of ../shared/photos are not here");
}

static void starting_is_measured(void **state)
{
    struct decoder *d = open_decoder();
    const struct codec_decode_options o = {0};
    struct buf file = BUF_INIT;
    struct image im;
    int64_t best_ns = INT64_MAX;

    (void)state;
    paint(&im, 1, 1);
    assert_int_equal(as_png(&im, &file), ERR_OK);
    for (int i = 0; i < 50; i++) {
        struct decoded out = {.fd = -1};
        struct err_note note = {0};
        int64_t start = clock_mono_ns(&clock_system);
        assert_int_equal(decoder_decode(d, file.data, file.len, &o, NULL, &out, &note), ERR_OK);
        int64_t took = clock_mono_ns(&clock_system) - start;
        best_ns = took < best_ns ? took : best_ns;
        decoded_release(&out);
    }
    print_message("a decode of one pixel: %.2f ms\n", (double)best_ns / 1e6);
    buf_release(&file);
    image_release(&im);
    decoder_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_decode_as_without_walls),
        cmocka_unit_test(colour_profiles_are_applied_behind_walls),
        cmocka_unit_test(broken_pictures_are_refused_politely),
        cmocka_unit_test(text_is_not_a_picture),
        cmocka_unit_test(photographs_decode_as_without_walls),
        cmocka_unit_test(starting_is_measured),
    };

    return cmocka_run_group_tests_name("sandbox_codecs", tests, NULL, NULL);
}
