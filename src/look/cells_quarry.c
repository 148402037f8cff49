/* SPDX-License-Identifier: MIT */
#include "look/cells.h"

#include "look/noise.h"

#include <stdlib.h>
#include <string.h>

/*
 * Cuts large calm pieces into quarries, as glaziers call the panes of a plain ground: diamonds or
 * bricks, another lattice for each picture. What is left of one at a piece's border goes to its
 * neighbour.
 */
struct lattice {
    float c, s;             /* direction of the rows */
    float along, along_odd; /* units of a pane along its row, and how far odd rows are shifted */
    float across;
    float bend; /* units that a hand is off */
    uint32_t seed;
};

static struct lattice lattice_of(float side, uint32_t seed)
{
    bool diamonds = noise_point(1, 80, seed) < 0.6f;
    float turn = diamonds ? 0.125f : 0.012f * (noise_point(2, 80, seed) - 0.5f);
    struct lattice q = {.along = side, .across = side, .bend = 0.22f * side, .seed = seed};

    if (!diamonds) {
        q.along = 1.35f * side;
        q.across = 0.75f * side;
        q.along_odd = 0.5f * q.along;
    }
    turn_approx(turn, &q.c, &q.s);
    return q;
}

static uint16_t quarry_at(const struct lattice *q, float x, float y)
{
    float off_x = q->bend * (noise_at(x / 260.0f, y / 260.0f, q->seed + 81u) - 0.5f);
    float off_y = q->bend * (noise_at(x / 260.0f, y / 260.0f, q->seed + 82u) - 0.5f);
    float u = (x + off_x) * q->c + 0.8f * (y + off_y) * q->s;
    float v = 0.8f * (y + off_y) * q->c - (x + off_x) * q->s;
    int row = (int)floorf(v / q->across);
    int col = (int)floorf((u + (row & 1 ? q->along_odd : 0.0f)) / q->along);

    return (uint16_t)((uint32_t)row * 251u + (uint32_t)col);
}

enum err cells_quarry(const struct look_picture *p, float side, uint16_t *label, int *count)
{
    static const float CALM = 0.16f; /* importance of a piece that is still a ground */
    const struct look_maps *m = p->maps;
    int w = m->mid[0].width, h = m->mid[0].height;
    size_t pixels = (size_t)w * (size_t)h;
    float pane = side * m->half_per_unit * side * m->half_per_unit;
    struct lattice q = lattice_of(side, p->variation.seed);
    struct piece {
        float n, care;
    } *piece = calloc((size_t)*count, sizeof(*piece));
    uint16_t *pane_of = calloc(pixels, sizeof(*pane_of));
    enum err e = ERR_NOMEM;

    if (!piece || !pane_of)
        goto out;
    for (size_t i = 0; i < pixels; i++) {
        piece[label[i]].n += 1.0f;
        piece[label[i]].care += m->importance.px[i];
    }
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            size_t at = (size_t)y * (size_t)w + (size_t)x;
            const struct piece *k = &piece[label[at]];
            if (k->n > 1.7f * pane && k->care < CALM * k->n)
                pane_of[at] = quarry_at(&q, ((float)x + 0.5f) / m->half_per_unit,
                                        ((float)y + 0.5f) / m->half_per_unit);
        }
    e = cells_parts(label, pane_of, w, h, (int)(0.3f * pane), count);
out:
    free(piece);
    free(pane_of);
    return e;
}
