/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "nn/isa_internal.h"
#include "nn/matrix.h"

#include <stdalign.h>
#include <stdlib.h>

static void names_are_read_back(void **state)
{
    static const char *const bad[] = {"", "AVX2", "avx", "avx512bf", "plain ", "sse2"};

    (void)state;
    for (int i = 0; i < ISA_COUNT; i++) {
        enum isa found = ISA_PLAIN;
        assert_true(isa_of_name(isa_name((enum isa)i), &found));
        assert_int_equal(found, i);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        enum isa found = ISA_AVX2;
        assert_false(isa_of_name(bad[i], &found));
        assert_int_equal(found, ISA_AVX2);
    }
}

/* Each path builds on the one before; plain C runs anywhere. */
static void a_usable_path_is_not_better_than_the_best(void **state)
{
    (void)state;
    assert_true(isa_usable(ISA_PLAIN));
    assert_true(isa_usable(isa_best()));
    for (int i = 1; i < ISA_COUNT; i++) {
        if (isa_usable((enum isa)i))
            assert_true(isa_usable((enum isa)(i - 1)));
        if (i > (int)isa_best())
            assert_false(isa_usable((enum isa)i));
    }
}

/* What is in the way of AMX, and who. */
static void amx_is_lacked_for_one_reason(void **state)
{
    enum { BF16 = 1 << 22, TILE = 1 << 24, INT8 = 1 << 25, ALL = BF16 | TILE | INT8 };
    enum { SAVED = 3 << 17, DATA = 1 << 18, VECTORS = 0xE7 };
    static const struct {
        struct amx_facts facts;
        enum isa_lack lack;
    } row[] = {
        {{ALL, SAVED | VECTORS, SAVED | VECTORS, true}, ISA_LACKS_NOTHING},
        {{~0U, UINT64_MAX, DATA, true}, ISA_LACKS_NOTHING},
        {{0, 0, 0, false}, ISA_LACKS_PROCESSOR},
        {{0, SAVED, SAVED, true}, ISA_LACKS_PROCESSOR},
        {{ALL & ~BF16, SAVED, SAVED, true}, ISA_LACKS_PROCESSOR},
        {{ALL & ~TILE, SAVED, SAVED, true}, ISA_LACKS_PROCESSOR},
        {{ALL & ~INT8, SAVED, SAVED, true}, ISA_LACKS_PROCESSOR},
        {{ALL, SAVED, SAVED, false}, ISA_LACKS_BUILD},
        {{ALL, 0, 0, true}, ISA_LACKS_KERNEL},
        {{ALL, VECTORS, SAVED, true}, ISA_LACKS_KERNEL},
        {{ALL, 1 << 17, SAVED, true}, ISA_LACKS_KERNEL},
        {{ALL, DATA, SAVED, true}, ISA_LACKS_KERNEL},
        {{ALL, SAVED, VECTORS | 1 << 17, true}, ISA_LACKS_KERNEL}, // before it was asked
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        assert_int_equal(amx_lack(&row[i].facts), row[i].lack);
}

/* A process that was not given tiles must not be told that it has them. */
static void asking_for_amx_decides(void **state)
{
    (void)state;
    if (isa_ask_for_amx())
        assert_true(isa_lack(ISA_AMX) != ISA_LACKS_KERNEL);
    else
        assert_false(isa_usable(ISA_AMX));
    for (int i = 0; i < ISA_COUNT; i++)
        assert_int_equal(isa_usable((enum isa)i), isa_lack((enum isa)i) == ISA_LACKS_NOTHING);
}

static void a_row_is_padded_to_whole_vectors(void **state)
{
    static const struct {
        enum dtype dtype;
        int width, stride;
    } row[] = {{DTYPE_F32, 1, 16},   {DTYPE_F32, 16, 16}, {DTYPE_F32, 17, 32}, {DTYPE_BF16, 1, 32},
               {DTYPE_BF16, 32, 32}, {DTYPE_I8, 64, 64},  {DTYPE_I8, 65, 128}};

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        assert_int_equal(matrix_stride(row[i].dtype, row[i].width), row[i].stride);
}

/* A plan over nothing counts what the same plan over memory takes, and reuse does not add up. */
static void a_plan_is_made_twice(void **state)
{
    struct workspace w = {NULL, 0, 0};

    (void)state;
    for (int pass = 0; pass < 2; pass++) {
        struct matrix a = workspace_matrix(&w, DTYPE_F32, 3, 20);
        int64_t mark = w.used;
        struct matrix b = workspace_matrix(&w, DTYPE_I8, 5, 70);
        w.used = mark;
        struct matrix c = workspace_matrix(&w, DTYPE_BF16, 1, 1);
        assert_int_equal(mark, 3 * 32 * 4);
        assert_int_equal(w.peak, mark + 5 * 128 + 64);
        assert_int_equal(w.used, mark + 64);
        assert_int_equal(a.data != NULL, pass);
        assert_int_equal(b.scale != NULL, pass);
        assert_ptr_equal(b.data, c.data);
        if (pass == 0) {
            w.base = aligned_alloc(MATRIX_ALIGN, (size_t)w.peak);
            assert_non_null(w.base);
            w.used = 0;
        } else {
            assert_ptr_equal(a.data, w.base);
            assert_ptr_equal(b.data, w.base + mark);
        }
    }
    free(w.base);
}

static void parts_of_a_matrix_borrow_it(void **state)
{
    alignas(64) float numbers[4 * 48];
    alignas(64) int8_t small[2 * 64];
    float scale[2];
    struct matrix m = {DTYPE_F32, 4, 40, 48, numbers, NULL};
    struct matrix q = {DTYPE_I8, 2, 60, 64, small, scale};
    struct matrix rows = matrix_rows(&m, 1, 2), columns = matrix_columns(&m, 16, 24);

    (void)state;
    assert_ptr_equal(rows.data, numbers + 48);
    assert_int_equal(rows.rows, 2);
    assert_int_equal(rows.width, 40);
    assert_ptr_equal(columns.data, numbers + 16);
    assert_int_equal(columns.width, 24);
    assert_int_equal(columns.stride, 48);
    assert_ptr_equal(matrix_rows(&q, 1, 1).data, small + 64);
    assert_ptr_equal(matrix_rows(&q, 1, 1).scale, scale + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_back),
        cmocka_unit_test(a_usable_path_is_not_better_than_the_best),
        cmocka_unit_test(amx_is_lacked_for_one_reason),
        cmocka_unit_test(asking_for_amx_decides),
        cmocka_unit_test(a_row_is_padded_to_whole_vectors),
        cmocka_unit_test(a_plan_is_made_twice),
        cmocka_unit_test(parts_of_a_matrix_borrow_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
