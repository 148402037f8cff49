/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

#include "look/mood_scene.h"
#include "look/tiles.h"

#include <float.h>

/* What fills the pieces of look_twin_cells.c: glass with its lead, and tiles. */

/* A pane: its colour, from the strongest of its place, and the way of its streaks. */
struct pane {
    double n, weight, c[LAB], dx, dy;
};

static void choose_pane(const struct bench *b, int i, struct pane *t)
{
    uint32_t seed = b->p.variation.seed;
    double n = fmax(t->n, 1.0), weight = t->n > 0.0 ? t->weight : 1.0;
    double L = tw_clamp(t->c[0] / n, 0.0, 1.0), p = t->c[1] / weight, q = t->c[2] / weight;
    double C = hypot(p, q) + 1e-6, hue = 0.22 * ((double)noise_point(i, 2, seed) - 0.5);
    double gain = tw_value(b, "chroma") * (1.0 + 0.0175 * C / (C * C + 0.0008)) *
                  (1.0 + 0.3 * ((double)noise_point(i, 3, seed) - 0.5));
    double cast = tw_value(b, "tint") * (1.0 - tw_smooth(0.01, 0.06, C));
    double tint = 2.0 * M_PI * (0.2 + 0.55 * (double)noise_point(i, 5, seed));
    double way = 2.0 * M_PI * (double)noise_point(i, 4, seed);

    t->c[0] = tw_clamp(L + tw_value(b, "clear") * (1.0 - L) * (0.35 + 0.65 * L) +
                           0.05 * ((double)noise_point(i, 1, seed) - 0.5),
                       0.12, 0.97);
    t->c[1] = gain * (p - hue * q) + cast * cos(tint);
    t->c[2] = gain * (q + hue * p) + cast * sin(tint);
    t->dx = cos(way);
    t->dy = sin(way);
}

static struct pane *panes_of(const struct bench *b, struct desk *d, const struct cells *c)
{
    struct pane *pane = tw_take(d, (size_t)c->count, sizeof(*pane));
    const struct plane *half = b->p.maps->half;

    for (int i = 0; i < c->width * c->height; i++) {
        struct pane *t = &pane[c->at[i].label[0]];
        double p = (double)half[1].px[i], q = (double)half[2].px[i], weight = 0.02 + hypot(p, q);
        t->n++;
        t->weight += weight;
        t->c[0] += (double)half[0].px[i];
        t->c[1] += weight * p;
        t->c[2] += weight * q;
    }
    for (int i = 0; i < c->count; i++)
        choose_pane(b, i, &pane[i]);
    return pane;
}

// Bubbles: one to a cell of 15 units at most, bright with a dark rim, drawn out along the sheet.
static double bubble(const struct bench *b, const struct pane *t, double u, double v)
{
    uint32_t seed = b->p.variation.seed + 77;
    int i = (int)floor(u / 15.0), j = (int)floor(v / 15.0);
    double r = 0.8 + 1.3 * (double)noise_point(i, j, seed + 1);
    double x = u - 15.0 * (i + 0.3 + 0.4 * (double)noise_point(i, j, seed + 2));
    double y = v - 15.0 * (j + 0.3 + 0.4 * (double)noise_point(i, j, seed + 3));
    double far = pow((x * t->dx + y * t->dy) / (1.8 * r), 2.0) +
                 pow((y * t->dx - x * t->dy) / r, 2.0);

    if ((double)noise_point(i, j, seed) > tw_value(b, "seeds"))
        return 0.0;
    return 0.08 * (1.0 - tw_smooth(0.0, 0.7, far)) -
           0.07 * tw_smooth(0.4, 1.0, far) * (1.0 - tw_smooth(1.2, 2.6, far));
}

static double streak(const struct bench *b, const struct pane *t, int label, double u, double v)
{
    uint32_t seed = b->p.variation.seed + 40 + (uint32_t)label;
    double along = u * t->dx + v * t->dy;
    double across = v * t->dx - u * t->dy + 14.0 * tw_noise(u / 70.0, v / 70.0, seed);

    return 0.6 * (tw_noise(along / 90.0, across / 11.0, seed) - 0.5) +
           0.4 * (tw_noise(along / 40.0, across / 4.0, seed + 1) - 0.5) +
           0.5 * (tw_noise(u / 55.0, v / 55.0, seed + 2) - 0.5);
}

static void glass_at(const struct bench *b, const struct cells *cells, const struct pane *pane,
                     double u, double v, double out[4])
{
    const struct look_picture *p = &b->p;
    const struct look_maps *m = p->maps;
    struct cell_spot spot;

    cells_at(cells, (float)u, (float)v, &spot);
    const struct pane *t = &pane[spot.label];
    double matters = tw_smooth(0.12, 0.55, tw_half(p, &m->importance, u, v));
    double fine = 0.5 * (tw_full(p, &m->full[0], u, v) + tw_full(p, &m->fine[0], u, v));
    double shape = tw_mix(tw_half(p, &m->mid[0], u, v), fine, 0.15 + 0.85 * matters);
    double matt = tw_clamp(shape - t->c[0] + 0.06, -0.5, 0.22) *
                  tw_mix(tw_value(b, "matt"), 1.0, 0.6 * matters);
    double uneven = tw_value(b, "streaks") * streak(b, t, spot.label, u, v);
    double day = tw_clouds(u, v, 420.0, p->variation.seed + 21);
    double deep = tw_clamp(1.0 + 0.9 * matt - 0.5 * uneven, 0.3, 1.6);
    double line = tw_value(b, "lines") * tw_smooth(0.2, 0.65, tw_full(p, &m->lines, u, v)) *
                  (0.25 + 0.75 * matters);
    double L = t->c[0] + matt + 0.22 * uneven + 0.042 * day + bubble(b, t, u, v);
    out[0] = tw_clamp(tw_mix(L, 0.13, line), 0.0, 1.0);
    out[1] = tw_mix(t->c[1] * deep, 0.012, line);
    out[2] = tw_mix(t->c[2] * deep, 0.016, line);
    out[3] = (double)spot.border;
}

static void glass(const struct bench *b, struct desk *d, const lane4 *before, struct grid out[4])
{
    double unit = (double)b->p.px_per_unit, at[4];
    float brush = b->p.variation.brush;
    struct cells cells;

    (void)before;
    assert_int_equal(
        cells_new(&cells, &b->p,
                  clampf((float)tw_value(b, "pieces") / (brush * brush), 4.0f, 1000.0f), 7,
                  (float)tw_value(b, "quarry") * brush),
        ERR_OK);
    const struct pane *pane = panes_of(b, d, &cells);
    for (int y = 0; y < b->p.height; y++)
        for (int x = 0; x < b->p.width; x++) {
            glass_at(b, &cells, pane, (x + 0.5) / unit, (y + 0.5) / unit, at);
            for (int k = 0; k < 4; k++)
                *tw_cell(&out[k], x, y) = at[k];
        }
    cells_release(&cells);
}

// Units to the middle of the nearest lead: between panes, or around the picture.
static double lead(const struct bench *b, const lane4 *before, int x, int y)
{
    int w = b->p.width, h = b->p.height, left = x < w - 1 - x ? x : w - 1 - x;
    int top = y < h - 1 - y ? y : h - 1 - y;
    double rim = ((left < top ? left : top) + 0.5) / (double)b->p.px_per_unit;
    double half = 0.5 * tw_value(b, "frame") + 1e-6;

    return fmin((double)before[clampi(y, 0, h - 1) * w + clampi(x, 0, w - 1)][3],
                tw_value(b, "width") * fabs(rim - half) / half);
}

// Its cross section is half a circle.
static double height_of(const struct bench *b, const lane4 *before, int x, int y)
{
    double t = lead(b, before, x, y) / tw_value(b, "width");

    return tw_value(b, "width") * sqrt(fmax(1.0 - t * t, 0.0));
}

static double lead_light(const struct bench *b, const lane4 *before, int x, int y)
{
    const struct look_variation *v = &b->p.variation;
    double unit = (double)b->p.px_per_unit;
    double gx = 0.5 * unit * (height_of(b, before, x + 1, y) - height_of(b, before, x - 1, y));
    double gy = 0.5 * unit * (height_of(b, before, x, y + 1) - height_of(b, before, x, y - 1));
    double lit = tw_clamp((0.55 - 0.7 * (gx * (double)v->light_x + gy * (double)v->light_y)) /
                              sqrt(1.0 + gx * gx + gy * gy),
                          0.0, 1.0);

    return (0.003 + 0.014 * lit + 0.09 * pow(lit, 8.0)) *
           (0.75 + 0.5 * tw_noise(x / unit / 2.2, y / unit / 2.2, v->seed + 3));
}

// The light of the glass, R, G, B.
static void glass_light(const lane4 *px, double rgb[3])
{
    double lab[LAB] = {(double)(*px)[0], (double)(*px)[1], (double)(*px)[2]};

    tw_linear(lab, rgb);
    for (int k = 0; k < 3; k++)
        rgb[k] = tw_clamp(rgb[k], 0.0, 1.0);
}

static void came(const struct bench *b, struct desk *d, const lane4 *before, struct grid out[4])
{
    static const double TINT[3] = {1.0, 1.03, 1.12};
    double unit = (double)b->p.px_per_unit, w = tw_value(b, "width"), soft = 0.6 / unit, rgb[3];
    struct grid glow[3];

    for (int k = 0; k < 3; k++)
        glow[k] = tw_grid(d, b->p.width, b->p.height);
    for (int y = 0; y < b->p.height; y++)
        for (int x = 0; x < b->p.width; x++) {
            glass_light(&before[y * b->p.width + x], rgb);
            for (int k = 0; k < 3; k++)
                *tw_cell(&glow[k], x, y) = lead(b, before, x, y) > w ? rgb[k] * rgb[k] : 0.0;
        }
    for (int k = 0; k < 3; k++)
        glow[k] = tw_blur(d, glow[k], 7.0 * unit);
    for (int y = 0; y < b->p.height; y++)
        for (int x = 0; x < b->p.width; x++) {
            double far = lead(b, before, x, y), dull = lead_light(b, before, x, y);
            double cover = 1.0 - tw_smooth(w - soft, w + soft, far);
            double clean = 1.0 - tw_value(b, "putty") * (1.0 - tw_smooth(w, w + 3.0, far));
            glass_light(&before[y * b->p.width + x], rgb);
            for (int k = 0; k < 3; k++) {
                double v = tw_mix(tw_value(b, "day") * rgb[k] * clean, TINT[k] * dull, cover) +
                           tw_value(b, "bloom") * *tw_cell(&glow[k], x, y);
                *tw_cell(&out[k], x, y) = v > 0.75 ? 0.75 + 0.25 * (v - 0.75) / (v - 0.5) : v;
            }
        }
}

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

const struct twin look_twins_panes[] = {
    {"tiles", .part = tiles_are_as_their_twin},
    // A pane's number seeds its streaks, so one at a border may be another's altogether.
    {"glass", .whole = glass, .near = 1e-3, .rare = 0.002,
     .set = TWIN_SET({"pieces", 20.0f}, {"quarry", 0.0f})},
    {"glass", .whole = glass, .near = 5e-3, .rare = 0.002,
     .set = TWIN_SET({"quarry", 20.0f}, {"seeds", 1.0f}, {"tint", 0.1f}, {"streaks", 1.0f})},
    {"came", .whole = came, .near = 1e-4, .set = TWIN_SET({"bloom", 0.0f})},
    {"came", .whole = came, .near = 1e-4,
     .set = TWIN_SET({"bloom", 0.0f}, {"width", 0.5f}, {"frame", 20.0f}, {"day", 3.0f})},
    // What spreads is kept coarsely.
    {"came", .whole = came, .near = 0.05, .set = TWIN_SET({"bloom", 1.0f}, {"width", 0.5f})},
    {"tesserae", .whole = tesserae, .near = 1e-3, .rare = 0.01, .set = TWIN_SET({"pieces", 20.0f})},
    {"tesserae", .whole = tesserae, .near = 1e-3, .rare = 0.01,
     .set = TWIN_SET({"pieces", 40.0f}, {"size", 30.0f}, {"tilt", 0.5f}, {"tint", 0.3f},
                     {"chip", 1.0f})},
    {0},
};
