/* SPDX-License-Identifier: MIT */
#include "nn/tensor.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
} TYPE[] = {
    [DTYPE_F32] = {"F32", 4}, [DTYPE_F16] = {"F16", 2}, [DTYPE_BF16] = {"BF16", 2},
    [DTYPE_I8] = {"I8", 1},   [DTYPE_I32] = {"I32", 4}, [DTYPE_I64] = {"I64", 8},
};

enum { TYPES = sizeof(TYPE) / sizeof(TYPE[0]) };

size_t dtype_bytes(enum dtype t)
{
    return TYPE[t].bytes;
}

const char *dtype_name(enum dtype t)
{
    return TYPE[t].name;
}

bool dtype_of_name(const char *name, size_t len, enum dtype *out)
{
    for (int i = 0; i < TYPES; i++)
        if (strlen(TYPE[i].name) == len && memcmp(TYPE[i].name, name, len) == 0) {
            *out = (enum dtype)i;
            return true;
        }
    return false;
}

int64_t tensor_count(const struct tensor_view *t)
{
    int64_t count = 1;

    for (int i = 0; i < t->rank; i++)
        count *= t->shape[i];
    return count;
}

const char *tensor_shape_text(char text[TENSOR_SHAPE_TEXT], int rank, const int64_t *shape)
{
    size_t len = (size_t)snprintf(text, TENSOR_SHAPE_TEXT, "[");

    // Four numbers of 20 digits at most.
    for (int i = 0; i < rank; i++)
        len += (size_t)snprintf(text + len, TENSOR_SHAPE_TEXT - len, shape[i] ? "%s%jd" : "%s?",
                                i ? "," : "", (intmax_t)shape[i]);
    snprintf(text + len, TENSOR_SHAPE_TEXT - len, "]");
    return text;
}

static uint32_t bits_of(float v)
{
    uint32_t u;

    memcpy(&u, &v, sizeof(u));
    return u;
}

uint16_t bf16_of(float v)
{
    uint32_t u = bits_of(v);

    if ((u & 0x7FFFFFFF) > 0x7F800000)
        return (uint16_t)(u >> 16 | 0x40); // or rounding could make an infinity of it
    return (uint16_t)((u + 0x7FFF + (u >> 16 & 1)) >> 16);
}

float float_of_f16(uint16_t v)
{
    uint32_t sign = (uint32_t)(v & 0x8000) << 16, exponent = v >> 10 & 31, mantissa = v & 0x3FF;
    uint32_t u;
    float f;

    if (exponent == 0) { // zero and subnormals: a multiple of 2^-24
        f = (float)mantissa * 0x1p-24f;
        return sign ? -f : f;
    }
    u = sign | (exponent == 31 ? 255u : exponent + 112) << 23 | mantissa << 13;
    memcpy(&f, &u, sizeof(f));
    return f;
}

void tensor_read(const struct tensor_view *t, int64_t first, int64_t count, float *out)
{
    const uint16_t *half = t->data;

    assert(first >= 0 && count >= 0 && first + count <= tensor_count(t));
    assert(t->dtype == DTYPE_F32 || t->dtype == DTYPE_F16 || t->dtype == DTYPE_BF16);
    if (count == 0)
        return;
    if (t->dtype == DTYPE_F32)
        memcpy(out, (const float *)t->data + first, (size_t)count * sizeof(*out));
    else if (t->dtype == DTYPE_F16)
        for (int64_t i = 0; i < count; i++)
            out[i] = float_of_f16(half[first + i]);
    else
        for (int64_t i = 0; i < count; i++)
            out[i] = float_of_bf16(half[first + i]);
}
