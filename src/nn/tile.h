/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_TILE_H
#define PATINA_NN_TILE_H

/*
 * For this folder alone: the tile registers of AMX and what is done with them (Intel 64 and IA-32
 * Architectures Software Developer's Manual, volume 1, chapter "Programming with Intel AMX").
 *
 * Eight registers of up to 16 rows of 64 bytes each. C += A B, where a row of A holds groups of
 * four bytes (two bf16 or four int8), row g of B the groups g of 16 outputs side by side, and a row
 * of C 16 sums of f32 or i32: a kilobyte of a packed panel (nn/pack.h) is a B as it lies. Tiles are
 * a thread's own; a processor faults where their sizes do not fit together.
 *
 * The instructions are written out, because gcc 12's intrinsics do not tell the compiler which
 * memory they read and write. On a processor without AMX, tests catch them and do what the manual
 * says (tests/support/tile_trap.h).
 */

#include <stddef.h>
#include <stdint.h>

enum { TILE_ROWS = 16, TILE_ROW_BYTES = 64, TILE_BYTES = TILE_ROWS * TILE_ROW_BYTES };

/* What ldtilecfg reads. */
struct tile_config {
    uint8_t palette, start_row, zero[14];
    uint16_t row_bytes[16]; /* of tiles 0..7; the others are zero, as of tiles that are not used */
    uint8_t rows[16];
};

_Static_assert(sizeof(struct tile_config) == 64, "the layout is the processor's");

/* How the registers are used here: two rows of two sums each, two A beside and two B above them
 * (four products want four loads; the optimization manual's chapter on AMX has no better shape). */
enum tile { TILE_C00, TILE_C01, TILE_C10, TILE_C11, TILE_A0, TILE_A1, TILE_B0, TILE_B1 };

/* For `rows` rows (1..2 TILE_ROWS) of A, and as many of C; up to TILE_ROWS leave C1x and A1 out. */
static inline struct tile_config tile_config_of(int rows)
{
    struct tile_config c = {.palette = 1};
    const int upper = rows < TILE_ROWS ? rows : TILE_ROWS, lower = rows - upper;

    c.rows[TILE_C00] = c.rows[TILE_C01] = c.rows[TILE_A0] = (uint8_t)upper;
    c.rows[TILE_C10] = c.rows[TILE_C11] = c.rows[TILE_A1] = (uint8_t)lower;
    c.rows[TILE_B0] = c.rows[TILE_B1] = TILE_ROWS;
    for (int i = 0; i <= TILE_B1; i++)
        c.row_bytes[i] = c.rows[i] ? TILE_ROW_BYTES : 0;
    return c;
}

#define TILE_TARGET "amx-tile,amx-bf16,amx-int8,"

/* Sizes of this thread's tiles, which are zero from now on. */
#define tile_configure(config) __asm__ volatile("ldtilecfg %0" : : "m"(*(config)))

/* Gives them back: until then the kernel saves 8 KB more at every change of threads. */
#define tile_release() __asm__ volatile("tilerelease")

/* Tiles' names are constants; rows are `stride` bytes apart. */
#define tile_zero(t) __asm__ volatile("tilezero %%tmm%c0" : : "i"(t))

#define tile_load(t, from, stride)                                                 \
    __asm__ volatile("tileloadd (%1,%2,1), %%tmm%c0"                               \
                     :                                                             \
                     : "i"(t), "r"((const void *)(from)), "r"((ptrdiff_t)(stride)) \
                     : "memory")

/* Of what is not read again soon: leaves the first cache to others. */
#define tile_load_once(t, from, stride)                                            \
    __asm__ volatile("tileloaddt1 (%1,%2,1), %%tmm%c0"                             \
                     :                                                             \
                     : "i"(t), "r"((const void *)(from)), "r"((ptrdiff_t)(stride)) \
                     : "memory")

#define tile_store(t, to, stride)                                          \
    __asm__ volatile("tilestored %%tmm%c0, (%1,%2,1)"                      \
                     :                                                     \
                     : "i"(t), "r"((void *)(to)), "r"((ptrdiff_t)(stride)) \
                     : "memory")

/* c += a b */
#define tile_bf16(c, a, b) \
    __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(c), "i"(a), "i"(b))
#define tile_i8(c, a, b) \
    __asm__ volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(c), "i"(a), "i"(b))

#endif
