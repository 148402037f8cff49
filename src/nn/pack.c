/* SPDX-License-Identifier: MIT */
#include "nn/pack.h"

#include "base/json.h"
#include "nn/pack_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct blob {
    const char *name, *sha256; /* the directory's, which `directory` keeps */
    struct packed_tensor tensor;
    size_t begin, bytes;
};

struct packed {
    struct mapped file; /* nothing when read from memory */
    const unsigned char *bytes;
    size_t len;
    json_t *directory;
    struct blob *blob; /* by place */
    int *by_name;      /* indices of blob */
    int count;
};

static const char *const KIND[] = {"plain", "rows", "matrix", "text"};

enum { KINDS = sizeof(KIND) / sizeof(KIND[0]), VERIFY_STRIDE = 8 << 20 };

const char *pack_kind_name(enum packed_kind kind)
{
    return KIND[kind];
}

bool pack_name_is_plain(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if (name[i] < '!' || name[i] > '~')
            return false;
    return len > 0 && len <= PACKED_NAME_MAX;
}

static int64_t padded(int64_t n, int64_t to)
{
    return (n + to - 1) / to * to;
}

struct pack_panel pack_panel(enum dtype t, int rank, const int64_t *shape)
{
    int element = (int)dtype_bytes(t);
    struct pack_panel p = {.inputs = padded(shape[1], PACKED_ALIGN / element),
                           .taps = rank == 4 ? shape[2] * shape[3] : 1,
                           .group = 4 / element};

    p.bytes = (size_t)(p.taps * p.inputs * element * PACKED_PANEL);
    return p;
}

static bool type_fits(enum packed_kind kind, enum dtype t, int rank)
{
    switch (kind) {
    case PACKED_PLAIN:
        return t == DTYPE_F32 && rank >= 1 && rank <= TENSOR_RANK_MAX;
    case PACKED_ROWS:
        return t == DTYPE_BF16 && rank == 2;
    case PACKED_MATRIX:
        return (t == DTYPE_F32 || t == DTYPE_BF16 || t == DTYPE_I8) && (rank == 2 || rank == 4);
    case PACKED_TEXT:
        break;
    }
    return false;
}

int64_t packed_tensor_bytes(enum packed_kind kind, enum dtype t, int rank, const int64_t *shape)
{
    int64_t side[TENSOR_RANK_MAX];
    size_t bytes = dtype_bytes(t);

    if (!type_fits(kind, t, rank))
        return 0;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 1 || shape[i] > PACKED_SIDE_MAX)
            return 0;
        side[i] = shape[i];
    }
    if (kind == PACKED_MATRIX) {
        side[0] = padded(side[0], PACKED_PANEL);
        side[1] = padded(side[1], PACKED_ALIGN / (int)bytes);
    }
    for (int i = 0; i < rank; i++)
        if (!size_mul(bytes, (size_t)side[i], &bytes) || bytes > INT64_MAX / 2)
            return 0;
    if (t == DTYPE_I8)
        bytes += (size_t)side[0] * sizeof(float);
    return (int64_t)bytes;
}

struct packed_tensor packed_outputs(const struct packed_tensor *t, int64_t first, int64_t count)
{
    struct packed_tensor part = *t;

    assert(t->kind == PACKED_MATRIX && first >= 0 && first % PACKED_PANEL == 0);
    assert(count > 0 && count <= t->shape[0] - first);
    part.data = (const char *)t->data +
                (size_t)(first / PACKED_PANEL) * pack_panel(t->dtype, t->rank, t->shape).bytes;
    part.scale = t->scale ? t->scale + first : NULL;
    part.shape[0] = count;
    return part;
}

/* ---- the directory ---- */

static bool size_of_json(const json_t *v, size_t *out)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *out = (size_t)json_integer_value(v);
    return true;
}

static bool kind_of_name(const char *name, enum packed_kind *out)
{
    for (int i = 0; name && i < KINDS; i++)
        if (strcmp(name, KIND[i]) == 0) {
            *out = (enum packed_kind)i;
            return true;
        }
    return false;
}

/* Kind, type and shape; *bytes is what they take. */
static enum err read_type(const json_t *v, struct blob *b, size_t *bytes, struct err_note *note)
{
    struct packed_tensor *t = &b->tensor;
    const json_t *dtype = json_object_get(v, "dtype"), *shape = json_object_get(v, "shape");
    const char *type = json_string_value(dtype);

    if (!kind_of_name(json_string_value(json_object_get(v, "kind")), &t->kind))
        return err_set(note, ERR_INVALID, "%s: its kind is none that there is", b->name);
    if (t->kind == PACKED_TEXT) {
        if (dtype || shape || b->bytes < 1 || b->bytes > PACKED_TEXT_MAX)
            return err_set(note, ERR_INVALID, "%s: a text has 1 to %d bytes and no type", b->name,
                           PACKED_TEXT_MAX);
        *bytes = b->bytes;
        t->dtype = DTYPE_I8;
        t->rank = 1;
        t->shape[0] = (int64_t)b->bytes;
        return ERR_OK;
    }
    if (!type || !dtype_of_name(type, json_string_length(dtype), &t->dtype))
        return err_set(note, ERR_INVALID, "%s: its element type is none that there is", b->name);
    if (!json_is_array(shape) || json_array_size(shape) > TENSOR_RANK_MAX)
        return err_set(note, ERR_INVALID, "%s: its shape is not a list of at most %d sides",
                       b->name, TENSOR_RANK_MAX);
    t->rank = (int)json_array_size(shape);
    for (int i = 0; i < t->rank; i++) {
        size_t side;
        if (!size_of_json(json_array_get(shape, (size_t)i), &side) || side < 1 ||
            side > PACKED_SIDE_MAX)
            return err_set(note, ERR_INVALID, "%s: side %d is not an integer of 1 to %d", b->name,
                           i, PACKED_SIDE_MAX);
        t->shape[i] = (int64_t)side;
    }
    *bytes = (size_t)packed_tensor_bytes(t->kind, t->dtype, t->rank, t->shape);
    if (*bytes == 0)
        return err_set(note, ERR_INVALID, "%s: no %s has such a type and shape", b->name,
                       KIND[t->kind]);
    return ERR_OK;
}

static enum err read_blob(const struct packed *p, const json_t *v, size_t end, struct blob *b,
                          struct err_note *note)
{
    const json_t *sha = json_object_get(v, "sha256");
    size_t bytes = 0;

    if (!json_is_string(sha) || json_string_length(sha) != (size_t)2 * SHA256_BYTES)
        return err_set(note, ERR_INVALID, "%s: there is no checksum", b->name);
    b->sha256 = json_string_value(sha);
    if (!size_of_json(json_object_get(v, "offset"), &b->begin) ||
        !size_of_json(json_object_get(v, "bytes"), &b->bytes))
        return err_set(note, ERR_INVALID, "%s: its offset and bytes are not sizes", b->name);
    if (b->begin > end || b->bytes > end - b->begin)
        return err_set(note, ERR_INVALID, "%s: it does not end in front of byte %zu", b->name, end);
    if (b->begin % PACK_BLOB_ALIGN != 0)
        return err_set(note, ERR_INVALID, "%s: byte %zu is not a multiple of %d", b->name, b->begin,
                       PACK_BLOB_ALIGN);
    enum err e = read_type(v, b, &bytes, note);
    if (e != ERR_OK)
        return e;
    if (b->bytes != bytes)
        return err_set(note, ERR_INVALID, "%s: %zu bytes stand for a shape of %zu", b->name,
                       b->bytes, bytes);
    b->tensor.data = p->bytes + b->begin;
    if (b->tensor.kind == PACKED_TEXT && p->bytes[b->begin + bytes - 1] != '\0')
        return err_set(note, ERR_INVALID, "%s: the text does not end", b->name);
    if (b->tensor.dtype == DTYPE_I8 && b->tensor.kind == PACKED_MATRIX)
        b->tensor.scale = (const float *)(const void *)(p->bytes + b->begin + bytes) -
                          padded(b->tensor.shape[0], PACKED_PANEL);
    return ERR_OK;
}

static enum err verify(const struct packed *p, const struct blob *b, packed_progress_fn *done,
                       void *done_ctx, struct err_note *note)
{
    uint8_t sha[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    struct sha256 h;
    bool go_on = true;

    sha256_init(&h);
    for (size_t at = 0; at < b->bytes && go_on; at += VERIFY_STRIDE) {
        size_t left = b->bytes - at;
        sha256_add(&h, p->bytes + b->begin + at, left < VERIFY_STRIDE ? left : VERIFY_STRIDE);
        go_on = !done || done(done_ctx, (float)((double)(b->begin + at) / (double)p->len));
    }
    sha256_finish(&h, sha);
    if (!go_on)
        return err_set(note, ERR_CANCELLED, "stopped");
    hex_encode(sha, sizeof(sha), hex);
    if (strcmp(hex, b->sha256) != 0)
        return err_set(note, ERR_INVALID, "%s is damaged: its checksum differs", b->name);
    return ERR_OK;
}

/* What fills the file up to the next multiple of PACK_BLOB_ALIGN has no checksum: it is zeros. */
static enum err verify_padding(const struct packed *p, size_t from, struct err_note *note)
{
    for (size_t at = from; at % PACK_BLOB_ALIGN != 0; at++)
        if (p->bytes[at] != 0)
            return err_set(note, ERR_INVALID, "byte %zu, between two tensors, is damaged", at);
    return ERR_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct blob *x = a, *y = b;

    return (x->begin > y->begin) - (x->begin < y->begin);
}

static int by_name(const void *a, const void *b, void *ctx)
{
    const struct packed *p = ctx;

    return strcmp(p->blob[*(const int *)a].name, p->blob[*(const int *)b].name);
}

/* From the first page to the directory each byte is one blob's, or aligns the next. */
static enum err check_cover(const struct packed *p, size_t directory, struct err_note *note)
{
    size_t at = PACK_BLOB_ALIGN;

    for (int i = 0; i < p->count; i++) {
        const struct blob *b = &p->blob[i];
        if (b->begin != at)
            return err_set(note, ERR_INVALID, "%s: begins at byte %zu instead of %zu", b->name,
                           b->begin, at);
        // A blob ends in front of the directory, whose offset fits.
        at = (b->begin + b->bytes + PACK_BLOB_ALIGN - 1) / PACK_BLOB_ALIGN * PACK_BLOB_ALIGN;
    }
    if (directory != at)
        return err_set(note, ERR_INVALID, "the directory is at byte %zu instead of %zu", directory,
                       at);
    return ERR_OK;
}

static enum err read_directory(struct packed *p, size_t end, struct err_note *note)
{
    const json_t *blobs = json_object_get(p->directory, "blobs");
    const char *name;
    json_t *value;

    if (!json_is_object(blobs) || json_object_size(blobs) > PACKED_COUNT_MAX)
        return err_set(note, ERR_INVALID, "the directory has no blobs, or more than %d",
                       PACKED_COUNT_MAX);
    p->blob = calloc(json_object_size(blobs) + 1, sizeof(*p->blob));
    p->by_name = calloc(json_object_size(blobs) + 1, sizeof(*p->by_name));
    if (!p->blob || !p->by_name)
        return err_set(note, ERR_NOMEM, "no memory for a table of tensors");
    json_object_foreach((json_t *)blobs, name, value)
    {
        if (!pack_name_is_plain(name))
            return err_set(note, ERR_INVALID,
                           "a tensor's name is empty, over %d bytes, or not plain ASCII",
                           PACKED_NAME_MAX);
        p->blob[p->count].name = name;
        p->by_name[p->count] = p->count;
        enum err e = read_blob(p, value, end, &p->blob[p->count], note);
        // A text is read soon and is short; weights are held against theirs by packed_verify().
        if (e == ERR_OK && p->blob[p->count].tensor.kind == PACKED_TEXT)
            e = verify(p, &p->blob[p->count], NULL, NULL, note);
        if (e != ERR_OK)
            return e;
        p->count++;
    }
    qsort(p->blob, (size_t)p->count, sizeof(*p->blob), by_place);
    qsort_r(p->by_name, (size_t)p->count, sizeof(*p->by_name), by_name, p);
    return check_cover(p, end, note);
}

static enum err read_file(struct packed *p, const char *name, struct err_note *note)
{
    struct pack_header h;
    uint8_t sha[SHA256_BYTES];

    if (p->len < sizeof(h) || memcmp(p->bytes, PACK_MAGIC, sizeof(h.magic)) != 0)
        return err_set(note, ERR_INVALID,
                       "this is not a packed model; \"patina model pack\" makes one of the folder "
                       "that is published for diffusers");
    memcpy(&h, p->bytes, sizeof(h));
    if (h.version != PACKED_VERSION)
        return err_set(note, ERR_UNSUPPORTED,
                       "this is version %u of the packed format, and this program reads %d: make "
                       "it anew with \"patina model pack FOLDER %s\"",
                       h.version, PACKED_VERSION, name);
    if (h.directory > p->len || h.directory_bytes > p->len - h.directory)
        return err_set(note, ERR_INVALID,
                       "the directory ends behind the file's %zu bytes: it is cut short", p->len);
    if (h.zero != 0 || h.directory_bytes != p->len - h.directory)
        return err_set(note, ERR_INVALID,
                       "the header is damaged, or something is behind the directory");
    if (h.directory_bytes > PACK_DIRECTORY_MAX)
        return err_set(note, ERR_INVALID, "the directory has more than %d bytes",
                       PACK_DIRECTORY_MAX);
    const char *json = (const char *)p->bytes + h.directory;
    sha256(json, (size_t)h.directory_bytes, sha);
    if (memcmp(sha, h.directory_sha256, sizeof(sha)) != 0)
        return err_set(note, ERR_INVALID, "the directory is damaged: its checksum differs");
    enum err e = json_read(json, (size_t)h.directory_bytes, &p->directory, note);

    return e == ERR_OK ? read_directory(p, (size_t)h.directory, note) : e;
}

enum err packed_read(const char *name, const void *bytes, size_t len, struct packed **out,
                     struct err_note *note)
{
    struct packed *p = calloc(1, sizeof(*p));

    assert((uintptr_t)bytes % PACK_BLOB_ALIGN == 0);
    if (!p)
        return err_set(note, ERR_NOMEM, "no memory to read %s", name);
    p->bytes = bytes;
    p->len = len;
    enum err e = read_file(p, name, note);
    if (e != ERR_OK) {
        packed_close(p);
        err_note_prefix(note, "%s", name);
        return e;
    }
    *out = p;
    return ERR_OK;
}

enum err pack_take(const char *name, struct mapped *file, struct packed **out,
                   struct err_note *note)
{
    enum err e = packed_read(name, file->bytes, file->len, out, note);

    if (e == ERR_OK) {
        (*out)->file = *file;
        *file = (struct mapped)MAPPED_INIT;
    }
    return e;
}

enum err packed_open(const char *path, struct packed **out, struct err_note *note)
{
    struct mapped file = MAPPED_INIT;
    enum err e = mapped_open(path, SIZE_MAX / 2, &file, note);

    if (e == ERR_OK)
        e = pack_take(path, &file, out, note);
    mapped_release(&file);
    return e;
}

void packed_close(struct packed *p)
{
    if (!p)
        return;
    free(p->blob);
    free(p->by_name);
    json_decref(p->directory);
    mapped_release(&p->file);
    free(p);
}

/* ---- what is in it ---- */

static const struct blob *blob_named(const struct packed *p, const char *name)
{
    int low = 0, high = p->count;

    while (low < high) {
        int middle = low + (high - low) / 2;
        const struct blob *b = &p->blob[p->by_name[middle]];
        int order = strcmp(name, b->name);
        if (order == 0)
            return b;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool packed_find(const struct packed *p, const char *name, struct packed_tensor *out)
{
    const struct blob *b = blob_named(p, name);

    if (!b || b->tensor.kind == PACKED_TEXT)
        return false;
    *out = b->tensor;
    return true;
}

int packed_count(const struct packed *p)
{
    return p->count;
}

const char *packed_at(const struct packed *p, int i, struct packed_tensor *out)
{
    if (i < 0 || i >= p->count)
        return NULL;
    *out = p->blob[i].tensor;
    return p->blob[i].name;
}

enum err packed_get(const struct packed *p, const char *name, enum packed_kind kind, int rank,
                    const int64_t *shape, struct packed_tensor *out, struct err_note *note)
{
    struct packed_tensor t;
    char want[TENSOR_SHAPE_TEXT], have[TENSOR_SHAPE_TEXT];

    if (!packed_find(p, name, &t))
        return err_set(note, ERR_INVALID, "there is no tensor %s", name);
    bool fits = t.kind == kind && t.rank == rank;
    for (int i = 0; i < rank && fits; i++)
        fits = shape[i] == t.shape[i];
    if (!fits)
        return err_set(note, ERR_INVALID, "%s: wanted is a %s of %s, found a %s of %s", name,
                       KIND[kind], tensor_shape_text(want, rank, shape), KIND[t.kind],
                       tensor_shape_text(have, t.rank, t.shape));
    *out = t;
    return ERR_OK;
}

const char *packed_text(const struct packed *p, const char *name, size_t *len)
{
    const struct blob *b = blob_named(p, name);

    if (!b || b->tensor.kind != PACKED_TEXT)
        return NULL;
    if (len)
        *len = b->bytes - 1;
    return b->tensor.data;
}

int64_t packed_bytes(const struct packed *p)
{
    return (int64_t)p->len;
}

void packed_drop(const struct packed *p, const char *part)
{
    size_t len = strlen(part);

    // Of a mapping alone: memory that is not mapped from a file would be lost.
    for (int i = 0; i < p->count && p->file.bytes; i++) {
        const struct blob *b = &p->blob[i];
        if (strncmp(b->name, part, len) == 0 && b->name[len] == '/')
            madvise((void *)(p->bytes + b->begin), b->bytes, MADV_DONTNEED);
    }
}

enum err packed_verify(const struct packed *p, packed_progress_fn *done, void *done_ctx,
                       struct err_note *note)
{
    enum err e = verify_padding(p, sizeof(struct pack_header), note);

    for (int i = 0; i < p->count && e == ERR_OK; i++) {
        const struct blob *b = &p->blob[i];
        e = verify(p, b, done, done_ctx, note);
        if (e == ERR_OK)
            e = verify_padding(p, b->begin + b->bytes, note);
    }
    return e;
}
