/* SPDX-License-Identifier: MIT */
#include "store/store_bench.h"
#include "store/store_sqlite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * What the SQLite store does in a second: bench_store FOLDER [ROWS]. The folder must be empty and
 * on the disk to be measured. Ratios within one run mean something on a busy machine, times do not.
 */
enum { OUTSTANDING = 64, ROWS = 100000, READS = 200000 };

struct load {
    struct store *s;
    pthread_mutex_t lock;
    pthread_cond_t free_again;
    struct slot *idle;
    int out;
};

struct slot {
    struct slot *next;
    struct load *load;
    struct store_submit in;
    char uuid[UUID_TEXT];
};

static int64_t now_ns(void)
{
    return clock_mono_ns(&clock_system);
}

static void die(const char *what, enum err e, const struct err_note *note)
{
    fprintf(stderr, "bench_store: %s: %s %s\n", what, err_name(e), note->text);
    exit(1);
}

static void accepted(void *ctx, enum err e, const void *answer, size_t len)
{
    struct slot *slot = ctx;
    struct load *l = slot->load;
    struct err_note none = {0};

    (void)answer;
    (void)len;
    if (e)
        die("submit", e, &none);
    pthread_mutex_lock(&l->lock);
    slot->next = l->idle;
    l->idle = slot;
    l->out--;
    pthread_cond_signal(&l->free_again);
    pthread_mutex_unlock(&l->lock);
}

static struct slot *idle_slot(struct load *l)
{
    pthread_mutex_lock(&l->lock);
    while (!l->idle)
        pthread_cond_wait(&l->free_again, &l->lock);
    struct slot *slot = l->idle;
    l->idle = slot->next;
    l->out++;
    pthread_mutex_unlock(&l->lock);
    return slot;
}

static double submits_per_s(struct store *s, int64_t account, char (*uuids)[UUID_TEXT], int rows)
{
    struct load l = {.s = s};
    struct slot *slots = calloc(OUTSTANDING, sizeof(*slots));

    pthread_mutex_init(&l.lock, NULL);
    pthread_cond_init(&l.free_again, NULL);
    for (int i = 0; i < OUTSTANDING; i++) {
        slots[i].load = &l;
        slots[i].next = l.idle;
        l.idle = &slots[i];
    }
    int64_t start = now_ns();
    for (int i = 0; i < rows; i++) {
        struct slot *slot = idle_slot(&l);
        slot->in = (struct store_submit){.uuid = uuids[i],
                                         .account = account,
                                         .img_url = "https://example.com/pictures/a.jpg",
                                         .prompt = "Convert to oil painting style",
                                         .callback = "",
                                         .cost = 120,
                                         .created_ms = INT64_C(1770000000000)};
        store_job_uuid(s, uuids[i]);
        store_submit(s, &slot->in, accepted, slot);
    }
    pthread_mutex_lock(&l.lock);
    while (l.out)
        pthread_cond_wait(&l.free_again, &l.lock);
    pthread_mutex_unlock(&l.lock);
    double s_elapsed = (double)(now_ns() - start) / 1e9;
    free(slots);
    return rows / s_elapsed;
}

static double job_get_us(struct store *s, int64_t account, char (*uuids)[UUID_TEXT], int rows)
{
    struct err_note none = {0};
    int64_t start = now_ns();

    for (int i = 0; i < READS; i++) {
        struct arena a = ARENA_INIT;
        struct job j;
        enum err e = store_job_get(s, account, uuids[(i * 7919LL) % rows], &a, &j);
        if (e)
            die("job_get", e, &none);
        arena_release(&a);
    }
    return (double)(now_ns() - start) / 1e3 / READS;
}

static double by_key_us(struct store *s)
{
    struct err_note none = {0};
    uint8_t sha[SHA256_BYTES];
    int64_t start = now_ns();

    sha256("bench-key-0123456789", 20, sha);
    for (int i = 0; i < READS; i++) {
        struct account a;
        enum err e = store_account_by_key(s, sha, &a);
        if (e)
            die("account_by_key", e, &none);
    }
    return (double)(now_ns() - start) / 1e3 / READS;
}

static double claims_per_s(struct store *s, int jobs)
{
    struct err_note none = {0};
    int64_t start = now_ns();

    for (int i = 0; i < jobs; i++) {
        struct job_end end = {.error_code = 424, .error_message = "x"};
        struct arena a = ARENA_INIT;
        struct lease l;
        struct job j;
        enum err e = store_claim(s, &a, &j, &l);
        if (!e)
            e = store_finish(s, &l, &end);
        if (e)
            die("claim and finish", e, &none);
        arena_release(&a);
    }
    return jobs / ((double)(now_ns() - start) / 1e9);
}

int main(int argc, char **argv)
{
    struct store_options o = {.clock = &clock_system,
                              .concurrency = 6,
                              .queue_limit = 1 << 30,
                              .retention_ms = 1000,
                              .lease_ms = 15000};
    int rows = argc > 2 ? atoi(argv[2]) : ROWS;
    struct err_note note = {0};
    struct store *s = NULL;
    struct account a;
    char path[4096];
    int64_t raw_ns;

    if (argc < 2 || rows < 1) {
        fprintf(stderr, "usage: bench_store FOLDER [ROWS]\n");
        return 2;
    }
    char(*uuids)[UUID_TEXT] = malloc((size_t)rows * sizeof(*uuids));
    snprintf(path, sizeof(path), "%s/raw.db", argv[1]);
    enum err e = store_bench_raw(path, rows, OUTSTANDING, &raw_ns, &note);
    if (e)
        die("raw", e, &note);
    double raw = rows / ((double)raw_ns / 1e9);
    snprintf(path, sizeof(path), "%s/store.db", argv[1]);
    e = store_sqlite_open(path, &o, &s, &note);
    if (!e)
        e = store_first_account(s, "bench-key-0123456789", INT64_C(1) << 50, &a);
    if (e)
        die("open", e, &note);
    double submits = submits_per_s(s, a.id, uuids, rows);
    printf("raw inserts, %d a commit    %8.0f/s\n", OUTSTANDING, raw);
    printf("store_submit, %d waiting   %8.0f/s   %.2f of raw\n", OUTSTANDING, submits,
           submits / raw);
    printf("store_job_get               %8.2f us\n", job_get_us(s, a.id, uuids, rows));
    printf("store_account_by_key        %8.2f us\n", by_key_us(s));
    printf("claim + finish, one worker  %8.0f/s\n", claims_per_s(s, 1000));
    store_close(s);
    free(uuids);
    return 0;
}
