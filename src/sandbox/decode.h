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
 */
struct decoder;

struct decoder_options {
    const char *helper;   /* path of patina-decode; NULL: beside this executable, then libexec */
    int64_t memory_bytes; /* limit of the child, pixels included */
    int cpu_s;            /* limit of the child's CPU time */
    int wall_ms;          /* and of the whole decode */
};

/* Checks that the helper is there and runs. */
MUST_USE enum err decoder_open(const struct decoder_options *o, struct decoder **out,
                               struct err_note *note);
void decoder_close(struct decoder *d);

struct decoded {
    struct codec_header header;
    struct image image; /* pixels: a private mapping of `fd` */
    int fd; /* sealed memfd with the pixels, stride 4*width: can be handed to another process */
};

void decoded_release(struct decoded *d);

/*
 * ERR_TOO_LARGE (limits, memory or CPU time of the child; note.reason "pixels", "side", "ratio",
 * "memory" or "cpu"), ERR_UNSUPPORTED, ERR_CORRUPT (also for any other abnormal end of the child,
 * which is logged by note.reason "decoder_died"), ERR_TIMEOUT, ERR_CANCELLED, ERR_NOMEM, ERR_IO.
 */
MUST_USE enum err decoder_decode(struct decoder *d, const void *data, size_t len,
                                 const struct codec_decode_options *o, const atomic_bool *cancel,
                                 struct decoded *out, struct err_note *note);

#endif
