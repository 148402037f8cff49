/* SPDX-License-Identifier: MIT */
/*
 * How a recipe answers to what a prompt says: reading the sections [when ...], and doing what they
 * say.
 */
#include "look/recipe_internal.h"

#include "prompt/prompt.h"

#include <string.h>

static const struct piece NOTHING = {0};

static bool is_parameter_end(const char *word)
{
    static const char *const END[] = {"--s 0",    "--s 1000", "--iw 0",      "--iw 3",
                                      "--q 0.25", "--q 4",    "--style raw", NULL};

    for (const char *const *end = END; *end; end++)
        if (strcmp(word, *end) == 0)
            return true;
    return false;
}

static enum err add_word(struct reader *r, struct recipe_when *w, struct piece word)
{
    char *to = w->word[w->words];

    if (word.len == 0)
        return recipe_fail(r, word.s, "a word is missing", NOTHING);
    if (w->words == RECIPE_WORDS_MAX)
        return recipe_fail(r, word.s, "too many words", NOTHING);
    if (word.len < RECIPE_WORD_BYTES) {
        memcpy(to, word.s, word.len);
        to[word.len] = '\0';
        w->words++;
        if (is_parameter_end(to) || prompt_is_quality(to))
            return ERR_OK;
    }
    return recipe_fail(
        r, word.s, "neither a modifier or material of prompts nor the end of a parameter:", word);
}

enum err when_open(struct reader *r, struct piece words)
{
    if (r->out->steps == 0)
        return recipe_fail(r, words.s, "steps come before the first [when]", NOTHING);
    if (r->out->whens == RECIPE_WHENS_MAX)
        return recipe_fail(r, words.s, "too many sections [when]", NOTHING);
    struct recipe_when *w = &r->out->when[r->out->whens++];
    *w = (struct recipe_when){.first = r->out->moves};
    while (words.s) {
        enum err e = add_word(r, w, piece_next(&words, ','));
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static enum err add_move(struct reader *r, struct piece key, int step, int param, float to,
                         const char *value_at)
{
    struct recipe *out = r->out;
    struct recipe_when *w = &out->when[out->whens - 1];
    const struct look_param *p = &out->step[step].op->param[param];

    for (int i = w->first; i < out->moves; i++)
        if (out->move[i].step == step && out->move[i].param == param)
            return recipe_fail(r, key.s, "set twice:", key);
    if (out->moves == RECIPE_MOVES_MAX)
        return recipe_fail(r, key.s, "too many responses", NOTHING);
    out->move[out->moves++] =
        (struct recipe_move){.step = (short)step, .param = (short)param, .to = to};
    w->moves++;
    return param_check(r, value_at, p, to);
}

enum err when_read(struct reader *r, struct piece key, bool factor, struct piece value)
{
    struct piece rest = key, op = piece_next(&rest, '.'), param = rest;
    int nth = 0, met = 0;
    enum err e = ERR_OK;
    float v;

    if (!rest.s)
        return recipe_fail(r, key.s, "not operator.parameter:", key);
    struct piece number = piece_next(&rest, '.');
    if (rest.s) {
        if (number.len != 1 || *number.s < '1' || *number.s > '9')
            return recipe_fail(r, number.s, "which step of its name, 1 to 9, not", number);
        nth = *number.s - '0';
        param = piece_trim(rest);
    }
    if (!piece_number(value, &v))
        return recipe_fail(r, value.s, "not a number:", value);
    for (int i = 0; e == ERR_OK && i < r->out->steps; i++) {
        const struct recipe_step *step = &r->out->step[i];
        if (!piece_is(op, step->op->name) || (++met != nth && nth > 0))
            continue;
        int at = param_find(step->op, param);
        if (at < 0)
            return recipe_fail(r, param.s, "this step has no parameter", param);
        const struct look_param *p = &step->op->param[at];
        e = add_move(r, key, i, at, factor ? clampf(v * step->value[at], p->least, p->most) : v,
                     value.s);
    }
    if (met == 0 || met < nth)
        return recipe_fail(r, op.s, "the look has no such step:", op);
    return e;
}

static bool names(const struct recipe_when *w, const char *word)
{
    for (int i = 0; i < w->words; i++)
        if (strcmp(w->word[i], word) == 0)
            return true;
    return false;
}

bool recipe_responds(const struct recipe *r, const char *word)
{
    for (int i = 0; i < r->whens; i++)
        if (names(&r->when[i], word))
            return true;
    return false;
}

static float amount_of(const struct recipe_when *w, const struct recipe_cue *cue, int cues)
{
    float most = 0.0f;

    for (int i = 0; i < cues; i++)
        if (cue[i].amount > most && names(w, cue[i].word))
            most = cue[i].amount;
    return most;
}

void recipe_respond(struct recipe *r, const struct recipe_cue *cue, int cues)
{
    float by[RECIPE_STEPS_MAX][LOOK_PARAMS_MAX] = {0};

    for (int i = 0; i < r->whens; i++) {
        const struct recipe_when *w = &r->when[i];
        float amount = amount_of(w, cue, cues);
        for (const struct recipe_move *m = &r->move[w->first]; m < &r->move[w->first + w->moves];
             m++)
            by[m->step][m->param] += amount * (m->to - r->step[m->step].value[m->param]);
    }
    for (int i = 0; i < r->steps; i++) {
        const struct look_param *p = r->step[i].op->param;
        for (int k = 0; p[k].name; k++)
            if (by[i][k] != 0.0f)
                r->step[i].value[k] = clampf(r->step[i].value[k] + by[i][k], p[k].least, p[k].most);
    }
}

void recipe_unframe(struct recipe *r)
{
    static const char *const AROUND[] = {"frame", "margin", "border", "ragged", "plate"};

    for (int i = 0; i < r->steps; i++)
        for (size_t k = 0; k < sizeof(AROUND) / sizeof(AROUND[0]); k++) {
            const struct look_op *op = r->step[i].op;
            int at = param_find(op, (struct piece){AROUND[k], strlen(AROUND[k])});
            if (at >= 0)
                r->step[i].value[at] = op->param[at].least;
        }
}
