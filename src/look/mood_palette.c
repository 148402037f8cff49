/* SPDX-License-Identifier: MIT */
#include "look/mood_palette.h"

// Distance, as compared, below which two colours are much the same.
static const float SOFT = 0.028f;
static const float NEUTRAL = 0.025f; // |a| + |b| below which a colour is a grey
static const float CALM = 0.45f;     // chroma of what was neutral, share of the palette's

// What decides where a colour goes: its hue, of weak colours too, and a little its lightness.
static void compare_by(const float lab[LAB], float out[LAB])
{
    float C = sqrtf(lab[1] * lab[1] + lab[2] * lab[2]), share = 0.16f / (C + 0.06f);

    out[0] = 0.22f * lab[0];
    out[1] = share * lab[1];
    out[2] = share * lab[2];
}

static float shares(const struct mood_palette *p, const float lab[LAB], float w[MOOD_COLOURS_MAX])
{
    float at[LAB], all = 0.0f;

    compare_by(lab, at);
    for (int j = 0; j < p->count; j++) {
        float dL = at[0] - p->near[j][0], da = at[1] - p->near[j][1], db = at[2] - p->near[j][2];
        float d2 = SOFT * SOFT + dL * dL + p->strict[j] * (da * da + db * db);
        float r = SOFT * SOFT / d2;
        // To the fourth: between two colours lies a third one that nobody named.
        w[j] = p->weight[j] * r * r * r * r;
        all += w[j];
    }
    return 1.0f / all;
}

enum { SAMPLES_ACROSS = 32, ROUNDS = 12 };

// About a thousand places all over the picture.
static int sample(const struct plane half[LAB], float out[][LAB])
{
    int n = 0;

    for (int j = 0; j < SAMPLES_ACROSS; j++)
        for (int i = 0; i < SAMPLES_ACROSS; i++, n++) {
            int x = (2 * i + 1) * half[0].width / (2 * SAMPLES_ACROSS);
            int y = (2 * j + 1) * half[0].height / (2 * SAMPLES_ACROSS);
            for (int k = 0; k < LAB; k++)
                out[n][k] = plane_row(&half[k], y)[x];
        }
    return n;
}

// Raises the weight of colours that too little of the picture goes to.
static void balance(struct mood_palette *p, float (*at)[LAB], int n, float least)
{
    for (int round = 0; round <= ROUNDS; round++) {
        float mass[MOOD_COLOURS_MAX] = {0}, L[MOOD_COLOURS_MAX] = {0};
        for (int i = 0; i < n; i++) {
            float w[MOOD_COLOURS_MAX], share = shares(p, at[i], w);
            for (int j = 0; j < p->count; j++) {
                mass[j] += share * w[j] / (float)n;
                L[j] += share * w[j] * at[i][0] / (float)n;
            }
        }
        for (int j = 0; j < p->count; j++) {
            float mean = L[j] / (mass[j] + 1e-6f);
            // The lightness of a palette's colour is met half way.
            p->lift[j] = 0.5f * clampf(p->lab[j][0] - mean, -0.5f, 0.5f);
            if (round < ROUNDS && mass[j] < least)
                p->weight[j] *= clampf(least / (mass[j] + 1e-4f), 1.0f, 3.0f);
        }
    }
}

// Chroma that a fifth of the places exceed.
static float strong_chroma(float (*at)[LAB], int n)
{
    enum { BINS = 64 };
    int count[BINS] = {0}, above = 0, i = BINS;

    for (int k = 0; k < n; k++) {
        float C = sqrtf(at[k][1] * at[k][1] + at[k][2] * at[k][2]);
        count[clampi((int)(C * (BINS / 0.32f)), 0, BINS - 1)]++;
    }
    while (i > 0 && 5 * (above + count[i - 1]) < n)
        above += count[--i];
    return clampf((float)i * (0.32f / BINS), 0.05f, 0.2f);
}

void mood_palette_make(const struct look_mood *m, const struct plane half[LAB],
                       struct mood_palette *out)
{
    float at[SAMPLES_ACROSS * SAMPLES_ACROSS][LAB];
    int n = sample(half, at);

    *out = (struct mood_palette){.count = m->light.dye > 0.0f ? m->colours : 0,
                                 .dye = m->light.dye,
                                 .strong = strong_chroma(at, n)};
    for (int j = 0; j < out->count; j++) {
        mood_lab(m->light.colour[j], out->lab[j]);
        compare_by(out->lab[j], out->near[j]);
        out->weight[j] = 1.0f;
        out->strict[j] = fabsf(out->lab[j][1]) + fabsf(out->lab[j][2]) < NEUTRAL ? 6.0f : 1.0f;
    }
    if (out->count > 0)
        balance(out, at, n, (m->named ? 0.6f : 0.4f) / (float)out->count);
}

void mood_palette_move(const struct mood_palette *p, float lab[LAB])
{
    float w[MOOD_COLOURS_MAX], to[LAB] = {0}, lift = 0.0f;
    float C = sqrtf(lab[1] * lab[1] + lab[2] * lab[2]);
    float share = shares(p, lab, w);

    for (int j = 0; j < p->count; j++) {
        float s = share * w[j];
        to[1] += s * p->lab[j][1];
        to[2] += s * p->lab[j][2];
        lift += s * p->lift[j];
    }
    float L = clampf(lab[0] + p->dye * lift, 0.0f, 1.0f);
    // The darkest and lightest colours have little chroma.
    float room = clampf(6.0f * L * (1.06f - L), 0.0f, 1.0f);
    float strength = room * mixf(CALM, 1.0f, smoothf(0.0f, p->strong, C)) *
                     (0.85f + 0.15f * clampf(C / p->strong, 0.0f, 2.0f));
    lab[0] = L;
    // A little of its own hue is left, so that a palette of one colour is not a tint.
    lab[1] = mixf(lab[1], strength * to[1] + 0.12f * lab[1], p->dye);
    lab[2] = mixf(lab[2], strength * to[2] + 0.12f * lab[2], p->dye);
}
