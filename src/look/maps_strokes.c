/* SPDX-License-Identifier: MIT */
#include "look/maps_internal.h"

/*
 * Thin light strokes: white letters, chalk, signs at night, and the gaps of dark letters. They are
 * what opening (a minimum, then a maximum over a square: Serra 1982, the white top-hat) takes away.
 * Contours of strokes so thin run into each other.
 */
struct extreme {
    const struct plane *from;
    struct plane *to;
    int reach;
    bool most, down;
};

static void extreme_row(void *ctx, int y, int worker)
{
    const struct extreme *s = ctx;
    int w = s->to->width, last = s->to->height - 1;
    float *out = plane_row(s->to, y);

    (void)worker;
    for (int x = 0; x < w; x++)
        out[x] = plane_row(s->from, y)[x];
    for (int i = -s->reach; i <= s->reach; i++) {
        const float *in = plane_row(s->from, s->down ? clampi(y + i, 0, last) : y);
        // Along a row the ends see what is inside alone.
        int from = !s->down && i < 0 ? -i : 0, to = !s->down && i > 0 ? w - i : w;
        const float *at = s->down ? in : in + i;
        for (int x = from; x < to; x++)
            out[x] = (at[x] < out[x]) != s->most ? at[x] : out[x];
    }
}

enum err maps_extreme(struct map_maker *k, const struct plane *from, struct plane *to, int reach,
                      bool most)
{
    struct plane rows = {0};
    enum err e = plane_new(&rows, from->width, from->height);
    struct extreme s = {.from = from, .to = &rows, .reach = reach, .most = most};

    if (e == ERR_OK && !rows_run(k, from->height, extreme_row, &s))
        e = ERR_CANCELLED;
    s = (struct extreme){.from = &rows, .to = to, .reach = reach, .most = most, .down = true};
    if (e == ERR_OK && !rows_run(k, from->height, extreme_row, &s))
        e = ERR_CANCELLED;
    plane_release(&rows);
    return e;
}

struct strokes {
    struct look_maps *m;
    const struct plane *open;
};

static void stroke_row(void *ctx, int y, int worker)
{
    const struct strokes *s = ctx;
    float *out = plane_row(&s->m->strokes, y);

    (void)worker;
    for (int x = 0; x < s->m->strokes.width; x++) {
        float fx = 2.0f * ((float)x + 0.5f), fy = 2.0f * ((float)y + 0.5f);
        float ground = plane_at(s->open, fx, fy);
        float over = plane_at(&s->m->flat[0], fx, fy) - ground;
        out[x] = smoothf(0.08f, 0.2f, over);
    }
}

static void near_row(void *ctx, int y, int worker)
{
    const struct strokes *s = ctx;
    float *out = plane_row(&s->m->strokes, y);

    (void)worker;
    for (int x = 0; x < s->m->strokes.width; x++)
        out[x] = smoothf(0.06f, 0.2f, out[x]);
}

enum err maps_strokes(struct map_maker *k)
{
    static const float WIDTH = 4.0f; /* units: what is wider is no stroke */
    static const float NEAR = 5.0f;  /* units around a stroke that belong to it */
    struct look_maps *m = k->m;
    struct plane open = {0};
    struct strokes s = {.m = m, .open = &open};
    int reach = clampi((int)(0.5f * WIDTH * m->full_per_unit + 0.5f), 1, 3);
    enum err e = half_planes(k, &m->strokes, 1);

    if (e == ERR_OK)
        e = plane_new(&open, m->full[0].width, m->full[0].height);
    if (e == ERR_OK)
        e = maps_extreme(k, &m->flat[0], &open, reach, false);
    if (e == ERR_OK)
        e = maps_extreme(k, &open, &open, reach, true);
    if (e == ERR_OK && (!rows_run(k, m->strokes.height, stroke_row, &s) ||
                        !half_blur(k, &m->strokes, &m->strokes, NEAR) ||
                        !rows_run(k, m->strokes.height, near_row, &s)))
        e = ERR_CANCELLED;
    plane_release(&open);
    return e;
}
