/* SPDX-License-Identifier: MIT */
#include "models/flux2/part.h"
#include "models/flux2/vae_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME_BYTES = 96 };

/* Its matrices are all of one type: maps between them have no other. */
static void take_type(struct part *p, struct vae *v, const struct packed_tensor *t)
{
    if (p->e != ERR_OK)
        return;
    if (t->dtype != DTYPE_F32 && t->dtype != DTYPE_BF16)
        p->e = err_set(p->note, ERR_UNSUPPORTED, "vae: matrices of %s", dtype_name(t->dtype));
    else if (t->dtype != v->encoder.in.w.dtype)
        p->e = err_set(p->note, ERR_UNSUPPORTED, "vae: matrices of %s and of %s",
                       dtype_name(t->dtype), dtype_name(v->encoder.in.w.dtype));
    v->dtype = t->dtype;
}

static struct vae_norm take_norm(struct part *p, int width, const char *name)
{
    return (struct vae_norm){part_vector(p, width, "%s.weight", name),
                             part_vector(p, width, "%s.bias", name)};
}

static void take_conv(struct part *p, struct vae *v, int out, int in, int side, const char *name,
                      struct vae_conv *c)
{
    c->w = part_kernel(p, out, in, side, "%s.weight", name);
    c->bias = part_vector(p, out, "%s.bias", name);
    take_type(p, v, &c->w);
}

static void take_linear(struct part *p, struct vae *v, int width, const char *name,
                        struct vae_linear *l)
{
    l->w = part_matrix(p, width, width, "%s.weight", name);
    l->bias = part_vector(p, width, "%s.bias", name);
    take_type(p, v, &l->w);
}

static void take_resnet(struct part *p, struct vae *v, int in, int out, const char *name,
                        struct vae_resnet *r)
{
    char full[NAME_BYTES];

#define NAMED(what) (snprintf(full, sizeof(full), "%s." what, name), full)
    r->norm1 = take_norm(p, in, NAMED("norm1"));
    take_conv(p, v, out, in, 3, NAMED("conv1"), &r->conv1);
    r->norm2 = take_norm(p, out, NAMED("norm2"));
    take_conv(p, v, out, out, 3, NAMED("conv2"), &r->conv2);
    if (in != out)
        take_conv(p, v, out, in, 1, NAMED("conv_shortcut"), &r->shortcut);
#undef NAMED
}

static void take_middle(struct part *p, struct vae *v, int width, const char *name,
                        struct vae_half *h)
{
    char full[NAME_BYTES];

#define NAMED(what) (snprintf(full, sizeof(full), "%s.mid_block." what, name), full)
    take_resnet(p, v, width, width, NAMED("resnets.0"), &h->middle.before);
    h->middle.norm = take_norm(p, width, NAMED("attentions.0.group_norm"));
    take_linear(p, v, width, NAMED("attentions.0.to_q"), &h->middle.q);
    take_linear(p, v, width, NAMED("attentions.0.to_k"), &h->middle.k);
    take_linear(p, v, width, NAMED("attentions.0.to_v"), &h->middle.v);
    take_linear(p, v, width, NAMED("attentions.0.to_out.0"), &h->middle.out);
    take_resnet(p, v, width, width, NAMED("resnets.1"), &h->middle.after);
#undef NAMED
}

static void take_levels(struct part *p, struct vae *v, bool inwards, struct vae_half *h)
{
    const int *width = inwards ? v->config.encoder : v->config.decoder;
    const char *blocks = inwards ? "encoder.down_blocks" : "decoder.up_blocks";
    const char *sampler = inwards ? "downsamplers" : "upsamplers";
    int in = inwards ? width[0] : width[FLUX2_LEVELS - 1];
    char name[NAME_BYTES];

    for (int i = 0; i < FLUX2_LEVELS; i++) {
        int out = inwards ? width[i] : width[FLUX2_LEVELS - 1 - i];
        h->level[i].width = out;
        h->level[i].resnets = v->config.resnets + !inwards;
        for (int k = 0; k < h->level[i].resnets; k++) {
            snprintf(name, sizeof(name), "%s.%d.resnets.%d", blocks, i, k);
            take_resnet(p, v, in, out, name, &h->level[i].resnet[k]);
            in = out;
        }
        snprintf(name, sizeof(name), "%s.%d.%s.0.conv", blocks, i, sampler);
        if (i < FLUX2_LEVELS - 1)
            take_conv(p, v, out, out, 3, name, &h->level[i].sampler);
    }
}

static void take_all(struct part *p, struct vae *v)
{
    const struct flux2_vae_config *c = &v->config;
    const int inmost = c->encoder[FLUX2_LEVELS - 1], outmost = c->decoder[FLUX2_LEVELS - 1];

    take_conv(p, v, c->encoder[0], 3, 3, "encoder.conv_in", &v->encoder.in);
    take_levels(p, v, true, &v->encoder);
    take_middle(p, v, inmost, "encoder", &v->encoder);
    v->encoder.norm_out = take_norm(p, inmost, "encoder.conv_norm_out");
    take_conv(p, v, 2 * c->latent, inmost, 3, "encoder.conv_out", &v->encoder.out);
    take_conv(p, v, 2 * c->latent, 2 * c->latent, 1, "quant_conv", &v->quant);
    take_conv(p, v, c->latent, c->latent, 1, "post_quant_conv", &v->post_quant);
    take_conv(p, v, outmost, c->latent, 3, "decoder.conv_in", &v->decoder.in);
    take_middle(p, v, outmost, "decoder", &v->decoder);
    take_levels(p, v, false, &v->decoder);
    v->decoder.norm_out = take_norm(p, c->decoder[0], "decoder.conv_norm_out");
    take_conv(p, v, 3, c->decoder[0], 3, "decoder.conv_out", &v->decoder.out);
    v->mean = part_vector(p, vae_channels(v), "bn.running_mean");
    v->var = part_vector(p, vae_channels(v), "bn.running_var");
    // Outputs are the mean, then the logarithm of the variance, which nobody reads.
    if (p->e == ERR_OK)
        v->quant.w = packed_outputs(&v->quant.w, 0, c->latent);
}

enum err vae_open(const struct packed *packed, struct vae **out, struct err_note *note)
{
    struct part p = {.packed = packed, .name = "vae", .note = note};
    struct vae *v = calloc(1, sizeof(*v));
    size_t len;

    if (!v)
        return err_set(note, ERR_NOMEM, "no memory for the autoencoder");
    const char *json = part_config(&p, &len);
    if (json)
        p.e = flux2_vae_config(json, len, &v->config, note);
    if (p.e == ERR_OK)
        take_all(&p, v);
    if (p.e == ERR_OK)
        *out = v;
    else
        vae_close(v);
    return p.e;
}

void vae_close(struct vae *v)
{
    free(v);
}

int vae_channels(const struct vae *v)
{
    return 4 * v->config.latent;
}
