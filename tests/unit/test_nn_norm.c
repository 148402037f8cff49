/* SPDX-License-Identifier: MIT */
/* What stands between matrix products, on every path of this machine, against its twins. */
#include "unit/nn_fixture.h"

#include "nn/norm.h"
#include "nn/ref/linear_ref.h"
#include "nn/ref/norm_ref.h"

enum { ROWS = 5, WIDTH_MAX = 3077, EXTRA = 64, HEAD_MAX = 144 };

static const float EPS = 1e-6f;

/* An operator over these inputs. `head` is 0 where it has none. */
struct given {
    struct matrix x, up;
    float *scale, *shift;
    int head;
    struct rotary rotary;
};

struct op {
    const char *name;
    bool takes_bf16, in_place;
    enum rotary_pairs pairs;
    bool (*run)(const struct nn_run *run, struct given *g, struct matrix *y);
    void (*twin)(const struct given *g, int row, double *out);
};

static bool run_layernorm(const struct nn_run *run, struct given *g, struct matrix *y)
{
    return nn_layernorm(run, &g->x, g->scale, g->shift, EPS, y);
}

static void twin_layernorm(const struct given *g, int row, double *out)
{
    ref_layernorm(&g->x, row, g->scale, g->shift, (double)EPS, out);
}

static bool run_rmsnorm(const struct nn_run *run, struct given *g, struct matrix *y)
{
    return nn_rmsnorm(run, &g->x, g->scale, EPS, y);
}

static void twin_rmsnorm(const struct given *g, int row, double *out)
{
    ref_rmsnorm(&g->x, row, g->scale, (double)EPS, out);
}

static bool run_swiglu(const struct nn_run *run, struct given *g, struct matrix *y)
{
    return nn_swiglu(run, &g->x, &g->up, y);
}

static void twin_swiglu(const struct given *g, int row, double *out)
{
    ref_swiglu(&g->x, &g->up, row, out);
}

static bool run_convert(const struct nn_run *run, struct given *g, struct matrix *y)
{
    return nn_convert(run, &g->x, y);
}

static void twin_convert(const struct given *g, int row, double *out)
{
    ref_convert(&g->x, row, out);
}

/* Of a copy: it works in place. */
static bool run_rotary(const struct nn_run *run, struct given *g, struct matrix *y)
{
    for (int row = 0; row < y->rows; row++)
        for (int i = 0; i < y->width; i++)
            fixture_store(y->dtype, y->data, row * y->stride + i,
                          (float)ref_matrix_at(&g->x, row, i), 0);
    return nn_head_norm_rotary(run, y, g->head, g->scale, EPS, &g->rotary);
}

static void twin_rotary(const struct given *g, int row, double *out)
{
    ref_head_norm_rotary(&g->x, row, g->head, g->scale, (double)EPS, &g->rotary, out);
}

static const struct op OP[] = {
    {"layernorm", false, false, 0, run_layernorm, twin_layernorm},
    {"rmsnorm", false, false, 0, run_rmsnorm, twin_rmsnorm},
    {"swiglu", true, false, 0, run_swiglu, twin_swiglu},
    {"convert", true, false, 0, run_convert, twin_convert},
    {"rotary of neighbours", true, true, ROTARY_ADJACENT, run_rotary, twin_rotary},
    {"rotary of halves", true, true, ROTARY_HALVES, run_rotary, twin_rotary},
};

enum { OPS = sizeof(OP) / sizeof(OP[0]) };

static float *random_floats(int count, uint32_t *seed)
{
    float *p = fixture_memory((int64_t)count * (int64_t)sizeof(float));

    for (int i = 0; i < count; i++)
        p[i] = fixture_random(seed);
    return p;
}

static struct given given_new(enum dtype t, int width, int head, float size, float offset)
{
    uint32_t seed = 11;
    struct given g = {.x = fixture_matrix(t, ROWS, width),
                      .up = fixture_matrix(t, ROWS, width),
                      .scale = random_floats(width, &seed),
                      .shift = random_floats(width, &seed),
                      .head = head};
    // Tables that end where they are read no further.
    g.rotary.period = 3;
    g.rotary.cosine = random_floats(3 * (head / 2), &seed);
    g.rotary.sine = random_floats(3 * (head / 2), &seed);
    for (int row = 0; row < ROWS; row++)
        for (int i = 0; i < width; i++) {
            float v = row == 1 ? 0.0f : offset + size * fixture_random(&seed);
            fixture_store(t, g.x.data, row * g.x.stride + i, v, 0);
        }
    fixture_fill(&g.up, 1.0f, &seed);
    return g;
}

static void given_free(struct given *g)
{
    free(g->x.data);
    free(g->up.data);
    free(g->scale);
    free(g->shift);
    free((void *)(uintptr_t)g->rotary.cosine);
    free((void *)(uintptr_t)g->rotary.sine);
}

/* A slice of a wider matrix, full of a byte that must stay around it. */
static struct matrix slice_new(enum dtype to, int width)
{
    struct matrix m = fixture_matrix(to, ROWS, width + EXTRA);

    memset(m.data, 0x5A, (size_t)(ROWS * m.stride) * dtype_bytes(to));
    m.width = width;
    return m;
}

static void assert_slice_kept(const struct matrix *m)
{
    const unsigned char *p = m->data;
    size_t size = dtype_bytes(m->dtype);

    for (int row = 0; row < m->rows; row++)
        for (size_t i = (size_t)m->width * size; i < (size_t)m->stride * size; i++)
            assert_int_equal(p[(size_t)(row * m->stride) * size + i], 0x5A);
}

/* How far a number may be from its twin: of f32 this share of the largest in the row, of narrow
 * types half a unit more. */
static double allowed(enum dtype to, double want, double most, double share)
{
    if (to == DTYPE_F32)
        return share * most;
    if (to == DTYPE_BF16)
        return share * most + fabs(want) / 256.0;
    return share * most + 0.5 * most / 127.0;
}

static void compare(const struct op *op, const struct given *g, const struct matrix *y,
                    const char *path, double share)
{
    double want[WIDTH_MAX];

    for (int row = 0; row < ROWS; row++) {
        double most = 0.0;
        op->twin(g, row, want);
        for (int i = 0; i < y->width; i++)
            most = fmax(most, fabs(want[i]));
        for (int i = 0; i < y->width; i++) {
            double got = ref_matrix_at(y, row, i);
            if (!(fabs(got - want[i]) <= allowed(y->dtype, want[i], most, share) + 1e-30))
                fail_msg("%s, %s to %s of %d, %s: %g instead of %g", op->name,
                         dtype_name(g->x.dtype), dtype_name(y->dtype), y->width, path, got,
                         want[i]);
        }
        if (y->dtype == DTYPE_I8)
            assert_true(fabs((double)y->scale[row] - most / 127.0) <=
                        (share * most + 1e-30) / 127.0);
    }
}

static const enum dtype TO[] = {DTYPE_F32, DTYPE_BF16, DTYPE_I8};

static void run_one(const struct op *op, enum isa isa, enum dtype in, enum dtype to, int width,
                    int head, float size, float offset, double share)
{
    struct given g = given_new(in, width, head, size, offset);
    struct matrix first = {0};

    g.rotary.pairs = op->pairs;
    for (int w = 0; w < POOLS; w++) {
        struct nn_run run = {NULL, isa, NULL};
        struct matrix y = slice_new(to, width);
        assert_int_equal(pool_open(POOL_WIDTH[w], &run.pool, NULL), ERR_OK);
        assert_true(op->run(&run, &g, &y));
        assert_slice_kept(&y);
        if (w == 0) {
            compare(op, &g, &y, isa_name(isa), share);
            first = y;
        } else {
            fixture_assert_same(&first, &y);
            free(y.data);
        }
        pool_close(run.pool);
    }
    free(first.data);
    given_free(&g);
}

/* Every operator, path, element type, and widths around every register's. */
static void every_path_agrees_with_the_twins(void **state)
{
    static const int WIDTH[] = {1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 64, 100, 127, WIDTH_MAX};
    static const int HEAD[] = {2, 6, 16, 24, 48, 64, 80, 128, HEAD_MAX};

    (void)state;
    for (int i = 0; i < ISA_COUNT; i++)
        for (int k = 0; k < OPS; k++)
            for (int from = 0; from <= OP[k].takes_bf16; from++)
                for (int to = 0; to < 3 && isa_usable((enum isa)i); to++) {
                    enum dtype in = from ? DTYPE_BF16 : DTYPE_F32;
                    if (OP[k].in_place) {
                        for (size_t h = 0; h < sizeof(HEAD) / sizeof(HEAD[0]) && TO[to] == in; h++)
                            run_one(&OP[k], (enum isa)i, in, in, 3 * HEAD[h], HEAD[h], 1.0f, 0.0f,
                                    2e-6);
                        continue;
                    }
                    for (size_t w = 0; w < sizeof(WIDTH) / sizeof(WIDTH[0]); w++)
                        run_one(&OP[k], (enum isa)i, in, TO[to], WIDTH[w], 2, 1.0f, 0.0f, 4e-6);
                }
}

/* Rows far from zero, tiny, denormal and huge; SiLU where exp() ends. */
static void odd_numbers_are_right_too(void **state)
{
    static const struct {
        int op;
        float size, offset;
        double share;
    } row[] = {
        {0, 1.0f, 1000.0f, 2e-3},  {0, 1e-4f, 0.0f, 4e-6},   {0, 1e15f, 0.0f, 4e-6},
        {1, 1e-12f, 0.0f, 4e-6},   {1, 1e15f, -1e14f, 4e-6}, {2, 300.0f, 0.0f, 4e-6},
        {2, 60.0f, -100.0f, 4e-6}, {2, 1e30f, 0.0f, 4e-6},   {3, 1e-42f, 0.0f, 0.0},
        {3, 1e38f, 0.0f, 0.0},
    };

    (void)state;
    for (int i = 0; i < ISA_COUNT; i++)
        for (size_t k = 0; k < sizeof(row) / sizeof(row[0]); k++)
            for (int to = 0; to < 2 && isa_usable((enum isa)i); to++)
                run_one(&OP[row[k].op], (enum isa)i, DTYPE_F32, TO[to], 200, 2, row[k].size,
                        row[k].offset, row[k].share);
}

static void conversion_is_exact(void **state)
{
    static const uint32_t BITS[] = {0x00000000, 0x80000000, 0x3F800000, 0x3F808000, 0x3F818000,
                                    0x3F808001, 0x00000001, 0x00018000, 0x7F7FFFFF, 0x7F800000,
                                    0xFF800000, 0x7FC00000, 0x7F800001, 0xFFFFFFFF, 0x7F7F8000};
    enum { COUNT = sizeof(BITS) / sizeof(BITS[0]) };
    struct pool *pool;

    (void)state;
    assert_int_equal(pool_open(1, &pool, NULL), ERR_OK);
    for (int i = 0; i < ISA_COUNT; i++)
        for (int at = 0; at < 40 && isa_usable((enum isa)i); at++) {
            struct nn_run run = {pool, (enum isa)i, NULL};
            struct matrix x = fixture_matrix(DTYPE_F32, 1, at + COUNT);
            struct matrix y = fixture_matrix(DTYPE_BF16, 1, at + COUNT), back = x;
            memcpy((float *)x.data + at, BITS, sizeof(BITS));
            assert_true(nn_convert(&run, &x, &y));
            for (int k = 0; k < COUNT; k++)
                assert_int_equal(((uint16_t *)y.data)[at + k], bf16_of(((float *)x.data)[at + k]));
            assert_true(nn_convert(&run, &y, &back));
            for (int k = 0; k < COUNT; k++)
                assert_int_equal(((uint32_t *)back.data)[at + k],
                                 (uint32_t)((uint16_t *)y.data)[at + k] << 16);
            free(x.data);
            free(y.data);
        }
    pool_close(pool);
}

/* Bytes round to nearest even, and nothing is lost of a row that is all one number, or none. */
static void bytes_round_to_even(void **state)
{
    static const float IN[] = {127.0f, -127.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 0.49f, 63.51f};
    static const int8_t WANT[] = {127, -127, 0, 2, 2, 0, -2, 0, 64};
    enum { COUNT = sizeof(IN) / sizeof(IN[0]) };
    struct pool *pool;

    (void)state;
    assert_int_equal(pool_open(1, &pool, NULL), ERR_OK);
    for (int i = 0; i < ISA_COUNT; i++) {
        struct nn_run run = {pool, (enum isa)i, NULL};
        struct matrix x = fixture_matrix(DTYPE_F32, 3, 40), y = fixture_matrix(DTYPE_I8, 3, 40);
        if (isa_usable(run.isa)) {
            memcpy(x.data, IN, sizeof(IN));
            ((float *)x.data)[2 * x.stride + 39] = 1e-45f; // 127 of them are no float's inverse
            assert_true(nn_convert(&run, &x, &y));
            assert_memory_equal(y.data, WANT, sizeof(WANT));
            assert_true(y.scale[0] == 1.0f);
            assert_true(y.scale[1] == 0.0f && y.scale[2] < 1e-40f);
        }
        free(x.data);
        free(y.data);
    }
    pool_close(pool);
}

static void cancel_ends_it(void **state)
{
    const atomic_bool cancel = true;
    struct pool *pool;

    (void)state;
    assert_int_equal(pool_open(2, &pool, NULL), ERR_OK);
    for (int k = 0; k < OPS; k++) {
        struct nn_run run = {pool, ISA_PLAIN, &cancel};
        struct given g = given_new(DTYPE_F32, 64, 32, 1.0f, 0.0f);
        struct matrix y = fixture_matrix(DTYPE_F32, ROWS, 64);
        assert_false(OP[k].run(&run, &g, &y));
        free(y.data);
        given_free(&g);
    }
    pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_agrees_with_the_twins),
        cmocka_unit_test(odd_numbers_are_right_too),
        cmocka_unit_test(conversion_is_exact),
        cmocka_unit_test(bytes_round_to_even),
        cmocka_unit_test(cancel_ends_it),
    };

    (void)isa_ask_for_amx();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
