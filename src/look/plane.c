/* SPDX-License-Identifier: MIT */
#include "look/plane.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

enum err plane_new(struct plane *p, int width, int height)
{
    size_t n, bytes;

    *p = (struct plane){0};
    if (!size_mul((size_t)width, (size_t)height, &n) || !size_mul(n, sizeof(float), &bytes))
        return ERR_NOMEM;
    p->px = calloc(1, bytes);
    if (!p->px)
        return ERR_NOMEM;
    p->width = width;
    p->height = height;
    return ERR_OK;
}

void plane_release(struct plane *p)
{
    free(p->px);
    *p = (struct plane){0};
}

struct resample {
    const struct plane *from;
    struct plane *to;
    float step_x, step_y; /* pixels of `from` per pixel of `to` */
};

// Mean over a rectangle with fractional borders.
static float area_mean(const struct plane *p, float x0, float y0, float x1, float y1)
{
    float sum = 0.0f, weight = 0.0f;
    int j1 = clampi((int)y1, 0, p->height - 1), i1 = clampi((int)x1, 0, p->width - 1);

    for (int j = clampi((int)y0, 0, p->height - 1); j <= j1; j++) {
        float wy = clampf(y1 - (float)j, 0.0f, 1.0f) - clampf(y0 - (float)j, 0.0f, 1.0f);
        const float *row = plane_row(p, j);
        for (int i = clampi((int)x0, 0, p->width - 1); i <= i1; i++) {
            float w = wy * (clampf(x1 - (float)i, 0.0f, 1.0f) - clampf(x0 - (float)i, 0.0f, 1.0f));
            sum += w * row[i];
            weight += w;
        }
    }
    return weight > 0.0f ? sum / weight : plane_at(p, 0.5f * (x0 + x1), 0.5f * (y0 + y1));
}

static void resample_row(void *ctx, int y, int worker)
{
    const struct resample *r = ctx;
    float *out = plane_row(r->to, y);
    float y0 = (float)y * r->step_y;

    (void)worker;
    for (int x = 0; x < r->to->width; x++) {
        float x0 = (float)x * r->step_x;
        if (r->step_x > 1.0f || r->step_y > 1.0f)
            out[x] = area_mean(r->from, x0, y0, x0 + r->step_x, y0 + r->step_y);
        else
            out[x] = plane_at(r->from, x0 + 0.5f * r->step_x, y0 + 0.5f * r->step_y);
    }
}

bool plane_resample(const struct plane *from, struct plane *to, struct pool *pool,
                    const atomic_bool *cancel)
{
    struct resample r = {.from = from,
                         .to = to,
                         .step_x = (float)from->width / (float)to->width,
                         .step_y = (float)from->height / (float)to->height};

    return pool_run(pool, to->height, resample_row, &r, cancel);
}
