/* SPDX-License-Identifier: MIT */
#include "cli/bench_structure.h"

#include "base/buf.h"
#include "base/json.h"
#include "cli/bench_photo.h"
#include "cli/command.h"
#include "look/look.h"
#include "look/structure.h"

#include <stdio.h>

enum { PHOTOS_MAX = 64, LOOKS_MAX = 512 };

struct flags {
    const char *look;
    int64_t threads, pixels;
    bool json;
};

#define ROW(name_, type_, field_, ...)                                                          \
    {                                                                                           \
        .name = (name_), .type = (type_), .offset = offsetof(struct flags, field_), __VA_ARGS__ \
    }

static const struct config_option rows[] = {
    ROW("look", CONFIG_TEXT, look, .value = "NAME", .help = "this one alone"),
    ROW("threads", CONFIG_NUMBER, threads, .min = 1, .max = POOL_THREADS_MAX, .fallback = "2",
        .value = "N", .help = "threads to render with"),
    ROW("pixels", CONFIG_NUMBER, pixels, .min = 4096, .max = IMAGE_RESULT_PIXELS_MAX,
        .fallback = "393216", .value = "N", .help = "size that photos are brought to"),
    ROW("json", CONFIG_SWITCH, json, .help = "print one JSON object instead of a table"),
};

static const struct command_line line = {
    .usage = "patina bench structure PHOTO... [flags]",
    .about = "How much of the photos' composition each look keeps, the mean over photos and the "
             "least:\ntone is the correlation of blurred lightness, detail that of where there is "
             "much to\nsee, fine that of fine bands of lightness, edges is F1 of coarse edges, and "
             "chance what\nedges would be of a picture that "
             "has nothing to do with the photo.",
    .config = {rows, sizeof rows / sizeof *rows, NULL},
    .words_min = 1,
    .words_max = PHOTOS_MAX,
    .words_name = "a photo",
};

/* Of one look over all photos. */
struct row {
    const char *look;
    struct structure mean, least;
    const char *worst; /* photo of the least edges */
};

struct table {
    struct row row[LOOKS_MAX];
    int looks, photos;
};

static void add(struct row *r, const struct structure *s, int photos, const char *photo)
{
    r->mean.tone += s->tone / photos;
    r->mean.detail += s->detail / photos;
    r->mean.fine += s->fine / photos;
    r->mean.edges += s->edges / photos;
    r->mean.chance += s->chance / photos;
    if (!r->worst || s->tone < r->least.tone)
        r->least.tone = s->tone;
    if (!r->worst || s->detail < r->least.detail)
        r->least.detail = s->detail;
    if (!r->worst || s->fine < r->least.fine)
        r->least.fine = s->fine;
    if (!r->worst || s->edges < r->least.edges) {
        r->least.edges = s->edges;
        r->worst = photo;
    }
}

static enum err measure_photo(struct table *t, const struct flags *f, const char *path,
                              const struct recipe_set *looks, struct pool *pool,
                              struct err_note *note)
{
    struct look_options options = {0};
    struct image photo = {0}, made;
    const struct recipe *look;
    enum err e = bench_photo_read(path, f->pixels, &photo, note);

    for (int i = 0; e == ERR_OK && i < LOOKS_MAX && (look = bench_look_at(looks, f->look, i));
         i++) {
        struct look_request r = {
            .source = &photo, .recipe = look, .options = &options, .count = 1, .pool = pool};
        struct structure s;
        e = look_render(&r, &made, note);
        if (e != ERR_OK)
            break;
        e = structure_compare(&photo, &made, pool, &s);
        image_release(&made);
        if (e != ERR_OK)
            break;
        t->looks = i + 1;
        t->row[i].look = look->name[0];
        add(&t->row[i], &s, t->photos, bench_photo_name(path));
    }
    image_release(&photo);
    return e;
}

static void print_table(const struct table *t)
{
    printf("%d photo%s        tone        detail          fine         edges\n", t->photos,
           &"s"[t->photos == 1]);
    printf("%-18s  mean least   mean least   mean least   mean least chance  least of\n", "look");
    for (int i = 0; i < t->looks; i++) {
        const struct row *r = &t->row[i];
        printf("%-18s %5.2f %5.2f  %5.2f %5.2f  %5.2f %5.2f  %5.2f %5.2f  %5.2f  %s\n", r->look,
               r->mean.tone, r->least.tone, r->mean.detail, r->least.detail, r->mean.fine,
               r->least.fine, r->mean.edges, r->least.edges, r->mean.chance, r->worst);
    }
}

static void add_figure(struct json_writer *w, const char *key, double v)
{
    jw_key(w, key);
    jw_real(w, v, 4);
}

static void print_json(const struct table *t)
{
    struct buf b = BUF_INIT;
    struct json_writer w = JSON_WRITER(&b);

    jw_open(&w, '{');
    jw_kint(&w, "photos", t->photos);
    jw_key(&w, "looks");
    jw_open(&w, '[');
    for (int i = 0; i < t->looks; i++) {
        const struct row *r = &t->row[i];
        jw_open(&w, '{');
        jw_kstr(&w, "look", r->look);
        add_figure(&w, "tone", r->mean.tone);
        add_figure(&w, "tone_least", r->least.tone);
        add_figure(&w, "detail", r->mean.detail);
        add_figure(&w, "detail_least", r->least.detail);
        add_figure(&w, "fine", r->mean.fine);
        add_figure(&w, "fine_least", r->least.fine);
        add_figure(&w, "edges", r->mean.edges);
        add_figure(&w, "edges_least", r->least.edges);
        add_figure(&w, "edges_chance", r->mean.chance);
        jw_kstr(&w, "worst_photo", r->worst);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    puts(b.failed ? "{}" : b.data);
    buf_release(&b);
}

int bench_structure_command(int argc, char **argv)
{
    static struct table t; // large, and there is one
    struct flags f;
    struct recipe_set *looks = NULL;
    struct pool *pool = NULL;
    struct err_note note = {0};
    const char *words[PHOTOS_MAX];
    int count, code = command_read(&line, &f, argc, argv, words, &count);

    if (code >= 0)
        return code;
    t = (struct table){.photos = count};
    enum err e = recipe_set_open(NULL, &looks, &note);
    if (!e)
        e = bench_look_check(looks, f.look, &note);
    if (!e)
        e = pool_open((int)f.threads, &pool, &note);
    for (int i = 0; i < count && !e; i++)
        e = measure_photo(&t, &f, words[i], looks, pool, &note);
    if (!e)
        (f.json ? print_json : print_table)(&t);
    else
        command_complain("bench structure", note.text);
    pool_close(pool);
    recipe_set_close(looks);
    return e ? EXIT_FAILED : EXIT_DONE;
}
