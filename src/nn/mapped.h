/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_MAPPED_H
#define PATINA_NN_MAPPED_H

#include "base/err.h"

#include <stddef.h>

/*
 * A whole file, mapped read-only and shared: weights are far larger than what is read of them at a
 * time, and several processes read the same. Who cuts the file short meanwhile gets the reader
 * killed (SIGBUS).
 */
struct mapped {
    const void *bytes; /* page-aligned; NULL when nothing is mapped */
    size_t len;
};

#define MAPPED_INIT \
    {               \
        NULL, 0     \
    }

/* Files of more than `max` bytes are ERR_TOO_LARGE; empty ones, folders and devices ERR_INVALID.
 * Also ERR_NOT_FOUND, ERR_IO, ERR_NOMEM. */
MUST_USE enum err mapped_open(const char *path, size_t max, struct mapped *out,
                              struct err_note *note);
void mapped_release(struct mapped *m); /* leaves MAPPED_INIT */

#endif
