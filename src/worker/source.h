/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_SOURCE_H
#define PATINA_WORKER_SOURCE_H

#include "worker/worker.h"

/* The bytes of a job's source picture, from wherever they are. */
struct source {
    const void *data;
    size_t len;
    void *mapping;  /* of a blob, or NULL */
    struct buf buf; /* what was fetched */
};

void source_release(struct source *s);

/*
 * Reads the blob that an earlier attempt left, or one of our own pictures (an upload, a result), or
 * fetches `job->img_url` and keeps the bytes as blob "source/UUID", so that a retry does not fetch
 * again. ERR_FETCH, ERR_TOO_LARGE, ERR_NOT_FOUND (reason "expired"), ERR_CANCELLED, ERR_LOST and
 * the store's and blobs' errors.
 */
MUST_USE enum err source_read(const struct worker_options *o, const struct job *job,
                              const struct lease *lease, const atomic_bool *cancel,
                              struct source *out, struct err_note *note);

/*
 * What a URL under public_url names: the blob key of the picture in `key`. The account's own upload
 * (`/uploads/ID`) or a result (`/files/JOB/0.png`; the signature was checked when the job was
 * accepted). ERR_NONE when the URL is not ours, ERR_NOT_FOUND when there is nothing (any more).
 */
MUST_USE enum err source_own(const struct worker_options *o, const struct job *job,
                             char key[BLOB_KEY_MAX + 1], struct err_note *note);

#endif
