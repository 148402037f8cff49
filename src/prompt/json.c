/* SPDX-License-Identifier: MIT */
#include "prompt/prompt.h"

#include "base/json.h"

#include <stdio.h>

static void write_terms(struct json_writer *w, const char *key, const struct prompt_terms *t)
{
    jw_key(w, key);
    jw_open(w, '[');
    for (int i = 0; i < t->count; i++)
        jw_str(w, t->name[i]);
    jw_close(w, ']');
}

static void write_real(struct json_writer *w, const char *key, double v)
{
    jw_key(w, key);
    jw_real(w, v, 2);
}

static void write_if_named(struct json_writer *w, const char *key, const char *name)
{
    if (name)
        jw_kstr(w, key, name);
}

static void write_weights(struct json_writer *w, const struct prompt *p)
{
    jw_key(w, "weights");
    jw_open(w, '[');
    for (int i = 0; i < p->part_count; i++) {
        jw_open(w, '{');
        jw_kstr(w, "text", p->part[i].text);
        write_real(w, "weight", p->part[i].weight);
        write_if_named(w, "medium", p->part[i].medium);
        write_if_named(w, "manner", p->part[i].manner);
        write_if_named(w, "material", p->part[i].material);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

// Those that were given, under their usual names. What `--no` lists is in "excluded".
static void write_parameters(struct json_writer *w, const struct prompt *p)
{
    char ratio[32];

    jw_key(w, "parameters");
    jw_open(w, '{');
    if (p->given & PROMPT_SEED)
        jw_kint(w, "seed", p->seed);
    if (p->given & PROMPT_AR) {
        snprintf(ratio, sizeof(ratio), "%d:%d", p->ar_w, p->ar_h);
        jw_kstr(w, "ar", ratio);
    }
    if (p->given & PROMPT_S)
        jw_kint(w, "s", p->s);
    if (p->given & PROMPT_IW)
        write_real(w, "iw", p->iw);
    if (p->given & PROMPT_CHAOS)
        jw_kint(w, "chaos", p->chaos);
    if (p->given & PROMPT_Q)
        write_real(w, "q", p->q);
    if (p->given & PROMPT_SREF)
        jw_kstr(w, "sref", p->sref);
    if (p->given & PROMPT_SW)
        jw_kint(w, "sw", p->sw);
    if (p->given & PROMPT_TILE) {
        jw_key(w, "tile");
        jw_bool(w, true);
    }
    if (p->given & PROMPT_STYLE_RAW)
        jw_kstr(w, "style", "raw");
    if (p->given & PROMPT_WEIGHTS)
        write_weights(w, p);
    jw_close(w, '}');
}

static void write_warnings(struct json_writer *w, const struct prompt *p, bool places)
{
    jw_open(w, '[');
    for (int i = 0; i < p->warning_count; i++) {
        jw_open(w, '{');
        jw_kstr(w, "code", p->warning[i].code);
        jw_kstr(w, "message", p->warning[i].message);
        if (places) {
            jw_kint(w, "start", p->warning[i].start);
            jw_kint(w, "end", p->warning[i].end);
        }
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

void prompt_write_json(const struct prompt *p, struct buf *out)
{
    struct json_writer w = JSON_WRITER(out);

    jw_open(&w, '{');
    jw_key(&w, "medium");
    if (p->medium)
        jw_str(&w, p->medium);
    else
        jw_null(&w);
    write_terms(&w, "materials", &p->materials);
    write_terms(&w, "palette", &p->palette);
    write_terms(&w, "light", &p->light);
    write_terms(&w, "modifiers", &p->modifiers);
    write_terms(&w, "excluded", &p->excluded);
    write_terms(&w, "unknown", &p->unknown);
    write_parameters(&w, p);
    jw_key(&w, "warnings");
    write_warnings(&w, p, true);
    jw_close(&w, '}');
}

void prompt_write_warnings(const struct prompt *p, struct buf *out)
{
    struct json_writer w = JSON_WRITER(out);

    write_warnings(&w, p, false);
}
