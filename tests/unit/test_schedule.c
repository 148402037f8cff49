/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "models/flux2/schedule.h"
#include "nn/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_MANY = 4300 }; // above it the shift is another line

static void sigmas_are_those_of_the_published_sampler(void **state)
{
    static const struct {
        int width, height;
        double sigma[5];
    } row[] = {
        {256, 256, {1, .9554, .8771, .7041, 0}},   {512, 512, {1, .9581, .8840, .7175, 0}},
        {768, 768, {1, .9622, .8947, .7390, 0}},   {1024, 1024, {1, .9674, .9081, .7672, 0}},
        {1280, 1024, {1, .9185, .7897, .5559, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        double sigma[5] = {9, 9, 9, 9, 9};
        schedule_sigmas((int64_t)row[i].width / FLUX2_PATCH * (row[i].height / FLUX2_PATCH), 4, 1.0,
                        sigma);
        for (int s = 0; s < 5; s++)
            assert_true(fabs(sigma[s] - row[i].sigma[s]) < 5.1e-5);
    }
}

static void sigmas_are_those_that_were_recorded(void **state)
{
    const char *root = getenv("MESON_SOURCE_ROOT"), *name;
    char path[4096];
    struct safetensors *golden;
    struct tensor_view v;
    int seen = 0;

    (void)state;
    snprintf(path, sizeof(path), "%s/tests/golden/flux2/pipeline.safetensors", root ? root : ".");
    assert_int_equal(safetensors_open(path, &golden, NULL), ERR_OK);
    for (int i = 0; (name = safetensors_at(golden, i, &v)); i++) {
        long tokens, steps;
        double sigma[FLUX2_STEPS_MAX + 1];
        float want[FLUX2_STEPS_MAX + 1];
        char *rest;
        if (strncmp(name, "schedule.", 9) != 0)
            continue;
        tokens = strtol(name + 9, &rest, 10);
        steps = strtol(rest + 1, NULL, 10);
        assert_int_equal(tensor_count(&v), steps + 1);
        tensor_read(&v, 0, steps + 1, want);
        schedule_sigmas(tokens, (int)steps, 1.0, sigma);
        for (long s = 0; s <= steps; s++)
            assert_true(fabs(sigma[s] - (double)want[s]) < 2e-7);
        seen++;
    }
    assert_int_equal(seen, 24);
    safetensors_close(golden);
}

static void the_shift_jumps_down_past_4300_tokens(void **state)
{
    double at[2], past[2];

    (void)state;
    assert_true(fabs(schedule_mu(TOKENS_MANY, 4) - 2.308478) < 1e-6);
    assert_true(fabs(schedule_mu(TOKENS_MANY + 1, 4) - 1.184697) < 1e-6);
    assert_true(fabs(schedule_mu(TOKENS_MANY, 200) - schedule_mu(TOKENS_MANY + 1, 200)) < 2e-4);
    assert_true(schedule_mu(TOKENS_MANY + 1, 4) == schedule_mu(TOKENS_MANY + 1, 50));
    schedule_sigmas(TOKENS_MANY, 1, 1.0, at);
    schedule_sigmas(TOKENS_MANY + 1, 1, 1.0, past);
    assert_true(at[0] == 1.0 && past[0] == 1.0 && at[1] == 0.0 && past[1] == 0.0);
}

static void a_later_start_spaces_the_steps_anew_below_it(void **state)
{
    static const double start[] = {1.0, 0.95, 0.5, 0.02};
    static const int64_t tokens[] = {1, 256, 1024, TOKENS_MANY, TOKENS_MANY + 1, 65536};

    (void)state;
    for (size_t n = 0; n < sizeof(tokens) / sizeof(tokens[0]); n++)
        for (size_t i = 0; i < sizeof(start) / sizeof(start[0]); i++)
            for (int steps = 1; steps <= FLUX2_STEPS_MAX; steps++) {
                double sigma[FLUX2_STEPS_MAX + 1];
                schedule_sigmas(tokens[n], steps, start[i], sigma);
                assert_true(sigma[0] == start[i]);
                assert_true(sigma[steps] == 0.0);
                for (int s = 0; s < steps; s++)
                    assert_true(sigma[s] > sigma[s + 1]);
            }
}

// Of many steps, those that begin at a sigma of the way are the rest of the way.
static void starting_on_the_way_goes_on_as_from_the_beginning(void **state)
{
    double whole[9], rest[5];

    (void)state;
    // Above 4300 tokens the shift does not depend on the number of steps.
    schedule_sigmas(5000, 8, 1.0, whole);
    schedule_sigmas(5000, 4, whole[4], rest);
    for (int i = 0; i <= 4; i++)
        assert_true(fabs(rest[i] - whole[4 + i]) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sigmas_are_those_of_the_published_sampler),
        cmocka_unit_test(sigmas_are_those_that_were_recorded),
        cmocka_unit_test(the_shift_jumps_down_past_4300_tokens),
        cmocka_unit_test(a_later_start_spaces_the_steps_anew_below_it),
        cmocka_unit_test(starting_on_the_way_goes_on_as_from_the_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
