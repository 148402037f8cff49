/* SPDX-License-Identifier: MIT */
/*
 * Blobs as files.
 *
 * DESIGN
 *     ROOT/c4/job,3f0c...,grid.png     the blob "job/3f0c.../grid.png"
 *     ROOT/c4/.new-91b2...             a write under way, or what an interrupted one left
 * The folder is the first byte of SHA-256(key) in hex; the name is the key with ',' for '/', which
 * no key contains. All 256 folders are made and synced when the store is opened, so that a put has
 * just one folder to sync.
 *
 * INVARIANTS
 * 1. A name without a leading dot belongs to a whole, synced file: it appears by rename alone.
 * 2. What begins with a dot is nobody's and may be deleted once it is old.
 */
#include "blob/blob_dir.h"

#include "base/fd.h"
#include "base/hash.h"
#include "base/rand.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    FOLDERS = 256,
    FOLDER_TEXT = 3,
    ASIDE_TEXT = 5 + 16 + 1, // ".new-", 64 random bits in hex
    PROBE_BYTES = 4096       // a block: what a full file system refuses first
};

struct blob_dir {
    struct blob_store store;
    int root;
};

// Where a key's file lies.
struct place {
    char folder[FOLDER_TEXT];
    char name[BLOB_KEY_MAX + 1];
};

static struct place place_of(const char *key)
{
    struct place at;
    uint8_t digest[SHA256_BYTES];
    size_t n = strlen(key);

    sha256(key, n, digest);
    hex_encode(digest, 1, at.folder);
    for (size_t i = 0; i <= n; i++)
        at.name[i] = key[i] == '/' ? ',' : key[i];
    return at;
}

// The key of a file in `folder`; false when the file is not one of ours.
static bool key_of(const char *folder, const char *name, char key[BLOB_KEY_MAX + 1])
{
    size_t n = strlen(name);

    if (n > BLOB_KEY_MAX)
        return false;
    for (size_t i = 0; i <= n; i++) {
        if (name[i] == '/')
            return false;
        key[i] = name[i] == ',' ? '/' : name[i];
    }
    if (!blob_key_valid(key))
        return false;
    return strcmp(place_of(key).folder, folder) == 0;
}

static int open_folder(const struct blob_dir *d, const char *folder)
{
    return openat(d->root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int create_aside(int folder, char name[ASIDE_TEXT])
{
    uint8_t random[8];

    rand_bytes(random, sizeof(random));
    memcpy(name, ".new-", 5);
    hex_encode(random, sizeof(random), name + 5);
    return openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static enum err dir_put(struct blob_store *b, const char *key, const void *data, size_t len,
                        struct err_note *note)
{
    struct blob_dir *d = (struct blob_dir *)b;
    struct place at = place_of(key);
    char aside[ASIDE_TEXT];
    enum err e = ERR_OK;
    bool made = false;
    int folder, fd = -1;

    folder = open_folder(d, at.folder);
    if (folder < 0) {
        e = err_errno(note, "cannot open the blob folder %s", at.folder);
        goto out;
    }
    fd = create_aside(folder, aside);
    if (fd < 0) {
        e = err_errno(note, "cannot create a file for the blob %s", key);
        goto out;
    }
    made = true;
    if (!fd_write_all(fd, data, len) || fsync(fd) < 0) {
        e = err_errno(note, "cannot write the blob %s (%zu bytes)", key, len);
        goto out;
    }
    if (renameat(folder, aside, folder, at.name) < 0) {
        e = err_errno(note, "cannot name the blob %s", key);
        goto out;
    }
    made = false;
    if (fsync(folder) < 0)
        e = err_errno(note, "cannot sync the folder of the blob %s", key);
out:
    if (made)
        unlinkat(folder, aside, 0);
    if (fd >= 0)
        close(fd);
    if (folder >= 0)
        close(folder);
    return e;
}

static enum err dir_open(struct blob_store *b, const char *key, int *fd, int64_t *size,
                         struct err_note *note)
{
    struct blob_dir *d = (struct blob_dir *)b;
    struct place at = place_of(key);
    char path[FOLDER_TEXT + sizeof(at.name)];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", at.folder, at.name);
    int got = openat(d->root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (got < 0 && errno == ENOENT)
        return err_set(note, ERR_NOT_FOUND, "there is no blob %s", key);
    if (got < 0)
        return err_errno(note, "cannot open the blob %s", key);
    if (fstat(got, &st) < 0) {
        enum err e = err_errno(note, "cannot read the size of the blob %s", key);
        close(got);
        return e;
    }
    *fd = got;
    *size = st.st_size;
    return ERR_OK;
}

// Not synced: a deletion that a power cut undoes is found and deleted again by the sweep.
static enum err dir_delete(struct blob_store *b, const char *key, struct err_note *note)
{
    struct blob_dir *d = (struct blob_dir *)b;
    struct place at = place_of(key);
    char path[FOLDER_TEXT + sizeof(at.name)];

    snprintf(path, sizeof(path), "%s/%s", at.folder, at.name);
    if (unlinkat(d->root, path, 0) < 0 && errno != ENOENT)
        return err_errno(note, "cannot delete the blob %s", key);
    return ERR_OK;
}

struct visit {
    int64_t before_unix_ms;
    blob_each_fn *each;
    void *ctx;
};

// Visits one entry of a folder; false: the caller wants no more.
static bool visit_file(const struct visit *v, int folder, const char *folder_name, const char *name)
{
    char key[BLOB_KEY_MAX + 1];
    struct stat st;

    // What is gone or cannot be read by now is not reported; the next sweep sees it again.
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return true;
    int64_t changed_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    if (changed_ms >= v->before_unix_ms)
        return true;
    if (strncmp(name, ".new-", 5) == 0)
        return unlinkat(folder, name, 0) < 0 || v->each(v->ctx, NULL, st.st_size);
    if (!key_of(folder_name, name, key))
        return true;
    return v->each(v->ctx, key, st.st_size);
}

// ERR_NONE: the caller wants no more.
static enum err visit_folder(const struct blob_dir *d, const struct visit *v, const char *name,
                             struct err_note *note)
{
    enum err e = ERR_OK;
    int folder = open_folder(d, name);
    DIR *dir = folder < 0 ? NULL : fdopendir(folder);

    if (!dir) {
        e = err_errno(note, "cannot open the blob folder %s", name);
        if (folder >= 0)
            close(folder);
        return e;
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            if (errno)
                e = err_errno(note, "cannot list the blob folder %s", name);
            break;
        }
        if (!visit_file(v, folder, name, entry->d_name)) {
            e = ERR_NONE;
            break;
        }
    }
    closedir(dir);
    return e;
}

static enum err dir_each(struct blob_store *b, int64_t before_unix_ms, blob_each_fn *each,
                         void *ctx, struct err_note *note)
{
    const struct blob_dir *d = (struct blob_dir *)b;
    const struct visit v = {before_unix_ms, each, ctx};

    for (int i = 0; i < FOLDERS; i++) {
        char name[FOLDER_TEXT];
        snprintf(name, sizeof(name), "%02x", i);
        enum err e = visit_folder(d, &v, name, note);
        if (e != ERR_OK)
            return e == ERR_NONE ? ERR_OK : e;
    }
    return ERR_OK;
}

static enum err dir_free_bytes(struct blob_store *b, int64_t *out)
{
    const struct blob_dir *d = (struct blob_dir *)b;
    struct statvfs fs;

    if (fstatvfs(d->root, &fs) < 0)
        return ERR_IO;
    if (__builtin_mul_overflow((int64_t)fs.f_bavail, (int64_t)fs.f_frsize, out))
        *out = INT64_MAX;
    return ERR_OK;
}

static enum err dir_ping(struct blob_store *b, struct err_note *note)
{
    static const char probe[PROBE_BYTES];
    const struct blob_dir *d = (struct blob_dir *)b;
    char aside[ASIDE_TEXT];
    enum err e = ERR_OK;
    int folder = open_folder(d, "00");
    int fd = folder < 0 ? -1 : create_aside(folder, aside);

    if (fd < 0 || !fd_write_all(fd, probe, sizeof(probe)))
        e = err_errno(note, "cannot write to the blob folder");
    if (fd >= 0) {
        unlinkat(folder, aside, 0);
        close(fd);
    }
    if (folder >= 0)
        close(folder);
    return e;
}

static void dir_close(struct blob_store *b)
{
    struct blob_dir *d = (struct blob_dir *)b;

    close(d->root);
    free(d);
}

static const struct blob_ops dir_ops = {
    .put = dir_put,
    .open = dir_open,
    .delete = dir_delete,
    .each = dir_each,
    .free_bytes = dir_free_bytes,
    .ping = dir_ping,
    .close = dir_close,
};

// Makes a new folder's name durable in the folder above it.
static enum err sync_parent(int root, const char *path, struct err_note *note)
{
    enum err e = ERR_OK;
    int parent = openat(root, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (parent < 0 || fsync(parent) < 0)
        e = err_errno(note, "cannot sync the folder above %s", path);
    if (parent >= 0)
        close(parent);
    return e;
}

static enum err make_folders(int root, const char *path, struct err_note *note)
{
    bool any = false;

    for (int i = 0; i < FOLDERS; i++) {
        char name[FOLDER_TEXT];
        snprintf(name, sizeof(name), "%02x", i);
        if (mkdirat(root, name, 0700) == 0)
            any = true;
        else if (errno != EEXIST)
            return err_errno(note, "cannot make folders in %s", path);
    }
    if (any && fsync(root) < 0)
        return err_errno(note, "cannot sync the folder %s", path);
    return ERR_OK;
}

enum err blob_dir_open(const char *path, struct blob_store **out, struct err_note *note)
{
    struct blob_dir *d = NULL;
    enum err e = ERR_OK;
    int root = -1;
    bool made = mkdir(path, 0700) == 0;

    if (!made && errno != EEXIST)
        return err_errno(note, "cannot make the blob folder %s", path);
    root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return err_errno(note, "cannot open the blob folder %s", path);
    e = make_folders(root, path, note);
    if (e == ERR_OK && made)
        e = sync_parent(root, path, note);
    if (e != ERR_OK)
        goto out;
    d = calloc(1, sizeof(*d));
    if (!d) {
        e = err_set(note, ERR_NOMEM, "out of memory");
        goto out;
    }
    d->store.ops = &dir_ops;
    d->root = root;
    root = -1;
    *out = &d->store;
out:
    if (root >= 0)
        close(root);
    return e;
}
