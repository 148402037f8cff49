/* SPDX-License-Identifier: MIT */
#include "look/op.h"

#include "look/mood_scene.h"
#include "look/span.h"

/*
 * From the photo's colours to a painter's: stronger, within what pigments reach, with the picture's
 * own key and temperature.
 */
enum { CHROMA, CONTRAST, BLACK, WHITE, LIMIT, SPLIT, SHIFT };

static const struct look_param PARAM[] = {
    {"chroma", 0.0f, 3.0f, 1.25f, "factor"},
    {"contrast", 0.2f, 3.0f, 1.05f, "factor around the middle of lightness"},
    {"black", 0.0f, 0.5f, 0.12f, "lightness of the darkest paint"},
    {"white", 0.5f, 1.0f, 0.97f, "lightness of the lightest paint"},
    {"limit", 0.02f, 0.4f, 0.24f, "chroma of the strongest pigment"},
    {"split", 0.0f, 0.1f, 0.012f, "how much warmer lights are than shadows"},
    {"shift", 0.0f, 3.0f, 1.0f, "how far each of the four goes its own way, factor"},
    {0}};

struct grade {
    struct look_picture *p;
    const float *value;
    float chroma, split; /* all told */
};

// Leaves the first `knee` of the way alone and bends the rest below 1.
static float soft_limit(float x, float knee)
{
    float over = (x - knee) / (1.0f - knee);

    return x <= knee ? x : knee + (1.0f - knee) * over / (1.0f + over);
}

static float keep_out(const struct look_picture *p, float a, float b, float chroma)
{
    float share = 1.0f;

    for (int i = 0; i < p->excluded; i++) {
        const struct look_exclusion *x = &p->exclude[i];
        float cosine = (a * x->c + b * x->s) / (chroma + 1e-6f);
        share *= 1.0f - 0.92f * smoothf(x->width - 0.15f, x->width + 0.1f, cosine);
    }
    return share;
}

static void grade_span(const struct grade *g, struct span_px *s, int n)
{
    const struct look_variation *v = &g->p->variation;
    const float *value = g->value, middle = 0.55f;
    float contrast = value[CONTRAST], own = v->contrast, up = value[SHIFT] * v->shift[0];
    float to_a = value[SHIFT] * v->shift[1], to_b = value[SHIFT] * v->shift[2];
    float black = value[BLACK], range = value[WHITE] - black, limit = value[LIMIT];
    float strong = g->chroma, split = g->split, chroma[SPAN], kept[SPAN];
    float *L = s->lane[0], *a = s->lane[1], *b = s->lane[2];

    for (int i = 0; i < n; i++) {
        float x = (middle + (L[i] - middle) * contrast * own + up - black) / range;
        // Both ends are bent, not cut.
        float far = soft_limit(x > 0.5f ? x : 1.0f - x, 0.85f);
        x = x > 0.5f ? far : 1.0f - far;
        L[i] = black + range * x;
        // The same chroma is a stronger colour in the dark, where shadows and fur are to stay
        // black.
        float lit = smoothf(0.05f, 0.5f, L[i]);
        float gain = mixf(1.0f, strong, lit), move = mixf(0.4f, 1.0f, lit);
        a[i] = a[i] * gain + move * to_a;
        b[i] = b[i] * gain + move * to_b + split * 2.0f * (x - 0.5f);
        chroma[i] = sqrtf(a[i] * a[i] + b[i] * b[i]);
        // The darkest and the lightest paints have the least colour.
        float most = limit * (0.25f + 0.75f * clampf(4.0f * x * (1.05f - x), 0.0f, 1.0f));
        float share = most * soft_limit(chroma[i] / most, 0.6f) / chroma[i];
        kept[i] = chroma[i] > 0.0f ? share : 1.0f;
    }
    for (int i = 0; i < n && g->p->excluded > 0; i++)
        kept[i] *= keep_out(g->p, a[i], b[i], chroma[i]);
    for (int i = 0; i < n; i++) {
        a[i] *= kept[i];
        b[i] *= kept[i];
    }
}

static void grade_row(void *ctx, int y, int worker)
{
    const struct grade *g = ctx;
    int width = g->p->width;

    (void)worker;
    for (int x = 0; x < width; x += SPAN) {
        lane4 *row = picture_row(g->p, y) + x;
        int n = span_of(x, width);
        struct span_px s;
        span_take(row, n, &s);
        grade_span(g, &s, n);
        span_put(row, n, &s);
    }
}

static enum err grade_run(struct look_picture *p, const float *value)
{
    const struct look_variation *v = &p->variation;
    struct grade g = {.p = p,
                      .value = value,
                      .chroma = mixf(value[CHROMA] * v->chroma, 1.0f, 0.7f * mood_toned(p->mood)),
                      // Where the prompt names the light, that alone tells lights from shadows.
                      .split = p->mood ? 0.0f : value[SPLIT] + v->split};

    return pool_run(p->pool, p->height, grade_row, &g, p->cancel) ? ERR_OK : ERR_CANCELLED;
}

const struct look_op look_op_grade = {
    .name = "grade",
    .help = "a painter's palette: chroma, key, temperature, and no colour that pigments lack",
    .param = PARAM,
    .cost_ms = 3,
    .run = grade_run,
};
