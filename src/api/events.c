/* SPDX-License-Identifier: MIT */
#include "api/events.h"

#include "api/api_internal.h"
#include "base/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// What a client has been told: an event is worth sending when this changes. Its text is the event's
// id, which a client that comes back sends as Last-Event-ID.
struct told {
    enum job_state state;
    int progress;
};

struct follower {
    struct follower *prev, *next;
    struct api *api;
    struct http_request *request;
    int64_t account;
    char uuid[UUID_TEXT];

    // Of the thread that looks, under the lock.
    bool on_board;
    struct board_entry seen;
    enum job_state state; // of the row, when last looked at
    int64_t looked_ns;

    // Of the listener's thread.
    struct told told;
    bool told_any;

    // Of both.
    _Atomic int64_t sent_ns; // when the last piece was sent
    atomic_bool news;        // since then
};

struct events {
    struct api *api;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct follower *first;
    bool stop;
    pthread_t thread;
};

static const int64_t ns_per_ms = 1000000;

// ---- what a stream sends; on the listener's threads ----

static enum err read_job(struct follower *f, struct arena *a, struct job *j)
{
    return store_job_get(f->api->d.store, f->account, f->uuid, a, j);
}

static struct told standing(const struct task *t)
{
    int progress = t->on_board ? t->doing.progress : t->job.state == JOB_COMPLETED ? 100 : 0;

    return (struct told){.state = t->job.state, .progress = progress};
}

static void write_id(struct told t, char out[32])
{
    snprintf(out, 32, "%s-%d", job_state_name(t.state), t.progress);
}

static void write_event(struct follower *f, const struct task *t, struct buf *out)
{
    struct json_writer w = JSON_WRITER(out);
    char id[32];

    write_id(standing(t), id);
    buf_addf(out, "event: task\nid: %s\ndata: ", id);
    write_task(&w, f->api, t, false);
    buf_adds(out, "\n\n");
}

static bool too_early(const struct follower *f, int64_t now_ns)
{
    return now_ns - f->sent_ns < EVENTS_TICK_MS * ns_per_ms;
}

static bool next_piece(void *ctx, struct buf *out)
{
    struct follower *f = ctx;
    struct arena a = ARENA_INIT;
    struct task t;
    bool more = true;
    int64_t now = clock_mono_ns(f->api->d.clock);

    // Asked again behind each piece: the thread that looks comes back to it.
    if (f->told_any && too_early(f, now)) {
        f->news = true;
        return true;
    }
    f->news = false; // first: what comes while the job is read is news again
    enum err e = read_job(f, &a, &t.job);
    if (e == ERR_OK) {
        task_look(f->api, &a, &t);
        struct told told = standing(&t);
        if (!f->told_any || told.state != f->told.state || told.progress != f->told.progress)
            write_event(f, &t, out);
        f->told = told;
        f->told_any = true;
        more = !job_state_final(t.job.state);
    } else {
        // Gone with its account, or the store fails: the client asks again and is told why.
        more = false;
    }
    if (out->len == 0 && now - f->sent_ns >= EVENTS_COMMENT_MS * ns_per_ms)
        buf_adds(out, ":\n\n");
    if (out->len > 0)
        f->sent_ns = now;
    arena_release(&a);
    return more;
}

static void closed(void *ctx)
{
    struct follower *f = ctx;
    struct events *e = f->api->events;

    pthread_mutex_lock(&e->lock);
    if (f->prev)
        f->prev->next = f->next;
    else
        e->first = f->next;
    if (f->next)
        f->next->prev = f->prev;
    pthread_mutex_unlock(&e->lock);
    free(f);
}

static const struct http_stream stream = {next_piece, closed};

// ---- the request ----

static void answer_ended(struct http_request *r)
{
    // 204 tells an EventSource not to come back.
    http_answer(r, &(struct http_response)HTTP_RESPONSE(204));
}

static void follow(struct api *a, struct http_request *r, const struct task *t, bool told_any)
{
    struct events *e = a->events;
    struct http_response head = HTTP_RESPONSE(200);
    struct follower *f = calloc(1, sizeof(*f));

    if (!f) {
        answer_err(a, r, ERR_NOMEM, NULL);
        return;
    }
    *f = (struct follower){.api = a,
                           .request = r,
                           .account = t->job.account,
                           .state = t->job.state,
                           .looked_ns = clock_mono_ns(a->d.clock),
                           .told = standing(t),
                           .told_any = told_any,
                           .sent_ns = clock_mono_ns(a->d.clock)};
    memcpy(f->uuid, t->job.uuid, sizeof(f->uuid));
    head.type = "text/event-stream";
    http_set_header(r, "X-Accel-Buffering", "no"); // nginx passes events on at once
    pthread_mutex_lock(&e->lock);
    bool room = http_answer_stream(r, &head, &stream, f);
    if (room) {
        f->next = e->first;
        if (e->first)
            e->first->prev = f;
        e->first = f;
        pthread_cond_signal(&e->work);
    }
    pthread_mutex_unlock(&e->lock);
    if (!room) {
        free(f);
        http_set_header(r, "Retry-After", "5");
        answer_error(a, r, 503, "too many event streams are open; retry, or poll the job", NULL);
    }
}

void get_events(void *ctx, struct http_request *r)
{
    struct api *a = ctx;
    const char *last = http_header(r, "Last-Event-ID");
    struct task t;
    char id[32];

    enum err e = store_job_get(a->d.store, caller(r)->id, http_param(r, 0), http_arena(r), &t.job);
    if (e == ERR_NOT_FOUND) {
        answer_no_job(a, r);
        return;
    }
    if (e) {
        answer_err(a, r, e, NULL);
        return;
    }
    task_look(a, http_arena(r), &t);
    write_id(standing(&t), id);
    bool knows = last && !strcmp(last, id);
    if (knows && job_state_final(t.job.state))
        answer_ended(r);
    else
        follow(a, r, &t, knows);
}

// ---- the thread that looks ----

static bool board_news(struct follower *f)
{
    struct board_entry now = {0};
    bool there = board_get(f->api->d.board, f->uuid, &now);
    bool news = there != f->on_board ||
                (there && (now.stage != f->seen.stage || now.progress != f->seen.progress));

    f->on_board = there;
    f->seen = now;
    return news;
}

// Jobs that no worker here has: they wait, or somebody else has them, or they have just ended.
static bool store_news(struct follower *f, int64_t now_ns)
{
    struct arena a = ARENA_INIT;
    struct job j;

    if (now_ns - f->looked_ns < EVENTS_WAITING_MS * ns_per_ms)
        return false;
    f->looked_ns = now_ns;
    enum err e = read_job(f, &a, &j);
    bool news = e || j.state != f->state;
    if (!e)
        f->state = j.state;
    arena_release(&a);
    return news;
}

// Wakes whom it may; true when there is somebody with news for whom it is too early.
static bool look(struct events *e)
{
    int64_t now = clock_mono_ns(e->api->d.clock);
    bool early = false;

    for (struct follower *f = e->first; f; f = f->next) {
        bool news = board_news(f);
        news |= !f->on_board && store_news(f, now);
        news |= now - f->sent_ns >= EVENTS_COMMENT_MS * ns_per_ms;
        if (news)
            f->news = true;
        if (f->news && too_early(f, now))
            early = true;
        else if (f->news)
            http_stream_wake(f->request);
    }
    return early;
}

static void *run(void *arg)
{
    struct events *e = arg;

    pthread_mutex_lock(&e->lock);
    while (!e->stop) {
        if (!e->first) {
            pthread_cond_wait(&e->work, &e->lock);
            continue;
        }
        int ms = look(e) ? EVENTS_AGAIN_MS : EVENTS_TICK_MS;
        int64_t until_ns = clock_mono_ns(&clock_system) + ms * ns_per_ms;
        while (!e->stop && wait_until(&e->work, &e->lock, until_ns))
            ; // a new stream tells what it finds by itself: no need to look earlier
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

enum err events_new(struct api *a, struct events **out, struct err_note *note)
{
    struct events *e = calloc(1, sizeof(*e));

    if (!e)
        return err_set(note, ERR_NOMEM, "out of memory");
    e->api = a;
    pthread_mutex_init(&e->lock, NULL);
    wait_cond_init(&e->work);
    errno = pthread_create(&e->thread, NULL, run, e);
    if (errno) {
        enum err bad = err_errno(note, "cannot start a thread");
        pthread_cond_destroy(&e->work);
        pthread_mutex_destroy(&e->lock);
        free(e);
        return bad;
    }
    *out = e;
    return ERR_OK;
}

void events_free(struct events *e)
{
    if (!e)
        return;
    pthread_mutex_lock(&e->lock);
    e->stop = true;
    pthread_cond_signal(&e->work);
    pthread_mutex_unlock(&e->lock);
    pthread_join(e->thread, NULL);
    pthread_cond_destroy(&e->work);
    pthread_mutex_destroy(&e->lock);
    free(e);
}
