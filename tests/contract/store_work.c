/* SPDX-License-Identifier: MIT */
#include "contract/store_fixture.h"
#include "contract/store_suite.h"

#include <string.h>

static void a_job_goes_all_the_way(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    struct submit_call c;
    struct job j;
    bool known;

    submit_init(&c, f, one);
    c.in.callback = "https://example.com/hook";
    assert_ok(submit_wait(f->s, &c.in, NULL));
    clock_sim_advance(&f->clock, 1000);
    struct lease l = claim(f, &j);
    assert_string_equal(j.uuid, c.uuid);
    assert_string_equal(j.prompt, c.in.prompt);
    assert_int_equal(j.claims, 1);
    assert_int_equal(j.state, JOB_PENDING); // still what clients see
    assert_int_equal(j.started_ms, START_MS + 1000);
    assert_int_equal(get_account(f, one).running, 1);
    assert_int_equal(get_account(f, one).waiting, 0);

    assert_ok(store_set_source(f->s, &l, "source/a", 4711));
    assert_string_equal(get_job(f, c.uuid).source_blob, "source/a");
    assert_ok(store_advance(f->s, &l, JOB_STAGED));
    assert_int_equal(get_job(f, c.uuid).state, JOB_STAGED);
    assert_ok(store_advance(f->s, &l, JOB_PROCESSING));
    assert_int_equal(get_job(f, c.uuid).state, JOB_PROCESSING);
    clock_sim_advance(&f->clock, 500);
    struct job_end end = good_end(f, c.uuid);
    assert_ok(store_finish(f->s, &l, &end));

    j = get_job(f, c.uuid);
    assert_int_equal(j.state, JOB_COMPLETED);
    assert_true(j.has_seed);
    assert_int_equal(j.seed, 4294967295u);
    assert_int_equal(j.width, end.width);
    assert_int_equal(j.height, end.height);
    assert_string_equal(j.engine, end.engine);
    assert_string_equal(j.interpretation, end.interpretation);
    assert_string_equal(j.warnings, end.warnings);
    assert_string_equal(j.timings, end.timings);
    assert_int_equal(j.started_ms, START_MS + 1000);
    assert_int_equal(j.ended_ms, START_MS + 1500);
    assert_int_equal(j.expires_ms, j.ended_ms + RETENTION_MS);
    assert_int_equal(j.error_code, 0);
    assert_string_equal(j.error_message, "");
    struct account a = get_account(f, one);
    assert_int_equal(a.consumed, COST);
    assert_int_equal(a.available, 1000 - COST);
    assert_int_equal(a.frozen + a.waiting + a.running, 0);
    for (int i = 0; i < end.blob_count; i++) {
        assert_ok(store_blob_known(f->s, end.blob_keys[i], &known));
        assert_true(known);
    }
    assert_int_equal(store_finish(f->s, &l, &end), ERR_LOST); // it ends once
    assert_int_equal(store_heartbeat(f->s, &l), ERR_LOST);
}

static void a_failed_job_gives_its_points_back(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    char uuid[UUID_TEXT];
    struct job j;

    add_job(f, one, uuid);
    struct lease l = claim(f, &j);
    assert_ok(store_finish(f->s, &l, &bad_end));
    j = get_job(f, uuid);
    assert_int_equal(j.state, JOB_FAILED);
    assert_int_equal(j.error_code, 424);
    assert_string_equal(j.error_message, bad_end.error_message);
    assert_string_equal(j.error_detail, bad_end.error_detail);
    assert_false(j.has_seed || j.cancelled);
    assert_true(j.expires_ms > 0);
    struct account a = get_account(f, one);
    assert_int_equal(a.available, 1000);
    assert_int_equal(a.frozen + a.consumed + a.waiting + a.running, 0);
}

static void steps_cannot_be_left_out(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    char uuid[UUID_TEXT];
    struct job j;

    add_job(f, one, uuid);
    struct lease l = claim(f, &j);
    struct job_end end = good_end(f, uuid);
    assert_int_equal(store_advance(f->s, &l, JOB_PROCESSING), ERR_WRONG_STATE);
    assert_int_equal(store_finish(f->s, &l, &end), ERR_WRONG_STATE);
    assert_ok(store_advance(f->s, &l, JOB_STAGED));
    assert_int_equal(store_advance(f->s, &l, JOB_STAGED), ERR_WRONG_STATE);
    assert_int_equal(store_finish(f->s, &l, &end), ERR_WRONG_STATE);
    assert_ok(store_advance(f->s, &l, JOB_PROCESSING));
    assert_ok(store_finish(f->s, &l, &end));
}

static void a_stranger_can_do_nothing_to_a_leased_job(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    char uuid[UUID_TEXT];
    struct job j;

    add_job(f, one, uuid);
    struct lease l = claim(f, &j), stranger[] = {{l.job, l.token ^ 1}, {l.job + 1, l.token}};
    struct job_end end = good_end(f, uuid);
    for (size_t i = 0; i < COUNT_OF(stranger); i++) {
        assert_int_equal(store_heartbeat(f->s, &stranger[i]), ERR_LOST);
        assert_int_equal(store_set_source(f->s, &stranger[i], "source/x", 1), ERR_LOST);
        assert_int_equal(store_set_style(f->s, &stranger[i], "style/x", 1), ERR_LOST);
        assert_int_equal(store_advance(f->s, &stranger[i], JOB_STAGED), ERR_LOST);
        assert_int_equal(store_finish(f->s, &stranger[i], &end), ERR_LOST);
        assert_int_equal(store_hand_back(f->s, &stranger[i], true, "x"), ERR_LOST);
    }
    assert_ok(store_heartbeat(f->s, &l));
    assert_string_equal(get_job(f, uuid).source_blob, "");
    assert_int_equal(get_job(f, uuid).state, JOB_PENDING);
}

static void there_is_nothing_to_claim(void **state)
{
    FIXTURE(f);
    struct lease l;
    struct job j;

    assert_int_equal(store_claim(f->s, &f->a, &j, &l), ERR_NONE);
}

static void a_job_handed_back_keeps_its_place_and_its_source(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    char first[UUID_TEXT], second[UUID_TEXT];
    struct job j;

    add_job(f, one, first);
    add_job(f, one, second);
    struct lease l = claim_processing(f, &j), old = l;
    assert_ok(store_set_source(f->s, &l, "source/first", 10));
    clock_sim_advance(&f->clock, 100);
    assert_ok(store_hand_back(f->s, &l, false, "drain"));
    j = get_job(f, first);
    assert_int_equal(j.state, JOB_PENDING);
    assert_int_equal(j.strikes, 0);
    assert_int_equal(get_account(f, one).waiting, 2);
    assert_int_equal(store_heartbeat(f->s, &old), ERR_LOST);
    l = claim(f, &j);
    assert_string_equal(j.uuid, first);
    assert_int_equal(j.claims, 2);
    assert_int_equal(j.started_ms, START_MS); // the first claim's
    assert_string_equal(j.source_blob, "source/first");
    assert_true(l.token != old.token);
    assert_int_equal(store_finish(f->s, &old, &bad_end), ERR_LOST);
}

static void three_strikes_end_a_job(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    char uuid[UUID_TEXT];
    struct job j;

    add_job(f, one, uuid);
    for (int i = 1; i <= JOB_STRIKES_MAX; i++) {
        assert_int_equal(get_job(f, uuid).state, JOB_PENDING);
        struct lease l = claim(f, &j);
        assert_ok(store_hand_back(f->s, &l, true, "the renderer died (signal 11)"));
        assert_int_equal(get_job(f, uuid).strikes, i);
    }
    j = get_job(f, uuid);
    assert_int_equal(j.state, JOB_FAILED);
    assert_int_equal(j.error_code, 500);
    assert_non_null(strstr(j.error_message, "signal 11"));
    assert_non_null(strstr(j.error_message, "3 attempts"));
    assert_int_equal(get_account(f, one).available, 1000);
}

static void the_tenth_claim_ends_a_job(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    char uuid[UUID_TEXT], next[UUID_TEXT];
    struct job j;

    add_job(f, one, uuid);
    for (int i = 1; i < JOB_CLAIMS_MAX; i++) {
        struct lease l = claim(f, &j);
        assert_int_equal(j.claims, i);
        assert_ok(store_hand_back(f->s, &l, false, "drain"));
    }
    assert_int_equal(get_job(f, uuid).state, JOB_PENDING);
    add_job(f, one, next);
    (void)claim(f, &j); // passes over the one that it ends
    assert_string_equal(j.uuid, next);
    j = get_job(f, uuid);
    assert_int_equal(j.error_code, 500);
    assert_int_equal(j.claims, JOB_CLAIMS_MAX);
    assert_non_null(strstr(j.error_message, "started 9 times"));
    assert_int_equal(get_account(f, one).running, 1);
}

static void leases_run_out_without_heartbeat(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    char alive[UUID_TEXT], silent[UUID_TEXT];
    struct job j;
    int count = -1;

    assert_ok(store_reap(f->s, &count));
    assert_int_equal(count, 0);
    add_job(f, one, alive);
    add_job(f, one, silent);
    struct lease a = claim(f, &j), b = claim_processing(f, &j);
    clock_sim_advance(&f->clock, LEASE_MS - 1);
    assert_ok(store_heartbeat(f->s, &a));
    assert_ok(store_reap(f->s, &count));
    assert_int_equal(count, 0);
    clock_sim_advance(&f->clock, 1);
    assert_ok(store_reap(f->s, &count));
    assert_int_equal(count, 1);
    assert_ok(store_heartbeat(f->s, &a));
    assert_int_equal(store_heartbeat(f->s, &b), ERR_LOST);
    j = get_job(f, silent);
    assert_int_equal(j.state, JOB_PENDING);
    assert_int_equal(j.strikes, 0);
    clock_sim_jump(&f->clock, 365 * 24 * HOUR_MS); // a wall clock that jumps takes no lease
    assert_ok(store_reap(f->s, &count));
    assert_int_equal(count, 0);
}

static void after_a_restart_all_leases_are_handed_back(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    char uuid[3][UUID_TEXT];
    struct job j;
    int count = 0;

    for (int i = 0; i < 3; i++)
        add_job(f, one, uuid[i]);
    struct lease l = claim(f, &j);
    (void)claim_processing(f, &j);
    fixture_reopen(f);
    struct lease fresh = claim(f, &j);
    assert_ok(store_reap(f->s, &count));
    assert_int_equal(count, 2);
    assert_ok(store_heartbeat(f->s, &fresh)); // what this process has claimed stays
    assert_int_equal(store_finish(f->s, &l, &bad_end), ERR_LOST);
    for (int i = 0; i < 2; i++) {
        j = get_job(f, uuid[i]);
        assert_int_equal(j.state, JOB_PENDING);
        assert_int_equal(j.strikes, 0);
    }
    assert_ok(store_reap(f->s, &count));
    assert_int_equal(count, 0);
}

static void turns_are_fair(void **state)
{
    FIXTURE(f);
    int64_t account[3];
    char uuid[UUID_TEXT];
    // a has six jobs before b and c have any: still they take turns, and as jobs end, the account
    // with the fewest running ones is next.
    static const char want[] = "abcabcabc";
    struct job j;
    struct lease l[9];

    for (int i = 0; i < 3; i++)
        account[i] = add_account(f, "x", 100000);
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 6; k++)
            add_job(f, account[i], uuid);
    }
    for (size_t i = 0; i < strlen(want); i++) {
        l[i] = claim(f, &j);
        assert_int_equal(j.account, account[want[i] - 'a']);
    }
    assert_int_equal(store_claim(f->s, &f->a, &j, &l[0]), ERR_NONE); // all at CONCURRENCY
    assert_ok(store_finish(f->s, &l[8], &bad_end));                  // one of c
    assert_ok(store_finish(f->s, &l[4], &bad_end));                  // one of b
    (void)claim(f, &j);
    assert_int_equal(j.account, account[1]); // both run two; b was served longer ago
    (void)claim(f, &j);
    assert_int_equal(j.account, account[2]);
    assert_int_equal(store_claim(f->s, &f->a, &j, &l[0]), ERR_NONE);
}

static void concurrency_counts_leased_jobs(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 100000);
    char uuid[UUID_TEXT];
    struct lease l[CONCURRENCY], none;
    struct job j;

    for (int i = 0; i <= CONCURRENCY; i++)
        add_job(f, one, uuid);
    for (int i = 0; i < CONCURRENCY; i++)
        l[i] = i % 2 ? claim(f, &j) : claim_processing(f, &j);
    assert_int_equal(store_claim(f->s, &f->a, &j, &none), ERR_NONE);
    assert_ok(store_hand_back(f->s, &l[1], false, "drain"));
    (void)claim(f, &j);
    assert_int_equal(store_claim(f->s, &f->a, &j, &none), ERR_NONE);
}

static void cancelling_ends_what_has_not_ended(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000), two = add_account(f, "two", 0);
    char waiting[UUID_TEXT], running[UUID_TEXT], done[UUID_TEXT];
    bool was_leased = true;
    struct job j;

    add_job(f, one, done);
    struct lease l = claim_processing(f, &j);
    struct job_end end = good_end(f, done);
    assert_ok(store_finish(f->s, &l, &end));
    add_job(f, one, running);
    l = claim_processing(f, &j);
    add_job(f, one, waiting);

    assert_int_equal(store_cancel(f->s, two, waiting, &f->a, &j, &was_leased), ERR_NOT_FOUND);
    assert_int_equal(store_cancel(f->s, one, "x", &f->a, &j, &was_leased), ERR_NOT_FOUND);
    assert_ok(store_cancel(f->s, one, waiting, &f->a, &j, &was_leased));
    assert_false(was_leased);
    assert_int_equal(j.state, JOB_FAILED);
    assert_int_equal(j.error_code, 499);
    assert_true(j.cancelled);
    assert_int_equal(strncmp(j.error_message, "Job was cancelled", 17), 0);
    assert_ok(store_cancel(f->s, -1, running, &f->a, &j, &was_leased));
    assert_true(was_leased);
    assert_int_equal(store_finish(f->s, &l, &bad_end), ERR_LOST);
    assert_int_equal(store_heartbeat(f->s, &l), ERR_LOST);

    assert_int_equal(store_cancel(f->s, one, running, &f->a, &j, &was_leased), ERR_REPLAY);
    assert_string_equal(j.uuid, running);
    assert_int_equal(store_cancel(f->s, one, done, &f->a, &j, &was_leased), ERR_WRONG_STATE);
    assert_int_equal(j.state, JOB_COMPLETED);
    struct account a = get_account(f, one);
    assert_int_equal(a.available, 1000 - COST);
    assert_int_equal(a.waiting + a.running + a.frozen, 0);
}

struct bell {
    _Atomic int jobs, deliveries;
};

static void ring_jobs(void *ctx)
{
    ((struct bell *)ctx)->jobs++;
}

static void ring_deliveries(void *ctx)
{
    ((struct bell *)ctx)->deliveries++;
}

static void workers_are_woken_when_there_may_be_work(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    struct submit_call c;
    struct bell bell = {0};
    struct job j;

    store_set_wake(f->s, ring_jobs, ring_deliveries, &bell);
    submit_init(&c, f, one);
    c.in.callback = "https://example.com/hook";
    assert_ok(submit_wait(f->s, &c.in, NULL));
    assert_ok(store_ping(f->s)); // waits for the bell of the commit before
    assert_int_equal(bell.jobs, 1);
    struct lease l = claim(f, &j);
    assert_ok(store_advance(f->s, &l, JOB_STAGED));
    assert_ok(store_ping(f->s));
    assert_int_equal(bell.jobs, 1);
    assert_ok(store_hand_back(f->s, &l, false, "drain"));
    assert_ok(store_ping(f->s));
    assert_int_equal(bell.jobs, 2);
    assert_int_equal(bell.deliveries, 0);
    l = claim(f, &j);
    assert_ok(store_finish(f->s, &l, &bad_end));
    assert_ok(store_ping(f->s));
    assert_int_equal(bell.jobs, 3); // a place is free
    assert_int_equal(bell.deliveries, 1);
}

int store_suite_work(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_job_goes_all_the_way),
        STORE_TEST(a_failed_job_gives_its_points_back),
        STORE_TEST(steps_cannot_be_left_out),
        STORE_TEST(a_stranger_can_do_nothing_to_a_leased_job),
        STORE_TEST(there_is_nothing_to_claim),
        STORE_TEST(a_job_handed_back_keeps_its_place_and_its_source),
        STORE_TEST(three_strikes_end_a_job),
        STORE_TEST(the_tenth_claim_ends_a_job),
        STORE_TEST(leases_run_out_without_heartbeat),
        STORE_TEST(after_a_restart_all_leases_are_handed_back),
        STORE_TEST(turns_are_fair),
        STORE_TEST(concurrency_counts_leased_jobs),
        STORE_TEST(cancelling_ends_what_has_not_ended),
        STORE_TEST(workers_are_woken_when_there_may_be_work),
    };

    return cmocka_run_group_tests_name("store work", tests, NULL, NULL);
}
