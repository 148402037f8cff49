/* SPDX-License-Identifier: MIT */
#include "sandbox/memfd.h"

#include "base/fd.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    SEALS_SIZED = F_SEAL_SHRINK | F_SEAL_GROW,
    SEALS_FROZEN = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL
};

enum err memfd_sized(size_t len, int *out, struct err_note *note)
{
    int fd = memfd_create("patina", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return err_errno(note, "memfd_create");
    if (ftruncate(fd, (off_t)len) != 0 || fcntl(fd, F_ADD_SEALS, SEALS_SIZED) != 0) {
        enum err e = err_errno(note, "memfd of %zu bytes", len);
        close(fd);
        return e;
    }
    *out = fd;
    return ERR_OK;
}

enum err memfd_copy(const void *data, size_t len, int *out, struct err_note *note)
{
    int fd = -1;
    enum err e = memfd_sized(len, &fd, note);

    if (e != ERR_OK)
        return e;
    // write(2) instead of a mapping: full memory then is an error and not a signal.
    if (!fd_write_all(fd, data, len))
        e = err_errno(note, "memfd of %zu bytes", len);
    else
        e = memfd_freeze(fd, note);
    if (e != ERR_OK) {
        close(fd);
        return e;
    }
    *out = fd;
    return ERR_OK;
}

enum err memfd_freeze(int fd, struct err_note *note)
{
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) != 0)
        return err_errno(note, "sealing a memfd");
    return ERR_OK;
}

bool memfd_is_frozen(int fd, size_t len)
{
    struct stat st;
    struct statfs fs;

    // Only shmem: a hugetlb memfd takes seals too, but reading it can raise SIGBUS.
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || fstatfs(fd, &fs) != 0 ||
        fs.f_type != TMPFS_MAGIC)
        return false;
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS_FROZEN) == SEALS_FROZEN && st.st_size >= 0 &&
           (size_t)st.st_size == len;
}
