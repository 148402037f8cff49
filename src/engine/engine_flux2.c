/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include "base/clock.h"
#include "engine/engine_flux2_plan.h"
#include "models/flux2/noise.h"
#include "models/flux2/pipeline.h"
#include "nn/isa.h"
#include "nn/pack.h"
#include "nn/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FLUX.2 [klein] behind the contract: a packed model, a crew of threads, and what lies between a
 * picture's bytes and the model's floats. */
struct engine_flux2 {
    struct engine engine;
    struct packed *packed;
    struct pipeline *pipeline;
    struct pool *pool;
    enum isa isa;
    double rate; /* multiplications and additions a second */
    int64_t memory_bytes;
};

static void flux2_close(struct engine *e)
{
    struct engine_flux2 *f = (struct engine_flux2 *)e;

    if (!f)
        return;
    pipeline_close(f->pipeline);
    packed_close(f->packed);
    pool_close(f->pool);
    free(f);
}

static enum err choose_isa(const char *name, enum isa *out, struct err_note *note)
{
    (void)isa_ask_for_amx();
    *out = isa_best();
    if (!name)
        return ERR_OK;
    if (!isa_of_name(name, out))
        return err_set(note, ERR_INVALID, "there is no instruction path \"%.60s\"", name);
    if (!isa_usable(*out))
        return err_set(note, ERR_UNSUPPORTED, "the instruction path %s: %s", name,
                       isa_lack_text(isa_lack(*out)));
    return ERR_OK;
}

static enum err open_model(struct engine_flux2 *f, const struct engine_options *o,
                           struct err_note *note)
{
    if (!o->model_path)
        return err_set(
            note, ERR_INVALID,
            "it needs a model: --model or PATINA_MODEL names the file that `patina model "
            "pack` made");
    enum err e = choose_isa(o->isa, &f->isa, note);
    if (e == ERR_OK)
        e = packed_open(o->model_path, &f->packed, note);
    if (e == ERR_OK)
        e = pipeline_open(f->packed, &f->pipeline, note);
    if (e == ERR_OK)
        e = pool_open(o->threads, &f->pool, note);
    return e;
}

static enum err flux2_open(const struct engine_options *o, struct engine **out,
                           struct err_note *note)
{
    struct engine_flux2 *f = calloc(1, sizeof(*f));

    if (!f)
        return err_set(note, ERR_NOMEM, "no memory for the flux2 engine");
    f->engine.ops = &engine_flux2_ops;
    f->memory_bytes = o->memory_bytes;
    enum err e = open_model(f, o, note);
    if (e != ERR_OK) {
        flux2_close(&f->engine);
        return e;
    }
    snprintf(f->engine.label, sizeof(f->engine.label), "flux2/%s/%s",
             pipeline_precision(f->pipeline), isa_name(f->isa));
    f->rate =
        pipeline_rate(f->pipeline, &(struct nn_run){.pool = f->pool, .isa = f->isa}, clock_busy_ns);
    *out = &f->engine;
    return ERR_OK;
}

static struct flux2_grid grid_of(int width, int height)
{
    return (struct flux2_grid){height / FLUX2_PATCH, width / FLUX2_PATCH};
}

// Noise, the references' and the results' planes, and all of them as pictures.
static int64_t own_bytes(const struct engine_flux2 *f, const struct pipeline_shape *s)
{
    const int64_t tokens = flux2_tokens(s->grid), pixels = tokens * FLUX2_PATCH * FLUX2_PATCH;
    const int64_t noise = tokens * pipeline_channels(f->pipeline) * 4, planes = 3 * pixels * 4;
    int64_t bytes = s->count * (noise + planes + 4 * pixels) + 4 * pixels;

    for (int i = 0; i < s->references; i++)
        bytes += flux2_tokens(s->reference[i]) * FLUX2_PATCH * FLUX2_PATCH * (3 * 4 + 4);
    return bytes;
}

// As many pictures together as memory allows: they share every read of the weights.
static struct pipeline_shape shape_of(const struct engine_flux2 *f,
                                      const struct engine_sizes *sizes,
                                      const struct flux2_reading *r, int count,
                                      struct pipeline_cost *cost)
{
    const struct flux2_grid grid = grid_of(sizes->width, sizes->height);
    struct pipeline_shape s = {
        .grid = grid,
        .reference = {grid, grid_of(sizes->style_width, sizes->style_height)},
        .references = r->source + r->style,
        .count = count,
        .batch = count,
        .steps = r->steps,
        .guidance = pipeline_guidance(f->pipeline)};

    pipeline_cost(f->pipeline, &s, cost);
    while (f->memory_bytes > 0 && s.batch > 1 && cost->bytes + own_bytes(f, &s) > f->memory_bytes) {
        s.batch = (s.batch + 1) / 2;
        pipeline_cost(f->pipeline, &s, cost);
    }
    return s;
}

static struct flux2_given given_of(const struct engine_flux2 *f, const struct engine_sizes *s)
{
    return (struct flux2_given){.steps = pipeline_steps(f->pipeline),
                                .guided = pipeline_guidance(f->pipeline) > 1.0,
                                .style = s->style_width > 0};
}

static void flux2_estimate(const struct engine *e, const struct engine_sizes *sizes,
                           const struct prompt *p, struct engine_estimate *out)
{
    const struct engine_flux2 *f = (const struct engine_flux2 *)e;
    const struct flux2_given given = given_of(f, sizes);
    struct arena arena = ARENA_INIT;
    struct flux2_reading reading;
    struct pipeline_cost cost;

    *out = (struct engine_estimate){0};
    if (flux2_reading_make(p, &given, &arena, &reading)) {
        struct pipeline_shape s = shape_of(f, sizes, &reading, ENGINE_PICTURES_MAX, &cost);
        const int evaluations = s.guidance > 1.0 ? 2 : 1;
        double all = cost.text * evaluations + cost.encode +
                     s.count * (cost.step * evaluations * s.steps + cost.decode);
        out->bytes = cost.bytes + own_bytes(f, &s);
        out->ms = f->rate > 0.0 ? (int64_t)(all / f->rate * 1000.0) : 0;
    }
    arena_release(&arena);
}

/* ---- pixels ---- */

// The picture over white as planes of -1..1.
static enum err planes_of(const struct image *im, float *out)
{
    const size_t plane = (size_t)im->width * (size_t)im->height;
    struct image copy = {0};

    enum err e = image_new(&copy, im->width, im->height);
    if (e != ERR_OK)
        return e;
    for (int y = 0; y < im->height; y++)
        memcpy(copy.px + (size_t)y * copy.stride, im->px + (size_t)y * im->stride,
               (size_t)im->width * 4);
    copy.has_alpha = im->has_alpha;
    if (im->has_alpha)
        image_over_white(&copy);
    for (int y = 0; y < im->height; y++)
        for (int x = 0; x < im->width; x++)
            for (size_t c = 0; c < 3; c++)
                out[c * plane + (size_t)y * (size_t)im->width + (size_t)x] =
                    (float)copy.px[(size_t)y * copy.stride + (size_t)x * 4 + c] / 127.5F - 1.0F;
    image_release(&copy);
    return ERR_OK;
}

static uint8_t level_of(float v)
{
    float level = (v + 1.0F) * 127.5F + 0.5F;

    // A NaN is black.
    return level >= 255.0F ? 255 : level >= 0.0F ? (uint8_t)level : 0;
}

static enum err picture_of(const float *planes, int width, int height, struct image *out)
{
    const size_t plane = (size_t)width * (size_t)height;
    enum err e = image_new(out, width, height);

    if (e != ERR_OK)
        return e;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const float *from = planes + (size_t)y * (size_t)width + (size_t)x;
            uint8_t *to = out->px + (size_t)y * out->stride + (size_t)x * 4;
            for (size_t c = 0; c < 3; c++)
                to[c] = level_of(from[c * plane]);
            to[3] = 255;
        }
    }
    return ERR_OK;
}

/* ---- a request ---- */

struct job {
    struct pipeline_request request;
    float *reference[FLUX2_REFERENCES_MAX]; /* planes: source, style */
    float *noise[ENGINE_PICTURES_MAX], *pixels[ENGINE_PICTURES_MAX];
};

static void job_release(struct job *j)
{
    for (int i = 0; i < FLUX2_REFERENCES_MAX; i++)
        free(j->reference[i]);
    for (int i = 0; i < ENGINE_PICTURES_MAX; i++) {
        free(j->noise[i]);
        free(j->pixels[i]);
    }
}

static size_t planes_bytes(const struct image *im)
{
    return 3 * (size_t)im->width * (size_t)im->height * sizeof(float);
}

// Normal numbers stay so: the squares of both shares add up to 1.
static enum err mix_noise(const struct flux2_reading *reading, uint32_t seed, int64_t numbers,
                          int count, float *const *noise)
{
    const float own = reading->own, common = sqrtf(1.0F - own * own);

    if (common == 0.0F)
        return ERR_OK;
    float *shared = malloc((size_t)numbers * sizeof(float));
    if (!shared)
        return ERR_NOMEM;
    noise_fill(seed - 1, numbers, shared); // which no picture of these has
    for (int i = 0; i < count; i++)
        for (int64_t k = 0; k < numbers; k++)
            noise[i][k] = own * noise[i][k] + common * shared[k];
    free(shared);
    return ERR_OK;
}

static enum err job_prepare(const struct engine_flux2 *f, const struct engine_request *r,
                            const struct flux2_reading *reading, struct job *j)
{
    const struct pipeline_shape *s = &j->request.shape;
    const struct image *from[FLUX2_REFERENCES_MAX] = {r->source, r->style};
    const int64_t numbers = flux2_tokens(s->grid) * pipeline_channels(f->pipeline);

    for (int i = 0; i < s->references; i++) {
        j->reference[i] = malloc(planes_bytes(from[i]));
        enum err e = j->reference[i] ? planes_of(from[i], j->reference[i]) : ERR_NOMEM;
        if (e != ERR_OK)
            return e;
        j->request.reference[i] = j->reference[i];
    }
    for (int i = 0; i < r->count; i++) {
        j->noise[i] = malloc((size_t)numbers * sizeof(float));
        j->pixels[i] = malloc(planes_bytes(r->source));
        if (!j->noise[i] || !j->pixels[i])
            return ERR_NOMEM;
        noise_fill(r->seed + (uint32_t)(r->first + i), numbers, j->noise[i]);
        j->request.noise[i] = j->noise[i];
        j->request.pixels[i] = j->pixels[i];
    }
    return mix_noise(reading, r->seed, numbers, r->count, j->noise);
}

static enum err flux2_render(struct engine *e, const struct engine_request *r, struct image *out,
                             struct err_note *note)
{
    struct engine_flux2 *f = (struct engine_flux2 *)e;
    const struct nn_run how = {.pool = f->pool, .isa = f->isa, .cancel = r->cancel};
    const struct engine_sizes sizes = {r->source->width, r->source->height,
                                       r->style ? r->style->width : 0,
                                       r->style ? r->style->height : 0};
    const struct flux2_given given = given_of(f, &sizes);
    struct flux2_reading reading;
    struct pipeline_cost cost;
    struct job j = {0};
    int made = 0;

    if (!flux2_reading_make(r->prompt, &given, r->arena, &reading))
        return err_set(note, ERR_NOMEM, "no memory to read the prompt");
    flux2_reading_warn(r->prompt, &given, r->arena);
    j.request = (struct pipeline_request){.shape = shape_of(f, &sizes, &reading, r->count, &cost),
                                          .prompt = reading.text,
                                          .prompt_len = strlen(reading.text),
                                          .negative = reading.negative,
                                          .negative_len = strlen(reading.negative),
                                          .reference_bias = {reading.bias[0], reading.bias[1]},
                                          .start = reading.start,
                                          .progress = r->progress,
                                          .progress_ctx = r->progress_ctx};
    enum err code = job_prepare(f, r, &reading, &j);
    if (code != ERR_OK)
        err_set(note, code, "no memory for the pictures");
    if (code == ERR_OK)
        code = pipeline_run(f->pipeline, &how, &j.request, note);
    for (; made < r->count && code == ERR_OK; made++) {
        code = picture_of(j.pixels[made], r->source->width, r->source->height, &out[made]);
        if (code != ERR_OK)
            err_set(note, code, "no memory for the pictures");
    }
    for (int i = 0; i < made && code != ERR_OK; i++)
        image_release(&out[i]);
    job_release(&j);
    return code;
}

const struct engine_ops engine_flux2_ops = {
    .name = "flux2",
    .trained = true,
    .styled = true,
    .pixels = 512 * 512, // a step's time grows faster than the area
    .open = flux2_open,
    .close = flux2_close,
    .estimate = flux2_estimate,
    .render = flux2_render,
};
