/* SPDX-License-Identifier: MIT */
#include "models/flux2/rotary.h"
#include "models/flux2/transformer_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int plan_first_reference(const struct transformer_plan *p)
{
    return p->shape.batch * p->texts;
}

int plan_first_picture(const struct transformer_plan *p)
{
    return p->shape.batch * (p->texts + p->references);
}

int plan_rows(const struct transformer_plan *p)
{
    return p->shape.batch * (p->texts + p->references + p->pictures);
}

static void count_rows(struct transformer_plan *p)
{
    p->texts = p->shape.text;
    p->pictures = (int)flux2_tokens(p->shape.grid);
    p->references = 0;
    for (int i = 0; i < p->shape.references; i++)
        p->references += (int)flux2_tokens(p->shape.reference[i]);
}

// A lane that borrows what is there in one type: rows of another matrix of the same shape.
static struct lane lane_beside(struct workspace *w, unsigned types, const struct matrix *m)
{
    struct lane l = lane_take(w, types & ~(1U << m->dtype), m->rows, m->width);

    l.as[m->dtype] = *m;
    return l;
}

static struct table take_table(struct workspace *w, int rows, int pairs)
{
    const int64_t bytes = (int64_t)rows * pairs * (int64_t)sizeof(float);

    return (struct table){workspace_take(w, bytes), workspace_take(w, bytes), rows};
}

static void take_time(struct transformer_plan *p, struct workspace *w)
{
    const struct transformer *t = p->t;
    const int h = t->config.hidden;
    unsigned modulations = lane_of(&t->modulation_single) | lane_of(&t->modulation_final) |
                           lane_of(&t->modulation[0]) | lane_of(&t->modulation[1]);

    p->time[0] = workspace_matrix(w, DTYPE_F32, 1, t->config.time_channels);
    p->time[1] = workspace_matrix(w, DTYPE_F32, 1, h);
    p->time[2] = workspace_matrix(w, DTYPE_F32, 1, h);
    p->time_in = lane_beside(w, lane_of(&t->time[0]), &p->time[0]);
    p->time_hidden = lane_beside(w, lane_of(&t->time[1]), &p->time[1]);
    p->time_out = lane_beside(w, modulations, &p->time[2]);
    for (int i = 0; i < STREAMS; i++)
        p->modulation[i] = workspace_matrix(w, DTYPE_F32, 1, DOUBLE_VECTORS * h);
    p->modulation_single = workspace_matrix(w, DTYPE_F32, 1, SINGLE_VECTORS * h);
    p->modulation_final = workspace_matrix(w, DTYPE_F32, 1, FINAL_VECTORS * h);
}

// Last of all: the two kinds of blocks take turns with the same memory where no padding keeps them
// from it.
static void take_mlp(struct transformer_plan *p, struct workspace *w)
{
    const struct transformer *t = p->t;
    const int rows = plan_rows(p), h = t->config.hidden, m = t->config.mlp;
    const int64_t before = w->used;

    p->active = lane_take(w, t->active, rows, m);
    if (m % MATRIX_ALIGN == 0 && h % MATRIX_ALIGN == 0)
        w->used = before;
    p->joined = lane_take(w, t->joined, rows, h + m);
}

// Of one picture with its text and references; each part's keys come in blocks of their own.
static int64_t attention_bytes(const struct transformer_plan *p)
{
    const struct flux2_transformer_config *c = &p->t->config;
    struct attention a = {.heads = c->heads, .key_heads = c->heads, .head = c->head};

    a.part[a.parts++].k.rows = p->texts;
    for (int i = 0; i < p->shape.references; i++)
        a.part[a.parts++].k.rows = (int)flux2_tokens(p->shape.reference[i]);
    a.part[a.parts++].k.rows = p->pictures;
    return nn_attention_bytes(&a, POOL_THREADS_MAX);
}

static void take_all(struct transformer_plan *p, struct workspace *w)
{
    const struct transformer *t = p->t;
    const struct flux2_transformer_config *c = &t->config;
    const int rows = plan_rows(p), h = c->hidden, b = p->shape.batch;

    p->given = workspace_matrix(w, DTYPE_F32, p->texts + p->references, h);
    p->stream = workspace_matrix(w, DTYPE_F32, rows, h);
    p->normed = lane_take(w, t->normed, rows, h);
    p->q = workspace_matrix(w, t->wide, rows, h);
    p->k = workspace_matrix(w, t->wide, rows, h);
    p->v = workspace_matrix(w, t->wide, rows, h);
    p->gate = workspace_matrix(w, t->wide, rows, c->mlp);
    p->up = workspace_matrix(w, t->wide, rows, c->mlp);
    p->z = workspace_matrix(w, DTYPE_F32, b * p->pictures, c->channels);
    p->velocity = workspace_matrix(w, DTYPE_F32, b * p->pictures, c->channels);
    p->noised = p->z;
    if (t->picture_in.dtype != DTYPE_F32)
        p->noised = workspace_matrix(w, t->picture_in.dtype, b * p->pictures, c->channels);
    p->text_at = take_table(w, p->texts, c->head / 2);
    p->reference_at = take_table(w, p->references, c->head / 2);
    p->picture_at = take_table(w, p->pictures, c->head / 2);
    take_time(p, w);
    p->scratch = workspace_take(w, attention_bytes(p));
    take_mlp(p, w);
}

int64_t transformer_bytes(const struct transformer *t, const struct transformer_shape *s)
{
    struct transformer_plan p = {.t = t, .shape = *s};
    struct workspace w = {0};

    count_rows(&p);
    take_all(&p, &w);
    return w.peak;
}

static void fill_tables(struct transformer_plan *p)
{
    const struct flux2_transformer_config *c = &p->t->config;
    float *cosine = p->reference_at.cosine, *sine = p->reference_at.sine;

    rotary_text(c, p->texts, p->text_at.cosine, p->text_at.sine);
    rotary_grid(c, p->shape.grid, 0, p->picture_at.cosine, p->picture_at.sine);
    for (int i = 0; i < p->shape.references; i++) {
        rotary_grid(c, p->shape.reference[i], i + 1, cosine, sine);
        cosine += flux2_tokens(p->shape.reference[i]) * (c->head / 2);
        sine += flux2_tokens(p->shape.reference[i]) * (c->head / 2);
    }
}

// rows[to->rows][width] through an embedder, in memory of its own that lasts as long.
static enum err project(const struct nn_run *how, const float *rows, int width,
                        const struct packed_tensor *w, struct matrix to)
{
    struct matrix given, as;
    struct workspace space = {0};
    enum err e = ERR_OK;

    for (int pass = 0; pass < 2; pass++) {
        given = workspace_matrix(&space, DTYPE_F32, to.rows, width);
        as = given;
        if (w->dtype != DTYPE_F32)
            as = workspace_matrix(&space, w->dtype, to.rows, width);
        if (pass == 0)
            space = (struct workspace){.base = memory_new(space.peak)};
        if (!space.base)
            return ERR_NOMEM;
    }
    matrix_fill(&given, rows);
    if ((as.data != given.data && !nn_convert(how, &given, &as)) ||
        !nn_linear(how, &as, w, (struct linear_end){0}, &to))
        e = ERR_CANCELLED;
    free(space.base);
    return e;
}

static enum err project_given(struct transformer_plan *p, const struct nn_run *how,
                              const float *text, const float *const *references)
{
    const struct transformer *t = p->t;
    int at = p->texts;

    enum err e =
        project(how, text, t->config.text_width, &t->text_in, matrix_rows(&p->given, 0, p->texts));
    for (int i = 0; i < p->shape.references && e == ERR_OK; i++) {
        int rows = (int)flux2_tokens(p->shape.reference[i]);
        e = project(how, references[i], t->config.channels, &t->picture_in,
                    matrix_rows(&p->given, at, rows));
        at += rows;
    }
    return e;
}

enum err transformer_plan(const struct transformer *t, const struct nn_run *how,
                          const struct transformer_shape *s, const float *text, int text_width,
                          const float *const *references, struct transformer_plan **out,
                          struct err_note *note)
{
    struct workspace w = {0};

    assert(s->batch >= 1 && s->batch <= FLUX2_BATCH_MAX && s->references >= 0 &&
           s->references <= FLUX2_REFERENCES_MAX && s->text > 0);
    if (text_width != t->config.text_width)
        return err_set(note, ERR_INVALID,
                       "the transformer takes text of width %d, the text encoder gives %d",
                       t->config.text_width, text_width);
    struct transformer_plan *p = calloc(1, sizeof(*p));
    if (p) {
        *p = (struct transformer_plan){.t = t, .shape = *s};
        count_rows(p);
        take_all(p, &w);
        p->memory = memory_new(w.peak);
    }
    if (!p || !p->memory) {
        transformer_plan_free(p);
        return err_set(note, ERR_NOMEM, "no memory for the steps");
    }
    w = (struct workspace){.base = p->memory};
    take_all(p, &w);
    fill_tables(p);
    enum err e = project_given(p, how, text, references);
    if (e != ERR_OK) {
        transformer_plan_free(p);
        return err_set(note, e, "no memory for the steps' inputs");
    }
    *out = p;
    return ERR_OK;
}

void transformer_plan_free(struct transformer_plan *p)
{
    if (!p)
        return;
    free(p->memory);
    free(p);
}

void transformer_plan_watch(struct transformer_plan *p, const struct flux2_watch *watch)
{
    p->watch = *watch;
}
