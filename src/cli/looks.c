/* SPDX-License-Identifier: MIT */
#include "cli/looks.h"

#include "base/nearest.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/looks_print.h"
#include "cli/photo.h"
#include "cli/progress.h"
#include "cli/sheet.h"
#include "engine/engine_flags.h"

#include <string.h>
#include <unistd.h>

enum { SEED = 1, ITEMS_MAX = LOOKS_MAX + CONFIG_TEXTS_MAX };

struct flags {
    const char *looks, *sheet;
    struct config_texts look, prompt;
    int64_t columns;
    bool json, operators, quiet;
};

#define ROW(name_, type_, field_, ...)                                                          \
    {                                                                                           \
        .name = (name_), .type = (type_), .offset = offsetof(struct flags, field_), __VA_ARGS__ \
    }

static const struct config_option rows[] = {
    ROW("json", CONFIG_SWITCH, json, .flag_only = true,
        .help = "print everything about all looks, or about NAME, as JSON"),
    ROW("operators", CONFIG_SWITCH, operators, .flag_only = true,
        .help = "print the reference of the steps that recipes are made of, as Markdown"),
    ROW("sheet", CONFIG_TEXT, sheet, .flag_only = true, .value = "OUT.png",
        .help = "draw PHOTO in every look on one labelled sheet; .png, .webp or .jpg"),
    ROW("look", CONFIG_TEXTS, look, .flag_only = true, .value = "NAME",
        .help = "of --sheet: this look alone; may be given several times"),
    ROW("prompt", CONFIG_TEXTS, prompt, .flag_only = true, .value = "TEXT",
        .help = "of --sheet: what this prompt makes; may be given several times"),
    ROW("columns", CONFIG_NUMBER, columns, .flag_only = true, .min = 1, .max = SHEET_COLUMNS_MAX,
        .value = "N", .computed = "a sheet about as high as wide",
        .help = "of --sheet: pictures in a row"),
    ENGINE_FLAG_LOOKS(struct flags),
    ROW("quiet", CONFIG_SWITCH, quiet, .letter = 'q', .flag_only = true, .help = "no progress bar"),
};

static const struct command_line line = {
    .usage = "patina looks [NAME] [--json], or patina looks --sheet OUT.png PHOTO [--look NAME]...",
    .about = "Lists the looks that pictures can be given. With a NAME, prints that look's recipe\n"
             "with what each parameter does: a file to begin one of your own from.",
    .after =
        "examples:\n"
        "  patina looks\n"
        "  patina looks marble > my-stone.look\n"
        "  patina looks --sheet sheet.png photo.jpg\n"
        "  patina looks --sheet sheet.png photo.jpg --look gold --prompt \"gold in moonlight\"",
    .config = {rows, sizeof rows / sizeof *rows, "PATINA_"},
    .words_max = 1,
};

static bool holds(const struct looks_list *l, const struct recipe *r)
{
    for (int i = 0; i < l->n; i++)
        if (l->look[i] == r)
            return true;
    return false;
}

static void list_all(const struct recipe_set *s, struct looks_list *out)
{
    const struct recipe *first, *r;

    out->n = 0;
    for (int i = 0; (first = recipe_at(s, i)); i++)
        for (int k = i; (r = recipe_at(s, k)) && out->n < LOOKS_MAX; k++)
            if (strcmp(r->family, first->family) == 0 && !holds(out, r))
                out->look[out->n++] = r;
}

static const struct recipe *find(const struct recipe_set *s, const char *name,
                                 struct err_note *note)
{
    const struct recipe *r = recipe_find(s, name);
    struct nearest n = NEAREST(name);

    for (int i = 0; !r && recipe_at(s, i); i++)
        for (int k = 0; k < recipe_at(s, i)->names; k++)
            nearest_try(&n, recipe_at(s, i)->name[k]);
    if (!r && n.best)
        err_set(note, ERR_NOT_FOUND, "there is no look \"%.60s\"; did you mean \"%s\"?", name,
                n.best);
    else if (!r)
        err_set(note, ERR_NOT_FOUND, "there is no look \"%.60s\"; patina looks lists them", name);
    return r;
}

// ---- --sheet ----

static void on_progress(void *ctx, float done)
{
    progress_show(ctx, done);
}

static enum err open_painters(const struct flags *f, struct sheet_request *r, struct err_note *note)
{
    const struct engine_options options = {
        .threads = (int)sysconf(_SC_NPROCESSORS_ONLN),
        .looks_dir = f->looks,
    };

    enum err e = pool_open(options.threads, &r->pool, note);
    if (!e && f->prompt.count)
        e = engine_look_ops.open(&options, &r->engine, note);
    return e;
}

static int list_items(const struct flags *f, const struct looks_list *l,
                      struct sheet_item item[ITEMS_MAX])
{
    int n = 0;

    for (int i = 0; i < l->n; i++)
        item[n++] = (struct sheet_item){.look = l->look[i]};
    for (int i = 0; i < f->prompt.count; i++)
        item[n++] = (struct sheet_item){.prompt = f->prompt.text[i]};
    return n;
}

static enum err draw(const struct flags *f, const char *path, const struct looks_list *l,
                     struct interrupt *interrupt, struct image *out, struct err_note *note)
{
    // What the photo is decoded for: a picture of its own shape.
    const struct engine_job job = {.prompt_text = "", .pixels = SHEET_PAINT_PIXELS};
    struct sheet_item item[ITEMS_MAX];
    struct decoded photo = {.fd = -1};
    struct progress bar;
    bool animated;
    struct sheet_request request = {
        .photo = &photo.image,
        .item = item,
        .items = list_items(f, l, item),
        .columns = f->columns == CONFIG_UNSET ? 0 : (int)f->columns,
        .seed = SEED,
        .progress = on_progress,
        .progress_ctx = &bar,
        .cancel = &interrupt->hit,
    };

    progress_begin(&bar, !f->quiet);
    enum err e = photo_read(path, &job, &interrupt->hit, &photo, &animated, note);
    if (!e)
        e = open_painters(f, &request, note);
    if (!e)
        e = sheet_draw(&request, out, note);
    progress_end(&bar);
    if (request.engine)
        request.engine->ops->close(request.engine);
    pool_close(request.pool);
    decoded_release(&photo);
    return e;
}

static enum err make_sheet(const struct flags *f, const char *photo, const struct looks_list *l,
                           struct interrupt *interrupt, struct err_note *note)
{
    const struct codec_meta meta = {NULL, NULL, "look", "patina " PATINA_VERSION};
    struct image sheet = {0};

    interrupt_watch(interrupt, NULL);
    enum err e = draw(f, photo, l, interrupt, &sheet, note);
    interrupt_end(interrupt);
    if (!e)
        e = photo_write(f->sheet, &sheet, &meta, note);
    image_release(&sheet);
    return e;
}

// ---- the command ----

static enum err check_flags(const struct flags *f, const char *word, struct err_note *note)
{
    if (f->sheet && !word)
        return err_set(note, ERR_INVALID, "which photo? patina looks --sheet OUT.png PHOTO");
    for (int i = 0; i < f->prompt.count; i++)
        if (!utf8_valid(f->prompt.text[i], strlen(f->prompt.text[i])))
            return err_set(note, ERR_INVALID, "a --prompt is not valid UTF-8");
    if (f->sheet)
        return photo_check_name(f->sheet, note);
    if (f->look.count || f->prompt.count || f->columns != CONFIG_UNSET)
        return err_set(note, ERR_INVALID, "--look, --prompt and --columns go with --sheet OUT.png");
    return ERR_OK;
}

// Those that were named, in that order; all where nothing else is asked for either.
static enum err choose(const struct flags *f, const struct recipe_set *s, const char *name,
                       struct looks_list *out, struct err_note *note)
{
    if (!name && f->look.count == 0 && f->prompt.count == 0) {
        list_all(s, out);
        return ERR_OK;
    }
    out->n = name ? 1 : f->look.count;
    for (int i = 0; i < out->n; i++)
        if (!(out->look[i] = find(s, name ? name : f->look.text[i], note)))
            return ERR_NOT_FOUND;
    return ERR_OK;
}

static int print_list(const struct flags *f, const struct looks_list *l, bool one)
{
    struct buf out = BUF_INIT;

    if (f->json)
        looks_add_json(l, &out);
    else if (one)
        looks_add_recipe(l->look[0], &out);
    else if (isatty(STDOUT_FILENO))
        looks_add_table(l, &out);
    else
        looks_add_lines(l, &out);
    int code = command_print(&out);
    buf_release(&out);
    return code;
}

static int print_operators(void)
{
    struct buf out = BUF_INIT;

    look_op_describe(&out);
    int code = command_print(&out);
    buf_release(&out);
    return code;
}

int looks_command(int argc, char **argv)
{
    struct interrupt interrupt = {0};
    struct recipe_set *set = NULL;
    struct err_note note = {0};
    struct flags f;
    struct looks_list l;
    const char *word = NULL;
    int count, code = command_read(&line, &f, argc, argv, &word, &count);

    if (code >= 0)
        return code;
    if (check_flags(&f, word, &note)) {
        command_complain("looks", note.text);
        return EXIT_USAGE;
    }
    if (f.operators)
        return print_operators();
    interrupt_block();
    code = EXIT_FAILED;
    if (!recipe_set_open(f.looks, &set, &note) &&
        !choose(&f, set, f.sheet ? NULL : word, &l, &note)) {
        if (!f.sheet)
            code = print_list(&f, &l, word != NULL);
        else if (!make_sheet(&f, word, &l, &interrupt, &note))
            code = EXIT_DONE;
    }
    recipe_set_close(set);
    return interrupt_report(&interrupt, "looks", code, note.text);
}
