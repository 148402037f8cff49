/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_PACK_H
#define PATINA_NN_PACK_H

#include "nn/tensor.h"

/*
 * The packed weight file: a model's tensors in the layouts that the kernels want, mapped read-only
 * and shared between processes. The same bytes may lie in memory (a memfd) instead of a file: for
 * tests, and for measurements with random weights.
 *
 * File: magic, version, offset, length and checksum of the directory; blobs aligned to 4096 bytes;
 * the directory (JSON: name, kind, dtype, shape, offset, bytes, checksum; texts by name). A file of
 * another version is refused with the command that makes it anew. The directory's checksum is
 * looked at when the file is opened, those of the blobs by packed_verify() alone: reading gigabytes
 * at every start costs more than it finds.
 *
 * DESIGN: a matrix [out, in] is stored in panels of 16 outputs; within a panel, groups of g inputs
 * (1 of f32, 2 of bf16, 4 of int8: four bytes) of the 16 outputs lie side by side:
 *     panel[out/16][in/g][16][g]
 * which is what AVX-512 BF16/VNNI and AMX read without shuffling and plain C and AVX2 can read as
 * well, so that one file serves every processor. Both sides are padded with zeros: outputs to 16,
 * inputs to PACKED_ALIGN bytes' worth. int8 has a float scale per output, w = data * scale, with
 * scale max |w| / 127 (0 for an output of zeros). A convolution's kernel [out, in, y, x] is the
 * matrix of y * x taps one after another, each with its inputs padded.
 */
struct packed;

enum { PACKED_PANEL = 16, PACKED_ALIGN = 64, PACKED_NAME_MAX = 300 };

enum packed_kind {
    PACKED_PLAIN, /* the tensor as it is, f32: norms, biases, statistics */
    PACKED_ROWS,  /* bf16 rows: the embedding table */
    PACKED_MATRIX /* panels: matrices and convolutions */
};

struct packed_tensor {
    enum packed_kind kind;
    enum dtype dtype; /* of a matrix F32, BF16 or I8 */
    int rank;
    int64_t shape[TENSOR_RANK_MAX]; /* as published: without padding */
    const void *data;
    const float *scale; /* of I8, [out]; otherwise NULL */
};

/* Outputs first..first+count-1 of a matrix as one of its own; first is a multiple of PACKED_PANEL.
 */
struct packed_tensor packed_outputs(const struct packed_tensor *t, int64_t first, int64_t count);

/* ---- reading ---- */

/* ERR_NOT_FOUND, ERR_INVALID, ERR_UNSUPPORTED (another version), ERR_NOMEM, ERR_IO. */
MUST_USE enum err packed_open(const char *path, struct packed **out, struct err_note *note);
void packed_close(struct packed *p); /* NULL is fine */

/* Every blob against its checksum; ERR_INVALID names the first that differs. `done` (may be NULL)
 * hears of the share 0..1. */
typedef void packed_progress_fn(void *ctx, float done);
MUST_USE enum err packed_verify(const struct packed *p, packed_progress_fn *done, void *done_ctx,
                                struct err_note *note);

/* Names are `part/` + the published name, e.g. "vae/decoder.conv_in.weight". Any thread. */
bool packed_find(const struct packed *p, const char *name, struct packed_tensor *out);

/* The tensor that must be there with this kind and shape; ERR_INVALID with name and difference. */
MUST_USE enum err packed_get(const struct packed *p, const char *name, enum packed_kind kind,
                             int rank, const int64_t *shape, struct packed_tensor *out,
                             struct err_note *note);

/* A text of the model ("transformer/config.json", "tokenizer/tokenizer.json"), NUL-terminated, or
 * NULL. len (may be NULL) is set. */
const char *packed_text(const struct packed *p, const char *name, size_t *len);

int64_t packed_bytes(const struct packed *p); /* of the whole file */

/* Tells the kernel that the pages of a part are not needed for now (they are read again when they
 * are). */
void packed_drop(const struct packed *p, const char *part);

/* ---- making ---- */

struct packer;

/* Into a file beside `path` that takes its name at the end, or into memory when path is NULL. */
MUST_USE enum err packer_open(const char *path, struct packer **out, struct err_note *note);

/* Published tensors of F32, F16 or BF16. `as` is the element type of a matrix: F32, BF16 or I8;
 * rows are BF16, plain ones F32 whatever it says. ERR_INVALID for a name that was there already. */
MUST_USE enum err packer_add(struct packer *p, const char *name, enum packed_kind kind,
                             enum dtype as, const struct tensor_view *t, struct err_note *note);
MUST_USE enum err packer_add_text(struct packer *p, const char *name, const char *text, size_t len,
                                  struct err_note *note);

/* Writes the directory, syncs a file and gives it its name. In memory, *out is the open model; of a
 * file out may be NULL. Frees p whatever happens. */
MUST_USE enum err packer_finish(struct packer *p, struct packed **out, struct err_note *note);
void packer_abandon(struct packer *p); /* leaves nothing behind; NULL is fine */

#endif
