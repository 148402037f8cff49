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
        float most = 0.0f, ridge = 0.0f;
        for (int x = 0; x < 1024; x++) {
            float v = plane_row(&m->ink, y)[x];
            if (x < 700 && v > 0.2f)
                fail_msg("a speck at %d, %d: %.2f", x, y, (double)v);
            most = v > most ? v : most;
            ridge = fmaxf(ridge, plane_row(&m->ridge, y)[x]);
        }
        if (most < 0.4f || ridge < 0.99f)
            fail_msg("the line is broken in row %d: %.2f, %.2f", y, (double)most, (double)ridge);
    }
    look_maps_free(m);
    image_release(&source);
}

// White letters of strokes 2 pixels wide on black, a white block, black letters on white.
static void paint_letters(struct image *im)
{
    assert_int_equal(image_new(im, 1024, 256), ERR_OK);
    for (int y = 0; y < 256; y++)
        for (int x = 0; x < 1024; x++) {
            bool letter = x % 512 > 64 && x % 512 < 320 && y > 64 && y < 192 &&
                          (x % 12 < 2 || (y % 16 < 2 && x % 48 < 36));
            bool block = x > 400 && x < 480 && y > 64 && y < 192;
            int grey = (letter || block) == (x < 512) ? 235 : 20;
            memset(im->px + (size_t)y * im->stride + 4 * (size_t)x, grey, 3);
            im->px[(size_t)y * im->stride + 4 * (size_t)x + 3] = 255;
        }
}

// The largest value of the smallest ones, square by square.
static float opened(const struct plane *p, int x, int y, int reach)
{
    float most = 0.0f;

    for (int v = y - reach; v <= y + reach; v++)
        for (int u = x - reach; u <= x + reach; u++) {
            float least = 1.0f;
            if (u < 0 || v < 0 || u >= p->width || v >= p->height)
                continue;
            for (int j = v - reach; j <= v + reach; j++)
                for (int i = u - reach; i <= u + reach; i++)
                    if (i >= 0 && j >= 0 && i < p->width && j < p->height)
                        least = fminf(least, plane_row(p, j)[i]);
            most = fmaxf(most, least);
        }
    return most;
}

static void thin_strokes_are_found_and_light_ones_stay_bare(void **state)
{
    static const int REACH = 2; // 4 units wide
    const struct fixture *f = *state;
    struct look_maps *m;
    struct image source;
    float inked[2] = {0};

    paint_letters(&source);
    assert_int_equal(look_maps_new(&source, NEED_INK, f->pool, NULL, &m), ERR_OK);
    for (int y = 0; y < 128; y += 3)
        for (int x = 0; x < 512; x += 3) {
            // The middle of a half-size pixel is a corner of four.
            float over = 0.0f, near = plane_row(&m->strokes, y)[x];
            for (int i = 0; i < 4; i++) {
                int u = 2 * x + i % 2, v = 2 * y + i / 2;
                over += 0.25f * (plane_row(&m->flat[0], v)[u] - opened(&m->flat[0], u, v, REACH));
            }
            if (over > 0.3f && near < 0.9f)
                fail_msg("no stroke at %d, %d: %.2f", x, y, (double)near);
            if (x > 215 && x < 225 && y > 50 && y < 80 && near > 0.0f)
                fail_msg("the block is no stroke at %d, %d: %.2f", x, y, (double)near);
        }
    for (int y = 80; y < 176; y++)
        for (int x = 80; x < 304; x++)
            for (int side = 0; side < 2; side++)
                inked[side] += plane_row(&m->ink, y)[x + 512 * side] / (96.0f * 224.0f);
    if (inked[1] < 0.15f || 3.0f * inked[0] > inked[1])
        fail_msg("ink on light letters %.3f, on dark ones %.3f", (double)inked[0],
                 (double)inked[1]);
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
        cmocka_unit_test(thin_strokes_are_found_and_light_ones_stay_bare),
        cmocka_unit_test(darker_is_printed_with_larger_dots),
        cmocka_unit_test(a_comic_is_framed_and_the_same_on_any_threads),
        cmocka_unit_test(any_size_is_drawn),
    };

    return cmocka_run_group_tests_name("look_comic", tests, open_all, close_all);
}
