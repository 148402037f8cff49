/* SPDX-License-Identifier: MIT */
#include "look_fixture.h"

#include "look/noise.h"

/* Flat colour, ink lines and printed dots. */

// Grey 150 with noise, with specks on the left and a long dark bar on the right.
static void paint_bar(struct image *im, int width, int height)
{
    assert_int_equal(image_new(im, width, height), ERR_OK);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            bool speck = x < width / 2 && x % 96 < 3 && y % 96 < 3;
            bool bar = x >= 3 * width / 4 && x < 3 * width / 4 + 40;
            float v = (bar     ? 60.0f
                       : speck ? 105.0f
                               : 150.0f) +
                      8.0f * (noise_point(x, y, 4) - 0.5f);
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            px[0] = px[1] = px[2] = (uint8_t)v;
            px[3] = 255;
        }
}

/* The flat map the slow way: each pixel for itself, bounds checked at each tap. */
static void flat_pass(const struct plane *from, struct plane *to, float sigma, bool down)
{
    int reach = clampi((int)(1.6f * sigma + 0.5f), 1, 6);

    for (int y = 0; y < from[0].height; y++)
        for (int x = 0; x < from[0].width; x++) {
            float sum[LAB] = {0}, total = 0.0f;
            for (int i = -reach; i <= reach; i++) {
                int u = clampi(x + (down ? 0 : i), 0, from[0].width - 1);
                int v = clampi(y + (down ? i : 0), 0, from[0].height - 1);
                float d[LAB], far = 0.0f;
                for (int k = 0; k < LAB; k++) {
                    d[k] = plane_row(&from[k], v)[u] - plane_row(&from[k], y)[x];
                    far += (k == 0 ? 1.0f : 4.0f) * d[k] * d[k];
                }
                float w = clampf(1.0f - far / (0.055f * 0.055f), 0.0f, 1.0f);
                w *= w * exp_approx(-0.5f * (float)(i * i) / (sigma * sigma + 0.1f));
                for (int k = 0; k < LAB; k++)
                    sum[k] += w * plane_row(&from[k], v)[u];
                total += w;
            }
            for (int k = 0; k < LAB; k++)
                plane_row(&to[k], y)[x] = sum[k] / total;
        }
}

static void flat_colours_are_those_of_the_slow_way(void **state)
{
    const struct fixture *f = *state;
    struct look_maps *m;
    struct image source;
    struct plane a[LAB], b[LAB];

    paint_bar(&source, 512, 192);
    assert_int_equal(look_maps_new(&source, NEED_FLAT, f->pool, NULL, &m), ERR_OK);
    for (int k = 0; k < LAB; k++) {
        assert_int_equal(plane_new(&a[k], 512, 192), ERR_OK);
        assert_int_equal(plane_new(&b[k], 512, 192), ERR_OK);
    }
    // From the photo where it matters, from the photo without noise elsewhere.
    for (int at = 0; at < 512 * 192; at++) {
        float x = (float)(at % 512) + 0.5f, y = (float)(at / 512) + 0.5f;
        float share = smoothf(0.15f, 0.4f, plane_at(&m->importance, 0.5f * x, 0.5f * y));
        for (int k = 0; k < LAB; k++)
            a[k].px[at] = mixf(m->fine[k].px[at], m->full[k].px[at], share);
    }
    for (int i = 0; i < 3; i++) {
        flat_pass(a, b, 3.0f * m->full_per_unit, false);
        flat_pass(b, a, 3.0f * m->full_per_unit, true);
    }
    for (int k = 0; k < LAB; k++)
        for (size_t i = 0; i < 512 * 192; i++)
            assert_true(fabsf(a[k].px[i] - m->flat[k].px[i]) < 1e-4f);
    for (int k = 0; k < LAB; k++) {
        plane_release(&a[k]);
        plane_release(&b[k]);
    }
    look_maps_free(m);
    image_release(&source);
}

static void lines_are_whole_and_specks_are_none(void **state)
{
    const struct fixture *f = *state;
    struct look_maps *m;
    struct image source;

    paint_bar(&source, 1024, 384);
    assert_int_equal(look_maps_new(&source, NEED_INK, f->pool, NULL, &m), ERR_OK);
    for (int y = 0; y < 384; y++) {
        float most = 0.0f;
        for (int x = 0; x < 1024; x++) {
            float v = plane_row(&m->ink, y)[x];
            if (x < 700 && v > 0.2f)
                fail_msg("a speck at %d, %d: %.2f", x, y, (double)v);
            most = v > most ? v : most;
        }
        if (most < 0.4f)
            fail_msg("the line is broken in row %d: %.2f", y, (double)most);
    }
    look_maps_free(m);
    image_release(&source);
}

// Mean lightness that dots leave of a grey photo.
static float printed(const struct fixture *f, int grey)
{
    struct bench b = {.op = NULL};
    float sum = 0.0f;

    assert_int_equal(image_new(&b.source, 512, 192), ERR_OK);
    memset(b.source.px, grey, b.source.stride * 192);
    bench_open(&b, f, "halftone", 512, 192);
    for (size_t i = 0; i < 512 * 192; i++)
        b.p.px[i] = (lane4){0.7f, 0.0f, 0.0f, 0.0f};
    assert_int_equal(b.op->run(&b.p, b.value), ERR_OK);
    for (size_t i = 0; i < 512 * 192; i++)
        sum += b.p.px[i][0];
    bench_close(&b);
    return sum / (512.0f * 192.0f);
}

static void darker_is_printed_with_larger_dots(void **state)
{
    float last = printed(*state, 220);

    assert_true(fabsf(last - 0.7f) < 1e-3f);
    for (int grey = 110; grey > 30; grey -= 20) {
        float now = printed(*state, grey);
        if (now >= last)
            fail_msg("grey %d: %.3f, lighter: %.3f", grey, (double)now, (double)last);
        last = now;
    }
}

static void a_comic_is_framed_and_the_same_on_any_threads(void **state)
{
    static const int THREADS[] = {1, 2, 8};
    const struct fixture *f = *state;
    struct image source, first = {0};
    struct look_options o = {0};

    paint_bar(&source, 512, 256);
    for (size_t i = 0; i < sizeof(THREADS) / sizeof(THREADS[0]); i++) {
        struct look_request r = {.source = &source,
                                 .recipe = recipe_find(f->recipes, "comic"),
                                 .options = &o,
                                 .seed = 7,
                                 .count = 1};
        struct image out;
        assert_non_null(r.recipe);
        assert_int_equal(pool_open(THREADS[i], &r.pool, NULL), ERR_OK);
        assert_int_equal(look_render(&r, &out, NULL), ERR_OK);
        if (first.px) {
            assert_memory_equal(first.px, out.px, out.stride * (size_t)out.height);
            image_release(&out);
        } else {
            first = out;
        }
        pool_close(r.pool);
    }
    const uint8_t *row = first.px + 128 * first.stride;
    assert_true(row[0] > 235);
    int darkest = 255;
    for (int x = 0; x < 16; x++)
        darkest = row[4 * x] < darkest ? row[4 * x] : darkest;
    assert_true(darkest < 40);
    image_release(&first);
    image_release(&source);
}

static void any_size_is_drawn(void **state)
{
    static const char *const LOOK[] = {"comic", "cel"};
    static const int SIZE[][2] = {{1, 1}, {16, 16}, {1, 200}, {300, 2}, {600, 100}};
    const struct fixture *f = *state;
    struct look_options o = {0};

    for (size_t i = 0; i < 2 * sizeof(SIZE) / sizeof(SIZE[0]); i++) {
        struct image source, out;
        paint_bar(&source, SIZE[i / 2][0], SIZE[i / 2][1]);
        struct look_request r = {.source = &source,
                                 .recipe = recipe_find(f->recipes, LOOK[i % 2]),
                                 .options = &o,
                                 .count = 1,
                                 .pool = f->pool};
        assert_non_null(r.recipe);
        assert_int_equal(look_render(&r, &out, NULL), ERR_OK);
        assert_int_equal(out.width, SIZE[i / 2][0]);
        image_release(&out);
        image_release(&source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_colours_are_those_of_the_slow_way),
        cmocka_unit_test(lines_are_whole_and_specks_are_none),
        cmocka_unit_test(darker_is_printed_with_larger_dots),
        cmocka_unit_test(a_comic_is_framed_and_the_same_on_any_threads),
        cmocka_unit_test(any_size_is_drawn),
    };

    return cmocka_run_group_tests_name("look_comic", tests, open_all, close_all);
}
