/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_UTF8_H
#define PATINA_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UTF-8 as the Unicode Standard 15 defines it (table 3-7): no overlong forms, surrogates or values
 * above U+10FFFF. Pure functions. */

/* True when the whole string is well formed. */
bool utf8_valid(const char *s, size_t len);

/* Unicode scalar values in a well-formed string. */
size_t utf8_count(const char *s, size_t len);

/* Decodes the scalar at s (len > 0): its byte length, or 0 when ill formed. */
size_t utf8_decode(const char *s, size_t len, uint32_t *scalar);

/* Appends the encoding of a valid scalar value to out (4 bytes of room) and returns its length. */
size_t utf8_encode(uint32_t scalar, char *out);

/* True when the string holds nothing but white space (Unicode White_Space, also U+200B..U+200D,
 * U+2060, U+FEFF): what a person would call blank. The empty string is blank. */
bool utf8_blank(const char *s, size_t len);

#endif
