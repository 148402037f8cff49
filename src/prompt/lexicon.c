/* SPDX-License-Identifier: MIT */
#include "prompt/lexicon.h"

#include "base/nearest.h"
#include "prompt/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORD_BYTES_MAX = 32, // no word of the lexicon is as long; longer ones are not looked for
    // One letter more, less or out of order is a slip from 6 letters on; another letter is one only
    // in longer words: "planter" is no plaster.
    SLIP_LETTERS_MIN = 6,
    CHANGED_LETTERS_MIN = 8
};

static int compare_entry(const void *phrase, const void *entry)
{
    return strcmp(phrase, ((const struct lexicon_entry *)entry)->phrase);
}

static int compare_word(const void *word, const void *in_list)
{
    return strcmp(word, *(const char *const *)in_list);
}

const struct lexicon_entry *lexicon_find(const char *phrase)
{
    return bsearch(phrase, lexicon_entries, lexicon_entry_count, sizeof(lexicon_entries[0]),
                   compare_entry);
}

bool prompt_is_modifier(const char *name)
{
    const struct lexicon_entry *e = lexicon_find(name);

    return e && e->kind == LEXICON_MODIFIER && strcmp(e->name, name) == 0;
}

const char *lexicon_word(const char *word)
{
    const char *const *found =
        bsearch(word, lexicon_words, lexicon_word_count, sizeof(lexicon_words[0]), compare_word);

    return found ? *found : NULL;
}

const char *lexicon_singular(const char *word)
{
    static const struct {
        const char *plural, *singular;
    } ending[] = {{"ies", "y"}, {"ves", "f"}, {"es", ""}, {"s", ""}};
    size_t n = strlen(word);
    char stem[WORD_BYTES_MAX + 2];

    if (n > WORD_BYTES_MAX)
        return NULL;
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
        size_t k = strlen(ending[i].plural);
        if (n < k + 2 || strcmp(word + n - k, ending[i].plural) != 0)
            continue;
        snprintf(stem, sizeof(stem), "%.*s%s", (int)(n - k), word, ending[i].singular);
        const char *found = lexicon_word(stem);
        if (found)
            return found;
    }
    return NULL;
}

const char *lexicon_respell(const char *word)
{
    size_t n = strlen(word);

    if (n < SLIP_LETTERS_MIN || n > WORD_BYTES_MAX)
        return NULL;
    for (size_t i = 0; i < lexicon_word_count; i++) {
        const char *meant = lexicon_words[i];
        size_t m = strlen(meant);
        // The first letter is hardly ever wrong, and looking at it alone leaves few words.
        if (meant[0] != word[0] || m < SLIP_LETTERS_MIN || m > n + 1 || n > m + 1)
            continue;
        if (edit_distance(word, meant) != 1)
            continue;
        size_t same = 0;
        while (word[same] == meant[same])
            same++;
        bool changed = n == m && strcmp(word + same + 1, meant + same + 1) == 0;
        if (!changed || n >= CHANGED_LETTERS_MIN)
            return meant;
    }
    return NULL;
}
