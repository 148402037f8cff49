/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/utf8.h"
#include "prompt/prompt.h"

#include <assert.h>

/* libFuzzer: a reading succeeds whatever the prompt, and is written as well-formed JSON. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena = ARENA_INIT;
    struct buf json = BUF_INIT;
    struct prompt p;
    json_t *root;

    if (!utf8_valid((const char *)data, len))
        return -1; // callers have checked; not worth keeping
    enum err e = prompt_read(&p, &arena, (const char *)data, len);
    assert(e == ERR_OK);
    prompt_write_json(&p, &json);
    // JSON strings of ours hold no NUL: jansson would refuse it.
    e = json_read(json.data, json.len, &root, NULL);
    assert(e == ERR_OK);
    json_decref(root);
    buf_release(&json);
    arena_release(&arena);
    return 0;
}
