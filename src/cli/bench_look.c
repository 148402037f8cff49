/* SPDX-License-Identifier: MIT */
#include "cli/bench_look.h"

#include "base/buf.h"
#include "base/json.h"
#include "cli/bench_peer.h"
#include "cli/bench_photo.h"
#include "cli/command.h"
#include "look/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURES = 4, ROWS_MAX = 512 };

/* What the project asks of itself: a look is so many times faster than its nearest G'MIC filter,
 * takes at most so long as the median of all looks, and none takes longer; ms a megapixel on two
 * threads. */
static const double TIMES_WANTED = 5.0, MEDIAN_WANTED = 120.0, MOST_WANTED = 400.0;

struct flags {
    const char *look;
    int64_t repeats, threads, pixels;
    bool peers, plain, json;
};

#define ROW(name_, type_, field_, ...)                                                          \
    {                                                                                           \
        .name = (name_), .type = (type_), .offset = offsetof(struct flags, field_), __VA_ARGS__ \
    }

static const struct config_option rows[] = {
    ROW("look", CONFIG_TEXT, look, .value = "NAME", .help = "this one alone"),
    ROW("repeats", CONFIG_NUMBER, repeats, .min = 1, .max = 1000, .fallback = "3", .value = "N",
        .help = "runs of each measurement; the best counts"),
    ROW("threads", CONFIG_NUMBER, threads, .min = 1, .max = POOL_THREADS_MAX, .fallback = "2",
        .value = "N", .help = "threads to render with"),
    ROW("pixels", CONFIG_NUMBER, pixels, .min = 4096, .max = IMAGE_RESULT_PIXELS_MAX,
        .fallback = "1048576", .value = "N", .help = "size that the photo is brought to"),
    ROW("peers", CONFIG_SWITCH, peers,
        .help = "also time the nearest filters of gmic and OpenCV, where they are there"),
    ROW("plain", CONFIG_SWITCH, plain,
        .help = "render without AVX2, as on a processor that lacks it"),
    ROW("json", CONFIG_SWITCH, json, .help = "print one JSON object instead of a table"),
};

static const struct command_line line = {
    .usage = "patina bench look [PHOTO] [flags]",
    .about = "Measures each look: milliseconds per megapixel and picture, (maps + four pictures) / "
             "4.\nWith --peers beside the nearest filters of other programs, and how many times "
             "as long\nthey take: their whole process, and less what reading and writing the PNG "
             "takes them.\nWithout a photo a scene is made up.",
    .config = {rows, sizeof rows / sizeof *rows, NULL},
    .words_max = 1,
};

struct row {
    const char *look;
    double ms; /* as all below: per megapixel */
    struct peer_time peer[PEERS_PER_LOOK];
    int peers;
};

struct table {
    const struct flags *f;
    const char *photo;
    struct image im;
    double copy_ms;
    struct row row[ROWS_MAX];
    int count;
    double median, most;
    int faster, compared; /* looks that are as many times faster as wanted, of how many */
};

static enum err time_look(const struct image *photo, const struct recipe *look,
                          const struct flags *f, struct pool *pool, double *ms,
                          struct err_note *note)
{
    struct look_options options = {0};
    struct look_request r = {.source = photo,
                             .recipe = look,
                             .options = &options,
                             .count = PICTURES,
                             .pool = pool,
                             .plain = f->plain};
    enum err e = ERR_OK;

    for (int i = 0; i < f->repeats && e == ERR_OK; i++) {
        struct image out[PICTURES];
        double begun = bench_now_ms();
        e = look_render(&r, out, note);
        double took = (bench_now_ms() - begun) / (PICTURES * bench_megapixels(photo));
        *ms = i == 0 || took < *ms ? took : *ms;
        for (int k = 0; e == ERR_OK && k < PICTURES; k++)
            image_release(&out[k]);
    }
    return e;
}

// What no engine can be faster than.
static enum err time_copy(const struct image *photo, int repeats, double *ms)
{
    struct image copy;
    enum err e = image_new(&copy, photo->width, photo->height);

    for (int i = 0; e == ERR_OK && i < repeats; i++) {
        double begun = bench_now_ms();
        for (int y = 0; y < photo->height; y++)
            memcpy(copy.px + (size_t)y * copy.stride, photo->px + (size_t)y * photo->stride,
                   4 * (size_t)photo->width);
        double took = (bench_now_ms() - begun) / bench_megapixels(photo);
        *ms = i == 0 || took < *ms ? took : *ms;
    }
    image_release(&copy);
    return e;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void sum_up(struct table *t)
{
    double ms[ROWS_MAX];

    for (int i = 0; i < t->count; i++) {
        const struct row *r = &t->row[i];
        ms[i] = r->ms;
        if (r->peers > 0 && r->peer[0].nearest) {
            t->compared++;
            t->faster += r->peer[0].ms >= TIMES_WANTED * r->ms;
        }
    }
    qsort(ms, (size_t)t->count, sizeof(*ms), rising);
    t->most = ms[t->count - 1];
    t->median = 0.5 * (ms[(t->count - 1) / 2] + ms[t->count / 2]);
}

static enum err measure(struct table *t, const struct recipe_set *looks, struct pool *pool,
                        struct err_note *note)
{
    struct peer_bench *peers = NULL;
    int repeats = (int)t->f->repeats;
    const struct recipe *look;
    enum err e = time_copy(&t->im, repeats, &t->copy_ms);

    if (e == ERR_OK && t->f->peers)
        e = peer_bench_open(&t->im, &peers, note);
    while (e == ERR_OK && t->count < ROWS_MAX &&
           (look = bench_look_at(looks, t->f->look, t->count))) {
        struct row *r = &t->row[t->count++];
        r->look = look->name[0];
        e = time_look(&t->im, look, t->f, pool, &r->ms, note);
        if (e == ERR_OK && peers)
            r->peers = peer_bench_look(peers, look, repeats, r->peer);
        for (int i = 0; i < r->peers; i++) {
            r->peer[i].ms /= bench_megapixels(&t->im);
            r->peer[i].net_ms /= bench_megapixels(&t->im);
        }
    }
    peer_bench_close(peers);
    if (e == ERR_OK)
        sum_up(t);
    return e;
}

static void print_table(const struct table *t)
{
    printf("%s %d x %d, %d thread%s, ms a megapixel; a copy in memory takes %.1f\n\n", t->photo,
           t->im.width, t->im.height, (int)t->f->threads, &"s"[t->f->threads == 1], t -> copy_ms);
    printf("%-18s %7s", "look", "ms");
    if (t->f->peers)
        printf("   %-24s %9s %7s %7s", "beside (* the nearest)", "ms", "times", "net");
    putchar('\n');
    for (int i = 0; i < t->count; i++) {
        const struct row *r = &t->row[i];
        printf("%-18s %7.0f%s", r->look, r->ms, r->peers ? "" : "\n");
        for (int k = 0; k < r->peers; k++) {
            const struct peer_time *p = &r->peer[k];
            printf("%*s %c %-24s %s%8.0f %7.1f %7.1f\n", k ? 26 : 0, "", p->nearest ? '*' : ' ',
                   p->name, p->timed_out ? ">" : " ", p->ms, p->ms / r->ms, p->net_ms / r->ms);
        }
    }
    printf("\nmedian %.0f (wanted: at most %.0f), slowest %.0f (at most %.0f)\n", t->median,
           MEDIAN_WANTED, t->most, MOST_WANTED);
    if (t->compared)
        printf("%.0f times faster than the nearest G'MIC filter: %d of %d looks (wanted: all)\n",
               TIMES_WANTED, t->faster, t->compared);
}

static void add_row(struct json_writer *w, const struct row *r)
{
    jw_open(w, '{');
    jw_kstr(w, "look", r->look);
    jw_key(w, "ms_per_mp");
    jw_real(w, r->ms, 2);
    jw_key(w, "peers");
    jw_open(w, '[');
    for (int i = 0; i < r->peers; i++) {
        const struct peer_time *p = &r->peer[i];
        jw_open(w, '{');
        jw_kstr(w, "name", p->name);
        jw_key(w, "nearest");
        jw_bool(w, p->nearest);
        jw_key(w, "timed_out");
        jw_bool(w, p->timed_out);
        jw_key(w, "ms_per_mp");
        jw_real(w, p->ms, 1);
        jw_key(w, "net_ms_per_mp");
        jw_real(w, p->net_ms, 1);
        jw_close(w, '}');
    }
    jw_close(w, ']');
    jw_close(w, '}');
}

static void print_json(const struct table *t)
{
    struct buf b = BUF_INIT;
    struct json_writer w = JSON_WRITER(&b);

    jw_open(&w, '{');
    jw_kstr(&w, "photo", t->photo);
    jw_kint(&w, "width", t->im.width);
    jw_kint(&w, "height", t->im.height);
    jw_kint(&w, "threads", t->f->threads);
    jw_key(&w, "copy_ms_per_mp");
    jw_real(&w, t->copy_ms, 2);
    jw_key(&w, "median_ms_per_mp");
    jw_real(&w, t->median, 2);
    jw_key(&w, "looks");
    jw_open(&w, '[');
    for (int i = 0; i < t->count; i++)
        add_row(&w, &t->row[i]);
    jw_close(&w, ']');
    jw_close(&w, '}');
    puts(b.failed ? "{}" : b.data);
    buf_release(&b);
}

int bench_look_command(int argc, char **argv)
{
    static struct table t; // large, and there is one
    struct flags f;
    struct recipe_set *looks = NULL;
    struct pool *pool = NULL;
    struct err_note note = {0};
    const char *words[1];
    int count, code = command_read(&line, &f, argc, argv, words, &count);

    if (code >= 0)
        return code;
    const char *path = count ? words[0] : NULL;
    t = (struct table){.f = &f, .photo = bench_photo_name(path)};
    enum err e = bench_photo_read(path, f.pixels, &t.im, &note);
    if (!e)
        e = recipe_set_open(NULL, &looks, &note);
    if (!e)
        e = bench_look_check(looks, f.look, &note);
    if (!e)
        e = pool_open((int)f.threads, &pool, &note);
    if (!e)
        e = measure(&t, looks, pool, &note);
    if (!e)
        (f.json ? print_json : print_table)(&t);
    else
        command_complain("bench look", note.text);
    pool_close(pool);
    recipe_set_close(looks);
    image_release(&t.im);
    return e ? EXIT_FAILED : EXIT_DONE;
}
