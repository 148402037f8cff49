/* SPDX-License-Identifier: MIT */
#include "nn/isa_internal.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
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

const char *isa_lack_text(enum isa_lack lack)
{
    static const char *const TEXT[] = {
        [ISA_LACKS_NOTHING] = "usable",
        [ISA_LACKS_PROCESSOR] = "this processor cannot run it",
        [ISA_LACKS_BUILD] = "this build has no kernels for it",
        [ISA_LACKS_KERNEL] = "the operating system refuses its registers",
    };

    return TEXT[lack];
}

enum isa_lack amx_lack(const struct amx_facts *f)
{
    const uint32_t instructions = 1U << 22 | 1U << 24 | 1U << 25;
    const uint64_t tiles = UINT64_C(1) << 18, registers = tiles | tiles >> 1;

    if ((f->leaf_7_edx & instructions) != instructions)
        return ISA_LACKS_PROCESSOR;
    if (!f->built)
        return ISA_LACKS_BUILD;
    if ((f->xcr0 & registers) != registers || !(f->permitted & tiles))
        return ISA_LACKS_KERNEL;
    return ISA_LACKS_NOTHING;
}

#if defined(__x86_64__)

enum { ARCH_GET_XCOMP_PERM = 0x1022, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA = 18 };

static uint64_t xcr0(void)
{
    uint32_t low, high;

    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static enum isa_lack lack_of_amx(void)
{
    struct amx_facts f = {0};
    uint32_t a, b, c, d;

#ifdef NN_AMX
    f.built = true;
#endif
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
        f.leaf_7_edx = d;
    if (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE))
        f.xcr0 = xcr0();
    if (amx_lack(&f) != ISA_LACKS_PROCESSOR)
        (void)syscall(SYS_arch_prctl, ARCH_GET_XCOMP_PERM, &f.permitted);
    return amx_lack(&f);
}

bool isa_ask_for_amx(void)
{
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

/* The compiler's own look at CPUID, which counts a register as there only where the kernel saves it
 * (XCR0). */
enum isa_lack isa_lack(enum isa i)
{
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    bool bf16 = avx512 && __builtin_cpu_supports("avx512bf16") &&
                __builtin_cpu_supports("avx512vnni");
    const bool has[ISA_COUNT] = {true, avx2, avx512, bf16, bf16};

    if (!has[i])
        return ISA_LACKS_PROCESSOR;
    return i == ISA_AMX ? lack_of_amx() : ISA_LACKS_NOTHING;
}

#else

enum isa_lack isa_lack(enum isa i)
{
    return i == ISA_PLAIN ? ISA_LACKS_NOTHING : ISA_LACKS_PROCESSOR;
}

bool isa_ask_for_amx(void)
{
    return false;
}

#endif

bool isa_usable(enum isa i)
{
    return isa_lack(i) == ISA_LACKS_NOTHING;
}

enum isa isa_best(void)
{
    enum isa best = ISA_PLAIN;

    for (int i = 0; i < ISA_COUNT; i++)
        if (isa_usable((enum isa)i))
            best = (enum isa)i;
    return best;
}
