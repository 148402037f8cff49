#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes lexicon_data.c from lexicon.tsv: phrases and words, each sorted for binary search.

    lexicon.py lexicon.tsv lexicon_data.c

Exits 1 and names the lines when a phrase has two meanings or a column is wrong.
"""

import collections
import re
import sys
import unicodedata

KINDS = ["medium", "material", "palette", "light", "modifier", "subject", "filler", "joiner",
         "preposition", "making", "tone", "negation", "carrier", "place"]
CONTENT = ["medium", "material", "palette", "light", "modifier", "carrier"]  # of a picture's look
PHRASE_BYTES_MAX = 63  # fits lexicon.c's buffer


def normal(phrase):
    """As words_read() in words.c: what a prompt's words are compared by."""
    folded = "".join(unicodedata.normalize("NFD", c)[0] if c < "\u0180" else c for c in phrase.lower())
    folded = folded.replace("ё", "е").replace("-", " ")
    words = [re.sub("'(s|d|ll|re|ve)$", "", re.sub("^[cdjlmnst]'(?=..)", "", w))
             .replace("colour", "color").replace("grey", "gray") for w in folded.split()]
    return " ".join(words)


def kind_names(column):
    kind, _, other = column.partition("/")
    return kind, other or kind


def nearest_problems(nearest, entries):
    """Every look that a name falls back to exists in the lexicon, and no name falls back to itself."""
    names = {entry[2] for entry in entries.values()}
    for name, near in nearest.items():
        seen = {name}
        while near:
            if near not in names or near in seen:
                yield f"{name}: its nearest look, {near}, is unknown or leads back to it"
                break
            seen.add(near)
            near = nearest.get(near)


def read(path):
    """Phrase: kind, other kind, name and what it implies. Name: nearest look. Misspelled phrases. And what is wrong."""
    entries, nearest, misspelled, problems = {}, {}, set(), []
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip("\n")
        if not line or line.startswith("#"):
            continue
        kind, name, forms, implies, near, *more = line.split("\t") + [""] * (5 - line.count("\t") - 1)
        if more or any(k not in KINDS for k in kind_names(kind)):
            problems.append(f"line {number}: bad kind or number of columns: {kind}")
            continue
        if near:
            nearest[name] = near
        for phrase in [name] + forms.split(","):
            key = normal(phrase.strip().removeprefix("~"))
            if not key:
                continue
            if phrase.strip().startswith("~"):
                misspelled.add(key)
            if len(key.encode()) > PHRASE_BYTES_MAX:
                problems.append(f"line {number}: too long: {key}")
            entry = (*kind_names(kind), name, implies)
            if key in entries and entries[key] != entry:
                # A name of two rows ("gold", material and palette) belongs to the first.
                if phrase != name:
                    problems.append(f"line {number}: {key} is {entries[key][0]} "
                                    f"{entries[key][2]} already")
                continue
            entries[key] = entry
    for key, (_, _, _, implies) in entries.items():
        if implies and entries.get(implies, "?")[0] not in ("medium", "material", "palette"):
            problems.append(f"{key} implies no medium, material or palette: {implies}")
    return entries, nearest, misspelled, problems + list(nearest_problems(nearest, entries))


def main(source, target):
    entries, nearest, misspelled, problems = read(source)
    if problems:
        sys.exit("\n".join(f"{source}: {p}" for p in problems))
    phrases_of = collections.Counter(w for key in entries for w in key.split())
    spelled = {w for key in entries.keys() - misspelled for w in key.split()}
    with open(target, "w", encoding="utf-8") as out:
        out.write('/* Made by lexicon.py from lexicon.tsv. */\n#include "prompt/lexicon.h"\n\n')
        out.write("const struct lexicon_entry lexicon_entries[] = {\n")
        for key, (kind, other, name, implies) in sorted(entries.items()):
            implied = f'"{implies}"' if implies else "NULL"
            out.write(f'    {{"{key}", "{name}", {implied}, LEXICON_{kind.upper()}, '
                      f'LEXICON_{other.upper()}}},\n')
        out.write("};\n\nconst struct lexicon_word lexicon_words[] = {\n")
        for word, phrases in sorted(phrases_of.items()):
            telling = str(entries.get(word, "?")[0] in CONTENT).lower()
            wrong = str(word not in spelled).lower()
            out.write(f'    {{"{word}", {phrases}, {telling}, {wrong}}},\n')
        out.write("};\n\nconst struct lexicon_nearest lexicon_nearests[] = {\n")
        out.writelines(f'    {{"{name}", "{near}"}},\n' for name, near in sorted(nearest.items()))
        out.write("};\n\n")
        out.write(f"const size_t lexicon_entry_count = {len(entries)};\n")
        out.write(f"const size_t lexicon_word_count = {len(phrases_of)};\n")
        out.write(f"const size_t lexicon_nearest_count = {len(nearest)};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
