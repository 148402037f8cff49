/* SPDX-License-Identifier: MIT */
#include "base/hash.h"
#include "image/colour.h"
#include "look/colour.h"
#include "look/noise.h"
#include "look_fixture.h"
#include "support/pictures.h"

#include <stdio.h>

/*
 * What every look keeps, whatever it is made of: numbers are numbers, alpha stays, threads change
 * nothing, the four differ, a calm photo becomes a calm picture. With the argument "digests" prints
 * the digest of a picture of each look instead: two builds must print the same.
 */

enum fill { SCENE, GREY, BLACK, WHITE, HIDDEN, STATIC };

// A lit ball before a pattern, grain, a transparent corner; or one of the extremes.
static void paint(struct image *im, int width, int height, enum fill fill)
{
    assert_int_equal(image_new(im, width, height), ERR_OK);
    im->has_alpha = fill == SCENE || fill == HIDDEN;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float u = ((float)x + 0.5f) / (float)width, v = ((float)y + 0.5f) / (float)height;
            float dx = (u - 0.45f) * (float)width / (float)height, dy = v - 0.5f;
            bool ball = dx * dx + dy * dy < 0.09f, tile = ((int)(u * 9.0f) + (int)(v * 7.0f)) % 2;
            float shade = clampf(1.0f - 2.0f * (dx + dy), 0.15f, 1.0f);
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            for (int k = 0; k < 3; k++) {
                float c = ball ? shade * (0.95f - 0.3f * (float)k) : 0.3f + 0.2f * v;
                if (!ball && tile && v > 0.6f)
                    c += 0.15f * (float)k;
                c += 0.03f * (noise_point(x, 3 * y + k, 5) - 0.5f);
                px[k] = fill == SCENE    ? (uint8_t)(255.0f * clampf(c, 0.0f, 1.0f))
                        : fill == STATIC ? (uint8_t)(noise_point(x, 3 * y + k, 7) < 0.5f ? 0 : 255)
                        : fill == WHITE  ? 255
                        : fill == BLACK  ? 0
                                         : 128;
            }
            px[3] = fill == HIDDEN                       ? 0
                    : fill == SCENE && x + y < width / 3 ? (uint8_t)(x * 3)
                                                         : 255;
        }
}

static void begin(struct look_picture *p, const struct look_maps *m)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            float lab[LAB];
            lab_at(m->full, m->full_per_unit, ((float)x + 0.5f) / p->px_per_unit,
                   ((float)y + 0.5f) / p->px_per_unit, lab);
            picture_row(p, y)[x] = (lane4){lab[0], lab[1], lab[2], 0.0f};
        }
}

// Runs a look step by step; after each every lane of every pixel is a number of sane size.
static void check_steps(const struct fixture *f, const struct recipe *look,
                        const struct image *source, float chaos)
{
    struct look_options o = {.chaos = chaos};
    struct look_maps *m;

    assert_int_equal(look_maps_new(source, recipe_needs(look), f->pool, NULL, &m), ERR_OK);
    struct look_picture p = {.width = m->width,
                             .height = m->height,
                             .px_per_unit = m->px_per_unit,
                             .maps = m,
                             .pool = f->pool};
    size_t n = (size_t)p.width * (size_t)p.height;
    look_variation_of(77, &o, &p.variation);
    p.px = aligned_alloc(sizeof(lane4), n * sizeof(lane4));
    assert_non_null(p.px);
    begin(&p, m);
    for (int i = 0; i < look->steps; i++) {
        assert_int_equal(look->step[i].op->run(&p, look->step[i].value), ERR_OK);
        for (size_t k = 0; k < 4 * n; k++) {
            float v = p.px[k / 4][k % 4];
            if (!(fabsf(v) < (k % 4 == 3 ? 4096.0f : 16.0f))) // heights are in units
                fail_msg("%s, step %d (%s), %d x %d: pixel %zu, lane %zu is %g", look->name[0],
                         i + 1, look->step[i].op->name, p.width, p.height, k / 4, k % 4, (double)v);
        }
    }
    free(p.px);
    look_maps_free(m);
}

static void every_step_leaves_numbers(void **state)
{
    static const struct {
        int width, height;
        enum fill fill;
    } row[] = {{1, 1, SCENE},   {16, 16, SCENE}, {90, 15, SCENE},  {3, 60, SCENE},  {32, 24, GREY},
               {24, 24, BLACK}, {24, 24, WHITE}, {32, 24, HIDDEN}, {40, 30, STATIC}};
    const struct fixture *f = *state;
    const struct recipe *look;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct image source;
        paint(&source, row[i].width, row[i].height, row[i].fill);
        for (int k = 0; (look = recipe_at(f->recipes, k)); k++)
            check_steps(f, look, &source, i % 2 ? 1.0f : 0.0f);
        image_release(&source);
    }
}

static void render(const struct recipe *look, const struct image *source, uint32_t seed,
                   float chaos, int count, struct pool *pool, struct image *out)
{
    struct look_options o = {.chaos = chaos};
    struct look_request r = {.source = source,
                             .recipe = look,
                             .options = &o,
                             .seed = seed,
                             .count = count,
                             .pool = pool};

    assert_int_equal(look_render(&r, out, NULL), ERR_OK);
}

static void threads_change_no_pixel_and_alpha_stays(void **state)
{
    static const int THREADS[] = {1, 2, 8};
    const struct fixture *f = *state;
    const struct recipe *look;
    struct pool *pool[3];
    struct image source;

    paint(&source, 84, 60, SCENE);
    for (int t = 0; t < 3; t++)
        assert_int_equal(pool_open(THREADS[t], &pool[t], NULL), ERR_OK);
    for (int k = 0; (look = recipe_at(f->recipes, k)); k++) {
        struct image out[3];
        for (int t = 0; t < 3; t++) {
            render(look, &source, 7, 0.4f, 1, pool[t], &out[t]);
            if (memcmp(out[0].px, out[t].px, out[0].stride * (size_t)out[0].height) != 0)
                fail_msg("%s: %d threads make another picture", look->name[0], THREADS[t]);
        }
        assert_true(out[0].has_alpha);
        for (int y = 0; y < source.height; y++)
            for (int x = 0; x < source.width; x++)
                assert_int_equal(out[0].px[(size_t)y * out[0].stride + 4 * (size_t)x + 3],
                                 source.px[(size_t)y * source.stride + 4 * (size_t)x + 3]);
        for (int t = 0; t < 3; t++)
            image_release(&out[t]);
    }
    for (int t = 0; t < 3; t++)
        pool_close(pool[t]);
    image_release(&source);
}

// Once as the photo is lit and once in another light, which has code of its own.
static void wide_vectors_change_no_pixel(void **state)
{
    const struct fixture *f = *state;
    const struct recipe *look;
    struct look_options o[2] = {{.chaos = 0.4f}, {.chaos = 0.4f}};
    struct image source;

    if (!look_has_avx2())
        skip();
    assert_true(mood_add(&o[1].mood, "golden hour"));
    paint(&source, 77, 56, SCENE); // more than one span of pixels
    for (int k = 0; (look = recipe_at(f->recipes, k)); k++)
        for (int lit = 0; lit < 2; lit++) {
            struct image out[2];
            for (int plain = 0; plain < 2; plain++) {
                struct look_request r = {.source = &source,
                                         .recipe = look,
                                         .options = &o[lit],
                                         .seed = 9,
                                         .count = 1,
                                         .pool = f->pool,
                                         .plain = plain};
                assert_int_equal(look_render(&r, &out[plain], NULL), ERR_OK);
            }
            if (memcmp(out[0].px, out[1].px, out[0].stride * (size_t)out[0].height) != 0)
                fail_msg("%s: vectors of AVX2 make another picture", look->name[0]);
            image_release(&out[0]);
            image_release(&out[1]);
        }
    image_release(&source);
}

// OKLab after a blur of 1 % of the long side.
static void blurred_lab(const struct image *im, float share, struct pool *pool,
                        struct plane lab[LAB])
{
    struct blur_scratch s;
    float sigma = share * (float)(im->width > im->height ? im->width : im->height);

    assert_int_equal(blur_scratch_new(&s, im->width, im->height, pool, NULL), ERR_OK);
    for (int k = 0; k < LAB; k++)
        assert_int_equal(plane_new(&lab[k], im->width, im->height), ERR_OK);
    for (int y = 0; y < im->height; y++)
        for (int x = 0; x < im->width; x++) {
            const uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            float c[LAB];
            oklab_from_linear(srgb_linear[px[0]], srgb_linear[px[1]], srgb_linear[px[2]], c);
            for (int k = 0; k < LAB; k++)
                plane_row(&lab[k], y)[x] = c[k];
        }
    for (int k = 0; k < LAB; k++)
        plane_blur(&lab[k], &lab[k], sigma, &s);
    blur_scratch_release(&s);
}

static double mean_difference(const struct plane a[LAB], const struct plane b[LAB])
{
    size_t n = (size_t)a[0].width * (size_t)a[0].height;
    double sum = 0.0;

    for (size_t i = 0; i < n; i++) {
        float d2 = 0.0f;
        for (int k = 0; k < LAB; k++)
            d2 += (a[k].px[i] - b[k].px[i]) * (a[k].px[i] - b[k].px[i]);
        sum += (double)sqrtf(d2);
    }
    return sum / (double)n;
}

// The least difference of a pair among four.
static double least_difference(const struct fixture *f, const struct recipe *look,
                               const struct image *source, float chaos)
{
    struct image out[4];
    struct plane lab[4][LAB];
    double least = 1e9;

    render(look, source, 20, chaos, 4, f->pool, out);
    for (int i = 0; i < 4; i++) {
        blurred_lab(&out[i], 0.01f, f->pool, lab[i]);
        for (int k = 0; k < i; k++) {
            double d = mean_difference(lab[i], lab[k]);
            least = d < least ? d : least;
        }
    }
    for (int i = 0; i < 4; i++) {
        image_release(&out[i]);
        for (int k = 0; k < LAB; k++)
            plane_release(&lab[i][k]);
    }
    return least;
}

static void the_four_differ(void **state)
{
    const struct fixture *f = *state;
    const struct recipe *look;
    struct image source;

    paint(&source, 96, 72, SCENE);
    source.has_alpha = false;
    for (int k = 0; (look = recipe_at(f->recipes, k)); k++) {
        double calm = least_difference(f, look, &source, 0.0f);
        double wild = least_difference(f, look, &source, 1.0f);
        if (calm < 0.015 || wild < 0.03)
            fail_msg("%s: the four differ by %.4f, at chaos 100 by %.4f", look->name[0], calm,
                     wild);
    }
    image_release(&source);
}

/* How far the blurred lightness of a picture of plain grey may stray from its mean: by the first
 * operator of its recipe. Veins of marble and the studio in polished metal are meant; paper left
 * bare around a drawing, 10 % of it, does not count. */
static double calm_of(const struct recipe *look)
{
    static const struct {
        const char *op;
        double most;
    } row[] = {{"metal", 0.25}, {"stone", 0.12}, {"timber", 0.08}};

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        if (strcmp(look->step[0].op->name, row[i].op) == 0)
            return row[i].most;
    return 0.035;
}

static void a_calm_photo_becomes_a_calm_picture(void **state)
{
    const struct fixture *f = *state;
    const struct recipe *look;
    struct image source;

    paint(&source, 160, 120, GREY);
    for (int k = 0; (look = recipe_at(f->recipes, k)); k++) {
        struct plane lab[LAB];
        struct image out;
        double mean = 0.0, n = 128.0 * 96.0, var = 0.0;
        render(look, &source, 3, 0.0f, 1, f->pool, &out);
        blurred_lab(&out, 0.03f, f->pool, lab);
        for (int y = 12; y < 108; y++)
            for (int x = 16; x < 144; x++)
                mean += (double)plane_row(&lab[0], y)[x] / n;
        for (int y = 12; y < 108; y++)
            for (int x = 16; x < 144; x++) {
                double d = (double)plane_row(&lab[0], y)[x] - mean;
                var += d * d / n;
            }
        if (sqrt(var) > calm_of(look))
            fail_msg("%s strays %.3f from its mean", look->name[0], sqrt(var));
        image_release(&out);
        for (int c = 0; c < LAB; c++)
            plane_release(&lab[c]);
    }
    image_release(&source);
}

static void a_photo_of_16_bits_is_as_good(void **state)
{
    const struct fixture *f = *state;
    struct image scene = picture_scene(64, 48), source = {0};
    struct png_spec spec = {.depth = 16};
    struct buf png = picture_png(&scene, &spec);
    struct codec_header header;
    const struct recipe *look;

    assert_int_equal(picture_decode(png.data, png.len, 0, &source, &header, NULL), ERR_OK);
    for (int k = 0; (look = recipe_at(f->recipes, k)); k++) {
        struct image a, b;
        render(look, &source, 3, 0.0f, 1, f->pool, &a);
        render(look, &scene, 3, 0.0f, 1, f->pool, &b);
        assert_memory_equal(a.px, b.px, a.stride * (size_t)a.height);
        image_release(&a);
        image_release(&b);
    }
    buf_release(&png);
    image_release(&source);
    image_release(&scene);
}

static int print_digests(void)
{
    void *state;
    const struct recipe *look;
    struct image source, out;

    open_all(&state);
    const struct fixture *f = state;
    paint(&source, 200, 144, SCENE);
    for (int k = 0; (look = recipe_at(f->recipes, k)); k++) {
        uint8_t digest[SHA256_BYTES];
        char hex[2 * SHA256_BYTES + 1];
        render(look, &source, 11, 0.5f, 1, f->pool, &out);
        sha256(out.px, out.stride * (size_t)out.height, digest);
        hex_encode(digest, sizeof(digest), hex);
        printf("%s %s\n", hex, look->name[0]);
        image_release(&out);
    }
    image_release(&source);
    return close_all(&state);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_leaves_numbers),
        cmocka_unit_test(threads_change_no_pixel_and_alpha_stays),
        cmocka_unit_test(wide_vectors_change_no_pixel),
        cmocka_unit_test(the_four_differ),
        cmocka_unit_test(a_calm_photo_becomes_a_calm_picture),
        cmocka_unit_test(a_photo_of_16_bits_is_as_good),
    };

    if (argc == 2 && strcmp(argv[1], "digests") == 0)
        return print_digests();
    return cmocka_run_group_tests_name("look_all", tests, open_all, close_all);
}
