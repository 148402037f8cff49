/* SPDX-License-Identifier: MIT */
#include "look/mood.h"

#include "image/colour.h"
#include "look/colour.h"

#include <string.h>

void mood_lab(uint32_t rgb, float lab[3])
{
    oklab_from_linear(srgb_linear[rgb >> 16 & 255], srgb_linear[rgb >> 8 & 255],
                      srgb_linear[rgb & 255], lab);
}

bool mood_colour_find(const char *name, uint32_t *rgb)
{
    for (const struct mood_colour *c = mood_colours; c->name; c++)
        if (strcmp(c->name, name) == 0) {
            *rgb = c->rgb;
            return true;
        }
    return false;
}

static void add_colour(struct look_mood *m, uint32_t rgb)
{
    for (int i = 0; i < m->colours; i++)
        if (m->light.colour[i] == rgb)
            return;
    if (m->colours < MOOD_COLOURS_MAX)
        m->light.colour[m->colours++] = rgb;
}

// Of two lights the mean, in sRGB: what is named first has no priority.
static uint32_t both(uint32_t a, uint32_t b)
{
    uint32_t sum = 0;

    if (!a || !b)
        return a | b;
    for (int shift = 0; shift < 24; shift += 8)
        sum |= ((a >> shift & 255) + (b >> shift & 255)) / 2 << shift;
    return sum;
}

static void add_ramp(struct mood_ramp *to, const struct mood_ramp *from)
{
    for (int i = 0; i < MOOD_STOPS; i++)
        to->stop[i] = both(to->stop[i], from->stop[i]);
}

// Shares of what is left: two words of .5 give .75.
static float more(float a, float b)
{
    return a + b - a * b;
}

static void add_light(struct look_mood *m, const struct mood_light *l)
{
    struct mood_light *to = &m->light;

    to->key = both(to->key, l->key);
    to->fill = both(to->fill, l->fill);
    if (l->level > 0.0f)
        to->level = to->level > 0.0f ? 0.5f * (to->level + l->level) : l->level;
    to->contrast = clampf(to->contrast + l->contrast, -0.6f, 1.0f);
    to->chroma = (1.0f + to->chroma) * (1.0f + l->chroma) - 1.0f;
    to->black = clampf(to->black + l->black, 0.0f, 0.5f);
    to->white = clampf(to->white + l->white, 0.0f, 0.5f);
    to->side = clampf(to->side + l->side, -1.0f, 1.0f);
    to->pool = more(to->pool, l->pool);
    to->haze = more(to->haze, l->haze);
    to->veil = both(to->veil, l->veil);
    to->sky = more(to->sky, l->sky);
    add_ramp(&to->dome, &l->dome);
    to->grey = more(to->grey, l->grey);
    to->toned = more(to->toned, l->toned);
    add_ramp(&to->tone, &l->tone);
    to->rain = more(to->rain, l->rain);
    to->frost = more(to->frost, l->frost);
    to->spectrum = more(to->spectrum, l->spectrum);
    to->dye = to->dye > l->dye ? to->dye : l->dye;
    // Colours that are named themselves are all there is of a palette.
    for (int i = 0; i < MOOD_COLOURS_MAX && l->colour[i] && !m->named; i++)
        add_colour(m, l->colour[i]);
}

bool mood_add(struct look_mood *m, const char *name)
{
    static const float NAMED_DYE = 0.9f;
    uint32_t rgb;

    for (const struct mood_word *w = mood_words; w->name; w++)
        if (strcmp(w->name, name) == 0) {
            add_light(m, &w->light);
            m->words++;
            return true;
        }
    if (!mood_colour_find(name, &rgb))
        return false;
    if (!m->named)
        m->colours = 0;
    m->named = true;
    m->light.dye = NAMED_DYE;
    add_colour(m, rgb);
    m->words++;
    return true;
}
