/* SPDX-License-Identifier: MIT */
#ifndef PATINA_API_MULTIPART_H
#define PATINA_API_MULTIPART_H

#include "base/err.h"

#include <stddef.h>

/* Finds one field of a multipart/form-data body (RFC 7578) that is whole in memory. Pure. */
struct multipart_field {
    const char *data; /* inside the body */
    size_t len;
};

/*
 * `type` is the Content-Type header. ERR_UNSUPPORTED: it is not multipart/form-data (nothing was
 * looked at). ERR_INVALID, with a note: no or bad boundary, a part without a good
 * Content-Disposition, the end is missing, more than one field of that name. ERR_NOT_FOUND: no such
 * field.
 */
MUST_USE enum err multipart_find(const char *type, const char *body, size_t len, const char *name,
                                 struct multipart_field *out, struct err_note *note);

#endif
