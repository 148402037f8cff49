/* SPDX-License-Identifier: MIT */
#include "cli/render.h"

#include "base/json.h"
#include "base/rand.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/photo.h"
#include "cli/progress.h"
#include "engine/engine_flags.h"
#include "lib/patina.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

struct flags {
    const char *out, *grid, *engine, *looks, *model, *isa, *size, *sref;
    int64_t count, seed, pixels;
    bool json, quiet;
};

#define ROW(name_, type_, field_, ...)                                                          \
    {                                                                                           \
        .name = (name_), .type = (type_), .offset = offsetof(struct flags, field_), __VA_ARGS__ \
    }

static const struct config_option rows[] = {
    ROW("out", CONFIG_TEXT, out, .letter = 'o', .flag_only = true, .value = "OUT.png",
        .help = "where the picture goes; .png, .webp or .jpg"),
    ROW("grid", CONFIG_TEXT, grid, .flag_only = true, .value = "G.png",
        .help = "also write all four in one picture of twice the sides"),
    ROW("count", CONFIG_NUMBER, count, .flag_only = true, .min = 1, .max = PATINA_PICTURES_MAX,
        .fallback = "1", .value = "N",
        .help = "how many pictures; two or more go to OUT-0.png, OUT-1.png and so on"),
    ROW("seed", CONFIG_NUMBER, seed, .flag_only = true, .min = 0, .max = UINT32_MAX, .value = "N",
        .computed = "random", .help = "same seed, picture and prompt: same pixels"),
    ENGINE_FLAG_ENGINE(struct flags),
    ENGINE_FLAG_MODEL(struct flags),
    ENGINE_FLAG_ISA(struct flags),
    ENGINE_FLAG_LOOKS(struct flags),
    ROW("size", CONFIG_TEXT, size, .flag_only = true, .value = "WxH",
        .computed = "the source's shape",
        .help = "size of a result, rounded to multiples of 16 and cropped to, never stretched"),
    ROW("sref", CONFIG_TEXT, sref, .flag_only = true, .value = "FILE",
        .help = "a picture whose style flux2 takes, as the API fetches it for --sref in a prompt"),
    ENGINE_FLAG_PIXELS(struct flags),
    ROW("json", CONFIG_SWITCH, json, .flag_only = true,
        .help = "print one JSON object about what was made"),
    ROW("quiet", CONFIG_SWITCH, quiet, .letter = 'q', .flag_only = true,
        .help = "no progress bar, no warnings"),
};

static const struct command_line render_line = {
    .usage = "patina render IN \"PROMPT\" -o OUT.png [flags]",
    .about =
        "Makes pictures of a JPEG, PNG or WebP file, without the service but with its pixels:\n"
        "the same source, prompt, seed and --pixels give the same picture from the API.",
    .after = "examples:\n"
             "  patina render photo.jpg \"Convert to oil painting style\" -o out.png\n"
             "  patina render photo.jpg \"oil painting --ar 1:1 --seed 7\" -o out.png --count 4 "
             "--grid grid.png",
    .config = {rows, sizeof rows / sizeof *rows, "PATINA_"},
    .words_min = 2,
    .words_max = 2,
    .words_name = "a picture or the prompt",
};

struct work {
    struct flags f;
    const char *in, *prompt;
    int width, height; // of --size
    uint32_t seed;
    struct interrupt interrupt;
    struct progress progress;
    struct decoded source, style;
    bool animated, style_animated;
    struct patina_result *result;
};

// "1024x768"; both sides at least 1.
static enum err read_size(const char *text, int *width, int *height, struct err_note *note)
{
    char rest;

    if (!text)
        return ERR_OK;
    if (sscanf(text, "%5dx%5d%c", width, height, &rest) != 2 || *width < 1 || *height < 1)
        return err_set(note, ERR_INVALID, "--size is \"%.60s\"; it must be like 1024x768", text);
    return ERR_OK;
}

static enum err check_flags(struct work *w, struct err_note *note)
{
    enum err e = read_size(w->f.size, &w->width, &w->height, note);

    if (!e && !w->f.out && !w->f.grid)
        e = err_set(note, ERR_INVALID, "where should it go? add -o OUT.png");
    if (!e && w->f.out)
        e = photo_check_name(w->f.out, note);
    if (!e && w->f.grid)
        e = photo_check_name(w->f.grid, note);
    if (w->f.seed == CONFIG_UNSET)
        rand_bytes(&w->seed, sizeof w->seed);
    else
        w->seed = (uint32_t)w->f.seed;
    return e;
}

static void on_progress(void *ctx, float done)
{
    progress_show(ctx, done);
}

static enum err read_pictures(struct work *w, struct err_note *note)
{
    const struct engine_job job = {
        .prompt_text = w->prompt,
        .prompt_len = strlen(w->prompt),
        .pixels = w->f.pixels,
        .width = w->width,
        .height = w->height,
    };

    enum err e = photo_read(w->in, &job, &w->interrupt.hit, &w->source, &w->animated, note);
    if (!e && w->f.sref)
        e = photo_read_style(w->f.sref, &job, &w->interrupt.hit, &w->style, &w->style_animated,
                             note);
    return e;
}

static enum patina_status render(struct work *w, struct patina *p, char why[PATINA_WHY])
{
    struct patina_request request = {
        .width = w->source.image.width,
        .height = w->source.image.height,
        .stride = w->source.image.stride,
        .rgba = w->source.image.px,
        .prompt = w->prompt,
        .seed = w->seed,
        .count = w->f.grid ? PATINA_PICTURES_MAX : (int)w->f.count,
        .pixels = w->f.pixels,
        .out_width = w->width,
        .out_height = w->height,
        .progress = on_progress,
        .progress_ctx = &w->progress,
        .style_rgba = w->style.image.px,
        .style_width = w->style.image.width,
        .style_height = w->style.image.height,
        .style_stride = w->style.image.stride,
    };

    return patina_render(p, &request, &w->result, why);
}

// OUT.png, or OUT-2.png when there are several.
static void name_of(const struct work *w, int i, char name[PATH_MAX])
{
    const char *dot = strrchr(w->f.out, '.');

    if (w->f.count == 1)
        snprintf(name, PATH_MAX, "%s", w->f.out);
    else
        snprintf(name, PATH_MAX, "%.*s-%d%s", (int)(dot - w->f.out), w->f.out, i, dot);
}

static enum err write_one(struct work *w, const struct patina *p, int i, const char *name,
                          struct err_note *note)
{
    struct patina_picture pic = patina_result_picture(w->result, i);
    struct image im = {
        .width = pic.width,
        .height = pic.height,
        .stride = pic.stride,
        .px = (uint8_t *)(uintptr_t)pic.rgba, // encoders only read
        .has_alpha = pic.has_alpha,
    };
    char seed[16];

    snprintf(seed, sizeof seed, "%" PRIu32,
             patina_result_seed(w->result) + (i > 0 ? (uint32_t)i : 0));
    struct codec_meta meta = {w->prompt, seed, patina_engine(p), "patina " PATINA_VERSION};
    return photo_write(name, &im, &meta, note);
}

static enum err write_files(struct work *w, const struct patina *p, struct err_note *note)
{
    char name[PATH_MAX];
    enum err e = ERR_OK;

    for (int i = 0; !e && w->f.out && i < (int)w->f.count; i++) {
        name_of(w, i, name);
        e = write_one(w, p, i, name, note);
    }
    if (!e && w->f.grid)
        e = write_one(w, p, PATINA_GRID, w->f.grid, note);
    return e;
}

static void print_json(const struct work *w, const struct patina *p)
{
    struct patina_picture first = patina_result_picture(w->result, 0);
    struct buf out = BUF_INIT;
    struct json_writer j = JSON_WRITER(&out);
    char name[PATH_MAX];

    jw_open(&j, '{');
    jw_key(&j, "files");
    jw_open(&j, '[');
    for (int i = 0; w->f.out && i < (int)w->f.count; i++) {
        name_of(w, i, name);
        jw_str(&j, name);
    }
    jw_close(&j, ']');
    jw_kstr(&j, "grid", w->f.grid);
    jw_kint(&j, "width", first.width);
    jw_kint(&j, "height", first.height);
    jw_kint(&j, "seed", patina_result_seed(w->result));
    jw_kstr(&j, "engine", patina_engine(p));
    jw_kraw(&j, "interpretation", patina_result_interpretation(w->result));
    jw_kraw(&j, "warnings", patina_result_warnings(w->result));
    jw_close(&j, '}');
    if (!out.failed)
        puts(out.data);
    buf_release(&out);
}

static void print_warnings(const struct work *w)
{
    const char *text = patina_result_warnings(w->result);
    json_t *root = NULL, *one;
    size_t i;

    if (w->animated)
        fprintf(stderr, "patina render: the source is an animation; its first frame was used\n");
    if (w->style_animated)
        fprintf(stderr, "patina render: the style picture is an animation; its first frame was "
                        "used\n");
    if (json_read(text, strlen(text), &root, NULL))
        return;
    json_array_foreach(root, i, one)
        fprintf(stderr, "patina render: %s\n", json_string_value(json_object_get(one, "message")));
    json_decref(root);
}

static int run(struct work *w, struct err_note *note)
{
    struct patina_options options = {
        .engine = w->f.engine, .looks_dir = w->f.looks, .model = w->f.model, .isa = w->f.isa};
    struct patina *p = NULL;
    bool failed = patina_open(&options, &p, note->text) != PATINA_OK;

    if (!failed) {
        if (w->f.pixels == CONFIG_UNSET)
            w->f.pixels = patina_pixels(p);
        interrupt_watch(&w->interrupt, p);
        progress_begin(&w->progress, !w->f.quiet && !w->f.json);
        failed = read_pictures(w, note) || render(w, p, note->text) != PATINA_OK;
        progress_end(&w->progress);
        interrupt_end(&w->interrupt);
    }
    if (!failed)
        failed = write_files(w, p, note) != ERR_OK;
    if (!failed && w->f.json)
        print_json(w, p);
    if (!failed && !w->f.quiet && !w->f.json)
        print_warnings(w);
    patina_result_free(w->result);
    decoded_release(&w->source);
    decoded_release(&w->style);
    patina_close(p);
    return failed ? EXIT_FAILED : EXIT_DONE;
}

int render_command(int argc, char **argv)
{
    struct work w = {.source.fd = -1, .style.fd = -1};
    struct err_note note = {0};
    const char *words[2];
    int count, code = command_read(&render_line, &w.f, argc, argv, words, &count);

    if (code >= 0)
        return code;
    w.in = words[0];
    w.prompt = words[1];
    if (check_flags(&w, &note)) {
        command_complain("render", note.text);
        return EXIT_USAGE;
    }
    interrupt_block();
    return interrupt_report(&w.interrupt, "render", run(&w, &note), note.text);
}

// ---- explain ----

struct explain_flags {
    const char *looks;
};

static const struct config_option explain_rows[] = {
    ENGINE_FLAG_LOOKS(struct explain_flags),
};

static const struct command_line explain_line = {
    .usage = "patina explain \"PROMPT\" [flags]",
    .about = "Prints how a prompt is read: a JSON object with medium, materials, palette, light,\n"
             "modifiers, what is excluded, unknown words, parameters and warnings.",
    .config = {explain_rows, sizeof explain_rows / sizeof *explain_rows, "PATINA_"},
    .words_min = 1,
    .words_max = 1,
    .words_name = "the prompt",
};

int explain_command(int argc, char **argv)
{
    const char *words[1];
    char why[PATINA_WHY], *json;
    struct explain_flags f;
    int count, code = command_read(&explain_line, &f, argc, argv, words, &count);

    if (code >= 0)
        return code;
    struct patina_options o = {.looks_dir = f.looks};
    if (patina_read_prompt(&o, words[0], &json, why) != PATINA_OK) {
        command_complain("explain", why);
        return EXIT_FAILED;
    }
    puts(json);
    patina_free(json);
    return EXIT_DONE;
}
