/* SPDX-License-Identifier: MIT */
/*
 * Attention and what stands between matrix products, on every path of this machine, on one thread:
 *
 *     bench_attention [OPERATOR]      attention, rows; both if none is named
 *
 * In processor cycles of this program alone (perf_event_open(2)), so that others on the machine
 * disturb little: attention as multiplications and additions per cycle beside what the same
 * instruction reaches with registers alone, the others as bytes per cycle beside memcpy().
 */
#include "nn/attention.h"
#include "nn/norm.h"

#include <linux/perf_event.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { REPEATS = 5, PEAK_LOOPS = 2000000, PEAK_SUMS = 12 };

static int counter = -1;

static void counter_open(void)
{
    struct perf_event_attr a = {.type = PERF_TYPE_HARDWARE,
                                .size = sizeof(a),
                                .config = PERF_COUNT_HW_CPU_CYCLES,
                                .exclude_kernel = 1};

    counter = (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);
}

/* Cycles, or nanoseconds where the kernel does not count. */
static int64_t cycles(void)
{
    struct timespec t;
    int64_t n;

    if (read(counter, &n, sizeof(n)) == (ssize_t)sizeof(n))
        return n;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- what registers alone reach ---- */

#ifdef __x86_64__
/* Twelve sums that do not wait for each other, and differ, or the compiler would keep one. */
#define PEAK(name, features, type, all, op, flops)                                          \
    __attribute__((target(features), noinline)) static double name(void)                    \
    {                                                                                       \
        type sum[PEAK_SUMS], x = all;                                                       \
        int64_t begin = cycles();                                                           \
        _Pragma("GCC unroll 12") for (int i = 0; i < PEAK_SUMS; i++) sum[i] = x * (float)i; \
        for (int n = 0; n < PEAK_LOOPS; n++)                                                \
            _Pragma("GCC unroll 12") for (int i = 0; i < PEAK_SUMS; i++) sum[i] = op;       \
        _Pragma("GCC unroll 12") for (int i = 0; i < PEAK_SUMS;                             \
                                      i++) __asm__ volatile("" ::"v"(sum[i]));              \
        return (double)(flops)*PEAK_SUMS * PEAK_LOOPS / (double)(cycles() - begin);         \
    }

PEAK(peak_avx2, "avx2,fma", __m256, _mm256_set1_ps(1.0001f), _mm256_fmadd_ps(x, x, sum[i]), 16)
PEAK(peak_avx512, "avx512f", __m512, _mm512_set1_ps(1.0001f), _mm512_fmadd_ps(x, x, sum[i]), 32)
PEAK(peak_bf16, "avx512f,avx512bf16", __m512, _mm512_set1_ps(1.0001f),
     _mm512_dpbf16_ps(sum[i], (__m512bh)x, (__m512bh)x), 64)
#endif

static double peak(enum isa i)
{
    double best = 0.0;

#ifdef __x86_64__
    for (int k = 0; k < REPEATS; k++) {
        double v = i == ISA_AVX2 ? peak_avx2() : i == ISA_AVX512 ? peak_avx512() : peak_bf16();
        best = fmax(best, v);
    }
#endif
    (void)i;
    return best;
}

/* ---- operators ---- */

static struct matrix matrix(enum dtype t, int rows, int width)
{
    struct matrix m = {t, rows, width, matrix_stride(t, width), NULL, NULL};
    size_t bytes = (size_t)(rows * m.stride) * dtype_bytes(t);
    uint32_t seed = 1;

    m.data = aligned_alloc(MATRIX_ALIGN, bytes);
    m.scale = t == DTYPE_I8 ? calloc((size_t)rows, sizeof(float)) : NULL;
    if (!m.data || (t == DTYPE_I8 && !m.scale))
        abort();
    memset(m.data, 0, bytes);
    for (int64_t i = 0; t != DTYPE_I8 && i < rows * m.stride; i++) {
        seed = seed * 1664525 + 1013904223;
        float v = (float)(int32_t)seed / 1e9f;
        if (t == DTYPE_F32)
            ((float *)m.data)[i] = v;
        else
            ((uint16_t *)m.data)[i] = bf16_of(v);
    }
    return m;
}

static void matrix_free(struct matrix *m)
{
    free(m->data);
    free(m->scale);
}

static const struct shape {
    const char *what;
    int heads, key_heads, head, queries, keys;
    bool causal;
} SHAPE[] = {
    {"512 x 512 with a reference", 4, 4, 128, 2560, 2560, false},
    {"1024 x 1024 with a reference", 2, 2, 128, 1024, 8704, false},
    {"text, causal", 32, 8, 128, 512, 512, true},
    {"autoencoder", 1, 1, 512, 4096, 4096, false},
};

static void bench_attention(const struct nn_run *run, const struct shape *s, double most)
{
    struct attention a = {.heads = s->heads,
                          .key_heads = s->key_heads,
                          .head = s->head,
                          .scale = 1.0f / sqrtf((float)s->head),
                          .causal = s->causal,
                          .parts = 1};
    struct attention_part *p = &a.part[0];
    double flops = 4.0 * s->heads * s->head * s->queries * s->keys * (s->causal ? 0.5 : 1.0);
    double best = 0.0;

    p->q = matrix(DTYPE_BF16, s->queries, s->heads * s->head);
    p->k = matrix(DTYPE_BF16, s->keys, s->key_heads * s->head);
    p->v = matrix(DTYPE_BF16, s->keys, s->key_heads * s->head);
    p->out = matrix(DTYPE_BF16, s->queries, s->heads * s->head);
    void *memory = aligned_alloc(MATRIX_ALIGN, (size_t)nn_attention_bytes(&a, 1));
    if (!memory)
        abort();
    for (int i = 0; i < REPEATS; i++) {
        int64_t begin = cycles();
        (void)nn_attention(run, &a, memory);
        best = fmax(best, flops / (double)(cycles() - begin));
    }
    printf("%-11s %-30s %6.1f a cycle, %3.0f %% of %.1f\n", isa_name(run->isa), s->what, best,
           100.0 * best / most, most);
    free(memory);
    matrix_free(&p->q);
    matrix_free(&p->k);
    matrix_free(&p->v);
    matrix_free(&p->out);
}

enum { TOKENS = 2560, HIDDEN = 3072, MLP = 9216, HEAD = 128 };

struct rows {
    struct matrix x, y, y8, q, gate, up, mixed, mixed8;
    float vector[HIDDEN];
    struct rotary rotary;
};

static void do_memcpy(const struct nn_run *run, struct rows *r)
{
    (void)run;
    memcpy(r->gate.data, r->x.data, sizeof(float) * TOKENS * HIDDEN);
}

static void do_layernorm(const struct nn_run *run, struct rows *r)
{
    (void)nn_layernorm(run, &r->x, r->vector, r->vector, 1e-6f, &r->y);
}

static void do_layernorm_i8(const struct nn_run *run, struct rows *r)
{
    (void)nn_layernorm(run, &r->x, r->vector, r->vector, 1e-6f, &r->y8);
}

static void do_rmsnorm(const struct nn_run *run, struct rows *r)
{
    (void)nn_rmsnorm(run, &r->x, r->vector, 1e-6f, &r->y);
}

static void do_swiglu(const struct nn_run *run, struct rows *r)
{
    (void)nn_swiglu(run, &r->gate, &r->up, &r->mixed);
}

static void do_swiglu_i8(const struct nn_run *run, struct rows *r)
{
    (void)nn_swiglu(run, &r->gate, &r->up, &r->mixed8);
}

static void do_rotary(const struct nn_run *run, struct rows *r)
{
    (void)nn_head_norm_rotary(run, &r->q, HEAD, r->vector, 1e-6f, &r->rotary);
}

static const struct {
    const char *what;
    double bytes; /* that must be read and written */
    void (*run)(const struct nn_run *run, struct rows *r);
} ROWS[] = {
    {"memcpy", 8.0 * TOKENS *HIDDEN, do_memcpy},
    {"layernorm to bf16", 6.0 * TOKENS *HIDDEN, do_layernorm},
    {"layernorm to int8", 5.0 * TOKENS *HIDDEN, do_layernorm_i8},
    {"rmsnorm to bf16", 6.0 * TOKENS *HIDDEN, do_rmsnorm},
    {"swiglu to bf16", 6.0 * TOKENS *MLP, do_swiglu},
    {"swiglu to int8", 5.0 * TOKENS *MLP, do_swiglu_i8},
    {"norm and rotary of heads, bf16", 4.0 * TOKENS *HIDDEN, do_rotary},
};

static void bench_rows(const struct nn_run *run)
{
    static struct rows r;
    static float tables[2][TOKENS * HEAD / 2];

    r = (struct rows){
        .x = matrix(DTYPE_F32, TOKENS, HIDDEN),
        .y = matrix(DTYPE_BF16, TOKENS, HIDDEN),
        .y8 = matrix(DTYPE_I8, TOKENS, HIDDEN),
        .q = matrix(DTYPE_BF16, TOKENS, HIDDEN),
        .gate = matrix(DTYPE_BF16, TOKENS, MLP),
        .up = matrix(DTYPE_BF16, TOKENS, MLP),
        .mixed = matrix(DTYPE_BF16, TOKENS, MLP),
        .mixed8 = matrix(DTYPE_I8, TOKENS, MLP),
        .rotary = {ROTARY_ADJACENT, tables[0], tables[1], TOKENS},
    };
    for (int i = 0; i < HIDDEN; i++)
        r.vector[i] = 0.5f;
    for (int i = 0; i < TOKENS * HEAD / 2; i++) {
        tables[0][i] = 0.6f;
        tables[1][i] = 0.8f;
    }
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        double best = 0.0;
        for (int k = 0; k < REPEATS; k++) {
            int64_t begin = cycles();
            ROWS[i].run(run, &r);
            best = fmax(best, ROWS[i].bytes / (double)(cycles() - begin));
        }
        printf("%-11s %-30s %6.2f bytes a cycle\n", isa_name(run->isa), ROWS[i].what, best);
    }
    struct matrix *m[] = {&r.x, &r.y, &r.y8, &r.q, &r.gate, &r.up, &r.mixed, &r.mixed8};
    for (size_t i = 0; i < sizeof(m) / sizeof(m[0]); i++)
        matrix_free(m[i]);
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    struct nn_run run = {NULL, ISA_PLAIN, NULL};

    counter_open();
    if (pool_open(1, &run.pool, NULL) != ERR_OK)
        return 1;
    for (int i = ISA_AVX2; i <= ISA_AVX512BF16; i++) {
        run.isa = (enum isa)i;
        if (!isa_usable(run.isa))
            continue;
        double most = peak(run.isa);
        for (size_t s = 0; s < sizeof(SHAPE) / sizeof(SHAPE[0]) && strcmp(only, "rows") != 0; s++)
            bench_attention(&run, &SHAPE[s], most);
        if (strcmp(only, "attention") != 0)
            bench_rows(&run);
    }
    pool_close(run.pool);
    return 0;
}
