/* SPDX-License-Identifier: MIT */
/*
 * patina-decode: decodes one picture for its parent (decode_wire.h) and ends. Small on purpose: it
 * starts anew for every picture, and everything in it is within a stranger's reach.
 */
#include "image/codec.h"
#include "sandbox/channel.h"
#include "sandbox/child.h"
#include "sandbox/confine.h"
#include "sandbox/decode_wire.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static void send_reply(struct decode_reply *r)
{
    r->version = DECODE_WIRE_VERSION;
    if (channel_send(CHANNEL_CHILD_FD, r, sizeof(*r), NULL, 0, -1) != ERR_OK)
        _exit(1);
}

static struct decode_wire_header to_wire(const struct codec_header *h)
{
    return (struct decode_wire_header){
        .format = (int32_t)h->info.format,
        .stored_width = h->info.width,
        .stored_height = h->info.height,
        .orientation = h->info.orientation,
        .has_alpha = h->info.has_alpha,
        .animated = h->info.animated,
        .width = h->width,
        .height = h->height,
    };
}

// The codec's codec_alloc_fn; says in *ctx whether it was memory that failed and not the parent
// that refused.
static uint8_t *map_pixels(void *ctx, const struct codec_header *h)
{
    bool *nomem = ctx;
    struct decode_reply r = {.type = DECODE_HEADER, .header = to_wire(h)};
    char go;
    size_t len;
    int fd;

    send_reply(&r);
    if (channel_recv(CHANNEL_CHILD_FD, &go, sizeof(go), &len, &fd) != ERR_OK || fd < 0)
        return NULL;
    void *px = mmap(NULL, (size_t)h->width * (size_t)h->height * 4, PROT_READ | PROT_WRITE,
                    MAP_SHARED, fd, 0);
    close(fd);
    *nomem = px == MAP_FAILED;
    return *nomem ? NULL : px;
}

static void send_end(enum err e, const struct codec_header *h, const struct err_note *note)
{
    struct decode_reply r = {.type = DECODE_END, .err = e};

    if (e == ERR_OK)
        r.header = to_wire(h);
    memcpy(r.reason, note->reason, sizeof(r.reason));
    memcpy(r.text, note->text, sizeof(r.text));
    send_reply(&r);
}

static enum err prepare(struct decode_task *task, const void **source, struct err_note *note)
{
    size_t len;

    if (channel_recv(CHANNEL_CHILD_FD, task, sizeof(*task), &len, NULL) != ERR_OK ||
        len != sizeof(*task) || task->version != DECODE_WIRE_VERSION)
        return err_set(note, ERR_IO, "started by another version, or by hand");
    *source = mmap(NULL, task->source_len, PROT_READ, MAP_PRIVATE, CHILD_SOURCE_FD, 0);
    if (*source == MAP_FAILED)
        return err_errno(note, "mapping the source");
    // lcms2 dates the profiles it makes: gmtime_r() would read the time zone behind the walls.
    tzset();
    const struct confine_limits limits = {task->memory_bytes, task->cpu_s};
    return confine_decoder(&limits, note);
}

int main(void)
{
    struct decode_task task;
    struct decode_reply ready = {.type = DECODE_READY};
    struct codec_header header = {0};
    struct err_note note = {0};
    bool nomem = false;
    const void *source = NULL;

    enum err e = prepare(&task, &source, &note);
    if (e == ERR_OK) {
        const struct codec_decode_options o = {.want_pixels = task.want_pixels};
        send_reply(&ready);
        e = codec_decode(source, task.source_len, &o, map_pixels, &nomem, &header, &note);
        if (e != ERR_OK && nomem)
            e = ERR_NOMEM;
    }
    send_end(e, &header, &note);
    // Not exit(): nothing is left to flush, and handlers would run behind the walls.
    _exit(0);
}
