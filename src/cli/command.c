/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include "base/nearest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { NAME_COLUMN = 16, NAME_MAX_BYTES = 64 };

static int finish_output(void)
{
    // A full disk or a closed pipe must not look like success.
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_DONE : EXIT_FAILED;
}

int command_print(const struct buf *text)
{
    if (!text->failed)
        fwrite(text->data, 1, text->len, stdout);
    int code = finish_output();
    return text->failed ? EXIT_FAILED : code;
}

static void add_summaries(const struct command *table, struct buf *out)
{
    for (const struct command *c = table; c->name; c++)
        if (c->summary && c->run)
            buf_addf(out, "  %-*s%s\n", NAME_COLUMN, c->name, c->summary);
}

static int print_help(const struct command *table)
{
    struct buf out = BUF_INIT;

    buf_adds(&out, "usage: patina COMMAND [flags]\n\n"
                   "A picture goes in, a prompt says what it should be made of, four pictures come "
                   "out.\n\n");
    add_summaries(table, &out);
    buf_addf(&out, "  %-*s%s\n", NAME_COLUMN, "help", "this text; help COMMAND tells more");
    buf_addf(&out, "  %-*s%s\n\n", NAME_COLUMN, "version", "which version this is");
    buf_adds(&out, "Exit status: 0 done, 1 the work failed, 2 the command line was wrong.\n");
    int code = command_print(&out);
    buf_release(&out);
    return code;
}

// `name` is what stands before the command: "patina", "patina bench".
static int dispatch(const char *name, const struct command *table, int argc, char **argv)
{
    struct nearest n = NEAREST(argv[1]);
    char whole[NAME_MAX_BYTES]; // "bench look": what its complaints begin with

    for (const struct command *c = table; c->name; c++) {
        if (strcmp(c->name, argv[1]) == 0 && c->run) {
            snprintf(whole, sizeof whole, "%s %s", name, c->name);
            argv[1] = whole + strlen("patina ");
            int code = c->run(argc - 1, argv + 1);
            return code == EXIT_DONE ? finish_output() : code;
        }
        if (strcmp(c->name, argv[1]) == 0) {
            fprintf(stderr, "%s: \"%s\" is not in this version yet%s%s\n", name, c->name,
                    c->summary ? ": " : "", c->summary ? c->summary : "");
            return EXIT_USAGE;
        }
        if (c->summary && c->run)
            nearest_try(&n, c->name);
    }
    nearest_try(&n, "help");
    fprintf(stderr, "%s: unknown command \"%.60s\"; ", name, argv[1]);
    if (n.best)
        fprintf(stderr, "did you mean \"%s\"?\n", n.best);
    else
        fprintf(stderr, "%s --help lists them\n", name);
    return EXIT_USAGE;
}

static bool is_word(const char *arg, const char *word)
{
    return strcmp(arg, word) == 0 || (strncmp(arg, "--", 2) == 0 && strcmp(arg + 2, word) == 0);
}

static bool asks_for_help(const char *arg)
{
    return is_word(arg, "help") || strcmp(arg, "-h") == 0;
}

int command_main(const struct command *table, int argc, char **argv)
{
    char help[] = "--help";

    if (argc < 2) {
        fprintf(stderr, "patina: which command? patina --help lists them\n");
        return EXIT_USAGE;
    }
    if (is_word(argv[1], "version") || strcmp(argv[1], "-V") == 0) {
        printf("patina %s\n", PATINA_VERSION);
        return finish_output();
    }
    if (asks_for_help(argv[1])) {
        if (argc < 3 || asks_for_help(argv[2]))
            return print_help(table);
        // "help key create" is "key create --help".
        memmove(argv + 1, argv + 2, (size_t)(argc - 2) * sizeof *argv);
        argv[argc - 1] = help;
    }
    return dispatch("patina", table, argc, argv);
}

int command_group(const char *name, const struct command *table, int argc, char **argv)
{
    struct buf out = BUF_INIT;
    char whole[NAME_MAX_BYTES];

    snprintf(whole, sizeof whole, "patina %s", name);
    if (argc < 2) {
        fprintf(stderr, "%s: which one? %s --help lists them\n", whole, whole);
        return EXIT_USAGE;
    }
    if (!asks_for_help(argv[1]))
        return dispatch(whole, table, argc, argv);
    buf_addf(&out, "usage: %s COMMAND [flags]\n\n", whole);
    add_summaries(table, &out);
    buf_addf(&out, "\n%s COMMAND --help tells more.\n", whole);
    int code = command_print(&out);
    buf_release(&out);
    return code;
}

static int help_of(const struct command_line *line)
{
    struct buf out = BUF_INIT;

    buf_addf(&out, "usage: %s\n\n%s\n\n", line->usage, line->about);
    config_help(&line->config, &out);
    if (line->after)
        buf_addf(&out, "\n%s\n", line->after);
    int code = command_print(&out);
    buf_release(&out);
    return code;
}

void command_complain(const char *name, const char *text)
{
    fprintf(stderr, "patina %s: %s\n", name, text);
}

int command_read(const struct command_line *line, void *target, int argc, char **argv,
                 const char **words, int *count)
{
    struct err_note note = {0};
    enum err e = ERR_OK;

    config_defaults(&line->config, target);
    if (line->config.env_prefix)
        e = config_env(&line->config, target, &note);
    // A bad variable must not keep anybody from reading the help.
    enum err from_flags = config_args(&line->config, target, argc, (const char *const *)argv, words,
                                      line->words_max, count, e ? NULL : &note);
    if (from_flags == ERR_NONE)
        return help_of(line);
    if (!e && from_flags)
        e = from_flags;
    if (!e && *count < line->words_min)
        e = err_set(&note, ERR_INVALID, "%s is missing", line->words_name);
    if (!e)
        return -1;
    command_complain(argv[0], note.text);
    fprintf(stderr, "usage: %s\n", line->usage);
    return EXIT_USAGE;
}
