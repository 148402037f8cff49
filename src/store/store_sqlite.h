/* SPDX-License-Identifier: MIT */
#ifndef PATINA_STORE_STORE_SQLITE_H
#define PATINA_STORE_STORE_SQLITE_H

#include "store/store.h"

/*
 * SQLite: one writer thread that commits whatever is queued in one transaction (WAL,
 * synchronous=FULL), readers on connections of their own. The file is made (0600) and migrated when
 * needed: ERR_TOO_NEW when a newer version wrote it. ERR_CORRUPT (not a database, or another
 * program's), ERR_UNSUPPORTED (no local file system), ERR_IO, ERR_FULL, ERR_UNAVAILABLE (locked for
 * ten seconds), with a note that says what to do. With `existing` set a file that is missing is
 * ERR_UNAVAILABLE and one of an older version ERR_UNSUPPORTED. Several processes may have it open;
 * one of them may run workers (see store_reap()). Only wiring names this back end.
 */
MUST_USE enum err store_sqlite_open(const char *path, const struct store_options *o,
                                    struct store **out, struct err_note *note);

#endif
