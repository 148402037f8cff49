/* SPDX-License-Identifier: MIT */
#include "look/cells.h"

#include "look/noise.h"

#include <stdlib.h>

enum { ROUNDS = 5 };

// Change of colour that weighs as much as a step of distance.
static const float COMPACT = 0.10f;

struct centre {
    float x, y, c[LAB];
};

struct slic {
    const struct look_maps *m;
    float step; /* pixels */
    int cols, rows;
    struct centre *centre;
    uint16_t *label;
};

/* Pixels of a row that have the same nine centres to choose from: as many as fill vectors, the last
 * one repeated. */
enum { LANES = 16 };

struct chosen {
    float x[LANES], lab[LAB][LANES], least[LANES];
    int best[LANES];
};

static void try_centre(struct chosen *p, const struct centre *c, int index, float y, float near)
{
    float dy = y - c->y, by = dy * dy;

    for (int i = 0; i < LANES; i++) {
        float dx = p->x[i] - c->x, dL = p->lab[0][i] - c->c[0];
        float da = p->lab[1][i] - c->c[1], db = p->lab[2][i] - c->c[2];
        float d = dL * dL + 2.0f * (da * da + db * db) + near * (dx * dx + by);
        float least = p->least[i];
        p->best[i] = d < least ? index : p->best[i];
        p->least[i] = d < least ? d : least;
    }
}

// Only the nine centres that began around a pixel may have it: no search, and no order of work.
static void assign_row(void *ctx, int y, int worker)
{
    const struct slic *s = ctx;
    const struct look_maps *m = s->m;
    int w = m->mid[0].width, row = clampi((int)((float)y / s->step), 0, s->rows - 1);
    uint16_t *label = s->label + (size_t)y * (size_t)w;
    float near = COMPACT * COMPACT / (s->step * s->step);

    (void)worker;
    for (int x = 0, n; x < w; x += n) {
        int col = clampi((int)((float)x / s->step), 0, s->cols - 1);
        struct chosen p;
        for (n = 1; n < LANES && x + n < w; n++)
            if (clampi((int)((float)(x + n) / s->step), 0, s->cols - 1) != col)
                break;
        for (int i = 0; i < LANES; i++) {
            int at = x + (i < n ? i : n - 1);
            p.x[i] = (float)at;
            for (int k = 0; k < LAB; k++)
                p.lab[k][i] = plane_row(&m->mid[k], y)[at];
            p.least[i] = 1e30f;
            p.best[i] = 0;
        }
        for (int j = row > 0 ? row - 1 : 0; j <= row + 1 && j < s->rows; j++)
            for (int i = col > 0 ? col - 1 : 0; i <= col + 1 && i < s->cols; i++)
                try_centre(&p, &s->centre[j * s->cols + i], j * s->cols + i, (float)y, near);
        for (int i = 0; i < n; i++)
            label[x + i] = (uint16_t)p.best[i];
    }
}

static void move_centres(struct slic *s, struct centre *sum, int *n)
{
    const struct look_maps *m = s->m;
    int w = m->mid[0].width, h = m->mid[0].height, count = s->cols * s->rows;

    for (int i = 0; i < count; i++) {
        sum[i] = (struct centre){0};
        n[i] = 0;
    }
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int i = s->label[(size_t)y * (size_t)w + (size_t)x];
            sum[i].x += (float)x;
            sum[i].y += (float)y;
            for (int k = 0; k < LAB; k++)
                sum[i].c[k] += plane_row(&m->mid[k], y)[x];
            n[i]++;
        }
    for (int i = 0; i < count; i++) {
        float share = n[i] ? 1.0f / (float)n[i] : 0.0f;
        if (n[i] == 0)
            continue;
        s->centre[i] = (struct centre){.x = sum[i].x * share, .y = sum[i].y * share};
        for (int k = 0; k < LAB; k++)
            s->centre[i].c[k] = sum[i].c[k] * share;
    }
}

enum err cells_parts(uint16_t *label, const uint16_t *second, int w, int h, int least, int *count)
{
    static const int DX[4] = {-1, 1, 0, 0}, DY[4] = {0, 0, -1, 1};
    size_t pixels = (size_t)w * (size_t)h;
    uint16_t *part = malloc(pixels * sizeof(*part));
    int *queue = malloc(pixels * sizeof(*queue)), parts = 0;

    if (!part || !queue) {
        free(part);
        free(queue);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < pixels; i++)
        part[i] = UINT16_MAX;
    for (size_t from = 0; from < pixels; from++) {
        if (part[from] != UINT16_MAX)
            continue;
        int n = 0, beside = -1;
        bool kin = false; // beside has the same label
        queue[n++] = (int)from;
        part[from] = (uint16_t)parts;
        for (int at = 0; at < n; at++)
            for (int k = 0; k < 4; k++) {
                int x = queue[at] % w + DX[k], y = queue[at] / w + DY[k], next = y * w + x;
                if (x < 0 || y < 0 || x >= w || y >= h)
                    continue;
                bool same = label[next] == label[from];
                if (part[next] == UINT16_MAX && same && (!second || second[next] == second[from])) {
                    part[next] = (uint16_t)parts;
                    queue[n++] = next;
                } else if (part[next] != UINT16_MAX && part[next] != parts && (same || !kin)) {
                    beside = part[next];
                    kin = same;
                }
            }
        if (n >= least || beside < 0)
            parts++;
        else
            for (int i = 0; i < n; i++)
                part[queue[i]] = (uint16_t)beside;
    }
    for (size_t i = 0; i < pixels; i++)
        label[i] = part[i];
    *count = parts;
    free(part);
    free(queue);
    return ERR_OK;
}

enum err cells_superpixels(const struct look_picture *p, float step, uint16_t *label, int *count)
{
    const struct look_maps *m = p->maps;
    int w = m->mid[0].width, h = m->mid[0].height;
    struct slic s = {.m = m, .step = step > 2.0f ? step : 2.0f, .label = label};
    enum err e = ERR_NOMEM;

    s.cols = (int)((float)w / s.step) + 1;
    s.rows = (int)((float)h / s.step) + 1;
    int all = s.cols * s.rows;
    s.centre = calloc((size_t)all, sizeof(*s.centre));
    struct centre *sum = calloc((size_t)all, sizeof(*sum));
    int *n = calloc((size_t)all, sizeof(*n));
    if (!s.centre || !sum || !n)
        goto out;
    for (int i = 0; i < all; i++) {
        struct centre *c = &s.centre[i];
        int col = i % s.cols, row = i / s.cols;
        // Not on a lattice, and elsewhere in each picture.
        c->x = ((float)col + 0.2f + 0.6f * noise_point(col, row, p->variation.seed + 5u)) * s.step;
        c->y = ((float)row + 0.2f + 0.6f * noise_point(col, row, p->variation.seed + 6u)) * s.step;
        for (int k = 0; k < LAB; k++)
            c->c[k] = plane_near(&m->mid[k], c->x, c->y);
    }
    e = ERR_CANCELLED;
    for (int i = 0; i < ROUNDS; i++) {
        if (!pool_run(p->pool, h, assign_row, &s, p->cancel))
            goto out;
        if (i + 1 < ROUNDS)
            move_centres(&s, sum, n);
    }
    // A quarter of a superpixel: at most four parts to each, so labels stay within 16 bits.
    e = cells_parts(label, NULL, w, h, (int)(0.25f * s.step * s.step), count);
out:
    free(s.centre);
    free(sum);
    free(n);
    return e;
}
