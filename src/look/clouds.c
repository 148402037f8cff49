/* SPDX-License-Identifier: MIT */
#include "look/clouds.h"

#include "look/noise.h"

struct cloud_fill {
    struct plane *plane;
    float step; /* periods per plane pixel */
    uint32_t seed;
};

static void cloud_row(void *ctx, int y, int worker)
{
    const struct cloud_fill *f = ctx;
    float *row = plane_row(f->plane, y);

    (void)worker;
    for (int x = 0; x < f->plane->width; x++) {
        float u = (float)x * f->step, v = (float)y * f->step, sum = 0.0f, strength = 1.2f;
        for (uint32_t i = 0; i < CLOUD_OCTAVES; i++) {
            sum += strength * (noise_at(u, v, f->seed + i * 101u) - 0.5f);
            // Turned by about 37 degrees, so that the lattices do not line up.
            float w = 1.6f * u - 1.2f * v;
            v = 1.2f * u + 1.6f * v;
            u = w;
            strength *= 0.5f;
        }
        row[x] = sum;
    }
}

enum err clouds_new(struct clouds *c, const struct look_picture *p, float period, uint32_t seed)
{
    // The smallest octave is a quarter of the period: three samples for each of its steps.
    float step = period / 12.0f;

    c->per_px = 1.0f / (step * p->px_per_unit);
    enum err e = plane_new(&c->plane, (int)((float)p->width * c->per_px) + 2,
                           (int)((float)p->height * c->per_px) + 2);
    if (e != ERR_OK)
        return e;
    struct cloud_fill f = {.plane = &c->plane, .step = step / period, .seed = seed};
    if (!pool_run(p->pool, c->plane.height, cloud_row, &f, p->cancel)) {
        clouds_release(c);
        return ERR_CANCELLED;
    }
    return ERR_OK;
}

void clouds_span(const struct clouds *c, float scale, int x, int y, int n, float *out)
{
    float at[SPAN];

    for (int i = 0; i < n; i++)
        at[i] = ((float)(x + i) * scale + 0.5f) * c->per_px + 0.5f;
    span_plane_row(&c->plane, 1.0f, at, ((float)y * scale + 0.5f) * c->per_px + 0.5f, n, out);
}

void clouds_release(struct clouds *c)
{
    plane_release(&c->plane);
}
