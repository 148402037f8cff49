/* SPDX-License-Identifier: MIT */
#include "contract/store_fixture.h"
#include "contract/store_suite.h"

#include <string.h>

static const char key_a[] = "key-of-16-chars!", key_b[] = "another-key-of-this-test";

static void hash(const char *key, uint8_t out[SHA256_BYTES])
{
    sha256(key, strlen(key), out);
}

static void accounts_are_created_with_their_points(void **state)
{
    FIXTURE(f);
    struct account_new in = {.name = "Zo\xC3\xAB", .is_private = true, .points = 5000};
    struct account a, b;

    assert_ok(store_account_create(f->s, &in, &a));
    assert_ok(store_account_create(f->s, &in, &b)); // names need not differ
    assert_true(a.id > 0 && b.id > a.id);
    assert_string_not_equal(a.uuid, b.uuid);
    assert_string_not_equal(a.webhook_secret, b.webhook_secret);
    a = get_account(f, a.id);
    assert_string_equal(a.name, in.name);
    assert_true(a.is_private);
    assert_false(a.disabled);
    assert_int_equal(a.granted, 5000);
    assert_int_equal(a.available, 5000);
    assert_int_equal(a.frozen + a.consumed + a.waiting + a.running, 0);
    assert_int_equal(a.created_ms, START_MS);
    assert_int_equal(strncmp(a.webhook_secret, "whsec_", 6), 0);
    assert_int_equal(strlen(a.webhook_secret), 6 + 44); // 32 bytes in base64
    assert_string_equal(a.webhook_secret_old, "");
    assert_int_equal(store_account_get(f->s, b.id + 1, &b), ERR_NOT_FOUND);
}

static void accounts_are_refused_with_bad_names_and_points(void **state)
{
    FIXTURE(f);
    char name[65];
    const struct {
        const char *name;
        int64_t points;
        enum err e;
    } row[] = {
        {name, 0, ERR_OK}, {name, -1, ERR_INVALID},  {"", 0, ERR_INVALID},
        {"x", 0, ERR_OK},  {"\xFF", 0, ERR_INVALID}, {"x", INT64_MAX, ERR_INVALID},
    };
    struct account a;

    memset(name, 'n', sizeof(name));
    name[63] = '\0';
    for (size_t i = 0; i < COUNT_OF(row); i++) {
        struct account_new in = {.name = row[i].name, .points = row[i].points};
        assert_int_equal(store_account_create(f->s, &in, &a), row[i].e);
    }
    name[63] = 'n';
    name[64] = '\0';
    struct account_new in = {.name = name};
    assert_int_equal(store_account_create(f->s, &in, &a), ERR_INVALID);
}

static void keys_open_their_account(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 0), two = add_account(f, "two", 0);
    uint8_t sha[SHA256_BYTES];
    struct account a;

    hash(key_a, sha);
    assert_int_equal(store_account_by_key(f->s, sha, &a), ERR_NOT_FOUND);
    assert_ok(add_key(f, one, key_a));
    assert_ok(store_account_by_key(f->s, sha, &a)); // at once, although it was missing just now
    assert_int_equal(a.id, one);
    assert_int_equal(add_key(f, two, key_a), ERR_REPLAY);
    assert_ok(store_account_by_key(f->s, sha, &a));
    assert_int_equal(a.id, one);
    assert_ok(add_key(f, one, key_b));
    hash(key_b, sha);
    assert_ok(store_account_by_key(f->s, sha, &a));
    assert_int_equal(a.id, one);
    assert_int_equal(add_key(f, 99, "a-key-for-nobody-at-all"), ERR_NOT_FOUND);
    fixture_reopen(f);
    assert_ok(store_account_by_key(f->s, sha, &a));
    assert_int_equal(a.id, one);
}

static void keys_have_16_to_256_visible_characters(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 0);
    char key[258];

    for (size_t len = 0; len < sizeof(key); len++) {
        memset(key, 'k', len);
        key[len] = '\0';
        bool fits = len >= 16 && len <= 256;
        assert_int_equal(add_key(f, one, key), fits ? ERR_OK : ERR_INVALID);
    }
    assert_int_equal(add_key(f, one, "with a space in it.."), ERR_INVALID);
    assert_int_equal(add_key(f, one, "with-a-newline-in-it\n"), ERR_INVALID);
    assert_int_equal(add_key(f, one, "not-ascii-\xC3\xA9-0123456789"), ERR_INVALID);
}

static void the_first_account_is_made_once(void **state)
{
    FIXTURE(f);
    struct account a, again;
    uint8_t sha[SHA256_BYTES];

    assert_int_equal(store_first_account(f->s, NULL, 12000, &a), ERR_NOT_FOUND);
    assert_int_equal(store_first_account(f->s, "short", 12000, &a), ERR_INVALID);
    assert_ok(store_first_account(f->s, key_a, 12000, &a));
    assert_int_equal(a.available, 12000);
    assert_int_equal(store_first_account(f->s, key_a, 12000, &again), ERR_REPLAY);
    assert_int_equal(again.id, a.id);
    assert_int_equal(again.granted, 12000); // nothing is granted twice
    assert_int_equal(store_first_account(f->s, key_b, 12000, &again), ERR_REPLAY);
    hash(key_b, sha);
    assert_ok(store_account_by_key(f->s, sha, &again));
    assert_int_equal(again.id, a.id);
    add_account(f, "later", 0);
    assert_int_equal(store_first_account(f->s, NULL, 1, &again), ERR_REPLAY);
    assert_int_equal(again.id, a.id);
}

static void points_are_granted_in_bounds(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 10);

    assert_ok(store_points_add(f->s, one, 5));
    assert_int_equal(get_account(f, one).available, 15);
    assert_int_equal(get_account(f, one).granted, 15);
    assert_int_equal(store_points_add(f->s, one, 0), ERR_INVALID);
    assert_int_equal(store_points_add(f->s, one, -5), ERR_INVALID);
    assert_int_equal(store_points_add(f->s, one, INT64_MAX), ERR_INVALID);
    assert_int_equal(store_points_add(f->s, one + 1, 5), ERR_NOT_FOUND);
    assert_int_equal(get_account(f, one).available, 15);
}

static void disabling_fails_what_waits_and_spares_what_runs(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000), two = add_account(f, "two", 1000);
    char running[UUID_TEXT], waiting[UUID_TEXT], other[UUID_TEXT];
    struct submit_call c;
    struct job j;

    add_job(f, one, running);
    struct lease l = claim_processing(f, &j);
    add_job(f, one, waiting);
    add_job(f, two, other);
    assert_ok(store_account_set_disabled(f->s, one, true));
    assert_true(get_account(f, one).disabled);
    j = get_job(f, waiting);
    assert_int_equal(j.state, JOB_FAILED);
    assert_int_equal(j.error_code, 403);
    assert_int_equal(strncmp(j.error_message, "Account is disabled", 19), 0);
    assert_int_equal(get_job(f, other).state, JOB_PENDING);
    assert_int_equal(get_account(f, one).available, 1000 - COST);
    submit_init(&c, f, one);
    assert_int_equal(submit_wait(f->s, &c.in, NULL), ERR_DISABLED);
    struct job_end end = good_end(f, running);
    assert_ok(store_finish(f->s, &l, &end));
    assert_int_equal(get_account(f, one).consumed, COST);

    assert_ok(store_account_set_disabled(f->s, one, true)); // again is fine
    assert_ok(store_account_set_disabled(f->s, one, false));
    assert_ok(submit_wait(f->s, &c.in, NULL));
    assert_int_equal(store_account_set_disabled(f->s, 99, true), ERR_NOT_FOUND);
}

static void a_job_handed_back_to_a_disabled_account_ends(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    char uuid[UUID_TEXT];
    struct job j;

    add_job(f, one, uuid);
    struct lease l = claim(f, &j);
    assert_ok(store_account_set_disabled(f->s, one, true));
    assert_ok(store_hand_back(f->s, &l, false, "drain"));
    assert_int_equal(get_job(f, uuid).error_code, 403);
    assert_int_equal(get_account(f, one).available, 1000);
}

static void the_site_secret_stays(void **state)
{
    FIXTURE(f);
    uint8_t before[32], after[32], none[32] = {0};

    assert_ok(store_site_secret(f->s, before));
    fixture_reopen(f);
    assert_ok(store_site_secret(f->s, after));
    assert_memory_equal(before, after, 32);
    assert_memory_not_equal(before, none, 32);
}

static void another_process_is_noticed_within_a_second(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 10);
    struct store *admin = NULL;
    uint8_t sha[SHA256_BYTES];
    struct account a;

    assert_ok(add_key(f, one, key_a));
    hash(key_a, sha);
    assert_ok(store_account_by_key(f->s, sha, &a));
    assert_ok(f->backend->open(f->folder, &f->options, &admin, NULL));
    assert_ok(store_points_add(admin, one, 7));
    assert_ok(store_account_set_disabled(admin, one, true));
    clock_sim_advance(&f->clock, 1000);
    assert_ok(store_account_by_key(f->s, sha, &a));
    assert_true(a.disabled);
    assert_int_equal(a.available, 17);
    // What this process writes builds on what the other one wrote.
    assert_ok(store_points_add(f->s, one, 1));
    assert_int_equal(get_account(f, one).available, 18);
    store_close(admin);
}

int store_suite_accounts(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(accounts_are_created_with_their_points),
        STORE_TEST(accounts_are_refused_with_bad_names_and_points),
        STORE_TEST(keys_open_their_account),
        STORE_TEST(keys_have_16_to_256_visible_characters),
        STORE_TEST(the_first_account_is_made_once),
        STORE_TEST(points_are_granted_in_bounds),
        STORE_TEST(disabling_fails_what_waits_and_spares_what_runs),
        STORE_TEST(a_job_handed_back_to_a_disabled_account_ends),
        STORE_TEST(the_site_secret_stays),
        STORE_TEST(another_process_is_noticed_within_a_second),
    };

    return cmocka_run_group_tests_name("store accounts", tests, NULL, NULL);
}
