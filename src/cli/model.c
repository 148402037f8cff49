/* SPDX-License-Identifier: MIT */
#include "cli/model.h"

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "models/flux2/check.h"
#include "models/flux2/pack.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

struct flags {
    bool json;
};

struct work {
    struct progress progress;
    struct interrupt interrupt;
};

static const struct config_option rows[] = {
    {.name = "json",
     .type = CONFIG_SWITCH,
     .offset = offsetof(struct flags, json),
     .flag_only = true,
     .help = "print the findings as JSON"},
};

static const struct command_line check_line = {
    .usage = "patina model check DIR|FILE.patina [--json]",
    .about = "Says what is wrong with, or missing from, a folder of FLUX.2 [klein] as it is\n"
             "published for diffusers: transformer/, text_encoder/, vae/, tokenizer/. Names and\n"
             "shapes of all tensors are looked at, their contents are not. Of a file that\n"
             "\"patina model pack\" made, every byte is held against its checksum as well.",
    .config = {rows, sizeof rows / sizeof *rows, NULL},
    .words_min = 1,
    .words_max = 1,
    .words_name = "a model's folder",
};

static const struct table_column columns[] = {
    {"part", "part", TABLE_TEXT},
    {"state", "state", TABLE_TEXT},
    {"found", "found", TABLE_TEXT},
};

static const char *state_of(enum err e)
{
    return e == ERR_OK ? "ok" : e == ERR_NOT_FOUND ? "missing" : "fails";
}

static void add_finding(void *ctx, const char *part, enum err e, const char *found)
{
    struct table *t = ctx;

    table_text(t, part);
    table_text(t, state_of(e));
    table_text(t, found);
}

static bool on_progress(void *ctx, float done)
{
    struct work *w = ctx;

    progress_show(&w->progress, done);
    return !atomic_load(&w->interrupt.hit);
}

static bool check_file(const char *path, struct table *t)
{
    struct work w = {0};
    struct packed *p = NULL;
    struct err_note note;
    char found[80];

    enum err e = packed_open(path, &p, &note);
    if (e == ERR_OK)
        snprintf(found, sizeof found, "packed in version %d, %.2f GB", PACKED_VERSION,
                 (double)packed_bytes(p) / 1e9);
    add_finding(t, "file", e, e == ERR_OK ? found : note.text);
    if (e != ERR_OK)
        return false;
    bool right = flux2_check_packed(p, add_finding, t);
    progress_begin(&w.progress, true);
    e = packed_verify(p, on_progress, &w, &note);
    progress_end(&w.progress);
    add_finding(t, "checksums", e, e == ERR_OK ? "every byte is as it was packed" : note.text);
    packed_close(p);
    return right && e == ERR_OK;
}

static int check_command(int argc, char **argv)
{
    struct flags f = {0};
    struct table t;
    struct stat st;
    const char *words[1];
    int count;

    int code = command_read(&check_line, &f, argc, argv, words, &count);
    if (code >= 0)
        return code;
    table_init(&t, columns, sizeof columns / sizeof *columns);
    bool right = stat(words[0], &st) == 0 && S_ISREG(st.st_mode)
                     ? check_file(words[0], &t)
                     : flux2_check(words[0], add_finding, &t);
    code = f.json ? table_print_json(&t, "parts") : table_print(&t);
    table_release(&t);
    return code == EXIT_DONE && !right ? EXIT_FAILED : code;
}

/* ---- packing ---- */

struct pack_flags {
    const char *precision;
};

static const struct config_option pack_rows[] = {
    {.name = "precision",
     .type = CONFIG_CHOICE,
     .offset = offsetof(struct pack_flags, precision),
     .flag_only = true,
     .choices = "bf16|int8|f32",
     .fallback = "bf16",
     .value = "TYPE",
     .help = "bf16 is as published; int8 is smaller and faster, and a little further from it; f32 "
             "is for tests"},
};

static const struct command_line pack_line = {
    .usage = "patina model pack DIR OUT.patina [--precision bf16|int8]",
    .about = "Makes the one file that the neural engine reads (PATINA_MODEL) of a folder of\n"
             "FLUX.2 [klein], once \"patina model check\" finds nothing wrong with it. An\n"
             "older OUT.patina is replaced when the new one is whole; until then both, and\n"
             "OUT.patina.part, take space.",
    .after = "FLUX.2-klein-4B becomes 14.1 GB in bf16 and 7.7 GB in int8. docs/models.md says\n"
             "where it is to be had.",
    .config = {pack_rows, sizeof pack_rows / sizeof *pack_rows, NULL},
    .words_min = 2,
    .words_max = 2,
    .words_name = "a model's folder or the file to make",
};

/* The findings, when something is wrong. */
static int check_before(const char *dir)
{
    struct table t;

    table_init(&t, columns, sizeof columns / sizeof *columns);
    bool right = flux2_check(dir, add_finding, &t);
    int code = right ? EXIT_DONE : EXIT_FAILED;
    if (!right) {
        table_print(&t);
        command_complain("model pack", "this folder cannot be packed");
    }
    table_release(&t);
    return code;
}

static int pack_command(int argc, char **argv)
{
    struct pack_flags f = {0};
    struct work w = {0};
    struct packed *p = NULL;
    struct err_note note;
    enum flux2_precision precision = FLUX2_BF16;
    const char *words[2];
    int count;

    int code = command_read(&pack_line, &f, argc, argv, words, &count);
    if (code >= 0)
        return code;
    code = check_before(words[0]);
    if (code != EXIT_DONE)
        return code;
    flux2_precision_of_name(f.precision, &precision);
    interrupt_block();
    interrupt_watch(&w.interrupt, NULL);
    progress_begin(&w.progress, true);
    enum err e = flux2_pack(words[0], precision, words[1], on_progress, &w, &p, &note);
    progress_end(&w.progress);
    interrupt_end(&w.interrupt);
    if (e == ERR_OK)
        printf("%s: %.2f GB, %s\n", words[1], (double)packed_bytes(p) / 1e9, f.precision);
    packed_close(p);
    return interrupt_report(&w.interrupt, "model pack", e == ERR_OK ? EXIT_DONE : EXIT_FAILED,
                            note.text);
}

static const struct command commands[] = {
    {"check", "what is wrong with a model's folder or packed file, or missing", check_command},
    {"pack", "make the file that the neural engine reads of a model's folder", pack_command},
    {NULL, NULL, NULL},
};

int model_command(int argc, char **argv)
{
    return command_group("model", commands, argc, argv);
}
