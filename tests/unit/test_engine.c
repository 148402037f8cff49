/* SPDX-License-Identifier: MIT */
#include "engine/engine_run.h"

#include "base/json.h"
#include "look/recipe.h"
#include "prompt/lexicon.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_engine(void **state)
{
    struct engine_options o = {.threads = 2};
    struct engine *e;

    assert_int_equal(engine_look_ops.open(&o, &e, NULL), ERR_OK);
    *state = e;
    return 0;
}

static int close_engine(void **state)
{
    struct engine *e = *state;

    e->ops->close(e);
    return 0;
}

// Soft colours with one dark disc: something to crop around.
static void make_source(struct image *im, int width, int height)
{
    assert_int_equal(image_new(im, width, height), ERR_OK);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            int dx = x - width / 2, dy = y - height / 2;
            bool disc = dx * dx + dy * dy < height * height / 16;
            px[0] = (uint8_t)(disc ? 40 : 120 + 100 * x / width);
            px[1] = (uint8_t)(disc ? 20 : 140);
            px[2] = (uint8_t)(disc ? 30 : 200 - 100 * y / height);
            px[3] = 255;
        }
}

static struct engine_job job_of(const struct image *source, const char *prompt)
{
    return (struct engine_job){.source = source,
                               .prompt_text = prompt,
                               .prompt_len = strlen(prompt),
                               .pixels = 128 * 96,
                               .seed = 5,
                               .count = 1,
                               .threads = 1};
}

// How many warnings have this code, and words of it that contain `part` (NULL: any).
static int warnings_of(const struct engine_result *r, const char *code, const char *part)
{
    json_t *all = NULL, *one;
    size_t i;
    int n = 0;

    assert_int_equal(json_read(r->warnings.data, r->warnings.len, &all, NULL), ERR_OK);
    json_array_foreach(all, i, one)
    {
        const char *c = json_string_value(json_object_get(one, "code"));
        const char *m = json_string_value(json_object_get(one, "message"));
        assert_non_null(c);
        assert_non_null(m);
        n += strcmp(c, code) == 0 && (!part || strstr(m, part));
    }
    json_decref(all);
    return n;
}

static void engines_are_found_by_name(void **state)
{
    struct engine_options plain = {0}, with_model = {.model_path = "/nonexistent"};

    (void)state;
    assert_ptr_equal(engine_find("look", &plain), &engine_look_ops);
    assert_ptr_equal(engine_find("auto", &plain), &engine_look_ops);
    assert_non_null(engine_find("auto", &with_model));
    assert_null(engine_find("Look", &plain));
    assert_null(engine_find("", &plain));
    assert_ptr_equal(engine_table[0], &engine_look_ops);
}

static void a_request_gives_pictures_and_a_report(void **state)
{
    struct engine *e = *state;
    struct image source;
    struct engine_result r;

    make_source(&source, 320, 240);
    struct engine_job job = job_of(&source, "Convert to oil painting style --seed 77");
    job.count = 4;
    assert_int_equal(engine_run(e, &job, &r, NULL), ERR_OK);
    assert_int_equal(r.count, 4);
    assert_int_equal(r.seed, 77);
    assert_int_equal(r.width, 128);
    assert_int_equal(r.height, 96);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(r.picture[i].width, 128);
        assert_int_equal(r.picture[i].height, 96);
    }
    json_t *reading = NULL;
    assert_int_equal(json_read(r.interpretation.data, r.interpretation.len, &reading, NULL),
                     ERR_OK);
    assert_string_equal(json_string_value(json_object_get(reading, "medium")), "oil painting");
    json_decref(reading);
    assert_string_equal(r.warnings.data, "[]");
    engine_result_release(&r);
    image_release(&source);
}

static void a_picture_is_that_of_its_seed(void **state)
{
    struct engine *e = *state;
    struct image source;
    struct engine_result four, one;

    make_source(&source, 160, 120);
    struct engine_job job = job_of(&source, "oil painting");
    job.count = 4;
    assert_int_equal(engine_run(e, &job, &four, NULL), ERR_OK);
    assert_int_equal(four.seed, 5);
    job.first = 3;
    job.count = 1;
    assert_int_equal(engine_run(e, &job, &one, NULL), ERR_OK);
    assert_memory_equal(one.picture[0].px, four.picture[3].px, 4 * 128 * 96);
    engine_result_release(&one);
    job = job_of(&source, "oil painting --seed 8"); // 5 + 3
    assert_int_equal(engine_run(e, &job, &one, NULL), ERR_OK);
    assert_memory_equal(one.picture[0].px, four.picture[3].px, 4 * 128 * 96);
    engine_result_release(&one);
    engine_result_release(&four);
    image_release(&source);
}

static void what_cannot_be_honoured_is_told(void **state)
{
    struct engine *e = *state;
    static const struct {
        const char *prompt;
        const char *code;
        const char *part;
        int count;
    } row[] = {
        {"oil painting", "no_effect", NULL, 0},
        {"oil painting --chaos 40 --no red", "no_effect", NULL, 0},
        {"oil painting --s 300", "no_effect", NULL, 0},
        {"oil painting --iw 2", "no_effect", NULL, 0},
        {"oil painting --q 2", "no_effect", NULL, 0},
        {"oil painting --tile", "no_effect", "--tile", 1},
        {"oil painting --style raw", "no_effect", NULL, 0},
        {"oil painting --sref https://a.example/x.png", "no_effect", "--sref", 1},
        {"oil painting::2 sky::1", "no_effect", "::", 1},
        {"oil painting --no zebra", "no_effect", "zebra", 1},
        {"oil painting --no watercolour", "no_effect", NULL, 0},
        {"gold, not silver", "no_effect", NULL, 0},
        {"oil painting --no relief, texture, gloss, weave", "no_effect", NULL, 0},
        {"pencil --no canvas", "no_effect", NULL, 0},
        {"gold --no relief", "no_effect", NULL, 0},
        {"gold --no canvas", "no_effect", "--no canvas", 1},
        {"mosaic --no canvas", "no_effect", "--no canvas", 1},
        {"cel --no relief", "no_effect", "--no carved", 1},
        {"impressionist oil painting", "no_effect", NULL, 0},
        {"palette knife", "no_effect", NULL, 0},
        {"impasto watercolor", "nearest", "\"impasto\" was taken as \"textured\"", 1},
        {"oil painting, glossy, mossy", "no_effect", "\"mossy\" changes nothing in the look oil",
         1},
        {"oil painting at sunset in teal and orange", "no_effect", NULL, 0},
        {"ukiyo-e", "no_effect", "woodcut instead", 1},
        {"watercolour of a brass statue", "no_effect", "\"brass\" yet; made as gold instead", 1},
        {"wrought iron", "no_effect", "\"iron\" yet; made as silver instead", 1},
        {"rusty old iron", "no_effect", NULL, 0},
        {"silver relief", "no_effect", "\"relief\" changes nothing", 1},
        {"a watercolour by Monet", "nearest", "\"monet\" was taken as \"loose\"", 1},
        {"copper with green patina", "no_effect", NULL, 0},
        {"xyzzy plugh", "no_effect", "drawn from its words", 1},
        {"oil painting --ar 1:1", "cropped", "25 %", 1},
        {"oil painting", "enlarged", "100x75", 1},
    };
    struct image source;

    make_source(&source, 100, 75);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct engine_result r;
        struct engine_job job = job_of(&source, row[i].prompt);
        assert_int_equal(engine_run(e, &job, &r, NULL), ERR_OK);
        if (warnings_of(&r, row[i].code, row[i].part) != row[i].count)
            fail_msg("\"%s\": %s", row[i].prompt, r.warnings.data);
        engine_result_release(&r);
    }
    image_release(&source);
}

static void every_medium_and_material_comes_to_a_look(void **state)
{
    struct recipe_set *set;
    int named = 0;

    (void)state;
    assert_int_equal(recipe_set_open(NULL, &set, NULL), ERR_OK);
    for (size_t i = 0; i < lexicon_entry_count; i++) {
        const char *name = lexicon_entries[i].name;
        if (lexicon_entries[i].kind != LEXICON_MEDIUM &&
            lexicon_entries[i].kind != LEXICON_MATERIAL)
            continue;
        while (name && !recipe_find(set, name))
            name = prompt_nearest(name);
        if (!name)
            fail_msg("no look is near '%s'", lexicon_entries[i].name);
        named++;
    }
    assert_true(named > 300);
    recipe_set_close(set);
}

static void words_choose_where_nothing_was_understood(void **state)
{
    struct engine *e = *state;
    struct image source;
    struct engine_result a, b, again;

    make_source(&source, 160, 120);
    struct engine_job one = job_of(&source, "xyzzy"), other = job_of(&source, "plugh");
    assert_int_equal(engine_run(e, &one, &a, NULL), ERR_OK);
    assert_int_equal(engine_run(e, &one, &again, NULL), ERR_OK);
    assert_int_equal(engine_run(e, &other, &b, NULL), ERR_OK);
    assert_memory_equal(a.picture[0].px, again.picture[0].px, 4 * 128 * 96);
    assert_memory_not_equal(a.picture[0].px, b.picture[0].px, 4 * 128 * 96);
    engine_result_release(&a);
    engine_result_release(&b);
    engine_result_release(&again);
    image_release(&source);
}

static void sizes_are_planned_or_refused(void **state)
{
    struct engine *e = *state;
    struct image source;
    struct engine_result r = {.count = -1};
    struct err_note note = {0};

    make_source(&source, 160, 120);
    struct engine_job job = job_of(&source, "oil painting --ar 1:1");
    job.width = 96;
    job.height = 64; // wins over --ar
    assert_int_equal(engine_run(e, &job, &r, NULL), ERR_OK);
    assert_int_equal(r.width, 96);
    assert_int_equal(r.height, 64);
    engine_result_release(&r);

    r.count = -1;
    job.width = 64 * IMAGE_RESULT_SIDE_MIN;
    job.height = IMAGE_RESULT_SIDE_MIN; // a ratio of 64 to 1
    assert_int_equal(engine_run(e, &job, &r, &note), ERR_INVALID);
    assert_int_equal(r.count, -1);
    assert_true(note.text[0] != '\0');
    image_release(&source);
}

static void a_cancelled_run_leaves_nothing(void **state)
{
    struct engine *e = *state;
    struct image source;
    struct engine_result r = {.count = -1};
    atomic_bool cancel = true;

    make_source(&source, 160, 120);
    struct engine_job job = job_of(&source, "oil painting");
    job.cancel = &cancel;
    assert_int_equal(engine_run(e, &job, &r, NULL), ERR_CANCELLED);
    assert_int_equal(r.count, -1);
    image_release(&source);
}

static void estimates_grow_with_the_picture(void **state)
{
    struct engine *e = *state;
    const char *p = "oil painting";
    struct engine_job job = {.prompt_text = p, .prompt_len = strlen(p), .pixels = 1 << 18};
    struct engine_plan small, large;

    engine_run_plan(e, &(struct engine_sizes){400, 300, 0, 0}, &job, &small);
    job.pixels = 1 << 22;
    engine_run_plan(e, &(struct engine_sizes){400, 300, 0, 0}, &job, &large);
    assert_true(small.estimate.ms > 0 && large.estimate.ms > 4 * small.estimate.ms);
    assert_true(small.estimate.bytes > 400 * 300 * 4);
    assert_true(large.estimate.bytes > small.estimate.bytes);
    // A megapixel takes neither less than its own pixels nor more than a small machine has.
    job.pixels = 1 << 20;
    engine_run_plan(e, &(struct engine_sizes){1024, 1024, 0, 0}, &job, &large);
    assert_in_range(large.estimate.bytes, 40 << 20, 400 << 20);
    assert_int_equal(large.width, 1024);
    assert_int_equal(large.height, 1024);
}

static void a_plan_asks_for_what_cropping_takes_away(void **state)
{
    struct engine *e = *state;
    const char *p = "oil painting --ar 1:1";
    struct engine_job job = {.prompt_text = p, .prompt_len = strlen(p), .pixels = 1 << 16};
    struct engine_plan plan;

    engine_run_plan(e, &(struct engine_sizes){2000, 1000, 0, 0}, &job, &plan);
    assert_int_equal(plan.width, 256);
    assert_int_equal(plan.height, 256);
    assert_in_range(plan.source_pixels, 2 * 256 * 256, 2 * 256 * 256 + 1);
    job.width = 16; // below the shortest side
    job.height = 16;
    engine_run_plan(e, &(struct engine_sizes){2000, 1000, 0, 0}, &job, &plan);
    assert_int_equal(plan.width, 0);
    assert_int_equal(plan.source_pixels, 0);
}

// As large as a result at most and never enlarged, in its own shape, which is no ribbon.
static void a_style_picture_is_decoded_for_its_size(void **state)
{
    static const struct {
        int width, height, out_width, out_height;
        int64_t most, least; // pixels that are wanted of the decoder
    } row[] = {
        {4000, 3000, 0, 0, 512 * 512 + 1, 512 * 512 * 8 / 10},
        {200, 100, 0, 0, 208 * 112, 200 * 100 * 8 / 10},
        {4000, 3000, 256, 128, 256 * 128 + 1, 256 * 128 * 8 / 10},
        {16000, 1000, 0, 0, 2 * 512 * 512 + 2, 2 * 512 * 512 * 8 / 10}, // half of it is cut off
        {1000, 16000, 0, 0, 2 * 512 * 512 + 2, 2 * 512 * 512 * 8 / 10},
        {1, 1, 0, 0, 64 * 64 + 1, 64 * 64}, // the least that there is
    };
    struct engine *e = *state;
    const char *text = "oil painting";

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const struct engine_job job = {.prompt_text = text,
                                       .prompt_len = strlen(text),
                                       .pixels = 512 * 512,
                                       .width = row[i].out_width,
                                       .height = row[i].out_height};
        const struct engine_sizes sizes = {600, 400, row[i].width, row[i].height};
        struct engine_plan plan, without;
        engine_run_plan(e, &sizes, &job, &plan);
        engine_run_plan(e, &(struct engine_sizes){600, 400, 0, 0}, &job, &without);
        if (plan.style_pixels > row[i].most || plan.style_pixels < row[i].least)
            fail_msg("row %zu: %jd pixels", i, (intmax_t)plan.style_pixels);
        assert_int_equal(without.style_pixels, 0);
        assert_true(plan.estimate.bytes >=
                    without.estimate.bytes + (int64_t)row[i].width * row[i].height * 4);
    }
}

static void an_engine_without_styles_says_so(void **state)
{
    static const char *const prompt[] = {"oil painting",
                                         "oil painting --sref https://example.org/a.jpg"};
    struct engine *e = *state;
    struct image source;

    make_source(&source, 160, 120);
    for (size_t i = 0; i < sizeof(prompt) / sizeof(prompt[0]); i++) {
        struct engine_job job = job_of(&source, prompt[i]);
        struct arena arena = ARENA_INIT;
        struct engine_result r;
        const char *url = "";
        job.style = &source;
        assert_int_equal(engine_run(e, &job, &r, NULL), ERR_OK);
        assert_int_equal(warnings_of(&r, "no_effect", "style"), 1);
        assert_int_equal(engine_run_style(e, &job, &arena, &url), ERR_OK);
        assert_null(url);
        engine_result_release(&r);
        arena_release(&arena);
    }
    image_release(&source);
}

static void broken_recipes_keep_the_engine_shut(void **state)
{
    struct engine_options o = {.threads = 1, .looks_dir = "/nonexistent/looks"};
    struct engine *e = NULL;
    struct err_note note = {0};

    (void)state;
    assert_int_equal(engine_look_ops.open(&o, &e, &note), ERR_IO);
    assert_null(e);
    assert_non_null(strstr(note.text, "/nonexistent/looks"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engines_are_found_by_name),
        cmocka_unit_test(a_request_gives_pictures_and_a_report),
        cmocka_unit_test(a_picture_is_that_of_its_seed),
        cmocka_unit_test(what_cannot_be_honoured_is_told),
        cmocka_unit_test(every_medium_and_material_comes_to_a_look),
        cmocka_unit_test(words_choose_where_nothing_was_understood),
        cmocka_unit_test(sizes_are_planned_or_refused),
        cmocka_unit_test(a_cancelled_run_leaves_nothing),
        cmocka_unit_test(estimates_grow_with_the_picture),
        cmocka_unit_test(a_plan_asks_for_what_cropping_takes_away),
        cmocka_unit_test(a_style_picture_is_decoded_for_its_size),
        cmocka_unit_test(an_engine_without_styles_says_so),
        cmocka_unit_test(broken_recipes_keep_the_engine_shut),
    };

    return cmocka_run_group_tests_name("engine", tests, open_engine, close_engine);
}
