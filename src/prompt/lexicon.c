/* SPDX-License-Identifier: MIT */
#include "prompt/lexicon.h"

#include "base/nearest.h"
#include "prompt/prompt.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORD_BYTES_MAX = 32, // no word of the lexicon is as long; longer ones are not looked for
    // Two letters swapped or one doubled are a slip in any word, one more or less from 5 letters
    // on, another letter from 6 on, and any two slips from 8 on: in shorter words they make other
    // words.
    SWAPPED_LETTERS_MIN = 4,
    ADDED_LETTERS_MIN = 5,
    CHANGED_LETTERS_MIN = 6,
    TWO_SLIPS_LETTERS_MIN = 8
};

enum slip { SLIP_SWAPPED, SLIP_ADDED, SLIP_CHANGED, SLIP_TWO, SLIPS }; // the likeliest first

static int compare_entry(const void *phrase, const void *entry)
{
    return strcmp(phrase, ((const struct lexicon_entry *)entry)->phrase);
}

static int compare_word(const void *word, const void *in_list)
{
    return strcmp(word, ((const struct lexicon_word *)in_list)->word);
}

const struct lexicon_entry *lexicon_find(const char *phrase)
{
    return bsearch(phrase, lexicon_entries, lexicon_entry_count, sizeof(lexicon_entries[0]),
                   compare_entry);
}

const struct lexicon_entry *lexicon_find_first(const char *phrase, bool *longer)
{
    size_t low = 0, high = lexicon_entry_count, n = strlen(phrase);

    // The first entry that does not come before the phrase; longer ones follow it at once, because
    // a space comes before every letter.
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(lexicon_entries[middle].phrase, phrase) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool exact = low < lexicon_entry_count && strcmp(lexicon_entries[low].phrase, phrase) == 0;
    size_t next = low + exact;
    *longer = next < lexicon_entry_count && strncmp(lexicon_entries[next].phrase, phrase, n) == 0 &&
              lexicon_entries[next].phrase[n] == ' ';
    return exact ? &lexicon_entries[low] : NULL;
}

bool prompt_is_quality(const char *name)
{
    const struct lexicon_entry *e = lexicon_find(name);

    return e && (e->kind == LEXICON_MODIFIER || e->kind == LEXICON_MATERIAL) &&
           strcmp(e->name, name) == 0;
}

static int compare_nearest(const void *name, const void *row)
{
    return strcmp(name, ((const struct lexicon_nearest *)row)->name);
}

const char *prompt_nearest(const char *name)
{
    const struct lexicon_nearest *found = bsearch(name, lexicon_nearests, lexicon_nearest_count,
                                                  sizeof(lexicon_nearests[0]), compare_nearest);

    return found ? found->nearest : NULL;
}

const struct lexicon_word *lexicon_word(const char *word)
{
    return bsearch(word, lexicon_words, lexicon_word_count, sizeof(lexicon_words[0]), compare_word);
}

// The word with an ending in place of its own; NULL: it does not end so, or no phrase has that.
static const struct lexicon_word *with_ending(const char *word, const char *own, const char *other)
{
    size_t n = strlen(word), k = strlen(own);
    char stem[WORD_BYTES_MAX + 2];

    if (n > WORD_BYTES_MAX || n < k + 2 || strcmp(word + n - k, own) != 0)
        return NULL;
    snprintf(stem, sizeof(stem), "%.*s%s", (int)(n - k), word, other);
    const struct lexicon_word *found = lexicon_word(stem);
    bool doubled = !found && other[0] == '\0' && stem[n - k - 1] == stem[n - k - 2];
    if (doubled)
        stem[n - k - 1] = '\0'; // "wetter"
    return doubled ? lexicon_word(stem) : found;
}

const struct lexicon_word *lexicon_singular(const char *word)
{
    static const struct {
        const char *plural, *singular;
    } ending[] = {{"ies", "y"}, {"ves", "f"}, {"s", ""}, {"es", ""}};
    const struct lexicon_word *found = NULL;

    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]) && !found; i++)
        found = with_ending(word, ending[i].plural, ending[i].singular);
    return found;
}

const struct lexicon_word *lexicon_positive(const char *word)
{
    static const struct {
        const char *form, *positive;
    } ending[] = {{"ier", "y"}, {"iest", "y"}, {"er", ""},   {"est", ""},
                  {"er", "e"},  {"est", "e"},  {"ily", "y"}, {"ly", ""}};
    const struct lexicon_word *found = NULL;

    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]) && !found; i++)
        found = with_ending(word, ending[i].form, ending[i].positive);
    const struct lexicon_entry *e = found ? lexicon_find(found->word) : NULL;
    bool is_quality = e && (e->kind == LEXICON_PALETTE || e->kind == LEXICON_LIGHT ||
                            e->kind == LEXICON_MODIFIER || e->kind == LEXICON_FILLER);
    return is_quality ? found : NULL;
}

const struct lexicon_word *lexicon_stem(const char *word)
{
    static const char *const ending[] = {"esque", "like", "ish"};
    const struct lexicon_word *found = NULL;

    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]) && !found; i++)
        if (strlen(word) >= strlen(ending[i]) + SWAPPED_LETTERS_MIN)
            found = with_ending(word, ending[i], "");
    return found;
}

// The letters of a word, one bit each: a slip changes at most two of them.
static uint32_t letters_of(const char *word)
{
    uint32_t letters = 0;

    for (; *word; word++)
        letters |= 1u << ((unsigned char)*word & 31);
    return letters;
}

// What turned `meant` into `word`, whose distance is 1.
static enum slip slip_between(const char *word, size_t n, const char *meant, size_t m)
{
    size_t same = 0;

    while (word[same] && word[same] == meant[same])
        same++;
    if (n == m)
        return strcmp(word + same + 1, meant + same + 1) == 0 ? SLIP_CHANGED : SLIP_SWAPPED;
    const char *longer = n > m ? word : meant;
    return same > 0 && longer[same] == longer[same - 1] ? SLIP_SWAPPED : SLIP_ADDED;
}

// SLIPS: none explains the word.
static enum slip slip_of(const char *word, size_t n, const char *meant)
{
    static const size_t letters_min[] = {
        [SLIP_SWAPPED] = SWAPPED_LETTERS_MIN,
        [SLIP_ADDED] = ADDED_LETTERS_MIN,
        [SLIP_CHANGED] = CHANGED_LETTERS_MIN,
    };
    size_t m = strlen(meant), shorter = n < m ? n : m;

    if (shorter < SWAPPED_LETTERS_MIN || m > n + 2 || n > m + 2)
        return SLIPS;
    size_t distance = edit_distance(word, meant);
    if (distance == 2)
        return shorter >= TWO_SLIPS_LETTERS_MIN ? SLIP_TWO : SLIPS;
    if (distance != 1)
        return SLIPS;
    enum slip slip = slip_between(word, n, meant, m);
    return shorter + 1 >= letters_min[slip] ? slip : SLIPS;
}

// The first word that does not come before `letter`.
static size_t words_from(char letter)
{
    size_t low = 0, high = lexicon_word_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((unsigned char)lexicon_words[middle].word[0] < (unsigned char)letter)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct lexicon_word *lexicon_respell(const char *word)
{
    size_t n = strlen(word);
    uint32_t letters = letters_of(word);
    const struct lexicon_word *best = NULL;
    enum slip best_slip = SLIPS;

    if (n > WORD_BYTES_MAX)
        return NULL;
    // The first letter is hardly ever wrong, and looking at it alone leaves few words.
    for (size_t i = words_from(word[0]); i < lexicon_word_count; i++) {
        const struct lexicon_word *w = &lexicon_words[i];
        if (w->word[0] != word[0])
            break;
        if (w->wrong)
            continue;
        int differ = __builtin_popcount(letters ^ letters_of(w->word));
        if (differ > (n >= TWO_SLIPS_LETTERS_MIN ? 4 : 2))
            continue;
        enum slip slip = slip_of(word, n, w->word);
        if (slip == SLIPS || slip > best_slip || (slip == best_slip && w->phrases <= best->phrases))
            continue;
        best = w;
        best_slip = slip;
    }
    return best;
}
