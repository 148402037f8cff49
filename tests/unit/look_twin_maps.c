/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

#include "look/maps_internal.h"

/* The photo in OKLab and what is made of it: detail, abstraction, flow, importance. Those that are
 * drawn and carved from are in look_twin_form.c. */

static double linear(uint8_t code)
{
    double v = code / 255.0;

    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

// Each pixel is the mean of the light it covers, at most one to a unit.
static void full(const struct look_maps *m, const struct image *source, struct desk *d,
                 struct grid *out)
{
    double step = fmax((double)m->px_per_unit, 1.0);
    int w = (int)ceil(source->width / step - 0.001), h = (int)ceil(source->height / step - 0.001);

    for (int k = 0; k < LAB; k++)
        out[k] = tw_grid(d, w, h);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double rgb[3] = {0}, weight = 0.0, lab[LAB];
            for (int j = (int)(y * step); j < source->height && j < (y + 1) * step; j++)
                for (int i = (int)(x * step); i < source->width && i < (x + 1) * step; i++) {
                    double wx = fmin((x + 1) * step, i + 1.0) - fmax(x * step, i);
                    double wy = fmin((y + 1) * step, j + 1.0) - fmax(y * step, j);
                    if (wx <= 0.0 || wy <= 0.0)
                        continue;
                    weight += wx * wy;
                    for (int k = 0; k < 3; k++)
                        rgb[k] +=
                            wx * wy *
                            linear(
                                source->px[(size_t)j * source->stride + 4 * (size_t)i + (size_t)k]);
                }
            for (int k = 0; k < 3; k++)
                rgb[k] /= weight;
            tw_oklab(rgb, lab);
            for (int k = 0; k < LAB; k++)
                *tw_cell(&out[k], x, y) = lab[k];
        }
}

static void half(const struct look_maps *m, const struct image *source, struct desk *d,
                 struct grid *out)
{
    (void)source;
    for (int k = 0; k < LAB; k++)
        out[k] = tw_shrink(d, tw_copy(d, &m->full[k]), (m->full[0].width + 1) / 2,
                           (m->full[0].height + 1) / 2);
}

static struct grid halves(const struct look_maps *m, struct desk *d, int k)
{
    return tw_copy(d, &m->half[k]);
}

static void fine(const struct look_maps *m, const struct image *source, struct desk *d,
                 struct grid *out)
{
    double eps = 3e-4 + 4.0 * (double)(m->noise * m->noise);

    (void)source;
    for (int k = 0; k < LAB; k++) {
        struct grid L = halves(m, d, 0), channel = halves(m, d, k), slope, rest;
        tw_guided(d, &L, &channel, 2.4 * (double)m->half_per_unit, eps, &slope, &rest);
        out[k] = tw_grid(d, m->full[0].width, m->full[0].height);
        for (int y = 0; y < out[k].h; y++)
            for (int x = 0; x < out[k].w; x++) {
                double hx = 0.5 * (x + 0.5), hy = 0.5 * (y + 0.5);
                *tw_cell(&out[k], x, y) = grid_at(&slope, hx, hy) * tw_px(&m->full[0], x, y) +
                                          grid_at(&rest, hx, hy);
            }
    }
}

// Less detail: mixed with the base of 7 units. More: lightness leaves its surroundings along edges.
static void changed(const struct look_maps *m, double keep, struct desk *d, struct grid out[LAB])
{
    double sigma = 7.0 * (double)m->half_per_unit;
    struct grid L = halves(m, d, 0), slow = tw_blur(d, L, 0.6 * sigma), edge, rest;

    for (int k = 0; k < LAB; k++) {
        struct grid channel = halves(m, d, k), slope;
        tw_guided(d, &L, &channel, sigma, 0.008, &slope, &rest);
        edge = k == 0 ? slope : edge;
        out[k] = tw_copy(d, &m->full[k]);
        for (int y = 0; y < out[k].h; y++)
            for (int x = 0; x < out[k].w; x++) {
                double hx = 0.5 * (x + 0.5), hy = 0.5 * (y + 0.5), l = tw_px(&m->full[0], x, y);
                double *px = tw_cell(&out[k], x, y);
                double over = l - grid_at(&slow, hx, hy);
                if (keep < 1.0)
                    *px = tw_mix(grid_at(&slope, hx, hy) * l + grid_at(&rest, hx, hy), *px, keep);
                else if (k == 0)
                    *px += 0.5 * (keep - 1.0) * tw_clamp(grid_at(&edge, hx, hy), 0.0, 1.0) * over /
                           (1.0 + 4.0 * fabs(over));
            }
    }
}

static void detail_is_as_its_twin(const struct fixture *f)
{
    static const float KEEP[] = {0.0f, 0.4f, 1.0f, 2.5f};

    for (int scene = 0; scene < TWIN_SCENES; scene++)
        for (int i = 0; i < 4; i++) {
            struct look_maps *plain, *got;
            struct desk d = {.n = 0};
            struct grid want[LAB];
            struct image source;
            size_t off = 0;
            double worst = 0.0;
            tw_source(&source, 140, 96, scene);
            tw_maps(f, &source, 0, 1.0f, 1.0f, &plain);
            tw_maps(f, &source, 0, 1.0f, KEEP[i], &got);
            changed(plain, (double)KEEP[i], &d, want);
            for (int k = 0; k < LAB; k++)
                for (int at = 0; at < 140 * 96; at++)
                    tw_differ(want[k].v[at], (double)got->full[k].px[at], 1e-4, &off, &worst);
            if (off > 0)
                fail_msg("keeping %g: %zu differ, one by %g", (double)KEEP[i], off, worst);
            desk_clear(&d);
            look_maps_free(plain);
            look_maps_free(got);
            image_release(&source);
        }
}

// Immerkaer 1996, over every second row, without what is too strong for noise.
static void noise_is_as_its_twin(const struct fixture *f)
{
    static const double MASK[3][3] = {{1, -2, 1}, {-2, 4, -2}, {1, -2, 1}};

    for (int scene = 0; scene < TWIN_SCENES; scene++) {
        struct look_maps *m;
        struct image source;
        double sum = 0.0, n = 0.0;
        tw_source(&source, 140, 96, scene);
        tw_maps(f, &source, 0, 1.0f, 1.0f, &m);
        for (int y = 1; y < 95; y += 2)
            for (int x = 1; x < 139; x++) {
                double v = 0.0;
                for (int j = 0; j < 3; j++)
                    for (int i = 0; i < 3; i++)
                        v += MASK[j][i] * tw_px(&m->full[0], x + i - 1, y + j - 1);
                sum += fabs(v) < 0.18 ? fabs(v) : 0.0;
                n += fabs(v) < 0.18;
            }
        assert_float_equal(m->noise, sqrt(M_PI / 2.0) / 6.0 * sum / fmax(n, 1.0), 1e-5);
        look_maps_free(m);
        image_release(&source);
    }
}

/* Kuwahara's filter: of eight windows on an ellipse along the flow, those of little variance. */
static void kuwahara(const struct look_maps *m, double units, struct desk *d, struct grid out[LAB])
{
    double per = (double)m->half_per_unit, radius = 0.8 * units * per;
    struct grid c[LAB], mean[LAB], square;

    square = tw_grid(d, m->half[0].width, m->half[0].height);
    for (int k = 0; k < LAB; k++) {
        c[k] = halves(m, d, k);
        mean[k] = tw_blur(d, c[k], 0.5 * units * per);
        out[k] = tw_grid(d, c[k].w, c[k].h);
        for (int i = 0; i < square.w * square.h; i++)
            square.v[i] += c[k].v[i] * c[k].v[i];
    }
    square = tw_blur(d, square, 0.5 * units * per);
    for (int y = 0; y < square.h; y++)
        for (int x = 0; x < square.w; x++) {
            double fx, fy, sum[LAB] = {0}, total = 0.0;
            double stretch = 1.0 + 0.6 * tw_px(&m->coherence, x, y);
            tw_halve(tw_px(&m->flow_c, x, y), tw_px(&m->flow_s, x, y), &fx, &fy);
            for (int i = 0; i < 8; i++) {
                double u = radius * stretch * cos(M_PI * i / 4.0);
                double v = radius / stretch * sin(M_PI * i / 4.0);
                int px = (int)floor(x + 0.5 + fx * u - fy * v),
                    py = (int)floor(y + 0.5 + fy * u + fx * v);
                double var = grid_px(&square, px, py);
                for (int k = 0; k < LAB; k++)
                    var -= pow(grid_px(&mean[k], px, py), 2.0);
                double weight = 1.0 / (1e-6 + 0.05 + pow(fmax(var, 0.0) / 6e-4, 4.0));
                for (int k = 0; k < LAB; k++)
                    sum[k] += weight * grid_px(&mean[k], px, py);
                total += weight;
            }
            for (int k = 0; k < LAB; k++)
                *tw_cell(&out[k], x, y) = sum[k] / total;
        }
}

static void mid(const struct look_maps *m, const struct image *source, struct desk *d,
                struct grid *out)
{
    (void)source;
    kuwahara(m, 4.0, d, out);
}

static void coarse(const struct look_maps *m, const struct image *source, struct desk *d,
                   struct grid *out)
{
    (void)source;
    kuwahara(m, 10.0, d, out);
}

/* The structure tensor of all three channels, per unit, over 4, 16 and 56 units. */
struct tensor {
    struct grid xx[3], xy[3], yy[3];
};

static struct tensor tensor_of(const struct look_maps *m, struct desk *d)
{
    double per = (double)m->half_per_unit;
    struct tensor t;
    int w = m->half[0].width, h = m->half[0].height;

    t.xx[0] = tw_grid(d, w, h), t.xy[0] = tw_grid(d, w, h), t.yy[0] = tw_grid(d, w, h);
    for (int k = 0; k < LAB; k++) {
        struct grid soft = tw_blur(d, halves(m, d, k), 1.8 * per);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                double gx, gy;
                grid_slope(&soft, x, y, &gx, &gy);
                *tw_cell(&t.xx[0], x, y) += per * per * gx * gx;
                *tw_cell(&t.xy[0], x, y) += per * per * gx * gy;
                *tw_cell(&t.yy[0], x, y) += per * per * gy * gy;
            }
    }
    struct grid *all[] = {t.xx, t.xy, t.yy};
    for (int i = 0; i < 3; i++) {
        all[i][0] = tw_blur(d, all[i][0], 4.0 * per);
        all[i][1] = tw_blur(d, all[i][0], 16.0 * per);
        all[i][2] = tw_blur(d, all[i][1], 56.0 * per);
    }
    return t;
}

/* Across the gradient: the tensor's smaller axis, by twice its angle; and how clear it is, the
 * difference of its eigenvalues over their sum. */
static void flow(const struct look_maps *m, const struct image *source, struct desk *d,
                 struct grid *out)
{
    static const double WEIGHT[3] = {1.0, 0.25, 0.04};
    struct tensor t = tensor_of(m, d);

    (void)source;
    for (int k = 0; k < 3; k++)
        out[k] = tw_grid(d, t.xx[0].w, t.xx[0].h);
    for (int i = 0; i < out[0].w * out[0].h; i++) {
        double dx = 1e-9 * 0.342, dy = -1e-9 * 0.940, xx = t.xx[0].v[i], yy = t.yy[0].v[i];
        for (int k = 0; k < 3; k++) {
            dx += WEIGHT[k] * (t.yy[k].v[i] - t.xx[k].v[i]);
            dy -= WEIGHT[k] * 2.0 * t.xy[k].v[i];
        }
        out[0].v[i] = cos(atan2(dy, dx));
        out[1].v[i] = sin(atan2(dy, dx));
        out[2].v[i] = hypot(xx - yy, 2.0 * t.xy[0].v[i]) / (xx + yy + 1.5e-6);
    }
}

static double mean_of(const struct grid *g)
{
    double sum = 0.0;

    for (int i = 0; i < g->w * g->h; i++)
        sum += g->v[i];
    return sum / (g->w * g->h);
}

// Skewed and contrasty around the mean of 12 units, along whole lines; then which way.
static void lettering(const struct look_maps *m, struct desk *d, struct grid out[2])
{
    double per = (double)m->half_per_unit;
    struct grid L = halves(m, d, 0);
    struct grid base = tw_blur(d, tw_blur(d, L, 2.0 * per), 12.0 * per);
    struct grid second = tw_grid(d, L.w, L.h), third = tw_grid(d, L.w, L.h);

    for (int i = 0; i < L.w * L.h; i++) {
        second.v[i] = pow(L.v[i] - base.v[i], 2.0);
        third.v[i] = pow(L.v[i] - base.v[i], 3.0);
    }
    second = tw_blur(d, second, 8.0 * per);
    third = tw_blur(d, third, 8.0 * per);
    for (int i = 0; i < L.w * L.h; i++) {
        double deviation = sqrt(fmax(second.v[i], 0.0));
        double skew = third.v[i] / (second.v[i] * deviation + 1e-6);
        second.v[i] = tw_smooth(0.025, 0.06, deviation) * tw_smooth(0.6, 1.1, fabs(skew));
        third.v[i] = tw_smooth(-0.3, 0.3, skew);
    }
    second = tw_blur(d, second, 12.0 * per);
    for (int i = 0; i < L.w * L.h; i++)
        second.v[i] = tw_smooth(0.45, 0.75, second.v[i]);
    out[0] = second;
    out[1] = third;
}

static void importance(const struct look_maps *m, const struct image *source, struct desk *d,
                       struct grid *out)
{
    double per = (double)m->half_per_unit, mean[LAB];
    struct grid soft[LAB], L = halves(m, d, 0);
    struct grid form = tw_grid(d, L.w, L.h), grain = tw_grid(d, L.w, L.h);
    struct grid salient = tw_grid(d, L.w, L.h);

    for (int k = 0; k < LAB; k++) {
        soft[k] = tw_blur(d, halves(m, d, k), 2.0 * per);
        mean[k] = mean_of(&soft[k]);
    }
    struct grid base = tw_blur(d, soft[0], 12.0 * per);
    for (int i = 0; i < L.w * L.h; i++) {
        form.v[i] = fabs(soft[0].v[i] - base.v[i]);
        grain.v[i] = fabs(L.v[i] - soft[0].v[i]);
        for (int k = 0; k < LAB; k++)
            salient.v[i] += pow(soft[k].v[i] - mean[k], 2.0);
        salient.v[i] = sqrt(salient.v[i]);
    }
    form = tw_blur(d, form, 6.0 * per);
    grain = tw_blur(d, grain, 6.0 * per);
    salient = tw_blur(d, salient, 16.0 * per);
    double scale = 1.0 / (2.2 * mean_of(&salient) + 1e-3);
    (void)source;
    lettering(m, d, &out[1]);
    *out = tw_grid(d, L.w, L.h);
    for (int i = 0; i < L.w * L.h; i++) {
        double gate = 1.0 / (1.0 + pow(grain.v[i] / (0.6 * form.v[i] + 0.006), 2.0));
        double care = form.v[i] / (form.v[i] + 0.035) * gate *
                      (0.5 + 0.7 * (double)m->coherence.px[i]) *
                      (0.75 + 0.6 * tw_clamp(salient.v[i] * scale, 0.0, 1.0) +
                       0.9 * tw_skin((double[]){soft[0].v[i], soft[1].v[i], soft[2].v[i]}));
        out->v[i] = tw_clamp(care + out[1].v[i], 0.0, 1.0);
    }
    *out = tw_blur(d, *out, 3.0 * per);
}

// Three boxes whose sums run along, beside boxes that are summed anew, at any width.
static void blur_is_as_its_twin(const struct fixture *f)
{
    static const float SIGMA[] = {0.0f, 0.1f, 0.5f, 1.0f, 2.3f, 7.0f, 60.0f};
    static const int SIZE[][2] = {{1, 1}, {2, 37}, {61, 16}, {90, 33}};

    for (size_t s = 0; s < sizeof(SIZE) / sizeof(SIZE[0]); s++)
        for (size_t i = 0; i < sizeof(SIGMA) / sizeof(SIGMA[0]); i++) {
            struct blur_scratch scratch;
            struct desk d = {.n = 0};
            struct plane p;
            size_t off = 0;
            double worst = 0.0;
            assert_int_equal(plane_new(&p, SIZE[s][0], SIZE[s][1]), ERR_OK);
            for (int at = 0; at < p.width * p.height; at++)
                p.px[at] = noise_point(at, 3, 8);
            struct grid want = tw_blur(&d, tw_copy(&d, &p), (double)SIGMA[i]);
            assert_int_equal(blur_scratch_new(&scratch, p.width, p.height, f->pool, NULL), ERR_OK);
            assert_true(plane_blur(&p, &p, SIGMA[i], &scratch));
            for (int at = 0; at < p.width * p.height; at++)
                tw_differ(want.v[at], (double)p.px[at], 2e-5, &off, &worst);
            if (off > 0)
                fail_msg("sigma %g of %d x %d: %zu differ, one by %g", (double)SIGMA[i], p.width,
                         p.height, off, worst);
            blur_scratch_release(&scratch);
            plane_release(&p);
            desk_clear(&d);
        }
}

const struct twin look_twins_maps[] = {
    {"blur", .part = blur_is_as_its_twin},
    {"noise", .part = noise_is_as_its_twin},
    {"detail", .part = detail_is_as_its_twin},
    {"full", .map = full, .near = 2e-5},
    {"half", .map = half, .near = 1e-5},
    {"fine", .map = fine, .near = 1e-4},
    // A window's middle may fall on the next pixel.
    {"mid", .map = mid, .near = 1e-4, .rare = 0.002},
    {"coarse", .map = coarse, .near = 1e-4, .rare = 0.002},
    {"flow_c flow_s coherence", .map = flow, .near = 1e-3},
    {"importance lettering skew", .map = importance, .near = 1e-3},
    {0},
};
