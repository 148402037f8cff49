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
 * The file may be a stranger's all the same: what the directory says is checked before a tensor is
 * given out (names, kinds, types, ranks, sides, their product against the bytes, blobs in the file
 * one after another without overlap or gap), whatever its checksum says.
 *
 * DESIGN: a matrix [out, in] is stored in panels of 16 outputs; within a panel, groups of g inputs
 * (1 of f32, 2 of bf16, 4 of int8: four bytes) of the 16 outputs lie side by side:
 *     panel[out/16][in/g][16][g]
 * which is what AVX-512 BF16/VNNI and AMX read without shuffling and plain C and AVX2 can read as
 * well, so that one file serves every processor. Both sides are padded with zeros: outputs to 16,
 * inputs to PACKED_ALIGN bytes' worth. int8 has a float scale per output, w = data * scale, with
 * scale max |w| / 127 (0 for an output of zeros, which an output below 2^-100 becomes); scales
 * are padded with zeros to whole panels. A convolution's kernel [out, in, y, x] is the
 * matrix of y * x taps one after another, each with its inputs padded.
 */
struct packed;

enum {
    PACKED_PANEL = 16,
    PACKED_ALIGN = 64,
    PACKED_NAME_MAX = 300,       /* bytes of plain ASCII; klein's have under 90 */
    PACKED_COUNT_MAX = 1 << 16,  /* tensors and texts; klein has 900 */
    PACKED_SIDE_MAX = 1 << 30,   /* so that a padded width fits an int */
    PACKED_TEXT_MAX = 256 << 20, /* Qwen's tokenizer.json has 11 MB */
    PACKED_VERSION = 1
};

enum packed_kind {
    PACKED_PLAIN,  /* the tensor as it is, f32: norms, biases, statistics */
    PACKED_ROWS,   /* bf16 rows: the embedding table */
    PACKED_MATRIX, /* panels: matrices and convolutions */
    PACKED_TEXT    /* a configuration: packed_text() */
};

struct packed_tensor {
    enum packed_kind kind;
    enum dtype dtype; /* of a matrix F32, BF16 or I8 */
    int rank;
    int64_t shape[TENSOR_RANK_MAX]; /* as published: without padding */
    const void *data;
    const float *scale; /* of I8, [out]; otherwise NULL */
};

/* Bytes that such a tensor takes in the file, without what aligns the next; 0 when there is no such
 * thing: a type that the kind does not have, a rank (plain 1..4, rows 2, matrix 2 or 4) or side out
 * of range, a product that overflows. */
int64_t packed_tensor_bytes(enum packed_kind kind, enum dtype t, int rank, const int64_t *shape);

/* Outputs first..first+count-1 of a matrix as one of its own; first is a multiple of PACKED_PANEL.
 */
struct packed_tensor packed_outputs(const struct packed_tensor *t, int64_t first, int64_t count);

/* ---- reading ---- */

/* Texts are held against their checksums, weights are not. ERR_NOT_FOUND, ERR_INVALID,
 * ERR_UNSUPPORTED (another version), ERR_NOMEM, ERR_IO. */
MUST_USE enum err packed_open(const char *path, struct packed **out, struct err_note *note);
void packed_close(struct packed *p); /* NULL is fine */

/* The same over memory that outlives the result and is aligned to 4096 bytes: for tests and
 * fuzzing. `name` is for notes. */
MUST_USE enum err packed_read(const char *name, const void *bytes, size_t len, struct packed **out,
                              struct err_note *note);

/* Every blob against its checksum, and what lies between; ERR_INVALID names the first that differs.
 * `done` (may be NULL) hears of the share 0..1 and stops it by returning false: ERR_CANCELLED. */
typedef bool packed_progress_fn(void *ctx, float done);
MUST_USE enum err packed_verify(const struct packed *p, packed_progress_fn *done, void *done_ctx,
                                struct err_note *note);

/* Names are `part/` + the published name, e.g. "vae/decoder.conv_in.weight". Any thread. */
bool packed_find(const struct packed *p, const char *name, struct packed_tensor *out);

int packed_count(const struct packed *p); /* tensors and texts */

/* The i-th blob in the file's order; NULL past the last. A text is given as PACKED_TEXT, of its
 * bytes. */
const char *packed_at(const struct packed *p, int i, struct packed_tensor *out);

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

/* Into a file `path`.part that takes its name at the end, in place of what has it, or into memory
 * when path is NULL. ERR_BUSY when somebody else is making the same file; what one who was killed
 * left behind is written over. */
MUST_USE enum err packer_open(const char *path, struct packer **out, struct err_note *note);

/* ERR_FULL, with how much is free, when the file's disk has no room for `bytes`. */
MUST_USE enum err packer_need(const struct packer *p, int64_t bytes, struct err_note *note);

/* Published tensors of F32, F16 or BF16. `as` is the element type of a matrix: F32, BF16 or I8;
 * rows are BF16, plain ones F32 whatever it says. ERR_INVALID for a name that was there already, a
 * shape that packed_tensor_bytes() does not take, a number that is not finite in bf16; ERR_IO,
 * ERR_FULL, ERR_NOMEM. After an error p can only be abandoned. */
MUST_USE enum err packer_add(struct packer *p, const char *name, enum packed_kind kind,
                             enum dtype as, const struct tensor_view *t, struct err_note *note);
MUST_USE enum err packer_add_text(struct packer *p, const char *name, const char *text, size_t len,
                                  struct err_note *note);

/* Writes the directory, syncs a file and gives it its name. In memory, *out is the open model; of a
 * file out may be NULL. Frees p whatever happens. */
MUST_USE enum err packer_finish(struct packer *p, struct packed **out, struct err_note *note);
void packer_abandon(struct packer *p); /* leaves nothing behind; NULL is fine */

#endif
