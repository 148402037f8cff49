/* SPDX-License-Identifier: MIT */
#include "look/maps_internal.h"

/*
 * What stands before the rest: places that cannot be reached from the picture's border without
 * crossing a strong edge (minimum barrier distance by raster scans: Zhang et al., Minimum Barrier
 * Salient Object Detection at 80 FPS, 2015), and whose colour is unlike the border's. A thing that
 * touches one side of the picture is no ground for that: the side which a place is most unlike does
 * not count.
 */
enum { PASSES = 4, SIDES = 4 };

static const float SMALL_UNITS = 4.0f;               /* size of a pixel of the work */
static const float WEIGHT[LAB] = {1.0f, 2.5f, 2.5f}; /* OKLab's a and b are short */
static const float STRIP = 0.06f;                    /* of the long side: what is border */
static const float BARRIER_LEAST = 0.12f, UNLIKE_LEAST = 4.0f; /* less is no subject */
static const float FAR = 1e3f;

struct subject {
    struct look_maps *m;
    struct plane small[LAB]; /* the photo */
    struct plane far[LAB];   /* barrier on the way from the border; [0] at last: the answer */
    struct plane high[LAB], low[LAB]; /* of the way */
    struct plane unlike;              /* the border, over all sides but the worst */
};

static void reach(const struct subject *s, int k, size_t at, size_t from)
{
    float v = s->small[k].px[at], high = s->high[k].px[from], low = s->low[k].px[from];

    high = high > v ? high : v;
    low = low < v ? low : v;
    if (high - low < s->far[k].px[at]) {
        s->far[k].px[at] = high - low;
        s->high[k].px[at] = high;
        s->low[k].px[at] = low;
    }
}

// One channel: every scan carries the barrier on from the two neighbours it has just left.
static void barrier_channel(void *ctx, int k, int worker)
{
    const struct subject *s = ctx;
    int w = s->small[k].width, h = s->small[k].height;

    (void)worker;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            bool border = x == 0 || y == 0 || x == w - 1 || y == h - 1;
            plane_row(&s->far[k], y)[x] = border ? 0.0f : FAR;
            plane_row(&s->high[k], y)[x] = plane_row(&s->low[k], y)[x] =
                plane_row(&s->small[k], y)[x];
        }
    for (int pass = 0; pass < PASSES; pass++)
        for (int j = 1; j < h; j++)
            for (int i = 1; i < w; i++) {
                bool back = pass & 1;
                int y = back ? h - 1 - j : j, x = back ? w - 1 - i : i;
                size_t at = (size_t)y * (size_t)w + (size_t)x;
                reach(s, k, at, back ? at + (size_t)w : at - (size_t)w);
                reach(s, k, at, back ? at + 1 : at - 1);
            }
}

struct side {
    double mean[LAB], inverse[LAB][LAB]; /* of the covariance */
    float scale;                         /* 1 / greatest distance */
};

static void invert(double q[LAB][LAB], double out[LAB][LAB])
{
    double det = 0.0;

    for (int i = 0; i < LAB; i++)
        for (int j = 0; j < LAB; j++) {
            int a = (i + 1) % LAB, b = (i + 2) % LAB, c = (j + 1) % LAB, d = (j + 2) % LAB;
            out[j][i] = q[a][c] * q[b][d] - q[a][d] * q[b][c];
        }
    for (int i = 0; i < LAB; i++)
        det += q[0][i] * out[i][0];
    for (int i = 0; i < LAB * LAB; i++)
        out[i / LAB][i % LAB] /= det;
}

static float unlike_side(const struct side *side, const struct subject *s, size_t at)
{
    double d[LAB], sum = 0.0;

    for (int k = 0; k < LAB; k++)
        d[k] = (double)s->small[k].px[at] - side->mean[k];
    for (int i = 0; i < LAB; i++)
        for (int j = 0; j < LAB; j++)
            sum += d[i] * side->inverse[i][j] * d[j];
    return sqrtf(sum > 0.0 ? (float)sum : 0.0f);
}

// Mean and spread of the colours in x0..x1, y0..y1.
static void learn_side(const struct subject *s, int x0, int x1, int y0, int y1, struct side *out)
{
    double q[LAB][LAB] = {{0}}, n = (double)(x1 - x0) * (y1 - y0);
    const struct plane *small = s->small;

    *out = (struct side){.scale = 0.0f};
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            for (int i = 0; i < LAB; i++) {
                double v = plane_row(&small[i], y)[x];
                out->mean[i] += v / n;
                for (int j = 0; j < LAB; j++)
                    q[i][j] += v * (double)plane_row(&small[j], y)[x] / n;
            }
    for (int i = 0; i < LAB; i++) {
        for (int j = 0; j < LAB; j++)
            q[i][j] -= out->mean[i] * out->mean[j];
        // A side of one colour must not make all else infinitely far.
        q[i][i] += i == 0 ? 2e-4 : 4e-5;
    }
    invert(q, out->inverse);
    float most = UNLIKE_LEAST;
    for (size_t at = 0; at < (size_t)small->width * (size_t)small->height; at++) {
        float d = unlike_side(out, s, at);
        most = d > most ? d : most;
    }
    out->scale = 1.0f / most;
}

static void unlike_border(const struct subject *s)
{
    int w = s->unlike.width, h = s->unlike.height;
    int strip = (int)(STRIP * (float)(w > h ? w : h)) + 1;
    int across = strip < w ? strip : w, down = strip < h ? strip : h;
    struct side side[SIDES];

    learn_side(s, 0, w, 0, down, &side[0]);
    learn_side(s, 0, w, h - down, h, &side[1]);
    learn_side(s, 0, across, 0, h, &side[2]);
    learn_side(s, w - across, w, 0, h, &side[3]);
    for (size_t at = 0; at < (size_t)w * (size_t)h; at++) {
        float sum = 0.0f, most = 0.0f;
        for (int i = 0; i < SIDES; i++) {
            float d = side[i].scale * unlike_side(&side[i], s, at);
            sum += d;
            most = d > most ? d : most;
        }
        s->unlike.px[at] = sum - most;
    }
}

static float greatest(const struct plane *p, float least)
{
    for (size_t at = 0; at < (size_t)p->width * (size_t)p->height; at++)
        least = p->px[at] > least ? p->px[at] : least;
    return least;
}

// Both measures as one, 0..1; the second is greatest where all other sides are at their farthest.
static void judge(const struct subject *s)
{
    const struct plane *far = s->far;
    size_t n = (size_t)far->width * (size_t)far->height;

    for (size_t at = 0; at < n; at++)
        far[0].px[at] = WEIGHT[0] * far[0].px[at] + WEIGHT[1] * far[1].px[at] +
                        WEIGHT[2] * far[2].px[at];
    float barrier = 1.0f / greatest(&far[0], BARRIER_LEAST);
    float unlike = 1.0f / greatest(&s->unlike, 1.0f);
    for (size_t at = 0; at < n; at++)
        far[0].px[at] = barrier * far[0].px[at] + unlike * s->unlike.px[at];
    float most = greatest(&far[0], 0.5f);
    for (size_t at = 0; at < n; at++)
        far[0].px[at] = smoothf(0.16f, 0.62f, far[0].px[at] / most);
}

static void grow_row(void *ctx, int y, int worker)
{
    const struct subject *s = ctx;
    const struct plane *small = &s->far[0];
    float *out = plane_row(&s->m->subject, y);
    float sx = (float)small->width / (float)s->m->subject.width;
    float sy = (float)small->height / (float)s->m->subject.height;

    (void)worker;
    for (int x = 0; x < s->m->subject.width; x++)
        out[x] = plane_at(small, ((float)x + 0.5f) * sx, ((float)y + 0.5f) * sy);
}

enum { WORK = 4 * LAB + 1 };

enum err maps_subject(struct map_maker *k)
{
    struct look_maps *m = k->m;
    struct subject s = {.m = m};
    struct plane *work[WORK];
    float step = SMALL_UNITS * m->half_per_unit > 1.0f ? SMALL_UNITS * m->half_per_unit : 1.0f;
    int w = (int)((float)m->half[0].width / step) + 1;
    int h = (int)((float)m->half[0].height / step) + 1;
    enum err e = half_planes(k, &m->subject, 1);

    for (int i = 0; i < LAB; i++) {
        work[4 * i] = &s.small[i];
        work[4 * i + 1] = &s.far[i];
        work[4 * i + 2] = &s.high[i];
        work[4 * i + 3] = &s.low[i];
    }
    work[WORK - 1] = &s.unlike;
    for (int i = 0; i < WORK && e == ERR_OK; i++)
        e = plane_new(work[i], w, h);
    for (int i = 0; i < LAB && e == ERR_OK; i++)
        if (!plane_resample(&m->half[i], &s.small[i], k->pool, k->cancel))
            e = ERR_CANCELLED;
    if (e == ERR_OK && !rows_run(k, LAB, barrier_channel, &s))
        e = ERR_CANCELLED;
    if (e == ERR_OK) {
        unlike_border(&s);
        judge(&s);
        if (!rows_run(k, m->subject.height, grow_row, &s))
            e = ERR_CANCELLED;
    }
    for (int i = 0; i < WORK; i++)
        plane_release(work[i]);
    return e;
}
