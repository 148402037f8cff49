/* SPDX-License-Identifier: MIT */
#include "unit/isa_fixture.h"
#include "unit/pack_fixture.h"

#include "nn/ref/linear_ref.h"

static const enum dtype TYPE[] = {DTYPE_F32, DTYPE_BF16, DTYPE_I8};

enum { TYPES = sizeof(TYPE) / sizeof(TYPE[0]), POOL = 3 };

/* A product with all that it can have. */
struct problem {
    enum dtype dtype;
    int rows, in, out;
    struct matrix x, y;
    float *numbers; /* the weights, as packed */
    struct packed_tensor w;
    float *bias, *gate;
};

static struct matrix matrix_new(enum dtype t, int rows, int width)
{
    struct matrix m = {.dtype = t, .rows = rows, .width = width, .stride = matrix_stride(t, width)};

    m.data = fixture_memory(rows * m.stride * (int64_t)dtype_bytes(t));
    m.scale = t == DTYPE_I8 ? fixture_memory(rows * (int64_t)sizeof(float)) : NULL;
    return m;
}

static void matrix_free(struct matrix *m)
{
    free(m->data);
    free(m->scale);
}

static float *random_numbers(int64_t count, uint32_t *seed)
{
    float *v = fixture_memory(count * (int64_t)sizeof(float));

    for (int64_t i = 0; i < count; i++)
        v[i] = fixture_random(seed);
    return v;
}

static void problem_init(struct problem *p, enum dtype t, int rows, int in, int out)
{
    uint32_t seed = (uint32_t)(rows * 131 + in * 17 + out);

    *p = (struct problem){.dtype = t, .rows = rows, .in = in, .out = out};
    p->x = matrix_new(t, rows, in);
    p->y = matrix_new(DTYPE_F32, rows, out);
    for (int r = 0; r < rows; r++) {
        float *row = random_numbers(in, &seed);
        float scale = t == DTYPE_I8 ? p->x.scale[r] = fixture_scale(row, in) : 0;
        for (int i = 0; i < in; i++)
            fixture_store(t, p->x.data, r * p->x.stride + i, row[i], scale);
        free(row);
    }
    p->numbers = random_numbers((int64_t)out * in, &seed);
    p->w = fixture_pack(t, out, in, 0, p->numbers);
    p->bias = random_numbers(out, &seed);
    p->gate = random_numbers(out, &seed);
}

static void problem_release(struct problem *p)
{
    matrix_free(&p->x);
    matrix_free(&p->y);
    fixture_unpack(&p->w);
    free(p->numbers);
    free(p->bias);
    free(p->gate);
}

static struct pool *pool_of(int threads)
{
    struct pool *p = NULL;

    assert_int_equal(pool_open(threads, &p, NULL), ERR_OK);
    return p;
}

/* Of sums of `terms` terms in f32 on the way to a result of magnitude m. */
static double tolerance(enum dtype t, int terms, double m)
{
    int roundings = t == DTYPE_I8 ? 8 : terms + 8;

    return ldexp(m, -24) * roundings + 1e-30;
}

static float y_at(const struct matrix *y, int row, int out)
{
    int64_t i = row * y->stride + out;

    return y->dtype == DTYPE_F32 ? ((const float *)y->data)[i]
                                 : float_of_bf16(((const uint16_t *)y->data)[i]);
}

/* Against the twin, every `step`th output. */
static void check(const struct problem *p, struct linear_end end, const struct matrix *y,
                  double before, int step)
{
    for (int r = 0; r < p->rows; r++)
        for (int o = r % step; o < p->out; o += step) {
            struct ref_value want = ref_linear(&p->x, p->numbers, end, before, r, o);
            double most = tolerance(p->dtype, p->in, want.magnitude);
            if (y->dtype == DTYPE_BF16)
                most += ldexp(fabs(want.value), -8);
            double off = fabs((double)y_at(y, r, o) - want.value);
            if (!(off <= most))
                fail_msg("%s %dx%dx%d: y[%d][%d] is %g, wanted %g", dtype_name(p->dtype), p->rows,
                         p->in, p->out, r, o, (double)y_at(y, r, o), want.value);
        }
}

static void a_product_is_its_twins(void **state)
{
    // One and few rows, no side a multiple of a tile, a panel or a group; steps and blocks in part;
    // what fills the tiles, vectors' and AMX's, and one row more.
    static const struct {
        int rows, in, out;
    } shape[] = {{1, 1, 1},     {1, 64, 16},    {2, 33, 17},    {3, 100, 31},  {5, 7, 130},
                 {12, 256, 32}, {13, 513, 48},  {25, 1030, 5},  {7, 2100, 33}, {385, 40, 20},
                 {50, 65, 260}, {1, 3000, 130}, {4, 12288, 16}, {16, 64, 32},  {17, 64, 33},
                 {32, 32, 512}, {33, 600, 545}, {257, 70, 513}};
    struct pool *pool = pool_of(POOL);

    (void)state;
    for (size_t s = 0; s < sizeof(shape) / sizeof(shape[0]); s++)
        for (int t = 0; t < TYPES; t++) {
            struct problem p;
            problem_init(&p, TYPE[t], shape[s].rows, shape[s].in, shape[s].out);
            for (int isa = FIXTURE_ISA_FIRST; isa < ISA_COUNT; isa++) {
                struct nn_run run = {pool, (enum isa)isa, NULL};
                struct linear_end end = {NULL, NULL, false};
                if (!isa_usable(run.isa))
                    continue;
                assert_true(nn_linear(&run, &p.x, &p.w, end, &p.y));
                check(&p, end, &p.y, 0, 7);
            }
            problem_release(&p);
        }
    pool_close(pool);
}

static void every_end_is_its_twins(void **state)
{
    struct pool *pool = pool_of(POOL);

    (void)state;
    for (int t = 0; t < TYPES; t++)
        for (int isa = FIXTURE_ISA_FIRST; isa < ISA_COUNT; isa++)
            for (int ends = 0; ends < 12; ends++) {
                struct nn_run run = {pool, (enum isa)isa, NULL};
                struct problem p;
                if (!isa_usable(run.isa))
                    continue;
                problem_init(&p, TYPE[t], 14, 70, 37);
                bool add = ends / 4 == 1;
                struct linear_end end = {ends & 1 ? p.bias : NULL, ends & 2 ? p.gate : NULL, add};
                struct matrix y = matrix_new(ends / 4 == 2 ? DTYPE_BF16 : DTYPE_F32, 14, 37);
                for (int64_t i = 0; add && i < 14 * y.stride; i++)
                    ((float *)y.data)[i] = 3;
                assert_true(nn_linear(&run, &p.x, &p.w, end, &y));
                check(&p, end, &y, 3, 1);
                matrix_free(&y);
                problem_release(&p);
            }
    pool_close(pool);
}

/* Runs p with every pool into a zeroed y and compares the bits of `rows` rows from `first` on. */
static void assert_same_bits(const struct problem *p, enum isa isa, struct matrix x,
                             const float *want)
{
    static const int threads[] = {1, 2, 3, 8};

    for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
        struct pool *pool = pool_of(threads[i]);
        struct nn_run run = {pool, isa, NULL};
        struct linear_end end = {p->bias, NULL, false};
        struct matrix y = matrix_new(DTYPE_F32, x.rows, p->out);
        assert_true(nn_linear(&run, &x, &p->w, end, &y));
        assert_memory_equal(y.data, want, (size_t)(x.rows * y.stride) * sizeof(float));
        matrix_free(&y);
        pool_close(pool);
    }
}

static void neither_threads_nor_other_rows_change_a_bit(void **state)
{
    enum { ROWS = 401, IN = 2200, OUT = 70 };

    (void)state;
    for (int t = 0; t < TYPES; t++) {
        struct problem p;
        problem_init(&p, TYPE[t], ROWS, IN, OUT);
        for (int isa = FIXTURE_ISA_FIRST; isa < ISA_COUNT; isa++) {
            struct pool *pool = pool_of(1);
            struct nn_run run = {pool, (enum isa)isa, NULL};
            struct linear_end end = {p.bias, NULL, false};
            if (isa_usable(run.isa)) {
                static const int part[][2] = {{0, 1}, {5, 1}, {3, 2}, {17, 13}, {390, 11}};
                assert_true(nn_linear(&run, &p.x, &p.w, end, &p.y));
                for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
                    assert_same_bits(&p, run.isa, matrix_rows(&p.x, part[i][0], part[i][1]),
                                     (float *)p.y.data + part[i][0] * p.y.stride);
            }
            pool_close(pool);
        }
        problem_release(&p);
    }
}

/* The rest of a wider y keeps what it holds, its padding too. */
static void slices_write_their_own_columns_with_the_same_bits(void **state)
{
    enum { ROWS = 15, IN = 96, OUT = 150, FIRST = 48, COUNT = 37, WIDE = 240, AT = 32 };
    struct pool *pool = pool_of(POOL);

    (void)state;
    for (int t = 0; t < TYPES; t++)
        for (int isa = FIXTURE_ISA_FIRST; isa < ISA_COUNT; isa++) {
            struct nn_run run = {pool, (enum isa)isa, NULL};
            struct linear_end end = {NULL, NULL, false};
            struct problem p;
            if (!isa_usable(run.isa))
                continue;
            problem_init(&p, TYPE[t], ROWS, IN, OUT);
            struct packed_tensor part = packed_outputs(&p.w, FIRST, COUNT);
            struct matrix wide = matrix_new(DTYPE_F32, ROWS, WIDE);
            struct matrix y = matrix_columns(&wide, AT, COUNT);
            for (int64_t i = 0; i < ROWS * wide.stride; i++)
                ((float *)wide.data)[i] = 5;
            assert_true(nn_linear(&run, &p.x, &p.w, end, &p.y));
            assert_true(nn_linear(&run, &p.x, &part, end, &y));
            for (int r = 0; r < ROWS; r++) {
                assert_true(y_at(&wide, r, AT - 1) == 5 && y_at(&wide, r, AT + COUNT) == 5);
                for (int o = 0; o < COUNT; o++)
                    assert_true(y_at(&y, r, o) == y_at(&p.y, r, FIRST + o));
                for (int64_t o = OUT; o < p.y.stride; o++)
                    assert_true(y_at(&p.y, r, (int)o) == 0);
            }
            matrix_free(&wide);
            problem_release(&p);
        }
    pool_close(pool);
}

static void what_is_not_finite_stays_so_in_its_row_alone(void **state)
{
    enum { ROWS = 30, IN = 80, OUT = 40, WITH_NAN = 4, WITH_INFINITY = 29 };
    struct pool *pool = pool_of(POOL);

    (void)state;
    for (int t = 0; t < 2; t++) // f32 and bf16: i8 has neither
        for (int isa = FIXTURE_ISA_FIRST; isa < ISA_COUNT; isa++)
            for (int as = 0; as < 2; as++) {
                struct nn_run run = {pool, (enum isa)isa, NULL};
                struct linear_end end = {NULL, NULL, false};
                struct problem p;
                if (!isa_usable(run.isa))
                    continue;
                problem_init(&p, TYPE[t], ROWS, IN, OUT);
                struct matrix y = matrix_new(as ? DTYPE_BF16 : DTYPE_F32, ROWS, OUT);
                fixture_store(TYPE[t], p.x.data, WITH_NAN * p.x.stride + 79, NAN, 0);
                fixture_store(TYPE[t], p.x.data, WITH_INFINITY * p.x.stride, INFINITY, 0);
                assert_true(nn_linear(&run, &p.x, &p.w, end, &y));
                for (int r = 0; r < ROWS; r++)
                    for (int o = 0; o < OUT; o++) {
                        float v = y_at(&y, r, o);
                        assert_true(r == WITH_NAN        ? isnan(v)
                                    : r == WITH_INFINITY ? isinf(v)
                                                         : isfinite(v));
                    }
                matrix_free(&y);
                problem_release(&p);
            }
    pool_close(pool);
}

static void integers_are_exact_to_their_ends(void **state)
{
    enum { ROWS = 13, IN = LINEAR_I8_INPUTS_MAX, OUT = 17 };
    static const int8_t kind[] = {127, -127, 0, 1};
    struct pool *pool = pool_of(POOL);

    (void)state;
    for (int isa = FIXTURE_ISA_FIRST; isa < ISA_COUNT; isa++)
        for (int a = 0; a < 4; a++)
            for (int b = 0; b < 4; b++) {
                struct nn_run run = {pool, (enum isa)isa, NULL};
                struct linear_end end = {NULL, NULL, false};
                if (!isa_usable(run.isa))
                    continue;
                struct matrix x = matrix_new(DTYPE_I8, ROWS, IN);
                struct matrix y = matrix_new(DTYPE_F32, ROWS, OUT);
                int64_t bytes = (int64_t)IN * ((OUT + 15) / 16 * 16);
                void *data = fixture_memory(bytes);
                float *scale = fixture_memory(OUT * (int64_t)sizeof(float));
                struct packed_tensor w = {PACKED_MATRIX, DTYPE_I8, 2, {OUT, IN}, data, scale};
                memset(x.data, kind[a], (size_t)(ROWS * x.stride));
                memset(data, kind[b], (size_t)bytes);
                for (int r = 0; r < ROWS; r++)
                    x.scale[r] = 1;
                for (int o = 0; o < OUT; o++)
                    scale[o] = 1;
                assert_true(nn_linear(&run, &x, &w, end, &y));
                for (int r = 0; r < ROWS; r++)
                    for (int o = 0; o < OUT; o++)
                        assert_true(y_at(&y, r, o) == (float)(kind[a] * kind[b] * IN));
                matrix_free(&x);
                matrix_free(&y);
                free(data);
                free(scale);
            }
    pool_close(pool);
}

/* In integers the paths agree to the last bit. */
static void paths_agree_on_integers(void **state)
{
    struct pool *pool = pool_of(POOL);
    struct nn_run plain = {pool, ISA_PLAIN, NULL};
    struct problem p;

    (void)state;
    problem_init(&p, DTYPE_I8, 40, 5000, 50);
    struct linear_end end = {p.bias, p.gate, false};
    struct matrix y = matrix_new(DTYPE_F32, 40, 50);
    assert_true(nn_linear(&plain, &p.x, &p.w, end, &p.y));
    for (int isa = FIXTURE_ISA_FIRST; isa < ISA_COUNT; isa++) {
        struct nn_run run = {pool, (enum isa)isa, NULL};
        if (!isa_usable(run.isa))
            continue;
        assert_true(nn_linear(&run, &p.x, &p.w, end, &y));
        assert_memory_equal(y.data, p.y.data, (size_t)(40 * y.stride) * sizeof(float));
    }
    matrix_free(&y);
    problem_release(&p);
    pool_close(pool);
}

static void a_cancelled_product_says_so(void **state)
{
    atomic_bool cancel = true;
    struct pool *pool = pool_of(POOL);
    struct problem p;

    (void)state;
    problem_init(&p, DTYPE_F32, 3, 64, 64);
    for (int isa = FIXTURE_ISA_FIRST; isa < ISA_COUNT; isa++) {
        struct nn_run run = {pool, (enum isa)isa, &cancel};
        struct linear_end end = {NULL, NULL, false};
        if (isa_usable(run.isa))
            assert_false(nn_linear(&run, &p.x, &p.w, end, &p.y));
    }
    for (int64_t i = 0; i < 3 * p.y.stride; i++)
        assert_true(((float *)p.y.data)[i] == 0);
    problem_release(&p);
    pool_close(pool);
}

static void no_rows_are_no_work(void **state)
{
    struct pool *pool = pool_of(1);
    struct nn_run run = {pool, ISA_PLAIN, NULL};
    struct linear_end end = {NULL, NULL, false};
    struct problem p;

    (void)state;
    problem_init(&p, DTYPE_F32, 3, 64, 64);
    struct matrix x = matrix_rows(&p.x, 3, 0), y = matrix_rows(&p.y, 3, 0);
    assert_true(nn_linear(&run, &x, &p.w, end, &y));
    problem_release(&p);
    pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_is_its_twins),
        cmocka_unit_test(every_end_is_its_twins),
        cmocka_unit_test(neither_threads_nor_other_rows_change_a_bit),
        cmocka_unit_test(slices_write_their_own_columns_with_the_same_bits),
        cmocka_unit_test(what_is_not_finite_stays_so_in_its_row_alone),
        cmocka_unit_test(integers_are_exact_to_their_ends),
        cmocka_unit_test(paths_agree_on_integers),
        cmocka_unit_test(a_cancelled_product_says_so),
        cmocka_unit_test(no_rows_are_no_work),
    };

    (void)isa_ask_for_amx();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
