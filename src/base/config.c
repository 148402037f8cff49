/* SPDX-License-Identifier: MIT */
#include "base/config.h"

#include "base/nearest.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { VARIABLE_MAX = 64, HELP_COLUMN = 30, HELP_WIDTH = 100 };

// "job-timeout-s" with prefix "PATINA_" is PATINA_JOB_TIMEOUT_S.
static void variable_name(const struct config *c, const struct config_option *o,
                          char out[VARIABLE_MAX])
{
    snprintf(out, VARIABLE_MAX, "%s%s", c->env_prefix, o->name);
    for (char *p = out + strlen(c->env_prefix); *p; p++)
        *p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
}

static bool is_choice(const char *choices, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = choices; len && *p; p += *p == '|') {
        size_t n = strcspn(p, "|");
        if (n == len && memcmp(p, word, n) == 0)
            return true;
        p += n;
    }
    return false;
}

static bool read_switch(const char *text, bool *out)
{
    static const char *const yes[] = {"1", "true", "yes", "on"};
    static const char *const no[] = {"0", "false", "no", "off"};

    for (int i = 0; i < 4; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *out = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

static bool read_number(const char *text, int64_t *out)
{
    char *end;

    // strtoll alone would take " 5" and "+5" too, which nobody means.
    if (!isdigit((unsigned char)text[*text == '-']))
        return false;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || *end)
        return false;
    *out = v;
    return true;
}

static enum err add_text(struct config_texts *t, const char *source, const char *text,
                         struct err_note *note)
{
    if (t->count == CONFIG_TEXTS_MAX)
        return err_set(note, ERR_INVALID, "%s is given more than %d times", source,
                       CONFIG_TEXTS_MAX);
    t->text[t->count++] = text;
    return ERR_OK;
}

// `source` is what the user wrote the value after: "--workers" or "PATINA_WORKERS".
static enum err assign(const struct config_option *o, void *target, const char *source,
                       const char *text, struct err_note *note)
{
    void *field = (char *)target + o->offset;
    int64_t n;
    bool on;

    switch (o->type) {
    case CONFIG_CHOICE:
        if (!is_choice(o->choices, text))
            return err_set(note, ERR_INVALID, "%s is \"%s\"; it must be one of %s", source, text,
                           o->choices);
        *(const char **)field = text;
        return ERR_OK;
    case CONFIG_NUMBER:
        if (!read_number(text, &n) || n < o->min || n > o->max)
            return err_set(note, ERR_INVALID,
                           "%s is \"%s\"; it must be a whole number from %lld to %lld", source,
                           text, (long long)o->min, (long long)o->max);
        *(int64_t *)field = n;
        return ERR_OK;
    case CONFIG_SWITCH:
        if (!read_switch(text, &on))
            return err_set(note, ERR_INVALID, "%s is \"%s\"; it must be 1 or 0", source, text);
        *(bool *)field = on;
        return ERR_OK;
    case CONFIG_TEXTS:
        return add_text(field, source, text, note);
    case CONFIG_TEXT:
        break;
    }
    *(const char **)field = text;
    return ERR_OK;
}

void config_defaults(const struct config *c, void *target)
{
    for (int i = 0; i < c->count; i++) {
        const struct config_option *o = &c->option[i];
        void *field = (char *)target + o->offset;
        if (o->fallback) {
            enum err e = assign(o, target, o->name, o->fallback, NULL);
            if (e)
                abort(); // a default outside its own range: the table is wrong
        } else if (o->type == CONFIG_NUMBER) {
            *(int64_t *)field = CONFIG_UNSET;
        } else if (o->type == CONFIG_SWITCH) {
            *(bool *)field = false;
        } else if (o->type == CONFIG_TEXTS) {
            ((struct config_texts *)field)->count = 0;
        } else {
            *(const char **)field = NULL;
        }
    }
}

enum err config_env(const struct config *c, void *target, struct err_note *note)
{
    char variable[VARIABLE_MAX];

    for (int i = 0; i < c->count; i++) {
        if (c->option[i].flag_only)
            continue;
        variable_name(c, &c->option[i], variable);
        const char *text = getenv(variable);
        if (!text || !*text)
            continue;
        enum err e = assign(&c->option[i], target, variable, text, note);
        if (e)
            return e;
    }
    return ERR_OK;
}

static const struct config_option *find_flag(const struct config *c, const char *name, size_t len)
{
    for (int i = 0; i < c->count; i++)
        if (strlen(c->option[i].name) == len && strncmp(c->option[i].name, name, len) == 0)
            return &c->option[i];
    return NULL;
}

// "PATINA_JOB_TIMEOUT_S" as a row would be called: "job-timeout-s".
static void row_name(const char *variable, char out[VARIABLE_MAX])
{
    snprintf(out, VARIABLE_MAX, "%.*s", (int)strcspn(variable, "="), variable);
    for (char *p = out; *p; p++)
        *p = *p == '_' ? '-' : (char)tolower((unsigned char)*p);
}

void config_env_unknown(const struct config *c, struct buf *out)
{
    size_t prefix = strlen(c->env_prefix);

    for (char **var = environ; var && *var; var++) {
        char name[VARIABLE_MAX], meant[VARIABLE_MAX] = "";
        size_t len = strcspn(*var, "=");
        if (strncmp(*var, c->env_prefix, prefix) != 0)
            continue;
        row_name(*var + prefix, name);
        struct nearest n = NEAREST(name);
        for (int i = 0; i < c->count; i++)
            nearest_try(&n, c->option[i].name);
        if (n.best)
            variable_name(c, find_flag(c, n.best, strlen(n.best)), meant);
        // To the letter: PATINA_Workers sets nothing.
        if (strlen(meant) == len && strncmp(*var, meant, len) == 0)
            continue;
        buf_addf(out, "%s%.*s is not a setting of this program", out->len ? "; " : "", (int)len,
                 *var);
        if (n.best)
            buf_addf(out, " (did you mean %s?)", meant);
    }
}

static const struct config_option *find_letter(const struct config *c, char letter)
{
    for (int i = 0; letter && i < c->count; i++)
        if (c->option[i].letter == letter)
            return &c->option[i];
    return NULL;
}

static enum err unknown_flag(const struct config *c, const char *arg, struct err_note *note)
{
    char name[VARIABLE_MAX];
    const char *bare = arg + strspn(arg, "-");

    snprintf(name, sizeof name, "%.*s", (int)strcspn(bare, "="), bare);
    struct nearest n = NEAREST(name);
    for (int i = 0; i < c->count; i++)
        nearest_try(&n, c->option[i].name);
    nearest_try(&n, "help");
    if (n.best)
        return err_set(note, ERR_INVALID, "unknown flag %.60s; did you mean --%s?", arg, n.best);
    return err_set(note, ERR_INVALID, "unknown flag %.60s; --help lists them", arg);
}

static enum err take_flag(const struct config *c, void *target, int argc, const char *const *argv,
                          int *at, struct err_note *note)
{
    const char *arg = argv[*at], *value = NULL;
    const struct config_option *o;
    char source[VARIABLE_MAX];

    if (arg[1] == '-') {
        size_t len = strcspn(arg + 2, "=");
        o = find_flag(c, arg + 2, len);
        value = arg[2 + len] ? arg + 3 + len : NULL;
    } else {
        o = arg[2] ? NULL : find_letter(c, arg[1]);
    }
    if (!o)
        return unknown_flag(c, arg, note);
    snprintf(source, sizeof source, "--%s", o->name);
    if (!value && o->type == CONFIG_SWITCH)
        value = "1";
    if (!value && *at + 1 < argc)
        value = argv[++*at];
    if (!value)
        return err_set(note, ERR_INVALID, "%s needs a value: %s %s", source, source, o->value);
    return assign(o, target, source, value, note);
}

// No letter is a digit: "-5" is a number that a command has to judge.
static bool is_flag(const char *arg)
{
    return arg[0] == '-' && arg[1] && !isdigit((unsigned char)arg[1]);
}

enum err config_args(const struct config *c, void *target, int argc, const char *const *argv,
                     const char **words, int words_max, int *word_count, struct err_note *note)
{
    bool flags = true;

    *word_count = 0;
    for (int i = 1; i < argc; i++) {
        if (flags && strcmp(argv[i], "--") == 0) {
            flags = false;
        } else if (flags && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            return ERR_NONE;
        } else if (flags && is_flag(argv[i])) {
            enum err e = take_flag(c, target, argc, argv, &i, note);
            if (e)
                return e;
        } else if (*word_count == words_max) {
            return err_set(note, ERR_INVALID, "\"%.60s\" is one word too many%s", argv[i],
                           words_max ? "; quote what has spaces in it" : "");
        } else {
            words[(*word_count)++] = argv[i];
        }
    }
    return ERR_OK;
}

// Words of `text` from HELP_COLUMN on, wrapped at HELP_WIDTH.
static void add_wrapped(struct buf *out, const char *text)
{
    int column = HELP_COLUMN;

    while (*text) {
        int len = (int)strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + len > HELP_WIDTH) {
            buf_addf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        if (column > HELP_COLUMN) {
            buf_addc(out, ' ');
            column++;
        }
        buf_add(out, text, (size_t)len);
        column += len;
        text += len + strspn(text + len, " ");
    }
    buf_addc(out, '\n');
}

static void add_option(const struct config *c, const struct config_option *o, struct buf *out)
{
    char flag[64], variable[VARIABLE_MAX];
    struct buf text = BUF_INIT;
    const char *fallback = o->computed ? o->computed : o->fallback;

    snprintf(flag, sizeof flag, "  %c%c%s--%s%s%s", o->letter ? '-' : ' ',
             o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
             o->type == CONFIG_SWITCH ? "" : " ", o->type == CONFIG_SWITCH ? "" : o->value);
    buf_addf(out, "%-*s", HELP_COLUMN - 1, flag);
    if (strlen(flag) >= HELP_COLUMN - 1)
        buf_addf(out, "\n%*s", HELP_COLUMN - 1, "");
    buf_addc(out, ' ');
    buf_adds(&text, o->help);
    if (o->type == CONFIG_CHOICE)
        buf_addf(&text, "; one of %s", o->choices);
    if (o->type == CONFIG_NUMBER)
        buf_addf(&text, "; %lld to %lld", (long long)o->min, (long long)o->max);
    if (fallback && *fallback)
        buf_addf(&text, " (default: %s)", fallback);
    if (c->env_prefix && !o->flag_only) {
        variable_name(c, o, variable);
        buf_addf(&text, " [%s]", variable);
    }
    add_wrapped(out, text.data ? text.data : "");
    buf_release(&text);
}

void config_help(const struct config *c, struct buf *out)
{
    for (int i = 0; i < c->count; i++) {
        if (c->option[i].group)
            buf_addf(out, "%s%s:\n", i ? "\n" : "", c->option[i].group);
        add_option(c, &c->option[i], out);
    }
    buf_addf(out, "  -h, --help%*sthis text\n", HELP_COLUMN - 12, "");
}

// A cell of a table, whose '|' would end it.
static void add_cell(struct buf *out, const char *text)
{
    for (; *text; text++)
        buf_addf(out, *text == '|' ? "\\%c" : "%c", *text);
}

static void add_row(const struct config *c, const struct config_option *o, struct buf *out)
{
    char variable[VARIABLE_MAX];

    variable_name(c, o, variable);
    buf_addf(out, "| `%s`<br>`--%s%s%s` | ", variable, o->name, o->value ? " " : "",
             o->value ? o->value : "");
    add_cell(out, o->help);
    if (o->type == CONFIG_NUMBER)
        buf_addf(out, "; %lld to %lld", (long long)o->min, (long long)o->max);
    if (o->type == CONFIG_CHOICE)
        buf_adds(out, "; one of ");
    if (o->type == CONFIG_CHOICE)
        add_cell(out, o->choices);
    buf_adds(out, " | ");
    if (o->computed)
        add_cell(out, o->computed);
    else if (o->fallback)
        buf_addf(out, "`%s`", o->fallback);
    else
        buf_adds(out, o->type == CONFIG_SWITCH ? "off" : "not set");
    buf_adds(out, " |\n");
}

void config_markdown(const struct config *c, struct buf *out)
{
    for (int i = 0; i < c->count; i++) {
        if (c->option[i].group)
            buf_addf(out, "\n## %s\n\n| setting | what it does | default |\n|---|---|---|\n",
                     c->option[i].group);
        add_row(c, &c->option[i], out);
    }
}
