/* SPDX-License-Identifier: MIT */
#include "nn/weights.h"

#include "base/arena.h"
#include "base/json.h"
#include "nn/mapped.h"
#include "nn/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shard {
    const char *file; /* its name in the folder */
    struct safetensors *tensors;
};

struct weights {
    struct arena arena; /* names of shards */
    struct shard shard[WEIGHTS_SHARDS_MAX];
    int shards;
};

static const char *const STEM[] = {"diffusion_pytorch_model", "model"};

enum {
    STEMS = sizeof(STEM) / sizeof(STEM[0]),
    INDEX_BYTES_MAX = 16 * 1024 * 1024 /* a line of at most 600 bytes a tensor, for 25000 */
};

/* Makes a shard of `file`, whose name is looked at: an index is a stranger's. */
static enum err open_shard(struct weights *w, const char *dir, const char *file,
                           struct err_note *note)
{
    size_t len = strlen(file);

    if (len < 13 || strcmp(file + len - 12, ".safetensors") != 0 || file[0] == '.' ||
        strchr(file, '/'))
        return err_set(note, ERR_INVALID, "\"%.64s\" is not the name of a shard", file);
    if (w->shards == WEIGHTS_SHARDS_MAX)
        return err_set(note, ERR_INVALID, "more than %d shards", WEIGHTS_SHARDS_MAX);
    struct shard *s = &w->shard[w->shards];
    const char *path = arena_printf(&w->arena, "%s/%s", dir, file);
    s->file = arena_strdup(&w->arena, file);
    if (!path || !s->file)
        return err_set(note, ERR_NOMEM, "no memory to read %s", dir);
    enum err e = safetensors_open(path, &s->tensors, note);
    if (e == ERR_OK)
        w->shards++;
    return e;
}

static const struct shard *shard_named(const struct weights *w, const char *file)
{
    for (int i = 0; i < w->shards; i++)
        if (strcmp(w->shard[i].file, file) == 0)
            return &w->shard[i];
    return NULL;
}

/* Opens every shard that the map names; each of its tensors must be there. */
static enum err open_mapped_to(struct weights *w, const char *dir, const json_t *map,
                               struct err_note *note)
{
    const char *name;
    json_t *value;
    struct tensor_view view;

    json_object_foreach((json_t *)map, name, value)
    {
        const char *file = json_string_value(value);
        if (!file)
            return err_set(note, ERR_INVALID, "weight_map: not the name of a shard");
        const struct shard *s = shard_named(w, file);
        if (!s) {
            enum err e = open_shard(w, dir, file, note);
            if (e != ERR_OK)
                return e;
            s = &w->shard[w->shards - 1];
        }
        if (!safetensors_find(s->tensors, name, &view))
            return err_set(note, ERR_INVALID, "weight_map: \"%.100s\" is not in %s", name, file);
    }
    return ERR_OK;
}

/* The other direction: nothing in a shard that the map has elsewhere, or not at all. */
static enum err check_shards(const struct weights *w, const json_t *map, struct err_note *note)
{
    const char *name;
    struct tensor_view view;

    for (int s = 0; s < w->shards; s++)
        for (int i = 0; (name = safetensors_at(w->shard[s].tensors, i, &view)); i++) {
            const char *file = json_string_value(json_object_get(map, name));
            if (!file || strcmp(file, w->shard[s].file) != 0)
                return err_set(note, ERR_INVALID, "%s holds %s, which weight_map has in %.64s",
                               w->shard[s].file, name, file ? file : "no shard");
        }
    return ERR_OK;
}

static enum err open_index(struct weights *w, const char *dir, const char *path,
                           struct err_note *note)
{
    struct mapped file = MAPPED_INIT;
    json_t *index = NULL;
    enum err e = mapped_open(path, INDEX_BYTES_MAX, &file, note);

    if (e != ERR_OK)
        return e;
    e = json_read(file.bytes, file.len, &index, note);
    const json_t *map = json_object_get(index, "weight_map");
    if (e == ERR_OK && (!json_is_object(map) || json_object_size(map) == 0))
        e = err_set(note, ERR_INVALID, "there is no weight_map");
    if (e == ERR_OK)
        e = open_mapped_to(w, dir, map, note);
    if (e == ERR_OK)
        e = check_shards(w, map, note);
    if (e != ERR_OK)
        err_note_prefix(note, "%s", path);
    // What the index names and is not there makes the model incomplete, not absent.
    if (e == ERR_NOT_FOUND)
        e = ERR_INVALID;
    json_decref(index);
    mapped_release(&file);
    return e;
}

static enum err open_any(struct weights *w, const char *dir, struct err_note *note)
{
    for (int i = 0; i < STEMS; i++) {
        const char *file = arena_printf(&w->arena, "%s.safetensors", STEM[i]);
        const char *index = arena_printf(&w->arena, "%s/%s.index.json", dir, file ? file : "");
        if (!file || !index)
            return err_set(note, ERR_NOMEM, "no memory to read %s", dir);
        enum err e = open_shard(w, dir, file, note);
        if (e == ERR_NOT_FOUND)
            e = open_index(w, dir, index, note);
        if (e != ERR_NOT_FOUND)
            return e;
    }
    return err_set(note, ERR_NOT_FOUND,
                   "%s holds neither %s.safetensors nor %s.safetensors, nor an index of shards "
                   "(.index.json) of either",
                   dir, STEM[0], STEM[1]);
}

enum err weights_open(const char *dir, struct weights **out, struct err_note *note)
{
    struct weights *w = calloc(1, sizeof(*w));

    if (!w)
        return err_set(note, ERR_NOMEM, "no memory to read %s", dir);
    enum err e = open_any(w, dir, note);
    if (e == ERR_OK)
        *out = w;
    else
        weights_close(w);
    return e;
}

void weights_close(struct weights *w)
{
    if (!w)
        return;
    for (int i = 0; i < w->shards; i++)
        safetensors_close(w->shard[i].tensors);
    arena_release(&w->arena);
    free(w);
}

bool weights_find(const struct weights *w, const char *name, struct tensor_view *out)
{
    for (int i = 0; i < w->shards; i++)
        if (safetensors_find(w->shard[i].tensors, name, out))
            return true;
    return false;
}

const char *weights_at(const struct weights *w, int i, struct tensor_view *out)
{
    for (int s = 0; s < w->shards; s++) {
        int count = safetensors_count(w->shard[s].tensors);
        if (i < count)
            return safetensors_at(w->shard[s].tensors, i, out);
        i -= count;
    }
    return NULL;
}

enum err weights_get(const struct weights *w, const char *name, int rank, int64_t *shape,
                     struct tensor_view *out, struct err_note *note)
{
    struct tensor_view v;
    char want[TENSOR_SHAPE_TEXT], have[TENSOR_SHAPE_TEXT];

    if (!weights_find(w, name, &v))
        return err_set(note, ERR_INVALID, "there is no tensor %s", name);
    bool fits = v.rank == rank;
    for (int i = 0; i < rank && fits; i++)
        fits = shape[i] == 0 || shape[i] == v.shape[i];
    if (!fits)
        return err_set(note, ERR_INVALID, "%s: wanted is a shape of %s, found %s", name,
                       tensor_shape_text(want, rank, shape),
                       tensor_shape_text(have, v.rank, v.shape));
    if (v.dtype != DTYPE_F32 && v.dtype != DTYPE_F16 && v.dtype != DTYPE_BF16)
        return err_set(note, ERR_INVALID, "%s: wanted are floats, found %s", name,
                       dtype_name(v.dtype));
    for (int i = 0; i < rank; i++)
        shape[i] = v.shape[i];
    *out = v;
    return ERR_OK;
}
