/* SPDX-License-Identifier: MIT */
#include "look/maps_internal.h"
#include "look/span.h"

/*
 * What a draughtsman sees: the tones, spread over what paper and pencil reach, and the contours, by
 * a difference of Gaussians that is gathered along the edge (Kang et al. 2007, Winnemoeller et al.
 * 2012), so that a contour is one line however uneven the photo is along it.
 */
enum { XX, XY, YY, TENSOR };

struct lines {
    struct look_maps *m;
    struct plane tensor[TENSOR]; /* half size; then XX, XY hold the unit direction of the edge */
    struct plane soft;           /* half size */
    struct plane inner, outer;   /* full size; then `inner` is their difference */
    struct plane *out;           /* full size */
    float gain;
};

static void edge_tensor_row(void *ctx, int y, int worker)
{
    struct lines *l = ctx;
    int w = l->soft.width, h = l->soft.height;
    const float *at = plane_row(&l->soft, y);
    const float *above = plane_row(&l->soft, y > 0 ? y - 1 : 0);
    const float *below = plane_row(&l->soft, y + 1 < h ? y + 1 : y);

    (void)worker;
    for (int x = 0; x < w; x++) {
        float gx = at[x + 1 < w ? x + 1 : x] - at[x > 0 ? x - 1 : 0], gy = below[x] - above[x];
        plane_row(&l->tensor[XX], y)[x] = gx * gx;
        plane_row(&l->tensor[XY], y)[x] = gx * gy;
        plane_row(&l->tensor[YY], y)[x] = gy * gy;
    }
}

static void edge_direction_row(void *ctx, int y, int worker)
{
    struct lines *l = ctx;
    float *xx = plane_row(&l->tensor[XX], y), *xy = plane_row(&l->tensor[XY], y);
    const float *yy = plane_row(&l->tensor[YY], y);
    const float *c = plane_row(&l->m->flow_c, y), *s = plane_row(&l->m->flow_s, y);

    (void)worker;
    for (int x = 0; x < l->soft.width; x++) {
        // Twice the angle; the wide flow decides where there is no edge.
        float dx = yy[x] - xx[x] + 1e-5f * c[x], dy = -2.0f * xy[x] + 1e-5f * s[x];
        float n = sqrtf(dx * dx + dy * dy) + 1e-12f;
        half_angle(dx / n, dy / n, &xx[x], &xy[x]);
    }
}

static void difference_row(void *ctx, int y, int worker)
{
    struct lines *l = ctx;
    float *in = plane_row(&l->inner, y);
    const float *out = plane_row(&l->outer, y);

    (void)worker;
    for (int x = 0; x < l->inner.width; x++)
        in[x] = out[x] - in[x];
}

// A walk along the edge from each pixel of a span.
struct walk {
    float x[SPAN], y[SPAN], hx[SPAN], hy[SPAN];
};

// A step on, the way it came where the field turns over.
static void step_on(const struct lines *l, struct walk *restrict k, float step, int n)
{
    const float *xx = l->tensor[XX].px, *xy = l->tensor[XY].px;
    int w = l->tensor[XX].width, last_x = w - 1, last_y = l->tensor[XX].height - 1;

    for (int i = 0; i < n; i++) {
        int at = clampi((int)(0.5f * k->y[i]), 0, last_y) * w +
                 clampi((int)(0.5f * k->x[i]), 0, last_x);
        float dx = xx[at], dy = xy[at];
        float turn = dx * k->hx[i] + dy * k->hy[i] < 0.0f ? -1.0f : 1.0f;
        k->hx[i] = turn * dx;
        k->hy[i] = turn * dy;
        k->x[i] += step * k->hx[i];
        k->y[i] += step * k->hy[i];
    }
}

static void gather_span(const struct lines *l, int x0, int y, int n, float sign, float step,
                        float *sum)
{
    static const float WEIGHT[] = {0.94f, 0.80f, 0.61f, 0.41f, 0.25f, 0.14f};
    struct walk k;
    float there[SPAN];

    for (int i = 0; i < n; i++) {
        k.x[i] = (float)(x0 + i) + 0.5f;
        k.y[i] = (float)y + 0.5f;
        // As the field says at first, or the other way.
        k.hx[i] = sign * plane_near(&l->tensor[XX], 0.5f * k.x[i], 0.5f * k.y[i]);
        k.hy[i] = sign * plane_near(&l->tensor[XY], 0.5f * k.x[i], 0.5f * k.y[i]);
    }
    for (size_t at = 0; at < sizeof(WEIGHT) / sizeof(WEIGHT[0]); at++) {
        step_on(l, &k, step, n);
        span_plane(&l->inner, 1.0f, k.x, k.y, n, there);
        for (int i = 0; i < n; i++)
            sum[i] += WEIGHT[at] * there[i];
    }
}

// Walks along the edge both ways from each pixel.
static void gather_row(void *ctx, int y, int worker)
{
    struct lines *l = ctx;
    float step = 1.2f * l->m->full_per_unit;
    int w = l->inner.width;

    (void)worker;
    step = step > 0.7f ? step : 0.7f;
    for (int x0 = 0; x0 < w; x0 += SPAN) {
        const float *own = plane_row(&l->inner, y) + x0;
        float *out = plane_row(l->out, y) + x0, ahead[SPAN] = {0}, behind[SPAN] = {0};
        int n = span_of(x0, w);
        gather_span(l, x0, y, n, 1.0f, step, ahead);
        gather_span(l, x0, y, n, -1.0f, step, behind);
        for (int i = 0; i < n; i++)
            out[i] = (own[i] + ahead[i] + behind[i]) * (1.0f / 7.3f);
    }
}

// Contrast is relative to the picture's own: the mean of what is clearly a line becomes 1/2.
static float gain_of(const struct plane *p)
{
    double sum = 0.0;
    int64_t n = 1;

    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            float v = plane_row(p, y)[x];
            sum += v > 0.004f ? v : 0.0f;
            n += v > 0.004f;
        }
    return 0.5f / (float)(sum / (double)n + 0.008);
}

static void gain_row(void *ctx, int y, int worker)
{
    struct lines *l = ctx;
    float *out = plane_row(l->out, y);

    (void)worker;
    for (int x = 0; x < l->inner.width; x++)
        out[x] = clampf(out[x] * l->gain, 0.0f, 1.0f);
}

enum err maps_contours(struct map_maker *k, const struct plane *L, float sigma, struct plane *out)
{
    struct look_maps *m = k->m;
    struct lines l = {.m = m, .out = out};
    struct plane tmp[TENSOR + 1];
    int w = m->full[0].width, h = m->full[0].height;
    enum err e = half_planes(k, tmp, TENSOR + 1);

    if (e != ERR_OK)
        return e;
    for (int i = 0; i < TENSOR; i++)
        l.tensor[i] = tmp[i];
    l.soft = tmp[TENSOR];
    e = plane_new(&l.inner, w, h);
    if (e == ERR_OK)
        e = plane_new(&l.outer, w, h);
    if (e == ERR_OK)
        e = plane_new(out, w, h);
    if (e != ERR_OK)
        goto out;
    e = ERR_CANCELLED;
    if (!half_blur(k, &m->half[0], &l.soft, 1.2f) ||
        !rows_run(k, l.soft.height, edge_tensor_row, &l))
        goto out;
    for (int i = 0; i < TENSOR; i++)
        if (!half_blur(k, &l.tensor[i], &l.tensor[i], 2.6f))
            goto out;
    if (!rows_run(k, l.soft.height, edge_direction_row, &l) ||
        !plane_blur(L, &l.inner, sigma, &k->scratch) ||
        !plane_blur(L, &l.outer, 1.93f * sigma, &k->scratch) ||
        !rows_run(k, h, difference_row, &l) || !rows_run(k, h, gather_row, &l))
        goto out;
    l.gain = gain_of(out);
    if (rows_run(k, h, gain_row, &l))
        e = ERR_OK;
out:
    plane_release(&l.inner);
    plane_release(&l.outer);
    planes_release(tmp, TENSOR + 1);
    return e;
}

enum err maps_lines(struct map_maker *k)
{
    // A line is at least as wide as a pixel can show.
    float pixel = k->m->full_per_unit > 0.7f ? k->m->full_per_unit : 0.7f;

    return maps_contours(k, &k->m->fine[0], 0.7f * pixel, &k->m->lines);
}

/*
 * Tones: half of what the photo has, stretched from its darkest to its lightest, and half its rank
 * among all pixels (a photo that is dark all over still uses all of the paper), with local contrast
 * raised first.
 */
enum { BINS = 1024 };

struct tone {
    struct look_maps *m;
    struct plane base; /* half size */
    float curve[BINS + 1];
};

static void local_contrast_row(void *ctx, int y, int worker)
{
    struct tone *t = ctx;
    const float *L = plane_row(&t->m->full[0], y), *fine = plane_row(&t->m->fine[0], y);
    float *out = plane_row(&t->m->tone, y);

    (void)worker;
    for (int x = 0; x < t->m->tone.width; x++) {
        float base = plane_at(&t->base, 0.5f * ((float)x + 0.5f), 0.5f * ((float)y + 0.5f));
        // Half of the grain: small letters are grain to the filter that makes `fine`.
        float v = 0.5f * (L[x] + fine[x]);
        out[x] = clampf(v + 0.35f * (v - base), 0.0f, 1.0f);
    }
}

static void make_curve(struct tone *t)
{
    int64_t count[BINS] = {0}, all = (int64_t)t->m->tone.width * t->m->tone.height, below = 0;
    float rank[BINS + 1], lo = 0.0f, hi = 1.0f;

    for (int y = 0; y < t->m->tone.height; y++)
        for (int x = 0; x < t->m->tone.width; x++)
            count[clampi((int)(plane_row(&t->m->tone, y)[x] * BINS), 0, BINS - 1)]++;
    for (int i = 0; i <= BINS; i++) {
        rank[i] = (float)((double)below / (double)all);
        if (rank[i] <= 0.015f)
            lo = (float)i / BINS;
        if (rank[i] <= 0.985f)
            hi = (float)i / BINS;
        below += i < BINS ? count[i] : 0;
    }
    // A calm picture stays calm: its contrast is raised three times at most.
    float spread = hi - lo > 0.33f ? hi - lo : 0.33f, middle = 0.5f * (hi + lo);
    float rank_share = 0.4f * smoothf(0.1f, 0.4f, hi - lo);
    lo = clampf(middle - 0.5f * spread, 0.0f, 1.0f - spread);
    for (int i = 0; i <= BINS; i++)
        t->curve[i] =
            mixf(clampf(((float)i / BINS - lo) / spread, 0.0f, 1.0f), rank[i], rank_share);
}

static void curve_row(void *ctx, int y, int worker)
{
    struct tone *t = ctx;
    float *out = plane_row(&t->m->tone, y);

    (void)worker;
    for (int x = 0; x < t->m->tone.width; x++) {
        float at = out[x] * BINS;
        int i = clampi((int)at, 0, BINS - 1);
        out[x] = mixf(t->curve[i], t->curve[i + 1], at - (float)i);
    }
}

enum err maps_tone(struct map_maker *k)
{
    struct look_maps *m = k->m;
    struct tone t = {.m = m};
    int h = m->full[0].height;
    enum err e = half_planes(k, &t.base, 1);

    if (e == ERR_OK)
        e = plane_new(&m->tone, m->full[0].width, h);
    if (e == ERR_OK &&
        (!half_blur(k, &m->half[0], &t.base, 40.0f) || !rows_run(k, h, local_contrast_row, &t)))
        e = ERR_CANCELLED;
    if (e == ERR_OK) {
        make_curve(&t);
        if (!rows_run(k, h, curve_row, &t))
            e = ERR_CANCELLED;
    }
    plane_release(&t.base);
    return e;
}
