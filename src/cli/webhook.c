/* SPDX-License-Identifier: MIT */
#include "cli/webhook.h"

#include "cli/admin.h"

#include <inttypes.h>
#include <string.h>

// Receivers have a day to learn a new secret.
#define SECRET_OVERLAP_MS (INT64_C(24) * 3600 * 1000)

enum { PAGE = 100 }; // rows read at once

// ---- secrets ----

static const struct table_column secret_columns[] = {
    {"account", "account", TABLE_NUMBER},
    {"secret", "secret", TABLE_TEXT},
    {"old_secret", "old secret", TABLE_TEXT},
    {"old_until", "old until", TABLE_TIME},
};

static int print_secret(const struct admin *a, const struct account *account)
{
    bool overlap = account->webhook_secret_old[0] &&
                   account->webhook_secret_old_until_ms > clock_unix_ms(&clock_system);
    char until[RFC3339_TEXT];
    struct table t;

    if (!a->f.json) {
        rfc3339(account->webhook_secret_old_until_ms, until);
        if (overlap)
            admin_say("The one before it signs beside it until %s.", until);
        puts(account->webhook_secret);
        return EXIT_DONE;
    }
    table_init(&t, secret_columns, sizeof secret_columns / sizeof *secret_columns);
    table_number(&t, account->id);
    table_text(&t, account->webhook_secret);
    table_text(&t, overlap ? account->webhook_secret_old : NULL);
    table_time(&t, overlap ? account->webhook_secret_old_until_ms : -1);
    return admin_print(a, &t, NULL);
}

static int show(struct admin *a)
{
    struct account account;
    int code = admin_account(a, a->word[0], &account);

    return code >= 0 ? code : print_secret(a, &account);
}

static int show_command(int argc, char **argv)
{
    static const struct config_option rows[] = {ADMIN_JSON, ADMIN_PLACE};
    static const struct command_line line = {
        .usage = "patina webhook-secret show ACCOUNT [flags]",
        .about = "Prints the secret that signs an account's webhooks. ACCOUNT is a number, a UUID\n"
                 "or a name.",
        .words_min = 1,
        .words_max = 1,
        .words_name = "an account",
        ADMIN_LINE(rows),
    };

    return admin_run(&line, argc, argv, show);
}

static int rotate(struct admin *a)
{
    struct account account;
    int code = admin_account(a, a->word[0], &account);

    if (code >= 0)
        return code;
    enum err e = store_webhook_secret_rotate(a->store, account.id, a->f.now ? 0 : SECRET_OVERLAP_MS,
                                             &account);
    if (e == ERR_NOT_FOUND)
        return admin_failed(a, "account %" PRId64 " was deleted", account.id);
    return e ? admin_store_failed(a, e) : print_secret(a, &account);
}

static int rotate_command(int argc, char **argv)
{
    static const struct config_option rows[] = {
        ADMIN_ROW("now", CONFIG_SWITCH, now,
                  .help = "the old secret ends at once: for one that others have got hold of"),
        ADMIN_JSON,
        ADMIN_PLACE,
    };
    static const struct command_line line = {
        .usage = "patina webhook-secret rotate ACCOUNT [flags]",
        .about =
            "Makes a new secret and prints it. For 24 hours webhooks are signed with both, so\n"
            "that receivers can change in their own time; rotating again within them ends\n"
            "the older one.",
        .words_min = 1,
        .words_max = 1,
        .words_name = "an account",
        ADMIN_LINE(rows),
    };

    return admin_run(&line, argc, argv, rotate);
}

int webhook_secret_command(int argc, char **argv)
{
    static const struct command table[] = {
        {"show", "the secret that signs an account's webhooks", show_command},
        {"rotate", "make a new one; both sign for a day", rotate_command},
        {NULL, NULL, NULL},
    };

    return command_group("webhook-secret", table, argc, argv);
}

// ---- deliveries ----

static const struct table_column delivery_columns[] = {
    {"id", "id", TABLE_TEXT},
    {"account", "account", TABLE_NUMBER},
    {"job_id", "job", TABLE_TEXT},
    {"state", "state", TABLE_TEXT},
    {"attempts", "attempts", TABLE_NUMBER},
    {"last_status", "status", TABLE_NUMBER},
    {"next_at", "next", TABLE_TIME},
    {"created_at", "created", TABLE_TIME},
    {"ended_at", NULL, TABLE_TIME},
    {"endpoint", "endpoint", TABLE_TEXT},
};

static void begin_deliveries(struct table *t)
{
    table_init(t, delivery_columns, sizeof delivery_columns / sizeof *delivery_columns);
}

static void add_delivery(struct table *t, const struct delivery *d)
{
    table_text(t, d->msg_id);
    table_number(t, d->account);
    table_text(t, d->job_uuid);
    table_text(t, delivery_state_name(d->state));
    table_number(t, d->attempts);
    table_number(t, d->last_status);
    table_time(t, d->state == DELIVERY_WAITING ? d->next_ms : -1);
    table_time(t, d->created_ms);
    table_time(t, d->ended_ms);
    table_text(t, d->endpoint);
}

static int list(struct admin *a)
{
    struct store_delivery_list q = {.account = -1, .job_uuid = a->f.job, .state = -1};
    struct account account;
    struct table t;
    int count = PAGE, code = a->f.account ? admin_account(a, a->f.account, &account) : -1;
    int64_t left = a->f.limit;

    if (code >= 0)
        return code;
    if (a->f.account)
        q.account = account.id;
    for (int i = 0; a->f.state && i <= DELIVERY_GIVEN_UP; i++)
        if (strcmp(a->f.state, delivery_state_name((enum delivery_state)i)) == 0)
            q.state = i;
    begin_deliveries(&t);
    while (left > 0 && count == PAGE) {
        struct arena arena = ARENA_INIT;
        struct delivery *page = NULL;
        q.limit = PAGE;
        enum err e = store_deliveries_list(a->store, &q, &arena, &page, &count);
        for (int i = 0; !e && i < count && left > 0; i++, left--)
            add_delivery(&t, &page[i]);
        if (!e && count)
            q.before = page[count - 1].id;
        arena_release(&arena);
        if (e) {
            table_release(&t);
            return admin_store_failed(a, e);
        }
    }
    return admin_print(a, &t, "deliveries");
}

static int list_command(int argc, char **argv)
{
    static const struct config_option rows[] = {
        ADMIN_ROW("account", CONFIG_TEXT, account, .value = "ACCOUNT",
                  .help = "of this account alone: a number, a UUID or a name"),
        ADMIN_ROW("job", CONFIG_TEXT, job, .value = "ID", .help = "of this job alone"),
        ADMIN_ROW("state", CONFIG_CHOICE, state, .choices = "waiting|delivered|given_up",
                  .value = "STATE", .help = "in this state alone"),
        ADMIN_ROW("limit", CONFIG_NUMBER, limit, .min = 1, .max = 1000000, .fallback = "100",
                  .value = "N", .help = "at most so many"),
        ADMIN_JSON,
        ADMIN_PLACE,
    };
    static const struct command_line line = {
        .usage = "patina webhook list [flags]",
        .about = "Lists webhooks, the newest first: to whom, how often it was tried, what the\n"
                 "receiver last answered (0: nothing), and when it is tried next.",
        .after = "What failed, sent again:\n"
                 "  patina webhook list --state given_up | cut -f 1 | xargs -rn 1 patina webhook "
                 "redeliver",
        ADMIN_LINE(rows),
    };

    return admin_run(&line, argc, argv, list);
}

static int redeliver(struct admin *a)
{
    struct delivery d;
    struct table t;
    enum err e = store_delivery_redeliver(a->store, -1, a->word[0], &a->arena, &d);

    if (e == ERR_NOT_FOUND)
        return admin_failed(a, "there is no delivery \"%.60s\"; patina webhook list shows them",
                            a->word[0]);
    if (e)
        return admin_store_failed(a, e);
    begin_deliveries(&t);
    add_delivery(&t, &d);
    return admin_print(a, &t, NULL);
}

static int redeliver_command(int argc, char **argv)
{
    static const struct config_option rows[] = {ADMIN_JSON, ADMIN_PLACE};
    static const struct command_line line = {
        .usage = "patina webhook redeliver ID [flags]",
        .about = "Sends a webhook again, whatever became of it: within seconds while the service\n"
                 "runs, with the same webhook-id, and with all its retries. ID is as in patina\n"
                 "webhook list.",
        .words_min = 1,
        .words_max = 1,
        .words_name = "the id of a delivery",
        ADMIN_LINE(rows),
    };

    return admin_run(&line, argc, argv, redeliver);
}

int webhook_command(int argc, char **argv)
{
    static const struct command table[] = {
        {"list", "show what was sent to whom, and what failed", list_command},
        {"redeliver", "send one again", redeliver_command},
        {NULL, NULL, NULL},
    };

    return command_group("webhook", table, argc, argv);
}
