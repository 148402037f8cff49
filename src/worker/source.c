/* SPDX-License-Identifier: MIT */
#include "worker/source.h"

#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

void source_release(struct source *s)
{
    if (s->mapping)
        munmap(s->mapping, s->len);
    buf_release(&s->buf);
    *s = (struct source){0};
}

static enum err gone(struct err_note *note, const char *what)
{
    return err_set_reason(note, ERR_NOT_FOUND, "expired", "%s is not there any more; send it again",
                          what);
}

static void kept_key(const struct source_request *r, char key[BLOB_KEY_MAX + 1])
{
    snprintf(key, BLOB_KEY_MAX + 1, "%s/%s", r->style ? "style" : "source", r->job->uuid);
}

static enum err read_blob(const struct worker_options *o, const char *key, struct source *out,
                          struct err_note *note)
{
    int64_t size;
    int fd;

    enum err e = blob_open(o->blobs, key, &fd, &size, note);
    if (e)
        return e;
    if (size <= 0 || size > IMAGE_RESULT_PIXELS_MAX * 4LL * 4) {
        close(fd);
        return err_set(note, ERR_CORRUPT, "it is %lld bytes long", (long long)size);
    }
    void *p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    e = p == MAP_FAILED ? err_errno(note, "mapping the source") : ERR_OK;
    close(fd);
    if (!e)
        *out = (struct source){.data = p, .len = (size_t)size, .mapping = p};
    return e;
}

// "JOB/0.png", also with another ending or a query: the key of the stored picture.
static enum err result_key(const struct worker_options *o, const struct source_request *r,
                           const char *path, char key[BLOB_KEY_MAX + 1], struct err_note *note)
{
    struct arena arena = ARENA_INIT;
    struct job job;
    char uuid[UUID_TEXT];
    size_t id = strcspn(path, "/");

    if (id != UUID_TEXT - 1 || !path[id])
        return gone(note, "the picture");
    memcpy(uuid, path, id);
    uuid[id] = 0;
    const char *name = path + id + 1;
    size_t stem = strcspn(name, ".");
    bool known = (stem == 1 && *name >= '0' && *name <= '3') ||
                 (stem == 4 && strncmp(name, "grid", 4) == 0);
    enum err e = known ? store_job_get(o->store, -1, uuid, &arena, &job) : ERR_NOT_FOUND;
    if (!e && r->style && job.is_private && job.account != r->job->account)
        e = ERR_NOT_FOUND;
    if (!e && job.state == JOB_COMPLETED)
        snprintf(key, BLOB_KEY_MAX + 1, "job/%s/%.*s.png", job.uuid, (int)stem, name);
    else if (!e || e == ERR_NOT_FOUND)
        e = gone(note, "the picture");
    arena_release(&arena);
    return e;
}

static enum err upload_key(const struct worker_options *o, int64_t account, const char *path,
                           char key[BLOB_KEY_MAX + 1], struct err_note *note)
{
    struct arena arena = ARENA_INIT;
    struct upload upload;
    char id[sizeof upload.id];

    snprintf(id, sizeof id, "%.*s", (int)strcspn(path, "/?#"), path);
    enum err e = store_upload_get(o->store, account, id, &arena, &upload);
    if (!e)
        snprintf(key, BLOB_KEY_MAX + 1, "%s", upload.blob_key);
    else if (e == ERR_NOT_FOUND)
        e = gone(note, "the upload");
    arena_release(&arena);
    return e;
}

// Uploads of the account are found by their id alone: public_url may have changed since the job was
// accepted. Nobody else has a path of 128 such bits, and a foreign one is not found.
static enum err upload_elsewhere(const struct worker_options *o, const struct source_request *r,
                                 char key[BLOB_KEY_MAX + 1], struct err_note *note)
{
    const char *host = strstr(r->url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;

    if (!path || strncmp(path, "/uploads/", 9) != 0 || strlen(path + 9) != 32)
        return ERR_NONE;
    enum err e = upload_key(o, r->job->account, path + 9, key, note);
    return e == ERR_NOT_FOUND ? ERR_NONE : e;
}

enum err source_own(const struct worker_options *o, const struct source_request *r,
                    char key[BLOB_KEY_MAX + 1], struct err_note *note)
{
    size_t len = strlen(o->public_url);
    const char *path = r->url + len;

    // As own_url_read() of api/ does, which has let it in: hosts have no case.
    if (strncasecmp(r->url, o->public_url, len) != 0 || *path != '/')
        return upload_elsewhere(o, r, key, note);
    if (strncmp(path, "/uploads/", 9) == 0)
        return upload_key(o, r->job->account, path + 9, key, note);
    if (strncmp(path, "/files/", 7) == 0)
        return result_key(o, r, path + 7, key, note);
    return gone(note, "the picture");
}

static enum err fetch(const struct worker_options *o, const struct source_request *r,
                      const struct lease *lease, const atomic_bool *cancel, struct source *out,
                      struct err_note *note)
{
    struct source got = {0};
    char key[BLOB_KEY_MAX + 1];

    enum err e = fetch_get(o->fetcher, r->url, IMAGE_SOURCE_BYTES_MAX, cancel, &got.buf, note);
    if (!e && got.buf.failed)
        e = ERR_NOMEM;
    kept_key(r, key);
    if (!e)
        e = blob_put(o->blobs, key, got.buf.data ? got.buf.data : "", got.buf.len, note);
    if (!e) {
        const int64_t bytes = (int64_t)got.buf.len;
        e = r->style ? store_set_style(o->store, lease, key, bytes)
                     : store_set_source(o->store, lease, key, bytes);
        if (e)
            (void)!blob_delete(o->blobs, key, NULL); // else the sweep finds it
    }
    if (e) {
        source_release(&got);
        return e;
    }
    got.data = got.buf.data;
    got.len = got.buf.len;
    *out = got;
    return ERR_OK;
}

// What an earlier attempt fetched. ERR_NOT_FOUND.
static enum err read_kept(const struct worker_options *o, const struct source_request *r,
                          struct source *out, struct err_note *note)
{
    char key[BLOB_KEY_MAX + 1];
    bool known = !r->style && *r->job->source_blob;
    enum err e = ERR_OK;

    kept_key(r, key);
    if (r->style)
        e = store_blob_known(o->store, key, &known);
    if (e)
        return e;
    return known ? read_blob(o, key, out, note) : ERR_NOT_FOUND;
}

enum err source_read(const struct worker_options *o, const struct source_request *r,
                     const struct lease *lease, const atomic_bool *cancel, struct source *out,
                     struct err_note *note)
{
    char key[BLOB_KEY_MAX + 1];

    enum err e = read_kept(o, r, out, note);
    if (e != ERR_NOT_FOUND)
        return e;
    e = source_own(o, r, key, note);
    if (e == ERR_NONE)
        return fetch(o, r, lease, cancel, out, note);
    if (!e) {
        e = read_blob(o, key, out, note);
        if (e == ERR_NOT_FOUND)
            e = gone(note, "the picture");
    }
    return e;
}
