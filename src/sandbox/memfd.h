/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SANDBOX_MEMFD_H
#define PATINA_SANDBOX_MEMFD_H

/* For sandbox/ alone. Anonymous memory (memfd_create(2)) that passes between processes of unequal
 * trust: seals decide who may still do what, because a file that shrinks under a mapping kills its
 * reader with SIGBUS. Every descriptor made here is close-on-exec. */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* A frozen copy of data[0..len), len > 0. ERR_NOMEM, ERR_IO. */
MUST_USE enum err memfd_copy(const void *data, size_t len, int *out, struct err_note *note);

/* len > 0 zeroed bytes that whoever gets the descriptor may write, but neither grow nor shrink. */
MUST_USE enum err memfd_sized(size_t len, int *out, struct err_note *note);

/* Takes away writing and any further change of seals. Fails while a writable mapping is left. */
MUST_USE enum err memfd_freeze(int fd, struct err_note *note);

/* Whether a descriptor from an untrusted process is a memfd of exactly `len` bytes that nobody can
 * change any more: only then may it be mapped. */
bool memfd_is_frozen(int fd, size_t len);

#endif
