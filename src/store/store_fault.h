/* SPDX-License-Identifier: MIT */
#ifndef PATINA_STORE_STORE_FAULT_H
#define PATINA_STORE_STORE_FAULT_H

#include "store/store.h"

/*
 * A store that passes every call on to another one and fails on purpose, so that tests of what
 * stands on the store can let call 1, 2, 3... fail until none does. A call that is made to fail
 * does nothing. Any thread.
 */

/* Takes over `inner`: store_close() closes both. NULL when memory ran out (`inner` stays the
 * caller's). */
struct store *store_fault_new(struct store *inner);

/* From now on the Nth call (1: the next) returns `e`, and if `lasting` all after it too.
 * store_submit reports it by its callback, on the caller's thread. store_close() and
 * store_set_wake() never fail and are not counted. */
void store_fault_arm(struct store *s, int nth, enum err e, bool lasting);

/* No more failures; how many calls have failed since it was armed. */
int store_fault_disarm(struct store *s);

#endif
