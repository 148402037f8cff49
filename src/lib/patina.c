/* SPDX-License-Identifier: MIT */
#include "lib/patina.h"

#include "base/utf8.h"
#include "engine/engine_run.h"
#include "image/sniff.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert((int)PATINA_PICTURES_MAX == (int)ENGINE_PICTURES_MAX, "one limit, two names");
_Static_assert((int)PATINA_PROMPT_MAX == (int)PROMPT_CHARS_MAX, "one limit, two names");
_Static_assert((int)PATINA_SIDE_MAX == (int)IMAGE_SOURCE_SIDE_MAX, "one limit, two names");

struct patina {
    struct engine *engine;
    int threads;
    atomic_bool cancel;
};

struct patina_result {
    struct engine_result made;
    struct image grid;
};

static enum patina_status status_of(enum err e)
{
    switch (e) {
    case ERR_OK:
        return PATINA_OK;
    case ERR_INVALID:
    case ERR_TOO_LARGE:
    case ERR_UNSUPPORTED:
    case ERR_CORRUPT: // a size that no picture has
    case ERR_NOT_FOUND:
        return PATINA_INVALID;
    case ERR_CANCELLED:
        return PATINA_CANCELLED;
    case ERR_NOMEM:
        return PATINA_NO_MEMORY;
    default:
        return PATINA_FAILED;
    }
}

static enum patina_status end(enum err e, const struct err_note *note, char why[PATINA_WHY])
{
    if (e && why)
        snprintf(why, PATINA_WHY, "%s", note->text[0] ? note->text : err_name(e));
    return status_of(e);
}

enum patina_status patina_open(const struct patina_options *o, struct patina **out,
                               char why[PATINA_WHY])
{
    static const struct patina_options defaults = {0};
    struct engine_options options = {0};
    struct err_note note = {0};
    enum err e = ERR_OK;

    o = o ? o : &defaults;
    options.threads = o->threads > 0 ? o->threads : (int)sysconf(_SC_NPROCESSORS_ONLN);
    options.looks_dir = o->looks_dir;
    options.model_path = o->model;
    options.isa = o->isa;
    const char *name = o->engine ? o->engine : "auto";
    const struct engine_ops *ops = engine_find(name, &options);
    struct patina *p = calloc(1, sizeof *p);
    if (!ops)
        e = err_set(&note, ERR_INVALID, "there is no engine \"%.60s\"", name);
    else if (!p)
        e = ERR_NOMEM;
    else
        e = ops->open(&options, &p->engine, &note);
    if (e) {
        free(p);
        return end(e, &note, why);
    }
    p->threads = options.threads;
    *out = p;
    return PATINA_OK;
}

void patina_close(struct patina *p)
{
    if (!p)
        return;
    p->engine->ops->close(p->engine);
    free(p);
}

const char *patina_engine(const struct patina *p)
{
    return p->engine->label;
}

int64_t patina_pixels(const struct patina *p)
{
    return p->engine->ops->pixels;
}

const char *patina_version(void)
{
    return PATINA_VERSION;
}

static enum err check_prompt(const char *prompt, struct err_note *note)
{
    size_t len = strlen(prompt);

    if (!utf8_valid(prompt, len))
        return err_set(note, ERR_INVALID, "the prompt is not valid UTF-8");
    if (utf8_blank(prompt, len))
        return err_set(note, ERR_INVALID,
                       "the prompt is blank; say what the picture should become");
    if (utf8_count(prompt, len) > PROMPT_CHARS_MAX)
        return err_set(note, ERR_INVALID, "the prompt is longer than %d characters",
                       PROMPT_CHARS_MAX);
    return ERR_OK;
}

enum patina_status patina_read_prompt(const struct patina_options *o, const char *prompt,
                                      char **json, char why[PATINA_WHY])
{
    struct arena arena = ARENA_INIT;
    struct buf text = BUF_INIT;
    struct err_note note = {0};
    struct prompt *read = arena_alloc(&arena, sizeof *read);
    enum err e = check_prompt(prompt, &note);

    if (!e)
        e = read ? prompt_read(read, &arena, prompt, strlen(prompt)) : ERR_NOMEM;
    if (!e)
        e = engine_look_explain(o ? o->looks_dir : NULL, read, &arena, &note);
    if (!e) {
        prompt_write_json(read, &text);
        char *taken = buf_take(&text, NULL);
        if (taken)
            *json = taken;
        else
            e = ERR_NOMEM;
    }
    arena_release(&arena);
    return end(e, &note, why);
}

void patina_free(char *json)
{
    free(json);
}

static enum err check_request(const struct patina_request *r, struct err_note *note)
{
    enum err e = image_check_size(r->width, r->height, note);

    if (!e && r->style_rgba)
        e = image_check_size(r->style_width, r->style_height, note);
    if (!e)
        e = check_prompt(r->prompt, note);
    if (e)
        return e;
    if (r->count < 1 || r->count > PATINA_PICTURES_MAX)
        return err_set(note, ERR_INVALID, "%d pictures were asked for; 1 to %d can be", r->count,
                       PATINA_PICTURES_MAX);
    if (r->stride && r->stride < 4 * (size_t)r->width)
        return err_set(note, ERR_INVALID, "a row of %d pixels takes more than %zu bytes", r->width,
                       r->stride);
    if (r->style_stride && r->style_stride < 4 * (size_t)r->style_width)
        return err_set(note, ERR_INVALID, "a row of %d pixels takes more than %zu bytes",
                       r->style_width, r->style_stride);
    if (r->pixels < 0 || r->pixels > IMAGE_RESULT_PIXELS_MAX)
        return err_set(note, ERR_INVALID, "a result has at most %d pixels",
                       IMAGE_RESULT_PIXELS_MAX);
    return ERR_OK;
}

// Engines only read their pictures; struct image has no notion of that.
static struct image image_of(const uint8_t *rgba, int width, int height, size_t stride)
{
    struct image im = {
        .width = width,
        .height = height,
        .stride = stride ? stride : 4 * (size_t)width,
        .px = (uint8_t *)(uintptr_t)rgba,
    };

    im.has_alpha = rgba && image_any_alpha(&im);
    return im;
}

static enum err render(struct patina *p, const struct patina_request *r, struct patina_result *out,
                       struct err_note *note)
{
    const struct image source = image_of(r->rgba, r->width, r->height, r->stride);
    const struct image style =
        image_of(r->style_rgba, r->style_width, r->style_height, r->style_stride);
    struct engine_job job = {
        .source = &source,
        .style = style.px ? &style : NULL,
        .prompt_text = r->prompt,
        .prompt_len = strlen(r->prompt),
        .pixels = r->pixels ? r->pixels : patina_pixels(p),
        .width = r->out_width,
        .height = r->out_height,
        .seed = r->seed,
        .count = r->count,
        .threads = p->threads,
        .progress = r->progress,
        .progress_ctx = r->progress_ctx,
        .cancel = &p->cancel,
    };
    enum err e = engine_run(p->engine, &job, &out->made, note);
    if (!e && out->made.count == PATINA_PICTURES_MAX)
        e = image_grid(&out->grid, out->made.picture);
    return e;
}

enum patina_status patina_render(struct patina *p, const struct patina_request *r,
                                 struct patina_result **out, char why[PATINA_WHY])
{
    struct err_note note = {0};
    struct patina_result *made = calloc(1, sizeof *made);
    enum err e = made ? check_request(r, &note) : ERR_NOMEM;

    if (!e)
        e = render(p, r, made, &note);
    if (atomic_exchange(&p->cancel, false) && !e)
        e = ERR_CANCELLED;
    if (e)
        patina_result_free(made);
    else
        *out = made;
    return end(e, &note, why);
}

void patina_cancel(struct patina *p)
{
    atomic_store(&p->cancel, true);
}

void patina_result_free(struct patina_result *r)
{
    if (!r)
        return;
    engine_result_release(&r->made);
    image_release(&r->grid);
    free(r);
}

struct patina_picture patina_result_picture(const struct patina_result *r, int i)
{
    const struct image *im = NULL;

    if (i == PATINA_GRID && r->grid.px)
        im = &r->grid;
    else if (i >= 0 && i < r->made.count)
        im = &r->made.picture[i];
    if (!im)
        return (struct patina_picture){0};
    return (struct patina_picture){im->width, im->height, im->stride, im->px, im->has_alpha};
}

int patina_result_count(const struct patina_result *r)
{
    return r->made.count;
}

uint32_t patina_result_seed(const struct patina_result *r)
{
    return r->made.seed;
}

const char *patina_result_interpretation(const struct patina_result *r)
{
    return r->made.interpretation.data;
}

const char *patina_result_warnings(const struct patina_result *r)
{
    return r->made.warnings.data;
}
