/* SPDX-License-Identifier: MIT */
#include "base/hash.h"
#include "nn/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer: every tensor of a file that is accepted lies inside it. The input is a directory, in
 * front of it the number of pages of zeros that it speaks of: a header that fits is put before it,
 * as nothing else gets past the checksum. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { PAGE = 4096 };

static void put_u64(uint8_t *at, uint64_t v)
{
    memcpy(at, &v, sizeof(v));
}

static void check(const struct packed *p, const uint8_t *file, size_t directory)
{
    struct packed_tensor t, found;
    const char *name;

    for (int i = 0; (name = packed_at(p, i, &t)); i++) {
        const uint8_t *at = t.data;
        bool text = t.kind == PACKED_TEXT;
        size_t bytes = text ? (size_t)t.shape[0]
                            : (size_t)packed_tensor_bytes(t.kind, t.dtype, t.rank, t.shape);
        assert(bytes > 0 && at >= file + PAGE && at + bytes <= file + directory);
        if (t.scale)
            assert((const uint8_t *)(t.scale + t.shape[0]) <= at + bytes);
        bool there = packed_find(p, name, &found);
        assert(there != text && (text || found.data == t.data));
        assert(!text || packed_text(p, name, NULL) == t.data);
    }
    enum err e = packed_verify(p, NULL, NULL, NULL);
    assert(e == ERR_OK || e == ERR_INVALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct packed *p;
    uint8_t *file = NULL;

    if (len == 0)
        return 0;
    size_t directory = (1 + (size_t)(data[0] & 7)) * PAGE;
    // No larger than it must be: the sanitizer sees what is read behind it.
    if (posix_memalign((void **)&file, PAGE, directory + len - 1) != 0)
        return 0;
    memset(file, 0, directory);
    memcpy(file, "PATINA\x1a\n", 8);
    file[8] = PACKED_VERSION;
    put_u64(file + 16, directory);
    put_u64(file + 24, len - 1);
    memcpy(file + directory, data + 1, len - 1);
    sha256(file + directory, len - 1, file + 32);
    if (packed_read("fuzz", file, directory + len - 1, &p, NULL) == ERR_OK) {
        check(p, file, directory);
        packed_close(p);
    }
    free(file);
    return 0;
}
