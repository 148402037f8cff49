/* SPDX-License-Identifier: MIT */
#include "cli/bench_rows.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/rand.h"
#include "cli/command.h"
#include "store/store_bench.h"
#include "store/store_sqlite.h"

#include <assert.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ACCOUNTS = 1000,
    KEYS = 50,
    EMPTY_JOBS = 200, // so that there is something to get and to list
    IDS = 2000,       // jobs that are asked for, from all over the store
    TURNS_READ = 4000,
    TURNS_POLL = 5 * IDS, // each job again and again, as clients do until it has ended
    TURNS_WRITE = 300,
    PATH = 280,
    BLOCKS = 20, // turns on the two stores alternate, so that what else runs here slows both
    STORES = 2   // the empty one and the full one
};

struct rows {
    struct store *store;
    struct store_past past;
    struct arena ids_arena;
    char (*ids)[UUID_TEXT];
    int id_count;
    struct lease lease; // of the last claim
};

static void done(void *ctx, enum err e, const void *answer, size_t len)
{
    (void)answer, (void)len;
    assert(!e);
    sem_post(ctx);
}

static int account_of(const struct rows *r, int turn)
{
    return 1 + (int)((uint32_t)turn * 2654435761u % (uint32_t)r->past.accounts);
}

// ---- what is measured: one turn each ----

static enum err key(struct rows *r, int turn)
{
    char text[STORE_BENCH_KEY_TEXT];
    uint8_t hash[SHA256_BYTES];
    struct account account;

    store_bench_key(account_of(r, turn) - 1, turn % r->past.keys, text);
    sha256(text, strlen(text), hash);
    return store_account_by_key(r->store, hash, &account);
}

static enum err get(struct rows *r, int turn)
{
    struct arena a = ARENA_INIT;
    struct job j;
    enum err e = store_job_get(r->store, -1, r->ids[turn * 7919 % r->id_count], &a, &j);

    arena_release(&a);
    return e;
}

static enum err list(struct rows *r, int turn)
{
    struct store_list q = {.account = account_of(r, turn), .state = -1, .limit = 20};
    struct arena a = ARENA_INIT;
    struct job *jobs;
    int count;
    enum err e = store_jobs_list(r->store, &q, &a, &jobs, &count);

    arena_release(&a);
    return e;
}

static enum err list_failed(struct rows *r, int turn)
{
    struct store_list q = {.account = account_of(r, turn), .state = JOB_FAILED, .limit = 20};
    struct arena a = ARENA_INIT;
    struct job *jobs;
    int count;
    enum err e = store_jobs_list(r->store, &q, &a, &jobs, &count);

    arena_release(&a);
    return e;
}

static enum err submit(struct rows *r, int turn)
{
    char uuid[UUID_TEXT];
    sem_t ended;
    struct store_submit in = {.uuid = uuid,
                              .account = account_of(r, turn),
                              .img_url = "https://example.com/pictures/a.jpg",
                              .prompt = "Convert to oil painting style",
                              .callback = "",
                              .cost = 120,
                              .created_ms = clock_unix_ms(&clock_system)};

    store_job_uuid(r->store, uuid);
    sem_init(&ended, 0, 0);
    store_submit(r->store, &in, done, &ended);
    sem_wait(&ended);
    sem_destroy(&ended);
    return ERR_OK;
}

static enum err claim(struct rows *r, int turn)
{
    struct arena a = ARENA_INIT;
    struct job j;
    enum err e = store_claim(r->store, &a, &j, &r->lease);

    (void)turn;
    arena_release(&a);
    return e;
}

static enum err finish(struct rows *r, int turn)
{
    (void)turn;
    return store_finish(r->store, &r->lease,
                        &(struct job_end){.error_code = 424, .error_message = "not fetched"});
}

static enum err sweep(struct rows *r, int turn)
{
    struct arena a = ARENA_INIT;
    const char **keys;
    int count;
    int64_t now = clock_unix_ms(&clock_system);
    enum err e = store_sweep(r->store, now);

    (void)turn;
    if (!e)
        e = store_blobs_expired(r->store, now, 100, &a, &keys, &count);
    arena_release(&a);
    return e;
}

static enum err counts(struct rows *r, int turn)
{
    struct store_counts c;

    (void)turn;
    return store_counts(r->store, &c);
}

static const struct {
    const char *name;
    enum err (*run)(struct rows *r, int turn);
    int turns;
    bool after_claim; // its turn needs a job submitted and claimed first, unmeasured
} ops[] = {
    {"look up a key", key, TURNS_READ, false},
    {"list the newest 20", list, TURNS_READ, false},
    {"list failed ones", list_failed, TURNS_READ, false},
    {"get a job never asked for", get, EMPTY_JOBS, false},
    {"get a job", get, TURNS_POLL, false},
    {"accept a job", submit, TURNS_WRITE, false},
    {"claim the next", claim, TURNS_WRITE, false},
    {"end a job", finish, TURNS_WRITE, true},
    {"sweep", sweep, TURNS_READ, false},
    {"count for metrics", counts, TURNS_WRITE, false},
};

enum { OPS = sizeof(ops) / sizeof(ops[0]) };

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *us, int count)
{
    qsort(us, (size_t)count, sizeof(*us), by_size);
    return us[count / 2];
}

static enum err one_turn(struct rows *r, int op, int turn, double *us)
{
    enum err e = ERR_OK;

    if (ops[op].after_claim) {
        e = submit(r, turn);
        e = e ? e : claim(r, turn);
    }
    int64_t began = clock_mono_ns(&clock_system);
    e = e ? e : ops[op].run(r, turn);
    *us = (double)(clock_mono_ns(&clock_system) - began) / 1e3;
    return e;
}

// The medians of its turns on each store, in microseconds.
static enum err measure(struct rows stores[STORES], int op, double out[STORES])
{
    int turns = ops[op].turns, block = turns / BLOCKS;
    double *us = malloc((size_t)turns * STORES * sizeof(*us));
    enum err e = us ? ERR_OK : ERR_NOMEM;

    for (int i = 0; i < turns * STORES && !e; i++) {
        int which = i / block % STORES, turn = i / (block * STORES) * block + i % block;
        e = one_turn(&stores[which], op, turn, &us[which * turns + turn]);
    }
    for (int i = 0; i < STORES && !e; i++)
        out[i] = median(us + i * turns, turns);
    free(us);
    return e;
}

// Ids from all over the store: of each account's newest page and of a page far behind it.
static enum err collect_ids(struct rows *r)
{
    int64_t deep = r->past.jobs / 2;
    enum err e = ERR_OK;

    r->ids = calloc(IDS, sizeof(*r->ids));
    if (!r->ids)
        return ERR_NOMEM;
    for (int turn = 0; turn < 2 * r->past.accounts && r->id_count < IDS && !e; turn++) {
        struct store_list q = {
            .account = 1 + turn / 2, .state = -1, .limit = 20, .before = turn % 2 ? deep : 0};
        struct arena a = ARENA_INIT;
        struct job *jobs;
        int count = 0;
        e = store_jobs_list(r->store, &q, &a, &jobs, &count);
        for (int i = 0; i < count && r->id_count < IDS && !e; i++)
            memcpy(r->ids[r->id_count++], jobs[i].uuid, UUID_TEXT);
        arena_release(&a);
    }
    return e ? e : r->id_count ? ERR_OK : ERR_NOT_FOUND;
}

static enum err open_store(struct rows *r, const char *path, struct err_note *note)
{
    struct store_options o = {.clock = &clock_system,
                              .concurrency = 1000000,
                              .queue_limit = 1000000,
                              .retention_ms = INT64_C(604800000),
                              .lease_ms = 3600000};
    enum err e = store_bench_fill(path, &r->past, note);

    if (!e)
        e = store_sqlite_open(path, &o, &r->store, note);
    if (!e && (e = collect_ids(r)))
        err_set(note, e, "the jobs cannot be listed (%s)", err_name(e));
    return e;
}

static void remove_store(struct rows *r, const char path[PATH])
{
    char file[PATH + 4];

    free(r->ids);
    if (r->store)
        store_close(r->store);
    for (const char *const *end = (const char *const[]){"", "-wal", "-shm", NULL}; *end; end++) {
        snprintf(file, sizeof(file), "%.*s%s", PATH - 1, path, *end);
        unlink(file);
    }
}

/* A store's writer is a thread of its own. Whether waking it costs 10 or 45 us is decided by which
 * processors the two run on, so all of them run on one. */
static void stay_on_one_processor(void)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof(one), &one);
}

static enum err measure_all(const char *folder, int rows, double us[OPS][STORES],
                            struct err_note *note)
{
    struct rows stores[STORES] = {{.past = {1, 1, EMPTY_JOBS}}, {.past = {ACCOUNTS, KEYS, rows}}};
    char path[STORES][PATH];
    enum err e = ERR_OK;

    stay_on_one_processor();
    for (int i = 0; i < STORES; i++) {
        snprintf(path[i], sizeof(path[i]), "%.256s/%d.db", folder, i);
        e = e ? e : open_store(&stores[i], path[i], note);
    }
    for (int op = 0; op < OPS && !e; op++)
        if ((e = measure(stores, op, us[op])))
            err_set(note, e, "%s: %s", ops[op].name, err_name(e));
    for (int i = 0; i < STORES; i++)
        remove_store(&stores[i], path[i]);
    return e;
}

static void print_text(int64_t rows, double us[OPS][STORES])
{
    printf("%d accounts, %d keys each, %lld finished jobs, against one account; medians\n",
           ACCOUNTS, KEYS, (long long)rows);
    printf("  %-26s %10s %10s %8s\n", "", "empty", "full", "times");
    for (int i = 0; i < OPS; i++)
        printf("  %-26s %7.1f us %7.1f us %8.2f\n", ops[i].name, us[i][0], us[i][1],
               us[i][1] / us[i][0]);
}

static void print_json(int64_t rows, double us[OPS][STORES])
{
    struct buf out = BUF_INIT;
    struct json_writer w = JSON_WRITER(&out);

    jw_open(&w, '{');
    jw_kint(&w, "accounts", ACCOUNTS);
    jw_kint(&w, "keys", ACCOUNTS * KEYS);
    jw_kint(&w, "jobs", rows);
    jw_key(&w, "operations");
    jw_open(&w, '[');
    for (int i = 0; i < OPS; i++) {
        jw_open(&w, '{');
        jw_kstr(&w, "name", ops[i].name);
        jw_key(&w, "empty_us");
        jw_real(&w, us[i][0], 1);
        jw_key(&w, "full_us");
        jw_real(&w, us[i][1], 1);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    puts(out.data ? out.data : "{}");
    buf_release(&out);
}

int bench_rows(const char *folder, int64_t rows, bool json)
{
    double us[OPS][STORES];
    struct err_note note = {0};
    char path[256];

    snprintf(path, sizeof(path), "%.200s/patina-bench-XXXXXX", folder);
    enum err e = mkdtemp(path) ? ERR_OK : err_errno(&note, "making a folder in %s", folder);
    if (!e) {
        e = measure_all(path, (int)rows, us, &note);
        rmdir(path);
    }
    if (e) {
        command_complain("bench api", note.text);
        return EXIT_FAILED;
    }
    if (json)
        print_json(rows, us);
    else
        print_text(rows, us);
    return EXIT_DONE;
}
