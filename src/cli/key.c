/* SPDX-License-Identifier: MIT */
#include "cli/key.h"

#include "base/hash.h"
#include "base/rand.h"
#include "cli/admin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE = 256,    // rows read at once
    KEY_BYTES = 32 // of randomness, written in hex
};

static const struct table_column columns[] = {
    {"id", "id", TABLE_NUMBER},
    {"account", "account", TABLE_NUMBER},
    {"prefix", "begins with", TABLE_TEXT},
    {"label", "label", TABLE_TEXT},
    {"created_at", "created", TABLE_TIME},
    {"last_used_at", "last used", TABLE_TIME},
};

// With the key itself, which is known when it is made alone.
static const struct table_column created_columns[] = {
    {"id", "id", TABLE_NUMBER},  {"account", "account", TABLE_NUMBER},
    {"key", "key", TABLE_TEXT},  {"prefix", NULL, TABLE_TEXT},
    {"label", NULL, TABLE_TEXT}, {"created_at", NULL, TABLE_TIME},
};

// ---- create ----

static int print_created(const struct admin *a, const struct api_key *k, const char *key)
{
    struct table t;

    if (!a->f.json) {
        admin_say("Key %" PRId64 " of account %" PRId64 ". It is shown this once and kept as a "
                  "hash alone:",
                  k->id, k->account);
        puts(key);
        return EXIT_DONE;
    }
    table_init(&t, created_columns, sizeof created_columns / sizeof *created_columns);
    table_number(&t, k->id);
    table_number(&t, k->account);
    table_text(&t, key);
    table_text(&t, k->prefix);
    table_text(&t, k->label);
    table_time(&t, k->created_ms);
    return admin_print(a, &t, NULL);
}

static int create(struct admin *a)
{
    const char *label = a->f.label ? a->f.label : "";
    uint8_t secret[KEY_BYTES];
    char key[2 * KEY_BYTES + 1];
    struct account account;
    struct api_key k;

    if (!store_label_good(label))
        return admin_misused(a, "--label must be at most 63 bytes of UTF-8 without control "
                                "characters");
    int code = admin_account(a, a->word[0], &account);
    if (code >= 0)
        return code;
    rand_bytes(secret, sizeof secret);
    hex_encode(secret, sizeof secret, key);
    enum err e = store_key_create(a->store, account.id, key, label, &k);
    if (e == ERR_NOT_FOUND)
        return admin_failed(a, "account %" PRId64 " was deleted", account.id);
    return e ? admin_store_failed(a, e) : print_created(a, &k, key);
}

static int create_command(int argc, char **argv)
{
    static const struct config_option rows[] = {
        ADMIN_ROW("label", CONFIG_TEXT, label, .value = "TEXT",
                  .help = "what it is for, to tell it from others"),
        ADMIN_JSON,
        ADMIN_PLACE,
    };
    static const struct command_line line = {
        .usage = "patina key create ACCOUNT [flags]",
        .about =
            "Makes a key and prints it, this once: the store keeps a hash alone. ACCOUNT is a\n"
            "number, a UUID or a name.",
        .words_min = 1,
        .words_max = 1,
        .words_name = "an account",
        ADMIN_LINE(rows),
    };

    return admin_run(&line, argc, argv, create);
}

// ---- list ----

static void add_key(struct table *t, const struct api_key *k)
{
    table_number(t, k->id);
    table_number(t, k->account);
    table_text(t, k->prefix);
    table_text(t, k->label);
    table_time(t, k->created_ms);
    table_time(t, k->used_ms);
}

static int list(struct admin *a)
{
    struct account account = {.id = -1};
    struct api_key *page = NULL;
    struct table t;
    int64_t after = 0;
    int count = PAGE, code = a->words ? admin_account(a, a->word[0], &account) : -1;

    if (code >= 0)
        return code;
    table_init(&t, columns, sizeof columns / sizeof *columns);
    while (count == PAGE) {
        struct arena arena = ARENA_INIT;
        enum err e = store_keys_list(a->store, account.id, after, PAGE, &arena, &page, &count);
        for (int i = 0; !e && i < count; i++)
            add_key(&t, &page[i]);
        if (!e && count)
            after = page[count - 1].id;
        arena_release(&arena);
        if (e) {
            table_release(&t);
            return admin_store_failed(a, e);
        }
    }
    return admin_print(a, &t, "keys");
}

static const struct config_option rows[] = {ADMIN_JSON, ADMIN_PLACE};

static int list_command(int argc, char **argv)
{
    static const struct command_line line = {
        .usage = "patina key list [ACCOUNT] [flags]",
        .about = "Lists the keys of all accounts, or of one: how each begins, its label, when it\n"
                 "was made, and when it was last used, which may be a minute late. Revoked ones\n"
                 "are gone.",
        .words_max = 1,
        ADMIN_LINE(rows),
    };

    return admin_run(&line, argc, argv, list);
}

// ---- revoke ----

static int revoke(struct admin *a)
{
    const size_t digits_max = 18;
    const char *text = a->word[0];
    struct api_key k;
    struct table t;

    if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > digits_max)
        return admin_misused(a, "\"%.40s\" is not the number of a key; patina key list shows them",
                             text);
    enum err e = store_key_revoke(a->store, strtoll(text, NULL, 10), &k);
    if (e == ERR_NOT_FOUND)
        return admin_failed(a, "there is no key %s; patina key list shows them", text);
    if (e)
        return admin_store_failed(a, e);
    admin_say("Revoked: the service refuses it within a second, and for ever.");
    table_init(&t, columns, sizeof columns / sizeof *columns);
    add_key(&t, &k);
    return admin_print(a, &t, NULL);
}

static int revoke_command(int argc, char **argv)
{
    static const struct command_line line = {
        .usage = "patina key revoke ID [flags]",
        .about = "The key opens nothing any more, within a second, and can never be added again,\n"
                 "not by PATINA_API_KEY either. ID is its number in patina key list.",
        .words_min = 1,
        .words_max = 1,
        .words_name = "the number of a key",
        ADMIN_LINE(rows),
    };

    return admin_run(&line, argc, argv, revoke);
}

int key_command(int argc, char **argv)
{
    static const struct command table[] = {
        {"create", "make a key for an account", create_command},
        {"list", "show keys, as far as they are known", list_command},
        {"revoke", "end a key", revoke_command},
        {NULL, NULL, NULL},
    };

    return command_group("key", table, argc, argv);
}
