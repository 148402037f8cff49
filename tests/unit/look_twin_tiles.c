/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

#include "look/tiles.h"

/* A mosaic's tiles: where they lie, and what of each is seen. */

/* The plain way to lay tiles: each new one is held against all that lie. In floats as there, since
 * each lies where the ones before it have left room. */
struct mosaic {
    const struct look_picture *p;
    const struct cells *c;
    float size, small, width, height;
    struct tile *tile;
    int count;
};

enum { TILES_MAX = 4096 };

static bool put(struct mosaic *l, float x, float y, float apart)
{
    struct tile k = {.x = x, .y = y};

    if (!(x >= 0.0f && y >= 0.0f && x < l->width && y < l->height))
        return false;
    k.size = tile_side(l->p, l->size, l->small, x, y);
    k.per = 2.0f / k.size;
    tile_turn(l->p, &k);
    for (int i = 0; i < l->count; i++)
        if (tile_distance(&k, l->tile[i].x, l->tile[i].y) * k.size <
            apart * (k.size + l->tile[i].size))
            return false;
    assert_true(l->count < TILES_MAX);
    l->tile[l->count++] = k;
    return true;
}

// Ahead, behind, to the right, to the left.
static bool put_beside(struct mosaic *l, struct tile k, int side)
{
    float sign = side % 2 ? -1.0f : 1.0f;
    float dx = sign * (side < 2 ? k.c : -k.s), dy = sign * (side < 2 ? k.s : k.c);
    float other = tile_side(l->p, l->size, l->small, k.x + k.size * dx, k.y + k.size * dy);
    float step = 0.5f * (k.size + other);

    return put(l, k.x + step * dx, k.y + step * dy, 0.87f);
}

static bool on_outline(const struct mosaic *l, float x, float y, float slack)
{
    struct cell_spot spot;
    float half = 0.5f * tile_side(l->p, l->size, l->small, x, y), most = 1.6f * l->c->sigma;

    cells_at(l->c, x, y, &spot);
    return spot.other >= 0 && fabsf(spot.border - (half < most ? half : most)) < slack;
}

// Outlines, then beside every tile that lies, then the gaps.
static void lay(struct mosaic *l)
{
    for (float y = 2.0f; y < l->height; y += 4.0f)
        for (float x = 2.0f; x < l->width; x += 4.0f) {
            if (!on_outline(l, x, y, 1.0f) || !put(l, x, y, 0.87f))
                continue;
            struct tile first = l->tile[l->count - 1];
            for (int side = 0; side < 2; side++) {
                struct tile at = first;
                while (put_beside(l, at, side)) {
                    at = l->tile[l->count - 1];
                    if (!on_outline(l, at.x, at.y, 2.0f))
                        break;
                }
            }
        }
    if (l->count == 0)
        put(l, 0.5f * l->width, 0.5f * l->height, 0.87f);
    for (int i = 0; i < l->count; i++)
        for (int side = 0; side < 4; side++)
            put_beside(l, l->tile[i], side);
    float step = 0.25f * l->size;
    for (float y = 0.5f * step; y < l->height; y += step)
        for (float x = 0.5f * step; x < l->width; x += step)
            put(l, x, y, 0.72f);
}

/* The nearest tile, those across the border of a piece one farther; a tile is no place's that is
 * farther than its own size, to the next whole block. */
struct found {
    int tile;
    double distance, second;
};

static bool within(double middle, double reach, double at, double block)
{
    return floor(at / block) >= floor((middle - reach) / block) &&
           floor(at / block) <= floor((middle + reach) / block);
}

static struct found find(const struct tile *tile, int count, double block, double x, double y,
                         int label)
{
    struct found f = {.tile = -1, .distance = 1e9, .second = 1e9};

    for (int i = 0; i < count; i++) {
        double dx = x - (double)tile[i].x, dy = y - (double)tile[i].y;
        double c = (double)tile[i].c, s = (double)tile[i].s;
        double far = 2.0 * fmax(fabs(dx * c + dy * s), fabs(dy * c - dx * s)) /
                         (double)tile[i].size +
                     (tile[i].label == label ? 0.0 : 1.0);
        if (!within((double)tile[i].x, (double)tile[i].size, x, block) ||
            !within((double)tile[i].y, (double)tile[i].size, y, block))
            continue;
        if (far < f.distance) {
            f.second = f.distance;
            f.distance = far;
            f.tile = i;
        } else if (far < f.second) {
            f.second = far;
        }
    }
    return f;
}

static void settle(const struct mosaic *l)
{
    for (int i = 0; i < l->count; i++) {
        struct tile *k = &l->tile[i];
        struct cell_spot spot;
        cells_at(l->c, k->x, k->y, &spot);
        k->label = spot.label;
        k->size = tile_side(l->p, l->size, l->small, k->x, k->y);
        k->per = 2.0f / k->size;
        tile_turn(l->p, k);
    }
}

// Twice each goes to the middle of the pixels that are its own, and takes their colour.
static void move_tiles(const struct mosaic *l, struct desk *d)
{
    const struct cells *c = l->c;
    double unit = 1.0 / (double)c->per_unit;

    settle(l);
    for (int round = 0; round < 2; round++) {
        double(*sum)[6] = tw_take(d, (size_t)l->count, sizeof(*sum));
        for (int i = 0; i < c->width * c->height; i++) {
            double x = (i % c->width + 0.5) * unit, y = (i / c->width + 0.5) * unit;
            struct found at = find(l->tile, l->count, 3.0 * unit, x, y, c->at[i].label[0]);
            if (at.tile < 0)
                continue;
            sum[at.tile][0]++;
            sum[at.tile][1] += x;
            sum[at.tile][2] += y;
            for (int k = 0; k < LAB; k++)
                sum[at.tile][3 + k] += (double)l->p->maps->half[k].px[i];
        }
        for (int i = 0; i < l->count; i++) {
            struct tile *t = &l->tile[i];
            double n = sum[i][0];
            t->x = n > 0.0 ? (float)(sum[i][1] / n) : t->x;
            t->y = n > 0.0 ? (float)(sum[i][2] / n) : t->y;
            for (int k = 0; k < LAB; k++)
                t->lab[k] = n > 0.0 ? (float)(sum[i][3 + k] / n)
                                    : plane_near(&l->p->maps->half[k], t->x * c->per_unit,
                                                 t->y * c->per_unit);
        }
        settle(l);
    }
}

static void mosaic_open(struct mosaic *l, struct desk *d, const struct look_picture *p,
                        const struct cells *c, float size, float small)
{
    *l = (struct mosaic){.p = p, .c = c, .size = size, .small = small};
    l->width = (float)p->width / p->px_per_unit;
    l->height = (float)p->height / p->px_per_unit;
    l->tile = tw_take(d, TILES_MAX, sizeof(*l->tile));
    lay(l);
}

// The same tiles in the same order, to the last bit; and where they lie once they have moved.
static void tiles_are_as_their_twin(const struct fixture *f)
{
    static const float SIZE[] = {5.0f, 13.0f, 30.0f};

    for (int scene = 0; scene < TWIN_SCENES; scene++)
        for (int i = 0; i < 3; i++) {
            struct bench b;
            struct desk d = {.n = 0};
            struct cells cells;
            struct tiles laid = {.cells = &cells}, got;
            struct mosaic want;
            int off = 0;
            tw_bench(&b, f, "tesserae", scene, 120, 96, 1.0f);
            assert_int_equal(cells_new(&cells, &b.p, 12.0f, 3, 0.0f), ERR_OK);
            assert_int_equal(tiles_lay(&laid, &b.p, SIZE[i], 0.5f), ERR_OK);
            mosaic_open(&want, &d, &b.p, &cells, SIZE[i], 0.5f);
            assert_int_equal(laid.count, want.count);
            for (int k = 0; k < want.count; k++)
                assert_memory_equal(&laid.tile[k], &want.tile[k], offsetof(struct tile, label));
            move_tiles(&want, &d);
            assert_int_equal(tiles_new(&got, &b.p, &cells, SIZE[i], 0.5f), ERR_OK);
            assert_int_equal(got.count, want.count);
            for (int k = 0; k < want.count; k++)
                off += fabsf(got.tile[k].x - want.tile[k].x) +
                           fabsf(got.tile[k].y - want.tile[k].y) +
                           fabsf(got.tile[k].lab[0] - want.tile[k].lab[0]) >
                       0.01f;
            if (off * 50 > want.count)
                fail_msg("%d of %d tiles of %g lie elsewhere", off, want.count, (double)SIZE[i]);
            free(laid.tile);
            tiles_release(&got);
            cells_release(&cells);
            desk_clear(&d);
            bench_close(&b);
        }
}

static void tile_colour(const struct bench *b, const struct tile *t, int i, double lab[LAB])
{
    uint32_t seed = b->p.variation.seed;
    double tint = 2.0 * tw_value(b, "tint"),
           hue = 2.0 * tint * ((double)noise_point(i, 13, seed) - 0.5);
    double chroma = 1.0 + 3.0 * tint * ((double)noise_point(i, 12, seed) - 0.5);
    double light = 1.05 + tint * ((double)noise_point(i, 11, seed) - 0.5);

    lab[0] = tw_clamp((double)t->lab[0] * light, 0.0, 1.0);
    lab[1] = chroma * ((double)t->lab[1] - hue * (double)t->lab[2]);
    lab[2] = chroma * ((double)t->lab[2] + hue * (double)t->lab[1]);
}

// How deep a place lies in its tile: from the tile's own side, the next tile, the piece's border.
static double depth_in(const struct bench *b, const struct tile *t, const struct found *f,
                       const struct cell_spot *cell, double u, double v)
{
    double half = 0.5 * (double)t->size, c = (double)t->c, s = (double)t->s;
    double dx = u - (double)t->x, dy = v - (double)t->y;
    double own = fmax(fabs(dx * c + dy * s), fabs(dy * c - dx * s)) / half;
    double side = fmin(half * (1.15 - own), 0.5 * half * (f->second - f->distance));
    double chip = 0.5 * tw_value(b, "chip") *
                  (tw_noise(u / 5.0, v / 5.0, b->p.variation.seed + 60) - 0.5);

    if (cell->other >= 0)
        side = fmin(side, (double)cell->border);
    return side - tw_value(b, "grout") * half + chip;
}

static void tessera(const struct bench *b, const struct cells *cells, const struct tiles *tiles,
                    double u, double v, double out[4])
{
    uint32_t seed = b->p.variation.seed;
    double soft = 0.6 / (double)b->p.px_per_unit, tilt = 2.0 * tw_value(b, "tilt"), lab[LAB];
    double sand = tw_noise(u / 1.3, v / 1.3, seed + 61) - 0.5;
    struct cell_spot cell;

    cells_at(cells, (float)u, (float)v, &cell);
    struct found f =
        find(tiles->tile, tiles->count, 3.0 / (double)cells->per_unit, u, v, cell.label);
    out[0] = tw_value(b, "joint") + 0.1 * sand;
    out[1] = 0.006;
    out[2] = 0.014;
    out[3] = 0.25 * sand;
    if (f.tile < 0)
        return;
    const struct tile *t = &tiles->tile[f.tile];
    double deep = depth_in(b, t, &f, &cell, u, v), cover = tw_smooth(-soft, soft, deep);
    double face = tw_noise(u / 3.5, v / 3.5, seed + 62 + (uint32_t)f.tile) - 0.5;
    tile_colour(b, t, f.tile, lab);
    out[0] = tw_mix(out[0], lab[0] + 0.03 * face + 0.012 * sand, cover);
    out[1] = tw_mix(out[1], lab[1], cover);
    out[2] = tw_mix(out[2], lab[2], cover);
    out[3] = tw_mix(out[3],
                    tw_smooth(-0.3, 1.3, deep) * (1.3 + 0.25 * face) +
                        tilt * ((double)noise_point(f.tile, 14, seed) - 0.5) * (u - (double)t->x) +
                        tilt * ((double)noise_point(f.tile, 15, seed) - 0.5) * (v - (double)t->y),
                    cover);
}

static void tesserae(const struct bench *b, struct desk *d, const lane4 *before, struct grid out[4])
{
    double unit = (double)b->p.px_per_unit, at[4];
    struct cells cells;
    struct tiles tiles;

    (void)before, (void)d;
    assert_int_equal(cells_new(&cells, &b->p, (float)tw_value(b, "pieces"), 3, 0.0f), ERR_OK);
    assert_int_equal(tiles_new(&tiles, &b->p, &cells,
                               (float)tw_value(b, "size") * b->p.variation.brush,
                               (float)tw_value(b, "small")),
                     ERR_OK);
    for (int y = 0; y < b->p.height; y++)
        for (int x = 0; x < b->p.width; x++) {
            tessera(b, &cells, &tiles, (x + 0.5) / unit, (y + 0.5) / unit, at);
            for (int k = 0; k < 4; k++)
                *tw_cell(&out[k], x, y) = at[k];
        }
    tiles_release(&tiles);
    cells_release(&cells);
}

const struct twin look_twins_tiles[] = {
    {"tiles", .part = tiles_are_as_their_twin},
    {"tesserae", .whole = tesserae, .near = 1e-3, .rare = 0.002,
     .set = TWIN_SET({"pieces", 20.0f})},
    {"tesserae", .whole = tesserae, .near = 1e-3, .rare = 0.002,
     .set = TWIN_SET({"pieces", 40.0f}, {"size", 30.0f}, {"tilt", 0.5f}, {"tint", 0.3f},
                     {"chip", 1.0f}, {"small", 1.0f}, {"grout", 0.4f}, {"joint", 0.9f})},
    {0},
};
