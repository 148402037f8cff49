/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

/* Operators that paint with brush, water and light. */

static double soft_limit(double x, double knee)
{
    double over = (x - knee) / (1.0 - knee);

    return x <= knee ? x : knee + (1.0 - knee) * over / (1.0 + over);
}

static void grade(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                  double out[4])
{
    const struct look_variation *v = &b->p.variation;
    double shift = tw_value(b, "shift"), black = tw_value(b, "black");
    double range = tw_value(b, "white") - black;

    (void)ux, (void)uy;
    as_before(b, before, x, y, out);
    double L = 0.55 + (out[0] - 0.55) * tw_value(b, "contrast") * (double)v->contrast +
               shift * (double)v->shift[0];
    double t = (L - black) / range;
    t = t > 0.5 ? soft_limit(t, 0.85) : 1.0 - soft_limit(1.0 - t, 0.85);
    // Less of both in the dark.
    double lit = tw_smooth(0.05, 0.5, black + range * t);
    double factor = tw_mix(1.0, tw_value(b, "chroma") * (double)v->chroma, lit);
    shift *= tw_mix(0.4, 1.0, lit);
    double a = out[1] * factor + shift * (double)v->shift[1];
    double bb = out[2] * factor + shift * (double)v->shift[2] +
                (tw_value(b, "split") + (double)v->split) * 2.0 * (t - 0.5);
    double chroma = hypot(a, bb);
    double most = tw_value(b, "limit") * (0.25 + 0.75 * tw_clamp(4.0 * t * (1.05 - t), 0.0, 1.0));
    double kept = chroma > 0.0 ? most * soft_limit(chroma / most, 0.6) / chroma : 1.0;
    out[0] = black + range * t;
    out[1] = a * kept;
    out[2] = bb * kept;
}

static void underpaint(const struct bench *b, const lane4 *before, int x, int y, double ux,
                       double uy, double out[4])
{
    static const double GROUND[LAB] = {0.52, 0.035, 0.065};
    double share = tw_value(b, "ground") *
                   (0.6 + 0.8 * tw_noise(ux * 0.02, uy * 0.02, b->p.variation.seed));

    (void)before, (void)x, (void)y;
    for (int k = 0; k < LAB; k++)
        out[k] = tw_mix(tw_half(&b->p, &b->p.maps->coarse[k], ux, uy), GROUND[k], share);
    out[3] = tw_value(b, "thickness");
}

// Plain weave.
static double weave(double x, double y, double pitch)
{
    double i = floor(x / pitch), j = floor(y / pitch), fx = x / pitch - i - 0.5;
    double fy = y / pitch - j - 0.5;
    bool over = ((int)i + (int)j) & 1;
    double across = over ? fx : fy, along = over ? fy : fx;
    double thick = 0.75 + 0.5 * (double)noise_point(over ? (int)i : (int)j, over ? 1 : 2, 77u);

    return (1.0 - 4.0 * across * across) * (1.0 - 2.0 * along * along) * thick;
}

static double relief_height(const struct bench *b, const lane4 *before, int x, int y)
{
    double unit = (double)b->p.px_per_unit, thread = tw_value(b, "thread");

    x = clampi(x, 0, b->p.width - 1);
    y = clampi(y, 0, b->p.height - 1);
    double paint = (double)before[y * b->p.width + x][3];
    double canvas = tw_value(b, "canvas") * tw_smooth(1.2, 3.0, thread * unit);
    return paint * tw_value(b, "height") + canvas * (1.0 - tw_smooth(0.1, 0.75, paint)) *
                                               weave((x + 0.5) / unit, (y + 0.5) / unit, thread);
}

// Phong's light with the half-way vector, of a viewer in front and a light at 45 degrees.
static void relief(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                   double out[4])
{
    double unit = (double)b->p.px_per_unit, r = sqrt(0.5), lab[LAB], rgb[3];
    double light[3] = {r * (double)b->p.variation.light_x, r * (double)b->p.variation.light_y, r};
    double n[3] = {
        0.5 * unit * (relief_height(b, before, x - 1, y) - relief_height(b, before, x + 1, y)),
        0.5 * unit * (relief_height(b, before, x, y - 1) - relief_height(b, before, x, y + 1)),
        1.0};
    double length = sqrt(n[0] * n[0] + n[1] * n[1] + 1.0), lit = 0.0, half = 0.0;
    double to_half = sqrt(light[0] * light[0] + light[1] * light[1] + (r + 1.0) * (r + 1.0));

    (void)ux, (void)uy;
    for (int k = 0; k < 3; k++) {
        lit += n[k] / length * light[k];
        half += n[k] / length * (light[k] + (k == 2 ? 1.0 : 0.0)) / to_half;
    }
    double spec = pow(tw_clamp(half, 0.0, 1.0), 40.0) - 0.0421;
    as_before(b, before, x, y, out);
    double shine = tw_value(b, "gloss") * fmax(spec, 0.0) * tw_clamp(out[0], 0.2, 1.0);
    double shade = tw_clamp(1.0 + tw_value(b, "diffuse") * (lit - r), 0.25, 2.0);
    memcpy(lab, out, sizeof(lab));
    tw_linear(lab, rgb);
    for (int k = 0; k < 3; k++)
        out[k] = rgb[k] * shade + shine;
}

static void wash(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                 double out[4])
{
    const struct look_picture *p = &b->p;
    const struct look_maps *m = p->maps;
    uint32_t seed = p->variation.seed;
    double detail = tw_value(b, "detail"), period = tw_value(b, "period"), c[LAB];
    double care = tw_half(p, &m->importance, ux, uy);
    double loose = 1.0 - tw_smooth(0.5 * detail, detail + 0.1, care);
    double du = tw_clouds(ux, uy, period, seed + 11), dv = tw_clouds(ux, uy, period, seed + 12);
    double stray = tw_value(b, "wobble") * (0.12 + 0.88 * loose);
    double wet = loose * tw_smooth(-0.1, 0.4, tw_clouds(ux, uy, 190.0, seed + 13));
    double far = stray + wet * tw_value(b, "bleed");
    double mid = tw_half(p, &m->mid[0], ux + stray * du, uy + stray * dv);
    double fine = tw_full(p, &m->fine[0], ux + stray * du, uy + stray * dv);
    double run = tw_half(p, &m->coarse[0], ux + far * du, uy + far * dv);
    double small = fmax(0.85 * tw_smooth(0.6 * detail, detail + 0.2, care),
                        tw_smooth(0.05, 0.1, fabs(fine - mid)) * tw_smooth(0.05, 0.2, care));
    double apart = tw_smooth(0.05, 0.14, fabs(mid - run));

    (void)before, (void)x, (void)y;
    for (int k = 0; k < LAB; k++) {
        double soft = tw_half(p, &m->mid[k], ux + stray * du, uy + stray * dv);
        double sharp = tw_full(p, &m->fine[k], ux + stray * du, uy + stray * dv);
        c[k] = tw_mix(tw_mix(soft, sharp, small),
                      tw_half(p, &m->coarse[k], ux + far * du, uy + far * dv),
                      k == 0 ? 0.8 * wet * (1.0 - apart) : 0.35 * loose + 0.5 * wet);
    }
    double L = tw_clamp(c[0], 0.0, 1.0), darkest = tw_value(b, "darkest");
    L = tw_mix(L, sqrt(L), 2.0 * (1.0 - tw_value(b, "key")));
    out[0] = darkest + (1.0 - darkest) * L;
    out[1] = c[1];
    out[2] = c[2];
    out[3] = 0.0;
}

static double paper_grain(double ux, double uy, double tooth)
{
    double u = ux / tooth, v = uy / tooth;

    return 0.55 * tw_noise(u, v, 301) + 0.45 * tw_noise(1.7 * u - 0.9 * v, 0.9 * u + 1.7 * v, 302);
}

static double inside_round_corners(const struct bench *b, double ux, double uy)
{
    double w = b->p.width / (double)b->p.px_per_unit, h = b->p.height / (double)b->p.px_per_unit;
    double dx = fmin(ux, w - ux), dy = fmin(uy, h - uy);

    return dx < 30.0 && dy < 30.0 ? 30.0 - hypot(30.0 - dx, 30.0 - dy) : fmin(dx, dy);
}

static void pigment(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                    double out[4])
{
    static const double PAPER[3] = {0.965, 0.945, 0.900};
    const struct look_variation *v = &b->p.variation;
    double tooth = tw_value(b, "tooth"), rgb[3], lab[LAB];
    double seen = tw_smooth(0.8, 2.5, tooth * (double)b->p.px_per_unit);
    double paper = paper_grain(ux, uy, tooth);
    double lean = paper - paper_grain(ux + (double)v->light_x, uy + (double)v->light_y, tooth);

    as_before(b, before, x, y, out);
    double L = out[0], dark = tw_clamp(1.1 - L, 0.0, 1.0);
    double d =
        1.0 + out[3] +
        tw_value(b, "turbulence") * (1.0 - 0.75 * dark) * tw_clouds(ux, uy, 150.0, v->seed + 31) +
        seen * tw_value(b, "granulation") * (0.5 - paper) * (0.4 + 1.6 * dark * (1.0 - 0.6 * dark));
    double bare = tw_smooth(0.0, 0.08,
                            L - 0.8 * hypot(out[1], out[2]) - tw_value(b, "whites") +
                                0.08 * tw_clouds(ux, uy, 40.0, v->seed + 32) +
                                0.06 * seen * (paper - 0.5));
    double inside = inside_round_corners(b, ux, uy) - tw_value(b, "border") -
                    tw_value(b, "ragged") * tw_clouds(ux, uy, 170.0, v->seed + 33);
    double dry = tw_smooth(0.0, 0.3, tw_clouds(ux, uy, 130.0, v->seed + 34)), reached = 1.0;
    if (tw_value(b, "border") > 0.0) {
        reached = tw_smooth(-0.8, 0.8, inside + dry * 34.0 * (paper - 0.62) + 3.0 * (paper - 0.5));
        d += 0.4 * (1.0 - dry) * exp(-0.3 * fmax(inside, 0.0));
    }
    d = tw_clamp(d, 0.15, 3.0) * (1.0 - 0.9 * bare) * reached;
    memcpy(lab, out, sizeof(lab));
    tw_linear(lab, rgb);
    for (int k = 0; k < 3; k++) {
        double c = sqrt(tw_clamp(rgb[k], 0.0004, 1.0));
        c = d < 1.0 ? 1.0 - (1.0 - c) * d : tw_clamp(c - (c - c * c) * (d - 1.0), 0.0, 1.0);
        out[k] = c * c * PAPER[k] * (1.0 + seen * tw_value(b, "grain") * lean);
    }
}

/*
 * Tone in steps: f is how far a place is through its step, whose border is `half` wide on both
 * sides, in steps: `edge` or, where wet, 24 units, and wider where it matters, if any paper is wet.
 */
static double stepped(const struct bench *b, const struct grid *tone, const lane4 *before, int x,
                      int y)
{
    const struct look_picture *p = &b->p;
    double unit = (double)p->px_per_unit, ux = (x + 0.5) / unit, uy = (y + 0.5) / unit, gx, gy;
    double tones = tw_value(b, "tones"), at = *tw_cell(tone, x, y);
    double care = tw_half(p, &p->maps->importance, ux, uy);
    double wet = tw_smooth(-0.1, 0.3,
                           tw_clouds(ux, uy, 150.0, p->variation.seed + 21) + tw_value(b, "wet") -
                               0.3 * care);

    grid_slope(tone, x, y, &gx, &gy);
    double per_unit = tones * unit * hypot(gx, gy), f = at * tones - floor(at * tones);
    double face = tw_clamp(1.0 + tw_value(b, "wet"), 0.0, 1.0) * tw_smooth(0.12, 0.4, care);
    double half = tw_clamp(
        tw_mix(tw_value(b, "edge"), 24.0, wet) * per_unit + 0.5 * wet + 0.45 * face, 0.02, 0.5);
    double t = tw_clamp((f - 0.5 + half) / (2.0 * half), 0.0, 1.0);
    double detail = (double)before[y * p->width + x][0] - at;
    return (floor(at * tones) + t) / tones + detail * tw_smooth(0.02, 0.06, fabs(detail));
}

static void glaze(const struct bench *b, struct desk *d, const lane4 *before, struct grid out[4])
{
    const struct look_picture *p = &b->p;
    uint32_t seed = p->variation.seed;
    double unit = (double)p->px_per_unit, width = tw_value(b, "width") * unit;
    struct grid tone = tw_grid(d, p->width, p->height), L = tw_grid(d, p->width, p->height);

    for (int y = 0; y < L.h; y++)
        for (int x = 0; x < L.w; x++) {
            double ux = (x + 0.5) / unit, uy = (y + 0.5) / unit;
            double care = tw_half(p, &p->maps->importance, ux, uy);
            *tw_cell(&tone, x, y) = (double)before[y * L.w + x][0] +
                                    tw_value(b, "wander") * (1.0 - tw_smooth(0.1, 0.35, care)) *
                                        tw_clouds(ux, uy, 64.0, seed + 22);
        }
    tone = tw_blur(d, tone, 1.3 * unit);
    for (int y = 0; y < L.h; y++)
        for (int x = 0; x < L.w; x++)
            *tw_cell(&L, x, y) = stepped(b, &tone, before, x, y);
    struct grid near = tw_blur(d, L, 0.7 * width), wide = tw_blur(d, L, 2.5 * width);
    for (int y = 0; y < L.h; y++)
        for (int x = 0; x < L.w; x++) {
            const lane4 *was = &before[y * L.w + x];
            double l = *tw_cell(&L, x, y), ux = (x + 0.5) / unit, uy = (y + 0.5) / unit;
            // How much darker a place is than what is around it.
            double by = 0.65 * *tw_cell(&near, x, y) + 0.35 * *tw_cell(&wide, x, y) - l;
            double care = tw_half(p, &p->maps->importance, ux, uy);
            double dry = tw_clouds((0.7 * x + 0.5) / unit, (0.7 * y + 0.5) / unit, 64.0, seed + 22);
            double thin = tw_clamp((l + 0.1) / ((double)(*was)[0] + 0.1), 0.8, 1.35);
            *tw_cell(&out[0], x, y) = l;
            *tw_cell(&out[1], x, y) = thin * (double)(*was)[1];
            *tw_cell(&out[2], x, y) = thin * (double)(*was)[2];
            *tw_cell(&out[3], x, y) = by > 0.0 ? tw_value(b, "rim") * by / (by + 0.05)
                                               : -tw_value(b, "gap") * tw_smooth(0.03, 0.07, -by) *
                                                     (1.0 - tw_smooth(0.2, 0.45, care)) *
                                                     tw_smooth(0.0, 0.25, dry);
        }
}

const struct twin look_twins_painted[] = {
    {"grade", .pixel = grade, .near = 1e-5},
    {"grade", .pixel = grade, .near = 1e-5, .set = TWIN_SET({"chroma", 3.0f}, {"contrast", 3.0f})},
    {"grade", .pixel = grade, .near = 1e-5,
     .set = TWIN_SET({"black", 0.3f}, {"white", 0.7f}, {"limit", 0.4f}, {"split", 0.1f},
                     {"shift", 3.0f})},
    {"underpaint", .pixel = underpaint, .near = 1e-5},
    {"underpaint", .pixel = underpaint, .near = 1e-5,
     .set = TWIN_SET({"ground", 0.8f}, {"thickness", 1.5f})},
    {"relief", .pixel = relief, .near = 1e-4},
    {"relief", .pixel = relief, .near = 1e-4,
     .set = TWIN_SET({"thread", 16.0f}, {"canvas", 2.0f}, {"height", 4.0f}, {"gloss", 1.0f},
                     {"diffuse", 2.0f})},
    {"wash", .pixel = wash, .near = 2e-4, .rare = 6e-3,
     .set = TWIN_SET({"wobble", 0.0f}, {"bleed", 0.0f})},
    // Clouds are kept coarsely, so an outline strays a little less or more.
    {"wash", .pixel = wash, .near = 0.02, .rare = 1e-3},
    {"wash", .pixel = wash, .near = 0.02, .rare = 1e-3, .seed = 10,
     .set = TWIN_SET({"detail", 0.8f}, {"period", 120.0f}, {"key", 0.5f}, {"darkest", 0.5f},
                     {"bleed", 40.0f})},
    {"pigment", .pixel = pigment, .near = 1e-5,
     .set = TWIN_SET({"turbulence", 0.0f}, {"whites", 1.2f}, {"border", 0.0f})},
    {"pigment", .pixel = pigment, .near = 1e-4,
     .set = TWIN_SET({"turbulence", 0.0f}, {"whites", 1.2f}, {"border", 0.0f},
                     {"granulation", 2.0f}, {"tooth", 12.0f}, {"grain", 1.0f})},
    {"pigment", .pixel = pigment, .near = 0.014, .set = TWIN_SET({"border", 0.0f})},
    // The painted edge is a pixel wide.
    {"pigment", .pixel = pigment, .near = 0.03, .rare = 0.03},
    {"pigment", .pixel = pigment, .near = 0.03, .rare = 0.01,
     .set = TWIN_SET({"border", 8.0f}, {"ragged", 0.0f})},
    {"glaze", .whole = glaze, .near = 1e-4,
     .set = TWIN_SET({"wander", 0.0f}, {"wet", -1.0f}, {"gap", 0.0f})},
    {"glaze", .whole = glaze, .near = 1e-4,
     .set = TWIN_SET({"wander", 0.0f}, {"wet", -1.0f}, {"gap", 0.0f}, {"edge", 0.2f})},
    {"glaze", .whole = glaze, .near = 0.06,
     .set = TWIN_SET({"tones", 4.0f}, {"wet", -1.0f}, {"wander", 0.0f}, {"rim", 4.0f},
                     {"gap", 1.0f}, {"width", 8.0f})},
    // Clouds are kept coarsely, so a border strays a little less or more.
    {"glaze", .whole = glaze, .near = 0.02, .rare = 0.01},
    {0},
};
