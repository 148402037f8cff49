/* SPDX-License-Identifier: MIT */
#include "support/tile_trap.h"

#include "nn/isa.h"
#include "support/tile_model.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

/*
 * Encodings are those of the Software Developer's Manual, volume 2 (section 2.3 "Intel AVX" and the
 * instructions' own pages): a VEX prefix of three bytes, C4 RXBmmmmm WvvvvLpp, with map 0F38, W 0
 * and L 0, an opcode, ModRM and, of memory, SIB and a displacement. R, X, B and vvvv are inverted.
 */
enum { VEX_3 = 0xC4, MAP_0F38 = 2, NO_PREFIX = 0, PREFIX_66, PREFIX_F3, PREFIX_F2 };
enum { OP_CONFIGURE = 0x49, OP_MOVE = 0x4B, OP_BF16 = 0x5C, OP_INT8 = 0x5E };

struct instruction {
    int opcode, prefix, vvvv;
    int mod, reg, rm; /* of ModRM, with R and B */
    bool has_sib;
    uintptr_t address; /* of memory: base and displacement */
    ptrdiff_t stride;  /* and the index, of tiles' rows */
    int len;
};

static uintptr_t general_register(const ucontext_t *u, int number)
{
    static const int AT[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                             REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                             REG_R12, REG_R13, REG_R14, REG_R15};

    return (uintptr_t)u->uc_mcontext.gregs[AT[number]];
}

static int32_t displacement(const unsigned char *p, int bytes)
{
    int32_t wide = 0;

    if (bytes == 1)
        return (int8_t)*p;
    memcpy(&wide, p, (size_t)bytes);
    return wide;
}

/* What ModRM says of memory; p is behind it. */
static void read_memory(const ucontext_t *u, const unsigned char *p, int x, int b,
                        struct instruction *i)
{
    const int SIB = 4, NO_BASE = 5, NO_INDEX = 4;
    int base = i->rm & 7, bytes = i->mod == 1 ? 1 : i->mod == 2 ? 4 : 0;

    i->has_sib = base == SIB;
    if (i->has_sib) {
        int index = (p[0] >> 3 & 7) | x << 3;
        base = p[0] & 7;
        if (index != NO_INDEX)
            i->stride = (ptrdiff_t)(general_register(u, index) << (p[0] >> 6));
        p++;
        i->len++;
    }
    bool none = i->mod == 0 &&
                base == NO_BASE; // then 32 bits, without SIB from the instruction's end on
    bytes = none ? 4 : bytes;
    i->len += bytes;
    i->address = !none        ? general_register(u, base | b << 3)
                 : i->has_sib ? 0
                              : (uintptr_t)u->uc_mcontext.gregs[REG_RIP] + (uintptr_t)i->len;
    i->address += (uintptr_t)(intptr_t)displacement(p, bytes);
}

static bool read_instruction(const ucontext_t *u, struct instruction *i)
{
    const unsigned char *p = (const unsigned char *)u->uc_mcontext.gregs[REG_RIP];

    if (p[0] != VEX_3 || (p[1] & 0x1F) != MAP_0F38 || p[2] & 0x84)
        return false;
    const int r = !(p[1] & 0x80), x = !(p[1] & 0x40), b = !(p[1] & 0x20);
    *i = (struct instruction){
        .opcode = p[3],
        .prefix = p[2] & 3,
        .vvvv = ~p[2] >> 3 & 15,
        .mod = p[4] >> 6,
        .reg = (p[4] >> 3 & 7) | r << 3,
        .rm = (p[4] & 7) | b << 3,
        .len = 5,
    };
    if (i->mod != 3)
        read_memory(u, p + 5, x, b, i);
    return true;
}

static bool configure(const struct instruction *i)
{
    const bool memory = i->mod != 3;

    if (i->vvvv != 0)
        return false;
    if (i->prefix == NO_PREFIX && memory && i->reg == 0)
        tile_model_configure((const struct tile_config *)i->address);
    else if (i->prefix == NO_PREFIX && !memory && i->reg == 0 && i->rm == 0)
        tile_model_release();
    else if (i->prefix == PREFIX_F2 && !memory && i->rm == 0)
        tile_model_zero(i->reg);
    else
        return false;
    return true;
}

static bool move(const struct instruction *i)
{
    if (i->vvvv != 0 || !i->has_sib)
        return false;
    if (i->prefix == PREFIX_F2 || i->prefix == PREFIX_66) // the latter for what is read once
        tile_model_load(i->reg, (const void *)i->address, i->stride);
    else if (i->prefix == PREFIX_F3)
        tile_model_store(i->reg, (void *)i->address, i->stride);
    else
        return false;
    return true;
}

static bool multiply(const struct instruction *i)
{
    if (i->mod != 3)
        return false;
    if (i->opcode == OP_BF16 && i->prefix == PREFIX_F3)
        tile_model_bf16(i->reg, i->rm, i->vvvv);
    else if (i->opcode == OP_INT8 && i->prefix == PREFIX_F2)
        tile_model_i8(i->reg, i->rm, i->vvvv);
    else
        return false;
    return true;
}

/* Does the instruction at hand and steps behind it; false: it is none of these. */
static bool step(ucontext_t *u)
{
    struct instruction i;
    bool done = read_instruction(u, &i) && (i.opcode == OP_CONFIGURE ? configure(&i)
                                            : i.opcode == OP_MOVE    ? move(&i)
                                                                     : multiply(&i));

    if (done)
        u->uc_mcontext.gregs[REG_RIP] += i.len;
    return done;
}

static void catch (int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    if (!step(context)) {
        fprintf(stderr, "tiles: an instruction that nobody knows\n");
        abort();
    }
    while (step(context)) // those that follow at once: a signal takes as long as a product
        ;
}

bool tile_trap_set(void)
{
    struct sigaction a = {.sa_sigaction = catch, .sa_flags = SA_SIGINFO | SA_NODEFER};

    (void)isa_ask_for_amx();
    if (isa_lack(ISA_AMX) != ISA_LACKS_PROCESSOR)
        return false;
    if (sigaction(SIGILL, &a, NULL) != 0)
        abort();
    return true;
}

bool __real_isa_usable(enum isa i);
enum isa __real_isa_best(void);
bool __wrap_isa_usable(enum isa i);
enum isa __wrap_isa_best(void);

bool __wrap_isa_usable(enum isa i)
{
    return __real_isa_usable(i == ISA_AMX && tile_trap_set() ? ISA_AVX512BF16 : i);
}

enum isa __wrap_isa_best(void)
{
    return __wrap_isa_usable(ISA_AMX) ? ISA_AMX : __real_isa_best();
}
