/* SPDX-License-Identifier: MIT */
#include "look/dry.h"

#include "look/mood_scene.h"

static const float WHITE = 0.95f;       // lightness of the paper that pigments are chosen for
static const float CHROMA_FULL = 0.25f; // chroma that needs full cover
static const float CHROMA_MOST = 0.19f; // of a pigment

void dry_pigment(const struct look_picture *p, float ux, float uy, float cover, float dark,
                 float colour, float out[LAB])
{
    out[0] = dark;
    out[1] = out[2] = 0.0f;
    mood_ink(p->mood, ux, uy, out);
    if (colour <= 0.0f)
        return;
    const struct look_maps *m = p->maps;
    float c[LAB], share = 1.0f / (cover > 0.25f ? cover : 0.25f);
    lab_at(m->fine, m->full_per_unit, ux, uy, c);
    c[0] = mixf(c[0], plane_at(&m->tone, ux * m->full_per_unit, uy * m->full_per_unit), 0.5f);
    float L = clampf(WHITE + (c[0] - WHITE) * share, dark, 0.92f), a = c[1] * share,
          b = c[2] * share;
    float chroma = sqrtf(a * a + b * b);
    float keep = chroma > CHROMA_MOST ? CHROMA_MOST / chroma : 1.0f;
    out[0] = mixf(dark, L, colour);
    out[1] = a * keep * colour;
    out[2] = b * keep * colour;
}

float dry_demand(const struct look_picture *p, float ux, float uy, float colour)
{
    const struct look_maps *m = p->maps;
    float dark = 1.0f - plane_at(&m->tone, ux * m->full_per_unit, uy * m->full_per_unit);

    if (colour <= 0.0f)
        return dark;
    float c[LAB];
    lab_at(m->half, m->half_per_unit, ux, uy, c);
    float chroma = colour * sqrtf(c[1] * c[1] + c[2] * c[2]) / CHROMA_FULL;
    // Strong colour asks for cover, but not for the layers that only darken.
    chroma = chroma < 0.6f ? chroma : 0.6f;
    return dark > chroma ? dark : chroma;
}
