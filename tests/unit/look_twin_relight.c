/* SPDX-License-Identifier: MIT */
#include "look_twin_mood.h"

/* Light and palette of the prompt: each colour of the photo lit by itself, and the light that
 * materials and paper get. */
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

    tw_cones(lab, root);
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
        tw_palette_move(&s->palette, weight, lift, lab);
    all_hues(l, p, lab);
    double before = lab[0];
    double lit = tw_smooth((double)s->lo, (double)s->hi, before) +
                 0.35 * (double)l->side * tw_px(&s->fields.side, p->x, p->y);
    lab[0] = toned(s, p, before, &gain);
    double kept = before > 0.02 ? tw_clamp(lab[0] / before, 0.0, 1.2) : 1.0;
    for (int k = 1; k < LAB; k++)
        lab[k] *= (double)s->chroma * (1.0 - grey) * (0.3 + 0.7 * kept);
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
            lit_check(l, tw_clamp(L, 0.0, 1.0), tw_px(&is[0], x, y), 1e-3);
            for (int k = 1; k < LAB; k++)
                lit_check(l, grid_at(&r->lab[k], hx, hy), tw_px(&is[k], x, y), 1e-3);
        }
}

// Tones follow by share: four fifths of what became darker, three fifths of what became lighter.
static void check_tone(struct lit *l)
{
    for (int i = 0; i < MOOD_WIDE * MOOD_HIGH; i++) {
        double t = (double)l->plain->tone.px[i], was = (double)l->plain->full[0].px[i];
        double is = (double)l->maps->full[0].px[i];
        double want = is < was ? t * tw_mix(1.0, is / (was + 1e-3), 0.8)
                               : 1.0 - (1.0 - t) * tw_mix(1.0, (1.0 - is) / (1.001 - was), 0.6);
        lit_check(l, tw_clamp(want, 0.0, 1.0), (double)l->maps->tone.px[i], 1e-4);
    }
}

void lit_maps(struct lit *l)
{
    const struct plane *half[] = {l->plain->half, l->plain->mid, l->plain->coarse};
    const struct plane *got[] = {l->maps->half, l->maps->mid, l->maps->coarse};
    struct grid at[LAB];

    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < LAB; k++)
            at[k] = tw_copy(&l->desk, &half[i][k]);
        struct relight r = relight_half(l, at);
        for (int k = 0; k < LAB; k++)
            lit_check_all(l, &r.lab[k], &got[i][k], 1e-3);
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
        const float *light = of_palette(&s->palette, 1), *dark = of_palette(&s->palette, 0);
        bool on_black = s->palette.count == 2 && (double)dark[0] < 0.35 &&
                        hypot((double)dark[1], (double)dark[2]) < 0.03;
        double most = on_black ? 0.16 : 0.07, C = hypot((double)light[1], (double)light[2]);
        double share = C > most ? most / C : 1.0;
        lab[0] = tw_mix(lab[0], fmin((double)light[0], lab[0]), on_black ? 0.7 : 0.2);
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
    double strange = s->palette.count > 0 ? 0.4 : tw_clamp(-0.3 * (double)light->chroma, 0.0, 0.4);
    double lost = s->palette.count > 0 ? 0.0 : tw_clamp(-(double)light->chroma, 0.0, 1.0);
    double film = 2.0 * M_PI * (0.4 + 0.45 * up + 0.4 * w);

    L = tw_mix((double)s->exposure, (double)s->exposure_white, w);
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
        grey[k] = k == 0 ? 0.8 : 0.8 * (1.0 - 0.75 * lost) * lab[k] / fmax(lab[0], 0.05);
    tw_linear(grey, gain);
    L *= tw_clamp(1.0 + 0.9 * (double)light->contrast * (w - 0.45), 0.1, 2.0);
    for (int k = 0; k < LAB; k++)
        to[k] = lab[k] * L;
    tw_linear(to, sheen);
    for (int k = 0; k < 3; k++) {
        gain[k] = tw_clamp(gain[k] / 0.512, 0.05, 3.0) * L * L;
        sheen[k] = strange * (0.05 + 0.9 * w * w * w) * tw_clamp(sheen[k], 0.0, 1.0);
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
        lit_check(l, gain[k] * pool * (1.0 - air), (double)got.gain[k], 0.01);
        lit_check(l, veil[k] * pool + air * of_air[k], (double)got.veil[k], 0.01);
    }
}

// A scene's lights and pigments at places all over it. Lamps are looked up in steps.
void lit_lights(struct lit *l)
{
    for (int i = 0; i < 400; i++) {
        double ux = MOOD_WIDE * (double)noise_point(i, 1, 3),
               uy = MOOD_HIGH * (double)noise_point(i, 2, 3);
        double ink[LAB] = {0.25, 0.01, -0.02}, sheet[LAB] = {0.95, 0.0, 0.01};
        float got_ink[LAB] = {0.25f, 0.01f, -0.02f}, got_sheet[LAB] = {0.95f, 0.0f, 0.01f};
        ink_at(l, ux, uy, ink);
        paper_of(l, sheet);
        mood_ink(l->s, (float)ux, (float)uy, got_ink);
        mood_paper(l->s, got_sheet);
        for (int k = 0; k < LAB; k++) {
            lit_check(l, ink[k], (double)got_ink[k], 1e-4);
            lit_check(l, sheet[k], (double)got_sheet[k], 1e-4);
        }
        // 48 steps of light, between which it is straight, and 33 of height.
        lamp(l, ux, uy, 1.2 * (double)noise_point(i, 3, 3) - 0.1,
             (int)(33.0f * noise_point(i, 4, 3)) / 16.0 - 1.0);
    }
}
