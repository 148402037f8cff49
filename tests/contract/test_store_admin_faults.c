/* SPDX-License-Identifier: MIT */
#include "contract/store_fixture.h"
#include "store/store_fault.h"
#include "support/faulty_sqlite.h"

#include <string.h>

/*
 * Administration while disk or memory under SQLite fail at the first call, the second, the third...
 * as test_store_faults.c does with jobs: what a call reported is what is there afterwards, and a
 * call that failed can be made again.
 */

static const char old_key[] = "the-key-to-be-revoked", new_key[] = "the-key-to-be-made";

struct story {
    int64_t leaving, staying; /* accounts; the first is deleted */
    int64_t old_key;
    char waiting[UUID_TEXT]; /* a job of the first */
    char secret[STORE_SECRET_MAX];
    char msg_id[UUID_TEXT + 4]; /* of a delivery that ended */
    enum err created, revoked, rotated, redelivered, deleted;
};

static bool opens(struct fixture *f, const char *key)
{
    uint8_t sha[SHA256_BYTES];
    struct account a;

    sha256(key, strlen(key), sha);
    enum err e = store_account_by_key(f->s, sha, &a);
    assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
    return e == ERR_OK;
}

static void begin_story(struct fixture *f, struct story *t)
{
    struct submit_call c;
    struct delivery *d;
    struct api_key k;
    struct job j;
    int count;

    memset(t, 0, sizeof(*t));
    t->leaving = add_account(f, "leaving", 10 * COST);
    t->staying = add_account(f, "staying", 10 * COST);
    assert_ok(store_key_create(f->s, t->staying, old_key, "", &k));
    t->old_key = k.id;
    submit_init(&c, f, t->staying);
    c.in.callback = "https://example.com/hook";
    assert_ok(submit_wait(f->s, &c.in, NULL));
    struct lease l = claim(f, &j);
    assert_ok(store_finish(f->s, &l, &bad_end));
    assert_ok(store_deliveries_due(f->s, START_MS, NULL, 0, 1, &f->a, &d, &count));
    memcpy(t->msg_id, d[0].msg_id, sizeof(t->msg_id));
    assert_ok(store_delivery_record(f->s, d[0].id, DELIVERY_GIVEN_UP, 410, START_MS));
    add_job(f, t->leaving, t->waiting);
    struct account a = get_account(f, t->staying);
    memcpy(t->secret, a.webhook_secret, sizeof(t->secret));
    fixture_reopen(f); // with nothing in memory, so that reading has to read
}

static void tell_story(struct fixture *f, struct story *t)
{
    struct store_delivery_list q = {.account = t->staying, .state = -1, .limit = 9};
    struct account a, *accounts;
    struct api_key k, *keys;
    struct delivery d, *list;
    struct stored_blob *blobs;
    int count;

    assert_listed(store_accounts_list(f->s, 0, true, 9, &f->a, &accounts, &count));
    assert_listed(store_account_find(f->s, "staying", &a));
    assert_listed(store_keys_list(f->s, -1, 0, 9, &f->a, &keys, &count));
    assert_listed(store_deliveries_list(f->s, &q, &f->a, &list, &count));
    assert_listed(store_blobs_from(f->s, "", 9, &f->a, &blobs, &count));
    t->created = store_key_create(f->s, t->staying, new_key, "new", &k);
    t->revoked = store_key_revoke(f->s, t->old_key, &k);
    t->rotated = store_webhook_secret_rotate(f->s, t->staying, HOUR_MS, &a);
    t->redelivered = store_delivery_redeliver(f->s, t->staying, t->msg_id, &f->a, &d);
    t->deleted = store_account_delete(f->s, t->leaving);
    assert_listed(t->created);
    assert_listed(t->revoked);
    assert_listed(t->rotated);
    assert_listed(t->redelivered);
    assert_listed(t->deleted);
    assert_listed(store_sweep(f->s, START_MS)); // erases, or will the next time
}

// What was said is what is there.
static void check_story(struct fixture *f, const struct story *t)
{
    struct account a = get_account(f, t->staying);
    struct delivery d;

    check_invariants(f);
    assert_int_equal(opens(f, new_key), t->created == ERR_OK);
    assert_int_equal(opens(f, old_key), t->revoked != ERR_OK);
    assert_int_equal(strcmp(a.webhook_secret, t->secret) != 0, t->rotated == ERR_OK);
    assert_string_equal(a.webhook_secret_old, t->rotated ? "" : t->secret);
    assert_ok(store_delivery_get(f->s, -1, t->msg_id, &f->a, &d));
    assert_int_equal(d.state, t->redelivered ? DELIVERY_GIVEN_UP : DELIVERY_WAITING);
    assert_int_equal(get_account(f, t->leaving).deleted_ms, t->deleted ? -1 : START_MS);
    assert_int_equal(get_job(f, t->waiting).error_code, t->deleted ? 0 : 403);
}

// The fault is gone: what failed can be done again.
static void end_story(struct fixture *f, struct story *t)
{
    struct account a;
    struct api_key k;
    struct delivery d;

    if (t->created)
        t->created = store_key_create(f->s, t->staying, new_key, "new", &k);
    if (t->revoked)
        t->revoked = store_key_revoke(f->s, t->old_key, &k);
    if (t->rotated)
        t->rotated = store_webhook_secret_rotate(f->s, t->staying, HOUR_MS, &a);
    if (t->redelivered)
        t->redelivered = store_delivery_redeliver(f->s, t->staying, t->msg_id, &f->a, &d);
    if (t->deleted)
        t->deleted = store_account_delete(f->s, t->leaving);
    assert_int_equal(t->created + t->revoked + t->rotated + t->redelivered + t->deleted, 0);
    assert_ok(store_sweep(f->s, START_MS));
    check_story(f, t);
    assert_string_equal(get_job(f, t->waiting).prompt, "");
}

static int run_with_fault(enum fault kind, int nth, bool lasting)
{
    struct fixture *f = fixture_new(&backend_sqlite);
    struct story t;

    fixture_open(f);
    begin_story(f, &t);
    faulty_sqlite_arm(kind, nth, lasting);
    tell_story(f, &t);
    int failed = faulty_sqlite_disarm();
    check_story(f, &t);
    if (nth % 2) { // both: going on, and after a restart
        fixture_reopen(f);
        check_story(f, &t);
    }
    end_story(f, &t);
    store_close(f->s);
    fixture_free(f);
    return failed;
}

static void until_none_fails(enum fault kind, bool lasting)
{
    int nth = 1;

    // Memory is asked for thousands of times: look closely at the first hundred calls, then at
    // every eleventh.
    while (run_with_fault(kind, nth, lasting) > 0)
        nth += kind == FAULT_NOMEM && nth > 100 ? 11 : 1;
    assert_true(nth > 3); // the fault was reached at all
}

static void writes_that_fail_lose_nothing(void **state)
{
    (void)state;
    until_none_fails(FAULT_WRITE_IO, false);
    until_none_fails(FAULT_WRITE_IO, true);
}

static void a_full_disk_loses_nothing(void **state)
{
    (void)state;
    until_none_fails(FAULT_WRITE_FULL, false);
    until_none_fails(FAULT_WRITE_FULL, true);
}

static void reads_that_fail_lose_nothing(void **state)
{
    (void)state;
    until_none_fails(FAULT_READ_IO, false);
}

static void memory_that_runs_out_loses_nothing(void **state)
{
    (void)state;
    until_none_fails(FAULT_NOMEM, false);
}

// ---- the wrapper that tests of other layers use ----

static void the_wrapper_fails_and_passes_every_call_on(void **state)
{
    struct fixture *f = fixture_new(&backend_sqlite);
    struct err_note note = {0};
    struct story t;

    (void)state;
    fixture_open(f);
    begin_story(f, &t);
    f->s = store_fault_new(f->s);
    assert_non_null(f->s);
    store_fault_arm(f->s, 1, ERR_UNAVAILABLE, true);
    tell_story(f, &t);
    assert_int_equal(store_verify(f->s, &note), ERR_UNAVAILABLE);
    assert_int_equal(store_fault_disarm(f->s), 12);
    assert_true(t.created && t.revoked && t.rotated && t.redelivered && t.deleted);
    check_story(f, &t); // none of them did anything
    tell_story(f, &t);
    assert_false(t.created || t.revoked || t.rotated || t.redelivered || t.deleted);
    check_story(f, &t);
    assert_ok(store_verify(f->s, &note));
    store_close(f->s);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_that_fail_lose_nothing),
        cmocka_unit_test(a_full_disk_loses_nothing),
        cmocka_unit_test(reads_that_fail_lose_nothing),
        cmocka_unit_test(memory_that_runs_out_loses_nothing),
        cmocka_unit_test(the_wrapper_fails_and_passes_every_call_on),
    };

    faulty_sqlite_install();
    return cmocka_run_group_tests_name("store admin faults", tests, NULL, NULL);
}
