/* SPDX-License-Identifier: MIT */
#include "api/api_internal.h"
#include "image/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * .webp and .jpg of results, made when somebody asks and then kept like the PNG they come from. Who
 * asks while one is being made waits for it: a burst encodes once. Decoding happens in this process
 * because the PNG is our own, written by codec_encode_png().
 */

enum { WEBP_QUALITY = 90, JPEG_QUALITY = 92, WAITERS_MAX = 64 };

struct waiter {
    struct http_request *request;
    struct waiter *next;
};

struct derive {
    struct api *api;
    struct job job; /* of its strings none is used: they die with the first request */
    struct own_file file;
    struct side_task task;
    struct waiter *waiters; /* in their requests' arenas */
    int count;
    struct derive *next;
};

static uint8_t *alloc_pixels(void *ctx, const struct codec_header *h)
{
    struct image *im = ctx;

    return image_new(im, h->width, h->height) ? NULL : im->px;
}

static enum err encode(const void *png, size_t len, const char *ext, struct buf *out,
                       struct err_note *note)
{
    struct codec_decode_options full = {0};
    struct codec_header header;
    struct codec_meta meta = {0};
    struct buf texts = BUF_INIT;
    struct image im = {0};

    enum err e = codec_decode(png, len, &full, alloc_pixels, &im, &header, note);
    if (!e)
        e = codec_png_meta(png, len, &texts, &meta);
    if (!e) {
        im.has_alpha = image_any_alpha(&im);
        e = !strcmp(ext, "webp") ? codec_encode_webp(&im, &meta, WEBP_QUALITY, out)
                                 : codec_encode_jpeg(&im, &meta, JPEG_QUALITY, out);
    }
    image_release(&im);
    buf_release(&texts);
    return e;
}

static enum err make(struct derive *d, struct err_note *note)
{
    struct api *a = d->api;
    char from[BLOB_KEY_MAX + 1], name[BLOB_KEY_MAX + 1];
    const char *to = name;
    struct buf out = BUF_INIT;
    int64_t size = 0;
    int fd = -1;

    snprintf(from, sizeof(from), "job/%s/%s.png", d->job.uuid, d->file.stem);
    snprintf(name, sizeof(name), "job/%s/%s.%s", d->job.uuid, d->file.stem, d->file.ext);
    enum err e = blob_open(a->d.blobs, from, &fd, &size, note);
    if (e)
        return e;
    void *png = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    e = png == MAP_FAILED ? err_errno(note, "mapping a result")
                          : encode(png, (size_t)size, d->file.ext, &out, note);
    if (png != MAP_FAILED)
        munmap(png, (size_t)size);
    close(fd);
    if (!e)
        e = blob_put(a->d.blobs, to, out.data, out.len, note);
    // Without its row nobody would ever delete it.
    if (!e && (e = store_blob_add(a->d.store, d->job.id, to, (int64_t)out.len)) &&
        blob_delete(a->d.blobs, to, note))
        log_event(a->d.log, LOG_WARN, "api.orphan", LOG_S("blob", to));
    buf_release(&out);
    return e;
}

static void run_derive(void *ctx)
{
    struct derive *d = ctx;
    struct api *a = d->api;
    struct err_note note;

    err_note_clear(&note);
    enum err e = make(d, &note);
    pthread_mutex_lock(&a->derive_lock);
    for (struct derive **p = &a->deriving; *p; p = &(*p)->next) {
        if (*p == d) {
            *p = d->next;
            break;
        }
    }
    pthread_mutex_unlock(&a->derive_lock);
    for (struct waiter *w = d->waiters; w;) {
        struct waiter *next = w->next; // lives in the request that is being answered
        enum err mine = e ? e : answer_blob(a, w->request, &d->job, &d->file);
        if (mine == ERR_NOT_FOUND)
            answer_error(a, w->request, 404, "there is no such file, or it has expired", NULL);
        else if (mine)
            answer_err(a, w->request, mine, &note);
        w = next;
    }
    free(d);
}

static struct derive *under_way(struct api *a, const struct job *j, const struct own_file *f)
{
    for (struct derive *d = a->deriving; d; d = d->next)
        if (d->job.id == j->id && !strcmp(d->file.stem, f->stem) && !strcmp(d->file.ext, f->ext))
            return d;
    return NULL;
}

void answer_derived(struct api *a, struct http_request *r, const struct job *j,
                    const struct own_file *f)
{
    struct waiter *w = arena_alloc(http_arena(r), sizeof(*w));
    struct derive *fresh = calloc(1, sizeof(*fresh));
    enum err e = ERR_OK;

    if (!w || !fresh) {
        free(fresh);
        answer_err(a, r, ERR_NOMEM, NULL);
        return;
    }
    w->request = r;
    pthread_mutex_lock(&a->derive_lock);
    struct derive *d = under_way(a, j, f);
    bool start = !d;
    if (start) {
        d = fresh;
        *d = (struct derive){.api = a, .job = *j, .file = *f, .next = a->deriving};
        d->task = (struct side_task){.run = run_derive, .ctx = d};
        if (side_run(a->side, &d->task))
            a->deriving = d;
        else
            e = ERR_BUSY;
    } else if (d->count >= WAITERS_MAX) {
        e = ERR_BUSY;
    }
    if (!e) {
        w->next = d->waiters;
        d->waiters = w;
        d->count++;
    }
    pthread_mutex_unlock(&a->derive_lock);
    if (!start || e)
        free(fresh);
    if (e)
        answer_error(a, r, 503, "too much is under way; retry", NULL);
}
