/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_ARENA_H
#define PATINA_BASE_ARENA_H

#include "base/err.h"

#include <stddef.h>

/*
 * Memory that lives as long as one request, job or parse and is freed whole. For small things:
 * pixels and file contents are budgeted elsewhere. Blocks are 16-byte aligned. Under
 * AddressSanitizer freed arenas are really freed, so stale pointers are caught. One thread at a
 * time.
 */
struct arena {
    struct arena_block *first;
    char *at;
    size_t left;
};

#define ARENA_INIT    \
    {                 \
        NULL, NULL, 0 \
    }

void arena_release(struct arena *a); /* frees everything, leaves ARENA_INIT */

/* `size` zeroed bytes, or NULL when memory ran out. */
void *arena_alloc(struct arena *a, size_t size);

/* Copies with a NUL behind; NULL when memory ran out. arena_strdup(a, NULL) is NULL. */
char *arena_memdup(struct arena *a, const void *p, size_t len);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
