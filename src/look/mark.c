/* SPDX-License-Identifier: MIT */
#include "look/mark.h"

#include "look/dry.h"

#include <stdlib.h>

/*
 * The picture is cut into tiles; each knows which marks may touch it, in order, and draws them
 * alone, so the threads' order does not matter.
 */
enum { TILE = 64 };

struct draw {
    struct look_picture *p;
    const struct mark *mark;
    int count;
    float soft;
    int columns, rows; /* of tiles */
    int *first;        /* per tile, its place in `index`; columns*rows + 1 entries */
    int *index;
};

struct box {
    int x0, y0, x1, y1; /* inclusive */
};

static struct box box_of(const struct mark *k, int from, int to, struct box within)
{
    float x0 = k->x[from], x1 = x0, y0 = k->y[from], y1 = y0, reach = k->radius + 1.0f;

    for (int i = from + 1; i <= to; i++) {
        x0 = k->x[i] < x0 ? k->x[i] : x0;
        x1 = k->x[i] > x1 ? k->x[i] : x1;
        y0 = k->y[i] < y0 ? k->y[i] : y0;
        y1 = k->y[i] > y1 ? k->y[i] : y1;
    }
    // Far outside would not fit an int: points are within the picture, but for a step.
    struct box b = {(int)floorf(x0 - reach), (int)floorf(y0 - reach), (int)floorf(x1 + reach),
                    (int)floorf(y1 + reach)};
    b.x0 = b.x0 < within.x0 ? within.x0 : b.x0;
    b.y0 = b.y0 < within.y0 ? within.y0 : b.y0;
    b.x1 = b.x1 > within.x1 ? within.x1 : b.x1;
    b.y1 = b.y1 > within.y1 ? within.y1 : b.y1;
    return b;
}

// Counts the marks of each tile, or, the second time, writes them down.
static void sort_marks(struct draw *d, bool write)
{
    struct box all = {0, 0, d->p->width - 1, d->p->height - 1};

    for (int i = 0; i < d->count; i++) {
        if (d->mark[i].points < 2)
            continue;
        struct box b = box_of(&d->mark[i], 0, d->mark[i].points - 1, all);
        for (int y = b.y0 / TILE; b.y0 <= b.y1 && y <= b.y1 / TILE; y++)
            for (int x = b.x0 / TILE; b.x0 <= b.x1 && x <= b.x1 / TILE; x++) {
                int tile = y * d->columns + x;
                if (write)
                    d->index[d->first[tile]++] = i;
                else
                    d->first[tile + 1]++;
            }
    }
}

static enum err sort_into_tiles(struct draw *d)
{
    int tiles = d->columns * d->rows;

    d->first = calloc((size_t)tiles + 1, sizeof(*d->first));
    if (!d->first)
        return ERR_NOMEM;
    sort_marks(d, false);
    for (int i = 0; i < tiles; i++)
        d->first[i + 1] += d->first[i];
    d->index = calloc((size_t)d->first[tiles] + 1, sizeof(*d->index));
    if (!d->index)
        return ERR_NOMEM;
    sort_marks(d, true);
    // Writing moved each beginning to the next one's.
    for (int i = tiles; i > 0; i--)
        d->first[i] = d->first[i - 1];
    d->first[0] = 0;
    return ERR_OK;
}

// 1 where the photo is as dark as at the mark's middle, 0 where it is much lighter, so that letters
// and catchlights inside a hatched area stay paper.
static float spare(const struct draw *d, const struct mark *k, float x, float y)
{
    const struct look_maps *m = d->p->maps;
    float scale = m->full_per_unit / d->p->px_per_unit;

    if (k->dark <= 0.0f)
        return 1.0f;
    return clampf(1.5f * (1.0f - plane_near(&m->tone, x * scale, y * scale)) / k->dark - 0.25f,
                  0.0f, 1.0f);
}

static void draw_piece(const struct draw *d, const struct mark *k, int i, struct box tile)
{
    float ax = k->x[i], ay = k->y[i], dx = k->x[i + 1] - ax, dy = k->y[i + 1] - ay;
    float squared = dx * dx + dy * dy, length = sqrtf(squared);
    struct box b = box_of(k, i, i + 1, tile);

    if (length < 1e-4f)
        return;
    for (int y = b.y0; y <= b.y1; y++) {
        lane4 *row = picture_row(d->p, y);
        for (int x = b.x0; x <= b.x1; x++) {
            float px = (float)x + 0.5f - ax, py = (float)y + 0.5f - ay;
            float t = (px * dx + py * dy) / squared, off = fabsf(px * dy - py * dx) / length;
            // Half open, so that a pixel on the joint belongs to one piece.
            if (t < 0.0f || t >= 1.0f || off >= k->radius + 0.5f)
                continue;
            float pressure = mixf(k->pressure[i], k->pressure[i + 1], t);
            float width = k->radius * (0.55f + 0.45f * pressure);
            float cover = clampf(width + 0.5f - off, 0.0f, 1.0f) * clampf(2.0f * width, 0.0f, 1.0f);
            cover *= dry_take(row[x][3], pressure, d->soft) *
                     spare(d, k, (float)x + 0.5f, (float)y + 0.5f);
            for (int c = 0; c < LAB; c++)
                row[x][c] = mixf(row[x][c], k->lab[c], cover);
        }
    }
}

static void draw_tile(void *ctx, int index, int worker)
{
    const struct draw *d = ctx;
    struct box t = {index % d->columns * TILE, index / d->columns * TILE, 0, 0};

    (void)worker;
    t.x1 = t.x0 + TILE < d->p->width ? t.x0 + TILE - 1 : d->p->width - 1;
    t.y1 = t.y0 + TILE < d->p->height ? t.y0 + TILE - 1 : d->p->height - 1;
    for (int i = d->first[index]; i < d->first[index + 1]; i++) {
        const struct mark *k = &d->mark[d->index[i]];
        for (int j = 0; j + 1 < k->points; j++)
            draw_piece(d, k, j, t);
    }
}

enum err mark_draw(struct look_picture *p, const struct mark *mark, int count, float soft)
{
    struct draw d = {.p = p,
                     .mark = mark,
                     .count = count,
                     .soft = soft,
                     .columns = (p->width + TILE - 1) / TILE,
                     .rows = (p->height + TILE - 1) / TILE};
    enum err e = sort_into_tiles(&d);

    if (e == ERR_OK && !pool_run(p->pool, d.columns * d.rows, draw_tile, &d, p->cancel))
        e = ERR_CANCELLED;
    free(d.first);
    free(d.index);
    return e;
}
