/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "base/fd.h"
#include "base/json.h"
#include "nn/pack_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct packer {
    struct arena arena;
    const char *path, *part; /* NULL: into memory */
    int fd;
    size_t at; /* bytes written */
    json_t *blobs;
};

/* The blob that is being written. */
struct writing {
    struct packer *p;
    struct sha256 sha;
    size_t begin;
};

#define BF16_MAX  0x1.FEp127f /* the largest number that does not become infinite */
#define I8_FAINT  0x1p-100f   /* below, 127 / max would be infinite */
#define I8_LEVELS 127.0f

enum { RUN = 1 << 16 }; /* numbers converted at a time */

static enum err no_memory(struct err_note *note)
{
    return err_set(note, ERR_NOMEM, "no memory to pack a model");
}

/* ---- the file ---- */

static enum err put(struct packer *p, const void *bytes, size_t len, struct err_note *note)
{
    if (!fd_write_all(p->fd, bytes, len))
        return err_errno(note, "cannot write %s", p->path ? p->path : "a model into memory");
    p->at += len;
    return ERR_OK;
}

static enum err put_padding(struct packer *p, struct err_note *note)
{
    static const char zeros[PACK_BLOB_ALIGN];

    return put(p, zeros, (PACK_BLOB_ALIGN - p->at % PACK_BLOB_ALIGN) % PACK_BLOB_ALIGN, note);
}

/* Takes the name `part` for this process; one that nobody holds is left from a killed one. */
static enum err open_part(struct packer *p, struct err_note *note)
{
    struct stat ours, named;

    p->fd = open(p->part, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (p->fd < 0)
        return err_errno(note, "cannot make %s", p->part);
    // Between the two calls whoever held it may have given the file its name.
    if (flock(p->fd, LOCK_EX | LOCK_NB) != 0 || fstat(p->fd, &ours) != 0 ||
        stat(p->part, &named) != 0 || ours.st_ino != named.st_ino || ours.st_dev != named.st_dev) {
        close(p->fd);
        p->fd = -1;
        return err_set(note, ERR_BUSY, "somebody else is writing %s", p->part);
    }
    return ftruncate(p->fd, 0) == 0 ? ERR_OK : err_errno(note, "cannot write %s", p->part);
}

enum err packer_open(const char *path, struct packer **out, struct err_note *note)
{
    const struct pack_header nothing = {0};
    struct packer *p = calloc(1, sizeof(*p));
    enum err e = ERR_OK;

    if (!p)
        return no_memory(note);
    p->fd = -1;
    p->blobs = json_object();
    if (path) {
        p->path = arena_strdup(&p->arena, path);
        p->part = arena_printf(&p->arena, "%s.part", path);
    }
    if (!p->blobs || (path && (!p->path || !p->part)))
        e = no_memory(note);
    else if (path)
        e = open_part(p, note);
    else if ((p->fd = memfd_create("model", MFD_CLOEXEC)) < 0)
        e = err_errno(note, "memfd_create");
    if (e == ERR_OK)
        e = put(p, &nothing, sizeof(nothing), note);
    if (e == ERR_OK)
        e = put_padding(p, note);
    if (e == ERR_OK)
        *out = p;
    else
        packer_abandon(p);
    return e;
}

enum err packer_need(const struct packer *p, int64_t bytes, struct err_note *note)
{
    struct statvfs fs;

    if (!p->path || fstatvfs(p->fd, &fs) != 0)
        return ERR_OK; // then writing tells
    double free_bytes = (double)fs.f_bavail * (double)fs.f_frsize;
    if (free_bytes >= (double)bytes)
        return ERR_OK;
    return err_set(note, ERR_FULL, "%s wants %.2f GB, and its disk has %.2f GB left", p->path,
                   (double)bytes / 1e9, free_bytes / 1e9);
}

/* ---- blobs ---- */

static enum err begin(struct packer *p, const char *name, struct writing *w, struct err_note *note)
{
    if (!pack_name_is_plain(name))
        return err_set(note, ERR_INVALID,
                       "a tensor's name is empty, over %d bytes, or not plain ASCII",
                       PACKED_NAME_MAX);
    if (json_object_get(p->blobs, name))
        return err_set(note, ERR_INVALID, "there are two tensors %s", name);
    if (json_object_size(p->blobs) == PACKED_COUNT_MAX)
        return err_set(note, ERR_INVALID, "more than %d tensors", PACKED_COUNT_MAX);
    *w = (struct writing){.p = p, .begin = p->at};
    sha256_init(&w->sha);
    return ERR_OK;
}

static enum err add_bytes(struct writing *w, const void *bytes, size_t len, struct err_note *note)
{
    sha256_add(&w->sha, bytes, len);
    return put(w->p, bytes, len, note);
}

/* Once for each begin() that succeeded, with how it went and the entry so far, which it takes. */
static enum err end(struct writing *w, enum err e, const char *name, json_t *entry,
                    struct err_note *note)
{
    uint8_t sha[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];

    sha256_finish(&w->sha, sha);
    hex_encode(sha, sizeof(sha), hex);
    if (e != ERR_OK) {
        json_decref(entry);
        return e;
    }
    if (json_object_set_new(entry, "offset", json_integer((json_int_t)w->begin)) != 0 ||
        json_object_set_new(entry, "bytes", json_integer((json_int_t)(w->p->at - w->begin))) != 0 ||
        json_object_set_new(entry, "sha256", json_string(hex)) != 0) {
        json_decref(entry);
        return no_memory(note);
    }
    if (json_object_set_new(w->p->blobs, name, entry) != 0)
        return no_memory(note);
    return put_padding(w->p, note);
}

/* Numbers first..first+count-1 as floats, all of them finite in bf16. */
static enum err read_finite(const char *name, const struct tensor_view *t, int64_t first,
                            int64_t count, float *out, struct err_note *note)
{
    int beyond = 0;

    tensor_read(t, first, count, out);
    for (int64_t i = 0; i < count; i++)
        beyond |= !(fabsf(out[i]) <= BF16_MAX);
    return beyond ? err_set(note, ERR_INVALID, "%s holds numbers that are not finite", name)
                  : ERR_OK;
}

/* Plain ones and rows: the same order. */
static enum err add_flat(struct writing *w, const char *name, enum dtype as,
                         const struct tensor_view *t, struct err_note *note)
{
    const int64_t count = tensor_count(t);
    float *number = malloc(RUN * sizeof(*number));
    uint16_t *half = malloc(RUN * sizeof(*half));
    enum err e = number && half ? ERR_OK : no_memory(note);

    for (int64_t at = 0; at < count && e == ERR_OK; at += RUN) {
        int64_t n = count - at < RUN ? count - at : RUN;
        e = read_finite(name, t, at, n, number, note);
        if (e == ERR_OK && as == DTYPE_F32) {
            e = add_bytes(w, number, (size_t)n * sizeof(*number), note);
        } else if (e == ERR_OK) {
            for (int64_t i = 0; i < n; i++)
                half[i] = bf16_of(number[i]);
            e = add_bytes(w, half, (size_t)n * sizeof(*half), note);
        }
    }
    free(half);
    free(number);
    return e;
}

/* Rounds to the nearest integer, half to even, as long as |v| is small: here at most 127. */
static float rounded(float v)
{
    const float shift = 0x1.8p23f;

    return v + shift - shift;
}

/* One output's padded inputs, of all taps, into its place in the panel; returns its scale. */
static float place(enum dtype as, const float *in, int64_t inputs, int output, void *panel)
{
    uint32_t *four = (uint32_t *)panel + output; // bytes, of every group
    float most = 0.0f;

    if (as == DTYPE_F32) {
        for (int64_t i = 0; i < inputs; i++)
            memcpy(&four[i * PACKED_PANEL], &in[i], sizeof(*in));
        return 0.0f;
    }
    if (as == DTYPE_BF16) {
        for (int64_t i = 0; i < inputs / 2; i++)
            four[i * PACKED_PANEL] = (uint32_t)bf16_of(in[2 * i + 1]) << 16 | bf16_of(in[2 * i]);
        return 0.0f;
    }
    for (int64_t i = 0; i < inputs; i++)
        most = fmaxf(most, fabsf(in[i]));
    if (most < I8_FAINT)
        return 0.0f; // the panel is zeros
    for (int64_t i = 0; i < inputs / 4; i++) {
        uint32_t word = 0;
        for (int k = 0; k < 4; k++) {
            float level = rounded(in[4 * i + k] * (I8_LEVELS / most));
            word |= (uint32_t)(uint8_t)(int8_t)level << 8 * k;
        }
        four[i * PACKED_PANEL] = word;
    }
    return most / I8_LEVELS;
}

/* A published row [in][taps] as taps of padded inputs. */
static void spread(const float *row, int64_t in, const struct pack_panel *p, float *out)
{
    for (int64_t tap = 0; tap < p->taps; tap++)
        for (int64_t i = 0; i < in; i++)
            out[tap * p->inputs + i] = row[i * p->taps + tap];
}

static enum err add_panels(struct writing *w, const char *name, enum dtype as,
                           const struct tensor_view *t, struct err_note *note)
{
    const struct pack_panel p = pack_panel(as, t->rank, t->shape);
    const int64_t out = t->shape[0], in = t->shape[1], width = p.taps * p.inputs;
    const int64_t panels = (out + PACKED_PANEL - 1) / PACKED_PANEL;
    float *row = calloc((size_t)(in * p.taps), sizeof(*row));
    float *inputs = calloc((size_t)width, sizeof(*inputs));
    float *scale = calloc((size_t)(panels * PACKED_PANEL), sizeof(*scale));
    void *panel = malloc(p.bytes);
    enum err e = row && inputs && scale && panel ? ERR_OK : no_memory(note);

    for (int64_t i = 0; i < panels && e == ERR_OK; i++) {
        memset(panel, 0, p.bytes);
        for (int64_t o = i * PACKED_PANEL; o < (i + 1) * PACKED_PANEL && o < out; o++) {
            e = read_finite(name, t, o * in * p.taps, in * p.taps, row, note);
            if (e != ERR_OK)
                break;
            spread(row, in, &p, inputs);
            scale[o] = place(as, inputs, width, (int)(o % PACKED_PANEL), panel);
        }
        if (e == ERR_OK)
            e = add_bytes(w, panel, p.bytes, note);
    }
    if (e == ERR_OK && as == DTYPE_I8)
        e = add_bytes(w, scale, (size_t)(panels * PACKED_PANEL) * sizeof(*scale), note);
    free(panel);
    free(scale);
    free(inputs);
    free(row);
    return e;
}

static json_t *entry_of(enum packed_kind kind, enum dtype as, const struct tensor_view *t)
{
    json_t *shape = json_array();

    for (int i = 0; i < t->rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)t->shape[i]));
    return json_pack("{s:s, s:s, s:o}", "kind", pack_kind_name(kind), "dtype", dtype_name(as),
                     "shape", shape);
}

enum err packer_add(struct packer *p, const char *name, enum packed_kind kind, enum dtype as,
                    const struct tensor_view *t, struct err_note *note)
{
    struct writing w;
    char shape[TENSOR_SHAPE_TEXT];

    if (kind != PACKED_MATRIX)
        as = kind == PACKED_ROWS ? DTYPE_BF16 : DTYPE_F32;
    if (packed_tensor_bytes(kind, as, t->rank, t->shape) == 0)
        return err_set(note, ERR_INVALID, "%s: a %s of %s cannot have the shape %s", name,
                       pack_kind_name(kind), dtype_name(as),
                       tensor_shape_text(shape, t->rank, t->shape));
    enum err e = begin(p, name, &w, note);
    if (e != ERR_OK)
        return e;
    e = kind == PACKED_MATRIX ? add_panels(&w, name, as, t, note) : add_flat(&w, name, as, t, note);
    return end(&w, e, name, entry_of(kind, as, t), note);
}

enum err packer_add_text(struct packer *p, const char *name, const char *text, size_t len,
                         struct err_note *note)
{
    struct writing w;

    if (len >= PACKED_TEXT_MAX)
        return err_set(note, ERR_INVALID, "%s: a text of more than %d bytes", name,
                       PACKED_TEXT_MAX - 1);
    enum err e = begin(p, name, &w, note);
    if (e != ERR_OK)
        return e;
    e = add_bytes(&w, text, len, note);
    if (e == ERR_OK)
        e = add_bytes(&w, "", 1, note);
    return end(&w, e, name, json_pack("{s:s}", "kind", pack_kind_name(PACKED_TEXT)), note);
}

/* ---- the end ---- */

static enum err put_directory(struct packer *p, struct err_note *note)
{
    struct pack_header h = {.version = PACKED_VERSION, .directory = p->at};
    json_t *root = json_pack("{s:O}", "blobs", p->blobs);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    enum err e = text ? ERR_OK : no_memory(note);

    memcpy(h.magic, PACK_MAGIC, sizeof(h.magic));
    if (e == ERR_OK) {
        h.directory_bytes = strlen(text);
        sha256(text, strlen(text), h.directory_sha256);
        e = put(p, text, strlen(text), note);
    }
    if (e == ERR_OK && pwrite(p->fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h))
        e = err_errno(note, "cannot write %s", p->path ? p->path : "a model into memory");
    free(text);
    json_decref(root);
    return e;
}

/* Makes the new name durable in its folder. */
static enum err sync_folder(struct packer *p, struct err_note *note)
{
    const char *slash = strrchr(p->path, '/');
    const char *dir = !slash ? "."
                      : slash == p->path
                          ? "/"
                          : arena_memdup(&p->arena, p->path, (size_t)(slash - p->path));
    int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    enum err e = ERR_OK;

    if (fd < 0 || fsync(fd) != 0)
        e = err_errno(note, "cannot sync the folder of %s", p->path);
    if (fd >= 0)
        close(fd);
    return e;
}

static enum err name_file(struct packer *p, struct err_note *note)
{
    if (fsync(p->fd) != 0)
        return err_errno(note, "cannot sync %s", p->part);
    if (rename(p->part, p->path) != 0)
        return err_errno(note, "cannot name %s", p->path);
    p->part = NULL;
    return sync_folder(p, note);
}

static enum err map(struct packer *p, struct packed **out, struct err_note *note)
{
    struct mapped file = {mmap(NULL, p->at, PROT_READ, MAP_SHARED, p->fd, 0), p->at};

    if (file.bytes == MAP_FAILED)
        return err_errno(note, "cannot map a model");
    enum err e = pack_take(p->path ? p->path : "a model in memory", &file, out, note);
    mapped_release(&file);
    return e;
}

enum err packer_finish(struct packer *p, struct packed **out, struct err_note *note)
{
    assert(out || p->path);
    enum err e = put_directory(p, note);
    if (e == ERR_OK && p->path)
        e = name_file(p, note);
    if (e == ERR_OK && out)
        e = map(p, out, note);
    packer_abandon(p);
    return e;
}

void packer_abandon(struct packer *p)
{
    if (!p)
        return;
    // While it is locked: what bears the name is ours.
    if (p->part && p->fd >= 0)
        unlink(p->part);
    if (p->fd >= 0)
        close(p->fd);
    json_decref(p->blobs);
    arena_release(&p->arena);
    free(p);
}
