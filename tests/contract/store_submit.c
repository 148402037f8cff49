/* SPDX-License-Identifier: MIT */
#include "contract/store_fixture.h"
#include "contract/store_suite.h"

#include "base/utf8.h"

#include <semaphore.h>
#include <string.h>

static void an_accepted_job_is_what_was_sent(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    struct submit_call c;

    submit_init(&c, f, one);
    c.in.callback = "https://example.com/hook";
    assert_ok(submit_wait(f->s, &c.in, NULL));
    for (int round = 0; round < 2; round++) {
        struct job j = get_job(f, c.uuid);
        assert_string_equal(j.uuid, c.uuid);
        assert_int_equal(j.account, one);
        assert_int_equal(j.state, JOB_PENDING);
        assert_string_equal(j.img_url, c.in.img_url);
        assert_string_equal(j.prompt, c.in.prompt);
        assert_string_equal(j.callback, c.in.callback);
        assert_int_equal(j.cost, COST);
        assert_int_equal(j.created_ms, START_MS);
        assert_int_equal(j.started_ms, -1);
        assert_int_equal(j.ended_ms, -1);
        assert_int_equal(j.expires_ms, -1);
        assert_int_equal(j.claims + j.strikes + j.error_code + j.width + j.height, 0);
        assert_false(j.has_seed || j.cancelled || j.is_private);
        assert_string_equal(j.source_blob, "");
        assert_string_equal(j.engine, "");
        assert_string_equal(j.error_message, "");
        assert_true(!j.interpretation && !j.warnings && !j.timings && !j.error_detail);
        fixture_reopen(f);
    }
    struct account a = get_account(f, one);
    assert_int_equal(a.available, 1000 - COST);
    assert_int_equal(a.frozen, COST);
    assert_int_equal(a.waiting, 1);
}

static void texts_of_the_greatest_length_are_kept(void **state)
{
    FIXTURE(f);
    enum { PROMPT = 8192 * 4, URL = 1024 * 4, CALLBACK = 2048 };
    char *prompt = arena_alloc(&f->a, PROMPT + 1), *url = arena_alloc(&f->a, URL + 1);
    char *callback = arena_alloc(&f->a, CALLBACK + 1);
    struct submit_call c;

    for (size_t i = 0; i < PROMPT; i += 4)
        utf8_encode(0x1F3A8, prompt + i);
    memset(url, 'u', URL);
    memset(callback, 'c', CALLBACK);
    submit_init(&c, f, add_account(f, "one", 1000));
    c.in.prompt = prompt;
    c.in.img_url = url;
    c.in.callback = callback;
    assert_ok(submit_wait(f->s, &c.in, NULL));
    struct job j = get_job(f, c.uuid);
    assert_string_equal(j.prompt, prompt);
    assert_string_equal(j.img_url, url);
    assert_string_equal(j.callback, callback);
}

static void points_are_spent_to_the_last_one(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 2 * COST - 1), none = add_account(f, "none", 0);
    struct submit_call c;
    char uuid[UUID_TEXT];
    struct job j;

    add_job(f, one, uuid);
    submit_init(&c, f, one);
    assert_int_equal(submit_wait(f->s, &c.in, NULL), ERR_NO_POINTS);
    assert_int_equal(store_job_get(f->s, -1, c.uuid, &f->a, &j), ERR_NOT_FOUND);
    assert_ok(store_points_add(f->s, one, 1));
    assert_ok(submit_wait(f->s, &c.in, NULL));
    assert_int_equal(get_account(f, one).available, 0);
    submit_init(&c, f, none);
    c.in.cost = 0; // a free service needs no points
    assert_ok(submit_wait(f->s, &c.in, NULL));
    submit_init(&c, f, none);
    c.in.cost = -1;
    assert_int_equal(submit_wait(f->s, &c.in, NULL), ERR_INVALID);
    submit_init(&c, f, 99);
    assert_int_equal(submit_wait(f->s, &c.in, NULL), ERR_NOT_FOUND);
}

static void the_queue_is_limited_per_account(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000000), two = add_account(f, "two", 1000000);
    char uuid[UUID_TEXT];
    struct submit_call c;
    struct job j;

    for (int i = 0; i < QUEUE_LIMIT; i++)
        add_job(f, one, uuid);
    submit_init(&c, f, one);
    assert_int_equal(submit_wait(f->s, &c.in, NULL), ERR_QUEUE_FULL);
    add_job(f, two, uuid);
    (void)claim(f, &j); // of account one, whose jobs are older; it waits no longer
    assert_int_equal(j.account, one);
    assert_ok(submit_wait(f->s, &c.in, NULL));
    submit_init(&c, f, one);
    assert_int_equal(submit_wait(f->s, &c.in, NULL), ERR_QUEUE_FULL);
}

static void a_key_gives_the_first_answer_again(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000), two = add_account(f, "two", 1000);
    struct submit_call first, again;
    char answer[256];
    struct job j;

    submit_init(&first, f, one);
    first.in.idem_key = "key-1";
    first.in.answer = "{\"job_id\":1}";
    first.in.answer_len = 12;
    memset(first.in.idem_hash, 1, SHA256_BYTES);
    assert_ok(submit_wait(f->s, &first.in, NULL));

    submit_init(&again, f, one);
    again.in.idem_key = "key-1";
    memset(again.in.idem_hash, 1, SHA256_BYTES);
    assert_int_equal(submit_wait(f->s, &again.in, answer), ERR_REPLAY);
    assert_string_equal(answer, "{\"job_id\":1}");
    assert_int_equal(store_job_get(f->s, -1, again.uuid, &f->a, &j), ERR_NOT_FOUND);
    assert_int_equal(get_account(f, one).frozen, COST);

    again.in.idem_hash[31] = 2;
    assert_int_equal(submit_wait(f->s, &again.in, NULL), ERR_CONFLICT);
    again.in.idem_path = "/api/v1/other"; // another path, another key space
    assert_ok(submit_wait(f->s, &again.in, NULL));
    submit_init(&again, f, two); // another account as well
    again.in.idem_key = "key-1";
    assert_ok(submit_wait(f->s, &again.in, NULL));
}

static void a_key_is_kept_for_a_day(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    struct submit_call c;

    submit_init(&c, f, one);
    c.in.idem_key = "key-1";
    assert_ok(submit_wait(f->s, &c.in, NULL));
    clock_sim_advance(&f->clock, 24 * HOUR_MS - 1);
    assert_ok(store_sweep(f->s, clock_unix_ms(&f->clock.clock)));
    uuid_v4(c.uuid);
    assert_int_equal(submit_wait(f->s, &c.in, NULL), ERR_REPLAY);
    clock_sim_advance(&f->clock, 1);
    assert_ok(submit_wait(f->s, &c.in, NULL)); // also when no sweep has run
    uuid_v4(c.uuid);
    assert_int_equal(submit_wait(f->s, &c.in, NULL), ERR_REPLAY);
    clock_sim_advance(&f->clock, 24 * HOUR_MS);
    assert_ok(store_sweep(f->s, clock_unix_ms(&f->clock.clock)));
    assert_ok(submit_wait(f->s, &c.in, NULL));
}

static void refusals_keep_no_key(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", COST - 1);
    struct submit_call c;

    submit_init(&c, f, one);
    c.in.idem_key = "key-1";
    assert_int_equal(submit_wait(f->s, &c.in, NULL), ERR_NO_POINTS);
    assert_ok(store_points_add(f->s, one, 1));
    assert_ok(submit_wait(f->s, &c.in, NULL));
}

static void keys_have_1_to_255_visible_characters(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 100000);
    char key[257];
    static const struct {
        size_t len;
        enum err e;
    } row[] = {{0, ERR_INVALID}, {1, ERR_OK}, {255, ERR_OK}, {256, ERR_INVALID}};
    static const char *const bad[] = {"a b", "a\tb", "\xC3\xA9", "a\x7F"};
    struct submit_call c;

    for (size_t i = 0; i < COUNT_OF(row); i++) {
        memset(key, 'k', sizeof(key));
        key[row[i].len] = '\0';
        submit_init(&c, f, one);
        c.in.idem_key = key;
        assert_int_equal(submit_wait(f->s, &c.in, NULL), row[i].e);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        submit_init(&c, f, one);
        c.in.idem_key = bad[i];
        assert_int_equal(submit_wait(f->s, &c.in, NULL), ERR_INVALID);
    }
}

static void the_accounts_mode_is_kept_on_the_job(void **state)
{
    FIXTURE(f);
    struct account_new in = {.name = "private", .is_private = true, .points = 1000};
    struct account a;
    char uuid[UUID_TEXT];

    assert_ok(store_account_create(f->s, &in, &a));
    add_job(f, a.id, uuid);
    assert_true(get_job(f, uuid).is_private);
}

static void jobs_are_found_by_their_owner_only(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000), two = add_account(f, "two", 0);
    char uuid[UUID_TEXT], other[UUID_TEXT];
    static const char *const malformed[] = {"",
                                            "x",
                                            "123e4567-e89b-42d3-a456-42661417400",
                                            "123e4567-e89b-42d3-a456-4266141740000",
                                            "123e4567e89b42d3a456426614174000",
                                            "123e4567-e89b-42d3-a456-42661417400g"};
    struct job j;

    add_job(f, one, uuid);
    uuid_v4(other);
    assert_ok(store_job_get(f->s, one, uuid, &f->a, &j));
    assert_ok(store_job_get(f->s, -1, uuid, &f->a, &j));
    assert_int_equal(store_job_get(f->s, two, uuid, &f->a, &j), ERR_NOT_FOUND);
    assert_int_equal(store_job_get(f->s, one, other, &f->a, &j), ERR_NOT_FOUND);
    for (size_t i = 0; i < COUNT_OF(malformed); i++)
        assert_int_equal(store_job_get(f->s, -1, malformed[i], &f->a, &j), ERR_NOT_FOUND);
}

static void lists_are_newest_first_and_go_on_where_they_ended(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 100000), two = add_account(f, "two", 1000);
    char uuid[9][UUID_TEXT], other[UUID_TEXT];
    struct job j, *list;
    int count;

    for (int i = 0; i < 9; i++)
        add_job(f, one, uuid[i]);
    add_job(f, two, other);
    // 0 completed, 1 failed, 2 processing, 3 staged, 4 claimed but still pending, 5..8 waiting
    f->options.concurrency = 99;
    fixture_reopen(f);
    struct lease l = claim_processing(f, &j);
    struct job_end good = good_end(f, uuid[0]);
    assert_ok(store_finish(f->s, &l, &good));
    while (claim(f, &j), j.account != one) // the other account's turn comes in between
        ;
    l = (struct lease){0};
    bool was_leased;
    assert_ok(store_cancel(f->s, one, uuid[1], &f->a, &j, &was_leased));
    (void)claim_processing(f, &j);
    l = claim(f, &j);
    assert_ok(store_advance(f->s, &l, JOB_STAGED));
    (void)claim(f, &j);

    const struct {
        struct store_list q;
        const char *want; // digits of the jobs, newest first
    } row[] = {
        {{.account = one, .state = -1, .limit = 100}, "876543210"},
        {{.account = one, .state = -1, .limit = 9}, "876543210"},
        {{.account = one, .state = -1, .limit = 1}, "8"},
        {{.account = one, .state = JOB_PENDING, .limit = 100}, "87654"},
        {{.account = one, .state = JOB_STAGED, .limit = 100}, "3"},
        {{.account = one, .state = JOB_PROCESSING, .limit = 100}, "2"},
        {{.account = one, .state = JOB_COMPLETED, .limit = 100}, "0"},
        {{.account = one, .state = JOB_FAILED, .limit = 100}, "1"},
        {{.account = one, .state = JOB_FAILED, .active = true, .limit = 100}, "8765432"},
        {{.account = one, .state = -1, .active = true, .limit = 3}, "876"},
        {{.account = 99, .state = -1, .limit = 100}, ""},
    };
    for (size_t i = 0; i < COUNT_OF(row); i++) {
        assert_ok(store_jobs_list(f->s, &row[i].q, &f->a, &list, &count));
        assert_int_equal(count, strlen(row[i].want));
        for (int k = 0; k < count; k++)
            assert_string_equal(list[k].uuid, uuid[row[i].want[k] - '0']);
    }
    struct store_list q = {.account = one, .state = -1, .limit = 2};
    int seen = 0;
    do {
        assert_ok(store_jobs_list(f->s, &q, &f->a, &list, &count));
        for (int k = 0; k < count; k++)
            assert_string_equal(list[k].uuid, uuid[8 - seen++]);
        q.before = count ? list[count - 1].id : 0;
    } while (count == 2);
    assert_int_equal(seen, 9);
}

static void lists_have_limits(void **state)
{
    FIXTURE(f);
    static const struct {
        struct store_list q;
        enum err e;
    } row[] = {
        {{.account = 1, .state = -1, .limit = 0}, ERR_INVALID},
        {{.account = 1, .state = -1, .limit = 1}, ERR_OK},
        {{.account = 1, .state = -1, .limit = 100}, ERR_OK},
        {{.account = 1, .state = -1, .limit = 101}, ERR_INVALID},
        {{.account = 1, .state = -2, .limit = 1}, ERR_INVALID},
        {{.account = 1, .state = JOB_STATES, .limit = 1}, ERR_INVALID},
        {{.account = 1, .state = -1, .limit = 1, .before = -1}, ERR_INVALID},
    };
    struct job *list;
    int count;

    for (size_t i = 0; i < COUNT_OF(row); i++)
        assert_int_equal(store_jobs_list(f->s, &row[i].q, &f->a, &list, &count), row[i].e);
}

static void waiting_ids_are_in_the_order_of_the_queue(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 100000), ids[4];
    char uuid[5][UUID_TEXT];
    struct job j;
    int count;

    for (int i = 0; i < 5; i++)
        add_job(f, one, uuid[i]);
    (void)claim(f, &j);
    assert_ok(store_waiting_ids(f->s, one, ids, 3, &count));
    assert_int_equal(count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ids[i], get_job(f, uuid[i + 1]).id);
    assert_ok(store_waiting_ids(f->s, one, ids, 4, &count));
    assert_int_equal(count, 4);
    assert_ok(store_waiting_ids(f->s, one, ids, 0, &count));
    assert_int_equal(count, 0);
}

// ---- many at once ----

struct crowd_of {
    sem_t done;
    _Atomic int accepted;
};

static void one_more(void *ctx, enum err e, const void *answer, size_t len)
{
    struct crowd_of *all = ctx;

    (void)answer;
    (void)len;
    all->accepted += e == ERR_OK;
    sem_post(&all->done);
}

// A third of them cannot pay.
static void many_accounts_share_a_batch(void **state)
{
    FIXTURE(f);
    enum { MANY = 300 };
    struct submit_call *c = arena_alloc(&f->a, MANY * sizeof(*c));
    struct crowd_of all = {0};
    int64_t account[MANY];

    sem_init(&all.done, 0, 0);
    for (int i = 0; i < MANY; i++) {
        account[i] = add_account(f, "x", i % 3 ? 2 * COST : COST - 1);
        (void)get_account(f, account[i]); // known in memory from now on
    }
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < MANY; i++) {
            submit_init(&c[i], f, account[i]);
            store_submit(f->s, &c[i].in, one_more, &all);
        }
        for (int i = 0; i < MANY; i++) {
            while (sem_wait(&all.done) != 0)
                ;
        }
        assert_int_equal(all.accepted, round * MANY * 2 / 3);
        for (int i = 0; i < MANY; i++) {
            struct account a = get_account(f, account[i]);
            assert_int_equal(a.waiting, i % 3 ? round : 0);
            assert_int_equal(a.frozen, a.waiting * COST);
        }
    }
    sem_destroy(&all.done);
}

static void closing_commits_what_was_handed_in(void **state)
{
    FIXTURE(f);
    enum { MANY = 20 };
    struct submit_call *c = arena_alloc(&f->a, MANY * sizeof(*c));
    struct crowd_of all = {0};
    int64_t one = add_account(f, "one", MANY * COST);

    sem_init(&all.done, 0, 0);
    for (int i = 0; i < MANY; i++) {
        submit_init(&c[i], f, one);
        store_submit(f->s, &c[i].in, one_more, &all);
    }
    fixture_reopen(f);
    assert_int_equal(all.accepted, MANY); // none is left without an answer
    for (int i = 0; i < MANY; i++)
        assert_int_equal(get_job(f, c[i].uuid).state, JOB_PENDING);
    sem_destroy(&all.done);
}

int store_suite_submit(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(an_accepted_job_is_what_was_sent),
        STORE_TEST(texts_of_the_greatest_length_are_kept),
        STORE_TEST(points_are_spent_to_the_last_one),
        STORE_TEST(the_queue_is_limited_per_account),
        STORE_TEST(a_key_gives_the_first_answer_again),
        STORE_TEST(a_key_is_kept_for_a_day),
        STORE_TEST(refusals_keep_no_key),
        STORE_TEST(keys_have_1_to_255_visible_characters),
        STORE_TEST(the_accounts_mode_is_kept_on_the_job),
        STORE_TEST(jobs_are_found_by_their_owner_only),
        STORE_TEST(lists_are_newest_first_and_go_on_where_they_ended),
        STORE_TEST(lists_have_limits),
        STORE_TEST(waiting_ids_are_in_the_order_of_the_queue),
        STORE_TEST(many_accounts_share_a_batch),
        STORE_TEST(closing_commits_what_was_handed_in),
    };

    return cmocka_run_group_tests_name("store submit", tests, NULL, NULL);
}
