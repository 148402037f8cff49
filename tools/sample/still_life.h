/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_STILL_LIFE_H
#define PATINA_SAMPLE_STILL_LIFE_H

#include "scene.h"

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

void still_life_surface(const struct hit *hit, struct surface *out);

#endif
