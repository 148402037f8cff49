/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_COUNTED_MALLOC_H
#define PATINA_TESTS_COUNTED_MALLOC_H

/* What the tested libraries allocate, counted: for tests that are linked with --wrap of these five.
 * Any thread. */

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>

static atomic_int allocations;                      /* so far */
static atomic_int_least64_t live_bytes, peak_bytes; /* now, and at most since peak_bytes was set */

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void __wrap_free(void *p);

static void *counted(void *p)
{
    int64_t now = atomic_fetch_add(&live_bytes, (int64_t)malloc_usable_size(p)) +
                  (int64_t)malloc_usable_size(p);

    atomic_fetch_add(&allocations, 1);
    // Two threads at once may miss each other's peak: what is measured is one thread's.
    if (now > atomic_load(&peak_bytes))
        atomic_store(&peak_bytes, now);
    return p;
}

void *__wrap_malloc(size_t size)
{
    return counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *p, size_t size)
{
    atomic_fetch_sub(&live_bytes, (int64_t)malloc_usable_size(p));
    return counted(__real_realloc(p, size));
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return counted(__real_aligned_alloc(align, size));
}

void __wrap_free(void *p)
{
    atomic_fetch_sub(&live_bytes, (int64_t)malloc_usable_size(p));
    __real_free(p);
}
// NOLINTEND(bugprone-reserved-identifier)

#endif
