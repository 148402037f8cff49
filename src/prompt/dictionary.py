#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes dictionary_data.c: ordinary English as far as reading prompts needs it, from WordNet.

    dictionary.py lexicon.tsv anchors.tsv WORDNET-FOLDER dictionary_data.c

A word is a stand-in for a phrase of the lexicon (what anchors.tsv says of its hypernyms, or of an
adjective that says nearly the same), a thing, an adjective or just a word. Phrases are taken where one of their words would mean something alone:
"brass band", "rock concert", "golden retriever". WordNet is Miller 1995, WORDNET: A LEXICAL DATABASE FOR
ENGLISH; the format of its files is in wndb(5WN).
"""

import collections
import os
import re
import sys

from lexicon import CONTENT, normal, read

BLOCK_WORDS = 16  # as in dictionary.c
PHRASE_WORDS_MAX = 3
ALIAS_LETTERS_MIN = 3  # "er" is erbium
PARTS = {"noun": "1", "verb": "2", "adj": "3", "adv": "4"}  # and their numbers in sense keys

# Lexicographer files (lexnames(5WN)) of the meanings that make a word a material although it has others
# first, the surest first: substance, artifact, object, plant, food, possession.
ARTIFACTS, PERSONS = 6, 18
FIGURES = [9, 12, 26]  # cognition, feeling, state: "steel trap", "silver lining", "silver spoon"
SUBSTANCES = [27, 6, 17, 20, 13, 21]

ORDINARY, ADJECTIVE, THING, FIRST_ALIAS = range(4)  # as in dictionary.c


def lines(folder, name):
    with open(os.path.join(folder, name), encoding="latin-1") as file:
        yield from (line for line in file if not line.startswith(" "))


def index(folder, part):
    """Lemma: its meanings' synsets, the most usual first."""
    found = {}
    for line in lines(folder, f"index.{part}"):
        field = line.split()
        meanings, pointers = int(field[2]), int(field[3])
        found[field[0]] = field[6 + pointers:6 + pointers + meanings]
    return found


def noun_synsets(folder):
    """Synset: its lexicographer file, its hypernyms, and whether it is a single person or place."""
    found = {}
    for line in lines(folder, "data.noun"):
        field = line.partition("|")[0].split()
        at = 4 + 2 * int(field[3], 16)
        pointers = field[at + 1:at + 1 + 4 * int(field[at])]
        found[field[0]] = (int(field[1]), [pointers[i + 1] for i in range(0, len(pointers), 4)
                                           if pointers[i] in ("@", "@i")], "@i" in pointers)
    return found


def adjective_clusters(folder):
    """Synset of an adjective: the synsets of those that say nearly the same."""
    found = {}
    for line in lines(folder, "data.adj"):
        field = line.partition("|")[0].split()
        at = 4 + 2 * int(field[3], 16)
        pointers = field[at + 1:at + 1 + 4 * int(field[at])]
        found[field[0]] = [pointers[i + 1] for i in range(0, len(pointers), 4)
                           if pointers[i] == "&" and pointers[i + 2] == "a"]
    return found


def names(folder):
    """Lemmas that are nothing but names: their every spelling has a capital."""
    common, capital = set(), set()
    for part in PARTS:
        for line in lines(folder, f"data.{part}"):
            field = line.partition("|")[0].split()
            for word in field[4:4 + 2 * int(field[3], 16):2]:
                (common if word.islower() else capital).add(word.lower())
    return capital - common


def slips(word):
    """What one slip of the pen makes of a word, but for a changed letter."""
    for i in range(len(word) + 1):
        yield word[:i] + word[i + 1:]
        yield word[:i] + word[i:i + 2][::-1] + word[i + 2:]
        for letter in "abcdefghijklmnopqrstuvwxyz":
            yield word[:i] + letter + word[i:]


def uses(folder):
    """How often texts use each lemma as each part of speech."""
    count = collections.Counter()
    for line in lines(folder, "cntlist.rev"):
        key, _, times = line.split()
        lemma, _, sense = key.partition("%")
        count[lemma, sense[0]] += int(times)
    return count


def anchors(path, part, entries):
    """Part of speech: synset: phrase of the lexicon."""
    found = {name: {} for name in PARTS}
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        if line.startswith("#") or not line.strip():
            continue
        name, lemma, meaning, phrase = line.rstrip("\n").split("\t")
        meanings = part[name].get(lemma, [])
        if len(meanings) < int(meaning) or phrase not in entries and phrase != "-":
            sys.exit(f"{path}: line {number}: WordNet or the lexicon has it not")
        found[name][meanings[int(meaning) - 1]] = phrase
    return found


def nearest_anchor(synset, synsets, anchored):
    level, seen = [synset], set()
    while level:
        for s in level:
            if s in anchored:
                return None if anchored[s] == "-" else anchored[s]
        seen.update(level)
        level = [h for s in level for h in synsets[s][1] if h not in seen]
    return None


class Classes:
    """What each lemma is, as the byte that the table has for it."""

    def __init__(self, folder, anchors_path, entries):
        self.part = {part: index(folder, part) for part in PARTS}
        self.synsets = noun_synsets(folder)
        self.used = uses(folder)
        anchored = anchors(anchors_path, self.part, entries)
        clusters = adjective_clusters(folder)
        self.anchored = anchored["noun"]
        self.described = {near: phrase for synset, phrase in anchored["adj"].items()
                          for near in [synset, *clusters[synset]]}
        phrases = {*self.anchored.values(), *self.described.values()}
        self.aliases = sorted(phrases - {"-"})

    def alias(self, lemma):
        """The phrase that it stands for and whether it does so by its first meaning, or None."""
        meanings = self.part["noun"].get(lemma, [])
        found = []
        for meaning in meanings:
            file, _, single = self.synsets[meaning]
            # "A painter" is no way of painting, Giotto is.
            found.append((file, nearest_anchor(meaning, self.synsets, self.anchored)
                          if single or file != PERSONS else None))
        if found and found[0][1]:
            return found[0][1], True
        of_substance = sorted((SUBSTANCES.index(file), i, phrase)
                              for i, (file, phrase) in enumerate(found)
                              if phrase and file in SUBSTANCES)
        return (of_substance[0][2], False) if of_substance else None

    def file(self, lemma):
        """Where the lemma's most usual meaning as a noun stands; None: it has none."""
        meanings = self.part["noun"].get(lemma)
        return self.synsets[meanings[0]][0] if meanings else None

    def says_what_it_is_made_of(self, lemma):
        """ "Glass eye", "to silver-plate", and a "silver spoon" by its own words. """
        file, of_thing = self.file(lemma), self.file(lemma.split("_")[-1]) == ARTIFACTS
        return lemma not in self.part["adj"] if file is None else file == ARTIFACTS or file in FIGURES and of_thing

    def of(self, lemma):
        stands_for = self.alias(lemma) if len(lemma) >= ALIAS_LETTERS_MIN else None
        if stands_for:
            phrase, first = stands_for
            return FIRST_ALIAS + 2 * self.aliases.index(phrase) + (not first)
        noun = self.used[lemma, "1"]
        if lemma in self.part["noun"] and noun >= max(self.used[lemma, n] for n in "234"):
            return THING
        if lemma not in self.part["adj"]:
            return ORDINARY
        phrase = self.described.get(self.part["adj"][lemma][0])
        return FIRST_ALIAS + 2 * self.aliases.index(phrase) if phrase else ADJECTIVE


def irregular(folder, part):
    """Inflected forms that no rule makes: "wolves", "ran"."""
    for line in lines(folder, f"{part}.exc"):
        forms = line.split()
        if len(forms) > 1:
            yield forms[0], forms[1]


def table(folder, classes, entries):
    """Normal form: class, of all words and phrases that the lexicon has not."""
    telling = {key: entry[0] for key, entry in entries.items() if entry[0] in CONTENT and " " not in key}
    # Hardly anybody means Woden, the god, by "woden".
    mistakes = {slip for key in telling if len(key) > 4 for slip in slips(key)} & names(folder)
    found = {}

    def add(form, kind, made=False):
        key = normal(form.replace("_", " "))
        words = key.split()
        if key in entries or key in mistakes or not re.fullmatch("[a-z' ]{2,40}", key):
            return
        # A "copperplate engraving" and a "rainy day" are what they say, too, what is "carved in stone", and "broken
        # in" in "broken in places".
        kinds = {telling.get(word) for word in words}
        last = entries.get(words[-1], ("?", "", ""))
        says_it = (telling.get(words[0]) == "material" and made or kinds in ({"medium"}, {"light"})
                   or entries.get(" ".join(words[:2]), "?")[0] == "making"
                   or last[0] in ("preposition", "place") or last[2] == "to")
        if len(words) == 1 or len(words) <= PHRASE_WORDS_MAX and telling.keys() & words and not says_it:
            found.setdefault(key, kind)

    for lemma in sorted({lemma for part in classes.part.values() for lemma in part}):
        add(lemma, classes.of(lemma), classes.says_what_it_is_made_of(lemma))
    for part in PARTS:
        for form, lemma in irregular(folder, part):
            add(form, classes.of(lemma) if part == "noun" else ADJECTIVE if part == "adj" else ORDINARY)
    for verb in classes.part["verb"].keys() & entries.keys():
        found[verb] = ORDINARY  # for its forms: "looked"
    return sorted(found.items())


def packed(words):
    """Blocks of words, each as the length of what it shares with the one before it, its class, and the
    rest of it with a NUL behind; and where the blocks begin."""
    data, blocks, before = bytearray(), [], ""
    for i, (word, kind) in enumerate(words):
        if i % BLOCK_WORDS == 0:
            blocks.append(len(data))
            before = ""
        shared = len(os.path.commonprefix([before, word]))
        data += bytes([shared, kind]) + word[shared:].encode() + b"\0"
        before = word
    return data, blocks


def write(path, classes, words):
    data, blocks = packed(words)
    with open(path, "w", encoding="utf-8") as out:
        out.write("/* Made by dictionary.py from WordNet 3.0, Copyright 2006 by Princeton University. All\n"
                  " * rights reserved. Its licence: https://wordnet.princeton.edu/license-and-commercial-use */\n"
                  '#include "prompt/dictionary_data.h"\n\n')
        for name, kind, values in (("dictionary_data", "unsigned char", data),
                                   ("dictionary_blocks", "uint32_t", blocks)):
            rows = [values[i:i + 24] for i in range(0, len(values), 24)]
            body = ",\n".join(",".join(map(str, row)) for row in rows)
            out.write(f"const {kind} {name}[] = {{\n{body}}};\n")
        phrases = ", ".join(f'"{p}"' for p in classes.aliases)
        out.write(f"const char *const dictionary_aliases[] = {{{phrases}}};\n"
                  f"const size_t dictionary_word_count = {len(words)};\n")


def main(lexicon, anchors_path, folder, target):
    entries, *_ = read(lexicon)
    if not os.path.exists(os.path.join(folder, "data.noun")):
        sys.exit(f"{folder}: WordNet is not there; install Debian's wordnet-base")
    classes = Classes(folder, anchors_path, entries)
    write(target, classes, table(folder, classes, entries))


if __name__ == "__main__":
    main(*sys.argv[1:])
