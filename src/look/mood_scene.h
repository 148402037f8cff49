/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_MOOD_SCENE_H
#define PATINA_LOOK_MOOD_SCENE_H

#include "look/maps.h"
#include "look/mood.h"
#include "look/span.h"

/*
 * A mood in one photo: the scene is lit anew before anything is painted, so that a medium meets
 * other colours instead of being tinted. Once per photo. Private to look/.
 *
 * Lights multiply, each cone response by its own factor (von Kries): in OKLab these are factors on
 * the cube roots, so no root has to be taken. What is sky, and how far things are, is guessed from
 * colour, detail and height in the picture.
 */
struct mood_scene;

/* Lights the colours and tones of the maps, which keep the scene; once. `mood` must outlive them.
 * On error they are spoilt. ERR_NOMEM, ERR_CANCELLED. */
MUST_USE enum err mood_light_maps(const struct look_mood *mood, struct look_maps *maps,
                                  struct pool *pool, const atomic_bool *cancel);
void mood_scene_free(struct mood_scene *s); /* NULL is fine */

/*
 * For operators with colours of their own. A scene of NULL is no mood and changes nothing.
 */

/* The pigment of a drawing or print at a place in units, and its paper; lab is changed. */
void mood_ink(const struct mood_scene *s, float x, float y, float lab[LAB]);
void mood_paper(const struct mood_scene *s, float lab[LAB]);

/* The same pigment at n <= SPAN places. */
void mood_ink_span(const struct mood_scene *s, const float *x, const float *y, int n,
                   const float lab[LAB], float out[LAB][SPAN]);

/* mood_paper() of a sheet of one colour, whose lightness alone varies: a, b, and L of L. */
struct mood_sheet {
    float a, b;
    float gain, light, share, tone, toned;
};

void mood_sheet_make(const struct mood_scene *s, float a, float b, struct mood_sheet *out);

static inline float mood_sheet_at(const struct mood_sheet *m, float L)
{
    L *= m->gain;
    L = mixf(L, m->light < L ? m->light : L, m->share);
    return mixf(L, m->tone, m->toned);
}

/* The light on a solid material: factors on linear light, and what the air adds. */
struct mood_lamp {
    float gain[3], veil[3];
};

/* half: where, of half size; lit: 0 in the shadow, 1 in the full light; up: -1 facing or reflecting
 * the ground, 1 the sky. The scene is there. */
void mood_lamp_lit(const struct mood_scene *s, const struct plane_place *half, float lit, float up,
                   struct mood_lamp *out);

/* The same of a row of n <= SPAN places: the half-size map is sampled at (x * scale, y). */
struct mood_lamps {
    float gain[3][SPAN], veil[3][SPAN];
};

void mood_lamps_span(const struct mood_scene *s, float scale, const float *x, float y, int n,
                     const float *lit, const float *up, struct mood_lamps *out);

/* One lamp; inline, because most pictures have no mood, and are not to pay for it at every pixel.
 */
static inline void mood_lamp_at(const struct mood_scene *s, const struct plane_place *half,
                                float lit, float up, struct mood_lamp *out)
{
    *out = (struct mood_lamp){.gain = {1.0f, 1.0f, 1.0f}};
    if (s)
        mood_lamp_lit(s, half, lit, up, out);
}

/* Factors for media: on how light they make black, which the mood may have done already; on how
 * much they lighten the photo's darks by themselves; and on how much marks differ in colour. */
float mood_room(const struct mood_scene *s);
float mood_lift(const struct mood_scene *s);
float mood_chroma(const struct mood_scene *s);

/* Share of colours that are the mood's own to the last shade, and not to be strengthened. */
float mood_toned(const struct mood_scene *s);

/* Share of all colour that the finished picture loses; below 0: gains. */
float mood_grey(const struct mood_scene *s, bool material);

#endif
