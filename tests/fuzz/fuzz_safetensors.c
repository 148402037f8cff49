/* SPDX-License-Identifier: MIT */
#include "nn/safetensors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer: every view of a file that is accepted lies inside it, and all together cover what is
 * behind the header. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct safetensors *s;
    struct tensor_view v;
    const char *name;
    uint64_t header = 0, covered = 0;
    uint8_t *copy = malloc(len ? len : 1); // aligned, as a mapping is

    memcpy(copy, data, len);
    if (safetensors_read("fuzz", copy, len, &s, NULL) == ERR_OK) {
        for (int i = 7; i >= 0; i--)
            header = header << 8 | copy[i];
        for (int i = 0; (name = safetensors_at(s, i, &v)); i++) {
            struct tensor_view found;
            size_t bytes = (size_t)tensor_count(&v) * dtype_bytes(v.dtype);
            assert((const uint8_t *)v.data >= copy + 8 + header);
            assert((const uint8_t *)v.data + bytes <= copy + len);
            bool there = safetensors_find(s, name, &found);
            assert(there && found.data == v.data);
            covered += bytes;
        }
        assert(8 + header + covered == len);
        safetensors_close(s);
    }
    free(copy);
    return 0;
}
