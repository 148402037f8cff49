/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "job/board.h"
#include "job/job.h"
#include "job/job_error.h"

#include <pthread.h>
#include <string.h>

static void states_have_the_protocols_words(void **state)
{
    static const char *const words[JOB_STATES] = {"pending", "staged", "processing", "completed",
                                                  "failed"};
    static const char *const not_words[] = {"", "Pending", "pending ", "running", "cancelled"};
    enum job_state s;

    (void)state;
    for (int i = 0; i < JOB_STATES; i++) {
        assert_string_equal(job_state_name((enum job_state)i), words[i]);
        assert_int_equal(job_state_parse(words[i], &s), ERR_OK);
        assert_int_equal(s, i);
        assert_int_equal(job_state_final((enum job_state)i), i >= 3);
    }
    for (size_t i = 0; i < sizeof(not_words) / sizeof(not_words[0]); i++)
        assert_int_equal(job_state_parse(not_words[i], &s), ERR_INVALID);
}

static void only_the_moves_of_the_diagram_exist(void **state)
{
    // Rows: from; columns: to, in the order of the enum.
    static const char *const table[JOB_STATES] = {".x..x", "x.x.x", "x..xx", ".....", "....."};

    (void)state;
    for (int from = 0; from < JOB_STATES; from++) {
        for (int to = 0; to < JOB_STATES; to++) {
            enum job_state s = (enum job_state)from;
            enum err e = job_state_move(&s, (enum job_state)to);
            bool may = table[from][to] == 'x';
            assert_int_equal(e, may ? ERR_OK : ERR_WRONG_STATE);
            assert_int_equal(s, may ? to : from);
        }
    }
}

static void tries_are_counted_two_ways(void **state)
{
    static const struct {
        int claims, strikes;
        bool left;
    } row[] = {
        {1, 0, true},
        {JOB_CLAIMS_MAX - 1, 0, true},
        {JOB_CLAIMS_MAX, 0, false},
        {3, JOB_STRIKES_MAX - 1, true},
        {3, JOB_STRIKES_MAX, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct job j = {.claims = row[i].claims, .strikes = row[i].strikes};
        assert_int_equal(job_has_claims_left(&j), row[i].left);
    }
}

static void every_error_code_has_a_phrase(void **state)
{
    static const int codes[] = {403, 413, 415, 422, 424, 499, 500, 504};
    static const int not_codes[] = {-1, 0, 200, 400, 404, 501};

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_non_null(job_error_phrase(codes[i]));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(job_error_phrase(codes[i]), job_error_phrase(codes[k]));
    }
    for (size_t i = 0; i < sizeof(not_codes) / sizeof(not_codes[0]); i++)
        assert_null(job_error_phrase(not_codes[i]));
}

static void the_board_keeps_what_jobs_do(void **state)
{
    struct board *b = NULL;
    struct board_entry e = {.stage = STAGE_RENDERING, .progress = 40, .eta_ms = 900}, got;

    (void)state;
    assert_int_equal(board_new(&b), ERR_OK);
    board_set(b, "none", &e);
    assert_false(board_get(b, "none", &got));

    const atomic_bool *flag = board_add(b, "a");
    assert_non_null(flag);
    assert_true(board_get(b, "a", &got));
    assert_int_equal(got.stage, STAGE_QUEUED);
    assert_int_equal(got.eta_ms, -1);

    board_set(b, "a", &e);
    e.progress = 39; // progress never falls...
    board_set(b, "a", &e);
    assert_true(board_get(b, "a", &got));
    assert_int_equal(got.progress, 40);
    assert_int_equal(got.stage, STAGE_RENDERING);
    assert_ptr_equal(board_add(b, "a"), flag); // ...within one attempt
    assert_true(board_get(b, "a", &got));
    assert_int_equal(got.progress, 0);

    board_remove(b, "a");
    board_remove(b, "a");
    assert_false(board_get(b, "a", &got));
    assert_string_equal(job_stage_name(STAGE_DONE), "done");
    board_free(b);
}

static void what_is_left_comes_to_follow_the_runs_own_pace(void **state)
{
    static const struct {
        int64_t reckoned, passed;
        double done;
        int64_t left;
    } row[] = {
        {1000, 0, 0.0, 1000},    {1000, 50, 0.05, 950},  {1000, 500, 0.5, 500}, // as reckoned
        {1000, 5, 0.05, 522},    {1000, 10, 0.1, 90},    {1000, 50, 0.5, 50},   // ten times as fast
        {1000, 50, 0.025, 1219}, {1000, 400, 0.2, 1600}, {0, 300, 0.75, 100},   {1000, 700, 1.0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        assert_in_range(board_left_ms(row[i].reckoned, row[i].passed, row[i].done),
                        row[i].left > 0 ? row[i].left - 1 : 0, row[i].left + 1);
    // Whatever was reckoned, from a tenth of the way on; also when the first of it, a fiftieth,
    // went at half the pace.
    for (int64_t reckoned = 1; reckoned <= 100000000; reckoned *= 10) {
        for (double done = 0.1; done < 1.0; done += 0.01) {
            const double passed = 200000 * done, left = 200000 - passed;
            assert_in_range(board_left_ms(reckoned, (int64_t)passed, done), (int64_t)left - 10,
                            (int64_t)left + 10);
            assert_in_range(board_left_ms(reckoned, (int64_t)passed + 4000, done), (int64_t)left,
                            (int64_t)(left * 1.2) + 10);
        }
    }
}

static void cancelling_reaches_whom_it_concerns(void **state)
{
    struct board *b = NULL;

    (void)state;
    assert_int_equal(board_new(&b), ERR_OK);
    const atomic_bool *one = board_add(b, "one"), *two = board_add(b, "two");
    board_cancel(b, "neither");
    assert_false(*one || *two);
    board_cancel(b, "two");
    assert_false(*one);
    assert_true(*two);
    board_cancel(b, "one");
    assert_true(*one);
    assert_ptr_equal(board_add(b, "one"), one); // a new attempt begins uncancelled
    assert_false(*one);
    board_free(b);
}

static void the_estimate_learns_within_bounds(void **state)
{
    struct board *b = NULL;

    (void)state;
    assert_int_equal(board_new(&b), ERR_OK);
    assert_float_equal(board_correction(b), 1, 0);
    board_measured(b, 0, 100); // no estimate, nothing to learn
    assert_float_equal(board_correction(b), 1, 0);
    for (int i = 0; i < 40; i++)
        board_measured(b, 100, 300);
    assert_float_equal(board_correction(b), 3, .01);
    for (int i = 0; i < 40; i++)
        board_measured(b, 1, 1000000);
    assert_float_equal(board_correction(b), 20, 0);
    for (int i = 0; i < 40; i++)
        board_measured(b, 1000000, 0);
    assert_float_equal(board_correction(b), .05, 0);
    board_free(b);
}

struct crowd {
    struct board *b;
    int number;
};

// Gives NULL back when all was well.
static void *come_and_go(void *arg)
{
    const struct crowd *c = arg;
    struct board_entry got;
    char uuid[UUID_TEXT];

    for (int i = 0; i < 2000; i++) {
        struct board_entry e = {.stage = STAGE_FETCHING, .progress = i % 101};
        snprintf(uuid, sizeof(uuid), "%d-%d", c->number, i % 300);
        if (!board_add(c->b, uuid))
            return arg;
        board_set(c->b, uuid, &e);
        board_cancel(c->b, uuid);
        if (!board_get(c->b, uuid, &got) || got.progress != e.progress)
            return arg; // another's entry
        if (i % 2)
            board_remove(c->b, uuid);
    }
    return NULL;
}

static void many_threads_share_the_board(void **state)
{
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    struct crowd c[THREADS];
    struct board *b = NULL;

    (void)state;
    assert_int_equal(board_new(&b), ERR_OK);
    for (int i = 0; i < THREADS; i++) {
        c[i] = (struct crowd){b, i};
        assert_int_equal(pthread_create(&thread[i], NULL, come_and_go, &c[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *problem = NULL;
        pthread_join(thread[i], &problem);
        assert_null(problem);
    }
    board_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_have_the_protocols_words),
        cmocka_unit_test(only_the_moves_of_the_diagram_exist),
        cmocka_unit_test(tries_are_counted_two_ways),
        cmocka_unit_test(every_error_code_has_a_phrase),
        cmocka_unit_test(the_board_keeps_what_jobs_do),
        cmocka_unit_test(what_is_left_comes_to_follow_the_runs_own_pace),
        cmocka_unit_test(cancelling_reaches_whom_it_concerns),
        cmocka_unit_test(the_estimate_learns_within_bounds),
        cmocka_unit_test(many_threads_share_the_board),
    };

    return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
