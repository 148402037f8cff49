/* SPDX-License-Identifier: MIT */
#include "look/tiles.h"

#include <stdlib.h>

/*
 * Laying tiles as a mosaic maker does: first a row along every outline, then from each tile to its
 * sides, row after row, until rows meet, and last what fits into the gaps.
 */

// Shares of a tile's side: how near tiles of a row come, and how far those that fill a gap are cut.
static const float NEAR = 0.87f, CUT = 0.72f;

// Sides of the largest tile to a box: NEAR of them along a tile that lies askew, whose corners
// reach farther by the root of 2.
static const float BOX = 1.25f;

struct laying {
    const struct look_picture *p;
    const struct cells *c;
    float size, small;
    float width, height; /* units */
    struct tile *tile;   /* grows */
    int *next;           /* of each tile, another one of its box, or -1 */
    int count, room;
    int *head; /* of each box, its last tile, or -1 */
    int cols, rows;
    float box;   /* side, units */
    bool failed; /* no memory */
};

float tile_side(const struct look_picture *p, float size, float small, float x, float y)
{
    const struct look_maps *m = p->maps;
    float care = plane_at(&m->importance, x * m->half_per_unit, y * m->half_per_unit);
    float side = size * mixf(1.0f, small, smoothf(0.08f, 0.55f, care));
    // Letters need tiles narrower than their strokes.
    side *= 1.0f - 0.45f * plane_at(&m->lettering, x * m->half_per_unit, y * m->half_per_unit);
    // A tile is at least as large as can be seen.
    float least = 1.5f / m->half_per_unit;

    return side > least ? side : least;
}

void tile_turn(const struct look_picture *p, struct tile *k)
{
    const struct look_maps *m = p->maps;
    float x = k->x * m->half_per_unit, y = k->y * m->half_per_unit;
    float fc = plane_at(&m->flow_c, x, y), fs = plane_at(&m->flow_s, x, y);
    float norm = sqrtf(fc * fc + fs * fs);

    k->c = 1.0f;
    k->s = 0.0f;
    if (norm > 1e-6f)
        half_angle(fc / norm, fs / norm, &k->c, &k->s);
}

// Boxes are as wide as a tile can reach, so that only the nine around a place matter.
static bool is_free(const struct laying *l, const struct tile *k, float share)
{
    int i = (int)(k->x / l->box), j = (int)(k->y / l->box);

    for (int row = j > 0 ? j - 1 : 0; row <= j + 1 && row < l->rows; row++)
        for (int col = i > 0 ? i - 1 : 0; col <= i + 1 && col < l->cols; col++)
            for (int t = l->head[row * l->cols + col]; t >= 0; t = l->next[t])
                if (tile_distance(k, l->tile[t].x, l->tile[t].y) * k->size <
                    share * (k->size + l->tile[t].size))
                    return false;
    return true;
}

static bool make_room(struct laying *l)
{
    int room = l->room + l->room / 2 + 256;
    struct tile *tile = realloc(l->tile, (size_t)room * sizeof(*tile));
    int *next = tile ? realloc(l->next, (size_t)room * sizeof(*next)) : NULL;

    if (tile)
        l->tile = tile;
    if (next)
        l->next = next;
    l->failed = !tile || !next;
    l->room = l->failed ? l->room : room;
    return !l->failed;
}

// A tile at (x, y), if it is in the picture and free.
static bool place(struct laying *l, float x, float y, float share)
{
    struct tile k = {.x = x, .y = y};

    if (!(x >= 0.0f && y >= 0.0f && x < l->width && y < l->height))
        return false;
    k.size = tile_side(l->p, l->size, l->small, x, y);
    k.per = 2.0f / k.size;
    tile_turn(l->p, &k);
    if (!is_free(l, &k, share) || (l->count == l->room && !make_room(l)))
        return false;
    int *head = &l->head[(int)(y / l->box) * l->cols + (int)(x / l->box)];
    l->tile[l->count] = k;
    l->next[l->count] = *head;
    *head = l->count++;
    return true;
}

// The next tile of a row: side 0 ahead, 1 behind, 2 and 3 beside.
static bool place_beside(struct laying *l, int of, int side)
{
    struct tile k = l->tile[of];
    float sign = side & 1 ? -1.0f : 1.0f;
    float dx = sign * (side < 2 ? k.c : -k.s), dy = sign * (side < 2 ? k.s : k.c);
    float other = tile_side(l->p, l->size, l->small, k.x + k.size * dx, k.y + k.size * dy);
    float step = 0.5f * (k.size + other);

    return place(l, k.x + step * dx, k.y + step * dy, NEAR);
}

// Whether a tile here would touch an outline with its side.
static bool at_outline(const struct laying *l, float x, float y, float slack)
{
    struct cell_spot spot;
    float half = 0.5f * tile_side(l->p, l->size, l->small, x, y), most = 1.6f * l->c->sigma;

    cells_at(l->c, x, y, &spot);
    return spot.other >= 0 && fabsf(spot.border - (half < most ? half : most)) < slack;
}

static void lay_outlines(struct laying *l)
{
    static const float STEP = 4.0f; /* units; a third of a tile */

    for (float y = 0.5f * STEP; y < l->height; y += STEP)
        for (float x = 0.5f * STEP; x < l->width; x += STEP) {
            if (!at_outline(l, x, y, 1.0f) || !place(l, x, y, NEAR))
                continue;
            for (int side = 0, first = l->count - 1; side < 2; side++)
                for (int at = first; place_beside(l, at, side); at = l->count - 1)
                    if (!at_outline(l, l->tile[l->count - 1].x, l->tile[l->count - 1].y, 2.0f))
                        break;
        }
}

static void lay_rows(struct laying *l)
{
    if (l->count == 0)
        place(l, 0.5f * l->width, 0.5f * l->height, NEAR);
    for (int i = 0; i < l->count; i++)
        for (int side = 0; side < 4; side++)
            place_beside(l, i, side);
}

static void lay_gaps(struct laying *l)
{
    float step = 0.25f * l->size;

    for (float y = 0.5f * step; y < l->height; y += step)
        for (float x = 0.5f * step; x < l->width; x += step)
            place(l, x, y, CUT);
}

enum err tiles_lay(struct tiles *t, const struct look_picture *p, float size, float small)
{
    struct laying l = {.p = p, .c = t->cells, .size = size, .small = small};
    float least = 1.5f / p->maps->half_per_unit;

    l.size = size > least ? size : least;
    l.width = (float)p->width / p->px_per_unit;
    l.height = (float)p->height / p->px_per_unit;
    l.box = BOX * l.size;
    l.cols = (int)(l.width / l.box) + 1;
    l.rows = (int)(l.height / l.box) + 1;
    l.head = malloc((size_t)l.cols * (size_t)l.rows * sizeof(*l.head));
    for (int i = 0; l.head && i < l.cols * l.rows; i++)
        l.head[i] = -1;
    if (l.head) {
        lay_outlines(&l);
        lay_rows(&l);
        lay_gaps(&l);
    }
    t->tile = l.tile;
    t->count = l.count;
    free(l.next);
    enum err e = l.head && !l.failed ? ERR_OK : ERR_NOMEM;
    free(l.head);
    return e;
}
