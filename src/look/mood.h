/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_MOOD_H
#define PATINA_LOOK_MOOD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Light and palette: what words such as "sunset", "noir" or "teal" say of a picture, whatever it is
 * made of. Several words add up. Plain data; all zero is no mood.
 */
enum {
    MOOD_COLOURS_MAX = 8, /* of a palette: more are not told apart; further words are left out */
    MOOD_STOPS = 3
};

/* How a lightness between 0 and 1 is coloured, or a height between horizon and zenith: three sRGB
 * colours as 0xRRGGBB. */
struct mood_ramp {
    uint32_t stop[MOOD_STOPS];
};

/* One word's light. Each number is 0 where the word says nothing of it, and each colour black. */
struct mood_light {
    uint32_t key, fill; /* sRGB of the light on what is lit and in the shadows */
    float level;        /* lightness that the photo's middle becomes */
    float contrast;     /* added to a factor of 1 */
    float chroma;       /* the same */
    float black;        /* lightness added to the darkest, */
    float white;        /* and taken from the lightest */
    float side;         /* how strongly forms are lit from one side, -1: from behind */
    float pool;         /* how dark it is outside of one pool of light */
    float haze;         /* share of the veil far away */
    uint32_t veil;
    float sky;             /* share of the sky below in what is sky */
    struct mood_ramp dome; /* horizon, middle, zenith */
    float grey;            /* share of all colour that is taken away */
    float toned;           /* share of the ramp below in all colours */
    struct mood_ramp tone; /* dark, middle, light */
    float rain;            /* strength of its streaks */
    float frost;           /* how white ground and leaves become */
    float spectrum;        /* share of all hues in turn, across the picture */
    float dye;             /* share of the palette that is named along with it */
    uint32_t colour[MOOD_COLOURS_MAX];
};

struct mood_word {
    const char *name; /* as in a reading of a prompt */
    struct mood_light light;
};

struct mood_colour {
    const char *name;
    uint32_t rgb;
};

/* Both end with a name of NULL. */
extern const struct mood_word mood_words[];
extern const struct mood_colour mood_colours[];

/* The sum of all words. */
struct look_mood {
    struct mood_light light;
    int words;
    int colours; /* in light.colour */
    bool named;  /* by colour words, not along with a light */
};

/* False: there is no such word. */
bool mood_add(struct look_mood *m, const char *name);

/* The sRGB colour of a colour's name. False: there is none of that name. */
bool mood_colour_find(const char *name, uint32_t *rgb);

/* OKLab of an sRGB colour. */
void mood_lab(uint32_t rgb, float lab[3]);

#endif
