/* SPDX-License-Identifier: MIT */
#include "look/recipe.h"

#include <stdio.h>
#include <string.h>

struct reader {
    const char *file;
    int line;
    const char *start; /* of the line, for columns */
    struct recipe *out;
    uint32_t given; /* parameters of the step at hand that were set */
    struct err_note *note;
};

static enum err fail(const struct reader *r, const char *at, const char *why, const char *what,
                     size_t len)
{
    return err_set(r->note, ERR_INVALID, "%s:%d:%d: %s%s%.*s%s", r->file, r->line,
                   (int)(at - r->start) + 1, why, len ? " \"" : "", (int)(len < 40 ? len : 40),
                   what, len ? "\"" : "");
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **s, size_t *len)
{
    while (*len && is_space(**s))
        (*s)++, (*len)--;
    while (*len && is_space((*s)[*len - 1]))
        (*len)--;
}

// Decimal numbers without exponent: [-]digits[.digits]. Locales cannot change how a recipe reads.
static bool number_of(const char *s, size_t len, float *out)
{
    double v = 0.0, place = 1.0;
    bool minus = len && *s == '-', digits = false, point = false;

    for (size_t i = minus ? 1 : 0; i < len; i++) {
        if (s[i] == '.' && !point) {
            point = true;
        } else if (s[i] >= '0' && s[i] <= '9') {
            digits = true;
            v = v * 10.0 + (s[i] - '0');
            place *= point ? 10.0 : 1.0;
        } else {
            return false;
        }
    }
    *out = (float)((minus ? -v : v) / place);
    return digits && len < 24;
}

static enum err add_name(struct reader *r, const char *s, size_t len)
{
    if (len == 0)
        return fail(r, s, "a name is missing", "", 0);
    if (len >= RECIPE_NAME_BYTES)
        return fail(r, s, "this name is too long:", s, len);
    if (r->out->names == RECIPE_NAMES_MAX)
        return fail(r, s, "too many names", "", 0);
    memcpy(r->out->name[r->out->names++], s, len);
    return ERR_OK;
}

static bool is_word(const char *s, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(s, word, len) == 0;
}

static enum err add_also(struct reader *r, const char *value, size_t len)
{
    for (;;) {
        const char *comma = memchr(value, ',', len), *s = value;
        size_t n = comma ? (size_t)(comma - value) : len;
        trim(&s, &n);
        enum err e = add_name(r, s, n);
        if (e != ERR_OK || !comma)
            return e;
        len -= (size_t)(comma - value) + 1;
        value = comma + 1;
    }
}

static enum err read_setting(struct reader *r, const char *key, size_t key_len, const char *value,
                             size_t len)
{
    struct recipe *out = r->out;
    bool name = is_word(key, key_len, "name"), also = is_word(key, key_len, "also"),
         family = is_word(key, key_len, "family");

    if (!name && !also && !family)
        return fail(r, key, "before the first [step] only name, also and family can be set, not",
                    key, key_len);
    if (name != (out->names == 0) || (also && out->names > 1) || (family && out->family[0]))
        return fail(r, key, "name comes first, then also and family, once each", "", 0);
    if (name)
        return add_name(r, value, len);
    if (also)
        return add_also(r, value, len);
    if (len == 0 || len >= sizeof out->family)
        return fail(r, value, len ? "this family is too long:" : "a family is missing", value, len);
    memcpy(out->family, value, len);
    return ERR_OK;
}

// Comments before the name are joined to one line.
static void add_about(struct recipe *out, const char *s, size_t len)
{
    size_t have = strlen(out->about);

    while (len && (*s == '#' || is_space(*s)))
        s++, len--;
    if (out->names == 0 && len)
        snprintf(out->about + have, sizeof out->about - have, "%s%.*s", have ? " " : "", (int)len,
                 s);
}

// A # after a space ends what counts of a line.
static size_t without_comment(const char *s, size_t len)
{
    for (size_t i = 1; i < len; i++)
        if (s[i] == '#' && is_space(s[i - 1]))
            return i;
    return len;
}

static enum err read_param(struct reader *r, const char *key, size_t key_len, const char *value,
                           size_t len)
{
    struct recipe_step *step = &r->out->step[r->out->steps - 1];
    const struct look_param *p = step->op->param;
    float v;

    for (int i = 0; p[i].name; i++) {
        if (!is_word(key, key_len, p[i].name))
            continue;
        if (r->given & 1u << i)
            return fail(r, key, "set twice:", key, key_len);
        r->given |= 1u << i;
        if (!number_of(value, len, &v))
            return fail(r, value, "not a number:", value, len);
        if (v < p[i].least || v > p[i].most)
            return err_set(r->note, ERR_INVALID, "%s:%d:%d: %s must be %g to %g", r->file, r->line,
                           (int)(value - r->start) + 1, p[i].name, (double)p[i].least,
                           (double)p[i].most);
        step->value[i] = v;
        return ERR_OK;
    }
    return fail(r, key, "this step has no parameter", key, key_len);
}

static enum err open_step(struct reader *r, const char *s, size_t len)
{
    const char *name = s + 1;
    size_t n = len - 1;

    if (s[len - 1] != ']')
        return fail(r, s + len, "] is missing", "", 0);
    n--;
    trim(&name, &n);
    const struct look_op *op = look_op_find(name, n);
    if (!op)
        return fail(r, name, "there is no operator", name, n);
    if (r->out->steps == RECIPE_STEPS_MAX)
        return fail(r, s, "too many steps", "", 0);
    struct recipe_step *step = &r->out->step[r->out->steps++];
    step->op = op;
    r->given = 0;
    for (int i = 0; op->param[i].name; i++)
        step->value[i] = op->param[i].normal;
    return ERR_OK;
}

static enum err read_line(struct reader *r, const char *s, size_t len)
{
    trim(&s, &len);
    if (len && *s == '#')
        add_about(r->out, s, len);
    if (len == 0 || *s == '#')
        return ERR_OK;
    len = without_comment(s, len);
    trim(&s, &len);
    if (*s == '[')
        return open_step(r, s, len);
    const char *equals = memchr(s, '=', len);
    if (!equals)
        return fail(r, s, "neither [step] nor name = value:", s, len);
    const char *key = s, *value = equals + 1;
    size_t key_len = (size_t)(equals - s), value_len = len - key_len - 1;
    trim(&key, &key_len);
    trim(&value, &value_len);
    return (r->out->steps ? read_param : read_setting)(r, key, key_len, value, value_len);
}

enum err recipe_parse(const char *file, const char *text, size_t len, struct recipe *out,
                      struct err_note *note)
{
    struct recipe made = {.names = 0};
    struct reader r = {.file = file, .out = &made, .note = note};
    const char *end = text + len;

    for (const char *s = text; s < end;) {
        const char *newline = memchr(s, '\n', (size_t)(end - s));
        size_t n = newline ? (size_t)(newline - s) : (size_t)(end - s);
        r.line++;
        r.start = s;
        enum err e = read_line(&r, s, n);
        if (e != ERR_OK)
            return e;
        s = newline ? newline + 1 : end;
    }
    r.line++;
    r.start = end;
    if (made.names == 0)
        return fail(&r, end, "the look has no name", "", 0);
    if (made.steps == 0)
        return fail(&r, end, "the look has no step", "", 0);
    for (int i = 0; i + 1 < made.steps; i++)
        if (made.step[i].op->finishes)
            return fail(&r, end, "a step that finishes, such as [relief], must be the last step",
                        "", 0);
    *out = made;
    return ERR_OK;
}

uint32_t recipe_needs(const struct recipe *r)
{
    uint32_t needs = 0;

    for (int i = 0; i < r->steps; i++)
        needs |= r->step[i].op->needs;
    return needs;
}
