/* SPDX-License-Identifier: MIT */
#include "look/dry.h"

#include "look/mood_scene.h"

static const float WHITE = 0.95f;       // lightness of the paper that pigments are chosen for
static const float CHROMA_FULL = 0.25f; // chroma that needs full cover
static const float CHROMA_MOST = 0.19f; // of a pigment

// The pigment that makes colour c when it covers a share `cover` of white paper; the photo's tone
// there is drawn as `tone`.
static inline void pigment_of(const float c[LAB], float tone, float cover, float dark, float colour,
                              float out[LAB])
{
    float share = 1.0f / (cover > 0.25f ? cover : 0.25f);
    float L = clampf(WHITE + (mixf(c[0], tone, 0.5f) - WHITE) * share, dark, 0.92f);
    float a = c[1] * share, b = c[2] * share, chroma = sqrtf(a * a + b * b);
    float keep = chroma > CHROMA_MOST ? CHROMA_MOST / chroma : 1.0f;

    out[0] = mixf(dark, L, colour);
    out[1] = a * keep * colour;
    out[2] = b * keep * colour;
}

void dry_pigment(const struct look_picture *p, float ux, float uy, float cover, float dark,
                 float colour, float out[LAB])
{
    const struct look_maps *m = p->maps;
    float c[LAB];

    if (colour <= 0.0f) {
        out[0] = dark;
        out[1] = out[2] = 0.0f;
        mood_ink(p->mood, ux, uy, out);
        return;
    }
    lab_at(m->fine, m->full_per_unit, ux, uy, c);
    pigment_of(c, plane_at(&m->tone, ux * m->full_per_unit, uy * m->full_per_unit), cover, dark,
               colour, out);
}

static void colour_span(const struct look_picture *p, const struct dry_places *at, float dark,
                        float colour, float pigment[LAB][SPAN])
{
    const struct look_maps *m = p->maps;
    float tone[SPAN];

    span_lab(m->fine, m->full_per_unit, at->ux, at->uy, at->n, pigment);
    span_plane(&m->tone, m->full_per_unit, at->ux, at->uy, at->n, tone);
    for (int i = 0; i < at->n; i++) {
        float c[LAB] = {pigment[0][i], pigment[1][i], pigment[2][i]}, lab[LAB];
        pigment_of(c, tone[i], at->cover[i], dark, colour, lab);
        for (int k = 0; k < LAB; k++)
            pigment[k][i] = lab[k];
    }
}

void dry_draw_span(const struct look_picture *p, const struct dry_places *at, float dark,
                   float colour, struct span_px *px)
{
    float pigment[LAB][SPAN], ink[LAB] = {dark, 0.0f, 0.0f};

    if (colour > 0.0f)
        colour_span(p, at, dark, colour, pigment);
    else
        mood_ink_span(p->mood, at->ux, at->uy, at->n, ink, pigment);
    for (int k = 0; k < LAB; k++)
        for (int i = 0; i < at->n; i++)
            px->lane[k][i] = mixf(px->lane[k][i], pigment[k][i], at->take[i]);
}

static inline float demand_of(float dark, float a, float b, float colour)
{
    float chroma = colour * sqrtf(a * a + b * b) / CHROMA_FULL;

    // Strong colour asks for cover, but not for the layers that only darken.
    chroma = chroma < 0.6f ? chroma : 0.6f;
    return dark > chroma ? dark : chroma;
}

float dry_demand(const struct look_picture *p, float ux, float uy, float colour)
{
    const struct look_maps *m = p->maps;
    float dark = 1.0f - plane_at(&m->tone, ux * m->full_per_unit, uy * m->full_per_unit);

    if (colour <= 0.0f)
        return dark;
    float c[LAB];
    lab_at(m->half, m->half_per_unit, ux, uy, c);
    return demand_of(dark, c[1], c[2], colour);
}

void dry_demand_span(const struct look_picture *p, const float *ux, const float *uy, int n,
                     float colour, float *out)
{
    const struct look_maps *m = p->maps;
    float a[SPAN], b[SPAN];

    span_plane(&m->tone, m->full_per_unit, ux, uy, n, out);
    for (int i = 0; i < n; i++)
        out[i] = 1.0f - out[i];
    if (colour <= 0.0f)
        return;
    span_plane(&m->half[1], m->half_per_unit, ux, uy, n, a);
    span_plane(&m->half[2], m->half_per_unit, ux, uy, n, b);
    for (int i = 0; i < n; i++)
        out[i] = demand_of(out[i], a[i], b[i], colour);
}

void dry_inside_span(const struct look_picture *p, const float *ux, float uy, int n, float margin,
                     float *out)
{
    float w = (float)p->width / p->px_per_unit, h = (float)p->height / p->px_per_unit;
    float dy = uy < h - uy ? uy : h - uy, d[SPAN], broad[SPAN], fine[SPAN];
    float dx = ux[0] < w - ux[n - 1] ? ux[0] : w - ux[n - 1];

    for (int i = 0; i < n; i++)
        out[i] = 1.0f;
    if (margin <= 0.0f || (dx < dy ? dx : dy) >= DRY_RAGGED * margin)
        return;
    for (int i = 0; i < n; i++) {
        dx = ux[i] < w - ux[i] ? ux[i] : w - ux[i];
        d[i] = dx < dy ? dx : dy;
    }
    span_noise_row(0.03f, ux, uy, n, p->variation.seed + 5u, broad);
    span_noise_row(0.1f, ux, uy, n, p->variation.seed + 6u, fine);
    for (int i = 0; i < n; i++) {
        float ragged = broad[i] + 0.6f * fine[i];
        float inside = smoothf(0.0f, 1.0f, d[i] / margin + 0.2f - ragged);
        out[i] = d[i] >= DRY_RAGGED * margin ? 1.0f : inside;
    }
}
