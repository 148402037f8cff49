/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_SAFETENSORS_H
#define PATINA_NN_SAFETENSORS_H

#include "base/err.h"
#include "nn/tensor.h"

/*
 * Read-only access to one safetensors file (github.com/huggingface/safetensors, "Format"): eight
 * bytes of header length, a JSON header, then the tensors' bytes.
 *
 * The file is a stranger's. Everything its header says is checked before a view is given out:
 * length, JSON (no duplicate names), element type, rank, shape times size against the offsets,
 * offsets inside the file, in order, without gap or overlap. The file is mapped; that somebody cuts
 * it short while it is open is the operator's affair (SIGBUS), that it changes is not noticed.
 */
enum {
    SAFETENSORS_HEADER_MAX = 64 * 1024 * 1024, /* klein's largest is under 100 kB; the format's own
                                                  limit is 100 MB */
    SAFETENSORS_NAME_MAX = 256,                /* bytes of plain ASCII; klein's have under 70 */
    SAFETENSORS_COUNT_MAX = 65536              /* klein's text encoder has 398 */
};

struct safetensors;

/* ERR_NOT_FOUND; ERR_INVALID (with what is wrong and where); ERR_UNSUPPORTED for an element type or
 * a rank that tensor.h does not have; ERR_NOMEM, ERR_IO. Tensors without elements are ERR_INVALID.
 */
MUST_USE enum err safetensors_open(const char *path, struct safetensors **out,
                                   struct err_note *note);

/* The same over memory that outlives the result and is aligned to 8 bytes: for tests and fuzzing.
 * `name` is for notes. */
MUST_USE enum err safetensors_read(const char *name, const void *bytes, size_t len,
                                   struct safetensors **out, struct err_note *note);

void safetensors_close(struct safetensors *s); /* NULL is fine */

/* False: there is none of that name. The view lives as long as `s`. Any thread. */
bool safetensors_find(const struct safetensors *s, const char *name, struct tensor_view *out);

int safetensors_count(const struct safetensors *s);

/* The i-th by name; NULL past the last. */
const char *safetensors_at(const struct safetensors *s, int i, struct tensor_view *out);

#endif
