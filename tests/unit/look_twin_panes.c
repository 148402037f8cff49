/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

#include "look/cells.h"

/* Glass in the pieces of look_twin_cells.c, and the lead between them. */

/* A pane: its colour, from the strongest of its place, and the way of its streaks. */
struct pane {
    double n, weight, c[LAB], dx, dy;
};

static void choose_pane(const struct bench *b, int i, struct pane *t)
{
    uint32_t seed = b->p.variation.seed;
    double n = fmax(t->n, 1.0), weight = t->n > 0.0 ? t->weight : 1.0;
    double L = tw_clamp(t->c[0] / n, 0.0, 1.0), p = t->c[1] / weight, q = t->c[2] / weight;
    double C = hypot(p, q) + 1e-6, hue = 0.22 * ((double)noise_point(i, 2, seed) - 0.5);
    double gain = tw_value(b, "chroma") * (1.0 + 0.0175 * C / (C * C + 0.0008)) *
                  (1.0 + 0.3 * ((double)noise_point(i, 3, seed) - 0.5));
    gain = tw_mix(1.0, gain, tw_smooth(0.15, 0.5, L));
    double cast = tw_value(b, "tint") * (1.0 - tw_smooth(0.01, 0.06, C));
    double tint = 2.0 * M_PI * (0.2 + 0.55 * (double)noise_point(i, 5, seed));
    double way = 2.0 * M_PI * (double)noise_point(i, 4, seed);

    t->c[0] = tw_clamp(L + tw_value(b, "clear") * (1.0 - L) * (0.35 + 0.65 * L) +
                           0.05 * ((double)noise_point(i, 1, seed) - 0.5),
                       0.12, 0.97);
    t->c[1] = gain * (p - hue * q) + cast * cos(tint);
    t->c[2] = gain * (q + hue * p) + cast * sin(tint);
    t->dx = cos(way);
    t->dy = sin(way);
}

static struct pane *panes_of(const struct bench *b, struct desk *d, const struct cells *c)
{
    struct pane *pane = tw_take(d, (size_t)c->count, sizeof(*pane));
    const struct plane *half = b->p.maps->half;

    for (int i = 0; i < c->width * c->height; i++) {
        struct pane *t = &pane[c->at[i].label[0]];
        double p = (double)half[1].px[i], q = (double)half[2].px[i], weight = 0.02 + hypot(p, q);
        t->n++;
        t->weight += weight;
        t->c[0] += (double)half[0].px[i];
        t->c[1] += weight * p;
        t->c[2] += weight * q;
    }
    for (int i = 0; i < c->count; i++)
        choose_pane(b, i, &pane[i]);
    return pane;
}

// Bubbles: one to a cell of 15 units at most, bright with a dark rim, drawn out along the sheet.
static double bubble(const struct bench *b, const struct pane *t, double u, double v)
{
    uint32_t seed = b->p.variation.seed + 77;
    int i = (int)floor(u / 15.0), j = (int)floor(v / 15.0);
    double r = 0.8 + 1.3 * (double)noise_point(i, j, seed + 1);
    double x = u - 15.0 * (i + 0.3 + 0.4 * (double)noise_point(i, j, seed + 2));
    double y = v - 15.0 * (j + 0.3 + 0.4 * (double)noise_point(i, j, seed + 3));
    double far = pow((x * t->dx + y * t->dy) / (1.8 * r), 2.0) +
                 pow((y * t->dx - x * t->dy) / r, 2.0);

    if ((double)noise_point(i, j, seed) > tw_value(b, "seeds"))
        return 0.0;
    return 0.08 * (1.0 - tw_smooth(0.0, 0.7, far)) -
           0.07 * tw_smooth(0.4, 1.0, far) * (1.0 - tw_smooth(1.2, 2.6, far));
}

static double streak(const struct bench *b, const struct pane *t, int label, double u, double v)
{
    uint32_t seed = b->p.variation.seed + 40 + (uint32_t)label;
    double along = u * t->dx + v * t->dy;
    double across = v * t->dx - u * t->dy + 14.0 * tw_noise(u / 70.0, v / 70.0, seed);

    return 0.6 * (tw_noise(along / 90.0, across / 11.0, seed) - 0.5) +
           0.4 * (tw_noise(along / 40.0, across / 4.0, seed + 1) - 0.5) +
           0.5 * (tw_noise(u / 55.0, v / 55.0, seed + 2) - 0.5);
}

static void glass_at(const struct bench *b, const struct cells *cells, const struct pane *pane,
                     double u, double v, double out[4])
{
    const struct look_picture *p = &b->p;
    const struct look_maps *m = p->maps;
    struct cell_spot spot;

    cells_at(cells, (float)u, (float)v, &spot);
    const struct pane *t = &pane[spot.label];
    double matters = tw_smooth(0.12, 0.55, tw_half(p, &m->importance, u, v));
    double fine = 0.5 * (tw_full(p, &m->full[0], u, v) + tw_full(p, &m->fine[0], u, v));
    double shape = tw_mix(tw_half(p, &m->mid[0], u, v), fine, 0.15 + 0.85 * matters);
    double matt = tw_clamp(shape - t->c[0] + 0.06, -0.5, 0.22) *
                  tw_mix(tw_value(b, "matt"), 1.0, 0.6 * matters);
    double uneven = tw_value(b, "streaks") * streak(b, t, spot.label, u, v);
    double day = tw_clouds(u, v, 420.0, p->variation.seed + 21);
    double deep = tw_clamp(1.0 + 0.9 * matt - 0.5 * uneven, 0.3, 1.6);
    double line = tw_value(b, "lines") * tw_smooth(0.2, 0.65, tw_full(p, &m->lines, u, v)) *
                  (0.25 + 0.75 * matters);
    double L = t->c[0] + matt + 0.22 * uneven + 0.042 * day + bubble(b, t, u, v);
    out[0] = tw_clamp(tw_mix(L, 0.13, line), 0.0, 1.0);
    out[1] = tw_mix(t->c[1] * deep, 0.012, line);
    out[2] = tw_mix(t->c[2] * deep, 0.016, line);
    out[3] = (double)spot.border;
}

static void glass(const struct bench *b, struct desk *d, const lane4 *before, struct grid out[4])
{
    double unit = (double)b->p.px_per_unit, at[4];
    float brush = b->p.variation.brush;
    struct cells cells;

    (void)before;
    assert_int_equal(
        cells_new(&cells, &b->p,
                  clampf((float)tw_value(b, "pieces") / (brush * brush), 4.0f, 1000.0f), 7,
                  (float)tw_value(b, "quarry") * brush),
        ERR_OK);
    const struct pane *pane = panes_of(b, d, &cells);
    for (int y = 0; y < b->p.height; y++)
        for (int x = 0; x < b->p.width; x++) {
            glass_at(b, &cells, pane, (x + 0.5) / unit, (y + 0.5) / unit, at);
            for (int k = 0; k < 4; k++)
                *tw_cell(&out[k], x, y) = at[k];
        }
    cells_release(&cells);
}

// Units to the middle of the nearest lead: between panes, or around the picture.
static double lead(const struct bench *b, const lane4 *before, int x, int y)
{
    int w = b->p.width, h = b->p.height, left = x < w - 1 - x ? x : w - 1 - x;
    int top = y < h - 1 - y ? y : h - 1 - y;
    double rim = ((left < top ? left : top) + 0.5) / (double)b->p.px_per_unit;
    double half = 0.5 * tw_value(b, "frame") + 1e-6;

    return fmin((double)before[clampi(y, 0, h - 1) * w + clampi(x, 0, w - 1)][3],
                tw_value(b, "width") * fabs(rim - half) / half);
}

// Its cross section is half a circle.
static double height_of(const struct bench *b, const lane4 *before, int x, int y)
{
    double t = lead(b, before, x, y) / tw_value(b, "width");

    return tw_value(b, "width") * sqrt(fmax(1.0 - t * t, 0.0));
}

static double lead_light(const struct bench *b, const lane4 *before, int x, int y)
{
    const struct look_variation *v = &b->p.variation;
    double unit = (double)b->p.px_per_unit;
    double gx = 0.5 * unit * (height_of(b, before, x + 1, y) - height_of(b, before, x - 1, y));
    double gy = 0.5 * unit * (height_of(b, before, x, y + 1) - height_of(b, before, x, y - 1));
    double lit = tw_clamp((0.55 - 0.7 * (gx * (double)v->light_x + gy * (double)v->light_y)) /
                              sqrt(1.0 + gx * gx + gy * gy),
                          0.0, 1.0);

    return (0.003 + 0.014 * lit + 0.09 * pow(lit, 8.0)) *
           (0.75 + 0.5 * tw_noise(x / unit / 2.2, y / unit / 2.2, v->seed + 3));
}

// The light of the glass, R, G, B.
static void glass_light(const lane4 *px, double rgb[3])
{
    double lab[LAB] = {(double)(*px)[0], (double)(*px)[1], (double)(*px)[2]};

    tw_linear(lab, rgb);
    for (int k = 0; k < 3; k++)
        rgb[k] = tw_clamp(rgb[k], 0.0, 1.0);
}

static void came(const struct bench *b, struct desk *d, const lane4 *before, struct grid out[4])
{
    static const double TINT[3] = {1.0, 1.03, 1.12};
    double unit = (double)b->p.px_per_unit, w = tw_value(b, "width"), soft = 0.6 / unit, rgb[3];
    struct grid glow[3];

    for (int k = 0; k < 3; k++)
        glow[k] = tw_grid(d, b->p.width, b->p.height);
    for (int y = 0; y < b->p.height; y++)
        for (int x = 0; x < b->p.width; x++) {
            glass_light(&before[y * b->p.width + x], rgb);
            for (int k = 0; k < 3; k++)
                *tw_cell(&glow[k], x, y) = lead(b, before, x, y) > w ? rgb[k] * rgb[k] : 0.0;
        }
    for (int k = 0; k < 3; k++)
        glow[k] = tw_blur(d, glow[k], 7.0 * unit);
    for (int y = 0; y < b->p.height; y++)
        for (int x = 0; x < b->p.width; x++) {
            double far = lead(b, before, x, y), dull = lead_light(b, before, x, y);
            double cover = 1.0 - tw_smooth(w - soft, w + soft, far);
            double clean = 1.0 - tw_value(b, "putty") * (1.0 - tw_smooth(w, w + 3.0, far));
            glass_light(&before[y * b->p.width + x], rgb);
            for (int k = 0; k < 3; k++) {
                double v = tw_mix(tw_value(b, "day") * rgb[k] * clean, TINT[k] * dull, cover) +
                           tw_value(b, "bloom") * *tw_cell(&glow[k], x, y);
                *tw_cell(&out[k], x, y) = v > 0.75 ? 0.75 + 0.25 * (v - 0.75) / (v - 0.5) : v;
            }
        }
}

const struct twin look_twins_panes[] = {
    {"glass", .whole = glass, .near = 1e-3, .set = TWIN_SET({"pieces", 20.0f}, {"quarry", 0.0f})},
    {"glass", .whole = glass, .near = 1e-3,
     .set = TWIN_SET({"quarry", 20.0f}, {"seeds", 1.0f}, {"tint", 0.1f}, {"streaks", 1.0f})},
    {"glass", .whole = glass, .near = 1e-3,
     .set = TWIN_SET({"pieces", 20.0f}, {"chroma", 4.0f}, {"matt", 0.1f}, {"lines", 0.3f},
                     {"clear", 0.9f})},
    {"came", .whole = came, .near = 1e-4, .set = TWIN_SET({"bloom", 0.0f})},
    {"came", .whole = came, .near = 1e-4,
     .set = TWIN_SET({"bloom", 0.0f}, {"width", 0.5f}, {"frame", 20.0f}, {"day", 3.0f},
                     {"putty", 1.0f})},
    // What spreads is kept coarsely.
    {"came", .whole = came, .near = 0.05, .set = TWIN_SET({"bloom", 1.0f}, {"width", 0.5f})},
    {0},
};
