/* SPDX-License-Identifier: MIT */
#include "look_twin_strokes.h"

#include "base/rand.h"

/* The plan of brush strokes, cell after cell. */

struct brushwork {
    const struct look_picture *p;
    struct stroke_layer layer;
    const struct plane *ref; /* the photo as this brush sees it */
    double per_unit;         /* of ref */
    struct grid seen[LAB];   /* what is painted, at its size */
    double width, height;    /* units */
};

static double dice(const struct brushwork *n, int cell, int which)
{
    return (double)noise_point(cell, which, n->layer.seed);
}

static double apart(const double a[LAB], const double b[LAB])
{
    return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) +
                (a[2] - b[2]) * (a[2] - b[2]));
}

static void photo_at(const struct brushwork *n, double x, double y, double out[LAB])
{
    for (int k = 0; k < LAB; k++)
        out[k] = tw_at(&n->ref[k], x * n->per_unit, y * n->per_unit);
}

static void paint_at(const struct brushwork *n, double x, double y, double out[LAB])
{
    for (int k = 0; k < LAB; k++)
        out[k] = grid_at(&n->seen[k], x * n->per_unit, y * n->per_unit);
}

// The nearest pixel of a half-size map.
static double map_at(const struct brushwork *n, const struct plane *map, double x, double y)
{
    double per = (double)n->p->maps->half_per_unit;

    return tw_near(map, x * per, y * per);
}

static void brushwork_open(struct brushwork *n, struct desk *d, const struct bench *b,
                           const lane4 *px, const struct stroke_layer *layer)
{
    const struct look_maps *m = b->p.maps;
    double radius = (double)layer->radius;

    *n = (struct brushwork){.p = &b->p,
                            .layer = *layer,
                            .ref = radius < 5.0    ? m->fine
                                   : radius < 12.0 ? m->mid
                                                   : m->coarse};
    n->per_unit = (double)(radius < 5.0 ? m->full_per_unit : m->half_per_unit);
    n->width = b->p.width / (double)b->p.px_per_unit;
    n->height = b->p.height / (double)b->p.px_per_unit;
    // Pixels of the picture that begin within a pixel of the map.
    float step = b->p.px_per_unit / (float)n->per_unit;
    for (int k = 0; k < LAB; k++) {
        n->seen[k] = tw_grid(d, n->ref[0].width, n->ref[0].height);
        for (int y = 0; y < n->seen[k].h; y++)
            for (int x = 0; x < n->seen[k].w; x++) {
                double sum = 0.0, count = 0.0;
                int x0 = (int)((float)x * step), x1 = (int)((float)(x + 1) * step);
                int y0 = (int)((float)y * step), y1 = (int)((float)(y + 1) * step);
                for (int j = y0; j < y1 && j < b->p.height; j++)
                    for (int i = x0; i < x1 && i < b->p.width; i++, count++)
                        sum += (double)px[j * b->p.width + i][k];
                assert_true(count > 0.0);
                *tw_cell(&n->seen[k], x, y) = sum / count;
            }
    }
}

// Whether a cell asks for a stroke, and where it is to begin.
static bool wish_of(const struct brushwork *n, int column, int row, int columns, double *x,
                    double *y)
{
    const struct stroke_layer *l = &n->layer;
    int cell = row * columns + column, w = n->seen[0].w, h = n->seen[0].h;
    float side = l->radius * l->spacing, pixels = side * (float)n->per_unit;
    double sum = 0.0, count = 0.0, weight = 0.0, cx = 0.0, cy = 0.0;
    int x0 = clampi((int)((float)column * pixels), 0, w - 1);
    int y0 = clampi((int)((float)row * pixels), 0, h - 1);

    for (int j = y0; j == y0 || (j < (int)((float)(row + 1) * pixels) && j < h); j++)
        for (int i = x0; i == x0 || (i < (int)((float)(column + 1) * pixels) && i < w); i++) {
            double is[LAB], wanted[LAB];
            for (int k = 0; k < LAB; k++) {
                is[k] = *tw_cell(&n->seen[k], i, j);
                wanted[k] = tw_px(&n->ref[k], i, j);
            }
            double off = apart(is, wanted);
            sum += off;
            weight += off * off;
            cx += off * off * (i + 0.5);
            cy += off * off * (j + 0.5);
            count++;
        }
    double mean = sum / count, threshold = (double)l->threshold;
    double sure = threshold > 0.0 ? tw_clamp(mean / (4.0 * threshold), 0.2, 0.9) : 0.2;
    if (weight < 1e-8)
        sure = 0.0;
    *x = (column + 0.5 + 0.8 * (dice(n, cell, 0) - 0.5)) * (double)side;
    *y = (row + 0.5 + 0.8 * (dice(n, cell, 1) - 0.5)) * (double)side;
    *x = tw_clamp(tw_mix(*x, cx / (weight + 1e-9) / n->per_unit, sure), 0.0, n->width);
    *y = tw_clamp(tw_mix(*y, cy / (weight + 1e-9) / n->per_unit, sure), 0.0, n->height);
    double care = map_at(n, &n->p->maps->importance, *x, *y);
    return mean >= threshold * (1.0 + (double)l->calm * (1.6 - 2.2 * care));
}

// A slow stream, and on it vortices strewn over cells of 165 units, two in three, of their own size
// and sense; as twice the angle: around the middle, a little in.
static void whirl(const struct brushwork *n, double x, double y, double *c, double *s)
{
    uint32_t seed = n->p->variation.seed;
    int i0 = (int)floor(x / 165.0), j0 = (int)floor(y / 165.0);
    double stream = 3.0 * M_PI * tw_noise(x / 210.0, y / 210.0, seed + 94);

    *c = 0.25 * cos(stream);
    *s = 0.25 * sin(stream);
    for (int j = j0 - 1; j <= j0 + 1; j++)
        for (int i = i0 - 1; i <= i0 + 1; i++) {
            double lot = (double)noise_point(i, j, seed + 92), size = 0.25 + 0.75 * lot;
            double dx = x / 165.0 - (i + 0.1 + 0.8 * (double)noise_point(i, j, seed + 90));
            double dy = y / 165.0 - (j + 0.1 + 0.8 * (double)noise_point(i, j, seed + 91));
            double r2 = (dx * dx + dy * dy) / (size * size) + 1e-4, fade = fmax(1.0 - r2, 0.0);
            double strength = lot < 0.33 ? 0.0 : fade * fade / (r2 * size * size);
            double in = noise_point(i, j, seed + 93) < 0.5f ? 0.35 * strength : -0.35 * strength;
            *c += strength * (dy * dy - dx * dx) + 2.0 * in * dx * dy;
            *s += -2.0 * strength * dx * dy + in * (dy * dy - dx * dx);
        }
}

static void way_at(const struct brushwork *n, double x, double y, double *dx, double *dy)
{
    const struct look_maps *m = n->p->maps;
    double c = map_at(n, &m->flow_c, x, y), s = map_at(n, &m->flow_s, x, y), ax, ay;
    double clear = map_at(n, &m->coherence, x, y), swirl = (double)n->layer.swirl;
    double turn = 2.0 * M_PI * (tw_noise(x * 0.012, y * 0.012, n->p->variation.seed) - 0.5) *
                  (double)n->p->variation.wander * (1.0 - clear);

    if (swirl > 0.0) {
        double wc, ws,
            share = swirl * (1.0 - tw_smooth(0.25, 0.75, clear)) *
                    (1.0 - tw_smooth(0.1, 0.4, map_at(n, &m->importance, x, y)));
        whirl(n, x, y, &wc, &ws);
        c = tw_mix(c, wc / (hypot(wc, ws) + 1e-6), share);
        s = tw_mix(s, ws / (hypot(wc, ws) + 1e-6), share);
    }
    tw_halve(c, s, &ax, &ay);
    *dx = ax * cos(turn) - ay * sin(turn);
    *dy = ax * sin(turn) + ay * cos(turn);
}

struct side {
    double x[STROKE_POINTS_MAX], y[STROKE_POINTS_MAX], sum[LAB];
    int points;
};

// Steps along the flow while the photo stays the stroke's colour and the stroke would improve it.
static void follow(const struct brushwork *n, const double colour[LAB], double x, double y,
                   double dx, double dy, double step, int most, struct side *out)
{
    double threshold = (double)n->layer.threshold, bend = (double)n->layer.curvature;

    *out = (struct side){.points = 0};
    while (out->points < most) {
        double c[LAB], seen[LAB], nx, ny;
        x += dx * step;
        y += dy * step;
        if (x < -step || y < -step || x > n->width + step || y > n->height + step)
            return;
        photo_at(n, x, y, c);
        paint_at(n, x, y, seen);
        double off = apart(c, colour);
        bool better = apart(c, seen) + 0.01 >= off;
        if (off > (double)n->layer.edge || (out->points > 0 && threshold > 0.0 && !better))
            return;
        out->x[out->points] = x;
        out->y[out->points++] = y;
        for (int k = 0; k < LAB; k++)
            out->sum[k] += c[k];
        way_at(n, x, y, &nx, &ny);
        double sign = nx * dx + ny * dy < 0.0 ? -1.0 : 1.0;
        dx = tw_mix(dx, sign * nx, bend);
        dy = tw_mix(dy, sign * ny, bend);
        double length = hypot(dx, dy) + 1e-6;
        dx /= length;
        dy /= length;
    }
}

static void put(struct stroke *s, double x, double y)
{
    s->x[s->points] = (float)x;
    s->y[s->points++] = (float)y;
}

static void stroke_of(const struct brushwork *n, int cell, double x, double y, struct stroke *s)
{
    const struct stroke_layer *l = &n->layer;
    double radius = (double)l->radius * (0.75 + 0.35 * dice(n, cell, 2));
    double length = (double)l->length * (double)l->radius * (0.55 + 0.45 * dice(n, cell, 3));
    int half = clampi((int)(0.25 * length * (double)n->p->maps->full_per_unit), 1, 6);
    double turn = 2.0 * M_PI * (double)l->stray * (2.0 * dice(n, cell, 11) - 1.0);
    double sign = dice(n, cell, 4) < (double)0.35f ? -1.0 : 1.0, fx, fy, colour[LAB], a[LAB],
           b[LAB];
    struct side back, ahead;

    *s = (struct stroke){.points = 0, .order = hash_u32((uint32_t)cell, 11, l->seed)};
    photo_at(n, x, y, colour);
    way_at(n, x, y, &fx, &fy);
    double dx = sign * (fx * cos(turn) - fy * sin(turn)),
           dy = sign * (fx * sin(turn) + fy * cos(turn));
    // Away from an edge on one side, thinner between two.
    photo_at(n, x - dy * 0.85 * radius, y + dx * 0.85 * radius, a);
    photo_at(n, x + dy * 0.85 * radius, y - dx * 0.85 * radius, b);
    bool left = apart(a, colour) > (double)l->edge, right = apart(b, colour) > (double)l->edge;
    if (left != right) {
        x += (left ? 0.3 : -0.3) * radius * dy;
        y -= (left ? 0.3 : -0.3) * radius * dx;
    }
    radius *= left && right ? 0.55 : left || right ? 0.7 : 1.0;
    follow(n, colour, x, y, -dx, -dy, 0.5 * length / half, half, &back);
    follow(n, colour, x, y, dx, dy, 0.5 * length / half, half, &ahead);
    bool dab = back.points + ahead.points == 0;
    for (int i = back.points - 1; i >= 0; i--)
        put(s, back.x[i], back.y[i]);
    if (!dab)
        put(s, x, y);
    for (int i = 0; i < ahead.points; i++)
        put(s, ahead.x[i], ahead.y[i]);
    if (dab) {
        put(s, x - dx * 0.9 * radius, y - dy * 0.9 * radius);
        put(s, x + dx * 0.9 * radius, y + dy * 0.9 * radius);
    }
    double care = map_at(n, &n->p->maps->importance, x, y);
    for (int k = 0; k < LAB; k++) {
        double vary = (double)(k == 0 ? l->vary_l : l->vary_c) * (1.0 - 0.6 * care);
        double mean = (colour[k] + back.sum[k] + ahead.sum[k]) / (1 + back.points + ahead.points);
        s->colour[k] = (float)(mean + vary * (2.0 * dice(n, cell, 5 + k) - 1.0));
    }
    s->radius = (float)radius;
    s->height = (float)((double)l->height * (0.7 + 0.6 * tw_clamp((double)s->colour[0], 0.0, 1.0)) *
                        (1.0 - 0.35 * care) * (0.8 + 0.4 * dice(n, cell, 8)));
    s->print = (uint8_t)(dab ? BRUSH_STROKES + (int)(dice(n, cell, 9) * BRUSH_DABS)
                             : (int)(dice(n, cell, 9) * BRUSH_STROKES));
    s->mirrored = dice(n, cell, 10) < 0.5;
}

// Each new stroke goes to its place among those there are.
struct mark_list tw_plan(const struct bench *b, struct desk *d, const lane4 *px,
                         const struct stroke_layer *layer)
{
    struct brushwork work, *n = &work;

    brushwork_open(n, d, b, px, layer);
    float side = n->layer.radius * n->layer.spacing;
    int columns = (int)((float)n->width / side) + 1, rows = (int)((float)n->height / side) + 1;
    struct mark_list list = {.stroke = tw_take(d, (size_t)(columns * rows), sizeof(struct stroke))};

    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) {
            double x, y;
            struct stroke s;
            if (!wish_of(n, column, row, columns, &x, &y))
                continue;
            stroke_of(n, row * columns + column, x, y, &s);
            int at = list.count++;
            for (; at > 0 && list.stroke[at - 1].order > s.order; at--)
                list.stroke[at] = list.stroke[at - 1];
            list.stroke[at] = s;
        }
    return list;
}

void tw_layer(const struct bench *b, struct stroke_layer *layer, struct brush_kind *kind)
{
    double radius = tw_value(b, "radius");
    uint32_t seed = hash_u32(b->p.variation.seed, (uint32_t)(radius * 64.0), 0x0B1);

    radius *= radius > 5.0 ? (double)b->p.variation.brush : 1.0;
    *layer = (struct stroke_layer){.radius = (float)radius,
                                   .spacing = (float)tw_value(b, "spacing"),
                                   .length = (float)tw_value(b, "length"),
                                   .curvature = (float)tw_value(b, "curvature"),
                                   .threshold = (float)tw_value(b, "threshold"),
                                   .calm = (float)tw_value(b, "calm"),
                                   .edge = (float)tw_value(b, "edge"),
                                   .stray = (float)tw_value(b, "stray"),
                                   .swirl = (float)tw_value(b, "swirl"),
                                   .vary_l = (float)tw_value(b, "vary_l"),
                                   .vary_c = (float)tw_value(b, "vary_c"),
                                   .height = (float)tw_value(b, "thickness"),
                                   .seed = seed};
    *kind = (struct brush_kind){.bristles = (float)tw_value(b, "bristles"),
                                .dryness = (float)tw_value(b, "dryness"),
                                .knife = (float)tw_value(b, "knife"),
                                .seed = seed};
}

static bool same_stroke(const struct stroke *a, const struct stroke *b)
{
    double off = fabs((double)(a->radius - b->radius)) + fabs((double)(a->height - b->height));

    for (int k = 0; k < LAB; k++)
        off += fabs((double)(a->colour[k] - b->colour[k]));
    for (int i = 0; i < a->points && i < b->points; i++)
        off += fabs((double)(a->x[i] - b->x[i])) + fabs((double)(a->y[i] - b->y[i]));
    return a->points == b->points && a->order == b->order && a->print == b->print &&
           a->mirrored == b->mirrored && off < 0.01;
}

// The planner's list and the twin's are one; a hair's breadth decides about one stroke in fifty.
static void plans_are_one(const struct fixture *f)
{
    static const float RADIUS[] = {1.5f, 4.0f, 8.0f, 16.0f};

    for (int scene = 0; scene < TWIN_SCENES; scene++)
        for (size_t r = 0; r < sizeof(RADIUS) / sizeof(RADIUS[0]); r++) {
            struct bench b;
            struct desk d = {.n = 0};
            struct stroke_layer layer;
            struct brush_kind kind;
            struct stroke_list list;
            int other = 0;
            tw_bench(&b, f, "strokes", scene, 140, 96, 1.0f);
            for (int i = 0; i < 140 * 96; i++)
                b.p.px[i] = (lane4){0.4f + 0.2f * noise_at(0.1f * (float)(i % 140), 0.0f, 5)};
            bench_set(&b, "radius", RADIUS[r]);
            bench_set(&b, "swirl", r == 3 ? 1.0f : 0.0f);
            bench_set(&b, "stray", r == 2 ? 0.2f : 0.0f);
            tw_layer(&b, &layer, &kind);
            struct mark_list want = tw_plan(&b, &d, b.p.px, &layer);
            assert_int_equal(stroke_plan(&b.p, &layer, &list), ERR_OK);
            assert_true(want.count > 0);
            assert_true(abs(want.count - list.count) <= 1 + want.count / 50);
            for (int i = 0, j = 0; i < want.count; i++) {
                while (j < list.count && list.stroke[j].order < want.stroke[i].order)
                    j++;
                other += j == list.count || !same_stroke(&want.stroke[i], &list.stroke[j]);
            }
            if (other > 1 + want.count / 50)
                fail_msg("radius %g: %d of %d strokes differ", (double)RADIUS[r], other,
                         want.count);
            stroke_list_release(&list);
            desk_clear(&d);
            bench_close(&b);
        }
}

const struct twin look_twins_plan[] = {
    {"plan of strokes", .part = plans_are_one},
    {0},
};
