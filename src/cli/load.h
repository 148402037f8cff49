/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_LOAD_H
#define PATINA_CLI_LOAD_H

#include "base/buf.h"

#include <stdint.h>

/*
 * A load generator: keep-alive connections over loopback, one request under way on each, no
 * pipelining. It reads of an answer only the status and Content-Length, so that on the machine that
 * also serves it takes as little as it can.
 */
struct load {
    int port; /* on 127.0.0.1 */
    int connections, threads;
    int duration_ms;
    const struct buf *request; /* sent in turn */
    int request_count;
    struct buf *sample; /* gets one answer's body of every connection, each NUL-terminated */
};

struct load_result {
    int64_t answers; /* with status 200 */
    int64_t failures;
    double per_s;
    double p50_us, p99_us; /* of the time from request to whole answer, within 3 % */
};

/* ERR_IO with a note when the connections cannot be made, or one breaks. */
MUST_USE enum err load_run(const struct load *l, struct load_result *out, struct err_note *note);

#endif
