/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"
#include "models/flux2/pretoken.h"
#include "models/flux2/tokenizer.h"

#include <assert.h>

/* libFuzzer: a tokenizer.json that is accepted encodes any text; and pieces of any text are not
 * empty, end between characters and inside it. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *text = (const char *)data;
    struct tokenizer *t;
    int32_t ids[TOKENIZER_TOKENS];
    size_t count;
    int used;

    if (tokenizer_read("fuzz", text, len, &t, NULL) == ERR_OK) {
        enum err e = tokenizer_encode(t, text, len, ids, TOKENIZER_TOKENS, &count);
        assert(e == ERR_OK && count > 0 && count <= 3 * len);
        e = tokenizer_prompt(t, text, len, ids, &used);
        assert(e == ERR_OK && used > 0 && used <= TOKENIZER_TOKENS);
        tokenizer_close(t);
    }
    if (utf8_valid(text, len))
        for (size_t at = 0, piece; at < len; at += piece) {
            piece = pretoken_len(text + at, len - at);
            assert(piece > 0 && piece <= len - at);
            assert(utf8_valid(text + at, piece));
        }
    return 0;
}
