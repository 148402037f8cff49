/* SPDX-License-Identifier: MIT */
#include "models/flux2/rotary.h"
#include "models/flux2/transformer_internal.h"

#include <math.h>

struct step {
    struct transformer_plan *p;
    const struct nn_run *how;
};

static const struct linear_end STORE = {0};

// Vector i of a row of modulations.
static const float *vector(const struct step *s, const struct matrix *modulation, int i)
{
    return (const float *)modulation->data + (int64_t)i * s->p->t->config.hidden;
}

static struct linear_end gated(const float *gate)
{
    return (struct linear_end){.gate = gate, .add = true};
}

/* ---- time ---- */

static void silu(struct matrix *row)
{
    float *v = row->data;

    for (int i = 0; i < row->width; i++)
        v[i] = v[i] / (1.0F + expf(-v[i]));
}

// One row through one matrix.
static bool row_through(const struct step *s, struct lane *in, const struct packed_tensor *w,
                        struct matrix *out)
{
    struct matrix *x = &in->as[w->dtype], *f32 = &in->as[DTYPE_F32];

    return (x == f32 || nn_convert(s->how, f32, x)) && nn_linear(s->how, x, w, STORE, out);
}

// The modulations of all blocks, which share them.
static bool modulate(const struct step *s, double sigma)
{
    struct transformer_plan *p = s->p;
    const struct transformer *t = p->t;

    rotary_time(sigma, t->config.time_channels / 2, p->time[0].data);
    if (!row_through(s, &p->time_in, &t->time[0], &p->time[1]))
        return false;
    silu(&p->time[1]);
    if (!row_through(s, &p->time_hidden, &t->time[1], &p->time[2]))
        return false;
    flux2_seen(&p->watch, "time", 0, &p->time[2]);
    silu(&p->time[2]);
    for (int i = 0; i < STREAMS; i++) {
        if (!row_through(s, &p->time_out, &t->modulation[i], &p->modulation[i]))
            return false;
        flux2_seen(&p->watch, "modulation", i, &p->modulation[i]);
    }
    if (!row_through(s, &p->time_out, &t->modulation_single, &p->modulation_single))
        return false;
    flux2_seen(&p->watch, "modulation", STREAMS, &p->modulation_single);
    return row_through(s, &p->time_out, &t->modulation_final, &p->modulation_final);
}

/* ---- attention ---- */

// Positions for rows first..first+count-1 of q or k, by what they are.
static bool turn(const struct step *s, struct matrix *m, int first, int count, const float *weight,
                 const struct table *at)
{
    const struct flux2_transformer_config *c = &s->p->t->config;
    struct matrix rows = matrix_rows(m, first, count);
    const struct rotary r = {ROTARY_ADJACENT, at->cosine, at->sine, at->rows};

    return count == 0 || nn_head_norm_rotary(s->how, &rows, c->head, weight, (float)c->eps, &r);
}

static bool turn_text(const struct step *s, struct matrix *m, const float *weight)
{
    return turn(s, m, 0, plan_first_reference(s->p), weight, &s->p->text_at);
}

static bool turn_references(const struct step *s, struct matrix *m, const float *weight)
{
    const struct transformer_plan *p = s->p;

    return turn(s, m, plan_first_reference(p), p->shape.batch * p->references, weight,
                &p->reference_at);
}

static bool turn_pictures(const struct step *s, struct matrix *m, const float *weight)
{
    const struct transformer_plan *p = s->p;

    return turn(s, m, plan_first_picture(p), p->shape.batch * p->pictures, weight, &p->picture_at);
}

static struct attention_part part_of(const struct transformer_plan *p, const struct matrix *out,
                                     int first, int rows, bool asks)
{
    return (struct attention_part){.k = matrix_rows(&p->k, first, rows),
                                   .v = matrix_rows(&p->v, first, rows),
                                   .q = matrix_rows(&p->q, first, asks ? rows : 0),
                                   .out = matrix_rows(out, first, asks ? rows : 0)};
}

// Each picture with its own text and references. `all`: these ask as well.
static bool attend(const struct step *s, const struct matrix *out, bool all)
{
    const struct transformer_plan *p = s->p;
    const struct flux2_transformer_config *c = &p->t->config;

    for (int b = 0; b < p->shape.batch; b++) {
        struct attention a = {.heads = c->heads,
                              .key_heads = c->heads,
                              .head = c->head,
                              .scale = (float)(1.0 / sqrt((double)c->head))};
        a.part[a.parts++] = part_of(p, out, b * p->texts, p->texts, all);
        int at = plan_first_reference(p) + b * p->references;
        for (int i = 0; i < p->shape.references; i++) {
            const int rows = (int)flux2_tokens(p->shape.reference[i]);
            a.part[a.parts] = part_of(p, out, at, rows, all);
            a.part[a.parts++].key_bias = p->shape.reference_bias[i];
            at += rows;
        }
        a.part[a.parts++] =
            part_of(p, out, plan_first_picture(p) + b * p->pictures, p->pictures, true);
        if (!nn_attention(s->how, &a, p->scratch))
            return false;
    }
    return true;
}

/* ---- double blocks ---- */

static int stream_first(const struct transformer_plan *p, int which)
{
    return which == STREAM_TEXT ? 0 : plan_first_reference(p);
}

static int stream_rows(const struct transformer_plan *p, int which)
{
    return which == STREAM_TEXT ? plan_first_reference(p) : plan_rows(p) - plan_first_reference(p);
}

static bool ask(const struct step *s, const struct stream_weights *w, int which)
{
    struct transformer_plan *p = s->p;
    const struct matrix *mod = &p->modulation[which];
    const int first = stream_first(p, which), rows = stream_rows(p, which);
    struct matrix x = matrix_rows(&p->stream, first, rows);
    struct matrix in = lane_rows(&p->normed, &w->q, first, rows);
    struct matrix q = matrix_rows(&p->q, first, rows), k = matrix_rows(&p->k, first, rows);
    struct matrix v = matrix_rows(&p->v, first, rows);

    return nn_layernorm(s->how, &x, vector(s, mod, SCALE), vector(s, mod, SHIFT),
                        (float)p->t->config.eps, &in) &&
           nn_linear(s->how, &in, &w->q, STORE, &q) && nn_linear(s->how, &in, &w->k, STORE, &k) &&
           nn_linear(s->how, &in, &w->v, STORE, &v);
}

static bool turn_stream(const struct step *s, const struct stream_weights *w, int which)
{
    struct matrix *q = &s->p->q, *k = &s->p->k;

    if (which == STREAM_TEXT)
        return turn_text(s, q, w->norm_q) && turn_text(s, k, w->norm_k);
    return turn_references(s, q, w->norm_q) && turn_references(s, k, w->norm_k) &&
           turn_pictures(s, q, w->norm_q) && turn_pictures(s, k, w->norm_k);
}

static bool answer(const struct step *s, const struct stream_weights *w, int which)
{
    struct transformer_plan *p = s->p;
    const struct matrix *mod = &p->modulation[which];
    const int first = stream_first(p, which), rows = stream_rows(p, which);
    struct matrix x = matrix_rows(&p->stream, first, rows);
    struct matrix attended = matrix_rows(&p->q, first, rows);

    if (w->out.dtype != p->q.dtype) {
        struct matrix as = lane_rows(&p->normed, &w->out, first, rows);
        if (!nn_convert(s->how, &attended, &as))
            return false;
        attended = as;
    }
    return nn_linear(s->how, &attended, &w->out, gated(vector(s, mod, GATE)), &x);
}

static bool think(const struct step *s, const struct stream_weights *w, int which)
{
    struct transformer_plan *p = s->p;
    const struct matrix *mod = &p->modulation[which];
    const int first = stream_first(p, which), rows = stream_rows(p, which);
    struct matrix x = matrix_rows(&p->stream, first, rows);
    struct matrix in = lane_rows(&p->normed, &w->gate, first, rows);
    struct matrix gate = matrix_rows(&p->gate, first, rows), up = matrix_rows(&p->up, first, rows);
    struct matrix active = lane_rows(&p->active, &w->down, first, rows);

    return nn_layernorm(s->how, &x, vector(s, mod, SCALE_MLP), vector(s, mod, SHIFT_MLP),
                        (float)p->t->config.eps, &in) &&
           nn_linear(s->how, &in, &w->gate, STORE, &gate) &&
           nn_linear(s->how, &in, &w->up, STORE, &up) && nn_swiglu(s->how, &gate, &up, &active) &&
           nn_linear(s->how, &active, &w->down, gated(vector(s, mod, GATE_MLP)), &x);
}

static bool double_block(const struct step *s, const struct double_block *b)
{
    for (int i = 0; i < STREAMS; i++)
        if (!ask(s, &b->stream[i], i) || !turn_stream(s, &b->stream[i], i))
            return false;
    if (!attend(s, &s->p->q, true))
        return false;
    for (int i = 0; i < STREAMS; i++)
        if (!answer(s, &b->stream[i], i) || !think(s, &b->stream[i], i))
            return false;
    return true;
}

/* ---- single blocks ---- */

static bool turn_all(const struct step *s, const struct single_block *b, bool all)
{
    struct matrix *q = &s->p->q, *k = &s->p->k;

    return (!all || (turn_text(s, q, b->norm_q) && turn_references(s, q, b->norm_q))) &&
           turn_pictures(s, q, b->norm_q) && turn_text(s, k, b->norm_k) &&
           turn_references(s, k, b->norm_k) && turn_pictures(s, k, b->norm_k);
}

// `last`: the pictures' rows alone go on; text and references are keys and values once more.
static bool single_block(const struct step *s, const struct single_block *b, bool last)
{
    struct transformer_plan *p = s->p;
    const struct flux2_transformer_config *c = &p->t->config;
    const struct nn_run *how = s->how;
    const int first = last ? plan_first_picture(p) : 0, rows = plan_rows(p) - first;
    const struct matrix *mod = &p->modulation_single;
    struct matrix *all = &p->normed.as[b->q.dtype];
    struct matrix x = matrix_rows(&p->stream, first, rows);
    struct matrix in = matrix_rows(all, first, rows);
    struct matrix q = matrix_rows(&p->q, first, rows);
    struct matrix gate = matrix_rows(&p->gate, first, rows), up = matrix_rows(&p->up, first, rows);
    struct matrix *wide = &p->joined.as[p->t->wide];
    struct matrix joined = lane_rows(&p->joined, &b->out, first, rows);
    struct matrix made = matrix_rows(wide, first, rows);
    struct matrix attended = matrix_columns(wide, 0, c->hidden);
    struct matrix active = matrix_columns(&made, c->hidden, c->mlp);

    return nn_layernorm(how, &p->stream, vector(s, mod, SCALE), vector(s, mod, SHIFT),
                        (float)c->eps, all) &&
           nn_linear(how, &in, &b->q, STORE, &q) && nn_linear(how, all, &b->k, STORE, &p->k) &&
           nn_linear(how, all, &b->v, STORE, &p->v) &&
           nn_linear(how, &in, &b->gate, STORE, &gate) && nn_linear(how, &in, &b->up, STORE, &up) &&
           nn_swiglu(how, &gate, &up, &active) && turn_all(s, b, !last) &&
           attend(s, &attended, !last) &&
           (joined.data == made.data || nn_convert(how, &made, &joined)) &&
           nn_linear(how, &joined, &b->out, gated(vector(s, mod, GATE)), &x);
}

/* ---- a step ---- */

// The stream as it begins: text and references for each picture anew.
static bool begin(const struct step *s, const float *const *z)
{
    struct transformer_plan *p = s->p;
    const int b = p->shape.batch;
    struct matrix text = matrix_rows(&p->given, 0, p->texts);
    struct matrix reference = matrix_rows(&p->given, p->texts, p->references);
    struct matrix pictures = matrix_rows(&p->stream, plan_first_picture(p), b * p->pictures);

    for (int i = 0; i < b; i++) {
        struct matrix to = matrix_rows(&p->stream, i * p->texts, p->texts);
        matrix_copy(&text, &to);
        to = matrix_rows(&p->stream, plan_first_reference(p) + i * p->references, p->references);
        matrix_copy(&reference, &to);
        to = matrix_rows(&p->z, i * p->pictures, p->pictures);
        matrix_fill(&to, z[i]);
    }
    return (p->noised.data == p->z.data || nn_convert(s->how, &p->z, &p->noised)) &&
           nn_linear(s->how, &p->noised, &p->t->picture_in, STORE, &pictures);
}

static bool finish(const struct step *s, float *const *velocity)
{
    struct transformer_plan *p = s->p;
    const struct transformer *t = p->t;
    const int first = plan_first_picture(p), rows = p->shape.batch * p->pictures;
    struct matrix x = matrix_rows(&p->stream, first, rows);
    struct matrix in = lane_rows(&p->normed, &t->out, first, rows);

    if (!nn_layernorm(s->how, &x, vector(s, &p->modulation_final, 0),
                      vector(s, &p->modulation_final, 1), (float)t->config.eps, &in) ||
        !nn_linear(s->how, &in, &t->out, STORE, &p->velocity))
        return false;
    for (int i = 0; i < p->shape.batch; i++) {
        struct matrix from = matrix_rows(&p->velocity, i * p->pictures, p->pictures);
        matrix_read(&from, velocity[i], t->config.channels);
    }
    return true;
}

// Blocks of both kinds multiply as much.
static void tell(const struct transformer *t, int blocks, transformer_progress_fn *done, void *ctx)
{
    if (done)
        done(ctx, (float)blocks / (float)(t->config.doubles + t->config.singles));
}

enum err transformer_run(struct transformer_plan *p, const struct nn_run *how, double sigma,
                         const float *const *z, float *const *velocity,
                         transformer_progress_fn *done, void *done_ctx)
{
    const struct step s = {p, how};
    const struct transformer *t = p->t;

    if (!modulate(&s, sigma) || !begin(&s, z))
        return ERR_CANCELLED;
    for (int i = 0; i < t->config.doubles; i++) {
        if (!double_block(&s, &t->doubles[i]))
            return ERR_CANCELLED;
        flux2_seen(&p->watch, "double", i, &p->stream);
        tell(t, i + 1, done, done_ctx);
    }
    for (int i = 0; i < t->config.singles; i++) {
        if (!single_block(&s, &t->singles[i], i + 1 == t->config.singles))
            return ERR_CANCELLED;
        flux2_seen(&p->watch, "single", i, &p->stream);
        tell(t, t->config.doubles + i + 1, done, done_ctx);
    }
    return finish(&s, velocity) ? ERR_OK : ERR_CANCELLED;
}
