/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include "base/rand.h"
#include "engine/engine_look_plan.h"

#include <stdlib.h>
#include <string.h>

/* The built-in engine: recipes and a crew of threads behind the contract. */
struct engine_look {
    struct engine engine;
    struct recipe_set *recipes;
    struct pool *pool;
    bool plain;
};

static void look_close(struct engine *e)
{
    struct engine_look *l = (struct engine_look *)e;

    if (!l)
        return;
    recipe_set_close(l->recipes);
    pool_close(l->pool);
    free(l);
}

static enum err look_open(const struct engine_options *o, struct engine **out,
                          struct err_note *note)
{
    struct engine_look *l = calloc(1, sizeof(*l));
    enum err e;

    if (!l)
        return err_set(note, ERR_NOMEM, "no memory for the look engine");
    l->engine = (struct engine){.ops = &engine_look_ops, .label = "look"};
    l->plain = o->isa && strcmp(o->isa, "plain") == 0;
    e = recipe_set_open(o->looks_dir, &l->recipes, note);
    if (e == ERR_OK)
        e = pool_open(o->threads, &l->pool, note);
    if (e != ERR_OK) {
        look_close(&l->engine);
        return e;
    }
    *out = &l->engine;
    return ERR_OK;
}

static void look_estimate(const struct engine *e, const struct engine_sizes *s,
                          const struct prompt *p, struct engine_estimate *out)
{
    const struct engine_look *l = (const struct engine_look *)e;
    struct look_reading *r = calloc(1, sizeof(*r));

    *out = (struct engine_estimate){0};
    if (!r)
        return;
    look_reading_make(l->recipes, p, r);
    out->bytes = look_bytes(&r->plan, s->width, s->height, ENGINE_PICTURES_MAX) +
                 (int64_t)s->width * s->height * 4;
    out->ms = look_ms(&r->plan, s->width, s->height, ENGINE_PICTURES_MAX, pool_width(l->pool));
    free(r);
}

static uint32_t style_of(const char *text)
{
    uint32_t h = 0x9E3779B9u;

    for (uint32_t i = 0; text[i]; i++)
        h = hash_u32((unsigned char)text[i], i, h);
    return h | 1;
}

// Reads the prompt as looks and options; what has no effect is told.
static void plan(const struct recipe_set *set, struct prompt *p, struct arena *a,
                 struct look_reading *reading, struct look_options *o)
{
    uint32_t without = 0;

    look_reading_make(set, p, reading);
    for (int i = 0; i < reading->recipes; i++)
        without |= recipe_without(&reading->recipe[i]);
    if (look_reading_empty(reading, p))
        o->style = style_of(p->text);
    look_reading_warn(reading, set, p, a);
    look_reading_mood(p, a, &o->mood);
    for (int i = 0; i < p->excluded.count; i++) {
        const char *name = p->excluded.name[i];
        // A look that is not wanted has been kept out by the reading.
        if (!look_exclude(o, without, name) && !recipe_find(set, name))
            prompt_warn_term(p, a, &p->excluded.place[i], "no_effect",
                             "--no %s takes nothing away from this look", name);
    }
}

enum err engine_look_explain(const char *looks_dir, struct prompt *p, struct arena *a,
                             struct err_note *note)
{
    struct look_reading *reading = calloc(1, sizeof(*reading));
    struct recipe_set *set = NULL;
    struct look_options o = {.chaos = 0};
    enum err e = ERR_OK;

    if (!reading)
        e = err_set(note, ERR_NOMEM, "no memory for the plan of the picture");
    if (e == ERR_OK)
        e = recipe_set_open(looks_dir, &set, note);
    if (e == ERR_OK)
        plan(set, p, a, reading, &o);
    recipe_set_close(set);
    free(reading);
    return e;
}

static enum err look_render_pictures(struct engine *e, const struct engine_request *r,
                                     struct image *out, struct err_note *note)
{
    struct engine_look *l = (struct engine_look *)e;
    struct prompt *p = r->prompt;
    struct look_options o = {.chaos = (float)p->chaos / 100.0f, .raw = p->style_raw};
    struct look_reading *reading = calloc(1, sizeof(*reading));

    if (!reading)
        return err_set(note, ERR_NOMEM, "no memory for the plan of the picture");
    plan(l->recipes, p, r->arena, reading, &o);
    struct look_request request = {.source = r->source,
                                   .plan = &reading->plan,
                                   .options = &o,
                                   .seed = r->seed,
                                   .first = r->first,
                                   .count = r->count,
                                   .pool = l->pool,
                                   .progress = r->progress,
                                   .progress_ctx = r->progress_ctx,
                                   .cancel = r->cancel,
                                   .plain = l->plain};
    enum err code = look_render(&request, out, note);
    free(reading);
    return code;
}

const struct engine_ops engine_look_ops = {
    .name = "look",
    .trained = false,
    .pixels = 1024 * 1024,
    .open = look_open,
    .close = look_close,
    .estimate = look_estimate,
    .render = look_render_pictures,
};
