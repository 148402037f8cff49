/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_CONV_H
#define PATINA_NN_CONV_H

#include "nn/matrix.h"
#include "nn/pack.h"
#include "nn/run.h"

/*
 * Convolutions over pictures whose pixels hold their channels side by side, and what stands between
 * them in an autoencoder.
 *
 * A feature map has a border of one pixel all around, of zeros: a 3 x 3 kernel is nine matrix
 * products over the same memory, each shifted by a pixel, and needs no copy (the weights are packed
 * tap by tap for that; nn/pack.h).
 */
struct map {
    enum dtype dtype; /* DTYPE_F32 or DTYPE_BF16 */
    int rows, columns, channels;
    int64_t stride; /* elements from pixel to pixel: channels, padded as a matrix's row */
    void *data;     /* of pixel (-1, -1); (rows + 2) (columns + 2) pixels */
};

struct map workspace_map(struct workspace *w, enum dtype t, int rows, int columns, int channels);

/* Pixel (y, x), from -1 to rows and columns; the first of its channels. */
void *map_at(const struct map *m, int y, int x);

/* Writes zeros around it: before memory that held something else is used as a map. */
void map_clear_border(const struct map *m);

/*
 * w is a PACKED_MATRIX of rank 4, [out, in, 1, 1] or [out, in, 3, 3], of x's element type.
 * stride 1: of the same size, a 3 x 3 kernel centred on its pixel. stride 2 (3 x 3 alone): half the
 * size, the kernel beginning at pixel (2y, 2x), so that only the right and the bottom see the
 * border. bias [out] or NULL. y is F32 or BF16; when `add`, F32, and the result is added to it.
 * False: cancelled.
 */
bool nn_conv(const struct nn_run *run, const struct map *x, const struct packed_tensor *w,
             const float *bias, int stride, bool add, struct map *y);

/* GroupNorm (Wu & He 2018) over groups of neighbouring channels and the whole map, statistics in
 * f64, with weight and bias [channels]; then SiLU when asked. At most 256 groups. x is F32, y F32
 * or BF16 and may be x. */
bool nn_groupnorm(const struct nn_run *run, const struct map *x, int groups, const float *weight,
                  const float *bias, float eps, bool silu, struct map *y);

/* Each pixel twice in both directions. x is F32; y (F32 or BF16) has twice its sides. */
bool nn_upsample(const struct nn_run *run, const struct map *x, struct map *y);

/* The same numbers in y's element type; x is F32. */
bool nn_map_convert(const struct nn_run *run, const struct map *x, struct map *y);

#endif
