/* SPDX-License-Identifier: MIT */
#include "nn/safetensors.h"

#include "base/buf.h"
#include "base/json.h"
#include "nn/mapped.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    const char *name; /* the header's, which `header` keeps */
    struct tensor_view view;
    size_t begin, end; /* from the first byte behind the header */
};

struct safetensors {
    struct mapped file; /* nothing when read from memory */
    json_t *header;
    struct entry *entry; /* by name */
    int count;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int by_place(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin)
                                : (x->end > y->end) - (x->end < y->end);
}

// Names end up in messages, so they are plain.
static bool name_is_plain(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if (name[i] < '!' || name[i] > '~')
            return false;
    return len > 0 && len <= SAFETENSORS_NAME_MAX;
}

static bool size_of_json(const json_t *v, size_t *out)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *out = (size_t)json_integer_value(v);
    return true;
}

/* Element type and shape; *bytes is what they take. */
static enum err read_type(const json_t *tensor, struct entry *t, size_t *bytes,
                          struct err_note *note)
{
    const json_t *dtype = json_object_get(tensor, "dtype");
    const json_t *shape = json_object_get(tensor, "shape");

    if (!json_is_string(dtype) || !json_is_array(shape))
        return err_set(note, ERR_INVALID, "%s: dtype or shape is missing", t->name);
    if (!dtype_of_name(json_string_value(dtype), json_string_length(dtype), &t->view.dtype))
        return err_set(note, ERR_UNSUPPORTED, "%s: element type \"%.16s\" is not one that is read",
                       t->name, json_string_value(dtype));
    if (json_array_size(shape) > TENSOR_RANK_MAX)
        return err_set(note, ERR_UNSUPPORTED, "%s: %zu dimensions, more than %d", t->name,
                       json_array_size(shape), TENSOR_RANK_MAX);
    t->view.rank = (int)json_array_size(shape);
    *bytes = dtype_bytes(t->view.dtype);
    for (int i = 0; i < t->view.rank; i++) {
        size_t side;
        if (!size_of_json(json_array_get(shape, (size_t)i), &side) || side == 0)
            return err_set(note, ERR_INVALID, "%s: side %d is not a positive integer", t->name, i);
        if (!size_mul(*bytes, side, bytes))
            return err_set(note, ERR_INVALID, "%s: the shape overflows", t->name);
        t->view.shape[i] = (int64_t)side;
    }
    return ERR_OK;
}

static enum err read_tensor(const json_t *tensor, const char *data, size_t data_len,
                            struct entry *t, struct err_note *note)
{
    const json_t *offsets = json_object_get(tensor, "data_offsets");
    size_t bytes;

    if (!json_is_object(tensor) || json_object_size(tensor) != 3)
        return err_set(note, ERR_INVALID, "%s: not an object of dtype, shape and data_offsets",
                       t->name);
    enum err e = read_type(tensor, t, &bytes, note);
    if (e != ERR_OK)
        return e;
    if (!json_is_array(offsets) || json_array_size(offsets) != 2 ||
        !size_of_json(json_array_get(offsets, 0), &t->begin) ||
        !size_of_json(json_array_get(offsets, 1), &t->end) || t->end < t->begin)
        return err_set(note, ERR_INVALID, "%s: data_offsets are not a begin and an end", t->name);
    if (t->end > data_len)
        return err_set(note, ERR_INVALID, "%s: ends at byte %zu of %zu: the file is cut short",
                       t->name, t->end, data_len);
    if (t->end - t->begin != bytes)
        return err_set(note, ERR_INVALID, "%s: %zu bytes stand for a shape of %zu", t->name,
                       t->end - t->begin, bytes);
    t->view.data = data + t->begin;
    if ((uintptr_t)t->view.data % dtype_bytes(t->view.dtype) != 0)
        return err_set(note, ERR_INVALID, "%s: byte %zu is not aligned to its elements", t->name,
                       t->begin);
    return ERR_OK;
}

static enum err check_metadata(const json_t *metadata, struct err_note *note)
{
    const char *key;
    json_t *value;

    if (!json_is_object(metadata))
        return err_set(note, ERR_INVALID, "__metadata__ is not an object");
    json_object_foreach((json_t *)metadata, key, value) if (!json_is_string(value)) return err_set(
        note, ERR_INVALID, "__metadata__ holds something else than strings");
    return ERR_OK;
}

/* What no tensor covers, or two do, is no safetensors file. */
static enum err check_cover(struct entry *t, int count, size_t data_len, struct err_note *note)
{
    size_t at = 0;

    qsort(t, (size_t)count, sizeof(*t), by_place);
    for (int i = 0; i < count; i++) {
        if (t[i].begin != at)
            return err_set(note, ERR_INVALID, "%s: begins at byte %zu, %s byte %zu", t[i].name,
                           t[i].begin, t[i].begin < at ? "but taken is all up to" : "a gap behind",
                           at);
        at = t[i].end;
    }
    if (at != data_len)
        return err_set(note, ERR_INVALID, "%zu bytes behind the last tensor", data_len - at);
    return ERR_OK;
}

static enum err read_header(struct safetensors *s, const char *data, size_t data_len,
                            struct err_note *note)
{
    const char *name;
    json_t *value;
    enum err e = ERR_OK;

    if (!json_is_object(s->header))
        return err_set(note, ERR_INVALID, "the header is not a JSON object");
    if (json_object_size(s->header) > SAFETENSORS_COUNT_MAX)
        return err_set(note, ERR_INVALID, "more than %d tensors", SAFETENSORS_COUNT_MAX);
    s->entry = calloc(json_object_size(s->header) + 1, sizeof(*s->entry));
    if (!s->entry)
        return err_set(note, ERR_NOMEM, "no memory for a table of tensors");
    json_object_foreach(s->header, name, value)
    {
        if (strcmp(name, "__metadata__") == 0) {
            e = check_metadata(value, note);
        } else if (!name_is_plain(name)) {
            e = err_set(note, ERR_INVALID,
                        "a tensor's name is empty, over %d bytes, or not plain ASCII",
                        SAFETENSORS_NAME_MAX);
        } else {
            s->entry[s->count].name = name;
            e = read_tensor(value, data, data_len, &s->entry[s->count++], note);
        }
        if (e != ERR_OK)
            return e;
    }
    e = check_cover(s->entry, s->count, data_len, note);
    qsort(s->entry, (size_t)s->count, sizeof(*s->entry), by_name);
    return e;
}

static enum err read_bytes(struct safetensors *s, const char *bytes, size_t len,
                           struct err_note *note)
{
    uint64_t header_len = 0;

    if (len < 8)
        return err_set(note, ERR_INVALID, "%zu bytes are too few for a safetensors file", len);
    for (int i = 7; i >= 0; i--)
        header_len = header_len << 8 | (unsigned char)bytes[i];
    if (header_len > len - 8)
        return err_set(note, ERR_INVALID,
                       "a header of %ju bytes in a file of %zu: it is cut short, or no safetensors "
                       "file",
                       (uintmax_t)header_len, len);
    if (header_len > SAFETENSORS_HEADER_MAX)
        return err_set(note, ERR_INVALID, "the header has more than %d bytes",
                       SAFETENSORS_HEADER_MAX);
    enum err e = json_read(bytes + 8, (size_t)header_len, &s->header, note);
    if (e != ERR_OK)
        return e;
    return read_header(s, bytes + 8 + header_len, len - 8 - (size_t)header_len, note);
}

enum err safetensors_read(const char *name, const void *bytes, size_t len, struct safetensors **out,
                          struct err_note *note)
{
    struct safetensors *s = calloc(1, sizeof(*s));

    if (!s)
        return err_set(note, ERR_NOMEM, "no memory to read %s", name);
    enum err e = read_bytes(s, bytes, len, note);
    if (e != ERR_OK) {
        safetensors_close(s);
        err_note_prefix(note, "%s", name);
        return e;
    }
    *out = s;
    return ERR_OK;
}

enum err safetensors_open(const char *path, struct safetensors **out, struct err_note *note)
{
    struct mapped file = MAPPED_INIT;
    enum err e = mapped_open(path, SIZE_MAX / 2, &file, note);

    if (e == ERR_OK)
        e = safetensors_read(path, file.bytes, file.len, out, note);
    if (e == ERR_OK)
        (*out)->file = file;
    else
        mapped_release(&file);
    return e;
}

void safetensors_close(struct safetensors *s)
{
    if (!s)
        return;
    free(s->entry);
    json_decref(s->header);
    mapped_release(&s->file);
    free(s);
}

bool safetensors_find(const struct safetensors *s, const char *name, struct tensor_view *out)
{
    const struct entry key = {.name = name};
    const struct entry *found =
        s->count ? bsearch(&key, s->entry, (size_t)s->count, sizeof(key), by_name) : NULL;

    if (found)
        *out = found->view;
    return found != NULL;
}

int safetensors_count(const struct safetensors *s)
{
    return s->count;
}

const char *safetensors_at(const struct safetensors *s, int i, struct tensor_view *out)
{
    if (i < 0 || i >= s->count)
        return NULL;
    *out = s->entry[i].view;
    return s->entry[i].name;
}
