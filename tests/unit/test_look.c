/* SPDX-License-Identifier: MIT */
#include "look/look.h"

#include "base/hash.h"
#include "image/codec.h"
#include "image/colour.h"
#include "look/colour.h"
#include "look/noise.h"
#include "look_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What holds for every picture that the look engine makes, on pictures that a photo could be. */

// A lit ball on a patterned ground, with grain: edges, soft shading, texture, strong colour.
static void paint_scene(struct image *im, int width, int height)
{
    assert_int_equal(image_new(im, width, height), ERR_OK);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float u = ((float)x + 0.5f) / (float)width, v = ((float)y + 0.5f) / (float)height;
            float dx = (u - 0.45f) * (float)width / (float)height, dy = v - 0.5f;
            float r2 = dx * dx + dy * dy;
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            float c[3] = {0.35f + 0.3f * v, 0.45f + 0.2f * u, 0.7f - 0.4f * v};
            if (v > 0.7f && ((int)(u * 12.0f) + (int)(v * 12.0f)) % 2)
                c[0] += 0.25f;
            if (r2 < 0.08f) {
                float shade = clampf(0.9f - 5.0f * (dx + dy) * (dx + dy) - 2.0f * r2, 0.1f, 1.0f);
                c[0] = 0.95f * shade, c[1] = 0.45f * shade, c[2] = 0.2f * shade;
            }
            for (int k = 0; k < 3; k++) {
                float grain = 0.02f * (noise_point(x, 3 * y + k, 5) - 0.5f);
                px[k] = (uint8_t)(255.0f * clampf(c[k] + grain, 0.0f, 1.0f));
            }
            px[3] = 255;
        }
}

static enum err render(const struct fixture *f, const struct image *source, uint32_t seed,
                       float chaos, int first, int count, struct pool *pool, struct image *out)
{
    struct look_options o = {.chaos = chaos};
    struct look_request r = {.source = source,
                             .recipe = recipe_find(f->recipes, "oil painting"),
                             .options = &o,
                             .seed = seed,
                             .first = first,
                             .count = count,
                             .pool = pool};

    return look_render(&r, out, NULL);
}

static bool same_pixels(const struct image *a, const struct image *b)
{
    return a->width == b->width && a->height == b->height &&
           memcmp(a->px, b->px, a->stride * (size_t)a->height) == 0;
}

static void pixels_do_not_depend_on_threads(void **state)
{
    const struct fixture *f = *state;
    struct image source, first = {0};

    paint_scene(&source, 256, 176);
    for (int threads = 1; threads <= 8; threads = threads == 1   ? 2
                                                  : threads == 2 ? 3
                                                                 : threads + 5) {
        struct pool *pool;
        struct image out;
        assert_int_equal(pool_open(threads, &pool, NULL), ERR_OK);
        assert_int_equal(render(f, &source, 7, 0.5f, 0, 1, pool, &out), ERR_OK);
        if (first.px) {
            assert_true(same_pixels(&first, &out));
            image_release(&out);
        } else {
            first = out;
        }
        pool_close(pool);
    }
    image_release(&first);
    image_release(&source);
}

static void kin_of_oil_do_not_depend_on_threads(void **state)
{
    static const char *const KIN[] = {"palette knife", "expressionist", NULL};

    threads_change_nothing(*state, KIN, paint_scene);
}

/*
 * The same bits from every compiler, vector width and processor: this digest is all there is to
 * compare them by. It changes when an operator is meant to paint differently, never otherwise; our
 * own recipes may change without it.
 */
static void pixels_are_the_same_everywhere(void **state)
{
    static const struct {
        const char *look, *digest;
    } ROW[] = {
        {"name = fixed\n[underpaint]\n"
         "[strokes]\nradius = 24\nthreshold = 0\n"
         "[strokes]\nradius = 9\n[strokes]\nradius = 3\n"
         "[grade]\n[relief]\n",
         "5ce1549aafe2f0693d56c73c6bdc5df9bd7656b96397472171c1d1681ad8d882"},
        {"name = knife and whirls\n[underpaint]\n"
         "[strokes]\nradius = 24\nthreshold = 0\nknife = 1\nstray = 0.1\ncurvature = 0\n"
         "[strokes]\nradius = 9\nswirl = 1\ncurvature = 1\nlength = 16\n"
         "[grade]\n[relief]\n",
         "bc87eacbdc5170786896f224ee9c8043d9013714ce68261d1321a07e52722148"},
    };
    const struct fixture *f = *state;
    struct look_options o = {.chaos = 0.3f};
    struct image source;

    paint_scene(&source, 240, 160);
    for (size_t i = 0; i < sizeof(ROW) / sizeof(ROW[0]); i++) {
        struct recipe recipe;
        struct image out;
        uint8_t digest[SHA256_BYTES];
        char hex[2 * SHA256_BYTES + 1];
        assert_int_equal(recipe_parse("fixed", ROW[i].look, strlen(ROW[i].look), &recipe, NULL),
                         ERR_OK);
        struct look_request r = {.source = &source,
                                 .recipe = &recipe,
                                 .options = &o,
                                 .seed = 11,
                                 .count = 1,
                                 .pool = f->pool};
        assert_int_equal(look_render(&r, &out, NULL), ERR_OK);
        sha256(out.px, out.stride * (size_t)out.height, digest);
        hex_encode(digest, sizeof(digest), hex);
        assert_string_equal(hex, ROW[i].digest);
        image_release(&out);
    }
    image_release(&source);
}

static void a_picture_depends_on_its_own_seed_alone(void **state)
{
    const struct fixture *f = *state;
    struct image source, all[4], one;

    paint_scene(&source, 128, 96);
    assert_int_equal(render(f, &source, UINT32_MAX - 1, 0.0f, 0, 4, f->pool, all), ERR_OK);
    assert_int_equal(render(f, &source, UINT32_MAX - 1, 0.0f, 2, 1, f->pool, &one), ERR_OK);
    assert_true(same_pixels(&all[2], &one));
    image_release(&one);
    assert_int_equal(render(f, &source, 1, 0.0f, 0, 1, f->pool, &one), ERR_OK); // wraps round
    assert_true(same_pixels(&all[3], &one));
    image_release(&one);
    for (int i = 0; i < 4; i++)
        image_release(&all[i]);
    image_release(&source);
}

struct lab_picture {
    struct plane lab[LAB];
    struct blur_scratch scratch;
};

static void lab_of(const struct image *im, struct pool *pool, struct lab_picture *out)
{
    float lab[LAB];

    for (int k = 0; k < LAB; k++)
        assert_int_equal(plane_new(&out->lab[k], im->width, im->height), ERR_OK);
    assert_int_equal(blur_scratch_new(&out->scratch, im->width, im->height, pool, NULL), ERR_OK);
    for (int y = 0; y < im->height; y++)
        for (int x = 0; x < im->width; x++) {
            const uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            oklab_from_linear(srgb_linear[px[0]], srgb_linear[px[1]], srgb_linear[px[2]], lab);
            for (int k = 0; k < LAB; k++)
                plane_row(&out->lab[k], y)[x] = lab[k];
        }
    for (int k = 0; k < LAB; k++)
        plane_blur(&out->lab[k], &out->lab[k],
                   0.01f * (float)(im->width > im->height ? im->width : im->height), &out->scratch);
}

static void lab_release(struct lab_picture *p)
{
    for (int k = 0; k < LAB; k++)
        plane_release(&p->lab[k]);
    blur_scratch_release(&p->scratch);
}

static double mean_difference(const struct lab_picture *a, const struct lab_picture *b)
{
    double sum = 0.0;
    size_t n = (size_t)a->lab[0].width * (size_t)a->lab[0].height;

    for (size_t i = 0; i < n; i++) {
        double d2 = 0.0;
        for (int k = 0; k < LAB; k++) {
            double d = (double)a->lab[k].px[i] - (double)b->lab[k].px[i];
            d2 += d * d;
        }
        sum += sqrt(d2);
    }
    return sum / (double)n;
}

// Of what lies `margin` pixels and more inside: some looks leave a bare border.
static double correlation(const struct plane *a, const struct plane *b, int margin)
{
    double n = (double)(a->width - 2 * margin) * (a->height - 2 * margin);
    double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;

    for (int y = margin; y < a->height - margin; y++)
        for (int x = margin; x < a->width - margin; x++) {
            ma += plane_row(a, y)[x] / n;
            mb += plane_row(b, y)[x] / n;
        }
    for (int y = margin; y < a->height - margin; y++)
        for (int x = margin; x < a->width - margin; x++) {
            double da = plane_row(a, y)[x] - ma, db = plane_row(b, y)[x] - mb;
            ab += da * db;
            aa += da * da;
            bb += db * db;
        }
    return ab / sqrt(aa * bb + 1e-12);
}

static float slope_at(const struct plane *p, int x, int y)
{
    float gx = plane_row(p, y)[x + 1] - plane_row(p, y)[x - 1];
    float gy = plane_row(p, y + 1)[x] - plane_row(p, y - 1)[x];

    return sqrtf(gx * gx + gy * gy);
}

static bool edge_near(const struct plane *p, int x, int y, int reach, float least)
{
    for (int j = y - reach; j <= y + reach; j++)
        for (int i = x - reach; i <= x + reach; i++)
            if (i > 0 && j > 0 && i + 1 < p->width && j + 1 < p->height &&
                slope_at(p, i, j) > least)
                return true;
    return false;
}

// F1 of strong edges of the blurred pictures, with two pixels of leave.
static double edge_f1(const struct plane *a, const struct plane *b)
{
    const float strong = 0.035f, near = 0.025f;
    int in_a = 0, in_b = 0, a_found = 0, b_found = 0;

    for (int y = 1; y + 1 < a->height; y++)
        for (int x = 1; x + 1 < a->width; x++) {
            if (slope_at(a, x, y) > strong) {
                in_a++;
                a_found += edge_near(b, x, y, 2, near);
            }
            if (slope_at(b, x, y) > strong) {
                in_b++;
                b_found += edge_near(a, x, y, 2, near);
            }
        }
    double recall = in_a ? (double)a_found / in_a : 1.0;
    double precision = in_b ? (double)b_found / in_b : 1.0;
    return 2.0 * recall * precision / (recall + precision + 1e-9);
}

static void check_four(const struct fixture *f, const struct image *source, const char *name)
{
    double least[2];

    for (int wild = 0; wild < 2; wild++) {
        struct image out[4];
        struct lab_picture lab[4], photo;
        least[wild] = 1.0;
        assert_int_equal(render(f, source, 20, (float)wild, 0, 4, f->pool, out), ERR_OK);
        lab_of(source, f->pool, &photo);
        for (int i = 0; i < 4; i++) {
            lab_of(&out[i], f->pool, &lab[i]);
            double r = correlation(&photo.lab[0], &lab[i].lab[0], 0);
            double f1 = edge_f1(&photo.lab[0], &lab[i].lab[0]);
            if (r < 0.93 || f1 < 0.75)
                fail_msg("%s, chaos %d, picture %d: correlation %.3f, edges %.3f", name, wild * 100,
                         i, r, f1);
            for (int k = 0; k < i; k++) {
                double d = mean_difference(&lab[i], &lab[k]);
                least[wild] = d < least[wild] ? d : least[wild];
            }
        }
        lab_release(&photo);
        for (int i = 0; i < 4; i++) {
            lab_release(&lab[i]);
            image_release(&out[i]);
        }
    }
    if (least[0] < 0.015 || least[1] < 2.0 * least[0])
        fail_msg("%s: the four differ by %.4f, at chaos 100 by %.4f", name, least[0], least[1]);
}

static void the_four_differ_and_hold_the_structure(void **state)
{
    const struct fixture *f = *state;
    struct image source;

    paint_scene(&source, 256, 192);
    check_four(f, &source, "scene");
    image_release(&source);
}

// Twice the size: every pixel four times.
static void enlarge(const struct image *im, struct image *out)
{
    assert_int_equal(image_new(out, 2 * im->width, 2 * im->height), ERR_OK);
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            memcpy(out->px + (size_t)y * out->stride + 4 * (size_t)x,
                   im->px + (size_t)(y / 2) * im->stride + 4 * (size_t)(x / 2), 4);
}

// How far two paintings of one photo are from each other when only the hand differs: seeds of one
// palette, other strokes.
static double difference_of_hands(const struct fixture *f, const struct image *source)
{
    struct image a, b;
    struct lab_picture la, lb;

    assert_int_equal(render(f, source, 9, 0.0f, 0, 1, f->pool, &a), ERR_OK);
    assert_int_equal(render(f, source, 13, 0.0f, 0, 1, f->pool, &b), ERR_OK);
    lab_of(&a, f->pool, &la);
    lab_of(&b, f->pool, &lb);
    double d = mean_difference(&la, &lb);
    lab_release(&la);
    lab_release(&lb);
    image_release(&a);
    image_release(&b);
    return d;
}

static void one_picture_at_two_sizes_is_one_picture(void **state)
{
    const struct fixture *f = *state;
    struct image small, large, a, b, large_b;
    struct lab_picture la, lb;

    paint_scene(&large, 512, 384);
    assert_int_equal(image_new(&small, 256, 192), ERR_OK);
    for (int y = 0; y < 192; y++)
        for (int x = 0; x < 256; x++)
            for (size_t k = 0; k < 4; k++) {
                const uint8_t *px = large.px + (size_t)(2 * y) * large.stride + 8 * (size_t)x + k;
                int sum = px[0] + px[4] + px[large.stride] + px[large.stride + 4];
                small.px[(size_t)y * small.stride + 4 * (size_t)x + k] = (uint8_t)(sum / 4);
            }
    assert_int_equal(render(f, &small, 9, 0.0f, 0, 1, f->pool, &a), ERR_OK);
    assert_int_equal(render(f, &large, 9, 0.0f, 0, 1, f->pool, &b), ERR_OK);
    enlarge(&a, &large_b);
    lab_of(&large_b, f->pool, &la);
    lab_of(&b, f->pool, &lb);
    double d = mean_difference(&la, &lb), hands = difference_of_hands(f, &small);
    if (d > 0.6 * hands)
        fail_msg("sizes differ by %.4f, hands by %.4f", d, hands);
    lab_release(&la);
    lab_release(&lb);
    image_release(&a);
    image_release(&b);
    image_release(&small);
    image_release(&large);
    image_release(&large_b);
}

static void sensor_noise_is_not_painted(void **state)
{
    const struct fixture *f = *state;
    struct image clean, noisy, a, b;
    struct lab_picture la, lb;

    paint_scene(&clean, 256, 192);
    paint_scene(&noisy, 256, 192);
    for (int y = 0; y < 192; y++)
        for (int x = 0; x < 256; x++)
            for (int k = 0; k < 3; k++) {
                uint8_t *px = &noisy.px[(size_t)y * noisy.stride + 4 * (size_t)x + (size_t)k];
                float sum = 0.0f; // of four uniforms: nearly normal, deviation 10
                for (int i = 0; i < 4; i++)
                    sum += noise_point(4 * x + i, 3 * y + k, 6) - 0.5f;
                *px = (uint8_t)clampf((float)*px + 17.3f * sum, 0.0f, 255.0f);
            }
    assert_int_equal(render(f, &clean, 9, 0.0f, 0, 1, f->pool, &a), ERR_OK);
    assert_int_equal(render(f, &noisy, 9, 0.0f, 0, 1, f->pool, &b), ERR_OK);
    lab_of(&a, f->pool, &la);
    lab_of(&b, f->pool, &lb);
    double d = mean_difference(&la, &lb), hands = difference_of_hands(f, &clean);
    if (d > 0.75 * hands)
        fail_msg("noise changes the picture by %.4f, another hand by %.4f", d, hands);
    lab_release(&la);
    lab_release(&lb);
    image_release(&a);
    image_release(&b);
    image_release(&clean);
    image_release(&noisy);
}

static uint8_t *decode_into(void *ctx, const struct codec_header *h)
{
    struct image *im = ctx;

    return image_new(im, h->width, h->height) == ERR_OK ? im->px : NULL;
}

// Box-averaged to a long side of 256.
static void shrink(const struct image *im, struct image *out)
{
    int longest = im->width > im->height ? im->width : im->height, step = (longest + 255) / 256;

    assert_int_equal(image_new(out, im->width / step, im->height / step), ERR_OK);
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            for (int k = 0; k < 4; k++) {
                int sum = 0;
                for (int j = 0; j < step * step; j++)
                    sum += im->px[(size_t)(y * step + j / step) * im->stride +
                                  4 * (size_t)(x * step + j % step) + (size_t)k];
                out->px[(size_t)y * out->stride + 4 * (size_t)x + (size_t)k] =
                    (uint8_t)(sum / (step * step));
            }
}

static void so_they_do_on_photos(void **state)
{
    static const char *const NAMES[] = {"portrait_man", "car_van", "landscape_mountains",
                                        "text_book", "night_neon_street"};
    const char *root = getenv("MESON_SOURCE_ROOT");

    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        static uint8_t bytes[IMAGE_SOURCE_BYTES_MAX];
        char path[512];
        struct image photo = {0}, small;
        struct codec_decode_options o = {0};
        struct codec_header header;
        snprintf(path, sizeof(path), "%s/../shared/photos/%s.jpg", root ? root : ".", NAMES[i]);
        FILE *file = fopen(path, "rb");
        if (!file)
            SKIP("the photographs of ../shared/photos are not here");
        size_t n = fread(bytes, 1, sizeof(bytes), file);
        fclose(file);
        assert_int_equal(codec_decode(bytes, n, &o, decode_into, &photo, &header, NULL), ERR_OK);
        shrink(&photo, &small);
        check_four(*state, &small, NAMES[i]);
        image_release(&small);
        image_release(&photo);
    }
}

static void any_size_and_content_is_painted(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        int width, height;
        int fill; /* grey value, or -1: the scene */
    } row[] = {{1, 1, 0},    {16, 16, -1}, {1, 300, 128}, {300, 1, -1},
               {33, 7, 255}, {64, 64, 0},  {64, 64, 255}, {640, 100, -1}};

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct image source, out;
        paint_scene(&source, row[i].width, row[i].height);
        for (size_t k = 0; row[i].fill >= 0 && k < source.stride * (size_t)source.height; k++)
            source.px[k] = k % 4 == 3 ? 255 : (uint8_t)row[i].fill;
        assert_int_equal(render(f, &source, 3, 0.0f, 0, 1, f->pool, &out), ERR_OK);
        assert_int_equal(out.width, row[i].width);
        assert_int_equal(out.height, row[i].height);
        // A flat grey stays near its grey: no stray pixel, as one NaN would make.
        for (size_t k = 0; row[i].fill == 128 && k < out.stride * (size_t)out.height; k++)
            if (k % 4 != 3)
                assert_in_range(out.px[k], 50, 220);
        image_release(&out);
        image_release(&source);
    }
}

static void alpha_is_kept_and_opaque_stays_opaque(void **state)
{
    const struct fixture *f = *state;
    struct image source, out;

    paint_scene(&source, 80, 48);
    for (int x = 0; x < 40; x++)
        for (int y = 0; y < 48; y++)
            source.px[(size_t)y * source.stride + 4 * (size_t)x + 3] = (uint8_t)(x * 6);
    source.has_alpha = true;
    assert_int_equal(render(f, &source, 3, 0.0f, 0, 1, f->pool, &out), ERR_OK);
    assert_true(out.has_alpha);
    for (int x = 0; x < 80; x++)
        assert_int_equal(out.px[10 * out.stride + 4 * (size_t)x + 3],
                         source.px[10 * source.stride + 4 * (size_t)x + 3]);
    image_release(&out);
    source.has_alpha = false;
    assert_int_equal(render(f, &source, 3, 0.0f, 0, 1, f->pool, &out), ERR_OK);
    assert_false(out.has_alpha);
    assert_int_equal(out.px[3], 255);
    image_release(&out);
    image_release(&source);
}

struct watch {
    float last;
    int calls;
    atomic_bool cancel;
    float cancel_at; /* 2: never */
};

static void watch_progress(void *ctx, float done)
{
    struct watch *w = ctx;

    assert_true(done >= w->last && done <= 1.0f);
    w->last = done;
    w->calls++;
    if (done >= w->cancel_at)
        atomic_store(&w->cancel, true);
}

static void progress_rises_and_a_cancel_is_heard(void **state)
{
    const struct fixture *f = *state;
    struct look_options o = {0};
    struct image source, out[4];
    static const float AT[] = {2.0f, 0.5f, 0.0f};

    paint_scene(&source, 96, 96);
    for (size_t i = 0; i < sizeof(AT) / sizeof(AT[0]); i++) {
        struct watch w = {.cancel_at = AT[i]};
        struct look_request r = {.source = &source,
                                 .recipe = recipe_find(f->recipes, "oil painting"),
                                 .options = &o,
                                 .count = 4,
                                 .pool = f->pool,
                                 .progress = watch_progress,
                                 .progress_ctx = &w,
                                 .cancel = &w.cancel};
        enum err e = look_render(&r, out, NULL);
        assert_true(w.calls > 0);
        if (AT[i] > 1.0f) {
            assert_int_equal(e, ERR_OK);
            assert_true(w.last > 0.999f);
            for (int k = 0; k < 4; k++)
                image_release(&out[k]);
        } else {
            assert_int_equal(e, ERR_CANCELLED);
            assert_true(w.last < 0.999f);
        }
    }
    image_release(&source);
}

// Mean chroma of the pixels whose hue lies within an eighth of a turn of +a.
static double reds_of(const struct image *im)
{
    float lab[LAB];
    double sum = 0.0;

    for (int y = 0; y < im->height; y++)
        for (int x = 0; x < im->width; x++) {
            const uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            oklab_from_linear(srgb_linear[px[0]], srgb_linear[px[1]], srgb_linear[px[2]], lab);
            if (lab[1] > fabsf(lab[2]))
                sum += (double)sqrtf(lab[1] * lab[1] + lab[2] * lab[2]);
        }
    return sum / ((double)im->width * im->height);
}

static void a_colour_can_be_kept_out(void **state)
{
    const struct fixture *f = *state;
    struct look_options with = {0}, without = {0};
    struct image source, a, b;

    paint_scene(&source, 96, 96);
    for (size_t k = 0; k < source.stride * (size_t)source.height; k++)
        source.px[k] = k % 4 == 3 ? 255 : k % 4 == 0 ? 210 : 40;
    assert_true(look_exclude(&without, 0, "red"));
    assert_false(look_exclude(&without, WITHOUT_RELIEF, "canvas"));
    assert_false(look_exclude(&without, WITHOUT_CANVAS, "carved"));
    assert_false(without.bare || without.flat);
    assert_true(look_exclude(&without, WITHOUT_CANVAS, "canvas"));
    assert_true(look_exclude(&without, WITHOUT_RELIEF, "carved")); // as readings call "--no relief"
    assert_false(look_exclude(&without, UINT32_MAX, "unicorns"));
    assert_int_equal(without.excluded, 1);
    assert_true(without.bare);
    assert_true(without.flat);
    struct look_request r = {.source = &source,
                             .recipe = recipe_find(f->recipes, "oil painting"),
                             .options = &with,
                             .count = 1,
                             .pool = f->pool};
    assert_int_equal(look_render(&r, &a, NULL), ERR_OK);
    r.options = &without;
    assert_int_equal(look_render(&r, &b, NULL), ERR_OK);
    assert_true(reds_of(&b) < 0.25 * reds_of(&a));
    image_release(&a);
    image_release(&b);
    image_release(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_do_not_depend_on_threads),
        cmocka_unit_test(kin_of_oil_do_not_depend_on_threads),
        cmocka_unit_test(pixels_are_the_same_everywhere),
        cmocka_unit_test(a_picture_depends_on_its_own_seed_alone),
        cmocka_unit_test(the_four_differ_and_hold_the_structure),
        cmocka_unit_test(so_they_do_on_photos),
        cmocka_unit_test(one_picture_at_two_sizes_is_one_picture),
        cmocka_unit_test(sensor_noise_is_not_painted),
        cmocka_unit_test(any_size_and_content_is_painted),
        cmocka_unit_test(alpha_is_kept_and_opaque_stays_opaque),
        cmocka_unit_test(progress_rises_and_a_cancel_is_heard),
        cmocka_unit_test(a_colour_can_be_kept_out),
    };

    return cmocka_run_group_tests_name("look", tests, open_all, close_all);
}
