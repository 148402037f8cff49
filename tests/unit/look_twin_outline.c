/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

/* Maps that are drawn and printed from: contours, tones, flat colours, ink. */

/* A difference of Gaussians, gathered six steps along the edge both ways (Kang et al. 2007), with
 * the picture's mean line at a half. Keeps its heading where the field turns over. */
static double gathered(const struct look_maps *m, const struct grid *c, const struct grid *s,
                       const struct grid *dog, int x, int y, double sign)
{
    static const double WEIGHT[6] = {0.94, 0.80, 0.61, 0.41, 0.25, 0.14};
    double step = fmax(1.2 * (double)m->full_per_unit, 0.7), px = x + 0.5, py = y + 0.5;
    double hx = 0.0, hy = 0.0, sum = 0.0;

    for (int i = 0; i < 6; i++) {
        double dx = grid_px(c, (int)floor(0.5 * px), (int)floor(0.5 * py));
        double dy = grid_px(s, (int)floor(0.5 * px), (int)floor(0.5 * py));
        double way = i == 0 ? sign : dx * hx + dy * hy < 0.0 ? -1.0 : 1.0;
        hx = way * dx;
        hy = way * dy;
        px += step * hx;
        py += step * hy;
        sum += WEIGHT[i] * grid_at(dog, px, py);
    }
    return sum;
}

// The direction of edges of 1.2 units and more, as cosine and sine.
static void edges(const struct look_maps *m, struct desk *d, struct grid *c, struct grid *s)
{
    double per = (double)m->half_per_unit;
    struct grid soft = tw_blur(d, tw_copy(d, &m->half[0]), 1.2 * per);
    struct grid xx = tw_grid(d, soft.w, soft.h), xy = tw_grid(d, soft.w, soft.h);
    struct grid yy = tw_grid(d, soft.w, soft.h);

    for (int y = 0; y < soft.h; y++)
        for (int x = 0; x < soft.w; x++) {
            double gx, gy;
            grid_slope(&soft, x, y, &gx, &gy);
            *tw_cell(&xx, x, y) = 4.0 * gx * gx;
            *tw_cell(&xy, x, y) = 4.0 * gx * gy;
            *tw_cell(&yy, x, y) = 4.0 * gy * gy;
        }
    xx = tw_blur(d, xx, 2.6 * per);
    xy = tw_blur(d, xy, 2.6 * per);
    yy = tw_blur(d, yy, 2.6 * per);
    *c = tw_grid(d, soft.w, soft.h);
    *s = tw_grid(d, soft.w, soft.h);
    for (int i = 0; i < soft.w * soft.h; i++)
        tw_halve(yy.v[i] - xx.v[i] + 1e-5 * (double)m->flow_c.px[i],
                 -2.0 * xy.v[i] + 1e-5 * (double)m->flow_s.px[i], &c->v[i], &s->v[i]);
}

static struct grid contours(const struct look_maps *m, const struct plane *L, double sigma,
                            struct desk *d)
{
    struct grid c, s, dog = tw_blur(d, tw_copy(d, L), 1.93 * sigma), out;
    struct grid inner = tw_blur(d, tw_copy(d, L), sigma);
    double sum = 0.0, n = 1.0;

    edges(m, d, &c, &s);
    out = tw_grid(d, dog.w, dog.h);
    for (int i = 0; i < dog.w * dog.h; i++)
        dog.v[i] -= inner.v[i];
    for (int y = 0; y < out.h; y++)
        for (int x = 0; x < out.w; x++) {
            double v = (*tw_cell(&dog, x, y) + gathered(m, &c, &s, &dog, x, y, 1.0) +
                        gathered(m, &c, &s, &dog, x, y, -1.0)) /
                       7.3;
            *tw_cell(&out, x, y) = v;
            sum += v > 0.004 ? v : 0.0;
            n += v > 0.004;
        }
    for (int i = 0; i < out.w * out.h; i++)
        out.v[i] = tw_clamp(out.v[i] * 0.5 / (sum / n + 0.008), 0.0, 1.0);
    return out;
}

static void lines(const struct look_maps *m, const struct image *source, struct desk *d,
                  struct grid *out)
{
    (void)source;
    *out = contours(m, &m->fine[0], 0.7 * fmax((double)m->full_per_unit, 0.7), d);
}

// The share of values that are below.
static double rank_of(const struct grid *g, double v)
{
    double below = 0.0;

    for (int i = 0; i < g->w * g->h; i++)
        below += g->v[i] < v;
    return below / (g->w * g->h);
}

// Where a tone goes: stretched from the darkest to the lightest, and by its rank.
static double spread_to(const struct grid *g, double v, double lo, double hi)
{
    double spread = fmax(hi - lo, 0.33), middle = 0.5 * (hi + lo);
    double from = tw_clamp(middle - 0.5 * spread, 0.0, 1.0 - spread);

    return tw_mix(tw_clamp((v - from) / spread, 0.0, 1.0), rank_of(g, v),
                  0.4 * tw_smooth(0.1, 0.4, hi - lo));
}

static void tone(const struct look_maps *m, const struct image *source, struct desk *d,
                 struct grid *out)
{
    struct grid base = tw_blur(d, tw_copy(d, &m->half[0]), 40.0 * (double)m->half_per_unit);
    double lo = 0.0, hi = 1.0, curve[1025];

    (void)source;
    *out = tw_grid(d, m->full[0].width, m->full[0].height);
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++) {
            double v = 0.5 * (tw_px(&m->full[0], x, y) + tw_px(&m->fine[0], x, y));
            double around = grid_at(&base, 0.5 * (x + 0.5), 0.5 * (y + 0.5));
            *tw_cell(out, x, y) = tw_clamp(v + 0.35 * (v - around), 0.0, 1.0);
        }
    // In steps of 1/1024, straight between.
    for (int i = 0; i <= 1024; i++) {
        lo = rank_of(out, i / 1024.0) <= 0.015 ? i / 1024.0 : lo;
        hi = rank_of(out, i / 1024.0) <= 0.985 ? i / 1024.0 : hi;
    }
    for (int i = 0; i <= 1024; i++)
        curve[i] = spread_to(out, i == 1024 ? 2.0 : i / 1024.0, lo, hi);
    for (int i = 0; i < out->w * out->h; i++) {
        double at = out->v[i] * 1024.0;
        int k = clampi((int)at, 0, 1023);
        out->v[i] = tw_mix(curve[k], curve[k + 1], at - k);
    }
}

// One pass of the bilateral filter along one axis; Tukey's weight of the difference of colour.
static void bilateral(struct desk *d, struct grid lab[LAB], double sigma, int reach, bool down)
{
    struct grid out[LAB];

    for (int k = 0; k < LAB; k++)
        out[k] = tw_grid(d, lab[k].w, lab[k].h);
    for (int y = 0; y < lab[0].h; y++)
        for (int x = 0; x < lab[0].w; x++) {
            double sum[LAB] = {0}, total = 0.0;
            for (int i = -reach; i <= reach; i++) {
                double c[LAB], far = 0.0;
                for (int k = 0; k < LAB; k++) {
                    c[k] = grid_px(&lab[k], down ? x : x + i, down ? y + i : y);
                    far += pow((k == 0 ? 1.0 : 2.0) * (c[k] - *tw_cell(&lab[k], x, y)), 2.0);
                }
                double weight = exp(-0.5 * i * i / (sigma * sigma + 0.1)) *
                                pow(fmax(1.0 - far / (0.055 * 0.055), 0.0), 2.0);
                for (int k = 0; k < LAB; k++)
                    sum[k] += weight * c[k];
                total += weight;
            }
            for (int k = 0; k < LAB; k++)
                *tw_cell(&out[k], x, y) = sum[k] / total;
        }
    memcpy(lab, out, sizeof(out));
}

static void flat(const struct look_maps *m, const struct image *source, struct desk *d,
                 struct grid *out)
{
    double sigma = 3.0 * (double)m->full_per_unit;
    int reach = clampi((int)(1.6 * sigma + 0.5), 1, 6);

    (void)source;
    for (int k = 0; k < LAB; k++) {
        out[k] = tw_copy(d, &m->fine[k]);
        for (int y = 0; y < out[k].h; y++)
            for (int x = 0; x < out[k].w; x++) {
                double care = tw_at(&m->importance, 0.5 * (x + 0.5), 0.5 * (y + 0.5));
                double *px = tw_cell(&out[k], x, y);
                *px = tw_mix(*px, tw_px(&m->full[k], x, y), tw_smooth(0.15, 0.4, care));
            }
    }
    for (int i = 0; i < 6; i++)
        bilateral(d, out, sigma, reach, i & 1);
}

// Each pixel above .2 gets the first pixel of the line that it hangs together with, 0: none.
static void label_lines(const struct grid *ink, struct grid *label)
{
    bool moved = true;

    for (int i = 0; i < ink->w * ink->h; i++)
        label->v[i] = ink->v[i] > 0.2 ? i + 1.0 : 0.0;
    while (moved) {
        moved = false;
        for (int y = 0; y < ink->h; y++)
            for (int x = 0; x < ink->w; x++)
                for (int j = -1; j <= 1; j++)
                    for (int i = -1; i <= 1; i++) {
                        double *at = tw_cell(label, x, y), other = grid_px(label, x + i, y + j);
                        if (*at > 0.0 && other > 0.0 && other < *at) {
                            *at = other;
                            moved = true;
                        }
                    }
    }
}

// Lines that are nowhere strong or too short are dropped.
static void drop_specks(const struct look_maps *m, struct grid *ink, struct desk *d)
{
    struct grid label = tw_grid(d, ink->w, ink->h), was = tw_grid(d, ink->w, ink->h);
    int n = ink->w * ink->h;

    memcpy(was.v, ink->v, sizeof(double) * (size_t)n);
    label_lines(ink, &label);
    for (int first = 0; first < n; first++) {
        double peak = 0.0;
        int x0 = ink->w, x1 = 0, y0 = ink->h, y1 = 0;
        if ((int)label.v[first] != first + 1)
            continue;
        for (int i = 0; i < n; i++)
            if ((int)label.v[i] == first + 1) {
                int x = i % ink->w, y = i / ink->w;
                x0 = x < x0 ? x : x0, x1 = x > x1 ? x : x1;
                y0 = y < y0 ? y : y0, y1 = y > y1 ? y : y1;
                peak = fmax(peak, was.v[i]);
            }
        int extent = (x1 - x0 > y1 - y0 ? x1 - x0 : y1 - y0) + 1;
        double care =
            tw_near(&m->importance, 0.5 * (first % ink->w + 0.5), 0.5 * (first / ink->w + 0.5));
        double least = 12.0 * (double)m->full_per_unit * (1.0 - 0.75 * tw_smooth(0.2, 0.5, care));
        for (int i = 0; i < n; i++)
            if ((int)label.v[i] == first + 1 && (peak < 0.5 || extent < least))
                ink->v[i] = 0.0;
    }
}

// The least (or the most) of the square around each pixel.
static struct grid extreme(const struct grid *g, int reach, bool most, struct desk *d)
{
    struct grid out = tw_grid(d, g->w, g->h);

    for (int y = 0; y < g->h; y++)
        for (int x = 0; x < g->w; x++) {
            double v = *tw_cell(g, x, y);
            for (int j = -reach; j <= reach; j++)
                for (int i = -reach; i <= reach; i++) {
                    double other = grid_px(g, x + i, y + j);
                    v = most ? fmax(v, other) : fmin(v, other);
                }
            *tw_cell(&out, x, y) = v;
        }
    return out;
}

// What opening by a square of 4 units takes away, and what is near it.
static void strokes(const struct look_maps *m, const struct image *source, struct desk *d,
                    struct grid *out)
{
    int reach = clampi((int)(0.5 * 4.0 * (double)m->full_per_unit + 0.5), 1, 3);
    struct grid L = tw_copy(d, &m->flat[0]), least = extreme(&L, reach, false, d);
    struct grid open = extreme(&least, reach, true, d);

    (void)source;
    *out = tw_grid(d, m->half[0].width, m->half[0].height);
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++) {
            double fx = 2.0 * (x + 0.5), fy = 2.0 * (y + 0.5);
            *tw_cell(out, x, y) =
                tw_smooth(0.08, 0.2, grid_at(&L, fx, fy) - grid_at(&open, fx, fy));
        }
    *out = tw_blur(d, *out, 5.0 * (double)m->half_per_unit);
    for (int i = 0; i < out->w * out->h; i++)
        out->v[i] = tw_smooth(0.06, 0.2, out->v[i]);
}

static void ink(const struct look_maps *m, const struct image *source, struct desk *d,
                struct grid *out)
{
    double per = (double)m->full_per_unit;
    struct grid base = tw_blur(d, tw_copy(d, &m->full[0]), 7.0 * per);
    int near = clampi((int)(2.5 * per + 0.5), 1, 3);

    (void)source;
    out[0] = contours(m, &m->flat[0], 1.05 * fmax(per, 0.6), d);
    drop_specks(m, out, d);
    // Of the strongest ink nearby.
    out[1] = tw_grid(d, out->w, out->h);
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++) {
            double ink = *tw_cell(out, x, y), most = ink;
            for (int j = -near; j <= near; j++)
                for (int i = -near; i <= near; i++)
                    most = fmax(most, grid_px(out, x + i, y + j));
            *tw_cell(&out[1], x, y) = tw_smooth(0.1, 0.3, ink) * ink / (most + 1e-6);
        }
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++) {
            double hx = 0.5 * (x + 0.5), hy = 0.5 * (y + 0.5), around = *tw_cell(&base, x, y);
            double darker = around - tw_px(&m->full[0], x, y), dark = tw_clamp(4.0 * darker, 0, 1);
            double care = tw_smooth(0.15, 0.4, tw_at(&m->importance, hx, hy));
            double fine = tw_at(&m->strokes, hx, hy), light = tw_at(&m->skew, hx, hy);
            double small = fmax(tw_at(&m->lettering, hx, hy), fine * (1.0 - light));
            double bare = fine * light * (1.0 - tw_smooth(0.4, 0.5, around));
            for (int i = 0; i < 2; i++) {
                double *px = tw_cell(&out[i], x, y);
                *px = fmax(*px, tw_clamp(2.25 * darker, 0.0, 1.0) * care);
                *px = tw_mix(*px, dark, small) * (1.0 - bare);
            }
        }
}

const struct twin look_twins_outline[] = {
    {"lines", .map = lines, .near = 1e-3, .rare = 0.002},
    {"tone", .map = tone, .near = 1e-3},
    {"flat", .map = flat, .near = 1e-4},
    {"strokes", .map = strokes, .near = 1e-3},
    {"ink ridge", .map = ink, .near = 1e-3, .rare = 0.002},
    {0},
};
