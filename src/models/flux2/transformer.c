/* SPDX-License-Identifier: MIT */
#include "models/flux2/transformer_internal.h"

#include <stdlib.h>

static void take_stream(struct part *p, const struct flux2_transformer_config *c, int block,
                        int which, struct stream_weights *s)
{
    static const struct {
        const char *q, *k, *v, *out, *norm_q, *norm_k, *mlp;
    } NAME[STREAMS] = {
        {"to_q", "to_k", "to_v", "to_out.0", "norm_q", "norm_k", "ff"},
        {"add_q_proj", "add_k_proj", "add_v_proj", "to_add_out", "norm_added_q", "norm_added_k",
         "ff_context"},
    };
#define ATTN(field) "transformer_blocks.%d.attn.%s.weight", block, NAME[which].field
#define MLP(rest)   "transformer_blocks.%d.%s." rest ".weight", block, NAME[which].mlp
    s->q = part_matrix(p, c->hidden, c->hidden, ATTN(q));
    s->k = part_matrix(p, c->hidden, c->hidden, ATTN(k));
    s->v = part_matrix(p, c->hidden, c->hidden, ATTN(v));
    s->out = part_matrix(p, c->hidden, c->hidden, ATTN(out));
    s->norm_q = part_vector(p, c->head, ATTN(norm_q));
    s->norm_k = part_vector(p, c->head, ATTN(norm_k));
    struct packed_tensor in = part_matrix(p, 2 * (int64_t)c->mlp, c->hidden, MLP("linear_in"));
    s->down = part_matrix(p, c->hidden, c->mlp, MLP("linear_out"));
    part_alike(p, &s->q, &s->k);
    part_alike(p, &s->q, &s->v);
    if (p->e == ERR_OK) {
        s->gate = packed_outputs(&in, 0, c->mlp);
        s->up = packed_outputs(&in, c->mlp, c->mlp);
    }
#undef ATTN
#undef MLP
}

static void take_single(struct part *p, const struct flux2_transformer_config *c, int i,
                        struct single_block *b)
{
#define NAME(rest) "single_transformer_blocks.%d.attn." rest ".weight", i
    const int64_t h = c->hidden, m = c->mlp;

    struct packed_tensor in = part_matrix(p, 3 * h + 2 * m, h, NAME("to_qkv_mlp_proj"));
    b->out = part_matrix(p, h, h + m, NAME("to_out"));
    b->norm_q = part_vector(p, c->head, NAME("norm_q"));
    b->norm_k = part_vector(p, c->head, NAME("norm_k"));
    if (p->e != ERR_OK)
        return;
    b->q = packed_outputs(&in, 0, h);
    b->k = packed_outputs(&in, h, h);
    b->v = packed_outputs(&in, 2 * h, h);
    b->gate = packed_outputs(&in, 3 * h, m);
    b->up = packed_outputs(&in, 3 * h + m, m);
#undef NAME
}

static void take_ends(struct part *p, struct transformer *t)
{
    const struct flux2_transformer_config *c = &t->config;
    const int64_t h = c->hidden;

    t->picture_in = part_matrix(p, h, c->channels, "x_embedder.weight");
    t->text_in = part_matrix(p, h, c->text_width, "context_embedder.weight");
    t->time[0] = part_matrix(p, h, c->time_channels,
                             "time_guidance_embed.timestep_embedder.linear_1.weight");
    t->time[1] = part_matrix(p, h, h, "time_guidance_embed.timestep_embedder.linear_2.weight");
    t->modulation[STREAM_PICTURE] =
        part_matrix(p, DOUBLE_VECTORS * h, h, "double_stream_modulation_img.linear.weight");
    t->modulation[STREAM_TEXT] =
        part_matrix(p, DOUBLE_VECTORS * h, h, "double_stream_modulation_txt.linear.weight");
    t->modulation_single =
        part_matrix(p, SINGLE_VECTORS * h, h, "single_stream_modulation.linear.weight");
    t->modulation_final = part_matrix(p, FINAL_VECTORS * h, h, "norm_out.linear.weight");
    t->out = part_matrix(p, c->channels, h, "proj_out.weight");
}

// What has to be made beside what, by the weights' types.
static void note_types(struct transformer *t)
{
    t->normed = lane_of(&t->out);
    t->wide = DTYPE_BF16;
    for (int i = 0; i < t->config.doubles; i++) {
        for (int k = 0; k < STREAMS; k++) {
            const struct stream_weights *s = &t->doubles[i].stream[k];
            t->normed |= lane_of(&s->q) | lane_of(&s->out) | lane_of(&s->gate);
            t->active |= lane_of(&s->down);
            if (s->q.dtype == DTYPE_F32)
                t->wide = DTYPE_F32;
        }
    }
    for (int i = 0; i < t->config.singles; i++) {
        t->normed |= lane_of(&t->singles[i].q);
        t->joined |= lane_of(&t->singles[i].out);
        if (t->singles[i].q.dtype == DTYPE_F32)
            t->wide = DTYPE_F32;
    }
    t->joined |= 1U << t->wide;
}

static enum err take_all(struct part *p, struct transformer *t)
{
    const struct flux2_transformer_config *c = &t->config;
    size_t len;

    const char *json = part_config(p, &len);
    if (json)
        p->e = flux2_transformer_config(json, len, &t->config, p->note);
    if (p->e != ERR_OK)
        return p->e;
    t->doubles = calloc((size_t)c->doubles, sizeof(*t->doubles));
    t->singles = calloc((size_t)c->singles, sizeof(*t->singles));
    if (!t->doubles || !t->singles)
        return err_set(p->note, ERR_NOMEM, "no memory for the transformer");
    take_ends(p, t);
    for (int i = 0; i < c->doubles; i++)
        for (int k = 0; k < STREAMS; k++)
            take_stream(p, c, i, k, &t->doubles[i].stream[k]);
    for (int i = 0; i < c->singles; i++)
        take_single(p, c, i, &t->singles[i]);
    if (p->e == ERR_OK)
        note_types(t);
    return p->e;
}

enum err transformer_open(const struct packed *packed, struct transformer **out,
                          struct err_note *note)
{
    struct part p = {.packed = packed, .name = "transformer", .note = note};
    struct transformer *t = calloc(1, sizeof(*t));

    if (!t)
        return err_set(note, ERR_NOMEM, "no memory for the transformer");
    enum err e = take_all(&p, t);
    if (e == ERR_OK)
        *out = t;
    else
        transformer_close(t);
    return e;
}

void transformer_close(struct transformer *t)
{
    if (!t)
        return;
    free(t->doubles);
    free(t->singles);
    free(t);
}

int transformer_channels(const struct transformer *t)
{
    return t->config.channels;
}

double transformer_flops(const struct transformer *t, const struct transformer_shape *s)
{
    return transformer_flops_of(&t->config, s);
}

double transformer_flops_of(const struct flux2_transformer_config *c,
                            const struct transformer_shape *s)
{
    const double h = c->hidden, m = c->mlp, pictures = (double)flux2_tokens(s->grid);
    double rows = s->text + pictures;

    for (int i = 0; i < s->references; i++)
        rows += (double)flux2_tokens(s->reference[i]);
    // In the last block the picture alone asks.
    double attention = 4.0 * rows * h * (rows * (c->doubles + c->singles - 1) + pictures);
    double doubles = 2.0 * rows * h * (4.0 * h + 3.0 * m) * c->doubles;
    double single = 2.0 * h * (2.0 * h + 3.0 * m);
    double singles = rows * (single * (c->singles - 1) + 4.0 * h * h * c->singles) +
                     pictures * single;
    double ends = 4.0 * pictures * h * c->channels;

    return s->batch * (attention + doubles + singles + ends);
}
