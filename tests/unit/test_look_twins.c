/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

/* Operators that paint, draw and print, beside their slow twins (look_twin.h). */

static void as_before(const struct bench *b, const lane4 *before, int x, int y, double out[4])
{
    for (int k = 0; k < 4; k++)
        out[k] = (double)before[y * b->p.width + x][k];
}

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
    double factor = tw_value(b, "chroma") * (double)v->chroma;
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

static void grading_is_as_its_twin_grades(void **state)
{
    static const struct twin_set STRONG[] = {{"chroma", 3.0f}, {"contrast", 3.0f}, {NULL, 0}};

    compare_twin(*state, "grade", grade, NULL, 1e-5, 0.0);
    compare_twin(*state, "grade", grade, STRONG, 1e-5, 0.0);
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

static void underpainting_is_as_its_twin_paints(void **state)
{
    compare_twin(*state, "underpaint", underpaint, NULL, 1e-5, 0.0);
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

static void relief_is_lit_as_its_twin_lights_it(void **state)
{
    static const struct twin_set COARSE[] = {
        {"thread", 16.0f}, {"canvas", 2.0f}, {"height", 4.0f}, {"gloss", 1.0f}, {NULL, 0}};

    compare_twin(*state, "relief", relief, NULL, 1e-4, 0.0);
    compare_twin(*state, "relief", relief, COARSE, 1e-4, 0.0);
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

static void washes_are_as_their_twin_lays_them(void **state)
{
    static const struct twin_set CALM[] = {{"wobble", 0.0f}, {"bleed", 0.0f}, {NULL, 0}};

    compare_twin(*state, "wash", wash, CALM, 1e-3, 0.0);
    // Clouds are kept coarsely, so an outline strays a little less or more.
    compare_twin(*state, "wash", wash, NULL, 0.02, 0.0);
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
                            L - tw_value(b, "whites") +
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

static void pigment_is_as_its_twin_lets_it_dry(void **state)
{
    static const struct twin_set PLAIN[] = {{"border", 0.0f}, {NULL, 0}};

    compare_twin(*state, "pigment", pigment, PLAIN, 0.014, 0.0);
    compare_twin(*state, "pigment", pigment, NULL, 0.03, 0.03); // the painted edge is a pixel wide
}

static void halftone(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                     double out[4])
{
    double pitch = tw_value(b, "pitch"), turn = 2.0 * M_PI * tw_value(b, "angle");
    double from = tw_value(b, "from"), to = tw_value(b, "to");
    double u = (ux * cos(turn) + uy * sin(turn)) / pitch;
    double v = (uy * cos(turn) - ux * sin(turn)) / pitch;
    double far = hypot(u - floor(u) - 0.5, v - floor(v) - 0.5);
    double dark = tw_clamp((from - tw_half(&b->p, &b->p.maps->mid[0], ux, uy)) / (from - to), 0, 1);
    double radius = 0.72 * sqrt(dark) - 0.02, soft = 0.6 / (pitch * (double)b->p.px_per_unit);

    as_before(b, before, x, y, out);
    if (dark > 0.02)
        out[0] -= tw_value(b, "depth") * (1.0 - tw_smooth(radius - soft, radius + soft, far)) *
                  tw_smooth(0.1, 0.4, out[0]);
}

static void dots_are_as_their_twin_prints_them(void **state)
{
    static const struct twin_set LARGE[] = {{"pitch", 40.0f}, {"depth", 0.5f}, {NULL, 0}};

    compare_twin(*state, "halftone", halftone, NULL, 1e-4, 0.0);
    compare_twin(*state, "halftone", halftone, LARGE, 1e-4, 0.0);
}

static double tooth_share(double tooth, double pressure, double soft)
{
    double hard = tw_clamp((tooth - 1.0 + pressure) * 4.0 + 0.5, 0.0, 1.0) *
                  tw_clamp(pressure * 8.0, 0.0, 1.0);

    return tw_mix(hard, pressure + 1.2 * pressure * (1.0 - pressure) * (tooth - 0.5), soft);
}

// Grey pigment alone: `colour` is 0.
static double tone_demand(const struct bench *b, double ux, double uy)
{
    return 1.0 - tw_full(&b->p, &b->p.maps->tone, ux, uy);
}

static void shade(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                  double out[4])
{
    uint32_t seed = b->p.variation.seed;
    double from = tw_value(b, "from"), to = tw_value(b, "to"), wobble = tw_value(b, "wobble");
    double wx = ux + wobble * (tw_noise(ux * 0.04, uy * 0.04, seed + 11) - 0.5);
    double wy = uy + wobble * (tw_noise(ux * 0.04, uy * 0.04, seed + 12) - 0.5);
    double q = tw_clamp((tone_demand(b, wx, wy) - from) / (to - from), 0.0, 1.0);

    as_before(b, before, x, y, out);
    double take = tooth_share(out[3], tw_value(b, "pressure") * q, tw_value(b, "soft"));
    if (q <= 0.0 || take <= 0.0)
        return;
    out[0] = tw_mix(out[0], tw_value(b, "dark"), take);
    out[1] = tw_mix(out[1], 0.0, take);
    out[2] = tw_mix(out[2], 0.0, take);
}

static void shading_is_as_its_twin_rubs_it(void **state)
{
    static const struct twin_set HARD[] = {
        {"wobble", 12.0f}, {"soft", 0.0f}, {"pressure", 1.0f}, {NULL, 0}};

    compare_twin(*state, "shade", shade, NULL, 0.014, 0.0);
    compare_twin(*state, "shade", shade, HARD, 0.08, 0.02); // noise is straight between its samples
}

// As thick as a line is at the middle of a pixel of the map.
static double thick_at(const struct bench *b, int i, int j)
{
    static const double AT[5][2] = {{0, 0}, {0.9, 0.4}, {-0.4, 0.9}, {-0.9, -0.4}, {0.4, -0.9}};
    const struct plane *lines = &b->p.maps->lines;
    double reach = 0.5 * tw_value(b, "width") * (double)b->p.maps->full_per_unit, most = 0.0;
    double x = clampi(i, 0, lines->width - 1) + 0.5, y = clampi(j, 0, lines->height - 1) + 0.5;

    for (int k = 0; k < 5; k++)
        most = fmax(most, tw_at(lines, x + reach * AT[k][0], y + reach * AT[k][1]));
    return most;
}

static double line_at(const struct bench *b, double ux, double uy)
{
    const struct plane *lines = &b->p.maps->lines;
    double per_unit = (double)b->p.maps->full_per_unit;
    double x = tw_clamp(ux * per_unit - 0.5, 0.0, lines->width - 1);
    double y = tw_clamp(uy * per_unit - 0.5, 0.0, lines->height - 1);
    int i = (int)x, j = (int)y;

    return tw_mix(tw_mix(thick_at(b, i, j), thick_at(b, i + 1, j), x - i),
                  tw_mix(thick_at(b, i, j + 1), thick_at(b, i + 1, j + 1), x - i), y - j);
}

static void contour(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                    double out[4])
{
    double from = tw_value(b, "from"), to = fmax(tw_value(b, "to"), from + 0.01), left = 1.0;
    double important = tw_half(&b->p, &b->p.maps->importance, ux, uy);
    double far = tw_value(b, "wobble") * (1.0 - 0.8 * tw_smooth(0.2, 0.6, important));
    double care = tw_value(b, "care") * (1.0 - tw_smooth(0.05, 0.4, important));

    as_before(b, before, x, y, out);
    for (int k = 0; k < (int)tw_value(b, "times"); k++) {
        uint32_t seed = b->p.variation.seed + 31u * (uint32_t)k;
        double press = tw_noise(ux * 0.03, uy * 0.03, seed + 3);
        press = k == 0 ? 0.65 + 0.5 * press : 0.8 * tw_smooth(0.25, 0.6, press);
        double line = line_at(b, ux + far * (tw_noise(ux * 0.017, uy * 0.017, seed + 1) - 0.5),
                              uy + far * (tw_noise(ux * 0.017, uy * 0.017, seed + 2) - 0.5));
        left *= 1.0 - tw_smooth(from, to, line) * press;
    }
    double pressure = tw_clamp((1.0 - left) * tw_value(b, "pressure") * (1.0 - care), 0.0, 1.0);
    if (pressure <= 0.0)
        return;
    double take = tooth_share(out[3], pressure, tw_value(b, "soft"));
    out[0] = tw_mix(out[0], tw_value(b, "dark"), take);
    out[1] = tw_mix(out[1], 0.0, take);
    out[2] = tw_mix(out[2], 0.0, take);
}

static void contours_are_as_their_twin_draws_them(void **state)
{
    static const struct twin_set WIDE[] = {
        {"width", 8.0f}, {"times", 4.0f}, {"wobble", 10.0f}, {NULL, 0}};

    compare_twin(*state, "contour", contour, NULL, 0.014, 0.0);
    compare_twin(*state, "contour", contour, WIDE, 0.05, 0.005);
}

static void paper(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                  double out[4])
{
    uint32_t seed = b->p.variation.seed;
    double size = tw_value(b, "grain"), laid = tw_value(b, "laid"), warm = tw_value(b, "warmth");
    double h = 0.55 * tw_noise(ux / size, uy / size, seed + 1) +
               0.3 * tw_noise(1.9 * ux / size, 1.9 * uy / size, seed + 2) +
               0.15 * tw_noise(0.4 * ux / size, 0.4 * uy / size, seed + 3);
    double line = cos(2.0 * M_PI * (uy / 4.2 + 0.35 * tw_noise(ux * 0.02, uy * 0.05, 9)));
    double cloud = tw_noise(ux * 0.012, uy * 0.012, seed + 4);

    (void)before, (void)x, (void)y;
    h = tw_smooth(0.17, 0.83, tw_mix(h, 0.45 * h + 0.275 + 0.275 * line, laid));
    h = tw_mix(0.5, h, tw_smooth(0.5, 1.5, size * (double)b->p.px_per_unit));
    out[0] = tw_value(b, "lightness") +
             tw_value(b, "mottle") * (2.0 * cloud - 1.0 + 0.5 * (h - 0.5));
    out[1] = 0.15 * warm;
    out[2] = warm;
    out[3] = h;
}

static void paper_is_as_its_twin_makes_it(void **state)
{
    static const struct twin_set ROUGH[] = {
        {"grain", 12.0f}, {"laid", 1.0f}, {"mottle", 0.1f}, {NULL, 0}};

    compare_twin(*state, "paper", paper, NULL, 5e-4, 0.0);
    compare_twin(*state, "paper", paper, ROUGH, 5e-3, 0.0);
}

static void flats(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                  double out[4])
{
    const struct look_maps *m = b->p.maps;
    double care = tw_half(&b->p, &m->importance, ux, uy), darkest = tw_value(b, "darkest"), c[LAB];
    double share = tw_value(b, "simple") * (1.0 - tw_smooth(0.1, 0.4, care));

    (void)before, (void)x, (void)y;
    for (int k = 0; k < LAB; k++)
        c[k] = tw_mix(tw_full(&b->p, &m->flat[k], ux, uy), tw_half(&b->p, &m->coarse[k], ux, uy),
                      share);
    double L = tw_clamp(0.55 + (c[0] - 0.55) * tw_value(b, "spread"), 0.0, 1.0);
    out[0] = darkest + (1.0 - darkest) * tw_mix(L, sqrt(L), tw_value(b, "lift"));
    double more = tw_clamp(out[0] / (L + 0.02), 1.0, 1.7);
    out[1] = c[1] * more;
    out[2] = c[2] * more;
    out[3] = 0.0;
}

static void flat_colours_are_as_their_twin_fills_them(void **state)
{
    static const struct twin_set SIMPLE[] = {{"simple", 1.0f}, {"spread", 2.0f}, {NULL, 0}};

    compare_twin(*state, "flats", flats, NULL, 1e-5, 0.0);
    compare_twin(*state, "flats", flats, SIMPLE, 1e-5, 0.0);
}

// Lines and filled shadows; no frame.
static void ink(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                double out[4])
{
    const struct look_maps *m = b->p.maps;
    double weight = tw_value(b, "weight"), shadows = tw_value(b, "shadows");
    double hand = tw_noise(ux * 0.02, uy * 0.02, b->p.variation.seed) - 0.5;
    double at = 0.36 / (weight + 0.05) * (1.0 + tw_value(b, "hand") * hand), sharp = 0.09;
    double cover = tw_smooth(at - sharp, at + sharp, tw_full(&b->p, &m->ink, ux, uy));
    double fill = 1.0 -
                  tw_smooth(shadows - 0.012, shadows + 0.012, tw_full(&b->p, &m->flat[0], ux, uy));

    as_before(b, before, x, y, out);
    cover = fmax(cover, fill);
    out[0] = tw_mix(out[0], tw_value(b, "dark"), cover);
    out[1] = tw_mix(out[1], 0.0, cover);
    out[2] = tw_mix(out[2], -0.01, cover);
}

static void ink_is_as_its_twin_lays_it(void **state)
{
    static const struct twin_set HEAVY[] = {
        {"weight", 1.2f}, {"hand", 1.0f}, {"shadows", 0.6f}, {NULL, 0}};

    compare_twin(*state, "ink", ink, NULL, 1e-4, 0.0);
    compare_twin(*state, "ink", ink, HEAVY, 1e-4, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grading_is_as_its_twin_grades),
        cmocka_unit_test(underpainting_is_as_its_twin_paints),
        cmocka_unit_test(relief_is_lit_as_its_twin_lights_it),
        cmocka_unit_test(washes_are_as_their_twin_lays_them),
        cmocka_unit_test(pigment_is_as_its_twin_lets_it_dry),
        cmocka_unit_test(dots_are_as_their_twin_prints_them),
        cmocka_unit_test(shading_is_as_its_twin_rubs_it),
        cmocka_unit_test(contours_are_as_their_twin_draws_them),
        cmocka_unit_test(paper_is_as_its_twin_makes_it),
        cmocka_unit_test(flat_colours_are_as_their_twin_fills_them),
        cmocka_unit_test(ink_is_as_its_twin_lays_it),
    };

    return cmocka_run_group_tests_name("look_twins", tests, open_all, close_all);
}
