/* SPDX-License-Identifier: MIT */
#include "models/flux2/part.h"
#include "models/flux2/vae_internal.h"
#include "nn/attention.h"
#include "nn/linear.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Three pieces of memory serve all layers, because a layer is done with its input once that is
 * normed or converted for the next product:
 *   STREAM  f32: what runs through the resnets; each adds to it in place, or, where the width
 *           changes, writes it anew from its own conversion;
 *   NORMED  in the weights' type: the input of a product, with a border of zeros;
 *   HIDDEN  f32: between a resnet's two convolutions; or all that attention needs.
 * The same code runs twice: first without memory, to learn how large each piece gets.
 */
enum piece { STREAM, NORMED, HIDDEN, PIECES };

struct run {
    const struct vae *v;
    const struct nn_run *how; /* NULL: only counts */
    const struct vae_watch *watch;
    struct workspace piece[PIECES];
    struct map x; /* in STREAM */
};

static const float NORM_EPS = 1e-6f;

/* A map of its own in a piece, whose earlier contents are given up. */
static struct map take(struct run *r, enum piece p, int rows, int columns, int channels)
{
    struct workspace *w = &r->piece[p];

    w->used = 0;
    struct map m = workspace_map(w, p == NORMED ? r->v->dtype : DTYPE_F32, rows, columns, channels);
    if (r->how && p == NORMED)
        map_clear_border(&m);
    return m;
}

static void seen(const struct run *r, const char *name, int index, const struct map *m)
{
    if (r->how && r->watch->fn)
        r->watch->fn(r->watch->ctx, name, index, m);
}

static bool conv(const struct run *r, const struct map *x, const struct vae_conv *c, int stride,
                 bool add, struct map *y)
{
    return !r->how || nn_conv(r->how, x, &c->w, c->bias, stride, add, y);
}

/* GroupNorm and perhaps SiLU of a map, as the input of a product. */
static bool norm(struct run *r, const struct map *x, const struct vae_norm *n, bool silu,
                 struct map *y)
{
    *y = take(r, NORMED, x->rows, x->columns, x->channels);
    return !r->how ||
           nn_groupnorm(r->how, x, r->v->config.groups, n->weight, n->bias, NORM_EPS, silu, y);
}

static bool convert(struct run *r, const struct map *x, struct map *y)
{
    *y = take(r, NORMED, x->rows, x->columns, x->channels);
    return !r->how || nn_map_convert(r->how, x, y);
}

static bool resnet(struct run *r, const struct vae_resnet *b)
{
    const int out = (int)b->conv1.w.shape[0];
    struct map in, hidden;

    if (!norm(r, &r->x, &b->norm1, true, &in))
        return false;
    hidden = take(r, HIDDEN, r->x.rows, r->x.columns, out);
    if (!conv(r, &in, &b->conv1, 1, false, &hidden))
        return false;
    if (b->shortcut.w.rank) {
        if (!convert(r, &r->x, &in))
            return false;
        r->x = take(r, STREAM, r->x.rows, r->x.columns, out);
        if (!conv(r, &in, &b->shortcut, 1, false, &r->x))
            return false;
    }
    return norm(r, &hidden, &b->norm2, true, &in) && conv(r, &in, &b->conv2, 1, true, &r->x);
}

/* ---- attention in the middle ---- */

/* The pixels of a map without its border, as rows. */
static void map_to_rows(const struct map *m, struct matrix *to)
{
    const size_t line = (size_t)m->columns * (size_t)m->stride * dtype_bytes(m->dtype);

    for (int y = 0; y < m->rows; y++)
        memcpy((char *)to->data + (size_t)y * line, map_at(m, y, 0), line);
}

static void add_rows(const struct matrix *from, struct map *m)
{
    const int64_t line = m->columns * m->stride;

    for (int y = 0; y < m->rows; y++) {
        float *to = map_at(m, y, 0);
        const float *add = (const float *)from->data + y * line;
        for (int64_t i = 0; i < line; i++)
            to[i] += add[i];
    }
}

static bool linear(const struct run *r, const struct matrix *x, const struct vae_linear *l,
                   struct matrix *y)
{
    return nn_linear(r->how, x, &l->w, (struct linear_end){.bias = l->bias}, y);
}

static bool attend(struct run *r, const struct vae_half *h)
{
    const int width = r->x.channels, pixels = r->x.rows * r->x.columns;
    struct workspace *w = &r->piece[HIDDEN];
    struct map normed;

    if (!norm(r, &r->x, &h->middle.norm, false, &normed))
        return false;
    w->used = 0;
    struct matrix in = workspace_matrix(w, r->v->dtype, pixels, width);
    struct matrix q = workspace_matrix(w, r->v->dtype, pixels, width);
    struct matrix k = workspace_matrix(w, r->v->dtype, pixels, width);
    struct matrix v = workspace_matrix(w, r->v->dtype, pixels, width);
    struct matrix out = workspace_matrix(w, DTYPE_F32, pixels, width);
    struct attention a = {.heads = 1,
                          .key_heads = 1,
                          .head = width,
                          .scale = (float)(1.0 / sqrt((double)width)),
                          .parts = 1,
                          .part = {{.q = q, .k = k, .v = v, .out = q}}};
    void *scratch = workspace_take(w, nn_attention_bytes(&a, POOL_THREADS_MAX));

    if (!r->how)
        return true;
    map_to_rows(&normed, &in);
    if (!linear(r, &in, &h->middle.q, &q) || !linear(r, &in, &h->middle.k, &k) ||
        !linear(r, &in, &h->middle.v, &v) || !nn_attention(r->how, &a, scratch) ||
        !linear(r, &q, &h->middle.out, &out))
        return false;
    add_rows(&out, &r->x);
    seen(r, "attention", 0, &r->x);
    return true;
}

static bool middle(struct run *r, const struct vae_half *h)
{
    if (!resnet(r, &h->middle.before) || !attend(r, h) || !resnet(r, &h->middle.after))
        return false;
    seen(r, "middle", 0, &r->x);
    return true;
}

/* ---- both directions ---- */

static bool downsample(struct run *r, const struct vae_conv *c)
{
    struct map in;

    if (!convert(r, &r->x, &in))
        return false;
    r->x = take(r, STREAM, in.rows / 2, in.columns / 2, in.channels);
    return conv(r, &in, c, 2, false, &r->x);
}

static bool upsample(struct run *r, const struct vae_conv *c)
{
    struct map in = take(r, NORMED, 2 * r->x.rows, 2 * r->x.columns, r->x.channels);

    if (r->how && !nn_upsample(r->how, &r->x, &in))
        return false;
    r->x = take(r, STREAM, in.rows, in.columns, in.channels);
    return conv(r, &in, c, 1, false, &r->x);
}

static bool levels(struct run *r, const struct vae_half *h, bool inwards)
{
    for (int i = 0; i < FLUX2_LEVELS; i++) {
        const struct vae_conv *sampler = &h->level[i].sampler;
        for (int k = 0; k < h->level[i].resnets; k++)
            if (!resnet(r, &h->level[i].resnet[k]))
                return false;
        if (sampler->w.rank && !(inwards ? downsample(r, sampler) : upsample(r, sampler)))
            return false;
        seen(r, "level", i, &r->x);
    }
    return true;
}

/* The first convolution: from what is in NORMED into a new stream. */
static bool enter(struct run *r, const struct map *in, const struct vae_conv *c)
{
    r->x = take(r, STREAM, in->rows, in->columns, (int)c->w.shape[0]);
    if (!conv(r, in, c, 1, false, &r->x))
        return false;
    seen(r, "conv_in", 0, &r->x);
    return true;
}

/* Planes of pixels as a map of three channels, whose padding is zero. */
static void fill_pixels(const float *pixels, struct map *m)
{
    const int64_t plane = (int64_t)m->rows * m->columns;

    for (int y = 0; y < m->rows; y++) {
        memset(map_at(m, y, 0), 0, (size_t)m->columns * (size_t)m->stride * dtype_bytes(m->dtype));
        for (int x = 0; x < m->columns; x++)
            for (int c = 0; c < 3; c++) {
                float v = pixels[c * plane + (int64_t)y * m->columns + x];
                if (m->dtype == DTYPE_F32)
                    ((float *)map_at(m, y, x))[c] = v;
                else
                    ((uint16_t *)map_at(m, y, x))[c] = bf16_of(v);
            }
    }
}

static bool encode(struct run *r, const float *pixels, struct flux2_grid g, struct map *latent)
{
    const struct vae *v = r->v;
    struct map in = take(r, NORMED, g.rows * FLUX2_PATCH, g.columns * FLUX2_PATCH, 3);

    if (r->how)
        fill_pixels(pixels, &in);
    if (!enter(r, &in, &v->encoder.in) || !levels(r, &v->encoder, true) ||
        !middle(r, &v->encoder) || !norm(r, &r->x, &v->encoder.norm_out, true, &in))
        return false;
    r->x = take(r, STREAM, in.rows, in.columns, 2 * v->config.latent);
    if (!conv(r, &in, &v->encoder.out, 1, false, &r->x))
        return false;
    seen(r, "conv_out", 0, &r->x);
    *latent = take(r, HIDDEN, in.rows, in.columns, v->config.latent);
    if (!convert(r, &r->x, &in) || !conv(r, &in, &v->quant, 1, false, latent))
        return false;
    seen(r, "quant", 0, latent);
    return true;
}

/* `latent` is in HIDDEN, as a stream of its own is being made. */
static bool decode(struct run *r, struct map *latent, struct map *pixels)
{
    const struct vae *v = r->v;
    struct map in;

    if (!convert(r, latent, &in))
        return false;
    r->x = take(r, STREAM, in.rows, in.columns, v->config.latent);
    if (!conv(r, &in, &v->post_quant, 1, false, &r->x))
        return false;
    seen(r, "post_quant", 0, &r->x);
    if (!convert(r, &r->x, &in) || !enter(r, &in, &v->decoder.in) || !middle(r, &v->decoder) ||
        !levels(r, &v->decoder, false) || !norm(r, &r->x, &v->decoder.norm_out, true, &in))
        return false;
    *pixels = take(r, STREAM, in.rows, in.columns, 3);
    return conv(r, &in, &v->decoder.out, 1, false, pixels);
}

/* ---- tokens ---- */

/* Channel 4c + 2dy + dx of token (y, x) is channel c of pixel (2y + dy, 2x + dx). */
static float *latent_at(const struct map *m, int y, int x, int k)
{
    return (float *)map_at(m, 2 * y + (k >> 1 & 1), 2 * x + (k & 1)) + k / 4;
}

static double deviation(const struct vae *v, int k)
{
    return sqrt((double)v->var[k] + v->config.statistics_eps);
}

static void read_tokens(const struct vae *v, const struct map *m, struct flux2_grid g,
                        float *tokens)
{
    const int channels = vae_channels(v);

    for (int k = 0; k < channels; k++) {
        const double mean = v->mean[k], factor = 1.0 / deviation(v, k);
        for (int y = 0; y < g.rows; y++)
            for (int x = 0; x < g.columns; x++)
                tokens[((int64_t)y * g.columns + x) * channels + k] =
                    (float)(((double)*latent_at(m, y, x, k) - mean) * factor);
    }
}

static void fill_latent(const struct vae *v, const float *tokens, struct flux2_grid g,
                        const struct map *m)
{
    const int channels = vae_channels(v);

    for (int k = 0; k < channels; k++) {
        const double mean = v->mean[k], factor = deviation(v, k);
        for (int y = 0; y < g.rows; y++)
            for (int x = 0; x < g.columns; x++)
                *latent_at(m, y, x, k) =
                    (float)((double)tokens[((int64_t)y * g.columns + x) * channels + k] * factor +
                            mean);
    }
}

static void read_pixels(const struct map *m, float *pixels)
{
    const int64_t plane = (int64_t)m->rows * m->columns;

    for (int y = 0; y < m->rows; y++)
        for (int x = 0; x < m->columns; x++)
            for (int c = 0; c < 3; c++)
                pixels[c * plane + (int64_t)y * m->columns + x] =
                    ((const float *)map_at(m, y, x))[c];
}

/* ---- memory ---- */

static struct map take_latent(struct run *r, struct flux2_grid g)
{
    return take(r, HIDDEN, 2 * g.rows, 2 * g.columns, r->v->config.latent);
}

/* What all pieces took; the pieces are left as large as that. */
static int64_t count(struct run *r, struct flux2_grid g, bool inwards)
{
    struct map m;
    int64_t bytes = 0;

    // Counting cannot be cancelled.
    if (inwards) {
        (void)encode(r, NULL, g, &m);
    } else {
        m = take_latent(r, g);
        (void)decode(r, &m, &m);
    }
    for (int i = 0; i < PIECES; i++)
        bytes += r->piece[i].peak;
    return bytes;
}

int64_t vae_encode_bytes(const struct vae *v, struct flux2_grid g)
{
    return count(&(struct run){.v = v}, g, true);
}

int64_t vae_decode_bytes(const struct vae *v, struct flux2_grid g)
{
    return count(&(struct run){.v = v}, g, false);
}

/* Memory for a run, which the caller frees. */
static void *begin(struct run *r, const struct nn_run *how, struct flux2_grid g, bool inwards)
{
    unsigned char *memory = memory_new(count(r, g, inwards));
    int64_t at = 0;

    for (int i = 0; i < PIECES && memory; i++) {
        r->piece[i].base = memory + at;
        at += r->piece[i].peak;
    }
    r->how = how;
    return memory;
}

enum err vae_encode_watched(const struct vae *v, const struct nn_run *how, const float *pixels,
                            struct flux2_grid g, float *tokens, const struct vae_watch *watch)
{
    struct run r = {.v = v, .watch = watch};
    struct map latent;
    void *memory = begin(&r, how, g, true);

    if (!memory)
        return ERR_NOMEM;
    bool done = encode(&r, pixels, g, &latent);
    if (done)
        read_tokens(v, &latent, g, tokens);
    free(memory);
    return done ? ERR_OK : ERR_CANCELLED;
}

enum err vae_decode_watched(const struct vae *v, const struct nn_run *how, const float *tokens,
                            struct flux2_grid g, float *pixels, const struct vae_watch *watch)
{
    struct run r = {.v = v, .watch = watch};
    struct map out;
    void *memory = begin(&r, how, g, false);

    if (!memory)
        return ERR_NOMEM;
    struct map latent = take_latent(&r, g);
    fill_latent(v, tokens, g, &latent);
    bool done = decode(&r, &latent, &out);
    if (done)
        read_pixels(&out, pixels);
    free(memory);
    return done ? ERR_OK : ERR_CANCELLED;
}

enum err vae_encode(const struct vae *v, const struct nn_run *how, const float *pixels,
                    struct flux2_grid g, float *tokens)
{
    return vae_encode_watched(v, how, pixels, g, tokens, &(struct vae_watch){0});
}

enum err vae_decode(const struct vae *v, const struct nn_run *how, const float *tokens,
                    struct flux2_grid g, float *pixels)
{
    return vae_decode_watched(v, how, tokens, g, pixels, &(struct vae_watch){0});
}
