/* SPDX-License-Identifier: MIT */
#include "unit/flux2_fixture.h"

#include "unit/counted_malloc.h"

#include "base/clock.h"
#include "models/flux2/noise.h"
#include "models/flux2/pipeline.h"

#include <sys/mman.h>

enum { WIDTH = 96, HEIGHT = 64, PIXELS = 3 * WIDTH * HEIGHT, NUMBERS = 6 * 4 * 128 };

/* Where more would be more of the same: under a sanitizer each takes a second. */
enum { FEW_STEPS = FIXTURE_SANITIZED ? 1 : 2 };

static const char PROMPT[] = "Convert to oil painting style, thick brush strokes";
static const struct flux2_grid GRID = {4, 6}, STYLE = {5, 4};

struct fixture {
    struct safetensors *golden;
    struct packed *packed;
    struct pipeline *pipeline;
    float *source[FLUX2_REFERENCES_MAX], *noise;
    float pixels[FLUX2_BATCH_MAX][PIXELS];
    double floor;
};

static struct fixture *open_with(enum flux2_precision precision)
{
    static const double FLOOR[] = {GOLDEN_F32_PSNR, GOLDEN_BF16_PSNR, GOLDEN_INT8_PSNR};
    struct fixture *f = calloc(1, sizeof(*f));
    struct err_note note = {0};

    assert_non_null(f);
    f->golden = golden_open("pipeline.safetensors");
    f->packed = model_packed(precision);
    if (pipeline_open(f->packed, &f->pipeline, &note) != ERR_OK)
        fail_msg("%s", note.text);
    f->source[0] = golden(f->golden, "source.1", NULL);
    f->source[1] = golden(f->golden, "source.2", NULL);
    f->noise = golden(f->golden, "noise", NULL);
    f->floor = FLOOR[precision];
    return f;
}

static void close_it(struct fixture *f)
{
    pipeline_close(f->pipeline);
    packed_close(f->packed);
    safetensors_close(f->golden);
    free(f->source[0]);
    free(f->source[1]);
    free(f->noise);
    free(f);
}

// Picture i begins at the recorded noise, the second, the first again, ...
static struct pipeline_request request_of(struct fixture *f, int references, int count, int steps)
{
    struct pipeline_request r = {.shape = {.grid = GRID,
                                           .reference = {GRID, STYLE},
                                           .references = references,
                                           .count = count,
                                           .batch = count,
                                           .steps = steps,
                                           .guidance = 1.0},
                                 .prompt = PROMPT,
                                 .prompt_len = sizeof(PROMPT) - 1,
                                 .reference = {f->source[0], f->source[1]},
                                 .start = 1.0};

    for (int i = 0; i < count; i++) {
        r.noise[i] = f->noise + (int64_t)(i % 2) * NUMBERS;
        r.pixels[i] = f->pixels[i];
    }
    return r;
}

static double psnr(const float *pixels, const float *want)
{
    double sum = 0.0;

    for (int i = 0; i < PIXELS; i++) {
        double v = pixels[i] / 2.0 + 0.5;
        v = v < 0.0 ? 0.0 : v > 1.0 ? 1.0 : v;
        sum += (v - want[i]) * (v - want[i]);
    }
    return -10.0 * log10(sum / PIXELS);
}

static void compare(const struct fixture *f, const char *name, int picture)
{
    char full[64];

    snprintf(full, sizeof(full), "%s.pixels", name);
    float *want = golden(f->golden, full, NULL);
    double got = psnr(f->pixels[picture], want);
    if (!(got >= f->floor))
        fail_msg("%s: %.1f dB, %.1f are wanted", name, got, f->floor);
    free(want);
}

static void run(const struct fixture *f, const struct nn_run *how, const struct pipeline_request *r)
{
    struct err_note note = {0};

    if (pipeline_run(f->pipeline, how, r, &note) != ERR_OK)
        fail_msg("%s", note.text);
}

// One picture on every path, all that was recorded on the best: kernels have tests of their own,
// and half a thousand rows of text take the plain path seconds. Under a sanitizer one picture on
// the best path, and on the plain one of one precision.
static void compare_all(const struct nn_run *how, void *ctx)
{
    struct fixture *f = ctx;
    bool best = how->isa == isa_best();
    struct pipeline_request r = request_of(f, 1, best && !FIXTURE_SANITIZED ? 2 : 1, 4);

    if (FIXTURE_SANITIZED && !best && f->floor != GOLDEN_BF16_PSNR)
        return;
    run(f, how, &r);
    compare(f, "one", 0);
    if (!best || FIXTURE_SANITIZED)
        return;
    compare(f, "one.second", 1);
    r = request_of(f, 2, 1, 4);
    run(f, how, &r);
    compare(f, "two", 0);
    r = request_of(f, 0, 1, 4);
    run(f, how, &r);
    compare(f, "none", 0);
    r = request_of(f, 1, 1, 3);
    r.shape.guidance = 4.0;
    run(f, how, &r);
    compare(f, "guided", 0);
}

static void pictures_in_f32_are_the_references(void **state)
{
    struct fixture *f = open_with(FLUX2_F32);

    (void)state;
    on_every_path(compare_all, f);
    close_it(f);
}

static void pictures_in_bf16_are_near_the_references(void **state)
{
    struct fixture *f = open_with(FLUX2_BF16);

    (void)state;
    on_every_path(compare_all, f);
    close_it(f);
}

static void pictures_in_int8_are_like_the_references(void **state)
{
    struct fixture *f = open_with(FLUX2_INT8);

    (void)state;
    on_every_path(compare_all, f);
    close_it(f);
}

// How the tests below run: what they ask does not depend on the path.
struct crew {
    struct pool *pool;
    struct nn_run how;
};

static void crew_open(struct crew *c)
{
    assert_int_equal(pool_open(2, &c->pool, NULL), ERR_OK);
    c->how = (struct nn_run){.pool = c->pool, .isa = isa_best()};
}

static void one_after_another_is_as_together(void **state)
{
    static float together[3][PIXELS];
    struct fixture *f = open_with(FLUX2_INT8);
    struct crew c;
    struct pipeline_request r = request_of(f, 1, 3, FEW_STEPS);

    (void)state;
    crew_open(&c);
    run(f, &c.how, &r);
    memcpy(together, f->pixels, sizeof(together));
    for (r.shape.batch = 1; r.shape.batch < 3; r.shape.batch++) {
        memset(f->pixels, 0, sizeof(f->pixels));
        run(f, &c.how, &r);
        assert_memory_equal(together, f->pixels, sizeof(together));
    }
    pool_close(c.pool);
    close_it(f);
}

// Guidance goes from the negative prompt's velocity through the prompt's and beyond.
static void guidance_leads_away_from_the_negative_prompt(void **state)
{
    static float plain[PIXELS], from_nothing[PIXELS], from_empty[PIXELS];
    struct fixture *f = open_with(FLUX2_F32);
    struct crew c;
    struct pipeline_request r = request_of(f, 1, 1, FEW_STEPS);

    (void)state;
    crew_open(&c);
    run(f, &c.how, &r);
    memcpy(plain, f->pixels[0], sizeof(plain));
    r.shape.guidance = 4.0;
    run(f, &c.how, &r);
    memcpy(from_nothing, f->pixels[0], sizeof(plain));
    r.negative = "";
    run(f, &c.how, &r);
    memcpy(from_empty, f->pixels[0], sizeof(plain));
    assert_memory_equal(from_nothing, from_empty, sizeof(plain));
    r.negative = PROMPT; // away from itself is nowhere
    r.negative_len = sizeof(PROMPT) - 1;
    run(f, &c.how, &r);
    assert_near("guided away from itself", f->pixels[0], plain, PIXELS, 1e-6);
    r.negative = "a red frame";
    r.negative_len = strlen(r.negative);
    run(f, &c.how, &r);
    assert_true(relative(f->pixels[0], plain, PIXELS) > 1e-3);
    assert_true(relative(f->pixels[0], from_empty, PIXELS) > 1e-3);
    pool_close(c.pool);
    close_it(f);
}

// What the autoencoder makes of the source is where the way begins and ends when nothing is added.
static void a_later_start_keeps_more_of_the_source(void **state)
{
    static const double start[] = {1e-4, 0.05, 0.3, 0.6, 0.8, 1.0};
    static float kept[PIXELS];
    struct fixture *f = open_with(FLUX2_BF16);
    struct crew c;
    double last = 0.0;

    (void)state;
    crew_open(&c);
    for (size_t i = 0; i < sizeof(start) / sizeof(start[0]); i++) {
        struct pipeline_request r = request_of(f, 1, 1, 1);
        r.start = start[i];
        run(f, &c.how, &r);
        if (i == 0)
            memcpy(kept, f->pixels[0], sizeof(kept));
        double distance = relative(f->pixels[0], kept, PIXELS);
        assert_true(i == 0 || distance > last);
        last = distance;
    }
    pool_close(c.pool);
    close_it(f);
}

struct progress {
    atomic_bool cancel;
    float first, last, stop_at; /* first: above 0 */
    int calls;
};

static void on_progress(void *ctx, float done)
{
    struct progress *p = ctx;

    assert_true(done >= p->last && done <= 1.0F + 1e-6F);
    p->last = done;
    p->first = p->first > 0.0F ? p->first : done;
    p->calls++;
    if (done >= p->stop_at)
        atomic_store(&p->cancel, true);
}

static void it_tells_its_progress_and_stops_when_told(void **state)
{
    static const float stop_at[] = {0.0F, 0.3F, 0.6F, 0.85F, 2.0F};
    struct fixture *f = open_with(FLUX2_BF16);
    struct crew c;
    struct pipeline_request r = request_of(f, 1, 2, 2);

    (void)state;
    crew_open(&c);
    for (size_t i = 0; i < sizeof(stop_at) / sizeof(stop_at[0]); i++) {
        struct progress p = {.stop_at = stop_at[i]};
        c.how.cancel = &p.cancel;
        r.progress = on_progress;
        r.progress_ctx = &p;
        enum err e = pipeline_run(f->pipeline, &c.how, &r, NULL);
        assert_int_equal(e, p.stop_at < 1.0F ? ERR_CANCELLED : ERR_OK);
        // Two pictures together: the parts' beginnings and a block at a time.
        if (p.stop_at > 1.0F)
            assert_true(fabsf(p.last - 1.0F) < 1e-6F && p.calls > 10);
        else
            assert_true(p.last < p.stop_at + 0.2F);
    }
    pool_close(c.pool);
    close_it(f);
}

// What is not done is no progress, or a job's pace would be told by what took no time.
static void a_prompt_that_was_kept_is_no_part_of_the_way(void **state)
{
    struct fixture *f = open_with(FLUX2_BF16);
    struct crew c;
    struct pipeline_request r = request_of(f, 1, 1, 1);
    struct pipeline_cost cost;

    (void)state;
    crew_open(&c);
    pipeline_cost(f->pipeline, &r.shape, &cost);
    const double steps = r.shape.steps * cost.step + cost.decode;
    const double first[] = {cost.text / (cost.text + cost.encode + steps),
                            cost.encode / (cost.encode + steps)};
    for (int i = 0; i < 2; i++) {
        struct progress p = {.stop_at = 2.0F};
        r.progress = on_progress;
        r.progress_ctx = &p;
        assert_int_equal(pipeline_run(f->pipeline, &c.how, &r, NULL), ERR_OK);
        assert_true(fabs(p.first - first[i]) < 1e-5 && fabsf(p.last - 1.0F) < 1e-6F);
    }
    pool_close(c.pool);
    close_it(f);
}

static void prompts_that_are_no_text_are_refused(void **state)
{
    struct fixture *f = open_with(FLUX2_BF16);
    struct crew c;
    struct pipeline_request r = request_of(f, 0, 1, 1);

    (void)state;
    crew_open(&c);
    r.prompt = "oil \xff";
    r.prompt_len = 5;
    assert_int_equal(pipeline_run(f->pipeline, &c.how, &r, NULL), ERR_INVALID);
    r.prompt_len = 0;
    assert_int_equal(pipeline_run(f->pipeline, &c.how, &r, NULL), ERR_OK);
    pool_close(c.pool);
    close_it(f);
}

// One weight of all is no number, as after damage: nobody gets black pictures for it.
static void weights_that_are_no_numbers_are_told(void **state)
{
    struct fixture *f = open_with(FLUX2_BF16);
    struct pipeline_request r = request_of(f, 0, 1, 1);
    struct err_note note = {0};
    struct packed_tensor t;
    struct crew c;

    (void)state;
    assert_true(packed_find(f->packed, "transformer/proj_out.weight", &t));
    assert_int_equal(mprotect((void *)t.data, 4096, PROT_READ | PROT_WRITE), 0);
    memset((void *)t.data, 0xFF, 2);
    crew_open(&c);
    assert_int_equal(pipeline_run(f->pipeline, &c.how, &r, &note), ERR_BUG);
    assert_non_null(strstr(note.text, "patina model check"));
    pool_close(c.pool);
    close_it(f);
}

static void the_model_says_how_it_was_trained(void **state)
{
    struct fixture *f = open_with(FLUX2_INT8);

    (void)state;
    assert_int_equal(pipeline_steps(f->pipeline), 4);
    assert_true(pipeline_guidance(f->pipeline) == 1.0);
    assert_int_equal(pipeline_channels(f->pipeline), 128);
    assert_string_equal(pipeline_precision(f->pipeline), "int8");
    close_it(f);
}

// Sizes are multiplied out for the published model in docs; here that they grow with what is asked.
static void costs_grow_with_what_is_asked(void **state)
{
    struct fixture *f = open_with(FLUX2_BF16);
    struct pipeline_cost one, more;

    (void)state;
    struct pipeline_shape s = {.grid = GRID,
                               .reference = {GRID, GRID},
                               .count = 4,
                               .batch = 1,
                               .steps = 4,
                               .guidance = 1.0};
    pipeline_cost(f->pipeline, &s, &one);
    s.references = 1;
    pipeline_cost(f->pipeline, &s, &more);
    assert_true(one.encode == 0.0 && more.encode > 0.0);
    assert_true(more.step > one.step && more.bytes > one.bytes && more.text == one.text);
    one = more;
    s.batch = 4;
    pipeline_cost(f->pipeline, &s, &more);
    assert_true(more.bytes > one.bytes && more.step == one.step && more.decode == one.decode);
    one = more;
    s.grid.rows *= 2;
    pipeline_cost(f->pipeline, &s, &more);
    assert_true(more.bytes > one.bytes && more.step > one.step && more.decode > one.decode);
    close_it(f);
}

// What a job may take is told by this before it is begun.
static void memory_is_what_was_said(void **state)
{
    static const struct {
        int references, count, batch;
        double guidance;
    } row[] = {{0, 1, 1, 1.0}, {1, 4, 4, 1.0}, {2, 4, 1, 1.0}, {1, 2, 2, 4.0}};

    (void)state;
    // A mapping of its own has up to its alignment behind it, by where it happens to lie.
    (void)mallopt(M_MMAP_MAX, 0);
    struct fixture *f = open_with(FLUX2_INT8);
    struct crew c;
    crew_open(&c);
    for (size_t i = 0; i < (FIXTURE_SANITIZED ? 2 : sizeof(row) / sizeof(row[0])); i++) {
        struct pipeline_request r = request_of(f, row[i].references, row[i].count, 1);
        struct pipeline_cost cost;
        r.shape.batch = row[i].batch;
        r.shape.guidance = row[i].guidance;
        pipeline_cost(f->pipeline, &r.shape, &cost);
        int64_t before = atomic_load(&live_bytes);
        atomic_store(&peak_bytes, before);
        run(f, &c.how, &r);
        int64_t peak = atomic_load(&peak_bytes) - before;
        print_message("%d references, %d pictures: %jd of %jd bytes\n", row[i].references,
                      row[i].count, (intmax_t)peak, (intmax_t)cost.bytes);
        assert_true(peak <= cost.bytes && peak > cost.bytes / 2);
    }
    pool_close(c.pool);
    close_it(f);
}

// A clock whose trials take so many milliseconds, one after the other and again from the front.
static const int *trial_ms;

static int64_t busy_ns(void)
{
    enum { TRIALS = 3 };
    static int64_t now;
    static int calls;

    if (calls++ % 2 == 1)
        now += (int64_t)trial_ms[calls / 2 % TRIALS] * 1000000;
    return now;
}

static void a_rate_is_the_best_of_some(void **state)
{
    static const int row[][3] = {{80, 80, 80}, {40, 40, 40}, {80, 40, 90}, {160, 80, 40}};
    struct fixture *f = open_with(FLUX2_BF16);
    struct crew c;
    double rate[4];

    (void)state;
    crew_open(&c);
    for (size_t i = 0; i < 4; i++) {
        trial_ms = row[i];
        rate[i] = pipeline_rate(f->pipeline, &c.how, busy_ns);
    }
    for (size_t i = 1; i < 4; i++)
        assert_true(fabs(rate[i] / rate[0] - 2.0) < 1e-9);
    // By the threads' own time; as it is, and so no more than that it is some.
    assert_true(pipeline_rate(f->pipeline, &c.how, clock_busy_ns) > 1e6);
    pool_close(c.pool);
    close_it(f);
}

static void noise_is_normal_and_its_seeds(void **state)
{
    enum { N = 100001 };
    static float a[N + 1], b[N];
    double sum = 0.0, squares = 0.0, fourth = 0.0, product = 0.0;

    (void)state;
    a[N] = 7.0F;
    noise_fill(5, N, a);
    assert_true(a[N] == 7.0F);
    noise_fill(6, N, b);
    for (int i = 0; i < N; i++) {
        double v = a[i];
        assert_true(fabs(v) < 7.0);
        sum += v;
        squares += v * v;
        fourth += v * v * v * v;
        product += v * b[i];
    }
    // Five standard deviations of each of these means.
    assert_true(fabs(sum / N) < 0.016);
    assert_true(fabs(squares / N - 1.0) < 0.023);
    assert_true(fabs(fourth / N - 3.0) < 0.16);
    assert_true(fabs(product / N) < 0.016);
    noise_fill(5, N - 1, b);
    assert_memory_equal(a, b, (N - 1) * sizeof(float));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_in_f32_are_the_references),
        cmocka_unit_test(pictures_in_bf16_are_near_the_references),
        cmocka_unit_test(pictures_in_int8_are_like_the_references),
        cmocka_unit_test(one_after_another_is_as_together),
        cmocka_unit_test(guidance_leads_away_from_the_negative_prompt),
        cmocka_unit_test(a_later_start_keeps_more_of_the_source),
        cmocka_unit_test(it_tells_its_progress_and_stops_when_told),
        cmocka_unit_test(a_prompt_that_was_kept_is_no_part_of_the_way),
        cmocka_unit_test(prompts_that_are_no_text_are_refused),
        cmocka_unit_test(weights_that_are_no_numbers_are_told),
        cmocka_unit_test(the_model_says_how_it_was_trained),
        cmocka_unit_test(costs_grow_with_what_is_asked),
        cmocka_unit_test(memory_is_what_was_said),
        cmocka_unit_test(a_rate_is_the_best_of_some),
        cmocka_unit_test(noise_is_normal_and_its_seeds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
