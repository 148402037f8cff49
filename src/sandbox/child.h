/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SANDBOX_CHILD_H
#define PATINA_SANDBOX_CHILD_H

/* For sandbox/ alone. A child process with a control channel: how it is started (posix_spawn, never
 * fork, with nothing of ours but what it is given), waited for and ended. One thread at a time per
 * child; children of different threads do not meet. */

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
    pid_t pid; /* 0: none */
    int pidfd;
    int control; /* the parent's end of the channel */
};

#define CHILD_NONE \
    {              \
        0, -1, -1  \
    }

struct child_options {
    const char *path;
    char *const *argv;
    char *const *env; /* the whole of it; the parent's holds keys and secrets */
    int source_fd;    /* becomes CHILD_SOURCE_FD; -1: none */
    bool keep_stderr; /* our standard error instead of /dev/null */
};

enum { CHILD_SOURCE_FD = 4 };

/* The child has descriptor 3, its end of the channel, 4 where asked for, /dev/null on the standard
 * ones, no other; default signals; a process group of its own, so that a Ctrl-C meant for the
 * server does not reach it. ERR_IO, ERR_NOMEM. */
MUST_USE enum err child_spawn(const struct child_options *o, struct child *out,
                              struct err_note *note);

/* Waits until the child has sent something or ended (ERR_OK), `deadline_ns` has passed
 * (ERR_TIMEOUT) or *cancel is set (ERR_CANCELLED, noticed within CHILD_TICK_MS; may be NULL). */
MUST_USE enum err child_wait(const struct child *c, int64_t deadline_ns, const atomic_bool *cancel);

enum { CHILD_TICK_MS = 50 };

struct child_end {
    int status; /* as wait(2) has it */
    int64_t cpu_ms;
};

/* Kills it unless it has ended, waits for it and forgets it. `end` may be NULL. Never blocks for
 * long: nothing survives SIGKILL. No-op on CHILD_NONE. */
void child_end(struct child *c, struct child_end *end);

/* A text that a child sent, which may be anything, made fit to be shown and logged: cut, without
 * control characters, "" when it is not UTF-8. */
void child_text(char *to, size_t size, const char *from, size_t from_size);

/* "exit status 1", "signal 11 (Segmentation fault)", written into `out`, which is returned. */
const char *child_end_text(const struct child_end *end, char *out, size_t size);

#endif
