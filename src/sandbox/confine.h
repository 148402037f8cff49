/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SANDBOX_CONFINE_H
#define PATINA_SANDBOX_CONFINE_H

/* For sandbox/ alone. What a child does to itself before it touches a stranger's bytes; none of it
 * can be undone. */

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Sanitizers reserve terabytes of address space, start threads and read /proc: no limits on memory
 * there and filters that forbid what is dangerous instead of allowing what is needed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

/* What a sanitizer must not try there: to trace this process, to start a symbolizer. */
#define SANITIZER_OPTIONS "detect_leaks=0:symbolize=0"

struct confine_limits {
    int64_t memory_bytes; /* address space */
    int cpu_s;            /* SIGXCPU past it, SIGKILL a second later */
};

/* For the decoder: one thread, memory, and messages on descriptor 3; every other system call ends
 * the process. ERR_IO when a wall could not be raised: then nothing may be decoded. Landlock alone
 * may be missing, because the filter refuses the same calls. */
MUST_USE enum err confine_decoder(const struct confine_limits *limits, struct err_note *note);

/* For a renderer, for all its threads: threads, memory, memfds and descriptor 3. What libraries ask
 * for and can do without (files, clone3) answers an error, anything else ends the process.
 * `allow_jit` admits executable memory. */
MUST_USE enum err confine_renderer(bool allow_jit, struct err_note *note);

#endif
