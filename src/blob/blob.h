/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BLOB_BLOB_H
#define PATINA_BLOB_BLOB_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * THE BLOB CONTRACT: bytes under a key. A blob is there whole or not at all, and once blob_put()
 * has returned it survives a power cut. Blobs are never changed, only replaced by equal bytes or
 * deleted. Keys: see blob_key_valid(); the first component is the kind ("job", "source", "upload").
 * Every function is safe from any thread.
 */
struct blob_store;

enum { BLOB_KEY_MAX = 200 };

/* 1..BLOB_KEY_MAX characters of [a-z0-9-._/], components between single slashes that are not "." or
 * ".." and do not begin with a dot. Back ends assert it. */
bool blob_key_valid(const char *key);

/* Stores (write aside, fsync, rename, fsync of the folder). Replaces what was there. ERR_FULL,
 * ERR_IO. */
MUST_USE enum err blob_put(struct blob_store *b, const char *key, const void *data, size_t len,
                           struct err_note *note);

/* Opens for reading: a descriptor that can be pread() and mapped, which the caller closes, and its
 * size. ERR_NOT_FOUND. A blob deleted meanwhile stays readable through it. */
MUST_USE enum err blob_open(struct blob_store *b, const char *key, int *fd, int64_t *size,
                            struct err_note *note);

/* Deleting what is not there is fine. */
MUST_USE enum err blob_delete(struct blob_store *b, const char *key, struct err_note *note);

/* Calls `each` for every blob whose last change is before `before_unix_ms` (also left-overs of
 * interrupted writes, with key NULL after deleting them), until it returns false. Order is
 * arbitrary. */
typedef bool blob_each_fn(void *ctx, const char *key, int64_t bytes);
MUST_USE enum err blob_each(struct blob_store *b, int64_t before_unix_ms, blob_each_fn *each,
                            void *ctx, struct err_note *note);

/* Bytes that may still be written; INT64_MAX when the store has no notion of it. */
MUST_USE enum err blob_free_bytes(struct blob_store *b, int64_t *out);

/* Whether it answers and can be written to (for readyz). */
MUST_USE enum err blob_ping(struct blob_store *b, struct err_note *note);

void blob_close(struct blob_store *b);

/* What back ends implement; a back end's struct begins with struct blob_store. */
struct blob_ops {
    enum err (*put)(struct blob_store *b, const char *key, const void *data, size_t len,
                    struct err_note *note);
    enum err (*open)(struct blob_store *b, const char *key, int *fd, int64_t *size,
                     struct err_note *note);
    enum err (*delete)(struct blob_store *b, const char *key, struct err_note *note);
    enum err (*each)(struct blob_store *b, int64_t before_unix_ms, blob_each_fn *each, void *ctx,
                     struct err_note *note);
    enum err (*free_bytes)(struct blob_store *b, int64_t *out);
    enum err (*ping)(struct blob_store *b, struct err_note *note);
    void (*close)(struct blob_store *b);
};

struct blob_store {
    const struct blob_ops *ops;
};

#endif
