/* SPDX-License-Identifier: MIT */
#include "look/look.h"

#include "base/rand.h"
#include "look/noise.h"

#include <string.h>

/*
 * The four pictures have consecutive seeds, so the seed modulo 4 gives each a corner of its own:
 * they differ for sure, and a picture depends on its own seed alone. The rest of the seed moves it
 * about within its corner.
 */
struct corner {
    float L, a, b; /* where the palette goes, OKLab */
    float chroma, contrast, split;
    float light; /* direction of the light, turns from the right, clockwise on screen */
    float brush;
};

// The tints of paper as well as of palettes, so they are those that sheets come in: ivory,
// blue-grey, white, buff. Every pair is at least .018 apart even near white, where a third is left
// of L.
static const struct corner CORNER[4] = {
    /* warm, lit from top left */
    {0.006f, -0.001f, 0.022f, 1.04f, 1.02f, 0.004f, 0.625f, 1.00f},
    /* cool and deep */
    {-0.024f, -0.004f, -0.018f, 0.98f, 1.03f, 0.010f, 0.86f, 0.92f},
    /* high key, neutral */
    {0.028f, 0.002f, -0.002f, 0.98f, 0.98f, 0.000f, 0.70f, 1.10f},
    /* deep and earthy */
    {-0.012f, 0.012f, 0.010f, 1.06f, 1.03f, 0.006f, 0.56f, 1.04f},
};

// At chaos 1 the corners are this much farther out.
static const float REACH = 3.4f;

// And this much nearer where the photo's own colours are wanted: still told apart.
static const float RAW_REACH = 0.6f;

static float dice(uint32_t seed, int which)
{
    return 2.0f * noise_point(which, 71, seed) - 1.0f;
}

// Where the mood rules the colours, the four differ by their lightness instead.
static void keep_mood(const struct mood_light *m, uint32_t seed, float far,
                      struct look_variation *out)
{
    static const float LIGHTNESS[4] = {0.020f, -0.055f, 0.052f, -0.020f};
    static const float WIDER = 1.4f; /* strong colours and deep darks hide a part of it */
    // Prints of one ink still come from different baths.
    float own = m->grey > m->toned ? m->grey : m->toned;
    float bare = m->grey > 0.6f * m->toned ? m->grey : 0.6f * m->toned;

    out->split = 0.0f;
    out->shift[0] = mixf(out->shift[0], far * LIGHTNESS[seed & 3], own);
    out->shift[0] *= mixf(WIDER, 1.0f, own);
    out->shift[1] *= WIDER * (1.0f - bare);
    out->shift[2] *= WIDER * (1.0f - bare);
}

void look_variation_of(uint32_t seed, const struct look_options *o, struct look_variation *out)
{
    const struct corner *k = &CORNER[seed & 3];
    float far = (1.0f + (REACH - 1.0f) * o->chaos) * (o->raw ? RAW_REACH : 1.0f),
          near = 0.002f * far;

    *out = (struct look_variation){
        .seed = hash_u32(seed, 17, o->style),
        .shift = {k->L * far + near * dice(seed, 0), k->a * far + near * dice(seed, 1),
                  k->b * far + near * dice(seed, 2)},
        .split = k->split * far,
        .chroma = 1.0f + (k->chroma - 1.0f) * far + 0.02f * far * dice(seed, 3),
        .contrast = 1.0f + (k->contrast - 1.0f) * far,
        .brush = clampf(1.0f + (k->brush - 1.0f) * far + 0.1f * far * dice(seed, 4), 0.7f, 1.5f),
        .wander = 0.14f + 0.2f * o->chaos,
    };
    if (o->plain) {
        out->shift[0] = out->shift[1] = out->shift[2] = out->split = 0.0f;
        out->chroma = out->contrast = 1.0f;
    }
    if (o->mood.words > 0)
        keep_mood(&o->mood.light, seed, far, out);
    turn_approx(k->light + 0.03f * dice(seed, 5), &out->light_x, &out->light_y);
    if (o->style != 0 && !o->plain) {
        // Nothing understood: the words still choose, by their hash.
        float hue_c, hue_s;
        turn_approx(0.5f + 0.5f * dice(o->style, 6), &hue_c, &hue_s);
        out->shift[1] += 0.012f * hue_c;
        out->shift[2] += 0.012f * hue_s;
        out->brush = clampf(out->brush * (1.1f + 0.3f * dice(o->style, 7)), 0.7f, 1.8f);
        out->wander += 0.1f * (1.0f + dice(o->style, 8));
        out->chroma *= 1.05f + 0.15f * dice(o->style, 9);
    }
}

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

// A grey has no hue to keep out.
static bool exclude_hue(struct look_options *o, uint32_t rgb)
{
    static const float WIDTH = 0.065f; /* turns to either side */
    float lab[3], unused;

    mood_lab(rgb, lab);
    float C = sqrtf(lab[1] * lab[1] + lab[2] * lab[2]);
    if (o->excluded == LOOK_EXCLUSIONS_MAX || C < 0.02f)
        return false;
    struct look_exclusion *x = &o->exclude[o->excluded++];
    x->c = lab[1] / C;
    x->s = lab[2] / C;
    turn_approx(WIDTH, &x->width, &unused);
    return true;
}

bool look_exclude(struct look_options *o, uint32_t without, const char *word)
{
    // As readings call them: "--no texture" excludes "textured".
    static const char *const RELIEF[] = {"relief",   "carved", "texture", "textured",
                                         "impasto",  "gloss",  "glossy",  "shine",
                                         "bristles", "rough",  NULL};
    static const char *const CANVAS[] = {"canvas", "tapestry", NULL}; // "--no weave"

    uint32_t rgb;

    if (mood_colour_find(word, &rgb))
        return exclude_hue(o, rgb);
    bool relief = (without & WITHOUT_RELIEF) && is_one_of(word, RELIEF);
    bool canvas = (without & WITHOUT_CANVAS) && is_one_of(word, CANVAS);
    o->flat |= relief;
    o->bare |= canvas;
    return relief || canvas;
}
