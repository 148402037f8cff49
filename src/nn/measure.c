/* SPDX-License-Identifier: MIT */
#include "nn/measure.h"

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
    double each;       /* multiplications and additions of a sum's turn */
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

/* The path's instruction for products of this type. bf16 is multiplied as f32 where it has none. */
static struct loop loop_of(enum isa isa, enum dtype t)
{
#if defined(__x86_64__)
    switch (isa) {
    case ISA_PLAIN:
        break;
    case ISA_AVX2:
        return t == DTYPE_I8 ? (struct loop){avx2_i8, 32.0} : (struct loop){avx2_f32, 16.0};
    case ISA_AVX512:
        return t == DTYPE_I8 ? (struct loop){avx512_i8, 64.0} : (struct loop){avx512_f32, 32.0};
    case ISA_AVX512BF16:
    case ISA_AMX: // has no products of its own in this build
        return t == DTYPE_I8     ? (struct loop){vnni_i8, 128.0}
               : t == DTYPE_BF16 ? (struct loop){bf16_bf16, 64.0}
                                 : (struct loop){avx512_f32, 32.0};
    }
#endif
    (void)isa;
    (void)t;
    return (struct loop){plain_f32, 8.0};
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
        double rate = (double)atomic_load(&trial.turns) * CHAINS * trial.loop.each * width /
                      ((double)atomic_load(&trial.ns) * 1e-9);
        best = rate > best ? rate : best;
    }
    return best;
}
