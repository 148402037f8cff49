/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include <string.h>

enum { WORD_MAX = 32 }; // longer than any flag or command

static size_t min2(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t edit_distance(const char *a, const char *b)
{
    size_t la = strnlen(a, WORD_MAX), lb = strnlen(b, WORD_MAX);
    size_t d[WORD_MAX + 1][WORD_MAX + 1];

    for (size_t i = 0; i <= la; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= lb; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= la; i++)
        for (size_t j = 1; j <= lb; j++) {
            size_t changed = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = min2(changed, min2(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = min2(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[la][lb];
}

void nearest_try(struct nearest *n, const char *candidate)
{
    size_t distance = edit_distance(n->word, candidate);
    // One mistake in a short word, one more for every four letters of a longer one.
    size_t allowed = 1 + strlen(candidate) / 4;

    // "work" for "workers": the beginning of a word is no typing mistake, but clearly meant.
    if (strlen(n->word) >= 3 && strncmp(n->word, candidate, strlen(n->word)) == 0)
        distance = min2(distance, 1);
    if (distance <= allowed && (!n->best || distance < n->distance)) {
        n->best = candidate;
        n->distance = distance;
    }
}
