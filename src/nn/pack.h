/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_PACK_H
#define PATINA_NN_PACK_H

#include "nn/tensor.h"

/*
 * The packed weight file: a model's tensors in the layouts that the kernels want, mapped read-only
 * and shared between processes. Also an in-memory form of the same, made from published files
 * without writing them (for tests, and for `patina bench nn`, which makes random weights).
 *
 * File: magic, version, checksums; a JSON directory (name, kind, dtype, shape, offset, bytes, and
 * the parts' config.json); blobs aligned to 4096 bytes. A file of another version is refused with
 * the command that makes it anew.
 *
 * DESIGN: a matrix [out, in] is stored in panels of 16 outputs; within a panel, groups of inputs
 * (2 of bf16, 4 of int8) of the 16 outputs lie side by side:
 *     panel[out/16][in/g][16][g]
 * which is what AVX-512 BF16/VNNI and AMX read without shuffling and plain C and AVX2 can read as
 * well, so that one file serves every processor. Both sides are padded with zeros: outputs to 16,
 * inputs to 64 bytes' worth. int8 has a float scale per output behind the panels.
 */
struct packed;

enum packed_kind {
    PACKED_PLAIN, /* the tensor as it is, f32: norms, biases, statistics */
    PACKED_ROWS,  /* bf16 rows: the embedding table */
    PACKED_MATRIX /* panels */
};

struct packed_tensor {
    enum packed_kind kind;
    enum dtype dtype;
    int rank;
    int64_t shape[TENSOR_RANK_MAX];
    const void *data;
    const float *scale; /* of int8, [out]; otherwise NULL */
};

/* ERR_NOT_FOUND, ERR_INVALID, ERR_UNSUPPORTED (another version), ERR_NOMEM. */
MUST_USE enum err packed_open(const char *path, struct packed **out, struct err_note *note);
void packed_close(struct packed *p); /* NULL is fine */

/* Names are `part/` + the published name, e.g. "vae/decoder.conv_in.weight". */
bool packed_find(const struct packed *p, const char *name, struct packed_tensor *out);

/* The part's config.json as text, or NULL. */
const char *packed_config(const struct packed *p, const char *part);

/* Tells the kernel that the pages of a part are not needed for now (they are read again when they
 * are). */
void packed_drop(const struct packed *p, const char *part);

#endif
