/* SPDX-License-Identifier: MIT */
/* Feature maps and what is done to them beside convolutions. */
#include "unit/nn_fixture.h"

#include "nn/conv.h"
#include "nn/ref/norm_ref.h"

/* In exactly as much memory as it takes, full of a byte that must stay where nobody writes. */
static struct map map_new(enum dtype t, int rows, int columns, int channels)
{
    struct workspace w = {0};

    assert_null(workspace_map(&w, t, rows, columns, channels).data);
    w = (struct workspace){.base = fixture_memory(w.used)};
    struct map m = workspace_map(&w, t, rows, columns, channels);
    memset(m.data, 0x5A, (size_t)w.used);
    return m;
}

static double number(const struct map *m, int y, int x, int c)
{
    return m->dtype == DTYPE_F32 ? (double)((const float *)map_at(m, y, x))[c]
                                 : (double)float_of_bf16(((const uint16_t *)map_at(m, y, x))[c]);
}

static void fill(const struct map *m, float size, float offset)
{
    uint32_t seed = 5;

    for (int y = 0; y < m->rows; y++)
        for (int x = 0; x < m->columns; x++)
            for (int c = 0; c < m->channels; c++)
                ((float *)map_at(m, y, x))[c] = offset + size * fixture_random(&seed);
}

/* Border and padding are as they were. */
static void assert_rest_kept(const struct map *m)
{
    size_t size = dtype_bytes(m->dtype);

    for (int y = -1; y <= m->rows; y++)
        for (int x = -1; x <= m->columns; x++) {
            bool inside = y >= 0 && y < m->rows && x >= 0 && x < m->columns;
            const unsigned char *p = map_at(m, y, x);
            for (size_t i = inside ? (size_t)m->channels * size : 0; i < (size_t)m->stride * size;
                 i++)
                assert_int_equal(p[i], 0x5A);
        }
}

static void the_border_is_cleared_and_nothing_else(void **state)
{
    static const int SIZE[][3] = {{1, 1, 1}, {3, 5, 16}, {8, 2, 33}};

    (void)state;
    for (int i = 0; i < 3; i++)
        for (int bf16 = 0; bf16 < 2; bf16++) {
            struct map m =
                map_new(bf16 ? DTYPE_BF16 : DTYPE_F32, SIZE[i][0], SIZE[i][1], SIZE[i][2]);
            size_t pixel = (size_t)m.stride * dtype_bytes(m.dtype);
            map_clear_border(&m);
            for (int y = -1; y <= m.rows; y++)
                for (int x = -1; x <= m.columns; x++) {
                    bool inside = y >= 0 && y < m.rows && x >= 0 && x < m.columns;
                    const unsigned char *p = map_at(&m, y, x);
                    for (size_t k = 0; k < pixel; k++)
                        assert_int_equal(p[k], inside ? 0x5A : 0);
                }
            free(m.data);
        }
}

struct shape {
    int rows, columns, channels, groups;
    float size, offset;
    bool silu;
};

static const struct shape SHAPE[] = {
    {1, 1, 4, 2, 1.0f, 0.0f, false},    {3, 5, 32, 32, 1.0f, 0.0f, true},
    {20, 7, 64, 32, 1.0f, 0.0f, true},  {17, 3, 96, 32, 1.0f, 0.0f, true},
    {6, 6, 128, 32, 1.0f, 50.0f, true}, {2, 3, 1152, 36, 1.0f, 0.0f, false},
    {5, 5, 35, 5, 0.0f, 3.0f, false},   {40, 2, 512, 256, 4.0f, -1.0f, true},
};

enum { SHAPES = sizeof(SHAPE) / sizeof(SHAPE[0]) };

static void check_groupnorm(const struct shape *s, enum isa isa, enum dtype to)
{
    float weight[1152], bias[1152];
    double want[1152];
    uint32_t seed = 3;
    struct map x = map_new(DTYPE_F32, s->rows, s->columns, s->channels), first = {0};

    for (int c = 0; c < s->channels; c++) {
        weight[c] = fixture_random(&seed);
        bias[c] = fixture_random(&seed);
    }
    fill(&x, s->size, s->offset);
    for (int w = 0; w < POOLS; w++) {
        struct map y = map_new(to, s->rows, s->columns, s->channels);
        size_t bytes = (size_t)((y.rows + 2) * (y.columns + 2) * y.stride) * dtype_bytes(to);
        struct nn_run run = {NULL, isa, NULL};
        assert_int_equal(pool_open(POOL_WIDTH[w], &run.pool, NULL), ERR_OK);
        assert_true(nn_groupnorm(&run, &x, s->groups, weight, bias, 1e-6f, s->silu, &y));
        pool_close(run.pool);
        if (w == 0) {
            first = y;
            continue;
        }
        assert_memory_equal(y.data, first.data, bytes);
        free(y.data);
    }
    assert_rest_kept(&first);
    for (int i = 0; i < s->rows * s->columns; i += 3) {
        int py = i / s->columns, px = i % s->columns;
        ref_groupnorm(&x, py, px, s->groups, weight, bias, 1e-6, s->silu, want);
        for (int c = 0; c < s->channels; c++) {
            double near = 1e-5 * (1.0 + fabs((double)s->offset));
            if (to == DTYPE_BF16)
                near += fabs(want[c]) / 256.0;
            if (!(fabs(number(&first, py, px, c) - want[c]) <= near))
                fail_msg("%s, %d channels in %d groups: %g instead of %g", isa_name(isa),
                         s->channels, s->groups, number(&first, py, px, c), want[c]);
        }
    }
    free(first.data);
    free(x.data);
}

static void groupnorm_agrees_with_its_twin(void **state)
{
    (void)state;
    for (int i = 0; i < ISA_COUNT; i++)
        for (int s = 0; s < SHAPES; s++)
            for (int bf16 = 0; bf16 < 2 && isa_usable((enum isa)i); bf16++)
                check_groupnorm(&SHAPE[s], (enum isa)i, bf16 ? DTYPE_BF16 : DTYPE_F32);
}

static void groupnorm_may_be_in_place(void **state)
{
    float weight[48], bias[48] = {0};
    struct map x = map_new(DTYPE_F32, 4, 9, 48), y = map_new(DTYPE_F32, 4, 9, 48);
    struct nn_run run = {NULL, isa_best(), NULL};

    (void)state;
    for (int c = 0; c < 48; c++)
        weight[c] = 1.0f + (float)c;
    fill(&x, 1.0f, 0.5f);
    assert_int_equal(pool_open(2, &run.pool, NULL), ERR_OK);
    assert_true(nn_groupnorm(&run, &x, 3, weight, bias, 1e-6f, true, &y));
    assert_true(nn_groupnorm(&run, &x, 3, weight, bias, 1e-6f, true, &x));
    assert_memory_equal(x.data, y.data, (size_t)(6 * 11 * x.stride) * sizeof(float));
    pool_close(run.pool);
    free(x.data);
    free(y.data);
}

static void pixels_are_doubled_and_converted(void **state)
{
    (void)state;
    for (int i = 0; i < ISA_COUNT; i++)
        for (int bf16 = 0; bf16 < 2 && isa_usable((enum isa)i); bf16++) {
            enum dtype to = bf16 ? DTYPE_BF16 : DTYPE_F32;
            struct map x = map_new(DTYPE_F32, 5, 3, 33), same = map_new(to, 5, 3, 33);
            struct map twice = map_new(to, 10, 6, 33);
            struct nn_run run = {NULL, (enum isa)i, NULL};
            fill(&x, 1.0f, 0.0f);
            assert_int_equal(pool_open(3, &run.pool, NULL), ERR_OK);
            assert_true(nn_map_convert(&run, &x, &same));
            assert_true(nn_upsample(&run, &x, &twice));
            pool_close(run.pool);
            for (int y = 0; y < 10; y++)
                for (int c = 0; c < 6 * 33; c++) {
                    double v = number(&x, y / 2, c / 33 / 2, c % 33);
                    double want = bf16 ? (double)float_of_bf16(bf16_of((float)v)) : v;
                    assert_true(number(&twice, y, c / 33, c % 33) == want);
                    assert_true(number(&same, y / 2, c / 33 / 2, c % 33) == want);
                }
            assert_rest_kept(&same);
            assert_rest_kept(&twice);
            free(x.data);
            free(same.data);
            free(twice.data);
        }
}

static void cancel_ends_it(void **state)
{
    const atomic_bool cancel = true;
    float ones[16] = {0};
    struct map x = map_new(DTYPE_F32, 2, 2, 16), y = map_new(DTYPE_F32, 4, 4, 16);
    struct nn_run run = {NULL, ISA_PLAIN, &cancel};

    (void)state;
    fill(&x, 1.0f, 0.0f);
    assert_int_equal(pool_open(2, &run.pool, NULL), ERR_OK);
    assert_false(nn_groupnorm(&run, &x, 2, ones, ones, 1e-6f, false, &x));
    assert_false(nn_upsample(&run, &x, &y));
    assert_false(nn_map_convert(&run, &x, &x));
    pool_close(run.pool);
    free(x.data);
    free(y.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_border_is_cleared_and_nothing_else),
        cmocka_unit_test(groupnorm_agrees_with_its_twin),
        cmocka_unit_test(groupnorm_may_be_in_place),
        cmocka_unit_test(pixels_are_doubled_and_converted),
        cmocka_unit_test(cancel_ends_it),
    };

    (void)isa_ask_for_amx();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
