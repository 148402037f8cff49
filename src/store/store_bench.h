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

#endif
