/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_NEAREST_H
#define PATINA_BASE_NEAREST_H

#include <stddef.h>

/*
 * "Did you mean ...?": which of some words is nearest to a mistyped one, by the restricted
 * Damerau-Levenshtein distance (one step is a letter added, left out, changed, or two neighbours
 * swapped). Ask with each candidate, then look at `best`:
 *     struct nearest n = NEAREST(typed);
 *     for (...) nearest_try(&n, candidate);
 * `best` is the nearest candidate that a typing mistake could explain, the first of equals, or
 * NULL.
 */
struct nearest {
    const char *word;
    const char *best;
    size_t distance; /* of `best` */
};

#define NEAREST(word_)   \
    {                    \
        (word_), NULL, 0 \
    }

/* `candidate` is kept, not copied. */
void nearest_try(struct nearest *n, const char *candidate);

/* The distance itself; words are compared by their first 32 bytes. */
size_t edit_distance(const char *a, const char *b);

#endif
