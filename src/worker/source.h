/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_SOURCE_H
#define PATINA_WORKER_SOURCE_H

#include "worker/worker.h"

/* The bytes of one of a job's pictures, from wherever they are. */
struct source {
    const void *data;
    size_t len;
    void *mapping;  /* of a blob, or NULL */
    struct buf buf; /* what was fetched */
};

void source_release(struct source *s);

/* Which picture: the source, or the one that its prompt's `--sref` names. */
struct source_request {
    const struct job *job;
    const char *url; /* job->img_url, or the style's */
    bool style;
};

/*
 * Reads the blob that an earlier attempt left, or one of our own pictures (an upload, a result), or
 * fetches the URL and keeps the bytes as blob "source/UUID" or "style/UUID", so that a retry does
 * not fetch again. ERR_FETCH, ERR_TOO_LARGE, ERR_NOT_FOUND (reason "expired"), ERR_CANCELLED,
 * ERR_LOST and the store's and blobs' errors.
 */
MUST_USE enum err source_read(const struct worker_options *o, const struct source_request *r,
                              const struct lease *lease, const atomic_bool *cancel,
                              struct source *out, struct err_note *note);

/*
 * What a URL under public_url names: the blob key of the picture in `key`. The account's own upload
 * (`/uploads/ID`) or a result (`/files/JOB/0.png`): of a source, any whose signature was checked
 * when the job was accepted; of a style, whose URL nobody has checked, a public one or the
 * account's own. ERR_NONE when the URL is not ours, ERR_NOT_FOUND when there is nothing (any more).
 */
MUST_USE enum err source_own(const struct worker_options *o, const struct source_request *r,
                             char key[BLOB_KEY_MAX + 1], struct err_note *note);

#endif
