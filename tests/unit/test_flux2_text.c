/* SPDX-License-Identifier: MIT */
#include "unit/flux2_fixture.h"

#include "models/flux2/prompts.h"
#include "models/flux2/watch.h"

struct fixture {
    struct safetensors *golden;
    struct packed *packed;
    struct text_encoder *text;
    int32_t ids[TOKENIZER_TOKENS];
    int tokens, used;
    double tolerance;
    int layers; // seen
};

static void open_with(struct fixture *f, enum flux2_precision precision, const char *ids)
{
    char name[64];
    int64_t count;

    *f = (struct fixture){.golden = golden_open("text.safetensors"),
                          .packed = model_packed(precision),
                          .tolerance = tolerance_of(precision)};
    assert_int_equal(text_encoder_open(f->packed, &f->text, NULL), ERR_OK);
    snprintf(name, sizeof(name), "%sids", ids);
    float *values = golden(f->golden, name, &count);
    f->tokens = (int)count;
    for (int i = 0; i < f->tokens; i++)
        f->ids[i] = (int32_t)values[i];
    free(values);
    snprintf(name, sizeof(name), "%sused", ids);
    values = golden(f->golden, name, NULL);
    f->used = (int)values[0];
    free(values);
}

static void close_it(struct fixture *f)
{
    text_encoder_close(f->text);
    packed_close(f->packed);
    safetensors_close(f->golden);
}

static void see(void *ctx, const char *name, int index, const struct matrix *m)
{
    struct fixture *f = ctx;
    char full[64];
    int64_t count;

    snprintf(full, sizeof(full), "%s.%d", name, index);
    float *want = golden(f->golden, full, &count), *got = rows_of(m, 0, m->rows);
    assert_int_equal(count, (int64_t)m->rows * m->width);
    assert_near(full, got, want, count, f->tolerance);
    free(want);
    free(got);
    f->layers++;
}

static void compare_layers(const struct nn_run *how, void *ctx)
{
    struct fixture *f = ctx;
    const struct flux2_watch watch = {see, f};
    int64_t count;
    float *want = golden(f->golden, "out", &count);
    float *got = malloc((size_t)count * sizeof(*got));

    assert_int_equal(count, (int64_t)f->tokens * text_encoder_width(f->text));
    f->layers = 0;
    assert_int_equal(
        text_encoder_run_watched(f->text, how, f->ids, f->tokens, f->used, got, &watch), ERR_OK);
    assert_int_equal(f->layers, 6); // of eight: nobody reads the others
    assert_near("the three taps", got, want, count, f->tolerance);
    free(want);
    free(got);
}

static void layers_are_the_references(void **state)
{
    static const enum flux2_precision precision[] = {FLUX2_F32, FLUX2_BF16};

    (void)state;
    for (size_t i = 0; i < sizeof(precision) / sizeof(precision[0]); i++) {
        struct fixture f;
        open_with(&f, precision[i], "");
        on_every_path(compare_layers, &f);
        close_it(&f);
    }
}

static void a_whole_prompt_is_the_references(void **state)
{
    struct fixture f;
    struct pool *pool;
    int64_t count;

    (void)state;
    open_with(&f, FLUX2_F32, "prompt.");
    assert_int_equal(f.tokens, TOKENIZER_TOKENS);
    assert_int_equal(pool_open(2, &pool, NULL), ERR_OK);
    const struct nn_run how = {.pool = pool, .isa = isa_best()};
    const int width = text_encoder_width(f.text);
    float *rows = golden(f.golden, "prompt.rows", &count);
    float *want = golden(f.golden, "prompt.out", NULL);
    float *got = malloc((size_t)TOKENIZER_TOKENS * (size_t)width * sizeof(*got));
    assert_int_equal(text_encoder_run(f.text, &how, f.ids, TOKENIZER_TOKENS, f.used, got), ERR_OK);
    for (int64_t i = 0; i < count; i++)
        assert_near("a row of the prompt", got + (int64_t)rows[i] * width, want + i * width, width,
                    GOLDEN_F32);
    pool_close(pool);
    free(rows);
    free(want);
    free(got);
    close_it(&f);
}

static void tokens_that_it_does_not_have_are_refused(void **state)
{
    static const struct {
        int32_t id;
        enum err e;
    } row[] = {{-1, ERR_INVALID}, {0, ERR_OK}, {1023, ERR_OK}, {1024, ERR_INVALID}};
    struct fixture f;
    struct pool *pool;
    atomic_bool cancel = true;

    (void)state;
    open_with(&f, FLUX2_BF16, "");
    assert_int_equal(pool_open(1, &pool, NULL), ERR_OK);
    struct nn_run how = {.pool = pool, .isa = isa_best()};
    float *out = malloc((size_t)text_encoder_width(f.text) * sizeof(*out));
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        assert_int_equal(text_encoder_run(f.text, &how, &row[i].id, 1, 1, out), row[i].e);
    how.cancel = &cancel;
    assert_int_equal(text_encoder_run(f.text, &how, &row[1].id, 1, 1, out), ERR_CANCELLED);
    free(out);
    pool_close(pool);
    close_it(&f);
}

static void recent_prompts_are_kept(void **state)
{
    struct fixture f;
    struct pool *pool;
    struct prompts kept = {0};
    int32_t ids[PROMPTS_KEPT + 1][TOKENIZER_TOKENS];
    const float *rows, *again;

    (void)state;
    open_with(&f, FLUX2_BF16, "");
    assert_int_equal(pool_open(2, &pool, NULL), ERR_OK);
    const struct nn_run how = {.pool = pool, .isa = isa_best()};
    for (int i = 0; i <= PROMPTS_KEPT; i++) {
        memset(ids[i], 0, sizeof(ids[i]));
        ids[i][0] = i;
        assert_false(prompts_has(&kept, ids[i]));
        // The first is asked for again, so that the second is the one that makes room.
        assert_int_equal(prompts_encode(&kept, f.text, &how, ids[i], 8, &rows), ERR_OK);
        assert_int_equal(prompts_encode(&kept, f.text, &how, ids[0], 8, &again), ERR_OK);
    }
    for (int i = 0; i <= PROMPTS_KEPT; i++)
        assert_int_equal(prompts_has(&kept, ids[i]), i != 1);
    assert_int_equal(prompts_encode(&kept, f.text, &how, ids[0], 8, &rows), ERR_OK);
    assert_ptr_equal(rows, again);
    prompts_release(&kept);
    pool_close(pool);
    close_it(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_the_references),
        cmocka_unit_test(a_whole_prompt_is_the_references),
        cmocka_unit_test(tokens_that_it_does_not_have_are_refused),
        cmocka_unit_test(recent_prompts_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
