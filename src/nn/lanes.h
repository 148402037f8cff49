/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_LANES_H
#define PATINA_NN_LANES_H

/*
 * Vectors for the kernel files (..._lanes.c), which are compiled once for each path with that
 * path's flags: as many floats as one register of it holds. Everything here is static and always
 * inlined, so that nothing compiled for wide registers is ever linked into plain code.
 */
#include "nn/tensor.h"

#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX2__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif

typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t lanes_int __attribute__((vector_size(4 * LANES)));

#define LANES_INLINE static inline __attribute__((always_inline))

/* name_PATH: what a kernel file calls its table. */
#define LANES_PASTE(name, path)  name##_##path
#define LANES_EXPAND(name, path) LANES_PASTE(name, path)
#define LANES_NAME(name)         LANES_EXPAND(name, LANES_PATH)

LANES_INLINE lanes lanes_all(float v)
{
    return v - (lanes){0};
}

LANES_INLINE lanes lanes_load(const float *p)
{
    lanes v;

    memcpy(&v, p, sizeof(v));
    return v;
}

LANES_INLINE void lanes_store(float *p, lanes v)
{
    memcpy(p, &v, sizeof(v));
}

/* The first n numbers of p; the others are 0. */
LANES_INLINE lanes lanes_load_n(const float *p, int n)
{
    lanes v = {0};

    if (n == LANES)
        return lanes_load(p);
    memcpy(&v, p, (size_t)n * sizeof(*p));
    return v;
}

LANES_INLINE void lanes_store_n(float *p, lanes v, int n)
{
    if (n == LANES)
        lanes_store(p, v);
    else
        memcpy(p, &v, (size_t)n * sizeof(*p));
}

/* The first n of v; the others are 0. */
LANES_INLINE lanes lanes_keep(lanes v, int n)
{
    for (int i = n; i < LANES; i++)
        v[i] = 0.0f;
    return v;
}

/* a * b + c, rounded once where the path has an instruction for that. */
LANES_INLINE lanes lanes_fma(lanes a, lanes b, lanes c)
{
#if defined(__AVX512F__)
    return (lanes)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
    return (lanes)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c;
#endif
}

LANES_INLINE lanes lanes_max(lanes a, lanes b)
{
#if defined(__AVX512F__)
    return (lanes)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
    return (lanes)_mm256_max_ps((__m256)a, (__m256)b);
#else
    lanes_int m = a > b;

    return (lanes)(((lanes_int)a & m) | ((lanes_int)b & ~m));
#endif
}

LANES_INLINE lanes lanes_min(lanes a, lanes b)
{
#if defined(__AVX512F__)
    return (lanes)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
    return (lanes)_mm256_min_ps((__m256)a, (__m256)b);
#else
    lanes_int m = a < b;

    return (lanes)(((lanes_int)a & m) | ((lanes_int)b & ~m));
#endif
}

LANES_INLINE lanes lanes_abs(lanes v)
{
    return (lanes)((lanes_int)v & 0x7FFFFFFF);
}

LANES_INLINE float lanes_max_of(lanes v)
{
#if defined(__AVX512F__)
    return _mm512_reduce_max_ps((__m512)v);
#else
    float m = v[0];

    for (int i = 1; i < LANES; i++)
        m = v[i] > m ? v[i] : m;
    return m;
#endif
}

/* One of v is above `limit`. */
LANES_INLINE bool lanes_any_above(lanes v, float limit)
{
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask((__m512)v, _mm512_set1_ps(limit), _CMP_GT_OQ) != 0;
#elif defined(__AVX2__)
    return _mm256_movemask_ps(_mm256_cmp_ps((__m256)v, _mm256_set1_ps(limit), _CMP_GT_OQ)) != 0;
#else
    return lanes_max_of(v) > limit;
#endif
}

LANES_INLINE float lanes_sum_of(lanes v)
{
#if defined(__AVX512F__)
    return _mm512_reduce_add_ps((__m512)v);
#elif defined(__AVX2__)
    __m128 s = _mm_add_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));

    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
#else
    return (v[0] + v[2]) + (v[1] + v[3]);
#endif
}

LANES_INLINE lanes lanes_load_bf16(const uint16_t *p)
{
#if defined(__AVX512F__)
    return (lanes)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)p)), 16);
#elif defined(__AVX2__)
    return (lanes)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)p)), 16);
#else
    lanes v;

    for (int i = 0; i < LANES; i++)
        v[i] = float_of_bf16(p[i]);
    return v;
#endif
}

/* Rounded to nearest even as bf16_of() does, NaN included: the processor's own instruction would
 * flush denormals. */
LANES_INLINE void lanes_store_bf16(uint16_t *p, lanes v)
{
    lanes_int u = (lanes_int)v, rounded = u + 0x7FFF + (u >> 16 & 1);
#if defined(__AVX512F__)
    __mmask16 nan = _mm512_cmp_ps_mask((__m512)v, (__m512)v, _CMP_UNORD_Q);
    __m512i r =
        _mm512_mask_or_epi32((__m512i)rounded, nan, (__m512i)u, _mm512_set1_epi32(0x400000));

    _mm256_storeu_si256((void *)p, _mm512_cvtepi32_epi16(_mm512_srli_epi32(r, 16)));
#else
    lanes_int nan = (u & 0x7FFFFFFF) > 0x7F800000;

    u = ((rounded & ~nan) | ((u | 0x400000) & nan)) >> 16;
#if defined(__AVX2__)
    __m256i t = _mm256_and_si256((__m256i)u, _mm256_set1_epi32(0xFFFF));

    t = _mm256_permute4x64_epi64(_mm256_packus_epi32(t, t), 8);
    _mm_storeu_si128((void *)p, _mm256_castsi256_si128(t));
#else
    for (int i = 0; i < LANES; i++)
        p[i] = (uint16_t)u[i];
#endif
#endif
}

/* An exponential is 2 to this many times. */
#define LOG2_E 1.44269504f

/*
 * 2^x within 2e-7 of it, for any x but NaN; below 2^-126 something less than that, 0 from -127 on
 * (-infinity included). A polynomial of 2^f for f in -1/2..1/2 (least maximum of the relative
 * error), which is 1 at 0.
 */
LANES_INLINE lanes lanes_exp2(lanes x)
{
    const lanes round = lanes_all(0x1.8p23f); // its last bit is worth 1
    lanes z, n, f, p;

    z = lanes_min(lanes_max(x, lanes_all(-127.0f)), lanes_all(127.0f));
    n = z + round;
    f = z - (n - round);
    p = lanes_fma(f, lanes_all(1.326472662e-3f), lanes_all(9.671512959e-3f));
    p = lanes_fma(f, p, lanes_all(5.550733748e-2f));
    p = lanes_fma(f, p, lanes_all(2.402224208e-1f));
    p = lanes_fma(f, p, lanes_all(6.931469776e-1f));
    p = lanes_fma(f, p, lanes_all(1.0f));
    return (lanes)((lanes_int)p + ((lanes_int)n << 23));
}

#endif
