/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SANDBOX_DECODE_H
#define PATINA_SANDBOX_DECODE_H

#include "image/codec.h"

#include <stdatomic.h>

/*
 * Decoding a stranger's bytes in a process of its own: a fresh `patina-decode` per picture
 * (posix_spawn), with seccomp, rlimits on memory and CPU time, Landlock where the kernel has it, no
 * network, no files. The child reports the header; the parent checks the limits, makes a memfd of
 * exactly the size of the pixels and seals it; the child only maps it. Any number of threads at
 * once.
 *
 * Under a sanitizer the walls are laxer (confine.h): address space is limited by the sanitizer, the
 * filter only forbids what is dangerous.
 */
struct decoder;

struct decoder_options {
    const char *helper;   /* path of patina-decode; NULL: beside this executable, then
                             ../libexec/patina/ */
    int64_t memory_bytes; /* limit of the child, pixels included */
    int cpu_s;            /* limit of the child's CPU time */
    int wall_ms;          /* and of the whole decode */
};

/* What service and command line both allow. Memory: 256 MB of pixels at the limit of a source, and
 * what a progressive JPEG of that size keeps of its coefficients. */
#define DECODER_DEFAULTS                                                    \
    {                                                                       \
        .memory_bytes = (int64_t)1 << 30, .cpu_s = 20, .wall_ms = 30 * 1000 \
    }

/* Checks that the helper is there and decodes a first picture behind its walls. ERR_NOT_FOUND
 * without a helper, ERR_INVALID for limits too small to start with (under 64 MB, 1 s, 1 ms),
 * ERR_IO when the kernel lacks a wall or the helper does not run. */
MUST_USE enum err decoder_open(const struct decoder_options *o, struct decoder **out,
                               struct err_note *note);
void decoder_close(struct decoder *d);

struct decoded {
    struct codec_header header;
    struct image image; /* pixels: a private mapping of `fd` */
    int fd; /* memfd with the pixels, stride 4*width; nobody can change it any more, so it can be
               handed to another process. Close-on-exec. */
};

/* No-op on a zeroed struct. */
void decoded_release(struct decoded *d);

/*
 * `cancel` may be NULL; it is noticed within 200 ms. `out` is set on success alone.
 * ERR_TOO_LARGE (limits, memory or CPU time of the child; note.reason "pixels", "side", "ratio",
 * "memory" or "cpu"), ERR_UNSUPPORTED, ERR_CORRUPT (also for any other abnormal end of the child,
 * which is logged by note.reason "decoder_died"), ERR_TIMEOUT, ERR_CANCELLED; and, not the
 * picture's fault, ERR_CRASHED when the child was killed from outside (the machine ran out of
 * memory), ERR_NOMEM and ERR_IO of this process or of a helper that does not get as far as the
 * picture.
 */
MUST_USE enum err decoder_decode(struct decoder *d, const void *data, size_t len,
                                 const struct codec_decode_options *o, const atomic_bool *cancel,
                                 struct decoded *out, struct err_note *note);

#endif
