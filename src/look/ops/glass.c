/* SPDX-License-Identifier: MIT */
#include "look/cells.h"
#include "look/clouds.h"
#include "look/mood_scene.h"

#include <stdlib.h>

/*
 * Panes of coloured glass in the shapes of the photo, each of one colour with the streaks and seeds
 * of hand-made glass, and painted with what glass painters fire onto it: dark lines and a thin matt
 * for the modelling, most where it matters. Leaves the distance to the next pane in the height.
 */
enum { PIECES, CHROMA, MATT, LINES, STREAKS, SEEDS, CLEAR, TINT, QUARRY };

static const struct look_param PARAM[] = {
    {"pieces", 20.0f, 1000.0f, 110.0f, "panes of glass before the ground is cut"},
    {"chroma", 0.0f, 4.0f, 1.7f, "factor on the colour of the glass"},
    {"matt", 0.0f, 1.0f, 0.7f, "how much of the photo's modelling is painted on"},
    {"lines", 0.0f, 1.0f, 0.85f, "strength of the painted lines"},
    {"streaks", 0.0f, 1.0f, 0.4f, "how uneven the glass is"},
    {"seeds", 0.0f, 1.0f, 0.2f, "share of places that hold a bubble"},
    {"clear", 0.0f, 1.0f, 0.2f, "how bright dark places become: glass lets light through"},
    {"tint", 0.0f, 0.1f, 0.025f, "colour of glass where the photo has none"},
    {"quarry", 0.0f, 400.0f, 62.0f, "side of the panes of calm grounds, units; 0: as they come"},
    {0}};

struct pane {
    float n, weight, c[LAB];
    float dx, dy; /* direction of its streaks */
};

struct glass {
    struct look_picture *p;
    const float *value;
    struct cells cells;
    struct clouds day;
    struct pane *pane;
};

static void measure_panes(struct glass *g)
{
    const struct look_maps *m = g->p->maps;
    size_t pixels = (size_t)g->cells.width * (size_t)g->cells.height;

    for (size_t i = 0; i < pixels; i++) {
        struct pane *t = &g->pane[g->cells.at[i].label[0]];
        float a = m->half[1].px[i], b = m->half[2].px[i];
        // Glass is chosen by the strongest colour of its place, not by the mean.
        float weight = 0.02f + sqrtf(a * a + b * b);
        t->n += 1.0f;
        t->weight += weight;
        t->c[0] += m->half[0].px[i];
        t->c[1] += weight * a;
        t->c[2] += weight * b;
    }
}

// No two panes come from the same sheet.
static void choose_glass(struct glass *g)
{
    uint32_t seed = g->p->variation.seed;
    float toned = mood_toned(g->p->mood);

    for (int i = 0; i < g->cells.count; i++) {
        struct pane *t = &g->pane[i];
        float n = t->n > 0.0f ? t->n : 1.0f, weight = t->n > 0.0f ? t->weight : 1.0f;
        float L = clampf(t->c[0] / n, 0.0f, 1.0f), a = t->c[1] / weight, b = t->c[2] / weight;
        float C = sqrtf(a * a + b * b) + 1e-6f;
        float dL = noise_point(i, 1, seed) - 0.5f, dh = noise_point(i, 2, seed) - 0.5f;
        // Weak colours gain most, greys stay white or smoky glass.
        float gain = g->value[CHROMA] * (1.0f + 0.0175f * C / (C * C + 0.0008f));
        gain *= 1.0f + 0.3f * (noise_point(i, 3, seed) - 0.5f);
        gain = mixf(gain, 1.2f, toned);
        // The same chroma is a stronger colour in the dark: black fur is smoky glass, not ruby.
        gain = mixf(1.0f, gain, smoothf(0.15f, 0.5f, L));
        float up = g->value[CLEAR] * (1.0f - L) * (0.35f + 0.65f * L);
        t->c[0] = clampf(L + up + 0.05f * dL, 0.12f, 0.97f);
        t->c[1] = gain * (a - 0.22f * dh * b);
        t->c[2] = gain * (b + 0.22f * dh * a);
        // Clear glass is never without a cast: amber, green or blue.
        float cast = (1.0f - toned) * g->value[TINT] * (1.0f - smoothf(0.01f, 0.06f, C)), hue_c,
              hue_s;
        turn_approx(0.2f + 0.55f * noise_point(i, 5, seed), &hue_c, &hue_s);
        t->c[1] += cast * hue_c;
        t->c[2] += cast * hue_s;
        turn_approx(noise_point(i, 4, seed), &t->dx, &t->dy);
    }
}

// A span of pixels and the panes they are on.
struct sheet {
    int n;
    float u[SPAN], v; /* units */
    int label[SPAN];
    float border[SPAN];       /* units to the next pane */
    float c[LAB][SPAN];       /* of the pane */
    float dx[SPAN], dy[SPAN]; /* direction of its streaks */
    float streak[SPAN], seed[SPAN];
};

static void pane_span(const struct glass *g, struct sheet *t)
{
    for (int i = 0; i < t->n; i++) {
        struct cell_spot spot;
        cells_at(&g->cells, t->u[i], t->v, &spot);
        const struct pane *p = &g->pane[spot.label];
        t->label[i] = spot.label;
        t->border[i] = spot.border;
        for (int k = 0; k < LAB; k++)
            t->c[k][i] = p->c[k];
        t->dx[i] = p->dx;
        t->dy[i] = p->dy;
    }
}

// A bubble is a bright spot with a dark rim, drawn out along the sheet.
static void seed_span(const struct glass *g, struct sheet *t)
{
    static const float CELL = 15.0f; /* units */
    uint32_t seed = g->p->variation.seed + 77u;
    float fy = floorf(t->v / CELL), most = g->value[SEEDS];
    int j = (int)fy;

    for (int k = 0; k < t->n; k++) {
        float fx = floorf(t->u[k] / CELL);
        int i = (int)fx;
        float r = 0.8f + 1.3f * noise_point(i, j, seed + 1u);
        float x = t->u[k] - (fx + 0.3f + 0.4f * noise_point(i, j, seed + 2u)) * CELL;
        float y = t->v - (fy + 0.3f + 0.4f * noise_point(i, j, seed + 3u)) * CELL;
        float along = (x * t->dx[k] + y * t->dy[k]) / (1.8f * r);
        float across = (y * t->dx[k] - x * t->dy[k]) / r;
        float d2 = along * along + across * across;
        float bubble = 0.08f * (1.0f - smoothf(0.0f, 0.7f, d2)) -
                       0.07f * smoothf(0.4f, 1.0f, d2) * (1.0f - smoothf(1.2f, 2.6f, d2));
        t->seed[k] = noise_point(i, j, seed) > most ? 0.0f : bubble;
    }
}

static void streak_span(const struct glass *g, struct sheet *t)
{
    uint32_t first = g->p->variation.seed + 40u;
    float v = t->v;

    for (int i = 0; i < t->n; i++) {
        uint32_t seed = first + (uint32_t)t->label[i];
        float u = t->u[i], dx = t->dx[i], dy = t->dy[i];
        float along = u * dx + v * dy, across = v * dx - u * dy;
        float bend = 14.0f * noise_at(u / 70.0f, v / 70.0f, seed);
        t->streak[i] = 0.6f * (noise_at(along / 90.0f, (across + bend) / 11.0f, seed) - 0.5f) +
                       0.4f * (noise_at(along / 40.0f, (across + bend) / 4.0f, seed + 1u) - 0.5f) +
                       0.5f * (noise_at(u / 55.0f, v / 55.0f, seed + 2u) - 0.5f);
    }
}

static void glass_span(const struct glass *g, const struct sheet *t, int x0, int y,
                       struct span_px *px)
{
    const struct look_maps *m = g->p->maps;
    const float *value = g->value;
    float care[SPAN], full[SPAN], fine[SPAN], mid[SPAN], lines[SPAN], day[SPAN];
    float matt = value[MATT], streaks = value[STREAKS], drawn = value[LINES];

    span_plane_row(&m->importance, m->half_per_unit, t->u, t->v, t->n, care);
    span_plane_row(&m->mid[0], m->half_per_unit, t->u, t->v, t->n, mid);
    span_plane_row(&m->full[0], m->full_per_unit, t->u, t->v, t->n, full);
    span_plane_row(&m->fine[0], m->full_per_unit, t->u, t->v, t->n, fine);
    span_plane_row(&m->lines, m->full_per_unit, t->u, t->v, t->n, lines);
    clouds_span(&g->day, 1.0f, x0, y, t->n, day);
    for (int i = 0; i < t->n; i++) {
        float matters = smoothf(0.12f, 0.55f, care[i]);
        float shape = mixf(mid[i], 0.5f * (full[i] + fine[i]), 0.15f + 0.85f * matters);
        // The matt takes light away, and is scratched out where it is to come through.
        float modelling = clampf(shape - t->c[0][i] + 0.06f, -0.5f, 0.22f) *
                          mixf(matt, 1.0f, 0.6f * matters);
        float streak = streaks * t->streak[i], light = 0.12f * day[i];
        float L = t->c[0][i] + modelling + 0.22f * streak + 0.35f * light + t->seed[i];
        // Colour goes with the light that comes through, thin streaks being paler.
        float depth = clampf(1.0f + 0.9f * modelling - 0.5f * streak, 0.3f, 1.6f);
        float line = drawn * smoothf(0.2f, 0.65f, lines[i]) * (0.25f + 0.75f * matters);
        px->lane[0][i] = clampf(mixf(L, 0.13f, line), 0.0f, 1.0f);
        px->lane[1][i] = mixf(t->c[1][i] * depth, 0.012f, line);
        px->lane[2][i] = mixf(t->c[2][i] * depth, 0.016f, line);
        px->lane[3][i] = t->border[i];
    }
}

static void glass_row(void *ctx, int y, int worker)
{
    const struct glass *g = ctx;
    const struct look_picture *p = g->p;
    struct sheet t;
    struct span_px px;

    (void)worker;
    t.v = ((float)y + 0.5f) / p->px_per_unit;
    for (int x = 0; x < p->width; x += SPAN) {
        t.n = span_of(x, p->width);
        for (int i = 0; i < t.n; i++)
            t.u[i] = ((float)(x + i) + 0.5f) / p->px_per_unit;
        pane_span(g, &t);
        streak_span(g, &t);
        seed_span(g, &t);
        glass_span(g, &t, x, y, &px);
        span_put(picture_row(p, y) + x, t.n, &px);
    }
}

static enum err glass_run(struct look_picture *p, const float *value)
{
    struct glass g = {.p = p, .value = value};
    float brush = p->variation.brush;
    enum err e = cells_new(&g.cells, p, clampf(value[PIECES] / (brush * brush), 4.0f, 1000.0f), 7,
                           value[QUARRY] * brush);

    if (e == ERR_OK)
        e = clouds_new(&g.day, p, 420.0f, p->variation.seed + 21);
    if (e == ERR_OK && !(g.pane = calloc((size_t)g.cells.count, sizeof(*g.pane))))
        e = ERR_NOMEM;
    if (e == ERR_OK) {
        measure_panes(&g);
        choose_glass(&g);
        if (!pool_run(p->pool, p->height, glass_row, &g, p->cancel))
            e = ERR_CANCELLED;
    }
    free(g.pane);
    clouds_release(&g.day);
    cells_release(&g.cells);
    return e;
}

const struct look_op look_op_glass = {
    .name = "glass",
    .help = "panes of hand-made coloured glass, painted with lines and matt",
    .param = PARAM,
    .needs = NEED_FINE | NEED_ABSTRACT | NEED_IMPORTANCE | NEED_LINES,
    .cost_ms = 107,
    .scratch_bytes = 6,
    .covers = true,
    .run = glass_run,
};
