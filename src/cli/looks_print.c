/* SPDX-License-Identifier: MIT */
#include "cli/looks_print.h"

#include "base/json.h"
#include "prompt/prompt.h"

#include <string.h>

enum { FAMILY_COLUMN = 15, NAME_COLUMN = 18, COMMENT_COLUMN = 22, WIDTH_MAX = 98 };

static void add_names(const struct recipe *r, struct buf *out)
{
    for (int i = 1; i < r->names; i++)
        buf_addf(out, "%s%s", i > 1 ? ", " : "", r->name[i]);
}

void looks_add_table(const struct looks_list *l, struct buf *out)
{
    const char *family = NULL;

    buf_addf(out, "%-*s%-*s%s\n", FAMILY_COLUMN, "family", NAME_COLUMN, "name", "also");
    for (int i = 0; i < l->n; i++) {
        const struct recipe *r = l->look[i];
        bool same = family && strcmp(family, r->family) == 0;
        family = r->family;
        buf_addf(out, "%-*s%-*s", FAMILY_COLUMN, same ? "" : family, r->names > 1 ? NAME_COLUMN : 0,
                 r->name[0]);
        add_names(r, out);
        buf_addc(out, '\n');
    }
}

void looks_add_lines(const struct looks_list *l, struct buf *out)
{
    for (int i = 0; i < l->n; i++) {
        buf_addf(out, "%s\t%s\t", l->look[i]->name[0], l->look[i]->family);
        add_names(l->look[i], out);
        buf_addc(out, '\n');
    }
}

static void add_comment(const char *text, struct buf *out)
{
    size_t column = 0;

    while (*text) {
        size_t n = strcspn(text, " ");
        if (column && column + 1 + n > WIDTH_MAX) {
            buf_addc(out, '\n');
            column = 0;
        }
        buf_addf(out, "%s %.*s", column ? "" : "#", (int)n, text);
        column += (column ? 1 : 2) + n;
        text += n + strspn(text + n, " ");
    }
    buf_addc(out, '\n');
}

// How many steps before this one have the same operator, and whether it has more than one.
static int step_number(const struct recipe *r, int step, bool *several)
{
    int n = 0, all = 0;

    for (int i = 0; i < r->steps; i++) {
        n += r->step[i].op == r->step[step].op && i <= step;
        all += r->step[i].op == r->step[step].op;
    }
    *several = all > 1;
    return n;
}

static void add_move_name(const struct recipe *r, const struct recipe_move *m, struct buf *out)
{
    bool several;
    int n = step_number(r, m->step, &several);

    buf_adds(out, r->step[m->step].op->name);
    if (several)
        buf_addf(out, ".%d", n);
    buf_addf(out, ".%s", r->step[m->step].op->param[m->param].name);
}

static void add_responses(const struct recipe *r, struct buf *out)
{
    for (int i = 0; i < r->whens; i++) {
        const struct recipe_when *w = &r->when[i];
        buf_adds(out, "\n[when ");
        for (int k = 0; k < w->words; k++)
            buf_addf(out, "%s%s", k ? ", " : "", w->word[k]);
        buf_adds(out, "]\n");
        for (int k = w->first; k < w->first + w->moves; k++) {
            add_move_name(r, &r->move[k], out);
            buf_addf(out, " = %g\n", (double)r->move[k].to);
        }
    }
}

void looks_add_recipe(const struct recipe *r, struct buf *out)
{
    if (r->about[0])
        add_comment(r->about, out);
    buf_addf(out, "name = %s\n", r->name[0]);
    if (r->names > 1) {
        buf_adds(out, "also = ");
        add_names(r, out);
        buf_addc(out, '\n');
    }
    if (r->family[0])
        buf_addf(out, "family = %s\n", r->family);
    for (int i = 0; i < r->steps; i++) {
        const struct recipe_step *s = &r->step[i];
        buf_addc(out, '\n');
        add_comment(s->op->help, out);
        buf_addf(out, "[%s]\n", s->op->name);
        for (int k = 0; s->op->param[k].name; k++) {
            const struct look_param *p = &s->op->param[k];
            int n = COMMENT_COLUMN - (int)strlen(p->name) - 3;
            buf_addf(out, "%s = %-*g # %g to %g: %s\n", p->name, n, (double)s->value[k],
                     (double)p->least, (double)p->most, p->help);
        }
    }
    add_responses(r, out);
}

static void jw_number(struct json_writer *j, const char *key, float v)
{
    char text[32];

    snprintf(text, sizeof text, "%g", (double)v);
    jw_kraw(j, key, text);
}

// Whether prompts ask for it as a medium or as a material.
static const char *kind_of(const struct recipe *r)
{
    struct arena arena = ARENA_INIT;
    struct prompt *p = arena_alloc(&arena, sizeof *p);
    bool material = false;

    if (p && !prompt_read(p, &arena, r->name[0], strlen(r->name[0])))
        material = !p->medium && p->materials.count > 0;
    arena_release(&arena);
    return material ? "material" : "medium";
}

static void write_step(struct json_writer *j, const struct recipe_step *s)
{
    jw_open(j, '{');
    jw_kstr(j, "operator", s->op->name);
    jw_kstr(j, "help", s->op->help);
    jw_key(j, "parameters");
    jw_open(j, '[');
    for (int k = 0; s->op->param[k].name; k++) {
        jw_open(j, '{');
        jw_kstr(j, "name", s->op->param[k].name);
        jw_number(j, "value", s->value[k]);
        jw_number(j, "default", s->op->param[k].normal);
        jw_number(j, "least", s->op->param[k].least);
        jw_number(j, "most", s->op->param[k].most);
        jw_kstr(j, "help", s->op->param[k].help);
        jw_close(j, '}');
    }
    jw_close(j, ']');
    jw_close(j, '}');
}

static void write_response(struct json_writer *j, const struct recipe *r,
                           const struct recipe_when *w)
{
    struct buf name = BUF_INIT;

    jw_open(j, '{');
    jw_key(j, "when");
    jw_open(j, '[');
    for (int k = 0; k < w->words; k++)
        jw_str(j, w->word[k]);
    jw_close(j, ']');
    jw_key(j, "to");
    jw_open(j, '{');
    for (int k = w->first; k < w->first + w->moves; k++) {
        buf_reset(&name);
        add_move_name(r, &r->move[k], &name);
        jw_number(j, name.data ? name.data : "", r->move[k].to);
    }
    jw_close(j, '}');
    jw_close(j, '}');
    buf_release(&name);
}

static void write_look(struct json_writer *j, const struct recipe *r)
{
    jw_open(j, '{');
    jw_kstr(j, "name", r->name[0]);
    jw_key(j, "also");
    jw_open(j, '[');
    for (int i = 1; i < r->names; i++)
        jw_str(j, r->name[i]);
    jw_close(j, ']');
    jw_kstr(j, "about", r->about);
    jw_kstr(j, "family", r->family);
    jw_kstr(j, "kind", kind_of(r));
    jw_key(j, "builtin");
    jw_bool(j, !r->file);
    if (r->file)
        jw_kstr(j, "file", r->file);
    jw_key(j, "steps");
    jw_open(j, '[');
    for (int i = 0; i < r->steps; i++)
        write_step(j, &r->step[i]);
    jw_close(j, ']');
    jw_key(j, "responses");
    jw_open(j, '[');
    for (int i = 0; i < r->whens; i++)
        write_response(j, r, &r->when[i]);
    jw_close(j, ']');
    jw_close(j, '}');
}

void looks_add_json(const struct looks_list *l, struct buf *out)
{
    struct json_writer j = JSON_WRITER(out);

    jw_open(&j, '[');
    for (int i = 0; i < l->n; i++)
        write_look(&j, l->look[i]);
    jw_close(&j, ']');
    buf_addc(out, '\n');
}
