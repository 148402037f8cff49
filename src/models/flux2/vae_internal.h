/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_VAE_INTERNAL_H
#define PATINA_MODELS_FLUX2_VAE_INTERNAL_H

#include "models/flux2/config.h"
#include "models/flux2/vae.h"
#include "nn/conv.h"

/* For this folder and its tests: the autoencoder's weights, which vae.c takes from a packed model
 * and vae_run.c puts to work, and what flows between its layers. */

enum { VAE_RESNETS_MAX = 17 }; /* what config.h allows, and one coming out */

struct vae_conv {
    struct packed_tensor w; /* [out, in, 1, 1] or [out, in, 3, 3] */
    const float *bias;      /* [out] */
};

struct vae_norm {
    const float *weight, *bias; /* [channels] */
};

struct vae_resnet {
    struct vae_norm norm1, norm2;
    struct vae_conv conv1, conv2; /* 3 x 3 */
    struct vae_conv shortcut;     /* 1 x 1; no rank where the width stays */
};

struct vae_linear {
    struct packed_tensor w; /* [width, width] */
    const float *bias;
};

/* One direction. Levels in the order they are run in: from pixels inwards, or outwards. */
struct vae_half {
    struct vae_conv in, out; /* 3 x 3 */
    struct vae_norm norm_out;
    struct {
        int width, resnets;
        struct vae_resnet resnet[VAE_RESNETS_MAX];
        struct vae_conv sampler; /* 3 x 3, at the level's end; not the last's */
    } level[FLUX2_LEVELS];
    struct {
        struct vae_resnet before, after;
        struct vae_norm norm;
        struct vae_linear q, k, v, out;
    } middle;
};

struct vae {
    struct flux2_vae_config config;
    enum dtype dtype; /* of all its matrices: F32 or BF16 */
    struct vae_half encoder, decoder;
    struct vae_conv quant, post_quant; /* 1 x 1; of quant the mean's outputs alone */
    const float *mean, *var;           /* [channels of a token] */
};

/*
 * Hears of the map behind each layer: "conv_in", "level" (its index, in the order they are run),
 * "attention", "middle"; going in "conv_out" and "quant", coming out "post_quant".
 */
struct vae_watch {
    void (*fn)(void *ctx, const char *name, int index, const struct map *m); /* NULL: nobody */
    void *ctx;
};

enum err vae_encode_watched(const struct vae *v, const struct nn_run *how, const float *pixels,
                            struct flux2_grid g, float *tokens, const struct vae_watch *watch);
enum err vae_decode_watched(const struct vae *v, const struct nn_run *how, const float *tokens,
                            struct flux2_grid g, float *pixels, const struct vae_watch *watch);

#endif
