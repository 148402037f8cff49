/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_PACK_INTERNAL_H
#define PATINA_NN_PACK_INTERNAL_H

#include "base/hash.h"
#include "nn/mapped.h"
#include "nn/pack.h"

/*
 * For this folder alone: the packed file, which packer.c writes and pack.c reads.
 *
 * Numbers are little-endian, as are the processors that the kernels are for. Blobs follow one
 * another from byte PACK_BLOB_ALIGN on, each at the next multiple of it, the directory likewise;
 * the file ends with the directory:
 *
 *   {"blobs": {"vae/bn.running_mean": {"kind": "plain", "dtype": "F32", "shape": [128],
 *                                      "offset": 4096, "bytes": 512, "sha256": "..."}, ...}}
 *
 * A text has the kind "text", neither dtype nor shape, and a NUL as its last byte.
 *
 * To change any of this, or the layouts that pack.h describes:
 *   1. raise PACKED_VERSION; files are made anew from the published model, never converted;
 *   2. change writer and reader, and the row of test_pack.c that has a file of the version before.
 */
struct pack_header {
    char magic[8]; /* PACK_MAGIC */
    uint32_t version;
    uint32_t zero;
    uint64_t directory, directory_bytes;
    uint8_t directory_sha256[SHA256_BYTES];
};

_Static_assert(sizeof(struct pack_header) == 64, "the header's layout is the file's");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "packed files are little-endian");

#define PACK_MAGIC "PATINA\x1a\n" /* the \x1a\n of PNG: a transfer as text shows */

enum {
    PACK_BLOB_ALIGN = 4096,
    PACK_DIRECTORY_MAX = PACKED_COUNT_MAX * (PACKED_NAME_MAX + 300) /* what the limits allow */
};

/* "plain" "rows" "matrix" "text" */
const char *pack_kind_name(enum packed_kind kind);

/* Printable ASCII of 1..PACKED_NAME_MAX bytes: names end up in messages. */
bool pack_name_is_plain(const char *name);

/* A panel's geometry: `inputs` of a tap, padded; a convolution has y * x taps. */
struct pack_panel {
    int64_t inputs, taps;
    int group;    /* inputs side by side: 4 bytes' worth */
    size_t bytes; /* of a panel of PACKED_PANEL outputs */
};

struct pack_panel pack_panel(enum dtype t, int rank, const int64_t *shape);

/* As packed_read(); on success the model has taken `file`, which is released with it. */
MUST_USE enum err pack_take(const char *name, struct mapped *file, struct packed **out,
                            struct err_note *note);

#endif
