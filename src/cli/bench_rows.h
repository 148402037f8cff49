/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_ROWS_H
#define PATINA_CLI_BENCH_ROWS_H

#include <stdbool.h>
#include <stdint.h>

/* `patina bench api --rows N`: what the store's operations take on an empty store and on one with a
 * thousand accounts of fifty keys and N finished jobs, both made in a temporary folder of `folder`.
 * Prints a table, or JSON. Returns an exit code. */
int bench_rows(const char *folder, int64_t rows, bool json);

#endif
