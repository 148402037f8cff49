/* SPDX-License-Identifier: MIT */
#include "contract/store_fixture.h"

#include "store/store_sqlite.h"

#include <dirent.h>
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum err open_sqlite(const char *folder, const struct store_options *o, struct store **out,
                            struct err_note *note)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/patina.db", folder);
    return store_sqlite_open(path, o, out, note);
}

const struct backend backend_sqlite = {"sqlite", open_sqlite};

const struct backend *backend_under_test;

const struct job_end bad_end = {.error_code = 424,
                                .error_message = "Source image could not be fetched: no such host",
                                .error_detail = "{\"reason\":\"dns\"}"};

struct fixture *fixture_new(const struct backend *b)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->backend = b;
    // In memory where there is such a place: durability is proved by killing and by failing writes,
    // not by the disk, whose fsync would take most of the time.
    snprintf(f->folder, sizeof(f->folder), "%s/patina-store-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    clock_sim_init(&f->clock, START_MS);
    f->options = (struct store_options){.clock = &f->clock.clock,
                                        .concurrency = CONCURRENCY,
                                        .queue_limit = QUEUE_LIMIT,
                                        .retention_ms = RETENTION_MS,
                                        .lease_ms = LEASE_MS};
    return f;
}

void fixture_free(struct fixture *f)
{
    DIR *d = opendir(f->folder);

    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(f->folder);
    arena_release(&f->a);
    free(f);
}

void fixture_open(struct fixture *f)
{
    struct err_note note = {0};
    enum err e = f->backend->open(f->folder, &f->options, &f->s, &note);

    if (e)
        fail_msg("open: %s: %s", err_name(e), note.text);
}

void fixture_reopen(struct fixture *f)
{
    store_close(f->s);
    f->s = NULL;
    fixture_open(f);
}

int fixture_setup(void **state)
{
    struct fixture *f = fixture_new(backend_under_test);

    fixture_open(f);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    FIXTURE(f);

    check_invariants(f);
    store_close(f->s);
    fixture_free(f);
    return 0;
}

bool listed(enum err e)
{
    return e == ERR_UNAVAILABLE || e == ERR_FULL || e == ERR_IO || e == ERR_NOMEM;
}

void assert_listed(enum err e)
{
    if (e != ERR_OK && !listed(e))
        fail_msg("%s is not a listed error", err_name(e));
}

int64_t add_account(struct fixture *f, const char *name, int64_t points)
{
    struct account_new in = {.name = name, .points = points};
    struct account a;

    assert_ok(store_account_create(f->s, &in, &a));
    return a.id;
}

enum err add_key(struct fixture *f, int64_t account, const char *key)
{
    struct api_key out;

    return store_key_create(f->s, account, key, "", &out);
}

struct account get_account(struct fixture *f, int64_t id)
{
    struct account a;

    assert_ok(store_account_get(f->s, id, &a));
    return a;
}

void submit_init(struct submit_call *c, struct fixture *f, int64_t account)
{
    store_job_uuid(f->s, c->uuid);
    c->in = (struct store_submit){.uuid = c->uuid,
                                  .account = account,
                                  .img_url = "https://example.com/a.jpg",
                                  .prompt = "oil painting of \xC3\xA9t\xC3\xA9",
                                  .callback = "",
                                  .cost = COST,
                                  .created_ms = clock_unix_ms(&f->clock.clock),
                                  .idem_path = "/api/v1/retexture",
                                  .answer = "answer",
                                  .answer_len = 6};
}

struct submit_result {
    sem_t done;
    enum err e;
    char *answer;
};

static void submit_done(void *ctx, enum err e, const void *answer, size_t len)
{
    struct submit_result *r = ctx;

    r->e = e;
    if (r->answer) {
        memcpy(r->answer, answer ? answer : "", len);
        r->answer[len] = '\0';
    }
    sem_post(&r->done);
}

enum err submit_wait(struct store *s, const struct store_submit *in, char *answer)
{
    struct submit_result r = {.answer = answer};

    sem_init(&r.done, 0, 0);
    store_submit(s, in, submit_done, &r);
    while (sem_wait(&r.done) != 0)
        assert_int_equal(errno, EINTR);
    sem_destroy(&r.done);
    return r.e;
}

void add_job(struct fixture *f, int64_t account, char uuid[UUID_TEXT])
{
    struct submit_call c;

    submit_init(&c, f, account);
    assert_ok(submit_wait(f->s, &c.in, NULL));
    memcpy(uuid, c.uuid, UUID_TEXT);
}

struct job get_job(struct fixture *f, const char *uuid)
{
    struct job j;

    assert_ok(store_job_get(f->s, -1, uuid, &f->a, &j));
    return j;
}

struct lease claim(struct fixture *f, struct job *out)
{
    struct lease l = {0};

    assert_ok(store_claim(f->s, &f->a, out, &l));
    assert_int_equal(l.job, out->id);
    assert_true(l.token != 0);
    return l;
}

struct lease claim_processing(struct fixture *f, struct job *out)
{
    struct lease l = claim(f, out);

    assert_ok(store_advance(f->s, &l, JOB_STAGED));
    assert_ok(store_advance(f->s, &l, JOB_PROCESSING));
    return l;
}

struct job_end good_end(struct fixture *f, const char *uuid)
{
    static const char *const names[] = {"0", "1", "2", "3", "grid"};
    static const int64_t bytes[] = {100, 101, 102, 103, 400};
    const char **keys = arena_alloc(&f->a, sizeof(names));

    assert_non_null(keys);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        keys[i] = arena_printf(&f->a, "job/%s/%s.png", uuid, names[i]);
    return (struct job_end){.completed = true,
                            .seed = 4294967295u,
                            .width = 1184,
                            .height = 880,
                            .engine = "look 1.0",
                            .interpretation = "{\"medium\":\"oil painting\"}",
                            .warnings = "[]",
                            .timings = "{\"render\":812}",
                            .blob_keys = keys,
                            .blob_bytes = bytes,
                            .blob_count = COUNT_OF(names)};
}

void check_invariants(struct fixture *f)
{
    struct err_note note = {0};
    enum err e = store_check_ledger(f->s, &note);

    if (e)
        fail_msg("invariant: %s: %s", err_name(e), note.text);
}
