/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_PROGRESS_H
#define PATINA_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* A progress bar with the time that is left, on standard error, when that is a terminal; otherwise
 * every call does nothing. One thread at a time. */
struct progress {
    bool shown;
    int64_t began_ns, drawn_ns;
};

void progress_begin(struct progress *p, bool wanted);
void progress_show(struct progress *p, float done); /* 0..1 */
void progress_end(struct progress *p);              /* wipes it */

#endif
