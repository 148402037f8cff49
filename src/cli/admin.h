/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_ADMIN_H
#define PATINA_CLI_ADMIN_H

#include "cli/command.h"
#include "cli/table.h"
#include "server/settings.h"
#include "store/store.h"

/*
 * What the commands that administer a store share. They open the same database as `patina serve`,
 * which may be running: each change is one short transaction, and the service notices it within a
 * second. They neither make a database nor change its schema.
 *
 *     static int list(struct admin *a) { ... a->store, a->word[0], a->f.json ... }
 *     ...
 *     return admin_run(&line, argc, argv, list);
 */
struct admin_flags {
    const char *data, *database; /* NULL: as the environment says */
    bool json;
    bool all, is_private, ledger, now, yes;
    const char *account, *host, *job, *label, *state;
    int64_t points, limit;
};

enum { ADMIN_WORDS_MAX = 2 };

struct admin {
    const char *name; /* "key list"; argv[0] */
    struct admin_flags f;
    struct settings s; /* of the service, as far as the environment and the flags say */
    const char *word[ADMIN_WORDS_MAX];
    int words;
    struct arena arena;
    struct store *store;
};

#define ADMIN_ROW(name_, type_, field_, ...)                                              \
    {                                                                                     \
        .name = (name_), .type = (type_), .offset = offsetof(struct admin_flags, field_), \
        .flag_only = true, __VA_ARGS__                                                    \
    }

/* The flags that every one of them has; others come behind. */
#define ADMIN_PLACE                                                                               \
    ADMIN_ROW("data", CONFIG_TEXT, data, .value = "DIR",                                          \
              .computed = "PATINA_DATA, or ./patina-data", .help = "folder of the installation"), \
        ADMIN_ROW("database", CONFIG_TEXT, database, .value = "sqlite:PATH",                      \
                  .computed = "PATINA_DATABASE, or DATA/patina.db",                               \
                  .help = "the store, where it lies elsewhere")
#define ADMIN_JSON ADMIN_ROW("json", CONFIG_SWITCH, json, .help = "print JSON")

#define ADMIN_LINE(rows_) .config = {(rows_), sizeof(rows_) / sizeof *(rows_), NULL}

/* Reads flags and words and the service's settings; opens nothing. Returns -1 to go on (then
 * admin_end() is due) or the exit code. */
int admin_read(struct admin *a, const struct command_line *line, int argc, char **argv);

/* Opens the store of a->s. */
MUST_USE enum err admin_open(struct admin *a, struct err_note *note);

void admin_end(struct admin *a);

/* Reads the line, opens the store, acts, closes it again. Returns the exit code, `act`'s or that of
 * a complaint. */
int admin_run(const struct command_line *line, int argc, char **argv, int (*act)(struct admin *a));

/* Complains; returns EXIT_FAILED or EXIT_USAGE. */
int admin_failed(const struct admin *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
int admin_misused(const struct admin *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Complains of what a store function returned that has no sentence of its own. */
int admin_store_failed(const struct admin *a, enum err e);

/* The account that `who` names (number, UUID or name), deleted or not; else complains and returns
 * an exit code. -1: found. */
int admin_account(const struct admin *a, const char *who, struct account *out);

/* Prints and releases: one row, or a list under `key`. */
int admin_print(const struct admin *a, struct table *t, const char *key);

/* "done" on standard error when a person looks, nothing otherwise. */
void admin_say(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
