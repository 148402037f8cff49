/* SPDX-License-Identifier: MIT */
#include "cli/bench_curves.h"

#include "base/buf.h"
#include "base/json.h"
#include "cli/bench_curve.h"
#include "cli/bench_curves_model.h"
#include "cli/bench_photo.h"
#include "cli/command.h"
#include "engine/engine_flags.h"
#include "engine/engine_run.h"
#include "look/structure.h"
#include "look/traits.h"

#include <stdio.h>
#include <string.h>

enum { POINTS = CURVE_POINTS, PICTURES = ENGINE_PICTURES_MAX };

struct flags {
    const char *look, *only, *model, *isa;
    int64_t threads, pixels;
    bool json;
};

#define ROW(name_, type_, field_, ...)                                                          \
    {                                                                                           \
        .name = (name_), .type = (type_), .offset = offsetof(struct flags, field_), __VA_ARGS__ \
    }

static const struct config_option rows[] = {
    ROW("look", CONFIG_TEXT, look, .value = "NAME", .help = "this one alone"),
    ROW("only", CONFIG_CHOICE, only, .choices = "all|s|iw|sw|q|chaos|weight", .fallback = "all",
        .value = "WHAT", .help = "this parameter alone"),
    ROW("threads", CONFIG_NUMBER, threads, .min = 1, .max = POOL_THREADS_MAX, .fallback = "2",
        .value = "N", .help = "threads to render with"),
    ROW("pixels", CONFIG_NUMBER, pixels, .min = 4096, .max = IMAGE_RESULT_PIXELS_MAX, .value = "N",
        .computed = "524288 of looks, 65536 of a model", .help = "size that photos are brought to"),
    ROW("model", CONFIG_TEXT, model, .value = "FILE",
        .help = "packed weights: how flux2 answers, instead of the looks"),
    ENGINE_FLAG_ISA(struct flags),
    ROW("json", CONFIG_SWITCH, json, .help = "print one JSON object instead of a table"),
};

static const struct command_line line = {
    .usage = "patina bench curves [PHOTO...] [flags]",
    .about =
        "How each look answers to the parameters of a prompt, from the least to the most:\n"
        "  --s      how much of the photo is kept, which falls: mean of `bench structure`'s four\n"
        "  --iw     how much of its fine structure is kept: `fine` of the same\n"
        "  --q      how fine the work is: mean difference of neighbouring pixels' lightness\n"
        "  --chaos  how far the most alike two of the four differ, after a blur\n"
        "  ::       distance from the other look that it is blended with\n"
        "With --model: how the neural engine answers, over all photos with four seeds each, as\n"
        "mean distance from what one end of a parameter makes (--s, --iw and --sw 0, --q 4) or\n"
        "among the four (--chaos). Random weights show the mechanism, not what it looks like.\n"
        "Without a photo a scene is made up; it is the style picture too.",
    .config = {rows, sizeof rows / sizeof *rows, NULL},
    .words_max = BENCH_CURVES_PHOTOS_MAX,
};

enum measure { KEPT, KEPT_FINE, FINENESS, AMONG_FOUR, FROM_OTHER };

static const struct {
    const char *name, *only;
    enum measure measure;
    int sense;                /* 1: rises, -1: falls */
    const char *says[POINTS]; /* behind the look's name; with FROM_OTHER the other look follows */
} PARAMETER[] = {
    {"--s", "s", KEPT, -1, {" --s 0", " --s 50", " --s 100", " --s 400", " --s 1000"}},
    {"--iw", "iw", KEPT_FINE, 1, {" --iw 0", " --iw 0.5", " --iw 1", " --iw 2", " --iw 3"}},
    {"--q", "q", FINENESS, 1, {" --q 0.25", " --q 0.5", " --q 1", " --q 2", " --q 4"}},
    {"--chaos",
     "chaos",
     AMONG_FOUR,
     1,
     {" --chaos 0", " --chaos 25", " --chaos 50", " --chaos 75", " --chaos 100"}},
    {"::", "weight", FROM_OTHER, 1, {"::0.25 ", "::0.5 ", "::1 ", "::2 ", "::4 "}},
};

enum { PARAMETERS = sizeof(PARAMETER) / sizeof(PARAMETER[0]) };

struct bench {
    const struct flags *f;
    struct image photo;
    struct engine *engine;
    struct pool *pool;     /* to compare with */
    struct image other[2]; /* the looks that others are blended with, unblended */
};

static bool is_asked(const struct flags *f, int parameter)
{
    return strcmp(f->only, "all") == 0 || strcmp(f->only, PARAMETER[parameter].only) == 0;
}

static enum err kept(const struct bench *b, const struct image *made, bool fine, double *out)
{
    struct structure s;
    enum err e = structure_compare(&b->photo, made, b->pool, &s);

    if (e == ERR_OK)
        *out = fine ? s.fine : (s.tone + s.detail + s.fine + s.edges) / 4.0;
    return e;
}

static double among(const struct image four[PICTURES])
{
    int side = four->width > four->height ? four->width : four->height;
    double least = 1.0;

    for (int i = 0; i < PICTURES; i++)
        for (int k = 0; k < i; k++) {
            double d = picture_distance(&four[i], &four[k], side / 50 > 1 ? side / 50 : 1);
            least = d < least ? d : least;
        }
    return least;
}

static const char *const OTHER[2] = {"oil painting", "engraving"};

static enum err run(const struct bench *b, const char *prompt, int count, struct engine_result *out,
                    struct err_note *note)
{
    struct engine_job job = {.source = &b->photo,
                             .prompt_text = prompt,
                             .prompt_len = strlen(prompt),
                             .pixels = b->f->pixels,
                             .seed = 3,
                             .count = count,
                             .threads = (int)b->f->threads};

    return engine_run(b->engine, &job, out, note);
}

static enum err measure_curve(const struct bench *b, const char *look, int parameter,
                              struct curve *c, struct err_note *note)
{
    enum measure m = PARAMETER[parameter].measure;
    int other = strcmp(look, OTHER[0]) == 0;

    for (int i = 0; i < POINTS; i++) {
        struct buf prompt = BUF_INIT;
        struct engine_result r;
        buf_addf(&prompt, "%s%s", look, PARAMETER[parameter].says[i]);
        if (m == FROM_OTHER)
            buf_addf(&prompt, "%s::1", OTHER[other]);
        enum err e = prompt.failed ? err_set(note, ERR_NOMEM, "out of memory")
                                   : run(b, prompt.data, m == AMONG_FOUR ? PICTURES : 1, &r, note);
        buf_release(&prompt);
        if (e != ERR_OK)
            return e;
        if (m == KEPT || m == KEPT_FINE)
            e = kept(b, &r.picture[0], m == KEPT_FINE, &c->at[i]);
        else if (m == FINENESS)
            e = traits_fineness(&r.picture[0], &c->at[i]);
        else
            c->at[i] = m == AMONG_FOUR ? among(r.picture)
                                       : picture_distance(&r.picture[0], &b->other[other], 1);
        engine_result_release(&r);
        if (e != ERR_OK)
            return err_set(note, e, "not enough memory to compare pictures");
    }
    curve_judge(c, PARAMETER[parameter].sense);
    return ERR_OK;
}

static void add_json(const struct flags *f, struct json_writer *w, const char *look,
                     const struct curve curve[PARAMETERS])
{
    jw_open(w, '{');
    jw_kstr(w, "look", look);
    for (int i = 0; i < (int)PARAMETERS; i++) {
        if (!is_asked(f, i))
            continue;
        jw_key(w, PARAMETER[i].name);
        curve_begin_json(&curve[i], w);
        jw_close(w, '}');
    }
    jw_close(w, '}');
}

static enum err measure(const struct bench *b, const struct recipe_set *looks,
                        struct err_note *note)
{
    struct buf json = BUF_INIT;
    struct json_writer w = JSON_WRITER(&json);
    const struct recipe *look;
    int verdicts[3] = {0};
    enum err e = ERR_OK;

    jw_open(&w, '[');
    if (!b->f->json) {
        printf("%-16s", "");
        for (int i = 0; i < (int)PARAMETERS; i++)
            if (is_asked(b->f, i))
                printf(" %-18s", PARAMETER[i].name);
        putchar('\n');
    }
    for (int i = 0; e == ERR_OK && (look = bench_look_at(looks, b->f->look, i)); i++) {
        struct curve curve[PARAMETERS];
        for (int k = 0; e == ERR_OK && k < (int)PARAMETERS; k++) {
            if (!is_asked(b->f, k))
                continue;
            e = measure_curve(b, look->name[0], k, &curve[k], note);
            verdicts[e == ERR_OK ? curve[k].verdict : CURVE_WRONG]++;
        }
        if (e != ERR_OK)
            break;
        add_json(b->f, &w, look->name[0], curve);
        if (b->f->json)
            continue;
        printf("%-16s", look->name[0]);
        for (int k = 0; k < (int)PARAMETERS; k++)
            if (is_asked(b->f, k))
                curve_plot(&curve[k]);
        putchar('\n');
        fflush(stdout);
    }
    jw_close(&w, ']');
    if (e == ERR_OK && b->f->json)
        puts(json.failed ? "[]" : json.data);
    else if (e == ERR_OK)
        printf("\nof %d curves %d go one way, %d hardly move (-), %d turn (!)\n",
               verdicts[0] + verdicts[1] + verdicts[2], verdicts[CURVE_GOES], verdicts[CURVE_FLAT],
               verdicts[CURVE_WRONG]);
    buf_release(&json);
    return e;
}

static enum err measure_all(struct bench *b, struct err_note *note)
{
    struct engine_options options = {.threads = (int)b->f->threads};
    struct recipe_set *looks = NULL;
    enum err e = recipe_set_open(NULL, &looks, note);

    if (e == ERR_OK)
        e = bench_look_check(looks, b->f->look, note);
    if (e == ERR_OK)
        e = pool_open((int)b->f->threads, &b->pool, note);
    if (e == ERR_OK)
        e = engine_look_ops.open(&options, &b->engine, note);
    for (int i = 0; i < 2 && e == ERR_OK; i++) {
        struct engine_result r;
        e = run(b, OTHER[i], 1, &r, note);
        if (e == ERR_OK) {
            b->other[i] = r.picture[0];
            r.picture[0] = (struct image){0};
            engine_result_release(&r);
        }
    }
    if (e == ERR_OK)
        e = measure(b, looks, note);
    for (int i = 0; i < 2; i++)
        image_release(&b->other[i]);
    if (b->engine)
        b->engine->ops->close(b->engine);
    pool_close(b->pool);
    recipe_set_close(looks);
    return e;
}

int bench_curves_command(int argc, char **argv)
{
    struct flags f;
    struct bench b = {.f = &f};
    struct err_note note = {0};
    const char *words[BENCH_CURVES_PHOTOS_MAX];
    int count, code = command_read(&line, &f, argc, argv, words, &count);

    if (code >= 0)
        return code;
    if (f.pixels == CONFIG_UNSET)
        f.pixels = f.model ? 65536 : 524288;
    if (f.model) {
        const struct bench_curves_model m = {.model = f.model,
                                             .isa = f.isa,
                                             .only = f.only,
                                             .photo = words,
                                             .photos = count,
                                             .pixels = f.pixels,
                                             .threads = (int)f.threads,
                                             .json = f.json};
        code = bench_curves_of_model(&m, &note);
    } else if (count > 1 || strcmp(f.only, "sw") == 0) {
        code = err_set(&note, ERR_INVALID, "looks are measured on one photo, and take no style");
    } else {
        code = bench_photo_read(count ? words[0] : NULL, f.pixels, &b.photo, &note);
        if (!code)
            code = measure_all(&b, &note);
    }
    if (code)
        command_complain("bench curves", note.text);
    image_release(&b.photo);
    return code ? EXIT_FAILED : EXIT_DONE;
}
