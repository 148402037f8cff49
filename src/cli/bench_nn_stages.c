/* SPDX-License-Identifier: MIT */
#include "cli/bench_nn_stages.h"

#include "models/flux2/random.h"
#include "models/flux2/text_encoder.h"
#include "models/flux2/tokenizer.h"
#include "models/flux2/transformer.h"
#include "models/flux2/vae.h"

#include <stdlib.h>

static const struct flux2_grid GRID = {32, 32};

enum {
    TOKENS = 32 * 32,
    SIDE = 32 * FLUX2_PATCH,
    WORDS = 40, /* of the prompt; the rest is padding */
    STEPS = 4,
    TEXT_SCALE = 9, /* flux2_random()'s 27 layers over 3 */
    FOUR = FLUX2_BATCH_MAX
};

struct stages {
    const struct nn_bench *bench;
    struct text_encoder *text;
    struct vae *vae;
    struct transformer *transformer;
    int32_t ids[TOKENIZER_TOKENS];
    float *rows;              /* [TOKENIZER_TOKENS][text width] */
    float *pixels;            /* [3][SIDE][SIDE] */
    float *reference;         /* [TOKENS][channels] */
    float *z[FOUR], *v[FOUR]; /* likewise */
    double plan_s[2];         /* of one picture, and of four */
};

static void free_stages(struct stages *s)
{
    for (int i = 0; i < FOUR; i++) {
        free(s->z[i]);
        free(s->v[i]);
    }
    free(s->reference);
    free(s->pixels);
    free(s->rows);
    transformer_close(s->transformer);
    vae_close(s->vae);
    text_encoder_close(s->text);
}

static float *random_floats(size_t count)
{
    float *f = malloc(count * sizeof(*f));

    if (f)
        bench_nn_fill(f, (int64_t)count);
    return f;
}

static enum err open_stages(struct stages *s, const struct packed *model, struct err_note *note)
{
    enum err e = text_encoder_open(model, &s->text, note);

    if (e == ERR_OK)
        e = vae_open(model, &s->vae, note);
    if (e == ERR_OK)
        e = transformer_open(model, &s->transformer, note);
    if (e != ERR_OK)
        return e;
    const size_t latent = (size_t)TOKENS * (size_t)vae_channels(s->vae);
    bool there = true;
    for (int i = 0; i < TOKENIZER_TOKENS; i++)
        s->ids[i] = i;
    s->rows = random_floats((size_t)TOKENIZER_TOKENS * (size_t)text_encoder_width(s->text));
    s->pixels = random_floats((size_t)3 * SIDE * SIDE);
    s->reference = random_floats(latent);
    for (int i = 0; i < FOUR; i++) {
        s->z[i] = random_floats(latent);
        s->v[i] = random_floats(latent);
        there &= s->z[i] && s->v[i];
    }
    return there && s->rows && s->pixels && s->reference
               ? ERR_OK
               : err_set(note, ERR_NOMEM, "no memory for a picture");
}

/* Keeps the best of several runs. */
static void keep(const struct stages *s, double *best, double begun)
{
    double took = bench_nn_now(s->bench) - begun;

    if (*best == 0.0 || took < *best)
        *best = took;
}

static enum err time_text(struct stages *s, double *best)
{
    double begun = bench_nn_now(s->bench);
    enum err e = text_encoder_run(s->text, s->bench->how, s->ids, TOKENIZER_TOKENS, WORDS, s->rows);

    keep(s, best, begun);
    return e;
}

static enum err time_vae(struct stages *s, struct nn_stages *out)
{
    double begun = bench_nn_now(s->bench);
    enum err e = vae_encode(s->vae, s->bench->how, s->pixels, GRID, s->reference);

    keep(s, &out->vae_in_s, begun);
    if (e != ERR_OK)
        return e;
    begun = bench_nn_now(s->bench);
    e = vae_decode(s->vae, s->bench->how, s->z[0], GRID, s->pixels);
    keep(s, &out->vae_out_s, begun);
    return e;
}

static struct transformer_shape shape_of(int batch)
{
    return (struct transformer_shape){.batch = batch,
                                      .text = TOKENIZER_TOKENS,
                                      .grid = GRID,
                                      .reference = {GRID},
                                      .references = 1};
}

static enum err time_step(struct stages *s, int batch, int repeats, double *plan_s, double *best,
                          struct err_note *note)
{
    const struct transformer_shape shape = shape_of(batch);
    const float *references[] = {s->reference}, *z[FOUR];
    struct transformer_plan *plan = NULL;
    double begun = bench_nn_now(s->bench);

    enum err e = transformer_plan(s->transformer, s->bench->how, &shape, s->rows,
                                  text_encoder_width(s->text), references, &plan, note);
    keep(s, plan_s, begun);
    for (int i = 0; i < FOUR; i++)
        z[i] = s->z[i];
    for (int i = 0; i < repeats && e == ERR_OK; i++) {
        begun = bench_nn_now(s->bench);
        e = transformer_run(plan, s->bench->how, 0.9, z, s->v, NULL, NULL);
        keep(s, best, begun);
    }
    transformer_plan_free(plan);
    return e;
}

static enum err time_all(struct stages *s, bool all, struct nn_stages *out, struct err_note *note)
{
    const int repeats = s->bench->repeats;
    enum err e = ERR_OK;

    for (int i = 0; i < repeats && e == ERR_OK && all; i++) {
        e = time_text(s, &out->text_s);
        if (e == ERR_OK)
            e = time_vae(s, out);
    }
    if (e == ERR_OK)
        e = time_step(s, 1, repeats, &s->plan_s[0], &out->step_s, note);
    if (e == ERR_OK && all)
        e = time_step(s, FOUR, repeats > 1 ? repeats - 1 : 1, &s->plan_s[1], &out->step_four_s,
                      note);
    return e;
}

/* As if the model were as deep as the whole one. */
static void scale_up(struct nn_stages *out)
{
    const struct flux2_transformer_config whole = flux2_random_transformer(false);
    const struct flux2_transformer_config shallow = flux2_random_transformer(true);
    const struct transformer_shape shape = shape_of(1);
    double more = transformer_flops_of(&whole, &shape) / transformer_flops_of(&shallow, &shape);

    out->text_s *= TEXT_SCALE;
    out->step_s *= more;
    out->step_four_s *= more;
}

enum err bench_nn_stages(const struct packed *model, const struct nn_bench *b, bool all,
                         bool scaled, struct nn_stages *out, struct err_note *note)
{
    struct stages s = {.bench = b};

    *out = (struct nn_stages){0};
    enum err e = open_stages(&s, model, note);
    if (e == ERR_OK) {
        e = time_all(&s, all, out, note);
        if (e == ERR_CANCELLED)
            err_set(note, e, "stopped");
        else if (e == ERR_NOMEM)
            err_set(note, e, "no memory for a picture");
    }
    if (e == ERR_OK && scaled)
        scale_up(out);
    if (e == ERR_OK && all) {
        const double once = out->text_s + out->vae_in_s;
        out->picture_s = once + s.plan_s[0] + STEPS * out->step_s + out->vae_out_s;
        out->four_s = once + s.plan_s[1] + STEPS * out->step_four_s + FOUR * out->vae_out_s;
    }
    free_stages(&s);
    return e;
}
