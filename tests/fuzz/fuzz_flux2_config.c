/* SPDX-License-Identifier: MIT */
#include "models/flux2/layout.h"

#include <assert.h>

/* libFuzzer: sizes that are accepted make tensors that an allocator can be asked for. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static enum err check_tensor(void *ctx, const struct layout_tensor *t)
{
    int64_t count = 1;

    (void)ctx;
    for (int i = 0; i < t->rank; i++) {
        assert(t->shape[i] > 0);
        count *= t->shape[i];
        assert(count < INT64_C(1) << 40);
    }
    return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *json = (const char *)data;
    struct flux2_transformer_config t;
    struct flux2_text_config q;
    struct flux2_vae_config v;

    if (flux2_transformer_config(json, len, &t, NULL) == ERR_OK) {
        enum err e = layout_transformer(&t, check_tensor, NULL);
        assert(e == ERR_OK);
    }
    if (flux2_text_config(json, len, &q, NULL) == ERR_OK) {
        enum err e = layout_text(&q, check_tensor, NULL);
        assert(e == ERR_OK);
    }
    if (flux2_vae_config(json, len, &v, NULL) == ERR_OK) {
        enum err e = layout_vae(&v, check_tensor, NULL);
        assert(e == ERR_OK);
    }
    return 0;
}
