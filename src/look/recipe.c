/* SPDX-License-Identifier: MIT */
#include "look/recipe_internal.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static const struct piece NOTHING = {0};

enum err recipe_fail(const struct reader *r, const char *at, const char *why, struct piece quote)
{
    return err_set(r->note, ERR_INVALID, quote.len ? "%s:%d:%d: %s \"%.*s\"" : "%s:%d:%d: %s",
                   r->file, r->line, (int)(at - r->start) + 1, why,
                   (int)(quote.len < 40 ? quote.len : 40), quote.s);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

struct piece piece_trim(struct piece p)
{
    while (p.len && is_space(*p.s))
        p.s++, p.len--;
    while (p.len && is_space(p.s[p.len - 1]))
        p.len--;
    return p;
}

bool piece_is(struct piece p, const char *word)
{
    return strlen(word) == p.len && memcmp(word, p.s, p.len) == 0;
}

struct piece piece_next(struct piece *rest, char c)
{
    const char *at = memchr(rest->s, c, rest->len);
    struct piece front = {rest->s, at ? (size_t)(at - rest->s) : rest->len};

    *rest = at ? (struct piece){at + 1, rest->len - front.len - 1} : NOTHING;
    return piece_trim(front);
}

// Decimal numbers without exponent: [-]digits[.digits]. Locales cannot change how a recipe reads.
bool piece_number(struct piece p, float *out)
{
    double v = 0.0, place = 1.0;
    bool minus = p.len && *p.s == '-', digits = false, point = false;

    for (size_t i = minus ? 1 : 0; i < p.len; i++) {
        if (p.s[i] == '.' && !point) {
            point = true;
        } else if (p.s[i] >= '0' && p.s[i] <= '9') {
            digits = true;
            v = v * 10.0 + (p.s[i] - '0');
            place *= point ? 10.0 : 1.0;
        } else {
            return false;
        }
    }
    *out = (float)((minus ? -v : v) / place);
    return digits && p.len < 24;
}

int param_find(const struct look_op *op, struct piece name)
{
    for (int i = 0; op->param[i].name; i++)
        if (piece_is(name, op->param[i].name))
            return i;
    return -1;
}

enum err param_check(const struct reader *r, const char *at, const struct look_param *p, float v)
{
    if (v >= p->least && v <= p->most)
        return ERR_OK;
    return err_set(r->note, ERR_INVALID, "%s:%d:%d: %s must be %g to %g", r->file, r->line,
                   (int)(at - r->start) + 1, p->name, (double)p->least, (double)p->most);
}

static enum err add_name(struct reader *r, struct piece name)
{
    if (name.len == 0)
        return recipe_fail(r, name.s, "a name is missing", NOTHING);
    if (name.len >= RECIPE_NAME_BYTES)
        return recipe_fail(r, name.s, "this name is too long:", name);
    if (r->out->names == RECIPE_NAMES_MAX)
        return recipe_fail(r, name.s, "too many names", NOTHING);
    memcpy(r->out->name[r->out->names++], name.s, name.len);
    return ERR_OK;
}

static enum err add_also(struct reader *r, struct piece names)
{
    while (names.s) {
        enum err e = add_name(r, piece_next(&names, ','));
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static enum err read_setting(struct reader *r, struct piece key, struct piece value)
{
    struct recipe *out = r->out;
    bool name = piece_is(key, "name"), also = piece_is(key, "also"),
         family = piece_is(key, "family");

    if (!name && !also && !family)
        return recipe_fail(
            r, key.s, "before the first [step] only name, also and family can be set, not", key);
    if (name != (out->names == 0) || (also && out->names > 1) || (family && out->family[0]))
        return recipe_fail(r, key.s, "name comes first, then also and family, once each", NOTHING);
    if (name)
        return add_name(r, value);
    if (also)
        return add_also(r, value);
    if (value.len == 0 || value.len >= sizeof out->family)
        return recipe_fail(r, value.s,
                           value.len ? "this family is too long:" : "a family is missing", value);
    memcpy(out->family, value.s, value.len);
    return ERR_OK;
}

// Comments before the name are joined to one line.
static void add_about(struct recipe *out, struct piece line)
{
    size_t have = strlen(out->about);

    while (line.len && (*line.s == '#' || is_space(*line.s)))
        line.s++, line.len--;
    if (out->names == 0 && line.len)
        snprintf(out->about + have, sizeof out->about - have, "%s%.*s", have ? " " : "",
                 (int)line.len, line.s);
}

// A # after a space ends what counts of a line.
static struct piece without_comment(struct piece line)
{
    for (size_t i = 1; i < line.len; i++)
        if (line.s[i] == '#' && is_space(line.s[i - 1]))
            line.len = i;
    return piece_trim(line);
}

static enum err read_param(struct reader *r, struct piece key, struct piece value)
{
    struct recipe_step *step = &r->out->step[r->out->steps - 1];
    int i = param_find(step->op, key);
    float v;

    if (i < 0)
        return recipe_fail(r, key.s, "this step has no parameter", key);
    if (r->given & 1u << i)
        return recipe_fail(r, key.s, "set twice:", key);
    r->given |= 1u << i;
    if (!piece_number(value, &v))
        return recipe_fail(r, value.s, "not a number:", value);
    step->value[i] = v;
    return param_check(r, value.s, &step->op->param[i], v);
}

static enum err open_step(struct reader *r, struct piece name)
{
    const struct look_op *op = look_op_find(name.s, name.len);

    if (!op)
        return recipe_fail(r, name.s, "there is no operator", name);
    if (r->out->whens > 0)
        return recipe_fail(r, name.s, "steps come before the first [when], not", name);
    if (r->out->steps == RECIPE_STEPS_MAX)
        return recipe_fail(r, name.s, "too many steps", NOTHING);
    if (r->out->steps > 0 && r->out->step[r->out->steps - 1].op->finishes)
        return recipe_fail(r, name.s, "the step before, which finishes the picture, must be last",
                           NOTHING);
    struct recipe_step *step = &r->out->step[r->out->steps++];
    step->op = op;
    r->given = 0;
    for (int i = 0; op->param[i].name; i++)
        step->value[i] = op->param[i].normal;
    return ERR_OK;
}

static enum err open_section(struct reader *r, struct piece line)
{
    if (line.s[line.len - 1] != ']')
        return recipe_fail(r, line.s + line.len, "] is missing", NOTHING);
    struct piece rest = piece_trim((struct piece){line.s + 1, line.len - 2}), name = rest;
    struct piece word = piece_next(&rest, ' ');
    if (!piece_is(word, "when"))
        return open_step(r, name);
    if (!rest.s)
        return recipe_fail(r, line.s + line.len - 1, "a word is missing", NOTHING);
    return when_open(r, rest);
}

// The first byte of a line that is no text; NULL: all is.
static const char *not_text(struct piece line)
{
    for (size_t i = 0, n; i < line.len; i += n) {
        uint32_t c = 0;
        n = utf8_decode(line.s + i, line.len - i, &c);
        if (n == 0 || c == 0)
            return line.s + i;
    }
    return NULL;
}

static enum err read_line(struct reader *r, struct piece line)
{
    const char *wrong = not_text(line);

    if (wrong)
        return recipe_fail(r, wrong, "not text in UTF-8", NOTHING);
    line = piece_trim(line);
    if (line.len && *line.s == '#')
        add_about(r->out, line);
    if (line.len == 0 || *line.s == '#')
        return ERR_OK;
    line = without_comment(line);
    if (*line.s == '[')
        return open_section(r, line);
    const char *equals = memchr(line.s, '=', line.len);
    if (!equals)
        return recipe_fail(r, line.s, "neither [step] nor name = value:", line);
    size_t len = (size_t)(equals - line.s);
    struct piece value = piece_trim((struct piece){equals + 1, line.len - len - 1});
    bool factor = r->out->whens > 0 && len > 0 && equals[-1] == '*';
    struct piece key = piece_trim((struct piece){line.s, len - factor});
    if (r->out->whens > 0)
        return when_read(r, key, factor, value);
    return (r->out->steps ? read_param : read_setting)(r, key, value);
}

enum err recipe_parse(const char *file, const char *text, size_t len, struct recipe *out,
                      struct err_note *note)
{
    struct recipe made = {.names = 0};
    struct reader r = {.file = file, .out = &made, .note = note};
    const char *end = text + len;

    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3; // the mark that some editors begin files with
    for (const char *s = text; s < end;) {
        const char *newline = memchr(s, '\n', (size_t)(end - s));
        size_t n = newline ? (size_t)(newline - s) : (size_t)(end - s);
        r.line++;
        r.start = s;
        enum err e = read_line(&r, (struct piece){s, n});
        if (e != ERR_OK)
            return e;
        s = newline ? newline + 1 : end;
    }
    r.line++;
    r.start = end;
    if (made.names == 0)
        return recipe_fail(&r, end, "the look has no name", NOTHING);
    if (made.steps == 0)
        return recipe_fail(&r, end, "the look has no step", NOTHING);
    *out = made;
    return ERR_OK;
}

uint32_t recipe_without(const struct recipe *r)
{
    static const struct piece CANVAS = {"canvas", 6};
    uint32_t without = 0;

    for (int i = 0; i < r->steps; i++) {
        int canvas = param_find(r->step[i].op, CANVAS);
        without |= r->step[i].op->without;
        if (canvas >= 0 && r->step[i].value[canvas] > 0.0f)
            without |= WITHOUT_CANVAS;
    }
    return without;
}

uint32_t recipe_needs(const struct recipe *r)
{
    uint32_t needs = 0;

    for (int i = 0; i < r->steps; i++)
        needs |= r->step[i].op->needs;
    return needs;
}
