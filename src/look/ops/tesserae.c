/* SPDX-License-Identifier: MIT */
#include "look/noise.h"
#include "look/tiles.h"

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

struct tesserae {
    struct look_picture *p;
    const float *value;
    struct cells cells;
    struct tiles tiles;
};

// Units from a place to the nearest side of its tile: negative in the grout.
static float inside(const struct tesserae *s, float x, float y, const struct cell_spot *cell,
                    struct tile_spot *spot)
{
    const float *value = s->value;
    uint32_t seed = s->p->variation.seed;

    tiles_at(&s->tiles, x, y, cell->label, spot);
    if (spot->tile < 0)
        return -1.0f;
    const struct tile *t = &s->tiles.tile[spot->tile];
    // Tiles keep their square where there is room, and are cut where there is none.
    float half = 0.5f * t->size, grout = 0.5f * value[GROUT] * t->size;
    float cut = 0.5f * value[CHIP] * (noise_at(x / 5.0f, y / 5.0f, seed + 60u) - 0.5f);
    float side = half * (1.15f - tile_distance(t, x, y));
    float other = 0.5f * half * (spot->second - spot->distance);
    side = side < other ? side : other;
    // Across a border the runner-up is farther than it looks.
    side = cell->other >= 0 && cell->border < side ? cell->border : side;
    return side - grout + cut;
}

static lane4 tile_colour(const struct tesserae *s, int i)
{
    const struct tile *t = &s->tiles.tile[i];
    uint32_t seed = s->p->variation.seed;
    float tint = 2.0f * s->value[TINT];
    // A little lighter for what the joints take away.
    float light = 1.05f + tint * (noise_point(i, 11, seed) - 0.5f);
    float chroma = 1.0f + 3.0f * tint * (noise_point(i, 12, seed) - 0.5f);
    float hue = 2.0f * tint * (noise_point(i, 13, seed) - 0.5f);

    return (lane4){clampf(t->lab[0] * light, 0.0f, 1.0f), chroma * (t->lab[1] - hue * t->lab[2]),
                   chroma * (t->lab[2] + hue * t->lab[1]), 0.0f};
}

static void tesserae_row(void *ctx, int y, int worker)
{
    const struct tesserae *s = ctx;
    struct look_picture *p = s->p;
    const float *value = s->value;
    uint32_t seed = p->variation.seed;
    lane4 *row = picture_row(p, y);
    float soft = 0.6f / p->px_per_unit;

    (void)worker;
    for (int x = 0; x < p->width; x++) {
        float u = ((float)x + 0.5f) / p->px_per_unit, v = ((float)y + 0.5f) / p->px_per_unit;
        struct cell_spot cell;
        struct tile_spot spot;
        cells_at(&s->cells, u, v, &cell);
        float deep = inside(s, u, v, &cell, &spot);
        float sand = noise_at(u / 1.3f, v / 1.3f, seed + 61u) - 0.5f;
        lane4 grout = {value[JOINT] + 0.1f * sand, 0.006f, 0.014f, 0.25f * sand};
        if (spot.tile < 0 || deep < -soft) {
            row[x] = grout;
            continue;
        }
        const struct tile *t = &s->tiles.tile[spot.tile];
        lane4 tile = tile_colour(s, spot.tile);
        float tx = value[TILT] * 2.0f * (noise_point(spot.tile, 14, seed) - 0.5f);
        float ty = value[TILT] * 2.0f * (noise_point(spot.tile, 15, seed) - 0.5f);
        // Worn round at the sides, smooth but not quite flat on top.
        float edge = smoothf(-0.3f, 1.3f, deep);
        float face = noise_at(u / 3.5f, v / 3.5f, seed + 62u + (uint32_t)spot.tile) - 0.5f;
        tile[0] += 0.03f * face + 0.012f * sand;
        tile[3] = edge * (1.3f + 0.25f * face) + tx * (u - t->x) + ty * (v - t->y);
        float cover = smoothf(-soft, soft, deep);
        for (int k = 0; k < 4; k++)
            row[x][k] = mixf(grout[k], tile[k], cover);
    }
}

static enum err tesserae_run(struct look_picture *p, const float *value)
{
    struct tesserae s = {.p = p, .value = value};
    enum err e = cells_new(&s.cells, p, value[PIECES], 3, 0.0f);

    if (e == ERR_OK)
        e = tiles_new(&s.tiles, p, &s.cells, value[SIZE] * p->variation.brush, value[SMALL]);
    if (e == ERR_OK && !pool_run(p->pool, p->height, tesserae_row, &s, p->cancel))
        e = ERR_CANCELLED;
    tiles_release(&s.tiles);
    cells_release(&s.cells);
    return e;
}

const struct look_op look_op_tesserae = {
    .name = "tesserae",
    .help = "a mosaic: tiles set into grout in rows along the picture's edges",
    .param = PARAM,
    .needs = NEED_FLOW | NEED_ABSTRACT | NEED_IMPORTANCE,
    .cost_ms = 300,
    .scratch_bytes = 6,
    .covers = true,
    .run = tesserae_run,
};
