/* SPDX-License-Identifier: MIT */
#include "contract/store_fixture.h"
#include "store/store_fault.h"
#include "support/faulty_sqlite.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Disk and memory under SQLite fail at the first call, the second, the third... until a whole
 * scenario runs without reaching the failure. Each time a call may succeed or report one of the
 * listed errors; what it reported must be what is there afterwards; and once the fault is gone,
 * every job can be brought to an end.
 */

// What the calls of a scenario said.
struct story {
    int64_t account;
    char first[UUID_TEXT];
    struct submit_call accept[3];
    enum err accepted[3], claimed, finished, cancelled, uploaded;
    struct lease lease;
    struct job job;
};

static void begin_story(struct fixture *f, struct story *t)
{
    int count;

    memset(t, 0, sizeof(*t));
    t->account = add_account(f, "one", 1000 * COST);
    add_job(f, t->account, t->first);
    fixture_reopen(f); // with nothing in memory, so that reading has to read
    assert_ok(store_reap(f->s, &count));
}

static void tell_story(struct fixture *f, struct story *t)
{
    struct upload u = {.account = t->account, .blob_key = "upload/1", .bytes = 1}, found;
    bool was_leased;
    struct job j;

    snprintf(u.id, sizeof(u.id), "%032d", 1);
    u.expires_ms = START_MS + HOUR_MS;
    for (int i = 0; i < 3; i++) {
        submit_init(&t->accept[i], f, t->account);
        t->accept[i].in.idem_key = i == 1 ? "key" : NULL;
        t->accept[i].in.callback = i == 2 ? "https://example.com/hook" : "";
        t->accepted[i] = submit_wait(f->s, &t->accept[i].in, NULL);
        assert_listed(t->accepted[i]);
    }
    t->claimed = store_claim(f->s, &f->a, &t->job, &t->lease);
    assert_listed(t->claimed);
    t->uploaded = store_upload_add(f->s, &u, &f->a, &found, NULL);
    assert_listed(t->uploaded);
    t->finished = ERR_NONE;
    if (!t->claimed) {
        assert_listed(store_set_source(f->s, &t->lease, "source/1", 10));
        assert_listed(store_set_style(f->s, &t->lease, "style/1", 10));
        enum err e = store_advance(f->s, &t->lease, JOB_STAGED);
        assert_listed(e);
        if (!e)
            assert_listed(store_advance(f->s, &t->lease, JOB_PROCESSING));
        t->finished = store_finish(f->s, &t->lease, &bad_end);
        assert_listed(t->finished);
    }
    t->cancelled = ERR_NONE;
    if (!t->accepted[2]) {
        t->cancelled = store_cancel(f->s, -1, t->accept[2].uuid, &f->a, &j, &was_leased);
        assert_listed(t->cancelled);
    }
    assert_listed(store_job_get(f->s, -1, t->first, &f->a, &j));
}

// What was said is what is there.
static void check_story(struct fixture *f, const struct story *t)
{
    struct upload u;
    struct job j;
    char id[33];

    check_invariants(f);
    for (int i = 0; i < 3; i++)
        assert_int_equal(store_job_get(f->s, -1, t->accept[i].uuid, &f->a, &j),
                         t->accepted[i] ? ERR_NOT_FOUND : ERR_OK);
    j = get_job(f, t->first);
    assert_int_equal(j.claims, t->claimed ? 0 : 1);
    assert_int_equal(j.error_code, t->finished == ERR_OK ? 424 : 0);
    if (!t->accepted[2])
        assert_int_equal(get_job(f, t->accept[2].uuid).cancelled, t->cancelled == ERR_OK);
    snprintf(id, sizeof(id), "%032d", 1);
    assert_int_equal(store_upload_get(f->s, t->account, id, &f->a, &u),
                     t->uploaded ? ERR_NOT_FOUND : ERR_OK);
}

// The fault is gone: what failed can be done again, and every job ends.
static void end_story(struct fixture *f, const struct story *t)
{
    struct store_counts counts;
    struct lease l;
    struct job j;

    if (listed(t->finished))
        assert_ok(store_finish(f->s, &t->lease, &bad_end));
    for (int i = 0; i < 3; i++) {
        if (listed(t->accepted[i]))
            assert_ok(submit_wait(f->s, &t->accept[i].in, NULL));
    }
    while (store_claim(f->s, &f->a, &j, &l) == ERR_OK)
        assert_ok(store_finish(f->s, &l, &bad_end));
    assert_ok(store_counts(f->s, &counts));
    assert_int_equal(counts.waiting + counts.leased, 0);
    assert_int_equal(get_account(f, t->account).available, 1000 * COST);
    check_invariants(f);
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
        int count;
        fixture_reopen(f);
        check_story(f, &t);
        assert_ok(store_reap(f->s, &count));
        t.finished = t.claimed ? t.finished : ERR_OK; // its lease is gone
    }
    end_story(f, &t);
    store_close(f->s);
    fixture_free(f);
    return failed;
}

static void until_none_fails(enum fault kind, bool lasting)
{
    int nth = 1, step = 1;

    while (run_with_fault(kind, nth, lasting) > 0) {
        nth += step;
        // Memory is asked for thousands of times: look closely at the first hundred calls, then
        // at every seventh.
        step = kind == FAULT_NOMEM && nth > 100 ? 7 : 1;
    }
    assert_true(nth > 5); // the fault was reached at all
}

static void writes_that_fail_lose_nothing(void **state)
{
    (void)state;
    until_none_fails(FAULT_WRITE_IO, false);
}

static void a_disk_that_stays_broken_loses_nothing(void **state)
{
    (void)state;
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

// Opening, on an empty folder and on a store that is there already.
static int open_with_fault(enum fault kind, int nth, bool there)
{
    struct fixture *f = fixture_new(&backend_sqlite);
    struct err_note note = {0};

    if (there) {
        fixture_open(f);
        store_close(f->s);
        f->s = NULL;
    }
    faulty_sqlite_arm(kind, nth, false);
    enum err e = f->backend->open(f->folder, &f->options, &f->s, &note);
    int failed = faulty_sqlite_disarm();
    assert_listed(e);
    if (e) {
        assert_null(f->s);
        assert_non_null(strstr(note.text, f->folder)); // says which file
        fixture_open(f);                               // and the next try works
    }
    assert_ok(store_ping(f->s));
    store_close(f->s);
    fixture_free(f);
    return failed;
}

static void opening_fails_cleanly(void **state)
{
    static const enum fault kinds[] = {FAULT_WRITE_IO, FAULT_WRITE_FULL, FAULT_READ_IO,
                                       FAULT_NOMEM};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        for (int there = 0; there < 2; there++) {
            int nth = 1;
            // Most of what an opening asks for is for the schema, which each migration reads anew.
            while (open_with_fault(kinds[i], nth, there) > 0)
                nth += kinds[i] == FAULT_NOMEM && nth > 50 ? 31 : 1;
            assert_true(nth > 1 || there);
        }
    }
}

// ---- many in one transaction ----

enum { TOGETHER = 24 };

struct gathering {
    sem_t done;
    enum err e[TOGETHER];
    struct submit_call call[TOGETHER];
};

struct guest {
    struct gathering *g;
    int number;
};

static void guest_done(void *ctx, enum err e, const void *answer, size_t len)
{
    const struct guest *guest = ctx;

    (void)answer;
    (void)len;
    guest->g->e[guest->number] = e;
    sem_post(&guest->g->done);
}

// Submits at once: most of them share a transaction. Every second one is refused for want of
// points; one allocation fails. How many were accepted and how many failed?
static int submit_together(struct fixture *f, int nth, int *accepted, int *failed)
{
    struct gathering g = {0};
    struct guest guest[TOGETHER];
    int64_t rich = add_account(f, "rich", 1000 * COST), poor = add_account(f, "poor", COST - 1);
    struct job j;

    sem_init(&g.done, 0, 0);
    faulty_sqlite_arm(FAULT_NOMEM, nth, false);
    for (int i = 0; i < TOGETHER; i++) {
        guest[i] = (struct guest){&g, i};
        submit_init(&g.call[i], f, i % 2 ? poor : rich);
        g.call[i].in.idem_key = i % 3 ? NULL : g.call[i].uuid;
        store_submit(f->s, &g.call[i].in, guest_done, &guest[i]);
    }
    for (int i = 0; i < TOGETHER; i++) {
        while (sem_wait(&g.done) != 0)
            assert_int_equal(errno, EINTR);
    }
    int faults = faulty_sqlite_disarm();
    for (int i = 0; i < TOGETHER; i++) {
        bool there = store_job_get(f->s, -1, g.call[i].uuid, &f->a, &j) == ERR_OK;
        assert_int_equal(there, g.e[i] == ERR_OK);
        if (i % 2 == 0 || g.e[i] != ERR_NO_POINTS)
            assert_listed(g.e[i]);
        *accepted += there;
        *failed += listed(g.e[i]);
    }
    sem_destroy(&g.done);
    return faults;
}

static void one_failure_does_not_undo_the_others(void **state)
{
    int nth = 1, mixed = 0;

    (void)state;
    for (;; nth += 3) {
        struct fixture *f = fixture_new(&backend_sqlite);
        int accepted = 0, failed = 0;
        f->options.queue_limit = TOGETHER;
        fixture_open(f);
        int faults = submit_together(f, nth, &accepted, &failed);
        check_invariants(f);
        assert_true(accepted + failed >= TOGETHER / 2);
        mixed += accepted > 0 && (failed > 0 || faults > 0);
        store_close(f->s);
        fixture_free(f);
        if (!faults)
            break;
    }
    assert_true(mixed > 5);
}

// ---- the wrapper that tests of other layers use ----

static void the_wrapper_fails_the_call_it_was_told_to(void **state)
{
    struct fixture *f = fixture_new(&backend_sqlite);
    struct submit_call c;
    struct store_counts counts;

    (void)state;
    fixture_open(f);
    f->s = store_fault_new(f->s);
    assert_non_null(f->s);
    int64_t one = add_account(f, "one", 1000);
    store_fault_arm(f->s, 2, ERR_UNAVAILABLE, false);
    assert_ok(store_ping(f->s));
    submit_init(&c, f, one);
    assert_int_equal(submit_wait(f->s, &c.in, NULL), ERR_UNAVAILABLE);
    assert_ok(submit_wait(f->s, &c.in, NULL)); // the failed call did nothing
    assert_int_equal(store_fault_disarm(f->s), 1);
    store_fault_arm(f->s, 1, ERR_FULL, true);
    assert_int_equal(store_ping(f->s), ERR_FULL);
    assert_int_equal(store_counts(f->s, &counts), ERR_FULL);
    assert_int_equal(store_fault_disarm(f->s), 2);
    assert_ok(store_counts(f->s, &counts));
    assert_int_equal(counts.waiting, 1);
    store_close(f->s);
    fixture_free(f);
}

// ---- ends of the process ----

struct report {
    int fd;
    char uuid[UUID_TEXT];
};

static void report_accepted(void *ctx, enum err e, const void *answer, size_t len)
{
    const struct report *r = ctx;

    (void)answer;
    (void)len;
    if (!e && write(r->fd, r->uuid, UUID_TEXT) != UUID_TEXT)
        _exit(3);
}

// In a child: accepts for ever and writes the UUID of each to `fd` as soon as it is acknowledged.
static void accept_for_ever(struct fixture *f, int fd, int64_t account, enum fault kind, int nth)
{
    enum { AT_ONCE = 8 };
    struct report r = {.fd = fd};
    struct submit_call c[AT_ONCE];

    fixture_open(f);
    faulty_sqlite_arm(kind, nth, true);
    for (int i = 0;; i++) {
        struct submit_call *one = &c[i % AT_ONCE];
        submit_init(one, f, account);
        memcpy(r.uuid, one->uuid, UUID_TEXT);
        if (i % AT_ONCE == 0) {
            // One that is waited for, so that the others are done as well and may be reused.
            enum err e = submit_wait(f->s, &one->in, NULL);
            report_accepted(&r, e, NULL, 0);
        } else {
            struct report *own = arena_alloc(&f->a, sizeof(*own));
            *own = r;
            store_submit(f->s, &one->in, report_accepted, own);
        }
    }
}

// Starts the child, ends it by SIGKILL once it has told of `enough` accepts (0: it ends itself),
// and checks that all it told of are there. Gives the child's wait status.
static int run_child(enum fault kind, int nth, int enough)
{
    struct fixture *f = fixture_new(&backend_sqlite);
    char uuid[UUID_TEXT];
    int fd[2], status, told = 0;
    struct job j;

    fixture_open(f);
    int64_t account = add_account(f, "one", (int64_t)1 << 40);
    store_close(f->s);
    f->options.queue_limit = 1 << 30;
    assert_int_equal(pipe(fd), 0);
    pid_t child = fork();
    if (child == 0) {
        close(fd[0]);
        accept_for_ever(f, fd[1], account, kind, nth);
        _exit(4);
    }
    close(fd[1]);
    char(*uuids)[UUID_TEXT] = arena_alloc(&f->a, (size_t)20000 * UUID_TEXT);
    for (;;) {
        ssize_t n = read(fd[0], uuid, UUID_TEXT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != UUID_TEXT || told == 20000)
            break; // the writes are shorter than PIPE_BUF, so whole
        memcpy(uuids[told++], uuid, UUID_TEXT);
        if (told == enough)
            kill(child, SIGKILL); // what it told until it died is still read
    }
    close(fd[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    fixture_open(f);
    for (int i = 0; i < told; i++)
        assert_ok(store_job_get(f->s, account, uuids[i], &f->a, &j));
    check_invariants(f);
    assert_true(get_account(f, account).waiting >= told);
    store_close(f->s);
    fixture_free(f);
    return status;
}

static void what_was_acknowledged_survives_kill_9(void **state)
{
    (void)state;
    for (int enough = 1; enough < 4000; enough = enough * 2 + 7) {
        int status = run_child(FAULT_NONE, 0, enough);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
}

static void a_failed_fsync_ends_the_process(void **state)
{
    (void)state;
    for (int nth = 1; nth < 40; nth += 9) {
        int status = run_child(FAULT_SYNC, nth, 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_that_fail_lose_nothing),
        cmocka_unit_test(a_disk_that_stays_broken_loses_nothing),
        cmocka_unit_test(a_full_disk_loses_nothing),
        cmocka_unit_test(reads_that_fail_lose_nothing),
        cmocka_unit_test(memory_that_runs_out_loses_nothing),
        cmocka_unit_test(opening_fails_cleanly),
        cmocka_unit_test(one_failure_does_not_undo_the_others),
        cmocka_unit_test(the_wrapper_fails_the_call_it_was_told_to),
        cmocka_unit_test(what_was_acknowledged_survives_kill_9),
        cmocka_unit_test(a_failed_fsync_ends_the_process),
    };

    faulty_sqlite_install();
    return cmocka_run_group_tests_name("store faults", tests, NULL, NULL);
}
