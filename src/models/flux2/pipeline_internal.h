/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_PIPELINE_INTERNAL_H
#define PATINA_MODELS_FLUX2_PIPELINE_INTERNAL_H

/* For pipeline*.c alone. */

#include "models/flux2/config.h"
#include "models/flux2/pipeline.h"
#include "models/flux2/prompts.h"
#include "models/flux2/transformer.h"
#include "models/flux2/vae.h"
#include "nn/pack.h"

struct pipeline {
    const struct packed *packed;
    struct tokenizer *tokenizer;
    struct text_encoder *text;
    struct transformer *transformer;
    struct vae *vae;
    struct flux2_text_config text_config;
    struct flux2_vae_config vae_config;
    struct packed_tensor block; /* a matrix like most: what rate and precision are told by */
    bool distilled;
    struct prompts prompts;
};

struct transformer_shape pipeline_step_shape(const struct pipeline_shape *s, int batch);

#endif
