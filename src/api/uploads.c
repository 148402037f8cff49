/* SPDX-License-Identifier: MIT */
#include "api/api_internal.h"
#include "api/multipart.h"
#include "image/sniff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * POST /api/v1/uploads and GET /uploads/{id}. The header is read at once, on the listener's thread
 * (it allocates nothing and calls no codec); hashing and storing happen beside it.
 */
struct uploading {
    const char *data; /* inside the request's body */
    size_t len;
    struct image_info info;
};

static void answer_upload(struct api *a, struct http_request *r, const struct upload *u)
{
    struct buf url = BUF_INIT, body = BUF_INIT;
    struct json_writer w = JSON_WRITER(&body);

    buf_addf(&url, "%s/uploads/%s", a->public_url, u->id);
    jw_open(&w, '{');
    jw_kstr(&w, "imgUrl", url.data);
    jw_ktime(&w, "expires_at", u->expires_ms);
    jw_kint(&w, "width", u->width);
    jw_kint(&w, "height", u->height);
    jw_close(&w, '}');
    body.failed |= url.failed;
    buf_release(&url);
    answer_json(r, 200, &body);
}

static void store_picture(struct api *a, struct http_request *r, void *ctx)
{
    const struct uploading *up = ctx;
    bool turned = up->info.orientation >= 5; // shown upright, as results are
    int64_t now = clock_unix_ms(a->d.clock);
    struct upload u = {.account = caller(r)->id,
                       .bytes = (int64_t)up->len,
                       .width = turned ? up->info.height : up->info.width,
                       .height = turned ? up->info.width : up->info.height,
                       .format = (int)up->info.format,
                       .created_ms = now,
                       .expires_ms = now + UPLOAD_KEPT_MS};
    uint8_t id[16];
    char key[BLOB_KEY_MAX + 1];
    struct upload kept;
    struct err_note note;

    err_note_clear(&note);
    rand_bytes(id, sizeof(id));
    hex_encode(id, sizeof(id), u.id);
    sha256(up->data, up->len, u.sha256);
    snprintf(key, sizeof(key), "upload/%s", u.id);
    u.blob_key = key;
    enum err e = blob_put(a->d.blobs, key, up->data, up->len, &note);
    if (!e) {
        e = store_upload_add(a->d.store, &u, http_arena(r), &kept, &note);
        // Refused, or these bytes were here before: this copy is nobody's.
        if (e && blob_delete(a->d.blobs, key, NULL))
            log_event(a->d.log, LOG_WARN, "api.orphan", LOG_S("blob", u.blob_key));
    }
    if (e == ERR_OK || e == ERR_REPLAY)
        answer_upload(a, r, &kept);
    else
        answer_err(a, r, e, &note);
}

static enum err upload_refusal(struct err_note *note)
{
    return err_set_reason(note, ERR_TOO_LARGE, "bytes", "a picture may have at most %d bytes",
                          IMAGE_SOURCE_BYTES_MAX);
}

// The picture's bytes: the field `image` of a form, or the whole body.
static enum err find_picture(struct http_request *r, struct uploading *up, struct err_note *note)
{
    const char *type = http_header(r, "Content-Type");
    struct multipart_field field;
    size_t len;
    const char *body = http_body(r, &len);

    enum err e = type ? multipart_find(type, body, len, "image", &field, note) : ERR_UNSUPPORTED;
    if (e == ERR_UNSUPPORTED) {
        up->data = body;
        up->len = len;
        return ERR_OK;
    }
    if (e == ERR_NOT_FOUND)
        return err_set(note, ERR_INVALID, "the form has no field \"image\"");
    if (e)
        return e;
    up->data = field.data;
    up->len = field.len;
    return ERR_OK;
}

bool upload_refused(struct api *a, struct http_request *r)
{
    const char *type = http_header(r, "Content-Type"), *length = http_header(r, "Content-Length");
    bool form = type && !strncasecmp(type, "multipart/", 10);

    if (form || !length || strtoll(length, NULL, 10) <= IMAGE_SOURCE_BYTES_MAX)
        return false;
    struct err_note note;
    answer_err(a, r, upload_refusal(&note), &note);
    return true;
}

void post_upload(void *ctx, struct http_request *r)
{
    struct api *a = ctx;
    struct uploading *up = arena_alloc(http_arena(r), sizeof(*up));
    struct err_note note;

    if (!up) {
        answer_err(a, r, ERR_NOMEM, NULL);
        return;
    }
    err_note_clear(&note);
    enum err e = find_picture(r, up, &note);
    if (!e && up->len == 0)
        e = err_set(&note, ERR_INVALID, "the picture is empty");
    if (!e && up->len > IMAGE_SOURCE_BYTES_MAX)
        e = upload_refusal(&note);
    if (!e)
        e = image_read_info(up->data, up->len, &up->info, &note);
    if (e) {
        answer_err(a, r, e, &note);
        return;
    }
    answer_beside(a, r, store_picture, up);
}

void get_upload(void *ctx, struct http_request *r)
{
    struct api *a = ctx;
    struct http_response out = HTTP_RESPONSE(200);
    struct upload u;

    enum err e = store_upload_get(a->d.store, caller(r)->id, http_param(r, 0), http_arena(r), &u);
    if (!e)
        e = blob_open(a->d.blobs, u.blob_key, &out.fd, &out.fd_bytes, NULL);
    if (e == ERR_NOT_FOUND) {
        answer_error(a, r, 404, "there is no such upload, or it has expired", NULL);
    } else if (e) {
        answer_err(a, r, e, NULL);
    } else {
        http_set_header(r, "Cache-Control", "private, no-cache");
        out.type = image_format_mime((enum image_format)u.format);
        out.etag = arena_printf(http_arena(r), "\"%s\"", u.id);
        http_answer(r, &out);
    }
}
