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
    struct plane thick; /* the lines at their width; empty where they have none */
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

// Whether a line may come into x0..x1 of a row, map pixels.
static bool any_line(const struct contour *c, float x0, float x1, float y)
{
    int w = c->block.width - 1, h = c->block.height - 1, by = (int)(y / (float)BLOCK);
    int b0 = (int)(x0 / (float)BLOCK) - 1, b1 = (int)(x1 / (float)BLOCK) + 1;

    for (int j = clampi(by - 1, 0, h); j <= clampi(by + 1, 0, h); j++)
        for (int i = clampi(b0, 0, w); i <= clampi(b1, 0, w); i++)
            if (plane_row(&c->block, j)[i] > c->value[FROM])
                return true;
    return false;
}

// A line of some width is where one is within half of that. The strongest of five places is found
// once for every pixel of the map, so that each pass of the hand looks at one.
static void thick_row(void *ctx, int y, int worker)
{
    static const float AT[5][2] = {
        {0.0f, 0.0f}, {0.9f, 0.4f}, {-0.4f, 0.9f}, {-0.9f, -0.4f}, {0.4f, -0.9f}};
    struct contour *c = ctx;
    const struct look_maps *m = c->p->maps;
    float reach = 0.5f * c->value[WIDTH] * m->full_per_unit, *out = plane_row(&c->thick, y);
    int w = m->lines.width;

    (void)worker;
    for (int x0 = 0; x0 < w; x0 += SPAN) {
        int n = span_of(x0, w);
        float x[SPAN], there[SPAN];
        if (!any_line(c, (float)x0, (float)(x0 + n), (float)y))
            continue;
        for (int k = 0; k < 5; k++) {
            for (int i = 0; i < n; i++)
                x[i] = (float)(x0 + i) + 0.5f + reach * AT[k][0];
            span_plane_row(&m->lines, 1.0f, x, (float)y + 0.5f + reach * AT[k][1], n, there);
            for (int i = 0; i < n; i++)
                out[x0 + i] = there[i] > out[x0 + i] ? there[i] : out[x0 + i];
        }
    }
}

// How the hand goes astray in one pass over a span, -.5...5 units a unit of wobble, and presses.
struct hand {
    float x[SPAN], y[SPAN], press[SPAN];
};

static void hand_over(const struct contour *c, struct hand *h, int pass, float u, float v, int n)
{
    uint32_t seed = c->p->variation.seed + 31u * (uint32_t)pass;
    float per_px = 1.0f / c->p->px_per_unit;

    noise_span(h->x, n, u * 0.017f, 0.017f * per_px, v * 0.017f, seed + 1u);
    noise_span(h->y, n, u * 0.017f, 0.017f * per_px, v * 0.017f, seed + 2u);
    noise_span(h->press, n, u * 0.03f, 0.03f * per_px, v * 0.03f, seed + 3u);
    // Passes after the first skip parts.
    for (int i = 0; i < n; i++)
        h->press[i] = pass == 0 ? 0.65f + 0.5f * h->press[i]
                                : smoothf(0.25f, 0.6f, h->press[i]) * 0.8f;
}

// How hard the lines press, all passes together.
static void press_span(const struct contour *c, const struct dry_places *at, const float *important,
                       float *pressure)
{
    const struct plane *lines = c->thick.px ? &c->thick : &c->p->maps->lines;
    float from = c->value[FROM], wobble = c->value[WOBBLE];
    struct hand h;
    float line[SPAN];
    int n = at->n;

    for (int i = 0; i < n; i++)
        pressure[i] = 0.0f;
    for (int k = 0; k < (int)c->value[TIMES]; k++) {
        hand_over(c, &h, k, at->ux[0], at->uy[0], n);
        for (int i = 0; i < n; i++) {
            float far = wobble * (1.0f - 0.8f * smoothf(0.2f, 0.6f, important[i]));
            h.x[i] = at->ux[i] + far * (h.x[i] - 0.5f);
            h.y[i] = at->uy[i] + far * (h.y[i] - 0.5f);
        }
        span_plane(lines, c->p->maps->full_per_unit, h.x, h.y, n, line);
        for (int i = 0; i < n; i++) {
            float v = smoothf(from, c->to, line[i]) * h.press[i];
            pressure[i] = pressure[i] + v - pressure[i] * v;
        }
    }
}

static void contour_span(const struct contour *c, int x0, int y, int n)
{
    const float *value = c->value;
    struct look_picture *p = c->p;
    float per_px = 1.0f / p->px_per_unit, u0 = ((float)x0 + 0.5f) * per_px;
    float uy = ((float)y + 0.5f) * per_px;
    float most_care = value[CARE], most = value[PRESSURE], soft = value[SOFT];
    float important[SPAN], pressure[SPAN], inside[SPAN];
    struct dry_places at = {.n = n};
    struct span_px px;

    for (int i = 0; i < n; i++) {
        at.ux[i] = u0 + (float)i * per_px;
        at.uy[i] = uy;
        at.cover[i] = 1.0f;
    }
    span_plane_row(&p->maps->importance, p->maps->half_per_unit, at.ux, uy, n, important);
    press_span(c, &at, important, pressure);
    dry_inside_span(p, at.ux, uy, n, value[MARGIN], inside);
    span_take(picture_row(p, y) + x0, n, &px);
    for (int i = 0; i < n; i++) {
        float care = most_care * (1.0f - smoothf(0.05f, 0.4f, important[i]));
        pressure[i] *= most * (1.0f - care) * inside[i];
    }
    for (int i = 0; i < n; i++)
        at.take[i] = dry_take(px.lane[3][i], clampf(pressure[i], 0.0f, 1.0f), soft);
    dry_draw_span(p, &at, value[DARK], value[COLOUR], &px);
    span_put(picture_row(p, y) + x0, n, &px);
}

static void contour_row(void *ctx, int y, int worker)
{
    const struct contour *c = ctx;
    float scale = c->p->maps->full_per_unit / c->p->px_per_unit;
    int w = c->p->width;

    (void)worker;
    for (int x = 0; x < w; x += SPAN) {
        int n = span_of(x, w);
        if (any_line(c, (float)x * scale, (float)(x + n) * scale, (float)y * scale))
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
    if (e == ERR_OK && value[WIDTH] > 0.0f)
        e = plane_new(&c.thick, lines->width, lines->height);
    if (e == ERR_OK &&
        (!pool_run(p->pool, c.block.height, block_row, &c, p->cancel) ||
         (c.thick.px && !pool_run(p->pool, c.thick.height, thick_row, &c, p->cancel)) ||
         !pool_run(p->pool, p->height, contour_row, &c, p->cancel)))
        e = ERR_CANCELLED;
    plane_release(&c.block);
    plane_release(&c.thick);
    return e;
}

const struct look_op look_op_contour = {
    .name = "contour",
    .help = "connected lines along the photo's edges, drawn by a hand",
    .param = PARAM,
    .needs = NEED_FINE | NEED_LINES | NEED_IMPORTANCE | NEED_TONE,
    .cost_ms = 13,
    .scratch_bytes = 4,
    .run = contour_run,
};
