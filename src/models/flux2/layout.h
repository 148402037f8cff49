/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_LAYOUT_H
#define PATINA_MODELS_FLUX2_LAYOUT_H

#include "models/flux2/config.h"
#include "nn/pack.h"

/*
 * The tensors that a part's configuration promises, by their published names: what a folder is
 * checked against, and what is packed. Those that nobody reads (the text encoder's layers behind
 * the last tap, its final norm and head) are not among them.
 */
struct layout_tensor {
    const char *name; /* until the call returns */
    int rank;         /* 1: norms and biases; 2: matrices [out, in]; 4: kernels [out, in, y, x] */
    int64_t shape[4];
    bool rows; /* a table whose rows are looked up, no matrix */
};

/* How it is packed. */
static inline enum packed_kind layout_kind(const struct layout_tensor *t)
{
    return t->rank == 1 ? PACKED_PLAIN : t->rows ? PACKED_ROWS : PACKED_MATRIX;
}

/* Anything but ERR_OK ends the list and is its result. */
typedef enum err layout_fn(void *ctx, const struct layout_tensor *t);

enum err layout_transformer(const struct flux2_transformer_config *c, layout_fn *fn, void *ctx);
enum err layout_text(const struct flux2_text_config *c, layout_fn *fn, void *ctx);
enum err layout_vae(const struct flux2_vae_config *c, layout_fn *fn, void *ctx);

#endif
