/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_MATRIX_H
#define PATINA_NN_MATRIX_H

#include "nn/tensor.h"

/*
 * What flows between operators: rows (tokens, pixels) of `width` numbers each, borrowed memory.
 *
 * INVARIANT: data is aligned to MATRIX_ALIGN bytes and a row's stride is a multiple of that many;
 * the numbers between width and stride are zero, so that kernels read whole vectors. Operators keep
 * that of what they write, except where they write a slice of another matrix's columns.
 */
enum { MATRIX_ALIGN = 64 };

struct matrix {
    enum dtype dtype; /* DTYPE_F32, DTYPE_BF16 or DTYPE_I8 */
    int rows, width;
    int64_t stride; /* elements from row to row */
    void *data;
    float *scale; /* of I8, [rows]: a number is data * scale; otherwise NULL */
};

/* Elements of a row of `width`, padded. */
int64_t matrix_stride(enum dtype t, int width);

/* `count` rows from `first` on, as a matrix of their own. */
struct matrix matrix_rows(const struct matrix *m, int first, int count);

/* `count` columns from `first` on; first is a multiple of MATRIX_ALIGN bytes' worth. As an input
 * only where count is as well: what follows is not zero. Not of I8. */
struct matrix matrix_columns(const struct matrix *m, int first, int count);

/*
 * Memory that is planned ahead: a plan is made twice by the same code, first over nothing to learn
 * how much it takes, then over that much.
 */
struct workspace {
    unsigned char *base; /* aligned to MATRIX_ALIGN and zeroed; NULL: only counts */
    int64_t used, peak;  /* bytes; set `used` back to an earlier value to take the same again */
};

void *workspace_take(struct workspace *w, int64_t bytes);

/* A matrix in it; its data is NULL while only counting. Where memory is taken a second time its
 * padding need not be zero any more: a matrix with padding must not share memory. */
struct matrix workspace_matrix(struct workspace *w, enum dtype t, int rows, int width);

#endif
