/* SPDX-License-Identifier: MIT */
#ifndef PATINA_STORE_STORE_BENCH_H
#define PATINA_STORE_STORE_BENCH_H

#include "base/err.h"

#include <stdint.h>

/*
 * A yardstick for store_submit() on SQLite: what the disk and SQLite give when nothing but the rows
 * of an accept is written. Makes a database at `path` (which must not exist and is left to the
 * caller to remove), with the same schema and settings, and inserts `count` accepts (job row,
 * ledger row, account balance) from one thread, `batch` in each transaction, every commit on disk
 * before the next begins. *elapsed_ns is the time of the inserts alone.
 */
MUST_USE enum err store_bench_raw(const char *path, int count, int batch, int64_t *elapsed_ns,
                                  struct err_note *note);

/*
 * A store with a past: makes a database at `path` (as above) with `accounts` accounts of `keys`
 * keys each and `jobs` jobs that have ended, dealt out evenly: nine of ten completed, with ledger
 * rows, answers of the engine's usual length, a delivery for every fifth and, for the newest tenth,
 * the rows of their five files. Key k of account a, both from 0, is store_bench_key().
 */
struct store_past {
    int accounts, keys, jobs;
};

enum { STORE_BENCH_KEY_TEXT = 48 };

void store_bench_key(int account, int key, char out[STORE_BENCH_KEY_TEXT]);

MUST_USE enum err store_bench_fill(const char *path, const struct store_past *past,
                                   struct err_note *note);

#endif
