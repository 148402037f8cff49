/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_ISA_FIXTURE_H
#define PATINA_TESTS_ISA_FIXTURE_H

#include "nn/isa.h"

/* The first path that tests look at: where AMX's instructions are caught (support/tile_trap.h),
 * that one alone is what a test is run for a second time. */
#ifdef NN_TILE_TRAP
enum { FIXTURE_ISA_FIRST = ISA_AMX };
#else
enum { FIXTURE_ISA_FIRST = ISA_PLAIN };
#endif

#endif
