/* SPDX-License-Identifier: MIT */
#include "look/cells.h"

#include <stdlib.h>
#include <string.h>

enum { NEAR_MOST = 8, RADIUS_MOST = 6, MOVE_REACH = 2, RUN_MOST = 255 };

static const float SIGMA = 3.0f;        /* units */
static const float SIGMA_MOVE = 4.2f;   /* the same while outlines move */
static const float SIGMA_PIXELS = 0.6f; /* at least, or outlines would show the pixels */

struct smooth {
    struct cells *c;
    const uint16_t *from;
    uint16_t *to;
    uint8_t *mixed; /* 1: another label within the radius */
    int radius;
    uint8_t *run; /* pixels of one label from here to the right, at most RUN_MOST */
    float tap[2 * RADIUS_MOST + 1];
    float below[2 * RADIUS_MOST + 2]; /* sum of the taps before each */
};

static void find_runs(struct smooth *s)
{
    int w = s->c->width;

    for (int y = 0; y < s->c->height; y++) {
        const uint16_t *from = s->from + (size_t)y * (size_t)w;
        uint8_t *run = s->run + (size_t)y * (size_t)w;
        run[w - 1] = 1;
        for (int x = w - 2; x >= 0; x--)
            run[x] = from[x] != from[x + 1] ? 1 : run[x + 1] < RUN_MOST ? run[x + 1] + 1 : RUN_MOST;
    }
}

// Marks what is within r pixels of a border, so that the insides of pieces cost nothing.
static void mark_mixed(struct smooth *s, int r)
{
    int w = s->c->width, h = s->c->height;

    memset(s->mixed, 0, (size_t)w * (size_t)h);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            size_t at = (size_t)y * (size_t)w + (size_t)x;
            if ((x + 1 >= w || s->from[at] == s->from[at + 1]) &&
                (y + 1 >= h || s->from[at] == s->from[at + (size_t)w]))
                continue;
            int x0 = x > r ? x - r : 0, x1 = x + r + 1 < w ? x + r + 1 : w - 1;
            for (int j = y > r ? y - r : 0; j <= y + r + 1 && j < h; j++)
                memset(s->mixed + (size_t)j * (size_t)w + (size_t)x0, 1, (size_t)(x1 - x0 + 1));
        }
}

struct vote {
    uint16_t label[NEAR_MOST];
    float weight[NEAR_MOST];
    int n;
};

static void add_vote(struct vote *v, uint16_t label, float weight)
{
    int k = 0;

    while (k < v->n && v->label[k] != label)
        k++;
    if (k == NEAR_MOST)
        return;
    if (k == v->n) {
        v->label[k] = label;
        v->weight[k] = 0.0f;
        v->n++;
    }
    v->weight[k] += weight;
}

// Gaussian share of each label around a pixel; beyond NEAR_MOST labels the rest is left out. Labels
// come in runs, so that a row of the window has hardly more than one or two.
static void vote_at(const struct smooth *s, int x, int y, struct vote *v)
{
    int w = s->c->width, h = s->c->height, r = s->radius;

    v->n = 0;
    for (int j = -r; j <= r; j++) {
        size_t row = (size_t)clampi(y + j, 0, h - 1) * (size_t)w;
        int at = x > r ? x - r : 0, tap = 0;
        while (tap <= 2 * r) {
            int end = at + s->run[row + (size_t)at] - (x - r); // the first tap after this run
            end = end > 2 * r || end + x - r >= w ? 2 * r + 1 : end;
            add_vote(v, s->from[row + (size_t)at], s->tap[j + r] * (s->below[end] - s->below[tap]));
            tap = end;
            at = end + x - r;
        }
    }
}

// Takes the greatest out of the vote; ties go to the smaller label, whatever their order.
static float take_greatest(struct vote *v, uint16_t *label)
{
    int best = 0;

    for (int k = 1; k < v->n; k++)
        if (v->weight[k] > v->weight[best] ||
            (v->weight[k] == v->weight[best] && v->label[k] < v->label[best]))
            best = k;
    float weight = v->n ? v->weight[best] : 0.0f;
    *label = v->n ? v->label[best] : 0;
    if (v->n)
        v->weight[best] = -1.0f;
    return weight > 0.0f ? weight : 0.0f;
}

static void threshold_row(void *ctx, int y, int worker)
{
    const struct smooth *s = ctx;
    size_t row = (size_t)y * (size_t)s->c->width;

    (void)worker;
    for (int x = 0; x < s->c->width; x++) {
        size_t at = row + (size_t)x;
        s->to[at] = s->from[at];
        if (s->mixed[at]) {
            struct vote v;
            vote_at(s, x, y, &v);
            take_greatest(&v, &s->to[at]);
        }
    }
}

static void share_row(void *ctx, int y, int worker)
{
    const struct smooth *s = ctx;
    size_t row = (size_t)y * (size_t)s->c->width;

    (void)worker;
    for (int x = 0; x < s->c->width; x++) {
        size_t at = row + (size_t)x;
        struct cell_shares *out = &s->c->at[at];
        *out = (struct cell_shares){.label = {s->from[at]}, .share = {1.0f}};
        if (s->mixed[at]) {
            struct vote v;
            vote_at(s, x, y, &v);
            for (int k = 0; k < CELL_SHARES; k++)
                out->share[k] = take_greatest(&v, &out->label[k]);
        }
    }
}

static void set_taps(struct smooth *s, float sigma)
{
    float sum = 0.0f;

    s->radius = clampi((int)(2.7f * sigma + 0.5f), 1, RADIUS_MOST);
    for (int i = -s->radius; i <= s->radius; i++) {
        float t = (float)i / sigma;
        s->tap[i + s->radius] = exp_approx(-0.5f * t * t);
        sum += s->tap[i + s->radius];
    }
    for (int i = 0; i <= 2 * s->radius; i++)
        s->tap[i] /= sum;
    s->below[0] = 0.0f;
    for (int i = 0; i <= 2 * s->radius; i++)
        s->below[i + 1] = s->below[i] + s->tap[i];
}

static enum err smooth_begin(struct smooth *s, struct cells *c, uint16_t *label, float sigma)
{
    size_t pixels = (size_t)c->width * (size_t)c->height;

    *s = (struct smooth){.c = c, .from = label, .mixed = malloc(pixels), .run = malloc(pixels)};
    set_taps(s, sigma);
    return s->mixed && s->run ? ERR_OK : ERR_NOMEM;
}

static void smooth_end(struct smooth *s)
{
    free(s->mixed);
    free(s->run);
}

static float sigma_of(const struct cells *c)
{
    return SIGMA * c->per_unit > SIGMA_PIXELS ? SIGMA * c->per_unit : SIGMA_PIXELS;
}

static enum err move_outlines(struct cells *c, const struct look_picture *p, uint16_t *label,
                              int passes)
{
    size_t bytes = (size_t)c->width * (size_t)c->height * sizeof(*label);
    uint16_t *moved = malloc(bytes);
    struct smooth s;
    enum err e = smooth_begin(&s, c, label, sigma_of(c) * SIGMA_MOVE / SIGMA);

    s.to = moved;
    if (!moved)
        e = ERR_NOMEM;
    for (int i = 0; i < passes && e == ERR_OK; i++) {
        // An outline moves by less than that in one pass.
        mark_mixed(&s, MOVE_REACH);
        find_runs(&s);
        if (!pool_run(p->pool, c->height, threshold_row, &s, p->cancel))
            e = ERR_CANCELLED;
        else
            memcpy(label, moved, bytes);
    }
    smooth_end(&s);
    free(moved);
    return e;
}

enum err cells_smooth(struct cells *c, const struct look_picture *p, uint16_t *label, int passes)
{
    struct smooth s;
    enum err e = move_outlines(c, p, label, passes);

    if (e != ERR_OK)
        return e;
    e = smooth_begin(&s, c, label, sigma_of(c));
    c->sigma = sigma_of(c) / c->per_unit;
    c->at = malloc((size_t)c->width * (size_t)c->height * sizeof(*c->at));
    if (!c->at)
        e = ERR_NOMEM;
    if (e == ERR_OK) {
        mark_mixed(&s, s.radius);
        find_runs(&s);
        if (!pool_run(p->pool, c->height, share_row, &s, p->cancel))
            e = ERR_CANCELLED;
    }
    smooth_end(&s);
    return e;
}

enum err cells_new(struct cells *c, const struct look_picture *p, float pieces, int passes,
                   float quarry)
{
    const struct look_maps *m = p->maps;
    float area = (float)m->mid[0].width * (float)m->mid[0].height;
    // Superpixels to choose from, for each piece that will be.
    float step = sqrtf(area / (7.0f * pieces));

    *c = (struct cells){
        .width = m->mid[0].width, .height = m->mid[0].height, .per_unit = m->half_per_unit};
    uint16_t *label = malloc((size_t)c->width * (size_t)c->height * sizeof(*label));
    enum err e = label ? cells_superpixels(p, step, label, &c->count) : ERR_NOMEM;
    if (e == ERR_OK)
        e = cells_join(m, (int)pieces, quarry > 0.0f, label, &c->count);
    if (e == ERR_OK)
        e = move_outlines(c, p, label, passes);
    if (e == ERR_OK && quarry > 0.0f)
        e = cells_quarry(p, quarry, label, &c->count);
    if (e == ERR_OK)
        e = cells_smooth(c, p, label, 1);
    free(label);
    if (e != ERR_OK)
        cells_release(c);
    return e;
}

void cells_release(struct cells *c)
{
    free(c->at);
    c->at = NULL;
}

// Between two pieces the difference of shares is erf(distance / (sigma sqrt 2)); this is its
// inverse by the series, good to 8 % at .9.
static float distance_of(float difference)
{
    float m = clampf(difference, 0.0f, 1.0f), m2 = m * m;

    return 1.2533f * m * (1.0f + m2 * (0.2618f + m2 * (0.1439f + m2 * 0.0977f)));
}

// Whether the four pixels around a place are far from any border: most are.
static bool all_of_one(const struct cells *c, int i, int j)
{
    const struct cell_shares *a = &c->at[(size_t)j * (size_t)c->width + (size_t)i];
    const struct cell_shares *b = j + 1 < c->height ? a + c->width : a;
    int right = i + 1 < c->width;

    return a[0].share[1] <= 0.0f && a[right].share[1] <= 0.0f && b[0].share[1] <= 0.0f &&
           b[right].share[1] <= 0.0f && a[0].label[0] == a[right].label[0] &&
           a[0].label[0] == b[0].label[0] && a[0].label[0] == b[right].label[0];
}

void cells_at(const struct cells *c, float x, float y, struct cell_spot *out)
{
    float fx = clampf(x * c->per_unit - 0.5f, 0.0f, (float)(c->width - 1));
    float fy = clampf(y * c->per_unit - 0.5f, 0.0f, (float)(c->height - 1));
    int i = (int)fx, j = (int)fy, n = 0;
    float tx = fx - (float)i, ty = fy - (float)j;
    uint16_t label[4 * CELL_SHARES];
    float share[4 * CELL_SHARES];

    if (all_of_one(c, i, j)) {
        *out = (struct cell_spot){.label = c->at[(size_t)j * (size_t)c->width + (size_t)i].label[0],
                                  .other = -1,
                                  .border = c->sigma * distance_of(1.0f)};
        return;
    }
    for (int k = 0; k < 4; k++) {
        int px = i + (k & 1) < c->width ? i + (k & 1) : i;
        int py = j + (k >> 1) < c->height ? j + (k >> 1) : j;
        const struct cell_shares *s = &c->at[(size_t)py * (size_t)c->width + (size_t)px];
        float weight = (k & 1 ? tx : 1.0f - tx) * (k >> 1 ? ty : 1.0f - ty);
        for (int q = 0; q < CELL_SHARES && s->share[q] > 0.0f; q++) {
            int at = 0;
            while (at < n && label[at] != s->label[q])
                at++;
            if (at == n) {
                label[n] = s->label[q];
                share[n++] = 0.0f;
            }
            share[at] += weight * s->share[q];
        }
    }
    int first = 0, second = -1;
    for (int k = 1; k < n; k++) {
        if (share[k] > share[first]) {
            second = first;
            first = k;
        } else if (second < 0 || share[k] > share[second]) {
            second = k;
        }
    }
    out->label = label[first];
    out->other = second < 0 ? -1 : label[second];
    out->border = c->sigma * distance_of(second < 0 ? 1.0f : share[first] - share[second]);
}
