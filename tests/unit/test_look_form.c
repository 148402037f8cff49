/* SPDX-License-Identifier: MIT */
#include "look/look.h"

#include "base/hash.h"
#include "image/colour.h"
#include "look/colour.h"
#include "look/noise.h"
#include "look/surface.h"
#include "look_fixture.h"

#include <stdlib.h>
#include <string.h>

/* The photo as a relief, the light on it, and the materials made of it. */

static const char *const MATERIALS[] = {"gold", "silver", "bronze",       "copper",       "chrome",
                                        "rust", "marble", "black marble", "green marble", "jade",
                                        "oak",  "walnut", "ebony"};
enum { MATERIAL_COUNT = sizeof(MATERIALS) / sizeof(MATERIALS[0]) };

// A light disc with a soft rim and a dark bar on a middle grey.
static void paint_disc(struct image *im, int width, int height)
{
    assert_int_equal(image_new(im, width, height), ERR_OK);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float u = ((float)x + 0.5f) / (float)width - 0.35f;
            float v = (((float)y + 0.5f) - 0.5f * (float)height) / (float)width;
            float d = sqrtf(u * u + v * v), c = 0.4f + 0.45f * (1.0f - smoothf(0.10f, 0.16f, d));
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            if (u > 0.35f && u < 0.40f)
                c = 0.08f;
            for (int k = 0; k < 3; k++)
                px[k] = (uint8_t)(255.0f * c * (1.0f - 0.1f * (float)k));
            px[3] = 255;
        }
}

static struct look_maps *maps_of(const struct fixture *f, const struct image *im)
{
    struct look_maps *m = NULL;

    assert_int_equal(look_maps_new(im, NEED_FORM, f->pool, NULL, &m), ERR_OK);
    return m;
}

static void light_stands_out_and_dark_lies_deep(void **state)
{
    const struct fixture *f = *state;
    struct image im;

    paint_disc(&im, 192, 128);
    struct look_maps *m = maps_of(f, &im);
    float disc = plane_near(&m->form, 0.35f * 96.0f, 32.0f);
    float ground = plane_near(&m->form, 0.60f * 96.0f, 10.0f);
    // The bar touches two sides: part of the ground, and dark.
    float bar = plane_near(&m->form, 0.725f * 96.0f, 32.0f);
    assert_true(disc > ground + 1.0f);
    assert_true(bar < ground - 1.0f);
    // The ground rises towards the disc from both sides.
    assert_true(plane_near(&m->slope_x, 0.22f * 192.0f, 64.0f) > 0.05f);
    assert_true(plane_near(&m->slope_x, 0.48f * 192.0f, 64.0f) < -0.05f);
    assert_true(plane_near(&m->cavity, 0.725f * 96.0f, 32.0f) <
                plane_near(&m->cavity, 0.35f * 96.0f, 32.0f) - 0.1f);
    assert_true(plane_near(&m->shade, 0.35f * 192.0f, 64.0f) > 0.9f);
    assert_true(plane_near(&m->shade, 0.725f * 192.0f, 64.0f) < 0.1f);
    look_maps_free(m);
    image_release(&im);
}

static void put_pixel(struct image *im, int x, int y, int r, int g, int b)
{
    uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;

    px[0] = (uint8_t)r, px[1] = (uint8_t)g, px[2] = (uint8_t)b, px[3] = 255;
}

// Dark on light, light on dark, and cut off by the picture's border: each stands before its ground.
static void what_stands_out_is_the_subject(void **state)
{
    static const struct {
        int ground, thing;
        float cx; /* of the disc, in widths */
    } row[] = {{220, 40, 0.5f}, {30, 200, 0.5f}, {220, 40, 0.0f}, {60, 190, 1.0f}};
    const struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct image im;
        struct look_maps *m = NULL;
        assert_int_equal(image_new(&im, 240, 160), ERR_OK);
        for (int y = 0; y < 160; y++)
            for (int x = 0; x < 240; x++) {
                float u = (float)x - 240.0f * row[i].cx, v = (float)y - 80.0f;
                int c = u * u + v * v < 2500.0f ? row[i].thing : row[i].ground;
                put_pixel(&im, x, y, c, c, c);
            }
        assert_int_equal(look_maps_new(&im, NEED_SUBJECT, f->pool, NULL, &m), ERR_OK);
        float in = row[i].cx < 0.5f ? 10.0f : row[i].cx > 0.5f ? 109.0f : 60.0f;
        float out = row[i].cx > 0.5f ? 20.0f : 105.0f;
        if (!(plane_near(&m->subject, in, 40.0f) > 0.8f) ||
            !(plane_near(&m->subject, out, 12.0f) < 0.1f))
            fail_msg("row %zu: %.2f before %.2f", i, (double)plane_near(&m->subject, in, 40.0f),
                     (double)plane_near(&m->subject, out, 12.0f));
        look_maps_free(m);
        image_release(&im);
    }
}

static void a_calm_picture_is_a_plain_sheet(void **state)
{
    const struct fixture *f = *state;
    struct image im;

    assert_int_equal(image_new(&im, 256, 160), ERR_OK);
    for (int y = 0; y < 160; y++)
        for (int x = 0; x < 256; x++) {
            uint8_t *px = im.px + (size_t)y * im.stride + 4 * (size_t)x;
            px[0] = px[1] = px[2] = (uint8_t)(127.5f + noise_point(x, y, 3)); // one code of noise
            px[3] = 255;
        }
    struct look_maps *m = maps_of(f, &im);
    for (int y = 0; y < 160; y++)
        for (int x = 0; x < 256; x++) {
            assert_true(fabsf(plane_row(&m->slope_x, y)[x]) < 0.05f);
            assert_true(fabsf(plane_row(&m->slope_y, y)[x]) < 0.05f);
            assert_true(plane_row(&m->cavity, y / 2)[x / 2] > 0.9f);
        }
    look_maps_free(m);
    image_release(&im);
}

// A photo a quarter as dark gives the same slopes: what is steep is relative.
static void slopes_do_not_depend_on_contrast(void **state)
{
    const struct fixture *f = *state;
    struct image strong, weak;
    double a = 0.0, b = 0.0;

    paint_disc(&strong, 192, 128);
    paint_disc(&weak, 192, 128);
    for (size_t i = 0; i < weak.stride * 128u; i++)
        if (i % 4 != 3)
            weak.px[i] = (uint8_t)(90 + weak.px[i] / 3);
    struct look_maps *ms = maps_of(f, &strong), *mw = maps_of(f, &weak);
    for (int y = 0; y < 128; y++)
        for (int x = 0; x < 192; x++) {
            a += (double)fabsf(plane_row(&ms->slope_x, y)[x]);
            b += (double)fabsf(plane_row(&mw->slope_x, y)[x]);
        }
    assert_true(b > 0.6 * a && b < 1.6 * a);
    look_maps_free(ms);
    look_maps_free(mw);
    image_release(&strong);
    image_release(&weak);
}

// The share of the key light by looking along the ray at every half unit.
static float light_slowly(const struct look_maps *m, float lx, float ly, float x, float y)
{
    float here = plane_near(&m->form, x, y), most = 0.0f, per = m->half_per_unit;

    for (float d = 2.0f; d <= 62.0f; d += 0.5f) {
        float h = plane_at(&m->form, x + lx * per * d, y + ly * per * d);
        float over = (h - here) / d - 0.24f;
        most = over > most ? over : most;
    }
    return 1.0f - smoothf(0.0f, 0.22f, most);
}

static void shadows_are_those_of_a_ray_walked_slowly(void **state)
{
    const struct fixture *f = *state;
    struct look_maps m = {.px_per_unit = 1.0f, .full_per_unit = 1.0f, .half_per_unit = 0.5f};
    struct look_picture p = {.width = 192,
                             .height = 128,
                             .px_per_unit = 1.0f,
                             .maps = &m,
                             .variation = {.light_x = -0.8f, .light_y = -0.6f},
                             .pool = f->pool};
    struct surface s;
    double off = 0.0;
    int dark = 0;

    // A ridge, a tower and a dent.
    assert_int_equal(plane_new(&m.form, 96, 64), ERR_OK);
    assert_int_equal(plane_new(&m.cavity, 96, 64), ERR_OK);
    assert_int_equal(plane_new(&m.importance, 96, 64), ERR_OK);
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 96; x++) {
            float u = (float)x - 30.0f, v = (float)y - 30.0f, w = (float)x - 70.0f;
            plane_row(&m.form, y)[x] = 18.0f * bell(u / 6.0f) +
                                       25.0f * bell(sqrtf(w * w + v * v) / 5.0f) -
                                       12.0f * bell((v - 22.0f) / 4.0f);
        }
    assert_int_equal(surface_new(&s, &p, 1.0f), ERR_OK);
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 96; x++) {
            float slow = light_slowly(&m, -0.8f, -0.6f, (float)x + 0.5f, (float)y + 0.5f);
            off += (double)fabsf(slow - plane_row(&s.light, y)[x]);
            dark += slow < 0.3f;
        }
    assert_true(dark > 100);
    assert_true(off / (96.0 * 64.0) < 0.06);
    surface_release(&s);
    p.flat = true;
    assert_int_equal(surface_new(&s, &p, 1.0f), ERR_OK);
    for (int i = 0; i < 96 * 64; i++)
        assert_true(s.light.px[i] > 0.999f);
    surface_release(&s);
    plane_release(&m.form);
    plane_release(&m.cavity);
    plane_release(&m.importance);
}

static void normals_have_length_one_and_lean_from_the_slope(void **state)
{
    float n[3];

    (void)state;
    normal_of(0.4f, -0.2f, n);
    float length = n[0] * n[0] + n[1] * n[1] + n[2] * n[2];
    assert_true(fabsf(length - 1.0f) < 1e-5f);
    assert_true(n[0] < 0.0f && n[1] > 0.0f && n[2] > 0.0f);
    assert_true(fabsf(n[0] / n[2] + 0.4f) < 1e-5f);
}

static void noise_stays_in_range_and_is_centred(void **state)
{
    double sum = 0.0;

    (void)state;
    for (int i = 0; i < 4000; i++) {
        float v = noise_sum((float)i * 0.37f - 700.0f, (float)(i % 61) * 1.13f, 4, 9);
        assert_true(v >= -1.6f && v <= 1.6f);
        sum += (double)v;
    }
    assert_true(fabs(sum / 4000.0) < 0.08);
}

static void light_in_lanes_is_light_in_oklab(void **state)
{
    (void)state;
    for (int i = 0; i < 4000; i++) {
        float rgb[LAB], fast[LAB], slow[LAB];
        for (int k = 0; k < LAB; k++)
            rgb[k] = i ? 4.0f * noise_point(i, k, 5) * noise_point(i, k, 6) : 0.0f;
        lab_of_light(rgb, fast);
        oklab_from_linear(rgb[0], rgb[1], rgb[2], slow);
        for (int k = 0; k < LAB; k++)
            assert_true(fabsf(fast[k] - slow[k]) < 2e-4f);
    }
    // Film takes any light, and never gives more than white.
    float dazzling[3] = {1e4f, 1e4f, 1e4f}, none[3] = {0}, lab[LAB];
    lab_on_film(dazzling, lab);
    assert_true(lab[0] > 0.99f && lab[0] <= 1.0001f);
    lab_on_film(none, lab);
    assert_true(lab[0] < 0.001f);
}

static void grain_repeats_without_a_seam(void **state)
{
    struct grain g;
    double sum = 0.0;

    (void)state;
    assert_int_equal(grain_new(&g, 7), ERR_OK);
    for (int i = 0; i < 3000; i++) {
        float x = 0.37f * (float)i - 500.0f, y = 1.7f * (float)(i % 97) - 80.0f;
        float beside[2] = {floorf(x) + 0.25f, floorf(x) + 0.75f}, on = x + GRAIN_TILE;
        struct grain_spots a, b;
        grain_span(&g, 1.0f, &x, y, 1, &a);
        grain_span(&g, 1.0f, &on, y - GRAIN_TILE, 1, &b);
        assert_true(fabsf(a.value[0] - b.value[0]) < 1e-3f);
        assert_true(fabsf(a.value[0]) <= 1.2f);
        sum += (double)a.value[0];
        // The slope is that of the value, also across the seam.
        grain_span(&g, 1.0f, beside, floorf(y) + 0.5f, 2, &b);
        assert_true(fabsf(2.0f * (b.value[1] - b.value[0]) - b.gx[0]) < 1e-4f);
    }
    assert_true(fabs(sum / 3000.0) < 0.08);
    grain_release(&g);
}

static void render_one(const struct fixture *f, const struct image *source, const char *name,
                       uint32_t seed, struct pool *pool, struct image *out)
{
    struct look_options o = {0};
    struct look_request r = {.source = source,
                             .recipe = recipe_find(f->recipes, name),
                             .options = &o,
                             .seed = seed,
                             .count = 1,
                             .pool = pool};

    if (!r.recipe)
        fail_msg("there is no look %s", name);
    assert_int_equal(look_render(&r, out, NULL), ERR_OK);
}

static float distance(const float a[LAB], const float b[LAB])
{
    float sum = 0.0f;

    for (int k = 0; k < LAB; k++)
        sum += (a[k] - b[k]) * (a[k] - b[k]);
    return sqrtf(sum);
}

static bool same_pixels(const struct image *a, const struct image *b)
{
    return memcmp(a->px, b->px, a->stride * (size_t)a->height) == 0;
}

static void threads_do_not_change_a_material(void **state)
{
    const struct fixture *f = *state;
    struct pool *one, *eight;
    struct image source;

    paint_disc(&source, 96, 64);
    assert_int_equal(pool_open(1, &one, NULL), ERR_OK);
    assert_int_equal(pool_open(8, &eight, NULL), ERR_OK);
    for (int i = 0; i < MATERIAL_COUNT; i++) {
        struct image a, b;
        render_one(f, &source, MATERIALS[i], 5, one, &a);
        render_one(f, &source, MATERIALS[i], 5, eight, &b);
        assert_true(same_pixels(&a, &b));
        image_release(&a);
        image_release(&b);
    }
    pool_close(one);
    pool_close(eight);
    image_release(&source);
}

/*
 * The same bits from every compiler and processor. The digest changes when an operator is meant to
 * work differently, never otherwise; our own recipes may change without it.
 */
static void pixels_are_the_same_everywhere(void **state)
{
    static const struct {
        const char *look, *digest;
    } row[] = {
        {"name = fixed\n[metal]\ngrain = 0.1\nsky = 0.5\n[weather]\n",
         "f48e2350b3b07c0caac059ac265d660621fc335d8e20c70b37e6eb9e7b80370d"},
        {"name = fixed\n[stone]\n[grade]\n",
         "bc4b0cb25cbaa6cb4dacea9d254967eab20a2418d9f60ae444dc4b82fcca4ca8"},
        {"name = fixed\n[timber]\n[weather]\ncover = 0.2\n",
         "9acd8ef81fc22adb2c834810bd5ac94f46b6dd7e391933345d78b13b8e553c25"},
    };
    const struct fixture *f = *state;
    struct look_options o = {.chaos = 0.3f};
    struct image source, out;

    paint_disc(&source, 160, 112);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct recipe recipe;
        uint8_t digest[SHA256_BYTES];
        char hex[2 * SHA256_BYTES + 1];
        assert_int_equal(recipe_parse("fixed", row[i].look, strlen(row[i].look), &recipe, NULL),
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
        image_release(&out);
        if (strcmp(hex, row[i].digest) != 0)
            fail_msg("row %zu: %s", i, hex);
    }
    image_release(&source);
}

static float mean_distance(const struct image *a, const struct image *b)
{
    double sum = 0.0;

    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++) {
            const uint8_t *p = a->px + (size_t)y * a->stride + 4 * (size_t)x;
            const uint8_t *q = b->px + (size_t)y * b->stride + 4 * (size_t)x;
            float u[LAB], v[LAB];
            oklab_from_linear(srgb_linear[p[0]], srgb_linear[p[1]], srgb_linear[p[2]], u);
            oklab_from_linear(srgb_linear[q[0]], srgb_linear[q[1]], srgb_linear[q[2]], v);
            sum += (double)distance(u, v);
        }
    return (float)(sum / ((double)a->width * a->height));
}

static void materials_are_told_from_each_other(void **state)
{
    const struct fixture *f = *state;
    struct image source, out[MATERIAL_COUNT];

    paint_disc(&source, 128, 96);
    for (int i = 0; i < MATERIAL_COUNT; i++)
        render_one(f, &source, MATERIALS[i], 4, f->pool, &out[i]);
    for (int i = 0; i < MATERIAL_COUNT; i++)
        for (int k = 0; k < i; k++) {
            float d = mean_distance(&out[i], &out[k]);
            if (d < 0.04f)
                fail_msg("%s looks like %s: %.3f", MATERIALS[i], MATERIALS[k], (double)d);
        }
    for (int i = 0; i < MATERIAL_COUNT; i++)
        image_release(&out[i]);
    image_release(&source);
}

// At this size a blur of a hundredth of the long side is half a pixel: none.
static void the_four_differ(void **state)
{
    const struct fixture *f = *state;
    struct image source, out[4];

    paint_disc(&source, 48, 32);
    for (int i = 0; i < 2 * MATERIAL_COUNT; i++) {
        const char *name = MATERIALS[i / 2];
        bool wild = i % 2;
        struct look_options o = {.chaos = wild ? 1.0f : 0.0f};
        struct look_request r = {.source = &source,
                                 .recipe = recipe_find(f->recipes, name),
                                 .options = &o,
                                 .seed = 20,
                                 .count = 4,
                                 .pool = f->pool};
        assert_int_equal(look_render(&r, out, NULL), ERR_OK);
        for (int k = 0; k < 4; k++)
            for (int j = 0; j < k; j++)
                if (mean_distance(&out[k], &out[j]) < (wild ? 0.03f : 0.015f))
                    fail_msg("%s, chaos %d: %d and %d are alike", name, 100 * wild, j, k);
        for (int k = 0; k < 4; k++)
            image_release(&out[k]);
    }
    image_release(&source);
}

static void any_size_becomes_any_material(void **state)
{
    static const int SIZE[][2] = {{1, 1}, {16, 16}, {3, 200}, {300, 50}};
    const struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(SIZE) / sizeof(SIZE[0]); i++)
        for (int k = 0; k < MATERIAL_COUNT; k++) {
            struct image source, out;
            paint_disc(&source, SIZE[i][0], SIZE[i][1]);
            source.has_alpha = true;
            source.px[3] = 77;
            render_one(f, &source, MATERIALS[k], 1, f->pool, &out);
            assert_int_equal(out.width, SIZE[i][0]);
            assert_int_equal(out.height, SIZE[i][1]);
            assert_int_equal(out.px[3], 77);
            image_release(&out);
            image_release(&source);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(light_stands_out_and_dark_lies_deep),
        cmocka_unit_test(what_stands_out_is_the_subject),
        cmocka_unit_test(a_calm_picture_is_a_plain_sheet),
        cmocka_unit_test(slopes_do_not_depend_on_contrast),
        cmocka_unit_test(shadows_are_those_of_a_ray_walked_slowly),
        cmocka_unit_test(normals_have_length_one_and_lean_from_the_slope),
        cmocka_unit_test(noise_stays_in_range_and_is_centred),
        cmocka_unit_test(light_in_lanes_is_light_in_oklab),
        cmocka_unit_test(grain_repeats_without_a_seam),
        cmocka_unit_test(threads_do_not_change_a_material),
        cmocka_unit_test(pixels_are_the_same_everywhere),
        cmocka_unit_test(materials_are_told_from_each_other),
        cmocka_unit_test(the_four_differ),
        cmocka_unit_test(any_size_becomes_any_material),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
