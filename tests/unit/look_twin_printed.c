/* SPDX-License-Identifier: MIT */
#include "look_twin_dry.h"

/* Operators that draw and print on paper, but for those of look_twin_lines.c. */

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

// Mixes the pigment of a place into a pixel.
static void draw(const struct bench *b, double ux, double uy, double cover, double pressure,
                 double out[4])
{
    double take = tw_dry_take(out[3], pressure, tw_value(b, "soft")), lab[LAB];

    tw_dry_pigment(b, ux, uy, cover, tw_value(b, "colour"), lab);
    for (int k = 0; k < LAB; k++)
        out[k] = tw_mix(out[k], lab[k], take);
}

static void shade(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                  double out[4])
{
    uint32_t seed = b->p.variation.seed;
    double from = tw_value(b, "from"), to = tw_value(b, "to"), wobble = tw_value(b, "wobble");
    double wx = ux + wobble * (tw_noise(ux * 0.04, uy * 0.04, seed + 11) - 0.5);
    double wy = uy + wobble * (tw_noise(ux * 0.04, uy * 0.04, seed + 12) - 0.5);
    double asked = tw_dry_demand(b, wx, wy, tw_value(b, "colour"));
    double pressure = tw_value(b, "pressure") * tw_clamp((asked - from) / (to - from), 0.0, 1.0) *
                      tw_dry_inside(b, ux, uy, tw_value(b, "margin"));

    as_before(b, before, x, y, out);
    draw(b, wx, wy, 0.5 + 0.5 * pressure, pressure, out);
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
    draw(b, ux, uy, 1.0, pressure * tw_dry_inside(b, ux, uy, tw_value(b, "margin")), out);
}

// Lines a block's side from each other are still found where they stray over it, and are drawn.
static void lone_lines_are_drawn(const struct fixture *f)
{
    static const int AT[][2] = {{62, 40}, {66, 40}, {20, 31}, {20, 33}, {30, 14}};

    for (size_t i = 0; i < sizeof(AT) / sizeof(AT[0]); i++) {
        struct bench b;
        struct desk desk = {.n = 0};
        size_t off = 0, drawn = 0;
        double worst = 0.0, want[4];
        tw_bench(&b, f, "contour", 0, 96, 64, 1.0f);
        bench_set(&b, "width", 8.0f);
        bench_set(&b, "wobble", 10.0f);
        struct plane *lines = &b.maps->lines;
        memset(lines->px, 0, sizeof(float) * (size_t)lines->width * (size_t)lines->height);
        for (int k = 0; k < 9; k++)
            plane_row(lines, AT[i][1] + k / 3 - 1)[AT[i][0] + k % 3 - 1] = 1.0f;
        lane4 *before = tw_take(&desk, 96 * 64, sizeof(lane4));
        for (int k = 0; k < 96 * 64; k++)
            b.p.px[k] = before[k] = (lane4){0.9f, 0.0f, 0.0f, 0.5f};
        assert_int_equal(b.op->run(&b.p, b.value), ERR_OK);
        for (int y = 0; y < 64; y++)
            for (int x = 0; x < 96; x++) {
                contour(&b, before, x, y, x + 0.5, y + 0.5, want);
                tw_differ(want[0], (double)picture_row(&b.p, y)[x][0], 0.12, &off, &worst);
                drawn += want[0] < 0.7;
            }
        if (off > 0 || drawn < 20)
            fail_msg("a line at %d, %d: %zu pixels of %zu are off, one by %g", AT[i][0], AT[i][1],
                     off, drawn, worst);
        desk_clear(&desk);
        bench_close(&b);
    }
}

// What a copper plate takes from the sheet's lightness: a film that is less where it was wiped, and
// the bevel around it, whose corners are round.
static double plate(const struct bench *b, double ux, double uy, double cloud)
{
    double unit = (double)b->p.px_per_unit, pressed = tw_value(b, "plate");
    double dx = fmin(ux, b->p.width / unit - ux) - pressed;
    double dy = fmin(uy, b->p.height / unit - uy) - pressed;
    double d = dx < 9.0 && dy < 9.0 ? 9.0 - hypot(9.0 - dx, 9.0 - dy) : fmin(dx, dy);
    double wiped = 1.6 - 0.6 * tw_smooth(0.0, 70.0, d);

    return tw_smooth(-0.7, 0.7, d) * tw_value(b, "tone") * (0.5 + 0.7 * cloud) * wiped +
           0.11 / (1.0 + pow((d - 1.5) / 1.6, 4.0));
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
    if (tw_value(b, "plate") > 0.0)
        out[0] -= plate(b, ux, uy, cloud);
    out[1] = 0.15 * warm;
    out[2] = warm;
    out[3] = h;
}

static void flats(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                  double out[4])
{
    const struct look_maps *m = b->p.maps;
    double care = tw_half(&b->p, &m->importance, ux, uy), darkest = tw_value(b, "darkest"), c[LAB];
    double print = fmax(tw_half(&b->p, &m->lettering, ux, uy), tw_half(&b->p, &m->strokes, ux, uy));
    double share = tw_value(b, "simple") * (1.0 - tw_smooth(0.1, 0.4, care)) * (1.0 - print);
    double even = tw_value(b, "even"), little = fmax(1.0, 3.0 * even - 2.0);

    (void)before, (void)x, (void)y;
    for (int k = 0; k < LAB; k++)
        c[k] = tw_full(&b->p, &m->flat[k], ux, uy);
    // What differs little from the shape around it, then from the large one, is levelled.
    for (int level = 0; level < 2; level++) {
        const struct plane *shape = level ? m->coarse : m->mid;
        double far = 0.0;
        for (int k = 0; k < LAB; k++)
            far += pow(c[k] - tw_half(&b->p, &shape[k], ux, uy), 2.0);
        double less = fmin(even, 1.0) * (1.0 - tw_smooth(0.03 * little, 0.09 * little, sqrt(far)));
        for (int k = 0; k < LAB; k++)
            c[k] = tw_mix(c[k], tw_half(&b->p, &shape[k], ux, uy), less);
    }
    for (int k = 0; k < LAB; k++)
        c[k] = tw_mix(c[k], tw_half(&b->p, &m->coarse[k], ux, uy), share);
    double L = tw_clamp(0.55 + (c[0] - 0.55) * tw_value(b, "spread"), 0.0, 1.0);
    out[0] = darkest + (1.0 - darkest) * tw_mix(L, sqrt(L), tw_value(b, "lift"));
    // Near-greys keep their chroma, colours their saturation.
    double more = tw_mix(1.0, tw_clamp(out[0] / (L + 0.02), 1.0, 1.7),
                         tw_smooth(0.03, 0.1, hypot(c[1], c[2])));
    out[1] = c[1] * more;
    out[2] = c[2] * more;
    out[3] = 0.0;
}

// Lines, filled shadows, and a frame of 3.6 units as uneven as a hand's with white outside.
static void ink(const struct bench *b, const lane4 *before, int x, int y, double ux, double uy,
                double out[4])
{
    static const double PAPER[LAB] = {0.985, 0.0, 0.006};
    const struct look_maps *m = b->p.maps;
    uint32_t seed = b->p.variation.seed;
    double unit = (double)b->p.px_per_unit, sharp = 0.09 / fmax(unit, 1.0), px = 0.5 / unit;
    double weight = tw_value(b, "weight"), shadows = tw_value(b, "shadows"), outside = 0.0;
    double hand = tw_noise(ux * 0.02, uy * 0.02, seed) - 0.5, frame = tw_value(b, "frame");
    double at = 0.36 / (weight + 0.05) * (1.0 + tw_value(b, "hand") * hand);
    double line = tw_mix(tw_full(&b->p, &m->ink, ux, uy), tw_full(&b->p, &m->ridge, ux, uy),
                         tw_value(b, "even"));
    double cover = tw_smooth(at - sharp, at + sharp, line);
    double fill = 1.0 -
                  tw_smooth(shadows - 0.012, shadows + 0.012, tw_full(&b->p, &m->flat[0], ux, uy));

    as_before(b, before, x, y, out);
    cover = fmax(cover, fill);
    if (frame > 0.0) {
        double thick = 3.6 * (0.9 + 0.3 * tw_noise(ux * 0.03, uy * 0.03, seed + 3));
        double far = fmin(fmin(ux, b->p.width / unit - ux), fmin(uy, b->p.height / unit - uy));
        outside = 1.0 - tw_smooth(-px, px, far - frame);
        cover = fmax(cover, 1.0 - tw_smooth(thick - px, thick + px, far - frame));
    }
    out[0] = tw_mix(tw_mix(out[0], tw_value(b, "dark"), cover), PAPER[0], outside);
    out[1] = tw_mix(tw_mix(out[1], 0.0, cover), PAPER[1], outside);
    out[2] = tw_mix(tw_mix(out[2], -0.01, cover), PAPER[2], outside);
}

const struct twin look_twins_printed[] = {
    {"halftone", .pixel = halftone, .near = 1e-4},
    {"halftone", .pixel = halftone, .near = 1e-4,
     .set = TWIN_SET({"pitch", 40.0f}, {"depth", 0.5f})},
    {"halftone", .pixel = halftone, .near = 1e-4,
     .set = TWIN_SET({"angle", 0.04f}, {"from", 0.9f}, {"to", 0.05f})},
    {"shade", .pixel = shade, .near = 0.014},
    // Noise is straight between its samples.
    {"shade", .pixel = shade, .near = 0.08, .rare = 0.02,
     .set = TWIN_SET({"wobble", 12.0f}, {"soft", 0.0f}, {"pressure", 1.0f})},
    {"shade", .pixel = shade, .near = 0.04,
     .set = TWIN_SET({"from", 0.3f}, {"to", 0.7f}, {"dark", 0.1f}, {"colour", 0.8f},
                     {"margin", 6.0f})},
    {"contour", .pixel = contour, .near = 0.016},
    {"contour", .pixel = contour, .near = 0.05, .rare = 0.005,
     .set = TWIN_SET({"width", 8.0f}, {"times", 4.0f}, {"wobble", 10.0f})},
    {"contour", .pixel = contour, .near = 6e-3,
     .set = TWIN_SET({"from", 0.05f}, {"to", 0.3f}, {"pressure", 0.6f}, {"care", 0.8f},
                     {"soft", 1.0f}, {"dark", 0.05f}, {"colour", 0.8f}, {"margin", 6.0f})},
    {"lone lines", .part = lone_lines_are_drawn},
    {"paper", .pixel = paper, .near = 5e-4},
    {"paper", .pixel = paper, .near = 5e-3,
     .set = TWIN_SET({"grain", 12.0f}, {"laid", 1.0f}, {"mottle", 0.1f})},
    {"paper", .pixel = paper, .near = 3e-3,
     .set = TWIN_SET({"lightness", 0.5f}, {"warmth", 0.1f}, {"plate", 12.0f}, {"tone", 0.3f})},
    {"flats", .pixel = flats, .near = 1e-5},
    {"flats", .pixel = flats, .near = 1e-5, .set = TWIN_SET({"simple", 1.0f}, {"spread", 2.0f})},
    {"flats", .pixel = flats, .near = 1e-5, .set = TWIN_SET({"lift", 1.0f}, {"darkest", 0.4f})},
    {"flats", .pixel = flats, .near = 1e-5, .set = TWIN_SET({"even", 0.7f})},
    {"flats", .pixel = flats, .near = 1e-5, .set = TWIN_SET({"even", 2.0f}, {"simple", 0.5f})},
    {"ink", .pixel = ink, .near = 1e-4},
    {"ink", .pixel = ink, .near = 1e-4,
     .set = TWIN_SET({"even", 1.0f}, {"weight", 0.7f}, {"dark", 0.5f})},
    {"ink", .pixel = ink, .near = 1e-4,
     .set = TWIN_SET({"weight", 1.2f}, {"hand", 1.0f}, {"shadows", 0.6f}, {"frame", 8.0f})},
    {0},
};
