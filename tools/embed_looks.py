#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes the project's recipes as C strings: embed_looks.py OUT.c IN.look..."""
import os
import sys


def literal(line):
    escaped = line.replace("\\", "\\\\").replace('"', '\\"')
    return f'     "{escaped}\\n"'


out = ['#include "look/recipe.h"', "", "const struct recipe_source recipe_builtin[] = {"]
for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as f:
        body = "\n".join(literal(line) for line in f.read().splitlines())
    out.append(f'    {{"{os.path.basename(path)}",\n{body}}},')
out.append("    {NULL, NULL},\n};\n")
with open(sys.argv[1], "w", encoding="utf-8") as f:
    f.write("\n".join(out))
