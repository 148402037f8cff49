/* SPDX-License-Identifier: MIT */
#ifndef PATINA_API_PLACES_H
#define PATINA_API_PLACES_H

#include "base/clock.h"
#include "store/store.h"

/*
 * Places in an account's queue, from snapshots that are at most PLACES_AGE_MS old: a thousand
 * clients that poll cost one query a second and account, not one each. Any thread; no lock is held
 * while the store is asked.
 */
struct places;

enum { PLACES_AGE_MS = 1000, PLACES_MAX = 1000 };

MUST_USE enum err places_new(struct store *store, const struct clock *clock, struct places **out);
void places_free(struct places *p);

/* The job's place among its account's waiting jobs, 1 for the next; 0 beyond PLACES_MAX, for a job
 * that is younger than the snapshot, or when the store cannot tell. */
int places_of(struct places *p, int64_t account, int64_t job);

#endif
