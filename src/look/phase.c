/* SPDX-License-Identifier: MIT */
#include "look/phase.h"

#include "base/buf.h"
#include "look/noise.h"

#include <stdlib.h>

enum { REACH = 2 };                       /* cells over which pieces overlap */
enum { RELAX = 2 };                       /* rounds of agreement after the first */
enum { COLOURS = REACH + 1 };             /* rows this far apart do not read each other */
static const float WINDOW = (float)REACH; /* radius of a piece, cells */

struct piece {
    float x, y;   /* cells */
    float nx, ny; /* unit vector across the lines */
    float phase;  /* turns, at (x, y) */
};

struct field {
    const struct look_picture *p;
    const struct phase_kind *kind;
    struct plane c, s; /* smoothed direction, twice its angle; half size */
    struct piece *piece;
    int columns, rows;
    float cell_px;
    float waves; /* lines per cell */
    int colour;  /* of the rows at work */
    struct plane *out;
};

static void weigh_row(void *ctx, int y, int worker)
{
    struct field *f = ctx;
    const struct look_maps *m = f->p->maps;
    const float *clear = plane_row(&m->coherence, y);
    const float *c = plane_row(&m->flow_c, y), *s = plane_row(&m->flow_s, y);

    (void)worker;
    for (int x = 0; x < f->c.width; x++) {
        plane_row(&f->c, y)[x] = c[x] * clear[x];
        plane_row(&f->s, y)[x] = s[x] * clear[x];
    }
}

static enum err smooth_direction(struct field *f)
{
    const struct look_maps *m = f->p->maps;
    struct blur_scratch scratch = {0};
    float sigma = f->kind->smooth * m->half_per_unit;
    int w = m->flow_c.width, h = m->flow_c.height;
    enum err e = plane_new(&f->c, w, h);

    if (e == ERR_OK)
        e = plane_new(&f->s, w, h);
    if (e == ERR_OK)
        e = blur_scratch_new(&scratch, w, h, f->p->pool, f->p->cancel);
    if (e == ERR_OK &&
        (!pool_run(f->p->pool, h, weigh_row, f, f->p->cancel) ||
         !plane_blur(&f->c, &f->c, sigma, &scratch) || !plane_blur(&f->s, &f->s, sigma, &scratch)))
        e = ERR_CANCELLED;
    blur_scratch_release(&scratch);
    return e;
}

static struct piece *piece_at(const struct field *f, int i, int j)
{
    return &f->piece[(size_t)j * (size_t)f->columns + (size_t)i];
}

static void place_row(void *ctx, int j, int worker)
{
    struct field *f = ctx;
    const struct phase_kind *k = f->kind;
    float scale = k->cell * f->p->maps->half_per_unit, base_c, base_s, turn_c, turn_s;

    (void)worker;
    turn_approx(2.0f * k->angle, &base_c, &base_s);
    turn_approx(k->turn, &turn_c, &turn_s);
    for (int i = 0; i < f->columns; i++) {
        struct piece *q = piece_at(f, i, j);
        q->x = (float)i + noise_point(i, 2 * j, k->seed);
        q->y = (float)j + noise_point(i, 2 * j + 1, k->seed);
        struct plane_place w = plane_place(&f->c, q->x * scale, q->y * scale);
        float c = plane_mix(&f->c, &w), s = plane_mix(&f->s, &w);
        // Weak texture turns no lines: only forms do.
        float form = k->follow * smoothf(0.08f, 0.3f, sqrtf(c * c + s * s));
        c = form * c + 0.2f * (1.0f - form) * base_c;
        s = form * s + 0.2f * (1.0f - form) * base_s;
        float n = sqrtf(c * c + s * s) + 1e-6f, tx, ty;
        half_angle(c / n, s / n, &tx, &ty);
        q->nx = -(tx * turn_s + ty * turn_c);
        q->ny = tx * turn_c - ty * turn_s;
        q->phase = 0.0f;
    }
}

static float window(float d)
{
    float t = 1.0f - d * d * (1.0f / (WINDOW * WINDOW));

    return t > 0.0f ? t * t : 0.0f;
}

// An angle in turns, -.5...5, of any vector.
static float turns_of(float c, float s)
{
    float ac = fabsf(c), as = fabsf(s), lo = ac < as ? ac : as, hi = ac < as ? as : ac;
    float t = lo / (hi + 1e-20f), t2 = t * t;
    // Arc tangent on 0..1 (Abramowitz & Stegun 4.4.49), over a turn.
    float a = t * (0.15915f - t2 * (0.05258f - t2 * (0.02851f - t2 * 0.01018f)));

    a = ac < as ? 0.25f - a : a;
    a = c < 0.0f ? 0.5f - a : a;
    return s < 0.0f ? -a : a;
}

/*
 * The phase that a piece would have if it went on from its neighbours. A direction and its opposite
 * are the same line, so a neighbour that points the other way counts with its phase turned over.
 * Between two places the lines run as the mean of their directions says.
 */
static void agree(const struct field *f, int i, int j, bool only_before)
{
    struct piece *q = piece_at(f, i, j);
    float sum_c = 0.0f, sum_s = 0.0f;

    for (int b = j - REACH; b <= (only_before ? j : j + REACH); b++)
        for (int a = i - REACH; a <= i + REACH; a++) {
            if (a < 0 || b < 0 || a >= f->columns || b >= f->rows || (a == i && b == j) ||
                (only_before && b == j && a > i))
                continue;
            const struct piece *o = piece_at(f, a, b);
            float dx = q->x - o->x, dy = q->y - o->y, same = q->nx * o->nx + q->ny * o->ny;
            float w = window(dx) * window(dy) * same * same;
            if (w <= 1e-4f)
                continue;
            float sign = same < 0.0f ? -1.0f : 1.0f, c, s;
            float along = 0.5f * (dx * (q->nx + sign * o->nx) + dy * (q->ny + sign * o->ny));
            turn_approx(sign * o->phase + f->waves * along, &c, &s);
            sum_c += w * c;
            sum_s += w * s;
        }
    if (sum_c * sum_c + sum_s * sum_s > 1e-6f)
        q->phase = turns_of(sum_c, sum_s);
}

static void agree_row(void *ctx, int index, int worker)
{
    const struct field *f = ctx;
    int j = index * COLOURS + f->colour;

    (void)worker;
    for (int i = 0; i < f->columns && j < f->rows; i++)
        agree(f, i, j, false);
}

// Row by row first, each piece going on from those before it; then all by turns.
static bool agree_all(struct field *f)
{
    for (int j = 0; j < f->rows; j++)
        for (int i = 0; i < f->columns; i++)
            agree(f, i, j, true);
    for (int round = 0; round < RELAX; round++)
        for (f->colour = 0; f->colour < COLOURS; f->colour++)
            if (!pool_run(f->p->pool, (f->rows + COLOURS - 1) / COLOURS, agree_row, f,
                          f->p->cancel))
                return false;
    return true;
}

// Pixels of one cell hear the same pieces.
enum { PART = 32 }; /* large cells are worked on in parts, to keep the buffers small */

struct wave {
    float c[PART], s[PART]; /* along x or y, windowed */
};

// `turns` at the first pixel, then `step` more at each.
static void wave_along(struct wave *w, int n, float turns, float step, float d, float d_step)
{
    float c, s, dc, ds;

    turn_approx(turns, &c, &s);
    turn_approx(step, &dc, &ds);
    for (int i = 0; i < n; i++) {
        float at = window(d + (float)i * d_step), next = c * dc - s * ds;
        w->c[i] = at * c;
        w->s[i] = at * s;
        s = c * ds + s * dc;
        c = next;
    }
}

// Distance from the line's middle, of a phase by its cosine: arc cosine over pi (Abramowitz &
// Stegun 4.4.45).
static float distance_of(float c)
{
    float x = fabsf(c);
    float a = sqrtf(1.0f - x) * (0.49999f - x * (0.067518f - x * (0.023638f - x * 0.0059617f)));

    return c < 0.0f ? 1.0f - a : a;
}

struct span {
    int x0, y0, w, h;
};

static void add_piece(const struct field *f, const struct piece *ref, const struct piece *o,
                      struct span at, float *re, float *im)
{
    float step = 1.0f / f->cell_px, sign = ref->nx * o->nx + ref->ny * o->ny < 0.0f ? -1.0f : 1.0f;
    float dx = ((float)at.x0 + 0.5f) * step - o->x, dy = ((float)at.y0 + 0.5f) * step - o->y;
    float kx = sign * f->waves * o->nx, ky = sign * f->waves * o->ny;
    struct wave wx, wy;

    // Much of a far piece's window ends before this span begins.
    if (dx >= WINDOW || dy >= WINDOW || dx + step * (float)at.w <= -WINDOW ||
        dy + step * (float)at.h <= -WINDOW)
        return;

    wave_along(&wx, at.w, sign * o->phase + kx * dx, kx * step, dx, step);
    wave_along(&wy, at.h, ky * dy, ky * step, dy, step);
    for (int y = 0; y < at.h; y++) {
        float c = wy.c[y], s = wy.s[y];
        float *r = re + (size_t)y * (size_t)at.w, *i = im + (size_t)y * (size_t)at.w;
        for (int x = 0; x < at.w; x++) {
            r[x] += wx.c[x] * c - wx.s[x] * s;
            i[x] += wx.c[x] * s + wx.s[x] * c;
        }
    }
}

static void fill_part(const struct field *f, int i, int j, struct span at)
{
    float re[PART * PART] = {0}, im[PART * PART] = {0};
    const struct piece *ref = piece_at(f, i, j);

    for (int b = j - REACH; b <= j + REACH; b++)
        for (int a = i - REACH; a <= i + REACH; a++)
            if (a >= 0 && b >= 0 && a < f->columns && b < f->rows)
                add_piece(f, ref, piece_at(f, a, b), at, re, im);
    for (int y = 0; y < at.h; y++)
        for (int x = 0; x < at.w; x++) {
            float r = re[y * at.w + x], m = im[y * at.w + x];
            float c = r / (sqrtf(r * r + m * m) + 1e-9f);
            plane_row(f->out, at.y0 + y)[at.x0 + x] = distance_of(clampf(c, -1.0f, 1.0f));
        }
}

// First pixel whose middle is in cell i.
static int begin_of(const struct field *f, int i, int most)
{
    return clampi((int)floorf((float)i * f->cell_px + 0.5f), 0, most);
}

static void fill_row(void *ctx, int j, int worker)
{
    const struct field *f = ctx;
    int y0 = begin_of(f, j, f->out->height), y1 = begin_of(f, j + 1, f->out->height);

    (void)worker;
    for (int i = 0; i < f->columns; i++) {
        int x0 = begin_of(f, i, f->out->width), x1 = begin_of(f, i + 1, f->out->width);
        for (int y = y0; y < y1; y += PART)
            for (int x = x0; x < x1; x += PART)
                fill_part(f, i, j,
                          (struct span){x, y, x1 - x < PART ? x1 - x : PART,
                                        y1 - y < PART ? y1 - y : PART});
    }
}

enum err phase_field(const struct look_picture *p, const struct phase_kind *kind, struct plane *out)
{
    struct field f = {.p = p, .kind = kind, .out = out};
    size_t count, bytes;
    enum err e;

    f.cell_px = kind->cell * p->px_per_unit;
    // A tiny picture has cells of a pixel, whatever becomes of the lines.
    f.cell_px = f.cell_px > 1.0f ? f.cell_px : 1.0f;
    f.waves = f.cell_px / (kind->period * p->px_per_unit);
    f.columns = (int)((float)out->width / f.cell_px) + 1;
    f.rows = (int)((float)out->height / f.cell_px) + 1;
    e = smooth_direction(&f);
    if (e != ERR_OK)
        goto out;
    e = ERR_NOMEM;
    if (size_mul((size_t)f.columns, (size_t)f.rows, &count) &&
        size_mul(count, sizeof(*f.piece), &bytes))
        f.piece = malloc(bytes);
    if (!f.piece)
        goto out;
    e = ERR_CANCELLED;
    if (pool_run(p->pool, f.rows, place_row, &f, p->cancel) && agree_all(&f) &&
        pool_run(p->pool, f.rows, fill_row, &f, p->cancel))
        e = ERR_OK;
out:
    plane_release(&f.c);
    plane_release(&f.s);
    free(f.piece);
    return e;
}
