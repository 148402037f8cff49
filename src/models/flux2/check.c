/* SPDX-License-Identifier: MIT */
#include "models/flux2/check.h"

#include "base/json.h"
#include "models/flux2/layout.h"
#include "models/flux2/tokenizer.h"
#include "nn/mapped.h"
#include "nn/pack.h"
#include "nn/weights.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CONFIG_BYTES_MAX = 1024 * 1024, PATH_BYTES = 4096 };

struct check {
    const char *dir;             /* or */
    const struct packed *packed; /* a packed model */
    struct err_note note;
    char found[240];
    struct flux2_transformer_config transformer;
    struct flux2_text_config text;
    struct flux2_vae_config vae;
    int id_max; /* of the tokenizer */
    // Of the part at hand.
    const char *part;
    struct weights *weights;
    unsigned types; /* bits of enum dtype: of a packed part's matrices */
    int tensors;
    int64_t numbers;
};

/* A text of the model: a folder's file, which is released later, or lent by a packed one. */
struct text {
    struct mapped file;
    const char *bytes;
    size_t len;
};

static enum err path_of(struct check *c, const char *name, char out[PATH_BYTES])
{
    int n = snprintf(out, PATH_BYTES, "%s/%s", c->dir, name);

    return n > 0 && n < PATH_BYTES
               ? ERR_OK
               : err_set(&c->note, ERR_INVALID, "the folder's name is too long");
}

static enum err open_text(struct check *c, const char *name, struct text *out)
{
    char path[PATH_BYTES];

    *out = (struct text){.file = MAPPED_INIT};
    if (c->packed) {
        out->bytes = packed_text(c->packed, name, &out->len);
        return out->bytes ? ERR_OK : err_set(&c->note, ERR_NOT_FOUND, "there is no text %s", name);
    }
    enum err e = path_of(c, name, path);
    if (e == ERR_OK)
        e = mapped_open(path, CONFIG_BYTES_MAX, &out->file, &c->note);
    out->bytes = out->file.bytes;
    out->len = out->file.len;
    return e;
}

static enum err check_packed_tensor(struct check *c, const struct layout_tensor *t)
{
    char name[PACKED_NAME_MAX + 1];
    struct packed_tensor found;

    snprintf(name, sizeof(name), "%s/%s", c->part, t->name);
    enum err e = packed_get(c->packed, name, layout_kind(t), t->rank, t->shape, &found, &c->note);
    if (e == ERR_OK && found.kind == PACKED_MATRIX)
        c->types |= 1U << found.dtype;
    return e;
}

static enum err check_tensor(void *ctx, const struct layout_tensor *t)
{
    struct check *c = ctx;
    struct tensor_view v = {.rank = t->rank};
    enum err e;

    memcpy(v.shape, t->shape, sizeof(v.shape));
    if (c->packed) {
        e = check_packed_tensor(c, t);
    } else {
        int64_t shape[4] = {t->shape[0], t->shape[1], t->shape[2], t->shape[3]};
        e = weights_get(c->weights, t->name, t->rank, shape, &v, &c->note);
    }
    if (e == ERR_OK) {
        c->tensors++;
        c->numbers += tensor_count(&v);
    }
    return e;
}

static enum err list_transformer(struct check *c)
{
    struct tensor_view v;

    // Its attention is fused, its MLP is named otherwise, and its shifts come before its scales.
    if (c->weights && weights_find(c->weights, "double_blocks.0.img_attn.qkv.weight", &v))
        return err_set(&c->note, ERR_UNSUPPORTED,
                       "these are weights in the original single-file format; wanted is the "
                       "folder that is published for diffusers");
    return layout_transformer(&c->transformer, check_tensor, c);
}

static enum err list_text(struct check *c)
{
    return layout_text(&c->text, check_tensor, c);
}

static enum err list_vae(struct check *c)
{
    return layout_vae(&c->vae, check_tensor, c);
}

/* The weights of a part whose configuration has been read. */
static enum err check_weights(struct check *c, const char *part, enum err (*list)(struct check *))
{
    char path[PATH_BYTES];
    enum err e = path_of(c, part, path);

    c->tensors = 0;
    c->numbers = 0;
    c->types = 0;
    c->part = part;
    if (e == ERR_OK && !c->packed)
        e = weights_open(path, &c->weights, &c->note);
    if (e == ERR_OK)
        e = list(c);
    weights_close(c->weights);
    c->weights = NULL;
    return e;
}

/* What was found: the part's own words, and its tensors. */
static void PRINTF_LIKE(2, 3) tell_part(struct check *c, const char *fmt, ...)
{
    static const char *const AS[DTYPE_I8 + 1] = {"f32", "f16", "bf16", "int8"};
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(c->found, sizeof(c->found), fmt, ap);
    va_end(ap);
    n += snprintf(c->found + n, sizeof(c->found) - (size_t)n,
                  "; %d tensors of %.1f million numbers", c->tensors, (double)c->numbers / 1e6);
    for (int t = 0; t <= DTYPE_I8; t++)
        if (c->types & 1U << t)
            n += snprintf(c->found + n, sizeof(c->found) - (size_t)n, ", %s", AS[t]);
}

static enum err check_index(struct check *c)
{
    struct text text;
    json_t *root = NULL;
    enum err e = open_text(c, "model_index.json", &text);

    if (e == ERR_OK)
        e = json_read(text.bytes, text.len, &root, &c->note);
    if (e == ERR_OK) {
        const char *class = json_string_value(json_object_get(root, "_class_name"));
        const json_t *distilled = json_object_get(root, "is_distilled");
        if (!class || strcmp(class, "Flux2KleinPipeline") != 0)
            e = err_set(&c->note, ERR_UNSUPPORTED, "model_index.json is of a %.60s, not of a %s",
                        class ? class : "nameless thing", "Flux2KleinPipeline");
        else if (distilled && !json_is_boolean(distilled))
            e = err_set(&c->note, ERR_INVALID, "model_index.json: is_distilled is no yes or no");
        else
            snprintf(c->found, sizeof(c->found), "FLUX.2 [klein], %s",
                     json_is_true(distilled) ? "distilled to few steps"
                                             : "the base model of many steps");
    }
    json_decref(root);
    mapped_release(&text.file);
    return e;
}

static enum err check_transformer(struct check *c)
{
    const struct flux2_transformer_config *t = &c->transformer;
    struct text text;
    enum err e = open_text(c, "transformer/config.json", &text);

    if (e == ERR_OK)
        e = flux2_transformer_config(text.bytes, text.len, &c->transformer, &c->note);
    mapped_release(&text.file);
    if (e == ERR_OK)
        e = check_weights(c, "transformer", list_transformer);
    if (e == ERR_OK)
        tell_part(c, "%d + %d blocks, %d heads of %d", t->doubles, t->singles, t->heads, t->head);
    return e;
}

static enum err check_text(struct check *c)
{
    struct text text;
    enum err e = open_text(c, "text_encoder/config.json", &text);

    if (e == ERR_OK)
        e = flux2_text_config(text.bytes, text.len, &c->text, &c->note);
    mapped_release(&text.file);
    if (e == ERR_OK)
        e = check_weights(c, "text_encoder", list_text);
    if (e == ERR_OK)
        tell_part(c, "%d of %d layers are used, %d wide", c->text.tap[FLUX2_TAPS - 1],
                  c->text.layers, c->text.hidden);
    return e;
}

static enum err check_vae(struct check *c)
{
    const struct flux2_vae_config *v = &c->vae;
    struct text text;
    enum err e = open_text(c, "vae/config.json", &text);

    if (e == ERR_OK)
        e = flux2_vae_config(text.bytes, text.len, &c->vae, &c->note);
    mapped_release(&text.file);
    if (e == ERR_OK)
        e = check_weights(c, "vae", list_vae);
    if (e == ERR_OK)
        tell_part(c, "%d latent channels, widths %d-%d-%d-%d in and %d-%d-%d-%d out", v->latent,
                  v->encoder[0], v->encoder[1], v->encoder[2], v->encoder[3], v->decoder[3],
                  v->decoder[2], v->decoder[1], v->decoder[0]);
    return e;
}

static enum err open_tokenizer(struct check *c, struct tokenizer **out)
{
    static const char name[] = "tokenizer/tokenizer.json";
    char path[PATH_BYTES];
    size_t len;

    if (c->packed) {
        const char *json = packed_text(c->packed, name, &len);
        return json ? tokenizer_read(name, json, len, out, &c->note)
                    : err_set(&c->note, ERR_NOT_FOUND, "there is no text %s", name);
    }
    enum err e = path_of(c, name, path);
    return e == ERR_OK ? tokenizer_open(path, out, &c->note) : e;
}

static enum err check_tokenizer(struct check *c)
{
    struct tokenizer *t = NULL;
    enum err e = open_tokenizer(c, &t);

    if (e == ERR_OK) {
        c->id_max = tokenizer_id_max(t);
        snprintf(c->found, sizeof(c->found), "Qwen's, tokens up to %d", c->id_max);
    }
    tokenizer_close(t);
    return e;
}

static enum err check_together(struct check *c)
{
    const int text = FLUX2_TAPS * c->text.hidden, latent = 4 * c->vae.latent;

    if (c->transformer.text_width != text)
        return err_set(&c->note, ERR_INVALID,
                       "the transformer takes text %d wide, the text encoder makes %d",
                       c->transformer.text_width, text);
    if (c->transformer.channels != latent)
        return err_set(&c->note, ERR_INVALID,
                       "the transformer takes %d channels, the autoencoder makes %d",
                       c->transformer.channels, latent);
    if (c->id_max >= c->text.vocabulary)
        return err_set(&c->note, ERR_INVALID,
                       "the tokenizer has tokens up to %d, the text encoder %d rows", c->id_max,
                       c->text.vocabulary);
    snprintf(c->found, sizeof(c->found), "the parts fit each other");
    return ERR_OK;
}

static bool check_all(struct check *c, flux2_check_fn *say, void *ctx)
{
    static const struct {
        const char *part;
        enum err (*check)(struct check *);
    } PART[] = {{"index", check_index},         {"transformer", check_transformer},
                {"text_encoder", check_text},   {"vae", check_vae},
                {"tokenizer", check_tokenizer}, {"together", check_together}};
    enum { PARTS = sizeof(PART) / sizeof(PART[0]) };
    bool right = true;

    for (int i = 0; i < PARTS && (right || i < PARTS - 1); i++) {
        err_note_clear(&c->note);
        enum err e = PART[i].check(c);
        say(ctx, PART[i].part, e, e == ERR_OK ? c->found : c->note.text);
        right &= e == ERR_OK;
    }
    return right;
}

bool flux2_check(const char *dir, flux2_check_fn *say, void *ctx)
{
    return check_all(&(struct check){.dir = dir}, say, ctx);
}

bool flux2_check_packed(const struct packed *packed, flux2_check_fn *say, void *ctx)
{
    return check_all(&(struct check){.packed = packed, .dir = ""}, say, ctx);
}
