/* SPDX-License-Identifier: MIT */
#include "nn/isa.h"

#include <string.h>

#if defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

static const char *const NAME[ISA_COUNT] = {"plain", "avx2", "avx512", "avx512bf16", "amx"};

const char *isa_name(enum isa i)
{
    return NAME[i];
}

bool isa_of_name(const char *name, enum isa *out)
{
    for (int i = 0; i < ISA_COUNT; i++)
        if (strcmp(NAME[i], name) == 0) {
            *out = (enum isa)i;
            return true;
        }
    return false;
}

#if defined(__x86_64__)

/* The compiler's own look at CPUID, which counts a register as there only where the kernel saves it
 * (XCR0). */
bool isa_usable(enum isa i)
{
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");

    switch (i) {
    case ISA_PLAIN:
        return true;
    case ISA_AVX2:
        return avx2;
    case ISA_AVX512:
        return avx512;
    case ISA_AVX512BF16:
        return avx512 && __builtin_cpu_supports("avx512bf16") &&
               __builtin_cpu_supports("avx512vnni");
    case ISA_AMX:
        return false; // this build has no operators for it
    }
    return false;
}

bool isa_ask_for_amx(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };

    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

#else

bool isa_usable(enum isa i)
{
    return i == ISA_PLAIN;
}

bool isa_ask_for_amx(void)
{
    return false;
}

#endif

enum isa isa_best(void)
{
    enum isa best = ISA_PLAIN;

    for (int i = 0; i < ISA_COUNT; i++)
        if (isa_usable((enum isa)i))
            best = (enum isa)i;
    return best;
}
