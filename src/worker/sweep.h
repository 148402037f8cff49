/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_SWEEP_H
#define PATINA_WORKER_SWEEP_H

#include "base/log.h"
#include "blob/blob.h"
#include "store/store.h"
#include "worker/clock_watch.h"

/*
 * Keeping house, once a minute: leases that ran out, pictures past their time, old idempotency
 * records and deliveries; and every SWEEP_ORPHANS_MS the blobs that no row names. Those are left
 * for SWEEP_ORPHAN_AGE_MS, because a blob is written before its row; both together stay under the
 * hour that a blob may exist unreferenced.
 */
enum {
    SWEEP_MS = 60 * 1000,
    SWEEP_ORPHANS_MS = 20 * 60 * 1000,
    SWEEP_ORPHAN_AGE_MS = 30 * 60 * 1000
};

struct sweep_options {
    struct store *store; /* borrowed, as all of them */
    struct blob_store *blobs;
    const struct clock *clock;
    const struct log *log; /* may be NULL */
};

/* One round. `watch` says whether wall time may be trusted: if not, only leases are looked at.
 * Returns the number of blobs that were deleted. */
int sweep_once(const struct sweep_options *o, struct clock_watch *watch, bool orphans);

/* A thread that does so. */
struct sweep;
MUST_USE enum err sweep_start(const struct sweep_options *o, struct sweep **out);
void sweep_stop(struct sweep *s);

#endif
