/* SPDX-License-Identifier: MIT */
#include "look/stroke.h"

#include "base/rand.h"
#include "look/noise.h"

#include <stdlib.h>
#include <string.h>

/*
 * Planning one layer. Space is divided into cells; a cell whose paint differs too much from the
 * photo gets one stroke, begun where the difference is centred. Every cell is judged alone from
 * what the layers before have left, so the order of work does not matter.
 */
static const float POINT_STEP_MIN = 2.0f; /* full-size map pixels between points of a stroke */

enum { TRACES_PER_TURN = 64 };

struct plan {
    const struct look_picture *p;
    const struct look_maps *m;
    const struct stroke_layer *layer;
    const struct plane *ref; /* LAB planes: the photo as this brush sees it */
    float per_unit;          /* of ref, seen and off */
    struct plane seen[LAB];  /* what is painted */
    struct plane off;        /* its distance from ref */
    float width, height;     /* units */
    float cell;              /* units */
    int columns, rows;

    struct wish {
        float x, y; /* units */
        bool wanted;
    } * wish;     /* one per cell */
    int *cell_of; /* cells whose wish is granted */
    int granted;
    struct stroke *stroke;
};

static float distance(const float a[LAB], const float b[LAB])
{
    float d0 = a[0] - b[0], d1 = a[1] - b[1], d2 = a[2] - b[2];

    return sqrtf(d0 * d0 + d1 * d1 + d2 * d2);
}

// One row of the picture at the reference's size: deinterleaved, averaged where it is larger, and
// how far it is from the reference.
static void seen_row(void *ctx, int y, int worker)
{
    struct plan *n = ctx;
    const struct look_picture *p = n->p;
    float step = p->px_per_unit / n->per_unit;
    int y0 = clampi((int)((float)y * step), 0, p->height - 1);
    int y1 = clampi((int)((float)(y + 1) * step), y0 + 1, p->height);
    float *seen[LAB], *off = plane_row(&n->off, y);
    const float *ref[LAB];

    (void)worker;
    for (int k = 0; k < LAB; k++) {
        seen[k] = plane_row(&n->seen[k], y);
        ref[k] = plane_row(&n->ref[k], y);
    }
    for (int x = 0; x < n->off.width; x++) {
        int x0 = clampi((int)((float)x * step), 0, p->width - 1);
        int x1 = clampi((int)((float)(x + 1) * step), x0 + 1, p->width);
        lane4 sum = {0};
        for (int j = y0; j < y1; j++)
            for (int i = x0; i < x1; i++)
                sum += picture_row(p, j)[i];
        float share = 1.0f / (float)((y1 - y0) * (x1 - x0));
        for (int k = 0; k < LAB; k++)
            seen[k][x] = sum[k] * share;
    }
    for (int x = 0; x < n->off.width; x++) {
        float d0 = seen[0][x] - ref[0][x], d1 = seen[1][x] - ref[1][x], d2 = seen[2][x] - ref[2][x];
        off[x] = sqrtf(d0 * d0 + d1 * d1 + d2 * d2);
    }
}

static void ref_at(const struct plan *n, float x, float y, float out[LAB])
{
    lab_at(n->ref, n->per_unit, x, y, out);
}

static float dice(const struct plan *n, int cell, uint32_t which)
{
    return noise_point(cell, (int)which, n->layer->seed);
}

// Mean difference over the cell, and its centre of gravity.
static void judge_cell(const struct plan *n, int column, int row)
{
    int cell = row * n->columns + column;
    struct wish *wish = &n->wish[cell];
    float unit = n->per_unit, side = n->cell * unit;
    int w = n->off.width, h = n->off.height;
    int x0 = clampi((int)((float)column * side), 0, w - 1);
    int y0 = clampi((int)((float)row * side), 0, h - 1);
    int x1 = clampi((int)((float)(column + 1) * side), x0 + 1, w);
    int y1 = clampi((int)((float)(row + 1) * side), y0 + 1, h);
    float sum = 0.0f, weight = 1e-9f, cx = 0.0f, cy = 0.0f;

    for (int j = y0; j < y1; j++) {
        const float *off = plane_row(&n->off, j);
        for (int i = x0; i < x1; i++) {
            float d2 = off[i] * off[i];
            sum += off[i];
            weight += d2;
            cx += d2 * ((float)i + 0.5f);
            cy += d2 * ((float)j + 0.5f);
        }
    }
    sum /= (float)((x1 - x0) * (y1 - y0));
    float jx = ((float)column + 0.5f + 0.8f * (dice(n, cell, 0) - 0.5f)) * n->cell;
    float jy = ((float)row + 0.5f + 0.8f * (dice(n, cell, 1) - 0.5f)) * n->cell;
    // The surer the difference, the nearer to its centre.
    float sure = n->layer->threshold > 0.0f ? clampf(sum / (4.0f * n->layer->threshold), 0.2f, 0.9f)
                                            : 0.2f;
    wish->x = clampf(mixf(jx, cx / weight / unit, weight > 1e-8f ? sure : 0.0f), 0.0f, n->width);
    wish->y = clampf(mixf(jy, cy / weight / unit, weight > 1e-8f ? sure : 0.0f), 0.0f, n->height);
    float care =
        plane_near(&n->m->importance, wish->x * n->m->half_per_unit, wish->y * n->m->half_per_unit);
    float limit = n->layer->threshold * (1.0f + n->layer->calm * (1.6f - 2.2f * care));
    wish->wanted = sum >= limit;
}

static void judge_row(void *ctx, int row, int worker)
{
    const struct plan *n = ctx;

    (void)worker;
    for (int column = 0; column < n->columns; column++)
        judge_cell(n, column, row);
}

/*
 * Whirls, as the double angle that the flow has: of the vortices strewn over a lattice, one to a
 * cell, those of the nine cells around a place. They differ in size, turn in either sense, and a
 * third of the cells have none, or the lattice would show; a slow stream fills what they leave.
 */
static void whirl_at(float x, float y, uint32_t seed, float *c, float *s)
{
    static const float CELL = 165.0f; /* units */
    int i0 = (int)floorf(x / CELL), j0 = (int)floorf(y / CELL);

    turn_approx(1.5f * noise_at(x / 210.0f, y / 210.0f, seed + 94u), c, s);
    *c *= 0.25f;
    *s *= 0.25f;
    for (int k = 0; k < 9; k++) {
        int i = i0 + k % 3 - 1, j = j0 + k / 3 - 1;
        float lot = noise_point(i, j, seed + 92u);
        if (lot < 0.33f)
            continue;
        // Up to a cell, which is as far as those that are left out may be near.
        float size = 0.25f + 0.75f * lot;
        float dx = (x / CELL - ((float)i + 0.1f + 0.8f * noise_point(i, j, seed + 90u))) / size;
        float dy = (y / CELL - ((float)j + 0.1f + 0.8f * noise_point(i, j, seed + 91u))) / size;
        float r2 = dx * dx + dy * dy + 1e-4f, fade = 1.0f - r2 < 0.0f ? 0.0f : 1.0f - r2;
        // Around the middle and a little inwards: a spiral.
        float around = fade * fade / r2;
        float t = noise_point(i, j, seed + 93u) < 0.5f ? 0.35f * around : -0.35f * around;
        *c += around * (dy * dy - dx * dx) + 2.0f * t * dx * dy;
        *s += -2.0f * around * dx * dy + t * (dy * dy - dx * dx);
    }
}

// The way a brush goes at a point; strays where the photo does not say.
static void flow_at(const struct plan *n, float x, float y, float *dx, float *dy)
{
    float hx = x * n->m->half_per_unit, hy = y * n->m->half_per_unit;
    float c = plane_near(&n->m->flow_c, hx, hy), s = plane_near(&n->m->flow_s, hx, hy);
    float clear = plane_near(&n->m->coherence, hx, hy), swirl = n->layer->swirl;
    float turn = (noise_at(x * 0.012f, y * 0.012f, n->p->variation.seed) - 0.5f) *
                 n->p->variation.wander * (1.0f - clear),
          tc, ts, ax, ay;

    if (swirl > 0.0f) {
        float wc, ws, share = swirl * (1.0f - smoothf(0.25f, 0.75f, clear));
        share *= 1.0f - smoothf(0.1f, 0.4f, plane_near(&n->m->importance, hx, hy));
        whirl_at(x, y, n->p->variation.seed, &wc, &ws);
        float norm = share / (sqrtf(wc * wc + ws * ws) + 1e-6f);
        c = (1.0f - share) * c + norm * wc;
        s = (1.0f - share) * s + norm * ws;
        norm = sqrtf(c * c + s * s) + 1e-6f;
        c /= norm;
        s /= norm;
    }
    half_angle(c, s, &ax, &ay);
    turn_approx(turn, &tc, &ts);
    *dx = ax * tc - ay * ts;
    *dy = ax * ts + ay * tc;
}

struct trace {
    float x[STROKE_POINTS_MAX], y[STROKE_POINTS_MAX];
    int points;
    float sum[LAB]; /* of the photo's colours along it */
};

/*
 * Follows the flow from (x, y) until the photo's colour leaves that of the stroke, or what is
 * painted there is nearer to the photo than the stroke would be. (dx, dy) is the way to set out.
 */
static void trace_side(const struct plan *n, const float colour[LAB], float x, float y, float dx,
                       float dy, float step, int most, struct trace *t)
{
    t->points = 0;
    memset(t->sum, 0, sizeof(t->sum));
    for (int i = 0; i < most; i++) {
        float c[LAB], seen[LAB], nx, ny;
        x += dx * step;
        y += dy * step;
        if (x < -step || y < -step || x > n->width + step || y > n->height + step)
            return;
        ref_at(n, x, y, c);
        float off = distance(c, colour);
        lab_at(n->seen, n->per_unit, x, y, seen);
        if (off > n->layer->edge ||
            (i > 0 && n->layer->threshold > 0.0f && distance(c, seen) + 0.01f < off))
            return;
        t->x[i] = x;
        t->y[i] = y;
        t->points = i + 1;
        for (int k = 0; k < LAB; k++)
            t->sum[k] += c[k];
        flow_at(n, x, y, &nx, &ny);
        float sign = nx * dx + ny * dy < 0.0f ? -1.0f : 1.0f, bend = n->layer->curvature;
        dx = mixf(dx, sign * nx, bend);
        dy = mixf(dy, sign * ny, bend);
        float length = sqrtf(dx * dx + dy * dy) + 1e-6f;
        dx /= length;
        dy /= length;
    }
}

// Keeps the stroke inside its shape: away from an edge on one side, thinner between two.
static float fit_width(const struct plan *n, const float colour[LAB], float radius, float *x,
                       float *y, float dx, float dy)
{
    float a[LAB], b[LAB], reach = 0.85f * radius;

    ref_at(n, *x - dy * reach, *y + dx * reach, a);
    ref_at(n, *x + dy * reach, *y - dx * reach, b);
    bool left = distance(a, colour) > n->layer->edge, right = distance(b, colour) > n->layer->edge;
    if (left && right)
        return 0.55f * radius;
    if (left || right) {
        float away = (left ? 0.3f : -0.3f) * radius;
        *x += dy * away;
        *y -= dx * away;
        return 0.7f * radius;
    }
    return radius;
}

static void join(struct stroke *s, const struct trace *back, const struct trace *ahead, float x,
                 float y)
{
    s->points = 0;
    for (int i = back->points - 1; i >= 0; i--) {
        s->x[s->points] = back->x[i];
        s->y[s->points++] = back->y[i];
    }
    s->x[s->points] = x;
    s->y[s->points++] = y;
    for (int i = 0; i < ahead->points; i++) {
        s->x[s->points] = ahead->x[i];
        s->y[s->points++] = ahead->y[i];
    }
}

// The way that a cell's stroke begins: most go one way, as a hand does.
static void set_out(const struct plan *n, int cell, float x, float y, float *dx, float *dy)
{
    float tc, ts, fx, fy, sign = dice(n, cell, 4) < 0.35f ? -1.0f : 1.0f;

    flow_at(n, x, y, &fx, &fy);
    turn_approx(n->layer->stray * (2.0f * dice(n, cell, 11) - 1.0f), &tc, &ts);
    *dx = sign * (fx * tc - fy * ts);
    *dy = sign * (fx * ts + fy * tc);
}

static void trace_cell(const struct plan *n, int index)
{
    const struct stroke_layer *layer = n->layer;
    int cell = n->cell_of[index];
    struct stroke *s = &n->stroke[index];
    struct trace back, ahead;
    float x = n->wish[cell].x, y = n->wish[cell].y, dx, dy, colour[LAB];
    float radius = layer->radius * (0.75f + 0.35f * dice(n, cell, 2));
    float length = layer->length * layer->radius * (0.55f + 0.45f * dice(n, cell, 3));
    // As many points as there are bends to follow, and no more than there are pixels.
    int half = clampi((int)(0.5f * length * n->m->full_per_unit / POINT_STEP_MIN), 1,
                      (STROKE_POINTS_MAX - 1) / 2);

    ref_at(n, x, y, colour);
    set_out(n, cell, x, y, &dx, &dy);
    radius = fit_width(n, colour, radius, &x, &y, dx, dy);
    float step = 0.5f * length / (float)half;
    trace_side(n, colour, x, y, -dx, -dy, step, half, &back);
    trace_side(n, colour, x, y, dx, dy, step, half, &ahead);
    join(s, &back, &ahead, x, y);
    if (s->points == 1) { // a dab
        float reach = 0.9f * radius;
        s->x[0] = x - dx * reach;
        s->y[0] = y - dy * reach;
        s->x[1] = x + dx * reach;
        s->y[1] = y + dy * reach;
        s->points = 2;
    }
    float share = 1.0f / (float)(1 + back.points + ahead.points);
    float care = plane_near(&n->m->importance, x * n->m->half_per_unit, y * n->m->half_per_unit);
    float free_hand = 1.0f - 0.6f * care;
    float vary[LAB] = {layer->vary_l, layer->vary_c, layer->vary_c};
    for (int k = 0; k < LAB; k++)
        s->colour[k] = (colour[k] + back.sum[k] + ahead.sum[k]) * share +
                       vary[k] * free_hand * (2.0f * dice(n, cell, 5 + (uint32_t)k) - 1.0f);
    s->radius = radius;
    // Lights are laid on thicker than darks, and faces and lettering thinner than the rest.
    s->height = layer->height * (0.7f + 0.6f * clampf(s->colour[0], 0.0f, 1.0f)) *
                (1.0f - 0.35f * care) * (0.8f + 0.4f * dice(n, cell, 8));
    bool dab = back.points + ahead.points == 0;
    s->print = (uint8_t)(dab ? BRUSH_STROKES + (int)(dice(n, cell, 9) * BRUSH_DABS)
                             : (int)(dice(n, cell, 9) * BRUSH_STROKES));
    s->mirrored = dice(n, cell, 10) < 0.5f;
    s->order = hash_u32((uint32_t)cell, 11, layer->seed);
}

static void trace_some(void *ctx, int turn, int worker)
{
    const struct plan *n = ctx;
    int end = (turn + 1) * TRACES_PER_TURN;

    (void)worker;
    for (int i = turn * TRACES_PER_TURN; i < end && i < n->granted; i++)
        trace_cell(n, i);
}

static int by_order(const void *a, const void *b)
{
    const struct stroke *x = a, *y = b;

    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return x->y[0] < y->y[0] ? -1 : x->y[0] > y->y[0];
}

static const struct plane *reference(const struct look_maps *m, float radius, float *per_unit)
{
    *per_unit = radius < 5.0f ? m->full_per_unit : m->half_per_unit;
    return radius < 5.0f ? m->fine : radius < 12.0f ? m->mid : m->coarse;
}

enum err stroke_plan(const struct look_picture *p, const struct stroke_layer *layer,
                     struct stroke_list *out)
{
    struct plan n = {.p = p, .m = p->maps, .layer = layer};
    enum err e = ERR_NOMEM;

    n.ref = reference(n.m, layer->radius, &n.per_unit);
    n.width = (float)p->width / p->px_per_unit;
    n.height = (float)p->height / p->px_per_unit;
    n.cell = layer->radius * layer->spacing;
    n.columns = (int)(n.width / n.cell) + 1;
    n.rows = (int)(n.height / n.cell) + 1;
    size_t cells = (size_t)n.columns * (size_t)n.rows;
    n.wish = calloc(cells, sizeof(*n.wish));
    n.cell_of = calloc(cells, sizeof(*n.cell_of));
    if (!n.wish || !n.cell_of)
        goto out;
    for (int k = 0; k < LAB; k++)
        if (plane_new(&n.seen[k], n.ref[0].width, n.ref[0].height) != ERR_OK)
            goto out;
    if (plane_new(&n.off, n.ref[0].width, n.ref[0].height) != ERR_OK)
        goto out;
    e = ERR_CANCELLED;
    if (!pool_run(p->pool, n.off.height, seen_row, &n, p->cancel) ||
        !pool_run(p->pool, n.rows, judge_row, &n, p->cancel))
        goto out;
    for (size_t i = 0; i < cells; i++)
        if (n.wish[i].wanted)
            n.cell_of[n.granted++] = (int)i;
    e = ERR_NOMEM;
    n.stroke = calloc((size_t)n.granted + 1, sizeof(*n.stroke));
    if (!n.stroke)
        goto out;
    e = ERR_CANCELLED;
    if (!pool_run(p->pool, (n.granted + TRACES_PER_TURN - 1) / TRACES_PER_TURN, trace_some, &n,
                  p->cancel))
        goto out;
    qsort(n.stroke, (size_t)n.granted, sizeof(*n.stroke), by_order);
    *out = (struct stroke_list){.stroke = n.stroke, .count = n.granted};
    n.stroke = NULL;
    e = ERR_OK;
out:
    for (int k = 0; k < LAB; k++)
        plane_release(&n.seen[k]);
    plane_release(&n.off);
    free(n.wish);
    free(n.cell_of);
    free(n.stroke);
    return e;
}

void stroke_list_release(struct stroke_list *l)
{
    free(l->stroke);
    *l = (struct stroke_list){0};
}
