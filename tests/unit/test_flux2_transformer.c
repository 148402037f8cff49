/* SPDX-License-Identifier: MIT */
#include "unit/flux2_fixture.h"

#include "unit/counted_malloc.h"

#include "models/flux2/config.h"
#include "models/flux2/rotary.h"
#include "models/flux2/transformer.h"
#include "models/flux2/watch.h"

enum { TEXT = 20, TEXT_WIDTH = 192, CHANNELS = 128, HIDDEN = 256 };

static const struct flux2_grid GRID = {6, 5}, REFERENCE[] = {{4, 6}, {3, 2}};

struct fixture {
    struct safetensors *golden;
    struct packed *packed;
    struct transformer *transformer;
    float *text, *z, *reference[FLUX2_REFERENCES_MAX];
    double tolerance;
    int seen;
};

static void open_with(struct fixture *f, enum flux2_precision precision)
{
    *f = (struct fixture){.golden = golden_open("transformer.safetensors"),
                          .packed = model_packed(precision),
                          .tolerance = tolerance_of(precision)};
    assert_int_equal(transformer_open(f->packed, &f->transformer, NULL), ERR_OK);
    f->text = golden(f->golden, "text", NULL);
    f->z = golden(f->golden, "z", NULL);
    f->reference[0] = golden(f->golden, "reference.1", NULL);
    f->reference[1] = golden(f->golden, "reference.2", NULL);
}

static void close_it(struct fixture *f)
{
    transformer_close(f->transformer);
    packed_close(f->packed);
    safetensors_close(f->golden);
    free(f->text);
    free(f->z);
    free(f->reference[0]);
    free(f->reference[1]);
}

static struct transformer_shape shape_of(int batch, int references)
{
    return (struct transformer_shape){.batch = batch,
                                      .text = TEXT,
                                      .grid = GRID,
                                      .reference = {REFERENCE[0], REFERENCE[1]},
                                      .references = references};
}

static struct transformer_plan *plan_of(const struct fixture *f, const struct nn_run *how,
                                        const struct transformer_shape *s)
{
    struct transformer_plan *p = NULL;

    assert_int_equal(transformer_plan(f->transformer, how, s, f->text, TEXT_WIDTH,
                                      (const float *const *)f->reference, &p, NULL),
                     ERR_OK);
    return p;
}

static void compare(const struct fixture *f, const char *name, const float *got, int64_t n)
{
    int64_t count;
    float *want = golden(f->golden, name, &count);

    assert_int_equal(count, n);
    assert_near(name, got, want, count, f->tolerance);
    free(want);
}

// Rows of the stream against a golden that has `skip` rows in front of them.
static void compare_rows(const struct fixture *f, const char *name, int skip,
                         const struct matrix *m, int first, int count)
{
    float *want = golden(f->golden, name, NULL), *got = rows_of(m, first, count);

    assert_near(name, got, want + (int64_t)skip * m->width, (int64_t)count * m->width,
                f->tolerance);
    free(want);
    free(got);
}

// The reference has text, picture, references where the stream has text, references, picture.
static void see(void *ctx, const char *name, int index, const struct matrix *m)
{
    static const char *const MODULATION[] = {"picture", "text", "single"};
    struct fixture *f = ctx;
    const int pictures = (int)flux2_tokens(GRID), rows = m->rows;
    char full[64];

    f->seen++;
    if (strcmp(name, "time") == 0) {
        compare_rows(f, "time", 0, m, 0, 1);
    } else if (strcmp(name, "modulation") == 0) {
        snprintf(full, sizeof(full), "modulation.%s", MODULATION[index]);
        compare_rows(f, full, 0, m, 0, 1);
    } else if (strcmp(name, "double") == 0) {
        snprintf(full, sizeof(full), "double.%d.text", index);
        compare_rows(f, full, 0, m, 0, TEXT);
        snprintf(full, sizeof(full), "double.%d.picture", index);
        compare_rows(f, full, 0, m, rows - pictures, pictures);
        compare_rows(f, full, pictures, m, TEXT, rows - pictures - TEXT);
    } else {
        snprintf(full, sizeof(full), "single.%d", index);
        compare_rows(f, full, TEXT, m, rows - pictures, pictures);
        if (index == 0) {
            compare_rows(f, full, 0, m, 0, TEXT);
            compare_rows(f, full, TEXT + pictures, m, TEXT, rows - pictures - TEXT);
        }
    }
}

static void compare_velocity(struct fixture *f, const struct nn_run *how, int references,
                             double sigma, const char *name)
{
    const struct transformer_shape s = shape_of(1, references);
    struct transformer_plan *p = plan_of(f, how, &s);
    const struct flux2_watch watch = {see, f};
    float *out = malloc((size_t)flux2_tokens(GRID) * CHANNELS * sizeof(*out));

    f->seen = 0;
    if (references == 2)
        transformer_plan_watch(p, &watch);
    assert_int_equal(transformer_run(p, how, sigma, &(const float *){f->z}, &out, NULL, NULL),
                     ERR_OK);
    assert_int_equal(f->seen, references == 2 ? 8 : 0);
    compare(f, name, out, flux2_tokens(GRID) * CHANNELS);
    transformer_plan_free(p);
    free(out);
}

static void compare_all(const struct nn_run *how, void *ctx)
{
    compare_velocity(ctx, how, 2, 0.884, "velocity");
    compare_velocity(ctx, how, 0, 0.7041, "plain.velocity");
    compare_velocity(ctx, how, 1, 1.0, "plain.one.velocity");
}

static void blocks_are_the_references(void **state)
{
    static const enum flux2_precision precision[] = {FLUX2_F32, FLUX2_BF16};

    (void)state;
    for (size_t i = 0; i < sizeof(precision) / sizeof(precision[0]); i++) {
        struct fixture f;
        open_with(&f, precision[i]);
        on_every_path(compare_all, &f);
        close_it(&f);
    }
}

static void angles_are_the_references(void **state)
{
    struct safetensors *g = golden_open("transformer.safetensors");
    const struct flux2_transformer_config c = {
        .head = 128, .axis = {32, 32, 32, 32}, .theta = 2000};
    int64_t count;
    float *cosine = golden(g, "rotary.cos", &count), *sine = golden(g, "rotary.sin", NULL);
    float *got_cosine = malloc((size_t)count * sizeof(float));
    float *got_sine = malloc((size_t)count * sizeof(float));
    int64_t at = (int64_t)TEXT * 64;

    (void)state;
    assert_int_equal(count, (TEXT + 30 + 24 + 6) * 64);
    rotary_text(&c, TEXT, got_cosine, got_sine);
    rotary_grid(&c, GRID, 0, got_cosine + at, got_sine + at);
    at += flux2_tokens(GRID) * 64;
    for (int i = 0; i < 2; i++) {
        rotary_grid(&c, REFERENCE[i], i + 1, got_cosine + at, got_sine + at);
        at += flux2_tokens(REFERENCE[i]) * 64;
    }
    for (int64_t i = 0; i < count; i++) {
        assert_true(fabsf(got_cosine[i] - cosine[i]) < 1e-6F);
        assert_true(fabsf(got_sine[i] - sine[i]) < 1e-6F);
    }
    free(cosine);
    free(sine);
    free(got_cosine);
    free(got_sine);
    safetensors_close(g);
}

// Four pictures that differ, together and one by one: the same bits, in every precision.
static void compare_batch(const struct nn_run *how, void *ctx)
{
    const struct fixture *f = ctx;
    const int64_t n = flux2_tokens(GRID) * CHANNELS;
    const struct transformer_shape four = shape_of(FLUX2_BATCH_MAX, 1), one = shape_of(1, 1);
    struct transformer_plan *together = plan_of(f, how, &four), *alone = plan_of(f, how, &one);
    float *z[FLUX2_BATCH_MAX], *got[FLUX2_BATCH_MAX], *want = malloc((size_t)n * sizeof(*want));

    for (int i = 0; i < FLUX2_BATCH_MAX; i++) {
        z[i] = malloc((size_t)n * sizeof(float));
        got[i] = malloc((size_t)n * sizeof(float));
        for (int64_t k = 0; k < n; k++)
            z[i][k] = f->z[(k + i * 77) % n];
    }
    assert_int_equal(transformer_run(together, how, 0.9, (const float *const *)z, got, NULL, NULL),
                     ERR_OK);
    for (int i = 0; i < FLUX2_BATCH_MAX; i++) {
        assert_int_equal(
            transformer_run(alone, how, 0.9, &(const float *){z[i]}, &want, NULL, NULL), ERR_OK);
        assert_memory_equal(got[i], want, (size_t)n * sizeof(float));
        free(z[i]);
        free(got[i]);
    }
    transformer_plan_free(together);
    transformer_plan_free(alone);
    free(want);
}

static void pictures_do_not_depend_on_their_neighbours(void **state)
{
    static const enum flux2_precision precision[] = {FLUX2_F32, FLUX2_BF16, FLUX2_INT8};

    (void)state;
    for (size_t i = 0; i < sizeof(precision) / sizeof(precision[0]); i++) {
        struct fixture f;
        open_with(&f, precision[i]);
        on_every_path(compare_batch, &f);
        close_it(&f);
    }
}

static void velocity_of(const struct fixture *f, int threads, float bias, float *out)
{
    struct pool *pool;
    struct transformer_shape s = shape_of(1, 1);

    s.reference_bias[0] = bias;
    assert_int_equal(pool_open(threads, &pool, NULL), ERR_OK);
    const struct nn_run how = {.pool = pool, .isa = isa_best()};
    struct transformer_plan *p = plan_of(f, &how, &s);
    assert_int_equal(transformer_run(p, &how, 0.9, &(const float *){f->z}, &out, NULL, NULL),
                     ERR_OK);
    transformer_plan_free(p);
    pool_close(pool);
}

static void threads_change_nothing(void **state)
{
    static const enum flux2_precision precision[] = {FLUX2_BF16, FLUX2_INT8};
    enum { N = 30 * CHANNELS };
    static float one[N], three[N];

    (void)state;
    for (size_t i = 0; i < sizeof(precision) / sizeof(precision[0]); i++) {
        struct fixture f;
        open_with(&f, precision[i]);
        velocity_of(&f, 1, 0.0F, one);
        velocity_of(&f, 3, 0.0F, three);
        assert_memory_equal(one, three, sizeof(one));
        close_it(&f);
    }
}

// Keys that weigh nothing are as if they were not there.
static void a_reference_of_no_weight_is_none(void **state)
{
    enum { N = 30 * CHANNELS };
    static float light[N];
    struct fixture f;

    (void)state;
    open_with(&f, FLUX2_F32);
    struct pool *pool;
    assert_int_equal(pool_open(2, &pool, NULL), ERR_OK);
    const struct nn_run how = {.pool = pool, .isa = isa_best()};
    const struct transformer_shape s = shape_of(1, 0);
    struct transformer_plan *p = plan_of(&f, &how, &s);
    float *none = malloc(sizeof(light));
    velocity_of(&f, 2, -80.0F, light);
    assert_int_equal(transformer_run(p, &how, 0.9, &(const float *){f.z}, &none, NULL, NULL),
                     ERR_OK);
    assert_near("a reference of no weight", light, none, N, GOLDEN_F32);
    transformer_plan_free(p);
    pool_close(pool);
    free(none);
    close_it(&f);
}

// Each reference weighs for itself: without the second, all is as with the first alone.
static void the_second_reference_weighs_for_itself(void **state)
{
    enum { N = 30 * CHANNELS };
    static float one[N], both[N], light[N];
    float *out[3] = {one, both, light};
    struct fixture f;

    (void)state;
    open_with(&f, FLUX2_F32);
    struct pool *pool;
    assert_int_equal(pool_open(2, &pool, NULL), ERR_OK);
    const struct nn_run how = {.pool = pool, .isa = isa_best()};
    for (int i = 0; i < 3; i++) {
        struct transformer_shape s = shape_of(1, i == 0 ? 1 : 2);
        s.reference_bias[1] = i == 2 ? -80.0F : 0.0F;
        struct transformer_plan *p = plan_of(&f, &how, &s);
        assert_int_equal(transformer_run(p, &how, 0.9, &(const float *){f.z}, &out[i], NULL, NULL),
                         ERR_OK);
        transformer_plan_free(p);
    }
    assert_near("a second reference of no weight", light, one, N, GOLDEN_F32);
    assert_true(relative(both, one, N) > 100.0 * GOLDEN_F32);
    pool_close(pool);
    close_it(&f);
}

static void count_allocations(const struct nn_run *how, void *ctx)
{
    const struct fixture *f = ctx;
    const struct transformer_shape s = shape_of(1, 2);
    float *out = malloc((size_t)flux2_tokens(GRID) * CHANNELS * sizeof(*out));

    atomic_store(&allocations, 0);
    struct transformer_plan *p = plan_of(f, how, &s);
    assert_true(atomic_load(&allocations) >= 2); // else they are not counted
    atomic_store(&allocations, 0);
    assert_int_equal(transformer_run(p, how, 0.9, &(const float *){f->z}, &out, NULL, NULL),
                     ERR_OK);
    assert_int_equal(atomic_load(&allocations), 0);
    transformer_plan_free(p);
    free(out);
}

static void a_step_allocates_nothing(void **state)
{
    static const enum flux2_precision precision[] = {FLUX2_F32, FLUX2_BF16, FLUX2_INT8};

    (void)state;
    for (size_t i = 0; i < sizeof(precision) / sizeof(precision[0]); i++) {
        struct fixture f;
        open_with(&f, precision[i]);
        on_every_path(count_allocations, &f);
        close_it(&f);
    }
}

struct progress {
    atomic_bool cancel;
    float last, stop_at;
    int calls;
};

static void on_progress(void *ctx, float done)
{
    struct progress *p = ctx;

    assert_true(done > p->last);
    p->last = done;
    p->calls++;
    if (done >= p->stop_at)
        atomic_store(&p->cancel, true);
}

static void it_tells_its_progress_and_stops_when_told(void **state)
{
    struct fixture f;
    struct pool *pool;
    struct progress progress = {.stop_at = 2.0F};
    const struct transformer_shape s = shape_of(1, 1);
    float *out = malloc((size_t)flux2_tokens(GRID) * CHANNELS * sizeof(*out));

    (void)state;
    open_with(&f, FLUX2_BF16);
    assert_int_equal(pool_open(2, &pool, NULL), ERR_OK);
    const struct nn_run how = {.pool = pool, .isa = isa_best(), .cancel = &progress.cancel};
    struct transformer_plan *p = plan_of(&f, &how, &s);
    assert_int_equal(
        transformer_run(p, &how, 1.0, &(const float *){f.z}, &out, on_progress, &progress), ERR_OK);
    assert_int_equal(progress.calls, 4); // a block each
    assert_true(progress.last == 1.0F);
    progress.last = 0.0F;
    progress.stop_at = 0.4F;
    assert_int_equal(
        transformer_run(p, &how, 1.0, &(const float *){f.z}, &out, on_progress, &progress),
        ERR_CANCELLED);
    assert_true(progress.last == 0.5F);
    transformer_plan_free(p);
    pool_close(pool);
    free(out);
    close_it(&f);
}

static void text_of_another_width_is_refused(void **state)
{
    struct fixture f;
    struct pool *pool;
    struct transformer_plan *p = NULL;
    const struct transformer_shape s = shape_of(1, 0);

    (void)state;
    open_with(&f, FLUX2_BF16);
    assert_int_equal(pool_open(1, &pool, NULL), ERR_OK);
    const struct nn_run how = {.pool = pool, .isa = isa_best()};
    assert_int_equal(
        transformer_plan(f.transformer, &how, &s, f.text, TEXT_WIDTH - 1, NULL, &p, NULL),
        ERR_INVALID);
    assert_null(p);
    pool_close(pool);
    close_it(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_the_references),
        cmocka_unit_test(angles_are_the_references),
        cmocka_unit_test(pictures_do_not_depend_on_their_neighbours),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(a_reference_of_no_weight_is_none),
        cmocka_unit_test(the_second_reference_weighs_for_itself),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(it_tells_its_progress_and_stops_when_told),
        cmocka_unit_test(text_of_another_width_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
