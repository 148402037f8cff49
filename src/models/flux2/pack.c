/* SPDX-License-Identifier: MIT */
#include "models/flux2/pack.h"

#include "models/flux2/check.h"
#include "models/flux2/pack_internal.h"
#include "nn/mapped.h"
#include "nn/weights.h"

#include <stdio.h>
#include <string.h>

enum { TEXTS = 5, PARTS = 3, PATH_BYTES = 4096 };

struct pack {
    const char *dir;
    enum flux2_precision precision;
    struct mapped text[TEXTS];
    struct flux2_transformer_config transformer;
    struct flux2_text_config text_encoder;
    struct flux2_vae_config vae;
    struct packer *packer;
    int64_t all, written; /* bytes */
    packed_progress_fn *done;
    void *done_ctx;
    struct err_note *note;
    // Of the part at hand.
    const char *part;
    struct weights *weights;
};

/* The first three are the parts' configurations. */
static const char *const TEXT[TEXTS] = {"transformer/config.json", "text_encoder/config.json",
                                        "vae/config.json", "model_index.json",
                                        "tokenizer/tokenizer.json"};

static const char *const PRECISION[] = {"f32", "bf16", "int8"};

const char *flux2_precision_name(enum flux2_precision p)
{
    return PRECISION[p];
}

bool flux2_precision_of_name(const char *name, enum flux2_precision *out)
{
    for (int i = FLUX2_F32; i <= FLUX2_INT8; i++)
        if (strcmp(name, PRECISION[i]) == 0) {
            *out = (enum flux2_precision)i;
            return true;
        }
    return false;
}

struct found {
    enum err e;
    struct err_note *note;
};

static void keep_first(void *ctx, const char *part, enum err e, const char *found)
{
    struct found *f = ctx;

    if (f->e == ERR_OK && e != ERR_OK)
        f->e = err_set(f->note, e, "%s: %s", part, found);
}

/* ---- how a tensor is packed ---- */

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

enum dtype pack_type(enum flux2_precision precision, const struct layout_tensor *t)
{
    bool block = begins(t->name, "transformer_blocks.") ||
                 begins(t->name, "single_transformer_blocks.") || begins(t->name, "model.layers.");

    if (layout_kind(t) != PACKED_MATRIX)
        return t->rows ? DTYPE_BF16 : DTYPE_F32;
    if (precision == FLUX2_F32)
        return DTYPE_F32;
    return precision == FLUX2_INT8 && block ? DTYPE_I8 : DTYPE_BF16;
}

/* ---- two passes over all tensors ---- */

static enum err count_tensor(void *ctx, const struct layout_tensor *t)
{
    struct pack *p = ctx;

    p->all += packed_tensor_bytes(layout_kind(t), pack_type(p->precision, t), t->rank, t->shape);
    return ERR_OK;
}

static enum err add_tensor(void *ctx, const struct layout_tensor *t)
{
    struct pack *p = ctx;
    int64_t shape[4] = {t->shape[0], t->shape[1], t->shape[2], t->shape[3]};
    char name[PACKED_NAME_MAX + 1];
    struct tensor_view v;

    enum err e = weights_get(p->weights, t->name, t->rank, shape, &v, p->note);
    if (e != ERR_OK)
        return e;
    snprintf(name, sizeof(name), "%s/%s", p->part, t->name);
    e = packer_add(p->packer, name, layout_kind(t), pack_type(p->precision, t), &v, p->note);
    if (e != ERR_OK)
        return e;
    p->written +=
        packed_tensor_bytes(layout_kind(t), pack_type(p->precision, t), t->rank, t->shape);
    if (p->done && !p->done(p->done_ctx, (float)((double)p->written / (double)p->all)))
        return err_set(p->note, ERR_CANCELLED, "stopped");
    return ERR_OK;
}

static enum err list_part(struct pack *p, int part, layout_fn *fn)
{
    switch (part) {
    case 0:
        return layout_transformer(&p->transformer, fn, p);
    case 1:
        return layout_text(&p->text_encoder, fn, p);
    default:
        return layout_vae(&p->vae, fn, p);
    }
}

static enum err add_part(struct pack *p, int part)
{
    static const char *const PART[PARTS] = {"transformer", "text_encoder", "vae"};
    char path[PATH_BYTES];

    p->part = PART[part];
    snprintf(path, sizeof(path), "%s/%s", p->dir, p->part);
    enum err e = weights_open(path, &p->weights, p->note);
    if (e == ERR_OK)
        e = list_part(p, part, add_tensor);
    weights_close(p->weights);
    p->weights = NULL;
    return e;
}

static enum err read_texts(struct pack *p)
{
    char path[PATH_BYTES];
    enum err e = ERR_OK;

    for (int i = 0; i < TEXTS && e == ERR_OK; i++) {
        snprintf(path, sizeof(path), "%s/%s", p->dir, TEXT[i]);
        e = mapped_open(path, PACKED_TEXT_MAX - 1, &p->text[i], p->note);
    }
    if (e == ERR_OK)
        e = flux2_transformer_config(p->text[0].bytes, p->text[0].len, &p->transformer, p->note);
    if (e == ERR_OK)
        e = flux2_text_config(p->text[1].bytes, p->text[1].len, &p->text_encoder, p->note);
    if (e == ERR_OK)
        e = flux2_vae_config(p->text[2].bytes, p->text[2].len, &p->vae, p->note);
    return e;
}

static enum err pack_all(struct pack *p, const char *path)
{
    enum err e = read_texts(p);

    for (int i = 0; i < PARTS && e == ERR_OK; i++)
        e = list_part(p, i, count_tensor);
    if (e == ERR_OK)
        e = packer_open(path, &p->packer, p->note);
    if (e == ERR_OK)
        e = packer_need(p->packer, p->all, p->note);
    for (int i = 0; i < TEXTS && e == ERR_OK; i++)
        e = packer_add_text(p->packer, TEXT[i], p->text[i].bytes, p->text[i].len, p->note);
    for (int i = 0; i < PARTS && e == ERR_OK; i++)
        e = add_part(p, i);
    return e;
}

enum err flux2_pack(const char *dir, enum flux2_precision precision, const char *path,
                    packed_progress_fn *done, void *done_ctx, struct packed **out,
                    struct err_note *note)
{
    struct pack p = {
        .dir = dir, .precision = precision, .done = done, .done_ctx = done_ctx, .note = note};
    struct found found = {ERR_OK, note};

    // Names of files fit from here on: the check has opened them all.
    if (!flux2_check(dir, keep_first, &found))
        return found.e;
    enum err e = pack_all(&p, path);
    if (e == ERR_OK)
        e = packer_finish(p.packer, out, note);
    else
        packer_abandon(p.packer);
    for (int i = 0; i < TEXTS; i++)
        mapped_release(&p.text[i]);
    return e;
}
