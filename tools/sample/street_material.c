/* SPDX-License-Identifier: MIT */
#include "street.h"

#include "noise.h"
#include "text.h"
#include "texture.h"

#include "base/rand.h"

#include <string.h>

/* 0..1 for a place on a grid. */
static float chance(float x, float y, uint32_t salt)
{
    return (float)(hash_u32((uint32_t)(int)floorf(x), (uint32_t)(int)floorf(y), salt) >> 8) *
           0x1p-24f;
}

/* Distance in metres from the nearest joint of a bond of blocks, whose courses are staggered. */
static float joint(float x, float y, float w, float h, float *column, float *course)
{
    *course = floorf(y / h);
    float shifted = x + .5f * w * (*course - 2 * floorf(*course / 2));
    *column = floorf(shifted / w);
    float dx = shifted - *column * w, dy = y - *course * h;
    return fminf(fminf(dx, w - dx), fminf(dy, h - dy));
}

/* A point on a wall, along it and up. */
static void on_wall(const struct hit *hit, float *x, float *y)
{
    *x = fabsf(hit->normal.x) > .7f ? hit->pos.z : hit->pos.x;
    *y = hit->pos.y;
}

static void brick(struct surface *s, const struct hit *hit)
{
    float x, y, column, course;

    on_wall(hit, &x, &y);
    x += .004f * noise(scale(hit->pos, 40));
    y += .003f * noise(scale(hit->pos, 47));
    float edge = joint(x, y, .225f, .075f, &column, &course), tone = chance(column, course, 1);
    float body = smooth(.003f, .008f, edge), patch = fractal(scale(hit->pos, .9f), 4),
          grain = fractal(scale(hit->pos, 90), 3);
    struct vec clay = mix(v3(.33f, .125f, .075f), v3(.22f, .075f, .048f), tone);

    clay = mix(clay, v3(.40f, .20f, .12f), chance(column, course, 2) > .86f ? .7f : 0);
    clay = mix(clay, v3(.10f, .055f, .045f), chance(column, course, 3) > .92f ? .7f : 0);
    clay = scale(clay, 1 + .5f * grain + .35f * patch);
    s->colour = mix(scale(v3(.36f, .325f, .27f), .8f + .4f * grain), clay, body);
    // Rain has run down and dirt has risen.
    s->colour = scale(s->colour, .72f + .28f * smooth(0, .7f, hit->pos.y + .2f * patch));
    s->colour = scale(s->colour, 1 - .18f * smooth(.1f, .5f, fractal(v3(3 * x, .25f * y, 8), 3)));
    // The joint is deep: its edges turn.
    bump(s, hit, 70, .05f, 3);
    if (edge < .008f) {
        float e = .0015f, a, b;
        float h = smooth(.003f, .008f, edge);
        float hx = smooth(.003f, .008f, joint(x + e, y, .225f, .075f, &a, &b)) - h,
              hy = smooth(.003f, .008f, joint(x, y + e, .225f, .075f, &a, &b)) - h;
        struct vec along = cross(v3(0, 1, 0), hit->normal);
        s->normal = normalize(sub(s->normal, add(scale(along, 1.1f * hx), v3(0, 1.1f * hy, 0))));
        s->colour = scale(s->colour, .55f + .45f * h);
    }
}

static void plaster(struct surface *s, const struct hit *hit)
{
    float patch = fractal(scale(hit->pos, 1.1f), 5),
          run = fractal(v3(5 * hit->pos.x, .5f * hit->pos.y, 1), 3);

    s->colour = mix(v3(.66f, .56f, .38f), v3(.53f, .44f, .29f), clampf(.5f + patch, 0, 1));
    s->colour = scale(s->colour, 1 - .25f * smooth(0, .5f, run) -
                                     .3f * smooth(.5f, 0, hit->pos.y + .4f * patch));
    bump(s, hit, 30, .02f, 3);
}

static void slabs(struct surface *s, const struct hit *hit)
{
    float column, course, edge = joint(hit->pos.x, hit->pos.z, .62f, .5f, &column, &course);
    float patch = fractal(scale(hit->pos, 1.6f), 4), grain = fractal(scale(hit->pos, 70), 3);

    s->colour = scale(v3(.31f, .295f, .265f),
                      .80f + .30f * chance(column, course, 4) + .3f * patch + .35f * grain);
    s->colour = scale(s->colour, .3f + .7f * smooth(.002f, .007f, edge));
    // Worn smooth and a little damp.
    coat(s, .03f, .45f);
    bump(s, hit, 45, .02f, 3);
}

static void cobbles(struct surface *s, const struct hit *hit)
{
    struct vec p = v3(hit->pos.x + .02f * noise(scale(hit->pos, 6)), 0, hit->pos.z);
    float column, course, edge = joint(p.x, p.z, .135f, .105f, &column, &course);
    float round = smooth(0, .035f, edge), grain = fractal(scale(hit->pos, 60), 3);
    float a, b, e = .004f;
    float dx = smooth(0, .035f, joint(p.x + e, p.z, .135f, .105f, &a, &b)) - round,
          dz = smooth(0, .035f, joint(p.x, p.z + e, .135f, .105f, &a, &b)) - round;

    s->colour = mix(v3(.17f, .165f, .16f), v3(.26f, .235f, .205f), chance(column, course, 5));
    s->colour = scale(s->colour, (.35f + .65f * round) * (1 + .5f * grain));
    s->normal = normalize(add(hit->normal, v3(-3.2f * dx, 0, -3.2f * dz)));
    coat(s, .04f, .38f);
}

static void tiles(struct surface *s, const struct hit *hit)
{
    float column, course, edge = joint(hit->local.x, hit->local.z, .22f, .16f, &column, &course);

    s->colour = mix(v3(.30f, .13f, .075f), v3(.18f, .085f, .06f), chance(column, course, 6));
    s->colour = scale(s->colour, .4f + .6f * smooth(0, .025f, edge));
    s->colour = scale(s->colour, 1 + .5f * fractal(scale(hit->pos, 8), 3));
}

static void paint(struct surface *s, const struct hit *hit, struct vec colour)
{
    float wear = fractal(scale(hit->pos, 3), 4),
          fine = fractal(v3(30 * hit->pos.x, 6 * hit->pos.y, 30 * hit->pos.z), 2);

    s->colour = scale(colour, 1 + .25f * wear + .12f * fine);
    coat(s, .04f, .22f);
    bump(s, hit, 25, .012f, 2);
}

static void sign(struct surface *s, const struct hit *hit)
{
    float x = hit->pos.x - SIGN_X, y = hit->pos.y - SIGN_Y;
    float frame = fminf(fminf(2.14f - fabsf(x), hit->pos.y - 2.485f), 2.915f - hit->pos.y);
    float ink = text_ink("HARBOUR BOOKS", .225f, x, y), gold = ink;
    float shadow = text_ink("HARBOUR BOOKS", .225f, x - .014f, y + .014f);

    paint(s, hit, v3(.018f, .045f, .037f));
    if (hit->normal.z < .7f)
        return;
    s->colour = scale(s->colour, 1 - .75f * shadow);
    gold = fmaxf(gold, smooth(.004f, .002f, fabsf(frame - .018f)));
    s->colour = mix(s->colour, v3(.72f, .47f, .13f), gold);
    if (gold > .5f)
        coat(s, .05f, .3f);
}

/* Shelves of books under warm light, as deep as a shop is. */
static void inside(struct surface *s, const struct hit *hit)
{
    float x, y;

    on_wall(hit, &x, &y);
    float shelf = y / .34f, row = floorf(shelf), up = (shelf - row) * .34f;
    float at = x / .042f, book = floorf(at), tall = .20f + .09f * chance(book, row, 7);
    struct vec cover = mix(v3(.30f, .06f, .04f), v3(.08f, .15f, .17f), chance(book, row, 8));

    cover = mix(cover, v3(.42f, .31f, .15f), chance(book, row, 9) > .6f ? .8f : 0);
    cover = mix(cover, v3(.05f, .06f, .05f), chance(book, row, 10) > .75f ? .8f : 0);
    cover = scale(cover, .4f + .6f * smooth(.0f, .12f, fminf(at - book, 1 - at + book)));
    if (up > tall)
        cover = v3(.035f, .02f, .012f);
    if (up < .025f)
        cover = v3(.26f, .14f, .07f);
    if (hit->normal.y > .7f)
        cover = v3(.16f, .09f, .05f);
    s->colour = cover;
    // Lamps hang from the ceiling.
    s->glow = scale(mul(cover, v3(1, .74f, .45f)), 1.5f * smooth(-.2f, 2.3f, y) + .25f);
}

static void room(struct surface *s, const struct hit *hit)
{
    float x = hit->local.x,
          curtain = smooth(.24f, .30f, fabsf(x - .5f) + .02f * sinf(9 * hit->local.y));

    s->colour = mix(v3(.05f, .045f, .04f), scale(v3(.62f, .58f, .50f), .75f + .25f * sinf(90 * x)),
                    curtain);
}

static void book(struct surface *s, const struct hit *hit)
{
    float which = floorf(hit->local.x / 4), x = hit->local.x - 4 * which, y = hit->local.y;
    static const struct vec covers[] = {{.45f, .07f, .05f}, {.06f, .14f, .30f}, {.62f, .52f, .30f},
                                        {.07f, .22f, .15f}, {.70f, .40f, .06f}, {.55f, .53f, .50f},
                                        {.25f, .09f, .20f}, {.10f, .30f, .36f}};
    uint32_t h = hash_u32((uint32_t)(int)which, 3, 11);
    struct vec ink = h & 64 ? v3(.75f, .66f, .42f) : v3(.09f, .07f, .06f);
    float band = smooth(.02f, .01f, fabsf(y - .72f) - .10f) *
                 smooth(.02f, .01f, fabsf(x - .5f) - .36f);
    float line = smooth(.012f, .006f, fabsf(y - .28f) - .015f) *
                 smooth(.02f, .01f, fabsf(x - .5f) - .25f);

    s->colour = covers[h & 7];
    if (hit->normal.z > .5f)
        s->colour = mix(s->colour, ink, fmaxf(band * (h & 32 ? 1 : .0f), line));
    if (hit->normal.z > .5f && !(h & 32))
        s->colour = mix(s->colour, covers[h >> 8 & 7],
                        smooth(.30f, .29f, sqrtf((x - .5f) * (x - .5f) + (y - .6f) * (y - .6f))));
    coat(s, .04f, .25f);
    s->glow = scale(mul(s->colour, v3(1, .8f, .55f)), .30f);
}

static void awning(struct surface *s, const struct hit *hit)
{
    float stripe = hit->pos.x / .19f, part = stripe - floorf(stripe);
    float red = smooth(.48f, .5f, part) * smooth(1, .98f, part);

    s->colour = mix(v3(.66f, .60f, .48f), v3(.42f, .055f, .045f), red);
    s->colour = scale(s->colour, 1 + .2f * fractal(scale(hit->pos, 4), 3));
    bump(s, hit, 12, .02f, 2);
}

static void leaves(struct surface *s, const struct hit *hit)
{
    float tone = noise(scale(hit->pos, 23)), vein = fabsf(hit->local.z);

    s->colour = mix(v3(.055f, .13f, .028f), v3(.13f, .22f, .05f), .5f + .5f * tone);
    s->colour = mix(scale(s->colour, 1.4f), s->colour, smooth(.0f, .02f, vein));
    coat(s, .04f, .35f);
}

static void board(struct surface *s, const struct hit *hit)
{
    float x = hit->local.x - .25f, y = hit->local.y;
    float chalk = fmaxf(text_ink("OPEN", .095f, x, y - .60f),
                        fmaxf(text_ink("OLD MAPS", .046f, x, y - .46f),
                              fmaxf(text_ink("& PRINTS", .046f, x, y - .37f),
                                    text_ink("TEA INSIDE", .036f, x, y - .20f))));
    float frame = fminf(fminf(x + .25f, .25f - x), fminf(y - .04f, .80f - y));

    if (hit->normal.z > .5f)
        chalk = fmaxf(chalk, smooth(.006f, .003f, fabsf(y - .315f)) * (fabsf(x) < .15f));
    s->colour = mix(v3(.035f, .037f, .04f), v3(.72f, .70f, .66f),
                    hit->normal.z > .3f ? chalk * (.75f + .5f * noise(scale(hit->pos, 150))) : 0);
    s->colour = scale(s->colour, 1 + .4f * fractal(scale(hit->pos, 7), 3));
    if (frame < .028f)
        s->colour = v3(.25f, .13f, .06f);
}

static void plain(struct surface *s, struct vec colour, float mirror, float rough)
{
    s->colour = colour;
    coat(s, mirror, rough);
}

void street_surface(const struct hit *hit, struct surface *out)
{
    memset(out, 0, sizeof(*out));
    out->normal = hit->normal;
    switch ((enum street_material)hit->material) {
    case BRICK:
        brick(out, hit);
        break;
    case PLASTER:
        plaster(out, hit);
        break;
    case STONE:
        plain(out, scale(v3(.42f, .40f, .36f), 1 + .5f * fractal(scale(hit->pos, 14), 4)), 0, 0);
        bump(out, hit, 40, .03f, 3);
        break;
    case SLABS:
        slabs(out, hit);
        break;
    case COBBLES:
        cobbles(out, hit);
        break;
    case TILES:
        tiles(out, hit);
        break;
    case PAINT:
        paint(out, hit, v3(.022f, .060f, .048f));
        break;
    case SIGN:
        sign(out, hit);
        break;
    case FRAME:
        paint(out, hit, v3(.62f, .60f, .55f));
        break;
    case SHUTTER: {
        float slat = hit->pos.y / .045f, part = slat - floorf(slat);
        paint(out, hit, scale(v3(.09f, .19f, .25f), .45f + .55f * part));
        break;
    }
    case GLASS:
        coat(out, .045f, .004f);
        out->through = v3(.90f, .92f, .90f);
        break;
    case INSIDE:
        inside(out, hit);
        break;
    case ROOM:
        room(out, hit);
        break;
    case BOOK:
        book(out, hit);
        break;
    case AWNING:
        awning(out, hit);
        break;
    case IRON:
        plain(out, v3(.022f, .022f, .024f), .05f, .35f);
        break;
    case LANTERN:
        plain(out, v3(.5f, .45f, .35f), .05f, .1f);
        out->glow = v3(1.1f, .75f, .36f);
        break;
    case POT:
        plain(out, scale(v3(.42f, .17f, .085f), 1 + .5f * fractal(scale(hit->pos, 20), 4)), .02f,
              .6f);
        bump(out, hit, 60, .02f, 2);
        break;
    case LEAVES:
        leaves(out, hit);
        break;
    case FLOWER:
        plain(out,
              mix(v3(.60f, .035f, .03f), v3(.70f, .12f, .10f),
                  .5f + .5f * noise(scale(hit->pos, 40))),
              0, 0);
        break;
    case RUBBER:
        plain(out, v3(.025f, .025f, .026f), .03f, .5f);
        break;
    case ENAMEL:
        plain(out, v3(.035f, .13f, .20f), .06f, .08f);
        break;
    case LEATHER:
        plain(out, v3(.20f, .09f, .04f), .04f, .3f);
        break;
    case BOARD:
        board(out, hit);
        break;
    }
}

struct vec street_sky(struct vec dir)
{
    float up = fmaxf(dir.y, 0), k = 1 / (up + .12f);
    float cloud = smooth(-.05f, .45f, fractal(v3(1.1f * dir.x * k, 3, 1.1f * dir.z * k + 4), 5));
    struct vec sky = mix(v3(.62f, .72f, .82f), v3(.16f, .30f, .58f), powf(up, .55f));

    if (dir.y < 0)
        return v3(.22f, .20f, .18f); // houses across the street
    return scale(mix(sky, v3(.95f, .93f, .90f), .75f * cloud), 1.15f);
}
