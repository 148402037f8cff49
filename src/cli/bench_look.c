/* SPDX-License-Identifier: MIT */
#include "cli/bench_look.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "engine/engine_run.h"
#include "image/codec.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SCENE_SIDE = 1024, ROWS_MAX = 8 };

struct row {
    const char *what;
    int threads; /* 0: does not apply */
    double ms_per_mp;
};

struct table {
    struct row row[ROWS_MAX];
    int count;
};

static void add_row(struct table *t, const char *what, int threads, double ms_per_mp)
{
    if (t->count < ROWS_MAX)
        t->row[t->count++] = (struct row){what, threads, ms_per_mp};
}

static double now_ms(void)
{
    return (double)clock_mono_ns(&clock_system) / 1e6;
}

// Gradients, discs of many sizes and a fine pattern: work for every brush.
static enum err make_scene(struct image *im)
{
    enum err e = image_new(im, SCENE_SIDE, SCENE_SIDE);

    for (int y = 0; e == ERR_OK && y < SCENE_SIDE; y++)
        for (int x = 0; x < SCENE_SIDE; x++) {
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            int cell = 32 << (y / 256), dx = x % cell - cell / 2, dy = y % cell - cell / 2;
            bool disc = dx * dx + dy * dy < cell * cell / 9;
            int fine = x > 700 && y > 700 ? ((x / 3 + y / 3) & 1) * 50 : 0;
            px[0] = (uint8_t)(disc ? 60 + x / 8 : 200 - y / 8);
            px[1] = (uint8_t)(disc ? 40 + y / 16 : 120 + x / 16);
            px[2] = (uint8_t)(disc ? 90 : 60 + (x + y) / 16 + fine);
            px[3] = 255;
        }
    return e;
}

static double megapixels(const struct image *im)
{
    return (double)im->width * im->height / 1e6;
}

static enum err time_engine(const struct image *photo, const struct bench_look_options *o,
                            int threads, struct table *t, struct err_note *note)
{
    struct engine_options options = {.threads = threads};
    struct engine *engine = NULL;
    struct engine_job job = {.source = photo,
                             .prompt_text = o->prompt ? o->prompt : "oil painting",
                             .pixels = (int64_t)photo->width * photo->height,
                             .count = ENGINE_PICTURES_MAX,
                             .threads = threads};
    double best = 0.0;
    enum err e = engine_look_ops.open(&options, &engine, note);

    job.prompt_len = strlen(job.prompt_text);
    for (int i = 0; e == ERR_OK && i < o->repeats; i++) {
        struct engine_result r;
        e = engine_run(engine, &job, &r, note);
        if (e != ERR_OK)
            break;
        double ms = (double)r.render_ms / (ENGINE_PICTURES_MAX * (double)r.width * r.height / 1e6);
        best = i == 0 || ms < best ? ms : best;
        engine_result_release(&r);
    }
    if (e == ERR_OK)
        add_row(t, "look", threads, best);
    if (engine)
        engine->ops->close(engine);
    return e;
}

static enum err time_copy(const struct image *photo, int repeats, struct table *t)
{
    struct image copy;
    double best = 0.0;
    enum err e = image_new(&copy, photo->width, photo->height);

    if (e != ERR_OK)
        return e;
    for (int i = 0; i < repeats; i++) {
        double begun = now_ms();
        for (int y = 0; y < photo->height; y++)
            memcpy(copy.px + (size_t)y * copy.stride, photo->px + (size_t)y * photo->stride,
                   4 * (size_t)photo->width);
        double ms = now_ms() - begun;
        best = i == 0 || ms < best ? ms : best;
    }
    add_row(t, "memory copy", 1, best / megapixels(photo));
    image_release(&copy);
    return ERR_OK;
}

// Runs a program without a sound; false when it is not there or fails.
static bool run_quietly(const char *const argv[])
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ) == 0)
        while (waitpid(pid, &status, 0) < 0)
            ;
    posix_spawn_file_actions_destroy(&actions);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool write_png(const char *path, const struct image *im)
{
    struct codec_meta meta = {0};
    struct buf png = BUF_INIT;
    FILE *f = fopen(path, "wbe");
    bool ok = f && codec_encode_png(im, &meta, &png) == ERR_OK &&
              fwrite(png.data, 1, png.len, f) == png.len;

    ok = f && fclose(f) == 0 && ok;
    buf_release(&png);
    return ok;
}

static void time_peers(const struct image *photo, struct table *t)
{
    static const struct {
        const char *what, *filter, *arguments;
    } peer[] = {
        {"gmic brushify", "fx_brushify", "7,0.25,4,64,25,12,0,2,4,0.2,0.5,30,1,1,1,5,0,0.2,1"},
        {"gmic painting", "fx_painting", "5,2.5,1.5,50,0,1,0,0"},
    };
    char in[] = "/tmp/patina-bench-XXXXXX.png", out[sizeof(in) + 8];
    int fd = mkstemps(in, 4);

    if (fd < 0)
        return;
    close(fd);
    snprintf(out, sizeof(out), "%s.out.png", in);
    for (size_t i = 0; i < sizeof(peer) / sizeof(peer[0]) && write_png(in, photo); i++) {
        const char *argv[] = {"gmic", in, peer[i].filter, peer[i].arguments, "-output", out, NULL};
        double begun = now_ms();
        if (run_quietly(argv))
            add_row(t, peer[i].what, 0, (now_ms() - begun) / megapixels(photo));
    }
    unlink(in);
    unlink(out);
}

static void print_table(const struct table *t, const struct image *photo, FILE *out)
{
    fprintf(out, "%dx%d, ms per megapixel and picture\n", photo->width, photo->height);
    for (int i = 0; i < t->count; i++) {
        const struct row *r = &t->row[i];
        char threads[16] = "";
        if (r->threads)
            snprintf(threads, sizeof(threads), "%d thread%s", r->threads, &"s"[r->threads == 1]);
        fprintf(out, "  %-16s %-10s %9.1f\n", r->what, threads, r->ms_per_mp);
    }
}

static void print_json(const struct table *t, const struct image *photo, FILE *out)
{
    struct buf b = BUF_INIT;
    struct json_writer w = JSON_WRITER(&b);

    jw_open(&w, '{');
    jw_kint(&w, "width", photo->width);
    jw_kint(&w, "height", photo->height);
    jw_key(&w, "rows");
    jw_open(&w, '[');
    for (int i = 0; i < t->count; i++) {
        jw_open(&w, '{');
        jw_kstr(&w, "what", t->row[i].what);
        jw_kint(&w, "threads", t->row[i].threads);
        jw_key(&w, "ms_per_mp");
        jw_real(&w, t->row[i].ms_per_mp, 2);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    fprintf(out, "%s\n", b.failed ? "{}" : b.data);
    buf_release(&b);
}

enum err bench_look(const struct bench_look_options *o, FILE *out, struct err_note *note)
{
    struct image scene = {0};
    const struct image *photo = o->photo ? o->photo : &scene;
    struct table t = {.count = 0};
    enum err e = o->photo ? ERR_OK : make_scene(&scene);

    if (e == ERR_OK)
        e = time_engine(photo, o, 1, &t, note);
    if (e == ERR_OK)
        e = time_engine(photo, o, 2, &t, note);
    if (e == ERR_OK)
        e = time_copy(photo, o->repeats, &t);
    if (e == ERR_OK && o->peers)
        time_peers(photo, &t);
    if (e == ERR_OK)
        (o->json ? print_json : print_table)(&t, photo, out);
    image_release(&scene);
    return e;
}
