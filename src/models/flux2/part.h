/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_PART_H
#define PATINA_MODELS_FLUX2_PART_H

#include "nn/matrix.h"
#include "nn/pack.h"

/*
 * What the three parts have in common: taking their tensors from a packed model, and memory for
 * the numbers between its matrices.
 */

/* Takes one tensor after another; the first that is missing or of another shape ends it. */
struct part {
    const struct packed *packed;
    const char *name; /* "transformer" */
    struct err_note *note;
    enum err e; /* what went wrong first */
};

/* A matrix [out, in] by its published name; all zeros once something went wrong. */
struct packed_tensor part_matrix(struct part *p, int64_t out, int64_t in, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* As part_matrix(), for a convolution's kernel [out, in, side, side]. */
struct packed_tensor part_kernel(struct part *p, int64_t out, int64_t in, int64_t side,
                                 const char *fmt, ...) PRINTF_LIKE(5, 6);

/* A vector, which lives as long as the packed model. */
const float *part_vector(struct part *p, int64_t width, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Matrices that are given the same input have the same element type: otherwise ERR_UNSUPPORTED. */
void part_alike(struct part *p, const struct packed_tensor *a, const struct packed_tensor *b);

/* A config.json's text, NULL with an error set. */
const char *part_config(struct part *p, size_t *len);

/*
 * A matrix product wants its input in its weights' element type. A lane is one matrix in each of
 * the types that are wanted of it, which may be several: some layers keep bf16 where others have
 * int8.
 */
struct lane {
    struct matrix as[DTYPE_I8 + 1]; /* those not wanted have no rows */
};

enum { LANE_F32 = 1 << DTYPE_F32, LANE_BF16 = 1 << DTYPE_BF16, LANE_I8 = 1 << DTYPE_I8 };

/* The bit of what `t` wants. */
static inline unsigned lane_of(const struct packed_tensor *t)
{
    return 1U << t->dtype;
}

struct lane lane_take(struct workspace *w, unsigned types, int rows, int width);

/* `count` rows from `first` on, as `t` wants them. */
struct matrix lane_rows(const struct lane *l, const struct packed_tensor *t, int first, int count);

/* Zeroed and aligned for a workspace; NULL when there is none, or bytes is 0. */
void *memory_new(int64_t bytes);

/* What that takes of the heap: large ones are whole huge pages. */
int64_t memory_bytes(int64_t bytes);

/* All rows of one into the other, of the same element type, not I8. */
void matrix_copy(const struct matrix *from, struct matrix *to);

/* Rows of floats without padding (`width` each) into, or out of, an F32 matrix. */
void matrix_fill(struct matrix *to, const float *rows);
void matrix_read(const struct matrix *from, float *rows, int64_t stride);

#endif
