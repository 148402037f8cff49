/* SPDX-License-Identifier: MIT */
#ifndef PATINA_PROMPT_DICTIONARY_DATA_H
#define PATINA_PROMPT_DICTIONARY_DATA_H

#include <stddef.h>
#include <stdint.h>

/* For dictionary.c alone: what dictionary.py makes, which also says how it is packed. */
extern const unsigned char dictionary_data[];
extern const uint32_t dictionary_blocks[]; /* where each 16 words begin */
extern const size_t dictionary_word_count;
extern const char *const dictionary_aliases[];

#endif
