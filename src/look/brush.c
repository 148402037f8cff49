/* SPDX-License-Identifier: MIT */
#include "look/brush.h"

#include "look/noise.h"

#include <stdlib.h>

enum {
    ALONG_MAX = 96,
    ACROSS_MAX = 96,
    SAMPLES_MAX = 4 /* of a texel each way, so that a small brush shows the same marks, softer */
};

struct print {
    const struct brush_kind *kind;
    uint32_t seed;
    bool dab;
};

static lane4 bristles_at(const struct print *p, float u, float v)
{
    float n = p->kind->bristles, side = fabsf(v);
    float across = (v * 0.5f + 0.5f) * n;
    // Clumps wander a little along the stroke; single hairs within a clump.
    float clump = noise_at(across, u * 2.2f, p->seed);
    float hair = noise_at(across * 2.3f, u * 3.5f, p->seed + 1);
    float bristle = 0.65f * clump + 0.35f * hair;
    float load = noise_at(across * 0.8f, 0.0f, p->seed + 2);

    // Where each clump begins, and where it runs dry.
    float rim = 0.86f + 0.13f * noise_at(u * 7.0f, v > 0.0f ? 3.0f : 9.0f, p->seed + 3);
    float start = 0.015f + 0.05f * noise_at(across, 5.0f, p->seed + 4) + 0.05f * v * v;
    float end = 0.80f + 0.26f * load - 0.10f * v * v;
    float cover = 1.0f - smoothf(rim - 0.12f, rim, side);
    cover *= smoothf(start - 0.015f, start + 0.03f, u);
    cover *= 1.0f - smoothf(end - 0.16f, end, u);
    if (p->dab) {
        float w = 2.0f * u - 1.0f;
        cover *= 1.0f - smoothf(0.55f, 0.95f, w * w * w * w + v * v);
    }
    float dry = p->kind->dryness * (0.35f + 0.9f * u);
    cover *= smoothf(dry - 0.22f, dry + 0.06f, bristle + 0.12f);

    // Paint is pushed to the sides and piles up where the brush was set down.
    float ridge = side - 0.80f, piled = u - 0.05f;
    float height = 0.42f + 0.58f * bristle;
    height += 0.34f * exp_approx(-ridge * ridge * 130.0f);
    height += 0.22f * exp_approx(-piled * piled * 300.0f);
    height *= 1.0f - 0.45f * smoothf(0.55f, 1.0f, u);

    float tone = (hair - 0.5f) * 1.1f + (load - 0.5f) * 0.9f;
    return (lane4){cover, height * cover, tone, 0.0f};
}

// A knife leaves a flat patch with sharp sides: a high ridge where its edge pressed the paint out,
// a low one on the other side, and a crest where it was lifted. Colours on it are half mixed.
static lane4 knife_at(const struct print *p, float u, float v)
{
    float side = fabsf(v), rough = noise_at(u * 5.0f, v > 0.0f ? 3.0f : 9.0f, p->seed + 3);
    float rim = 0.9f + 0.09f * rough;
    float end = 0.88f + 0.1f * noise_at(v * 2.5f + 7.0f, 1.0f, p->seed + 4);
    float cover = 1.0f - smoothf(rim - 0.05f, rim, side);
    cover *= smoothf(0.01f, 0.04f, u) * (1.0f - smoothf(end - 0.03f, end, u));
    // Where it was dry it tears, in long flecks.
    float torn = noise_at(v * 5.0f + 11.0f, u * 2.5f, p->seed + 5);
    float dry = p->kind->dryness * smoothf(0.35f, 0.95f, u);
    cover *= smoothf(dry - 0.3f, dry - 0.2f, torn);

    float pressed = v - (rim - 0.07f), other = v + (rim - 0.05f), crest = u - (end - 0.05f);
    float height = 0.45f + 0.12f * noise_at(v * 14.0f + 40.0f, u * 1.5f, p->seed + 6);
    height += 0.75f * exp_approx(-pressed * pressed * 260.0f);
    height += 0.25f * exp_approx(-other * other * 420.0f);
    height += 0.6f * exp_approx(-crest * crest * 700.0f);
    float tone = 1.6f * (noise_at(v * 1.7f + 20.0f, u * 0.8f, p->seed + 7) - 0.5f);
    return (lane4){cover, height * cover, tone, 0.0f};
}

static lane4 print_at(const struct print *p, float u, float v)
{
    float knife = p->kind->knife;

    if (knife <= 0.0f)
        return bristles_at(p, u, v);
    lane4 brush = knife < 1.0f ? bristles_at(p, u, v) : (lane4){0};
    return brush + knife * (knife_at(p, u, v) - brush);
}

// One texel: the mean of the fine print's samples that it covers.
static lane4 texel_of(const struct brush *b, const struct print *p, int i, int j)
{
    int nu = clampi(ALONG_MAX / b->along, 1, SAMPLES_MAX);
    int nv = clampi(ACROSS_MAX / b->across, 1, SAMPLES_MAX);
    lane4 sum = {0};

    for (int k = 0; k < nv; k++)
        for (int m = 0; m < nu; m++) {
            float u = ((float)i + ((float)m + 0.5f) / (float)nu) / (float)b->along;
            float v = ((float)j + ((float)k + 0.5f) / (float)nv) / (float)b->across;
            sum += print_at(p, u, 2.0f * v - 1.0f);
        }
    return sum / (float)(nu * nv);
}

struct printing {
    struct brush *brush;
    const struct brush_kind *kind;
};

static void print_row(void *ctx, int row, int worker)
{
    const struct printing *g = ctx;
    const struct brush *b = g->brush;
    int print = row / b->across;
    struct print p = {.kind = g->kind,
                      .seed = g->kind->seed + 101u * (uint32_t)print,
                      .dab = print >= BRUSH_STROKES};
    lane4 *at = b->texel + (size_t)row * (size_t)b->along;

    (void)worker;
    for (int i = 0; i < b->along; i++)
        at[i] = texel_of(b, &p, i, row % b->across);
}

enum err brush_new(struct brush *b, const struct brush_kind *kind, float radius_px,
                   struct pool *pool, const atomic_bool *cancel)
{
    struct printing g = {.brush = b, .kind = kind};

    b->across = clampi((int)(2.0f * radius_px + 1.0f), 6, ACROSS_MAX);
    b->along = clampi((int)(6.0f * radius_px), 12, ALONG_MAX);
    b->texel =
        aligned_alloc(sizeof(lane4), (size_t)(BRUSH_PRINTS * b->along * b->across) * sizeof(lane4));
    if (!b->texel)
        return ERR_NOMEM;
    if (pool_run(pool, BRUSH_PRINTS * b->across, print_row, &g, cancel))
        return ERR_OK;
    brush_release(b);
    return ERR_CANCELLED;
}

void brush_release(struct brush *b)
{
    free(b->texel);
    *b = (struct brush){0};
}
