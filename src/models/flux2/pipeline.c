/* SPDX-License-Identifier: MIT */
#include "models/flux2/pipeline.h"

#include "base/json.h"
#include "models/flux2/part.h"
#include "models/flux2/pipeline_internal.h"
#include "models/flux2/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum err read_index(struct pipeline *p, struct err_note *note)
{
    json_t *root = NULL;
    size_t len = 0;
    const char *text = packed_text(p->packed, "model_index.json", &len);

    if (!text)
        return err_set(note, ERR_INVALID, "the packed model has no model_index.json");
    enum err e = json_read(text, len, &root, note);
    // As the reference takes it: a model that does not say so is a base one.
    if (e == ERR_OK)
        p->distilled = json_is_true(json_object_get(root, "is_distilled"));
    json_decref(root);
    return e;
}

static enum err read_tokenizer(struct pipeline *p, struct err_note *note)
{
    size_t len = 0;
    const char *text = packed_text(p->packed, "tokenizer/tokenizer.json", &len);

    if (!text)
        return err_set(note, ERR_INVALID, "the packed model has no tokenizer/tokenizer.json");
    enum err e = tokenizer_read("tokenizer.json", text, len, &p->tokenizer, note);
    if (e == ERR_OK && tokenizer_id_max(p->tokenizer) >= p->text_config.vocabulary)
        e = err_set(note, ERR_INVALID, "the tokenizer has tokens that the text encoder has not");
    return e;
}

static enum err read_configs(struct pipeline *p, struct err_note *note)
{
    struct part part = {.packed = p->packed, .name = "text_encoder", .note = note};
    size_t len = 0;

    const char *json = part_config(&part, &len);
    if (json)
        part.e = flux2_text_config(json, len, &p->text_config, note);
    if (part.e != ERR_OK)
        return part.e;
    part.name = "vae";
    json = part_config(&part, &len);
    return json ? flux2_vae_config(json, len, &p->vae_config, note) : part.e;
}

enum err pipeline_open(const struct packed *packed, struct pipeline **out, struct err_note *note)
{
    struct pipeline *p = calloc(1, sizeof(*p));
    enum err e;

    if (!p)
        return err_set(note, ERR_NOMEM, "no memory for the model");
    p->packed = packed;
    e = read_index(p, note);
    if (e == ERR_OK)
        e = text_encoder_open(packed, &p->text, note);
    if (e == ERR_OK)
        e = transformer_open(packed, &p->transformer, note);
    if (e == ERR_OK)
        e = vae_open(packed, &p->vae, note);
    if (e == ERR_OK)
        e = read_configs(p, note);
    if (e == ERR_OK)
        e = read_tokenizer(p, note);
    if (e == ERR_OK && transformer_channels(p->transformer) != vae_channels(p->vae))
        e = err_set(note, ERR_INVALID, "transformer and autoencoder have tokens of %d and %d",
                    transformer_channels(p->transformer), vae_channels(p->vae));
    // Every transformer has it: opening it said so.
    if (e == ERR_OK &&
        !packed_find(packed, "transformer/single_transformer_blocks.0.attn.to_out.weight",
                     &p->block))
        e = err_set(note, ERR_BUG, "a transformer without blocks");
    if (e == ERR_OK)
        *out = p;
    else
        pipeline_close(p);
    return e;
}

void pipeline_close(struct pipeline *p)
{
    if (!p)
        return;
    prompts_release(&p->prompts);
    tokenizer_close(p->tokenizer);
    text_encoder_close(p->text);
    transformer_close(p->transformer);
    vae_close(p->vae);
    free(p);
}

int pipeline_steps(const struct pipeline *p)
{
    return p->distilled ? 4 : 50;
}

double pipeline_guidance(const struct pipeline *p)
{
    return p->distilled ? 1.0 : 4.0;
}

int pipeline_channels(const struct pipeline *p)
{
    return transformer_channels(p->transformer);
}

const char *pipeline_precision(const struct pipeline *p)
{
    return p->block.dtype == DTYPE_I8 ? "int8" : p->block.dtype == DTYPE_BF16 ? "bf16" : "f32";
}

struct transformer_shape pipeline_step_shape(const struct pipeline_shape *s, int batch)
{
    struct transformer_shape shape = {
        .batch = batch, .text = TOKENIZER_TOKENS, .grid = s->grid, .references = s->references};

    memcpy(shape.reference, s->reference, sizeof(shape.reference));
    return shape;
}

/* ---- a job ---- */

enum { GUIDES = 2 }; /* the prompt, and the negative one */

struct job {
    struct pipeline *p;
    const struct nn_run *how;
    const struct pipeline_request *r;
    struct err_note *note;
    struct pipeline_cost cost;
    double done, all; /* of the cost */
    double now;       /* cost of what runs, which tells its share */

    int guides;                          /* evaluations of a step */
    const float *text[GUIDES];           /* [TOKENIZER_TOKENS][width]; the prompts' */
    float *source[FLUX2_REFERENCES_MAX]; /* [tokens][channels] */
    float *z[FLUX2_BATCH_MAX], *velocity[GUIDES][FLUX2_BATCH_MAX]; /* of a batch */
};

static void tell(void *ctx, float share)
{
    struct job *j = ctx;

    if (j->r->progress)
        j->r->progress(j->r->progress_ctx, (float)((j->done + j->now * share) / j->all));
}

// Begins something of this cost, when what was before is done.
static void next(struct job *j, double cost)
{
    j->done += j->now;
    j->now = cost;
    tell(j, 0.0F);
}

static enum err encode_prompt(struct job *j, const char *prompt, size_t len, const float **out)
{
    struct pipeline *p = j->p;
    int32_t ids[TOKENIZER_TOKENS];
    int used = 0;

    enum err e = tokenizer_prompt(p->tokenizer, prompt, len, ids, &used);
    if (e != ERR_OK)
        return err_set(j->note, e, "the prompt cannot be read");
    bool kept = prompts_has(&p->prompts, ids);
    if (kept)
        j->all -= j->cost.text; // or its share would be done in no time
    else
        next(j, j->cost.text);
    e = prompts_encode(&p->prompts, p->text, j->how, ids, used, out);
    // Its weights are half of all, and not looked at again before the next new prompt.
    if (!kept)
        packed_drop(p->packed, "text_encoder");
    return e == ERR_OK ? e : err_set(j->note, e, "no memory to read the prompt");
}

static enum err encode_prompts(struct job *j)
{
    const struct pipeline_request *r = j->r;

    enum err e = encode_prompt(j, r->prompt, r->prompt_len, &j->text[0]);
    if (e == ERR_OK && j->guides > 1)
        e = encode_prompt(j, r->negative ? r->negative : "", r->negative ? r->negative_len : 0,
                          &j->text[1]);
    return e;
}

static float *tokens_new(const struct job *j, struct flux2_grid g)
{
    return malloc((size_t)flux2_tokens(g) * (size_t)pipeline_channels(j->p) * sizeof(float));
}

static enum err encode_references(struct job *j)
{
    const struct pipeline_shape *s = &j->r->shape;
    enum err e = ERR_OK;

    next(j, j->cost.encode);
    for (int i = 0; i < s->references && e == ERR_OK; i++) {
        j->source[i] = tokens_new(j, s->reference[i]);
        e = j->source[i]
                ? vae_encode(j->p->vae, j->how, j->r->reference[i], s->reference[i], j->source[i])
                : ERR_NOMEM;
    }
    return e == ERR_OK ? e : err_set(j->note, e, "no memory to read the picture");
}

static enum err take_latents(struct job *j)
{
    const struct pipeline_shape *s = &j->r->shape;

    for (int i = 0; i < s->batch; i++) {
        j->z[i] = tokens_new(j, s->grid);
        bool all = j->z[i] != NULL;
        for (int k = 0; k < j->guides; k++) {
            j->velocity[k][i] = tokens_new(j, s->grid);
            all = all && j->velocity[k][i];
        }
        if (!all)
            return err_set(j->note, ERR_NOMEM, "no memory for the latents");
    }
    return ERR_OK;
}

static void release(struct job *j)
{
    for (int i = 0; i < FLUX2_REFERENCES_MAX; i++)
        free(j->source[i]);
    for (int i = 0; i < FLUX2_BATCH_MAX; i++) {
        free(j->z[i]);
        for (int k = 0; k < GUIDES; k++)
            free(j->velocity[k][i]);
    }
}

// Where the way down begins: at the noise, or between it and the first reference.
static void begin(struct job *j, int first, int count)
{
    const int64_t n = flux2_tokens(j->r->shape.grid) * pipeline_channels(j->p);
    const float start = (float)j->r->start;

    for (int i = 0; i < count; i++) {
        const float *noise = j->r->noise[first + i];
        memcpy(j->z[i], noise, (size_t)n * sizeof(float));
        for (int64_t k = 0; k < n && start < 1.0F; k++)
            j->z[i][k] = (1.0F - start) * j->source[0][k] + start * noise[k];
    }
}

static void advance(struct job *j, int count, float step)
{
    const int64_t n = flux2_tokens(j->r->shape.grid) * pipeline_channels(j->p);
    const float guidance = (float)j->r->shape.guidance;

    for (int i = 0; i < count; i++) {
        float *z = j->z[i];
        const float *v = j->velocity[0][i], *without = j->velocity[1][i];
        for (int64_t k = 0; k < n; k++)
            z[k] += step * (j->guides > 1 ? without[k] + guidance * (v[k] - without[k]) : v[k]);
    }
}

static enum err walk(struct job *j, struct transformer_plan *const *plan, int count)
{
    const struct pipeline_shape *s = &j->r->shape;
    double sigma[FLUX2_STEPS_MAX + 1];

    schedule_sigmas(flux2_tokens(s->grid), s->steps, j->r->start, sigma);
    for (int i = 0; i < s->steps; i++) {
        for (int k = 0; k < j->guides; k++) {
            next(j, j->cost.step * count);
            enum err e = transformer_run(plan[k], j->how, sigma[i], (const float *const *)j->z,
                                         j->velocity[k], tell, j);
            if (e != ERR_OK)
                return e;
        }
        advance(j, count, (float)(sigma[i + 1] - sigma[i]));
    }
    return ERR_OK;
}

// Damaged weights end in these, and pictures of them would be black.
static enum err check_numbers(const struct job *j, int count)
{
    const int64_t n = flux2_tokens(j->r->shape.grid) * pipeline_channels(j->p);

    for (int i = 0; i < count; i++)
        for (int64_t k = 0; k < n; k++)
            if (!isfinite(j->z[i][k]))
                return err_set(j->note, ERR_BUG,
                               "the model makes no numbers: \"patina model check\" looks for "
                               "damage in its file");
    return ERR_OK;
}

static enum err make_batch(struct job *j, int first, int count)
{
    struct transformer_shape shape = pipeline_step_shape(&j->r->shape, count);
    struct transformer_plan *plan[GUIDES] = {NULL};
    enum err e = ERR_OK;

    memcpy(shape.reference_bias, j->r->reference_bias, sizeof(shape.reference_bias));
    for (int k = 0; k < j->guides && e == ERR_OK; k++)
        e = transformer_plan(j->p->transformer, j->how, &shape, j->text[k],
                             text_encoder_width(j->p->text), (const float *const *)j->source,
                             &plan[k], j->note);
    if (e == ERR_OK) {
        begin(j, first, count);
        e = walk(j, plan, count);
    }
    if (e == ERR_OK)
        e = check_numbers(j, count);
    for (int k = 0; k < GUIDES; k++)
        transformer_plan_free(plan[k]);
    for (int i = 0; i < count && e == ERR_OK; i++) {
        next(j, j->cost.decode);
        e = vae_decode(j->p->vae, j->how, j->z[i], j->r->shape.grid, j->r->pixels[first + i]);
        if (e != ERR_OK)
            err_set(j->note, e, "no memory for the picture");
    }
    return e;
}

enum err pipeline_run(struct pipeline *p, const struct nn_run *how,
                      const struct pipeline_request *r, struct err_note *note)
{
    const struct pipeline_shape *s = &r->shape;
    struct job j = {.p = p, .how = how, .r = r, .note = note, .guides = s->guidance > 1.0 ? 2 : 1};

    pipeline_cost(p, s, &j.cost);
    j.all = j.cost.text * j.guides + j.cost.encode +
            s->count * (j.cost.step * j.guides * s->steps + j.cost.decode);
    enum err e = encode_prompts(&j);
    if (e == ERR_OK)
        e = encode_references(&j);
    if (e == ERR_OK)
        e = take_latents(&j);
    for (int i = 0; i < s->count && e == ERR_OK; i += s->batch)
        e = make_batch(&j, i, s->count - i < s->batch ? s->count - i : s->batch);
    if (e == ERR_OK)
        next(&j, 0.0);
    release(&j);
    return e;
}
