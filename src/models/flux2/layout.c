/* SPDX-License-Identifier: MIT */
#include "models/flux2/layout.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum { NAME_BYTES = 128 }; /* the longest has 66 */

struct list {
    layout_fn *fn;
    void *ctx;
    enum err e;
    char prefix[NAME_BYTES]; /* of the names that follow */
};

static void PRINTF_LIKE(2, 3) within(struct list *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(l->prefix, sizeof(l->prefix), fmt, ap);
    va_end(ap);
    assert(n >= 0 && n < NAME_BYTES / 2);
}

static void add(struct list *l, const char *name, int rank, const int64_t shape[4], bool rows)
{
    char full[NAME_BYTES];
    struct layout_tensor t = {.name = full, .rank = rank, .rows = rows};

    if (l->e != ERR_OK)
        return;
    int n = snprintf(full, sizeof(full), "%s%s", l->prefix, name);
    assert(n > 0 && n < NAME_BYTES);
    for (int i = 0; i < rank; i++)
        t.shape[i] = shape[i];
    l->e = l->fn(l->ctx, &t);
}

static void vector(struct list *l, const char *name, int width)
{
    add(l, name, 1, (int64_t[4]){width}, false);
}

static void matrix(struct list *l, const char *name, int out, int in)
{
    add(l, name, 2, (int64_t[4]){out, in}, false);
}

static void double_block(struct list *l, const struct flux2_transformer_config *c, int i)
{
    static const char *const PROJECTION[] = {
        "to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"};
    static const char *const NORM[] = {"norm_q", "norm_k", "norm_added_q", "norm_added_k"};
    static const char *const MLP[] = {"ff", "ff_context"};

    for (size_t k = 0; k < sizeof(PROJECTION) / sizeof(PROJECTION[0]); k++) {
        within(l, "transformer_blocks.%d.attn.%s.", i, PROJECTION[k]);
        matrix(l, "weight", c->hidden, c->hidden);
    }
    for (size_t k = 0; k < sizeof(NORM) / sizeof(NORM[0]); k++) {
        within(l, "transformer_blocks.%d.attn.%s.", i, NORM[k]);
        vector(l, "weight", c->head);
    }
    for (size_t k = 0; k < sizeof(MLP) / sizeof(MLP[0]); k++) {
        within(l, "transformer_blocks.%d.%s.", i, MLP[k]);
        matrix(l, "linear_in.weight", 2 * c->mlp, c->hidden);
        matrix(l, "linear_out.weight", c->hidden, c->mlp);
    }
}

enum err layout_transformer(const struct flux2_transformer_config *c, layout_fn *fn, void *ctx)
{
    struct list l = {.fn = fn, .ctx = ctx};

    matrix(&l, "x_embedder.weight", c->hidden, c->channels);
    matrix(&l, "context_embedder.weight", c->hidden, c->text_width);
    within(&l, "time_guidance_embed.timestep_embedder.");
    matrix(&l, "linear_1.weight", c->hidden, c->time_channels);
    matrix(&l, "linear_2.weight", c->hidden, c->hidden);
    within(&l, "%s", "");
    matrix(&l, "double_stream_modulation_img.linear.weight", 6 * c->hidden, c->hidden);
    matrix(&l, "double_stream_modulation_txt.linear.weight", 6 * c->hidden, c->hidden);
    matrix(&l, "single_stream_modulation.linear.weight", 3 * c->hidden, c->hidden);
    for (int i = 0; i < c->doubles; i++)
        double_block(&l, c, i);
    for (int i = 0; i < c->singles; i++) {
        within(&l, "single_transformer_blocks.%d.attn.", i);
        matrix(&l, "to_qkv_mlp_proj.weight", 3 * c->hidden + 2 * c->mlp, c->hidden);
        matrix(&l, "to_out.weight", c->hidden, c->hidden + c->mlp);
        vector(&l, "norm_q.weight", c->head);
        vector(&l, "norm_k.weight", c->head);
    }
    within(&l, "%s", "");
    matrix(&l, "norm_out.linear.weight", 2 * c->hidden, c->hidden);
    matrix(&l, "proj_out.weight", c->channels, c->hidden);
    return l.e;
}

enum err layout_text(const struct flux2_text_config *c, layout_fn *fn, void *ctx)
{
    struct list l = {.fn = fn, .ctx = ctx};

    add(&l, "model.embed_tokens.weight", 2, (int64_t[4]){c->vocabulary, c->hidden}, true);
    for (int i = 0; i < c->tap[FLUX2_TAPS - 1]; i++) {
        within(&l, "model.layers.%d.", i);
        vector(&l, "input_layernorm.weight", c->hidden);
        matrix(&l, "self_attn.q_proj.weight", c->heads * c->head, c->hidden);
        matrix(&l, "self_attn.k_proj.weight", c->key_heads * c->head, c->hidden);
        matrix(&l, "self_attn.v_proj.weight", c->key_heads * c->head, c->hidden);
        matrix(&l, "self_attn.o_proj.weight", c->hidden, c->heads * c->head);
        vector(&l, "self_attn.q_norm.weight", c->head);
        vector(&l, "self_attn.k_norm.weight", c->head);
        vector(&l, "post_attention_layernorm.weight", c->hidden);
        matrix(&l, "mlp.gate_proj.weight", c->mlp, c->hidden);
        matrix(&l, "mlp.up_proj.weight", c->mlp, c->hidden);
        matrix(&l, "mlp.down_proj.weight", c->hidden, c->mlp);
    }
    return l.e;
}

// Norms and convolutions of the autoencoder have a weight and a bias each.
static void norm(struct list *l, const char *name, int width)
{
    char full[NAME_BYTES / 2];

    snprintf(full, sizeof(full), "%s.weight", name);
    vector(l, full, width);
    snprintf(full, sizeof(full), "%s.bias", name);
    vector(l, full, width);
}

static void conv(struct list *l, const char *name, int out, int in, int side)
{
    char full[NAME_BYTES / 2];

    snprintf(full, sizeof(full), "%s.weight", name);
    add(l, full, 4, (int64_t[4]){out, in, side, side}, false);
    snprintf(full, sizeof(full), "%s.bias", name);
    vector(l, full, out);
}

static void resnet(struct list *l, int in, int out)
{
    norm(l, "norm1", in);
    conv(l, "conv1", out, in, 3);
    norm(l, "norm2", out);
    conv(l, "conv2", out, out, 3);
    if (in != out)
        conv(l, "conv_shortcut", out, in, 1);
}

static void middle(struct list *l, const char *half, int width)
{
    static const char *const PROJECTION[] = {"to_q", "to_k", "to_v", "to_out.0"};

    for (int i = 0; i < 2; i++) {
        within(l, "%s.mid_block.resnets.%d.", half, i);
        resnet(l, width, width);
    }
    within(l, "%s.mid_block.attentions.0.", half);
    norm(l, "group_norm", width);
    for (size_t i = 0; i < sizeof(PROJECTION) / sizeof(PROJECTION[0]); i++) {
        within(l, "%s.mid_block.attentions.0.%s.", half, PROJECTION[i]);
        matrix(l, "weight", width, width);
        vector(l, "bias", width);
    }
}

static void levels(struct list *l, const struct flux2_vae_config *c, bool inwards)
{
    const char *half = inwards ? "encoder.down" : "decoder.up";
    const int *width = inwards ? c->encoder : c->decoder;
    int in = inwards ? width[0] : width[FLUX2_LEVELS - 1];

    for (int i = 0; i < FLUX2_LEVELS; i++) {
        int out = inwards ? width[i] : width[FLUX2_LEVELS - 1 - i];
        for (int k = 0; k < c->resnets + !inwards; k++) {
            within(l, "%s_blocks.%d.resnets.%d.", half, i, k);
            resnet(l, in, out);
            in = out;
        }
        within(l, "%s_blocks.%d.", half, i);
        if (i < FLUX2_LEVELS - 1)
            conv(l, inwards ? "downsamplers.0.conv" : "upsamplers.0.conv", out, out, 3);
    }
}

enum err layout_vae(const struct flux2_vae_config *c, layout_fn *fn, void *ctx)
{
    struct list l = {.fn = fn, .ctx = ctx};
    int inmost = c->encoder[FLUX2_LEVELS - 1];

    conv(&l, "encoder.conv_in", c->encoder[0], 3, 3);
    levels(&l, c, true);
    middle(&l, "encoder", inmost);
    within(&l, "%s", "");
    norm(&l, "encoder.conv_norm_out", inmost);
    conv(&l, "encoder.conv_out", 2 * c->latent, inmost, 3);
    conv(&l, "quant_conv", 2 * c->latent, 2 * c->latent, 1);
    conv(&l, "post_quant_conv", c->latent, c->latent, 1);
    conv(&l, "decoder.conv_in", c->decoder[FLUX2_LEVELS - 1], c->latent, 3);
    middle(&l, "decoder", c->decoder[FLUX2_LEVELS - 1]);
    levels(&l, c, false);
    within(&l, "%s", "");
    norm(&l, "decoder.conv_norm_out", c->decoder[0]);
    conv(&l, "decoder.conv_out", 3, c->decoder[0], 3);
    vector(&l, "bn.running_mean", 4 * c->latent);
    vector(&l, "bn.running_var", 4 * c->latent);
    return l.e;
}
