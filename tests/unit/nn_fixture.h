/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_NN_FIXTURE_H
#define PATINA_TESTS_NN_FIXTURE_H

/* Matrices of random numbers, and pools to run operators with. */

#include "unit/pack_fixture.h"

#include "nn/run.h"

/* Widths whose results must be the same bits; the first is 1, the last the largest. */
static const int POOL_WIDTH[] = {1, 2, 3, 8};

enum { POOLS = sizeof(POOL_WIDTH) / sizeof(POOL_WIDTH[0]), POOL_WIDEST = 8 };

/* Zeros; freed by free(m.data): the scales of I8 are in the same memory. */
static inline struct matrix fixture_matrix(enum dtype t, int rows, int width)
{
    struct matrix m = {t, rows, width, matrix_stride(t, width), NULL, NULL};
    int64_t bytes = rows * m.stride * (int64_t)dtype_bytes(t);

    m.data = fixture_memory(bytes + rows * (int64_t)sizeof(float));
    if (t == DTYPE_I8)
        m.scale = (float *)(void *)((char *)m.data + bytes);
    return m;
}

static inline void fixture_fill(struct matrix *m, float size, uint32_t *seed)
{
    for (int row = 0; row < m->rows; row++)
        for (int i = 0; i < m->width; i++)
            fixture_store(m->dtype, m->data, row * m->stride + i, size * fixture_random(seed), 0);
}

/* The same bits, padding included. */
static inline void fixture_assert_same(const struct matrix *a, const struct matrix *b)
{
    size_t bytes = (size_t)(a->rows * a->stride) * dtype_bytes(a->dtype);

    assert_int_equal(a->rows, b->rows);
    assert_memory_equal(a->data, b->data, bytes);
    if (a->scale)
        assert_memory_equal(a->scale, b->scale, (size_t)a->rows * sizeof(float));
}

#endif
