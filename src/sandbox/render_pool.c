/* SPDX-License-Identifier: MIT */
/*
 * The server's side of render_wire.h.
 *
 * A keeper thread starts every renderer. The kernel sends the parent-death signal when the thread
 * that started a child ends, so it must be a thread that lives as long as the pool; an engine may
 * take long to open, which no caller shall wait for that finds another renderer free; and the
 * keeper runs at low priority, which a child inherits from its first instruction on.
 *
 *     DEAD --keeper, after a pause--> STARTING --READY--> IDLE <--caller--> BUSY
 *       ^------------- ended, overran, or said what cannot be -----------------'
 *
 * Only the keeper acts on a renderer that is DEAD, STARTING or IDLE (under the lock), only the
 * caller that took it on one that is BUSY (without).
 */
#include "sandbox/render.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "sandbox/channel.h"
#include "sandbox/child.h"
#include "sandbox/confine.h"
#include "sandbox/memfd.h"
#include "sandbox/render_wire.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    PROCESSES_MAX = 256,
    RENDERER_NICE = 10,        // the API answers first
    START_MS_MAX = 300 * 1000, // a model of 15 GB from a slow disk
    PAUSE_MS_FIRST = 100,      // before the second start in a row that led to nothing, then doubled
    PAUSE_MS_MAX = 10 * 1000
};

enum renderer_state { RENDERER_DEAD, RENDERER_STARTING, RENDERER_IDLE, RENDERER_BUSY };

struct renderer {
    enum renderer_state state;
    struct child child;
    int failures;  // ends in a row without an answer between them
    int64_t at_ns; // DEAD: start not before; STARTING: give up after
};

struct render_pool {
    struct render_pool_options o;
    pthread_t keeper;
    int wake_fd; // an eventfd the keeper polls: a renderer died, or the pool closes

    pthread_mutex_t lock;
    pthread_cond_t changed; // a renderer became IDLE, a start failed, a caller left
    struct renderer *renderer;
    uint64_t calls;
    int callers; // threads inside render_run()
    int failed_starts;
    struct err_note failure; // of the last start that failed
    atomic_bool closing;
};

static int64_t now_ns(void)
{
    return clock_mono_ns(&clock_system);
}

static void wake_keeper(struct render_pool *p)
{
    const uint64_t one = 1;

    while (write(p->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

// Waits for `changed` at most one tick: flags of callers have no condition variable.
static void wait_changed(struct render_pool *p)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += CHILD_TICK_MS * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_nsec -= 1000000000L;
        t.tv_sec++;
    }
    pthread_cond_timedwait(&p->changed, &p->lock, &t);
}

// The keeper's part.

static void set_dead(struct renderer *r)
{
    int64_t pause_ms = 0;

    if (r->failures > 0) {
        int doubled = r->failures - 1 < 10 ? r->failures - 1 : 10;
        pause_ms = (int64_t)PAUSE_MS_FIRST << doubled;
    }
    r->failures++;
    r->state = RENDERER_DEAD;
    r->at_ns = now_ns() + (pause_ms < PAUSE_MS_MAX ? pause_ms : PAUSE_MS_MAX) * 1000000;
}

static void start_failed(struct render_pool *p, struct renderer *r, const char *why)
{
    set_dead(r);
    err_set(&p->failure, ERR_CRASHED, "%s does not start as a renderer: %s", p->o.argv[0], why);
    p->failed_starts++;
    pthread_cond_broadcast(&p->changed);
    log_event(p->o.log, LOG_ERROR, "render.start", LOG_S("error", p->failure.text));
}

static void start(struct render_pool *p, struct renderer *r)
{
    // Nothing of the server's environment, which holds keys: what an engine needs is in argv.
    char *const env[] = {(char *)"OMP_WAIT_POLICY=passive",
                         SANDBOX_SANITIZED ? (char *)"ASAN_OPTIONS=" SANITIZER_OPTIONS : NULL,
                         (char *)"TSAN_OPTIONS=" SANITIZER_OPTIONS, NULL};
    const struct child_options o = {
        .path = p->o.argv[0], .argv = p->o.argv, .env = env, .source_fd = -1, .keep_stderr = true};
    struct err_note note = {0};

    if (child_spawn(&o, &r->child, &note) != ERR_OK) {
        start_failed(p, r, note.text);
        return;
    }
    r->state = RENDERER_STARTING;
    r->at_ns = now_ns() + (int64_t)START_MS_MAX * 1000000;
}

static void ended(struct render_pool *p, struct renderer *r)
{
    struct child_end end;
    char text[96];

    child_end(&r->child, &end);
    const char *how = child_end_text(&end, text, sizeof(text));
    if (r->state == RENDERER_STARTING) {
        start_failed(p, r, how);
        return;
    }
    set_dead(r);
    log_event(p->o.log, LOG_WARN, "render.ended", LOG_S("state", "idle"), LOG_S("how", how));
}

static void greet(struct render_pool *p, struct renderer *r)
{
    struct render_reply hello;
    size_t len;

    if (channel_recv(r->child.control, &hello, sizeof(hello), &len, NULL) != ERR_OK ||
        len != sizeof(hello) || hello.type != RENDER_READY) {
        ended(p, r);
        return;
    }
    r->state = RENDERER_IDLE;
    pthread_cond_broadcast(&p->changed);
}

// What the keeper waits for: two entries a renderer, channel and end.
static int prepare_poll(struct render_pool *p, struct pollfd *on)
{
    int64_t next = INT64_MAX, now = now_ns();

    on[0] = (struct pollfd){.fd = p->wake_fd, .events = POLLIN};
    for (int i = 0; i < p->o.processes; i++) {
        struct renderer *r = &p->renderer[i];
        bool starting = r->state == RENDERER_STARTING;
        on[1 + 2 * i] = (struct pollfd){starting ? r->child.control : -1, POLLIN, 0};
        on[2 + 2 * i] =
            (struct pollfd){starting || r->state == RENDERER_IDLE ? r->child.pidfd : -1, POLLIN, 0};
        if ((starting || r->state == RENDERER_DEAD) && r->at_ns < next)
            next = r->at_ns;
    }
    if (next == INT64_MAX)
        return -1;
    return next <= now ? 0 : (int)((next - now + 999999) / 1000000);
}

static void look_after(struct render_pool *p, struct renderer *r, bool spoke, bool died)
{
    if (r->state == RENDERER_DEAD) {
        if (now_ns() >= r->at_ns)
            start(p, r);
    } else if (r->state == RENDERER_STARTING) {
        if (spoke)
            greet(p, r);
        else if (died || now_ns() >= r->at_ns)
            ended(p, r);
    } else if (r->state == RENDERER_IDLE && died) {
        ended(p, r);
    }
}

static void *keep(void *arg)
{
    struct render_pool *p = arg;
    struct pollfd on[1 + 2 * PROCESSES_MAX];
    const struct sched_param none = {0};

    // Both are properties of a thread in Linux.
    (void)setpriority(PRIO_PROCESS, 0, RENDERER_NICE);
    (void)sched_setscheduler(0, SCHED_BATCH, &none);
    pthread_mutex_lock(&p->lock);
    while (!atomic_load(&p->closing)) {
        int timeout = prepare_poll(p, on);
        pthread_mutex_unlock(&p->lock);
        poll(on, (nfds_t)(1 + 2 * p->o.processes), timeout);
        if (on[0].revents) {
            uint64_t count;
            (void)!read(p->wake_fd, &count, sizeof(count));
        }
        pthread_mutex_lock(&p->lock);
        for (int i = 0; i < p->o.processes && !atomic_load(&p->closing); i++)
            look_after(p, &p->renderer[i], on[1 + 2 * i].revents, on[2 + 2 * i].revents);
    }
    // With this thread the renderers end; the callers shall not take that for a crash.
    while (p->callers > 0)
        wait_changed(p);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

// The callers' part.

struct session {
    struct render_pool *p;
    const struct render_call *call;
    struct renderer *r;
    uint64_t id;
    int64_t deadline_ns;
    enum err stop; // once it is to stop: why
    char *message; // CHANNEL_MESSAGE_MAX
    struct err_note *note;
};

// Notices a reason to stop; the first one counts.
static void check_stop(struct session *s)
{
    if (s->stop != ERR_OK)
        return;
    if (s->call->cancel && atomic_load(s->call->cancel))
        s->stop = ERR_CANCELLED;
    else if (atomic_load(&s->p->closing))
        s->stop = ERR_UNAVAILABLE;
    else if (now_ns() >= s->deadline_ns)
        s->stop = ERR_TIMEOUT;
}

static enum err stopped(struct session *s)
{
    if (s->stop == ERR_TIMEOUT)
        return err_set(s->note, s->stop, "rendering took longer than %lld ms",
                       (long long)s->call->limit_ms);
    return err_set(s->note, s->stop,
                   s->stop == ERR_CANCELLED ? "cancelled" : "the service is stopping");
}

static enum err take(struct session *s)
{
    struct render_pool *p = s->p;

    pthread_mutex_lock(&p->lock);
    for (s->r = NULL; !s->r;) {
        check_stop(s);
        if (s->stop != ERR_OK)
            break;
        for (int i = 0; i < p->o.processes && !s->r; i++)
            if (p->renderer[i].state == RENDERER_IDLE)
                s->r = &p->renderer[i];
        if (!s->r)
            wait_changed(p);
    }
    if (s->r) {
        s->r->state = RENDERER_BUSY;
        s->id = ++p->calls;
    }
    pthread_mutex_unlock(&p->lock);
    return s->stop;
}

// Gives the renderer back, or what is left of it.
static void give_back(struct session *s, bool healthy)
{
    struct render_pool *p = s->p;

    if (!healthy)
        child_end(&s->r->child, NULL);
    pthread_mutex_lock(&p->lock);
    if (healthy) {
        s->r->state = RENDERER_IDLE;
        s->r->failures = 0;
        pthread_cond_broadcast(&p->changed);
    } else {
        set_dead(s->r);
    }
    pthread_mutex_unlock(&p->lock);
    wake_keeper(p); // to watch the idle one, or to start another
    s->r = NULL;
}

static enum err crashed(struct session *s)
{
    struct child_end end;
    char text[96];

    child_end(&s->r->child, &end);
    const char *how = child_end_text(&end, text, sizeof(text));
    log_event(s->p->o.log, LOG_ERROR, "render.ended", LOG_S("state", "busy"), LOG_S("how", how));
    return err_set(s->note, ERR_CRASHED, "the renderer ended by %s", how);
}

static enum err lied(struct session *s, const char *about)
{
    log_event(s->p->o.log, LOG_ERROR, "render.bad_reply", LOG_S("about", about));
    return err_set(s->note, ERR_CRASHED, "the renderer sent a false %s", about);
}

// Hands the request over; a renderer that died while it was idle is nobody's strike.
static enum err submit(struct session *s)
{
    const struct render_command c = {
        .type = RENDER_REQUEST,
        .width = s->call->source->width,
        .height = s->call->source->height,
        .has_alpha = s->call->source->has_alpha,
    };
    const size_t len = strlen(s->call->request_json);

    if (len > RENDER_JSON_BYTES_MAX)
        return err_set(s->note, ERR_TOO_LARGE, "a request of %zu bytes", len);
    for (;;) {
        enum err e = take(s);
        if (e != ERR_OK)
            return e;
        struct render_command numbered = c;
        numbered.call = s->id;
        e = channel_send(s->r->child.control, &numbered, sizeof(numbered), s->call->request_json,
                         len, s->call->source_fd);
        if (e == ERR_OK)
            return ERR_OK;
        give_back(s, false);
    }
}

static void clean_text(char *to, size_t size, const char *from, size_t from_size)
{
    size_t n = strnlen(from, from_size < size ? from_size : size - 1);

    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)from[i] < ' ' ? ' ' : from[i];
    to[n] = '\0';
    if (!utf8_valid(to, n))
        to[0] = '\0';
}

static enum err take_error(struct session *s, const struct render_reply *r)
{
    static const enum err may[] = {ERR_INVALID, ERR_TOO_LARGE,   ERR_UNSUPPORTED,
                                   ERR_CORRUPT, ERR_UNAVAILABLE, ERR_NOMEM,
                                   ERR_IO,      ERR_FULL,        ERR_BUG};

    for (size_t i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
        if (r->err != (int32_t)may[i])
            continue;
        if (s->note) {
            clean_text(s->note->text, sizeof(s->note->text), r->text, sizeof(r->text));
            clean_text(s->note->reason, sizeof(s->note->reason), r->reason, sizeof(r->reason));
            clean_text(s->note->field, sizeof(s->note->field), r->field, sizeof(r->field));
            s->note->status = r->status;
        }
        return may[i];
    }
    return err_set(s->note, ERR_BUG, "the renderer failed without a reason");
}

// The sum of the pictures' bytes; false when a size cannot be that of a result.
static bool pictures_bytes(const struct render_reply *r, size_t *len)
{
    *len = 0;
    if (r->count < 1 || r->count > RENDER_PICTURES_MAX)
        return false;
    for (int i = 0; i < r->count; i++) {
        // The last may be the grid of the other four.
        const int64_t most = i == RENDER_PICTURES_MAX - 1 ? 4LL * IMAGE_RESULT_PIXELS_MAX
                                                          : IMAGE_RESULT_PIXELS_MAX;
        const int64_t w = r->picture[i].width, h = r->picture[i].height;
        if (w < 1 || h < 1 || w > most / h)
            return false;
        *len += (size_t)(w * h) * 4;
    }
    return true;
}

static enum err take_pictures(struct session *s, const struct render_reply *r, int fd,
                              struct render_answer *out)
{
    size_t len;

    if (r->count == 0 && fd < 0)
        return ERR_OK;
    if (!pictures_bytes(r, &len))
        return lied(s, "size");
    if (fd < 0 || !memfd_is_frozen(fd, len))
        return lied(s, "memory");
    void *all = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (all == MAP_FAILED)
        return err_errno(s->note, "mapping %zu bytes", len);
    uint8_t *at = all;
    for (int i = 0; i < r->count; i++) {
        const struct render_wire_picture *w = &r->picture[i];
        out->picture[i] = (struct image){.width = w->width,
                                         .height = w->height,
                                         .stride = (size_t)w->width * 4,
                                         .px = at,
                                         .has_alpha = w->has_alpha != 0};
        at += (size_t)w->width * (size_t)w->height * 4;
    }
    out->count = r->count;
    out->mapping = all;
    out->mapping_len = len;
    return ERR_OK;
}

static enum err take_answer(struct session *s, const struct render_reply *r, const char *report,
                            size_t report_len, int fd, struct render_answer *out)
{
    struct render_answer a = {.count = 0};

    if (r->err != ERR_OK)
        return take_error(s, r);
    if (!utf8_valid(report, report_len) || memchr(report, '\0', report_len))
        return lied(s, "report");
    enum err e = take_pictures(s, r, fd, &a);
    if (e != ERR_OK)
        return e;
    a.report_json = strndup(report, report_len);
    if (!a.report_json) {
        render_answer_release(&a);
        return err_set(s->note, ERR_NOMEM, "out of memory");
    }
    *out = a;
    return ERR_OK;
}

// One message; ERR_NONE: more to come.
static enum err receive(struct session *s, struct render_answer *out)
{
    struct render_reply r;
    size_t len;
    int fd;

    enum err e = channel_recv(s->r->child.control, s->message, CHANNEL_MESSAGE_MAX, &len, &fd);
    if (e == ERR_NONE)
        return crashed(s);
    if (e != ERR_OK || len < sizeof(r) || len > sizeof(r) + RENDER_JSON_BYTES_MAX) {
        if (fd >= 0)
            close(fd);
        return lied(s, "message");
    }
    memcpy(&r, s->message, sizeof(r));
    if (r.call == s->id && r.type == RENDER_ANSWER) {
        e = take_answer(s, &r, s->message + sizeof(r), len - sizeof(r), fd, out);
    } else if (r.call == s->id && r.type == RENDER_PROGRESS) {
        e = ERR_NONE;
        if (s->call->progress && s->stop == ERR_OK)
            s->call->progress(s->call->progress_ctx, r.done >= 0 && r.done <= 1 ? r.done : 0);
    } else {
        e = lied(s, "message");
    }
    if (fd >= 0)
        close(fd);
    return e;
}

// Asks the renderer to stop; returns when to stop waiting for that.
static int64_t ask_to_stop(struct session *s)
{
    const struct render_command c = {.type = RENDER_CANCEL, .call = s->id};

    if (s->stop == ERR_UNAVAILABLE) // the process is to go anyway
        return now_ns();
    // Should it fail, the grace ends it.
    (void)!channel_send(s->r->child.control, &c, sizeof(c), NULL, 0, -1);
    return now_ns() + (int64_t)s->p->o.cancel_grace_ms * 1000000;
}

// Until the answer, or until the renderer has had its chance to stop by itself.
static enum err converse(struct session *s, struct render_answer *out)
{
    int64_t kill_ns = INT64_MAX;

    for (;;) {
        check_stop(s);
        if (s->stop != ERR_OK && kill_ns == INT64_MAX)
            kill_ns = ask_to_stop(s);
        int64_t now = now_ns(), tick = now + (int64_t)CHILD_TICK_MS * 1000000;
        if (now >= kill_ns)
            return ERR_CRASHED;
        if (child_wait(&s->r->child, tick < kill_ns ? tick : kill_ns, NULL) != ERR_OK)
            continue;
        enum err e = receive(s, out);
        if (e != ERR_NONE)
            return e;
    }
}

enum err render_run(struct render_pool *p, const struct render_call *call,
                    struct render_answer *out, struct err_note *note)
{
    struct session s = {
        .p = p,
        .call = call,
        .deadline_ns = now_ns() + call->limit_ms * 1000000,
        .note = note,
    };
    struct render_answer answer = {.count = 0};

    s.message = malloc(CHANNEL_MESSAGE_MAX);
    if (!s.message)
        return err_set(note, ERR_NOMEM, "out of memory");
    pthread_mutex_lock(&p->lock);
    p->callers++;
    pthread_mutex_unlock(&p->lock);

    enum err e = submit(&s);
    if (e == ERR_OK)
        e = converse(&s, &answer);
    if (s.r)
        give_back(&s, e != ERR_CRASHED);
    // Whatever it said in the end: the caller has been promised to be rid of it.
    if (s.stop != ERR_OK) {
        render_answer_release(&answer);
        e = stopped(&s);
    }
    if (e == ERR_OK)
        *out = answer;
    free(s.message);

    pthread_mutex_lock(&p->lock);
    p->callers--;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return e;
}

void render_answer_release(struct render_answer *a)
{
    if (a->mapping)
        munmap(a->mapping, a->mapping_len);
    free(a->report_json);
    *a = (struct render_answer){.count = 0};
}

static enum err init_sync(struct render_pool *p, struct err_note *note)
{
    pthread_condattr_t attr;

    p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->wake_fd < 0)
        return err_errno(note, "eventfd");
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->changed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&p->lock, NULL);
    return ERR_OK;
}

static void pool_free(struct render_pool *p)
{
    if (p->wake_fd >= 0) {
        close(p->wake_fd);
        pthread_cond_destroy(&p->changed);
        pthread_mutex_destroy(&p->lock);
    }
    free(p->renderer);
    free(p);
}

enum err render_pool_open(const struct render_pool_options *o, struct render_pool **out,
                          struct err_note *note)
{
    if (o->processes < 1 || o->processes > PROCESSES_MAX)
        return err_set(note, ERR_INVALID, "renderers: 1 to %d", PROCESSES_MAX);
    struct render_pool *p = calloc(1, sizeof(*p));
    if (!p)
        return err_set(note, ERR_NOMEM, "out of memory");
    p->o = *o;
    p->wake_fd = -1;
    p->renderer = calloc((size_t)o->processes, sizeof(*p->renderer));
    enum err e = p->renderer ? init_sync(p, note) : err_set(note, ERR_NOMEM, "out of memory");
    for (int i = 0; e == ERR_OK && i < o->processes; i++)
        p->renderer[i].child = (struct child)CHILD_NONE;
    if (e == ERR_OK && pthread_create(&p->keeper, NULL, keep, p) != 0)
        e = err_set(note, ERR_NOMEM, "no thread for the renderers");
    if (e != ERR_OK) {
        pool_free(p);
        return e;
    }

    // An engine that cannot be opened shows here and not at the first job.
    bool ready = false;
    pthread_mutex_lock(&p->lock);
    while (!ready && p->failed_starts == 0) {
        for (int i = 0; i < o->processes; i++)
            ready |= p->renderer[i].state == RENDERER_IDLE;
        if (!ready)
            wait_changed(p);
    }
    pthread_mutex_unlock(&p->lock);
    if (!ready) {
        if (note)
            *note = p->failure;
        render_pool_close(p);
        return ERR_CRASHED;
    }
    *out = p;
    return ERR_OK;
}

void render_pool_close(struct render_pool *p)
{
    if (!p)
        return;
    atomic_store(&p->closing, true);
    wake_keeper(p);
    pthread_join(p->keeper, NULL);
    for (int i = 0; i < p->o.processes; i++)
        child_end(&p->renderer[i].child, NULL);
    pool_free(p);
}
