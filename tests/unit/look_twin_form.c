/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

/* The subject of the photo, and the photo as a relief. */

// The way from the border with the least difference between its highest and lowest (Zhang et al.
// 2015): four scans, each carrying on from the two neighbours that it has just left.
static struct grid barrier(const struct grid *c, struct desk *d)
{
    struct grid far = tw_grid(d, c->w, c->h), high = tw_grid(d, c->w, c->h);
    struct grid low = tw_grid(d, c->w, c->h);

    for (int y = 0; y < c->h; y++)
        for (int x = 0; x < c->w; x++) {
            bool rim = x == 0 || y == 0 || x == c->w - 1 || y == c->h - 1;
            *tw_cell(&far, x, y) = rim ? 0.0 : 1e3;
            *tw_cell(&high, x, y) = *tw_cell(&low, x, y) = *tw_cell(c, x, y);
        }
    for (int pass = 0; pass < 4; pass++)
        for (int j = 1; j < c->h; j++)
            for (int i = 1; i < c->w; i++) {
                int way = pass % 2 ? 1 : -1, x = pass % 2 ? c->w - 1 - i : i;
                int y = pass % 2 ? c->h - 1 - j : j;
                for (int k = 0; k < 2; k++) {
                    int nx = k ? x + way : x, ny = k ? y : y + way;
                    double top = fmax(*tw_cell(&high, nx, ny), *tw_cell(c, x, y));
                    double bottom = fmin(*tw_cell(&low, nx, ny), *tw_cell(c, x, y));
                    if (top - bottom >= *tw_cell(&far, x, y))
                        continue;
                    *tw_cell(&far, x, y) = top - bottom;
                    *tw_cell(&high, x, y) = top;
                    *tw_cell(&low, x, y) = bottom;
                }
            }
    return far;
}

// Mahalanobis' distance: d' Q^-1 d, by elimination.
static double unlike(const double mean[LAB], const double cov[LAB][LAB], const double c[LAB])
{
    double q[LAB][LAB + 1], sum = 0.0;

    for (int i = 0; i < LAB; i++) {
        for (int j = 0; j < LAB; j++)
            q[i][j] = cov[i][j];
        q[i][LAB] = c[i] - mean[i];
    }
    for (int i = 0; i < LAB; i++)
        for (int j = 0; j < LAB; j++) {
            double share = q[j][i] / q[i][i];
            for (int k = 0; k <= LAB && j != i; k++)
                q[j][k] -= share * q[i][k];
        }
    for (int i = 0; i < LAB; i++)
        sum += (c[i] - mean[i]) * q[i][LAB] / q[i][i];
    return sqrt(fmax(sum, 0.0));
}

// How unlike one side's strip each place is, at most 1.
static struct grid unlike_side(struct desk *d, const struct grid c[LAB], int x0, int x1, int y0,
                               int y1)
{
    struct grid out = tw_grid(d, c[0].w, c[0].h);
    double mean[LAB] = {0}, cov[LAB][LAB] = {{0}}, n = (x1 - x0) * (y1 - y0), most = 4.0, at[LAB];

    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            for (int i = 0; i < LAB; i++)
                mean[i] += *tw_cell(&c[i], x, y) / n;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            for (int i = 0; i < LAB; i++)
                for (int j = 0; j < LAB; j++)
                    cov[i][j] += (*tw_cell(&c[i], x, y) - mean[i]) *
                                 (*tw_cell(&c[j], x, y) - mean[j]) / n;
    for (int i = 0; i < LAB; i++)
        cov[i][i] += i == 0 ? 2e-4 : 4e-5;
    for (int i = 0; i < out.w * out.h; i++) {
        for (int k = 0; k < LAB; k++)
            at[k] = c[k].v[i];
        out.v[i] = unlike(mean, cov, at);
        most = fmax(most, out.v[i]);
    }
    for (int i = 0; i < out.w * out.h; i++)
        out.v[i] /= most;
    return out;
}

static double greatest(const struct grid *g, double least)
{
    for (int i = 0; i < g->w * g->h; i++)
        least = fmax(least, g->v[i]);
    return least;
}

static void subject(const struct look_maps *m, const struct image *source, struct desk *d,
                    struct grid *out)
{
    double step = fmax(4.0 * (double)m->half_per_unit, 1.0);
    int w = (int)(m->half[0].width / step) + 1, h = (int)(m->half[0].height / step) + 1;
    int strip = (int)(0.06f * (float)(w > h ? w : h)) + 1;
    int across = strip < w ? strip : w, down = strip < h ? strip : h;
    struct grid c[LAB], way[LAB], side[4], both = tw_grid(d, w, h), far = tw_grid(d, w, h);

    (void)source;
    for (int k = 0; k < LAB; k++) {
        c[k] = tw_shrink(d, tw_copy(d, &m->half[k]), w, h);
        way[k] = barrier(&c[k], d);
    }
    side[0] = unlike_side(d, c, 0, w, 0, down);
    side[1] = unlike_side(d, c, 0, w, h - down, h);
    side[2] = unlike_side(d, c, 0, across, 0, h);
    side[3] = unlike_side(d, c, w - across, w, 0, h);
    for (int i = 0; i < w * h; i++) {
        double most = 0.0;
        for (int k = 0; k < 4; k++) {
            both.v[i] += side[k].v[i];
            most = fmax(most, side[k].v[i]);
        }
        both.v[i] -= most;
        far.v[i] = way[0].v[i] + 2.5 * way[1].v[i] + 2.5 * way[2].v[i];
    }
    double a = greatest(&far, 0.12), b = greatest(&both, 1.0);
    for (int i = 0; i < w * h; i++)
        far.v[i] = far.v[i] / a + both.v[i] / b;
    double most = greatest(&far, 0.5);
    for (int i = 0; i < w * h; i++)
        far.v[i] = tw_smooth(0.16, 0.62, far.v[i] / most);
    *out = tw_grid(d, m->subject.width, m->subject.height);
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++)
            *tw_cell(out, x, y) = grid_at(&far, (x + 0.5) * w / out->w, (y + 0.5) * h / out->h);
}

/* What the relief is made of; half size. */
enum { BANDS = 4 };

struct carving {
    const struct look_maps *m;
    struct desk *d;
    double per;
    struct grid T;    /* lightness without texture */
    struct grid own;  /* the subject, with the photo's outline */
    struct grid bulk; /* lightness against its surroundings */
    struct grid deep; /* what hollows are found in */
    struct grid band[BANDS];
    double scale[BANDS];
};

static void smooth(struct carving *c, double eps)
{
    struct grid slope, rest;

    tw_guided(c->d, &c->T, &c->T, 7.0 * c->per, eps, &slope, &rest);
    for (int i = 0; i < c->T.w * c->T.h; i++)
        c->T.v[i] = slope.v[i] * c->T.v[i] + rest.v[i];
}

static void make_bulk(struct carving *c)
{
    int n = c->T.w * c->T.h;
    struct grid slope, rest, mine = tw_grid(c->d, c->T.w, c->T.h);
    struct grid square = tw_grid(c->d, c->T.w, c->T.h);

    smooth(c, 0.02);
    smooth(c, 0.01);
    c->own = tw_blur(c->d, tw_copy(c->d, &c->m->subject), 1.5 * c->per);
    tw_guided(c->d, &c->T, &c->own, 8.0 * c->per, 0.001, &slope, &rest);
    for (int i = 0; i < n; i++) {
        c->own.v[i] = tw_clamp(slope.v[i] * c->T.v[i] + rest.v[i], 0.0, 1.0);
        mine.v[i] = c->T.v[i] * c->own.v[i];
    }
    struct grid all = tw_blur(c->d, c->T, 80.0 * c->per);
    struct grid share = tw_blur(c->d, c->own, 80.0 * c->per);
    mine = tw_blur(c->d, mine, 80.0 * c->per);
    c->bulk = tw_grid(c->d, c->T.w, c->T.h);
    c->deep = tw_grid(c->d, c->T.w, c->T.h);
    for (int i = 0; i < n; i++) {
        double in = (mine.v[i] + 0.04 * all.v[i]) / (share.v[i] + 0.04);
        double out = (all.v[i] - mine.v[i] + 0.04 * all.v[i]) / (1.0 - share.v[i] + 0.04);
        c->bulk.v[i] = c->T.v[i] - tw_mix(out, in, c->own.v[i]);
        square.v[i] = c->bulk.v[i] * c->bulk.v[i];
    }
    square = tw_blur(c->d, square, 80.0 * c->per);
    for (int i = 0; i < n; i++) {
        double t = c->bulk.v[i] / sqrt(square.v[i] + 0.015), own = c->own.v[i];
        t /= sqrt(1.0 + t * t);
        c->deep.v[i] = 0.3 * t + 0.8 * ((double)c->m->half[0].px[i] - c->T.v[i]) + 0.25 * own;
        c->bulk.v[i] = t * tw_mix(0.5, 1.0, own);
    }
}

// The slope per unit that nine tenths of the places do not reach.
static double steep(struct desk *d, const struct grid *g, double per_unit, const struct grid *gate)
{
    struct grid slope = tw_grid(d, g->w, g->h);

    for (int y = 0; y < g->h; y++)
        for (int x = 0; x < g->w; x++) {
            double gx, gy;
            grid_slope(g, x, y, &gx, &gy);
            *tw_cell(&slope, x, y) = per_unit * hypot(gx, gy) *
                                     (gate ? grid_px(gate, x / 2, y / 2) : 1.0);
        }
    return tw_rank(&slope, (double)0.9f, 0.5, 4096);
}

static const double BAND_SLOPE[BANDS] = {0.17, 0.15, 0.12, 0.30};

static void make_bands(struct carving *c)
{
    static const double UNITS[] = {2.2, 7.0, 22.0};

    for (int i = 0; i < 3; i++) {
        c->band[i] = tw_blur(c->d, c->bulk, UNITS[i] * c->per);
        c->scale[i] = BAND_SLOPE[i] / fmax(steep(c->d, &c->band[i], c->per, NULL), 0.004);
    }
    struct grid rim = tw_blur(c->d, c->own, 4.0 * c->per),
                swell = tw_blur(c->d, c->own, 24.0 * c->per);
    for (int i = 0; i < rim.w * rim.h; i++)
        rim.v[i] = 0.5 * (rim.v[i] + swell.v[i]);
    c->band[3] = rim;
    c->scale[3] = 16.0;
}

static struct grid form_of(const struct carving *c)
{
    struct grid out = tw_grid(c->d, c->T.w, c->T.h);

    for (int i = 0; i < out.w * out.h; i++)
        for (int k = 0; k < BANDS; k++)
            out.v[i] += c->scale[k] * c->band[k].v[i];
    return out;
}

static struct grid cavity_of(const struct carving *c)
{
    static const double REACH[] = {4.0, 12.0, 32.0};
    struct grid out = tw_grid(c->d, c->T.w, c->T.h);

    for (int k = 0; k < 3; k++) {
        struct grid around = tw_blur(c->d, c->deep, REACH[k] * c->per);
        for (int i = 0; i < out.w * out.h; i++)
            out.v[i] += fmin(c->deep.v[i] - around.v[i], 0.0);
    }
    for (int i = 0; i < out.w * out.h; i++)
        out.v[i] = exp(3.5 * out.v[i]);
    return out;
}

static struct grid shade_of(const struct carving *c)
{
    struct grid L = tw_copy(c->d, &c->m->half[0]);
    struct grid out = tw_grid(c->d, c->m->full[0].width, c->m->full[0].height);
    double low = tw_rank(&L, (double)0.02f, 1.0, 4096),
           high = tw_rank(&L, (double)0.98f, 1.0, 4096);
    double lack = fmax(0.35 - (high - low), 0.0);

    for (int y = 0; y < out.h; y++)
        for (int x = 0; x < out.w; x++) {
            double T = grid_at(&c->T, 0.5 * (x + 0.5), 0.5 * (y + 0.5));
            double v = 0.35 * T + 0.65 * tw_px(&c->m->fine[0], x, y);
            *tw_cell(&out, x, y) = tw_clamp((v - low + 0.5 * lack) / (high - low + lack), 0.0, 1.0);
        }
    return out;
}

// Steep places bend over.
static void bend(double *gx, double *gy, double limit)
{
    double share = 1.0 / sqrt(1.0 + (*gx * *gx + *gy * *gy) / (limit * limit));

    *gx *= share;
    *gy *= share;
}

// How much of the detail stays: along edges, where it matters, on the subject.
static struct grid gate_of(const struct carving *c)
{
    struct grid out = tw_grid(c->d, c->T.w, c->T.h);

    for (int i = 0; i < out.w * out.h; i++)
        out.v[i] = (0.15 + 0.85 * tw_smooth(0.25, 0.7, (double)c->m->coherence.px[i])) *
                   (0.25 + 0.75 * tw_smooth(0.08, 0.45, (double)c->m->importance.px[i])) *
                   tw_mix(0.5, 1.0, c->own.v[i]);
    return tw_blur(c->d, out, 2.5 * c->per);
}

static void make_slopes(const struct carving *c, struct grid *sx, struct grid *sy)
{
    double per = (double)c->m->full_per_unit;
    int w = c->m->full[0].width, h = c->m->full[0].height;
    struct grid detail = tw_grid(c->d, w, h), gate = gate_of(c);
    struct grid bx = tw_grid(c->d, c->T.w, c->T.h), by = tw_grid(c->d, c->T.w, c->T.h);
    double gx, gy;

    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double off = tw_px(&c->m->fine[0], x, y) -
                         grid_at(&c->T, 0.5 * (x + 0.5), 0.5 * (y + 0.5));
            *tw_cell(&detail, x, y) = off * off * off / (off * off + 0.035 * 0.035);
        }
    detail = tw_blur(c->d, detail, 1.1 * per);
    double scale = 0.20 / fmax(steep(c->d, &detail, per, &gate), 0.002);
    for (int y = 0; y < c->T.h; y++)
        for (int x = 0; x < c->T.w; x++)
            for (int k = 0; k < BANDS; k++) {
                grid_slope(&c->band[k], x, y, &gx, &gy);
                gx *= c->scale[k] * c->per;
                gy *= c->scale[k] * c->per;
                bend(&gx, &gy, 2.2 * BAND_SLOPE[k]);
                *tw_cell(&bx, x, y) += gx;
                *tw_cell(&by, x, y) += gy;
            }
    *sx = tw_grid(c->d, w, h);
    *sy = tw_grid(c->d, w, h);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double hx = 0.5 * (x + 0.5), hy = 0.5 * (y + 0.5),
                   k = scale * per * grid_at(&gate, hx, hy);
            grid_slope(&detail, x, y, &gx, &gy);
            gx *= k;
            gy *= k;
            bend(&gx, &gy, 2.2 * 0.20);
            *tw_cell(sx, x, y) = gx + grid_at(&bx, hx, hy);
            *tw_cell(sy, x, y) = gy + grid_at(&by, hx, hy);
        }
}

static void relief(const struct look_maps *m, const struct image *source, struct desk *d,
                   struct grid *out)
{
    struct carving c = {.m = m, .d = d, .per = (double)m->half_per_unit};

    (void)source;
    c.T = tw_copy(d, &m->half[0]);
    make_bulk(&c);
    make_bands(&c);
    out[0] = form_of(&c);
    make_slopes(&c, &out[1], &out[2]);
    out[3] = cavity_of(&c);
    out[4] = shade_of(&c);
}

const struct twin look_twins_form[] = {
    {"subject", .map = subject, .near = 1e-4},
    {"form slope_x slope_y cavity shade", .map = relief, .near = 2e-3},
    {0},
};
