/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SERVER_DATA_DIR_H
#define PATINA_SERVER_DATA_DIR_H

#include "base/arena.h"
#include "base/err.h"

/* The folder of an installation (PATINA_DATA): who holds it, and the small files in it. */

/* Makes the folder (0700) when it is missing and takes its lock, which lasts as long as *lock is
 * open. ERR_BUSY when another process has it. */
MUST_USE enum err data_dir_lock(const char *dir, int *lock, struct err_note *note);

/* The same of the database's file, which is made (0600) when it is missing, and of the folder of
 * pictures, which is there: they may lie elsewhere, and be named by two installations. SQLite's own
 * locks are of another kind, but end when this process closes the file: keep *lock for longer than
 * the store. */
MUST_USE enum err data_dir_lock_database(const char *path, int *lock, struct err_note *note);
MUST_USE enum err data_dir_lock_blobs(const char *dir, int *lock, struct err_note *note);

/* The key in DATA/api-key; made (0600, 32 random bytes in hex) and on disk before this returns,
 * when there is none. Lives in `a`. */
MUST_USE enum err data_dir_key(const char *dir, struct arena *a, const char **key,
                               struct err_note *note);

/* Writes "address\n" to DATA/`name`, all at once. */
MUST_USE enum err data_dir_listen(const char *dir, const char *name, const char *address,
                                  struct err_note *note);

#endif
