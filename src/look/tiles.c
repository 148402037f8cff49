/* SPDX-License-Identifier: MIT */
#include "look/tiles.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 2 };

// Added to the distance of tiles in another piece: they take what no tile of its own is near to.
static const float ACROSS = 1.0f;

struct sums {
    float n, x, y, lab[LAB];
};

struct layout {
    struct tiles *t;
    const struct look_picture *p;
    float size, small;
    int *owner; /* by half-size pixel */
};

// What a tile is where it lies now.
static void settle_tile(const struct layout *l, struct tile *k)
{
    struct cell_spot spot;

    cells_at(l->t->cells, k->x, k->y, &spot);
    k->label = spot.label;
    k->size = tile_side(l->p, l->size, l->small, k->x, k->y);
    k->per = 2.0f / k->size;
    tile_turn(l->p, k);
}

// Blocks that a tile is near to.
static void blocks_of(const struct tiles *t, const struct tile *k, int box[4])
{
    box[0] = clampi((int)((k->x - k->size) / t->block), 0, t->cols - 1);
    box[1] = clampi((int)((k->x + k->size) / t->block), 0, t->cols - 1);
    box[2] = clampi((int)((k->y - k->size) / t->block), 0, t->rows - 1);
    box[3] = clampi((int)((k->y + k->size) / t->block), 0, t->rows - 1);
}

// Lists by block: counted, then filled from the end.
static enum err settle(const struct layout *l)
{
    struct tiles *t = l->t;
    int blocks = t->cols * t->rows, box[4];

    memset(t->start, 0, ((size_t)blocks + 1) * sizeof(*t->start));
    for (int i = 0; i < t->count; i++) {
        settle_tile(l, &t->tile[i]);
        blocks_of(t, &t->tile[i], box);
        for (int r = box[2]; r <= box[3]; r++)
            for (int c = box[0]; c <= box[1]; c++)
                t->start[r * t->cols + c]++;
    }
    for (int i = 1; i <= blocks; i++)
        t->start[i] += t->start[i - 1];
    if (t->start[blocks] > t->room) {
        free(t->near);
        t->room = t->start[blocks] + t->start[blocks] / 4;
        t->near = malloc((size_t)t->room * sizeof(*t->near));
        if (!t->near)
            return ERR_NOMEM;
    }
    for (int i = t->count - 1; i >= 0; i--) {
        blocks_of(t, &t->tile[i], box);
        for (int r = box[2]; r <= box[3]; r++)
            for (int c = box[0]; c <= box[1]; c++)
                t->near[--t->start[r * t->cols + c]] = i;
    }
    return ERR_OK;
}

/* Places of one block, whose tiles they share: as many as fill vectors, the last one repeated. */
enum { LANES = 8 };

struct near_spots {
    float x[LANES], middle[LANES], distance[LANES], second[LANES];
    int label[LANES], tile[LANES];
};

static void try_tile(struct near_spots *s, const struct tile *t, int index, float y)
{
    for (int i = 0; i < LANES; i++) {
        float middle = tile_distance(t, s->x[i], y);
        float d = middle + (t->label == s->label[i] ? 0.0f : ACROSS);
        float first = s->distance[i], second = s->second[i];
        second = d < second ? d : second;
        s->second[i] = d < first ? first : second;
        s->tile[i] = d < first ? index : s->tile[i];
        s->distance[i] = d < first ? d : first;
        s->middle[i] = d < first ? middle : s->middle[i];
    }
}

void tiles_span(const struct tiles *t, const float *x, float y, const int *label, int n,
                struct tile_spots *out)
{
    int row = clampi((int)(y / t->block), 0, t->rows - 1) * t->cols;

    for (int from = 0, many; from < n; from += many) {
        int block = row + clampi((int)(x[from] / t->block), 0, t->cols - 1);
        struct near_spots s;
        for (many = 1; many < LANES && from + many < n; many++)
            if (row + clampi((int)(x[from + many] / t->block), 0, t->cols - 1) != block)
                break;
        for (int i = 0; i < LANES; i++) {
            int at = from + (i < many ? i : many - 1);
            s.x[i] = x[at];
            s.label[i] = label[at];
            s.tile[i] = -1;
            s.middle[i] = s.distance[i] = s.second[i] = 1e9f;
        }
        for (int k = t->start[block]; k < t->start[block + 1]; k++)
            try_tile(&s, &t->tile[t->near[k]], t->near[k], y);
        for (int i = 0; i < many; i++) {
            out->tile[from + i] = s.tile[i];
            out->middle[from + i] = s.middle[i];
            out->distance[from + i] = s.distance[i];
            out->second[from + i] = s.second[i];
        }
    }
}

static void own_row(void *ctx, int y, int worker)
{
    const struct layout *l = ctx;
    const struct cells *c = l->t->cells;
    float unit = 1.0f / c->per_unit, x[SPAN];
    struct tile_spots spot;
    int label[SPAN];

    (void)worker;
    for (int x0 = 0; x0 < c->width; x0 += SPAN) {
        int n = span_of(x0, c->width);
        size_t at = (size_t)y * (size_t)c->width + (size_t)x0;
        for (int i = 0; i < n; i++) {
            x[i] = ((float)(x0 + i) + 0.5f) * unit;
            label[i] = c->at[at + (size_t)i].label[0];
        }
        tiles_span(l->t, x, ((float)y + 0.5f) * unit, label, n, &spot);
        memcpy(l->owner + at, spot.tile, (size_t)n * sizeof(*l->owner));
    }
}

// Tiles go to the middle of what they own, and take its colour.
static void centre(const struct layout *l, struct sums *sum)
{
    const struct cells *c = l->t->cells;
    const struct look_maps *m = l->p->maps;
    float unit = 1.0f / c->per_unit;

    memset(sum, 0, (size_t)l->t->count * sizeof(*sum));
    for (int y = 0; y < c->height; y++)
        for (int x = 0; x < c->width; x++) {
            size_t at = (size_t)y * (size_t)c->width + (size_t)x;
            if (l->owner[at] < 0)
                continue;
            struct sums *s = &sum[l->owner[at]];
            s->n += 1.0f;
            s->x += (float)x + 0.5f;
            s->y += (float)y + 0.5f;
            for (int k = 0; k < LAB; k++)
                s->lab[k] += m->half[k].px[at];
        }
    for (int i = 0; i < l->t->count; i++) {
        struct tile *t = &l->t->tile[i];
        const struct sums *s = &sum[i];
        if (s->n > 0.0f) {
            t->x = s->x / s->n * unit;
            t->y = s->y / s->n * unit;
        }
        for (int k = 0; k < LAB; k++)
            t->lab[k] = s->n > 0.0f
                            ? s->lab[k] / s->n
                            : plane_near(&m->half[k], t->x * c->per_unit, t->y * c->per_unit);
    }
}

enum err tiles_new(struct tiles *t, const struct look_picture *p, const struct cells *c, float size,
                   float small)
{
    struct layout l = {.t = t, .p = p, .size = size, .small = small};
    size_t pixels = (size_t)c->width * (size_t)c->height;
    struct sums *sum = NULL;
    enum err e = ERR_NOMEM;

    *t = (struct tiles){.cells = c};
    l.owner = malloc(pixels * sizeof(*l.owner));
    if (!l.owner)
        goto out;
    e = tiles_lay(t, p, size, small);
    if (e != ERR_OK)
        goto out;
    e = ERR_NOMEM;
    t->block = 3.0f / c->per_unit; // a few pixels: short lists, and not many of them
    t->cols = (int)((float)c->width / c->per_unit / t->block) + 1;
    t->rows = (int)((float)c->height / c->per_unit / t->block) + 1;
    size_t room = (size_t)t->count + 1;
    sum = calloc(room, sizeof(*sum));
    t->start = malloc(((size_t)t->cols * (size_t)t->rows + 1) * sizeof(*t->start));
    if (!sum || !t->start)
        goto out;
    e = settle(&l);
    for (int i = 0; i < ROUNDS && e == ERR_OK; i++) {
        if (!pool_run(p->pool, c->height, own_row, &l, p->cancel)) {
            e = ERR_CANCELLED;
            break;
        }
        centre(&l, sum);
        e = settle(&l);
    }
out:
    free(l.owner);
    free(sum);
    if (e != ERR_OK)
        tiles_release(t);
    return e;
}

void tiles_release(struct tiles *t)
{
    free(t->tile);
    free(t->start);
    free(t->near);
    *t = (struct tiles){0};
}
