/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "store/store_bench.h"
#include "store/store_sqlite.h"
#include "store/store_sqlite_internal.h"

#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is SQLite's own: the file, its version, and how queries find their rows. What every back end
 * must do stands in tests/contract. */

struct place {
    char folder[32], path[64];
};

static const struct store_options options = {.clock = &clock_system,
                                             .concurrency = 2,
                                             .queue_limit = 10,
                                             .retention_ms = 1000,
                                             .lease_ms = 1000};

static int place_setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    snprintf(p->folder, sizeof(p->folder), "/tmp/patina-sqlite-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->path, sizeof(p->path), "%s/patina.db", p->folder);
    *state = p;
    return 0;
}

static int place_teardown(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    struct place *p = *state;
    char path[80];

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", p->path, suffixes[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(p->folder), 0); // nothing else was left behind
    free(p);
    return 0;
}

static void run_sql(const struct place *p, const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void assert_refused(const struct place *p, enum err want, const char *why)
{
    struct err_note note = {0};
    struct store *s = NULL;

    assert_int_equal(store_sqlite_open(p->path, &options, &s, &note), want);
    assert_null(s);
    if (!strstr(note.text, why) || !strstr(note.text, p->path))
        fail_msg("the note does not say \"%s\" and the path: %s", why, note.text);
}

static int mode_of(const struct place *p, const char *suffix)
{
    struct stat st;
    char path[80];

    snprintf(path, sizeof(path), "%s%s", p->path, suffix);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void the_file_is_private(void **state)
{
    const struct place *p = *state;
    struct store *s = NULL;
    mode_t before = umask(0);

    assert_int_equal(store_sqlite_open(p->path, &options, &s, NULL), ERR_OK);
    assert_int_equal(store_ping(s), ERR_OK);
    umask(before);
    assert_int_equal(mode_of(p, ""), 0600);
    assert_int_equal(mode_of(p, "-wal"), 0600);
    assert_int_equal(mode_of(p, "-shm"), 0600);
    store_close(s);
}

static void what_is_no_database_is_refused(void **state)
{
    const struct place *p = *state;
    char page[8192];

    memset(page, 'x', sizeof(page));
    int fd = open(p->path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, page, sizeof(page)), sizeof(page));
    close(fd);
    assert_refused(p, ERR_CORRUPT, "not a database");
}

static void a_damaged_database_is_refused(void **state)
{
    const struct place *p = *state;
    struct store *s = NULL;
    char junk[600];

    assert_int_equal(store_sqlite_open(p->path, &options, &s, NULL), ERR_OK);
    store_close(s);
    memset(junk, 0xA5, sizeof(junk));
    int fd = open(p->path, O_WRONLY); // the catalogue, behind the file's header
    assert_int_equal(pwrite(fd, junk, sizeof(junk), 100), sizeof(junk));
    close(fd);
    assert_refused(p, ERR_CORRUPT, "restore a backup");
}

static void another_programs_database_is_refused(void **state)
{
    const struct place *p = *state;

    run_sql(p, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    assert_refused(p, ERR_CORRUPT, "another program");
    run_sql(p, "INSERT INTO theirs VALUES (2)"); // and left as it was
}

static void a_newer_versions_database_is_refused(void **state)
{
    const struct place *p = *state;
    struct store *s = NULL;

    assert_int_equal(store_sqlite_open(p->path, &options, &s, NULL), ERR_OK);
    store_close(s);
    run_sql(p, "PRAGMA user_version = 999");
    assert_refused(p, ERR_TOO_NEW, "newer version");
    char back[48];
    snprintf(back, sizeof(back), "PRAGMA user_version = %d", sqlite_migration_count);
    run_sql(p, back);
    assert_int_equal(store_sqlite_open(p->path, &options, &s, NULL), ERR_OK);
    store_close(s);
}

// ---- upgrades ----

static const struct store_options existing = {.clock = &clock_system,
                                              .concurrency = 2,
                                              .queue_limit = 10,
                                              .retention_ms = 1000,
                                              .lease_ms = 1000,
                                              .existing = true};

static void an_admin_command_makes_no_database(void **state)
{
    const struct place *p = *state;
    struct err_note note = {0};
    struct store *s = NULL;

    assert_int_equal(store_sqlite_open(p->path, &existing, &s, &note), ERR_UNAVAILABLE);
    assert_int_not_equal(access(p->path, F_OK), 0);
    run_sql(p, "VACUUM"); // an empty file
    assert_int_equal(store_sqlite_open(p->path, &existing, &s, &note), ERR_UNSUPPORTED);
    assert_non_null(strstr(note.text, "patina serve"));
}

/* What version 0001 wrote: an account with jobs in every state, keys, uploads, deliveries, blobs.
 */
static const char first_version[] =
    "INSERT INTO meta (one, site_secret) VALUES (1, zeroblob(32));"
    "INSERT INTO account (id, uuid, name, is_private, granted, available, frozen, consumed, "
    " waiting, running, created_ms, updated_ms, webhook_secret) VALUES "
    "(1, x'00000000000040008000000000000001', 'one', 0, 1000, 520, 360, 120, 1, 2, 5, 6, "
    "'whsec_1'),"
    "(2, x'00000000000040008000000000000002', '42', 1, 0, 0, 0, 0, 0, 0, 5, 6, 'whsec_2');"
    "INSERT INTO api_key (sha256, account, prefix, created_ms) VALUES "
    "(x'838c0e4d74ff5e307664f1456f111563c971eb20ad9a029abd208963ff5ec93b', 1, 'younger-', 20),"
    "(x'0000000000000000000000000000000000000000000000000000000000000000', 1, 'older---', 10);"
    "INSERT INTO upload (id, public_id, account, blob_key, bytes, width, height, format, sha256, "
    " created_ms, expires_ms, jobs) VALUES "
    "(1, '0123456789abcdef0123456789abcdef', 1, 'upload/1', 5, 1, 1, 1, zeroblob(32), 1, 2, 1);"
    "INSERT INTO job (id, uuid, account, state, lease, is_private, cost, created_ms, upload, "
    " img_url, prompt, callback) VALUES "
    "(1, x'00000000000040008000000000000011', 1, 0, 0, 0, 120, 1, 1, 'u', 'p', 'https://c/'),"
    "(2, x'00000000000040008000000000000012', 1, 1, 7, 0, 120, 1, NULL, 'u', 'p', ''),"
    "(3, x'00000000000040008000000000000013', 1, 2, 8, 0, 120, 1, NULL, 'u', 'p', ''),"
    "(4, x'00000000000040008000000000000014', 1, 3, 0, 0, 120, 1, NULL, 'u', 'p', 'https://c/'),"
    "(5, x'00000000000040008000000000000015', 1, 4, 0, 0, 120, 1, NULL, 'u', 'p', 'https://c/');"
    "INSERT INTO ledger (account, kind, points, job, at_ms) VALUES (1, 1, 1000, NULL, 0),"
    "(1, 2, 120, 1, 1), (1, 2, 120, 2, 1), (1, 2, 120, 3, 1), (1, 2, 120, 4, 1), (1, 2, 120, 5, 1),"
    "(1, 3, 120, 4, 2), (1, 4, 120, 5, 2);"
    "INSERT INTO delivery (msg_uuid, job, state, next_ms, created_ms) VALUES "
    "(x'00000000000040008000000000000024', 4, 1, 3, 3),"
    "(x'00000000000040008000000000000025', 5, 0, 3, 3);"
    "INSERT INTO blob (key, job, bytes, due_ms) VALUES ('upload/1', NULL, 5, NULL),"
    "('job/4/0.png', 4, 5, 99);";

static void a_database_of_the_first_version_is_brought_up_to_date(void **state)
{
    struct store_delivery_list q = {.account = 1, .state = -1, .limit = 9};
    const struct place *p = *state;
    struct arena a = ARENA_INIT;
    struct err_note note = {0};
    struct store *s = NULL;
    struct api_key *keys;
    struct delivery *d;
    struct account one;
    struct job j;
    uint8_t sha[SHA256_BYTES];
    int count;

    run_sql(p, sqlite_migrations[0].sql);
    run_sql(p, first_version);
    run_sql(p, "PRAGMA application_id = 0x50746e61; PRAGMA user_version = 1");
    assert_int_equal(store_sqlite_open(p->path, &existing, &s, &note), ERR_UNSUPPORTED);
    assert_non_null(strstr(note.text, "older version"));
    assert_int_equal(store_sqlite_open(p->path, &options, &s, &note), ERR_OK);
    assert_int_equal(store_check_ledger(s, &note), ERR_OK);

    assert_int_equal(store_keys_list(s, -1, 0, 9, &a, &keys, &count), ERR_OK);
    assert_int_equal(count, 2);
    assert_string_equal(keys[0].prefix, "older---");
    assert_string_equal(keys[1].prefix, "younger-");
    assert_int_equal(keys[1].created_ms, 20);
    assert_int_equal(keys[1].used_ms, -1);
    assert_string_equal(keys[1].label, "");
    sha256("younger-key-of-16", 17, sha);
    assert_int_equal(store_account_by_key(s, sha, &one), ERR_OK);
    assert_int_equal(one.id, 1);
    assert_int_equal(one.deleted_ms, -1);
    assert_int_equal(store_deliveries_list(s, &q, &a, &d, &count), ERR_OK);
    assert_int_equal(count, 2);
    assert_string_equal(d[0].job_uuid, "00000000-0000-4000-8000-000000000015");
    assert_int_equal(store_deliveries_due(s, 9, NULL, 0, 9, &a, &d, &count), ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(store_job_get(s, 1, d[0].job_uuid, &a, &j), ERR_OK);
    assert_int_equal(j.id, 5);
    assert_int_equal(store_reap(s, &count), ERR_OK);
    assert_int_equal(count, 2);
    assert_int_equal(store_account_delete(s, 1), ERR_OK); // which touches all of it
    assert_int_equal(store_sweep(s, INT64_MAX), ERR_OK);
    assert_int_equal(store_check_ledger(s, &note), ERR_OK);
    store_close(s);
    assert_int_equal(store_sqlite_open(p->path, &existing, &s, &note), ERR_OK);
    store_close(s);
    arena_release(&a);
}

static void a_missing_folder_is_refused(void **state)
{
    const struct place *p = *state;
    struct place missing;

    snprintf(missing.path, sizeof(missing.path), "%s/no/patina.db", p->folder);
    assert_refused(&missing, ERR_IO, "No such file or directory");
}

static void the_schema_stays_when_it_is_opened_again(void **state)
{
    const struct place *p = *state;
    struct account first, again;
    struct store *s = NULL;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(store_sqlite_open(p->path, &options, &s, NULL), ERR_OK);
        enum err e = store_first_account(s, "a-key-0123456789", 10, i ? &again : &first);
        assert_int_equal(e, i ? ERR_REPLAY : ERR_OK);
        store_close(s);
    }
    assert_int_equal(again.id, first.id);
    assert_int_equal(again.granted, 10);
}

static void the_ledger_cannot_be_changed(void **state)
{
    const struct place *p = *state;
    struct account a;
    struct store *s = NULL;
    sqlite3 *db = NULL;

    assert_int_equal(store_sqlite_open(p->path, &options, &s, NULL), ERR_OK);
    assert_int_equal(store_first_account(s, "a-key-0123456789", 10, &a), ERR_OK);
    store_close(s);
    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "UPDATE ledger SET points = 11", NULL, NULL, NULL), 0);
    assert_int_not_equal(sqlite3_exec(db, "DELETE FROM ledger", NULL, NULL, NULL), 0);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_ledger_that_does_not_add_up_is_found(void **state)
{
    static const char *const damage[] = {
        "UPDATE account SET available = available + 1, granted = granted + 1",
        "UPDATE account SET waiting = 1",
        "UPDATE account SET running = 1",
        "INSERT INTO ledger (account, kind, points, job, at_ms) VALUES (1, 2, 5, 77, 0)",
    };
    const struct place *p = *state;

    for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        struct err_note note = {0};
        struct account a;
        struct store *s = NULL;
        unlink(p->path);
        assert_int_equal(store_sqlite_open(p->path, &options, &s, NULL), ERR_OK);
        assert_int_equal(store_first_account(s, "a-key-0123456789", 10, &a), ERR_OK);
        assert_int_equal(store_check_ledger(s, &note), ERR_OK);
        run_sql(p, damage[i]);
        assert_int_equal(store_check_ledger(s, &note), ERR_BUG);
        assert_non_null(strstr(note.text, "default"));
        store_close(s);
    }
}

// ---- how jobs find their rows ----

static void submitted(void *ctx, enum err e, const void *answer, size_t len)
{
    (void)answer;
    (void)len;
    assert_int_equal(e, ERR_OK);
    *(bool *)ctx = true;
}

static void submit(struct store *s, int64_t account, const char *upload, const char *uuid)
{
    struct store_submit in = {.uuid = uuid,
                              .account = account,
                              .img_url = "u",
                              .prompt = "p",
                              .callback = "c",
                              .upload_id = upload,
                              .cost = 1,
                              .idem_key = uuid,
                              .idem_path = "/"};
    bool done = false;

    store_submit(s, &in, submitted, &done);
    assert_int_equal(store_ping(s), ERR_OK); // runs behind it
    assert_true(done);
}

static int64_t row_in(struct store *s, const char *text)
{
    uint8_t uuid[16];

    assert_true(uuid_parse(text, uuid));
    return job_ids_row(&self(s)->job_ids, uuid);
}

static int64_t row_of(struct store *s, const char *uuid)
{
    struct arena a = ARENA_INIT;
    struct job j;

    assert_int_equal(store_job_get(s, -1, uuid, &a, &j), ERR_OK);
    assert_string_equal(j.uuid, uuid);
    arena_release(&a);
    return j.id;
}

static void a_uuid_says_which_row_its_job_is(void **state)
{
    enum { MADE_HERE, ELSEWHERE, LATE, UNUSED, JOBS };
    const struct place *p = *state;
    char uuid[JOBS][UUID_TEXT], next[UUID_TEXT];
    struct account a;
    struct store *s = NULL;

    assert_int_equal(store_sqlite_open(p->path, &options, &s, NULL), ERR_OK);
    assert_int_equal(store_first_account(s, "a-key-0123456789", 100, &a), ERR_OK);
    store_job_uuid(s, uuid[UNUSED]); // of a request that was refused
    store_job_uuid(s, uuid[MADE_HERE]);
    submit(s, a.id, NULL, uuid[MADE_HERE]);
    store_job_uuid(s, uuid[LATE]);
    uuid_v4(uuid[ELSEWHERE]); // which takes the row that is reserved for the late one
    submit(s, a.id, NULL, uuid[ELSEWHERE]);
    submit(s, a.id, NULL, uuid[LATE]);
    for (int opened = 0; opened < 2; opened++) {
        assert_int_equal(row_of(s, uuid[MADE_HERE]), 2);
        assert_int_equal(row_in(s, uuid[MADE_HERE]), 2);
        assert_int_equal(row_of(s, uuid[ELSEWHERE]), 3);
        assert_int_equal(row_in(s, uuid[LATE]), 3);
        assert_int_equal(row_of(s, uuid[LATE]), 4);
        assert_int_equal(row_in(s, uuid[UNUSED]), 1);
        store_job_uuid(s, next);
        assert_int_equal(row_in(s, next), 5);
        store_close(s);
        assert_int_equal(store_sqlite_open(p->path, &options, &s, NULL), ERR_OK);
    }
    store_close(s);
}

// What an outsider sees: version 4, and nothing that follows from the one before.
static void a_uuid_hides_its_row(void **state)
{
    enum { MADE = 4096, ROW_BITS = 40 };
    const struct place *p = *state;
    uint8_t uuid[16], before[16] = {0};
    int differ[ROW_BITS] = {0};
    struct store *s = NULL;
    char text[UUID_TEXT];

    assert_int_equal(store_sqlite_open(p->path, &options, &s, NULL), ERR_OK);
    for (int i = 0; i < MADE; i++) {
        store_job_uuid(s, text);
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
        assert_true(uuid_parse(text, uuid));
        for (int bit = 0; bit < ROW_BITS; bit++)
            differ[bit] += (uuid[bit / 8] ^ before[bit / 8]) >> bit % 8 & 1;
        memcpy(before, uuid, sizeof(before));
    }
    // Half of them, give or take ten standard deviations of 32.
    for (int bit = 0; bit < ROW_BITS; bit++)
        assert_in_range(differ[bit], MADE / 2 - 320, MADE / 2 + 320);
    store_close(s);
}

// ---- how queries find their rows ----

enum { SQL_MAX = 256 };

static char *seen[SQL_MAX];
static int seen_count;

static int note_sql(unsigned kind, void *ctx, void *stmt, void *text)
{
    const char *sql = sqlite3_sql(stmt);

    (void)kind;
    (void)ctx;
    (void)text;
    for (int i = 0; i < seen_count; i++) {
        if (strcmp(seen[i], sql) == 0)
            return 0;
    }
    if (seen_count < SQL_MAX)
        seen[seen_count++] = strdup(sql);
    return 0;
}

// SQLite calls it for every connection that is opened.
static int watch(sqlite3 *db, char **problem, const void *api)
{
    (void)problem;
    (void)api;
    return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, note_sql, NULL);
}

// Calls everything but store_check_ledger(), which may scan.
static void use_everything(struct store *s)
{
    struct arena a = ARENA_INIT;
    struct account acc;
    struct upload u = {.id = "0123456789abcdef0123456789abcdef",
                       .blob_key = "upload/1",
                       .expires_ms = INT64_MAX},
                  found;
    struct store_list lists[] = {{.state = -1, .limit = 9},
                                 {.state = JOB_COMPLETED, .limit = 9},
                                 {.state = JOB_FAILED, .limit = 9},
                                 {.state = -1, .active = true, .limit = 9}};
    struct job_end end = {.error_code = 500, .error_message = "x"};
    struct store_delivery_list posts[] = {{.account = -1, .state = -1, .limit = 9},
                                          {.state = 1, .limit = 9},
                                          {.job_uuid = "x", .state = -1, .limit = 9}};
    struct store_counts counts;
    struct account *accounts;
    struct api_key key, *keys_of;
    struct delivery *d, post;
    struct stored_blob *stored;
    struct lease l;
    struct job j, found_job, *list;
    char uuid[UUID_TEXT];
    const char **keys;
    int64_t ids[4];
    bool flag;
    int n;

    assert_int_equal(store_first_account(s, "a-key-0123456789", 100, &acc), ERR_OK);
    assert_int_equal(store_reap(s, &n), ERR_OK);
    u.account = acc.id;
    assert_int_equal(store_upload_add(s, &u, &a, &found, NULL), ERR_OK);
    u.expires_ms--;
    assert_int_equal(store_upload_add(s, &u, &a, &found, NULL), ERR_REPLAY);
    for (int i = 0; i < 4; i++) {
        store_job_uuid(s, uuid);
        submit(s, acc.id, i ? NULL : u.id, uuid);
    }
    assert_int_equal(store_claim(s, &a, &j, &l), ERR_OK);
    assert_int_equal(store_set_source(s, &l, "source/1", 1), ERR_OK);
    assert_int_equal(store_advance(s, &l, JOB_STAGED), ERR_OK);
    assert_int_equal(store_hand_back(s, &l, false, "x"), ERR_OK);
    assert_int_equal(store_claim(s, &a, &j, &l), ERR_OK);
    assert_int_equal(store_finish(s, &l, &end), ERR_OK);
    assert_int_equal(store_cancel(s, -1, uuid, &a, &j, &flag), ERR_OK);
    assert_int_equal(store_job_get(s, -1, uuid, &a, &j), ERR_OK);
    assert_int_equal(store_job_get(s, -1, acc.uuid, &a, &found_job), ERR_NOT_FOUND);
    assert_int_equal(store_blob_add(s, j.id, "job/1", 1), ERR_OK);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        lists[i].account = acc.id;
        assert_int_equal(store_jobs_list(s, &lists[i], &a, &list, &n), ERR_OK);
    }
    assert_int_equal(store_waiting_ids(s, acc.id, ids, 4, &n), ERR_OK);
    assert_int_equal(store_deliveries_due(s, INT64_MAX, NULL, 0, 9, &a, &d, &n), ERR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(store_delivery_record(s, d[0].id, DELIVERY_DONE, 200, 0), ERR_OK);
    for (size_t i = 0; i < sizeof(posts) / sizeof(posts[0]); i++) {
        posts[i].account = i ? acc.id : -1;
        posts[i].job_uuid = posts[i].job_uuid ? uuid : NULL;
        assert_int_equal(store_deliveries_list(s, &posts[i], &a, &d, &n), ERR_OK);
        assert_true(n > 0);
    }
    assert_int_equal(store_delivery_get(s, acc.id, d[0].msg_id, &a, &post), ERR_OK);
    assert_int_equal(store_delivery_redeliver(s, acc.id, d[0].msg_id, &a, &post), ERR_OK);
    assert_int_equal(store_account_find(s, "default", &acc), ERR_OK);
    assert_int_equal(store_account_find(s, acc.uuid, &acc), ERR_OK);
    assert_int_equal(store_accounts_list(s, 0, false, 9, &a, &accounts, &n), ERR_OK);
    assert_int_equal(store_key_create(s, acc.id, "another-key-0123456", "x", &key), ERR_OK);
    assert_int_equal(store_keys_list(s, -1, 0, 9, &a, &keys_of, &n), ERR_OK);
    assert_int_equal(store_keys_list(s, acc.id, 0, 9, &a, &keys_of, &n), ERR_OK);
    sha256("another-key-0123456", 19, u.sha256);
    assert_int_equal(store_account_by_key(s, u.sha256, &acc), ERR_OK);
    assert_int_equal(store_key_revoke(s, key.id, &key), ERR_OK);
    assert_int_equal(store_webhook_secret_rotate(s, acc.id, 1000, &acc), ERR_OK);
    assert_int_equal(store_upload_get(s, -1, u.id, &a, &found), ERR_OK);
    assert_int_equal(store_blobs_expired(s, INT64_MAX, 9, &a, &keys, &n), ERR_OK);
    assert_int_equal(store_blobs_forget(s, keys, n), ERR_OK);
    assert_int_equal(store_blobs_from(s, "", 9, &a, &stored, &n), ERR_OK);
    assert_int_equal(store_blob_known(s, "job/1", &flag), ERR_OK);
    assert_int_equal(store_counts(s, &counts), ERR_OK);
    assert_int_equal(store_account_get(s, acc.id, &acc), ERR_OK);
    assert_int_equal(store_account_set_disabled(s, acc.id, true), ERR_OK);
    assert_int_equal(store_sweep(s, INT64_MAX), ERR_OK);
    assert_int_equal(store_account_delete(s, acc.id), ERR_OK);
    while (store_claim(s, &a, &j, &l) == ERR_OK)
        assert_int_equal(store_finish(s, &l, &end), ERR_OK);
    assert_int_equal(store_sweep(s, INT64_MAX), ERR_OK);
    arena_release(&a);
}

// Scans of what is small by its nature: the catalogue, the one row of meta, accounts, and receivers
// that something is due to; and of indexes that hold nothing but what is asked for.
static bool may_scan(const char *step)
{
    static const char *const small[] = {
        "SCAN sqlite_master", "SCAN meta",          "SCAN account", "SCAN a USING",
        "INDEX job_leased",   "INDEX delivery_due", "SCAN of",
    };

    for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
        if (strstr(step, small[i]))
            return true;
    }
    return false;
}

static bool failed_index_used;

static int check_step(void *ctx, int count, char **values, char **names)
{
    const char *sql = ctx, *step = values[3];

    (void)count;
    (void)names;
    if (strncmp(step, "SCAN", 4) == 0 && !strstr(step, "CONSTANT ROW") && !may_scan(step))
        fail_msg("%s: %s", step, sql);
    // Sorting is for what is few: some deliveries of each receiver.
    if (strstr(step, "TEMP B-TREE") && !strstr(sql, "FROM of"))
        fail_msg("%s: %s", step, sql);
    if (strstr(step, "job_failed") && !strstr(step, "COVERING"))
        fail_msg("job_failed does not have all of JOB_COLUMNS: %s", step);
    failed_index_used |= strstr(step, "job_failed") != NULL;
    return 0;
}

static bool is_query(const char *sql)
{
    static const char *const verbs[] = {"SELECT", "INSERT", "UPDATE", "DELETE"};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strncmp(sql, verbs[i], strlen(verbs[i])) == 0)
            return true;
    }
    return false;
}

static void every_query_finds_its_rows_by_an_index(void **state)
{
    const struct place *p = *state;
    struct store *s = NULL;
    sqlite3 *db = NULL;

    // Migrations run once and may scan.
    assert_int_equal(store_sqlite_open(p->path, &options, &s, NULL), ERR_OK);
    store_close(s);
    sqlite3_auto_extension((void (*)(void))watch);
    assert_int_equal(store_sqlite_open(p->path, &options, &s, NULL), ERR_OK);
    use_everything(s);
    sqlite3_cancel_auto_extension((void (*)(void))watch);
    store_close(s);
    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    int explained = 0;
    for (int i = 0; i < seen_count; i++) {
        char plan[4096];
        if (is_query(seen[i])) {
            snprintf(plan, sizeof(plan), "EXPLAIN QUERY PLAN %s", seen[i]);
            assert_int_equal(sqlite3_exec(db, plan, check_step, seen[i], NULL), SQLITE_OK);
            explained++;
        }
        free(seen[i]);
    }
    assert_true(explained > 80);
    assert_true(failed_index_used);
    assert_true(seen_count < SQL_MAX);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

// The benchmark's store has to be one that a service could have come to.
static void a_store_filled_for_measuring_adds_up(void **state)
{
    const struct place *p = *state;
    const struct store_past past = {3, 2, 200};
    char key[STORE_BENCH_KEY_TEXT];
    uint8_t hash[SHA256_BYTES];
    struct arena a = ARENA_INIT;
    struct account account;
    struct err_note note = {0};
    struct store *s = NULL;
    struct job *jobs;
    int count, failed = 0;

    assert_int_equal(store_bench_fill(p->path, &past, &note), ERR_OK);
    assert_int_equal(store_sqlite_open(p->path, &options, &s, &note), ERR_OK);
    assert_int_equal(store_check_ledger(s, &note), ERR_OK);
    assert_int_equal(store_verify(s, &note), ERR_OK);
    store_bench_key(2, 1, key);
    sha256(key, strlen(key), hash);
    assert_int_equal(store_account_by_key(s, hash, &account), ERR_OK);
    assert_int_equal(account.id, 3);
    for (int64_t i = 1; i <= past.accounts; i++) {
        struct store_list q = {.account = i, .state = -1, .limit = 100};
        assert_int_equal(store_jobs_list(s, &q, &a, &jobs, &count), ERR_OK);
        assert_in_range(count, 66, 67);
        assert_int_equal(row_in(s, jobs[0].uuid), jobs[0].id);
        q.state = JOB_FAILED;
        assert_int_equal(store_jobs_list(s, &q, &a, &jobs, &count), ERR_OK);
        failed += count;
    }
    assert_in_range(failed, 15, 25);
    arena_release(&a);
    store_close(s);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, place_setup, place_teardown)

// ---- leases ----

struct gate {
    sem_t reached, open;
};

static enum err stop_at_gate(struct writer *w, void *args)
{
    struct gate *g = args;

    (void)w;
    sem_post(&g->reached);
    sem_wait(&g->open);
    return ERR_OK;
}

struct call {
    struct store *s;
    void (*make)(struct call *c);
    struct gate gate;
    struct lease lease;
    struct arena arena;
    struct job job;
    int count;
    enum err e;
    pthread_t thread;
};

static void hold_up(struct call *c)
{
    c->e = writer_do(&self(c->s)->writer, URGENT, stop_at_gate, &c->gate);
}

static void hand_back(struct call *c)
{
    c->e = store_hand_back(c->s, &c->lease, false, "late");
}

static void claim(struct call *c)
{
    c->e = store_claim(c->s, &c->arena, &c->job, &c->lease);
}

static void reap(struct call *c)
{
    c->e = store_reap(c->s, &c->count);
}

static void *make_call(void *arg)
{
    struct call *c = arg;

    c->make(c);
    return NULL;
}

static int queued(struct store *s)
{
    struct writer *w = &self(s)->writer;
    int n = 0;

    pthread_mutex_lock(&w->lock);
    for (const struct request *r = w->queue[URGENT].first; r; r = r->next)
        n++;
    pthread_mutex_unlock(&w->lock);
    return n;
}

// A worker that was silent for too long hands its job back, another one claims it, and the leases
// are looked over: all of it in one batch.
static void a_lease_that_ran_out_does_not_end_its_successor(void **state)
{
    const struct place *p = *state;
    struct clock_sim sim;
    struct store_options o = options;
    struct account account;
    struct store *s;
    struct call silent = {.make = claim}, none = {.make = reap};
    struct call call[] = {{.make = hold_up}, {.make = hand_back}, {.make = claim}, {.make = reap}};
    struct gate *gate = &call[0].gate;

    clock_sim_init(&sim, 1800000000000);
    o.clock = &sim.clock;
    assert_int_equal(store_sqlite_open(p->path, &o, &s, NULL), ERR_OK);
    assert_int_equal(store_first_account(s, "0123456789abcdef", 1000, &account), ERR_OK);
    submit(s, account.id, NULL, "0b0e7a3c-5a3e-4a4e-9d59-1f5b0b0c0d0e");
    silent.s = none.s = s;
    reap(&none); // as every process does once, before it claims
    claim(&silent);
    assert_int_equal(silent.e, ERR_OK);
    clock_sim_advance(&sim, o.lease_ms);
    call[1].lease = silent.lease;
    sem_init(&gate->reached, 0, 0);
    sem_init(&gate->open, 0, 0);
    for (int i = 0; i < 4; i++) {
        call[i].s = s;
        pthread_create(&call[i].thread, NULL, make_call, &call[i]);
        if (i == 0)
            sem_wait(&gate->reached);
        while (queued(s) < i)
            sched_yield();
    }
    sem_post(&gate->open);
    for (int i = 0; i < 4; i++) {
        pthread_join(call[i].thread, NULL);
        assert_int_equal(call[i].e, ERR_OK);
    }
    assert_int_equal(call[3].count, 0);
    assert_int_equal(store_heartbeat(s, &call[2].lease), ERR_OK);
    assert_int_equal(store_finish(s, &call[2].lease,
                                  &(struct job_end){.error_code = 500, .error_message = "no"}),
                     ERR_OK);
    arena_release(&silent.arena);
    arena_release(&call[2].arena);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_file_is_private),
        TEST(what_is_no_database_is_refused),
        TEST(a_damaged_database_is_refused),
        TEST(another_programs_database_is_refused),
        TEST(a_newer_versions_database_is_refused),
        TEST(a_missing_folder_is_refused),
        TEST(an_admin_command_makes_no_database),
        TEST(a_database_of_the_first_version_is_brought_up_to_date),
        TEST(the_schema_stays_when_it_is_opened_again),
        TEST(the_ledger_cannot_be_changed),
        TEST(a_ledger_that_does_not_add_up_is_found),
        TEST(a_uuid_says_which_row_its_job_is),
        TEST(a_uuid_hides_its_row),
        TEST(every_query_finds_its_rows_by_an_index),
        TEST(a_store_filled_for_measuring_adds_up),
        TEST(a_lease_that_ran_out_does_not_end_its_successor),
    };

    return cmocka_run_group_tests_name("store_sqlite", tests, NULL, NULL);
}
