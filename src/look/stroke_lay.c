/* SPDX-License-Identifier: MIT */
#include "look/stroke.h"

#include <stdlib.h>

/*
 * Laying strokes. The picture is cut into tiles; each knows which strokes touch it, in order, and
 * paints them alone, so tiles can be painted in any order by any number of threads.
 *
 * A stroke is a chain of quads between its points, cut at each point by the line across its
 * direction there, so that every pixel belongs to one quad. Within a quad the pixel's place along
 * (u) and across (v) the stroke picks the brush's print.
 */
enum { TILE = 96 };

struct lay {
    struct look_picture *p;
    const struct stroke_list *list;
    const struct stroke_paint *paint;
    int columns, rows; /* of tiles */
    int *first;        /* per tile, its place in `stroke`; columns*rows + 1 entries */
    int *stroke;
};

// A stroke's points in pixels, with direction and width at each.
struct spine {
    int points;
    float x[STROKE_POINTS_MAX], y[STROKE_POINTS_MAX];
    float tx[STROKE_POINTS_MAX], ty[STROKE_POINTS_MAX]; /* unit tangents */
    float u[STROKE_POINTS_MAX];                         /* 0..1 */
    float radius;
};

static void spine_of(const struct stroke *s, float per_unit, struct spine *out)
{
    float length = 0.0f;
    int n = s->points;

    out->points = n;
    out->radius = s->radius * per_unit;
    for (int i = 0; i < n; i++) {
        out->x[i] = s->x[i] * per_unit;
        out->y[i] = s->y[i] * per_unit;
        if (i > 0) {
            float dx = out->x[i] - out->x[i - 1], dy = out->y[i] - out->y[i - 1];
            length += sqrtf(dx * dx + dy * dy);
        }
        out->u[i] = length;
    }
    for (int i = 0; i < n; i++) {
        int a = i > 0 ? i - 1 : 0, b = i + 1 < n ? i + 1 : i;
        float dx = out->x[b] - out->x[a], dy = out->y[b] - out->y[a];
        float norm = sqrtf(dx * dx + dy * dy) + 1e-12f;
        out->tx[i] = dx / norm;
        out->ty[i] = dy / norm;
        out->u[i] /= length + 1e-12f;
    }
}

struct bounds {
    float x0, y0, x1, y1;
};

static struct bounds bounds_of(const float *x, const float *y, int n, float reach)
{
    struct bounds b = {x[0], y[0], x[0], y[0]};

    for (int i = 1; i < n; i++) {
        b.x0 = x[i] < b.x0 ? x[i] : b.x0;
        b.x1 = x[i] > b.x1 ? x[i] : b.x1;
        b.y0 = y[i] < b.y0 ? y[i] : b.y0;
        b.y1 = y[i] > b.y1 ? y[i] : b.y1;
    }
    return (struct bounds){b.x0 - reach, b.y0 - reach, b.x1 + reach, b.y1 + reach};
}

// The tiles that a stroke may touch: columns i0..i1, rows j0..j1.
static void tiles_of(const struct lay *l, const struct stroke *s, int *i0, int *j0, int *i1,
                     int *j1)
{
    float per_unit = l->p->px_per_unit, tile = (float)TILE;
    struct bounds b = bounds_of(s->x, s->y, s->points, 1.05f * s->radius);

    *i0 = clampi((int)floorf(b.x0 * per_unit / tile), 0, l->columns - 1);
    *j0 = clampi((int)floorf(b.y0 * per_unit / tile), 0, l->rows - 1);
    *i1 = clampi((int)floorf(b.x1 * per_unit / tile), 0, l->columns - 1);
    *j1 = clampi((int)floorf(b.y1 * per_unit / tile), 0, l->rows - 1);
}

// Counting sort of strokes into tiles; keeps the order within each.
static enum err sort_into_tiles(struct lay *l)
{
    int tiles = l->columns * l->rows, i0, j0, i1, j1;

    l->first = calloc((size_t)tiles + 2, sizeof(*l->first));
    if (!l->first)
        return ERR_NOMEM;
    // Counts go in two places further, so that the filling below leaves `first` as wanted.
    for (int n = 0; n < l->list->count; n++) {
        tiles_of(l, &l->list->stroke[n], &i0, &j0, &i1, &j1);
        for (int j = j0; j <= j1; j++)
            for (int i = i0; i <= i1; i++)
                l->first[j * l->columns + i + 2]++;
    }
    for (int t = 2; t < tiles + 2; t++)
        l->first[t] += l->first[t - 1];
    l->stroke = calloc((size_t)l->first[tiles + 1] + 1, sizeof(*l->stroke));
    if (!l->stroke)
        return ERR_NOMEM;
    for (int n = 0; n < l->list->count; n++) {
        tiles_of(l, &l->list->stroke[n], &i0, &j0, &i1, &j1);
        for (int j = j0; j <= j1; j++)
            for (int i = i0; i <= i1; i++)
                l->stroke[l->first[j * l->columns + i + 1]++] = n;
    }
    return ERR_OK;
}

struct print {
    const lane4 *texel;
    int along, across;
    lane4 colour; /* and height */
    lane4 keep;
    float opacity, streak;
    float flip; /* -1: mirrored across */
};

// Where the pixels of one row of a quad fall on the print.
struct span {
    int texel[TILE]; /* upper left of the four around; -1: not in the quad */
    float du[TILE], dv[TILE];
};

// A quad between points a and b of a spine.
struct quad {
    float ax, ay, atx, aty;
    float bx, by, btx, bty;
    float chord_x, chord_y, normal_x, normal_y;
    float u0, u1;
    float radius, inverse, reach;
    struct bounds box;
};

static struct quad quad_of(const struct spine *s, int i)
{
    struct quad q = {.ax = s->x[i],
                     .ay = s->y[i],
                     .atx = s->tx[i],
                     .aty = s->ty[i],
                     .bx = s->x[i + 1],
                     .by = s->y[i + 1],
                     .btx = s->tx[i + 1],
                     .bty = s->ty[i + 1],
                     .u0 = s->u[i],
                     .u1 = s->u[i + 1],
                     .radius = s->radius,
                     .inverse = 1.0f / (s->radius + 1e-6f)};

    q.chord_x = q.bx - q.ax;
    q.chord_y = q.by - q.ay;
    float chord = sqrtf(q.chord_x * q.chord_x + q.chord_y * q.chord_y) + 1e-12f;
    float along_x = q.chord_x / chord, along_y = q.chord_y / chord;
    q.normal_x = -along_y;
    q.normal_y = along_x;
    // Across a bend the stroke is wider, seen from the chord.
    float bend_a = q.atx * along_x + q.aty * along_y, bend_b = q.btx * along_x + q.bty * along_y;
    float bend = bend_a < bend_b ? bend_a : bend_b;
    q.reach = q.radius / clampf(bend, 0.6f, 1.0f) + 0.01f;
    q.box = bounds_of(&s->x[i], &s->y[i], 2, 1.05f * s->radius);
    return q;
}

// Narrows lo..hi to the x for which at + x * slope >= 0.
static void narrow(float at, float slope, float *lo, float *hi)
{
    if (slope > 1e-6f) {
        float x = -at / slope;
        *lo = x > *lo ? x : *lo;
    } else if (slope < -1e-6f) {
        float x = -at / slope;
        *hi = x < *hi ? x : *hi;
    } else if (at < -0.01f) {
        *hi = *lo - 1.0f;
    }
}

// Pixels of row y that can lie in the quad: *x0 up to *x1; a little too many rather than too few.
static bool row_range(const struct quad *q, float py, const int clip[4], int *x0, int *x1)
{
    float lo = q->box.x0, hi = q->box.x1;
    float off = -q->ax * q->normal_x + (py - q->ay) * q->normal_y;

    narrow(-q->ax * q->atx + (py - q->ay) * q->aty, q->atx, &lo, &hi);
    narrow(q->bx * q->btx - (py - q->by) * q->bty, -q->btx, &lo, &hi);
    narrow(off + q->reach, q->normal_x, &lo, &hi);
    narrow(q->reach - off, -q->normal_x, &lo, &hi);
    if (lo > hi)
        return false;
    *x0 = clampi((int)floorf(lo + 0.48f), clip[0], clip[2]);
    *x1 = clampi((int)floorf(hi + 0.52f), clip[0], clip[2]);
    return *x0 < *x1;
}

static void find_span(const struct quad *q, const struct print *b, float py, int x0, int n,
                      struct span *out)
{
    float from_y = (py - q->ay) * q->aty, left_y = (q->by - py) * q->bty;
    float last_u = (float)(b->along - 1), last_v = (float)(b->across - 1);
    float along = (float)b->along, half_v = 0.5f * b->flip * last_v;

    for (int k = 0; k < n; k++) {
        float px = (float)(x0 + k) + 0.5f;
        float from = (px - q->ax) * q->atx + from_y, left = (q->bx - px) * q->btx + left_y;
        bool between = (from >= 0.0f) & (left > 0.0f);
        float t = between ? from / (from + left) : 0.0f;
        float cx = px - (q->ax + t * q->chord_x), cy = py - (q->ay + t * q->chord_y);
        float v = ((q->atx + t * (q->btx - q->atx)) * cy - (q->aty + t * (q->bty - q->aty)) * cx) *
                  q->inverse;
        bool inside = between & (v > -1.0f) & (v < 1.0f);
        float fu = (q->u0 + t * (q->u1 - q->u0)) * last_u;
        float fv = 0.5f * last_v + (inside ? v : 0.0f) * half_v;
        float i = (float)(int)fu, j = (float)(int)fv;
        i = i < last_u - 1.0f ? i : last_u - 1.0f;
        j = j < last_v - 1.0f ? j : last_v - 1.0f;
        out->du[k] = fu - i;
        out->dv[k] = fv - j;
        out->texel[k] = inside ? (int)(j * along + i) : -1;
    }
}

static void paint_span(lane4 *px, const struct print *b, const struct span *s, int n)
{
    for (int k = 0; k < n; k++) {
        if (s->texel[k] < 0)
            continue;
        const lane4 *t = b->texel + s->texel[k];
        lane4 top = t[0] + (t[1] - t[0]) * s->du[k];
        lane4 low = t[b->along] + (t[b->along + 1] - t[b->along]) * s->du[k];
        lane4 mark = top + (low - top) * s->dv[k];
        lane4 paint = b->colour;
        paint[0] += mark[2] * b->streak;
        paint[3] *= mark[1];
        px[k] += (mark[0] * b->opacity) * (paint + b->keep * px[k] - px[k]);
    }
}

static void lay_quad(struct look_picture *p, const struct spine *s, int i, const struct print *b,
                     const int clip[4])
{
    struct quad q = quad_of(s, i);
    struct span span;
    int y0 = clampi((int)floorf(q.box.y0), clip[1], clip[3]), x0, x1;
    int y1 = clampi((int)floorf(q.box.y1) + 1, clip[1], clip[3]);

    for (int y = y0; y < y1; y++) {
        float py = (float)y + 0.5f;
        if (!row_range(&q, py, clip, &x0, &x1))
            continue;
        find_span(&q, b, py, x0, x1 - x0, &span);
        paint_span(picture_row(p, y) + x0, b, &span, x1 - x0);
    }
}

static void lay_tile(void *ctx, int index, int worker)
{
    const struct lay *l = ctx;
    struct look_picture *p = l->p;
    const struct brush *brush = l->paint->brush;
    int x0 = index % l->columns * TILE, y0 = index / l->columns * TILE;
    int clip[4] = {x0, y0, x0 + TILE < p->width ? x0 + TILE : p->width,
                   y0 + TILE < p->height ? y0 + TILE : p->height};

    (void)worker;
    for (int n = l->first[index]; n < l->first[index + 1]; n++) {
        const struct stroke *s = &l->list->stroke[l->stroke[n]];
        struct spine spine;
        struct print b = {.texel = brush->texel +
                                   (size_t)s->print * (size_t)(brush->along * brush->across),
                          .along = brush->along,
                          .across = brush->across,
                          .colour = {s->colour[0], s->colour[1], s->colour[2], s->height},
                          .keep = {0.0f, 0.0f, 0.0f, l->paint->keep},
                          .opacity = l->paint->opacity,
                          .streak = l->paint->streak,
                          .flip = s->mirrored ? -1.0f : 1.0f};
        spine_of(s, p->px_per_unit, &spine);
        for (int i = 0; i + 1 < spine.points; i++)
            lay_quad(p, &spine, i, &b, clip);
    }
}

enum err stroke_lay(struct look_picture *p, const struct stroke_list *list,
                    const struct stroke_paint *paint)
{
    struct lay l = {.p = p,
                    .list = list,
                    .paint = paint,
                    .columns = (p->width + TILE - 1) / TILE,
                    .rows = (p->height + TILE - 1) / TILE};
    enum err e = sort_into_tiles(&l);

    if (e == ERR_OK && !pool_run(p->pool, l.columns * l.rows, lay_tile, &l, p->cancel))
        e = ERR_CANCELLED;
    free(l.first);
    free(l.stroke);
    return e;
}
