/* SPDX-License-Identifier: MIT */
#include "look/surface.h"

#include "look/noise.h"

#include <stdlib.h>

// Sine and cosine of the key light's height.
static const float KEY_UP = 0.6691f, KEY_ALONG = 0.7431f;

// Where a ray towards the light is looked at, units: close by often, or thin ridges cast nothing.
static const float STEP_UNITS[] = {2.0f, 4.5f, 8.0f, 12.5f, 18.0f, 25.0f, 34.0f, 46.0f, 62.0f};

// The relief is low, so the shadows are those of a light that stands lower than the key does.
static const float SHADOW_RISE = 0.24f;

struct cast {
    struct surface *s;
    float depth;
};

static void cast_row(void *ctx, int y, int worker)
{
    const struct cast *c = ctx;
    const struct look_picture *p = c->s->p;
    const struct plane *form = &p->maps->form;
    float per_unit = p->maps->half_per_unit;
    float dx = p->variation.light_x * per_unit, dy = p->variation.light_y * per_unit;
    float *out = plane_row(&c->s->light, y);

    (void)worker;
    for (int x = 0; x < form->width; x++) {
        float here = plane_row(form, y)[x], most = 0.0f;
        for (size_t i = 0; i < sizeof(STEP_UNITS) / sizeof(STEP_UNITS[0]); i++) {
            float d = STEP_UNITS[i];
            float px = (float)x + 0.5f + dx * d, py = (float)y + 0.5f + dy * d;
            float over = (c->depth * (plane_at(form, px, py) - here) - SHADOW_RISE * d) / d;
            most = over > most ? over : most;
        }
        out[x] = 1.0f - smoothf(0.0f, 0.22f, most);
    }
}

static void gather_row(void *ctx, int y, int worker)
{
    const struct surface *s = ctx;
    const struct look_maps *m = s->p->maps;
    lane4 *out = s->about + (size_t)y * (size_t)m->form.width;

    (void)worker;
    for (int x = 0; x < m->form.width; x++)
        out[x] = (lane4){plane_row(&m->form, y)[x], plane_row(&m->cavity, y)[x],
                         plane_row(&s->light, y)[x], plane_row(&m->importance, y)[x]};
}

// One for each pixel of half size; NULL: no memory.
static lane4 *lanes_new(const struct look_picture *p)
{
    const struct plane *form = &p->maps->form;

    return aligned_alloc(sizeof(lane4), sizeof(lane4) * (size_t)form->width * (size_t)form->height);
}

enum err surface_new(struct surface *s, const struct look_picture *p, float depth)
{
    struct cast c = {.s = s, .depth = p->flat ? 0.0f : depth};
    struct blur_scratch scratch = {0};
    enum err e;

    const struct look_maps *m = p->maps;
    *s = (struct surface){.p = p,
                          .depth = c.depth,
                          .slow_per_unit = m->half_per_unit < 0.25f ? m->half_per_unit : 0.25f,
                          .exact = m->shade.width == p->width && m->shade.height == p->height};
    float slower = s->slow_per_unit / m->half_per_unit;
    s->slow.width = (int)((float)m->form.width * slower) + 1;
    s->slow.height = (int)((float)m->form.height * slower) + 1;
    e = plane_new(&s->light, p->maps->form.width, p->maps->form.height);
    if (e == ERR_OK && !(s->about = lanes_new(p)))
        e = ERR_NOMEM;
    if (e == ERR_OK)
        e = blur_scratch_new(&scratch, s->light.width, s->light.height, p->pool, p->cancel);
    if (e == ERR_OK &&
        (!pool_run(p->pool, s->light.height, cast_row, &c, p->cancel) ||
         !plane_blur(&s->light, &s->light, 1.6f * p->maps->half_per_unit, &scratch) ||
         !pool_run(p->pool, s->light.height, gather_row, s, p->cancel)))
        e = ERR_CANCELLED;
    blur_scratch_release(&scratch);
    if (e != ERR_OK)
        surface_release(s);
    return e;
}

void surface_release(struct surface *s)
{
    plane_release(&s->light);
    free(s->about);
    free(s->broad);
    s->about = s->broad = NULL;
}

struct soften {
    struct surface *s;
    struct plane form; /* blurred */
};

static void soft_row(void *ctx, int y, int worker)
{
    const struct soften *f = ctx;
    int w = f->form.width, h = f->form.height;
    const float *row = plane_row(&f->form, y);
    const float *up = plane_row(&f->form, y > 0 ? y - 1 : 0);
    const float *down = plane_row(&f->form, y + 1 < h ? y + 1 : y);
    const float *lettering = plane_row(&f->s->p->maps->lettering, y);
    lane4 *out = f->s->broad + (size_t)y * (size_t)w;
    float k = 0.5f * f->s->depth * f->s->p->maps->half_per_unit;

    (void)worker;
    for (int x = 0; x < w; x++)
        out[x] = (lane4){k * (row[x + 1 < w ? x + 1 : x] - row[x > 0 ? x - 1 : 0]),
                         k * (down[x] - up[x]), lettering[x]};
}

enum err surface_soften(struct surface *s, float units)
{
    const struct look_picture *p = s->p;
    const struct plane *form = &p->maps->form;
    struct soften f = {.s = s};
    struct blur_scratch scratch = {0};
    enum err e = plane_new(&f.form, form->width, form->height);

    if (e == ERR_OK && !(s->broad = lanes_new(p)))
        e = ERR_NOMEM;
    if (e == ERR_OK)
        e = blur_scratch_new(&scratch, form->width, form->height, p->pool, p->cancel);
    if (e == ERR_OK && (!plane_blur(form, &f.form, units * p->maps->half_per_unit, &scratch) ||
                        !pool_run(p->pool, form->height, soft_row, &f, p->cancel)))
        e = ERR_CANCELLED;
    blur_scratch_release(&scratch);
    plane_release(&f.form);
    return e;
}

struct field_work {
    struct fields *fields;
    const struct surface *s;
    field_fn *fn;
    const void *ctx;
};

static void field_row(void *ctx, int y, int worker)
{
    const struct field_work *w = ctx;
    const struct look_maps *m = w->s->p->maps;
    float per = 1.0f / w->s->slow_per_unit;

    (void)worker;
    for (int x = 0; x < w->s->slow.width; x++) {
        struct spot t = {.x = ((float)x + 0.5f) * per, .y = ((float)y + 0.5f) * per};
        float out[FIELDS_MAX];
        t.height = w->s->depth * plane_at(&m->form, t.x * m->half_per_unit, t.y * m->half_per_unit);
        w->fn(w->ctx, &t, out);
        for (int i = 0; i < w->fields->count; i++)
            plane_row(&w->fields->plane[i], y)[x] = out[i];
    }
}

enum err fields_new(struct fields *f, const struct surface *s, int count, field_fn *fn,
                    const void *ctx)
{
    struct field_work w = {.fields = f, .s = s, .fn = fn, .ctx = ctx};
    enum err e = ERR_OK;

    *f = (struct fields){.count = count};
    for (int i = 0; i < count && e == ERR_OK; i++)
        e = plane_new(&f->plane[i], s->slow.width, s->slow.height);
    if (e == ERR_OK && !pool_run(s->p->pool, s->slow.height, field_row, &w, s->p->cancel))
        e = ERR_CANCELLED;
    if (e != ERR_OK)
        fields_release(f);
    return e;
}

void fields_release(struct fields *f)
{
    for (int i = 0; i < FIELDS_MAX; i++)
        plane_release(&f->plane[i]);
}

void surface_key(const struct surface *s, float l[3])
{
    l[0] = KEY_ALONG * s->p->variation.light_x;
    l[1] = KEY_ALONG * s->p->variation.light_y;
    l[2] = KEY_UP;
}

enum err grain_new(struct grain *g, uint32_t seed)
{
    g->tile = malloc(sizeof(float) * GRAIN_TILE * GRAIN_TILE);
    if (!g->tile)
        return ERR_NOMEM;
    for (int y = 0; y < GRAIN_TILE; y++)
        for (int x = 0; x < GRAIN_TILE; x++) {
            float sum = 0.0f, weight = 1.1f;
            for (int cells = 8; cells >= 2; cells /= 2, weight *= 0.6f) {
                int i = x / cells, j = y / cells, n = GRAIN_TILE / cells;
                int right = (i + 1) % n, below = (j + 1) % n;
                float tx = (float)(x % cells) / (float)cells,
                      ty = (float)(y % cells) / (float)cells;
                uint32_t s = seed + (uint32_t)cells;
                tx = tx * tx * (3.0f - 2.0f * tx);
                ty = ty * ty * (3.0f - 2.0f * ty);
                sum += weight *
                       (mixf(mixf(noise_point(i, j, s), noise_point(right, j, s), tx),
                             mixf(noise_point(i, below, s), noise_point(right, below, s), tx), ty) -
                        0.5f);
            }
            g->tile[y * GRAIN_TILE + x] = sum;
        }
    return ERR_OK;
}

void grain_release(struct grain *g)
{
    free(g->tile);
    g->tile = NULL;
}

float noise_sum(float x, float y, int octaves, uint32_t seed)
{
    float sum = 0.0f, weight = 1.0f, all = 0.0f;

    for (int i = 0; i < octaves; i++) {
        sum += weight * (2.0f * noise_at(x, y, seed + (uint32_t)i) - 1.0f);
        all += weight;
        weight *= 0.5f;
        // Turned and shifted, or the lattices of all octaves would show as one.
        float t = 1.6f * x - 1.2f * y + 7.3f;
        y = 1.2f * x + 1.6f * y - 3.1f;
        x = t;
    }
    return 1.6f * sum / all;
}

/*
 * u is towards the key light and v across it, -1..1 each: a large soft box with a lamp behind it, a
 * strip light opposite, a dark floor with a horizon.
 */
static float studio(float u, float v, float rough)
{
    float w = 0.05f + rough, far = v < 0.0f ? -v : v;
    // Divisions are what costs here, so four are done at once: those of bell(), of smoothf().
    lane4 from = {-0.24f, 0.58f, -0.62f, 0.7f}, at = {u, u, u, v};
    lane4 width = {0.10f + 0.5f * rough, 0.07f + 0.8f * rough, 0.10f + rough, 0.12f + rough};
    lane4 t = (at - from) / width, r = 1.0f / (1.0f + t * t), gleam = r * r;
    lane4 lo = {-0.6f, 0.30f - w, 0.80f - w, 0.5f}, hi = {0.7f, 0.30f + w, 0.80f + w, 1.0f};
    lane4 across = {u, u, u, far}, s = (across - lo) / (hi - lo);
    for (int i = 0; i < 4; i++)
        s[i] = clampf(s[i], 0.0f, 1.0f);
    s = s * s * (3.0f - 2.0f * s);

    float e = 0.13f + 0.30f * s[0];
    e *= 1.0f - 0.6f * (1.0f - rough) * gleam[0];
    e += (1.15f + 1.7f * gleam[1]) * s[1] * (1.0f - s[2]) * (1.0f - s[3]);
    e += 0.75f * gleam[2] * (1.0f - 0.7f * far);
    return e + 0.35f * gleam[3];
}

float surface_studio(const struct surface *s, const float n[3], float rough)
{
    float lx = s->p->variation.light_x, ly = s->p->variation.light_y;
    float rx = 2.0f * n[2] * n[0], ry = 2.0f * n[2] * n[1];

    return studio(rx * lx + ry * ly, ry * lx - rx * ly, rough);
}
