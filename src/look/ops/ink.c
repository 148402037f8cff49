/* SPDX-License-Identifier: MIT */
#include "look/op.h"

#include "look/noise.h"

/*
 * Black ink: clean lines that swell and taper with the strength of what they outline, and the
 * deepest shadows filled in.
 */
enum { WEIGHT, DARK, SHADOWS, HAND, FRAME, EVEN };

static const struct look_param PARAM[] = {
    {"weight", 0.0f, 1.2f, 1.0f, "thickness of lines, factor"},
    {"dark", 0.0f, 0.6f, 0.13f, "lightness of the ink"},
    {"shadows", 0.0f, 0.6f, 0.2f, "lightness below which shadows are filled with ink"},
    {"hand", 0.0f, 1.0f, 0.3f, "how much the pressure of the hand varies"},
    {"frame", 0.0f, 60.0f, 0.0f, "width of the white gutter around an inked frame, units"},
    {"even", 0.0f, 1.0f, 0.0f, "0: lines swell where their edge is strong, 1: one width for all"},
    {0}};

struct ink {
    struct look_picture *p;
    const float *value;
};

// 0 outside the frame's line, 1 on it, in `gutter` how much of a pixel is outside.
static float frame_at(const struct ink *k, float ux, float uy, float *gutter)
{
    static const float LINE = 3.6f; /* units */
    const struct look_picture *p = k->p;
    float w = (float)p->width / p->px_per_unit, h = (float)p->height / p->px_per_unit;
    float dx = ux < w - ux ? ux : w - ux, dy = uy < h - uy ? uy : h - uy;
    float sharp = 0.5f / p->px_per_unit, d = (dx < dy ? dx : dy) - k->value[FRAME];
    float thick = LINE * (0.9f + 0.3f * noise_at(ux * 0.03f, uy * 0.03f, p->variation.seed + 3u));

    *gutter = 1.0f - smoothf(-sharp, sharp, d);
    return 1.0f - smoothf(thick - sharp, thick + sharp, d);
}

static void ink_row(void *ctx, int y, int worker)
{
    const struct ink *k = ctx;
    const float *value = k->value;
    struct look_picture *p = k->p;
    const struct look_maps *m = p->maps;
    lane4 *row = picture_row(p, y);
    static const float PAPER[LAB] = {0.985f, 0.0f, 0.006f};
    // A border is about a pixel wide however large the picture.
    float sharp = 0.09f / (p->px_per_unit > 1.0f ? p->px_per_unit : 1.0f);

    (void)worker;
    for (int x = 0; x < p->width; x++) {
        float ux = ((float)x + 0.5f) / p->px_per_unit, uy = ((float)y + 0.5f) / p->px_per_unit;
        struct plane_place at_full =
            plane_place(&m->ink, ux * m->full_per_unit, uy * m->full_per_unit);
        float line =
            mixf(plane_mix(&m->ink, &at_full), plane_mix(&m->ridge, &at_full), value[EVEN]);
        float hand = value[HAND] * (noise_at(ux * 0.02f, uy * 0.02f, p->variation.seed) - 0.5f);
        float at = 0.36f / (value[WEIGHT] + 0.05f) * (1.0f + hand);
        float cover = value[WEIGHT] > 0.0f ? smoothf(at - sharp, at + sharp, line) : 0.0f;
        float tone = plane_mix(&m->flat[0], &at_full);
        float fill = 1.0f - smoothf(value[SHADOWS] - 0.012f, value[SHADOWS] + 0.012f, tone);
        cover = cover > fill ? cover : fill;
        float gutter = 0.0f;
        if (value[FRAME] > 0.0f) {
            float frame = frame_at(k, ux, uy, &gutter);
            cover = cover > frame ? cover : frame;
        }
        // Black of a little blue, as printed.
        lane4 black = {value[DARK], 0.0f, -0.01f, row[x][3]};
        for (int i = 0; i < LAB; i++)
            row[x][i] = mixf(mixf(row[x][i], black[i], cover), PAPER[i], gutter);
    }
}

static enum err ink_run(struct look_picture *p, const float *value)
{
    struct ink k = {.p = p, .value = value};

    return pool_run(p->pool, p->height, ink_row, &k, p->cancel) ? ERR_OK : ERR_CANCELLED;
}

const struct look_op look_op_ink = {
    .name = "ink",
    .help = "clean ink lines that swell and taper, and filled shadows",
    .param = PARAM,
    .needs = NEED_INK | NEED_FLAT | NEED_IMPORTANCE,
    .cost_ms = 20,
    .run = ink_run,
};
