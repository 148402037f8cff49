/* SPDX-License-Identifier: MIT */
#include "nn/attention_kernels.h"

#include <assert.h>

extern const struct attention_kernels attention_kernels_plain;
#ifdef NN_X86
extern const struct attention_kernels attention_kernels_avx2, attention_kernels_avx512,
    attention_kernels_avx512bf16;
#endif
#ifdef NN_AMX
extern const struct attention_kernels attention_kernels_amx;
#endif

static const struct attention_kernels *kernels(enum isa i, enum dtype data)
{
#ifdef NN_AMX
    if (i == ISA_AMX && data == DTYPE_BF16)
        return &attention_kernels_amx;
#endif
#ifdef NN_X86
    if (i >= ISA_AVX512BF16 && data == DTYPE_BF16)
        return &attention_kernels_avx512bf16;
    if (i >= ISA_AVX512)
        return &attention_kernels_avx512;
    if (i == ISA_AVX2)
        return &attention_kernels_avx2;
#endif
    (void)i, (void)data;
    return &attention_kernels_plain;
}

/* Everything that the turns of a call share. */
struct plan {
    const struct attention *a;
    const struct attention_kernels *kernel;
    int seen[ATTENTION_PARTS_MAX];
    int blocks[ATTENTION_PARTS_MAX]; /* of keys, in each part */
    int block_count;
    int turns[ATTENTION_PARTS_MAX]; /* of queries of a head */
    int turn_count;
    int64_t block_bytes;
    unsigned char *keys, *values, *scratch;
};

static int divide_up(int n, int by)
{
    return (n + by - 1) / by;
}

static int64_t align_up(int64_t bytes)
{
    return (bytes + MATRIX_ALIGN - 1) / MATRIX_ALIGN * MATRIX_ALIGN;
}

static struct plan plan_of(const struct attention *a, const struct attention_kernels *kernel)
{
    struct plan p = {.a = a, .kernel = kernel};
    int first = 0;

    for (int i = 0; i < a->parts; i++) {
        int rows = a->part[i].k.rows, left = a->keys > 0 ? a->keys - first : rows;
        p.seen[i] = left < 0 ? 0 : left < rows ? left : rows;
        p.blocks[i] = divide_up(p.seen[i], ATTENTION_KEYS);
        p.block_count += p.blocks[i];
        p.turns[i] = divide_up(a->part[i].q.rows, ATTENTION_QUERIES);
        p.turn_count += p.turns[i];
        first += rows;
    }
    p.block_bytes = (int64_t)ATTENTION_KEYS * attention_width(a->head, kernel->step) *
                    (int64_t)dtype_bytes(kernel->packed);
    return p;
}

int64_t nn_attention_bytes(const struct attention *a, int width)
{
    // f32 is the most that a path packs: a head of 16 in bf16, padded to 32, is as much.
    struct plan p = plan_of(a, kernels(ISA_PLAIN, DTYPE_F32));

    return 2 * p.block_bytes * p.block_count * a->key_heads +
           width * align_up(attention_scratch(a->head));
}

/* Element `column` of a row. */
static void *place(const struct matrix *m, int row, int column)
{
    return (unsigned char *)m->data + (row * m->stride + column) * (int64_t)dtype_bytes(m->dtype);
}

/* One block of a key head: keys and values. */
static void pack_turn(void *ctx, int index, int worker)
{
    const struct plan *p = ctx;
    int head = index / p->block_count, block = index % p->block_count, part = 0;
    int64_t at = index * p->block_bytes;

    (void)worker;
    while (block >= p->blocks[part])
        block -= p->blocks[part++];

    int row = block * ATTENTION_KEYS, left = p->seen[part] - row;
    const struct matrix *k = &p->a->part[part].k, *v = &p->a->part[part].v;
    struct attention_keys rows = {
        .rows = place(k, row, head * p->a->head),
        .dtype = k->dtype,
        .stride = k->stride,
        .count = left < ATTENTION_KEYS ? left : ATTENTION_KEYS,
        .head = p->a->head,
    };
    p->kernel->pack_keys(&rows, p->keys + at);
    rows.rows = place(v, row, head * p->a->head);
    rows.stride = v->stride;
    p->kernel->pack_values(&rows, p->values + at);
}

/* ATTENTION_QUERIES of one head. */
static void attend_turn(void *ctx, int index, int worker)
{
    const struct plan *p = ctx;
    const struct attention *a = p->a;
    int head = index / p->turn_count, turn = index % p->turn_count, part = 0, first = 0;
    int64_t at = head / (a->heads / a->key_heads) * p->block_count * p->block_bytes;

    while (turn >= p->turns[part]) {
        turn -= p->turns[part];
        first += a->part[part++].k.rows;
    }

    int row = turn * ATTENTION_QUERIES;
    const struct matrix *q = &a->part[part].q, *out = &a->part[part].out;
    struct attention_turn t = {
        .a = a,
        .keys = p->keys + at,
        .values = p->values + at,
        .q = place(q, row, head * a->head),
        .out = place(out, row, head * a->head),
        .in = q->dtype,
        .to = out->dtype,
        .in_stride = q->stride,
        .out_stride = out->stride,
        .count = q->rows - row < ATTENTION_QUERIES ? q->rows - row : ATTENTION_QUERIES,
        .first = first + row,
        .scratch = (float *)(p->scratch + worker * align_up(attention_scratch(a->head))),
    };
    for (int i = 0; i < a->parts; i++)
        t.seen[i] = p->seen[i];
    p->kernel->attend(&t);
}

bool nn_attention(const struct nn_run *run, const struct attention *a, void *memory)
{
    assert(a->parts >= 1 && a->parts <= ATTENTION_PARTS_MAX && (!a->causal || a->parts == 1));
    assert(a->head >= 16 && a->head % 16 == 0 && a->head <= ATTENTION_HEAD_MAX);
    assert(a->key_heads >= 1 && a->heads % a->key_heads == 0);

    struct plan p = plan_of(a, kernels(run->isa, a->part[0].k.dtype));
    int64_t bytes = p.block_bytes * p.block_count * a->key_heads;
    p.keys = memory;
    p.values = p.keys + bytes;
    p.scratch = p.values + bytes;
    return pool_run(run->pool, p.block_count * a->key_heads, pack_turn, &p, run->cancel) &&
           pool_run(run->pool, p.turn_count * a->heads, attend_turn, &p, run->cancel);
}
