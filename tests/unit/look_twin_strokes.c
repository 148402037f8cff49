/* SPDX-License-Identifier: MIT */
#include "look_twin_strokes.h"

/* The brush's prints sample after sample, and the paint stroke after stroke, each over the whole
 * picture. */

/* Prints: u along the stroke, v across it from -1 to 1. Cover, height, tone. */
static void bristles(const struct brush_kind *kind, uint32_t seed, bool dab, double u, double v,
                     double out[3])
{
    double across = (0.5 * v + 0.5) * (double)kind->bristles;
    double hair = tw_noise(across * 2.3, u * 3.5, seed + 1);
    double bristle = 0.65 * tw_noise(across, u * 2.2, seed) + 0.35 * hair;
    double load = tw_noise(across * 0.8, 0.0, seed + 2);
    double rim = 0.86 + 0.13 * tw_noise(u * 7.0, v > 0.0 ? 3.0 : 9.0, seed + 3);
    double start = 0.015 + 0.05 * tw_noise(across, 5.0, seed + 4) + 0.05 * v * v;
    double end = 0.80 + 0.26 * load - 0.10 * v * v;
    double dry = (double)kind->dryness * (0.35 + 0.9 * u);
    double cover =
        (1.0 - tw_smooth(rim - 0.12, rim, fabs(v))) * tw_smooth(start - 0.015, start + 0.03, u) *
        (1.0 - tw_smooth(end - 0.16, end, u)) * tw_smooth(dry - 0.22, dry + 0.06, bristle + 0.12);

    if (dab)
        cover *= 1.0 - tw_smooth(0.55, 0.95, pow(2.0 * u - 1.0, 4.0) + v * v);
    double height = 0.42 + 0.58 * bristle + 0.34 * exp(-130.0 * pow(fabs(v) - 0.80, 2.0)) +
                    0.22 * exp(-300.0 * pow(u - 0.05, 2.0));
    out[0] = cover;
    out[1] = cover * height * (1.0 - 0.45 * tw_smooth(0.55, 1.0, u));
    out[2] = 1.1 * (hair - 0.5) + 0.9 * (load - 0.5);
}

static void knife(const struct brush_kind *kind, uint32_t seed, double u, double v, double out[3])
{
    double rim = 0.9 + 0.09 * tw_noise(u * 5.0, v > 0.0 ? 3.0 : 9.0, seed + 3);
    double end = 0.88 + 0.1 * tw_noise(v * 2.5 + 7.0, 1.0, seed + 4);
    double dry = (double)kind->dryness * tw_smooth(0.35, 0.95, u);

    out[0] = (1.0 - tw_smooth(rim - 0.05, rim, fabs(v))) * tw_smooth(0.01, 0.04, u) *
             (1.0 - tw_smooth(end - 0.03, end, u)) *
             tw_smooth(dry - 0.3, dry - 0.2, tw_noise(v * 5.0 + 11.0, u * 2.5, seed + 5));
    out[1] = out[0] * (0.45 + 0.12 * tw_noise(v * 14.0 + 40.0, u * 1.5, seed + 6) +
                       0.75 * exp(-260.0 * pow(v - rim + 0.07, 2.0)) +
                       0.25 * exp(-420.0 * pow(v + rim - 0.05, 2.0)) +
                       0.6 * exp(-700.0 * pow(u - end + 0.05, 2.0)));
    out[2] = 1.6 * (tw_noise(v * 1.7 + 20.0, u * 0.8, seed + 7) - 0.5);
}

// One texel of a print: the mean of as many samples as a print of 96 x 96 has in it, 4 at most.
static void texel(const struct brush_kind *kind, int print, int along, int across, int i, int j,
                  double out[3])
{
    uint32_t seed = kind->seed + 101u * (uint32_t)print;
    int nu = clampi(96 / along, 1, 4), nv = clampi(96 / across, 1, 4);
    double share = (double)kind->knife;

    out[0] = out[1] = out[2] = 0.0;
    for (int b = 0; b < nv; b++)
        for (int a = 0; a < nu; a++) {
            double u = (i + (a + 0.5) / nu) / along, v = 2.0 * (j + (b + 0.5) / nv) / across - 1.0;
            double brush[3], flat[3];
            bristles(kind, seed, print >= BRUSH_STROKES, u, v, brush);
            knife(kind, seed, u, v, flat);
            for (int k = 0; k < 3; k++)
                out[k] += tw_mix(brush[k], flat[k], share) / (nu * nv);
        }
}

struct prints {
    struct grid lane[BRUSH_PRINTS][3];
};

static struct prints prints_of(struct desk *d, const struct brush_kind *kind, double radius_px)
{
    int across = clampi((int)(2.0 * radius_px + 1.0), 6, 96);
    int along = clampi((int)(6.0 * radius_px), 12, 96);
    struct prints out;

    for (int print = 0; print < BRUSH_PRINTS; print++) {
        for (int k = 0; k < 3; k++)
            out.lane[print][k] = tw_grid(d, along, across);
        for (int j = 0; j < across; j++)
            for (int i = 0; i < along; i++) {
                double at[3];
                texel(kind, print, along, across, i, j, at);
                for (int k = 0; k < 3; k++)
                    *tw_cell(&out.lane[print][k], i, j) = at[k];
            }
    }
    return out;
}

// Points in pixels, tangents, and how far along the stroke each is.
struct spine {
    double x[STROKE_POINTS_MAX], y[STROKE_POINTS_MAX], tx[STROKE_POINTS_MAX], ty[STROKE_POINTS_MAX];
    double u[STROKE_POINTS_MAX], radius;
};

static void spine_of(const struct stroke *s, double unit, struct spine *out)
{
    double length = 0.0;

    out->radius = (double)s->radius * unit;
    for (int i = 0; i < s->points; i++) {
        out->x[i] = (double)s->x[i] * unit;
        out->y[i] = (double)s->y[i] * unit;
        if (i > 0)
            length += hypot(out->x[i] - out->x[i - 1], out->y[i] - out->y[i - 1]);
        out->u[i] = length;
    }
    for (int i = 0; i < s->points; i++) {
        int a = i > 0 ? i - 1 : 0, b = i + 1 < s->points ? i + 1 : i;
        double dx = out->x[b] - out->x[a], dy = out->y[b] - out->y[a];
        out->tx[i] = dx / hypot(dx, dy);
        out->ty[i] = dy / hypot(dx, dy);
        out->u[i] /= length;
    }
}

// Where a pixel lies on the piece between two points: t of the way, and v across in radii.
static bool on_piece(const struct spine *s, int i, double px, double py, double *t, double *v)
{
    double from = (px - s->x[i]) * s->tx[i] + (py - s->y[i]) * s->ty[i];
    double left = (s->x[i + 1] - px) * s->tx[i + 1] + (s->y[i + 1] - py) * s->ty[i + 1];

    if (from < 0.0 || left <= 0.0)
        return false;
    *t = from / (from + left);
    double cx = px - tw_mix(s->x[i], s->x[i + 1], *t), cy = py - tw_mix(s->y[i], s->y[i + 1], *t);
    *v = (tw_mix(s->tx[i], s->tx[i + 1], *t) * cy - tw_mix(s->ty[i], s->ty[i + 1], *t) * cx) /
         s->radius;
    // A piece is not painted farther from its ends than a little over its radius.
    return fabs(*v) < 1.0 && px > fmin(s->x[i], s->x[i + 1]) - 1.05 * s->radius - 0.5 &&
           px < fmax(s->x[i], s->x[i + 1]) + 1.05 * s->radius + 0.5 &&
           py > fmin(s->y[i], s->y[i + 1]) - 1.05 * s->radius - 0.5 &&
           py < fmax(s->y[i], s->y[i + 1]) + 1.05 * s->radius + 0.5;
}

static void lay_one(const struct bench *b, const struct prints *prints, const struct stroke *s,
                    double opacity, double streak, double keep, struct grid out[4])
{
    const struct grid *lane = prints->lane[s->print];
    struct spine spine;
    double t, v, mark[3];

    spine_of(s, (double)b->p.px_per_unit, &spine);
    for (int i = 0; i + 1 < s->points; i++)
        for (int y = 0; y < b->p.height; y++)
            for (int x = 0; x < b->p.width; x++) {
                if (!on_piece(&spine, i, x + 0.5, y + 0.5, &t, &v))
                    continue;
                double along = tw_mix(spine.u[i], spine.u[i + 1], t) * (lane[0].w - 1);
                double across = (0.5 + 0.5 * (s->mirrored ? -v : v)) * (lane[0].h - 1);
                for (int k = 0; k < 3; k++)
                    mark[k] = grid_at(&lane[k], along + 0.5, across + 0.5);
                for (int k = 0; k < 4; k++) {
                    double *px = tw_cell(&out[k], x, y),
                           paint = (double)s->height * mark[1] + keep * *px;
                    if (k < LAB)
                        paint = (double)s->colour[k] + (k == 0 ? streak * mark[2] : 0.0);
                    *px = tw_mix(*px, paint, mark[0] * opacity);
                }
            }
}

static void strokes(const struct bench *b, struct desk *d, const lane4 *before, struct grid out[4])
{
    struct stroke_layer layer;
    struct brush_kind kind;

    tw_layer(b, &layer, &kind);
    struct mark_list list = tw_plan(b, d, before, &layer);
    struct prints prints =
        prints_of(d, &kind, 1.1 * (double)layer.radius * (double)b->p.px_per_unit);
    for (int i = 0; i < b->p.width * b->p.height; i++)
        for (int k = 0; k < 4; k++)
            out[k].v[i] = (double)before[i][k];
    for (int i = 0; i < list.count; i++)
        lay_one(b, &prints, &list.stroke[i], tw_value(b, "opacity"), tw_value(b, "streak"),
                tw_value(b, "keep"), out);
}

static void prints_are_one(const struct fixture *f)
{
    static const struct brush_kind KIND[] = {
        {12.0f, 0.3f, 0.0f, 7}, {30.0f, 1.0f, 0.5f, 8}, {4.0f, 0.0f, 1.0f, 9}};
    static const float RADIUS[] = {0.5f, 8.8f, 60.0f};

    for (int i = 0; i < 3; i++) {
        struct desk d = {.n = 0};
        struct brush brush;
        size_t off = 0, at = 0;
        double worst = 0.0;
        struct prints want = prints_of(&d, &KIND[i], (double)RADIUS[i]);
        assert_int_equal(brush_new(&brush, &KIND[i], RADIUS[i], f->pool, NULL), ERR_OK);
        assert_int_equal(brush.along, want.lane[0][0].w);
        assert_int_equal(brush.across, want.lane[0][0].h);
        for (int print = 0; print < BRUSH_PRINTS; print++)
            for (int t = 0; t < brush.along * brush.across; t++, at++)
                for (int k = 0; k < 3; k++)
                    tw_differ(want.lane[print][k].v[t], (double)brush.texel[at][k], 2e-4, &off,
                              &worst);
        if (off > 0)
            fail_msg("radius %g: %zu texels differ, one by %g", (double)RADIUS[i], off, worst);
        brush_release(&brush);
        desk_clear(&d);
    }
}

const struct twin look_twins_strokes[] = {
    {"prints of brushes", .part = prints_are_one},
    {"strokes", .whole = strokes, .near = 1e-3, .rare = 1e-3},
    {"strokes", .whole = strokes, .near = 1e-3, .rare = 2e-3,
     .set = TWIN_SET({"radius", 4.0f}, {"swirl", 1.0f}, {"stray", 0.2f}, {"dryness", 0.8f})},
    {"strokes", .whole = strokes, .near = 1e-3, .rare = 2e-3,
     .set = TWIN_SET({"radius", 14.0f}, {"knife", 0.6f}, {"threshold", 0.0f}, {"length", 12.0f})},
    {"strokes", .whole = strokes, .near = 1e-3, .rare = 2e-3,
     .set = TWIN_SET({"spacing", 3.0f}, {"curvature", 0.0f}, {"opacity", 0.4f}, {"keep", 1.0f},
                     {"thickness", 4.0f}, {"streak", 0.3f})},
    {"strokes", .whole = strokes, .near = 1e-3, .rare = 2e-3,
     .set = TWIN_SET({"threshold", 0.3f}, {"calm", 0.0f}, {"edge", 0.3f}, {"bristles", 48.0f},
                     {"vary_l", 0.3f}, {"vary_c", 0.1f})},
    {0},
};
