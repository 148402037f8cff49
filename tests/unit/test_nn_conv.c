/* SPDX-License-Identifier: MIT */
#include "unit/isa_fixture.h"
#include "unit/pack_fixture.h"

#include "nn/ref/linear_ref.h"

static struct map map_new(enum dtype t, int rows, int columns, int channels)
{
    struct workspace w = {NULL, 0, 0};

    workspace_map(&w, t, rows, columns, channels);
    w = (struct workspace){fixture_memory(w.peak), 0, 0};
    return workspace_map(&w, t, rows, columns, channels);
}

static int64_t number(const struct map *m, int y, int x, int channel)
{
    return ((char *)map_at(m, y, x) - (char *)m->data) / (int64_t)dtype_bytes(m->dtype) + channel;
}

static double value(const struct map *m, int64_t i)
{
    return m->dtype == DTYPE_F32 ? ((const float *)m->data)[i]
                                 : float_of_bf16(((const uint16_t *)m->data)[i]);
}

static void fill(struct map *m, uint32_t *seed)
{
    for (int y = 0; y < m->rows; y++)
        for (int x = 0; x < m->columns; x++)
            for (int c = 0; c < m->channels; c++)
                fixture_store(m->dtype, m->data, number(m, y, x, c), fixture_random(seed), 0);
}

struct shape {
    int rows, columns, in, out, side, stride;
};

// Even sides where the stride halves them; channels that fill no panel, steps that cut a tap.
static const struct shape SHAPE[] = {
    {1, 1, 1, 1, 3, 1},    {5, 7, 3, 20, 3, 1},    {6, 8, 32, 32, 3, 2},
    {2, 2, 3, 16, 3, 2},   {9, 4, 70, 3, 3, 1},    {4, 3, 32, 64, 1, 1},
    {3, 3, 1100, 5, 3, 1}, {20, 30, 16, 17, 3, 1}, {4, 10, 300, 40, 3, 2}};

enum { SHAPES = sizeof(SHAPE) / sizeof(SHAPE[0]) };

struct kind {
    enum dtype in, out;
    bool bias, add;
};

static const struct kind KIND[] = {{DTYPE_F32, DTYPE_F32, true, false},
                                   {DTYPE_F32, DTYPE_BF16, false, false},
                                   {DTYPE_BF16, DTYPE_F32, true, true},
                                   {DTYPE_BF16, DTYPE_F32, false, true},
                                   {DTYPE_BF16, DTYPE_BF16, true, false}};

enum { KINDS = sizeof(KIND) / sizeof(KIND[0]) };

/* What a picture's convolution leaves behind in y, at every pixel; the border is still zeros. */
static void check(const struct shape *s, const struct kind *k, const struct map *x, const float *w,
                  const float *bias, const struct map *before, const struct map *y)
{
    for (int py = -1; py <= y->rows; py++)
        for (int px = -1; px <= y->columns; px++)
            for (int64_t o = 0; o < y->stride; o++) {
                int64_t i = number(y, py, px, (int)o);
                if (py < 0 || px < 0 || py == y->rows || px == y->columns || o >= y->channels) {
                    assert_true(value(y, i) == 0);
                    continue;
                }
                double old = k->add ? value(before, i) : 0;
                struct ref_value want =
                    ref_conv(x, w, s->side, k->bias ? bias : NULL, s->stride, old, py, px, (int)o);
                int terms = s->in * s->side * s->side + 8;
                double most = ldexp(want.magnitude, -24) * terms + 1e-30;
                if (k->out == DTYPE_BF16)
                    most += ldexp(fabs(want.value), -8);
                if (!(fabs(value(y, i) - want.value) <= most))
                    fail_msg("%dx%d, %d to %d, %d/%d: (%d, %d, %d) is %g, wanted %g", s->rows,
                             s->columns, s->in, s->out, s->side, s->stride, py, px, (int)o,
                             value(y, i), want.value);
            }
}

static void run_shape(const struct shape *s, const struct kind *k, struct pool *pool)
{
    uint32_t seed = 7;
    int64_t count = (int64_t)s->out * s->in * s->side * s->side;
    float *w = fixture_memory(count * (int64_t)sizeof(float));
    float *bias = fixture_memory(s->out * (int64_t)sizeof(float));
    struct map x = map_new(k->in, s->rows, s->columns, s->in);
    struct map y = map_new(k->out, s->rows / s->stride, s->columns / s->stride, s->out);
    struct map before = map_new(k->out, y.rows, y.columns, s->out);

    for (int64_t i = 0; i < count; i++)
        w[i] = fixture_random(&seed);
    for (int o = 0; o < s->out; o++)
        bias[o] = fixture_random(&seed);
    struct packed_tensor p = fixture_pack(k->in, s->out, s->in, s->side, w);
    fill(&x, &seed);
    fill(&before, &seed);
    for (int isa = FIXTURE_ISA_FIRST; isa < ISA_COUNT; isa++) {
        struct nn_run run = {pool, (enum isa)isa, NULL};
        if (!isa_usable(run.isa))
            continue;
        memcpy(y.data, before.data,
               (size_t)((y.rows + 2) * (y.columns + 2) * y.stride) * dtype_bytes(y.dtype));
        assert_true(nn_conv(&run, &x, &p, k->bias ? bias : NULL, s->stride, k->add, &y));
        check(s, k, &x, w, bias, &before, &y);
    }
    fixture_unpack(&p);
    free(x.data);
    free(y.data);
    free(before.data);
    free(w);
    free(bias);
}

static void a_convolution_is_its_twins(void **state)
{
    struct pool *pool = NULL;

    (void)state;
    assert_int_equal(pool_open(3, &pool, NULL), ERR_OK);
    for (int s = 0; s < SHAPES; s++)
        for (int k = 0; k < KINDS; k++)
            run_shape(&SHAPE[s], &KIND[k], pool);
    pool_close(pool);
}

static void threads_change_no_bit(void **state)
{
    static const int threads[] = {1, 2, 3, 8};
    struct map x = map_new(DTYPE_BF16, 21, 40, 48), first = map_new(DTYPE_F32, 21, 40, 33);
    struct map y = map_new(DTYPE_F32, 21, 40, 33);
    size_t bytes = (size_t)(23 * 42 * y.stride) * sizeof(float);
    float *w = fixture_memory((int64_t)33 * 48 * 9 * (int64_t)sizeof(float));
    uint32_t seed = 3;

    (void)state;
    for (int i = 0; i < 33 * 48 * 9; i++)
        w[i] = fixture_random(&seed);
    struct packed_tensor p = fixture_pack(DTYPE_BF16, 33, 48, 3, w);
    fill(&x, &seed);
    for (int isa = FIXTURE_ISA_FIRST; isa < ISA_COUNT; isa++)
        for (size_t i = 0; isa_usable((enum isa)isa) && i < 4; i++) {
            struct pool *pool = NULL;
            assert_int_equal(pool_open(threads[i], &pool, NULL), ERR_OK);
            struct nn_run run = {pool, (enum isa)isa, NULL};
            assert_true(nn_conv(&run, &x, &p, NULL, 1, false, i == 0 ? &first : &y));
            if (i > 0)
                assert_memory_equal(y.data, first.data, bytes);
            pool_close(pool);
        }
    fixture_unpack(&p);
    free(w);
    free(x.data);
    free(y.data);
    free(first.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_convolution_is_its_twins),
        cmocka_unit_test(threads_change_no_bit),
    };

    (void)isa_ask_for_amx();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
