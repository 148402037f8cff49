/* SPDX-License-Identifier: MIT */
#include "look/mood_scene.h"
#include "look/span.h"

/* The bare sheet and its tooth. */
enum { LIGHTNESS, WARMTH, GRAIN, LAID, MOTTLE, PLATE, TONE };

static const struct look_param PARAM[] = {
    {"lightness", 0.1f, 1.0f, 0.955f, "of the sheet"},
    {"warmth", -0.05f, 0.1f, 0.008f, "from blue to cream, b of OKLab"},
    {"grain", 0.8f, 12.0f, 1.7f, "size of the tooth, units"},
    {"laid", 0.0f, 1.0f, 0.0f, "0: tooth as in cold pressed paper, 1: the lines of laid paper"},
    {"mottle", 0.0f, 0.1f, 0.008f, "difference of lightness between places of the sheet"},
    {"plate", 0.0f, 120.0f, 0.0f, "paper around the mark that a plate pressed, units; 0: no plate"},
    {"tone", 0.0f, 0.3f, 0.04f, "ink that wiping leaves on a plate, lightness"},
    {0}};

struct sheet {
    struct look_picture *p;
    const float *value;
    struct mood_sheet mood; /* if there is a mood */
};

// Of a span that begins at ux[0]; `slow` is its broadest part.
static void tooth_span(const struct sheet *s, const float *ux, float uy, int n, const float *slow,
                       float *tooth)
{
    float size = s->value[GRAIN], laid = s->value[LAID], x[SPAN], fine[SPAN], line[SPAN];
    uint32_t seed = s->p->variation.seed;

    span_noise_row(1.0f / size, ux, uy, n, seed + 1u, tooth);
    span_noise_row(1.9f / size, ux, uy, n, seed + 2u, fine);
    for (int i = 0; i < n; i++)
        tooth[i] = 0.55f * tooth[i] + 0.3f * fine[i] + 0.15f * slow[i];
    if (laid > 0.0f) {
        for (int i = 0; i < n; i++)
            x[i] = 0.4f * ux[i];
        span_noise_row(0.05f, x, uy, n, 9u, line);
        for (int i = 0; i < n; i++) {
            float c, sn;
            turn_approx(uy / 4.2f + 0.35f * line[i], &c, &sn);
            tooth[i] = mixf(tooth[i], 0.45f * tooth[i] + 0.275f + 0.275f * c, laid);
        }
    }
    // The sum has a bell's shape; its smooth step is close to even.
    for (int i = 0; i < n; i++)
        tooth[i] = smoothf(0.17f, 0.83f, tooth[i]);
}

// What a copper plate takes from the sheet's lightness: a film of ink, more towards the sides that
// were wiped less, and the bevel around it, which is pressed into the sheet.
static float plate_at(const struct sheet *s, float ux, float uy, float cloud)
{
    const struct look_picture *p = s->p;
    float w = (float)p->width / p->px_per_unit, h = (float)p->height / p->px_per_unit;
    float dx = (ux < w - ux ? ux : w - ux) - s->value[PLATE];
    float dy = (uy < h - uy ? uy : h - uy) - s->value[PLATE];
    float ox = 9.0f - dx, oy = 9.0f - dy, d = dx < dy ? dx : dy; // corners are round
    if (ox > 0.0f && oy > 0.0f)
        d = 9.0f - sqrtf(ox * ox + oy * oy);
    float off = (d - 1.5f) / 1.6f, bevel = 1.0f / (1.0f + off * off * off * off);
    float film = s->value[TONE] * (0.5f + 0.7f * cloud) * (1.6f - 0.6f * smoothf(0.0f, 70.0f, d));

    return smoothf(-0.7f, 0.7f, d) * film + 0.11f * bevel;
}

static void sheet_span(const struct sheet *s, int x0, int y, int n)
{
    struct look_picture *p = s->p;
    const float *value = s->value;
    float per_px = 1.0f / p->px_per_unit, u0 = ((float)x0 + 0.5f) * per_px;
    float uy = ((float)y + 0.5f) * per_px, wide = 0.4f / value[GRAIN];
    float ux[SPAN], slow[SPAN], cloud[SPAN], *tooth;
    // A tooth finer than pixels is grey, not noise.
    float seen = p->bare ? 0.0f : smoothf(0.5f, 1.5f, value[GRAIN] * p->px_per_unit);
    struct span_px px;

    noise_span(slow, n, u0 * wide, wide * per_px, uy * wide, p->variation.seed + 3u);
    noise_span(cloud, n, u0 * 0.012f, 0.012f * per_px, uy * 0.012f, p->variation.seed + 4u);
    for (int i = 0; i < n; i++)
        ux[i] = u0 + (float)i * per_px;
    tooth = px.lane[3];
    tooth_span(s, ux, uy, n, slow, tooth);
    for (int i = 0; i < n; i++) {
        tooth[i] = mixf(0.5f, tooth[i], seen);
        px.lane[0][i] = value[LIGHTNESS] +
                        value[MOTTLE] * (2.0f * cloud[i] - 1.0f + 0.5f * (tooth[i] - 0.5f));
        px.lane[1][i] = 0.15f * value[WARMTH];
        px.lane[2][i] = value[WARMTH];
    }
    for (int i = 0; i < n && p->mood; i++) {
        px.lane[0][i] = mood_sheet_at(&s->mood, px.lane[0][i]);
        px.lane[1][i] = s->mood.a;
        px.lane[2][i] = s->mood.b;
    }
    for (int i = 0; i < n && value[PLATE] > 0.0f; i++)
        px.lane[0][i] -= plate_at(s, ux[i], uy, cloud[i]);
    span_put(picture_row(p, y) + x0, n, &px);
}

static void sheet_row(void *ctx, int y, int worker)
{
    const struct sheet *s = ctx;
    int w = s->p->width;

    (void)worker;
    for (int x = 0; x < w; x += SPAN)
        sheet_span(s, x, y, span_of(x, w));
}

static enum err sheet_run(struct look_picture *p, const float *value)
{
    struct sheet s = {.p = p, .value = value};

    if (p->mood)
        mood_sheet_make(p->mood, 0.15f * value[WARMTH], value[WARMTH], &s.mood);
    return pool_run(p->pool, p->height, sheet_row, &s, p->cancel) ? ERR_OK : ERR_CANCELLED;
}

const struct look_op look_op_paper = {
    .name = "paper",
    .help = "a bare sheet with its tooth, for what is drawn or printed on it",
    .param = PARAM,
    .without = WITHOUT_CANVAS,
    .cost_ms = 12,
    .covers = true,
    .run = sheet_run,
};
