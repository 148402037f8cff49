/* SPDX-License-Identifier: MIT */
#include "look/op.h"

#include "look/dry.h"

/* The contours, drawn more than once with a hand that does not hit the same place twice. */
enum { FROM, TO, PRESSURE, TIMES, WIDTH, WOBBLE, CARE, SOFT, DARK, COLOUR, MARGIN };

enum { TIMES_MAX = 4 };

static const struct look_param PARAM[] = {
    {"from", 0.0f, 1.0f, 0.15f, "strength of an edge at which its line begins"},
    {"to", 0.0f, 1.5f, 0.6f, "strength at which the line is full; above `from`"},
    {"pressure", 0.0f, 1.0f, 0.9f, "hardest pressure"},
    {"times", 1.0f, TIMES_MAX, 2.0f, "how often the lines are drawn over"},
    {"width", 0.0f, 8.0f, 0.0f, "added to the width of the lines, units"},
    {"wobble", 0.0f, 10.0f, 2.4f, "how far lines stray where nothing is important, units"},
    {"care", 0.0f, 1.0f, 0.5f, "how much fainter lines are where nothing is important"},
    {"soft", 0.0f, 1.0f, 0.5f, "0: on the tooth's peaks alone, 1: rubbed into the paper"},
    {"dark", 0.0f, 1.0f, 0.25f, "lightness of the pigment"},
    {"colour", 0.0f, 1.0f, 0.0f, "0: grey, 1: the photo's colours"},
    {"margin", 0.0f, 200.0f, 0.0f, "paper left around the drawing, units"},
    {0}};

/* Much of a picture has no line at all: blocks, wider than a line strays, tell. In map pixels. */
enum { BLOCK = 16 };

struct contour {
    struct look_picture *p;
    const float *value;
    float to;
    struct plane block; /* strongest line of each block */
};

static void block_row(void *ctx, int by, int worker)
{
    struct contour *c = ctx;
    const struct plane *lines = &c->p->maps->lines;
    float *out = plane_row(&c->block, by);

    (void)worker;
    for (int y = by * BLOCK; y < (by + 1) * BLOCK && y < lines->height; y++) {
        const float *row = plane_row(lines, y);
        for (int x = 0; x < lines->width; x++)
            out[x / BLOCK] = row[x] > out[x / BLOCK] ? row[x] : out[x / BLOCK];
    }
}

// Whether a line may come into n pixels of a row.
static bool any_line(const struct contour *c, int x0, int y, int n)
{
    float scale = c->p->maps->full_per_unit / c->p->px_per_unit / (float)BLOCK;
    int w = c->block.width - 1, h = c->block.height - 1, by = (int)((float)y * scale);
    int b0 = (int)((float)x0 * scale) - 1, b1 = (int)((float)(x0 + n) * scale) + 1;

    for (int j = clampi(by - 1, 0, h); j <= clampi(by + 1, 0, h); j++)
        for (int i = clampi(b0, 0, w); i <= clampi(b1, 0, w); i++)
            if (plane_row(&c->block, j)[i] > c->value[FROM])
                return true;
    return false;
}

// The strongest line within about `reach` units.
static float widest(const struct look_maps *m, float x, float y, float reach)
{
    static const float AT[4][2] = {{0.9f, 0.4f}, {-0.4f, 0.9f}, {-0.9f, -0.4f}, {0.4f, -0.9f}};
    float v = plane_at(&m->lines, x * m->full_per_unit, y * m->full_per_unit);

    for (int i = 0; i < 4 && reach > 0.0f; i++) {
        float there = plane_at(&m->lines, (x + reach * AT[i][0]) * m->full_per_unit,
                               (y + reach * AT[i][1]) * m->full_per_unit);
        v = there > v ? there : v;
    }
    return v;
}

// How the hand goes astray in one pass over a span, -.5...5 units a unit of wobble, and presses.
struct hand {
    float x[NOISE_SPAN], y[NOISE_SPAN], press[NOISE_SPAN];
};

static void hand_over(const struct contour *c, struct hand *h, int pass, float u, float v, int n)
{
    uint32_t seed = c->p->variation.seed + 31u * (uint32_t)pass;
    float per_px = 1.0f / c->p->px_per_unit;

    noise_span(h->x, n, u * 0.017f, 0.017f * per_px, v * 0.017f, seed + 1u);
    noise_span(h->y, n, u * 0.017f, 0.017f * per_px, v * 0.017f, seed + 2u);
    noise_span(h->press, n, u * 0.03f, 0.03f * per_px, v * 0.03f, seed + 3u);
    for (int i = 0; i < n; i++) {
        h->x[i] -= 0.5f;
        h->y[i] -= 0.5f;
        // Passes after the first skip parts.
        h->press[i] = pass == 0 ? 0.65f + 0.5f * h->press[i]
                                : smoothf(0.25f, 0.6f, h->press[i]) * 0.8f;
    }
}

static void contour_span(const struct contour *c, int x0, int y, int n)
{
    const float *value = c->value;
    struct look_picture *p = c->p;
    float per_px = 1.0f / p->px_per_unit, u0 = ((float)x0 + 0.5f) * per_px;
    float uy = ((float)y + 0.5f) * per_px, half = p->maps->half_per_unit;
    int times = (int)value[TIMES];
    struct hand hand[TIMES_MAX];
    lane4 *row = picture_row(p, y) + x0;

    for (int k = 0; k < times; k++)
        hand_over(c, &hand[k], k, u0, uy, n);
    for (int i = 0; i < n; i++) {
        float ux = u0 + (float)i * per_px, pressure = 0.0f;
        float important = plane_at(&p->maps->importance, ux * half, uy * half);
        float far = value[WOBBLE] * (1.0f - 0.8f * smoothf(0.2f, 0.6f, important));
        for (int k = 0; k < times; k++) {
            float line = widest(p->maps, ux + far * hand[k].x[i], uy + far * hand[k].y[i],
                                0.5f * value[WIDTH]);
            float v = smoothf(value[FROM], c->to, line) * hand[k].press[i];
            pressure = pressure + v - pressure * v;
        }
        if (pressure <= 0.0f)
            continue;
        float care = value[CARE] * (1.0f - smoothf(0.05f, 0.4f, important)), lab[LAB];
        pressure *= value[PRESSURE] * (1.0f - care) * dry_inside(p, ux, uy, value[MARGIN]);
        float take = dry_take(row[i][3], clampf(pressure, 0.0f, 1.0f), value[SOFT]);
        dry_pigment(p, ux, uy, 1.0f, value[DARK], value[COLOUR], lab);
        for (int k = 0; k < LAB; k++)
            row[i][k] = mixf(row[i][k], lab[k], take);
    }
}

static void contour_row(void *ctx, int y, int worker)
{
    const struct contour *c = ctx;
    int w = c->p->width;

    (void)worker;
    for (int x = 0; x < w; x += NOISE_SPAN) {
        int n = w - x < NOISE_SPAN ? w - x : NOISE_SPAN;
        if (any_line(c, x, y, n))
            contour_span(c, x, y, n);
    }
}

static enum err contour_run(struct look_picture *p, const float *value)
{
    struct contour c = {.p = p, .value = value};
    const struct plane *lines = &p->maps->lines;
    enum err e = plane_new(&c.block, (lines->width + BLOCK - 1) / BLOCK,
                           (lines->height + BLOCK - 1) / BLOCK);

    c.to = value[TO] > value[FROM] + 0.01f ? value[TO] : value[FROM] + 0.01f;
    if (e == ERR_OK && (!pool_run(p->pool, c.block.height, block_row, &c, p->cancel) ||
                        !pool_run(p->pool, p->height, contour_row, &c, p->cancel)))
        e = ERR_CANCELLED;
    plane_release(&c.block);
    return e;
}

const struct look_op look_op_contour = {
    .name = "contour",
    .help = "connected lines along the photo's edges, drawn by a hand",
    .param = PARAM,
    .needs = NEED_FINE | NEED_LINES | NEED_IMPORTANCE,
    .cost_ms = 48,
    .run = contour_run,
};
