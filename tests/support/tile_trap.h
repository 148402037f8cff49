/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_TILE_TRAP_H
#define PATINA_TESTS_TILE_TRAP_H

/*
 * Runs AMX's kernels, byte for byte as they are built, on processors without AMX: a program that is
 * linked with tile_trap.c catches the signal of an instruction that the processor does not know,
 * reads which of nn/tile.h it is, and lets tile_model.h do it. On a processor with AMX nothing is
 * caught, and the same tests hold the processor against what they expect.
 *
 * The program is linked with --wrap=isa_usable,--wrap=isa_best: a test that asks for ISA_AMX has
 * its instructions caught, and is told that it is usable, and the best, where the AVX-512 that goes
 * with it is there.
 */

#include <stdbool.h>

/* From now on until the test ends (cmocka has a handler of its own for each). False: the processor
 * knows them. */
bool tile_trap_set(void);

#endif
