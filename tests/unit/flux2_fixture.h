/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_FLUX2_FIXTURE_H
#define PATINA_TESTS_FLUX2_FIXTURE_H

/* The tiny model, and what the reference implementation made of it. */

#include "unit/isa_fixture.h"
#include "unit/tiny_model.h"
#include "unit/unit.h"

#include "golden/flux2/tolerance.h"
#include "models/flux2/pack.h"
#include "nn/matrix.h"
#include "nn/run.h"
#include "nn/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline const char *golden_path(char path[4096], const char *name)
{
    const char *root = getenv("MESON_SOURCE_ROOT");

    snprintf(path, 4096, "%s/tests/golden/flux2/%s", root ? root : ".", name);
    return path;
}

static inline struct packed *model_packed(enum flux2_precision precision)
{
    char path[4096];
    struct packed *p = NULL;
    struct err_note note = {0};

    if (flux2_pack(tiny_model(path, ""), precision, NULL, NULL, NULL, &p, &note) != ERR_OK)
        fail_msg("%s", note.text);
    return p;
}

static inline struct safetensors *golden_open(const char *name)
{
    char path[4096];
    struct safetensors *s = NULL;

    assert_int_equal(safetensors_open(golden_path(path, name), &s, NULL), ERR_OK);
    return s;
}

/* A golden's numbers, or integers as floats; free(). */
static inline float *golden(const struct safetensors *s, const char *name, int64_t *count)
{
    struct tensor_view v;

    if (!safetensors_find(s, name, &v))
        fail_msg("there is no golden %s", name);
    int64_t n = tensor_count(&v);
    float *out = malloc((size_t)n * sizeof(*out));
    assert_non_null(out);
    if (v.dtype == DTYPE_I32)
        for (int64_t i = 0; i < n; i++)
            out[i] = (float)((const int32_t *)v.data)[i];
    else
        tensor_read(&v, 0, n, out);
    if (count)
        *count = n;
    return out;
}

/* Euclidean norm of the difference over that of the golden. */
static inline double relative(const float *got, const float *want, int64_t count)
{
    double difference = 0.0, size = 0.0;

    for (int64_t i = 0; i < count; i++) {
        difference += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        size += (double)want[i] * want[i];
    }
    // A NaN is further away than anything.
    double r = sqrt(difference / size);
    return isnan(r) ? INFINITY : r;
}

static inline void assert_near(const char *what, const float *got, const float *want, int64_t count,
                               double tolerance)
{
    double r = relative(got, want, count);

    if (!(r <= tolerance))
        fail_msg("%s is %.3g from the golden, %.3g is allowed", what, r, tolerance);
}

/* Rows first..first+count-1 of an F32 matrix without their padding; free(). */
static inline float *rows_of(const struct matrix *m, int first, int count)
{
    float *out = malloc((size_t)count * (size_t)m->width * sizeof(*out));

    assert_non_null(out);
    assert_int_equal(m->dtype, DTYPE_F32);
    for (int r = 0; r < count; r++)
        memcpy(out + (int64_t)r * m->width,
               (const float *)m->data + (int64_t)(first + r) * m->stride,
               (size_t)m->width * sizeof(*out));
    return out;
}

/* Under a sanitizer everything takes four times as long: there the plain path is what counts. */
#if defined(__SANITIZE_ADDRESS__)
#define FIXTURE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FIXTURE_SANITIZED 1
#endif
#endif
#ifndef FIXTURE_SANITIZED
#define FIXTURE_SANITIZED 0
#endif

/* Calls fn for each path that this machine has, on two threads. */
static inline void on_every_path(void (*fn)(const struct nn_run *how, void *ctx), void *ctx)
{
    struct pool *pool;

    (void)isa_ask_for_amx();
    assert_int_equal(pool_open(2, &pool, NULL), ERR_OK);
    for (int i = FIXTURE_ISA_FIRST; i < ISA_COUNT; i++)
        if (isa_usable((enum isa)i) &&
            (!FIXTURE_SANITIZED || i == ISA_PLAIN || (enum isa)i == isa_best()))
            fn(&(struct nn_run){.pool = pool, .isa = (enum isa)i}, ctx);
    pool_close(pool);
}

static inline double tolerance_of(enum flux2_precision p)
{
    return p == FLUX2_F32 ? GOLDEN_F32 : GOLDEN_BF16;
}

#endif
