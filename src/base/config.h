/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_CONFIG_H
#define PATINA_BASE_CONFIG_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Flags and environment variables from one table: a row is a name, a type, a range, a default and a
 * line of help, and says where in the program's own struct the value goes. Parsing, messages and
 * `--help` all come from the rows, so they cannot disagree. Knows nothing of which settings there
 * are.
 */
enum config_type {
    CONFIG_TEXT,   /* const char *; NULL when not given and without a default */
    CONFIG_TEXTS,  /* struct config_texts: each time it is given adds one; no default */
    CONFIG_CHOICE, /* const char *: one of `choices` */
    CONFIG_NUMBER, /* int64_t in min..max; CONFIG_UNSET when not given and without a default */
    CONFIG_SWITCH  /* bool: the bare flag, or 1/0, true/false, yes/no, on/off */
};

#define CONFIG_UNSET INT64_MIN

enum { CONFIG_TEXTS_MAX = 64 };

struct config_texts {
    const char *text[CONFIG_TEXTS_MAX];
    int count;
};

struct config_option {
    const char *name; /* "job-timeout-s": the flag --job-timeout-s, the variable ..JOB_TIMEOUT_S */
    char letter;      /* -o, or 0 */
    enum config_type type;
    size_t offset; /* of the field in the target struct */
    int64_t min, max;
    const char *choices;  /* "text|json" */
    const char *fallback; /* the default, as one would type it; NULL for none */
    const char *computed; /* what help says instead when the default is worked out: "cores/2" */
    const char *value;    /* what help calls the value: "ADDR:PORT"; not for switches */
    const char *help;     /* one sentence without its full stop */
    bool flag_only;       /* no variable sets it */
    const char *group;    /* heading above this row and those behind it; NULL: as the row before */
};

struct config {
    const struct config_option *option;
    int count;
    const char *env_prefix; /* "PATINA_", or NULL: flags alone */
};

/* Writes every row's default into `target`. */
void config_defaults(const struct config *c, void *target);

/* Takes what the environment sets (an empty variable counts as not set). Values are borrowed from
 * the environment. ERR_INVALID with a note that names variable, value and range. */
MUST_USE enum err config_env(const struct config *c, void *target, struct err_note *note);

/* Appends a sentence for each variable that begins with the prefix and is none of ours, naming the
 * nearest one that is. */
void config_env_unknown(const struct config *c, struct buf *out);

/*
 * Takes the flags of argv[1..]: `--name value`, `--name=value`, `-n value`; the last one counts (of
 * CONFIG_TEXTS all); `--` ends them. What is not a flag, "-" and "-5" among them, goes to
 * words[0..*word_count-1]. Values and words are borrowed from argv. ERR_NONE when --help or -h was
 * among them (the rest is not looked at); ERR_INVALID for an unknown flag (the note names the
 * nearest one), a missing or bad value, or too many words.
 */
MUST_USE enum err config_args(const struct config *c, void *target, int argc,
                              const char *const *argv, const char **words, int words_max,
                              int *word_count, struct err_note *note);

/* Appends the help of every row: flag, variable, what it does, range, default. */
void config_help(const struct config *c, struct buf *out);

/* Appends the same for a page in Markdown: a section and a table for every group. Of a table with
 * variables alone (env_prefix is set). */
void config_markdown(const struct config *c, struct buf *out);

#endif
