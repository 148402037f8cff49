/* SPDX-License-Identifier: MIT */
#include "cli/bench_curves_model.h"

#include "cli/bench_curve.h"
#include "cli/bench_photo.h"
#include "engine/engine_run.h"

#include <stdio.h>
#include <string.h>

enum { PICTURES = ENGINE_PICTURES_MAX, SEED = 3 }; // pictures: SEED and the three behind it

static const struct {
    const char *name, *only;
    const char *from; /* what distances are measured from; NULL: each other */
    int sense;        /* 1: rises, -1: falls */
    bool styled;      /* has a style picture */
    const char *says[CURVE_POINTS];
} PARAMETER[] = {
    {"--s", "s", "--s 0", 1, false, {"--s 20", "--s 40", "--s 60", "--s 80", "--s 100"}},
    {"--iw", "iw", "--iw 0", 1, false, {"--iw .25", "--iw .5", "--iw 1", "--iw 2", "--iw 3"}},
    {"--sw", "sw", "--sw 0", 1, true, {"--sw 25", "--sw 50", "--sw 100", "--sw 300", "--sw 1000"}},
    {"--q", "q", "--q 4", -1, false, {"--q .25", "--q .5", "--q 1", "--q 2", "--q 4"}},
    {"--chaos",
     "chaos",
     NULL,
     1,
     false,
     {"--chaos 0", "--chaos 25", "--chaos 50", "--chaos 75", "--chaos 100"}},
};

enum { PARAMETERS = sizeof(PARAMETER) / sizeof(PARAMETER[0]) };

struct bench {
    const struct bench_curves_model *m;
    struct engine *engine;
    struct image scene;
    struct image photo[BENCH_CURVES_PHOTOS_MAX];
    int photos;
};

/* Of one parameter: the mean over all photos and pictures, and how many of these went its way. */
struct summary {
    struct curve mean;
    int alone, of;
};

static enum err render(const struct bench *b, int photo, int parameter, const char *says,
                       struct engine_result *out, struct err_note *note)
{
    char prompt[64];
    struct engine_job job = {.source = &b->photo[photo],
                             .style = PARAMETER[parameter].styled ? &b->scene : NULL,
                             .prompt_text = prompt,
                             .pixels = b->m->pixels,
                             .seed = SEED,
                             .count = PICTURES,
                             .threads = b->m->threads};

    snprintf(prompt, sizeof(prompt), "oil painting %s", says);
    job.prompt_len = strlen(prompt);
    return engine_run(b->engine, &job, out, note);
}

static double among(const struct image four[PICTURES])
{
    double sum = 0.0;

    for (int i = 0; i < PICTURES; i++)
        for (int k = 0; k < i; k++)
            sum += picture_distance(&four[i], &four[k], 1);
    return sum / (PICTURES * (PICTURES - 1) / 2);
}

/* The curves of one photo: of each picture, or one of all four. Returns through *count how many. */
static enum err measure_photo(const struct bench *b, int photo, int parameter,
                              struct curve curve[PICTURES], int *count, struct err_note *note)
{
    const char *from = PARAMETER[parameter].from;
    struct engine_result first = {0}, r;
    enum err e = from ? render(b, photo, parameter, from, &first, note) : ERR_OK;

    *count = from ? PICTURES : 1;
    for (int i = 0; i < CURVE_POINTS && e == ERR_OK; i++) {
        e = render(b, photo, parameter, PARAMETER[parameter].says[i], &r, note);
        if (e != ERR_OK)
            break;
        for (int k = 0; k < *count; k++)
            curve[k].at[i] = from ? picture_distance(&r.picture[k], &first.picture[k], 1)
                                  : among(r.picture);
        engine_result_release(&r);
    }
    engine_result_release(&first);
    for (int k = 0; k < *count; k++)
        curve_judge(&curve[k], PARAMETER[parameter].sense);
    return e;
}

static enum err measure(const struct bench *b, int parameter, struct summary *out,
                        struct err_note *note)
{
    *out = (struct summary){.of = 0};
    for (int photo = 0; photo < b->photos; photo++) {
        struct curve curve[PICTURES];
        int count;
        enum err e = measure_photo(b, photo, parameter, curve, &count, note);
        if (e != ERR_OK)
            return e;
        for (int k = 0; k < count; k++) {
            for (int i = 0; i < CURVE_POINTS; i++)
                out->mean.at[i] += curve[k].at[i] / (b->photos * count);
            out->alone += curve[k].verdict == CURVE_GOES;
            out->of++;
        }
    }
    curve_judge(&out->mean, PARAMETER[parameter].sense);
    return ERR_OK;
}

static void print(int parameter, const struct summary *s)
{
    printf("%-8s", PARAMETER[parameter].name);
    curve_plot(&s->mean);
    printf("  %2d of %2d alone ", s->alone, s->of);
    for (int i = 0; i < CURVE_POINTS; i++)
        printf(" %.4f", s->mean.at[i]);
    printf("  at %s", PARAMETER[parameter].says[0]);
    for (int i = 1; i < CURVE_POINTS; i++)
        printf(",%s", strchr(PARAMETER[parameter].says[i], ' '));
    putchar('\n');
    fflush(stdout);
}

static void add_json(struct json_writer *w, int parameter, const struct summary *s)
{
    jw_key(w, PARAMETER[parameter].name);
    curve_begin_json(&s->mean, w);
    jw_kint(w, "alone", s->alone);
    jw_kint(w, "of", s->of);
    jw_close(w, '}');
}

static enum err measure_all(const struct bench *b, struct err_note *note)
{
    struct buf json = BUF_INIT;
    struct json_writer w = JSON_WRITER(&json);
    bool any = false;

    jw_open(&w, '{');
    for (int i = 0; i < (int)PARAMETERS; i++) {
        struct summary s;
        if (strcmp(b->m->only, "all") != 0 && strcmp(b->m->only, PARAMETER[i].only) != 0)
            continue;
        enum err e = measure(b, i, &s, note);
        if (e != ERR_OK) {
            buf_release(&json);
            return e;
        }
        any = true;
        add_json(&w, i, &s);
        if (!b->m->json)
            print(i, &s);
    }
    jw_close(&w, '}');
    if (b->m->json)
        puts(json.failed ? "{}" : json.data);
    buf_release(&json);
    return any ? ERR_OK : err_set(note, ERR_INVALID, "a model does not have that parameter");
}

enum err bench_curves_of_model(const struct bench_curves_model *m, struct err_note *note)
{
    const struct engine_options options = {
        .threads = m->threads, .model_path = m->model, .isa = m->isa};
    struct bench b = {.m = m, .photos = m->photos ? m->photos : 1};
    enum err e = bench_photo_read(NULL, m->pixels, &b.scene, note);

    for (int i = 0; i < b.photos && e == ERR_OK; i++)
        e = bench_photo_read(m->photos ? m->photo[i] : NULL, m->pixels, &b.photo[i], note);
    if (e == ERR_OK)
        e = engine_flux2_ops.open(&options, &b.engine, note);
    if (e == ERR_OK)
        e = measure_all(&b, note);
    if (b.engine)
        b.engine->ops->close(b.engine);
    image_release(&b.scene);
    for (int i = 0; i < b.photos; i++)
        image_release(&b.photo[i]);
    return e;
}
