/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_INTERRUPT_H
#define PATINA_CLI_INTERRUPT_H

#include "lib/patina.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Ctrl-C without a signal handler: the signals are blocked and a thread waits for them. */
struct interrupt {
    atomic_bool hit, done;
    struct patina *patina;
    pthread_t thread;
    bool watching;
};

/* Blocks SIGINT, SIGTERM and SIGHUP; before any thread is started. */
void interrupt_block(void);

/* From now on such a signal sets `hit` and cancels `p` (may be NULL), until interrupt_end(). */
void interrupt_watch(struct interrupt *i, struct patina *p);
void interrupt_end(struct interrupt *i);

/* For the end of command `name`: unless `code` is EXIT_DONE, complains that it was stopped, or with
 * `text`. Returns `code`. */
int interrupt_report(const struct interrupt *i, const char *name, int code, const char *text);

#endif
