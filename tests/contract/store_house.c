/* SPDX-License-Identifier: MIT */
#include "contract/store_fixture.h"
#include "contract/store_suite.h"

#include <string.h>

// ---- webhook outbox ----

// A job with this callback that has failed; its UUID.
static void end_with(struct fixture *f, int64_t account, const char *callback, char uuid[UUID_TEXT])
{
    struct submit_call c;
    struct job j;

    submit_init(&c, f, account);
    c.in.callback = callback;
    assert_ok(submit_wait(f->s, &c.in, NULL));
    struct lease l = claim(f, &j);
    assert_ok(store_finish(f->s, &l, &bad_end));
    memcpy(uuid, c.uuid, UUID_TEXT);
}

static void end_with_callback(struct fixture *f, int64_t account, char uuid[UUID_TEXT])
{
    end_with(f, account, "https://example.com/hook", uuid);
}

static int due(struct fixture *f, int64_t now_ms, const int64_t *busy, int busy_count, int max,
               struct delivery **out)
{
    int count = -1;

    assert_ok(store_deliveries_due(f->s, now_ms, busy, busy_count, max, &f->a, out, &count));
    return count;
}

static void every_end_with_a_callback_is_delivered_once(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 10000);
    char finished[UUID_TEXT], cancelled[UUID_TEXT], silent[UUID_TEXT];
    struct submit_call c;
    struct delivery *d;
    bool was_leased;
    struct job j;

    end_with_callback(f, one, finished);
    clock_sim_advance(&f->clock, 1);
    submit_init(&c, f, one);
    c.in.callback = "https://example.com/cancelled";
    assert_ok(submit_wait(f->s, &c.in, NULL));
    memcpy(cancelled, c.uuid, UUID_TEXT);
    assert_ok(store_cancel(f->s, one, cancelled, &f->a, &j, &was_leased));
    assert_int_equal(store_cancel(f->s, one, cancelled, &f->a, &j, &was_leased), ERR_REPLAY);
    clock_sim_advance(&f->clock, 1);
    add_job(f, one, silent); // has no callback
    assert_ok(store_cancel(f->s, one, silent, &f->a, &j, &was_leased));
    clock_sim_advance(&f->clock, 1);
    submit_init(&c, f, one);
    c.in.callback = "https://example.com/disabled";
    assert_ok(submit_wait(f->s, &c.in, NULL));
    assert_ok(store_account_set_disabled(f->s, one, true));

    assert_int_equal(due(f, START_MS - 1, NULL, 0, 10, &d), 0);
    assert_int_equal(due(f, START_MS + 3, NULL, 0, 10, &d), 3);
    assert_string_equal(d[0].job_uuid, finished); // the longest due first
    assert_string_equal(d[1].job_uuid, cancelled);
    assert_string_equal(d[2].job_uuid, c.uuid);
    assert_string_equal(d[1].endpoint, "https://example.com/cancelled");
    assert_int_equal(d[0].account, one);
    assert_int_equal(d[0].state, DELIVERY_WAITING);
    assert_int_equal(d[0].attempts + d[0].last_status, 0);
    assert_int_equal(strncmp(d[0].msg_id, "msg_", 4), 0);
    assert_int_equal(strlen(d[0].msg_id), 40);
    assert_string_not_equal(d[0].msg_id, d[1].msg_id);
    assert_int_equal(due(f, START_MS + 3, NULL, 0, 2, &d), 2);
    assert_int_equal(due(f, START_MS + 3, NULL, 0, 0, &d), 0);
}

static void attempts_under_way_are_left_alone(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 10000), busy[3];
    char uuid[UUID_TEXT];
    struct delivery *d;

    for (int i = 0; i < 4; i++) {
        end_with_callback(f, one, uuid);
        clock_sim_advance(&f->clock, 1);
    }
    assert_int_equal(due(f, START_MS + 10, NULL, 0, 3, &d), 3);
    for (int i = 0; i < 3; i++)
        busy[i] = d[i].id;
    assert_int_equal(due(f, START_MS + 10, busy, 3, 3, &d), 1);
    assert_string_equal(d[0].job_uuid, uuid);
    assert_int_equal(due(f, START_MS + 10, busy + 1, 2, 1, &d), 1);
    assert_int_equal(d[0].id, busy[0]);
}

static void however_many_one_receiver_has_others_are_handed_out(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 10000), busy[STORE_DUE_PER_RECEIVER];
    char uuid[UUID_TEXT], last[UUID_TEXT];
    struct delivery *d;
    // One receiver, whatever its path and its letters.
    static const char *const dead[] = {"https://dead.example/a", "https://dead.example?b/c",
                                       "https://Dead.Example", "https://dead.example#d"};
    static const char *const others[] = {"https://dead.example:8443/", "https://a.example/hook"};
    int dead_count = STORE_DUE_PER_RECEIVER + 1;

    for (int i = 0; i < dead_count; i++) {
        end_with(f, one, dead[i % (int)COUNT_OF(dead)], last);
        clock_sim_advance(&f->clock, 1);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++)
        end_with(f, one, others[i], uuid);
    assert_int_equal(due(f, START_MS + HOUR_MS, NULL, 0, 100, &d), STORE_DUE_PER_RECEIVER + 2);
    for (int i = 0; i < STORE_DUE_PER_RECEIVER; i++) {
        assert_string_equal(d[i].endpoint, dead[i % (int)COUNT_OF(dead)]);
        busy[i] = d[i].id;
    }
    assert_string_equal(d[STORE_DUE_PER_RECEIVER].endpoint, others[0]);
    assert_string_equal(d[STORE_DUE_PER_RECEIVER + 1].endpoint, others[1]);
    // With all of one's share under way only others' come; one of them done, its next.
    assert_int_equal(due(f, START_MS + HOUR_MS, busy, STORE_DUE_PER_RECEIVER, 100, &d), 2);
    assert_ok(store_delivery_record(f->s, busy[0], DELIVERY_GIVEN_UP, 0, 0));
    assert_int_equal(due(f, START_MS + HOUR_MS, busy, STORE_DUE_PER_RECEIVER, 100, &d), 3);
    assert_string_equal(d[0].job_uuid, last);
}

static void attempts_are_recorded(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 10000), now = START_MS;
    char uuid[UUID_TEXT], msg[UUID_TEXT + 4];
    struct store_counts counts;
    struct delivery *d;

    end_with_callback(f, one, uuid);
    assert_int_equal(due(f, now, NULL, 0, 1, &d), 1);
    int64_t id = d[0].id;
    memcpy(msg, d[0].msg_id, sizeof(msg));
    assert_ok(store_delivery_record(f->s, id, DELIVERY_WAITING, 503, now + 5000));
    assert_int_equal(due(f, now + 4999, NULL, 0, 1, &d), 0);
    assert_int_equal(due(f, now + 5000, NULL, 0, 1, &d), 1);
    assert_int_equal(d[0].attempts, 1);
    assert_int_equal(d[0].last_status, 503);
    assert_int_equal(d[0].next_ms, now + 5000);
    assert_string_equal(d[0].msg_id, msg); // the same on every attempt
    assert_ok(store_counts(f->s, &counts));
    assert_int_equal(counts.deliveries_waiting, 1);
    assert_ok(store_delivery_record(f->s, id, DELIVERY_DONE, 200, now));
    assert_int_equal(due(f, INT64_MAX, NULL, 0, 1, &d), 0);
    assert_ok(store_counts(f->s, &counts));
    assert_int_equal(counts.deliveries_waiting, 0);
    assert_int_equal(store_delivery_record(f->s, id + 1, DELIVERY_DONE, 200, 0), ERR_NOT_FOUND);

    clock_sim_advance(&f->clock, RETENTION_MS - 1);
    assert_ok(store_sweep(f->s, clock_unix_ms(&f->clock.clock)));
    assert_ok(store_delivery_record(f->s, id, DELIVERY_DONE, 200, 0)); // still there
    clock_sim_advance(&f->clock, RETENTION_MS);
    assert_ok(store_sweep(f->s, clock_unix_ms(&f->clock.clock)));
    assert_int_equal(store_delivery_record(f->s, id, DELIVERY_DONE, 200, 0), ERR_NOT_FOUND);
}

static void waiting_deliveries_are_never_swept(void **state)
{
    FIXTURE(f);
    char uuid[UUID_TEXT];
    struct delivery *d;

    end_with_callback(f, add_account(f, "one", 1000), uuid);
    assert_ok(store_sweep(f->s, START_MS + 100 * RETENTION_MS));
    assert_int_equal(due(f, START_MS, NULL, 0, 1, &d), 1);
}

// ---- uploads ----

static struct upload upload_of(struct fixture *f, int64_t account, int number, int64_t bytes)
{
    int64_t now = clock_unix_ms(&f->clock.clock);
    struct upload u = {.account = account,
                       .bytes = bytes,
                       .width = 640,
                       .height = 480,
                       .format = 1,
                       .created_ms = now,
                       .expires_ms = now + 24 * HOUR_MS};

    snprintf(u.id, sizeof(u.id), "%032x", (unsigned)number);
    u.blob_key = arena_printf(&f->a, "upload/%s", u.id);
    sha256(&number, sizeof(number), u.sha256);
    return u;
}

static enum err add_upload(struct fixture *f, int64_t account, int number, int64_t bytes,
                           struct err_note *note)
{
    struct upload in = upload_of(f, account, number, bytes), out;

    return store_upload_add(f->s, &in, &f->a, &out, note);
}

static void uploads_belong_to_their_account(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 0), two = add_account(f, "two", 0);
    struct upload in = upload_of(f, one, 1, 5000), out;
    bool known;

    assert_ok(store_upload_add(f->s, &in, &f->a, &out, NULL));
    assert_string_equal(out.id, in.id);
    assert_ok(store_upload_get(f->s, one, in.id, &f->a, &out));
    assert_string_equal(out.blob_key, in.blob_key);
    assert_int_equal(out.bytes, 5000);
    assert_int_equal(out.width, 640);
    assert_int_equal(out.height, 480);
    assert_int_equal(out.format, 1);
    assert_int_equal(out.expires_ms, in.expires_ms);
    assert_memory_equal(out.sha256, in.sha256, SHA256_BYTES);
    assert_ok(store_upload_get(f->s, -1, in.id, &f->a, &out));
    assert_int_equal(store_upload_get(f->s, two, in.id, &f->a, &out), ERR_NOT_FOUND);
    assert_int_equal(store_upload_get(f->s, one, "x", &f->a, &out), ERR_NOT_FOUND);
    assert_ok(store_blob_known(f->s, in.blob_key, &known));
    assert_true(known);
    clock_sim_advance(&f->clock, 24 * HOUR_MS - 1);
    assert_ok(store_upload_get(f->s, one, in.id, &f->a, &out));
    clock_sim_advance(&f->clock, 1);
    assert_int_equal(store_upload_get(f->s, one, in.id, &f->a, &out), ERR_NOT_FOUND);
    in.account = 99;
    assert_int_equal(store_upload_add(f->s, &in, &f->a, &out, NULL), ERR_NOT_FOUND);
}

static void the_same_bytes_are_the_same_upload(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 0), two = add_account(f, "two", 0);
    struct upload first = upload_of(f, one, 1, 10), again, out;

    assert_ok(store_upload_add(f->s, &first, &f->a, &out, NULL));
    clock_sim_advance(&f->clock, HOUR_MS);
    again = upload_of(f, one, 2, 10);
    memcpy(again.sha256, first.sha256, SHA256_BYTES);
    assert_int_equal(store_upload_add(f->s, &again, &f->a, &out, NULL), ERR_REPLAY);
    assert_string_equal(out.id, first.id);
    assert_int_equal(out.expires_ms, again.expires_ms);
    assert_ok(store_upload_get(f->s, one, first.id, &f->a, &out));
    assert_int_equal(out.expires_ms, again.expires_ms);
    assert_int_equal(store_upload_get(f->s, one, again.id, &f->a, &out), ERR_NOT_FOUND);
    again.account = two; // another account has its own
    assert_ok(store_upload_add(f->s, &again, &f->a, &out, NULL));
    clock_sim_advance(&f->clock, 24 * HOUR_MS);
    again = upload_of(f, one, 3, 10); // the first has expired
    memcpy(again.sha256, first.sha256, SHA256_BYTES);
    assert_ok(store_upload_add(f->s, &again, &f->a, &out, NULL));
    assert_string_equal(out.id, again.id);
}

static void live_uploads_are_limited(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 0), two = add_account(f, "two", 0);
    struct err_note note;
    int n = 0;

    for (; n < STORE_UPLOADS_MAX; n++)
        assert_ok(add_upload(f, one, n, 1, &note));
    assert_int_equal(add_upload(f, one, n, 1, &note), ERR_TOO_LARGE);
    assert_string_equal(note.reason, "uploads");
    assert_int_equal(add_upload(f, one, 0, 1, &note), ERR_REPLAY);
    clock_sim_advance(&f->clock, 24 * HOUR_MS);
    assert_ok(add_upload(f, one, n++, 1, &note)); // the others are live no longer

    assert_ok(add_upload(f, two, n++, STORE_UPLOAD_BYTES_MAX - 10, &note));
    assert_int_equal(add_upload(f, two, n, 11, &note), ERR_TOO_LARGE);
    assert_string_equal(note.reason, "upload_bytes");
    assert_ok(add_upload(f, two, n++, 10, &note));
    assert_int_equal(add_upload(f, two, n, 1, &note), ERR_TOO_LARGE);
}

static int expired(struct fixture *f, int max, const char ***keys)
{
    int count = -1;

    assert_ok(store_blobs_expired(f->s, clock_unix_ms(&f->clock.clock), max, &f->a, keys, &count));
    return count;
}

static void an_upload_stays_until_its_last_job_has_ended(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000), two = add_account(f, "two", 1000);
    struct upload in = upload_of(f, one, 1, 10), out;
    struct submit_call c[2], foreign;
    const char **keys;
    bool was_leased;
    struct job j;

    assert_ok(store_upload_add(f->s, &in, &f->a, &out, NULL));
    for (int i = 0; i < 2; i++) {
        submit_init(&c[i], f, one);
        c[i].in.upload_id = in.id;
        assert_ok(submit_wait(f->s, &c[i].in, NULL));
    }
    submit_init(&foreign, f, two);
    foreign.in.upload_id = in.id;
    assert_int_equal(submit_wait(f->s, &foreign.in, NULL), ERR_NOT_FOUND);

    clock_sim_advance(&f->clock, 30 * HOUR_MS);
    assert_int_equal(expired(f, 10, &keys), 0);
    assert_ok(store_upload_get(f->s, one, in.id, &f->a, &out)); // the worker needs it
    assert_ok(store_cancel(f->s, one, c[0].uuid, &f->a, &j, &was_leased));
    assert_int_equal(expired(f, 10, &keys), 0);
    struct lease l = claim(f, &j);
    assert_int_equal(store_set_source(f->s, &l, in.blob_key, 10), ERR_INVALID); // not the job's own
    assert_ok(store_finish(f->s, &l, &bad_end));
    assert_int_equal(store_upload_get(f->s, one, in.id, &f->a, &out), ERR_NOT_FOUND);
    assert_int_equal(expired(f, 10, &keys), 1);
    assert_string_equal(keys[0], in.blob_key);
    submit_init(&c[0], f, one);
    c[0].in.upload_id = in.id;
    assert_int_equal(submit_wait(f->s, &c[0].in, NULL), ERR_NOT_FOUND);
    assert_ok(store_blobs_forget(f->s, keys, 1));
    assert_int_equal(expired(f, 10, &keys), 0);
    assert_ok(store_upload_add(f->s, &in, &f->a, &out, NULL)); // all trace of it is gone
}

// Needed twice by one job, and by a job alone; nobody's fault where it is not there.
static void an_upload_is_a_style_as_well(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000), two = add_account(f, "two", 1000);
    struct upload in = upload_of(f, one, 1, 10), out;
    struct submit_call c[2], foreign;
    struct err_note note;
    const char **keys;
    struct job j;

    assert_ok(store_upload_add(f->s, &in, &f->a, &out, NULL));
    for (int i = 0; i < 2; i++) {
        submit_init(&c[i], f, one);
        c[i].in.style_upload_id = in.id;
        c[i].in.upload_id = i ? NULL : in.id;
        assert_ok(submit_wait(f->s, &c[i].in, NULL));
    }
    submit_init(&foreign, f, two);
    foreign.in.style_upload_id = in.id;
    assert_ok(submit_wait(f->s, &foreign.in, NULL));
    assert_ok(store_check_ledger(f->s, &note)); // its counts too

    clock_sim_advance(&f->clock, 30 * HOUR_MS);
    for (int left = 2; left > 0;) {
        struct lease l = claim(f, &j);
        assert_ok(store_upload_get(f->s, one, in.id, &f->a, &out));
        assert_ok(store_finish(f->s, &l, &bad_end));
        assert_ok(store_check_ledger(f->s, &note));
        left -= j.account == one;
    }
    assert_int_equal(store_upload_get(f->s, one, in.id, &f->a, &out), ERR_NOT_FOUND);
    assert_int_equal(expired(f, 10, &keys), 1);
    assert_string_equal(keys[0], in.blob_key);
}

static void an_upload_outlives_jobs_that_end_early(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    struct upload in = upload_of(f, one, 1, 10), out;
    struct submit_call c;
    const char **keys;
    struct job j;

    assert_ok(store_upload_add(f->s, &in, &f->a, &out, NULL));
    submit_init(&c, f, one);
    c.in.upload_id = in.id;
    assert_ok(submit_wait(f->s, &c.in, NULL));
    struct lease l = claim(f, &j);
    assert_ok(store_finish(f->s, &l, &bad_end));
    assert_ok(store_upload_get(f->s, one, in.id, &f->a, &out));
    clock_sim_advance(&f->clock, 24 * HOUR_MS - 1);
    assert_int_equal(expired(f, 10, &keys), 0);
    clock_sim_advance(&f->clock, 1);
    assert_int_equal(expired(f, 10, &keys), 1);
}

// ---- blobs ----

static void blobs_live_as_long_as_they_should(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 1000);
    char uuid[UUID_TEXT];
    const char **keys;
    struct job j;
    bool known;

    add_job(f, one, uuid);
    struct lease l = claim_processing(f, &j);
    assert_ok(store_set_source(f->s, &l, "source/a", 10));
    assert_ok(store_set_source(f->s, &l, "source/a", 11)); // again, after a retry
    assert_ok(store_set_style(f->s, &l, "style/a", 12));
    assert_ok(store_set_style(f->s, &l, "style/a", 12));
    assert_string_equal(get_job(f, uuid).source_blob, "source/a");
    assert_int_equal(store_blob_add(f->s, j.id, "job/early.webp", 1), ERR_WRONG_STATE);
    assert_int_equal(store_blob_add(f->s, j.id + 1, "job/nobody.webp", 1), ERR_NOT_FOUND);
    clock_sim_advance(&f->clock, 1000 * HOUR_MS); // whatever is needed does not expire
    assert_int_equal(expired(f, 10, &keys), 0);
    struct job_end end = good_end(f, uuid);
    assert_ok(store_finish(f->s, &l, &end));
    assert_int_equal(expired(f, 10, &keys), 2); // its sources are needed no longer
    assert_true(strcmp(keys[0], "source/a") == 0 || strcmp(keys[1], "source/a") == 0);
    assert_true(strcmp(keys[0], "style/a") == 0 || strcmp(keys[1], "style/a") == 0);
    assert_ok(store_blobs_forget(f->s, keys, 2));
    assert_ok(store_blob_add(f->s, j.id, "job/x/0.webp", 50));
    assert_ok(store_blob_add(f->s, j.id, "job/x/0.webp", 50)); // two readers made it at once
    clock_sim_advance(&f->clock, RETENTION_MS - 1);
    assert_int_equal(expired(f, 10, &keys), 0);
    clock_sim_advance(&f->clock, 1);
    assert_int_equal(expired(f, 4, &keys), 4);
    assert_ok(store_blobs_forget(f->s, keys, 4));
    assert_ok(store_blob_known(f->s, keys[0], &known));
    assert_false(known);
    assert_int_equal(expired(f, 10, &keys), 2);
    assert_ok(store_blobs_forget(f->s, keys, 2));
    assert_ok(store_blobs_forget(f->s, keys, 2)); // unknown ones are ignored
    assert_int_equal(expired(f, 10, &keys), 0);
    assert_int_equal(get_job(f, uuid).state, JOB_COMPLETED); // expiry changes no state
    assert_int_equal(get_account(f, one).consumed, COST);
}

static void counts_are_right(void **state)
{
    FIXTURE(f);
    int64_t one = add_account(f, "one", 10000), two = add_account(f, "two", 10000);
    struct store_counts c;
    char uuid[UUID_TEXT];
    struct job j;

    assert_ok(store_counts(f->s, &c));
    assert_int_equal(c.waiting + c.leased + c.deliveries_waiting, 0);
    assert_int_equal(c.oldest_waiting_ms, -1);
    add_job(f, one, uuid);
    clock_sim_advance(&f->clock, 10);
    add_job(f, two, uuid);
    clock_sim_advance(&f->clock, 10);
    add_job(f, one, uuid);
    (void)claim(f, &j);
    assert_ok(store_counts(f->s, &c));
    assert_int_equal(c.waiting, 2);
    assert_int_equal(c.leased, 1);
    assert_int_equal(c.oldest_waiting_ms, START_MS + 10);
}

static void a_sound_store_answers(void **state)
{
    FIXTURE(f);

    assert_ok(store_ping(f->s));
}

int store_suite_house(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(every_end_with_a_callback_is_delivered_once),
        STORE_TEST(attempts_under_way_are_left_alone),
        STORE_TEST(however_many_one_receiver_has_others_are_handed_out),
        STORE_TEST(attempts_are_recorded),
        STORE_TEST(waiting_deliveries_are_never_swept),
        STORE_TEST(uploads_belong_to_their_account),
        STORE_TEST(the_same_bytes_are_the_same_upload),
        STORE_TEST(live_uploads_are_limited),
        STORE_TEST(an_upload_stays_until_its_last_job_has_ended),
        STORE_TEST(an_upload_is_a_style_as_well),
        STORE_TEST(an_upload_outlives_jobs_that_end_early),
        STORE_TEST(blobs_live_as_long_as_they_should),
        STORE_TEST(counts_are_right),
        STORE_TEST(a_sound_store_answers),
    };

    return cmocka_run_group_tests_name("store house", tests, NULL, NULL);
}
