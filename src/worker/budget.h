/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_BUDGET_H
#define PATINA_WORKER_BUDGET_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdint.h>

/*
 * What decoded jobs may take of the machine: bytes of memory, held until the job ends, and places
 * in front of the renderers. Takers are served in the order they came, so that a large job is not
 * overtaken for ever by small ones. Any thread.
 */
struct budget;

MUST_USE enum err budget_new(int64_t bytes, int places, struct budget **out);
void budget_free(struct budget *b);

/* Waits until there is a place and `bytes` are free, and takes both. ERR_TOO_LARGE (reason
 * "memory") for more than there will ever be, ERR_CANCELLED soon after *cancel. */
MUST_USE enum err budget_take(struct budget *b, int64_t bytes, const atomic_bool *cancel,
                              struct err_note *note);

/* How many wait just now, for tests and metrics. */
int budget_waiting(struct budget *b);

void budget_give_place(struct budget *b);
void budget_give_bytes(struct budget *b, int64_t bytes);

#endif
