/* SPDX-License-Identifier: MIT */
#include "models/flux2/text_encoder.h"

#include "models/flux2/config.h"
#include "models/flux2/part.h"
#include "models/flux2/rotary.h"
#include "models/flux2/watch.h"
#include "nn/attention.h"
#include "nn/linear.h"
#include "nn/norm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct layer {
    const float *norm, *norm_mlp;  /* [hidden] */
    const float *norm_q, *norm_k;  /* [head] */
    struct packed_tensor q;        /* [heads * head, hidden] */
    struct packed_tensor k, v;     /* [key_heads * head, hidden] */
    struct packed_tensor out;      /* [hidden, heads * head] */
    struct packed_tensor gate, up; /* [mlp, hidden] */
    struct packed_tensor down;     /* [hidden, mlp] */
};

struct text_encoder {
    struct flux2_text_config config;
    struct packed_tensor embedding; /* bf16 [vocabulary][hidden] */
    int layers;                     /* that anybody reads */
    struct layer *layer;
    enum dtype wide;                   /* of queries, keys, values and the MLP's two halves */
    unsigned normed, attended, active; /* lane types of the three inputs of matrices */
};

static void take_layer(struct part *p, const struct flux2_text_config *c, int i, struct layer *l)
{
#define NAME(rest) "model.layers.%d." rest ".weight", i
    const int wide = c->heads * c->head, narrow = c->key_heads * c->head;

    l->norm = part_vector(p, c->hidden, NAME("input_layernorm"));
    l->norm_mlp = part_vector(p, c->hidden, NAME("post_attention_layernorm"));
    l->norm_q = part_vector(p, c->head, NAME("self_attn.q_norm"));
    l->norm_k = part_vector(p, c->head, NAME("self_attn.k_norm"));
    l->q = part_matrix(p, wide, c->hidden, NAME("self_attn.q_proj"));
    l->k = part_matrix(p, narrow, c->hidden, NAME("self_attn.k_proj"));
    l->v = part_matrix(p, narrow, c->hidden, NAME("self_attn.v_proj"));
    l->out = part_matrix(p, c->hidden, wide, NAME("self_attn.o_proj"));
    l->gate = part_matrix(p, c->mlp, c->hidden, NAME("mlp.gate_proj"));
    l->up = part_matrix(p, c->mlp, c->hidden, NAME("mlp.up_proj"));
    l->down = part_matrix(p, c->hidden, c->mlp, NAME("mlp.down_proj"));
    part_alike(p, &l->q, &l->k);
    part_alike(p, &l->q, &l->v);
    part_alike(p, &l->gate, &l->up);
#undef NAME
}

static void take_layers(struct part *p, struct text_encoder *t)
{
    const int64_t rows[] = {t->config.vocabulary, t->config.hidden};

    p->e = packed_get(p->packed, "text_encoder/model.embed_tokens.weight", PACKED_ROWS, 2, rows,
                      &t->embedding, p->note);
    t->wide = DTYPE_BF16;
    for (int i = 0; i < t->layers; i++) {
        struct layer *l = &t->layer[i];
        take_layer(p, &t->config, i, l);
        t->normed |= lane_of(&l->q) | lane_of(&l->gate);
        t->attended |= lane_of(&l->out);
        t->active |= lane_of(&l->down);
        if (l->q.dtype == DTYPE_F32)
            t->wide = DTYPE_F32;
    }
}

enum err text_encoder_open(const struct packed *packed, struct text_encoder **out,
                           struct err_note *note)
{
    struct part p = {.packed = packed, .name = "text_encoder", .note = note};
    struct text_encoder *t = calloc(1, sizeof(*t));
    size_t len;

    if (!t)
        return err_set(note, ERR_NOMEM, "no memory for the text encoder");
    const char *json = part_config(&p, &len);
    if (json)
        p.e = flux2_text_config(json, len, &t->config, note);
    if (p.e == ERR_OK) {
        t->layers = t->config.tap[FLUX2_TAPS - 1];
        t->layer = calloc((size_t)t->layers, sizeof(*t->layer));
        if (t->layer)
            take_layers(&p, t);
        else
            p.e = err_set(note, ERR_NOMEM, "no memory for the text encoder");
    }
    if (p.e == ERR_OK)
        *out = t;
    else
        text_encoder_close(t);
    return p.e;
}

void text_encoder_close(struct text_encoder *t)
{
    if (!t)
        return;
    free(t->layer);
    free(t);
}

int text_encoder_width(const struct text_encoder *t)
{
    return FLUX2_TAPS * t->config.hidden;
}

struct run {
    const struct text_encoder *t;
    const struct nn_run *how;
    struct matrix stream;   /* F32 [tokens][hidden] */
    struct lane normed;     /* [tokens][hidden] */
    struct matrix q, k, v;  /* v and the attention's result, in q, have no other shape */
    struct lane attended;   /* [tokens][heads * head]: of the types that q has not */
    struct matrix gate, up; /* [tokens][mlp] */
    struct lane active;     /* [tokens][mlp] */
    struct rotary rotary;
    float *cosine, *sine; /* [tokens][head / 2] */
    struct attention attention;
    void *scratch; /* of attention */
};

static void plan(struct run *r, struct workspace *w, int tokens, int used, int threads)
{
    const struct flux2_text_config *c = &r->t->config;
    const int64_t table = (int64_t)tokens * (c->head / 2) * (int64_t)sizeof(float);
    const int narrow = c->key_heads * c->head;

    r->stream = workspace_matrix(w, DTYPE_F32, tokens, c->hidden);
    r->normed = lane_take(w, r->t->normed, tokens, c->hidden);
    r->q = workspace_matrix(w, r->t->wide, tokens, c->heads * c->head);
    r->k = workspace_matrix(w, r->t->wide, tokens, narrow);
    r->v = workspace_matrix(w, r->t->wide, tokens, narrow);
    r->attended = lane_take(w, r->t->attended & ~(1U << r->t->wide), tokens, c->heads * c->head);
    r->attended.as[r->t->wide] = r->q;
    r->gate = workspace_matrix(w, r->t->wide, tokens, c->mlp);
    r->up = workspace_matrix(w, r->t->wide, tokens, c->mlp);
    r->active = lane_take(w, r->t->active, tokens, c->mlp);
    r->cosine = workspace_take(w, table);
    r->sine = workspace_take(w, table);
    r->rotary = (struct rotary){ROTARY_HALVES, r->cosine, r->sine, tokens};
    r->attention = (struct attention){.heads = c->heads,
                                      .key_heads = c->key_heads,
                                      .head = c->head,
                                      .scale = (float)(1.0 / sqrt((double)c->head)),
                                      .causal = true,
                                      .keys = used,
                                      .parts = 1,
                                      .part = {{.q = r->q, .k = r->k, .v = r->v, .out = r->q}}};
    r->scratch = workspace_take(w, nn_attention_bytes(&r->attention, threads));
}

int64_t text_encoder_bytes(const struct text_encoder *t, int tokens)
{
    struct workspace w = {0};

    plan(&(struct run){.t = t}, &w, tokens, tokens, POOL_THREADS_MAX);
    return w.peak;
}

static enum err embed(struct run *r, const int32_t *ids)
{
    const uint16_t *table = r->t->embedding.data;
    const int hidden = r->t->config.hidden;

    for (int i = 0; i < r->stream.rows; i++) {
        float *row = (float *)r->stream.data + i * r->stream.stride;
        if (ids[i] < 0 || ids[i] >= r->t->config.vocabulary)
            return ERR_INVALID;
        for (int k = 0; k < hidden; k++)
            row[k] = float_of_bf16(table[(int64_t)ids[i] * hidden + k]);
    }
    return ERR_OK;
}

static bool attend(struct run *r, const struct layer *l)
{
    const struct nn_run *how = r->how;
    const struct flux2_text_config *c = &r->t->config;
    const float eps = (float)c->eps;
    struct matrix *in = &r->normed.as[l->q.dtype];
    struct matrix *attended = &r->attended.as[l->out.dtype];

    return nn_rmsnorm(how, &r->stream, l->norm, eps, in) &&
           nn_linear(how, in, &l->q, (struct linear_end){0}, &r->q) &&
           nn_linear(how, in, &l->k, (struct linear_end){0}, &r->k) &&
           nn_linear(how, in, &l->v, (struct linear_end){0}, &r->v) &&
           nn_head_norm_rotary(how, &r->q, c->head, l->norm_q, eps, &r->rotary) &&
           nn_head_norm_rotary(how, &r->k, c->head, l->norm_k, eps, &r->rotary) &&
           nn_attention(how, &r->attention, r->scratch) &&
           (attended->data == r->q.data || nn_convert(how, &r->q, attended)) &&
           nn_linear(how, attended, &l->out, (struct linear_end){.add = true}, &r->stream);
}

static bool think(struct run *r, const struct layer *l)
{
    const struct nn_run *how = r->how;
    struct matrix *in = &r->normed.as[l->gate.dtype];
    struct matrix *active = &r->active.as[l->down.dtype];

    return nn_rmsnorm(how, &r->stream, l->norm_mlp, (float)r->t->config.eps, in) &&
           nn_linear(how, in, &l->gate, (struct linear_end){0}, &r->gate) &&
           nn_linear(how, in, &l->up, (struct linear_end){0}, &r->up) &&
           nn_swiglu(how, &r->gate, &r->up, active) &&
           nn_linear(how, active, &l->down, (struct linear_end){.add = true}, &r->stream);
}

enum err text_encoder_run_watched(const struct text_encoder *t, const struct nn_run *how,
                                  const int32_t *ids, int tokens, int used, float *out,
                                  const struct flux2_watch *watch)
{
    struct run r = {.t = t, .how = how};
    struct workspace w = {0};
    int tap = 0;

    plan(&r, &w, tokens, used, pool_width(how->pool));
    w = (struct workspace){.base = memory_new(w.peak)};
    if (!w.base)
        return ERR_NOMEM;
    plan(&r, &w, tokens, used, pool_width(how->pool));
    rotary_places(t->config.head, t->config.theta, tokens, r.cosine, r.sine);
    enum err e = embed(&r, ids);
    for (int i = 0; i < t->layers && e == ERR_OK; i++) {
        if (!attend(&r, &t->layer[i]) || !think(&r, &t->layer[i]))
            e = ERR_CANCELLED;
        if (e == ERR_OK)
            flux2_seen(watch, "layer", i, &r.stream);
        if (e == ERR_OK && i + 1 == t->config.tap[tap])
            matrix_read(&r.stream, out + (int64_t)t->config.hidden * tap++, text_encoder_width(t));
    }
    free(w.base);
    return e;
}

enum err text_encoder_run(const struct text_encoder *t, const struct nn_run *how,
                          const int32_t *ids, int tokens, int used, float *out)
{
    return text_encoder_run_watched(t, how, ids, tokens, used, out, &(struct flux2_watch){0});
}
