/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_PACK_H
#define PATINA_MODELS_FLUX2_PACK_H

#include "nn/pack.h"

/*
 * From a folder in the published layout (checked as by flux2_check()) to one packed model: every
 * tensor that layout.h promises, and as texts "model_index.json", the parts' configurations
 * "PART/config.json", and "tokenizer/tokenizer.json".
 */
enum flux2_precision {
    FLUX2_F32,  /* for comparison with a reference: as exact as f32 is */
    FLUX2_BF16, /* as published */
    FLUX2_INT8  /* the blocks' matrices of transformer and text encoder; what is small and what
                   every token passes once (embedders, modulations, the final layer) and the
                   autoencoder stay bf16 */
};

const char *flux2_precision_name(enum flux2_precision p); /* "f32" "bf16" "int8" */
bool flux2_precision_of_name(const char *name, enum flux2_precision *out);

/* path NULL: in memory, *out is the open model; otherwise out may be NULL. `done` (may be NULL)
 * hears of the share 0..1 and may stop it. Errors as flux2_check()'s first finding and those of
 * packing. */
MUST_USE enum err flux2_pack(const char *dir, enum flux2_precision precision, const char *path,
                             packed_progress_fn *done, void *done_ctx, struct packed **out,
                             struct err_note *note);

#endif
