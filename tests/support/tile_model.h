/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_TILE_MODEL_H
#define PATINA_TESTS_TILE_MODEL_H

/*
 * The instructions of nn/tile.h in C, as the Software Developer's Manual describes them: what they
 * do with rows and bytes beyond a tile's size, and TDPBF16PS to the bit (denormals are zero going
 * in and coming out, sums of even and odd products apart, to nearest even). Where a processor would
 * fault, and where a tile is used that no kernel means to use, it says why and aborts.
 *
 * Tiles are the calling thread's.
 */

#include "nn/tile.h"

void tile_model_configure(const struct tile_config *c);
void tile_model_release(void);
void tile_model_zero(int t);
void tile_model_load(int t, const void *from, ptrdiff_t stride);
void tile_model_store(int t, void *to, ptrdiff_t stride);
void tile_model_bf16(int c, int a, int b);
void tile_model_i8(int c, int a, int b);

/* Threads that hold tiles: configured and not released. */
int tile_model_holders(void);

#endif
