/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_TOKENIZER_INTERNAL_H
#define PATINA_MODELS_FLUX2_TOKENIZER_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

/* For this folder alone: what tokenizer_read.c takes from tokenizer.json, and tokenizer.c uses. */

enum special { SPECIAL_START, SPECIAL_END, SPECIAL_THINK, SPECIAL_UNTHINK, SPECIAL_PAD };

enum { SPECIALS = SPECIAL_PAD + 1 };

struct merge {
    int32_t left, right; /* tokens; left is MERGE_FREE where the table has nothing */
    int32_t rank;        /* lower ones are done first */
    int32_t id;          /* what they become */
};

enum { MERGE_FREE = -1 };

struct tokenizer {
    int32_t byte[256];   /* the token of each byte */
    struct merge *merge; /* open addressing by (left, right) */
    size_t mask;         /* its size less one: a power of two, at most half full */
    int32_t special[SPECIALS];
    int32_t id_max;
};

/* NULL: these two are never joined. */
const struct merge *tokenizer_merge(const struct tokenizer *t, int32_t left, int32_t right);

#endif
