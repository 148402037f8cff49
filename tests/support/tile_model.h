/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_TILE_MODEL_H
#define PATINA_TESTS_TILE_MODEL_H

/*
 * The instructions of nn/tile.h in C, as the Software Developer's Manual describes them: what they
 * do with rows and bytes beyond a tile's size, and TDPBF16PS to the bit (denormals are zero going
 * in and coming out, sums of even and odd products apart, to nearest even). Where a processor would
 * fault, and where a tile is used that no kernel means to use, it says why and aborts.
 */

/* Threads that hold tiles: configured and not released. */
int tile_model_holders(void);

#endif
