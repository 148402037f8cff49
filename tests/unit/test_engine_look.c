/* SPDX-License-Identifier: MIT */
#include "engine/engine_look_plan.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How prompts become plans. */

static int open_set(void **state)
{
    struct recipe_set *s;

    assert_int_equal(recipe_set_open(NULL, &s, NULL), ERR_OK);
    *state = s;
    return 0;
}

static int close_set(void **state)
{
    recipe_set_close(*state);
    return 0;
}

struct read {
    struct arena arena;
    struct prompt *prompt;
    struct look_reading *reading;
};

static void read_prompt(const struct recipe_set *set, const char *text, struct read *out)
{
    *out = (struct read){.arena = ARENA_INIT, .reading = calloc(1, sizeof(*out->reading))};
    out->prompt = arena_alloc(&out->arena, sizeof(*out->prompt));
    assert_non_null(out->reading);
    assert_non_null(out->prompt);
    assert_int_equal(prompt_read(out->prompt, &out->arena, text, strlen(text)), ERR_OK);
    look_reading_make(set, out->prompt, out->reading);
}

static void read_release(struct read *r)
{
    free(r->reading);
    arena_release(&r->arena);
}

// "gold > oil painting * 2 + pencil * 1": chains by >, parts by +, weights where there are several.
static void describe(const struct look_plan *p, struct buf *out)
{
    for (int i = 0; i < p->parts; i++) {
        const struct look_part *part = &p->part[i];
        buf_adds(out, i ? " + " : "");
        for (int k = 0; k < part->recipes; k++)
            buf_addf(out, "%s%s", k ? " > " : "", part->recipe[k]->name[0]);
        if (p->parts > 1)
            buf_addf(out, " * %g", (double)part->weight);
    }
}

static void a_prompt_becomes_its_plan(void **state)
{
    static const struct {
        const char *prompt, *plan;
    } row[] = {
        {"Convert to oil painting style", "oil painting"},
        {"", "oil painting"},
        {"xyzzy", "oil painting"},
        {"sunset", "oil painting"},
        {"impressionist", "impressionist"},
        {"impressionist oil painting", "impressionist"},
        {"impasto watercolour", "watercolour"},
        {"carved from walnut", "walnut"},
        {"gold", "gold"},
        {"copper with green patina", "copper"},
        {"patinated copper", "copper"},
        {"green patina", "bronze"},
        {"bold oil painting", "oil painting"},
        // Material then medium.
        {"an oil painting of a bronze statue", "bronze > oil painting"},
        {"watercolour of a marble bust", "marble > watercolour"},
        {"engraving of a gold statue", "gold > engraving"},
        {"impressionist painting of a marble statue", "marble > impressionist"},
        // Blends.
        {"oil painting::2 watercolour::1", "oil painting * 2 + watercolour * 1"},
        {"oil painting::2 watercolour", "oil painting * 2 + watercolour * 1"},
        {"pencil::1 comic::0", "pencil"},
        {"pencil::1 comic::-1", "pencil"},
        {"pencil::1 pencil::3", "pencil"},
        {"pencil::1 woodcut::2 pencil::3", "pencil * 4 + woodcut * 2"},
        {"impressionist::1 oil painting::1", "impressionist * 1 + oil painting * 1"},
        {"oil painting of a gold statue::3 marble::1", "gold > oil painting * 3 + marble * 1"},
        {"mosaic::1 pencil::1 comic::1 marble::1",
         "mosaic * 1 + pencil * 1 + comic * 1 + marble * 1"},
        {"mosaic::1 pencil::1 comic::1 marble::1 oak::1",
         "mosaic * 1 + pencil * 1 + comic * 1 + marble * 1"},
        {"oil painting::2 sunset::1", "oil painting"},
    };
    const struct recipe_set *set = *state;
    struct buf got = BUF_INIT;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct read r;
        read_prompt(set, row[i].prompt, &r);
        buf_reset(&got);
        describe(&r.reading->plan, &got);
        if (strcmp(got.data, row[i].plan) != 0)
            fail_msg("\"%s\": %s, not %s", row[i].prompt, got.data, row[i].plan);
        read_release(&r);
    }
    buf_release(&got);
}

// The value that a parameter of a step of the prompt's only look has.
static float value_of(const struct recipe_set *set, const char *text, const char *op,
                      const char *param)
{
    struct read r;
    float v = -1.0f;

    read_prompt(set, text, &r);
    const struct recipe *recipe = r.reading->plan.part[0].recipe[0];
    for (int i = 0; i < recipe->steps && v < 0.0f; i++)
        for (int k = 0; recipe->step[i].op->param[k].name; k++)
            if (strcmp(recipe->step[i].op->name, op) == 0 &&
                strcmp(recipe->step[i].op->param[k].name, param) == 0)
                v = recipe->step[i].value[k];
    read_release(&r);
    return v;
}

static void a_second_material_lies_on_the_first(void **state)
{
    const struct recipe_set *set = *state;

    assert_true(value_of(set, "copper", "weather", "cover") == 0.0f);
    assert_true(value_of(set, "copper with verdigris", "weather", "cover") > 0.2f);
    assert_true(value_of(set, "patinated copper", "weather", "cover") > 0.2f);
    assert_true(value_of(set, "copper and gold", "weather", "cover") == 0.0f);
}

static void words_and_numbers_move_the_recipe(void **state)
{
    // Each row rises strictly from left to right.
    static const struct {
        const char *prompt[5], *op, *param;
    } row[] = {
        {{"polished gold", "gold", "matte gold"}, "metal", "roughness"},
        {{"gold --s 0", "gold --s 60", "gold", "gold --s 400", "gold --s 1000"}, "metal", "relief"},
        {{"gold --iw 0", "gold --iw 0.5", "gold --iw 1", "gold --iw 2", "gold --iw 3"},
         "metal",
         "shading"},
        {{"oil painting --q .25", "oil painting --q .5", "oil painting", "oil painting --q 2",
          "oil painting --q 4"},
         "strokes",
         "streak"},
        {{"delicate oil painting", "oil painting", "bold oil painting"}, "strokes", "radius"},
        {{"oil painting --style raw", "oil painting", "oil painting --s 1000"}, "grade", "chroma"},
    };
    const struct recipe_set *set = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        float before = -1.0f;
        for (size_t k = 0; k < 5 && row[i].prompt[k]; k++) {
            float v = value_of(set, row[i].prompt[k], row[i].op, row[i].param);
            if (v <= before)
                fail_msg("%s: %g, before %g", row[i].prompt[k], (double)v, (double)before);
            before = v;
        }
    }
    // Several words add up.
    float plain = value_of(set, "oil painting", "strokes", "thickness");
    float bold = value_of(set, "bold oil painting", "strokes", "thickness");
    float rough = value_of(set, "rough oil painting", "strokes", "thickness");
    float both = value_of(set, "bold, rough oil painting", "strokes", "thickness");
    assert_true(fabsf(both - (bold + rough - plain)) < 1e-4f);
}

static void what_is_not_heeded_is_told(void **state)
{
    static const struct {
        const char *prompt;
        const char *part; // of the only "no_effect" warning; NULL: there is none
    } row[] = {
        {"oil painting", NULL},
        {"bold oil painting --s 300 --iw 2 --q 2 --style raw", NULL},
        {"oil painting of a bronze statue", NULL},
        {"oil painting::2 watercolour::1", NULL},
        {"impressionist oil painting", NULL},
        {"polished oil painting of a gold statue", NULL}, // one of both knows it
        {"hammered marble", "\"hammered\" changes nothing in the look marble"},
        {"hammered marble::2 comic::1", "in the look marble and comic"},
        {"impasto watercolor", NULL}, // taken as "textured"
        {"baroque watercolor", "\"baroque\" changes nothing in the look watercolour"},
        {"gold and silver", "gold counts, so silver does not"},
        {"oil painting::2 sky::1", "names one alone: oil painting"},
        {"mosaic::1 pencil::1 comic::1 marble::1 oak::1", "at most 4 looks"},
        {"oil painting --tile", "--tile"},
        {"oil painting --sref https://a.example/x.png", "--sref"},
        {"oil painting --sw 50", "--sw"},
    };
    const struct recipe_set *set = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct read r;
        int count = 0;
        const char *last = "";
        read_prompt(set, row[i].prompt, &r);
        look_reading_warn(r.reading, set, r.prompt, &r.arena);
        for (int k = 0; k < r.prompt->warning_count; k++)
            if (strcmp(r.prompt->warning[k].code, "no_effect") == 0) {
                count++;
                last = r.prompt->warning[k].message;
            }
        if (count != (row[i].part != NULL) || (row[i].part && !strstr(last, row[i].part)))
            fail_msg("\"%s\": %d warnings, the last \"%s\"", row[i].prompt, count, last);
        read_release(&r);
    }
}

static void a_manner_that_a_look_does_not_know_is_its_nearest_word(void **state)
{
    static const struct {
        const char *prompt, *word, *heeded;
    } row[] = {
        {"impasto watercolor", "impasto", "textured"},
        {"textured watercolor", "textured", "textured"},
        {"an impressionist oil painting", "impressionist", "impressionist"},
        {"a Monet watercolour", "impressionist", "loose"},
        {"hammered marble", "hammered", NULL},
        {"baroque watercolour", "baroque", NULL},
    };
    const struct recipe_set *set = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct read r;
        read_prompt(set, row[i].prompt, &r);
        const char *heeded = look_reading_word(r.reading, row[i].word);
        if (row[i].heeded ? !heeded || strcmp(heeded, row[i].heeded) != 0 : heeded != NULL)
            fail_msg("\"%s\": %s", row[i].prompt, heeded ? heeded : "nothing");
        read_release(&r);
    }
}

static void parameters_that_a_look_does_not_answer_are_told(void **state)
{
    static const char *const TEXT = "name = oil painting\n[grade]\n[when --s 1000]\n"
                                    "grade.chroma = 3\n";
    const struct recipe_set *set = *state;
    struct read r;

    read_prompt(set, "oil painting --s 10 --q 4", &r);
    assert_int_equal(recipe_parse("t", TEXT, strlen(TEXT), &r.reading->recipe[0], NULL), ERR_OK);
    look_reading_warn(r.reading, set, r.prompt, &r.arena);
    assert_int_equal(r.prompt->warning_count, 2);
    assert_non_null(strstr(r.prompt->warning[0].message, "--s changes nothing"));
    assert_non_null(strstr(r.prompt->warning[1].message, "--q changes nothing"));
    read_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prompt_becomes_its_plan),
        cmocka_unit_test(a_second_material_lies_on_the_first),
        cmocka_unit_test(words_and_numbers_move_the_recipe),
        cmocka_unit_test(what_is_not_heeded_is_told),
        cmocka_unit_test(a_manner_that_a_look_does_not_know_is_its_nearest_word),
        cmocka_unit_test(parameters_that_a_look_does_not_answer_are_told),
    };

    return cmocka_run_group_tests_name("engine_look", tests, open_set, close_set);
}
