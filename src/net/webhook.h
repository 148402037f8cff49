/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NET_WEBHOOK_H
#define PATINA_NET_WEBHOOK_H

#include "base/buf.h"

#include <stdint.h>

/* Signatures and the retry plan of webhooks: pure functions. Standard Webhooks
 * (standardwebhooks.com, "v1") and the hosted service's pair. */

enum { WEBHOOK_HEADERS = 6, WEBHOOK_ATTEMPTS_MAX = 10 };

struct webhook_sign {
    const char *msg_id;
    int64_t timestamp; /* unix seconds of this attempt */
    const void *body;
    size_t body_len;
    const char *secret;     /* "whsec_" + base64 */
    const char *secret_old; /* still valid one while a rotation is under way, or "" */
};

/* Appends the header lines (NUL-terminated each, one after the other; WEBHOOK_HEADERS of them):
 * content-type, webhook-id, webhook-timestamp, webhook-signature, X-Legnext-Timestamp,
 * X-Legnext-Signature. ERR_INVALID for a secret that is not one (then `out` is unchanged),
 * ERR_NOMEM. */
MUST_USE enum err webhook_headers(const struct webhook_sign *in, struct buf *out);

/* Milliseconds from a failed attempt to the next: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h,
 * 24 h, each with +-10 % jitter from `random` (any 32 bits). `attempts` made so far, 1 for the
 * first. -1: give up. An integer retry_after_s >= 0 raises the wait to at least that, up to 24 h.
 */
int64_t webhook_next_ms(int attempts, int retry_after_s, uint32_t random);

#endif
