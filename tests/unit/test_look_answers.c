/* SPDX-License-Identifier: MIT */
#include "engine/engine_look_plan.h"
#include "look/traits.h"
#include "look_fixture.h"

#include <stdio.h>

/* What every look answers to what a prompt says: each parameter is seen on both sides of its usual
 * value, and each look's own words change it. */

enum { SIDE = 192 };

// A lit head before a sky, striped ground, grain: soft and hard edges, texture, colour.
static void paint_scene(struct image *im)
{
    uint32_t grain = 1;

    assert_int_equal(image_new(im, SIDE, SIDE), ERR_OK);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            int dx = x - 100, dy = y - 88, r = dx * dx + dy * dy * 3 / 4;
            bool eye = (x - 76) * (x - 76) + (y - 72) * (y - 72) < 60 ||
                       (x - 122) * (x - 122) + (y - 72) * (y - 72) < 60;
            int c[3] = {110 + y / 3, 150 + x / 8, 215 - y / 5};
            if (y > 156)
                c[0] = 70 + 80 * ((x + y) / 12 % 2), c[1] = 100 + y / 6, c[2] = 50;
            if (r < 3200)
                c[0] = 225 - r / 40 - dx / 2, c[1] = 165 - r / 36 - dx / 2,
                c[2] = 125 - r / 36 - dx / 2;
            if (r < 3200 && eye)
                c[0] = 30, c[1] = 24, c[2] = 30;
            grain = grain * 1664525u + 1013904223u;
            for (int k = 0; k < 3; k++) {
                int v = c[k] + (int)(grain >> 29) - 4;
                px[k] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
            }
            px[3] = 255;
        }
}

// A picture and what of it is noticed as a whole.
struct view {
    struct image made;
    float traits[TRAITS];
};

static void make(const struct fixture *f, const struct image *source, const char *prompt,
                 struct view *out)
{
    struct arena a = ARENA_INIT;
    struct look_reading *r = calloc(1, sizeof(*r));
    struct prompt *p = arena_alloc(&a, sizeof(*p));

    assert_non_null(r);
    assert_non_null(p);
    assert_int_equal(prompt_read(p, &a, prompt, strlen(prompt)), ERR_OK);
    look_reading_make(f->recipes, p, r);
    struct look_options o = {.raw = p->style_raw};
    struct look_request request = {
        .source = source, .plan = &r->plan, .options = &o, .seed = 4, .count = 1, .pool = f->pool};
    assert_int_equal(look_render(&request, &out->made, NULL), ERR_OK);
    assert_int_equal(traits_of(&out->made, f->pool, out->traits), ERR_OK);
    free(r);
    arena_release(&a);
}

// In traits, and place by place, where all traits may stay as they are: .05 shows.
static double apart(const struct view *a, const struct view *b)
{
    size_t bytes = a->made.stride * (size_t)a->made.height;
    double sum = 0.0;

    for (size_t i = 0; i < bytes; i++)
        sum += abs(a->made.px[i] - b->made.px[i]);
    return (double)traits_distance(a->traits, b->traits) + sum / (double)bytes / 100.0;
}

// All looks would take a minute under sanitizers.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { EVERY = 6 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { EVERY = 6 };
#else
enum { EVERY = 1 };
#endif
#else
enum { EVERY = 1 };
#endif

static void try_parameter(const struct fixture *f, const struct image *source, const char *look,
                          const char *low, const char *high, const struct view *usual, double least)
{
    struct view at_low, at_high;
    char prompt[128];

    snprintf(prompt, sizeof(prompt), "%s %s", look, low);
    make(f, source, prompt, &at_low);
    snprintf(prompt, sizeof(prompt), "%s %s", look, high);
    make(f, source, prompt, &at_high);
    double below = apart(&at_low, usual), above = apart(usual, &at_high);
    // Where it leads to is asked in test_look_curves.c.
    if (below < least || above < least)
        fail_msg("%s: %.3f from \"%s\", %.3f to \"%s\"", look, below, low, above, high);
    image_release(&at_low.made);
    image_release(&at_high.made);
}

static void parameters_are_seen_on_both_sides(void **state)
{
    const struct fixture *f = *state;
    struct image source;

    paint_scene(&source);
    for (int i = 0; recipe_at(f->recipes, i); i += EVERY) {
        const char *look = recipe_at(f->recipes, i)->name[0];
        struct view usual, raw;
        char prompt[128];
        make(f, &source, look, &usual);
        snprintf(prompt, sizeof(prompt), "%s --style raw", look);
        make(f, &source, prompt, &raw);
        if (apart(&usual, &raw) < 0.05)
            fail_msg("%s: %.3f", prompt, apart(&usual, &raw));
        try_parameter(f, &source, look, "--s 0", "--s 1000", &usual, 0.05);
        try_parameter(f, &source, look, "--iw 0", "--iw 3", &usual, 0.05);
        try_parameter(f, &source, look, "--q .25", "--q 4", &usual, 0.04);
        image_release(&usual.made);
        image_release(&raw.made);
    }
    image_release(&source);
}

// Between the ends a parameter goes part of the way, and never back.
static void numbers_between_go_part_of_the_way(void **state)
{
    static const char *const PROMPT[] = {"marble --s 0",   "marble --s 50",  "marble",
                                         "marble --s 300", "marble --s 650", "marble --s 1000"};
    enum { N = sizeof(PROMPT) / sizeof(PROMPT[0]) };
    const struct fixture *f = *state;
    struct image source;
    struct view v[N];

    paint_scene(&source);
    for (int i = 0; i < N; i++)
        make(f, &source, PROMPT[i], &v[i]);
    for (int i = 1; i < N; i++)
        if (apart(&v[0], &v[i]) <= apart(&v[0], &v[i - 1]) ||
            (i + 1 < N && apart(&v[i], &v[N - 1]) >= apart(&v[i - 1], &v[N - 1])))
            fail_msg("%s: %.3f, before %.3f", PROMPT[i], apart(&v[0], &v[i]),
                     apart(&v[0], &v[i - 1]));
    for (int i = 0; i < N; i++)
        image_release(&v[i].made);
    image_release(&source);
}

// Every word that a look lists moves one of its parameters by what can be seen: a tenth of its
// range, or a fifth of its own value.
static void words_move_what_they_list(void **state)
{
    static const char *const EVERYWHERE[] = {"bold", "minimal", "detailed"};
    const struct fixture *f = *state;

    for (int i = 0; recipe_at(f->recipes, i); i++) {
        const struct recipe *r = recipe_at(f->recipes, i);
        for (size_t k = 0; k < 3; k++)
            if (!recipe_responds(r, EVERYWHERE[k]))
                fail_msg("%s does not say what %s is", r->name[0], EVERYWHERE[k]);
        for (int w = 0; w < r->whens; w++) {
            const struct recipe_when *when = &r->when[w];
            bool seen = false;
            for (int m = when->first; m < when->first + when->moves; m++) {
                const struct recipe_step *step = &r->step[r->move[m].step];
                const struct look_param *p = &step->op->param[r->move[m].param];
                float from = step->value[r->move[m].param], by = fabsf(r->move[m].to - from);
                seen |= by >= 0.1f * (p->most - p->least) || by >= 0.2f * from;
            }
            if (!seen)
                fail_msg("%s: [when %s] moves next to nothing", r->name[0], when->word[0]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_seen_on_both_sides),
        cmocka_unit_test(numbers_between_go_part_of_the_way),
        cmocka_unit_test(words_move_what_they_list),
    };

    return cmocka_run_group_tests_name("look_answers", tests, open_all, close_all);
}
