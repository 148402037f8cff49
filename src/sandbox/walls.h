/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SANDBOX_WALLS_H
#define PATINA_SANDBOX_WALLS_H

#include <stdbool.h>

/* What this kernel has to build walls from, for telling people; nothing is built. Any thread. */
struct sandbox_walls {
    bool seccomp; /* filters that end the process */
    bool pidfd;   /* processes by descriptor: Linux 5.3 */
    int landlock; /* its ABI; 0: not there, or turned off */
};

void sandbox_walls_look(struct sandbox_walls *out);

#endif
