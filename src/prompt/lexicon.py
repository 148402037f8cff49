#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes lexicon_data.c from lexicon.tsv: phrases and words, each sorted for binary search.

    lexicon.py lexicon.tsv lexicon_data.c

Exits 1 and names the lines when a phrase has two meanings or a column is wrong.
"""

import sys
import unicodedata

KINDS = ["medium", "material", "palette", "light", "modifier", "subject", "filler", "joiner",
         "preposition", "making", "tone", "negation"]
PHRASE_BYTES_MAX = 63  # fits lexicon.c's buffer


def normal(phrase):
    """As words_read() in words.c: what a prompt's words are compared by."""
    folded = unicodedata.normalize("NFD", phrase.lower())
    folded = "".join(c for c in folded if not unicodedata.combining(c)).replace("-", " ")
    words = [w.replace("colour", "color").replace("grey", "gray") for w in folded.split()]
    return " ".join(words)


def kind_names(column):
    kind, _, other = column.partition("/")
    return kind, other or kind


def read(path):
    entries, problems, media = {}, [], set()
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip("\n")
        if not line or line.startswith("#"):
            continue
        columns = line.split("\t")
        kind, name = columns[0], columns[1]
        forms = columns[2] if len(columns) > 2 else ""
        implies = columns[3] if len(columns) > 3 else ""
        if len(columns) > 4 or any(k not in KINDS for k in kind_names(kind)):
            problems.append(f"line {number}: bad kind or number of columns: {kind}")
            continue
        if kind == "medium":
            media.add(name)
        if implies and implies not in media:
            problems.append(f"line {number}: implies an unknown medium: {implies}")
        for phrase in [name] + forms.split(","):
            key = normal(phrase)
            if not key:
                continue
            if len(key) > PHRASE_BYTES_MAX or not key.isascii():
                problems.append(f"line {number}: too long or not ASCII: {key}")
            entry = (*kind_names(kind), name, implies)
            if key in entries and entries[key] != entry:
                # A name of two rows ("gold", material and palette) belongs to the first.
                if phrase != name:
                    problems.append(f"line {number}: {key} is {entries[key][0]} "
                                    f"{entries[key][2]} already")
                continue
            entries[key] = entry
    return entries, problems


def main(source, target):
    entries, problems = read(source)
    if problems:
        sys.exit("\n".join(f"{source}: {p}" for p in problems))
    words = sorted({w for key in entries for w in key.split()})
    with open(target, "w", encoding="utf-8") as out:
        out.write('/* Made by lexicon.py from lexicon.tsv. */\n#include "prompt/lexicon.h"\n\n')
        out.write("const struct lexicon_entry lexicon_entries[] = {\n")
        for key, (kind, other, name, implies) in sorted(entries.items()):
            implied = f'"{implies}"' if implies else "NULL"
            out.write(f'    {{"{key}", "{name}", {implied}, LEXICON_{kind.upper()}, '
                      f'LEXICON_{other.upper()}}},\n')
        out.write("};\n\nconst char *const lexicon_words[] = {\n")
        out.writelines(f'    "{w}",\n' for w in words)
        out.write("};\n\n")
        out.write(f"const size_t lexicon_entry_count = {len(entries)};\n")
        out.write(f"const size_t lexicon_word_count = {len(words)};\n")
        out.write(f"const int lexicon_phrase_words = {max(len(k.split()) for k in entries)};\n")


main(*sys.argv[1:])
