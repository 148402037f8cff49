#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Asks the reference's tokenizer about every code point, for src/models/flux2/unicode.c.

  make_unicode.py OUT     (wants the packages of requirements.txt)

What is a letter or a number, and what takes part in NFC, depends on the version of Unicode; the
reference's regular expressions and its normalizer have different ones. OUT gets the ranges.
"""

import pathlib
import sys
from unicodedata import ucd_3_2_0 as old  # the same in every Python

from tokenizers import Regex, __version__, normalizers, pre_tokenizers

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
ALMOST_LAST, ALMOST_FIRST = "\u0345", "\u0334"  # marks of combining class 240 and 1
compose = normalizers.NFC().normalize_str
decompose = normalizers.NFD().normalize_str


def of_category(name):
    cut = pre_tokenizers.Split(Regex(rf"\p{{{name}}}"), "removed").pre_tokenize_str
    return {c for c in POINTS if not cut(chr(c))}


def normalised():
    """Those that the reference's normalizer moves, takes apart or puts together."""
    found = set()
    for c in POINTS:
        parts = decompose(chr(c))
        moves = any(compose(pair) != pair for pair in (ALMOST_LAST + chr(c), chr(c) + ALMOST_FIRST))
        if moves or parts != chr(c):
            found.add(c)
        if parts != chr(c) == compose(chr(c)):
            found.update(map(ord, compose(parts[:-1]) + parts[-1]))
    return found


def ranges(points, may_join=lambda c: False):
    """Pairs of first and last; what lies between two that may be joined does not matter."""
    pairs = []
    for c in sorted(points):
        if pairs and all(may_join(gap) for gap in range(pairs[-1][1] + 1, c)):
            pairs[-1][1] = c
        else:
            pairs.append([c, c])
    return pairs


def table(name, pairs):
    numbers = [f"0x{c:04X}" for pair in pairs for c in pair]
    rows = [", ".join(numbers[i:i + 10]) + "," for i in range(0, len(numbers), 10)]
    return f"\nstatic const uint32_t {name}[] = {{\n" + "".join(f"    {r}\n" for r in rows) + "};\n"


def main():
    # Whatever has long been there and has no part in NFC never gets one: it may lie in a range.
    settled = lambda c: old.category(chr(c)) != "Cn"
    pathlib.Path(sys.argv[1]).write_text(
        "/* SPDX-License-Identifier: MIT */\n"
        f"/* For unicode.c alone. Made by tools/golden/make_unicode.py, of tokenizers {__version__}: first and\n"
        " * last of each range, in order. */\n"
        "// clang-format off\n" +
        table("LETTERS", ranges(of_category("L"))) + table("NUMBERS", ranges(of_category("N"))) +
        table("NORMALISED", ranges(normalised(), settled)))


main()
