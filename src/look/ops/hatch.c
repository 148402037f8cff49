/* SPDX-License-Identifier: MIT */
#include "look/op.h"

#include "base/rand.h"
#include "look/dry.h"
#include "look/mark.h"

#include <stdlib.h>

/*
 * A layer of hatching: nearly parallel strokes in patches, as a wrist makes them, that bend with
 * strong forms and end where the tone does. Tones come from layers that begin at different
 * darkness and cross (after Lu et al. 2012, who texture with convolved strokes instead).
 */
enum {
    WIDTH,
    SPACING,
    LENGTH,
    ANGLE,
    FOLLOW,
    WANDER,
    FROM,
    TO,
    PRESSURE,
    EDGE,
    DARK,
    COLOUR,
    VARY,
    SOFT,
    MARGIN
};

static const struct look_param PARAM[] = {
    {"width", 0.5f, 24.0f, 1.3f, "of a stroke, units"},
    {"spacing", 0.8f, 40.0f, 2.6f, "between neighbouring strokes, units"},
    {"length", 4.0f, 200.0f, 42.0f, "longest stroke, units"},
    {"angle", -1.0f, 1.0f, 0.14f, "direction where no form rules, turns clockwise from the right"},
    {"follow", 0.0f, 1.0f, 0.5f, "how much strokes bend with the forms"},
    {"wander", 0.0f, 0.5f, 0.05f, "how much the direction differs between patches, turns"},
    {"from", 0.0f, 1.0f, 0.15f, "darkness of the photo at which the layer begins"},
    {"to", 0.0f, 1.5f, 0.8f, "darkness at which it is pressed hardest; above `from`"},
    {"pressure", 0.0f, 1.0f, 0.7f, "hardest pressure"},
    {"edge", 0.02f, 1.0f, 0.2f, "difference of tone at which a stroke ends"},
    {"dark", 0.0f, 1.0f, 0.3f, "lightness of the pigment"},
    {"colour", 0.0f, 1.0f, 0.0f, "0: grey, 1: the photo's colours"},
    {"vary", 0.0f, 0.2f, 0.0f, "difference of colour between strokes"},
    {"soft", 0.0f, 1.0f, 0.5f, "0: on the tooth's peaks alone, 1: rubbed into the paper"},
    {"margin", 0.0f, 200.0f, 0.0f, "paper left around the drawing, units"},
    {0}};

enum { REACH = (MARK_POINTS_MAX - 1) / 2 }; /* points on either side of the middle */

struct hatch {
    struct look_picture *p;
    const float *value;
    struct mark *mark;  /* owned; a batch of rows */
    int begun;          /* rows before this batch */
    int columns, rows;  /* of the lattice that strokes begin on, along and across the hatching */
    float c, s;         /* the hatching's direction */
    float mid_x, mid_y; /* of the picture, units */
    float along;        /* lattice step, units */
    float from, to;
    uint32_t seed;
};

static float demand(const struct hatch *h, float x, float y)
{
    float d = dry_demand(h->p, x, y, h->value[COLOUR]);

    return clampf((d - h->from) / (h->to - h->from), 0.0f, 1.0f);
}

// Twice the angle, so that a direction and its opposite are one.
static void direction(const struct hatch *h, float x, float y, float turn, float *dx, float *dy)
{
    const struct look_maps *m = h->p->maps;
    float patch = noise_at(x * 0.011f, y * 0.011f, h->seed + 3u) - 0.5f;
    struct plane_place w = plane_place(&m->flow_c, x * m->half_per_unit, y * m->half_per_unit);
    float c, s, share = h->value[FOLLOW] * plane_mix(&m->coherence, &w);

    turn_approx(2.0f * (h->value[ANGLE] + turn + 2.0f * h->value[WANDER] * patch), &c, &s);
    c = mixf(c, plane_mix(&m->flow_c, &w), share);
    s = mixf(s, plane_mix(&m->flow_s, &w), share);
    float n = sqrtf(c * c + s * s) + 1e-6f;
    half_angle(c / n, s / n, dx, dy);
}

// One half of a stroke, from its middle; returns how many points it has.
static int trace(const struct hatch *h, struct mark *k, float x, float y, float tone, float sign,
                 float step, float turn)
{
    float hx = 0.0f, hy = 0.0f, w = (float)h->p->width, height = (float)h->p->height;
    float unit = h->p->px_per_unit;

    for (int i = 1; i <= REACH; i++) {
        float dx, dy;
        direction(h, x, y, turn, &dx, &dy);
        if (i == 1 ? sign < 0.0f : dx * hx + dy * hy < 0.0f)
            dx = -dx, dy = -dy;
        hx = dx;
        hy = dy;
        x += step * dx;
        y += step * dy;
        float q = demand(h, x, y);
        if (fabsf(q - tone) > h->value[EDGE] * 2.0f || q <= 0.0f || x * unit < 0.0f ||
            y * unit < 0.0f || x * unit > w || y * unit > height)
            return i - 1;
        int at = REACH + (sign < 0.0f ? -i : i);
        k->x[at] = x * unit;
        k->y[at] = y * unit;
        k->pressure[at] = q;
    }
    return REACH;
}

static void shape(const struct hatch *h, struct mark *k, int back, int ahead, uint32_t dice)
{
    int first = REACH - back, n = back + ahead + 1;
    float press = h->value[PRESSURE] * (0.75f + 0.5f * (float)(dice & 255) / 255.0f);

    for (int i = 0; i < n; i++) {
        float t = (float)i / (float)(n - 1);
        // Set down quickly, lifted slowly.
        float lift = smoothf(-0.05f, 0.2f, t) * (1.0f - 0.85f * smoothf(0.5f, 1.0f, t));
        k->x[i] = k->x[first + i];
        k->y[i] = k->y[first + i];
        k->pressure[i] = clampf(k->pressure[first + i] * press * lift, 0.0f, 1.0f);
    }
    k->points = n;
}

static void hatch_one(const struct hatch *h, int i, int j, struct mark *k)
{
    struct look_picture *p = h->p;
    const float *value = h->value;
    uint32_t dice = hash_u32((uint32_t)i, (uint32_t)j, h->seed);
    float r1 = (float)(dice >> 20) / 4096.0f, r2 = (float)(dice >> 8 & 4095) / 4096.0f;
    float u = ((float)(i - h->columns / 2) + r1 + 0.5f * (float)(j & 1)) * h->along;
    float v = ((float)(j - h->rows / 2) + 0.7f * r2) * value[SPACING];
    float x = h->mid_x + u * h->c - v * h->s, y = h->mid_y + u * h->s + v * h->c;

    k->points = 0;
    if (x < 0.0f || y < 0.0f || x * p->px_per_unit >= (float)p->width ||
        y * p->px_per_unit >= (float)p->height)
        return;
    float q = demand(h, x, y), inside = dry_inside(p, x, y, value[MARGIN]);
    // In the lightest tones strokes are rare rather than faint.
    if (q <= 0.0f || q * 6.0f < r2 || inside < 0.3f + 0.4f * r1)
        return;
    float step = value[LENGTH] * (0.5f + 0.5f * r1) / (2.0f * REACH), turn = 0.03f * (r2 - 0.5f);
    k->x[REACH] = x * p->px_per_unit;
    k->y[REACH] = y * p->px_per_unit;
    k->pressure[REACH] = q;
    int ahead = trace(h, k, x, y, q, 1.0f, step, turn);
    int back = trace(h, k, x, y, q, -1.0f, step, turn);
    if (back + ahead == 0)
        return;
    shape(h, k, back, ahead, dice);
    k->dark = dry_demand(p, x, y, 0.0f);
    k->radius = 0.5f * value[WIDTH] * p->px_per_unit * (0.8f + 0.4f * r1);
    dry_pigment(p, x, y, 0.5f + 0.5f * value[PRESSURE] * q, value[DARK], value[COLOUR], k->lab);
    for (int c = 0; c < LAB; c++)
        k->lab[c] += value[VARY] * (noise_point(i * 3 + c, j, h->seed) - 0.5f);
}

static void hatch_row(void *ctx, int index, int worker)
{
    const struct hatch *h = ctx;

    (void)worker;
    for (int i = 0; i < h->columns; i++)
        hatch_one(h, i, h->begun + index, &h->mark[(size_t)index * (size_t)h->columns + (size_t)i]);
}

/* Strokes at once: rows of the lattice are planned and drawn in batches of about so many, which
 * keeps memory under 5 MB however dense the hatching is. */
enum { BATCH = 32 * 1024 };

static enum err hatch_all(struct hatch *h)
{
    int rows = BATCH / h->columns > 1 ? BATCH / h->columns : 1;
    enum err e = ERR_OK;

    h->mark = calloc((size_t)rows * (size_t)h->columns, sizeof(*h->mark));
    if (!h->mark)
        return ERR_NOMEM;
    for (; h->begun < h->rows && e == ERR_OK; h->begun += rows) {
        int n = h->rows - h->begun < rows ? h->rows - h->begun : rows;
        e = pool_run(h->p->pool, n, hatch_row, h, h->p->cancel) ? ERR_OK : ERR_CANCELLED;
        if (e == ERR_OK)
            e = mark_draw(h->p, h->mark, n * h->columns, h->value[SOFT]);
    }
    free(h->mark);
    return e;
}

static enum err hatch_run(struct look_picture *p, const float *value)
{
    struct hatch h = {.p = p, .value = value, .from = value[FROM]};
    float w = (float)p->width / p->px_per_unit, height = (float)p->height / p->px_per_unit;
    float diagonal = sqrtf(w * w + height * height);

    h.to = value[TO] > h.from + 0.01f ? value[TO] : h.from + 0.01f;
    h.seed = hash_u32(p->variation.seed, (uint32_t)(int)(value[ANGLE] * 512.0f),
                      (uint32_t)(value[FROM] * 512.0f));
    h.along = 0.6f * value[LENGTH];
    h.columns = (int)(diagonal / h.along) + 2;
    h.rows = (int)(diagonal / value[SPACING]) + 2;
    h.mid_x = 0.5f * w;
    h.mid_y = 0.5f * height;
    turn_approx(value[ANGLE], &h.c, &h.s);
    return hatch_all(&h);
}

const struct look_op look_op_hatch = {
    .name = "hatch",
    .help = "a layer of hatching strokes where the photo is dark enough for it",
    .param = PARAM,
    .needs = NEED_FINE | NEED_FLOW | NEED_TONE,
    .cost_ms = 23,
    .run = hatch_run,
};
