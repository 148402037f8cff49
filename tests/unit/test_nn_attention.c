/* SPDX-License-Identifier: MIT */
/* Attention on every path of this machine against its twin. */
#include "unit/isa_fixture.h"
#include "unit/nn_fixture.h"

#include "nn/attention.h"
#include "nn/ref/attention_ref.h"
#include "nn/ref/linear_ref.h"

struct shape {
    const char *what;
    int heads, key_heads, head;
    int parts, queries[ATTENTION_PARTS_MAX], keys[ATTENTION_PARTS_MAX];
    bool causal;
    int seen; /* attention.keys */
    float size, bias;
};

static const struct shape SHAPE[] = {
    {"one query, one key", 1, 1, 16, 1, {1}, {1}, false, 0, 1.0f, 0.0f},
    {"one query, many keys", 2, 1, 32, 1, {1}, {131}, false, 0, 1.0f, 0.0f},
    {"many queries, one key", 2, 2, 48, 1, {53}, {1}, false, 0, 1.0f, 0.0f},
    {"whole blocks", 2, 2, 128, 1, {48}, {128}, false, 0, 1.0f, 0.0f},
    {"one past them", 3, 1, 128, 1, {49}, {129}, false, 0, 1.0f, 0.0f},
    {"two parts", 2, 2, 128, 2, {20, 70}, {20, 70}, false, 0, 1.0f, 0.0f},
    {"four parts, some without queries",
     1,
     1,
     64,
     4,
     {5, 0, 67, 0},
     {5, 3, 67, 64},
     false,
     0,
     1.0f,
     2.5f},
    {"keys shared by heads", 8, 2, 64, 1, {30}, {30}, false, 0, 1.0f, 0.0f},
    {"causal", 4, 2, 80, 1, {150}, {150}, true, 0, 1.0f, 0.0f},
    {"causal and masked", 4, 2, 128, 1, {131}, {131}, true, 37, 1.0f, 0.0f},
    {"masked inside the second part", 1, 1, 32, 3, {9, 9, 9}, {9, 80, 9}, false, 75, 1.0f, -1.0f},
    {"an autoencoder's one head", 1, 1, 512, 1, {70}, {70}, false, 0, 1.0f, 0.0f},
    // Blocks follow one another on the same queries, whose maximum rises and rises.
    {"many blocks of few queries", 1, 1, 128, 1, {3}, {900}, false, 0, 20.0f, 0.0f},
    {"causal over several turns", 1, 1, 48, 1, {200}, {200}, true, 0, 6.0f, 0.0f},
    {"huge scores", 1, 1, 128, 1, {60}, {200}, false, 0, 30.0f, 0.0f},
    {"equal scores", 1, 1, 128, 1, {7}, {100}, false, 0, 0.0f, 0.0f},
};

enum { SHAPES = sizeof(SHAPE) / sizeof(SHAPE[0]) };

struct bench {
    struct attention a;
    void *memory;
};

static void bench_open(struct bench *b, const struct shape *s, enum dtype t, enum dtype to)
{
    uint32_t seed = 7;

    memset(b, 0, sizeof(*b));
    b->a = (struct attention){.heads = s->heads,
                              .key_heads = s->key_heads,
                              .head = s->head,
                              .scale = 1.0f / sqrtf((float)s->head),
                              .causal = s->causal,
                              .keys = s->seen,
                              .parts = s->parts};
    for (int p = 0; p < s->parts; p++) {
        struct attention_part *part = &b->a.part[p];
        part->q = fixture_matrix(t, s->queries[p], s->heads * s->head);
        part->out = fixture_matrix(to, s->queries[p], s->heads * s->head);
        part->k = fixture_matrix(t, s->keys[p], s->key_heads * s->head);
        part->v = fixture_matrix(t, s->keys[p], s->key_heads * s->head);
        part->key_bias = p % 2 ? s->bias : 0.0f;
        fixture_fill(&part->q, s->size, &seed);
        fixture_fill(&part->k, s->size, &seed);
        fixture_fill(&part->v, 1.0f, &seed);
    }
    b->memory = fixture_memory(nn_attention_bytes(&b->a, POOL_WIDEST));
}

static void bench_close(struct bench *b)
{
    for (int p = 0; p < b->a.parts; p++) {
        free(b->a.part[p].q.data);
        free(b->a.part[p].k.data);
        free(b->a.part[p].v.data);
        free(b->a.part[p].out.data);
    }
    free(b->memory);
}

/* The largest difference from the twin. */
static double compare(const struct bench *b)
{
    const struct attention *a = &b->a;
    double want[ATTENTION_HEAD_MAX], far = 0.0;

    for (int p = 0; p < a->parts; p++)
        for (int row = 0; row < a->part[p].q.rows; row++)
            for (int head = 0; head < a->heads; head++) {
                ref_attention(a, p, row, head, want);
                for (int i = 0; i < a->head; i++) {
                    double got = ref_matrix_at(&a->part[p].out, row, head * a->head + i);
                    assert_false(isnan(got));
                    far = fmax(far, fabs(got - want[i]));
                }
            }
    return far;
}

static void run_with_pool(struct nn_run *run, int width, const struct bench *b)
{
    assert_int_equal(pool_open(width, &run->pool, NULL), ERR_OK);
    assert_true(nn_attention(run, &b->a, b->memory));
    pool_close(run->pool);
}

static void every_path_agrees_with_the_twin(void **state)
{
    struct pool *pool;

    (void)state;
    assert_int_equal(pool_open(2, &pool, NULL), ERR_OK);
    for (int i = FIXTURE_ISA_FIRST; i < ISA_COUNT; i++)
        for (int s = 0; s < SHAPES; s++)
            for (int bf16 = 0; bf16 < 2; bf16++) {
                struct nn_run run = {pool, (enum isa)i, NULL};
                struct bench b;
                if (!isa_usable(run.isa))
                    continue;
                bench_open(&b, &SHAPE[s], bf16 ? DTYPE_BF16 : DTYPE_F32, DTYPE_F32);
                assert_true(nn_attention(&run, &b.a, b.memory));
                double far = compare(&b), near = bf16 ? 8e-3 : 4e-6 * (1 + SHAPE[s].size);
                if (far > near)
                    fail_msg("%s, %s of %s: off by %g", isa_name(run.isa), SHAPE[s].what,
                             bf16 ? "bf16" : "f32", far);
                bench_close(&b);
            }
    pool_close(pool);
}

/* Whatever the pool, and whatever other queries there are. */
static void results_are_the_same_bits(void **state)
{
    (void)state;
    for (int i = FIXTURE_ISA_FIRST; i < ISA_COUNT; i++)
        for (int bf16 = 0; bf16 < 2; bf16++) {
            const struct shape s = {"", 2, 1, 64, 2, {70, 30}, {70, 30}, false, 0, 2.0f, 0.5f};
            struct nn_run run = {NULL, (enum isa)i, NULL};
            struct bench b;
            if (!isa_usable(run.isa))
                continue;
            bench_open(&b, &s, bf16 ? DTYPE_BF16 : DTYPE_F32, DTYPE_F32);
            run_with_pool(&run, 1, &b);
            struct matrix first = b.a.part[0].out, part = b.a.part[0].q;
            struct matrix out = fixture_matrix(DTYPE_F32, first.rows, first.width);
            b.a.part[0].out = out;
            for (int w = 1; w < POOLS; w++) {
                memset(out.data, 1, (size_t)(out.rows * out.stride) * sizeof(float));
                run_with_pool(&run, POOL_WIDTH[w], &b);
                fixture_assert_same(&first, &out);
            }
            for (int row = 0; row < first.rows; row += 7) {
                struct matrix want = matrix_rows(&first, row, 7), got = matrix_rows(&out, 0, 7);
                b.a.part[0].q = matrix_rows(&part, row, 7);
                b.a.part[0].out = got;
                run_with_pool(&run, 2, &b);
                fixture_assert_same(&want, &got);
            }
            b.a.part[0].q = part;
            b.a.part[0].out = first;
            free(out.data);
            bench_close(&b);
        }
}

static void out_may_be_q(void **state)
{
    const struct shape s = {"", 2, 2, 128, 1, {130}, {130}, false, 0, 1.0f, 0.0f};

    (void)state;
    for (int i = FIXTURE_ISA_FIRST; i < ISA_COUNT; i++)
        for (int bf16 = 0; bf16 < 2; bf16++) {
            enum dtype t = bf16 ? DTYPE_BF16 : DTYPE_F32;
            struct nn_run run = {NULL, (enum isa)i, NULL};
            struct bench b;
            if (!isa_usable(run.isa))
                continue;
            bench_open(&b, &s, t, t);
            run_with_pool(&run, 2, &b);
            struct matrix out = b.a.part[0].out;
            b.a.part[0].out = b.a.part[0].q;
            run_with_pool(&run, 3, &b);
            fixture_assert_same(&out, &b.a.part[0].q);
            b.a.part[0].out = out;
            bench_close(&b);
        }
}

/* Cuts a sequence in parts, which must give what it gives as one. */
static void parts_are_one_sequence(void **state)
{
    static const int CUT[][3] = {{1, 130, 130}, {64, 130, 130}, {50, 51, 130}, {2, 66, 129}};

    (void)state;
    for (int i = FIXTURE_ISA_FIRST; i < ISA_COUNT; i++)
        for (size_t c = 0; c < sizeof(CUT) / sizeof(CUT[0]); c++) {
            const struct shape s = {"", 2, 1, 32, 1, {130}, {130}, false, 100, 1.0f, 0.0f};
            struct nn_run run = {NULL, (enum isa)i, NULL};
            struct bench b;
            if (!isa_usable(run.isa))
                continue;
            bench_open(&b, &s, DTYPE_F32, DTYPE_F32);
            run_with_pool(&run, 2, &b);
            struct attention whole = b.a;
            struct matrix out = fixture_matrix(DTYPE_F32, 130, 2 * 32);
            b.a.parts = 4;
            for (int p = 0, from = 0; p < 4; p++) {
                int to = p < 3 ? CUT[c][p] : 130;
                b.a.part[p] = (struct attention_part){
                    .q = matrix_rows(&whole.part[0].q, from, to - from),
                    .k = matrix_rows(&whole.part[0].k, from, to - from),
                    .v = matrix_rows(&whole.part[0].v, from, to - from),
                    .out = matrix_rows(&out, from, to - from),
                };
                from = to;
            }
            free(b.memory);
            b.memory = fixture_memory(nn_attention_bytes(&b.a, POOL_WIDEST));
            run_with_pool(&run, 2, &b);
            for (int row = 0; row < 130; row++)
                for (int k = 0; k < 64; k++)
                    assert_true(fabs(ref_matrix_at(&out, row, k) -
                                     ref_matrix_at(&whole.part[0].out, row, k)) < 2e-6);
            b.a = whole;
            free(out.data);
            bench_close(&b);
        }
}

/* NaN and infinities where nobody may look, and memory that holds NaN. */
static void masked_keys_have_no_influence(void **state)
{
    const struct shape s = {"", 2, 1, 48, 1, {90}, {90}, false, 70, 1.0f, 0.0f};

    (void)state;
    for (int i = 2 * FIXTURE_ISA_FIRST; i < 2 * ISA_COUNT; i++)
        for (int bf16 = 0; bf16 < 2; bf16++) {
            struct nn_run run = {NULL, (enum isa)(i / 2), NULL};
            struct bench b;
            if (!isa_usable(run.isa))
                continue;
            bench_open(&b, &s, bf16 ? DTYPE_BF16 : DTYPE_F32, DTYPE_F32);
            b.a.causal = i % 2;
            for (int row = 70; row < 90; row++)
                for (int k = 0; k < 48; k++) {
                    struct attention_part *p = &b.a.part[0];
                    fixture_store(p->k.dtype, p->k.data, row * p->k.stride + k, NAN, 0);
                    fixture_store(p->v.dtype, p->v.data, row * p->v.stride + k,
                                  k % 2 ? NAN : INFINITY, 0);
                }
            memset(b.memory, 0xFF, (size_t)nn_attention_bytes(&b.a, POOL_WIDEST));
            run_with_pool(&run, 2, &b);
            assert_true(compare(&b) < 1e-2);
            bench_close(&b);
        }
}

/* Not even where a head is read as a part of something wider. */
static void a_head_does_not_see_the_next(void **state)
{
    const struct shape s = {"", 2, 2, 48, 1, {5}, {40}, false, 0, 1.0f, 0.0f};

    (void)state;
    for (int i = FIXTURE_ISA_FIRST; i < ISA_COUNT; i++)
        for (int bf16 = 0; bf16 < 2; bf16++) {
            struct nn_run run = {NULL, (enum isa)i, NULL};
            struct bench b;
            if (!isa_usable(run.isa))
                continue;
            bench_open(&b, &s, bf16 ? DTYPE_BF16 : DTYPE_F32, DTYPE_F32);
            const struct attention_part *p = &b.a.part[0];
            for (int row = 0; row < 40; row++)
                for (int k = 48; k < 96; k++) {
                    fixture_store(p->k.dtype, p->k.data, row * p->k.stride + k, NAN, 0);
                    fixture_store(p->v.dtype, p->v.data, row * p->v.stride + k, NAN, 0);
                }
            run_with_pool(&run, 1, &b);
            for (int row = 0; row < 5; row++) {
                double want[48];
                ref_attention(&b.a, 0, row, 0, want);
                for (int k = 0; k < 48; k++)
                    assert_true(fabs(ref_matrix_at(&p->out, row, k) - want[k]) < 8e-3);
            }
            bench_close(&b);
        }
}

static void a_query_without_keys_is_given_zeros(void **state)
{
    const struct shape s = {"", 1, 1, 16, 2, {3, 50}, {0, 0}, false, 0, 1.0f, 0.0f};

    (void)state;
    for (int i = FIXTURE_ISA_FIRST; i < ISA_COUNT; i++) {
        struct nn_run run = {NULL, (enum isa)i, NULL};
        struct bench b;
        if (!isa_usable(run.isa))
            continue;
        bench_open(&b, &s, DTYPE_BF16, DTYPE_BF16);
        memset(b.a.part[1].out.data, 1, 100);
        run_with_pool(&run, 2, &b);
        assert_true(compare(&b) == 0.0);
        bench_close(&b);
    }
}

static void cancel_ends_it(void **state)
{
    atomic_bool cancel = true;
    struct pool *pool;

    (void)state;
    assert_int_equal(pool_open(2, &pool, NULL), ERR_OK);
    for (int i = FIXTURE_ISA_FIRST; i < ISA_COUNT; i++) {
        struct nn_run run = {pool, (enum isa)i, &cancel};
        struct bench b;
        if (!isa_usable(run.isa))
            continue;
        bench_open(&b, &SHAPE[0], DTYPE_F32, DTYPE_F32);
        atomic_store(&cancel, true);
        assert_false(nn_attention(&run, &b.a, b.memory));
        atomic_store(&cancel, false);
        assert_true(nn_attention(&run, &b.a, b.memory));
        bench_close(&b);
    }
    pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_agrees_with_the_twin),
        cmocka_unit_test(results_are_the_same_bits),
        cmocka_unit_test(out_may_be_q),
        cmocka_unit_test(parts_are_one_sequence),
        cmocka_unit_test(masked_keys_have_no_influence),
        cmocka_unit_test(a_head_does_not_see_the_next),
        cmocka_unit_test(a_query_without_keys_is_given_zeros),
        cmocka_unit_test(cancel_ends_it),
    };

    (void)isa_ask_for_amx();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
