/* SPDX-License-Identifier: MIT */
/*
 * The parent's side of a decode (decode_wire.h). The child is taken to be hostile from the moment
 * it has said READY: every field is checked, the pixels lie in memory of our making that the child
 * cannot resize, and they are looked at only when the child is dead and the memory frozen. Before
 * READY it has not looked at the picture, so what goes wrong then is the machine's fault.
 */
#include "sandbox/decode.h"

#include "base/clock.h"
#include "sandbox/channel.h"
#include "sandbox/child.h"
#include "sandbox/confine.h"
#include "sandbox/decode_wire.h"
#include "sandbox/memfd.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// What the child needs beside the pixels: its libraries' address space, stack and codec state.
enum { OVERHEAD_BYTES = 48 * 1024 * 1024 };

struct decoder {
    struct decoder_options o;
    char helper[PATH_MAX];
};

// One decode in progress.
struct session {
    const struct decoder *d;
    const atomic_bool *cancel;
    int64_t deadline_ns;
    struct child child;
    bool ready;
    int pixels_fd;
    struct codec_header header; // set once the size has passed the checks
    size_t pixels_len;
    struct err_note *note;
};

static enum err died(struct session *s)
{
    struct child_end end;
    char text[96];

    child_end(&s->child, &end);
    const char *how = child_end_text(&end, text, sizeof(text));
    if (!s->ready)
        return err_set(s->note, ERR_IO, "%s did not start: %s", s->d->helper, how);
    int sig = WIFSIGNALED(end.status) ? WTERMSIG(end.status) : 0;
    if (sig == SIGXCPU || (sig == SIGKILL && end.cpu_ms >= (int64_t)s->d->o.cpu_s * 1000))
        return err_set_reason(s->note, ERR_TOO_LARGE, "cpu",
                              "decoding took more than %d s of processor time", s->d->o.cpu_s);
    // Not by us, and not by a limit of its own: the machine ran out of memory, or somebody is
    // ending processes. The picture need not be at fault.
    if (sig == SIGKILL)
        return err_set(s->note, ERR_CRASHED, "the decoder was killed from outside");
    return err_set_reason(s->note, ERR_CORRUPT, "decoder_died",
                          "the picture cannot be decoded (decoder ended by %s)", how);
}

// A child that says what decode_main never says has been taken over.
static enum err lied(struct session *s, const char *about)
{
    child_end(&s->child, NULL);
    return err_set_reason(s->note, ERR_CORRUPT, "decoder_died",
                          "the picture cannot be decoded (decoder sent a false %s)", about);
}

static enum err too_much_memory(struct err_note *note)
{
    return err_set_reason(note, ERR_TOO_LARGE, "memory", "decoding takes too much memory");
}

static void take_note(const struct decode_reply *r, struct err_note *note)
{
    static const char *const reasons[] = {"pixels", "side", "ratio"};

    if (!note)
        return;
    err_note_clear(note);
    child_text(note->text, sizeof(note->text), r->text, sizeof(r->text));
    if (!note->text[0])
        snprintf(note->text, sizeof(note->text), "the picture cannot be decoded");
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (strncmp(r->reason, reasons[i], sizeof(r->reason)) == 0)
            snprintf(note->reason, sizeof(note->reason), "%s", reasons[i]);
}

static enum err failed(struct session *s, const struct decode_reply *r)
{
    if (!s->ready) {
        take_note(r, s->note);
        err_note_prefix(s->note, "%s", s->d->helper);
        return ERR_IO;
    }
    switch (r->err) {
    case ERR_NOMEM:
        return too_much_memory(s->note);
    case ERR_TOO_LARGE:
    case ERR_UNSUPPORTED:
    case ERR_CORRUPT:
        take_note(r, s->note);
        return (enum err)r->err;
    default:
        return lied(s, "error");
    }
}

// The next message; a failing END has become its error.
static enum err receive(struct session *s, uint32_t type, struct decode_reply *r)
{
    size_t len;

    enum err e = child_wait(&s->child, s->deadline_ns, s->cancel);
    if (e == ERR_TIMEOUT)
        return err_set(s->note, e, "decoding took longer than %d ms", s->d->o.wall_ms);
    if (e != ERR_OK)
        return err_set(s->note, e, "cancelled");
    e = channel_recv(s->child.control, r, sizeof(*r), &len, NULL);
    if (e == ERR_NONE)
        return died(s);
    if (e != ERR_OK || len != sizeof(*r))
        return lied(s, "message");
    if (r->version != DECODE_WIRE_VERSION)
        return s->ready ? lied(s, "message")
                        : err_set(s->note, ERR_IO, "%s is of another version", s->d->helper);
    if (r->type == DECODE_END && r->err != ERR_OK)
        return failed(s, r);
    return r->type == type ? ERR_OK : lied(s, "message");
}

static enum err start(struct session *s, int source_fd, size_t source_len, int64_t want_pixels)
{
    const struct decode_task task = {
        .version = DECODE_WIRE_VERSION,
        .cpu_s = s->d->o.cpu_s,
        .memory_bytes = s->d->o.memory_bytes,
        .want_pixels = want_pixels,
        .source_len = source_len,
    };
    char *const argv[] = {(char *)"patina-decode", NULL};
    char sanitizer[160];
    char *env[] = {NULL, NULL};
    struct decode_reply r;

    if (SANDBOX_SANITIZED) {
        // The sanitizer keeps the limit that RLIMIT_AS keeps elsewhere.
        snprintf(sanitizer, sizeof(sanitizer),
                 "ASAN_OPTIONS=" SANITIZER_OPTIONS
                 ":allocator_may_return_null=1:hard_rss_limit_mb=%d:"
                 "max_allocation_size_mb=%d",
                 (int)(s->d->o.memory_bytes >> 20) + 256, (int)(s->d->o.memory_bytes >> 20));
        env[0] = sanitizer;
    }
    const struct child_options o = {
        .path = s->d->helper, .argv = argv, .env = env, .source_fd = source_fd};
    enum err e = child_spawn(&o, &s->child, s->note);
    if (e != ERR_OK)
        return e;
    if (channel_send(s->child.control, &task, sizeof(task), NULL, 0, -1) != ERR_OK)
        return died(s);
    e = receive(s, DECODE_READY, &r);
    s->ready = e == ERR_OK;
    return e;
}

static bool plausible(const struct decode_wire_header *w)
{
    const int64_t stored = (int64_t)w->stored_width * w->stored_height;

    return w->format > IMAGE_UNKNOWN && w->format <= IMAGE_WEBP && w->stored_width > 0 &&
           w->stored_height > 0 && w->orientation >= 1 && w->orientation <= 8 && w->width > 0 &&
           w->height > 0 && w->width <= IMAGE_SOURCE_SIDE_MAX &&
           w->height <= IMAGE_SOURCE_SIDE_MAX && (int64_t)w->width * w->height <= stored;
}

static struct codec_header from_wire(const struct decode_wire_header *w)
{
    return (struct codec_header){
        .info = {.format = (enum image_format)w->format,
                 .width = w->stored_width,
                 .height = w->stored_height,
                 .orientation = w->orientation,
                 .has_alpha = w->has_alpha != 0,
                 .animated = w->animated != 0},
        .width = w->width,
        .height = w->height,
    };
}

// Between HEADER and PIXELS: the one place where a stranger's numbers become memory.
static enum err admit(struct session *s, const struct decode_wire_header *w)
{
    enum err e = image_check_size(w->stored_width, w->stored_height, s->note);

    if (e == ERR_TOO_LARGE)
        return e;
    if (e != ERR_OK || !plausible(w))
        return lied(s, "header");
    s->header = from_wire(w);
    s->pixels_len = (size_t)w->width * (size_t)w->height * 4;
    if ((int64_t)s->pixels_len + OVERHEAD_BYTES > s->d->o.memory_bytes)
        return too_much_memory(s->note);
    e = memfd_sized(s->pixels_len, &s->pixels_fd, s->note);
    if (e != ERR_OK)
        return e;
    const char go = 'p';
    if (channel_send(s->child.control, &go, sizeof(go), NULL, 0, s->pixels_fd) != ERR_OK)
        return died(s);
    return ERR_OK;
}

static enum err finish(struct session *s, const struct decode_wire_header *w, struct decoded *out)
{
    if (!plausible(w) || w->width != s->header.width || w->height != s->header.height)
        return lied(s, "result");
    child_end(&s->child, NULL);
    // With the child dead nobody holds a writable mapping.
    enum err e = memfd_freeze(s->pixels_fd, s->note);
    if (e != ERR_OK)
        return e;
    void *px = mmap(NULL, s->pixels_len, PROT_READ | PROT_WRITE, MAP_PRIVATE, s->pixels_fd, 0);
    if (px == MAP_FAILED)
        return err_errno(s->note, "mapping %zu bytes", s->pixels_len);
    out->header = from_wire(w);
    out->image = (struct image){.width = w->width,
                                .height = w->height,
                                .stride = (size_t)w->width * 4,
                                .px = px,
                                .has_alpha = w->has_alpha != 0};
    out->fd = s->pixels_fd;
    s->pixels_fd = -1;
    return ERR_OK;
}

enum err decoder_decode(struct decoder *d, const void *data, size_t len,
                        const struct codec_decode_options *o, const atomic_bool *cancel,
                        struct decoded *out, struct err_note *note)
{
    struct session s = {
        .d = d,
        .cancel = cancel,
        .deadline_ns = clock_mono_ns(&clock_system) + (int64_t)d->o.wall_ms * 1000000,
        .child = CHILD_NONE,
        .pixels_fd = -1,
        .note = note,
    };
    struct decode_reply r;
    int source_fd = -1;

    if (len == 0)
        return err_set(note, ERR_CORRUPT, "the picture is empty");
    enum err e = memfd_copy(data, len, &source_fd, note);
    if (e == ERR_OK)
        e = start(&s, source_fd, len, o->want_pixels);
    if (e == ERR_OK)
        e = receive(&s, DECODE_HEADER, &r);
    if (e == ERR_OK)
        e = admit(&s, &r.header);
    if (e == ERR_OK)
        e = receive(&s, DECODE_END, &r);
    if (e == ERR_OK)
        e = finish(&s, &r.header, out);
    child_end(&s.child, NULL);
    if (source_fd >= 0)
        close(source_fd);
    if (s.pixels_fd >= 0)
        close(s.pixels_fd);
    return e;
}

void decoded_release(struct decoded *d)
{
    if (!d->image.px)
        return;
    munmap(d->image.px, d->image.stride * (size_t)d->image.height);
    close(d->fd);
    *d = (struct decoded){.fd = -1};
}

// An installed patina lies in bin/, its helper in libexec/patina/; in a build folder both are
// beside each other.
static enum err find_helper(struct decoder *d, struct err_note *note)
{
    static const char *const place[] = {"patina-decode", "../libexec/patina/patina-decode"};
    char exe[PATH_MAX / 2];

    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (n < 0)
        return err_errno(note, "/proc/self/exe");
    exe[n] = '\0';
    char *slash = strrchr(exe, '/');
    if (slash)
        slash[1] = '\0';
    for (size_t i = 0; i < sizeof(place) / sizeof(place[0]); i++) {
        snprintf(d->helper, sizeof(d->helper), "%s%s", exe, place[i]);
        if (access(d->helper, X_OK) == 0)
            return ERR_OK;
    }
    return err_set(note, ERR_NOT_FOUND,
                   "patina-decode is missing: it belongs beside patina or in ../libexec/patina/");
}

// One white pixel as a PNG: whoever decodes it has working codecs and walls.
static enum err check(struct decoder *d, struct err_note *note)
{
    static const unsigned char pixel[] = {
        0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x00, 0x00, 0x0D, 0x49, 0x48,
        0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00,
        0x00, 0x3A, 0x7E, 0x9B, 0x55, 0x00, 0x00, 0x00, 0x0A, 0x49, 0x44, 0x41, 0x54, 0x78,
        0xDA, 0x63, 0xF8, 0x0F, 0x00, 0x01, 0x01, 0x01, 0x00, 0x1C, 0xB0, 0x8C, 0x99, 0x00,
        0x00, 0x00, 0x00, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82};
    const struct codec_decode_options o = {0};
    struct decoded out = {.fd = -1};

    enum err e = decoder_decode(d, pixel, sizeof(pixel), &o, NULL, &out, note);
    decoded_release(&out);
    if (e != ERR_OK)
        err_note_prefix(note, "the decoder does not work here");
    return e;
}

enum err decoder_open(const struct decoder_options *o, struct decoder **out, struct err_note *note)
{
    enum err e = ERR_OK;

    if (o->memory_bytes <= OVERHEAD_BYTES || o->cpu_s < 1 || o->wall_ms < 1)
        return err_set(note, ERR_INVALID, "the decoder's limits are too small");
    struct decoder *d = calloc(1, sizeof(*d));
    if (!d)
        return err_set(note, ERR_NOMEM, "out of memory");
    d->o = *o;
    d->o.helper = NULL; // the caller's; ours is in d->helper
    if (!o->helper)
        e = find_helper(d, note);
    else if (access(o->helper, X_OK) != 0)
        e = err_set(note, ERR_NOT_FOUND, "%s cannot be executed", o->helper);
    else
        snprintf(d->helper, sizeof(d->helper), "%s", o->helper);
    if (e == ERR_OK)
        e = check(d, note);
    if (e != ERR_OK) {
        free(d);
        return e;
    }
    *out = d;
    return ERR_OK;
}

void decoder_close(struct decoder *d)
{
    free(d);
}
