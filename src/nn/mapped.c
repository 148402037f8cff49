/* SPDX-License-Identifier: MIT */
#include "nn/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a clone has in place of a large file that was not fetched. */
static bool is_pointer(const struct mapped *m)
{
    static const char BEGIN[] = "version https://git-lfs.github.com/spec/";

    return m->len >= sizeof(BEGIN) - 1 && memcmp(m->bytes, BEGIN, sizeof(BEGIN) - 1) == 0;
}

enum err mapped_open(const char *path, size_t max, struct mapped *out, struct err_note *note)
{
    struct stat st;
    enum err e = ERR_OK;
    // Without O_NONBLOCK a named pipe would keep us waiting for a writer.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_set(note, ERR_NOT_FOUND, "there is no file %s", path);
    if (fd < 0 || fstat(fd, &st) != 0) {
        e = err_errno(note, "cannot open %s", path);
    } else if (!S_ISREG(st.st_mode) || st.st_size <= 0) {
        e = err_set(note, ERR_INVALID, "%s is %s", path,
                    S_ISREG(st.st_mode) ? "empty" : "not a regular file");
    } else if ((uintmax_t)st.st_size > max) {
        e = err_set(note, ERR_TOO_LARGE, "%s has %jd bytes, more than %zu", path,
                    (intmax_t)st.st_size, max);
    } else {
        void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (bytes == MAP_FAILED)
            e = err_errno(note, "cannot map %s", path);
        else
            *out = (struct mapped){bytes, (size_t)st.st_size};
    }
    if (fd >= 0)
        close(fd);
    if (e == ERR_OK && is_pointer(out)) {
        mapped_release(out);
        e = err_set(note, ERR_INVALID,
                    "%s is a pointer of git-lfs, not the file: \"git lfs pull\" fetches it", path);
    }
    return e;
}

void mapped_release(struct mapped *m)
{
    if (m->bytes)
        munmap((void *)m->bytes, m->len);
    *m = (struct mapped)MAPPED_INIT;
}
