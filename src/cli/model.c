/* SPDX-License-Identifier: MIT */
#include "cli/model.h"

#include "cli/command.h"
#include "cli/table.h"
#include "models/flux2/check.h"

#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

struct flags {
    bool json;
};

static const struct config_option rows[] = {
    {.name = "json",
     .type = CONFIG_SWITCH,
     .offset = offsetof(struct flags, json),
     .flag_only = true,
     .help = "print the findings as JSON"},
};

static const struct command_line check_line = {
    .usage = "patina model check DIR [--json]",
    .about = "Says what is wrong with, or missing from, a folder of FLUX.2 [klein] as it is\n"
             "published for diffusers: transformer/, text_encoder/, vae/, tokenizer/. Names and\n"
             "shapes of all tensors are looked at, their contents are not.",
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

static int check_command(int argc, char **argv)
{
    struct flags f = {0};
    struct table t;
    const char *words[1];
    int count;

    int code = command_read(&check_line, &f, argc, argv, words, &count);
    if (code >= 0)
        return code;
    table_init(&t, columns, sizeof columns / sizeof *columns);
    bool right = flux2_check(words[0], add_finding, &t);
    code = f.json ? table_print_json(&t, "parts") : table_print(&t);
    table_release(&t);
    return code == EXIT_DONE && !right ? EXIT_FAILED : code;
}

static const struct command commands[] = {
    {"check", "what is wrong with a model's folder, or missing", check_command},
    {NULL, NULL, NULL},
};

int model_command(int argc, char **argv)
{
    return command_group("model", commands, argc, argv);
}
