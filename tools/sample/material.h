/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_MATERIAL_H
#define PATINA_SAMPLE_MATERIAL_H

#include "mesh.h"

/* What the things of the still life are made of. Textures are functions of the local point. */
enum material {
    MAT_WALL,
    MAT_TABLE,
    MAT_CLOTH,
    MAT_BOWL,
    MAT_JUG,
    MAT_BOTTLE,
    MAT_WINE,
    MAT_FOIL,
    MAT_APPLE_RED,
    MAT_APPLE_GREEN,
    MAT_PEAR,
    MAT_ORANGE,
    MAT_LEMON,
    MAT_LEMON_CUT,
    MAT_GRAPE,
    MAT_CHERRY,
    MAT_STEM,
    MAT_LEAF,
    MAT_WALNUT,
    MAT_BRASS,
    MAT_CANDLE
};

/* A surface where a ray met it: diffuse under a clear coat; metals have no diffuse part. */
struct surface {
    struct vec colour;
    struct vec mirror;  /* reflection straight on: .04 for most coats, 0 for none */
    float rough;        /* of the reflection, 0..1 */
    struct vec through; /* light that passes straight through, 0 for opaque */
    struct vec normal;  /* with bumps */
};

void material_at(const struct hit *hit, struct surface *out);

#endif
