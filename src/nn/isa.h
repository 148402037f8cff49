/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_ISA_H
#define PATINA_NN_ISA_H

#include <stdbool.h>

/*
 * Which kernels run. Each path has every operator; results of different paths differ in rounding,
 * which is why `detail.engine` names the path. A path is usable when processor and kernel allow all
 * of it.
 */
enum isa {
    ISA_PLAIN,      /* portable C: the one that sanitizers run */
    ISA_AVX2,       /* and FMA, F16C */
    ISA_AVX512,     /* F, BW, VL, DQ */
    ISA_AVX512BF16, /* and BF16, VNNI */
    ISA_AMX         /* and AMX-TILE, AMX-BF16, AMX-INT8 */
};

enum { ISA_COUNT = ISA_AMX + 1 };

const char *isa_name(enum isa i); /* "plain" "avx2" "avx512" "avx512bf16" "amx" */
bool isa_of_name(const char *name, enum isa *out);

/* Of this processor. For AMX also whether this process has been given its tiles: see
 * isa_ask_for_amx(). */
bool isa_usable(enum isa i);

/* The best usable one. */
enum isa isa_best(void);

/* Asks the kernel for the tile registers (arch_prctl ARCH_REQ_XCOMP_PERM). Once in a process,
 * before its threads and its system-call filter; lost at exec. False: there are none. */
bool isa_ask_for_amx(void);

#endif
