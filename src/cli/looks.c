/* SPDX-License-Identifier: MIT */
#include "cli/looks.h"

#include "base/json.h"
#include "base/nearest.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/photo.h"
#include "cli/progress.h"
#include "cli/sheet.h"
#include "prompt/prompt.h"

#include <string.h>
#include <unistd.h>

enum { SEED = 1, FAMILY_COLUMN = 15, NAME_COLUMN = 18, COMMENT_COLUMN = 22, WIDTH_MAX = 98 };

struct flags {
    const char *looks, *sheet;
    struct config_texts look;
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
    ROW("columns", CONFIG_NUMBER, columns, .flag_only = true, .min = 1, .max = SHEET_COLUMNS_MAX,
        .value = "N", .computed = "a sheet about as high as wide",
        .help = "of --sheet: pictures in a row"),
    ROW("looks", CONFIG_TEXT, looks, .value = "DIR",
        .help = "folder with look recipes of your own"),
    ROW("quiet", CONFIG_SWITCH, quiet, .letter = 'q', .flag_only = true, .help = "no progress bar"),
};

static const struct command_line line = {
    .usage = "patina looks [NAME] [--json], or patina looks --sheet OUT.png PHOTO [--look NAME]...",
    .about = "Lists the looks that pictures can be given. With a NAME, prints that look's recipe\n"
             "with what each parameter does: a file to begin one of your own from.",
    .after = "examples:\n"
             "  patina looks\n"
             "  patina looks marble > my-stone.look\n"
             "  patina looks --sheet sheet.png photo.jpg --look gold --look jade",
    .config = {rows, sizeof rows / sizeof *rows, "PATINA_"},
    .words_max = 1,
};

/* Families in order of their first look, the looks of each together. */
struct list {
    const struct recipe *look[SHEET_LOOKS_MAX];
    int n;
};

static bool holds(const struct list *l, const struct recipe *r)
{
    for (int i = 0; i < l->n; i++)
        if (l->look[i] == r)
            return true;
    return false;
}

static void list_all(const struct recipe_set *s, struct list *out)
{
    const struct recipe *first, *r;

    out->n = 0;
    for (int i = 0; (first = recipe_at(s, i)); i++)
        for (int k = i; (r = recipe_at(s, k)) && out->n < SHEET_LOOKS_MAX; k++)
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

static void add_names(const struct recipe *r, struct buf *out)
{
    for (int i = 1; i < r->names; i++)
        buf_addf(out, "%s%s", i > 1 ? ", " : "", r->name[i]);
}

// For people: families and columns.
static void add_table(const struct list *l, struct buf *out)
{
    const char *family = NULL;

    buf_addf(out, "%-*s%-*s%s\n", FAMILY_COLUMN, "FAMILY", NAME_COLUMN, "NAME", "ALSO");
    for (int i = 0; i < l->n; i++) {
        const struct recipe *r = l->look[i];
        bool same = family && strcmp(family, r->family) == 0;
        family = r->family;
        buf_addf(out, "%-*s%-*s", FAMILY_COLUMN, same ? "" : family, r->names > 1 ? NAME_COLUMN : 0,
                 r->name[0]);
        add_names(r, out);
        buf_addc(out, '\n');
    }
}

// For programs: a line each of name, family and other names with tabs between.
static void add_lines(const struct list *l, struct buf *out)
{
    for (int i = 0; i < l->n; i++) {
        buf_addf(out, "%s\t%s\t", l->look[i]->name[0], l->look[i]->family);
        add_names(l->look[i], out);
        buf_addc(out, '\n');
    }
}

static void add_comment(const char *text, struct buf *out)
{
    size_t column = 0;

    while (*text) {
        size_t n = strcspn(text, " ");
        if (column && column + 1 + n > WIDTH_MAX) {
            buf_addc(out, '\n');
            column = 0;
        }
        buf_addf(out, "%s %.*s", column ? "" : "#", (int)n, text);
        column += (column ? 1 : 2) + n;
        text += n + strspn(text + n, " ");
    }
    buf_addc(out, '\n');
}

// A recipe as it would be written with every parameter set, each explained.
static void add_recipe(const struct recipe *r, struct buf *out)
{
    if (r->about[0])
        add_comment(r->about, out);
    buf_addf(out, "name = %s\n", r->name[0]);
    if (r->names > 1) {
        buf_adds(out, "also = ");
        add_names(r, out);
        buf_addc(out, '\n');
    }
    if (r->family[0])
        buf_addf(out, "family = %s\n", r->family);
    for (int i = 0; i < r->steps; i++) {
        const struct recipe_step *s = &r->step[i];
        buf_addc(out, '\n');
        add_comment(s->op->help, out);
        buf_addf(out, "[%s]\n", s->op->name);
        for (int k = 0; s->op->param[k].name; k++) {
            const struct look_param *p = &s->op->param[k];
            int n = COMMENT_COLUMN - (int)strlen(p->name) - 3;
            buf_addf(out, "%s = %-*g # %g to %g: %s\n", p->name, n, (double)s->value[k],
                     (double)p->least, (double)p->most, p->help);
        }
    }
}

static void jw_number(struct json_writer *j, const char *key, float v)
{
    char text[32];

    snprintf(text, sizeof text, "%g", (double)v);
    jw_kraw(j, key, text);
}

// Whether prompts ask for it as a medium or as a material.
static const char *kind_of(const struct recipe *r)
{
    struct arena arena = ARENA_INIT;
    struct prompt *p = arena_alloc(&arena, sizeof *p);
    bool material = false;

    if (p && !prompt_read(p, &arena, r->name[0], strlen(r->name[0])))
        material = !p->medium && p->materials.count > 0;
    arena_release(&arena);
    return material ? "material" : "medium";
}

static void write_step(struct json_writer *j, const struct recipe_step *s)
{
    jw_open(j, '{');
    jw_kstr(j, "operator", s->op->name);
    jw_kstr(j, "help", s->op->help);
    jw_key(j, "parameters");
    jw_open(j, '[');
    for (int k = 0; s->op->param[k].name; k++) {
        jw_open(j, '{');
        jw_kstr(j, "name", s->op->param[k].name);
        jw_number(j, "value", s->value[k]);
        jw_number(j, "default", s->op->param[k].normal);
        jw_number(j, "least", s->op->param[k].least);
        jw_number(j, "most", s->op->param[k].most);
        jw_kstr(j, "help", s->op->param[k].help);
        jw_close(j, '}');
    }
    jw_close(j, ']');
    jw_close(j, '}');
}

static void write_look(struct json_writer *j, const struct recipe *r)
{
    jw_open(j, '{');
    jw_kstr(j, "name", r->name[0]);
    jw_key(j, "also");
    jw_open(j, '[');
    for (int i = 1; i < r->names; i++)
        jw_str(j, r->name[i]);
    jw_close(j, ']');
    jw_kstr(j, "about", r->about);
    jw_kstr(j, "family", r->family);
    jw_kstr(j, "kind", kind_of(r));
    jw_key(j, "builtin");
    jw_bool(j, !r->file);
    if (r->file)
        jw_kstr(j, "file", r->file);
    jw_key(j, "steps");
    jw_open(j, '[');
    for (int i = 0; i < r->steps; i++)
        write_step(j, &r->step[i]);
    jw_close(j, ']');
    jw_close(j, '}');
}

static void add_json(const struct list *l, struct buf *out)
{
    struct json_writer j = JSON_WRITER(out);

    jw_open(&j, '[');
    for (int i = 0; i < l->n; i++)
        write_look(&j, l->look[i]);
    jw_close(&j, ']');
    buf_addc(out, '\n');
}

// ---- --sheet ----

static void on_progress(void *ctx, float done)
{
    progress_show(ctx, done);
}

static enum err draw(const struct flags *f, const char *path, const struct list *l,
                     struct interrupt *interrupt, struct image *out, struct err_note *note)
{
    // What the photo is decoded for: a picture of its own shape.
    const struct engine_job job = {.prompt_text = "", .pixels = SHEET_PAINT_PIXELS};
    struct decoded photo = {.fd = -1};
    struct pool *pool = NULL;
    struct progress bar;
    bool animated;

    progress_begin(&bar, !f->quiet);
    enum err e = photo_read(path, &job, &interrupt->hit, &photo, &animated, note);
    if (!e)
        e = pool_open((int)sysconf(_SC_NPROCESSORS_ONLN), &pool, note);
    if (!e) {
        struct sheet_request request = {
            .photo = &photo.image,
            .look = l->look,
            .looks = l->n,
            .columns = f->columns == CONFIG_UNSET ? 0 : (int)f->columns,
            .seed = SEED,
            .pool = pool,
            .progress = on_progress,
            .progress_ctx = &bar,
            .cancel = &interrupt->hit,
        };
        e = sheet_draw(&request, out, note);
    }
    progress_end(&bar);
    pool_close(pool);
    decoded_release(&photo);
    return e;
}

static enum err make_sheet(const struct flags *f, const char *photo, const struct list *l,
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
    if (f->sheet)
        return photo_check_name(f->sheet, note);
    if (f->look.count || f->columns != CONFIG_UNSET)
        return err_set(note, ERR_INVALID, "--look and --columns go with --sheet OUT.png");
    return ERR_OK;
}

// Those that were named, in that order, or all.
static enum err choose(const struct flags *f, const struct recipe_set *s, const char *name,
                       struct list *out, struct err_note *note)
{
    if (!name && f->look.count == 0) {
        list_all(s, out);
        return ERR_OK;
    }
    out->n = name ? 1 : f->look.count;
    for (int i = 0; i < out->n; i++)
        if (!(out->look[i] = find(s, name ? name : f->look.text[i], note)))
            return ERR_NOT_FOUND;
    return ERR_OK;
}

static int print_list(const struct flags *f, const struct list *l, bool one)
{
    struct buf out = BUF_INIT;

    if (f->json)
        add_json(l, &out);
    else if (one)
        add_recipe(l->look[0], &out);
    else if (isatty(STDOUT_FILENO))
        add_table(l, &out);
    else
        add_lines(l, &out);
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
    struct list l;
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
