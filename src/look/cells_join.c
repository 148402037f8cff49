/* SPDX-License-Identifier: MIT */
#include "look/cells.h"

#include "look/colour.h"

#include <stdlib.h>

/* Joins neighbouring pieces, the pair first whose border is missed least. */

struct piece {
    float n;      /* pixels */
    float c[LAB]; /* mean */
    float care;   /* mean importance */
    int into;     /* itself, or the piece it was joined to */
};

struct border {
    int a, b;
    float length; /* pixels */
    float step;   /* sum of the change of colour across it */
    float cost;
};

struct join {
    const struct look_maps *m;
    struct piece *piece;
    struct border *border;
    int pieces, borders;
    int *seen;    /* by piece: border with the piece at hand, or -1 */
    float wanted; /* pixels of a piece */
    bool grounds; /* calm pieces may be of any size */
};

static float step_between(const struct look_maps *m, size_t i, size_t j)
{
    float sum = 0.0f;

    for (int k = 0; k < LAB; k++) {
        float d = m->mid[k].px[i] - m->mid[k].px[j];
        sum += d * d;
    }
    return sqrtf(sum);
}

static float greatest(float a, float b, float c)
{
    float most = a > b ? a : b;

    return most > c ? most : c;
}

// Of glass a face is one pane, as far as its light allows, with the small pieces that it surrounds:
// shadows and eyes are painted on. What has the colour of skin, but none of a face's forms, is cut
// as usual.
static float face_of(const struct join *j, const struct piece *a, const struct piece *b,
                     float compact)
{
    const struct piece *large = a->n > b->n ? a : b, *small = a->n > b->n ? b : a;
    float part = skin_of(small->c[0], small->c[1], small->c[2]);
    float spot = (1.0f - smoothf(0.3f, 0.6f, small->n / j->wanted)) *
                 (1.0f - smoothf(1.0f, 1.3f, compact));

    return skin_of(large->c[0], large->c[1], large->c[2]) * (part > spot ? part : spot) *
           smoothf(0.15f, 0.3f, 0.5f * (a->care + b->care));
}

static void price(const struct join *j, struct border *e)
{
    const struct piece *a = &j->piece[e->a], *b = &j->piece[e->b];
    float dL = a->c[0] - b->c[0], da = a->c[1] - b->c[1], db = a->c[2] - b->c[2];
    float colour = sqrtf(0.7f * dL * dL + 2.5f * (da * da + db * db));
    float least = a->n < b->n ? a->n : b->n, sum = a->n + b->n;
    float size = 2.0f * a->n * b->n / (sum * j->wanted);
    // Pieces that share much of the smaller one's outline make a compact whole.
    float compact = 3.5f * sqrtf(least) / e->length;
    float most = a->care > b->care ? a->care : b->care;
    float calm = j->grounds ? 1.0f - smoothf(0.1f, 0.2f, most) : 0.0f;
    size = mixf(size, 0.12f, calm);
    float cost = (colour + 0.6f * e->step / e->length + 0.02f) * sqrtf(size) *
                 sqrtf(clampf(compact, 0.5f, 8.0f));

    // Lead does not cut through a face: the painter's brush does what is needed there.
    float face = smoothf(0.2f, 0.5f, 0.5f * (a->care + b->care));
    cost *= 1.0f - 0.85f * face;
    float skin = j->grounds ? face_of(j, a, b, compact) : 0.0f;
    cost *= 1.0f - 0.85f * skin;
    if (least < 0.12f * j->wanted)
        cost *= 0.15f;
    if (sum > 3.0f * j->wanted)
        cost *= mixf(sum / (1.5f * j->wanted), 1.0f + sum / (12.0f * j->wanted),
                     greatest(face, calm, skin));
    e->cost = cost;
}

static int by_ends(const void *x, const void *y)
{
    const struct border *a = x, *b = y;

    return a->a != b->a ? (a->a < b->a ? -1 : 1) : a->b != b->b ? (a->b < b->b ? -1 : 1) : 0;
}

// One entry per pair of pixels first, sorted and summed into one per pair of pieces.
static enum err find_borders(struct join *j, const uint16_t *label)
{
    int w = j->m->mid[0].width, h = j->m->mid[0].height, n = 0, pairs = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                for (int k = 0; k < 2; k++) {
                    size_t at = (size_t)y * (size_t)w + (size_t)x;
                    size_t to = at + (k ? (size_t)w : 1);
                    if ((k ? y + 1 >= h : x + 1 >= w) || label[at] == label[to])
                        continue;
                    if (pass == 1) {
                        int a = label[at], b = label[to];
                        j->border[n++] = (struct border){.a = a < b ? a : b,
                                                         .b = a < b ? b : a,
                                                         .length = 1.0f,
                                                         .step = step_between(j->m, at, to)};
                    } else {
                        pairs++;
                    }
                }
        if (pass == 0)
            j->border = calloc((size_t)pairs + 1, sizeof(*j->border));
        if (!j->border)
            return ERR_NOMEM;
    }
    qsort(j->border, (size_t)n, sizeof(*j->border), by_ends);
    for (int i = 0; i < n; i++) {
        struct border *last = j->borders ? &j->border[j->borders - 1] : NULL;
        if (last && by_ends(last, &j->border[i]) == 0) {
            last->length += 1.0f;
            last->step += j->border[i].step;
        } else {
            j->border[j->borders++] = j->border[i];
        }
    }
    return ERR_OK;
}

static void measure_pieces(struct join *j, const uint16_t *label)
{
    const struct look_maps *m = j->m;
    size_t pixels = (size_t)m->mid[0].width * (size_t)m->mid[0].height;

    for (int i = 0; i < j->pieces; i++)
        j->piece[i].into = i;
    for (size_t i = 0; i < pixels; i++) {
        struct piece *t = &j->piece[label[i]];
        t->n += 1.0f;
        for (int k = 0; k < LAB; k++)
            t->c[k] += m->mid[k].px[i];
        t->care += m->importance.px[i];
    }
    for (int i = 0; i < j->pieces; i++) {
        struct piece *t = &j->piece[i];
        for (int k = 0; k < LAB; k++)
            t->c[k] /= t->n;
        t->care /= t->n;
    }
}

// Piece b becomes part of a; its borders become a's, and two with the same neighbour one.
static void join_pair(struct join *j, int a, int b)
{
    struct piece *pa = &j->piece[a], *pb = &j->piece[b];
    float share = pb->n / (pa->n + pb->n);

    for (int k = 0; k < LAB; k++)
        pa->c[k] = mixf(pa->c[k], pb->c[k], share);
    pa->care = mixf(pa->care, pb->care, share);
    pa->n += pb->n;
    pb->into = a;
    int kept = 0;
    for (int i = 0; i < j->borders; i++) {
        struct border e = j->border[i];
        if (e.a == b || e.b == b) {
            int other = e.a == b ? e.b : e.a;
            if (other == a)
                continue;
            e.a = a;
            e.b = other;
        }
        if (e.a == a || e.b == a) {
            int other = e.a == a ? e.b : e.a;
            if (j->seen[other] >= 0) {
                j->border[j->seen[other]].length += e.length;
                j->border[j->seen[other]].step += e.step;
                continue;
            }
            j->seen[other] = kept;
        }
        j->border[kept++] = e;
    }
    j->borders = kept;
    for (int i = 0; i < kept; i++) {
        struct border *e = &j->border[i];
        if (e->a != a && e->b != a)
            continue;
        j->seen[e->a == a ? e->b : e->a] = -1;
        price(j, e);
    }
}

static void renumber(struct join *j, uint16_t *label, int *count)
{
    size_t pixels = (size_t)j->m->mid[0].width * (size_t)j->m->mid[0].height;
    int n = 0;

    for (int i = 0; i < j->pieces; i++)
        j->seen[i] = j->piece[i].into == i ? n++ : -1;
    for (size_t i = 0; i < pixels; i++) {
        int at = label[i];
        while (j->piece[at].into != at)
            at = j->piece[at].into;
        label[i] = (uint16_t)j->seen[at];
    }
    *count = n;
}

enum err cells_join(const struct look_maps *m, int target, bool grounds, uint16_t *label,
                    int *count)
{
    struct join j = {.m = m, .pieces = *count, .grounds = grounds};
    int left = *count;
    enum err e = ERR_NOMEM;

    j.wanted = (float)m->mid[0].width * (float)m->mid[0].height / (float)target;
    j.piece = calloc((size_t)j.pieces, sizeof(*j.piece));
    j.seen = malloc((size_t)j.pieces * sizeof(*j.seen));
    if (!j.piece || !j.seen)
        goto out;
    measure_pieces(&j, label);
    e = find_borders(&j, label);
    if (e != ERR_OK)
        goto out;
    for (int i = 0; i < j.pieces; i++)
        j.seen[i] = -1;
    for (int i = 0; i < j.borders; i++)
        price(&j, &j.border[i]);
    for (; left > target && j.borders > 0; left--) {
        const struct border *best = &j.border[0];
        for (int i = 1; i < j.borders; i++)
            if (j.border[i].cost < best->cost)
                best = &j.border[i];
        join_pair(&j, best->a, best->b);
    }
    renumber(&j, label, count);
out:
    free(j.piece);
    free(j.border);
    free(j.seen);
    return e;
}
