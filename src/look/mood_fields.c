/* SPDX-License-Identifier: MIT */
#include "look/mood_internal.h"

/*
 * What is sky, what is far, and which way forms turn, as far as a photo tells.
 */
struct fields_work {
    struct mood_fields *f;
    const struct look_maps *m;
    struct plane soft; /* lightness without texture */
    float mean;        /* of detail */
    float depth;       /* of the place: less without a sky */
};

// Blue, or white, and plain.
static float like_sky(const struct look_maps *m, int x, int y)
{
    const struct plane *L = &m->half[0];
    int right = x + 1 < L->width ? x + 1 : x, down = y + 1 < L->height ? y + 1 : y;
    float here = plane_row(L, y)[x], a = plane_row(&m->half[1], y)[x];
    float b = plane_row(&m->half[2], y)[x];
    float step = fabsf(plane_row(L, y)[right] - here) + fabsf(plane_row(L, down)[x] - here);
    float blue = smoothf(0.015f, 0.045f, -b) * smoothf(-0.02f, 0.02f, -b - 1.2f * fabsf(a)) *
                 smoothf(0.15f, 0.3f, here);
    float white = smoothf(0.74f, 0.84f, here) *
                  (1.0f - smoothf(0.03f, 0.06f, sqrtf(a * a + b * b)));

    return (blue > white ? blue : white) * (1.0f - smoothf(0.1f, 0.25f, step));
}

// Sky hangs together with the upper border: each place asks the three above it. Returns how much of
// the picture it is.
static float find_sky(struct mood_fields *f, const struct look_maps *m)
{
    int w = f->sky.width, h = f->sky.height;
    float top = 0.0f, mass = 0.0f, low = 0.0f, light = 0.0f;

    for (int y = 0; y < h; y++) {
        const float *above = plane_row(&f->sky, y > 0 ? y - 1 : 0);
        float *row = plane_row(&f->sky, y), across = 0.0f;
        for (int x = 0; x < w; x++) {
            float most = 1.0f;
            if (y > 0) {
                float a = above[x > 0 ? x - 1 : 0], c = above[x + 1 < w ? x + 1 : x];
                most = above[x] > a ? above[x] : a;
                most = most > c ? most : c;
            }
            float like = most > 0.02f ? like_sky(m, x, y) : 0.0f;
            row[x] = smoothf(0.1f, 0.6f, like) * most;
            across += row[x];
            light += row[x] * plane_row(&m->half[0], y)[x];
        }
        if (y == 0)
            top = across / (float)w;
        mass += across;
        low += (float)y > 0.6f * (float)h ? across : 0.0f;
        if (across > 0.04f * (float)w)
            f->horizon = ((float)y + 1.0f) / (float)h;
    }
    f->sky_L = mass > 0.0f ? light / mass : 0.5f;
    // A window or a blue wall in a corner is no sky, nor is a wall that comes down to the ground.
    float share = smoothf(0.25f, 0.5f, top) * (1.0f - smoothf(0.03f, 0.1f, low / (mass + 1e-3f)));
    for (size_t i = 0; i < (size_t)w * (size_t)h; i++)
        f->sky.px[i] *= share;
    return share * mass / ((float)w * (float)h);
}

static void detail_row(void *ctx, int y, int worker)
{
    const struct fields_work *k = ctx;
    const float *L = plane_row(&k->m->half[0], y), *soft = plane_row(&k->soft, y);
    float *out = plane_row(&k->f->far, y);

    (void)worker;
    for (int x = 0; x < k->f->far.width; x++)
        out[x] = fabsf(L[x] - soft[x]);
}

// The subject is where there is detail, rather in the middle.
static void find_subject(struct fields_work *k)
{
    struct mood_fields *f = k->f;
    float sum = 0.0f, sx = 0.0f, sy = 0.0f, all = 0.0f, bright = 0.0f, lean = 0.0f;
    int w = f->far.width, h = f->far.height;

    for (int y = 0; y < h; y += 2)
        for (int x = 0; x < w; x += 2) {
            float u = ((float)x + 0.5f) / (float)w, v = ((float)y + 0.5f) / (float)h;
            float e = plane_row(&f->far, y)[x], L = plane_row(&k->m->half[0], y)[x];
            float middle = 16.0f * u * (1.0f - u) * v * (1.0f - v);
            if (k->m->importance.px)
                e *= 0.2f + plane_row(&k->m->importance, y)[x];
            e *= middle * middle * middle * (1.0f - plane_row(&f->sky, y)[x]);
            sum += e;
            sx += e * u;
            sy += e * v;
            all += plane_row(&f->far, y)[x];
            bright += L * L;
            lean += L * L * (2.0f * u - 1.0f);
        }
    f->mid_x = sum > 0.0f ? sx / sum : 0.5f;
    f->mid_y = sum > 0.0f ? sy / sum : 0.5f;
    f->sun = lean > -0.02f * bright ? 1.0f : -1.0f;
    k->mean = 4.0f * all / ((float)w * (float)h) + 1e-4f;
}

static void turn_row(void *ctx, int y, int worker)
{
    const struct fields_work *k = ctx;
    struct mood_fields *f = k->f;
    float reach = 5.0f * k->m->half_per_unit, dx = 0.75f * f->sun * reach, dy = -0.66f * reach;
    float v = ((float)y + 0.5f) / (float)f->far.height;
    float *far = plane_row(&f->far, y), *side = plane_row(&f->side, y);
    const float *sky = plane_row(&f->sky, y);

    (void)worker;
    for (int x = 0; x < f->far.width; x++) {
        float px = (float)x + 0.5f, py = (float)y + 0.5f;
        // Bright is high: what falls towards the light is turned to it.
        float rise = plane_at(&k->soft, px - dx, py - dy) - plane_at(&k->soft, px + dx, py + dy);
        side[x] = rise / (0.06f + fabsf(rise));
        float near = far[x] / (far[x] + k->mean);
        float distance = k->depth * smoothf(0.0f, 1.0f, 1.15f - 0.95f * v - 0.5f * near);
        far[x] = distance > 0.9f * sky[x] ? distance : 0.9f * sky[x];
    }
}

enum err mood_fields_make(struct mood_fields *f, const struct look_maps *m, struct pool *pool,
                          const atomic_bool *cancel)
{
    struct fields_work k = {.f = f, .m = m};
    struct blur_scratch scratch = {0};
    struct plane *own[] = {&f->sky, &f->far, &f->side, &k.soft};
    int w = m->half[0].width, h = m->half[0].height;
    float unit = m->half_per_unit;
    enum err e = blur_scratch_new(&scratch, w, h, pool, cancel);

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && e == ERR_OK; i++)
        e = plane_new(own[i], w, h);
    if (e != ERR_OK)
        goto out;
    e = ERR_CANCELLED;
    k.depth = mixf(0.7f, 1.0f, smoothf(0.0f, 0.05f, find_sky(f, m)));
    if (!plane_blur(&f->sky, &f->sky, 1.5f * unit, &scratch) ||
        !plane_blur(&m->half[0], &k.soft, 4.0f * unit, &scratch) ||
        !pool_run(pool, h, detail_row, &k, cancel))
        goto out;
    find_subject(&k);
    if (plane_blur(&f->far, &f->far, 34.0f * unit, &scratch) &&
        pool_run(pool, h, turn_row, &k, cancel) &&
        plane_blur(&f->far, &f->far, 12.0f * unit, &scratch))
        e = ERR_OK;
out:
    blur_scratch_release(&scratch);
    plane_release(&k.soft);
    return e;
}

void mood_fields_release(struct mood_fields *f)
{
    plane_release(&f->sky);
    plane_release(&f->far);
    plane_release(&f->side);
}
