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
    ISA_AVX2,       /* and FMA */
    ISA_AVX512,     /* F, BW, VL, DQ */
    ISA_AVX512BF16, /* and BF16, VNNI */
    ISA_AMX         /* and AMX-TILE, AMX-BF16, AMX-INT8 */
};

enum { ISA_COUNT = ISA_AMX + 1 };

const char *isa_name(enum isa i); /* "plain" "avx2" "avx512" "avx512bf16" "amx" */
bool isa_of_name(const char *name, enum isa *out);

/* Why a path cannot run here. */
enum isa_lack {
    ISA_LACKS_NOTHING,
    ISA_LACKS_PROCESSOR, /* it has not all of the instructions */
    ISA_LACKS_BUILD,     /* it has them; the compiler of this program had not */
    ISA_LACKS_KERNEL     /* the operating system does not save the registers, or not for this
                            process: for AMX it must be asked, isa_ask_for_amx() */
};

/* In this process, now. With ISA_AMX this makes a system call. */
enum isa_lack isa_lack(enum isa i);

/* What a path of that lack is called in a message: "this processor cannot run it", "this build has
 * no kernels for it", "the operating system refuses its registers", "usable". */
const char *isa_lack_text(enum isa_lack lack);

bool isa_usable(enum isa i); /* lacks nothing */

/* The best usable one. */
enum isa isa_best(void);

/* Asks the kernel for the tile registers (arch_prctl ARCH_REQ_XCOMP_PERM). Once in a process,
 * before its threads and its system-call filter; lost at exec. False: there are none. */
bool isa_ask_for_amx(void);

#endif
