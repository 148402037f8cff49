/* SPDX-License-Identifier: MIT */
#ifndef PATINA_API_ERR_TO_HTTP_H
#define PATINA_API_ERR_TO_HTTP_H

#include "base/buf.h"
#include "base/err.h"

/* The one place that turns errors into what a client sees: status, phrase, body. Pure. */

/* The status of an error of store, blobs or codecs; 500 for what has no better one. */
int err_to_http(enum err e);

/* The fixed phrase of a status; never NULL. It is `raw_message`, and `message` begins with it. */
const char *http_phrase(int status);

/* Seconds for Retry-After, 0 for a status that has none. */
int http_retry_after(int status);

/* Appends the error body that docs/http-api.md describes. `why` NULL or "": the phrase alone;
 * `detail` is JSON or NULL. */
void write_error_body(struct buf *out, int status, const char *why, const char *detail);

#endif
