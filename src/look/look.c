/* SPDX-License-Identifier: MIT */
#include "look/look_internal.h"

#include "base/buf.h"
#include "image/colour.h"
#include "look/colour.h"
#include "look/mood_scene.h"

#include <stdlib.h>
#include <string.h>

struct finish {
    const struct look_picture *p;
    const struct image *source;
    struct image *out;
    float grey; /* share of all colour that is lost; below 0: gained */
    struct srgb_encoder encoder;
};

// The paint's colour is meant everywhere, also where the source is transparent: what lies hidden in
// the source has been spread over by then.
static void finish_row(void *ctx, int y, int worker)
{
    const struct finish *f = ctx;
    const lane4 *row = picture_row(f->p, y);
    const uint8_t *alpha = f->source->px + (size_t)y * f->source->stride + 3;
    uint8_t *to = f->out->px + (size_t)y * f->out->stride;

    (void)worker;
    for (int x = 0; x < f->p->width; x++, to += 4) {
        float rgb[3] = {row[x][0], row[x][1], row[x][2]};
        if (!f->p->linear)
            linear_from_oklab(row[x][0], row[x][1], row[x][2], rgb);
        float Y = 0.2126f * rgb[0] + 0.7152f * rgb[1] + 0.0722f * rgb[2];
        for (int k = 0; k < 3 && f->grey != 0.0f; k++)
            rgb[k] = mixf(rgb[k], Y, f->grey);
        for (int k = 0; k < 3; k++)
            to[k] = srgb_encode(&f->encoder, clampf(rgb[k], 0.0f, 1.0f));
        to[3] = f->source->has_alpha ? alpha[4 * (size_t)x] : 255;
    }
}

// The first step finds the photo, if it looks.
static void begin_row(void *ctx, int y, int worker)
{
    const struct look_picture *p = ctx;
    const struct look_maps *m = p->maps;
    float per_px = 1.0f / p->px_per_unit;
    lane4 *row = picture_row(p, y);

    (void)worker;
    for (int x = 0; x < p->width; x++) {
        float lab[LAB];
        lab_at(m->full, m->full_per_unit, ((float)x + 0.5f) * per_px, ((float)y + 0.5f) * per_px,
               lab);
        row[x] = (lane4){lab[0], lab[1], lab[2], 0.0f};
    }
}

static enum err run_steps(struct look_picture *p, const struct recipe *recipe,
                          const struct look_span *span)
{
    int all = 0, done = 0;

    for (int i = 0; i < recipe->steps; i++)
        all += recipe->step[i].op->cost_ms;
    for (int i = 0; i < recipe->steps; i++) {
        // Not the recipe's operator but the one that was compiled with this file.
        const char *name = recipe->step[i].op->name;
        const struct look_op *op = look_op_find(name, strlen(name));
        enum err e = op->run(p, recipe->step[i].value);
        if (e != ERR_OK)
            return e;
        done += recipe->step[i].op->cost_ms;
        look_tell(span, (float)done / (float)all);
    }
    return ERR_OK;
}

enum err look_render_one(const struct look_request *r, const struct recipe *recipe,
                         const struct look_options *o, const struct look_maps *maps, uint32_t seed,
                         const struct look_span *s, struct image *out)
{
    struct look_picture p = {.width = maps->width,
                             .height = maps->height,
                             .px_per_unit = maps->px_per_unit,
                             .maps = maps,
                             .excluded = o->excluded,
                             .flat = o->flat,
                             .bare = o->bare,
                             .mood = o->mood.words > 0 ? maps->mood : NULL,
                             .pool = r->pool,
                             .cancel = r->cancel};
    struct image made = {0};
    size_t n, bytes;
    enum err e = ERR_NOMEM;

    look_variation_of(seed, o, &p.variation);
    for (int i = 0; i < p.excluded; i++)
        p.exclude[i] = o->exclude[i];
    if (size_mul((size_t)p.width, (size_t)p.height, &n) && size_mul(n, sizeof(*p.px), &bytes))
        p.px = aligned_alloc(sizeof(*p.px), bytes);
    if (!p.px)
        goto out;
    e = ERR_OK;
    if (!recipe->step[0].op->covers && !pool_run(r->pool, p.height, begin_row, &p, r->cancel))
        e = ERR_CANCELLED;
    if (e == ERR_OK)
        e = run_steps(&p, recipe, s);
    if (e == ERR_OK)
        e = image_new(&made, p.width, p.height);
    if (e != ERR_OK)
        goto out;
    struct finish f = {.p = &p,
                       .source = r->source,
                       .out = &made,
                       .grey = mood_grey(p.mood, maps->form.px != NULL)};
    srgb_encoder_init(&f.encoder);
    made.has_alpha = r->source->has_alpha;
    if (!pool_run(r->pool, p.height, finish_row, &f, r->cancel))
        e = ERR_CANCELLED;
    if (e == ERR_OK) {
        *out = made;
        made = (struct image){0};
    }
out:
    image_release(&made);
    free(p.px);
    return e;
}
