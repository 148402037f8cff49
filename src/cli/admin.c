/* SPDX-License-Identifier: MIT */
#include "cli/admin.h"

#include "store/store_sqlite.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

// Leases are the service's: none is ever taken here.
enum { LEASE_MS = 60 * 1000 };

static int PRINTF_LIKE(3, 0) complain(const struct admin *a, int code, const char *fmt, va_list ap)
{
    struct buf text = BUF_INIT;

    buf_vaddf(&text, fmt, ap);
    command_complain(a->name, text.data ? text.data : "out of memory");
    buf_release(&text);
    return code;
}

int admin_failed(const struct admin *a, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int code = complain(a, EXIT_FAILED, fmt, ap);
    va_end(ap);
    return code;
}

int admin_misused(const struct admin *a, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int code = complain(a, EXIT_USAGE, fmt, ap);
    va_end(ap);
    return code;
}

void admin_say(const char *fmt, ...)
{
    va_list ap;

    if (!isatty(STDERR_FILENO))
        return;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

int admin_store_failed(const struct admin *a, enum err e)
{
    switch (e) {
    case ERR_FULL:
        return admin_failed(a, "nothing was changed: the disk is full");
    case ERR_UNAVAILABLE:
        return admin_failed(a, "nothing was changed: the store is locked or may not be written; "
                               "retry, as the user that the service runs as");
    default:
        return admin_failed(a,
                            "nothing was changed: the store failed (%s); patina doctor tells "
                            "more",
                            err_name(e));
    }
}

// Where the service keeps things, by the same variables; flags win.
static enum err read_settings(struct admin *a, struct err_note *note)
{
    config_defaults(&settings_config, &a->s);
    enum err e = config_env(&settings_config, &a->s, note);

    if (e)
        return e;
    if (a->f.data)
        a->s.data = a->f.data;
    if (a->f.database)
        a->s.database = a->f.database;
    a->s.deny = NULL; // a file that administration has no use for
    return settings_resolve(&a->s, &a->arena, note);
}

int admin_read(struct admin *a, const struct command_line *line, int argc, char **argv)
{
    struct err_note note = {0};

    *a = (struct admin){.name = argv[0], .arena = ARENA_INIT};
    int code = command_read(line, &a->f, argc, argv, a->word, &a->words);
    if (code >= 0)
        return code;
    if (!read_settings(a, &note))
        return -1;
    code = admin_misused(a, "%s", note.text);
    admin_end(a);
    return code;
}

static enum err check_file(const struct admin *a, struct err_note *note)
{
    const char *path = a->s.database_path;

    if (access(path, R_OK | W_OK) == 0)
        return ERR_OK;
    if (errno == ENOENT || errno == ENOTDIR)
        return err_set(note, ERR_NOT_FOUND,
                       "there is no database %s; name the installation's folder with --data or "
                       "PATINA_DATA (patina serve makes it when it first starts)",
                       path);
    return err_set(note, ERR_UNAVAILABLE, "%s cannot be written: %s%s", path, strerror(errno),
                   errno == EROFS ? "" : "; run this as the user that the service runs as");
}

enum err admin_open(struct admin *a, struct err_note *note)
{
    struct store_options o = {
        .clock = &clock_system,
        .concurrency = (int)a->s.concurrency,
        .queue_limit = (int)a->s.queue_limit,
        .retention_ms = a->s.retention_hours * 3600 * 1000,
        .lease_ms = LEASE_MS,
        .existing = true,
    };
    enum err e = check_file(a, note);

    return e ? e : store_sqlite_open(a->s.database_path, &o, &a->store, note);
}

int admin_run(const struct command_line *line, int argc, char **argv, int (*act)(struct admin *a))
{
    struct err_note note = {0};
    struct admin a;
    int code = admin_read(&a, line, argc, argv);

    if (code >= 0)
        return code;
    code = admin_open(&a, &note) ? admin_failed(&a, "%s", note.text) : act(&a);
    admin_end(&a);
    return code;
}

void admin_end(struct admin *a)
{
    store_close(a->store);
    arena_release(&a->arena);
}

int admin_account(const struct admin *a, const char *who, struct account *out)
{
    enum err e = store_account_find(a->store, who, out);

    if (e == ERR_NOT_FOUND)
        return admin_failed(a, "there is no account \"%.80s\"; patina account list shows them",
                            who);
    if (e == ERR_CONFLICT)
        return admin_failed(a,
                            "several accounts are called \"%.80s\"; say its number, which patina "
                            "account list shows",
                            who);
    return e ? admin_store_failed(a, e) : -1;
}

int admin_print(const struct admin *a, struct table *t, const char *key)
{
    int code = a->f.json ? table_print_json(t, key) : table_print(t);

    table_release(t);
    return code;
}
