/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_FAULTY_SQLITE_H
#define PATINA_TESTS_FAULTY_SQLITE_H

#include <stdbool.h>

/*
 * Makes SQLite's disk or memory give out on purpose: a VFS and an allocator that pass everything on
 * to the real ones until told to fail. Once for the process, before SQLite is used. May be told
 * from any thread.
 */
enum fault {
    FAULT_NONE,
    FAULT_WRITE_IO,   /* writing fails with SQLITE_IOERR_WRITE */
    FAULT_WRITE_FULL, /* writing fails with SQLITE_FULL */
    FAULT_READ_IO,    /* reading fails with SQLITE_IOERR_READ */
    FAULT_SYNC,       /* fsync fails with SQLITE_IOERR_FSYNC */
    FAULT_NOMEM       /* allocating fails */
};

void faulty_sqlite_install(void);

/* From now on the Nth call (1: the next) of that kind fails, and if `lasting` all after it too. */
void faulty_sqlite_arm(enum fault kind, int nth, bool lasting);

/* No more failures; how many calls have failed since it was armed. */
int faulty_sqlite_disarm(void);

#endif
