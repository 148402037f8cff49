/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_RUN_H
#define PATINA_NN_RUN_H

#include "base/pool.h"
#include "nn/isa.h"

#include <stdatomic.h>

/*
 * How operators are run: lent by the caller for the length of a call. Every operator splits its
 * work over the pool, writes the same bits whatever the pool's width, allocates nothing, and
 * returns false as soon as *cancel is seen, with its output half written.
 */
struct nn_run {
    struct pool *pool;
    enum isa isa;              /* usable: isa_usable() */
    const atomic_bool *cancel; /* may be NULL */
};

#endif
