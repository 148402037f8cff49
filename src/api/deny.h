/* SPDX-License-Identifier: MIT */
#ifndef PATINA_API_DENY_H
#define PATINA_API_DENY_H

#include <stdbool.h>

/* The operator's word list (PATINA_DENY). Pure functions. */

/* Whether `text` holds one of the comma-separated words or phrases as whole words: ASCII letters
 * without regard to case, runs of white space alike. NULL or "": none. */
bool deny_matches(const char *words, const char *text);

#endif
