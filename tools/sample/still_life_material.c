/* SPDX-License-Identifier: MIT */
#include "still_life.h"

#include "label.h"
#include "noise.h"
#include "texture.h"

#include <string.h>

static void wall(struct surface *s, const struct hit *hit)
{
    float patch = fractal(scale(hit->pos, 3), 4), fine = fractal(scale(hit->pos, 40), 2);

    s->colour =
        mix(v3(.34f, .325f, .27f), v3(.205f, .205f, .18f), clampf(.5f + 1.3f * patch, 0, 1));
    s->colour = scale(s->colour, 1 + .08f * fine);
    bump(s, hit, 22, .035f, 4);
}

static void table(struct surface *s, const struct hit *hit)
{
    enum { PLANK_MM = 120 };
    struct vec p = hit->local;
    float across = p.z * 1000 / PLANK_MM + .35f, plank = floorf(across),
          gap = fabsf(across - plank - .5f);
    float shift = 7.3f * plank;
    float warp = fractal(v3(2.5f * p.x + shift, 14 * p.z, shift), 3);
    float ring = sinf(90 * p.z + 10 * warp + shift),
          fibre = fractal(v3(10 * p.x, 420 * p.z, shift + p.y * 400), 3);

    s->colour = mix(v3(.26f, .135f, .062f), v3(.115f, .053f, .024f),
                    clampf(.5f + .32f * ring + .9f * fibre, 0, 1));
    s->colour = scale(s->colour, .85f + .3f * noise(v3(shift, 3, 1)) + .1f * warp);
    if (p.y > -.001f)
        s->colour = scale(s->colour, .15f + .85f * smooth(.5f, .485f, gap));
    coat(s, .04f, .32f + .15f * fibre);
    bump(s, hit, 60, .02f, 2);
}

static void cloth(struct surface *s, const struct hit *hit)
{
    // The stripes follow the weave: local is the cloth as it lies, so x runs across the threads.
    float x = hit->local.x * 1000;
    float weave = sinf(x * 5.5f) * sinf((hit->local.z - hit->local.y) * 5500);
    float band = fabsf(fabsf(x - 118) - 62);
    float blue = smooth(6.5f, 5.5f, band) + .8f * smooth(1.6f, .9f, fabsf(band - 10.5f));

    s->colour = mix(v3(.70f, .66f, .575f), v3(.075f, .13f, .25f), clampf(blue, 0, 1) * .9f);
    s->colour = scale(s->colour, 1 + .05f * weave);
    bump(s, hit, 450, .10f, 2);
}

static void bowl(struct surface *s, const struct hit *hit)
{
    struct vec p = hit->local;
    float r = sqrtf(p.x * p.x + p.z * p.z), angle = atan2f(p.z, p.x), fleck = cells(scale(p, 260));
    float rim = smooth(.0755f, .078f, p.y) * smooth(.1f, .12f, r);
    float waves = .0605f + .0035f * sinf(angle * 22);
    float band = smooth(.0022f, .0012f, fabsf(p.y - waves)) +
                 smooth(.0014f, .0007f, fabsf(p.y - .0685f)) +
                 smooth(.0014f, .0007f, fabsf(p.y - .0525f));

    s->colour = mix(v3(.72f, .70f, .64f), v3(.60f, .57f, .50f), .5f + fractal(scale(p, 25), 3));
    s->colour = mix(s->colour, v3(.045f, .09f, .24f), clampf(band * (r > .08f) + rim, 0, 1) * .92f);
    if (fleck < .16f)
        s->colour = scale(s->colour, .55f);
    coat(s, .05f, .07f);
    bump(s, hit, 45, .012f, 2);
}

static void jug(struct surface *s, const struct hit *hit)
{
    struct vec p = hit->local;
    float drip = .050f + .008f * noise(scale(v3(p.x, 0, p.z), 45)) +
                 .004f * noise(scale(v3(p.x, 0, p.z), 130));
    float glaze = smooth(drip - .001f, drip + .001f, p.y);
    struct vec clay = scale(v3(.42f, .235f, .13f), 1 + .25f * fractal(scale(p, 130), 3));
    struct vec colour = mix(v3(.105f, .22f, .215f), v3(.22f, .34f, .29f),
                            smooth(.05f, .16f, p.y + .05f * fractal(scale(p, 22), 3)));

    if (cells(scale(p, 170)) < .2f)
        colour = scale(colour, .6f);
    colour = mix(colour, v3(.32f, .22f, .12f), .8f * smooth(.176f, .181f, p.y));
    s->colour = mix(clay, colour, glaze);
    coat(s, .05f * glaze + .01f, .55f - .46f * glaze);
    bump(s, hit, 70, .015f + .03f * (1 - glaze), 2);
}

static void bottle(struct surface *s, const struct hit *hit)
{
    float ink, paper = label_at(atan2f(hit->local.x, hit->local.z), hit->local.y, &ink);

    coat(s, .045f, .01f);
    if (paper > 0 && !hit->inside) {
        s->colour = mix(v3(.70f, .64f, .50f), v3(.62f, .53f, .38f),
                        .5f + fractal(scale(hit->local, 60), 3));
        s->colour = mix(s->colour, v3(.06f, .035f, .03f), ink);
        coat(s, .02f, .5f);
        return;
    }
    s->colour = v3(.002f, .004f, .002f);
    s->through = v3(.38f, .48f, .20f);
}

static void apple(struct surface *s, const struct hit *hit, struct vec skin, struct vec blush,
                  float red)
{
    struct vec p = hit->local;
    float angle = atan2f(p.z, p.x),
          top = smooth(.35f, .75f, p.y) * smooth(.45f, .1f, sqrtf(p.x * p.x + p.z * p.z));
    float streak = fractal(v3(9 * cosf(angle), .8f * p.y, 9 * sinf(angle)), 3),
          patch = noise(add(scale(p, 1.3f), v3(red, 0, 0)));
    float amount = smooth(-.35f, .35f, patch + .9f * streak + red);

    s->colour = mix(skin, blush, amount);
    s->colour = mix(s->colour, v3(.42f, .36f, .12f), .7f * top);
    if (cells(scale(p, 9)) < .10f)
        s->colour = mix(s->colour, v3(.62f, .50f, .28f), .6f);
    coat(s, .045f, .13f);
    bump(s, hit, 120, .012f, 2);
}

static void pear(struct surface *s, const struct hit *hit)
{
    struct vec p = hit->local;
    float russet = smooth(.05f, .4f, fractal(scale(p, 2.5f), 4) + .35f * smooth(.8f, 1.2f, p.y));

    s->colour = mix(v3(.50f, .46f, .10f), v3(.60f, .30f, .07f),
                    smooth(-.4f, .5f, noise(scale(p, .9f)) + .5f * p.x));
    s->colour = mix(s->colour, v3(.30f, .19f, .075f), .55f * russet);
    if (cells(scale(p, 14)) < .17f)
        s->colour = scale(s->colour, .62f);
    coat(s, .04f, .28f);
    bump(s, hit, 160, .03f, 2);
}

/* Peel of an orange or a lemon: pores are dents. */
static void citrus(struct surface *s, const struct hit *hit, struct vec colour, struct vec deep)
{
    struct vec p = scale(hit->pos, 420);
    const float e = .05f;
    float here = cells(p);
    struct vec slope = v3(cells(add(p, v3(e, 0, 0))) - here, cells(add(p, v3(0, e, 0))) - here,
                          cells(add(p, v3(0, 0, e))) - here);

    s->colour = mix(colour, deep, clampf(.45f + fractal(scale(hit->local, 2), 3), 0, 1));
    slope = scale(slope, -.16f * smooth(.55f, .1f, here) / e);
    s->normal = normalize(add(s->normal, sub(slope, scale(s->normal, dot(slope, s->normal)))));
    coat(s, .045f, .22f);
}

static void lemon_cut(struct surface *s, const struct hit *hit)
{
    enum { SEGMENTS = 9 };
    float r = sqrtf(hit->local.x * hit->local.x + hit->local.z * hit->local.z);
    float turn = atan2f(hit->local.z, hit->local.x) * SEGMENTS / (2 * PI) +
                 .06f * noise(scale(hit->local, 5));
    float side = fabsf(turn - floorf(turn) - .5f); // 0 in the middle of a segment, .5 at its wall
    float wall_mm = (.5f - side) * 2 * PI * r / SEGMENTS;
    float pulp = smooth(.018f, .05f, wall_mm) * smooth(.86f, .80f, r) * smooth(.06f, .13f, r);
    float beads = fractal(v3(26 * turn, 5 * r, 3), 3);

    s->colour = mix(v3(.80f, .72f, .42f), scale(v3(.78f, .56f, .07f), 1 + .7f * beads), pulp);
    s->colour = mix(s->colour, v3(.80f, .55f, .03f), smooth(.945f, .965f, r));
    coat(s, .05f, .12f + .3f * (1 - pulp));
    bump(s, hit, 500, .10f * pulp + .02f, 2);
}

static void grape(struct surface *s, const struct hit *hit)
{
    // Each grape has a tone of its own, by where it hangs; bloom dulls the coat in patches.
    float tone = noise(scale(sub(hit->pos, scale(hit->local, .011f)), 45)),
          bloom = smooth(-.25f, .35f, fractal(scale(hit->pos, 75), 4));

    s->colour = mix(v3(.075f, .012f, .045f), v3(.17f, .03f, .05f), .5f + .9f * tone);
    s->colour = mix(s->colour, v3(.23f, .215f, .29f), .42f * bloom);
    coat(s, .045f, .10f + .30f * bloom);
}

static void brass(struct surface *s, const struct hit *hit)
{
    float tarnish = smooth(-.1f, .5f, fractal(scale(hit->pos, 22), 4));

    s->mirror = mix(v3(.80f, .58f, .24f), v3(.40f, .25f, .09f), .75f * tarnish);
    s->rough = .14f + .2f * tarnish;
    bump(s, hit, 120, .02f, 2);
}

void still_life_surface(const struct hit *hit, struct surface *out)
{
    memset(out, 0, sizeof(*out));
    out->normal = hit->normal;
    switch ((enum material)hit->material) {
    case MAT_WALL:
        wall(out, hit);
        break;
    case MAT_TABLE:
        table(out, hit);
        break;
    case MAT_CLOTH:
        cloth(out, hit);
        break;
    case MAT_BOWL:
        bowl(out, hit);
        break;
    case MAT_JUG:
        jug(out, hit);
        break;
    case MAT_BOTTLE:
        bottle(out, hit);
        break;
    case MAT_WINE:
        out->colour = v3(.012f, .002f, .003f);
        break;
    case MAT_FOIL:
        out->mirror = v3(.30f, .045f, .04f);
        out->colour = v3(.10f, .008f, .008f);
        out->rough = .28f;
        bump(out, hit, 160, .05f, 2);
        break;
    case MAT_APPLE_RED:
        apple(out, hit, v3(.52f, .34f, .07f), v3(.40f, .022f, .018f), .42f);
        break;
    case MAT_APPLE_GREEN:
        apple(out, hit, v3(.37f, .42f, .07f), v3(.50f, .12f, .05f), -.38f);
        break;
    case MAT_PEAR:
        pear(out, hit);
        break;
    case MAT_ORANGE:
        citrus(out, hit, v3(.78f, .22f, .012f), v3(.70f, .15f, .008f));
        break;
    case MAT_LEMON:
        citrus(out, hit, v3(.83f, .62f, .05f), v3(.76f, .52f, .035f));
        break;
    case MAT_LEMON_CUT:
        lemon_cut(out, hit);
        break;
    case MAT_GRAPE:
        grape(out, hit);
        break;
    case MAT_CHERRY:
        out->colour =
            mix(v3(.20f, .008f, .012f), v3(.36f, .02f, .018f), .5f + noise(scale(hit->pos, 60)));
        coat(out, .05f, .05f);
        break;
    case MAT_STEM:
        out->colour = scale(v3(.17f, .135f, .055f), 1 + .6f * fractal(scale(hit->pos, 300), 2));
        coat(out, .03f, .5f);
        break;
    case MAT_LEAF: {
        float side = hit->local.z,
              vein = fminf(fabsf(side),
                           .05f * fabsf(sinf(22 * (hit->local.x - 1.2f * fabsf(side)))) + .006f);
        out->colour = mix(v3(.33f, .37f, .14f), v3(.085f, .17f, .035f), smooth(.002f, .02f, vein));
        coat(out, .04f, .3f);
        bump(out, hit, 90, .04f, 3);
        break;
    }
    case MAT_WALNUT:
        out->colour = mix(v3(.40f, .255f, .13f), v3(.19f, .105f, .048f),
                          clampf(.5f + 1.6f * fractal(scale(hit->local, 3.2f), 4), 0, 1));
        coat(out, .03f, .45f);
        bump(out, hit, 190, .22f, 3);
        break;
    case MAT_BRASS:
        brass(out, hit);
        break;
    case MAT_CANDLE:
        out->colour = v3(.70f, .63f, .48f);
        coat(out, .04f, .3f);
        break;
    }
}
