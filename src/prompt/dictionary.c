/* SPDX-License-Identifier: MIT */
#include "prompt/dictionary.h"

#include "prompt/dictionary_data.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    BLOCK_WORDS = 16,  // as in dictionary.py
    PHRASE_BYTES = 48, // longer ones are not in it
    STEM_LETTERS_MIN = 3,
    // Classes as they are stored.
    STORED_ORDINARY = 0,
    STORED_ADJECTIVE = 1,
    STORED_THING = 2,
    STORED_ALIAS = 3 // and on: two for each alias, the second for WORD_SECOND_ALIAS
};

// The first word of a block is stored whole, behind two bytes.
static const char *block_word(size_t block)
{
    return (const char *)dictionary_data + dictionary_blocks[block] + 2;
}

static enum word_class class_of(unsigned char stored, const char **alias)
{
    if (stored == STORED_ORDINARY)
        return WORD_ORDINARY;
    if (stored == STORED_ADJECTIVE)
        return WORD_ADJECTIVE;
    if (stored == STORED_THING)
        return WORD_THING;
    *alias = dictionary_aliases[(stored - STORED_ALIAS) / 2];
    return (stored - STORED_ALIAS) % 2 == 0 ? WORD_ALIAS : WORD_SECOND_ALIAS;
}

static enum word_class find_in_block(size_t block, const char *phrase, const char **alias)
{
    const unsigned char *at = dictionary_data + dictionary_blocks[block];
    size_t left = dictionary_word_count - block * BLOCK_WORDS;
    char word[PHRASE_BYTES];

    for (size_t i = 0; i < BLOCK_WORDS && i < left; i++) {
        size_t shared = at[0], rest = strlen((const char *)at + 2);
        memcpy(word + shared, at + 2, rest + 1);
        int order = strcmp(word, phrase);
        if (order == 0)
            return class_of(at[1], alias);
        if (order > 0)
            break;
        at += 2 + rest + 1;
    }
    return WORD_UNKNOWN;
}

static enum word_class find_exactly(const char *phrase, const char **alias)
{
    size_t low = 0, high = (dictionary_word_count + BLOCK_WORDS - 1) / BLOCK_WORDS;

    *alias = NULL;
    // The last block that begins at the phrase or before it.
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(block_word(middle), phrase) <= 0)
            low = middle;
        else
            high = middle;
    }
    return find_in_block(low, phrase, alias);
}

// "Engraveing" is no form of "engrave", though "seeing" and "dyeing" are of theirs.
static bool keeps_silent_e(const char *word, size_t stem, const char *ending)
{
    return strchr("ei", ending[0]) && strcmp(ending, "ies") != 0 && word[stem - 1] == 'e' &&
           !strchr("eoyg", word[stem - 2]);
}

enum word_class dictionary_find(const char *word, const char **alias)
{
    static const struct {
        const char *ending, *base;
    } inflection[] = {{"ies", "y"}, {"es", ""},  {"s", ""},   {"ied", "y"},
                      {"ed", ""},   {"ed", "e"}, {"ing", ""}, {"ing", "e"},
                      {"er", ""},   {"er", "e"}, {"est", ""}, {"est", "e"}};
    size_t n = strlen(word);
    char stem[PHRASE_BYTES];
    enum word_class found = find_exactly(word, alias);

    if (found != WORD_UNKNOWN || n >= sizeof(stem))
        return found;
    for (size_t i = 0; i < sizeof(inflection) / sizeof(inflection[0]); i++) {
        size_t k = strlen(inflection[i].ending);
        if (n < k + STEM_LETTERS_MIN || strcmp(word + n - k, inflection[i].ending) != 0)
            continue;
        if (keeps_silent_e(word, n - k, inflection[i].ending))
            continue;
        snprintf(stem, sizeof(stem), "%.*s%s", (int)(n - k), word, inflection[i].base);
        found = find_exactly(stem, alias);
        // "running"
        bool doubled = stem[n - k - 1] == stem[n - k - 2] && inflection[i].base[0] == '\0';
        if (found == WORD_UNKNOWN && doubled) {
            stem[n - k - 1] = '\0';
            found = find_exactly(stem, alias);
        }
        if (found == WORD_UNKNOWN)
            continue;
        // A form of a verb is not what its noun is made of: "honed" is no hone.
        return *alias && word[n - 1] != 's' ? WORD_ADJECTIVE : found;
    }
    return WORD_UNKNOWN;
}

enum word_class dictionary_find_phrase(const char *phrase, const char **alias)
{
    size_t n = strlen(phrase);
    char singular[PHRASE_BYTES];
    enum word_class found = find_exactly(phrase, alias);

    if (found != WORD_UNKNOWN || n < STEM_LETTERS_MIN || n > sizeof(singular) ||
        phrase[n - 1] != 's')
        return found;
    snprintf(singular, sizeof(singular), "%.*s", (int)(n - 1), phrase);
    return find_exactly(singular, alias);
}
