/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "blob/blob_dir.h"
#include "image/sniff.h"
#include "store/store_sqlite.h"
#include "worker/budget.h"
#include "worker/clock_watch.h"
#include "worker/deliver.h"
#include "worker/failure.h"
#include "worker/render_request.h"
#include "worker/source.h"
#include "worker/sweep.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void errors_mean_one_thing_for_a_job(void **state)
{
    static const struct {
        enum err err;
        enum failure_step step;
        const char *reason;
        int status;
        enum failure_move move;
        int code;
        const char *detail;
        const char *field; // NULL: the source
    } row[] = {
        {ERR_TOO_LARGE, STEP_DECODE, "pixels", 0, FAILURE_END, 413, "{\"limit\":\"pixels\"}", NULL},
        {ERR_TOO_LARGE, STEP_SOURCE, "bytes", 0, FAILURE_END, 413, "{\"limit\":\"bytes\"}", NULL},
        {ERR_UNSUPPORTED, STEP_DECODE, "", 0, FAILURE_END, 415, "", NULL},
        {ERR_CORRUPT, STEP_DECODE, "decoder_died", 0, FAILURE_END, 422, "", NULL},
        {ERR_FETCH, STEP_SOURCE, "dns", 0, FAILURE_END, 424,
         "{\"reason\":\"dns\",\"field\":\"imgUrl\"}", NULL},
        {ERR_FETCH, STEP_SOURCE, "http_status", 404, FAILURE_END, 424,
         "{\"reason\":\"http_status\",\"status\":404,\"field\":\"imgUrl\"}", NULL},
        {ERR_FETCH, STEP_SOURCE, "http_status", 404, FAILURE_END, 424,
         "{\"reason\":\"http_status\",\"status\":404,\"field\":\"sref\"}", "sref"},
        {ERR_TOO_LARGE, STEP_DECODE, "side", 0, FAILURE_END, 413,
         "{\"limit\":\"side\",\"field\":\"sref\"}", "sref"},
        {ERR_UNSUPPORTED, STEP_DECODE, "", 0, FAILURE_END, 415, "{\"field\":\"sref\"}", "sref"},
        {ERR_CORRUPT, STEP_DECODE, "decoder_died", 0, FAILURE_END, 422, "{\"field\":\"sref\"}",
         "sref"},
        {ERR_CRASHED, STEP_DECODE, "", 0, FAILURE_STRIKE, 500, "", "sref"},
        {ERR_TIMEOUT, STEP_RENDER, "", 0, FAILURE_END, 504, "", NULL},
        {ERR_TIMEOUT, STEP_DECODE, "", 0, FAILURE_STRIKE, 500, "", NULL},
        {ERR_CRASHED, STEP_RENDER, "", 0, FAILURE_STRIKE, 500, "", NULL},
        {ERR_BUG, STEP_RENDER, "", 0, FAILURE_END, 500, "", NULL},
        {ERR_FULL, STEP_STORE, "", 0, FAILURE_HAND_BACK, 500, "", NULL},
        {ERR_UNAVAILABLE, STEP_STORE, "", 0, FAILURE_HAND_BACK, 500, "", NULL},
        {ERR_NOMEM, STEP_DECODE, "", 0, FAILURE_HAND_BACK, 500, "", NULL},
        {ERR_LOST, STEP_STORE, "", 0, FAILURE_QUIET, 500, "", NULL},
        {ERR_CANCELLED, STEP_RENDER, "", 0, FAILURE_QUIET, 499, "", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct err_note note = {.text = "/secret/path", .status = row[i].status};
        struct failure f;
        snprintf(note.reason, sizeof note.reason, "%s", row[i].reason);
        if (row[i].field)
            snprintf(note.field, sizeof note.field, "%s", row[i].field);
        failure_of(row[i].err, row[i].step, &note, &f);
        assert_int_equal(f.move, row[i].move);
        assert_int_equal(f.code, row[i].code);
        assert_string_equal(f.detail, row[i].detail);
        // What went wrong inside the service is nobody's business.
        if (f.code >= 499)
            assert_null(strstr(f.message, "secret"));
        else
            assert_non_null(strstr(f.message, ": /secret/path"));
    }
}

struct taking {
    struct budget *budget;
    int64_t bytes;
    atomic_bool cancel, done;
    enum err err;
    pthread_t thread;
};

static void *take(void *arg)
{
    struct taking *t = arg;

    t->err = budget_take(t->budget, t->bytes, &t->cancel, NULL);
    atomic_store(&t->done, true);
    return NULL;
}

static void the_budget_is_never_exceeded_and_serves_in_order(void **state)
{
    struct taking big = {.bytes = 60}, small = {.bytes = 10}, never = {.bytes = 100};
    struct budget *b;
    struct err_note note;
    atomic_bool no = false;

    (void)state;
    assert_int_equal(budget_new(100, 3, &b), ERR_OK);
    big.budget = small.budget = never.budget = b;
    assert_int_equal(budget_take(b, 101, &no, &note), ERR_TOO_LARGE);
    assert_string_equal(note.reason, "memory");
    assert_int_equal(budget_take(b, 50, &no, NULL), ERR_OK);

    pthread_create(&big.thread, NULL, take, &big);
    while (!budget_waiting(b))
        ;
    pthread_create(&small.thread, NULL, take, &small);
    while (budget_waiting(b) < 2)
        ;
    assert_false(atomic_load(&small.done)); // would fit, but came later
    budget_give_bytes(b, 50);
    pthread_join(big.thread, NULL);
    pthread_join(small.thread, NULL);
    assert_int_equal(big.err, ERR_OK);
    assert_int_equal(small.err, ERR_OK);

    // All three places are taken now, although bytes are left.
    never.bytes = 1;
    pthread_create(&never.thread, NULL, take, &never);
    while (!budget_waiting(b))
        ;
    atomic_store(&never.cancel, true);
    pthread_join(never.thread, NULL);
    assert_int_equal(never.err, ERR_CANCELLED);
    budget_give_place(b);
    assert_int_equal(budget_take(b, 30, &no, NULL), ERR_OK); // 60 + 10 + 30, exactly all
    budget_free(b);
}

static void a_clock_that_jumps_is_distrusted_for_an_hour(void **state)
{
    static const struct {
        int64_t jump_ms;
        bool trusted;
    } row[] = {
        {0, true},
        {CLOCK_JUMP_MS, true},
        {CLOCK_JUMP_MS + 1, false},
        {-CLOCK_JUMP_MS, true},
        {-CLOCK_JUMP_MS - 1, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct clock_sim sim;
        struct clock_watch watch;
        int64_t jumped;
        clock_sim_init(&sim, 1000000000000);
        clock_watch_init(&watch, &sim.clock);
        clock_sim_advance(&sim, 60000);
        clock_sim_jump(&sim, row[i].jump_ms);
        assert_int_equal(clock_watch_look(&watch, &sim.clock, &jumped), row[i].trusted);
        assert_int_equal(jumped, row[i].trusted ? 0 : row[i].jump_ms);
        clock_sim_advance(&sim, CLOCK_DISTRUST_MS - 1);
        assert_int_equal(clock_watch_look(&watch, &sim.clock, &jumped), row[i].trusted);
        clock_sim_advance(&sim, 1);
        assert_true(clock_watch_look(&watch, &sim.clock, &jumped));
    }
}

static void an_attempt_is_judged_by_its_answer(void **state)
{
    static const struct {
        int status, retry_after_s, attempts;
        enum delivery_state state;
        int64_t least_ms, most_ms;
    } row[] = {
        {200, -1, 1, DELIVERY_DONE, 0, 0},
        {299, -1, 9, DELIVERY_DONE, 0, 0},
        {300, -1, 1, DELIVERY_WAITING, 4500, 5500}, // redirects are not followed
        {0, -1, 1, DELIVERY_WAITING, 4500, 5500},
        {500, -1, 2, DELIVERY_WAITING, 270000, 330000},
        {500, 600, 1, DELIVERY_WAITING, 4500, 5500}, // Retry-After counts with 429 and 503 alone
        {503, 600, 1, DELIVERY_WAITING, 600000, 600000},
        {429, 60, 1, DELIVERY_WAITING, 60000, 60000},
        {410, -1, 1, DELIVERY_GIVEN_UP, 0, 0},
        {500, -1, 9, DELIVERY_WAITING, 77760000, 95040000},
        {500, -1, 10, DELIVERY_GIVEN_UP, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int64_t next;
        assert_int_equal(deliver_judge(row[i].status, row[i].retry_after_s, row[i].attempts, 1000,
                                       0x12345678, &next),
                         row[i].state);
        assert_in_range(next - 1000, row[i].least_ms, row[i].most_ms);
    }
}

static void requests_and_reports_come_out_as_they_went_in(void **state)
{
    struct render_request in = {"a \"prompt\"\n\xF0\x9F\x8E\xA8", UINT32_MAX, 1048576, 2}, out;
    struct render_report made = {"look", 1152, 864, 7, "{\"q\":0.30}", "[]", 12, 345}, read;
    struct buf text = BUF_INIT;
    json_t *root = NULL;

    (void)state;
    render_request_write(&in, &text);
    assert_int_equal(render_request_read(text.data, &root, &out), ERR_OK);
    assert_string_equal(out.prompt, in.prompt);
    assert_true(out.seed == in.seed && out.pixels == in.pixels && out.threads == in.threads);
    json_decref(root);
    buf_reset(&text);
    render_report_write(&made, &text);
    assert_int_equal(render_report_read(text.data, &root, &read), ERR_OK);
    assert_string_equal(read.interpretation, "{\"q\":0.30}");
    assert_true(read.width == 1152 && read.seed == 7 && read.render_ms == 345);
    json_decref(root);
    assert_int_equal(render_report_read("{}", &root, &read), ERR_BUG);
    assert_int_equal(render_request_read("nonsense", &root, &out), ERR_BUG);
    buf_release(&text);
}

// ---- with a real store and real blobs ----

struct house {
    char dir[64];
    struct clock_sim sim;
    struct store *store;
    struct blob_store *blobs;
    struct account account;
};

static void house_open(struct house *h)
{
    char path[128];
    struct err_note note = {0};

    snprintf(h->dir, sizeof h->dir, "/tmp/patina-worker-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    clock_sim_init(&h->sim, 1800000000000);
    struct store_options o = {
        .clock = &h->sim.clock,
        .concurrency = 6,
        .queue_limit = 10,
        .retention_ms = 3600 * 1000,
        .lease_ms = 60000,
    };
    snprintf(path, sizeof path, "%s/db", h->dir);
    assert_int_equal(store_sqlite_open(path, &o, &h->store, &note), ERR_OK);
    snprintf(path, sizeof path, "%s/blobs", h->dir);
    assert_int_equal(blob_dir_open(path, &h->blobs, &note), ERR_OK);
    assert_int_equal(store_first_account(h->store, "0123456789abcdef", 1000, &h->account), ERR_OK);
}

static void house_close(struct house *h)
{
    char command[128];

    store_close(h->store);
    blob_close(h->blobs);
    snprintf(command, sizeof command, "rm -r %s", h->dir);
    FILE *rm = popen(command, "r");
    assert_non_null(rm);
    pclose(rm);
}

static bool there(struct house *h, const char *key)
{
    int64_t size;
    int fd = -1;
    enum err e = blob_open(h->blobs, key, &fd, &size, NULL);

    if (!e)
        close(fd);
    return !e;
}

struct submitted {
    pthread_mutex_t lock;
    pthread_cond_t done;
    int answer; // 1: not yet
};

static void on_submitted(void *ctx, enum err e, const void *answer, size_t len)
{
    struct submitted *s = ctx;

    (void)answer;
    (void)len;
    pthread_mutex_lock(&s->lock);
    s->answer = e;
    pthread_cond_signal(&s->done);
    pthread_mutex_unlock(&s->lock);
}

static void submit(struct house *h, const char *uuid, const char *url)
{
    struct submitted s = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 1};
    struct store_submit in = {
        .uuid = uuid,
        .account = h->account.id,
        .img_url = url,
        .prompt = "oil painting",
        .callback = "",
        .cost = 1,
        .created_ms = clock_unix_ms(&h->sim.clock),
    };

    store_submit(h->store, &in, on_submitted, &s);
    pthread_mutex_lock(&s.lock);
    while (s.answer == 1)
        pthread_cond_wait(&s.done, &s.lock);
    pthread_mutex_unlock(&s.lock);
    assert_int_equal(s.answer, ERR_OK);
}

static const char uuid[] = "0b0e7a3c-5a3e-4a4e-9d59-1f5b0b0c0d0e";

// A completed job with one picture, "job/UUID/0.png".
static void complete_a_job(struct house *h)
{
    struct arena arena = ARENA_INIT;
    struct job job;
    struct lease lease;
    const char *key = "job/0b0e7a3c-5a3e-4a4e-9d59-1f5b0b0c0d0e/0.png";
    int64_t bytes = 3;

    submit(h, uuid, "https://a.example/x.png");
    assert_int_equal(store_claim(h->store, &arena, &job, &lease), ERR_OK);
    assert_int_equal(store_advance(h->store, &lease, JOB_STAGED), ERR_OK);
    assert_int_equal(store_advance(h->store, &lease, JOB_PROCESSING), ERR_OK);
    assert_int_equal(blob_put(h->blobs, key, "png", 3, NULL), ERR_OK);
    assert_int_equal(store_finish(h->store, &lease,
                                  &(struct job_end){.completed = true,
                                                    .width = 64,
                                                    .height = 64,
                                                    .engine = "look",
                                                    .warnings = "[]",
                                                    .timings = "{}",
                                                    .blob_keys = &key,
                                                    .blob_bytes = &bytes,
                                                    .blob_count = 1}),
                     ERR_OK);
    arena_release(&arena);
}

static void the_sweep_takes_what_expired_unless_the_clock_jumped(void **state)
{
    struct house h;
    struct clock_watch watch;
    char key[64];

    (void)state;
    house_open(&h);
    complete_a_job(&h);
    snprintf(key, sizeof key, "job/%s/0.png", uuid);
    struct sweep_options o = {h.store, h.blobs, &h.sim.clock, NULL};
    clock_watch_init(&watch, &h.sim.clock);

    clock_sim_jump(&h.sim, 2 * 3600 * 1000);
    assert_int_equal(sweep_once(&o, &watch, true), 0);
    assert_true(there(&h, key));
    clock_sim_jump(&h.sim, -2 * 3600 * 1000);
    assert_int_equal(sweep_once(&o, &watch, true), 0);

    clock_sim_advance(&h.sim, 3600 * 1000 + 1000);
    assert_int_equal(sweep_once(&o, &watch, false), 1);
    assert_false(there(&h, key));
    assert_int_equal(sweep_once(&o, &watch, false), 0);
    house_close(&h);
}

static void the_sweep_takes_orphans_but_not_young_ones_nor_known_ones(void **state)
{
    struct house h;
    struct clock_watch watch;
    char key[64];

    (void)state;
    house_open(&h);
    complete_a_job(&h);
    snprintf(key, sizeof key, "job/%s/0.png", uuid);
    assert_int_equal(blob_put(h.blobs, "source/orphan", "x", 1, NULL), ERR_OK);
    struct sweep_options o = {h.store, h.blobs, &h.sim.clock, NULL};
    clock_watch_init(&watch, &h.sim.clock);

    // Files carry the machine's time: the simulated one is set beside it.
    clock_sim_init(&h.sim, clock_unix_ms(&clock_system));
    clock_watch_init(&watch, &h.sim.clock);
    assert_int_equal(sweep_once(&o, &watch, true), 0);
    clock_sim_advance(&h.sim, SWEEP_ORPHAN_AGE_MS + 60000);
    assert_int_equal(sweep_once(&o, &watch, false), 0);
    assert_int_equal(sweep_once(&o, &watch, true), 1);
    assert_false(there(&h, "source/orphan"));
    assert_true(there(&h, key));
    house_close(&h);
}

static void add_upload(struct house *h, const char *key, int64_t kept_ms)
{
    static int count;
    struct arena arena = ARENA_INIT;
    int64_t now_ms = clock_unix_ms(&h->sim.clock);
    struct upload out, in = {.account = h->account.id,
                             .blob_key = key,
                             .bytes = 1,
                             .width = 1,
                             .height = 1,
                             .format = IMAGE_PNG,
                             .sha256 = {(uint8_t)++count},
                             .created_ms = now_ms,
                             .expires_ms = now_ms + kept_ms};

    snprintf(in.id, sizeof in.id, "%032d", count);
    assert_int_equal(blob_put(h->blobs, key, "x", 1, NULL), ERR_OK);
    assert_int_equal(store_upload_add(h->store, &in, &arena, &out, NULL), ERR_OK);
    arena_release(&arena);
}

// What unlink() refuses, as it does a file on a failing disk.
static void replace_by_folder(struct house *h, const char *key)
{
    uint8_t digest[SHA256_BYTES];
    char name[64], path[192];

    sha256(key, strlen(key), digest);
    snprintf(name, sizeof name, "%s", key);
    *strchr(name, '/') = ',';
    snprintf(path, sizeof path, "%s/blobs/%02x/%s", h->dir, digest[0], name);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
}

// As long as its bytes are there, the row has to stay.
static void one_blob_that_cannot_be_deleted_keeps_no_other(void **state)
{
    struct house h;
    struct clock_watch watch;
    const char *stuck = "upload/stuck", *later = "upload/later";
    bool known;

    (void)state;
    house_open(&h);
    struct sweep_options o = {h.store, h.blobs, &h.sim.clock, NULL};
    clock_watch_init(&watch, &h.sim.clock);
    add_upload(&h, stuck, 1000);
    add_upload(&h, later, 2000);
    replace_by_folder(&h, stuck);
    clock_sim_advance(&h.sim, 3000);
    assert_int_equal(sweep_once(&o, &watch, false), 1);
    assert_false(there(&h, later));
    assert_int_equal(store_blob_known(h.store, later, &known), ERR_OK);
    assert_false(known);
    assert_int_equal(store_blob_known(h.store, stuck, &known), ERR_OK);
    assert_true(known);
    assert_int_equal(sweep_once(&o, &watch, false), 0);
    house_close(&h);
}

static void own_urls_are_read_from_the_store(void **state)
{
    static const struct {
        const char *path;
        enum err err;
        const char *key;
    } row[] = {
        {"/files/0b0e7a3c-5a3e-4a4e-9d59-1f5b0b0c0d0e/0.png", ERR_OK,
         "job/0b0e7a3c-5a3e-4a4e-9d59-1f5b0b0c0d0e/0.png"},
        {"/files/0b0e7a3c-5a3e-4a4e-9d59-1f5b0b0c0d0e/grid.webp?expires=1&signature=x", ERR_OK,
         "job/0b0e7a3c-5a3e-4a4e-9d59-1f5b0b0c0d0e/grid.png"},
        {"/files/0b0e7a3c-5a3e-4a4e-9d59-1f5b0b0c0d0e/4.png", ERR_NOT_FOUND, NULL},
        {"/files/0b0e7a3c-5a3e-4a4e-9d59-1f5b0b0c0d0e/../db", ERR_NOT_FOUND, NULL},
        {"/files/0b0e7a3c-5a3e-4a4e-9d59-1f5b0b0c0d0f/0.png", ERR_NOT_FOUND, NULL},
        {"/files/0b0e7a3c-5a3e-4a4e-9d59-1f5b0b0c0d0e", ERR_NOT_FOUND, NULL},
        {"/uploads/00000000000000000000000000000000", ERR_NOT_FOUND, NULL},
        {"/uploads/", ERR_NOT_FOUND, NULL},
        {"/readyz", ERR_NOT_FOUND, NULL},
        {"", ERR_NONE, NULL},
        {".evil.example/files/x/0.png", ERR_NONE, NULL},
    };
    struct house h;

    (void)state;
    house_open(&h);
    complete_a_job(&h);
    struct worker_options o = {
        .store = h.store, .blobs = h.blobs, .public_url = "https://pictures.example"};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char url[256], key[BLOB_KEY_MAX + 1];
        struct job job = {.account = h.account.id, .img_url = url};
        for (int way = 0; way < 4; way++) {
            bool style = way % 2;
            snprintf(url, sizeof url, "%s%s", way < 2 ? o.public_url : "HTTPS://Pictures.Example",
                     row[i].path);
            assert_int_equal(source_own(&o, &(struct source_request){&job, url, style}, key, NULL),
                             row[i].err);
            if (row[i].key)
                assert_string_equal(key, row[i].key);
        }
    }
    house_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_mean_one_thing_for_a_job),
        cmocka_unit_test(the_budget_is_never_exceeded_and_serves_in_order),
        cmocka_unit_test(a_clock_that_jumps_is_distrusted_for_an_hour),
        cmocka_unit_test(an_attempt_is_judged_by_its_answer),
        cmocka_unit_test(requests_and_reports_come_out_as_they_went_in),
        cmocka_unit_test(the_sweep_takes_what_expired_unless_the_clock_jumped),
        cmocka_unit_test(the_sweep_takes_orphans_but_not_young_ones_nor_known_ones),
        cmocka_unit_test(one_blob_that_cannot_be_deleted_keeps_no_other),
        cmocka_unit_test(own_urls_are_read_from_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
