/* SPDX-License-Identifier: MIT */
#include "image/colour.h"
#include "image/fit.h"
#include "image/spread.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * Separable Lanczos-3 (Duchon 1979; Turkowski, Graphics Gems, 1990) on premultiplied linear light.
 * Rows of the source stream through: a thread keeps one source row and the few horizontally
 * filtered rows that its current output row needs, so a 64 MP source costs a few MB beside itself.
 *
 * INVARIANTS
 * 1. An output pixel is the same sum in the same order whatever the thread count: threads share out
 *    rows, and nothing but the source and the weights flows between rows.
 * 2. Only + - * / in pixels, on floats, never reassociated; weights come from a polynomial in
 *    double. So compilers and vector widths do not matter either.
 */

enum {
    LOBES = 3,
    /* Beyond this reduction whole blocks of pixels are averaged first, so that 2 remains for the
     * kernel: its taps stay few, and a box in front of a kernel twice as wide is not seen. */
    BOX_SCALE_MIN = 4,
    THREADS_MAX = 64
};

/* sin(pi x) for |x| <= LOBES, to 1e-13: nearest integer off, then the Taylor series. */
static double sin_pi(double x)
{
    double whole = floor(x + 0.5), r = (x - whole) * 3.14159265358979323846, r2 = r * r;
    double term = r, sum = r;

    for (int k = 1; k <= 10; k++) {
        term *= -r2 / ((2 * k) * (2 * k + 1));
        sum += term;
    }
    return fabs(whole) == 1 || fabs(whole) == 3 ? -sum : sum;
}

static double lanczos(double x)
{
    const double pi2 = 9.86960440108935861883;

    if (fabs(x) >= LOBES)
        return 0;
    if (fabs(x) < 1e-9)
        return 1;
    return LOBES * sin_pi(x) * sin_pi(x / LOBES) / (pi2 * x * x);
}

/* For each output position of one axis: which input positions count, and how much. */
struct axis {
    int size, taps; /* outputs; room for weights per output */
    int *first, *count;
    float *weight;
};

static void axis_free(struct axis *a)
{
    free(a->first);
    free(a->weight);
}

// Output i looks at in_at + (i + 1/2) * scale, in input pixels of which there are in_size.
static bool axis_init(struct axis *a, int size, double in_at, double scale, int in_size)
{
    double stretch = scale > 1 ? scale : 1, support = LOBES * stretch;

    *a = (struct axis){.size = size, .taps = 2 * (int)ceil(support) + 1};
    a->first = calloc(2 * (size_t)size, sizeof(int));
    a->weight = calloc((size_t)size * (size_t)a->taps, sizeof(float));
    double *w = calloc((size_t)a->taps, sizeof(double));
    bool ok = a->first && a->weight && w;
    a->count = ok ? a->first + size : NULL;
    for (int i = 0; ok && i < size; i++) {
        double centre = in_at + (i + 0.5) * scale - 0.5, sum = 0;
        int from = (int)fmax(0, ceil(centre - support));
        int to = (int)fmin(in_size - 1, floor(centre + support));
        for (int j = from; j <= to; j++)
            sum += w[j - from] = lanczos((j - centre) / stretch);
        for (int j = from; j <= to; j++)
            a->weight[(size_t)i * (size_t)a->taps + (size_t)(j - from)] =
                (float)(w[j - from] / sum);
        a->first[i] = from;
        a->count[i] = to - from + 1;
    }
    free(w);
    if (!ok)
        axis_free(a);
    return ok;
}

/* What all threads share, read only. */
struct job {
    const struct image *src;
    struct image *dst;
    bool opaque;     /* alpha of the source does not count */
    int box;         /* source pixels averaged to one, a side */
    int from, width; /* columns of the boxed source that the kernel sees */
    struct axis across, down;
    struct srgb_encoder encoder;
};

struct band {
    const struct job *job;
    int from, to; /* output rows */
    enum err result;
};

static void linear_row(const struct job *j, const uint8_t *px, int n, float *restrict out)
{
    if (j->opaque) {
        for (int x = 0; x < n; x++, px += 4) {
            for (int c = 0; c < 3; c++)
                out[4 * x + c] = srgb_linear[px[c]];
            out[4 * x + 3] = 1;
        }
        return;
    }
    for (int x = 0; x < n; x++, px += 4) {
        float a = (float)px[3] / 255.0f;
        for (int c = 0; c < 3; c++)
            out[4 * x + c] = a * srgb_linear[px[c]];
        out[4 * x + 3] = a;
    }
}

// Row y of the source, in linear light, boxed.
static void load_row(const struct job *j, int y, float *restrict out)
{
    const struct image *src = j->src;
    int box = j->box;

    if (box == 1) {
        linear_row(j, src->px + src->stride * (size_t)y + 4 * (size_t)j->from, j->width, out);
        return;
    }
    int y1 = (y + 1) * box < src->height ? (y + 1) * box : src->height;
    for (int x = 0; x < j->width; x++) {
        int x0 = (j->from + x) * box, x1 = x0 + box < src->width ? x0 + box : src->width;
        float sum[4] = {0};
        for (int v = y * box; v < y1; v++)
            for (int u = x0; u < x1; u++) {
                const uint8_t *px = src->px + src->stride * (size_t)v + 4 * (size_t)u;
                float a = j->opaque ? 1.0f : (float)px[3] / 255.0f;
                for (int c = 0; c < 3; c++)
                    sum[c] += a * srgb_linear[px[c]];
                sum[3] += a;
            }
        float n = (float)((x1 - x0) * (y1 - y * box));
        for (int c = 0; c < 4; c++)
            out[4 * x + c] = sum[c] / n;
    }
}

static void filter_across(const struct job *j, const float *restrict row, float *restrict out)
{
    const struct axis *a = &j->across;

    for (int x = 0; x < a->size; x++) {
        const float *p = row + 4 * (size_t)(a->first[x] - j->from);
        const float *w = a->weight + (size_t)x * (size_t)a->taps;
        float sum[4] = {0};
        for (int t = 0; t < a->count[x]; t++)
            for (int c = 0; c < 4; c++)
                sum[c] += w[t] * p[4 * t + c];
        memcpy(out + 4 * (size_t)x, sum, sizeof(sum));
    }
}

static float clamp01(float v)
{
    return v > 0 ? v < 1 ? v : 1 : 0;
}

static void store_row(const struct job *j, const float *restrict row, uint8_t *restrict px)
{
    for (int x = 0; x < j->dst->width; x++, px += 4, row += 4) {
        px[3] = (uint8_t)(clamp01(row[3]) * 255.0f + 0.5f);
        if (px[3] == 0)
            continue; // coloured later, from its surroundings
        // By alpha before it is clamped: where it overshoots, colour does too.
        for (int c = 0; c < 3; c++)
            px[c] = srgb_encode(&j->encoder, clamp01(row[c] / row[3]));
    }
}

static void *run_band(void *arg)
{
    struct band *b = arg;
    const struct job *j = b->job;
    size_t n = 4 * (size_t)j->across.size, keep = (size_t)j->down.taps;
    // `keep` filtered rows as a ring, the source row, the sum.
    float *memory = malloc((n * (keep + 1) + 4 * (size_t)j->width) * sizeof(float));
    int done = j->down.first[b->from]; // rows before this one are in the ring

    b->result = memory ? ERR_OK : ERR_NOMEM;
    if (!memory)
        return NULL;
    float *sum = memory + n * keep, *source = sum + n;
    for (int y = b->from; y < b->to; y++) {
        const float *w = j->down.weight + (size_t)y * keep;
        int first = j->down.first[y];
        for (; done < first + j->down.count[y]; done++) {
            load_row(j, done, source);
            filter_across(j, source, memory + n * ((size_t)done % keep));
        }
        memset(sum, 0, n * sizeof(float));
        for (int t = 0; t < j->down.count[y]; t++) {
            const float *restrict row = memory + n * ((size_t)(first + t) % keep);
            for (size_t i = 0; i < n; i++)
                sum[i] += w[t] * row[i];
        }
        store_row(j, sum, j->dst->px + j->dst->stride * (size_t)y);
    }
    free(memory);
    return NULL;
}

static enum err run(const struct job *j, int threads)
{
    struct band band[THREADS_MAX];
    pthread_t id[THREADS_MAX];
    bool started[THREADS_MAX] = {false};
    int h = j->dst->height, n = threads < THREADS_MAX ? threads : THREADS_MAX;
    enum err e = ERR_OK;

    for (int i = 0; i < n; i++) {
        band[i] = (struct band){j, (int)((int64_t)h * i / n), (int)((int64_t)h * (i + 1) / n), 0};
        started[i] = i > 0 && pthread_create(&id[i], NULL, run_band, &band[i]) == 0;
    }
    for (int i = 0; i < n; i++) {
        if (started[i])
            pthread_join(id[i], NULL);
        else if (band[i].from < band[i].to)
            run_band(&band[i]);
        if (e == ERR_OK)
            e = band[i].result;
    }
    return e;
}

static bool wholly_transparent(const struct image *src, const struct fit_plan *p)
{
    int x1 = (int)ceil(p->crop_x + p->crop_w), y1 = (int)ceil(p->crop_y + p->crop_h);

    for (int y = (int)p->crop_y; y < y1 && y < src->height; y++) {
        const uint8_t *row = src->px + src->stride * (size_t)y;
        for (int x = (int)p->crop_x; x < x1 && x < src->width; x++)
            if (row[4 * (size_t)x + 3])
                return false;
    }
    return true;
}

static bool any_hidden(const struct image *im)
{
    for (int y = 0; y < im->height; y++)
        for (int x = 0; x < im->width; x++)
            if (!im->px[im->stride * (size_t)y + 4 * (size_t)x + 3])
                return true;
    return false;
}

static enum err job_init(struct job *j, const struct image *src, const struct fit_plan *plan,
                         struct image *dst)
{
    double scale_x = plan->crop_w / plan->width, scale_y = plan->crop_h / plan->height;
    double least = fmin(scale_x, scale_y);

    j->src = src;
    j->dst = dst;
    j->opaque = !src->has_alpha || wholly_transparent(src, plan);
    j->box = least >= BOX_SCALE_MIN ? (int)(least / 2) : 1;
    int w = (src->width + j->box - 1) / j->box, h = (src->height + j->box - 1) / j->box;
    if (!axis_init(&j->across, plan->width, plan->crop_x / j->box, scale_x / j->box, w))
        return ERR_NOMEM;
    if (!axis_init(&j->down, plan->height, plan->crop_y / j->box, scale_y / j->box, h)) {
        axis_free(&j->across);
        return ERR_NOMEM;
    }
    int last = plan->width - 1;
    j->from = j->across.first[0];
    j->width = j->across.first[last] + j->across.count[last] - j->from;
    srgb_encoder_init(&j->encoder);
    return ERR_OK;
}

enum err fit_resample(const struct image *src, const struct fit_plan *plan, int threads,
                      struct image *out)
{
    struct image dst;
    struct job j;

    enum err e = image_new(&dst, plan->width, plan->height);
    if (e)
        return e;
    e = job_init(&j, src, plan, &dst);
    if (e == ERR_OK) {
        e = run(&j, threads);
        axis_free(&j.across);
        axis_free(&j.down);
    }
    if (e == ERR_OK && any_hidden(&dst))
        e = spread_colour(&dst);
    if (e) {
        image_release(&dst);
        return e;
    }
    dst.has_alpha = image_any_alpha(&dst);
    *out = dst;
    return ERR_OK;
}
