/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

#include "look/mood_scene.h"

/* Solid materials in the relief's light: metal, wood, stone, and what weather leaves on them. */

/* The relief of the picture: shadows of the key light, and slopes of the form blurred by `soft`. */
struct relief {
    const struct look_picture *p;
    double depth;
    struct grid light, form;
};

/* A place of it. */
struct place {
    double x, y, gx, gy, n[3], height, shade, cavity, light, care;
    double broad_x, broad_y, lettering;
    struct plane_place half;
};

// The share of the key light that is left: the relief against a ray that rises .24 of its way.
static double shadow(const struct relief *r, int x, int y)
{
    static const double STEP[] = {2.0, 4.5, 8.0, 12.5, 18.0, 25.0, 34.0, 46.0, 62.0};
    const struct look_maps *m = r->p->maps;
    double per = (double)m->half_per_unit, most = 0.0;

    for (int i = 0; i < 9; i++) {
        double px = x + 0.5 + (double)r->p->variation.light_x * per * STEP[i];
        double py = y + 0.5 + (double)r->p->variation.light_y * per * STEP[i];
        double rise = r->depth * (tw_at(&m->form, px, py) - tw_px(&m->form, x, y));
        most = fmax(most, rise / STEP[i] - 0.24);
    }
    return 1.0 - tw_smooth(0.0, 0.22, most);
}

static void relief_open(struct relief *r, struct desk *d, const struct bench *b, double soft)
{
    const struct look_maps *m = b->p.maps;

    *r = (struct relief){.p = &b->p, .depth = tw_value(b, "relief")};
    struct grid light = tw_grid(d, m->form.width, m->form.height);
    for (int y = 0; y < light.h; y++)
        for (int x = 0; x < light.w; x++)
            *tw_cell(&light, x, y) = shadow(r, x, y);
    r->light = tw_blur(d, light, 1.6 * (double)m->half_per_unit);
    r->form = tw_blur(d, tw_copy(d, &m->form), soft * (double)m->half_per_unit);
}

static void tilt(struct place *t, double gx, double gy)
{
    t->gx += gx;
    t->gy += gy;
    double norm = 1.0 / sqrt(1.0 + t->gx * t->gx + t->gy * t->gy);
    t->n[0] = -t->gx * norm;
    t->n[1] = -t->gy * norm;
    t->n[2] = norm;
}

// Slopes of the soft form, of a pixel of half size.
static void broad_at(const struct relief *r, int i, int j, double *gx, double *gy)
{
    double per = r->depth * (double)r->p->maps->half_per_unit;

    grid_slope(&r->form, clampi(i, 0, r->form.w - 1), clampi(j, 0, r->form.h - 1), gx, gy);
    *gx *= per;
    *gy *= per;
}

static void place_of(const struct relief *r, int x, int y, struct place *t)
{
    const struct look_picture *p = r->p;
    const struct look_maps *m = p->maps;
    double unit = (double)p->px_per_unit, hx, hy, g[4][2];

    *t = (struct place){.x = (x + 0.5) / unit, .y = (y + 0.5) / unit};
    hx = t->x * (double)m->half_per_unit;
    hy = t->y * (double)m->half_per_unit;
    t->half = plane_place(&m->form, (float)hx, (float)hy);
    t->height = r->depth * tw_at(&m->form, hx, hy);
    t->cavity = tw_at(&m->cavity, hx, hy);
    t->light = grid_at(&r->light, hx, hy);
    t->care = tw_at(&m->importance, hx, hy);
    t->lettering = tw_at(&m->lettering, hx, hy);
    t->shade = tw_full(p, &m->shade, t->x, t->y);
    tilt(t, r->depth * tw_full(p, &m->slope_x, t->x, t->y),
         r->depth * tw_full(p, &m->slope_y, t->x, t->y));
    int i = (int)floor(hx - 0.5), j = (int)floor(hy - 0.5);
    for (int k = 0; k < 4; k++)
        broad_at(r, i + k % 2, j + k / 2, &g[k][0], &g[k][1]);
    double tx = hx - 0.5 - i, ty = hy - 0.5 - j;
    t->broad_x = tw_mix(tw_mix(g[0][0], g[1][0], tx), tw_mix(g[2][0], g[3][0], tx), ty);
    t->broad_y = tw_mix(tw_mix(g[0][1], g[1][1], tx), tw_mix(g[2][1], g[3][1], tx), ty);
}

static void key_of(const struct relief *r, double l[3])
{
    l[0] = cos(M_PI * 42.0 / 180.0) * (double)r->p->variation.light_x;
    l[1] = cos(M_PI * 42.0 / 180.0) * (double)r->p->variation.light_y;
    l[2] = sin(M_PI * 42.0 / 180.0);
}

static double dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static double bell_of(double t)
{
    return pow(1.0 + t * t, -2.0);
}

/* What a mirror shows: a soft box with its lamp towards the key, a strip light opposite, a dark
 * floor with its horizon. u towards the key, v across. */
static double studio(const struct relief *r, const double n[3], double rough)
{
    double lx = (double)r->p->variation.light_x, ly = (double)r->p->variation.light_y;
    double rx = 2.0 * n[2] * n[0], ry = 2.0 * n[2] * n[1];
    double u = rx * lx + ry * ly, v = ry * lx - rx * ly, w = 0.05 + rough;
    double e = (0.13 + 0.30 * tw_smooth(-0.6, 0.7, u)) *
               (1.0 - 0.6 * (1.0 - rough) * bell_of((u + 0.24) / (0.10 + 0.5 * rough)));

    e += (1.15 + 1.7 * bell_of((u - 0.58) / (0.07 + 0.8 * rough))) *
         tw_smooth(0.30 - w, 0.30 + w, u) * (1.0 - tw_smooth(0.80 - w, 0.80 + w, u)) *
         (1.0 - tw_smooth(0.5, 1.0, fabs(v)));
    e += 0.75 * bell_of((u + 0.62) / (0.10 + rough)) * (1.0 - 0.7 * fabs(v));
    return e + 0.35 * bell_of((v - 0.7) / (0.12 + rough));
}

// What polish over a body shows of the studio: the soft box, brightest in its middle, and the
// walls.
static double polish_shows(const struct relief *r, const double n[3], double rough)
{
    double lx = (double)r->p->variation.light_x, ly = (double)r->p->variation.light_y;
    double rx = 2.0 * n[2] * n[0], ry = 2.0 * n[2] * n[1], w = 0.06 + rough;
    double u = rx * lx + ry * ly, v = fabs(ry * lx - rx * ly);
    double middle = bell_of((u - 0.58) / (0.10 + rough)) * bell_of(v / (0.2 + rough));

    return (0.6 + 0.8 * middle) * tw_smooth(0.42 - w, 0.42 + w, u) *
               (1.0 - 0.6 * tw_smooth(0.75, 1.0, u)) * (1.0 - tw_smooth(0.35 - w, 0.35 + w, v)) +
           0.08 * tw_smooth(-0.7, 0.7, u);
}

// Octaves of noise, turned and shifted, about -1..1.
static double octaves(double x, double y, int n, uint32_t seed)
{
    double sum = 0.0, weight = 1.0, all = 0.0;

    for (int i = 0; i < n; i++, weight *= 0.5) {
        double t = 1.6 * x - 1.2 * y + 7.3;
        sum += weight * (2.0 * tw_noise(x, y, seed + (uint32_t)i) - 1.0);
        all += weight;
        y = 1.2 * x + 1.6 * y - 3.1;
        x = t;
    }
    return 1.6 * sum / all;
}

// A point of the grain's lattice: noise of 8, 4 and 2 cells that repeats after 256.
static double grain_point(int x, int y, uint32_t seed)
{
    double sum = 0.0, weight = 1.1;

    x &= 255;
    y &= 255;
    for (int cells = 8; cells >= 2; cells /= 2, weight *= 0.6) {
        int i = x / cells, j = y / cells, n = 256 / cells, right = (i + 1) % n, below = (j + 1) % n;
        double tx = tw_smooth(0.0, 1.0, x % cells / (double)cells);
        double ty = tw_smooth(0.0, 1.0, y % cells / (double)cells);
        uint32_t s = seed + (uint32_t)cells;
        double up = tw_mix((double)noise_point(i, j, s), (double)noise_point(right, j, s), tx);
        double low =
            tw_mix((double)noise_point(i, below, s), (double)noise_point(right, below, s), tx);
        sum += weight * (tw_mix(up, low, ty) - 0.5);
    }
    return sum;
}

// Straight between its points, and its slope.
static double grain(double x, double y, uint32_t seed, double *gx, double *gy)
{
    int i = (int)floor(x), j = (int)floor(y);
    double tx = x - i, ty = y - j, a = grain_point(i, j, seed), b = grain_point(i + 1, j, seed);
    double c = grain_point(i, j + 1, seed), e = grain_point(i + 1, j + 1, seed);

    *gx = tw_mix(b - a, e - c, ty);
    *gy = tw_mix(c - a, e - b, tx);
    return tw_mix(tw_mix(a, b, tx), tw_mix(c, e, tx), ty);
}

static void film(const double rgb[3], double lab[3])
{
    double shown[3];

    for (int k = 0; k < 3; k++)
        shown[k] = rgb[k] * (2.51 * rgb[k] + 0.03) / (rgb[k] * (2.51 * rgb[k] + 0.56) + 0.14);
    tw_oklab(shown, lab);
}

static struct mood_lamp lamp_at(const struct bench *b, const struct place *t, double lit, double up)
{
    struct mood_lamp lamp;

    mood_lamp_at(b->p.mood, &t->half, (float)lit, (float)up, &lamp);
    return lamp;
}

static double colour_of(const struct bench *b, const char *prefix, int k)
{
    static const char *const NAME[3] = {"red", "green", "blue"};
    char name[32];

    assert_true(snprintf(name, sizeof(name), "%s%s", prefix, NAME[k]) < (int)sizeof(name));
    return tw_value(b, name);
}

typedef void solid_fn(const struct bench *b, const struct relief *r, struct place *t,
                      double lab[3]);

static void solid(const struct bench *b, struct desk *d, double soft, solid_fn *fn,
                  struct grid out[4])
{
    struct relief r;
    struct place t;
    double lab[3];

    relief_open(&r, d, b, soft);
    for (int y = 0; y < b->p.height; y++)
        for (int x = 0; x < b->p.width; x++) {
            place_of(&r, x, y, &t);
            fn(b, &r, &t, lab);
            for (int k = 0; k < 3; k++)
                *tw_cell(&out[k], x, y) = lab[k];
        }
}

static void metal_at(const struct bench *b, const struct relief *r, struct place *t, double lab[3])
{
    static const double BELOW[3] = {0.6, 0.1, -1.0};
    uint32_t seed = b->p.variation.seed;
    double unit = (double)b->p.px_per_unit, swell = tw_value(b, "swell"), gx, gy, rgb[3];
    double bow_x = 2.0 * t->x * unit / b->p.width - 1.0,
           bow_y = 2.0 * t->y * unit / b->p.height - 1.0;
    double smooth = tw_value(b, "smooth") * (1.0 - 0.6 * tw_smooth(0.2, 0.6, t->care));

    grain(2.0 * t->x, 2.0 * t->y, seed + 31, &gx, &gy);
    tilt(t,
         swell * (octaves(t->x * 0.006, t->y * 0.006, 2, seed) - 2.0 * bow_x) +
             6.0 * tw_value(b, "grain") * gx + smooth * (t->broad_x - t->gx),
         swell * (octaves(t->x * 0.006, t->y * 0.006, 2, seed + 11) - 2.0 * bow_y) +
             6.0 * tw_value(b, "grain") * gy + smooth * (t->broad_y - t->gy));
    double keep = tw_value(b, "shading");
    keep += (1.0 - keep) * 0.75 * tw_smooth(0.3, 0.7, t->lettering);
    double e = studio(r, t->n, tw_value(b, "roughness")) * tw_value(b, "exposure") *
               (1.0 - keep + keep * (0.10 + 1.45 * t->shade)) * (0.45 + 0.55 * t->light) *
               tw_mix(1.0, t->cavity, 0.35 + 0.65 * tw_value(b, "tarnish"));
    double ry = 2.0 * t->n[2] * t->n[1], fresnel = pow(1.0 - t->n[2], 5.0);
    double twice = tw_clamp(tw_value(b, "bounce") * (1.0 - 1.1 * e), 0.0, 1.5);
    struct mood_lamp lamp = lamp_at(b, t, e, -ry);
    for (int k = 0; k < 3; k++) {
        double f = tw_mix(colour_of(b, "", k), 1.0, fresnel);
        double tint = 1.0 + tw_value(b, "sky") * BELOW[k] * tw_clamp(1.2 * ry - 0.15, -0.6, 0.25);
        rgb[k] = e * tint * f * tw_clamp(1.0 + twice * (f - 1.0), 0.02, 1.0) *
                     (double)lamp.gain[k] +
                 (double)lamp.veil[k];
    }
    film(rgb, lab);
}

static void metal(const struct bench *b, struct desk *d, const lane4 *before, struct grid out[4])
{
    (void)before;
    solid(b, d, 2.0, metal_at, out);
}

// Dashes: of cells 1.7 units wide and a pore long, shifted by column, three in ten.
static double pore(double across, double along, double length, uint32_t seed)
{
    int column = (int)floor(across / 1.7);
    double v = along / length + 7.0 * (double)noise_point(column, 5, seed);
    double u = across / 1.7 - column - 0.5, w = v - floor(v) - 0.5;

    if (noise_point(column, (int)floor(v), seed + 1) >= 0.3f)
        return 0.0;
    return (1.0 - 4.0 * u * u) * (1.0 - 4.0 * w * w);
}

static void timber_at(const struct bench *b, const struct relief *r, struct place *t, double lab[3])
{
    uint32_t seed = b->p.variation.seed;
    bool lying = b->p.width > b->p.height;
    double across = lying ? t->y : t->x, along = lying ? t->x : t->y, key[3], rgb[3];
    double fibres = tw_value(b, "fibre"), pores = tw_value(b, "pores"),
           gloss = tw_value(b, "gloss");
    // The trunk: how far it bows, and the years from its middle.
    double bow = 5.0 * octaves(across * 0.02, along * 0.004, 2, seed + 331) + 0.12 * t->height;
    double bend = octaves(across * 0.0035, along * 0.0011, 3, seed + 301);
    double years = (0.42 * (across + bow) + 72.0 * bend + 0.35 * t->height) / tw_value(b, "ring");
    double streak = octaves((across + bow) * 0.03, along * 0.0022, 2, seed + 391);
    // The cut.
    double f = years - floor(years), year = (double)noise_point((int)floor(years), 3, seed);
    double late = (0.45 + 0.55 * year) * tw_smooth(0.30, 0.90, f) * (1.0 - tw_smooth(0.94, 1.0, f));
    double fibre = octaves((across + bow) * 0.85, along * 0.045, 2, seed + 361);
    double hole = pore(across + bow, along, tw_value(b, "pore"), seed + 401) *
                  (0.45 + 0.55 * (1.0 - late));
    double rough = 0.05 * fibres * fibre + 0.10 * pores * hole, keep = tw_value(b, "shading");

    tilt(t, lying ? 0.0 : rough, lying ? rough : 0.0);
    key_of(r, key);
    double d = tw_clamp(dot(t->n, key), 0.0, 1.0);
    double light = (1.30 * d * tw_mix(0.25, 1.0, t->light) + 0.16) * t->cavity *
                   (1.0 - keep + keep * (0.22 + 1.2 * t->shade));
    double wax = gloss * t->cavity * polish_shows(r, t->n, 0.45 - 0.25 * gloss);
    double tone = tw_clamp(tw_value(b, "rings") * late - 0.35 * fibres * fibre +
                               tw_value(b, "streaks") * streak + 0.12,
                           0.0, 1.0);
    struct mood_lamp lamp = lamp_at(b, t, 1.2 * d * t->light, -t->n[1]);
    for (int k = 0; k < 3; k++) {
        double c = tw_mix(colour_of(b, "", k), colour_of(b, "late_", k), tone) *
                   (1.0 - pores * hole);
        double sent = 0.62 * tw_value(b, "exposure") * c * light + 0.2 * wax;
        rgb[k] = sent * (double)lamp.gain[k] + (double)lamp.veil[k];
    }
    film(rgb, lab);
}

static void timber(const struct bench *b, struct desk *d, const lane4 *before, struct grid out[4])
{
    (void)before;
    solid(b, d, 0.0, timber_at, out);
}

// Share of vein, and how much lighter the ground is: the bed lies askew, and deep cuts move it.
static double vein_at(const struct bench *b, const struct place *t, double *cloud)
{
    uint32_t seed = b->p.variation.seed;
    double f = 1.0 / tw_value(b, "period"), w = tw_value(b, "width");
    double x = t->x + 1.3 * t->height, y = t->y - 1.1 * t->height;
    double u = (0.82 * x + 0.57 * y) * f, v = 0.45 * (0.82 * y - 0.57 * x) * f;
    double wu = octaves(1.5 * u + 3.0, 1.5 * v, 3, seed + 101);
    double wv = octaves(1.5 * u, 1.5 * v + 9.0, 3, seed + 151);
    double steps = octaves(6.0 * u, 9.0 * v, 2, seed + 201);
    double bed = 1.1 * u + 0.18 * wv + 0.03 * steps;
    double fine = (0.66 * x + 2.1 * y) * f + 0.3 * wu - 0.05 * steps, other = floor(fine + 0.5);
    double its = (double)noise_point((int)other, 11, seed);
    double which = floor(bed + 0.5), own = (double)noise_point((int)which, 7, seed);
    double wide = w * (0.35 + 1.1 * own) * (0.5 + 0.8 * tw_smooth(-0.5, 0.7, wv));
    double core = 1.0 - tw_smooth(0.006 * wide, 0.030 * wide, fabs(bed - which));
    double large = tw_value(b, "veins") * tw_smooth(-0.7, 0.0, wu + 0.5 * own - 0.1) *
                   (0.45 + 0.55 * tw_smooth(-0.5, 0.4, wv - 0.6 * wu)) *
                   (0.85 * core + tw_value(b, "haze") * bell_of((bed - which) / (0.13 * w)));
    double small = 0.7 * tw_value(b, "fine") *
                   tw_smooth(-0.1, 0.5, wv - 0.4 * wu + 0.5 * its - 0.2) *
                   (1.0 - tw_smooth(0.008 * w, (0.02 + 0.03 * its) * w, fabs(fine - other)));

    *cloud = tw_value(b, "clouds") * (0.6 * wu + 0.4 * wv);
    return (1.0 - 0.7 * tw_smooth(0.3, 0.65, t->care)) * tw_clamp(large + small, 0.0, 1.0);
}

static void stone_at(const struct bench *b, const struct relief *r, struct place *t, double lab[3])
{
    struct place soft = *t, mirror = *t;
    double key[3], cloud, rgb[3], vein = vein_at(b, t, &cloud), polish = tw_value(b, "polish");
    double keep = tw_value(b, "shading"), shade = 1.0 - keep + keep * (0.18 + 1.25 * t->shade);

    key_of(r, key);
    tilt(&soft, t->broad_x - t->gx, t->broad_y - t->gy);
    tilt(&mirror, 0.7 * (t->broad_x - t->gx), 0.7 * (t->broad_y - t->gy));
    double d = tw_mix(dot(t->n, key), dot(soft.n, key), tw_value(b, "soft"));
    double shown = polish_shows(r, mirror.n, 0.34 - 0.22 * polish);
    double fresnel = (0.045 + 0.9 * pow(1.0 - t->n[2], 5.0)) * polish * t->cavity;
    double thin = tw_value(b, "glow") * tw_smooth(-6.0, 14.0, t->height) *
                  (1.15 - tw_clamp(d, 0.0, 1.0));
    struct mood_lamp lamp = lamp_at(b, t, 1.2 * d * t->light, -t->n[1]);
    for (int k = 0; k < 3; k++) {
        double wrap = tw_value(b, "scatter") * (1.0 - 0.14 * k);
        double lit = tw_clamp((d + wrap) / (1.0 + wrap), 0.0, 1.0);
        double ground = colour_of(b, "", k) * tw_clamp(1.0 + cloud, 0.3, 1.7);
        double light = (1.55 * lit * lit * tw_mix(t->light, 1.0, 0.3 + 0.5 * wrap) + 0.10) *
                           tw_mix(t->cavity, 1.0, 0.35 * wrap) +
                       thin * (1.0 - 0.25 * k);
        double sent = tw_mix(ground, colour_of(b, "vein_", k), vein) * light * shade *
                          tw_value(b, "exposure") +
                      6.0 * fresnel * shown;
        double v = tw_clamp(sent * (double)lamp.gain[k] + (double)lamp.veil[k], 0.0, 8.0);
        rgb[k] = v > 0.7 ? 0.7 + 0.3 * (v - 0.7) / (v - 0.4) : v;
    }
    tw_oklab(rgb, lab);
}

static void stone(const struct bench *b, struct desk *d, const lane4 *before, struct grid out[4])
{
    (void)before;
    solid(b, d, 6.0, stone_at, out);
}

// Three fields of the crust: how much there is, which of the two kinds, where water ran.
static void crust_at(const struct bench *b, const struct place *t, uint32_t seed, double *much,
                     double *old, double *water)
{
    double f = 1.0 / tw_value(b, "patch");
    double wander = octaves(t->x * 0.011, t->y * 0.011, 2, seed + 5), x = t->x + 10.0 * wander;
    double run = 1.6 * (tw_noise(x * 0.045, t->y * 0.004, seed + 21) +
                        0.7 * tw_noise(x * 0.12, t->y * 0.01, seed + 22) - 0.85);

    *much = octaves(t->x * f + 0.5 * wander, t->y * f - 0.4 * wander, 4, seed) +
            tw_value(b, "runs") * run + 1.6 * (tw_value(b, "cover") - 0.5);
    *old = octaves(t->x * 2.1 * f, t->y * 2.1 * f + 0.3 * wander, 2, seed + 81);
    *water = 0.7 * run + 0.5 * octaves(t->x * 0.02, t->y * 0.013, 2, seed + 121);
}

// The crust's colour; returns how much of it there is.
static double crust(const struct bench *b, const struct relief *r, struct place *t, double lab[3])
{
    uint32_t seed = b->p.variation.seed + 977u * (uint32_t)tw_value(b, "patch");
    double much, old, water, key[3], rgb[3], gx, gy, keep = tw_value(b, "shading");
    double coarse = grain(1.6 * t->x, 1.6 * t->y, seed + 41, &gx, &gy), edge = tw_value(b, "edge");
    double fresh = tw_value(b, "fresh"), pits = tw_value(b, "pits");

    crust_at(b, t, seed, &much, &old, &water);
    double share = tw_smooth(-edge, edge,
                             much + tw_value(b, "hollows") * (0.85 - t->cavity) +
                                 tw_value(b, "faces") * t->care + 0.35 * coarse);
    tilt(t, 6.0 * pits * gx, 6.0 * pits * gy);
    key_of(r, key);
    double d = tw_clamp(dot(t->n, key), 0.0, 1.0);
    double light = (1.2 * d * tw_mix(0.3, 1.0, t->light) + 0.2) * tw_mix(t->cavity, 1.0, 0.25) *
                   (1.0 - keep + keep * (0.12 + 1.3 * t->shade)) * (1.0 + 0.25 * coarse) *
                   (1.0 - 1.6 * share * (1.0 - share)) * tw_value(b, "exposure");
    old = tw_smooth(-0.4, 0.5, old + 0.45 * coarse);
    fresh = tw_smooth(0.9 - 1.6 * fresh, 1.5 - 1.6 * fresh, water + 0.5 * coarse);
    struct mood_lamp lamp = lamp_at(b, t, 1.2 * d * t->light, -t->n[1]);
    for (int k = 0; k < 3; k++) {
        double c = tw_mix(tw_mix(colour_of(b, "", k), colour_of(b, "old_", k), old),
                          colour_of(b, "fresh_", k), fresh);
        rgb[k] = 0.62 * light * c * (double)lamp.gain[k] + (double)lamp.veil[k];
    }
    film(rgb, lab);
    return share;
}

static void weather(const struct bench *b, struct desk *d, const lane4 *before, struct grid out[4])
{
    struct relief r;
    struct place t;
    double lab[4] = {0}, at[4];

    relief_open(&r, d, b, 0.0);
    for (int y = 0; y < b->p.height; y++)
        for (int x = 0; x < b->p.width; x++) {
            place_of(&r, x, y, &t);
            double share = crust(b, &r, &t, lab);
            as_before(b, before, x, y, at);
            for (int k = 0; k < 4; k++)
                *tw_cell(&out[k], x, y) = k < LAB ? tw_mix(at[k], lab[k], share) : at[k];
        }
}

const struct twin look_twins_solid[] = {
    {"metal", .whole = metal, .near = 1e-4, .set = TWIN_SET({"swell", 0.0f})},
    {"metal", .whole = metal, .near = 1e-4, .mood = true,
     .set = TWIN_SET({"swell", 0.0f}, {"sky", 1.0f}, {"roughness", 0.5f}, {"tarnish", 1.0f},
                     {"relief", 2.0f}, {"grain", 0.2f})},
    {"metal", .whole = metal, .near = 1e-4,
     .set = TWIN_SET({"swell", 0.0f}, {"red", 0.3f}, {"green", 0.9f}, {"blue", 0.6f},
                     {"shading", 0.1f}, {"bounce", 2.0f}, {"smooth", 1.0f}, {"exposure", 0.5f})},
    // What varies slowly is worked out every 4 units.
    {"metal", .whole = metal, .near = 0.02, .rare = 0.04},
    {"timber", .whole = timber, .near = 1e-4,
     .set = TWIN_SET({"rings", 0.0f}, {"streaks", 0.0f}, {"fibre", 0.0f}, {"pores", 0.0f})},
    {"timber", .whole = timber, .near = 0.02, .rare = 0.002, .set = TWIN_SET({"ring", 60.0f})},
    {"timber", .whole = timber, .near = 0.02, .rare = 0.01, .mood = true,
     .set = TWIN_SET({"gloss", 1.0f}, {"pores", 1.0f})},
    {"timber", .whole = timber, .near = 0.02, .rare = 0.01,
     .set = TWIN_SET({"red", 0.1f}, {"green", 0.6f}, {"blue", 0.9f}, {"late_red", 0.8f},
                     {"late_green", 0.5f}, {"late_blue", 0.3f}, {"ring", 60.0f}, {"pore", 80.0f},
                     {"relief", 3.0f}, {"shading", 0.0f}, {"exposure", 0.5f})},
    {"stone", .whole = stone, .near = 1e-4,
     .set = TWIN_SET({"veins", 0.0f}, {"fine", 0.0f}, {"clouds", 0.0f})},
    {"stone", .whole = stone, .near = 1e-4,
     .set = TWIN_SET({"veins", 0.0f}, {"fine", 0.0f}, {"clouds", 0.0f}, {"red", 0.1f},
                     {"green", 0.3f}, {"blue", 0.5f}, {"relief", 3.0f}, {"soft", 1.0f},
                     {"shading", 0.0f}, {"exposure", 0.5f})},
    {"stone", .whole = stone, .near = 5e-3, .set = TWIN_SET({"period", 1000.0f})},
    // Veins so near each other that several cross the picture.
    {"stone", .whole = stone, .near = 0.02, .rare = 0.02, .seed = 6,
     .set = TWIN_SET({"vein_red", 0.9f}, {"vein_green", 0.1f}, {"vein_blue", 0.6f}, {"width", 4.0f},
                     {"haze", 1.0f}, {"period", 60.0f})},
    {"stone", .whole = stone, .near = 0.02, .rare = 0.01, .mood = true,
     .set = TWIN_SET({"glow", 1.0f}, {"polish", 1.0f}, {"scatter", 1.0f})},
    // One colour all over: where the crust is whole, patches do not show.
    {"weather", .whole = weather, .near = 1e-4, .rare = 0.05,
     .set = TWIN_SET({"cover", 1.0f}, {"hollows", 4.0f}, {"runs", 0.0f}, {"edge", 0.02f},
                     {"pits", 0.3f}, {"red", 0.2f}, {"green", 0.4f}, {"blue", 0.5f},
                     {"old_red", 0.2f}, {"old_green", 0.4f}, {"old_blue", 0.5f},
                     {"fresh_red", 0.2f}, {"fresh_green", 0.4f}, {"fresh_blue", 0.5f})},
    {"weather", .whole = weather, .near = 3e-3, .rare = 0.04,
     .set = TWIN_SET({"patch", 400.0f}, {"runs", 0.0f}, {"edge", 0.8f})},
    {"weather", .whole = weather, .near = 0.02, .rare = 0.05},
    {"weather", .whole = weather, .near = 1e-4, .rare = 0.05,
     .set = TWIN_SET({"cover", 1.0f}, {"hollows", 4.0f}, {"runs", 0.0f}, {"edge", 0.02f},
                     {"fresh", 1.0f}, {"red", 0.6f}, {"green", 0.1f}, {"blue", 0.2f},
                     {"old_red", 0.6f}, {"old_green", 0.1f}, {"old_blue", 0.2f},
                     {"fresh_red", 0.6f}, {"fresh_green", 0.1f}, {"fresh_blue", 0.2f},
                     {"relief", 3.0f}, {"shading", 0.0f}, {"exposure", 0.5f})},
    {"weather", .whole = weather, .near = 0.02, .rare = 0.005, .mood = true,
     .set = TWIN_SET({"cover", 0.8f}, {"patch", 300.0f}, {"runs", 1.0f}, {"faces", 1.0f},
                     {"fresh", 0.6f}, {"pits", 0.5f})},
    {0},
};
