/* SPDX-License-Identifier: MIT */
/* Linked with the shared library alone, as a user's program is. */
#include "unit/unit.h"

#include "lib/patina.h"

#include <stdlib.h>
#include <string.h>

enum { W = 96, H = 64 };

static uint8_t photo[H][W][4];

static void fill_photo(void)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            uint8_t px[4] = {(uint8_t)(x * 2), (uint8_t)(y * 3),
                             (uint8_t)((x / 16 + y / 16) % 2 * 200), 255};
            memcpy(photo[y][x], px, 4);
        }
}

static struct patina_request request(void)
{
    return (struct patina_request){
        .width = W,
        .height = H,
        .rgba = &photo[0][0][0],
        .prompt = "Convert to oil painting style",
        .seed = 7,
        .count = 1,
        .pixels = W * H,
    };
}

static void one_request_gives_the_same_pixels_on_any_threads(void **state)
{
    struct patina_result *result[2];
    char why[PATINA_WHY] = "";

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct patina_options o = {.threads = 1 + i};
        struct patina_request r = request();
        struct patina *p;
        r.count = PATINA_PICTURES_MAX;
        assert_int_equal(patina_open(&o, &p, why), PATINA_OK);
        assert_string_equal(patina_engine(p), "look");
        assert_int_equal(patina_render(p, &r, &result[i], why), PATINA_OK);
        patina_close(p);
    }
    for (int i = PATINA_GRID; i < PATINA_PICTURES_MAX; i++) {
        struct patina_picture a = patina_result_picture(result[0], i);
        struct patina_picture b = patina_result_picture(result[1], i);
        assert_int_equal(a.width, i == PATINA_GRID ? 2 * W : W);
        assert_int_equal(a.height, i == PATINA_GRID ? 2 * H : H);
        for (int y = 0; y < a.height; y++)
            assert_memory_equal(a.rgba + (size_t)y * a.stride, b.rgba + (size_t)y * b.stride,
                                4 * (size_t)a.width);
    }
    assert_int_equal(patina_result_picture(result[0], 4).width, 0);
    assert_int_equal(patina_result_count(result[0]), 4);
    assert_int_equal(patina_result_seed(result[0]), 7);
    assert_non_null(strstr(patina_result_interpretation(result[0]), "oil painting"));
    assert_int_equal(*patina_result_warnings(result[0]), '[');
    patina_result_free(result[0]);
    patina_result_free(result[1]);
}

static void bad_requests_are_refused_with_a_reason(void **state)
{
    static char long_prompt[PATINA_PROMPT_MAX + 2];
    struct patina *p;
    struct patina_result *result = NULL;

    (void)state;
    memset(long_prompt, 'a', PATINA_PROMPT_MAX + 1);
    assert_int_equal(patina_open(NULL, &p, NULL), PATINA_OK);
    for (int i = 0; i < 11; i++) {
        struct patina_request r = request();
        char why[PATINA_WHY] = "";
        switch (i) {
        case 0:
            r.count = 0;
            break;
        case 1:
            r.count = 5;
            break;
        case 2:
            r.width = 0;
            break;
        case 3:
            r.width = PATINA_SIDE_MAX + 1;
            break;
        case 4:
            r.prompt = " \t";
            break;
        case 5:
            r.prompt = "\xC0\x80";
            break;
        case 6:
            r.prompt = long_prompt;
            break;
        case 7:
            r.stride = 4 * W - 1;
            break;
        case 8:
            r.pixels = -1;
            break;
        case 9:
            r.style_rgba = r.rgba; // of no size
            break;
        case 10:
            r.style_rgba = r.rgba;
            r.style_width = W;
            r.style_height = H;
            r.style_stride = 4 * W - 1;
            break;
        }
        assert_int_equal(patina_render(p, &r, &result, why), PATINA_INVALID);
        assert_true(strlen(why) > 10);
        assert_null(result);
    }
    long_prompt[PATINA_PROMPT_MAX] = 0;
    char *json;
    assert_int_equal(patina_read_prompt(NULL, long_prompt, &json, NULL), PATINA_OK);
    patina_free(json);
    patina_close(p);

    struct patina_options o = {.engine = "looks"};
    char why[PATINA_WHY];
    assert_int_equal(patina_open(&o, &p, why), PATINA_INVALID);
    assert_non_null(strstr(why, "\"looks\""));
}

static void a_style_that_no_look_takes_is_told(void **state)
{
    struct patina_request r = request();
    struct patina_result *result;
    struct patina *p;

    (void)state;
    r.style_rgba = r.rgba;
    r.style_width = W;
    r.style_height = H;
    assert_int_equal(patina_open(NULL, &p, NULL), PATINA_OK);
    assert_int_equal(patina_render(p, &r, &result, NULL), PATINA_OK);
    assert_non_null(strstr(patina_result_warnings(result), "style picture"));
    patina_result_free(result);
    patina_close(p);
}

static void cancel_at_first_progress(void *ctx, float done)
{
    (void)done;
    patina_cancel(ctx);
}

static void a_cancelled_render_gives_nothing_and_the_next_one_works(void **state)
{
    struct patina *p;
    struct patina_result *result = NULL;
    struct patina_request r = request();

    (void)state;
    assert_int_equal(patina_open(NULL, &p, NULL), PATINA_OK);
    r.progress = cancel_at_first_progress;
    r.progress_ctx = p;
    assert_int_equal(patina_render(p, &r, &result, NULL), PATINA_CANCELLED);
    assert_null(result);
    r.progress = NULL;
    assert_int_equal(patina_render(p, &r, &result, NULL), PATINA_OK);
    patina_result_free(result);
    patina_close(p);
}

static void a_prompt_is_read_without_rendering(void **state)
{
    char *json;

    (void)state;
    assert_int_equal(patina_read_prompt(NULL, "oil painting --seed 5", &json, NULL), PATINA_OK);
    assert_non_null(strstr(json, "\"medium\":\"oil painting\""));
    patina_free(json);
    assert_int_equal(patina_read_prompt(NULL, "ukiyo-e of a cat", &json, NULL), PATINA_OK);
    assert_non_null(strstr(json, "\"medium\":\"ukiyo-e\""));
    assert_non_null(strstr(json, "made as woodcut instead"));
    patina_free(json);
    assert_int_equal(patina_read_prompt(NULL, "", &json, NULL), PATINA_INVALID);

    struct patina_options o = {.looks_dir = "/nowhere"};
    char why[PATINA_WHY];
    assert_int_not_equal(patina_read_prompt(&o, "oil", &json, why), PATINA_OK);
    assert_non_null(strstr(why, "/nowhere"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request_gives_the_same_pixels_on_any_threads),
        cmocka_unit_test(bad_requests_are_refused_with_a_reason),
        cmocka_unit_test(a_style_that_no_look_takes_is_told),
        cmocka_unit_test(a_cancelled_render_gives_nothing_and_the_next_one_works),
        cmocka_unit_test(a_prompt_is_read_without_rendering),
    };
    fill_photo();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
