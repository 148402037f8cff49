/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_PRETOKEN_H
#define PATINA_MODELS_FLUX2_PRETOKEN_H

#include <stddef.h>

/*
 * How Qwen's tokenizer cuts text before anything is merged: exactly this regular expression of its
 * tokenizer.json, written by hand. Compared with the reference's for every code point.
 */
#define PRETOKEN_PATTERN                                                                       \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[" \
    "\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

/* Bytes of the piece that well-formed UTF-8 begins with; len > 0, and so is the result. Where the
 * text ends matters: "  " is one piece, of "  x" it is the first space alone. */
size_t pretoken_len(const char *s, size_t len);

#endif
