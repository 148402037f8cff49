/* SPDX-License-Identifier: MIT */
#include "nn/norm.h"

#include "nn/row_kernels.h"

#include <assert.h>
#include <stddef.h>

/* A turn's worth of memory traffic: far more than taking a turn costs, and few enough turns between
 * two looks at `cancel`. */
enum { TURN_BYTES = 64 * 1024 };

extern const struct row_kernels row_kernels_plain;
#ifdef NN_X86
extern const struct row_kernels row_kernels_avx2, row_kernels_avx512;
#endif

const struct row_kernels *row_kernels(enum isa i)
{
#ifdef NN_X86
    if (i >= ISA_AVX512)
        return &row_kernels_avx512;
    if (i == ISA_AVX2)
        return &row_kernels_avx2;
#endif
    (void)i;
    return &row_kernels_plain;
}

struct row_op {
    const struct row_kernels *kernel;
    const struct matrix *x, *up;
    struct matrix *y;
    const float *scale, *shift;
    float eps;
    int head;
    const struct rotary *rotary;

    void (*run)(const struct row_op *o, int row);
    int rows; /* of a turn */
};

static struct row row_of(const struct matrix *m, int row)
{
    unsigned char *p = m->data;

    return (struct row){
        .dtype = m->dtype,
        .n = m->width,
        .data = p + (int64_t)row * m->stride * (int64_t)dtype_bytes(m->dtype),
        .scale = m->scale ? m->scale + row : NULL,
    };
}

static void run_turn(void *ctx, int index, int worker)
{
    const struct row_op *o = ctx;
    int end = (index + 1) * o->rows < o->x->rows ? (index + 1) * o->rows : o->x->rows;

    (void)worker;
    for (int row = index * o->rows; row < end; row++)
        o->run(o, row);
}

static bool run_rows(const struct nn_run *how, struct row_op *o)
{
    int64_t bytes = o->x->stride * (int64_t)dtype_bytes(o->x->dtype);

    assert(o->y->rows == o->x->rows && o->y->width == o->x->width);
    assert(o->y->dtype != DTYPE_I8 || o->y->scale);
    o->kernel = row_kernels(how->isa);
    o->rows = bytes < TURN_BYTES ? (int)(TURN_BYTES / (bytes ? bytes : 1)) : 1;
    return pool_run(how->pool, (o->x->rows + o->rows - 1) / o->rows, run_turn, o, how->cancel);
}

static void layernorm_row(const struct row_op *o, int row)
{
    struct row x = row_of(o->x, row), y = row_of(o->y, row);

    o->kernel->layernorm(&x, o->scale, o->shift, o->eps, &y);
}

bool nn_layernorm(const struct nn_run *run, const struct matrix *x, const float *scale,
                  const float *shift, float eps, struct matrix *y)
{
    assert(x->dtype == DTYPE_F32);
    return run_rows(
        run, &(struct row_op){
                 .x = x, .y = y, .scale = scale, .shift = shift, .eps = eps, .run = layernorm_row});
}

static void rmsnorm_row(const struct row_op *o, int row)
{
    struct row x = row_of(o->x, row), y = row_of(o->y, row);

    o->kernel->rmsnorm(&x, o->scale, o->eps, &y);
}

bool nn_rmsnorm(const struct nn_run *run, const struct matrix *x, const float *weight, float eps,
                struct matrix *y)
{
    assert(x->dtype == DTYPE_F32);
    return run_rows(
        run, &(struct row_op){.x = x, .y = y, .scale = weight, .eps = eps, .run = rmsnorm_row});
}

static void swiglu_row(const struct row_op *o, int row)
{
    struct row gate = row_of(o->x, row), up = row_of(o->up, row), y = row_of(o->y, row);

    o->kernel->swiglu(&gate, &up, &y);
}

bool nn_swiglu(const struct nn_run *run, const struct matrix *gate, const struct matrix *up,
               struct matrix *y)
{
    assert(gate->dtype == up->dtype && gate->dtype != DTYPE_I8);
    assert(gate->rows == up->rows && gate->width == up->width);
    return run_rows(run, &(struct row_op){.x = gate, .up = up, .y = y, .run = swiglu_row});
}

static void convert_row(const struct row_op *o, int row)
{
    struct row x = row_of(o->x, row), y = row_of(o->y, row);

    o->kernel->convert(&x, &y);
}

bool nn_convert(const struct nn_run *run, const struct matrix *x, struct matrix *y)
{
    assert(x->dtype != DTYPE_I8);
    return run_rows(run, &(struct row_op){.x = x, .y = y, .run = convert_row});
}

static void rotary_row(const struct row_op *o, int row)
{
    const int64_t at = (int64_t)(row % o->rotary->period) * (o->head / 2);
    struct row all = row_of(o->x, row), head = all;

    head.n = o->head;
    for (int i = 0; i < all.n; i += o->head) {
        head.data = (unsigned char *)all.data + (size_t)i * dtype_bytes(all.dtype);
        o->kernel->head_norm_rotary(&head, o->scale, o->eps, o->rotary->pairs,
                                    o->rotary->cosine + at, o->rotary->sine + at);
    }
}

bool nn_head_norm_rotary(const struct nn_run *run, struct matrix *x, int head, const float *weight,
                         float eps, const struct rotary *r)
{
    assert(x->dtype != DTYPE_I8 && head % 2 == 0 && x->width % head == 0);
    return run_rows(run, &(struct row_op){.x = x,
                                          .y = x,
                                          .scale = weight,
                                          .eps = eps,
                                          .head = head,
                                          .rotary = r,
                                          .run = rotary_row});
}
