/* SPDX-License-Identifier: MIT */
/*
 * One call: take a free renderer, hand it the request, listen until it answers, and believe nothing
 * that has not been checked: a renderer may have been taken over by what it rendered.
 */
#include "sandbox/render_pool_internal.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "sandbox/channel.h"
#include "sandbox/memfd.h"
#include "sandbox/render_wire.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int64_t now_ns(void)
{
    return clock_mono_ns(&clock_system);
}

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
            render_pool_wait(p);
    }
    if (s->r) {
        s->r->state = RENDERER_BUSY;
        s->id = ++p->calls;
    }
    pthread_mutex_unlock(&p->lock);
    return s->stop;
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

static enum err send_picture(struct session *s, enum render_message_type type,
                             const struct image *im, int fd, const char *json, size_t len)
{
    const struct render_command c = {
        .type = type,
        .width = im->width,
        .height = im->height,
        .has_alpha = im->has_alpha,
        .call = s->id,
    };

    return channel_send(s->r->child.control, &c, sizeof(c), json, len, fd);
}

// Hands the request over; a renderer that died while it was idle is nobody's strike.
static enum err submit(struct session *s)
{
    const struct render_call *call = s->call;
    const size_t len = strlen(call->request_json);

    if (len > RENDER_JSON_BYTES_MAX)
        return err_set(s->note, ERR_TOO_LARGE, "a request of %zu bytes", len);
    for (;;) {
        enum err e = take(s);
        if (e != ERR_OK)
            return e;
        if (call->style)
            e = send_picture(s, RENDER_STYLE, call->style, call->style_fd, NULL, 0);
        if (e == ERR_OK)
            e = send_picture(s, RENDER_REQUEST, call->source, call->source_fd, call->request_json,
                             len);
        if (e == ERR_OK)
            return ERR_OK;
        render_pool_give_back(s->p, s->r, false);
        s->r = NULL;
    }
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
            child_text(s->note->text, sizeof(s->note->text), r->text, sizeof(r->text));
            child_text(s->note->reason, sizeof(s->note->reason), r->reason, sizeof(r->reason));
            child_text(s->note->field, sizeof(s->note->field), r->field, sizeof(r->field));
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
        render_pool_give_back(p, s.r, e != ERR_CRASHED);
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
