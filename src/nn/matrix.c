/* SPDX-License-Identifier: MIT */
#include "nn/matrix.h"

#include <assert.h>

static int64_t aligned(int64_t bytes)
{
    return (bytes + MATRIX_ALIGN - 1) / MATRIX_ALIGN * MATRIX_ALIGN;
}

int64_t matrix_stride(enum dtype t, int width)
{
    int64_t size = (int64_t)dtype_bytes(t);

    return aligned(width * size) / size;
}

struct matrix matrix_rows(const struct matrix *m, int first, int count)
{
    struct matrix part = *m;

    assert(first >= 0 && count >= 0 && first + count <= m->rows);
    part.rows = count;
    if (m->data)
        part.data = (char *)m->data + first * m->stride * (int64_t)dtype_bytes(m->dtype);
    if (m->scale)
        part.scale = m->scale + first;
    return part;
}

struct matrix matrix_columns(const struct matrix *m, int first, int count)
{
    struct matrix part = *m;
    int64_t before = first * (int64_t)dtype_bytes(m->dtype);

    assert(m->dtype != DTYPE_I8);
    assert(first >= 0 && count >= 0 && first + count <= m->width && before % MATRIX_ALIGN == 0);
    part.width = count;
    if (m->data)
        part.data = (char *)m->data + before;
    return part;
}

void *workspace_take(struct workspace *w, int64_t bytes)
{
    void *p = w->base ? w->base + w->used : NULL;

    w->used += aligned(bytes);
    if (w->used > w->peak)
        w->peak = w->used;
    return p;
}

struct matrix workspace_matrix(struct workspace *w, enum dtype t, int rows, int width)
{
    struct matrix m = {.dtype = t, .rows = rows, .width = width, .stride = matrix_stride(t, width)};

    m.data = workspace_take(w, rows * m.stride * (int64_t)dtype_bytes(t));
    if (t == DTYPE_I8)
        m.scale = workspace_take(w, rows * (int64_t)sizeof(float));
    return m;
}
