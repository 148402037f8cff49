/* SPDX-License-Identifier: MIT */
#include "cli/doctor.h"

#include "cli/doctor_internal.h"

#include <stdarg.h>
#include <unistd.h>

static const struct table_column columns[] = {
    {"check", "check", TABLE_TEXT},
    {"state", "state", TABLE_TEXT},
    {"found", "found", TABLE_TEXT},
    {"mend", "mend", TABLE_TEXT},
};
enum { CHECK, STATE, FOUND, MEND, COLUMNS };

void doctor_say(struct doctor *d, const char *check, enum finding f, const char *mend,
                const char *fmt, ...)
{
    static const char *const state[] = {"ok", "warning", "fails"};
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    table_text(&d->found, check);
    table_text(&d->found, state[f]);
    table_text(&d->found, text.data);
    table_text(&d->found, mend);
    d->failed |= f == FINDING_FAILS;
    buf_release(&text);
}

// For people: a line for each, and below it what to do.
static int print_findings(const struct doctor *d)
{
    const struct table *t = &d->found;

    for (const char **row = t->cell; row < t->cell + t->count; row += COLUMNS) {
        printf("%-8s %-10s %s\n", row[STATE], row[CHECK], row[FOUND] ? row[FOUND] : "");
        if (row[MEND])
            printf("%-8s %-10s -> %s\n", "", "", row[MEND]);
    }
    return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

static int print(struct doctor *d)
{
    int code;

    if (d->a->f.json)
        code = table_print_json(&d->found, "checks");
    else if (isatty(STDOUT_FILENO) && !d->found.failed)
        code = print_findings(d);
    else
        code = table_print(&d->found);
    table_release(&d->found);
    return code == EXIT_DONE && d->failed ? EXIT_FAILED : code;
}

static int examine(struct admin *a)
{
    struct doctor d = {.a = a};

    table_init(&d.found, columns, COLUMNS);
    doctor_processor(&d);
    doctor_limits(&d);
    doctor_clock(&d);
    doctor_sandbox(&d);
    doctor_decoder(&d);
    doctor_kernels(&d);
    doctor_model(&d);
    doctor_engines(&d);
    doctor_dns(&d, a->f.host);
    doctor_settings(&d);
    doctor_data(&d);
    doctor_space(&d);
    doctor_store(&d, a->f.ledger);
    return print(&d);
}

int doctor_command(int argc, char **argv)
{
    static const struct config_option rows[] = {
        ADMIN_ROW("ledger", CONFIG_SWITCH, ledger,
                  .help = "also add up every account's ledger and jobs, which reads all of them"),
        ADMIN_ROW("host", CONFIG_TEXT, host, .fallback = "example.com", .value = "NAME",
                  .help = "the name to look up"),
        ADMIN_JSON,
        ADMIN_PLACE,
    };
    static const struct command_line line = {
        .usage = "patina doctor [flags]",
        .about =
            "Tries out what the service needs: this machine's walls, codecs, engine and names,\n"
            "and this installation's database, pictures and disk. Says what works, what does\n"
            "not, and what to do. It may run beside the service.",
        .after =
            "Exit status: 0 when nothing fails (there may be warnings), 1 when something does.",
        ADMIN_LINE(rows),
    };
    struct admin a;
    int code = admin_read(&a, &line, argc, argv);

    if (code >= 0)
        return code;
    code = examine(&a);
    admin_end(&a);
    return code;
}
