/* SPDX-License-Identifier: MIT */
#include "models/flux2/part.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct packed_tensor PRINTF_LIKE(5, 0)
    take(struct part *p, enum packed_kind kind, int rank, const int64_t *shape, const char *fmt,
         va_list ap)
{
    char name[PACKED_NAME_MAX];
    struct packed_tensor t = {0};

    if (p->e != ERR_OK)
        return t;
    int n = snprintf(name, sizeof(name), "%s/", p->name);
    vsnprintf(name + n, sizeof(name) - (size_t)n, fmt, ap);
    p->e = packed_get(p->packed, name, kind, rank, shape, &t, p->note);
    return t;
}

struct packed_tensor part_matrix(struct part *p, int64_t out, int64_t in, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    struct packed_tensor t = take(p, PACKED_MATRIX, 2, (int64_t[]){out, in}, fmt, ap);
    va_end(ap);
    return t;
}

struct packed_tensor part_kernel(struct part *p, int64_t out, int64_t in, int64_t side,
                                 const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    struct packed_tensor t = take(p, PACKED_MATRIX, 4, (int64_t[]){out, in, side, side}, fmt, ap);
    va_end(ap);
    return t;
}

const float *part_vector(struct part *p, int64_t width, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    struct packed_tensor t = take(p, PACKED_PLAIN, 1, &width, fmt, ap);
    va_end(ap);
    return t.data;
}

void part_alike(struct part *p, const struct packed_tensor *a, const struct packed_tensor *b)
{
    if (p->e == ERR_OK && a->dtype != b->dtype)
        p->e = err_set(p->note, ERR_UNSUPPORTED,
                       "%s: matrices with the same input are packed as %s and %s", p->name,
                       dtype_name(a->dtype), dtype_name(b->dtype));
}

const char *part_config(struct part *p, size_t *len)
{
    char name[PACKED_NAME_MAX];

    snprintf(name, sizeof(name), "%s/config.json", p->name);
    const char *text = packed_text(p->packed, name, len);
    if (!text)
        p->e = err_set(p->note, ERR_INVALID, "the packed model has no %s", name);
    return text;
}

struct lane lane_take(struct workspace *w, unsigned types, int rows, int width)
{
    struct lane l = {0};

    for (int t = 0; t <= DTYPE_I8; t++)
        if (types & 1U << t)
            l.as[t] = workspace_matrix(w, (enum dtype)t, rows, width);
    return l;
}

struct matrix lane_rows(const struct lane *l, const struct packed_tensor *t, int first, int count)
{
    return matrix_rows(&l->as[t->dtype], first, count);
}

enum { HUGE_PAGE = 2 << 20 };

// Small ones keep their length, so that sanitizers see a step past it.
static int64_t unit_of(int64_t bytes)
{
    return bytes < HUGE_PAGE ? MATRIX_ALIGN : HUGE_PAGE;
}

int64_t memory_bytes(int64_t bytes)
{
    const int64_t unit = unit_of(bytes);

    return (bytes + unit - 1) / unit * unit;
}

void *memory_new(int64_t bytes)
{
    const size_t whole = (size_t)memory_bytes(bytes);
    void *p = bytes > 0 ? aligned_alloc((size_t)unit_of(bytes), whole) : NULL;
    if (!p)
        return NULL;
    // A fault for every 4 KB of a gigabyte takes longer than a layer.
    if (bytes >= HUGE_PAGE)
        (void)madvise(p, whole, MADV_HUGEPAGE);
    memset(p, 0, whole);
    return p;
}

void matrix_copy(const struct matrix *from, struct matrix *to)
{
    const size_t size = dtype_bytes(from->dtype);

    for (int r = 0; r < from->rows; r++)
        memcpy((char *)to->data + (size_t)(r * to->stride) * size,
               (const char *)from->data + (size_t)(r * from->stride) * size,
               (size_t)from->width * size);
}

void matrix_fill(struct matrix *to, const float *rows)
{
    for (int r = 0; r < to->rows; r++)
        memcpy((float *)to->data + r * to->stride, rows + (int64_t)r * to->width,
               (size_t)to->width * sizeof(float));
}

void matrix_read(const struct matrix *from, float *rows, int64_t stride)
{
    for (int r = 0; r < from->rows; r++)
        memcpy(rows + r * stride, (const float *)from->data + r * from->stride,
               (size_t)from->width * sizeof(float));
}
