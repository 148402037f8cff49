/* SPDX-License-Identifier: MIT */
#include "look_twin_dry.h"

#include "base/rand.h"

/* Tone by strokes of hatching and by fields of engraved lines. */

/* A stroke: points in units from one end to the other. */
struct hair {
    double x[9], y[9], pressure[9];
    int points;
};

// How dark it is there, from where the layer begins to where it is pressed hardest.
static double wanted(const struct bench *b, double x, double y)
{
    double from = tw_value(b, "from"), to = fmax(tw_value(b, "to"), from + 0.01);

    return tw_clamp((tw_dry_demand(b, x, y, tw_value(b, "colour")) - from) / (to - from), 0.0, 1.0);
}

static uint32_t hatch_seed(const struct bench *b)
{
    return hash_u32(b->p.variation.seed, (uint32_t)(int)(tw_value(b, "angle") * 512.0),
                    (uint32_t)(tw_value(b, "from") * 512.0));
}

static void hatch_way(const struct bench *b, double x, double y, double turn, double *dx,
                      double *dy)
{
    const struct look_maps *m = b->p.maps;
    double patch = tw_noise(x * 0.011, y * 0.011, hatch_seed(b) + 3) - 0.5;
    double at = 4.0 * M_PI * (tw_value(b, "angle") + turn + 2.0 * tw_value(b, "wander") * patch);
    double share = tw_value(b, "follow") * tw_half(&b->p, &m->coherence, x, y);

    tw_halve(tw_mix(cos(at), tw_half(&b->p, &m->flow_c, x, y), share),
             tw_mix(sin(at), tw_half(&b->p, &m->flow_s, x, y), share), dx, dy);
}

// Four steps from the middle, one way: points[1] and on, while the tone lasts.
static int hatch_side(const struct bench *b, double x, double y, double sign, double step,
                      double turn, double at[5][3])
{
    double tone = wanted(b, x, y), hx = 0.0, hy = 0.0, unit = (double)b->p.px_per_unit;
    int n = 0;

    while (n < 4) {
        double dx, dy, way;
        hatch_way(b, x, y, turn, &dx, &dy);
        way = n == 0 ? sign : dx * hx + dy * hy < 0.0 ? -1.0 : 1.0;
        hx = way * dx;
        hy = way * dy;
        x += step * hx;
        y += step * hy;
        double q = wanted(b, x, y);
        if (fabs(q - tone) > 2.0 * tw_value(b, "edge") || q <= 0.0 || x < 0.0 || y < 0.0 ||
            x > b->p.width / unit || y > b->p.height / unit)
            break;
        n++;
        at[n][0] = x;
        at[n][1] = y;
        at[n][2] = q;
    }
    return n;
}

static void hatch_stroke(const struct bench *b, double x, double y, double r1, double r2,
                         double press, struct hair *out)
{
    double step = tw_value(b, "length") * (0.5 + 0.5 * r1) / 8.0, turn = 0.03 * (r2 - 0.5);
    double ahead[5][3] = {{x, y, wanted(b, x, y)}}, back[5][3] = {{0}};
    int after = hatch_side(b, x, y, 1.0, step, turn, ahead);
    int before = hatch_side(b, x, y, -1.0, step, turn, back), n = before + after + 1;

    out->points = n > 1 ? n : 0;
    for (int i = 0; i < out->points; i++) {
        const double *at = i < before ? back[before - i] : ahead[i - before];
        double t = i / (n - 1.0);
        out->x[i] = at[0];
        out->y[i] = at[1];
        // Set down quickly, lifted slowly.
        out->pressure[i] = tw_clamp(at[2] * press * tw_smooth(-0.05, 0.2, t) *
                                        (1.0 - 0.85 * tw_smooth(0.5, 1.0, t)),
                                    0.0, 1.0);
    }
}

// Each pixel against each piece of the stroke; what is lighter than its middle is spared.
static void draw_stroke(const struct bench *b, const struct hair *s, double radius, double dark,
                        const double lab[LAB], struct grid out[4])
{
    double unit = (double)b->p.px_per_unit;

    for (int i = 0; i + 1 < s->points; i++)
        for (int y = 0; y < b->p.height; y++)
            for (int x = 0; x < b->p.width; x++) {
                double dx = (s->x[i + 1] - s->x[i]) * unit, dy = (s->y[i + 1] - s->y[i]) * unit;
                double px = x + 0.5 - s->x[i] * unit, py = y + 0.5 - s->y[i] * unit;
                double t = (px * dx + py * dy) / (dx * dx + dy * dy);
                double off = fabs(px * dy - py * dx) / hypot(dx, dy);
                if (!(t >= 0.0 && t < 1.0))
                    continue;
                double pressure = tw_mix(s->pressure[i], s->pressure[i + 1], t);
                double width = radius * (0.55 + 0.45 * pressure);
                double here = 1.0 - tw_near(&b->p.maps->tone,
                                            (x + 0.5) / unit * (double)b->p.maps->full_per_unit,
                                            (y + 0.5) / unit * (double)b->p.maps->full_per_unit);
                double spared = dark > 0.0 ? tw_clamp(1.5 * here / dark - 0.25, 0.0, 1.0) : 1.0;
                double cover =
                    tw_clamp(width + 0.5 - off, 0.0, 1.0) * tw_clamp(2.0 * width, 0.0, 1.0) *
                    tw_dry_take(*tw_cell(&out[3], x, y), pressure, tw_value(b, "soft")) * spared;
                for (int k = 0; k < LAB; k++)
                    *tw_cell(&out[k], x, y) = tw_mix(*tw_cell(&out[k], x, y), lab[k], cover);
            }
}

static void hatch_one(const struct bench *b, int i, int j, double x, double y, struct grid out[4])
{
    uint32_t seed = hatch_seed(b), roll = hash_u32((uint32_t)i, (uint32_t)j, seed);
    double r1 = (roll >> 20) / 4096.0, r2 = (roll >> 8 & 4095) / 4096.0, lab[LAB];
    double q = wanted(b, x, y), press = tw_value(b, "pressure"), colour = tw_value(b, "colour");
    struct hair hair;

    // Rare rather than faint.
    if (q <= 0.0 || q * 6.0 < r2 || tw_dry_inside(b, x, y, tw_value(b, "margin")) < 0.3 + 0.4 * r1)
        return;
    hatch_stroke(b, x, y, r1, r2, press * (0.75 + 0.5 * (roll & 255) / 255.0), &hair);
    tw_dry_pigment(b, x, y, 0.5 + 0.5 * press * q, colour, lab);
    for (int k = 0; k < LAB; k++)
        lab[k] += tw_value(b, "vary") * ((double)noise_point(i * 3 + k, j, seed) - 0.5);
    draw_stroke(b, &hair, 0.5 * tw_value(b, "width") * (double)b->p.px_per_unit * (0.8 + 0.4 * r1),
                tw_dry_demand(b, x, y, 0.0), lab, out);
}

// A lattice turned by the angle around the picture's middle; every other row is half a step on.
static void hatch(const struct bench *b, struct desk *d, const lane4 *before, struct grid out[4])
{
    double unit = (double)b->p.px_per_unit, w = b->p.width / unit, h = b->p.height / unit;
    double along = 0.6 * tw_value(b, "length"), spacing = tw_value(b, "spacing");
    double turn = 2.0 * M_PI * tw_value(b, "angle"), c = cos(turn), s = sin(turn);
    int columns = (int)(hypot(w, h) / along) + 2, rows = (int)(hypot(w, h) / spacing) + 2;

    (void)d;
    for (int i = 0; i < b->p.width * b->p.height; i++)
        for (int k = 0; k < 4; k++)
            out[k].v[i] = (double)before[i][k];
    for (int j = 0; j < rows; j++)
        for (int i = 0; i < columns; i++) {
            uint32_t roll = hash_u32((uint32_t)i, (uint32_t)j, hatch_seed(b));
            double u = (i - columns / 2 + (roll >> 20) / 4096.0 + 0.5 * (j & 1)) * along;
            double v = (j - rows / 2 + 0.7 * (roll >> 8 & 4095) / 4096.0) * spacing;
            double x = 0.5 * w + u * c - v * s, y = 0.5 * h + u * s + v * c;
            if (x >= 0.0 && y >= 0.0 && x < w && y < h)
                hatch_one(b, i, j, x, y, out);
        }
}

/* A piece of a plane wave. Lengths in cells. */
struct wavelet {
    double x, y, nx, ny, phase; /* unit vector across the lines; turns at (x, y) */
};

struct wavelets {
    const struct bench *b;
    struct wavelet *at;
    int columns, rows;
    double cell_px, waves; /* lines per cell */
    double smooth;
    uint32_t seed;
};

static double bump(double d)
{
    double t = fmax(1.0 - d * d / 4.0, 0.0);

    return t * t;
}

static void place_wavelets(struct wavelets *f, struct desk *d)
{
    const struct bench *b = f->b;
    const struct look_maps *m = b->p.maps;
    struct grid c = tw_copy(d, &m->flow_c), s = tw_copy(d, &m->flow_s);
    double base = 4.0 * M_PI * tw_value(b, "angle"), turn = 2.0 * M_PI * tw_value(b, "turn");
    double scale = 2.0 * tw_value(b, "period") * (double)m->half_per_unit;

    for (int i = 0; i < c.w * c.h; i++) {
        c.v[i] *= (double)m->coherence.px[i];
        s.v[i] *= (double)m->coherence.px[i];
    }
    c = tw_blur(d, c, tw_value(b, "smooth") * (double)m->half_per_unit);
    s = tw_blur(d, s, tw_value(b, "smooth") * (double)m->half_per_unit);
    for (int j = 0; j < f->rows; j++)
        for (int i = 0; i < f->columns; i++) {
            struct wavelet *q = &f->at[j * f->columns + i];
            double tx, ty;
            q->x = i + (double)noise_point(i, 2 * j, f->seed);
            q->y = j + (double)noise_point(i, 2 * j + 1, f->seed);
            double fc = grid_at(&c, q->x * scale, q->y * scale);
            double fs = grid_at(&s, q->x * scale, q->y * scale);
            double form = tw_value(b, "follow") * tw_smooth(0.08, 0.3, hypot(fc, fs));
            tw_halve(tw_mix(0.2 * cos(base), fc, form), tw_mix(0.2 * sin(base), fs, form), &tx,
                     &ty);
            q->nx = -(tx * sin(turn) + ty * cos(turn));
            q->ny = tx * cos(turn) - ty * sin(turn);
        }
}

// The phase with which a piece goes on from the others: from all, or from those before it alone.
static void agree(struct wavelets *f, int i, int j, bool before)
{
    struct wavelet *q = &f->at[j * f->columns + i];
    double sum_c = 0.0, sum_s = 0.0;

    for (int b = clampi(j - 2, 0, j); b <= j + 2 && b < f->rows; b++)
        for (int a = clampi(i - 2, 0, i); a <= i + 2 && a < f->columns; a++) {
            const struct wavelet *o = &f->at[b * f->columns + a];
            double dx = q->x - o->x, dy = q->y - o->y, same = q->nx * o->nx + q->ny * o->ny;
            double weight = bump(dx) * bump(dy) * same * same, sign = same < 0.0 ? -1.0 : 1.0;
            if (o == q || (before && o > q) || weight <= 1e-4)
                continue;
            double along = 0.5 * (dx * (q->nx + sign * o->nx) + dy * (q->ny + sign * o->ny));
            double at = 2.0 * M_PI * (sign * o->phase + f->waves * along);
            sum_c += weight * cos(at);
            sum_s += weight * sin(at);
        }
    if (sum_c * sum_c + sum_s * sum_s > 1e-6)
        q->phase = atan2(sum_s, sum_c) / (2.0 * M_PI);
}

// 0 in the middle of a line, 1 between two: the waves of all pieces around, with one heading.
static double line_at(const struct wavelets *f, int x, int y)
{
    double u = (x + 0.5) / f->cell_px, v = (y + 0.5) / f->cell_px, re = 0.0, im = 0.0;
    int i = clampi((int)u, 0, f->columns - 1), j = clampi((int)v, 0, f->rows - 1);
    const struct wavelet *ref = &f->at[j * f->columns + i];

    for (int k = 0; k < f->columns * f->rows; k++) {
        const struct wavelet *o = &f->at[k];
        double dx = u - o->x, dy = v - o->y, weight = fabs(dx) < 2.0 && fabs(dy) < 2.0;
        double sign = ref->nx * o->nx + ref->ny * o->ny < 0.0 ? -1.0 : 1.0;
        double at = 2.0 * M_PI * sign * (o->phase + f->waves * (dx * o->nx + dy * o->ny));
        weight *= bump(dx) * bump(dy);
        re += weight * cos(at);
        im += weight * sin(at);
    }
    return acos(tw_clamp(re / (hypot(re, im) + 1e-9), -1.0, 1.0)) / M_PI;
}

static void wavelets_open(struct wavelets *f, struct desk *d, const struct bench *b, uint32_t seed)
{
    double unit = (double)b->p.px_per_unit;

    *f = (struct wavelets){.b = b, .seed = seed};
    f->cell_px = fmax(2.0 * tw_value(b, "period") * unit, 1.0);
    f->waves = f->cell_px / (tw_value(b, "period") * unit);
    f->columns = (int)(b->p.width / f->cell_px) + 1;
    f->rows = (int)(b->p.height / f->cell_px) + 1;
    f->at = tw_take(d, (size_t)(f->columns * f->rows), sizeof(*f->at));
    place_wavelets(f, d);
    for (int j = 0; j < f->rows; j++)
        for (int i = 0; i < f->columns; i++)
            agree(f, i, j, true);
    // Every third row at once, twice over.
    for (int turn = 0; turn < 6; turn++)
        for (int j = turn % 3; j < f->rows; j += 3)
            for (int i = 0; i < f->columns; i++)
                agree(f, i, j, false);
}

static double line_width(const struct bench *b, double ux, double uy, double care, uint32_t seed)
{
    double from = tw_value(b, "from"), to = fmax(tw_value(b, "to"), from + 0.01);
    double dark = 1.0 - tw_full(&b->p, &b->p.maps->tone, ux, uy), levels = tw_value(b, "levels");
    double width = tw_clamp((dark - from) / (to - from), 0.0, 1.0),
           per = 2.2 / tw_value(b, "period");

    if (levels >= 1.0) {
        double whole = floor(width * levels);
        width = (whole + tw_smooth(0.35, 0.65, width * levels - whole)) / levels;
    }
    width *= tw_value(b, "most");
    double rough = 0.6 * tw_noise(ux * per, uy * per, seed) +
                   0.4 * tw_noise(ux * per * 2.7, uy * per * 2.7, seed + 1);
    width += tw_value(b, "rough") * (rough - 0.5) * tw_clamp(width * 4.0, 0.0, 1.0);
    double bend = 30.0 * tw_noise(ux / 300.0, uy / 140.0, seed + 2);
    double streak = tw_noise(ux / 90.0, (uy + bend) / 2.3, seed + 3);
    width -= tw_value(b, "grain") * tw_smooth(0.66, 0.95, streak) *
             (1.0 - tw_smooth(0.1, 0.4, care));
    // It runs out in a point.
    return width < tw_value(b, "least") ? 2.0 * width - tw_value(b, "least") : width;
}

static void engrave(const struct bench *b, struct desk *d, const lane4 *before, struct grid out[4])
{
    double unit = (double)b->p.px_per_unit, edge = 2.2 / (tw_value(b, "period") * unit);
    uint32_t seed =
        hash_u32(b->p.variation.seed, (uint32_t)(int)(tw_value(b, "turn") * 512.0), 0xE6);
    struct wavelets f;

    wavelets_open(&f, d, b, seed);
    for (int y = 0; y < b->p.height; y++)
        for (int x = 0; x < b->p.width; x++) {
            double ux = (x + 0.5) / unit, uy = (y + 0.5) / unit, lab[LAB], at[4];
            double care = tw_half(&b->p, &b->p.maps->importance, ux, uy);
            double solid = tw_value(b, "care") * tw_smooth(0.4, 0.8, care);
            double width = line_width(b, ux, uy, care, seed);
            double line = tw_mix(line_at(&f, x, y), 0.55, solid);
            double ink = tw_clamp((width - line) / (edge * (1.0 - 0.7 * solid)) + 0.5, 0.0, 1.0);
            if (width <= 0.0)
                ink = 0.0;
            ink *= tw_smooth(0.45, 0.55, tw_dry_inside(b, ux, uy, tw_value(b, "margin")));
            tw_dry_pigment(b, ux, uy, 1.0, tw_value(b, "colour"), lab);
            as_before(b, before, x, y, at);
            for (int k = 0; k < 4; k++)
                *tw_cell(&out[k], x, y) = k < LAB ? tw_mix(at[k], lab[k], ink) : at[k];
        }
}

const struct twin look_twins_lines[] = {
    {"hatch", .whole = hatch, .near = 1e-3, .rare = 0.01},
    {"hatch", .whole = hatch, .near = 1e-3, .rare = 0.02,
     .set = TWIN_SET({"colour", 1.0f}, {"follow", 1.0f}, {"wander", 0.3f}, {"width", 4.0f},
                     {"spacing", 6.0f}, {"vary", 0.1f}, {"margin", 6.0f}, {"angle", -0.31f},
                     {"soft", 0.0f})},
    {"hatch", .whole = hatch, .near = 1e-3, .rare = 0.01,
     .set = TWIN_SET({"length", 90.0f}, {"from", 0.3f}, {"to", 0.5f}, {"pressure", 1.0f},
                     {"edge", 0.6f}, {"dark", 0.05f})},
    {"engrave", .whole = engrave, .near = 0.01, .rare = 0.01},
    {"engrave", .whole = engrave, .near = 0.01, .rare = 0.02,
     .set = TWIN_SET({"turn", 0.25f}, {"colour", 1.0f}, {"levels", 4.0f}, {"rough", 0.6f},
                     {"grain", 0.8f}, {"margin", 4.0f}, {"care", 1.0f})},
    {"engrave", .whole = engrave, .near = 0.01, .rare = 0.02,
     .set = TWIN_SET({"period", 12.0f}, {"smooth", 3.0f}, {"angle", 0.4f}, {"follow", 1.0f})},
    {"engrave", .whole = engrave, .near = 0.01, .rare = 0.02,
     .set = TWIN_SET({"from", 0.3f}, {"to", 0.6f}, {"most", 0.6f}, {"least", 0.4f}, {"dark", 0.5f},
                     {"angle", 0.2f}, {"follow", 0.0f})},
    {0},
};
