/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_WEIGHTS_H
#define PATINA_NN_WEIGHTS_H

#include "nn/tensor.h"

/*
 * The tensors of one part of a published model (`transformer/`, `text_encoder/`, `vae/`): a single
 * file (`model.safetensors` or `diffusion_pytorch_model.safetensors`) or shards named by
 * `<that>.index.json`, whose `weight_map` is checked against what the shards hold, in both
 * directions. A single file wins over an index. Any thread may read.
 */
enum { WEIGHTS_SHARDS_MAX = 64 }; /* the published models have one or two */

struct weights;

/* ERR_NOT_FOUND when there is none of these files; ERR_INVALID also for a shard that is missing;
 * otherwise as safetensors_open(). */
MUST_USE enum err weights_open(const char *dir, struct weights **out, struct err_note *note);
void weights_close(struct weights *w); /* NULL is fine */

/* Views live as long as `w`. */
bool weights_find(const struct weights *w, const char *name, struct tensor_view *out);

/* The i-th, shard by shard and by name in each; NULL past the last. */
const char *weights_at(const struct weights *w, int i, struct tensor_view *out);

/*
 * The tensor that must be there, of a floating type and of this shape; a side of 0 in `shape` takes
 * any and is set to what the file says. ERR_INVALID with name, wanted and found shape; then `shape`
 * and *out are as they were.
 */
MUST_USE enum err weights_get(const struct weights *w, const char *name, int rank, int64_t *shape,
                              struct tensor_view *out, struct err_note *note);

#endif
