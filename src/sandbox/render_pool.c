/* SPDX-License-Identifier: MIT */
/*
 * A keeper thread starts every renderer. The kernel sends the parent-death signal when the thread
 * that started a child ends, so it must be a thread that lives as long as the pool; an engine may
 * take long to open, which no caller shall wait for that finds another renderer free; and the
 * keeper runs at low priority, which a child inherits from its first instruction on.
 */
#include "sandbox/render_pool_internal.h"

#include "base/clock.h"
#include "base/wait.h"
#include "sandbox/channel.h"
#include "sandbox/confine.h"
#include "sandbox/render_wire.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    PROCESSES_MAX = 256,
    RENDERER_NICE = 10,        // the API answers first
    START_MS_MAX = 300 * 1000, // a model of 15 GB from a slow disk
    PAUSE_MS_FIRST = 100,      // before the second start in a row that led to nothing, then doubled
    PAUSE_MS_MAX = 10 * 1000
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

void render_pool_wait(struct render_pool *p)
{
    wait_for(&p->changed, &p->lock, CHILD_TICK_MS);
}

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
        render_pool_wait(p);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

void render_pool_give_back(struct render_pool *p, struct renderer *r, bool healthy)
{
    if (!healthy)
        child_end(&r->child, NULL);
    pthread_mutex_lock(&p->lock);
    if (healthy) {
        r->state = RENDERER_IDLE;
        r->failures = 0;
        pthread_cond_broadcast(&p->changed);
    } else {
        set_dead(r);
    }
    pthread_mutex_unlock(&p->lock);
    wake_keeper(p); // to watch the idle one, or to start another
}

static enum err init_sync(struct render_pool *p, struct err_note *note)
{
    p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->wake_fd < 0)
        return err_errno(note, "eventfd");
    wait_cond_init(&p->changed);
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
            render_pool_wait(p);
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

bool render_pool_ready(struct render_pool *p)
{
    bool ready = false;

    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < p->o.processes && !ready; i++) {
        const struct renderer *r = &p->renderer[i];
        // The first failure is the end of a renderer that ran, the second that of its successor.
        ready = r->state == RENDERER_IDLE || r->state == RENDERER_BUSY || r->failures < 2;
    }
    pthread_mutex_unlock(&p->lock);
    return ready;
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
