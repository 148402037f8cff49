/* SPDX-License-Identifier: MIT */
#include "server/data_dir.h"

#include "base/hash.h"
#include "base/rand.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    KEY_BYTES = 32,
    // A killed server's helper holds its descriptors until it has become another program, so the
    // lock can outlive its owner by a moment.
    LOCK_TRIES = 20,
    LOCK_TRY_MS = 50
};

static bool take_lock(int fd)
{
    const struct timespec pause = {0, LOCK_TRY_MS * 1000000};

    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK)
            return false;
        nanosleep(&pause, NULL);
    }
    errno = EWOULDBLOCK;
    return false;
}

// `shown` is what others run on, `flag` what says where that is.
static enum err lock_path(const char *path, int flags, const char *shown, const char *flag,
                          int *lock, struct err_note *note)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_errno(note, "opening %s", path);
    if (!take_lock(fd)) {
        enum err e = errno == EWOULDBLOCK
                         ? err_set(note, ERR_BUSY,
                                   "another patina serve runs on %s; stop it, or choose another %s",
                                   shown, flag)
                         : err_errno(note, "locking %s", path);
        close(fd);
        return e;
    }
    *lock = fd;
    return ERR_OK;
}

enum err data_dir_lock(const char *dir, int *lock, struct err_note *note)
{
    char path[PATH_MAX];

    if (mkdir(dir, 0700) && errno != EEXIST)
        return err_errno(note, "making the data folder %s", dir);
    snprintf(path, sizeof path, "%s/lock", dir);
    return lock_path(path, O_RDWR | O_CREAT, dir, "--data", lock, note);
}

enum err data_dir_lock_database(const char *path, int *lock, struct err_note *note)
{
    return lock_path(path, O_RDWR | O_CREAT, path, "--database", lock, note);
}

enum err data_dir_lock_blobs(const char *dir, int *lock, struct err_note *note)
{
    return lock_path(dir, O_RDONLY | O_DIRECTORY, dir, "--blobs", lock, note);
}

// Makes what was renamed in it last.
static bool sync_folder(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return ok;
}

// Writes aside, fsyncs, renames, fsyncs the folder: the file is whole or not there.
static enum err write_file(const char *dir, const char *name, const char *text,
                           struct err_note *note)
{
    char aside[PATH_MAX], path[PATH_MAX];
    enum err e = ERR_OK;

    snprintf(aside, sizeof aside, "%s/.%s.new", dir, name);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(note, "writing %s", path);
    if (dprintf(fd, "%s\n", text) < 0 || fsync(fd) || rename(aside, path) || !sync_folder(dir)) {
        e = err_errno(note, "writing %s", path);
        unlink(aside);
    }
    close(fd);
    return e;
}

static enum err make_key(const char *dir, struct arena *a, const char **key, struct err_note *note)
{
    uint8_t secret[KEY_BYTES];
    char text[2 * KEY_BYTES + 1];

    rand_bytes(secret, sizeof secret);
    hex_encode(secret, sizeof secret, text);
    enum err e = write_file(dir, "api-key", text, note);
    if (e)
        return e;
    *key = arena_strdup(a, text);
    return *key ? ERR_OK : err_set(note, ERR_NOMEM, "out of memory");
}

enum err data_dir_key(const char *dir, struct arena *a, const char **key, struct err_note *note)
{
    char path[PATH_MAX], text[STORE_KEY_MAX + 3];

    snprintf(path, sizeof path, "%s/api-key", dir);
    FILE *f = fopen(path, "re");
    if (!f && errno == ENOENT)
        return make_key(dir, a, key, note);
    if (!f)
        return err_errno(note, "reading %s", path);
    bool ok = fgets(text, sizeof text, f) != NULL;
    fclose(f);
    if (ok)
        text[strcspn(text, "\r\n")] = 0;
    if (!ok || !store_key_good(text))
        return err_set(note, ERR_INVALID,
                       "%s does not hold a key; write one of %d to %d visible characters into it, "
                       "or remove it",
                       path, STORE_KEY_MIN, STORE_KEY_MAX);
    *key = arena_strdup(a, text);
    return *key ? ERR_OK : err_set(note, ERR_NOMEM, "out of memory");
}

enum err data_dir_listen(const char *dir, const char *name, const char *address,
                         struct err_note *note)
{
    return write_file(dir, name, address, note);
}
