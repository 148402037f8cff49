/* SPDX-License-Identifier: MIT */
#include "look/maps_internal.h"

#include <stdlib.h>

/*
 * Areas of one colour: a bilateral filter in OKLab, several times over (Winnemoeller et al. 2006),
 * each time along rows and then along columns (Pham & van Vliet 2005), which the repeats make up
 * for. A neighbour's weight is Tukey's biweight of its colour, so what differs clearly counts for
 * nothing and borders stay where they are.
 */
enum { PASSES = 3, REACH_MAX = 6 };

static const float SIGMA = 3.0f;   /* units, in place */
static const float RANGE = 0.055f; /* OKLab distance from which on a colour is another */
static const float CHROMA = 2.0f;  /* weight of a and b in it: hue borders are to last */

struct bilateral {
    const struct plane *from;
    struct plane *to;
    int reach;
    float weight[REACH_MAX + 1];
    bool down; /* along columns */
};

static void bilateral_pixels(const struct bilateral *b, const float *const at[LAB],
                             const float *const *near[LAB], float *const out[LAB], int n)
{
    int taps = 2 * b->reach + 1;

    for (int x = 0; x < n; x++) {
        float sum[LAB] = {0}, total = 0.0f;
        for (int i = 0; i < taps; i++) {
            float L = near[0][i][x], u = near[1][i][x], v = near[2][i][x];
            float dL = L - at[0][x], du = CHROMA * (u - at[1][x]), dv = CHROMA * (v - at[2][x]);
            float far = 1.0f - (dL * dL + du * du + dv * dv) * (1.0f / (RANGE * RANGE));
            far = far > 0.0f ? far : 0.0f;
            float w = b->weight[abs(i - b->reach)] * far * far;
            sum[0] += w * L;
            sum[1] += w * u;
            sum[2] += w * v;
            total += w;
        }
        // The pixel itself always counts, so the total is not 0.
        for (int k = 0; k < LAB; k++)
            out[k][x] = sum[k] / total;
    }
}

static void bilateral_row(void *ctx, int y, int worker)
{
    const struct bilateral *b = ctx;
    int w = b->from[0].width, h = b->from[0].height, r = b->reach;
    const float *near[LAB][2 * REACH_MAX + 1], *const *taps[LAB], *at[LAB];
    float *out[LAB];

    (void)worker;
    for (int k = 0; k < LAB; k++) {
        at[k] = plane_row(&b->from[k], y);
        out[k] = plane_row(&b->to[k], y);
        taps[k] = near[k];
        for (int i = -r; i <= r; i++)
            near[k][i + r] = b->down ? plane_row(&b->from[k], clampi(y + i, 0, h - 1)) : at[k] + i;
    }
    if (b->down) {
        bilateral_pixels(b, at, taps, out, w);
        return;
    }
    // Rows end: the first and last pixels are done on their own, with their taps held inside.
    for (int x = 0; x < w;) {
        bool inner = x >= r && x + r < w;
        const float *p_near[LAB][2 * REACH_MAX + 1], *const *p_taps[LAB], *p_at[LAB];
        float *p_out[LAB];
        for (int k = 0; k < LAB; k++) {
            p_at[k] = at[k] + x;
            p_out[k] = out[k] + x;
            p_taps[k] = p_near[k];
            for (int i = -r; i <= r; i++)
                p_near[k][i + r] = at[k] + (inner ? x + i : clampi(x + i, 0, w - 1));
        }
        int n = inner ? w - r - x : 1;
        bilateral_pixels(b, p_at, p_taps, p_out, n);
        x += n;
    }
}

enum err maps_flat(struct map_maker *k)
{
    struct look_maps *m = k->m;
    struct plane tmp[LAB] = {{0}};
    struct bilateral b = {0};
    float sigma = SIGMA * m->full_per_unit;
    enum err e = ERR_OK;

    b.reach = clampi((int)(1.6f * sigma + 0.5f), 1, REACH_MAX);
    for (int i = 0; i <= b.reach; i++)
        b.weight[i] = exp_approx(-0.5f * (float)(i * i) / (sigma * sigma + 0.1f));
    for (int i = 0; i < LAB && e == ERR_OK; i++)
        e = plane_new(&tmp[i], m->full[0].width, m->full[0].height);
    for (int i = 0; i < LAB && e == ERR_OK; i++)
        e = plane_new(&m->flat[i], m->full[0].width, m->full[0].height);
    for (int i = 0; i < 2 * PASSES && e == ERR_OK; i++) {
        b.down = i & 1;
        b.from = i == 0 ? m->fine : b.down ? tmp : m->flat;
        b.to = b.down ? m->flat : tmp;
        if (!rows_run(k, m->full[0].height, bilateral_row, &b))
            e = ERR_CANCELLED;
    }
    planes_release(tmp, LAB);
    return e;
}
