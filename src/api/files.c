/* SPDX-License-Identifier: MIT */
#include "api/api_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* GET /files/{job}/{name}: the pictures of completed jobs. Of public accounts whoever knows the
 * path, of private ones whoever has the signed URL. Everything else is 404, never a hint. */

static void answer_no_file(struct api *a, struct http_request *r)
{
    answer_error(a, r, 404, "there is no such file, or it has expired", NULL);
}

static const char *media_type(const char *ext)
{
    if (!strcmp(ext, "webp"))
        return "image/webp";
    return strcmp(ext, "jpg") ? "image/png" : "image/jpeg";
}

enum err answer_blob(struct api *a, struct http_request *r, const struct job *j,
                     const struct own_file *f)
{
    char key[BLOB_KEY_MAX + 1], cache[64];
    struct http_response out = HTTP_RESPONSE(200);

    snprintf(key, sizeof(key), "job/%s/%s.%s", j->uuid, f->stem, f->ext);
    enum err e = blob_open(a->d.blobs, key, &out.fd, &out.fd_bytes, NULL);
    if (e)
        return e;
    int64_t left_s = (j->expires_ms - clock_unix_ms(a->d.clock)) / 1000;
    snprintf(cache, sizeof(cache), "%s, max-age=%" PRId64 ", immutable",
             j->is_private ? "private" : "public", left_s > 0 ? left_s : 0);
    http_set_header(r, "Cache-Control", cache);
    out.type = media_type(f->ext);
    // A file never changes, so its name is as good as a hash of it.
    out.etag = arena_printf(http_arena(r), "\"%s-%s-%s\"", j->uuid, f->stem, f->ext);
    http_answer(r, &out);
    return ERR_OK;
}

bool file_readable(struct api *a, const struct job *j, int64_t who, const char *path,
                   const struct own_file *f)
{
    char want[VIEW_SIGNATURE_TEXT];

    if (j->state != JOB_COMPLETED || clock_unix_ms(a->d.clock) >= j->expires_ms)
        return false;
    if (!j->is_private || j->account == who)
        return true;
    if (f->expires != j->expires_ms / 1000)
        return false;
    view_file_signature(&a->view, path, f->expires, want);
    return secret_equal(want, f->signature, sizeof(want) - 1);
}

void get_file(void *ctx, struct http_request *r)
{
    struct api *a = ctx;
    struct own_file f;
    struct job j;

    enum err e = own_file_name(http_param(r, 1), &f)
                     ? store_job_get(a->d.store, -1, http_param(r, 0), http_arena(r), &j)
                     : ERR_NOT_FOUND;
    own_file_signed(http_query(r, "expires"), http_query(r, "signature"), &f);
    if (!e && !file_readable(a, &j, -1, http_path(r), &f))
        e = ERR_NOT_FOUND;
    if (!e && (e = answer_blob(a, r, &j, &f)) == ERR_NOT_FOUND && strcmp(f.ext, "png") != 0) {
        answer_derived(a, r, &j, &f);
        return;
    }
    if (e == ERR_NOT_FOUND)
        answer_no_file(a, r);
    else if (e)
        answer_err(a, r, e, NULL);
}
