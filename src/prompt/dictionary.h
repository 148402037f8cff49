/* SPDX-License-Identifier: MIT */
#ifndef PATINA_PROMPT_DICTIONARY_H
#define PATINA_PROMPT_DICTIONARY_H

/*
 * For prompt/ alone: ordinary English, so that a word which says nothing about a look is told from
 * one that is not understood, and so that a material that the lexicon does not list is read as its
 * nearest relative. Everything here is constant and may be used from any thread.
 */
enum word_class {
    WORD_UNKNOWN,
    WORD_ORDINARY, /* a verb and the like */
    WORD_ADJECTIVE,
    WORD_THING,
    WORD_ALIAS,       /* stands for a phrase of the lexicon: "basalt" for stone */
    WORD_SECOND_ALIAS /* may do so, but usually is a thing: "ash" for wood */
};

/* The class of a word in normal form, or of what it is inflected from. *alias is the
 * lexicon's phrase, or NULL. */
enum word_class dictionary_find(const char *word, const char **alias);

/* Of a phrase of several words, or of its plural. */
enum word_class dictionary_find_phrase(const char *phrase, const char **alias);

#endif
