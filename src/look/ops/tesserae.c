/* SPDX-License-Identifier: MIT */
#include "look/tiles.h"

#include <stdlib.h>

/*
 * A mosaic: tiles of stone and glass set by hand into grout, in rows along the picture's edges and
 * smaller where it matters. Each is of one colour, a little off its neighbour's, and lies a little
 * askew: the height says so, for a relief to light.
 */
enum { SIZE, SMALL, GROUT, JOINT, TINT, TILT, PIECES, CHIP };

static const struct look_param PARAM[] = {
    {"size", 4.0f, 40.0f, 13.0f, "side of a tile where nothing is important, units"},
    {"small", 0.3f, 1.0f, 0.55f, "share of that where all is"},
    {"grout", 0.02f, 0.5f, 0.1f, "width of the joints, share of a tile"},
    {"joint", 0.0f, 1.0f, 0.42f, "lightness of the grout"},
    {"tint", 0.0f, 0.3f, 0.07f, "largest random change of a tile's colour, as a share"},
    {"tilt", 0.0f, 0.5f, 0.16f, "largest slope of a tile"},
    {"pieces", 20.0f, 1000.0f, 220.0f, "shapes of the photo that no tile reaches across"},
    {"chip", 0.0f, 1.0f, 0.4f, "how uneven tiles are cut"},
    {0}};

// What a tile brings to each of its pixels.
struct face {
    float lab[LAB];
    float tilt_x, tilt_y, middle_x, middle_y;
    float half; /* of its side, units */
};

struct tesserae {
    struct look_picture *p;
    const float *value;
    struct cells cells;
    struct tiles tiles;
    struct face *face; /* of each tile; owned */
};

static void face_of(void *ctx, int i, int worker)
{
    struct tesserae *s = ctx;
    const struct tile *t = &s->tiles.tile[i];
    uint32_t seed = s->p->variation.seed;
    float tint = 2.0f * s->value[TINT], tilt = 2.0f * s->value[TILT];
    // A little lighter for what the joints take away.
    float light = 1.05f + tint * (noise_point(i, 11, seed) - 0.5f);
    float chroma = 1.0f + 3.0f * tint * (noise_point(i, 12, seed) - 0.5f);
    float hue = 2.0f * tint * (noise_point(i, 13, seed) - 0.5f);

    (void)worker;
    s->face[i] = (struct face){.lab = {clampf(t->lab[0] * light, 0.0f, 1.0f),
                                       chroma * (t->lab[1] - hue * t->lab[2]),
                                       chroma * (t->lab[2] + hue * t->lab[1])},
                               .tilt_x = tilt * (noise_point(i, 14, seed) - 0.5f),
                               .tilt_y = tilt * (noise_point(i, 15, seed) - 0.5f),
                               .middle_x = t->x,
                               .middle_y = t->y,
                               .half = 0.5f * t->size};
}

static const float FAR = 1e9f; /* units; of what is not there */

// A span of pixels and the tiles they are on.
struct laid {
    int n;
    float u[SPAN], v;
    float border[SPAN]; /* units to the next piece; far: large */
    struct tile_spots spot;
    struct face face[SPAN];
    float deep[SPAN]; /* units to the nearest side of the tile: negative in the grout */
};

static void find_tiles(const struct tesserae *s, struct laid *l)
{
    int label[SPAN];

    for (int i = 0; i < l->n; i++) {
        struct cell_spot cell;
        cells_at(&s->cells, l->u[i], l->v, &cell);
        label[i] = cell.label;
        l->border[i] = cell.other >= 0 ? cell.border : FAR;
    }
    tiles_span(&s->tiles, l->u, l->v, label, l->n, &l->spot);
    for (int i = 0; i < l->n; i++)
        l->face[i] = s->face[l->spot.tile[i] < 0 ? 0 : l->spot.tile[i]];
}

static void cut_tiles(const struct tesserae *s, struct laid *l)
{
    float grout = s->value[GROUT], chip = 0.5f * s->value[CHIP], uneven[SPAN];

    span_noise_row(0.2f, l->u, l->v, l->n, s->p->variation.seed + 60u, uneven);
    for (int i = 0; i < l->n; i++) {
        // Tiles keep their square where there is room, and are cut where there is none.
        float half = l->face[i].half, side = half * (1.15f - l->spot.middle[i]);
        float other = 0.5f * half * (l->spot.second[i] - l->spot.distance[i]);
        side = side < other ? side : other;
        // Across a border the runner-up is farther than it looks.
        side = l->border[i] < side ? l->border[i] : side;
        l->deep[i] = l->spot.tile[i] < 0 ? -FAR : side - grout * half + chip * (uneven[i] - 0.5f);
    }
}

static void colour_tiles(const struct tesserae *s, const struct laid *l, struct span_px *px)
{
    uint32_t seed = s->p->variation.seed;
    float soft = 0.6f / s->p->px_per_unit, joint = s->value[JOINT], sand[SPAN];

    span_noise_row(1.0f / 1.3f, l->u, l->v, l->n, seed + 61u, sand);
    for (int i = 0; i < l->n; i++) {
        const struct face *f = &l->face[i];
        float grain = sand[i] - 0.5f, deep = l->deep[i];
        float grout[4] = {joint + 0.1f * grain, 0.006f, 0.014f, 0.25f * grain};
        // Worn round at the sides, smooth but not quite flat on top.
        float edge = smoothf(-0.3f, 1.3f, deep);
        float top = noise_at(l->u[i] / 3.5f, l->v / 3.5f, seed + 62u + (uint32_t)l->spot.tile[i]) -
                    0.5f;
        float askew = f->tilt_x * (l->u[i] - f->middle_x) + f->tilt_y * (l->v - f->middle_y);
        float tile[4] = {f->lab[0] + (0.03f * top + 0.012f * grain), f->lab[1], f->lab[2],
                         edge * (1.3f + 0.25f * top) + askew};
        float cover = smoothf(-soft, soft, deep);
        for (int k = 0; k < 4; k++)
            px->lane[k][i] = mixf(grout[k], tile[k], cover);
    }
}

static void tesserae_row(void *ctx, int y, int worker)
{
    const struct tesserae *s = ctx;
    const struct look_picture *p = s->p;
    struct span_px px;
    struct laid l;

    (void)worker;
    l.v = ((float)y + 0.5f) / p->px_per_unit;
    for (int x = 0; x < p->width; x += SPAN) {
        l.n = span_of(x, p->width);
        for (int i = 0; i < l.n; i++)
            l.u[i] = ((float)(x + i) + 0.5f) / p->px_per_unit;
        find_tiles(s, &l);
        cut_tiles(s, &l);
        colour_tiles(s, &l, &px);
        span_put(picture_row(p, y) + x, l.n, &px);
    }
}

static enum err tesserae_run(struct look_picture *p, const float *value)
{
    struct tesserae s = {.p = p, .value = value};
    enum err e = cells_new(&s.cells, p, value[PIECES], 3, 0.0f);

    if (e == ERR_OK)
        e = tiles_new(&s.tiles, p, &s.cells, value[SIZE] * p->variation.brush, value[SMALL]);
    if (e == ERR_OK && !(s.face = calloc((size_t)s.tiles.count + 1, sizeof(*s.face))))
        e = ERR_NOMEM;
    if (e == ERR_OK && (!pool_run(p->pool, s.tiles.count, face_of, &s, p->cancel) ||
                        !pool_run(p->pool, p->height, tesserae_row, &s, p->cancel)))
        e = ERR_CANCELLED;
    free(s.face);
    tiles_release(&s.tiles);
    cells_release(&s.cells);
    return e;
}

const struct look_op look_op_tesserae = {
    .name = "tesserae",
    .help = "a mosaic: tiles set into grout in rows along the picture's edges",
    .param = PARAM,
    .needs = NEED_FLOW | NEED_ABSTRACT | NEED_IMPORTANCE,
    .cost_ms = 147,
    .scratch_bytes = 6,
    .covers = true,
    .run = tesserae_run,
};
