/* SPDX-License-Identifier: MIT */
#include "look_twin_mood.h"

/* Light and palette of the prompt: what is read from the photo. */
enum { WORDS_MAX = 2 };

static const char *const WORDS[][WORDS_MAX] = {{"sunset"},      {"stormy", "winter"},
                                               {"noir"},        {"candlelight"},
                                               {"backlit"},     {"sepia"},
                                               {"rainy"},       {"rainbow", "dark"},
                                               {"neon"},        {"teal", "orange"},
                                               {"red"},         {"foggy", "autumn"},
                                               {"red", "white"}};

enum { MOODS = sizeof(WORDS) / sizeof(WORDS[0]) };

/* One more scene than operators have: clouds between two walls, so that it is not plain whether the
 * top is sky. */
enum { SKY = TWIN_SCENES, SCENES };

static void clouds_between_walls(struct image *im)
{
    static const float WALL[3] = {150.0f, 95.0f, 70.0f}, BLUE[3] = {110.0f, 150.0f, 225.0f};

    assert_int_equal(image_new(im, MOOD_WIDE, MOOD_HIGH), ERR_OK);
    for (int y = 0; y < MOOD_HIGH; y++)
        for (int x = 0; x < MOOD_WIDE; x++) {
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            bool sky = x > 30 && x < 75 && y < 45;
            float cloud = noise_at(0.04f * (float)x, 0.06f * (float)y, 50u);
            float grain = noise_at(0.3f * (float)x, 0.3f * (float)y, 51u);
            for (int k = 0; k < 3; k++)
                px[k] =
                    (uint8_t)(sky ? mixf(BLUE[k], 235.0f, cloud) : WALL[k] * (0.6f + 0.6f * grain));
            px[3] = 255;
        }
}

static void lit_open(struct lit *l, const struct fixture *f, int scene, int mood)
{
    uint32_t needs = NEED_FINE | NEED_ABSTRACT | NEED_IMPORTANCE | NEED_TONE | NEED_FLAT;

    *l = (struct lit){.name = WORDS[mood][0]};
    for (int i = 0; i < WORDS_MAX && WORDS[mood][i]; i++)
        assert_true(mood_add(&l->mood, WORDS[mood][i]));
    if (scene == SKY)
        clouds_between_walls(&l->source);
    else
        tw_source(&l->source, MOOD_WIDE, MOOD_HIGH, scene);
    tw_maps(f, &l->source, needs, 1.0f, 1.0f, &l->plain);
    tw_maps(f, &l->source, needs, 1.0f, 1.0f, &l->maps);
    assert_int_equal(mood_light_maps(&l->mood, l->maps, f->pool, NULL), ERR_OK);
    l->s = l->maps->mood;
}

static void lit_close(struct lit *l)
{
    desk_clear(&l->desk);
    look_maps_free(l->plain);
    look_maps_free(l->maps);
    image_release(&l->source);
}

void lit_expect(const struct lit *l, double want, double got, double near)
{
    if (!(fabs(want - got) <= near))
        fail_msg("%s in %s: %g where %g was expected", l->what, l->name, got, want);
}

void lit_check(struct lit *l, double want, double got, double near)
{
    l->of++;
    tw_differ(want, got, near, &l->off, &l->worst);
}

void lit_check_all(struct lit *l, const struct grid *want, const struct plane *got, double near)
{
    assert_int_equal(want->w, got->width);
    assert_int_equal(want->h, got->height);
    for (int i = 0; i < want->w * want->h; i++)
        lit_check(l, want->v[i], (double)got->px[i], near);
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
    double mass = 0.0, low = 0.0, top = 0.0;

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
        low += y > 0.6 * sky.h ? across : 0.0;
        top = y == 0 ? across / sky.w : top;
        if (across > 0.04 * sky.w)
            *horizon = (y + 1.0) / sky.h;
    }
    *light = mass > 0.0 ? *light / mass : 0.5;
    for (int i = 0; i < sky.w * sky.h; i++)
        sky.v[i] *= tw_smooth(0.25, 0.5, top) * (1.0 - tw_smooth(0.03, 0.1, low / (mass + 1e-3)));
    return sky;
}

static void fields(struct lit *l)
{
    const struct look_maps *m = l->plain;
    const struct mood_fields *f = &l->s->fields;
    struct desk *d = &l->desk;
    double per = (double)m->half_per_unit, horizon, sky_L, sum = 0.0, sx = 0.0, sy = 0.0, all = 0.0;
    double bright = 0.0, lean = 0.0;
    struct grid sky = sky_of(m, d, &horizon, &sky_L);
    double share = 0.0;
    for (int i = 0; i < sky.w * sky.h; i++)
        share += sky.v[i] / (sky.w * sky.h);
    double depth = 0.7 + 0.3 * tw_smooth(0.0, 0.05, share);
    sky = tw_blur(d, sky, 1.5 * per);
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
            *at = fmax(depth * tw_smooth(0.0, 1.0, 1.15 - 0.95 * v - 0.5 * near),
                       0.9 * *tw_cell(&sky, x, y));
        }
    far = tw_blur(d, far, 12.0 * per);
    lit_check_all(l, &sky, &f->sky, 1e-3);
    lit_check_all(l, &far, &f->far, 1e-3);
    lit_check_all(l, &side, &f->side, 1e-3);
    lit_expect(l, horizon, (double)f->horizon, 1e-5);
    lit_expect(l, sky_L, (double)f->sky_L, 1e-4);
    lit_expect(l, sx / sum, (double)f->mid_x, 1e-4);
    lit_expect(l, sy / sum, (double)f->mid_y, 1e-4);
    lit_expect(l, sun, (double)f->sun, 0.0);
}

void tw_cones(const double lab[LAB], double out[3])
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
    tw_cones(lab, at);
    for (int k = 0; k < 3; k++)
        lit_expect(l, at[k] / lab[0], (double)got[k], 1e-4);
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
    lit_expect(l, lo, (double)s->lo, 1e-5);
    lit_expect(l, hi, (double)s->hi, 1e-5);
    lit_expect(l, exposure, (double)s->exposure, 1e-5);
    lit_expect(l, fmin(1.0, 1.0 - 0.55 * (1.0 - exposure)), (double)s->exposure_white, 1e-5);
    lit_expect(l, tw_clamp(mid * exposure, 0.25, 0.75), (double)s->pivot, 1e-5);
    double loss = fmin((double)light->chroma, 0.0) * (1.0 - 0.7 * (1.0 - tw_smooth(0.2, 0.4, mid)));
    lit_expect(l, 1.0 + fmax((double)light->chroma, 0.0) + loss, (double)s->chroma, 1e-5);
    check_gains(l, light->key, s->key);
    check_gains(l, light->fill ? light->fill : light->key, s->fill);
    for (int i = 0; i < MOOD_STOPS; i++)
        for (int k = 0; k < LAB; k++) {
            lab_of_rgb(light->dome.stop[i], lab);
            lit_expect(l, lab[k], (double)s->dome[i][k], 2e-5);
            lab_of_rgb(light->tone.stop[i], lab);
            lit_expect(l, lab[k], (double)s->tone[i][k], 2e-5);
            lab_of_rgb(light->veil, lab);
            lit_expect(l, lab[k], (double)s->veil[k], 2e-5);
        }
    for (int y = 0; y < L.h; y++)
        for (int x = 0; x < L.w; x++) {
            double dx = ((x + 0.5) / L.w - (double)s->fields.mid_x) / 0.62;
            double dy = ((y + 0.5) / L.h - (double)s->fields.mid_y) / 0.66;
            double far = tw_px(&s->fields.far, x, y);
            lit_check(l, (double)light->haze * (0.08 + 0.9 * far * far), tw_px(&s->air, x, y),
                      1e-5);
            lit_check(l, 1.0 - (double)light->pool * 0.85 * tw_smooth(0.25, 1.25, hypot(dx, dy)),
                      tw_px(&s->pool, x, y), 1e-5);
        }
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
void tw_palette_move(const struct mood_palette *p, const double weight[], const double lift[],
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
    lit_expect(l, tw_clamp(strong, 0.05, 0.2), (double)p->strong, 1e-5);
    assert_int_equal(p->count, l->mood.light.dye > 0.0f ? l->mood.colours : 0);
    if (p->count == 0)
        return;
    for (int j = 0; j < p->count; j++) {
        lab_of_rgb(l->mood.light.colour[j], lab);
        for (int k = 0; k < LAB; k++)
            lit_expect(l, lab[k], (double)p->lab[j][k], 2e-5);
    }
    balance(p, at, (l->mood.named ? 0.6 : 0.4) / p->count, weight, lift);
    for (int j = 0; j < p->count; j++) {
        lit_expect(l, 1.0, (double)p->weight[j] / weight[j], 1e-3);
        lit_expect(l, lift[j], (double)p->lift[j], 1e-4);
    }
    for (int i = 0; i < SAMPLES; i++) {
        float moved[LAB];
        for (int k = 0; k < LAB; k++)
            moved[k] = (float)at[i][k];
        mood_palette_move(p, moved);
        tw_palette_move(p, weight, lift, at[i]);
        for (int k = 0; k < LAB; k++)
            lit_check(l, at[i][k], (double)moved[k], 1e-3);
    }
}

static const struct {
    const char *what;
    void (*check)(struct lit *l);
} STEP[] = {
    {"sky, distance, side", fields}, {"exposure, lights, air", scene},     {"palette", palette},
    {"maps in a mood", lit_maps},    {"ink, paper and lamps", lit_lights},
};

static void moods_are_as_their_twins(const struct fixture *f)
{
    for (int at = 0; at < MOODS * SCENES; at++) {
        struct lit l;
        lit_open(&l, f, at % SCENES, at / SCENES);
        for (size_t i = 0; i < sizeof(STEP) / sizeof(STEP[0]); i++) {
            l.what = STEP[i].what;
            l.off = l.of = 0;
            l.worst = 0.0;
            STEP[i].check(&l);
            desk_clear(&l.desk);
            if (l.off * 1000 > l.of)
                fail_msg("%s in %s: %zu of %zu are off, one by %g", l.what, l.name, l.off, l.of,
                         l.worst);
        }
        lit_close(&l);
    }
}

const struct twin look_twins_mood[] = {
    {"moods", .part = moods_are_as_their_twins},
    {0},
};
