/* SPDX-License-Identifier: MIT */
#include "cli/account.h"

#include "cli/admin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 256 }; // rows read at once

static const struct table_column columns[] = {
    {"id", "id", TABLE_NUMBER},
    {"uuid", NULL, TABLE_TEXT},
    {"name", "name", TABLE_TEXT},
    {"state", "state", TABLE_TEXT}, // active, disabled, deleted
    {"service_mode", "mode", TABLE_TEXT},
    {"available", "available", TABLE_NUMBER},
    {"frozen", "frozen", TABLE_NUMBER},
    {"consumed", "consumed", TABLE_NUMBER},
    {"granted", "granted", TABLE_NUMBER},
    {"waiting", "waiting", TABLE_NUMBER},
    {"running", "running", TABLE_NUMBER},
    {"created_at", "created", TABLE_TIME},
    {"deleted_at", NULL, TABLE_TIME},
};

static void begin_table(struct table *t)
{
    table_init(t, columns, sizeof columns / sizeof *columns);
}

static void add_account(struct table *t, const struct account *a)
{
    table_number(t, a->id);
    table_text(t, a->uuid);
    table_text(t, a->name);
    table_text(t, a->deleted_ms >= 0 ? "deleted" : a->disabled ? "disabled" : "active");
    table_text(t, a->is_private ? "private" : "public");
    table_number(t, a->available);
    table_number(t, a->frozen);
    table_number(t, a->consumed);
    table_number(t, a->granted);
    table_number(t, a->waiting);
    table_number(t, a->running);
    table_time(t, a->created_ms);
    table_time(t, a->deleted_ms);
}

static int print_account(const struct admin *a, const struct account *account)
{
    struct table t;

    begin_table(&t);
    add_account(&t, account);
    return admin_print(a, &t, NULL);
}

// ---- create ----

static int create(struct admin *a)
{
    struct account_new in = {
        .name = a->word[0], .is_private = a->f.is_private, .points = a->f.points};
    struct account account;

    if (!store_name_good(in.name))
        return admin_misused(a, "the name must be 1 to 63 bytes of UTF-8 without control "
                                "characters, and not a number or a UUID, which would mean an id");
    enum err e = store_account_create(a->store, &in, &account);
    if (e)
        return admin_store_failed(a, e);
    int code = print_account(a, &account);
    admin_say("A key for it: patina key create %" PRId64, account.id);
    return code;
}

static int create_command(int argc, char **argv)
{
    static const struct config_option rows[] = {
        ADMIN_ROW("points", CONFIG_NUMBER, points, .min = 0, .max = INT64_C(1) << 53,
                  .fallback = "0", .value = "N", .help = "points to begin with"),
        ADMIN_ROW("private", CONFIG_SWITCH, is_private,
                  .help = "results can be read with a signed URL alone"),
        ADMIN_JSON,
        ADMIN_PLACE,
    };
    static const struct command_line line = {
        .usage = "patina account create NAME [flags]",
        .about = "Makes an account and prints it. It has no key yet: patina key create.",
        .words_min = 1,
        .words_max = 1,
        .words_name = "a name",
        ADMIN_LINE(rows),
    };

    return admin_run(&line, argc, argv, create);
}

// ---- list ----

static int list(struct admin *a)
{
    struct account *page = NULL;
    struct table t;
    int64_t after = 0;
    int count = PAGE;

    begin_table(&t);
    while (count == PAGE) {
        struct arena arena = ARENA_INIT;
        enum err e = store_accounts_list(a->store, after, a->f.all, PAGE, &arena, &page, &count);
        for (int i = 0; !e && i < count; i++)
            add_account(&t, &page[i]);
        if (!e && count)
            after = page[count - 1].id;
        arena_release(&arena);
        if (e) {
            table_release(&t);
            return admin_store_failed(a, e);
        }
    }
    return admin_print(a, &t, "accounts");
}

static int list_command(int argc, char **argv)
{
    static const struct config_option rows[] = {
        ADMIN_ROW("all", CONFIG_SWITCH, all, .help = "deleted ones too"),
        ADMIN_JSON,
        ADMIN_PLACE,
    };
    static const struct command_line line = {
        .usage = "patina account list [flags]",
        .about = "Lists accounts with their points and jobs.",
        ADMIN_LINE(rows),
    };

    return admin_run(&line, argc, argv, list);
}

// ---- disable, enable, delete ----

// Looks the account up, changes it, prints what it is then.
static int change(struct admin *a, enum err (*act)(struct store *s, int64_t account))
{
    struct account account;
    int code = admin_account(a, a->word[0], &account);

    if (code >= 0)
        return code;
    enum err e = act(a->store, account.id);
    if (e == ERR_NOT_FOUND)
        return admin_failed(a, "account %" PRId64 " was deleted", account.id);
    if (!e)
        e = store_account_get(a->store, account.id, &account);
    return e ? admin_store_failed(a, e) : print_account(a, &account);
}

static enum err set_disabled(struct store *s, int64_t account)
{
    return store_account_set_disabled(s, account, true);
}

static enum err set_enabled(struct store *s, int64_t account)
{
    return store_account_set_disabled(s, account, false);
}

static int disable(struct admin *a)
{
    return change(a, set_disabled);
}

static int enable(struct admin *a)
{
    return change(a, set_enabled);
}

static const struct config_option change_rows[] = {ADMIN_JSON, ADMIN_PLACE};

static int disable_command(int argc, char **argv)
{
    static const struct command_line line = {
        .usage = "patina account disable ACCOUNT [flags]",
        .about = "Its keys are answered 403 and its waiting jobs fail with 403; their points are\n"
                 "released. Running jobs end, webhooks go out, pictures stay readable. ACCOUNT is\n"
                 "a number, a UUID or a name.",
        .words_min = 1,
        .words_max = 1,
        .words_name = "an account",
        ADMIN_LINE(change_rows),
    };

    return admin_run(&line, argc, argv, disable);
}

static int enable_command(int argc, char **argv)
{
    static const struct command_line line = {
        .usage = "patina account enable ACCOUNT [flags]",
        .about = "Lets a disabled account work again. Jobs that failed meanwhile stay failed.",
        .words_min = 1,
        .words_max = 1,
        .words_name = "an account",
        ADMIN_LINE(change_rows),
    };

    return admin_run(&line, argc, argv, enable);
}

static int delete (struct admin *a)
{
    if (!a->f.yes)
        return admin_misused(a, "this cannot be undone; add --yes if you mean it");
    int code = change(a, store_account_delete);
    if (code == EXIT_DONE)
        admin_say("What it sent and got is erased within the hour, while the service runs.");
    return code;
}

static int delete_command(int argc, char **argv)
{
    static const struct config_option rows[] = {
        ADMIN_ROW("yes", CONFIG_SWITCH, yes, .help = "it cannot be undone, and is meant"),
        ADMIN_JSON,
        ADMIN_PLACE,
    };
    static const struct command_line line = {
        .usage = "patina account delete ACCOUNT --yes [flags]",
        .about =
            "Shuts the account out (403) and fails its waiting jobs; running ones end. Prompts,\n"
            "addresses, pictures, uploads, webhooks and last its keys are erased within the\n"
            "hour, while the service runs; last webhooks get 45 minutes of it. Its number,\n"
            "name, and the ledger of its points stay.",
        .words_min = 1,
        .words_max = 1,
        .words_name = "an account",
        ADMIN_LINE(rows),
    };

    return admin_run(&line, argc, argv, delete);
}

int account_command(int argc, char **argv)
{
    static const struct command table[] = {
        {"create", "make an account", create_command},
        {"list", "show accounts", list_command},
        {"disable", "refuse its requests, fail what waits", disable_command},
        {"enable", "undo that", enable_command},
        {"delete", "for ever, with its prompts and pictures", delete_command},
        {NULL, NULL, NULL},
    };

    return command_group("account", table, argc, argv);
}

// ---- points ----

static const struct table_column point_columns[] = {
    {"account", "account", TABLE_NUMBER},  {"name", "name", TABLE_TEXT},
    {"granted", "granted", TABLE_NUMBER},  {"available", "available", TABLE_NUMBER},
    {"frozen", "frozen", TABLE_NUMBER},    {"consumed", "consumed", TABLE_NUMBER},
    {"updated_at", "changed", TABLE_TIME},
};

static int print_points(const struct admin *a, const struct account *account)
{
    struct table t;

    table_init(&t, point_columns, sizeof point_columns / sizeof *point_columns);
    table_number(&t, account->id);
    table_text(&t, account->name);
    table_number(&t, account->granted);
    table_number(&t, account->available);
    table_number(&t, account->frozen);
    table_number(&t, account->consumed);
    table_time(&t, account->updated_ms);
    return admin_print(a, &t, NULL);
}

// Digits alone: "1e6", "+5" and " 5" are asked about rather than guessed.
static bool read_points(const char *text, int64_t *out)
{
    const size_t digits_max = 16; // 2^53 has 16

    if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > digits_max)
        return false;
    *out = strtoll(text, NULL, 10);
    return *out >= 1 && *out <= INT64_C(1) << 53;
}

static int add_points(struct admin *a)
{
    struct account account;
    int64_t points;

    if (!read_points(a->word[1], &points))
        return admin_misused(a,
                             "\"%.40s\" must be a whole number from 1 to %" PRId64
                             "; points that were granted cannot be taken back",
                             a->word[1], INT64_C(1) << 53);
    int code = admin_account(a, a->word[0], &account);
    if (code >= 0)
        return code;
    enum err e = store_points_add(a->store, account.id, points);
    if (e == ERR_NOT_FOUND)
        return admin_failed(a, "account %" PRId64 " was deleted", account.id);
    if (e == ERR_INVALID)
        return admin_failed(a, "account %" PRId64 " would have more points than can be counted",
                            account.id);
    if (!e)
        e = store_account_get(a->store, account.id, &account);
    return e ? admin_store_failed(a, e) : print_points(a, &account);
}

static int points_add_command(int argc, char **argv)
{
    static const struct command_line line = {
        .usage = "patina points add ACCOUNT N [flags]",
        .about = "Grants points to an account and prints what it has then.",
        .words_min = 2,
        .words_max = 2,
        .words_name = "an account or a number of points",
        ADMIN_LINE(change_rows),
    };

    return admin_run(&line, argc, argv, add_points);
}

static int show_points(struct admin *a)
{
    struct account account;
    int code = admin_account(a, a->word[0], &account);

    return code >= 0 ? code : print_points(a, &account);
}

static int points_show_command(int argc, char **argv)
{
    static const struct command_line line = {
        .usage = "patina points show ACCOUNT [flags]",
        .about =
            "Prints what was granted to an account and where it is: available, frozen by jobs\n"
            "that have not ended, consumed. Frozen and the other two make up what was granted.",
        .words_min = 1,
        .words_max = 1,
        .words_name = "an account",
        ADMIN_LINE(change_rows),
    };

    return admin_run(&line, argc, argv, show_points);
}

int points_command(int argc, char **argv)
{
    static const struct command table[] = {
        {"add", "grant points to an account", points_add_command},
        {"show", "what an account has", points_show_command},
        {NULL, NULL, NULL},
    };

    return command_group("points", table, argc, argv);
}
