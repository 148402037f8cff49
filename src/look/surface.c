/* SPDX-License-Identifier: MIT */
#include "look/surface.h"

#include <stdlib.h>
#include <string.h>

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
    for (int x0 = 0; x0 < form->width; x0 += SPAN) {
        const float *here = plane_row(form, y) + x0;
        int n = span_of(x0, form->width);
        float most[SPAN] = {0}, x[SPAN], there[SPAN];
        for (size_t k = 0; k < sizeof(STEP_UNITS) / sizeof(STEP_UNITS[0]); k++) {
            float d = STEP_UNITS[k], rise = SHADOW_RISE * d;
            for (int i = 0; i < n; i++)
                x[i] = (float)(x0 + i) + 0.5f + dx * d;
            span_plane_row(form, 1.0f, x, (float)y + 0.5f + dy * d, n, there);
            for (int i = 0; i < n; i++) {
                float over = (c->depth * (there[i] - here[i]) - rise) / d;
                most[i] = over > most[i] ? over : most[i];
            }
        }
        for (int i = 0; i < n; i++)
            out[x0 + i] = 1.0f - smoothf(0.0f, 0.22f, most[i]);
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

// One for each pixel of a plane of that size; NULL: no memory.
static lane4 *lanes_new(const struct plane *size)
{
    return aligned_alloc(sizeof(lane4), sizeof(lane4) * (size_t)size->width * (size_t)size->height);
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
    if (e == ERR_OK && !(s->about = lanes_new(&p->maps->form)))
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

    if (e == ERR_OK && !(s->broad = lanes_new(form)))
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
    float per = 1.0f / w->s->slow_per_unit, uy = ((float)y + 0.5f) * per;
    lane4 *row = w->fields->px + (size_t)y * (size_t)w->s->slow.width;

    (void)worker;
    for (int x = 0; x < w->s->slow.width; x++) {
        float ux = ((float)x + 0.5f) * per, out[FIELDS_MAX] = {0};
        float height = plane_at(&m->form, ux * m->half_per_unit, uy * m->half_per_unit);
        w->fn(w->ctx, ux, uy, w->s->depth * height, out);
        row[x] = (lane4){out[0], out[1], out[2], out[3]};
    }
}

enum err fields_new(struct fields *f, const struct surface *s, field_fn *fn, const void *ctx)
{
    struct field_work w = {.fields = f, .s = s, .fn = fn, .ctx = ctx};

    f->px = lanes_new(&s->slow);
    if (!f->px)
        return ERR_NOMEM;
    if (pool_run(s->p->pool, s->slow.height, field_row, &w, s->p->cancel))
        return ERR_OK;
    fields_release(f);
    return ERR_CANCELLED;
}

void fields_release(struct fields *f)
{
    free(f->px);
    f->px = NULL;
}

/* A row of places between the middles of four pixels each: plane_mix() of four planes. */
struct lanes_row {
    const lane4 *above, *below;
    float ty;
    int last;
};

static struct lanes_row lanes_row_of(const lane4 *px, const struct plane *size, float y)
{
    float fy = clampf(y - 0.5f, 0.0f, (float)(size->height - 1));
    int row = (int)fy;
    const lane4 *above = px + (size_t)row * (size_t)size->width;

    return (struct lanes_row){.above = above,
                              .below = row + 1 < size->height ? above + size->width : above,
                              .ty = fy - (float)row,
                              .last = size->width - 1};
}

static inline lane4 lanes_at(const struct lanes_row *r, float x)
{
    float fx = clampf(x - 0.5f, 0.0f, (float)r->last);
    int left = (int)fx, right = left < r->last ? left + 1 : left;
    float tx = fx - (float)left;
    lane4 above = r->above[left] + (r->above[right] - r->above[left]) * tx;
    lane4 below = r->below[left] + (r->below[right] - r->below[left]) * tx;

    return above + (below - above) * r->ty;
}

static void slope_span(const struct surface *s, struct spots *out)
{
    const struct look_maps *m = s->p->maps;
    int n = out->n;

    if (s->exact) {
        memcpy(out->gx, plane_row(&m->slope_x, out->row) + out->x0, (size_t)n * sizeof(float));
        memcpy(out->gy, plane_row(&m->slope_y, out->row) + out->x0, (size_t)n * sizeof(float));
        memcpy(out->shade, plane_row(&m->shade, out->row) + out->x0, (size_t)n * sizeof(float));
    } else {
        span_plane_row(&m->slope_x, m->full_per_unit, out->x, out->y, n, out->gx);
        span_plane_row(&m->slope_y, m->full_per_unit, out->x, out->y, n, out->gy);
        span_plane_row(&m->shade, m->full_per_unit, out->x, out->y, n, out->shade);
    }
    for (int i = 0; i < n; i++) {
        out->gx[i] *= s->depth;
        out->gy[i] *= s->depth;
    }
}

static void about_span(const struct surface *s, struct spots *out)
{
    const struct look_maps *m = s->p->maps;
    struct lanes_row about = lanes_row_of(s->about, &m->form, out->y * m->half_per_unit);

    for (int i = 0; i < out->n; i++) {
        lane4 v = lanes_at(&about, out->x[i] * m->half_per_unit);
        out->height[i] = s->depth * v[0];
        out->cavity[i] = v[1];
        out->light[i] = v[2];
        out->care[i] = v[3];
    }
}

static void broad_span(const struct surface *s, struct spots *out)
{
    const struct look_maps *m = s->p->maps;
    struct lanes_row broad = lanes_row_of(s->broad, &m->form, out->y * m->half_per_unit);

    for (int i = 0; i < out->n; i++) {
        lane4 v = lanes_at(&broad, out->x[i] * m->half_per_unit);
        out->broad_x[i] = v[0];
        out->broad_y[i] = v[1];
        out->lettering[i] = v[2];
    }
}

static void field_span(const struct surface *s, const struct fields *f, struct spots *out)
{
    struct lanes_row slow = lanes_row_of(f->px, &s->slow, out->y * s->slow_per_unit);

    for (int i = 0; i < out->n; i++) {
        lane4 v = lanes_at(&slow, out->x[i] * s->slow_per_unit);
        for (int k = 0; k < FIELDS_MAX; k++)
            out->field[k][i] = v[k];
    }
}

void surface_span(const struct surface *s, const struct fields *f, int x0, int row, int n,
                  struct spots *out)
{
    float per_px = 1.0f / s->p->px_per_unit;

    out->n = n;
    out->x0 = x0;
    out->row = row;
    out->y = ((float)row + 0.5f) * per_px;
    for (int i = 0; i < n; i++)
        out->x[i] = ((float)(x0 + i) + 0.5f) * per_px;
    slope_span(s, out);
    about_span(s, out);
    if (s->broad)
        broad_span(s, out);
    if (f)
        field_span(s, f, out);
}

void surface_lamps(const struct surface *s, const struct spots *at, const float *lit,
                   const float *up, struct mood_lamps *out)
{
    if (s->p->mood) {
        mood_lamps_span(s->p->mood, s->p->maps->half_per_unit, at->x, at->y, at->n, lit, up, out);
        return;
    }
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < at->n; i++) {
            out->gain[k][i] = 1.0f;
            out->veil[k][i] = 0.0f;
        }
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

void grain_span(const struct grain *g, float scale, const float *x, float y, int n,
                struct grain_spots *restrict out)
{
    float fy = floorf(y * scale), ty = y * scale - fy;
    unsigned j = (unsigned)(int)fy % GRAIN_TILE;
    const float *above = g->tile + (size_t)j * GRAIN_TILE;
    const float *below = g->tile + (size_t)((j + 1) % GRAIN_TILE) * GRAIN_TILE;

    for (int i = 0; i < n; i++) {
        float at = x[i] * scale, fx = floorf(at), tx = at - fx;
        int left = (int)((unsigned)(int)fx % GRAIN_TILE), right = (left + 1) % GRAIN_TILE;
        float a = above[left], b = above[right], c = below[left], d = below[right];
        out->gx[i] = mixf(b - a, d - c, ty);
        out->gy[i] = mixf(c - a, d - b, tx);
        out->value[i] = mixf(mixf(a, b, tx), mixf(c, d, tx), ty);
    }
}

void grain_release(struct grain *g)
{
    free(g->tile);
    g->tile = NULL;
}
