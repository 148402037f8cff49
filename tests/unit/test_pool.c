/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "base/pool.h"

#include <pthread.h>
#include <string.h>

enum { WIDEST = 8, TURNS_MAX = 1000 };

struct loop {
    atomic_int begun[TURNS_MAX], at_work[WIDEST], clashes;
    int width;
    atomic_bool cancel;
    int stop_at; /* the turn that raises `cancel` */
};

static void turn(void *ctx, int index, int worker)
{
    struct loop *l = ctx;

    // Scratch memory is a worker's own as long as a turn lasts.
    if (worker < 0 || worker >= l->width || atomic_fetch_add(&l->at_work[worker], 1) != 0)
        atomic_fetch_add(&l->clashes, 1);
    atomic_fetch_add(&l->begun[index], 1);
    if (index == l->stop_at)
        atomic_store(&l->cancel, true);
    atomic_fetch_sub(&l->at_work[worker], 1);
}

static struct pool *pool_of(int threads)
{
    struct pool *p = NULL;
    struct err_note note = {0};

    if (pool_open(threads, &p, &note) != ERR_OK)
        fail_msg("%s", note.text);
    return p;
}

static void every_turn_is_taken_once(void **state)
{
    static const int width[] = {1, 2, 3, WIDEST}, count[] = {0, 1, 2, 7, 64, TURNS_MAX};

    (void)state;
    for (size_t w = 0; w < sizeof(width) / sizeof(width[0]); w++) {
        struct pool *p = pool_of(width[w]);
        assert_int_equal(pool_width(p), width[w]);
        for (size_t c = 0; c < sizeof(count) / sizeof(count[0]); c++) {
            struct loop l = {.width = width[w], .stop_at = -1};
            assert_true(pool_run(p, count[c], turn, &l, c % 2 ? &l.cancel : NULL));
            for (int i = 0; i < TURNS_MAX; i++)
                assert_int_equal(l.begun[i], i < count[c]);
            assert_int_equal(l.clashes, 0);
        }
        pool_close(p);
    }
}

static void no_turn_begins_once_it_is_cancelled(void **state)
{
    (void)state;
    for (int width = 1; width <= WIDEST; width *= 2) {
        struct pool *p = pool_of(width);
        struct loop l = {.width = width, .stop_at = 10};
        int begun = 0;
        assert_false(pool_run(p, TURNS_MAX, turn, &l, &l.cancel));
        for (int i = 0; i < TURNS_MAX; i++)
            begun += l.begun[i];
        // Others may be at it by then, each with any number of turns that took no time.
        assert_true(begun > 10 && (width > 1 || begun == 11));
        memset(l.begun, 0, sizeof(l.begun));
        assert_false(pool_run(p, TURNS_MAX, turn, &l, &l.cancel));
        for (int i = 0; i < TURNS_MAX; i++)
            assert_int_equal(l.begun[i], 0);
        pool_close(p);
    }
}

/* Larger than the stack that threads are given below. */
static void use_stack(void *ctx, int index, int worker)
{
    volatile char sums[1 << 20];
    atomic_int *used = ctx;

    (void)worker;
    for (size_t i = 0; i < sizeof(sums); i += 4096)
        sums[i] = (char)index;
    atomic_fetch_add(used, sums[4096] == (char)index);
}

static void turns_have_a_megabyte_of_stack(void **state)
{
    pthread_attr_t how;
    atomic_int used = 0;

    (void)state;
    assert_int_equal(pthread_getattr_default_np(&how), 0);
    assert_int_equal(pthread_attr_setstacksize(&how, 256 * 1024), 0);
    assert_int_equal(pthread_setattr_default_np(&how), 0);
    struct pool *p = pool_of(2);
    // Enough that the second thread wakes up in time to take some.
    assert_true(pool_run(p, 10000, use_stack, &used, NULL));
    assert_int_equal(used, 10000);
    pool_close(p);
    pthread_attr_destroy(&how);
}

static void widths_have_their_limits(void **state)
{
    (void)state;
    for (int threads = -1; threads <= 1; threads++) {
        struct pool *p = pool_of(threads);
        assert_int_equal(pool_width(p), 1);
        pool_close(p);
    }
    struct pool *p = pool_of(POOL_THREADS_MAX + 1);
    assert_int_equal(pool_width(p), POOL_THREADS_MAX);
    pool_close(p);
    pool_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_turn_is_taken_once),
        cmocka_unit_test(no_turn_begins_once_it_is_cancelled),
        cmocka_unit_test(turns_have_a_megabyte_of_stack),
        cmocka_unit_test(widths_have_their_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
