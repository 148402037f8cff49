/* SPDX-License-Identifier: MIT */
/*
 * The renderer's side of render_wire.h. A small control thread reads the channel all the time, so
 * that a cancel reaches the engine and the end of the server ends this process at once, however
 * busy the main thread is; the main thread renders.
 */
#include "sandbox/render.h"

#include "base/clock.h"
#include "sandbox/channel.h"
#include "sandbox/child.h"
#include "sandbox/confine.h"
#include "sandbox/memfd.h"
#include "sandbox/render_wire.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    CONTROL_STACK_BYTES = 256 * 1024,
    PROGRESS_EVERY_MS = 50, // nobody looks more often
    AMX_TILE_DATA = 18      // the XSAVE component
};

struct picture {
    struct render_command command; // its size
    int fd;                        // -1: there is none
};

struct request {
    struct picture source, style;
    char *json;
};

struct self {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct request next; // json is NULL when there is none; the style comes first
    uint64_t call;       // being rendered or waiting in `next`
    atomic_bool cancel;

    render_fn *fn;
    void *ctx;
    // The main thread's alone.
    uint64_t answering;
    int64_t progress_ns; // when it was last reported
};

static void send_or_exit(const struct render_reply *r, const void *tail, size_t len, int fd)
{
    if (channel_send(CHANNEL_CHILD_FD, r, sizeof(*r), tail, len, fd) != ERR_OK)
        _exit(1);
}

// One message of the server's; false: not in the protocol.
static bool obey(struct self *s, const struct render_command *c, const char *json, size_t json_len,
                 int fd)
{
    bool ok = true;

    pthread_mutex_lock(&s->lock);
    if (c->type == RENDER_CANCEL) {
        if (c->call == s->call)
            atomic_store(&s->cancel, true);
    } else if (c->type == RENDER_STYLE && fd >= 0 && !s->next.json && s->next.style.fd < 0) {
        s->next.style = (struct picture){*c, fd};
    } else if (c->type == RENDER_REQUEST && fd >= 0 && !s->next.json) {
        s->next.source = (struct picture){*c, fd};
        s->next.json = strndup(json, json_len);
        ok = s->next.json != NULL;
        s->call = c->call;
        atomic_store(&s->cancel, false);
        pthread_cond_signal(&s->arrived);
    } else {
        ok = false;
    }
    pthread_mutex_unlock(&s->lock);
    return ok;
}

static void *control(void *arg)
{
    struct self *s = arg;
    char *message = malloc(CHANNEL_MESSAGE_MAX);

    for (;;) {
        struct render_command c;
        size_t len;
        int fd;
        if (!message ||
            channel_recv(CHANNEL_CHILD_FD, message, CHANNEL_MESSAGE_MAX, &len, &fd) != ERR_OK ||
            len < sizeof(c))
            _exit(0);
        memcpy(&c, message, sizeof(c));
        if (!obey(s, &c, message + sizeof(c), len - sizeof(c), fd))
            _exit(1);
    }
    return NULL;
}

static void report_progress(void *ctx, float done)
{
    struct self *s = ctx;
    int64_t now = clock_mono_ns(&clock_system);

    if (now - s->progress_ns < (int64_t)PROGRESS_EVERY_MS * 1000000)
        return;
    s->progress_ns = now;
    const struct render_reply r = {.type = RENDER_PROGRESS, .call = s->answering, .done = done};
    send_or_exit(&r, NULL, 0, -1);
}

static void copy_rows(uint8_t *to, const struct image *im)
{
    const size_t row = (size_t)im->width * 4;

    for (int y = 0; y < im->height; y++)
        memcpy(to + (size_t)y * row, im->px + (size_t)y * im->stride, row);
}

// All pictures into one memfd, frozen: the server maps what nobody can change any more.
static enum err pack(const struct image *picture, int count, int *fd, struct err_note *note)
{
    size_t len = 0;

    for (int i = 0; i < count; i++)
        len += (size_t)picture[i].width * (size_t)picture[i].height * 4;
    enum err e = memfd_sized(len, fd, note);
    if (e != ERR_OK)
        return e;
    uint8_t *all = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, *fd, 0);
    if (all == MAP_FAILED)
        return err_errno(note, "mapping %zu bytes", len);
    uint8_t *at = all;
    for (int i = 0; i < count; i++) {
        copy_rows(at, &picture[i]);
        at += (size_t)picture[i].width * (size_t)picture[i].height * 4;
    }
    munmap(all, len);
    return memfd_freeze(*fd, note);
}

// A picture that is not there has no pixels.
static enum err map_picture(const struct picture *p, struct image *out, struct err_note *note)
{
    const struct render_command *c = &p->command;
    const size_t len = (size_t)c->width * (size_t)c->height * 4;

    if (p->fd < 0)
        return ERR_OK;
    void *px = mmap(NULL, len, PROT_READ, MAP_PRIVATE, p->fd, 0);
    if (px == MAP_FAILED)
        return err_errno(note, "mapping a picture");
    *out = (struct image){.width = c->width,
                          .height = c->height,
                          .stride = (size_t)c->width * 4,
                          .px = px,
                          .has_alpha = c->has_alpha != 0};
    return ERR_OK;
}

static void unmap_picture(struct image *im)
{
    if (im->px)
        munmap(im->px, im->stride * (size_t)im->height);
}

static enum err render(struct self *s, const struct request *rq, struct render_reply *r,
                       struct buf *report, int *fd, struct err_note *note)
{
    struct image picture[RENDER_PICTURES_MAX] = {{0}}, source = {0}, style = {0};
    int count = 0;

    enum err e = map_picture(&rq->source, &source, note);
    if (e == ERR_OK)
        e = map_picture(&rq->style, &style, note);
    if (e == ERR_OK)
        e = s->fn(s->ctx, &source, style.px ? &style : NULL, rq->json, report_progress, s,
                  &s->cancel, picture, &count, report, note);
    unmap_picture(&source);
    unmap_picture(&style);
    if (e == ERR_OK && report->failed)
        e = err_set(note, ERR_NOMEM, "out of memory");
    if (e == ERR_OK && report->len > RENDER_JSON_BYTES_MAX)
        e = err_set(note, ERR_BUG, "a report of %zu bytes", report->len);
    if (e == ERR_OK && count > 0)
        e = pack(picture, count, fd, note);
    for (int i = 0; i < RENDER_PICTURES_MAX; i++) {
        if (e == ERR_OK && i < count)
            r->picture[i] = (struct render_wire_picture){picture[i].width, picture[i].height,
                                                         picture[i].has_alpha};
        image_release(&picture[i]);
    }
    r->count = count;
    return e;
}

static void answer(struct self *s, const struct request *rq)
{
    struct render_reply r = {.type = RENDER_ANSWER, .call = rq->source.command.call};
    struct buf report = BUF_INIT;
    struct err_note note = {0};
    int fd = -1;

    s->answering = r.call;
    s->progress_ns = 0;
    r.err = render(s, rq, &r, &report, &fd, &note);
    r.status = note.status;
    memcpy(r.reason, note.reason, sizeof(r.reason));
    memcpy(r.field, note.field, sizeof(r.field));
    memcpy(r.text, note.text, sizeof(r.text));
    send_or_exit(&r, r.err == ERR_OK ? report.data : NULL, r.err == ERR_OK ? report.len : 0,
                 r.err == ERR_OK ? fd : -1);
    if (fd >= 0)
        close(fd);
    buf_release(&report);
}

static struct request await_request(struct self *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->next.json)
        pthread_cond_wait(&s->arrived, &s->lock);
    struct request rq = s->next;
    s->next.json = NULL;
    s->next.style.fd = -1;
    pthread_mutex_unlock(&s->lock);
    return rq;
}

static int start_control(struct self *s)
{
    pthread_attr_t attr;
    pthread_t thread;

    int r = pthread_attr_init(&attr);
    if (r != 0)
        return r;
    r = pthread_attr_setstacksize(&attr, CONTROL_STACK_BYTES);
    if (r == 0)
        r = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (r == 0)
        r = pthread_create(&thread, &attr, control, s);
    pthread_attr_destroy(&attr);
    return r;
}

int render_main(render_fn *fn, void *ctx, bool allow_jit)
{
    struct self s = {.lock = PTHREAD_MUTEX_INITIALIZER,
                     .arrived = PTHREAD_COND_INITIALIZER,
                     .next.style.fd = -1,
                     .fn = fn,
                     .ctx = ctx};
    const struct render_reply ready = {.type = RENDER_READY};
    struct err_note note = {0};

#ifdef __x86_64__
    // The permission to use AMX does not survive exec, and the filter refuses to ask for it later.
    // Processors without it say no, which is all right.
    enum { REQUEST_XCOMP_PERMISSION = 0x1023 };
    (void)syscall(SYS_arch_prctl, REQUEST_XCOMP_PERMISSION, AMX_TILE_DATA);
#endif
    if (confine_renderer(allow_jit, &note) != ERR_OK) {
        fprintf(stderr, "patina: renderer: %s\n", note.text);
        return 1;
    }
    if (start_control(&s) != 0) {
        fprintf(stderr, "patina: renderer: no control thread\n");
        return 1;
    }
    send_or_exit(&ready, NULL, 0, -1);
    for (;;) {
        struct request rq = await_request(&s);
        answer(&s, &rq);
        close(rq.source.fd);
        if (rq.style.fd >= 0)
            close(rq.style.fd);
        free(rq.json);
        // Waiting costs no memory: what the render freed goes back to the kernel.
        malloc_trim(0);
    }
}
