/* SPDX-License-Identifier: MIT */
#include "nn/measure.h"

#include "nn/tile.h"

#include <stdatomic.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define VECTOR "x" /* the constraint of a vector register */
#else
#define VECTOR "w"
#endif

/*
 * A loop of CHAINS sums that do not wait for each other: more than an instruction's latency times
 * how many begin in a cycle. What is multiplied passes through an empty asm before each, so that no
 * compiler finds out that it is the same every time.
 */
enum { CHAINS = 12, TRIALS = 4, TURNS = 10000 };

static const int64_t TRIAL_NS = 20 * 1000 * 1000;

struct loop {
    void (*run)(void); /* TURNS turns */
    double each;       /* multiplications and additions of a turn */
};

/* `step` makes the next of sum s from a and b. */
#define LOOP(name, target, type, one, step)                           \
    target static void name(void)                                     \
    {                                                                 \
        type sum[CHAINS], a = one, b = one;                           \
        for (int i = 0; i < CHAINS; i++)                              \
            sum[i] = one;                                             \
        for (int turn = 0; turn < TURNS; turn++) {                    \
            _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) \
            {                                                         \
                type s = sum[i];                                      \
                __asm__ volatile("" : "+" VECTOR(a));                 \
                sum[i] = step;                                        \
            }                                                         \
        }                                                             \
        for (int i = 0; i < CHAINS; i++)                              \
            __asm__ volatile("" : : VECTOR(sum[i]));                  \
    }

typedef float four __attribute__((vector_size(16)));

LOOP(plain_f32, , four, ((four){1.0f, 1.0f, 1.0f, 1.0f}), s + a * b)

#if defined(__x86_64__)

#define AVX2   __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,avx512bw")))
#define BF16   __attribute__((target("avx512f,avx512bf16")))
#define VNNI   __attribute__((target("avx512f,avx512vnni")))

// What int8 products are made of without an instruction of their own: pairs of 16 bits.
#define MADD_256 _mm256_add_epi32(s, _mm256_madd_epi16(a, b))
#define MADD_512 _mm512_add_epi32(s, _mm512_madd_epi16(a, b))
#define DP_BF16  _mm512_dpbf16_ps(s, (__m512bh)a, (__m512bh)b)

LOOP(avx2_f32, AVX2, __m256, _mm256_set1_ps(1.0f), _mm256_fmadd_ps(a, b, s))
LOOP(avx2_i8, AVX2, __m256i, _mm256_set1_epi16(1), MADD_256)
LOOP(avx512_f32, AVX512, __m512, _mm512_set1_ps(1.0f), _mm512_fmadd_ps(a, b, s))
LOOP(avx512_i8, AVX512, __m512i, _mm512_set1_epi16(1), MADD_512)
LOOP(bf16_bf16, BF16, __m512, _mm512_set1_ps(1.0f), DP_BF16)
LOOP(vnni_i8, VNNI, __m512i, _mm512_set1_epi8(1), _mm512_dpbusd_epi32(s, a, b))

#endif

#ifdef NN_AMX

#define TILES __attribute__((target(TILE_TARGET "avx2")))

/* Numbers as products have them, because on zeros the multiplier's clock is higher: of bf16 .5 to 1
 * and their negatives. */
TILES static void fill_tiles(enum dtype t)
{
    const struct tile_config config = tile_config_of(2 * TILE_ROWS);
    uint16_t number[4 * TILE_BYTES / 2];
    uint32_t random = 1;

    for (int i = 0; i < 4 * TILE_BYTES / 2; i++) {
        random = random * 1664525 + 1013904223;
        uint32_t bits = random >> 16;
        number[i] = (uint16_t)(t == DTYPE_BF16 ? (bits & 0x807F) | 0x3F00 : bits);
    }
    tile_configure(&config);
    tile_load(TILE_A0, number, TILE_ROW_BYTES);
    tile_load(TILE_A1, number + TILE_BYTES / 2, TILE_ROW_BYTES);
    tile_load(TILE_B0, number + TILE_BYTES, TILE_ROW_BYTES);
    tile_load(TILE_B1, number + 3 * TILE_BYTES / 2, TILE_ROW_BYTES);
}

#define TILE_LOOP(name, type, product)             \
    TILES static void name(void)                   \
    {                                              \
        fill_tiles(type);                          \
        for (int turn = 0; turn < TURNS; turn++) { \
            product(TILE_C00, TILE_A0, TILE_B0);   \
            product(TILE_C01, TILE_A0, TILE_B1);   \
            product(TILE_C10, TILE_A1, TILE_B0);   \
            product(TILE_C11, TILE_A1, TILE_B1);   \
        }                                          \
        tile_release();                            \
    }

TILE_LOOP(amx_bf16, DTYPE_BF16, tile_bf16)
TILE_LOOP(amx_i8, DTYPE_I8, tile_i8)

/* Of four products of tiles with groups of two bf16 or four i8. */
enum { BF16_TURN = 4 * 2 * 16 * 16 * 32, I8_TURN = 2 * BF16_TURN };

#endif

/* The path's instruction for products of this type. bf16 is multiplied as f32 where it has none. */
static struct loop loop_of(enum isa isa, enum dtype t)
{
#if defined(__x86_64__)
    switch (isa) {
    case ISA_PLAIN:
        break;
    case ISA_AVX2:
        return t == DTYPE_I8 ? (struct loop){avx2_i8, CHAINS * 32.0}
                             : (struct loop){avx2_f32, CHAINS * 16.0};
    case ISA_AVX512:
        return t == DTYPE_I8 ? (struct loop){avx512_i8, CHAINS * 64.0}
                             : (struct loop){avx512_f32, CHAINS * 32.0};
    case ISA_AMX:
#ifdef NN_AMX
        if (t != DTYPE_F32)
            return t == DTYPE_I8 ? (struct loop){amx_i8, I8_TURN}
                                 : (struct loop){amx_bf16, BF16_TURN};
#endif
        // Of f32 it has nothing of its own.
        // fall through
    case ISA_AVX512BF16:
        return t == DTYPE_I8     ? (struct loop){vnni_i8, CHAINS * 128.0}
               : t == DTYPE_BF16 ? (struct loop){bf16_bf16, CHAINS * 64.0}
                                 : (struct loop){avx512_f32, CHAINS * 32.0};
    }
#endif
    (void)isa;
    (void)t;
    return (struct loop){plain_f32, CHAINS * 8.0};
}

struct trial {
    struct loop loop;
    atomic_llong turns, ns;
};

/* Of this thread alone: who else uses the machine does not count. */
static int64_t busy_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void try(void *ctx, int index, int worker)
{
    struct trial *t = ctx;
    const int64_t begun = busy_ns();
    int64_t now;

    (void)index;
    (void)worker;
    do {
        t->loop.run();
        atomic_fetch_add(&t->turns, TURNS);
        now = busy_ns();
    } while (now - begun < TRIAL_NS);
    atomic_fetch_add(&t->ns, now - begun);
}

double nn_peak(const struct nn_run *run, enum dtype t)
{
    const int width = pool_width(run->pool);
    double best = 0.0;

    for (int i = 0; i < TRIALS; i++) {
        struct trial trial = {.loop = loop_of(run->isa, t)};
        if (!pool_run(run->pool, width, try, &trial, run->cancel))
            return 0.0;
        double rate = (double)atomic_load(&trial.turns) * trial.loop.each * width /
                      ((double)atomic_load(&trial.ns) * 1e-9);
        best = rate > best ? rate : best;
    }
    return best;
}
