/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

#include "look/mood_internal.h"

/* Light and palette of the prompt: what is read from the photo, and each colour lit by itself. */
enum { WIDE = 112, HIGH = 84, WORDS_MAX = 2 };

static const char *const WORDS[][WORDS_MAX] = {{"sunset"},  {"stormy", "winter"},
                                               {"noir"},    {"candlelight"},
                                               {"backlit"}, {"sepia"},
                                               {"rainy"},   {"rainbow", "dark"},
                                               {"neon"},    {"teal", "orange"},
                                               {"red"},     {"foggy", "autumn"}};

enum { MOODS = sizeof(WORDS) / sizeof(WORDS[0]) };

/* A photo, and the same photo in a mood. */
struct lit {
    struct look_mood mood;
    struct image source;
    struct look_maps *plain, *maps;
    const struct mood_scene *s;
    struct desk desk;
    const char *name;
    size_t off, of;
    double worst;
};

static void lit_open(struct lit *l, const struct fixture *f, int scene, int mood)
{
    uint32_t needs = NEED_FINE | NEED_ABSTRACT | NEED_IMPORTANCE | NEED_TONE | NEED_FLAT;

    *l = (struct lit){.name = WORDS[mood][0]};
    for (int i = 0; i < WORDS_MAX && WORDS[mood][i]; i++)
        assert_true(mood_add(&l->mood, WORDS[mood][i]));
    tw_source(&l->source, WIDE, HIGH, scene);
    tw_maps(f, &l->source, needs, 1.0f, 1.0f, &l->plain);
    tw_maps(f, &l->source, needs, 1.0f, 1.0f, &l->maps);
    assert_int_equal(mood_light_maps(&l->mood, l->maps, f->pool, NULL), ERR_OK);
    l->s = l->maps->mood;
}

// At most one in a thousand may stand on a threshold and fall to the other side.
static void lit_close(struct lit *l, const char *what)
{
    if (l->off * 1000 > l->of)
        fail_msg("%s in %s: %zu of %zu are off, one by %g", what, l->name, l->off, l->of, l->worst);
    desk_clear(&l->desk);
    look_maps_free(l->plain);
    look_maps_free(l->maps);
    image_release(&l->source);
}

static void check(struct lit *l, double want, double got, double near)
{
    l->of++;
    tw_differ(want, got, near, &l->off, &l->worst);
}

static void check_all(struct lit *l, const struct grid *want, const struct plane *got, double near)
{
    assert_int_equal(want->w, got->width);
    assert_int_equal(want->h, got->height);
    for (int i = 0; i < want->w * want->h; i++)
        check(l, want->v[i], (double)got->px[i], near);
}

typedef void scene_fn(struct lit *l);

static void in_every_mood(const struct fixture *f, const char *what, scene_fn *fn)
{
    for (int scene = 0; scene < TWIN_SCENES; scene++)
        for (int mood = 0; mood < MOODS; mood++) {
            struct lit l;
            lit_open(&l, f, scene, mood);
            fn(&l);
            lit_close(&l, what);
        }
}

// Blue or white, and plain.
static double like_sky(const struct look_maps *m, int x, int y)
{
    double L = tw_px(&m->half[0], x, y), a = tw_px(&m->half[1], x, y), b = tw_px(&m->half[2], x, y);
    double step = fabs(tw_px(&m->half[0], x + 1, y) - L) + fabs(tw_px(&m->half[0], x, y + 1) - L);
    double blue = tw_smooth(0.015, 0.045, -b) * tw_smooth(-0.02, 0.02, -b - 1.2 * fabs(a)) *
                  tw_smooth(0.15, 0.3, L);
    double white = tw_smooth(0.74, 0.84, L) * (1.0 - tw_smooth(0.03, 0.06, hypot(a, b)));

    return fmax(blue, white) * (1.0 - tw_smooth(0.1, 0.25, step));
}

// Row by row from the top: sky is what looks like it and hangs below sky.
static struct grid sky_of(const struct look_maps *m, struct desk *d, double *horizon, double *light)
{
    struct grid sky = tw_grid(d, m->half[0].width, m->half[0].height);
    double mass = 0.0, top = 0.0;

    *horizon = *light = 0.0;
    for (int y = 0; y < sky.h; y++) {
        double across = 0.0;
        for (int x = 0; x < sky.w; x++) {
            double most = y == 0 ? 1.0
                                 : fmax(grid_px(&sky, x, y - 1), fmax(grid_px(&sky, x - 1, y - 1),
                                                                      grid_px(&sky, x + 1, y - 1)));
            double like = most > 0.02 ? like_sky(m, x, y) : 0.0;
            *tw_cell(&sky, x, y) = tw_smooth(0.1, 0.6, like) * most;
            across += *tw_cell(&sky, x, y);
            *light += *tw_cell(&sky, x, y) * tw_px(&m->half[0], x, y);
        }
        mass += across;
        top = y == 0 ? across / sky.w : top;
        if (across > 0.04 * sky.w)
            *horizon = (y + 1.0) / sky.h;
    }
    *light = mass > 0.0 ? *light / mass : 0.5;
    for (int i = 0; i < sky.w * sky.h; i++)
        sky.v[i] *= tw_smooth(0.25, 0.5, top);
    return sky;
}

static void fields(struct lit *l)
{
    const struct look_maps *m = l->plain;
    const struct mood_fields *f = &l->s->fields;
    struct desk *d = &l->desk;
    double per = (double)m->half_per_unit, horizon, sky_L, sum = 0.0, sx = 0.0, sy = 0.0, all = 0.0;
    double bright = 0.0, lean = 0.0;
    struct grid sky = tw_blur(d, sky_of(m, d, &horizon, &sky_L), 1.5 * per);
    struct grid soft = tw_blur(d, tw_copy(d, &m->half[0]), 4.0 * per);
    struct grid detail = tw_grid(d, sky.w, sky.h), side = tw_grid(d, sky.w, sky.h);

    for (int y = 0; y < sky.h; y++)
        for (int x = 0; x < sky.w; x++)
            *tw_cell(&detail, x, y) = fabs(tw_px(&m->half[0], x, y) - *tw_cell(&soft, x, y));
    for (int y = 0; y < sky.h; y += 2)
        for (int x = 0; x < sky.w; x += 2) {
            double u = (x + 0.5) / sky.w, v = (y + 0.5) / sky.h, L = tw_px(&m->half[0], x, y);
            double e = *tw_cell(&detail, x, y) * (0.2 + tw_px(&m->importance, x, y)) *
                       pow(16.0 * u * (1.0 - u) * v * (1.0 - v), 3.0) *
                       (1.0 - *tw_cell(&sky, x, y));
            sum += e;
            sx += e * u;
            sy += e * v;
            all += *tw_cell(&detail, x, y);
            bright += L * L;
            lean += L * L * (2.0 * u - 1.0);
        }
    double sun = lean > -0.02 * bright ? 1.0 : -1.0, mean = 4.0 * all / (sky.w * sky.h) + 1e-4;
    struct grid far = tw_blur(d, detail, 34.0 * per);
    for (int y = 0; y < sky.h; y++)
        for (int x = 0; x < sky.w; x++) {
            double dx = 3.75 * sun * per, dy = -3.3 * per, v = (y + 0.5) / sky.h;
            double rise = grid_at(&soft, x + 0.5 - dx, y + 0.5 - dy) -
                          grid_at(&soft, x + 0.5 + dx, y + 0.5 + dy);
            double *at = tw_cell(&far, x, y), near = *at / (*at + mean);
            *tw_cell(&side, x, y) = rise / (0.06 + fabs(rise));
            *at =
                fmax(tw_smooth(0.0, 1.0, 1.15 - 0.95 * v - 0.5 * near), 0.9 * *tw_cell(&sky, x, y));
        }
    far = tw_blur(d, far, 12.0 * per);
    check_all(l, &sky, &f->sky, 1e-3);
    check_all(l, &far, &f->far, 1e-3);
    check_all(l, &side, &f->side, 1e-3);
    assert_float_equal(horizon, f->horizon, 1e-5);
    assert_float_equal(sky_L, f->sky_L, 1e-4);
    assert_float_equal(sx / sum, f->mid_x, 1e-4);
    assert_float_equal(sy / sum, f->mid_y, 1e-4);
    assert_float_equal(sun, f->sun, 0.0);
}

static void fields_are_as_their_twin(const struct fixture *f)
{
    in_every_mood(f, "sky, distance, side", fields);
}

static void cones(const double lab[LAB], double out[3])
{
    out[0] = lab[0] + 0.3963377774 * lab[1] + 0.2158037573 * lab[2];
    out[1] = lab[0] - 0.1055613458 * lab[1] - 0.0638541728 * lab[2];
    out[2] = lab[0] - 0.0894841775 * lab[1] - 1.2914855480 * lab[2];
}

static void lab_of_rgb(uint32_t rgb, double lab[LAB])
{
    double light[3];

    for (int k = 0; k < 3; k++) {
        double v = (rgb >> (16 - 8 * k) & 255) / 255.0;
        light[k] = v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
    }
    tw_oklab(light, lab);
}

// Factors on the roots of cone responses: those of the light, over those of white as strong.
static void check_gains(struct lit *l, uint32_t rgb, const float got[3])
{
    double lab[LAB], at[3];

    lab_of_rgb(rgb ? rgb : 0xffffff, lab);
    cones(lab, at);
    for (int k = 0; k < 3; k++)
        check(l, at[k] / lab[0], (double)got[k], 1e-4);
}

static void scene(struct lit *l)
{
    const struct mood_light *light = &l->mood.light;
    const struct mood_scene *s = l->s;
    struct grid L = tw_copy(&l->desk, &l->plain->half[0]);
    double lo = tw_rank(&L, (double)0.04f, 1.0, 128), mid = tw_rank(&L, 0.5, 1.0, 128);
    double hi = fmax(tw_rank(&L, (double)0.96f, 1.0, 128), lo + 0.2), exposure = 1.0, lab[LAB];

    if (light->level > 0.0f)
        exposure = tw_clamp(tw_mix(1.0, (double)light->level / (mid + 0.02), 0.85), 0.4, 1.45);
    check(l, lo, (double)s->lo, 1e-5);
    check(l, hi, (double)s->hi, 1e-5);
    check(l, exposure, (double)s->exposure, 1e-5);
    check(l, fmin(1.0, 1.0 - 0.55 * (1.0 - exposure)), (double)s->exposure_white, 1e-5);
    check(l, tw_clamp(mid * exposure, 0.25, 0.75), (double)s->pivot, 1e-5);
    check_gains(l, light->key, s->key);
    check_gains(l, light->fill ? light->fill : light->key, s->fill);
    for (int i = 0; i < MOOD_STOPS; i++)
        for (int k = 0; k < LAB; k++) {
            lab_of_rgb(light->dome.stop[i], lab);
            check(l, lab[k], (double)s->dome[i][k], 2e-5);
            lab_of_rgb(light->tone.stop[i], lab);
            check(l, lab[k], (double)s->tone[i][k], 2e-5);
            lab_of_rgb(light->veil, lab);
            check(l, lab[k], (double)s->veil[k], 2e-5);
        }
    for (int y = 0; y < L.h; y++)
        for (int x = 0; x < L.w; x++) {
            double dx = ((x + 0.5) / L.w - (double)s->fields.mid_x) / 0.62;
            double dy = ((y + 0.5) / L.h - (double)s->fields.mid_y) / 0.66;
            double far = tw_px(&s->fields.far, x, y);
            check(l, (double)light->haze * (0.08 + 0.9 * far * far), tw_px(&s->air, x, y), 1e-5);
            check(l, 1.0 - (double)light->pool * 0.85 * tw_smooth(0.25, 1.25, hypot(dx, dy)),
                  tw_px(&s->pool, x, y), 1e-5);
        }
}

static void scenes_are_as_their_twin(const struct fixture *f)
{
    in_every_mood(f, "exposure, lights, air", scene);
}

// Shares of the palette's colours in a colour: by hue, of weak colours too, and a little lightness.
static void shares(const struct mood_palette *p, const double weight[], const double lab[LAB],
                   double out[])
{
    double all = 0.0, scale = 0.16 / (hypot(lab[1], lab[2]) + 0.06);

    for (int j = 0; j < p->count; j++) {
        double to = 0.16 / (hypot((double)p->lab[j][1], (double)p->lab[j][2]) + 0.06), far = 0.0;
        bool grey = fabsf(p->lab[j][1]) + fabsf(p->lab[j][2]) < 0.025f;
        for (int k = 1; k < LAB; k++)
            far += pow(scale * lab[k] - to * (double)p->lab[j][k], 2.0);
        far = pow(0.22 * (lab[0] - (double)p->lab[j][0]), 2.0) + (grey ? 6.0 : 1.0) * far;
        out[j] = weight[j] * pow(0.028 * 0.028 / (0.028 * 0.028 + far), 4.0);
        all += out[j];
    }
    for (int j = 0; j < p->count; j++)
        out[j] /= all;
}

enum { ACROSS = 32, SAMPLES = ACROSS * ACROSS };

// Twelve times, colours that too few places go to are made stronger, three times at most.
static void balance(const struct mood_palette *p, double at[][LAB], double least, double weight[],
                    double lift[])
{
    for (int j = 0; j < p->count; j++)
        weight[j] = 1.0;
    for (int round = 0; round <= 12; round++) {
        double mass[MOOD_COLOURS_MAX] = {0}, L[MOOD_COLOURS_MAX] = {0}, w[MOOD_COLOURS_MAX];
        for (int i = 0; i < SAMPLES; i++) {
            shares(p, weight, at[i], w);
            for (int j = 0; j < p->count; j++) {
                mass[j] += w[j] / SAMPLES;
                L[j] += w[j] * at[i][0] / SAMPLES;
            }
        }
        for (int j = 0; j < p->count; j++) {
            lift[j] = 0.5 * tw_clamp((double)p->lab[j][0] - L[j] / (mass[j] + 1e-6), -0.5, 0.5);
            if (round < 12 && mass[j] < least)
                weight[j] *= tw_clamp(least / (mass[j] + 1e-4), 1.0, 3.0);
        }
    }
}

// The palette's hue and chroma by shares; darkest and lightest have little, and neutral stays calm.
static void move(const struct mood_palette *p, const double weight[], const double lift[],
                 double lab[LAB])
{
    double w[MOOD_COLOURS_MAX], a = 0.0, b = 0.0, up = 0.0, C = hypot(lab[1], lab[2]);
    double dye = (double)p->dye, strong = (double)p->strong;

    shares(p, weight, lab, w);
    for (int j = 0; j < p->count; j++) {
        a += w[j] * (double)p->lab[j][1];
        b += w[j] * (double)p->lab[j][2];
        up += w[j] * lift[j];
    }
    lab[0] = tw_clamp(lab[0] + dye * up, 0.0, 1.0);
    double strength = tw_clamp(6.0 * lab[0] * (1.06 - lab[0]), 0.0, 1.0) *
                      tw_mix(0.45, 1.0, tw_smooth(0.0, strong, C)) *
                      (0.85 + 0.15 * tw_clamp(C / strong, 0.0, 2.0));
    lab[1] = tw_mix(lab[1], strength * a + 0.12 * lab[1], dye);
    lab[2] = tw_mix(lab[2], strength * b + 0.12 * lab[2], dye);
}

static void palette(struct lit *l)
{
    const struct mood_palette *p = &l->s->palette;
    double(*at)[LAB] = tw_take(&l->desk, SAMPLES, sizeof(*at));
    double weight[MOOD_COLOURS_MAX], lift[MOOD_COLOURS_MAX], lab[LAB];
    struct grid chroma = tw_grid(&l->desk, ACROSS, ACROSS);
    const struct plane *half = l->plain->half;

    for (int i = 0; i < SAMPLES; i++) {
        int x = (2 * (i % ACROSS) + 1) * half[0].width / 64,
            y = (2 * (i / ACROSS) + 1) * half[0].height / 64;
        for (int k = 0; k < LAB; k++)
            at[i][k] = tw_px(&half[k], x, y);
        chroma.v[i] = hypot(at[i][1], at[i][2]);
    }
    // Of 64 steps, the upper end of the one that a fifth of the places exceed.
    double strong = tw_rank(&chroma, 0.8, 0.32, 64) + 0.5 * 0.32 / 64.0;
    check(l, tw_clamp(strong, 0.05, 0.2), (double)p->strong, 1e-5);
    assert_int_equal(p->count, l->mood.light.dye > 0.0f ? l->mood.colours : 0);
    if (p->count == 0)
        return;
    for (int j = 0; j < p->count; j++) {
        lab_of_rgb(l->mood.light.colour[j], lab);
        for (int k = 0; k < LAB; k++)
            check(l, lab[k], (double)p->lab[j][k], 2e-5);
    }
    balance(p, at, (l->mood.named ? 0.6 : 0.4) / p->count, weight, lift);
    for (int j = 0; j < p->count; j++) {
        check(l, 1.0, (double)p->weight[j] / weight[j], 1e-3);
        check(l, lift[j], (double)p->lift[j], 1e-4);
    }
    for (int i = 0; i < SAMPLES; i++) {
        float moved[LAB];
        for (int k = 0; k < LAB; k++)
            moved[k] = (float)at[i][k];
        mood_palette_move(p, moved);
        move(p, weight, lift, at[i]);
        for (int k = 0; k < LAB; k++)
            check(l, at[i][k], (double)moved[k], 1e-3);
    }
}

static void palettes_are_as_their_twin(const struct fixture *f)
{
    in_every_mood(f, "palette", palette);
}

/* A place, as shares of the picture, in units and as a pixel of half size. */
struct place {
    double u, v, ux, uy;
    int x, y;
};

static void ramp(const float stop[MOOD_STOPS][LAB], double t, double out[LAB])
{
    double at = tw_clamp(t, 0.0, 1.0) * 2.0;
    int i = at < 1.0 ? 0 : 1;

    for (int k = 0; k < LAB; k++)
        out[k] = tw_mix((double)stop[i][k], (double)stop[i + 1][k], at - i);
}

// Each cone's root by its factor between shadow and light (von Kries).
static void shine(const struct mood_scene *s, double w, double lab[LAB])
{
    double root[3], light[3];

    cones(lab, root);
    for (int k = 0; k < 3; k++) {
        root[k] *= tw_mix((double)s->fill[k], (double)s->key[k], w);
        light[k] = root[k];
    }
    lab[0] = 0.2104542553 * light[0] + 0.7936177850 * light[1] - 0.0040720468 * light[2];
    lab[1] = 1.9779984951 * light[0] - 2.4285922050 * light[1] + 0.4505937099 * light[2];
    lab[2] = 0.0259040371 * light[0] + 0.7827717662 * light[1] - 0.8086757660 * light[2];
}

static double hue_at(double u, double v)
{
    return 2.0 * M_PI * (0.06 + 0.6 * u + 0.2 * v);
}

// Snow on what is green and brown, but not red.
static void freeze(const struct mood_light *l, double lab[LAB])
{
    double share = (double)l->frost * tw_smooth(0.008, 0.03, lab[2]) *
                   (1.0 - tw_smooth(0.2, 0.55, lab[1] / fmax(lab[2], 0.01)));

    lab[0] = tw_mix(lab[0], 0.62 + 0.42 * lab[0], share);
    lab[1] *= 1.0 - 0.9 * share;
    lab[2] = tw_mix(lab[2], -0.012, 0.95 * share);
}

static void all_hues(const struct mood_light *l, const struct place *p, double lab[LAB])
{
    double strength = tw_clamp(5.0 * lab[0] * (1.04 - lab[0]), 0.0, 1.0) *
                      (0.1 + 0.5 * hypot(lab[1], lab[2]));

    lab[1] = tw_mix(lab[1], strength * cos(hue_at(p->u, p->v)), (double)l->spectrum);
    lab[2] = tw_mix(lab[2], strength * sin(hue_at(p->u, p->v)), (double)l->spectrum);
}

// Exposure, the light at the place and contrast; ends bend rather than break off.
static double toned(const struct mood_scene *s, const struct place *p, double L, double *gain)
{
    const struct mood_light *l = s->light;
    double side = (double)l->side, turned = tw_px(&s->fields.side, p->x, p->y);
    double light = tw_px(&s->pool, p->x, p->y), contrast = 1.0 + (double)l->contrast;
    double exposure = tw_mix((double)s->exposure, (double)s->exposure_white, L * L);
    double range = 1.0 - (double)l->black - (double)l->white, pivot = (double)s->pivot;

    light *= side > 0.0
                 ? 1.0 + 0.28 * side * turned
                 : 1.0 + side * (0.42 * (1.0 - tw_px(&s->fields.far, p->x, p->y)) - 0.12 * turned);
    double x = pivot + (L * exposure * light - pivot) * contrast;
    x = x > 0.9 ? 0.9 + 0.1 * (x - 0.9) / (x - 0.8) : x < 0.1 ? 0.01 / (0.2 - x) : x;
    *gain = exposure * light * contrast * range;
    return (double)l->black + range * x;
}

static void put_sky(const struct mood_scene *s, const struct place *p, double was, double lab[LAB],
                    double *gain)
{
    double dome[LAB], cloud = was - (double)s->fields.sky_L;
    double share = (double)s->light->sky * tw_px(&s->fields.sky, p->x, p->y);

    ramp(s->dome, 1.0 - p->v / fmax((double)s->fields.horizon, 0.15), dome);
    dome[0] = tw_clamp(dome[0] + 0.6 * cloud, 0.03, 0.99);
    for (int k = 0; k < LAB; k++) {
        dome[k] *= k > 0 ? 1.0 - tw_clamp(1.2 * cloud, 0.0, 0.5) : 1.0;
        lab[k] = tw_mix(lab[k], dome[k], share);
    }
    *gain = tw_mix(*gain, 0.6, share);
}

static double rain(double ux, double uy)
{
    double across = (ux + 0.18 * uy) / 7.0, along = uy / 120.0;

    return tw_smooth(0.6, 0.95,
                     tw_noise(across, along + 0.9 * tw_noise(0.5 * across, 3.0, 812), 811));
}

// One colour; returns how L' goes with L.
static double relit(const struct mood_scene *s, const struct place *p, double lab[LAB])
{
    const struct mood_light *l = s->light;
    double was = lab[0], weight[MOOD_COLOURS_MAX], lift[MOOD_COLOURS_MAX], gain, tint[LAB];
    double grey = (double)l->grey, share = (double)l->toned, air = tw_px(&s->air, p->x, p->y);

    freeze(l, lab);
    for (int j = 0; j < s->palette.count; j++) {
        weight[j] = (double)s->palette.weight[j];
        lift[j] = (double)s->palette.lift[j];
    }
    if (s->palette.count > 0)
        move(&s->palette, weight, lift, lab);
    all_hues(l, p, lab);
    double before = lab[0];
    double lit = tw_smooth((double)s->lo, (double)s->hi, before) +
                 0.35 * (double)l->side * tw_px(&s->fields.side, p->x, p->y);
    lab[0] = toned(s, p, before, &gain);
    double kept = before > 0.02 ? tw_clamp(lab[0] / before, 0.0, 1.2) : 1.0;
    for (int k = 1; k < LAB; k++)
        lab[k] *= (1.0 + (double)l->chroma) * (1.0 - grey) * (0.3 + 0.7 * kept);
    shine(s, tw_clamp(lit, 0.0, 1.0), lab);
    put_sky(s, p, was, lab, &gain);
    for (int k = 0; k < LAB; k++)
        lab[k] = tw_mix(lab[k], (double)s->veil[k], air) * (k > 0 ? 1.0 - grey : 1.0);
    gain *= 1.0 - air;
    double dark = (double)s->tone[0][0], range = (double)s->tone[2][0] - dark;
    ramp(s->tone, lab[0], tint);
    tint[0] = dark + range * lab[0];
    for (int k = 0; k < LAB; k++)
        lab[k] = tw_mix(lab[k], tint[k], share);
    gain *= tw_mix(1.0, range, share);
    lab[0] = tw_clamp(lab[0] + 0.16 * (double)l->rain * rain(p->ux, p->uy), 0.0, 1.0);
    return tw_clamp(gain, 0.0, 2.2);
}

/* A map of half size as it is lit, and for maps of full size L' = offset + gain L. */
struct relight {
    struct grid lab[LAB], gain, offset;
};

static struct relight relight_half(struct lit *l, const struct grid half[LAB])
{
    struct relight r = {.gain = tw_grid(&l->desk, half[0].w, half[0].h),
                        .offset = tw_grid(&l->desk, half[0].w, half[0].h)};
    double per = (double)l->s->half_per_unit;

    for (int k = 0; k < LAB; k++)
        r.lab[k] = tw_grid(&l->desk, half[0].w, half[0].h);
    for (int y = 0; y < half[0].h; y++)
        for (int x = 0; x < half[0].w; x++) {
            struct place p = {.u = (x + 0.5) / half[0].w,
                              .v = (y + 0.5) / half[0].h,
                              .ux = (x + 0.5) / per,
                              .uy = (y + 0.5) / per,
                              .x = x,
                              .y = y};
            double lab[LAB];
            for (int k = 0; k < LAB; k++)
                lab[k] = *tw_cell(&half[k], x, y);
            double L = lab[0], gain = relit(l->s, &p, lab);
            *tw_cell(&r.gain, x, y) = gain;
            *tw_cell(&r.offset, x, y) = lab[0] - gain * L;
            for (int k = 0; k < LAB; k++)
                *tw_cell(&r.lab[k], x, y) = lab[k];
        }
    return r;
}

static void check_full(struct lit *l, const struct relight *r, const struct plane was[LAB],
                       const struct plane is[LAB])
{
    for (int y = 0; y < was[0].height; y++)
        for (int x = 0; x < was[0].width; x++) {
            double hx = 0.5 * (x + 0.5), hy = 0.5 * (y + 0.5);
            double L = grid_at(&r->offset, hx, hy) +
                       grid_at(&r->gain, hx, hy) * tw_px(&was[0], x, y);
            check(l, tw_clamp(L, 0.0, 1.0), tw_px(&is[0], x, y), 1e-3);
            for (int k = 1; k < LAB; k++)
                check(l, grid_at(&r->lab[k], hx, hy), tw_px(&is[k], x, y), 1e-3);
        }
}

// Tones follow by share: four fifths of what became darker, three fifths of what became lighter.
static void check_tone(struct lit *l)
{
    for (int i = 0; i < WIDE * HIGH; i++) {
        double t = (double)l->plain->tone.px[i], was = (double)l->plain->full[0].px[i];
        double is = (double)l->maps->full[0].px[i];
        double want = is < was ? t * tw_mix(1.0, is / (was + 1e-3), 0.8)
                               : 1.0 - (1.0 - t) * tw_mix(1.0, (1.0 - is) / (1.001 - was), 0.6);
        check(l, tw_clamp(want, 0.0, 1.0), (double)l->maps->tone.px[i], 1e-4);
    }
}

static void relight(struct lit *l)
{
    const struct plane *half[] = {l->plain->half, l->plain->mid, l->plain->coarse};
    const struct plane *got[] = {l->maps->half, l->maps->mid, l->maps->coarse};
    struct grid at[LAB];

    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < LAB; k++)
            at[k] = tw_copy(&l->desk, &half[i][k]);
        struct relight r = relight_half(l, at);
        for (int k = 0; k < LAB; k++)
            check_all(l, &r.lab[k], &got[i][k], 1e-3);
        if (i > 0)
            continue;
        check_full(l, &r, l->plain->full, l->maps->full);
        check_full(l, &r, l->plain->fine, l->maps->fine);
    }
    check_tone(l);
    for (int k = 0; k < LAB; k++)
        at[k] = tw_shrink(&l->desk, tw_copy(&l->desk, &l->plain->flat[k]), at[0].w, at[0].h);
    struct relight r = relight_half(l, at);
    check_full(l, &r, l->plain->flat, l->maps->flat);
}

static void maps_are_relit_as_their_twin(const struct fixture *f)
{
    in_every_mood(f, "relit maps", relight);
}

// The palette's darkest colour, or what it names as light or shadow.
static const float *of_palette(const struct mood_palette *p, int which)
{
    int dark = 0;

    for (int i = 1; i < p->count; i++)
        dark = p->lab[i][0] < p->lab[dark][0] ? i : dark;
    if (which == 0)
        return p->lab[dark];
    if (p->count > 2)
        return p->lab[which == 1 ? 0 : 1];
    if (p->count < 2)
        return p->lab[0];
    return p->lab[which == 1 ? (p->lab[1][0] > p->lab[0][0]) : !(p->lab[1][0] > p->lab[0][0])];
}

static void ink_at(const struct lit *l, double ux, double uy, double lab[LAB])
{
    const struct mood_scene *s = l->s;
    const struct mood_light *light = s->light;
    double shadow[LAB] = {0.45, 0.0, 0.0}, share = (double)light->toned,
           per = (double)s->half_per_unit;
    double hue = hue_at(ux * per / s->air.width, uy * per / s->air.height);

    shine(s, 0.0, shadow);
    lab[1] += 0.8 * shadow[1];
    lab[2] += 0.8 * shadow[2];
    if (s->palette.count > 0) {
        const float *dark = of_palette(&s->palette, 0);
        lab[0] = tw_clamp(tw_mix(lab[0], (double)dark[0], 0.35), lab[0], 0.4);
        lab[1] += 0.85 * (double)dark[1];
        lab[2] += 0.85 * (double)dark[2];
    }
    lab[0] = tw_mix(lab[0], fmax(lab[0], (double)s->tone[0][0]), share);
    for (int k = 1; k < LAB; k++)
        lab[k] = tw_mix(lab[k], 0.5 * (double)(s->tone[0][k] + s->tone[1][k]), share) *
                 (1.0 - (double)light->grey);
    double spectrum = (double)light->spectrum;
    lab[0] = tw_mix(lab[0], 0.45, 0.8 * spectrum);
    lab[1] = tw_mix(lab[1], 0.16 * cos(hue), spectrum);
    lab[2] = tw_mix(lab[2], 0.16 * sin(hue), spectrum);
    lab[0] = tw_mix(lab[0], 0.85, 0.9 * tw_at(&s->air, ux * per, uy * per));
}

static void paper_of(const struct lit *l, double lab[LAB])
{
    const struct mood_scene *s = l->s;
    double lit[LAB] = {0.9, 0.0, 0.0};

    shine(s, 1.0, lit);
    lab[0] *= tw_mix(1.0, fmin((double)s->exposure, 1.0), 0.35);
    lab[1] += 0.45 * lit[1];
    lab[2] += 0.45 * lit[2];
    if (s->palette.count > 1) {
        const float *light = of_palette(&s->palette, 1);
        double share = fmin(1.0, 0.07 / hypot((double)light[1], (double)light[2]));
        lab[0] = tw_mix(lab[0], fmin((double)light[0], lab[0]), 0.2);
        lab[1] += share * (double)light[1];
        lab[2] += share * (double)light[2];
    }
    for (int k = 0; k < LAB; k++)
        lab[k] = tw_mix(lab[k], (double)s->tone[2][k], (double)s->light->toned) *
                 (k > 0 ? 1.0 - (double)s->light->grey : 1.0);
}

// The light that a place gets: w from shadow to light, up from the ground to the sky.
static void lamp_of(const struct lit *l, double w, double up, double gain[3], double sheen[3])
{
    const struct mood_scene *s = l->s;
    const struct mood_light *light = s->light;
    double lab[LAB] = {0.8, 0.0, 0.0}, to[LAB], grey[LAB], L;
    double sky = 0.6 * (double)light->sky * tw_smooth(-0.2, 0.9, up);
    double strange = s->palette.count > 0 ? 0.4 : tw_clamp(-0.5 * (double)light->chroma, 0.0, 0.4);
    double film = 2.0 * M_PI * (0.4 + 0.45 * up + 0.4 * w);

    L = tw_mix((double)s->exposure, (double)s->exposure_white, 0.5 * w);
    shine(s, w, lab);
    for (int k = 1; k < LAB && s->palette.count > 0; k++)
        lab[k] += 0.75 * tw_mix((double)of_palette(&s->palette, 2)[k],
                                (double)of_palette(&s->palette, 1)[k], w);
    ramp(s->dome, 0.5 + 0.5 * up, to);
    for (int k = 1; k < LAB; k++)
        lab[k] = tw_mix(lab[k], 1.2 * to[k], sky);
    ramp(s->tone, 0.15 + 0.7 * w, to);
    for (int k = 1; k < LAB; k++)
        lab[k] = tw_mix(lab[k], to[k], 0.8 * (double)light->toned);
    lab[1] += 0.15 * (double)light->spectrum * cos(film);
    lab[2] += 0.15 * (double)light->spectrum * sin(film);
    strange = light->spectrum > 0.0f ? 0.4 : strange;
    for (int k = 0; k < LAB; k++)
        grey[k] = k == 0 ? 0.8 : 0.8 * lab[k] / fmax(lab[0], 0.05);
    tw_linear(grey, gain);
    L *= tw_clamp(1.0 + 0.9 * (double)light->contrast * (w - 0.45), 0.1, 2.0);
    for (int k = 0; k < LAB; k++)
        to[k] = lab[k] * L;
    tw_linear(to, sheen);
    for (int k = 0; k < 3; k++) {
        gain[k] = tw_clamp(gain[k] / 0.512, 0.05, 3.0) * L * L;
        sheen[k] = strange * (0.06 + 0.5 * w * w) * tw_clamp(sheen[k], 0.0, 1.0);
    }
}

static void lamp(struct lit *l, double ux, double uy, double w, double up)
{
    const struct mood_scene *s = l->s;
    double per = (double)s->half_per_unit, gain[3], veil[3], of_air[3], lab[LAB];
    struct plane_place half = plane_place(&s->air, (float)(ux * per), (float)(uy * per));
    double pool = pow(tw_at(&s->pool, ux * per, uy * per), 2.0),
           air = tw_at(&s->air, ux * per, uy * per);
    struct mood_lamp got;

    lamp_of(l, tw_clamp(w, 0.0, 1.0), up, gain, veil);
    for (int k = 0; k < LAB; k++)
        lab[k] = (double)s->veil[k];
    tw_linear(lab, of_air);
    mood_lamp_at(s, &half, (float)w, (float)up, &got);
    for (int k = 0; k < 3; k++) {
        check(l, gain[k] * pool * (1.0 - air), (double)got.gain[k], 0.01);
        check(l, veil[k] * pool + air * of_air[k], (double)got.veil[k], 0.01);
    }
}

// A scene's lights and pigments at places all over it. Lamps are looked up in steps.
static void lights(struct lit *l)
{
    for (int i = 0; i < 400; i++) {
        double ux = WIDE * (double)noise_point(i, 1, 3), uy = HIGH * (double)noise_point(i, 2, 3);
        double ink[LAB] = {0.25, 0.01, -0.02}, sheet[LAB] = {0.95, 0.0, 0.01};
        float got_ink[LAB] = {0.25f, 0.01f, -0.02f}, got_sheet[LAB] = {0.95f, 0.0f, 0.01f};
        ink_at(l, ux, uy, ink);
        paper_of(l, sheet);
        mood_ink(l->s, (float)ux, (float)uy, got_ink);
        mood_paper(l->s, got_sheet);
        for (int k = 0; k < LAB; k++) {
            check(l, ink[k], (double)got_ink[k], 1e-4);
            check(l, sheet[k], (double)got_sheet[k], 1e-4);
        }
        // 48 steps of light, between which it is straight, and 33 of height.
        lamp(l, ux, uy, 1.2 * (double)noise_point(i, 3, 3) - 0.1,
             (int)(33.0f * noise_point(i, 4, 3)) / 16.0 - 1.0);
    }
}

static void lights_are_as_their_twin(const struct fixture *f)
{
    in_every_mood(f, "ink, paper and lamps", lights);
}

const struct twin look_twins_mood[] = {
    {"sky, distance, side", .part = fields_are_as_their_twin},
    {"exposure, lights, air", .part = scenes_are_as_their_twin},
    {"palette", .part = palettes_are_as_their_twin},
    {"relit maps", .part = maps_are_relit_as_their_twin},
    {"ink, paper, lamps", .part = lights_are_as_their_twin},
    {0},
};
