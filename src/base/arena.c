/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    size_t size;
};

enum { BLOCK_BYTES = 4096, ALIGN = 16 };

void arena_release(struct arena *a)
{
    struct arena_block *b = a->first;

    while (b) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
    *a = (struct arena)ARENA_INIT;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t need;

    if (!size_add(size, ALIGN - 1, &need))
        return NULL;
    need &= ~(size_t)(ALIGN - 1);
    if (need > a->left || !a->at) {
        size_t room = need > BLOCK_BYTES ? need : BLOCK_BYTES, bytes;
        if (!size_add(room, sizeof(struct arena_block), &bytes))
            return NULL;
        struct arena_block *b = malloc(bytes);
        if (!b)
            return NULL;
        b->size = room;
        b->next = a->first;
        a->first = b;
        a->at = (char *)(b + 1);
        a->left = room;
    }
    void *p = a->at;
    a->at += need;
    a->left -= need;
    memset(p, 0, need);
    return p;
}

char *arena_memdup(struct arena *a, const void *p, size_t len)
{
    size_t bytes;

    if (!size_add(len, 1, &bytes))
        return NULL;
    char *copy = arena_alloc(a, bytes);
    if (copy && len)
        memcpy(copy, p, len);
    return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return s ? arena_memdup(a, s, strlen(s)) : NULL;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *s = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (s)
        vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return s;
}
