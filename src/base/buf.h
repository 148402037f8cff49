/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_BUF_H
#define PATINA_BASE_BUF_H

#include "base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A growable byte string. `data` is NUL-terminated behind `len` whenever it is not NULL.
 * Appending never fails visibly: when memory runs out the buffer turns `failed`, keeps what it
 * had and ignores further appends; check `failed` once at the end. One thread at a time.
 */
struct buf {
    char *data;
    size_t len;
    size_t cap;
    bool failed;
};

#define BUF_INIT          \
    {                     \
        NULL, 0, 0, false \
    }

void buf_release(struct buf *b);           /* frees, leaves BUF_INIT */
void buf_reset(struct buf *b);             /* empties, keeps the memory, clears `failed` */
bool buf_reserve(struct buf *b, size_t n); /* room for n more bytes and a NUL; false: failed */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *s); /* s is NUL-terminated */
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
void buf_add_i64(struct buf *b, int64_t v); /* decimal; faster than buf_addf */

/* Moves the string out: the caller frees the result with free(). NULL when failed. Leaves BUF_INIT.
 */
char *buf_take(struct buf *b, size_t *len);

/* Sizes: *out = a*b or a+b; false on overflow (then *out is untouched). */
bool size_mul(size_t a, size_t b, size_t *out);
bool size_add(size_t a, size_t b, size_t *out);

#endif
