/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_ISA_INTERNAL_H
#define PATINA_NN_ISA_INTERNAL_H

/* For isa.c and its tests: what is known of AMX, and what follows. */

#include "nn/isa.h"

#include <stdint.h>

struct amx_facts {
    uint32_t leaf_7_edx; /* CPUID.(EAX=7, ECX=0): bits 22 BF16, 24 TILE, 25 INT8 */
    uint64_t xcr0;       /* what the kernel saves: bits 17 the configuration, 18 the tiles; 0 where
                            it lets nobody know */
    uint64_t permitted;  /* of that, to this process: ARCH_GET_XCOMP_PERM */
    bool built;
};

enum isa_lack amx_lack(const struct amx_facts *f);

#endif
