/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_COMMAND_H
#define PATINA_CLI_COMMAND_H

#include "base/config.h"

/*
 * The commands of the program as a table, made by main(): this folder knows how a command line is
 * taken apart and how it complains, not which commands there are.
 */
enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;
    const char *summary; /* one line of `patina --help`; NULL: hidden; of what is not built: why */
    /* argv[0] is the command's whole name, "bench look". Returns an exit code; EXIT_DONE becomes
     * EXIT_FAILED when standard output cannot take all of it. NULL: not built yet, not in the help.
     */
    int (*run)(int argc, char **argv);
};

/* Runs the command that argv[1] names, or prints help or version. `table` ends with a row without a
 * name. Returns the exit code. */
int command_main(const struct command *table, int argc, char **argv);

/* As command_main() for a command that has commands of its own ("patina bench look"): argv[0] is
 * its name, argv[1] picks. */
int command_group(const char *name, const struct command *table, int argc, char **argv);

/* How one command reads its line and what its help says around the list of flags. */
struct command_line {
    const char *usage;    /* "patina render IN \"PROMPT\" -o OUT [flags]" */
    const char *about;    /* a paragraph, lines broken by hand */
    const char *after;    /* below the flags: examples, notes; may be NULL */
    struct config config; /* its flags, and variables when env_prefix is set */
    int words_min, words_max;
    const char *words_name; /* what is missing when there are too few: "a picture and a prompt" */
};

/*
 * Defaults, then variables, then flags into `target`, words into words[0..*count-1]. Returns -1 to
 * go on, or the exit code to end with: help was printed, or the line was wrong and has been
 * complained about.
 */
int command_read(const struct command_line *line, void *target, int argc, char **argv,
                 const char **words, int *count);

/* Writes `text` to standard output. EXIT_FAILED when memory had run out or it cannot be written. */
int command_print(const struct buf *text);

/* "patina render: text" on standard error. */
void command_complain(const char *name, const char *text);

#endif
