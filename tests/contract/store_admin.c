/* SPDX-License-Identifier: MIT */
#include "contract/store_fixture.h"
#include "contract/store_suite.h"

#include <string.h>

/* What operators do: name, list, delete; keys; webhook secrets; deliveries. */

static const char key_a[] = "key-of-16-chars!", key_b[] = "another-key-of-this-test";

static bool opens(struct fixture *f, const char *key)
{
    uint8_t sha[SHA256_BYTES];
    struct account a;

    sha256(key, strlen(key), sha);
    enum err e = store_account_by_key(f->s, sha, &a);
    assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
    return e == ERR_OK;
}

static void names_and_labels_are_checked(void **state)
{
    char name[64], longer[65];
    const struct {
        const char *text;
        bool name, label;
    } row[] = {
        {"Zo\xC3\xAB", true, true},
        {"a b", true, true},
        {name, true, true}, // 63 bytes
        {"2nd", true, true},
        {"", false, true},
        {"  ", false, true},
        {"42", false, true}, // would be an id
        {"0a0a0a0a-0a0a-4a0a-8a0a-0a0a0a0a0a0a", false, true},
        {"a\nb", false, false},
        {"tab\t", false, false},
        {"\x1b[31m", false, false},
        {"\xC2\x85", false, false}, // a control character of its own
        {"\xFF", false, false},
        {longer, false, false}, // 64
    };

    (void)state;
    memset(name, 'n', sizeof(name));
    name[63] = '\0';
    memset(longer, 'n', sizeof(longer));
    longer[64] = '\0';
    for (size_t i = 0; i < COUNT_OF(row); i++) {
        assert_int_equal(store_name_good(row[i].text), row[i].name);
        assert_int_equal(store_label_good(row[i].text), row[i].label);
    }
}

static void accounts_are_found_by_id_uuid_and_name(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 0), two = add_account(f, "two", 0);
    struct account a = get_account(f, two), found;
    char id[24];

    snprintf(id, sizeof(id), "%lld", (long long)two);
    const char *const names[] = {id, a.uuid, "two"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_ok(store_account_find(f->s, names[i], &found));
        assert_int_equal(found.id, two);
    }
    static const char *const nobody[] = {"",
                                         "Two",
                                         "99",
                                         "00000000-0000-4000-8000-000000000000",
                                         "99999999999999999999999",
                                         "0a0a0a0a-0a0a-4a0a-8a0a-0a0a0a0a0a0-"};
    for (size_t i = 0; i < COUNT_OF(nobody); i++)
        assert_int_equal(store_account_find(f->s, nobody[i], &found), ERR_NOT_FOUND);
    add_account(f, "two", 0);
    assert_int_equal(store_account_find(f->s, "two", &found), ERR_CONFLICT);
    assert_ok(store_account_delete(f->s, two)); // a deleted one gives its name back
    assert_ok(store_account_find(f->s, "two", &found));
    assert_int_not_equal(found.id, two);
    assert_ok(store_account_find(f->s, id, &found));
    assert_int_equal(found.deleted_ms, START_MS);
    assert_ok(store_account_find(f->s, "one", &found));
    assert_int_equal(found.id, one);
}

static void accounts_are_listed_in_pages(void **state)
{
    FIXTURE(f);
    int64_t id[5];
    struct account *list;
    int count;

    for (int i = 0; i < 5; i++)
        id[i] = add_account(f, "same", i);
    assert_ok(store_account_delete(f->s, id[1]));
    assert_ok(store_accounts_list(f->s, 0, false, 3, &f->a, &list, &count));
    assert_int_equal(count, 3);
    assert_int_equal(list[1].id, id[2]);
    assert_int_equal(list[2].available, 3);
    assert_ok(store_accounts_list(f->s, list[2].id, false, 3, &f->a, &list, &count));
    assert_int_equal(count, 1);
    assert_int_equal(list[0].id, id[4]);
    assert_ok(store_accounts_list(f->s, 0, true, 9, &f->a, &list, &count));
    assert_int_equal(count, 5);
    assert_true(list[1].deleted_ms >= 0 && list[0].deleted_ms < 0);
}

// ---- keys ----

static void keys_are_listed_with_prefix_and_label(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 0), two = add_account(f, "two", 0);
    struct api_key k, *list;
    int count;

    assert_ok(store_key_create(f->s, one, key_a, "CI \xC3\xA9t\xC3\xA9", &k));
    assert_string_equal(k.prefix, "key-of-1");
    assert_string_equal(k.label, "CI \xC3\xA9t\xC3\xA9");
    assert_int_equal(k.account, one);
    assert_int_equal(k.created_ms, START_MS);
    assert_int_equal(k.used_ms, -1);
    assert_int_equal(store_key_create(f->s, one, key_b, "a\nb", &k), ERR_INVALID);
    assert_int_equal(store_key_create(f->s, two, key_a, "", &k), ERR_REPLAY);
    assert_int_equal(store_key_create(f->s, 99, key_b, "", &k), ERR_NOT_FOUND);
    assert_ok(add_key(f, two, key_b));
    assert_ok(store_keys_list(f->s, -1, 0, 9, &f->a, &list, &count));
    assert_int_equal(count, 2);
    assert_int_equal(list[0].account, one);
    assert_string_equal(list[0].prefix, "key-of-1");
    assert_string_equal(list[1].label, "");
    assert_ok(store_keys_list(f->s, -1, list[0].id, 9, &f->a, &list, &count));
    assert_int_equal(count, 1);
    assert_ok(store_keys_list(f->s, one, 0, 9, &f->a, &list, &count));
    assert_int_equal(count, 1);
    assert_ok(store_keys_list(f->s, one, list[0].id, 9, &f->a, &list, &count));
    assert_int_equal(count, 0);
}

static void a_revoked_key_is_dead_for_ever(void **state)
{
    FIXTURE(f);
    struct account first;
    struct api_key k, was;

    assert_ok(store_first_account(f->s, key_a, 10, &first));
    assert_ok(store_key_create(f->s, first.id, key_b, "b", &k));
    assert_true(opens(f, key_a) && opens(f, key_b));
    assert_ok(store_key_revoke(f->s, k.id, &was));
    assert_string_equal(was.label, "b");
    assert_true(opens(f, key_a));
    assert_false(opens(f, key_b)); // at once in this process
    assert_int_equal(store_key_revoke(f->s, k.id, &was), ERR_NOT_FOUND);
    assert_int_equal(add_key(f, first.id, key_b), ERR_REPLAY);
    // A setting that still names it changes nothing.
    assert_int_equal(store_first_account(f->s, key_b, 10, &first), ERR_REPLAY);
    assert_false(opens(f, key_b));
    fixture_reopen(f);
    assert_false(opens(f, key_b));
}

static void another_process_revokes_within_a_second(void **state)
{
    FIXTURE(f);
    struct store_options existing = f->options;
    struct store *admin = NULL;
    struct api_key k;

    assert_ok(store_key_create(f->s, add_account(f, "one", 10), key_a, "", &k));
    existing.existing = true;
    assert_ok(f->backend->open(f->folder, &existing, &admin, NULL));
    assert_true(opens(f, key_a));
    assert_ok(store_key_revoke(admin, k.id, &k));
    clock_sim_advance(&f->clock, 1000);
    assert_false(opens(f, key_a));
    store_close(admin);
}

static int64_t used_ms(struct fixture *f)
{
    struct api_key *list;
    int count;

    assert_ok(store_keys_list(f->s, -1, 0, 1, &f->a, &list, &count));
    assert_int_equal(count, 1);
    return list[0].used_ms;
}

static void the_last_use_of_a_key_is_noted(void **state)
{
    FIXTURE(f);

    assert_ok(add_key(f, add_account(f, "one", 10), key_a));
    assert_ok(store_sweep(f->s, START_MS + 1));
    assert_int_equal(used_ms(f), -1);
    assert_true(opens(f, key_a));
    assert_ok(store_sweep(f->s, START_MS + 2));
    assert_int_equal(used_ms(f), START_MS + 2);
    assert_ok(store_sweep(f->s, START_MS + 3));
    assert_int_equal(used_ms(f), START_MS + 2); // not used since
    clock_sim_advance(&f->clock, 5000);
    assert_true(opens(f, key_a));
    fixture_reopen(f); // closing notes it too
    assert_int_equal(used_ms(f), START_MS + 5000);
}

// ---- webhook secrets ----

static void secrets_rotate_with_an_overlap(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 0);
    struct account before = get_account(f, one), after, again;

    assert_ok(store_webhook_secret_rotate(f->s, one, 24 * HOUR_MS, &after));
    assert_string_not_equal(after.webhook_secret, before.webhook_secret);
    assert_int_equal(strlen(after.webhook_secret), 6 + 44);
    assert_string_equal(after.webhook_secret_old, before.webhook_secret);
    assert_int_equal(after.webhook_secret_old_until_ms, START_MS + 24 * HOUR_MS);
    again = get_account(f, one);
    assert_string_equal(again.webhook_secret, after.webhook_secret);
    assert_string_equal(again.webhook_secret_old, before.webhook_secret);
    assert_ok(store_points_add(f->s, one, 1)); // which writes the account, but not these
    fixture_reopen(f);
    assert_string_equal(get_account(f, one).webhook_secret, after.webhook_secret);
    assert_ok(store_webhook_secret_rotate(f->s, one, 0, &again));
    assert_string_equal(again.webhook_secret_old, "");
    assert_int_equal(again.webhook_secret_old_until_ms, -1);
    assert_int_equal(store_webhook_secret_rotate(f->s, one, -1, &again), ERR_INVALID);
    assert_int_equal(store_webhook_secret_rotate(f->s, one, INT64_MAX, &again), ERR_INVALID);
    assert_int_equal(store_webhook_secret_rotate(f->s, 99, 0, &again), ERR_NOT_FOUND);
}

// ---- deleting ----

// A job with a callback that was completed, with its five pictures.
static void complete_with_callback(struct fixture *f, int64_t account, const char *idem_key,
                                   char uuid[UUID_TEXT])
{
    struct submit_call c;
    struct job j;

    submit_init(&c, f, account);
    c.in.callback = "https://example.com/hook";
    c.in.idem_key = idem_key;
    assert_ok(submit_wait(f->s, &c.in, NULL));
    struct lease l = claim_processing(f, &j);
    assert_string_equal(j.uuid, c.uuid);
    struct job_end end = good_end(f, c.uuid);
    assert_ok(store_finish(f->s, &l, &end));
    memcpy(uuid, c.uuid, UUID_TEXT);
}

static int expired(struct fixture *f)
{
    const char **keys;
    int count = -1;

    assert_ok(store_blobs_expired(f->s, clock_unix_ms(&f->clock.clock), 100, &f->a, &keys, &count));
    return count;
}

static int deliveries_of(struct fixture *f, int64_t account, struct delivery **list)
{
    struct store_delivery_list q = {.account = account, .state = -1, .limit = 100};
    int count = -1;

    assert_ok(store_deliveries_list(f->s, &q, &f->a, list, &count));
    return count;
}

static void sweep(struct fixture *f)
{
    assert_ok(store_sweep(f->s, clock_unix_ms(&f->clock.clock)));
}

static void a_deleted_account_can_do_nothing(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    char running[UUID_TEXT], waiting[UUID_TEXT];
    struct submit_call c;
    struct account a;
    struct job j;

    assert_ok(add_key(f, one, key_a));
    add_job(f, one, running);
    struct lease l = claim_processing(f, &j);
    add_job(f, one, waiting);
    assert_ok(store_account_delete(f->s, one));
    assert_true(opens(f, key_a)); // and finds out that the account is gone
    assert_int_equal(get_job(f, waiting).error_code, 403);
    a = get_account(f, one);
    assert_true(a.disabled);
    assert_int_equal(a.deleted_ms, START_MS);
    assert_int_equal(a.available, 1000 - COST);
    submit_init(&c, f, one);
    assert_int_equal(submit_wait(f->s, &c.in, NULL), ERR_DISABLED);
    assert_int_equal(store_account_delete(f->s, one), ERR_NOT_FOUND);
    assert_int_equal(store_account_delete(f->s, 99), ERR_NOT_FOUND);
    assert_int_equal(store_account_set_disabled(f->s, one, false), ERR_NOT_FOUND);
    assert_int_equal(store_points_add(f->s, one, 5), ERR_NOT_FOUND);
    assert_int_equal(add_key(f, one, key_b), ERR_NOT_FOUND);
    assert_int_equal(store_webhook_secret_rotate(f->s, one, 0, &a), ERR_NOT_FOUND);
    // What runs may end, and is erased only then.
    sweep(f);
    assert_string_not_equal(get_job(f, running).prompt, "");
    assert_true(opens(f, key_a));
    struct job_end end = good_end(f, running);
    assert_ok(store_finish(f->s, &l, &end));
    assert_int_equal(get_account(f, one).consumed, COST);
    sweep(f);
    assert_string_equal(get_job(f, running).prompt, "");
    assert_false(opens(f, key_a));
    assert_int_equal(add_key(f, add_account(f, "two", 0), key_a), ERR_REPLAY);
}

static void what_a_deleted_account_left_is_erased(void **state)
{
    FIXTURE(f);
    enum { JOBS = 230 }; // more than one step
    int64_t one = add_account(f, "one", 1000 * COST), two = add_account(f, "two", 1000);
    struct upload up = {.account = one, .blob_key = "upload/1", .bytes = 1}, found;
    char uuid[JOBS][UUID_TEXT], other[UUID_TEXT];
    struct submit_call again;
    struct delivery *d;

    memset(up.id, 'a', 32);
    up.expires_ms = START_MS + 24 * HOUR_MS;
    assert_ok(store_upload_add(f->s, &up, &f->a, &found, NULL));
    for (int i = 0; i < JOBS; i++)
        complete_with_callback(f, one, i ? NULL : "first", uuid[i]);
    complete_with_callback(f, two, NULL, other);
    assert_int_equal(deliveries_of(f, one, &d), 100);
    for (int i = 0; i < JOBS + 1; i++)
        assert_ok(store_delivery_record(f->s, i + 1, DELIVERY_DONE, 200, 0));
    assert_int_equal(expired(f), 0);
    assert_ok(store_account_delete(f->s, one));
    sweep(f);

    for (int i = 0; i < JOBS; i++) {
        struct job j = get_job(f, uuid[i]);
        assert_string_equal(j.prompt, "");
        assert_string_equal(j.img_url, "");
        assert_string_equal(j.callback, "");
        assert_null(j.interpretation);
        assert_null(j.warnings);
        assert_int_equal(j.state, JOB_COMPLETED); // the ledger can still be checked
        assert_int_equal(j.expires_ms, START_MS);
    }
    assert_int_equal(deliveries_of(f, one, &d), 0);
    assert_int_equal(expired(f), 100); // as many as were asked for
    assert_int_equal(store_upload_get(f->s, one, up.id, &f->a, &found), ERR_NOT_FOUND);
    submit_init(&again, f, one);
    again.in.idem_key = "first";
    assert_int_equal(submit_wait(f->s, &again.in, NULL), ERR_DISABLED); // no answer to replay
    assert_int_equal(get_account(f, one).consumed, JOBS * COST);
    assert_string_not_equal(get_job(f, other).prompt, ""); // others' are left alone
    assert_int_equal(deliveries_of(f, two, &d), 1);
    sweep(f);
}

static void last_webhooks_have_some_time(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    char uuid[UUID_TEXT];
    struct delivery *d;

    complete_with_callback(f, one, NULL, uuid);
    assert_ok(store_account_delete(f->s, one));
    clock_sim_advance(&f->clock, STORE_LAST_WEBHOOKS_MS - 1);
    sweep(f);
    assert_int_equal(deliveries_of(f, one, &d), 1);
    assert_string_equal(d[0].endpoint, "https://example.com/hook");
    clock_sim_advance(&f->clock, 1);
    sweep(f);
    assert_int_equal(deliveries_of(f, one, &d), 0);
    assert_string_equal(get_job(f, uuid).prompt, "");
}

static void the_first_account_stays_deleted(void **state)
{
    FIXTURE(f);
    struct account first, again;

    assert_ok(store_first_account(f->s, key_a, 10, &first));
    add_account(f, "second", 10);
    assert_ok(store_account_delete(f->s, first.id));
    assert_int_equal(store_first_account(f->s, key_b, 10, &again), ERR_REPLAY);
    assert_int_equal(again.id, first.id);
    assert_false(opens(f, key_b)); // and nobody else gets its key
    sweep(f);
    assert_false(opens(f, key_a));
}

// ---- deliveries ----

static void deliveries_are_listed_newest_first(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 10000), two = add_account(f, "two", 10000);
    struct store_delivery_list q = {.account = one, .state = -1, .limit = 2};
    char uuid[4][UUID_TEXT];
    struct delivery *d, *e;
    int count;

    for (int i = 0; i < 4; i++)
        complete_with_callback(f, i == 3 ? two : one, NULL, uuid[i]);
    assert_ok(store_deliveries_list(f->s, &q, &f->a, &d, &count));
    assert_int_equal(count, 2);
    assert_string_equal(d[0].job_uuid, uuid[2]);
    assert_string_equal(d[1].job_uuid, uuid[1]);
    assert_int_equal(d[0].ended_ms, -1);
    q.before = d[1].id;
    assert_ok(store_deliveries_list(f->s, &q, &f->a, &d, &count));
    assert_int_equal(count, 1);
    assert_string_equal(d[0].job_uuid, uuid[0]);

    q = (struct store_delivery_list){.account = -1, .state = -1, .limit = 100};
    assert_ok(store_deliveries_list(f->s, &q, &f->a, &d, &count));
    assert_int_equal(count, 4);
    assert_int_equal(d[0].account, two);
    assert_ok(store_delivery_record(f->s, d[3].id, DELIVERY_GIVEN_UP, 410, START_MS));
    q.state = DELIVERY_GIVEN_UP;
    assert_ok(store_deliveries_list(f->s, &q, &f->a, &e, &count));
    assert_int_equal(count, 1);
    assert_int_equal(e[0].last_status, 410);
    assert_int_equal(e[0].ended_ms, START_MS);

    const struct {
        int64_t account;
        const char *job;
        int count;
    } by_job[] = {{one, uuid[0], 1}, {-1, uuid[0], 1}, {two, uuid[0], 0}, {one, "x", 0}};
    for (size_t i = 0; i < COUNT_OF(by_job); i++) {
        q = (struct store_delivery_list){
            .account = by_job[i].account, .job_uuid = by_job[i].job, .state = -1, .limit = 9};
        assert_ok(store_deliveries_list(f->s, &q, &f->a, &e, &count));
        assert_int_equal(count, by_job[i].count);
    }
    static const struct store_delivery_list bad[] = {{.limit = 0},
                                                     {.limit = 101},
                                                     {.limit = 1, .state = -2},
                                                     {.limit = 1, .state = 3},
                                                     {.limit = 1, .before = -1}};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(store_deliveries_list(f->s, &bad[i], &f->a, &e, &count), ERR_INVALID);
}

static void deliveries_are_delivered_again(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 10000), two = add_account(f, "two", 10000);
    struct delivery *d, again;
    char uuid[UUID_TEXT];
    int count;

    complete_with_callback(f, one, NULL, uuid);
    assert_int_equal(deliveries_of(f, one, &d), 1);
    const char *msg = d[0].msg_id;
    for (int i = 0; i < 3; i++) {
        enum delivery_state was = (enum delivery_state)i; // waiting for its next try, too
        assert_ok(store_delivery_record(f->s, d[0].id, was, 500, START_MS + HOUR_MS));
        assert_ok(store_delivery_redeliver(f->s, one, msg, &f->a, &again));
        assert_int_equal(again.state, DELIVERY_WAITING);
        assert_int_equal(again.attempts + again.last_status, 0);
        assert_int_equal(again.next_ms, START_MS);
        assert_int_equal(again.ended_ms, -1);
        struct delivery *due;
        assert_ok(store_deliveries_due(f->s, START_MS, NULL, 0, 9, &f->a, &due, &count));
        assert_int_equal(count, 1);
        assert_string_equal(due[0].msg_id, msg); // receivers know it by this
        assert_int_equal(due[0].attempts, 0);
    }
    assert_ok(store_delivery_redeliver(f->s, -1, msg, &f->a, &again));
    assert_ok(store_delivery_get(f->s, one, msg, &f->a, &again));
    assert_string_equal(again.job_uuid, uuid);
    static const char *const nobody[] = {"", "1", "msg_", "msg_x",
                                         "msg_00000000-0000-4000-8000-000000000000"};
    for (size_t i = 0; i < COUNT_OF(nobody); i++) {
        assert_int_equal(store_delivery_get(f->s, -1, nobody[i], &f->a, &again), ERR_NOT_FOUND);
        assert_int_equal(store_delivery_redeliver(f->s, -1, nobody[i], &f->a, &again),
                         ERR_NOT_FOUND);
    }
    assert_int_equal(store_delivery_get(f->s, two, msg, &f->a, &again), ERR_NOT_FOUND);
    assert_int_equal(store_delivery_redeliver(f->s, two, msg, &f->a, &again), ERR_NOT_FOUND);
}

// ---- looking after it ----

static void blobs_that_must_be_there_are_listed(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    struct upload up = {.account = one, .blob_key = "upload/1", .bytes = 7}, found;
    char uuid[UUID_TEXT];
    struct stored_blob *b;
    int count;

    memset(up.id, 'a', 32);
    memset(up.sha256, 0x5A, sizeof(up.sha256));
    up.expires_ms = START_MS + 24 * HOUR_MS;
    assert_ok(store_upload_add(f->s, &up, &f->a, &found, NULL));
    complete_with_callback(f, one, NULL, uuid);
    assert_ok(store_blobs_from(f->s, "", 99, &f->a, &b, &count));
    assert_int_equal(count, 6);
    assert_int_equal(b[0].bytes, 100);
    assert_false(b[0].has_sha256);
    assert_string_equal(b[5].key, "upload/1");
    assert_true(b[5].has_sha256);
    assert_memory_equal(b[5].sha256, up.sha256, SHA256_BYTES);
    assert_ok(store_blobs_from(f->s, "", 2, &f->a, &b, &count));
    assert_int_equal(count, 2);
    assert_ok(store_blobs_from(f->s, "upload/", 9, &f->a, &b, &count));
    assert_int_equal(count, 1);
    clock_sim_advance(&f->clock, RETENTION_MS); // from now on they may be gone
    assert_ok(store_blobs_from(f->s, "", 99, &f->a, &b, &count));
    assert_int_equal(count, 0);
}

static void a_sound_store_is_verified(void **state)
{
    FIXTURE(f);
    struct err_note note = {0};
    char uuid[UUID_TEXT];

    complete_with_callback(f, add_account(f, "one", 1000), NULL, uuid);
    assert_ok(store_verify(f->s, &note));
}

// ---- opening ----

static void only_a_service_makes_a_store(void **state)
{
    FIXTURE(f);
    struct store_options existing = f->options;
    struct err_note note = {0};
    struct store *admin = NULL;
    char folder[80];

    existing.existing = true;
    snprintf(folder, sizeof(folder), "%s/none", f->folder);
    assert_int_equal(f->backend->open(folder, &existing, &admin, &note), ERR_UNAVAILABLE);
    assert_null(admin);
    assert_non_null(strstr(note.text, folder));
}

int store_suite_admin(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_labels_are_checked),
        STORE_TEST(accounts_are_found_by_id_uuid_and_name),
        STORE_TEST(accounts_are_listed_in_pages),
        STORE_TEST(keys_are_listed_with_prefix_and_label),
        STORE_TEST(a_revoked_key_is_dead_for_ever),
        STORE_TEST(another_process_revokes_within_a_second),
        STORE_TEST(the_last_use_of_a_key_is_noted),
        STORE_TEST(secrets_rotate_with_an_overlap),
        STORE_TEST(a_deleted_account_can_do_nothing),
        STORE_TEST(what_a_deleted_account_left_is_erased),
        STORE_TEST(last_webhooks_have_some_time),
        STORE_TEST(the_first_account_stays_deleted),
        STORE_TEST(deliveries_are_listed_newest_first),
        STORE_TEST(deliveries_are_delivered_again),
        STORE_TEST(blobs_that_must_be_there_are_listed),
        STORE_TEST(a_sound_store_is_verified),
        STORE_TEST(only_a_service_makes_a_store),
    };

    return cmocka_run_group_tests_name("store admin", tests, NULL, NULL);
}
