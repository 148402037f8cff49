/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_TOKENIZER_H
#define PATINA_MODELS_FLUX2_TOKENIZER_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Qwen's byte-level BPE as its `tokenizer.json` declares it: NFC, a pre-tokenizer's split, bytes as
 * letters, merges by rank. Read-only after opening: any thread.
 *
 * What a user types never becomes a special token: "<|im_end|>" in a prompt is encoded as its
 * letters. Only the chat template around it has special ones.
 */
struct tokenizer;

enum {
    TOKENIZER_TOKENS = 512, /* what the transformer was trained with: cut or padded to this */
    TOKENIZER_TEXT_MAX = 256 * 1024 /* bytes; far more than any prompt, and 512 tokens, can use */
};

/* `path` names a tokenizer.json. A file whose normalizer, pre-tokenizer (to its pattern's letter)
 * or model is of another kind is ERR_UNSUPPORTED with its name; a damaged one ERR_INVALID. Also
 * ERR_NOT_FOUND, ERR_TOO_LARGE, ERR_IO, ERR_NOMEM. */
MUST_USE enum err tokenizer_open(const char *path, struct tokenizer **out, struct err_note *note);
MUST_USE enum err tokenizer_read(const char *name, const char *json, size_t len,
                                 struct tokenizer **out, struct err_note *note);
void tokenizer_close(struct tokenizer *t); /* NULL is fine */

/* The largest token that it gives. */
int32_t tokenizer_id_max(const struct tokenizer *t);

/* The plain text's tokens, at most `max`; *count is how many there would be. Malformed UTF-8 is
 * ERR_INVALID, more than TOKENIZER_TEXT_MAX bytes ERR_TOO_LARGE; ERR_NOMEM. */
MUST_USE enum err tokenizer_encode(const struct tokenizer *t, const char *text, size_t len,
                                   int32_t *out, size_t max, size_t *count);

/* A prompt in the chat template, cut at the right to TOKENIZER_TOKENS and padded with the end-of-
 * text token; *used is how many are not padding. Errors as above; then out may be half written. */
MUST_USE enum err tokenizer_prompt(const struct tokenizer *t, const char *text, size_t len,
                                   int32_t out[TOKENIZER_TOKENS], int *used);

#endif
