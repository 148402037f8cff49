/* SPDX-License-Identifier: MIT */
#include "engine/engine_run.h"

#include "engine/engine_flux2_plan.h"
#include "models/flux2/pack.h"
#include "unit/tiny_model.h"
#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The tiny model behind the engine contract. */

enum { SIDE = 64 };

static char model[] = "/tmp/patina-flux2-XXXXXX";

static int pack_model(void **state)
{
    struct err_note note = {0};
    char dir[4096];
    int fd = mkstemp(model);

    (void)state;
    if (fd < 0 ||
        flux2_pack(tiny_model(dir, ""), FLUX2_BF16, model, NULL, NULL, NULL, &note) != ERR_OK)
        fail_msg("%s", note.text);
    close(fd);
    return 0;
}

static int remove_model(void **state)
{
    (void)state;
    return unlink(model);
}

static struct engine *open_with(struct engine_options o)
{
    struct engine *e = NULL;
    struct err_note note = {0};

    o.model_path = o.model_path ? o.model_path : model;
    if (engine_flux2_ops.open(&o, &e, &note) != ERR_OK)
        fail_msg("%s", note.text);
    return e;
}

static void make_source(struct image *im)
{
    assert_int_equal(image_new(im, SIDE, SIDE), ERR_OK);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            px[0] = (uint8_t)(x * 255 / SIDE);
            px[1] = (uint8_t)(y * 255 / SIDE);
            px[2] = (uint8_t)((x / 8 + y / 8) % 2 * 200);
            px[3] = 255;
        }
}

static struct engine_job job_of(const struct image *source, const char *prompt, int first,
                                int count)
{
    return (struct engine_job){.source = source,
                               .prompt_text = prompt,
                               .prompt_len = strlen(prompt),
                               .pixels = (int64_t)SIDE * SIDE,
                               .seed = 4294967295U,
                               .first = first,
                               .count = count,
                               .threads = 1};
}

static struct engine_result render(struct engine *e, const struct engine_job *job)
{
    struct engine_result r = {0};
    struct err_note note = {0};

    if (engine_run(e, job, &r, &note) != ERR_OK)
        fail_msg("%s", note.text);
    return r;
}

static void assert_same(const struct image *a, const struct image *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (int y = 0; y < a->height; y++)
        assert_memory_equal(a->px + (size_t)y * a->stride, b->px + (size_t)y * b->stride,
                            (size_t)a->width * 4);
}

static double distance(const struct image *a, const struct image *b)
{
    double sum = 0.0;

    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width * 4; x++) {
            double d = a->px[(size_t)y * a->stride + (size_t)x] -
                       b->px[(size_t)y * b->stride + (size_t)x];
            sum += d * d;
        }
    return sqrt(sum / (4.0 * a->width * a->height));
}

static void a_model_is_what_it_opens_with(void **state)
{
    static const struct {
        const char *model, *isa;
        enum err e;
        const char *says;
    } row[] = {
        {NULL, NULL, ERR_INVALID, "PATINA_MODEL"},
        {"/nonexistent/model.patina", NULL, ERR_NOT_FOUND, "/nonexistent/model.patina"},
        {"/dev/null", NULL, ERR_INVALID, NULL},
        {model, "avx9", ERR_INVALID, "avx9"},
        {model, "plain", ERR_OK, NULL},
        {model, NULL, ERR_OK, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct engine_options o = {.threads = 1, .model_path = row[i].model, .isa = row[i].isa};
        struct engine *e = NULL;
        struct err_note note = {0};
        assert_int_equal(engine_flux2_ops.open(&o, &e, &note), row[i].e);
        if (row[i].says)
            assert_non_null(strstr(note.text, row[i].says));
        if (!e)
            continue;
        if (row[i].isa)
            assert_string_equal(e->label, "flux2/bf16/plain");
        else
            assert_int_equal(strncmp(e->label, "flux2/bf16/", 11), 0);
        e->ops->close(e);
    }
}

static void auto_is_flux2_when_there_is_a_model(void **state)
{
    struct engine_options o = {.threads = 1};

    (void)state;
    assert_ptr_equal(engine_find("auto", &o), &engine_look_ops);
    o.model_path = model;
    assert_ptr_equal(engine_find("auto", &o), &engine_flux2_ops);
    assert_ptr_equal(engine_find("look", &o), &engine_look_ops);
    assert_ptr_equal(engine_find("flux2", &(struct engine_options){0}), &engine_flux2_ops);
}

// However many are asked for, on however many threads, and in however little memory.
static void a_picture_is_its_seeds(void **state)
{
    static const struct {
        int threads;
        int64_t memory;
        int first, count;
    } row[] = {{1, 0, 0, 4}, {3, 0, 2, 2}, {2, 1, 0, 4}, {1, 1, 3, 1}};
    struct engine_result all = {0};
    struct image source;

    (void)state;
    make_source(&source);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct engine *e = open_with(
            (struct engine_options){.threads = row[i].threads, .memory_bytes = row[i].memory});
        struct engine_job job =
            job_of(&source, "oil painting --q 0.25", row[i].first, row[i].count);
        struct engine_result r = render(e, &job);
        for (int k = 0; k < r.count && i > 0; k++)
            assert_same(&r.picture[k], &all.picture[row[i].first + k]);
        if (i == 0)
            all = r;
        else
            engine_result_release(&r);
        e->ops->close(e);
    }
    for (int k = 1; k < all.count; k++)
        assert_true(distance(&all.picture[0], &all.picture[k]) > 1.0);
    engine_result_release(&all);
    image_release(&source);
}

static void what_is_not_there_is_white(void **state)
{
    struct engine *e = open_with((struct engine_options){.threads = 2});
    struct image source, white;

    (void)state;
    make_source(&source);
    make_source(&white);
    for (int y = 0; y < SIDE / 2; y++) {
        memset(white.px + (size_t)y * white.stride, 255, (size_t)SIDE * 4);
        for (int x = 0; x < SIDE; x++)
            source.px[(size_t)y * source.stride + 4 * (size_t)x + 3] = 0;
    }
    source.has_alpha = true;
    struct engine_job job = job_of(&source, "marble --q 0.25", 0, 1);
    struct engine_result a = render(e, &job);
    job.source = &white;
    struct engine_result b = render(e, &job);
    // Their resampling differs along the edge alone, and there is none: the size is the same.
    assert_false(a.picture[0].has_alpha);
    assert_same(&a.picture[0], &b.picture[0]);
    engine_result_release(&a);
    engine_result_release(&b);
    image_release(&source);
    image_release(&white);
    e->ops->close(e);
}

static void read_prompt(const char *text, struct arena *a, struct prompt **out)
{
    *out = arena_alloc(a, sizeof(**out));
    assert_non_null(*out);
    assert_int_equal(prompt_read(*out, a, text, strlen(text)), ERR_OK);
}

static void parameters_are_read(void **state)
{
    static const struct {
        const char *prompt;
        int own, steps; // the model's own, and these
        double start, bias;
        bool source;
        const char *text;
    } row[] = {
        {"oil", 4, 4, 1.0, 0.0, true, "oil"},
        {"oil --q .25", 4, 1, 1.0, 0.0, true, "oil"},
        {"oil --q .25", 1, 1, 1.0, 0.0, true, "oil"},
        {"oil --q .5", 4, 2, 1.0, 0.0, true, "oil"},
        {"oil --q 4", 4, 16, 1.0, 0.0, true, "oil"},
        {"oil --q 4", 50, FLUX2_STEPS_MAX, 1.0, 0.0, true, "oil"},
        {"oil --q .25", 50, 13, 1.0, 0.0, true, "oil"},
        {"oil --s 100", 4, 4, 1.0, 0.0, true, "oil"},
        {"oil --s 101", 4, 4, 1.0, 0.0, true, "oil"},
        {"oil --s 60", 4, 4, 0.62, 0.0, true, "oil"},
        {"oil --s 0", 4, 4, 0.05, 0.0, true, "oil"},
        {"oil --iw 2", 4, 4, 1.0, 0.6931472, true, "oil"},
        {"oil --iw 0", 4, 4, 1.0, -80.0, false, "oil"},
        {"oil --iw 0 --s 50", 4, 4, 0.525, -80.0, true, "oil"},
        {"oil --sw 200 --no red", 4, 4, 1.0, 0.0, true, "oil"},
        {"oil::2 a blue dog::-1 thick paint::1", 4, 4, 1.0, 0.0, true, "oil, thick paint"},
        {"oil::-1", 4, 4, 1.0, 0.0, true, "oil::-1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct arena arena = ARENA_INIT;
        struct flux2_reading r;
        struct prompt *p;
        read_prompt(row[i].prompt, &arena, &p);
        assert_true(flux2_reading_make(p, &(struct flux2_given){.steps = row[i].own}, &arena, &r));
        assert_int_equal(r.steps, row[i].steps);
        assert_true(fabs(r.start - row[i].start) < 1e-9);
        assert_true(fabs((double)r.bias[0] - row[i].bias) < 1e-6);
        assert_int_equal(r.source, row[i].source);
        assert_false(r.style);
        assert_true(r.own == 1.0F);
        assert_string_equal(r.negative, "");
        assert_string_equal(r.text, row[i].text);
        arena_release(&arena);
    }
}

static void a_style_picture_is_the_second_reference(void **state)
{
    static const struct {
        const char *prompt;
        bool source, style;
        double bias;
    } row[] = {
        {"oil", true, true, 0.0},
        {"oil --sw 200", true, true, 0.6931472},
        {"oil --sw 1000", true, true, 2.3025851},
        {"oil --sw 1 --iw 0", true, true, -4.6051702}, // behind a source that weighs nothing
        {"oil --sw 0", true, false, -80.0},
        {"oil --sw 0 --iw 0", false, false, -80.0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct arena arena = ARENA_INIT;
        struct flux2_reading r;
        struct prompt *p;
        read_prompt(row[i].prompt, &arena, &p);
        assert_true(
            flux2_reading_make(p, &(struct flux2_given){.steps = 4, .style = true}, &arena, &r));
        assert_int_equal(r.source, row[i].source);
        assert_int_equal(r.style, row[i].style);
        assert_true(fabs((double)r.bias[1] - row[i].bias) < 1e-6);
        arena_release(&arena);
    }
}

static void chaos_is_a_pictures_own_share_of_its_noise(void **state)
{
    static const struct {
        const char *prompt;
        double own;
    } row[] = {{"oil", 1.0},
               {"oil --chaos 0", 0.3},
               {"oil --chaos 50", 0.65},
               {"oil --chaos 100", 1.0},
               {"oil --chaos 101", 1.0}};

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct arena arena = ARENA_INIT;
        struct flux2_reading r;
        struct prompt *p;
        read_prompt(row[i].prompt, &arena, &p);
        assert_true(flux2_reading_make(p, &(struct flux2_given){.steps = 4}, &arena, &r));
        assert_true(fabs((double)r.own - row[i].own) < 1e-6);
        arena_release(&arena);
    }
}

static void guidance_leads_away_from_what_no_lists(void **state)
{
    struct arena arena = ARENA_INIT;
    struct flux2_reading r;
    struct prompt *p;

    (void)state;
    read_prompt("oil --no  Red, a frame --q 1", &arena, &p);
    assert_true(
        flux2_reading_make(p, &(struct flux2_given){.steps = 4, .guided = true}, &arena, &r));
    assert_string_equal(r.negative, "Red, a frame");
    arena_release(&arena);
}

static void what_has_no_effect_is_told(void **state)
{
    enum { GUIDED = 1, STYLE = 2 };
    static const struct {
        const char *prompt;
        unsigned given;
        const char *says; // NULL: nothing
    } row[] = {
        {"oil --iw 2 --s 50 --q 2 --seed 7 --ar 1:1", 0, NULL},
        {"frobnicate the xyzzy", 0, NULL}, // the model has its own idea of words
        {"oil --s 101", 0, "--s over 100"},
        {"oil --chaos 3", 0, NULL},
        {"oil --no red", STYLE, "--no"},
        {"oil --no red", GUIDED, NULL},
        {"oil --sref https://example.org/a.jpg", GUIDED, "--sref"},
        {"oil --sref https://example.org/a.jpg --sw 0", 0, NULL}, // then nobody fetches it
        {"oil --sref https://example.org/a.jpg --sw 3", STYLE, NULL},
        {"oil --sw 3", 0, "--sw"},
        {"oil --sw 3", STYLE, NULL},
        {"oil --tile", 0, "--tile"},
        {"oil --style raw", 0, "--style raw"},
        {"oil::2 pencil::1", 0, "::"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct arena arena = ARENA_INIT;
        struct prompt *p;
        read_prompt(row[i].prompt, &arena, &p);
        const struct flux2_given given = {4, row[i].given & GUIDED, row[i].given & STYLE};
        flux2_reading_warn(p, &given, &arena);
        assert_int_equal(p->warning_count, row[i].says ? 1 : 0);
        if (row[i].says) {
            assert_string_equal(p->warning[0].code, "no_effect");
            assert_non_null(strstr(p->warning[0].message, row[i].says));
        }
        arena_release(&arena);
    }
}

// Of any size, and only as far as it weighs; a source's own style is another.
static void a_style_picture_changes_the_result(void **state)
{
    struct engine *e = open_with((struct engine_options){.threads = 2});
    struct image source, style;
    const char *url;

    (void)state;
    make_source(&source);
    assert_int_equal(image_new(&style, 3 * SIDE, SIDE / 2), ERR_OK);
    for (int i = 0; i < 3 * SIDE * SIDE / 2; i++)
        memcpy(style.px + 4 * (size_t)i, i / 7 % 2 ? "\xFF\x20\x10\xFF" : "\x10\x30\xF0\xFF", 4);
    struct engine_job job = job_of(&source, "oil --q .25", 0, 1);
    struct engine_result without = render(e, &job);
    job.style = &style;
    struct engine_result with = render(e, &job), again = render(e, &job);
    job.prompt_text = "oil --q .25 --sw 0";
    job.prompt_len = strlen(job.prompt_text);
    struct engine_result weightless = render(e, &job);
    assert_true(distance(&with.picture[0], &without.picture[0]) > 1.0);
    assert_same(&with.picture[0], &again.picture[0]);
    assert_same(&weightless.picture[0], &without.picture[0]);

    struct arena arena = ARENA_INIT;
    assert_int_equal(engine_run_style(e, &job, &arena, &url), ERR_OK);
    assert_null(url); // --sw 0
    job.prompt_text = "oil --sref https://example.org/a.jpg";
    job.prompt_len = strlen(job.prompt_text);
    assert_int_equal(engine_run_style(e, &job, &arena, &url), ERR_OK);
    assert_string_equal(url, "https://example.org/a.jpg");
    arena_release(&arena);
    engine_result_release(&without);
    engine_result_release(&with);
    engine_result_release(&again);
    engine_result_release(&weightless);
    image_release(&source);
    image_release(&style);
    e->ops->close(e);
}

// The same weights, as a model that says that it is a base one; packed at `path`.
static void pack_base_model(const char *path)
{
    static const char *const part[] = {"transformer", "text_encoder", "vae", "tokenizer"};
    char dir[] = "/tmp/patina-base-XXXXXX", from[4096], to[200];
    struct err_note note = {0};

    assert_non_null(mkdtemp(dir));
    for (int i = 0; i < 4; i++) {
        snprintf(to, sizeof(to), "%s/%s", dir, part[i]);
        assert_int_equal(symlink(tiny_model(from, part[i]), to), 0);
    }
    snprintf(to, sizeof(to), "%s/model_index.json", dir);
    FILE *index = fopen(to, "w");
    assert_non_null(index);
    fputs("{\"_class_name\":\"Flux2KleinPipeline\",\"is_distilled\":false}", index);
    fclose(index);
    if (flux2_pack(dir, FLUX2_BF16, path, NULL, NULL, NULL, &note) != ERR_OK)
        fail_msg("%s", note.text);
    assert_int_equal(unlink(to), 0);
    for (int i = 0; i < 4; i++) {
        snprintf(to, sizeof(to), "%s/%s", dir, part[i]);
        assert_int_equal(unlink(to), 0);
    }
    assert_int_equal(rmdir(dir), 0);
}

static void a_base_model_is_led_away_from_what_no_lists(void **state)
{
    static const char *const prompt[] = {"oil --q .25", "oil --q .25 --no a red frame"};
    char path[] = "/tmp/patina-flux2-XXXXXX";
    struct engine_result r[2];
    struct image source;

    (void)state;
    close(mkstemp(path));
    pack_base_model(path);
    struct engine *e = open_with((struct engine_options){.threads = 2, .model_path = path});
    make_source(&source);
    for (int i = 0; i < 2; i++) {
        struct engine_job job = job_of(&source, prompt[i], 0, 1);
        r[i] = render(e, &job);
        assert_null(strstr(r[i].warnings.data, "--no"));
    }
    assert_true(distance(&r[0].picture[0], &r[1].picture[0]) > 0.1);
    for (int i = 0; i < 2; i++)
        engine_result_release(&r[i]);
    image_release(&source);
    e->ops->close(e);
    assert_int_equal(unlink(path), 0);
}

// What the four have in common does not depend on how many are made.
static void chaos_moves_the_four_apart(void **state)
{
    static const char *const prompt[] = {"oil --q .25 --chaos 0", "oil --q .25 --chaos 30",
                                         "oil --q .25 --chaos 65", "oil --q .25 --chaos 100"};
    struct engine *e = open_with((struct engine_options){.threads = 2});
    struct image source;
    double last = 0.0;

    (void)state;
    make_source(&source);
    for (size_t i = 0; i < sizeof(prompt) / sizeof(prompt[0]); i++) {
        struct engine_job job = job_of(&source, prompt[i], 0, 4), one = job;
        struct engine_result r = render(e, &job), third, plain;
        double apart = 0.0;
        for (int k = 0; k < 6; k++) // of the four, each pair
            apart += distance(&r.picture[k < 3   ? 0
                                         : k < 5 ? 1
                                                 : 2],
                              &r.picture[k < 3   ? k + 1
                                         : k < 5 ? k - 1
                                                 : 3]);
        print_message("%s: %.2f levels apart\n", prompt[i], apart / 6.0);
        assert_true(apart > last);
        last = apart;
        one.first = 2;
        one.count = 1;
        third = render(e, &one);
        assert_same(&third.picture[0], &r.picture[2]);
        if (i == 3) { // all of it is their own: as without
            job.prompt_text = "oil --q .25";
            job.prompt_len = strlen(job.prompt_text);
            plain = render(e, &job);
            assert_same(&plain.picture[3], &r.picture[3]);
            engine_result_release(&plain);
        }
        engine_result_release(&third);
        engine_result_release(&r);
    }
    image_release(&source);
    e->ops->close(e);
}

// Each from what it is at its end, step by step further away.
static void parameters_have_the_effect_that_they_are_said_to_have(void **state)
{
    enum { COUNT = 2 }; // pictures, of which the mean is taken
    static const char *const curve[][5] = {
        {"oil --q .25 --iw 0", "oil --q .25 --iw .3", "oil --q .25 --iw 1", "oil --q .25 --iw 3"},
        {"oil --q .25 --s 0", "oil --q .25 --s 30", "oil --q .25 --s 60", "oil --q .25 --s 100"},
        {"oil --q 2", "oil --q 1", "oil --q .5", "oil --q .25"},
    };
    struct engine *e = open_with((struct engine_options){.threads = 2});
    struct image source;

    (void)state;
    make_source(&source);
    for (size_t i = 0; i < sizeof(curve) / sizeof(curve[0]); i++) {
        struct engine_result first = {0};
        double last = 0.0;
        for (int k = 0; curve[i][k]; k++) {
            struct engine_job job = job_of(&source, curve[i][k], 0, COUNT);
            struct engine_result r = render(e, &job);
            if (k == 0) {
                first = r;
                continue;
            }
            double d = 0.0;
            for (int n = 0; n < COUNT; n++)
                d += distance(&r.picture[n], &first.picture[n]) / COUNT;
            print_message("%s: %.2f levels from %s\n", curve[i][k], d, curve[i][0]);
            assert_true(d > last);
            last = d;
            engine_result_release(&r);
        }
        engine_result_release(&first);
    }
    image_release(&source);
    e->ops->close(e);
}

static void estimates_grow_with_what_is_asked(void **state)
{
    struct engine *e = open_with((struct engine_options){.threads = 1});
    struct engine *careful = open_with((struct engine_options){.threads = 1, .memory_bytes = 1});
    const struct engine_sizes square = {256, 256, 0, 0}, wide = {512, 256, 0, 0};
    const struct engine_sizes styled = {512, 256, 256, 256};
    struct engine_estimate small, large, quick, less, more;
    struct arena arena = ARENA_INIT;
    struct prompt *p, *q;

    (void)state;
    read_prompt("oil", &arena, &p);
    read_prompt("oil --q .25", &arena, &q);
    e->ops->estimate(e, &square, p, &small);
    e->ops->estimate(e, &wide, p, &large);
    e->ops->estimate(e, &wide, q, &quick);
    e->ops->estimate(e, &styled, p, &more);
    careful->ops->estimate(careful, &wide, p, &less);
    assert_true(small.ms > 0 && small.bytes > 4 * 256 * 256);
    assert_true(large.ms > small.ms && large.bytes > small.bytes);
    assert_true(quick.ms < large.ms && quick.bytes == large.bytes);
    assert_true(less.bytes < large.bytes);
    assert_true(more.ms > large.ms && more.bytes > large.bytes);
    arena_release(&arena);
    careful->ops->close(careful);
    e->ops->close(e);
}

struct stop {
    atomic_bool cancel;
    float at, last;
};

static void on_progress(void *ctx, float done)
{
    struct stop *s = ctx;

    assert_true(done >= s->last);
    s->last = done;
    if (done >= s->at)
        atomic_store(&s->cancel, true);
}

static void it_stops_when_told(void **state)
{
    static const float at[] = {0.0F, 0.3F, 0.9F};
    struct engine *e = open_with((struct engine_options){.threads = 2});
    struct image source;

    (void)state;
    make_source(&source);
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        struct stop s = {.at = at[i]};
        struct engine_job job = job_of(&source, "oil", 0, 2);
        struct engine_result r;
        job.cancel = &s.cancel;
        job.progress = on_progress;
        job.progress_ctx = &s;
        assert_int_equal(engine_run(e, &job, &r, NULL), ERR_CANCELLED);
        assert_true(s.last < at[i] + 0.2F);
    }
    image_release(&source);
    e->ops->close(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_what_it_opens_with),
        cmocka_unit_test(auto_is_flux2_when_there_is_a_model),
        cmocka_unit_test(a_picture_is_its_seeds),
        cmocka_unit_test(what_is_not_there_is_white),
        cmocka_unit_test(parameters_are_read),
        cmocka_unit_test(a_style_picture_is_the_second_reference),
        cmocka_unit_test(chaos_is_a_pictures_own_share_of_its_noise),
        cmocka_unit_test(guidance_leads_away_from_what_no_lists),
        cmocka_unit_test(what_has_no_effect_is_told),
        cmocka_unit_test(a_style_picture_changes_the_result),
        cmocka_unit_test(chaos_moves_the_four_apart),
        cmocka_unit_test(a_base_model_is_led_away_from_what_no_lists),
        cmocka_unit_test(parameters_have_the_effect_that_they_are_said_to_have),
        cmocka_unit_test(estimates_grow_with_what_is_asked),
        cmocka_unit_test(it_stops_when_told),
    };

    return cmocka_run_group_tests(tests, pack_model, remove_model);
}
