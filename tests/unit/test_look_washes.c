/* SPDX-License-Identifier: MIT */
#include "look_fixture.h"

#include "image/colour.h"
#include "look/colour.h"
#include "look/noise.h"

/* Transparent paint: what its steps promise, each alone and as the watercolour. */

// A blue disc on a light ground that darkens downwards, with some grain.
static void paint_disc(struct image *im, int width, int height)
{
    assert_int_equal(image_new(im, width, height), ERR_OK);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float u = ((float)x + 0.5f) / (float)width - 0.5f;
            float v = ((float)y + 0.5f) / (float)height - 0.5f;
            bool disc = u * u + v * v < 0.08f;
            float grain = 6.0f * (noise_point(x, y, 3) - 0.5f);
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            px[0] = (uint8_t)((disc ? 40.0f : 205.0f - 60.0f * v) + grain);
            px[1] = (uint8_t)((disc ? 70.0f : 190.0f - 60.0f * v) + grain);
            px[2] = (uint8_t)((disc ? 150.0f : 150.0f - 60.0f * v) + grain);
            px[3] = 255;
        }
}

static void a_dry_ramp_becomes_steps_and_a_wet_one_stays_a_ramp(void **state)
{
    struct bench b = {.op = NULL};

    // 1024 wide: a pixel is a unit.
    for (int wet = 0; wet < 2; wet++) {
        int on_step = 0;
        bench_open(&b, *state, "glaze", 1024, 384);
        bench_set(&b, "tones", 4.0f);
        bench_set(&b, "wander", 0.0f);
        bench_set(&b, "wet", wet ? 1.0f : -1.0f);
        for (int y = 0; y < 384; y++)
            for (int x = 0; x < 1024; x++)
                picture_row(&b.p, y)[x] = (lane4){(float)x / 1024.0f, 0.0f, 0.0f, 0.0f};
        assert_int_equal(b.op->run(&b.p, b.value), ERR_OK);
        for (int x = 8; x < 1016; x++) {
            float L = picture_row(&b.p, 16)[x][0], asked = (float)x / 1024.0f;
            // The slow way: the nearest of the four tones, or the tone itself.
            float want = wet ? asked : floorf(asked * 4.0f + 0.5f) / 4.0f;
            on_step += fabsf(L - want) < 0.01f;
        }
        if (on_step < 960)
            fail_msg("wet %d: %d of 1008 pixels are as they should", wet, on_step);
        bench_close(&b);
    }
}

static void pigment_gathers_on_the_dark_side_of_an_edge(void **state)
{
    struct bench b = {.op = NULL};

    bench_open(&b, *state, "glaze", 1024, 384);
    bench_set(&b, "wander", 0.0f);
    for (int y = 0; y < 384; y++)
        for (int x = 0; x < 1024; x++)
            picture_row(&b.p, y)[x] = (lane4){x < 512 ? 0.44f : 0.78f, 0.0f, 0.0f, 0.0f};
    assert_int_equal(b.op->run(&b.p, b.value), ERR_OK);
    const lane4 *row = picture_row(&b.p, 200);
    assert_true(row[510][3] > 0.3f);
    assert_true(row[510][3] > 2.0f * row[496][3]);
    assert_true(fabsf(row[400][3]) < 0.02f && fabsf(row[620][3]) < 0.02f);
    assert_true(row[514][3] <= 0.0f);
    bench_close(&b);
}

// Mean light of a picture of one colour painted with `extra` pigment, away from the border.
static float light_with(const struct fixture *f, float extra)
{
    struct bench b = {.op = NULL};
    float sum = 0.0f;

    bench_open(&b, f, "pigment", 256, 256);
    for (int y = 0; y < 256; y++)
        for (int x = 0; x < 256; x++)
            picture_row(&b.p, y)[x] = (lane4){0.6f, 0.05f, 0.05f, extra};
    assert_int_equal(b.op->run(&b.p, b.value), ERR_OK);
    assert_true(b.p.linear);
    for (int y = 64; y < 192; y++)
        for (int x = 64; x < 192; x++) {
            lane4 px = picture_row(&b.p, y)[x];
            sum += px[0] + px[1] + px[2];
        }
    bench_close(&b);
    return sum / (3.0f * 128.0f * 128.0f);
}

static void more_pigment_is_darker(void **state)
{
    float last = 2.0f;

    for (float extra = -0.8f; extra < 1.6f; extra += 0.4f) {
        float light = light_with(*state, extra);
        assert_true(light < last);
        last = light;
    }
}

static enum err render(const struct fixture *f, const struct image *source, uint32_t seed,
                       int count, struct pool *pool, struct image *out)
{
    struct look_options o = {0};
    struct look_request r = {.source = source,
                             .recipe = recipe_find(f->recipes, "watercolour"),
                             .options = &o,
                             .seed = seed,
                             .count = count,
                             .pool = pool};

    assert_non_null(r.recipe);
    return look_render(&r, out, NULL);
}

static void the_border_is_bare_paper(void **state)
{
    struct image source, out;

    paint_disc(&source, 256, 160);
    assert_int_equal(render(*state, &source, 3, 1, ((struct fixture *)*state)->pool, &out), ERR_OK);
    for (int x = 0; x < 256; x++)
        for (int edge = 0; edge < 2; edge++) {
            const uint8_t *px = out.px + (edge ? 159 : 0) * out.stride + 4 * (size_t)x;
            assert_in_range(px[0], 225, 255);
            assert_in_range(px[2], 215, 255);
        }
    // The disc is blue still.
    const uint8_t *middle = out.px + 80 * out.stride + 4 * 128;
    assert_true(middle[2] > middle[0] + 40);
    image_release(&out);
    image_release(&source);
}

static void pixels_do_not_depend_on_threads(void **state)
{
    static const int THREADS[] = {1, 2, 8};
    struct image source, first = {0};

    paint_disc(&source, 200, 150);
    for (size_t i = 0; i < sizeof(THREADS) / sizeof(THREADS[0]); i++) {
        struct pool *pool;
        struct image out;
        assert_int_equal(pool_open(THREADS[i], &pool, NULL), ERR_OK);
        assert_int_equal(render(*state, &source, 7, 1, pool, &out), ERR_OK);
        if (first.px) {
            assert_memory_equal(first.px, out.px, out.stride * (size_t)out.height);
            image_release(&out);
        } else {
            first = out;
        }
        pool_close(pool);
    }
    image_release(&first);
    image_release(&source);
}

static void any_size_is_painted(void **state)
{
    static const int SIZE[][2] = {{1, 1}, {16, 16}, {1, 200}, {300, 2}, {600, 100}};
    const struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(SIZE) / sizeof(SIZE[0]); i++) {
        struct image source, out;
        paint_disc(&source, SIZE[i][0], SIZE[i][1]);
        assert_int_equal(render(f, &source, 1, 1, f->pool, &out), ERR_OK);
        assert_int_equal(out.width, SIZE[i][0]);
        assert_int_equal(out.height, SIZE[i][1]);
        // A NaN would have been written as 0.
        for (size_t k = 0; k < out.stride * (size_t)out.height; k++)
            assert_true(out.px[k] > 0);
        image_release(&out);
        image_release(&source);
    }
}

static void mean_lab(const struct image *im, int x0, int y0, int step, float lab[3])
{
    float rgb[3] = {0};

    for (int y = y0; y < y0 + step; y++)
        for (int x = x0; x < x0 + step; x++)
            for (int k = 0; k < 3; k++)
                rgb[k] += srgb_linear[im->px[(size_t)y * im->stride + 4 * (size_t)x + (size_t)k]];
    float n = (float)(step * step);
    oklab_from_linear(rgb[0] / n, rgb[1] / n, rgb[2] / n, lab);
}

static void the_four_differ(void **state)
{
    const struct fixture *f = *state;
    struct image source, out[4];

    paint_disc(&source, 256, 192);
    assert_int_equal(render(f, &source, 8, 4, f->pool, out), ERR_OK);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < i; k++) {
            float sum = 0.0f;
            for (int y = 0; y < 192; y += 8)
                for (int x = 0; x < 256; x += 8) {
                    float a[3], b[3];
                    mean_lab(&out[i], x, y, 8, a);
                    mean_lab(&out[k], x, y, 8, b);
                    float L = a[0] - b[0], u = a[1] - b[1], v = a[2] - b[2];
                    sum += sqrtf(L * L + u * u + v * v);
                }
            if (sum / (24.0f * 32.0f) < 0.015f)
                fail_msg("%d and %d differ by %.4f", i, k, (double)(sum / (24.0f * 32.0f)));
        }
    for (int i = 0; i < 4; i++)
        image_release(&out[i]);
    image_release(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dry_ramp_becomes_steps_and_a_wet_one_stays_a_ramp),
        cmocka_unit_test(pigment_gathers_on_the_dark_side_of_an_edge),
        cmocka_unit_test(more_pigment_is_darker),
        cmocka_unit_test(the_border_is_bare_paper),
        cmocka_unit_test(pixels_do_not_depend_on_threads),
        cmocka_unit_test(any_size_is_painted),
        cmocka_unit_test(the_four_differ),
    };

    return cmocka_run_group_tests_name("look_washes", tests, open_all, close_all);
}
