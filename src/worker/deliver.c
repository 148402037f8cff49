/* SPDX-License-Identifier: MIT */
#include "worker/deliver.h"

#include "base/hash.h"
#include "base/rand.h"
#include "base/wait.h"
#include "net/webhook.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOOK_MS = 5000,   // the outbox is looked at this often without being woken
    TICK_MS = 1000,   // how exactly due times are kept
    SLOW_MS = 3000,   // a receiver that takes longer than this is a slow one
    PAGE = 256,       // rows read at once
    ITEMS_MAX = 4096, // rows in memory: so of 512 receivers; more wait in the store
    SLOTS = 256,      // of the memory for quick receivers: a collision only halves one's share
    STACK_BYTES = 512 * 1024
};

// A row of the outbox that is due.
struct item {
    struct item *next;
    struct arena arena; // of `row`
    struct delivery row;
    uint32_t host; // hash of host and port
    bool under_way;
};

struct deliver {
    struct deliver_options o;
    atomic_bool stopping;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct item *items, **end; // in the order they are due
    int count;
    bool look;          // the outbox may hold something that is not in memory
    bool looking;       // a thread is reading it
    int64_t look_at_ms; // and then it may in any case
    bool quick[SLOTS];

    pthread_t thread[DELIVER_THREADS];
    int thread_count;
};

static uint32_t host_hash(const char *url)
{
    const char *host = strstr(url, "://");

    host = host ? host + 3 : url;
    return fnv1a(host, strcspn(host, "/?#"));
}

// ---- choosing; all with the lock held ----

static struct item *choose(struct deliver *d)
{
    uint32_t host[DELIVER_THREADS]; // of those under way, one a thread
    int count = 0, others = 0;      // of them, those that are not known to be quick

    for (const struct item *i = d->items; i; i = i->next)
        if (i->under_way) {
            others += !d->quick[i->host % SLOTS];
            host[count++] = i->host;
        }
    for (struct item *i = d->items; i; i = i->next) {
        int same = 0;
        if (i->under_way || (!d->quick[i->host % SLOTS] && others >= DELIVER_THREADS / 2))
            continue;
        for (int k = 0; k < count; k++)
            same += host[k] == i->host;
        if (same < DELIVER_PER_HOST)
            return i;
    }
    return NULL;
}

static void drop(struct deliver *d, struct item *item)
{
    struct item **at = &d->items;
    int same = 0;

    for (const struct item *i = d->items; i; i = i->next)
        same += i->host == item->host;
    // The store tells STORE_DUE_PER_RECEIVER of each: before they are all sent, ask for more.
    if (same == DELIVER_PER_HOST + 1)
        d->look = true;

    while (*at != item)
        at = &(*at)->next;
    *at = item->next;
    if (!item->next)
        d->end = at;
    d->count--;
    arena_release(&item->arena);
    free(item);
}

// Copies a row, whose strings live in an arena with many others.
static void keep(struct deliver *d, const struct delivery *row)
{
    struct item *item = calloc(1, sizeof *item);

    if (!item)
        return; // it is still in the outbox
    item->row = *row;
    item->row.endpoint = arena_strdup(&item->arena, row->endpoint);
    if (!item->row.endpoint) {
        free(item);
        return;
    }
    item->host = host_hash(row->endpoint);
    *d->end = item;
    d->end = &item->next;
    d->count++;
}

// Reads what is due and not in memory yet. Lets go of the lock meanwhile.
static void read_outbox(struct deliver *d)
{
    struct arena arena = ARENA_INIT;
    struct delivery *row = NULL;
    int64_t busy[ITEMS_MAX], now_ms = clock_unix_ms(d->o.clock);
    int busy_count = 0, count = 0;

    for (const struct item *i = d->items; i; i = i->next)
        busy[busy_count++] = i->row.id;
    d->looking = true;
    d->look = false;
    d->look_at_ms = now_ms + LOOK_MS;
    pthread_mutex_unlock(&d->lock);
    enum err e =
        store_deliveries_due(d->o.store, now_ms, busy, busy_count, PAGE, &arena, &row, &count);
    pthread_mutex_lock(&d->lock);
    d->looking = false;
    for (int i = 0; !e && i < count && d->count < ITEMS_MAX; i++)
        keep(d, &row[i]);
    if (!e && count == PAGE)
        d->look = true;
    if (count > 0)
        pthread_cond_broadcast(&d->changed);
    arena_release(&arena);
}

static bool should_look(const struct deliver *d)
{
    return !d->looking && d->count < ITEMS_MAX &&
           (d->look || clock_unix_ms(d->o.clock) >= d->look_at_ms);
}

// ---- one attempt; without the lock ----

enum delivery_state deliver_judge(int status, int retry_after_s, int attempts, int64_t now_ms,
                                  uint32_t random, int64_t *next_ms)
{
    bool heed = status == 429 || status == 503;
    int64_t wait_ms = webhook_next_ms(attempts, heed ? retry_after_s : -1, random);

    *next_ms = now_ms;
    if (status >= 200 && status < 300)
        return DELIVERY_DONE;
    if (status == 410 || wait_ms < 0)
        return DELIVERY_GIVEN_UP;
    *next_ms = now_ms + wait_ms;
    return DELIVERY_WAITING;
}

static enum err post(struct deliver *d, const struct delivery *row, const struct account *account,
                     const struct job *job, struct fetch_reply *reply, struct err_note *note)
{
    struct buf body = BUF_INIT, lines = BUF_INIT;
    const char *header[WEBHOOK_HEADERS];
    int64_t now_ms = clock_unix_ms(d->o.clock);
    bool rotating = account->webhook_secret_old_until_ms > now_ms;
    struct view_extra extra = {.now_ms = now_ms};

    view_webhook(&body, d->o.view, job, &extra, job->ended_ms / 1000);
    struct webhook_sign sign = {
        .msg_id = row->msg_id,
        .timestamp = now_ms / 1000,
        .body = body.data,
        .body_len = body.len,
        .secret = account->webhook_secret,
        .secret_old = rotating ? account->webhook_secret_old : "",
    };
    enum err e = body.failed ? ERR_NOMEM : webhook_headers(&sign, &lines);
    if (!e && lines.failed)
        e = ERR_NOMEM;
    if (!e) {
        const char *at = lines.data;
        for (int i = 0; i < WEBHOOK_HEADERS; i++, at += strlen(at) + 1)
            header[i] = at;
        e = fetch_post(d->o.fetcher,
                       &(struct fetch_post){.url = row->endpoint,
                                            .headers = header,
                                            .header_count = WEBHOOK_HEADERS,
                                            .body = body.data,
                                            .body_len = body.len},
                       &d->stopping, reply, note);
    }
    buf_release(&body);
    buf_release(&lines);
    return e;
}

static const char *outcome_name(enum delivery_state s)
{
    return s == DELIVERY_DONE ? "delivered" : s == DELIVERY_WAITING ? "to be retried" : "given up";
}

// Sends one and records what came of it. False when nothing could be recorded: it stays due.
static bool attempt(struct deliver *d, const struct delivery *row, bool *was_slow)
{
    struct arena arena = ARENA_INIT;
    struct fetch_reply reply = {.retry_after_s = -1};
    struct err_note note = {0};
    struct account account;
    struct job job;
    uint32_t random;
    int64_t next_ms = 0, began_ns = clock_mono_ns(d->o.clock);

    rand_bytes(&random, sizeof random);
    enum err e = store_job_get(d->o.store, -1, row->job_uuid, &arena, &job);
    if (!e)
        e = store_account_get(d->o.store, row->account, &account);
    bool gone = e == ERR_NOT_FOUND;
    if (!e)
        e = post(d, row, &account, &job, &reply, &note);
    int64_t ms = (clock_mono_ns(d->o.clock) - began_ns) / 1000000;
    *was_slow = ms > SLOW_MS;
    enum delivery_state state = deliver_judge(e ? 0 : reply.status, reply.retry_after_s,
                                              row->attempts + 1, clock_unix_ms(d->o.clock), random,
                                              &next_ms);
    if (gone)
        state = DELIVERY_GIVEN_UP;
    if (!e || gone || e == ERR_FETCH)
        e = store_delivery_record(d->o.store, row->id, state, e ? 0 : reply.status, next_ms);
    log_event(d->o.log, state == DELIVERY_DONE ? LOG_INFO : LOG_WARN, "webhook.attempt",
              LOG_S("job", row->job_uuid), LOG_N("attempt", row->attempts + 1),
              LOG_S("outcome", outcome_name(state)), LOG_N("status", reply.status), LOG_N("ms", ms),
              LOG_S("why", note.text));
    if (state == DELIVERY_WAITING && !e) {
        pthread_mutex_lock(&d->lock);
        if (next_ms < d->look_at_ms)
            d->look_at_ms = next_ms;
        pthread_mutex_unlock(&d->lock);
    }
    arena_release(&arena);
    return !e;
}

static void *delivering(void *arg)
{
    struct deliver *d = arg;

    pthread_mutex_lock(&d->lock);
    while (!atomic_load(&d->stopping)) {
        bool was_slow = false;
        if (should_look(d))
            read_outbox(d);
        struct item *item = choose(d);
        if (!item) {
            wait_for(&d->changed, &d->lock, TICK_MS);
            continue;
        }
        item->under_way = true;
        pthread_mutex_unlock(&d->lock);
        bool recorded = attempt(d, &item->row, &was_slow);
        pthread_mutex_lock(&d->lock);
        d->quick[item->host % SLOTS] = !was_slow;
        if (recorded) {
            drop(d, item);
        } else {
            // The store is in trouble: do not send it again at once.
            if (!atomic_load(&d->stopping))
                wait_for(&d->changed, &d->lock, LOOK_MS);
            item->under_way = false;
        }
        pthread_cond_broadcast(&d->changed);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

// ---- life ----

enum err deliver_start(const struct deliver_options *o, struct deliver **out, struct err_note *note)
{
    struct deliver *d = calloc(1, sizeof *d);
    pthread_attr_t attr;
    bool ok = d != NULL;

    if (!d)
        return err_set(note, ERR_NOMEM, "out of memory for webhooks");
    d->o = *o;
    d->end = &d->items;
    d->look = true;
    pthread_mutex_init(&d->lock, NULL);
    wait_cond_init(&d->changed);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    while (ok && d->thread_count < DELIVER_THREADS) {
        ok = pthread_create(&d->thread[d->thread_count], &attr, delivering, d) == 0;
        d->thread_count += ok;
    }
    pthread_attr_destroy(&attr);
    if (!ok) {
        deliver_stop(d);
        return err_set(note, ERR_NOMEM, "the threads for webhooks cannot be started");
    }
    *out = d;
    return ERR_OK;
}

void deliver_wake(void *deliver)
{
    struct deliver *d = deliver;

    pthread_mutex_lock(&d->lock);
    d->look = true;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

void deliver_stop(struct deliver *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    atomic_store(&d->stopping, true);
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
    for (int i = 0; i < d->thread_count; i++)
        pthread_join(d->thread[i], NULL);
    while (d->items)
        drop(d, d->items);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
