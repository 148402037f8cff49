/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include "base/rand.h"
#include "look/look.h"

#include <stdlib.h>
#include <string.h>

/* The built-in engine: recipes and a crew of threads behind the contract. */
struct engine_look {
    struct engine engine;
    struct recipe_set *recipes;
    struct pool *pool;
};

static const char *const FALLBACK = "oil painting";

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
    l->engine.ops = &engine_look_ops;
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

static void look_estimate(const struct engine *e, int width, int height, const struct prompt *p,
                          struct engine_estimate *out)
{
    const struct engine_look *l = (const struct engine_look *)e;

    (void)p;
    out->bytes = look_bytes(width, height, ENGINE_PICTURES_MAX) + (int64_t)width * height * 4;
    out->ms = look_ms(width, height, ENGINE_PICTURES_MAX, pool_width(l->pool));
}

// Without a medium in the prompt: what was understood besides is not lost on the oil painting.
static bool nothing_understood(const struct prompt *p)
{
    return !p->medium && p->materials.count == 0 && p->palette.count == 0 && p->light.count == 0 &&
           p->modifiers.count == 0;
}

static uint32_t style_of(const char *text)
{
    uint32_t h = 0x9E3779B9u;

    for (uint32_t i = 0; text[i]; i++)
        h = hash_u32((unsigned char)text[i], i, h);
    return h | 1;
}

static const struct recipe *recipe_of_terms(const struct engine_look *l,
                                            const struct prompt_terms *t, const char **word)
{
    for (int i = 0; i < t->count; i++) {
        const struct recipe *r = recipe_find(l->recipes, t->name[i]);
        if (r) {
            *word = t->name[i];
            return r;
        }
    }
    return NULL;
}

/*
 * The look of the medium; where that is oil or not said, of a manner of painting ("impressionist"
 * alone or before "oil painting" is a look of its own); without either, of the material. *word is
 * the manner or material that decided, or NULL.
 */
static const struct recipe *recipe_of(const struct engine_look *l, struct prompt *p,
                                      struct arena *a, const char **word)
{
    const struct recipe *r = NULL;

    *word = NULL;
    if (!p->medium || strcmp(p->medium, FALLBACK) == 0)
        r = recipe_of_terms(l, &p->modifiers, word);
    if (!r && p->medium)
        r = recipe_find(l->recipes, p->medium);
    if (!r)
        r = recipe_of_terms(l, &p->materials, word);
    if (!r && p->medium)
        prompt_warn(p, a, "no_effect", "there is no look \"%s\" yet; painted in oil instead",
                    p->medium);
    else if (nothing_understood(p))
        prompt_warn(p, a, "no_effect",
                    "the prompt names no medium or material that is known; painted in oil, with a "
                    "palette drawn from its words");
    return r ? r : recipe_find(l->recipes, FALLBACK);
}

static void warn_terms(struct prompt *p, struct arena *a, const struct prompt_terms *t,
                       const char *kind, const char *used)
{
    for (int i = 0; i < t->count; i++)
        if (t->name[i] != used)
            prompt_warn(p, a, "no_effect", "the %s \"%s\" has no effect in this engine yet", kind,
                        t->name[i]);
}

static void warn_parameters(struct prompt *p, struct arena *a)
{
    static const struct {
        enum prompt_param param;
        const char *name;
    } without[] = {
        {PROMPT_S, "--s"},
        {PROMPT_IW, "--iw"},
        {PROMPT_Q, "--q"},
        {PROMPT_SREF, "--sref"},
        {PROMPT_SW, "--sw"},
        {PROMPT_TILE, "--tile"},
        {PROMPT_STYLE_RAW, "--style raw"},
        {PROMPT_WEIGHTS, "::"},
    };

    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
        if (p->given & (uint32_t)without[i].param)
            prompt_warn(p, a, "no_effect", "%s has no effect in this engine yet", without[i].name);
}

static enum err look_render_pictures(struct engine *e, const struct engine_request *r,
                                     struct image *out, struct err_note *note)
{
    struct engine_look *l = (struct engine_look *)e;
    struct prompt *p = r->prompt;
    struct look_options o = {.chaos = (float)p->chaos / 100.0f};

    if (nothing_understood(p))
        o.style = style_of(p->text);
    const char *word;
    const struct recipe *recipe = recipe_of(l, p, r->arena, &word);
    warn_parameters(p, r->arena);
    warn_terms(p, r->arena, &p->materials, "material", word);
    warn_terms(p, r->arena, &p->palette, "palette", NULL);
    warn_terms(p, r->arena, &p->light, "light", NULL);
    warn_terms(p, r->arena, &p->modifiers, "word", word);
    for (int i = 0; i < p->excluded.count; i++)
        if (!look_exclude(&o, p->excluded.name[i]))
            prompt_warn(p, r->arena, "no_effect", "--no %s has no effect in this engine yet",
                        p->excluded.name[i]);
    struct look_request request = {.source = r->source,
                                   .recipe = recipe,
                                   .options = &o,
                                   .seed = r->seed,
                                   .first = r->first,
                                   .count = r->count,
                                   .pool = l->pool,
                                   .progress = r->progress,
                                   .progress_ctx = r->progress_ctx,
                                   .cancel = r->cancel};
    return look_render(&request, out, note);
}

const struct engine_ops engine_look_ops = {
    .name = "look",
    .trained = false,
    .open = look_open,
    .close = look_close,
    .estimate = look_estimate,
    .render = look_render_pictures,
};
