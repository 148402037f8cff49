/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_COLOUR_H
#define PATINA_LOOK_COLOUR_H

#include "look/approx.h"

/*
 * OKLab (Ottosson 2020) from and to linear sRGB, without libm. Lightness L is 0..1; the chroma of
 * what sRGB can show stays under .33. Private to look/.
 */

static inline void oklab_from_linear(float r, float g, float b, float lab[3])
{
    float l = cbrt_approx(0.4122214708f * r + 0.5363325363f * g + 0.0514459929f * b);
    float m = cbrt_approx(0.2119034982f * r + 0.6806995451f * g + 0.1073969566f * b);
    float s = cbrt_approx(0.0883024619f * r + 0.2817188376f * g + 0.6299787005f * b);

    lab[0] = 0.2104542553f * l + 0.7936177850f * m - 0.0040720468f * s;
    lab[1] = 1.9779984951f * l - 2.4285922050f * m + 0.4505937099f * s;
    lab[2] = 0.0259040371f * l + 0.7827717662f * m - 0.8086757660f * s;
}

/* May leave 0..1 for colours that sRGB does not have. */
static inline void linear_from_oklab(float L, float a, float b, float rgb[3])
{
    float l = L + 0.3963377774f * a + 0.2158037573f * b;
    float m = L - 0.1055613458f * a - 0.0638541728f * b;
    float s = L - 0.0894841775f * a - 1.2914855480f * b;

    l = l * l * l;
    m = m * m * m;
    s = s * s * s;
    rgb[0] = 4.0767416621f * l - 3.3077115913f * m + 0.2309699292f * s;
    rgb[1] = -1.2684380046f * l + 2.6097574011f * m - 0.3413193965f * s;
    rgb[2] = -0.0041960863f * l - 0.7034186147f * m + 1.7076147010f * s;
}

/* How much a colour is that of human skin, 0..1: all of its tones keep to a narrow band of hue
 * between red and yellow. */
static inline float skin_of(float L, float a, float b)
{
    float chroma = sqrtf(a * a + b * b), warm = a > 0.0f && b > 0.0f ? b / (a + b) : 0.0f;

    return smoothf(0.02f, 0.045f, chroma) * (1.0f - smoothf(0.13f, 0.17f, chroma)) *
           smoothf(0.28f, 0.42f, warm) * (1.0f - smoothf(0.66f, 0.78f, warm)) *
           smoothf(0.18f, 0.32f, L);
}

#endif
