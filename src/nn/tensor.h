/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_TENSOR_H
#define PATINA_NN_TENSOR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Element types and borrowed views of tensors. Layout is always row-major: the last dimension is
 * contiguous. Weights keep the axes of their files, [out, in].
 */
enum dtype { DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_I8, DTYPE_I32, DTYPE_I64 };

enum { TENSOR_RANK_MAX = 4, TENSOR_SHAPE_TEXT = 96 };

struct tensor_view {
    enum dtype dtype;
    int rank;                       /* 0: a scalar */
    int64_t shape[TENSOR_RANK_MAX]; /* the first `rank` are set, each at least 1 */
    const void *data;               /* borrowed; aligned to the element */
};

size_t dtype_bytes(enum dtype t);
const char *dtype_name(enum dtype t); /* "F32", as safetensors spells it */
bool dtype_of_name(const char *name, size_t len, enum dtype *out);

/* Number of elements; what a view says has been checked not to overflow. */
int64_t tensor_count(const struct tensor_view *t);

/* "[2,3]" for messages; a side of 0 is a question mark. Returns text. */
const char *tensor_shape_text(char text[TENSOR_SHAPE_TEXT], int rank, const int64_t *shape);

/* bfloat16 is the upper half of a float; rounding is to nearest even, NaN stays NaN. */
uint16_t bf16_of(float v);

static inline float float_of_bf16(uint16_t v)
{
    union {
        uint32_t u;
        float f;
    } x = {(uint32_t)v << 16};

    return x.f;
}

float float_of_f16(uint16_t v);

/* Reads `count` elements from `first` on as floats. F32, F16 and BF16 alone. */
void tensor_read(const struct tensor_view *t, int64_t first, int64_t count, float *out);

#endif
